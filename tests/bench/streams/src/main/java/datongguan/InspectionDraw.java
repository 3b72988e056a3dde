package datongguan;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.security.GeneralSecurityException;
import java.text.Normalizer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Which goods are drawn by chance? This is the same keyed hash of the lot as in services/risk/draw.py.
 *
 * <p>If this class is run by itself, it repeats a draw and prints the value. Arguments: the secret in hexadecimal, and a lot.
 */
final class InspectionDraw {
    private static final BigDecimal SPAN = new BigDecimal(BigInteger.TWO.pow(64));

    private InspectionDraw() {
    }

    /** Returns the first 8 bytes of the HMAC-SHA-256 (RFC 2104) of the lot, divided by 2^64 and rounded down to 6 decimal places. */
    static BigDecimal value(byte[] secret, String lot) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret, "HmacSHA256"));
            byte[] digest = mac.doFinal(("inspection-draw/" + lot).getBytes(UTF_8));
            return new BigDecimal(new BigInteger(1, Arrays.copyOf(digest, 8))).divide(SPAN, 6, RoundingMode.DOWN);
        } catch (GeneralSecurityException problem) {
            throw new IllegalStateException(problem);
        }
    }

    /** Returns the text that identifies the goods: direction, bill (without one: consignee, conveyance and day), containers. */
    static String lot(String direction, String bill, String consignee, String conveyance, String day, List<String> containers) {
        String boxes = containers.stream().map(InspectionDraw::spelled).collect(Collectors.toCollection(TreeSet::new))
            .stream().collect(Collectors.joining("+"));
        String number = spelled(bill);
        String journey = "journey/" + spelled(consignee) + "/" + spelled(conveyance) + "/" + day;
        return direction + "/" + (number.isEmpty() ? journey : "bill/" + number) + "/" + boxes;
    }

    /** Returns the letters and numbers of a code in Unicode NFKC and upper case. */
    static String spelled(String code) {
        StringBuilder kept = new StringBuilder();
        Normalizer.normalize(code, Normalizer.Form.NFKC).toUpperCase(Locale.ROOT).codePoints()
            .filter(sign -> Character.isLetter(sign) || isNumber(sign)).forEach(kept::appendCodePoint);
        return kept.toString();
    }

    private static boolean isNumber(int sign) {
        int type = Character.getType(sign);
        return type == Character.DECIMAL_DIGIT_NUMBER || type == Character.LETTER_NUMBER || type == Character.OTHER_NUMBER;
    }

    public static void main(String[] arguments) {
        System.out.println(value(HexFormat.of().parseHex(arguments[0]), arguments[1]).toPlainString());
    }
}
