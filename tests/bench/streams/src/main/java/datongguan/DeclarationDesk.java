package datongguan;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/** Is a declaration accepted, and under which number? The checks are those of schemas/papers/checks.py. */
final class DeclarationDesk extends Desk {
    private static final String SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    private static final int[] WEIGHTS = new int[17];
    private static final Pattern BOX = Pattern.compile("[A-Z]{4}[0-9]{7}");
    private static final Pattern FOUR_DIGITS = Pattern.compile("[0-9]{4}");
    private static final Pattern AIR = Pattern.compile("[A-Z]{3}[0-9]{4,5}[A-Z0-9]{2}");
    private static final BigDecimal CENT = new BigDecimal("0.05");
    private static final BigDecimal TOLERANCE = new BigDecimal("0.01");

    static {
        int weight = 1;
        for (int place = 0; place < WEIGHTS.length; place++) {
            WEIGHTS[place] = weight;
            weight = weight * 3 % 31;
        }
    }

    private final Tables tables;
    private ArrayNode findings;
    private boolean wrong;

    DeclarationDesk(Tables tables, int partitions) {
        super("declaration", partitions);
        this.tables = tables;
    }

    @Override
    void hear(String kind, JsonNode message, ObjectNode state) throws IOException {
        if (!kind.equals("LodgeDeclaration") || state.has("paper")) {
            return;
        }
        JsonNode said = message.get("declaration");
        findings = JSON.createArrayNode();
        wrong = false;
        check(said);
        state.put("paper", sha256(JSON.writeValueAsBytes(said)).substring(0, 32));
        state.put("state", wrong ? "rejected" : "accepted").put("declarant", said.get("declarant").asText());
        ObjectNode fact = fact();
        fact.set("declaration", said);
        if (wrong) {
            fact.set("findings", findings);
            say("DeclarationRejected", fact);
        } else {
            fact.set("warnings", findings);
            say("DeclarationAccepted", fact.put("declaration_no", number(said)));
        }
    }

    private String number(JsonNode said) {
        int year = ZonedDateTime.now(ZoneOffset.ofHours(8)).getYear();
        return said.get("customs_office").asText() + String.format("%04d", year)
            + (said.get("direction").asText().equals("I") ? "1" : "0") + String.format("%09d", serial() % 1_000_000_000L);
    }

    private void check(JsonNode said) {
        String mode = said.get("transport_mode").asText();
        boolean imports = said.get("direction").asText().equals("I");
        unless(uscc(said.get("declarant").asText()), "/declarant", "declarant_invalid");
        unless(uscc(said.get("consignee").asText()), "/consignee", "consignee_invalid");
        String office = said.get("customs_office").asText();
        boolean listed = tables.has("offices", office);
        boolean ofDistrict = FOUR_DIGITS.matcher(office).matches() && tables.has("districts", office.substring(0, 2));
        unless(listed || ofDistrict, "/customs_office", "office_unknown");
        warn(!listed && ofDistrict, "/customs_office", "office_unlisted");
        String trade = said.get("trade_mode").asText();
        boolean held = tables.has("trade_modes", trade);
        boolean likeMode = FOUR_DIGITS.matcher(trade).matches();
        unless(held || likeMode, "/trade_mode", "trade_mode_unknown");
        warn(!held && likeMode, "/trade_mode", "trade_mode_unlisted");
        unless(tables.has("transport_modes", mode), "/transport_mode", "transport_mode_unknown");
        unless(!tables.has("ported", mode) || !said.get("bill_no").asText().isEmpty(), "/bill_no", "bill_missing");
        for (String name : new String[] {"departure_country", "destination_country"}) {
            String country = said.get(name).asText();
            unless(!country.isEmpty() || imports != name.equals("departure_country"), "/" + name, "country_missing");
            unless(country.isEmpty() || tables.has("countries", country), "/" + name, "country_unknown");
        }
        unless(said.get("packages").asInt() >= 0, "/packages", "packages_negative");
        unless(tables.has("package_kinds", said.get("package_kind").asText()), "/package_kind", "package_kind_unknown");
        String kind = said.get("package_kind").asText();
        boolean wood = said.get("wood_packaging").asBoolean();
        unless(wood || !tables.has("solid_wood_kinds", kind), "/wood_packaging", "wood_denied");
        warn(!wood && tables.has("maybe_wood_kinds", kind), "/wood_packaging", "wood_not_named");
        String from = said.get("departure_country").asText();
        warn(!from.isEmpty() && from.equals(said.get("destination_country").asText()), "/destination_country", "route_without_journey");
        warn(!said.get("containers").isEmpty() && tables.has("unboxed", mode), "/containers", "container_not_carried");
        Set<String> boxes = new HashSet<>();
        for (JsonNode box : said.get("containers")) {
            String number = plain(box.get("container_no").asText());
            unless(boxes.add(number), "/containers", "container_twice");
            boolean boxed = BOX.matcher(number).matches();
            unless(boxed || AIR.matcher(number).matches(), "/containers", "container_malformed");
            warn(boxed && !checks(number), "/containers", "container_check_digit");
        }
        totals(said);
        int place = 0;
        int fewest = tables.has("sandbox_offices", said.get("customs_office").asText()) ? 6 : 10;
        for (JsonNode item : said.get("items")) {
            line(item, "/items/" + place++, said.get("currency").asText(), fewest);
        }
        unless(place > 0, "/items", "items_missing");
        unless(place <= 50, "/items", "items_too_many");
    }

