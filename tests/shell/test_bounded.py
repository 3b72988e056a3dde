"""Does a desk park or refuse messages that exceed the bounds? Does it still accept messages that were stored before
there were bounds?"""

import json
import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest

from schemas.envelope import Message
from schemas.inspection import FindingsResult, RecordFindings
from schemas.vocabulary import ControlKind
from services.gate import decider as gate
from services.quarantine import decider as quarantine
from services.release import decider as release
from services.risk.decider import RiskDecider
from services.risk.keys import PUBLISHED
from services.shell.codec import Raw, encode, moment_of, sequence_of
from services.shell.desk import Decider, Desk
from services.shell.store import PartitionStore
from services.shell.turn import Turn
from tests.architecture.golden import EXAMPLES
from tests.declaration.good import BOX
from tests.facts import consignment_assessed, container_arrived, pest_intercepted
from tests.release.requests import arrival, lift_hold, place_hold
from tests.shell.parking import Memory
from tests.shell.test_turn import Worker, found, headers_of, kinds, order, raw
from tests.voice import CONSIGNMENT, NOON

WORST = "\0" * 180_000
"""A text that takes more than a megabyte as JSON. Without bounds, two desks would copy such a text into facts and
states."""
TOPICS = {
    "ConsignmentAssessed": "customs-risk-facts",
    "PestIntercepted": "customs-inspection-facts",
    "ReportArrival": "customs-release-requests",
    "PlaceHold": "customs-release-requests",
    "LiftHold": "customs-release-requests",
    "ContainerArrived": "customs-gate-departures",
    "ContainerHeld": "customs-release-containers",
    "ContainerFreed": "customs-release-containers",
    "DeclarationAccepted": "customs-declaration-facts",
}


def stored(message: Message, **changes: Any) -> Raw:
    """Returns the message with these fields, as an older software version may have written it."""
    value = json.dumps(json.loads(encode(message)) | changes).encode()
    key = str(changes.get("container_no", message.key)).encode()
    return raw(value, TOPICS[message.kind], key=key, headers={"ce_type": message.kind.encode()})


def turn_of(decider: Decider, name: str, *messages: Raw) -> Turn:
    """Returns the turn in which a desk without records decides these messages as one batch."""
    turn, store = Turn(Desk(name, decider), 1, NOON, timedelta(days=90), Memory()), PartitionStore()
    for message in messages:
        turn.handle(store, message)
    assert max([len(data or b"") for _, _, _, data in turn.encode_changes()], default=0) < 100_000
    return turn


@pytest.mark.parametrize("control", [ControlKind.INSPECTION, ControlKind.SAMPLING, ControlKind.DOCUMENTS])
def test_findings_with_a_pest_without_end_are_parked_and_the_other_goods_are_decided(control: ControlKind) -> None:
    findings = RecordFindings(
        consignment_id=CONSIGNMENT,
        asked_by="o1",
        occurred_at=NOON,
        control=control,
        result=FindingsResult.PEST,
        pest="beetle",
    )
    worst = encode(findings).replace(b"beetle", json.dumps(WORST)[1:-1].encode())
    other = "0b1e6f2c-6a53-5a41-9c5e-000000000000"
    good = encode(findings).replace(CONSIGNMENT.encode(), other.encode())
    ordered = encode(consignment_assessed(control))
    worker = Worker()
    turn = worker.turn(
        raw(ordered, "customs-risk-facts", headers={"ce_type": b"ConsignmentAssessed"}),
        raw(
            ordered.replace(CONSIGNMENT.encode(), other.encode()),
            "customs-risk-facts",
            key=other.encode(),
            headers={"ce_type": b"ConsignmentAssessed"},
        ),
        raw(worst, "customs-inspection-requests"),
        raw(good, "customs-inspection-requests", key=other.encode()),
    )
    assert turn.outcome.parked == {"contract": 1}
    assert kinds(turn) == ["InspectionOrdered", "InspectionOrdered", "MessageParked", "PestIntercepted"]


@pytest.mark.parametrize(
    ("text", "answer"), [("Anoplophora\tglabripennis", "TreatmentOrdered"), (WORST, "TreatmentReferred")]
)
def test_a_pest_that_was_stored_without_bounds_is_treated_or_asked_about_and_holds_the_goods(
    text: str, answer: str
) -> None:
    fact = stored(pest_intercepted(ControlKind.INSPECTION), pest=text)
    turn = turn_of(quarantine, "quarantine", fact)
    assert kinds(turn) == [answer] and len(turn.outcome.outputs[0].value or b"") < 2000
    turn = turn_of(release, "release", fact)
    assert kinds(turn) == ["ConsignmentHeld"] and len(turn.outcome.outputs[0].value or b"") < 5000


