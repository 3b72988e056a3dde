package datongguan;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Which lane, which controls? The rules are those of services/risk/rules.py, and the draw uses the published key. */
final class RiskDesk extends Desk {
    private static final List<String> CONTROLS = List.of("documents", "inspection", "sampling", "quarantine");

    private final Tables tables;
    private final BigDecimal dear;
    private final BigDecimal cheap;
    private final byte[] drawKey;
    private ArrayNode rules;
    private Set<String> wanted;

    RiskDesk(Tables tables, int partitions) {
        super("risk", partitions);
        this.tables = tables;
        dear = new BigDecimal(tables.word("dear_usd_per_kg"));
        cheap = new BigDecimal(tables.word("cheap_usd_per_kg"));
        drawKey = HexFormat.of().parseHex(tables.word("draw_key"));
    }

    @Override
    void hear(String kind, JsonNode message, ObjectNode state) throws IOException {
        if (!kind.equals("DeclarationAccepted") || state.has("state")) {
            return;
        }
        JsonNode said = message.get("declaration");
        String grade = grade(said.get("consignee").asText());
        rules = JSON.createArrayNode();
        wanted = new TreeSet<>();
        fire(said, message.path("warnings"), grade);
        BigDecimal value = draw(said);
        BigDecimal rate = tables.number("rates", grade, BigDecimal.ZERO);
        boolean selected = value.compareTo(rate) < 0;
        if (selected) {
            wanted.add("inspection");
        }
        ObjectNode fact = fact();
        fact.set("declaration_no", message.get("declaration_no"));
        for (String name : new String[] {"direction", "customs_office", "transport_mode", "bill_no"}) {
            fact.set(name, said.get(name));
        }
        ArrayNode boxes = fact.putArray("containers");
        for (JsonNode box : said.get("containers")) {
            boxes.addObject().put("container_no", box.get("container_no").asText()).put("shared_by", box.get("shared_by").asInt());
        }
        boolean papers = wanted.equals(Set.of("documents"));
        fact.put("lane", wanted.isEmpty() ? "green" : papers ? "yellow" : "red");
        ArrayNode controls = fact.putArray("controls");
        CONTROLS.stream().filter(wanted::contains).forEach(controls::add);
        fact.put("credit_grade", grade).put("rule_set", tables.word("rule_set"));
        fact.set("rules", rules);
        fact.putObject("draw").put("value", value.toPlainString()).put("rate", rate.toPlainString()).put("selected", selected)
            .put("key_id", tables.word("draw_key_id"));
        state.put("state", "assessed");
        say("ConsignmentAssessed", fact);
    }

    private void fire(JsonNode said, JsonNode warnings, String grade) {
        Set<String> headings = new TreeSet<>();
        Set<String> chapters = new TreeSet<>();
        Set<String> origins = new TreeSet<>();
        for (JsonNode item : said.get("items")) {
            String code = item.get("hs_code").asText();
            headings.add(code.substring(0, 4));
            chapters.add(code.substring(0, 2));
            origins.add(item.get("origin_country").asText());
        }
        boolean wood = said.get("wood_packaging").asBoolean() || tables.has("solid_wood_kinds", said.get("package_kind").asText());
        Set<String> codes = new TreeSet<>();
        warnings.forEach(warning -> codes.add(warning.get("code").asText()));
        boolean imports = said.get("direction").asText().equals("I");
        String from = said.get("departure_country").asText();
        when(meets("live_chapters", chapters) || meets("live_headings", headings), "live_goods", headings, "inspection", "quarantine");
        when(meets("plant_chapters", chapters), "plants_and_wood", chapters, "inspection");
        when(wood && imports && (tables.has("wood_pest_countries", from) || meets("wood_pest_countries", origins)),
            "wood_packaging", from, "inspection");
        when(meets("food_chapters", chapters), "meat_and_dairy", chapters, "sampling");
        when(meets("fish_chapters", chapters), "fish", chapters, "sampling");
        when(meets("chemical_chapters", chapters), "dangerous_chemicals", chapters, "inspection");
        when(imports && meets("waste_headings", headings), "imported_waste", headings, "inspection");
        when(meets("dual_use_headings", headings), "dual_use_and_precision", headings, "sampling");
        when(oddPrice(said), "odd_price_per_kg", "price", "documents");
        when(unmeasured(said), "no_yardstick", "currency", "documents");
        when(codes.contains("trade_mode_unlisted"), "unlisted_trade_mode", "trade mode", "documents");
        when(free(said), "free_of_charge", "price", "documents");
        when(imports && detour(said, from), "detoured_clothing", from, "documents");
        when(meets("contradictions", codes), "contradicting_fields", codes, "documents");
        when(grade.equals("seriously_discredited"), "seriously_discredited", grade, "documents", "inspection");
    }

