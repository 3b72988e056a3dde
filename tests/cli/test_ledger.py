"""Does the ledger find each fault? The tests change one thing at a time in a correct day."""

import json
from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta

import orjson
import pytest

from schemas.marks import Audience
from schemas.outside import to_outside
from schemas.topics import KINDS, PORT_FACTS, ROLES, is_for_ports
from services.cli.ledger import Ledger, judge
from services.cli.log import LoggedMessage
from tests.chaos.days import CONSIGNMENTS, lodged_again


def story_of(entries: list[LoggedMessage], *kinds: str) -> str:
    """Returns the first consignment that has a message of each of these kinds."""
    kinds_of = defaultdict(set)
    for entry in entries:
        kinds_of[entry.key].add(entry.kind)
    return next(key for key, known in kinds_of.items() if set(kinds) <= known)


def without(entries: list[LoggedMessage], key: str, *kinds: str) -> list[LoggedMessage]:
    return [e for e in entries if e.key != key or e.kind not in kinds]


def test_a_calm_day_is_clean_and_everybody_has_an_end(calm_entries: list[LoggedMessage]) -> None:
    ledger = judge(calm_entries)
    assert ledger.clean, (ledger.lost, ledger.doubled, ledger.reordered, ledger.wrongly_released)
    again = lodged_again(calm_entries)
    assert again > 0 and ledger.lodged == CONSIGNMENTS + again == sum(ledger.ends.values())
    assert set(ledger.ends) == {"released", "refused", "rejected", "withdrawn"}


def test_a_forged_yes_is_named(calm_entries: list[LoggedMessage]) -> None:
    """The forged fact looks like a fact of the gate desk, but its id is not made from its cause."""
    yes = next(e for e in calm_entries if e.kind == "ContainerMayLeave")
    own = replace(yes, headers=yes.headers | {"ce_id": "made-up", "sequence": "99"}, offset=10**6)
    ledger = judge([*calm_entries, own])
    assert not ledger.clean and any("ContainerMayLeave made-up" in line for line in ledger.forged)
    strange = replace(own, headers=own.headers | {"ce_source": "/somebody"})
    assert any("ContainerMayLeave made-up" in line for line in judge([*calm_entries, strange]).strangers)


def test_a_forged_fact_of_any_shape_ends_no_audit(calm_entries: list[LoggedMessage]) -> None:
    for number, fact in enumerate({entry.kind: entry for entry in calm_entries if entry.written_by_its_desk}.values()):
        # Only this consignment is judged. Judging the whole day each time would take a minute.
        story = [entry for entry in calm_entries if entry.key == fact.key]
        for value in (None, b"{}", b"[7]", b"{", b'{"version": "x", "holds": 3, "consignments": 5}'):
            wrong = replace(fact, value=value, offset=10**6, headers=fact.headers | {"ce_id": f"wrong-{number}"})
            ledger = judge([*story, wrong])
            assert any(f"wrong-{number}" in line for line in ledger.forged), (fact.kind, value)
        odd = replace(fact, offset=10**6, headers=fact.headers | {"ce_id": "odd", "sequence": "x" * 30})
        assert any(" odd " in line for line in judge([*story, odd]).forged), fact.kind


@pytest.mark.parametrize("levels", [300, 600, 900, 960])
def test_a_copy_that_is_nested_deeply_is_named_and_ends_no_audit(levels: int) -> None:
    value = b'{"a":' + b"[" * levels + b"]" * levels + b"}"
    headers = {"ce_id": "deep", "ce_type": "ReleaseGranted", "ce_source": "/desks/release"}
    lies = [LoggedMessage(topic, 0, 0, "k", headers, value) for topic in ("customs-release-facts", PORT_FACTS)]
    assert any("deep" in line for line in judge(lies[:1], copies=lies[1:]).forged)


def test_a_fact_of_many_parts_is_named_before_each_of_them_is_an_error() -> None:
    value = b'{"version": "x", "consignments": [' + b"1," * 200_000 + b"1]}"
    headers = {"ce_id": "many", "ce_type": "ReleaseGranted", "ce_source": "/desks/release", "sequence": "1"}
    ledger = judge([LoggedMessage("customs-release-facts", 0, 0, "k", headers, value)])
    assert any("many" in line and "100000 parts" in line for line in ledger.forged)


