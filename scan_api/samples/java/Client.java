import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * A terminal's client, written by docs/integration.md. JDK 17 and Bouncy Castle, nothing else.
 *
 * <pre>
 * javac -cp bcprov.jar -d out *.java
 * java -cp out:bcprov.jar Client enrol --folder DIR --service URL --serial HEX --code CODE
 * java -cp out:bcprov.jar Client terminal --folder DIR
 * java -cp out:bcprov.jar Client scan --folder DIR --business-type 02121 [--amount-fen 2350]
 *      [--request-id ID] [--receipt-keys FILE] [--twice] [--json] CODE...
 * </pre>
 *
 * Exit code 0: answered, also where the answer is "refused"; 1: not answered, or a fault of ours.
 */
public final class Client {
    private final Map<String, String> options = new LinkedHashMap<>();
    private final List<String> codes = new ArrayList<>();

    public static void main(String[] arguments) throws Exception {
        try {
            new Client().run(arguments);
        } catch (Service.OutcomeUnknownException | IllegalArgumentException | IOException error) {
            System.err.println("错误 Error: " + error.getMessage());
            System.exit(1);
        }
    }

    private void run(String[] arguments) throws Exception {
        for (int at = 1; at < arguments.length; at++) {
            String name = arguments[at];
            if (List.of("--json", "--twice").contains(name)) {
                options.put(name, "yes");
            } else if (name.startsWith("--") && at + 1 < arguments.length) {
                options.put(name, arguments[++at]);
            } else {
                codes.add(name);
            }
        }
        switch (arguments.length == 0 ? "" : arguments[0]) {
            case "enrol" -> enrol();
            case "terminal" -> show(describe(settings()).object());
            case "scan" -> scan();
            default -> throw new IllegalArgumentException("enrol, terminal, scan");
        }
    }

    /** Once: make a key, write it down, bring it to the service with the bureau's code. */
    private void enrol() throws Exception {
        Map<String, Object> settings = new LinkedHashMap<>();
        if (Files.exists(file())) {
            // An enrolment whose answer was lost goes on with the same key.
            settings.putAll(settings());
        } else {
            settings.put("service", option("--service"));
            settings.put("serial_number", option("--serial"));
            settings.put("private_key", Sm2Key.generate().toHex());
            keep(settings);
        }
        String code = option("--code").toUpperCase().replaceAll("[- ]", "")
                .replace('O', '0').replace('I', '1').replace('L', '1');
        Service.Answer answer = service(settings).enrol(code);
        refuseFault(answer);
        settings.put("key_name", answer.object().get("key_name"));
        settings.put("token_audience", answer.object().get("token_audience"));
        keep(settings);
        System.out.println("已登记。Enrolled.");
    }

    /** Who we are: with a token, because nothing is consumed. */
    private Service.Answer describe(Map<String, Object> settings) throws Exception {
        Service service = service(settings);
        Service.Answer bought = service.buyToken(
                (String) settings.get("token_audience"), (String) settings.get("key_name"));
        refuseFault(bought);
        // A product keeps the token for its ten minutes.
        String token = (String) bought.object().get("access_token");
        Service.Answer answer = service.getWithToken("/v1/terminal", token);
        refuseFault(answer);
        return answer;
    }

    private void scan() throws Exception {
        Map<String, Object> settings = settings();
        Service service = service(settings);
        Map<String, Object> keys = null;
        String institution = null;
        if (options.containsKey("--receipt-keys")) {
            keys = Json.readObject(Files.readString(Path.of(option("--receipt-keys"))));
            institution = (String) describe(settings).object().get("institution_code");
        }
        for (String code : codes) {
            Map<String, Object> scan = new LinkedHashMap<>();
            scan.put("code", code);
            scan.put("business_type", option("--business-type"));
            // Fixed before anything is sent: this very request can be asked again.
            String fresh = UUID.randomUUID().toString();
            scan.put("request_id", options.getOrDefault("--request-id", fresh));
            scan.put("amount_fen", amountFen());
            String body = Json.write(scan);
            Service.Answer answer = service.postSigned("/v1/scans", body);
            refuseFault(answer);
            if (options.containsKey("--twice")) {
                // As after a lost answer: the same request, signed anew, spends nothing.
                boolean isSame = service.postSigned("/v1/scans", body).text().equals(answer.text());
                System.err.println(isSame ? "答复相同 same answer" : "答复不同 another answer");
            }
            if (keys != null && answer.object().get("receipt") != null) {
                checkReceipt(answer, keys, settings, institution);
            }
            if (options.containsKey("--json")) {
                System.out.println(answer.text());
            } else {
                showVerdict(answer.object());
            }
        }
    }