    private void when(boolean fires, String rule, Object seen, String... controls) {
        if (fires) {
            ObjectNode row = rules.addObject().put("rule", rule).put("seen", seen.toString());
            Arrays.stream(controls).forEach(row.putArray("controls")::add);
            Collections.addAll(wanted, controls);
        }
    }

    private boolean meets(String table, Set<String> codes) {
        return !Collections.disjoint(tables.of(table), codes);
    }

    private boolean oddPrice(JsonNode said) {
        for (JsonNode item : said.get("items")) {
            BigDecimal net = decimal(item.get("net_mass_kg"));
            BigDecimal price = decimal(item.get("total_price"));
            BigDecimal worth = tables.number("usd_per_unit", item.get("currency").asText(), null);
            if (worth == null || net.signum() <= 0 || price.signum() <= 0) {
                continue;
            }
            BigDecimal perKilogram = price.multiply(worth).divide(net, MathContext.DECIMAL64);
            boolean bulk = tables.has("bulk_chapters", item.get("hs_code").asText().substring(0, 2));
            if (perKilogram.compareTo(dear) > 0 || perKilogram.compareTo(cheap) < 0 && !bulk) {
                return true;
            }
        }
        return false;
    }

    private boolean unmeasured(JsonNode said) {
        for (JsonNode item : said.get("items")) {
            if (tables.number("usd_per_unit", item.get("currency").asText(), null) == null) {
                return true;
            }
        }
        return false;
    }

    private static boolean free(JsonNode said) {
        for (JsonNode item : said.get("items")) {
            if (decimal(item.get("total_price")).signum() == 0) {
                return true;
            }
        }
        return decimal(said.get("invoice_total")).signum() == 0;
    }

    private boolean detour(JsonNode said, String from) {
        for (JsonNode item : said.get("items")) {
            boolean clothing = tables.has("clothing_chapters", item.get("hs_code").asText().substring(0, 2));
            if (clothing && !item.get("origin_country").asText().equals(from)) {
                return true;
            }
        }
        return false;
    }

    private static String grade(String uscc) {
        int bucket = first("credit-grade/" + uscc).mod(BigInteger.valueOf(1000)).intValue();
        return bucket < 40 ? "advanced_certified" : bucket < 120 ? "certified" : bucket < 995 ? "regular"
            : bucket < 999 ? "discredited" : "seriously_discredited";
    }

    private BigDecimal draw(JsonNode said) {
        List<String> boxes = new ArrayList<>();
        said.get("containers").forEach(box -> boxes.add(box.get("container_no").asText()));
        JsonNode entry = said.path("conveyance_entry_date");
        String day = entry.isTextual() ? entry.asText() : LocalDate.now(ZoneOffset.ofHours(8)).toString();
        return InspectionDraw.value(drawKey, InspectionDraw.lot(said.get("direction").asText(), said.get("bill_no").asText(),
            said.get("consignee").asText(), said.get("conveyance").asText(), day, boxes));
    }

    private static BigInteger first(String words) {
        return new BigInteger(1, Arrays.copyOf(digest("SHA-256", words.getBytes(UTF_8)), 8));
    }
}
