package datongguan;

import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.state.Stores;

/**
 * The reduced flow on Kafka Streams, exactly once: four desks in one topology, connected by the same topics as the product's.
 * A topic is read once for all desks that need it, which is the usual and the cheapest way in Kafka Streams.
 */
public final class Streams {
    private static final int THREADS = 2;
    private static final String[] SOURCES = {
        "customs-declaration-requests", "customs-declaration-facts", "customs-risk-facts", "customs-release-requests",
        "customs-release-facts"
    };

    private Streams() {}

    public static void main(String[] arguments) throws Exception {
        Tables tables = Tables.read(Path.of(arguments[3]));
        int partitions = Integer.parseInt(arguments[1]);
        Topology topology = new Topology();
        for (String topic : SOURCES) {
            topology.addSource(topic, topic);
        }
        add(topology, "declaration", () -> new DeclarationDesk(tables, partitions), "customs-declaration-requests");
        add(topology, "risk", () -> new RiskDesk(tables, partitions), "customs-declaration-facts");
        add(topology, "release", () -> new ReleaseDesk(partitions), "customs-risk-facts", "customs-release-requests");
        add(topology, "clearance", () -> new Clearance(partitions),
            "customs-declaration-facts", "customs-risk-facts", "customs-release-facts");
        KafkaStreams streams = new KafkaStreams(topology, settings(arguments[0], arguments[2]));
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
    }

    private static void add(Topology topology, String desk, ProcessorSupplier<byte[], byte[], byte[], byte[]> made, String... heard) {
        topology.addProcessor(desk, made, heard);
        topology.addStateStore(
            Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(desk + "-kept"), Serdes.String(), Serdes.ByteArray())
                .withLoggingEnabled(Map.of()),
            desk);
        if (!desk.equals("clearance")) {
            topology.addSink(desk + "-says", "customs-" + desk + "-facts", desk);
        }
        if (desk.equals("release")) {
            topology.addSink("release-tells-the-gate", "customs-release-containers", desk);
        }
    }

    private static Properties settings(String bootstrap, String folder) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "peer-streams");
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, THREADS);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
        settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, folder);
        settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        settings.put(StreamsConfig.producerPrefix("linger.ms"), 5);
        settings.put(StreamsConfig.producerPrefix("batch.size"), 262_144);
        settings.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
        settings.put(StreamsConfig.consumerPrefix("fetch.max.wait.ms"), 20);
        return settings;
    }
}