    private void checkReceipt(
            Service.Answer answer, Map<String, Object> keys, Map<String, Object> settings,
            String institution) {
        try {
            String serial = (String) settings.get("serial_number");
            String businessType = option("--business-type");
            Receipt.check(answer.object(), keys, serial, institution, businessType, amountFen());
        } catch (RuntimeException error) {
            throw new IllegalArgumentException(
                    "凭据无效，不予采信。The receipt is not valid: don't rely on it.");
        }
        System.err.println("凭据有效 receipt valid");
    }

    private Long amountFen() {
        return options.containsKey("--amount-fen") ? Long.valueOf(option("--amount-fen")) : null;
    }

    /** Only "accepted" is a yes; every other word, known or not, is a no. */
    private static void showVerdict(Map<String, Object> verdict) {
        boolean isAccepted = "accepted".equals(verdict.get("outcome"));
        Map<?, ?> action = (Map<?, ?>) verdict.get("next_action");
        String outcome = isAccepted ? "通过 accepted" : "拒绝 refused";
        System.out.printf("%s %s%n", outcome, verdict.get("reason"));
        System.out.printf("  %s %s%n", verdict.get("text_zh"), verdict.get("text_en"));
        System.out.printf("  窗口 Clerk: %s %s%n", action.get("clerk_zh"), action.get("clerk_en"));
        System.out.printf(
                "  持卡人 Holder: %s %s%n", action.get("holder_zh"), action.get("holder_en"));
        if (isAccepted) {
            ((Map<?, ?>) verdict.get("holder")).forEach((name, value) -> {
                if (value != null) {
                    System.out.printf("  %s: %s%n", name, value);
                }
            });
        }
    }

    private static void show(Map<String, Object> members) {
        members.forEach((name, value) -> System.out.printf("%s: %s%n", name, value));
    }

    /** A problem document (section 11), or an error of the token endpoint (5.2). */
    private static void refuseFault(Service.Answer answer) {
        if (!answer.isGood()) {
            Map<String, Object> fault = answer.object();
            Object word = fault.getOrDefault("code", fault.get("error"));
            Object zh = fault.getOrDefault("detail_zh", fault.get("error_description_zh"));
            Object en = fault.getOrDefault("detail", fault.get("error_description"));
            throw new IllegalArgumentException(word + " " + zh + " " + en);
        }
    }

    private Service service(Map<String, Object> settings) {
        return new Service((String) settings.get("service"), (String) settings.get("serial_number"),
                Sm2Key.fromHex((String) settings.get("private_key")));
    }

    private Map<String, Object> settings() throws IOException {
        return Json.readObject(Files.readString(file()));
    }

    /** The owner alone may read it. A product keeps the key in a module instead. */
    private void keep(Map<String, Object> settings) throws IOException {
        Files.createDirectories(file().getParent());
        Path beside = file().resolveSibling("terminal.json.new");
        Files.deleteIfExists(beside);
        var ownerAlone = PosixFilePermissions.fromString("rw-------");
        Files.createFile(beside, PosixFilePermissions.asFileAttribute(ownerAlone));
        Files.writeString(beside, Json.write(settings), StandardCharsets.UTF_8);
        Files.move(beside, file(), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    }

    private Path file() {
        return Path.of(option("--folder"), "terminal.json");
    }

    private String option(String name) {
        String value = options.get(name);
        if (value == null) {
            throw new IllegalArgumentException("缺少 " + name + "。" + name + " is missing.");
        }
        return value;
    }
}
