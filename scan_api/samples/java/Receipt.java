import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** The issuer's signed evidence of an accepted scan, checked with its keys: docs/receipts.md. */
final class Receipt {
    private static final int SIGNATURE_BYTES = 64;
    private static final Duration ALLOWANCE = Duration.ofSeconds(60);

    final int issuer;
    final int keyNumber;
    final Instant at;
    final String scanId;
    final String businessType;
    final Long amountFen;
    final String terminal;
    final String institution;

    private final byte[] content;
    private final byte[] signed;
    private final byte[] signature;

    /** Throws RuntimeException for what is no receipt of a scan. */
    private Receipt(String text) {
        byte[] data = Base64.getUrlDecoder().decode(text);
        int size = data[2] & 0xFF;
        content = Arrays.copyOfRange(data, 3, 3 + size);
        signature = Arrays.copyOfRange(data, data.length - SIGNATURE_BYTES, data.length);
        byte[] path = Arrays.copyOfRange(data, 3 + size, data.length - SIGNATURE_BYTES);
        require(data[0] == 1 && content[0] == 1); // version 1, of a scan
        ByteBuffer fields = ByteBuffer.wrap(content);
        issuer = fields.getShort(1) & 0xFFFF;
        keyNumber = content[3] & 0xFF;
        at = Instant.ofEpochMilli(fields.getLong(4));
        scanId = HexFormat.of().formatHex(content, 12, 28);
        businessType = new String(content, 44, 5, StandardCharsets.US_ASCII);
        long amount = fields.getInt(49) & 0xFFFFFFFFL;
        amountFen = amount == 0xFFFFFFFFL ? null : amount;
        terminal = HexFormat.of().formatHex(content, 104, 112);
        int log = content[152] & 0xFF;
        int codeSize = content[153 + log] & 0xFF;
        institution = new String(content, 154 + log, codeSize, StandardCharsets.US_ASCII);
        require(size == 154 + log + codeSize);
        signed = data[1] == 1 ? byItself(path) : inGroup(path);
    }

    /** Throws RuntimeException unless the receipt is good and says what the verdict says. */
    static void check(
            Map<String, Object> verdict, Map<String, Object> keys, String serial,
            String institution, String businessType, Long amountFen) {
        Receipt receipt = new Receipt((String) verdict.get("receipt"));
        require(receipt.isSignedByOneOf((List<?>) keys.get("keys")));
        require(receipt.scanId.equals(verdict.get("scan_id")));
        require(receipt.terminal.equals(serial) && receipt.institution.equals(institution));
        require(receipt.businessType.equals(businessType));
        require(Objects.equals(receipt.amountFen, amountFen));
    }

    private boolean isSignedByOneOf(List<?> keys) {
        for (Object one : keys) {
            Map<?, ?> key = (Map<?, ?>) one;
            boolean isNamed = Long.valueOf(issuer).equals(key.get("issuer"))
                    && Long.valueOf(keyNumber).equals(key.get("number"));
            if (isNamed && isBelieved(key)) {
                return Sm2Key.verifies((String) key.get("public_key"), signed, signature);
            }
        }
        return false;
    }

    /** Section 4 of receipts.md. */
    private boolean isBelieved(Map<?, ?> key) {
        Object from = key.get("active_from");
        Object until = key.get("active_until");
        return List.of("active", "verify_only").contains(key.get("state"))
                && (from == null || !at.plus(ALLOWANCE).isBefore(instant(from)))
                && (until == null || !at.minus(ALLOWANCE).isAfter(instant(until)));
    }

    private static Instant instant(Object text) {
        return OffsetDateTime.parse((String) text).toInstant();
    }

    private byte[] byItself(byte[] path) {
        require(path.length == 0);
        return join("sscard/receipt/v1\0".getBytes(StandardCharsets.US_ASCII), content);
    }

    /** Form 2: one signature over the root of a Merkle tree, to which the path leads. */
    private byte[] inGroup(byte[] path) {
        ByteBuffer head = ByteBuffer.wrap(path);
        int index = head.getShort() & 0xFFFF;
        int size = head.getShort() & 0xFFFF;
        require(2 <= size && size <= 4096 && index < size && (path.length - 4) % 32 == 0);
        byte[] found = Sm2Key.sm3(new byte[] {0}, content);
        for (int last = size - 1; last > 0; last /= 2, index /= 2) {
            if (index % 2 == 1 || index < last) {
                byte[] beside = new byte[32];
                head.get(beside);
                byte[] node = {1};
                found = index % 2 == 1
                        ? Sm2Key.sm3(node, beside, found) : Sm2Key.sm3(node, found, beside);
            }
        }
        require(!head.hasRemaining());
        byte[] context = "sscard/receipt-group/v1\0".getBytes(StandardCharsets.US_ASCII);
        byte[] sizeBytes = {(byte) (size >> 8), (byte) size};
        return join(context, Arrays.copyOfRange(content, 1, 4), sizeBytes, found);
    }

    private static byte[] join(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }

    private static void require(boolean holds) {
        if (!holds) {
            throw new IllegalArgumentException("receipt");
        }
    }
}