def test_an_unanswered_request_is_lost(calm_entries: list[LoggedMessage]) -> None:
    key = story_of(calm_entries, "DeclarationRejected")
    assert [key in line for line in judge(without(calm_entries, key, "DeclarationRejected")).lost] == [True, True]


def test_what_was_lodged_after_a_withdrawal_and_is_not_decided_is_lost(calm_entries: list[LoggedMessage]) -> None:
    again = next(e for e in calm_entries if e.kind == "DeclarationLodgedAgain")
    kinds = {e.kind for e in calm_entries if e.key == again.key}
    assert {"DeclarationAccepted", "ConsignmentAssessed", "ReleaseGranted"} <= kinds
    lost = judge(without(calm_entries, again.key, "DeclarationAccepted")).lost
    assert any(again.id in line for line in lost)


def test_an_accepted_declaration_without_assessment_is_lost(calm_entries: list[LoggedMessage]) -> None:
    key = story_of(calm_entries, "ConsignmentAssessed")
    assert any("never assessed" in line for line in judge(without(calm_entries, key, "ConsignmentAssessed")).lost)


def test_the_same_fact_twice_is_doubled(calm_entries: list[LoggedMessage]) -> None:
    fact = next(e for e in calm_entries if e.kind == "ReleaseGranted")
    assert fact.id in " ".join(judge([*calm_entries, replace(fact, offset=10**6)]).doubled)


def test_a_second_decision_under_another_id_is_doubled(calm_entries: list[LoggedMessage]) -> None:
    fact = next(e for e in calm_entries if e.kind == "DeclarationAccepted")
    other = replace(fact, headers=fact.headers | {"ce_id": "another"})
    assert any("DeclarationAccepted 2 times" in line for line in judge([*calm_entries, other]).doubled)


def test_arrivals_of_different_boxes_are_several_and_of_one_box_twice_are_doubled(
    calm_entries: list[LoggedMessage],
) -> None:
    fact = next(e for e in calm_entries if e.kind == "ArrivalRecorded" and e.body["containers"])
    box = fact.body["containers"][0].encode()
    again = replace(fact, headers=fact.headers | {"ce_id": "another"})
    other = replace(again, value=(again.value or b"").replace(box, b"CSQU3054383"))
    assert any("ArrivalRecorded of" in line for line in judge([*calm_entries, again]).doubled)
    assert not any("ArrivalRecorded of" in line for line in judge([*calm_entries, other]).doubled)


def test_an_arrival_that_was_taken_back_may_be_told_again(calm_entries: list[LoggedMessage]) -> None:
    fact = next(e for e in calm_entries if e.kind == "ArrivalRecorded")
    again = replace(fact, headers=fact.headers | {"ce_id": "another", "causationid": "another report"})
    back = {
        "wrong": fact.headers["causationid"],
        "reason": "x",
        "retracted_by": "c",
        "occurred_at": "2026-11-25T08:00:00Z",
    }
    value = json.dumps({"consignment_id": fact.key, **back}).encode()
    taken = replace(fact, value=value, headers=fact.headers | {"ce_id": "third", "ce_type": "ArrivalRetracted"})
    assert any("ArrivalRecorded of" in line for line in judge([*calm_entries, again]).doubled)
    assert not any("ArrivalRecorded of" in line for line in judge([*calm_entries, taken, again]).doubled)


def test_swapped_facts_are_reordered(calm_entries: list[LoggedMessage]) -> None:
    key = story_of(calm_entries, "ConsignmentHeld", "ReleaseGranted")
    positions = [i for i, e in enumerate(calm_entries) if e.key == key and e.topic == "customs-release-facts"]
    swapped = list(calm_entries)
    swapped[positions[0]], swapped[positions[-1]] = swapped[positions[-1]], swapped[positions[0]]
    assert any(key in line for line in judge(swapped).reordered)


def wrongly(entries: list[LoggedMessage]) -> list[str]:
    ledger: Ledger = judge(entries)
    return ledger.wrongly_released


def test_a_release_with_an_unanswered_control_is_found(calm_entries: list[LoggedMessage]) -> None:
    key = story_of(calm_entries, "InspectionPassed", "ReleaseGranted")
    assert any(key in line for line in wrongly(without(calm_entries, key, "InspectionPassed")))