def test_an_arrival_whose_place_was_stored_without_bounds_is_recorded() -> None:
    turn = turn_of(release, "release", stored(consignment_assessed()), stored(container_arrived(), place=WORST))
    assert not turn.outcome.parked and "ArrivalRecorded" in kinds(turn)


def test_goods_whose_papers_were_stored_with_control_characters_are_assessed_released_and_leave() -> None:
    accepted = next(message for message in EXAMPLES if message.kind == "DeclarationAccepted")
    declaration = json.loads(encode(accepted))["declaration"]
    worn = declaration | {"bill_no": "COSU\t1", "conveyance_entry_date": "0001-01-01"}
    worn["containers"] = [{"container_no": "\x01\x02", "seal_no": "", "shared_by": 1}]
    turn = turn_of(RiskDecider(PUBLISHED), "risk", stored(accepted, declaration=worn))
    assert kinds(turn) == ["ConsignmentAssessed"]
    assert json.loads(turn.outcome.outputs[0].value or b"")["bill_no"] == "COSU 1"
    bound = [{"container_no": "\x01\x02", "shared_by": 1}, {"container_no": BOX, "shared_by": 1}]
    green = stored(consignment_assessed(), bill_no="COSU\t1", customs_office="42\x0001", containers=bound)
    turn = turn_of(release, "release", green, stored(arrival()))
    assert "ReleaseGranted" in kinds(turn) and kinds(turn).count("ContainerFreed") == 2
    keeper = next(message for message in EXAMPLES if message.kind == "ContainerHeld")
    freed = next(message for message in EXAMPLES if message.kind == "ContainerFreed")
    turn = turn_of(
        gate, "gate", stored(keeper, shared_by=1), stored(freed, shared_by=1), stored(keeper, version=9, reason="\0")
    )
    assert kinds(turn) == ["ContainerMayLeave", "ContainerMustStay"]


def test_a_hold_acts_however_its_words_are_written_and_can_be_lifted() -> None:
    holds = stored(place_hold(), reason="\0" * 500, occurred_at="0001-01-01T00:00:00Z", asked_by="o\t9")
    turn = turn_of(release, "release", stored(consignment_assessed()), stored(arrival()), holds)
    assert turn.outcome.parked == {} and "ReleaseRevoked" in kinds(turn)
    hold_id = f"officer/{holds.text('ce_id')}"
    turn = turn_of(
        release, "release", holds, stored(lift_hold(hold_id)), stored(lift_hold("officer/1"), hold_id="officer/\0")
    )
    assert turn.outcome.parked == {"contract": 1}
    assert [json.loads(o.value or b"")["holds"][-1]["hold_id"] for o in turn.outcome.outputs[:2]] == [
        hold_id,
        "arrival",
    ]


def test_a_clock_that_no_message_could_carry_ends_the_process_that_asks_for_the_time() -> None:
    anchor = {"DTG_CLOCK_ANCHOR": "2026-11-25T12:00:00Z", "DTG_CLOCK_START": "1970-01-02T00:00:00Z"}
    ask = [sys.executable, "-c", "from services.shell.clock import now; now()"]
    ended = subprocess.run(ask, check=False, env={**os.environ, **anchor}, capture_output=True, text=True, timeout=250)
    assert ended.returncode == 1 and "set it to a time in the years 2000 to 2100" in ended.stderr


@pytest.mark.parametrize("odd", [b"id\n1", b"\x80", "é".encode(), b"\x1b[2J"])
def test_ids_are_printable_ascii_and_other_headers_are_carried_on_only_if_they_are(odd: bytes) -> None:
    assert Worker().turn(order(), found(headers={"ce_id": odd})).outcome.parked == {"bad_header": 1}
    answer = found(headers={"correlationid": odd, "traceparent": odd})
    turn = Worker().turn(order(), answer)
    assert headers_of(turn.outcome.outputs[1])["correlationid"] == answer.text("ce_id")
    assert headers_of(turn.outcome.outputs[1])["traceparent"] == ""


def test_the_number_and_the_time_of_a_header_are_bounded() -> None:
    assert [sequence_of(header) for header in (None, b"", b"0", b"12", b"%d" % (2**63 - 1))] == [0, 0, 0, 12, 2**63 - 1]
    for header in (b"9" * 30, b"%d" % 2**63, b"-1", b"+1", b"1_0", b" 1", "１".encode(), b"x", b"9" * 5000):
        with pytest.raises(ValueError, match=r"is no number|invalid|bytes"):
            sequence_of(header)
    assert moment_of("2026-11-25T16:30:00.000001Z") > NOON
    for text in ("0001-01-01T00:00:00+23:59", "1999-12-31T23:59:59Z", "2101-01-01T00:00:00Z", "2026-11-25", "x" * 9999):
        with pytest.raises(ValueError, match=r"years|isoformat"):
            moment_of(text)
