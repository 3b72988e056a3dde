package datongguan;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** The code tables and the rule table of the product. The benchmark writes them before it starts this program. */
final class Tables {
    private final Map<String, Set<String>> sets = new HashMap<>();
    private final Map<String, Map<String, BigDecimal>> numbers = new HashMap<>();
    private final Map<String, String> words = new HashMap<>();

    static Tables read(Path file) throws IOException {
        Tables tables = new Tables();
        JsonNode whole = new ObjectMapper().readTree(Files.readAllBytes(file));
        whole.fields().forEachRemaining(each -> {
            if (each.getValue().isArray()) {
                Set<String> members = new HashSet<>();
                each.getValue().forEach(member -> members.add(member.asText()));
                tables.sets.put(each.getKey(), members);
            } else if (each.getValue().isObject()) {
                Map<String, BigDecimal> row = new HashMap<>();
                each.getValue().fields().forEachRemaining(one -> row.put(one.getKey(), new BigDecimal(one.getValue().asText())));
                tables.numbers.put(each.getKey(), row);
            } else {
                tables.words.put(each.getKey(), each.getValue().asText());
            }
        });
        return tables;
    }

    boolean has(String table, String word) {
        return sets.get(table).contains(word);
    }

    Set<String> of(String table) {
        return sets.get(table);
    }

    BigDecimal number(String table, String word, BigDecimal otherwise) {
        return numbers.get(table).getOrDefault(word, otherwise);
    }

    String word(String name) {
        return words.get(name);
    }
}