def test_a_release_of_untreated_goods_is_found(calm_entries: list[LoggedMessage]) -> None:
    key = story_of(calm_entries, "TreatmentVerified", "ReleaseGranted")
    assert any(key in line for line in wrongly(without(calm_entries, key, "TreatmentVerified")))


def test_a_release_of_goods_that_an_officer_let_pass_untreated_is_right_and_without_the_officer_is_found(
    calm_entries: list[LoggedMessage],
) -> None:
    key = story_of(calm_entries, "TreatmentReferred", "TreatmentWaived", "ReleaseGranted")
    assert judge(calm_entries).clean
    assert any(key in line for line in wrongly(without(calm_entries, key, "TreatmentWaived")))


def test_the_calm_day_reports_no_treatment_before_its_hours_have_passed(calm_entries: list[LoggedMessage]) -> None:
    records = [e for e in calm_entries if e.kind == "RecordTreatment"]
    assert {e.body["method"] for e in records} == {"HT", "MB"}
    answered = {e.headers["causationid"]: e for e in calm_entries if e.kind in ("TreatmentVerified", "TreatmentFailed")}
    for record in records:
        began = datetime.fromisoformat(record.body["started_at"])
        last = max(float(reading["hours"]) for reading in record.body["readings"])
        judged = datetime.fromisoformat(answered[record.id].body["occurred_at"])
        assert judged >= began + timedelta(hours=last)


def test_a_release_before_arrival_or_assessment_is_found(calm_entries: list[LoggedMessage]) -> None:
    key = story_of(calm_entries, "ReleaseGranted")
    assert any("before arrival" in line for line in wrongly(without(calm_entries, key, "ArrivalRecorded")))
    assert any("without assessment" in line for line in wrongly(without(calm_entries, key, "ConsignmentAssessed")))


def with_body(entry: LoggedMessage, **fields: object) -> LoggedMessage:
    return replace(entry, value=json.dumps({**entry.body, **fields}).encode())


def test_a_release_of_a_container_that_has_not_arrived_is_found(calm_entries: list[LoggedMessage]) -> None:
    granted = next(e for e in calm_entries if e.kind == "ReleaseGranted" and e.body["containers"])
    box = granted.body["containers"][0]

    def arrived(*containers: str) -> list[str]:
        log = [
            with_body(e, containers=containers) if e.kind == "ArrivalRecorded" and e.key == granted.key else e
            for e in calm_entries
        ]
        return [line for line in wrongly(log) if granted.key in line]

    assert arrived(*granted.body["containers"]) == [] and arrived() == []
    assert [line for line in arrived("TGHU1234567") if "before arrival" in line and box in line]


def test_what_is_released_in_part_has_no_end_yet(calm_entries: list[LoggedMessage]) -> None:
    last = [e for e in calm_entries if e.kind == "ReleaseGranted"][-1]
    hold = {"hold_id": "arrival", "owner": "carrier", "reason": "1 of 2", "since": "2026-11-23T12:00:00Z"}
    part = with_body(last, holds=[{**hold, "lifted_by": "ArrivalRecorded"}])
    before, after = judge(calm_entries), judge([part if e is last else e for e in calm_entries])
    assert after.ends["released"] == before.ends["released"] - 1 and after.ends["waiting"] == before.ends["waiting"] + 1
    assert after.waits["carrier: arrival"] == before.waits["carrier: arrival"] + 1


def test_a_release_after_the_goods_had_left_without_one_is_found(calm_entries: list[LoggedMessage]) -> None:
    out = next(e for e in calm_entries if e.kind == "ConsignmentGatedOut")
    left = [
        with_body(e, released=False) if e.kind == "ConsignmentGatedOut" and e.key == out.key else e
        for e in calm_entries
    ]
    ledger = judge(left)
    assert [line for line in ledger.wrongly_released if out.key in line and "left without release" in line]
    assert ledger.ends["left unreleased"] == 1


def test_a_release_after_a_failed_control_is_found(calm_entries: list[LoggedMessage]) -> None:
    released, failed = story_of(calm_entries, "ReleaseGranted"), story_of(calm_entries, "InspectionFailed")
    planted = [replace(e, key=released) for e in calm_entries if e.key == failed and e.kind == "InspectionFailed"]
    assert any("after a failed control" in line for line in wrongly([*planted, *calm_entries]))


