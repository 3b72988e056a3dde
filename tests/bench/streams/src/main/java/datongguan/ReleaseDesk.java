package datongguan;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;

/** May these goods go? Joins assessment and arrival. Goods with controls stay held, as in the reduced flow. */
final class ReleaseDesk extends Desk {
    private static final String[] TERMS = {
        "declaration_no", "direction", "customs_office", "transport_mode", "bill_no", "containers", "lane", "controls"
    };

    ReleaseDesk(int partitions) {
        super("release", partitions);
    }

    @Override
    void hear(String kind, JsonNode message, ObjectNode state) throws IOException {
        if (kind.equals("ConsignmentAssessed") && !state.has("terms")) {
            ObjectNode terms = state.putObject("terms");
            for (String name : TERMS) {
                terms.set(name, message.get(name));
            }
            changed();
            settle(state);
        } else if (kind.equals("ReportArrival") && !state.has("arrived_at")) {
            state.put("arrived_at", at);
            ObjectNode fact = fact();
            fact.set("place", message.get("place"));
            fact.set("reported_by", message.get("asked_by"));
            say("ArrivalRecorded", fact);
            settle(state);
        }
    }

    private void settle(ObjectNode state) throws IOException {
        if (state.path("state").asText().equals("released")) {
            return;
        }
        ArrayNode holds = holds(state);
        if (holds.isEmpty()) {
            release(state);
            return;
        }
        ArrayNode stated = state.withArray("stated");
        boolean same = holds.size() == stated.size();
        for (int place = 0; same && place < holds.size(); place++) {
            same = holds.get(place).get("hold_id").equals(stated.get(place).get("hold_id"));
        }
        if (same) {
            return;
        }
        int version = version(state);
        state.set("stated", holds);
        ObjectNode fact = fact().put("version", version);
        fact.set("holds", holds);
        say("ConsignmentHeld", fact);
        if (state.has("terms") && !state.has("told")) {
            state.put("told", true);
            containers(state, "ContainerHeld", version);
        }
    }

    private void release(ObjectNode state) throws IOException {
        int version = version(state);
        state.put("state", "released").remove("stated");
        ObjectNode fact = fact().put("version", version);
        JsonNode terms = state.get("terms");
        for (String name : TERMS) {
            if (!name.equals("controls") && !name.equals("containers")) {
                fact.set(name, terms.get(name));
            }
        }
        ArrayNode boxes = fact.putArray("containers");
        terms.get("containers").forEach(box -> boxes.add(box.get("container_no")));
        fact.set("arrived_at", state.get("arrived_at"));
        fact.putObject("answers");
        say("ReleaseGranted", fact);
        containers(state, "ContainerFreed", version);
    }

    private ArrayNode holds(ObjectNode state) {
        ArrayNode holds = JSON.createArrayNode();
        if (!state.has("terms")) {
            hold(holds, state, "assessment", "risk", "not assessed yet", "ConsignmentAssessed");
        }
        if (!state.has("arrived_at")) {
            hold(holds, state, "arrival", "carrier", "the goods have not arrived", "ArrivalRecorded");
        }
        for (JsonNode control : state.path("terms").path("controls")) {
            if (control.asText().equals("quarantine")) {
                hold(holds, state, "quarantine/risk", "quarantine", "treatment required", "TreatmentVerified");
            } else {
                String name = control.asText();
                hold(holds, state, "inspection/" + name, "inspection", name + " control required", "InspectionPassed");
            }
        }
        return holds;
    }

    private void hold(ArrayNode holds, ObjectNode state, String id, String owner, String reason, String lifted) {
        String since = at;
        for (JsonNode stated : state.path("stated")) {
            since = stated.get("hold_id").asText().equals(id) ? stated.get("since").asText() : since;
        }
        holds.addObject().put("hold_id", id).put("owner", owner).put("reason", reason).put("since", since).put("lifted_by", lifted);
    }

    private static int version(ObjectNode state) {
        int version = state.path("version").asInt() + 1;
        state.put("version", version);
        return version;
    }

    private void containers(ObjectNode state, String kind, int version) throws IOException {
        for (JsonNode box : state.get("terms").get("containers")) {
            ObjectNode fact = fact().put("container_no", box.get("container_no").asText()).put("version", version);
            fact.set("shared_by", box.get("shared_by"));
            if (kind.equals("ContainerFreed")) {
                fact.put("released", true);
            } else {
                fact.put("reason", "not released yet");
            }
            say(kind, fact, box.get("container_no").asText(), "release-tells-the-gate");
        }
    }
}
