import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.HexFormat;
import org.bouncycastle.asn1.gm.GMNamedCurves;
import org.bouncycastle.asn1.x9.X9ECParameters;
import org.bouncycastle.crypto.CryptoException;
import org.bouncycastle.crypto.digests.SM3Digest;
import org.bouncycastle.crypto.params.ECDomainParameters;
import org.bouncycastle.crypto.params.ECPrivateKeyParameters;
import org.bouncycastle.crypto.params.ECPublicKeyParameters;
import org.bouncycastle.crypto.params.ParametersWithID;
import org.bouncycastle.crypto.signers.DSAEncoding;
import org.bouncycastle.crypto.signers.PlainDSAEncoding;
import org.bouncycastle.crypto.signers.SM2Signer;
import org.bouncycastle.crypto.signers.StandardDSAEncoding;
import org.bouncycastle.math.ec.FixedPointCombMultiplier;

/**
 * The terminal's SM2 key, over Bouncy Castle (docs/integration.md, section 3).
 *
 * <p>This sample keeps the private key in memory and in a file. A product keeps it in a module (a
 * USB key, a cryptographic card) and asks that module to sign; the rest stays the same.
 */
final class Sm2Key {
    private static final X9ECParameters CURVE = GMNamedCurves.getByName("sm2p256v1");
    private static final ECDomainParameters DOMAIN =
            new ECDomainParameters(CURVE.getCurve(), CURVE.getG(), CURVE.getN(), CURVE.getH());
    // The same everywhere in this interface. It goes into Z, which SM2Signer computes by itself.
    private static final byte[] SIGNER_ID = "1234567812345678".getBytes(StandardCharsets.US_ASCII);

    private final ECPrivateKeyParameters key;

    private Sm2Key(BigInteger d) {
        key = new ECPrivateKeyParameters(d, DOMAIN);
    }

    static Sm2Key generate() {
        SecureRandom random = new SecureRandom();
        while (true) {
            BigInteger d = new BigInteger(256, random);
            // 1 to n-2: with n-1 no signature can be made.
            if (d.signum() > 0 && d.compareTo(DOMAIN.getN().subtract(BigInteger.TWO)) <= 0) {
                return new Sm2Key(d);
            }
        }
    }

    static Sm2Key fromHex(String privateKey) {
        return new Sm2Key(new BigInteger(privateKey, 16));
    }

    String toHex() {
        return String.format("%064x", key.getD());
    }

    /** The compressed point: 02 or 03, then x; 66 hex digits. */
    String publicKeyHex() {
        byte[] point = new FixedPointCombMultiplier()
                .multiply(DOMAIN.getG(), key.getD()).normalize().getEncoded(true);
        return HexFormat.of().formatHex(point);
    }

    /** Strict DER: for the header of a signed request, and for proofs. */
    byte[] signDer(byte[] message) {
        return sign(message, StandardDSAEncoding.INSTANCE);
    }

    /** r and s, 32 bytes each: for JWTs. */
    byte[] signRaw(byte[] message) {
        return sign(message, PlainDSAEncoding.INSTANCE);
    }

    private byte[] sign(byte[] message, DSAEncoding encoding) {
        SM2Signer signer = new SM2Signer(encoding);
        signer.init(true, new ParametersWithID(key, SIGNER_ID));
        signer.update(message, 0, message.length);
        try {
            return signer.generateSignature();
        } catch (CryptoException error) {
            throw new IllegalStateException("SM2 could not sign", error);
        }
    }

    /** Whether `raw` (r and s) is this public key's signature; publicKey: compressed, in hex. */
    static boolean verifies(String publicKey, byte[] message, byte[] raw) {
        var point = CURVE.getCurve().decodePoint(HexFormat.of().parseHex(publicKey));
        SM2Signer verifier = new SM2Signer(PlainDSAEncoding.INSTANCE);
        var publicHalf = new ECPublicKeyParameters(point, DOMAIN);
        verifier.init(false, new ParametersWithID(publicHalf, SIGNER_ID));
        verifier.update(message, 0, message.length);
        return verifier.verifySignature(raw);
    }

    static byte[] sm3(byte[]... parts) {
        SM3Digest digest = new SM3Digest();
        for (byte[] part : parts) {
            digest.update(part, 0, part.length);
        }
        byte[] out = new byte[32];
        digest.doFinal(out, 0);
        return out;
    }
}