def test_an_unanswered_hold_and_an_unanswered_paper_after_a_rejection_are_lost(
    calm_entries: list[LoggedMessage],
) -> None:
    for kind in ("LiftHold", "LodgeDeclaration"):
        rejected = story_of(calm_entries, "DeclarationRejected")
        one = next(e for e in calm_entries if e.kind == kind and (kind == "LiftHold" or e.key == rejected))
        named = {"ce_id": "nobody answered", "ce_type": kind.replace("Lift", "Place")}
        ledger = judge([*calm_entries, replace(one, headers=one.headers | named, offset=10**6)])
        assert [line for line in ledger.lost if "nobody answered" in line], kind


def planted(entry: LoggedMessage, kind: str, **fields: object) -> LoggedMessage:
    """Returns a fact of this kind, with an id of its own, of the same desk and about the same consignment as
    `entry`."""
    body = {name: value for name, value in entry.body.items() if name in ("consignment_id", "occurred_at", "control")}
    changed = {**body, **fields}
    return replace(
        entry, value=orjson.dumps(changed), headers=entry.headers | {"ce_type": kind, "ce_id": f"{kind} {changed}"}
    )


def test_a_release_after_findings_were_taken_back_is_found_and_after_the_right_answer_it_is_right(
    calm_entries: list[LoggedMessage],
) -> None:
    released = {e.key for e in calm_entries if e.kind == "ReleaseGranted"}
    looked = next(e for e in calm_entries if e.kind == "InspectionPassed" and e.key in released)
    wrong = {"wrong": "r1", "officer": "o2", "reason": "x", "due": looked.body["occurred_at"]}
    retracted = planted(looked, "FindingsRetracted", **wrong, revision=1)
    failed = planted(looked, "InspectionFailed", officer="o1", reason="x", revision=0)
    right = planted(looked, "InspectionPassed", officer="o2", remarks="", revision=2)
    assert not [line for line in wrongly(calm_entries) if looked.key in line]
    assert [line for line in wrongly([*calm_entries, retracted]) if looked.key in line and "taken back" in line]
    assert not [line for line in wrongly([*calm_entries, failed, retracted, right]) if looked.key in line]
    again = planted(looked, "InspectionFailed", officer="o1", reason="x", revision=3)
    assert [line for line in wrongly([*calm_entries, retracted, right, again]) if looked.key in line]


def copies_of(entries: list[LoggedMessage]) -> list[LoggedMessage]:
    """Returns the copies of these facts that the desks' loops would have written to the topic for ports."""
    facts = [
        (e, KINDS[e.kind].read_stored(e.value or b"")) for e in entries if e.written_by_its_desk and e.kind in KINDS
    ]
    return [
        replace(e, topic=PORT_FACTS, value=to_outside(fact, Audience.PORT))
        for e, fact in facts
        if ROLES[e.topic] == "facts" and is_for_ports(e.desk, fact)
    ]


def test_copies_for_ports_that_are_right_add_nothing_and_wrong_ones_are_named(
    calm_entries: list[LoggedMessage],
) -> None:
    copies = copies_of(calm_entries)
    whole_day = judge(calm_entries, copies=copies, from_the_first=True)
    assert whole_day.clean and whole_day.copies == len(copies), whole_day.faults
    granted = next(e for e in copies if e.kind == "ReleaseGranted")

    def named(*wrong: LoggedMessage) -> str:
        ledger = judge(calm_entries, copies=[*copies, *wrong])
        assert not ledger.clean
        return "; ".join([*ledger.forged, *ledger.doubled])

    assert "copy of no fact" in named(replace(granted, headers=granted.headers | {"ce_id": "made-up"}))
    assert "copy of no fact" in named(replace(granted, headers=granted.headers | {"ce_source": "/desks/gate"}))
    assert f"{granted.id} at {PORT_FACTS}" in named(replace(granted, offset=10**6)), "twice"
    rest = [e for e in copies if e is not granted]
    for changed, problem in (({"version": 99}, "says other"), ({"added": 1}, "says other")):
        ledger = judge(calm_entries, copies=[*rest, with_body(granted, **changed)])
        assert problem in "; ".join(ledger.forged)
    whole = next(e for e in calm_entries if e.id == granted.id)
    assert "tells ports lane, answers" in "; ".join(
        judge(calm_entries, copies=[replace(granted, value=whole.value)]).forged
    )
