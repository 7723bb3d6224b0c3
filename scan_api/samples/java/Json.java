import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * As much JSON as this sample needs, because the JDK has none: objects are Map, arrays List, whole
 * numbers Long, others Double. A product uses its own library (Jackson, Gson).
 */
final class Json {
    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    /** Throws IllegalArgumentException for anything but one JSON object. */
    @SuppressWarnings("unchecked")
    static Map<String, Object> readObject(String text) {
        Json json = new Json(text);
        Object value = json.value();
        json.space();
        if (!(value instanceof Map) || json.at != text.length()) {
            throw new IllegalArgumentException("not a JSON object");
        }
        return (Map<String, Object>) value;
    }

    /** Strings and whole numbers; members that are null are left out. */
    static String write(Map<String, ?> members) {
        StringBuilder out = new StringBuilder("{");
        members.forEach((name, value) -> {
            if (value != null) {
                out.append(out.length() > 1 ? "," : "").append(quote(name)).append(':');
                out.append(value instanceof Number ? value.toString() : quote(value.toString()));
            }
        });
        return out.append('}').toString();
    }

    private static String quote(String value) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : value.toCharArray()) {
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ') {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        return out.append('"').toString();
    }

    private Object value() {
        space();
        char c = peek();
        if (c == '{') {
            return object();
        }
        if (c == '[') {
            return array();
        }
        if (c == '"') {
            return string();
        }
        for (String word : new String[] {"true", "false", "null"}) {
            if (text.startsWith(word, at)) {
                at += word.length();
                return word.equals("null") ? null : (Object) word.equals("true");
            }
        }
        int start = at;
        while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        String number = text.substring(start, at);
        return number.matches("-?[0-9]+") ? (Object) Long.valueOf(number) : Double.valueOf(number);
    }

    private Map<String, Object> object() {
        Map<String, Object> found = new LinkedHashMap<>();
        at++;
        while (!ends('}', found.isEmpty())) {
            space();
            String name = string();
            space();
            expect(':');
            found.put(name, value());
        }
        return found;
    }

    private List<Object> array() {
        List<Object> found = new ArrayList<>();
        at++;
        while (!ends(']', found.isEmpty())) {
            found.add(value());
        }
        return found;
    }

    private boolean ends(char end, boolean isFirst) {
        space();
        if (peek() == end) {
            at++;
            return true;
        }
        if (!isFirst) {
            expect(',');
        }
        return false;
    }

    private String string() {
        expect('"');
        StringBuilder out = new StringBuilder();
        while (peek() != '"') {
            char c = text.charAt(at++);
            out.append(c == '\\' ? escaped() : c);
        }
        at++;
        return out.toString();
    }

    private char escaped() {
        peek();
        char c = text.charAt(at++);
        if (c == 'u') {
            at += 4;
            return (char) Integer.parseInt(text.substring(at - 4, at), 16);
        }
        int index = "nrtbf".indexOf(c);
        return index < 0 ? c : "\n\r\t\b\f".charAt(index);
    }

    private void expect(char c) {
        if (peek() != c) {
            throw new IllegalArgumentException("JSON: " + c + " is missing");
        }
        at++;
    }

    private char peek() {
        if (at >= text.length()) {
            throw new IllegalArgumentException("JSON ends too early");
        }
        return text.charAt(at);
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }
}