    private void totals(JsonNode said) {
        BigDecimal net = decimal(said.get("net_mass_kg"));
        BigDecimal gross = decimal(said.get("gross_mass_kg"));
        BigDecimal invoice = decimal(said.get("invoice_total"));
        BigDecimal mass = BigDecimal.ZERO;
        BigDecimal price = BigDecimal.ZERO;
        for (JsonNode item : said.get("items")) {
            mass = mass.add(decimal(item.get("net_mass_kg")));
            price = price.add(decimal(item.get("total_price")));
        }
        unless(gross.signum() > 0, "/gross_mass_kg", "mass_not_positive");
        unless(net.signum() > 0, "/net_mass_kg", "mass_not_positive");
        unless(net.compareTo(gross) <= 0, "/net_mass_kg", "net_above_gross");
        warn(!near(mass, net), "/net_mass_kg", "net_mass_differs");
        unless(tables.has("currencies", said.get("currency").asText()), "/currency", "currency_unknown");
        unless(invoice.signum() >= 0, "/invoice_total", "price_negative");
        unless(near(price, invoice), "/invoice_total", "invoice_total_differs");
    }

    private void line(JsonNode item, String where, String currency, int fewest) {
        String code = item.get("hs_code").asText();
        boolean digits = code.length() >= fewest && code.length() <= 10 && code.chars().allMatch(c -> c >= '0' && c <= '9');
        unless(digits, where + "/hs_code", "hs_malformed");
        unless(!digits || tables.has("chapters", code.substring(0, 2)), where + "/hs_code", "hs_chapter_unknown");
        unless(!digits || code.startsWith("98") || tables.has("hs_codes", code.substring(0, 6)), where + "/hs_code", "hs_code_unknown");
        unless(!item.get("description").asText().isBlank(), where + "/description", "description_missing");
        unless(tables.has("countries", item.get("origin_country").asText()), where + "/origin_country", "country_unknown");
        unless(tables.has("units", item.get("unit").asText()), where + "/unit", "unit_unknown");
        BigDecimal quantity = decimal(item.get("quantity"));
        BigDecimal unitPrice = decimal(item.get("unit_price"));
        BigDecimal total = decimal(item.get("total_price"));
        unless(quantity.signum() > 0, where + "/quantity", "quantity_not_positive");
        BigDecimal net = decimal(item.get("net_mass_kg"));
        unless(net.signum() > 0, where + "/net_mass_kg", "mass_not_positive");
        BigDecimal kilograms = tables.number("kilograms", item.get("unit").asText(), null);
        warn(kilograms != null && quantity.signum() > 0 && net.signum() > 0 && !near(quantity.multiply(kilograms), net),
            where + "/quantity", "quantity_differs_from_mass");
        unless(tables.has("currencies", item.get("currency").asText()), where + "/currency", "currency_unknown");
        unless(item.get("currency").asText().equals(currency), where + "/currency", "currency_differs");
        unless(unitPrice.signum() >= 0, where + "/unit_price", "price_negative");
        unless(total.signum() >= 0, where + "/total_price", "price_negative");
        unless(near(quantity.multiply(unitPrice), total), where + "/total_price", "line_total_differs");
    }

    private void unless(boolean right, String pointer, String code) {
        if (!right) {
            wrong = true;
            findings.addObject().put("pointer", pointer).put("code", code).put("severity", "error").put("seen", code);
        }
    }

    private void warn(boolean odd, String pointer, String code) {
        if (odd) {
            findings.addObject().put("pointer", pointer).put("code", code).put("severity", "warning").put("seen", code);
        }
    }

    private static boolean near(BigDecimal parts, BigDecimal whole) {
        return parts.subtract(whole).abs().compareTo(CENT.max(whole.abs().multiply(TOLERANCE))) <= 0;
    }

    private static boolean uscc(String code) {
        if (code.length() != 18) {
            return false;
        }
        int total = 0;
        for (int place = 0; place < 18; place++) {
            int value = SIGNS.indexOf(code.charAt(place));
            if (value < 0) {
                return false;
            }
            total += place < 17 ? value * WEIGHTS[place] : 0;
        }
        return SIGNS.charAt((31 - total % 31) % 31) == code.charAt(17);
    }

    /** Returns the letters and digits of the number in upper case, at most 17 characters. */
    private static String plain(String number) {
        String signs = number.toUpperCase(Locale.ROOT).replaceAll("[^\\p{L}\\p{Nd}]", "");
        String kept = signs.isEmpty() ? number : signs;
        return kept.substring(0, Math.min(17, kept.length()));
    }

    /** Returns whether the last of eleven characters is the check digit of the ten before it (ISO 6346). */
    private static boolean checks(String number) {
        int total = 0;
        for (int place = 0; place < 10; place++) {
            char sign = number.charAt(place);
            total += (sign <= '9' ? sign - '0' : value(sign)) << place;
        }
        return total % 11 % 10 == number.charAt(10) - '0';
    }

    /** Returns the value of a letter: values begin with 10 for A and leave out the multiples of 11. */
    private static int value(char sign) {
        int value = 9;
        for (char each = 'A'; each <= sign; each++) {
            value++;
            if (value % 11 == 0) {
                value++;
            }
        }
        return value;
    }
}
