package datongguan;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.UUID;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** The code that the four desks share: for the state of a key, the headers of a fact, and its derived id. */
abstract class Desk implements Processor<byte[], byte[], byte[], byte[]> {
    static final ObjectMapper JSON = new ObjectMapper();
    private static final byte[] FACTS = bytes(UUID.fromString("0f7b8c0e-97a1-5d9b-8f9c-1b2a6f3d4e02"));

    private final String name;
    private final int partitions;
    private ProcessorContext<byte[], byte[]> context;
    private KeyValueStore<String, byte[]> store;
    private Record<byte[], byte[]> heard;
    private ObjectNode kept;
    private int index;
    private boolean dirty;
    protected String key;
    protected String at;

    Desk(String name, int partitions) {
        this.name = name;
        this.partitions = partitions;
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
        this.context = context;
        store = context.getStateStore(name + "-kept");
    }

    /** Decides one message of this kind with the state; calls `say` for each fact, and `changed` if the state has changed. */
    abstract void hear(String kind, JsonNode message, ObjectNode state) throws IOException;

    @Override
    public void process(Record<byte[], byte[]> record) {
        heard = record;
        key = new String(record.key(), UTF_8);
        at = Instant.now().toString();
        index = 0;
        dirty = false;
        try {
            byte[] known = store.get(key);
            kept = known == null ? JSON.createObjectNode() : (ObjectNode) JSON.readTree(known);
            hear(header("ce_type"), JSON.readTree(record.value()), kept);
            if (dirty) {
                store.put(key, JSON.writeValueAsBytes(kept));
            }
        } catch (IOException problem) {
            throw new UncheckedIOException(problem);
        }
    }

    protected void changed() {
        dirty = true;
    }

    protected void say(String kind, ObjectNode fact) throws IOException {
        say(kind, fact, key, name + "-says");
    }

    protected void say(String kind, ObjectNode fact, String under, String sink) throws IOException {
        String cause = header("ce_id");
        int sequence = kept.path("said").asInt() + 1;
        kept.put("said", sequence);
        changed();
        Headers told = new RecordHeaders();
        add(told, "ce_specversion", "1.0");
        add(told, "ce_id", factId(cause, index++));
        add(told, "ce_type", kind);
        add(told, "ce_source", "/desks/" + name);
        add(told, "ce_time", at);
        add(told, "ce_subject", under);
        add(told, "causationid", cause);
        add(told, "correlationid", header("correlationid"));
        add(told, "sequence", Integer.toString(sequence));
        add(told, "traceparent", header("traceparent"));
        context.forward(new Record<>(under.getBytes(UTF_8), JSON.writeValueAsBytes(fact), heard.timestamp(), told), sink);
    }

    /** Returns a new fact about the consignment of the present message, with the present time. */
    protected ObjectNode fact() {
        return JSON.createObjectNode().put("consignment_id", key).put("occurred_at", at);
    }

    /** Returns a number that is unique in the topic: offset * partitions + partition. */
    protected long serial() {
        return context.recordMetadata().map(m -> m.offset() * partitions + m.partition()).orElseThrow();
    }

    static BigDecimal decimal(JsonNode node) {
        return new BigDecimal(node.asText());
    }

    static String sha256(byte[] said) {
        return HexFormat.of().formatHex(digest("SHA-256", said));
    }

    static byte[] digest(String algorithm, byte[] said) {
        try {
            return MessageDigest.getInstance(algorithm).digest(said);
        } catch (NoSuchAlgorithmException problem) {
            throw new IllegalStateException(problem);
        }
    }

    private String header(String wanted) {
        Header found = heard.headers().lastHeader(wanted);
        return found == null ? "" : new String(found.value(), UTF_8);
    }

    private static void add(Headers told, String header, String value) {
        told.add(header, value.getBytes(UTF_8));
    }

    private String factId(String cause, int number) {
        byte[] words = (name + "/" + cause + "/" + number).getBytes(UTF_8);
        byte[] whole = new byte[FACTS.length + words.length];
        System.arraycopy(FACTS, 0, whole, 0, FACTS.length);
        System.arraycopy(words, 0, whole, FACTS.length, words.length);
        byte[] hash = digest("SHA-1", whole);
        hash[6] = (byte) (hash[6] & 0x0f | 0x50);
        hash[8] = (byte) (hash[8] & 0x3f | 0x80);
        String text = HexFormat.of().formatHex(hash, 0, 16);
        return text.substring(0, 8) + "-" + text.substring(8, 12) + "-" + text.substring(12, 16) + "-"
            + text.substring(16, 20) + "-" + text.substring(20);
    }

    private static byte[] bytes(UUID id) {
        return HexFormat.of().parseHex(id.toString().replace("-", ""));
    }
}
