import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * The service as one terminal calls it: signs requests, buys tokens, asks again until the outcome
 * is known, and learns how far the machine's clock is off. The sections are those of
 * docs/integration.md.
 */
final class Service {
    private static final int ATTEMPTS_MAX = 3;
    private static final long[] PAUSES_MS = {200, 800};
    private static final long RETRY_AFTER_MAX_SECONDS = 30;
    private static final String ASSERTION_TYPE =
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    private static final String JSON = "application/json";

    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(Duration.ofSeconds(2))
            .build();
    private final SecureRandom random = new SecureRandom();
    private final URI base;
    private final String serialNumber;
    private final Sm2Key key;
    private long clockOffsetSeconds;

    Service(String base, String serialNumber, Sm2Key key) {
        this.base = URI.create(base);
        String host = this.base.getHost();
        boolean isHere = "127.0.0.1".equals(host) || "localhost".equals(host);
        // Names and numbers never travel in clear.
        if (!"https".equals(this.base.getScheme()) && !isHere) {
            throw new IllegalArgumentException("服务地址必须是 https。The address must be https.");
        }
        this.serialNumber = serialNumber;
        this.key = key;
    }

    /** An answer that is one: a JSON object, with its bytes as they came. */
    record Answer(int status, String text, Map<String, Object> object) {
        boolean isGood() {
            return status == 200 || status == 201;
        }
    }

    /** Nobody knows what became of the request: ask again later under the same request_id. */
    static final class OutcomeUnknownException extends RuntimeException {
        private static final long serialVersionUID = 1;

        OutcomeUnknownException() {
            super("结果未知，请稍后用同一 request_id 再问。"
                    + "The outcome is unknown; ask again with the same request_id.");
        }
    }

    /** Section 4. The code without hyphens. */
    Answer enrol(String code) throws InterruptedException {
        String publicKey = key.publicKeyHex();
        String signed = lines("sscard/enrolment/v1", serialNumber, code, publicKey);
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("enrolment_code", code);
        members.put("serial_number", serialNumber);
        members.put("public_key", publicKey);
        members.put("proof", base64(key.signDer(utf8(signed))));
        String body = Json.write(members);
        return ask("POST", "/v1/terminals/enrolments", JSON, () -> body, null);
    }

    /** Section 5.2. */
    Answer buyToken(String audience, String keyName) throws InterruptedException {
        Supplier<String> form = () -> {
            long now = now();
            Map<String, Object> claims = new LinkedHashMap<>();
            claims.put("iss", serialNumber);
            claims.put("sub", serialNumber);
            claims.put("aud", audience);
            claims.put("jti", UUID.randomUUID().toString());
            claims.put("iat", now);
            claims.put("exp", now + 300);
            Map<String, Object> header = new LinkedHashMap<>();
            header.put("alg", "SGD_SM3_SM2");
            header.put("kid", keyName);
            header.put("typ", "JWT");
            String signed =
                    base64url(utf8(Json.write(header))) + "." + base64url(utf8(Json.write(claims)));
            String assertion = signed + "." + base64url(key.signRaw(utf8(signed)));
            return "grant_type=client_credentials&client_assertion_type="
                    + URLEncoder.encode(ASSERTION_TYPE, StandardCharsets.UTF_8)
                    + "&client_assertion=" + assertion;
        };
        return ask("POST", "/v1/oauth/token", "application/x-www-form-urlencoded", form, null);
    }

    /** With a token: for what consumes nothing. */
    Answer getWithToken(String target, String token) throws InterruptedException {
        return ask("GET", target, null, () -> "", () -> "Bearer " + token);
    }

    /** Signed, and signed anew for every attempt, by section 5.1. */
    Answer postSigned(String target, String body) throws InterruptedException {
        return ask("POST", target, JSON, () -> body, () -> authorization("POST", target, body));
    }

    String authorization(String method, String target, String body) {
        byte[] nonce = new byte[16];
        random.nextBytes(nonce);
        String time = Long.toString(now());
        String nonceHex = HexFormat.of().formatHex(nonce);
        String signed = lines("sscard/request/v1", method, target, time, nonceHex, body);
        String signature = base64(key.signDer(utf8(signed)));
        return String.format("SSCARD-SM2 terminal=\"%s\",time=\"%s\",nonce=\"%s\",signature=\"%s\"",
                serialNumber, time, nonceHex, signature);
    }

    /** Section 6: three tries; what was not answered clearly is unknown, never a yes. */
    private Answer ask(
            String method, String target, String type, Supplier<String> body,
            Supplier<String> authorization)
            throws InterruptedException {
        long waitMs = 0;
        for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
            Thread.sleep(attempt == 0 ? 0 : Math.max(waitMs, PAUSES_MS[attempt - 1]));
            waitMs = 0;
            HttpResponse<String> response;
            try {
                response = send(method, target, type, body.get(), authorization);
            } catch (IOException error) {
                continue;
            }
            Map<String, Object> object;
            try {
                object = Json.readObject(response.body());
            } catch (IllegalArgumentException error) {
                continue; // a page of something in between
            }
            int status = response.statusCode();
            boolean isFinal = "self_test_failed".equals(object.get("code"));
            if (status == 401 && object.get("server_time") instanceof Long serverTime) {
                learnClock(serverTime);
            } else if (isFinal || status < 500 && status != 408) {
                return new Answer(status, response.body(), object);
            } else {
                waitMs = retryAfterMs(response);
            }
        }
        throw new OutcomeUnknownException();
    }

    private static long retryAfterMs(HttpResponse<String> response) {
        String value = response.headers().firstValue("Retry-After").orElse("");
        long seconds = value.matches("[0-9]{1,4}") ? Long.parseLong(value) : 0;
        return 1000 * Math.min(seconds, RETRY_AFTER_MAX_SECONDS);
    }

    private HttpResponse<String> send(
            String method, String target, String type, String body, Supplier<String> authorization)
            throws IOException, InterruptedException {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(base.resolve(target)).timeout(Duration.ofSeconds(3));
        request.method(method, body.isEmpty()
                ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body));
        if (type != null) {
            request.header("Content-Type", type);
        }
        if (authorization != null) {
            request.header("Authorization", authorization.get());
        }
        return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    /** Section 13. The next attempt is signed with the service's time. */
    private void learnClock(long serverTime) {
        clockOffsetSeconds = System.currentTimeMillis() / 1000 - serverTime;
        long off = Math.abs(clockOffsetSeconds);
        boolean isFast = clockOffsetSeconds > 0;
        System.err.printf("本终端%s %d 秒。This terminal is %d s %s.%n",
                isFast ? "快" : "慢", off, off, isFast ? "fast" : "slow");
    }

    private long now() {
        return System.currentTimeMillis() / 1000 - clockOffsetSeconds;
    }

    /** Each word with a line feed behind it, the last one too. */
    private static String lines(String... words) {
        return String.join("\n", words) + "\n";
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String base64(byte[] data) {
        return Base64.getEncoder().encodeToString(data);
    }

    private static String base64url(byte[] data) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(data);
    }
}
