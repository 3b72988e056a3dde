package datongguan;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;

/** When did each consignment pass each stage? Reads facts in any order and publishes none. */
final class Clearance extends Desk {
    private static final Map<String, String> STAGES = Map.of(
        "DeclarationAccepted", "accepted",
        "DeclarationRejected", "ended",
        "ConsignmentAssessed", "assessed",
        "ArrivalRecorded", "arrived",
        "ReleaseGranted", "released");

    Clearance(int partitions) {
        super("clearance", partitions);
    }

    @Override
    void hear(String kind, JsonNode message, ObjectNode state) {
        String stage = STAGES.get(kind);
        if (stage == null || state.has(stage)) {
            return;
        }
        state.set(stage, message.get("occurred_at"));
        JsonNode said = message.has("declaration") ? message.get("declaration") : message;
        if (said.has("customs_office")) {
            state.set("office", said.get("customs_office"));
            state.set("mode", said.get("transport_mode"));
        }
        if (kind.equals("ConsignmentAssessed")) {
            state.set("lane", message.get("lane"));
        }
        changed();
    }
}
