"""Does a port's yes end with its visit, and does a partial release let out only the containers that it lists?"""

import json
import re
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.envelope import Fact, fact_id
from schemas.gate import (
    ContainerGatedOut,
    ContainerMayLeave,
    ContainerMustStay,
    EquipmentEventRecorded,
    GateAlarmRaised,
    RecordEquipmentEvent,
    RetractEquipmentEvent,
    VisitClosed,
    VisitOpened,
)
from schemas.marks import Audience
from schemas.outside import to_outside
from schemas.release import Hold, ReleaseGranted, ReportArrival
from schemas.topics import PORT_FORMS
from schemas.vocabulary import Classifier, Direction, EquipmentEvent, Lane, Owner
from services.ports.notebook import AFTERWARDS, Notebook, PortAnswer, TopicEntry
from services.ports.notice import TOPIC, from_topic
from services.shell.codec import Raw, encode
from tests.console.border import NOON
from tests.ports.gatehouse import Gatehouse

GOODS, BOX, OTHER = "969933d5-ca49-5369-8778-4408be916a00", "MSKU9070323", "CSQU3054383"
HOLD = Hold(hold_id="arrival", owner=Owner.CARRIER, reason="not arrived yet", since=NOON, lifted_by="ReportArrival")
GATE: dict[str, Any] = {"container_no": BOX, "occurred_at": NOON}


def granted(version: int, *boxes: str, **changed: Any) -> ReleaseGranted:
    fields: dict[str, Any] = {
        "consignment_id": GOODS,
        "occurred_at": NOON,
        "version": version,
        "declaration_no": "422720261000000001",
        "direction": Direction.IMPORT,
        "customs_office": "4227",
        "transport_mode": "2",
        "bill_no": "COSU6282910",
        "containers": boxes,
        "lane": Lane.GREEN,
        "arrived_at": NOON,
        "answers": {},
    }
    return ReleaseGranted(**{**fields, **changed})


def may_leave(version: int, visit: str = "") -> ContainerMayLeave:
    return ContainerMayLeave(**GATE, version=version, consignments=(GOODS,), visit=visit)


def gated_out(visit: str = "") -> ContainerGatedOut:
    return ContainerGatedOut(**GATE, gate="G3", consignments=(GOODS,), visit=visit, report_id="r-1" if visit else "")


def alarm(name: str, *, blocks: bool) -> GateAlarmRaised:
    fields = {**GATE, "gate": "G3", "waiting_for": (GOODS,), "reason": "not released"}
    return GateAlarmRaised(**fields, alarm=name, visit="v-1", report_id="r-1", blocks=blocks)


def closed(how: str) -> VisitClosed:
    return VisitClosed(**GATE, visit="v-1", how=how, consignments=(GOODS,))


class Wire:
    """A topic for ports in memory, with facts of the release desk and the gate desk in the order in which the test
    gives them."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook, self.house, self.count = notebook, Gatehouse(notebook), 0

    def says(self, *facts: Fact) -> "Wire":
        for fact in facts:
            self.count += 1
            desk = "release" if fact.kind.startswith("Release") else "gate"
            headers = {
                "ce_type": fact.kind,
                "ce_id": fact_id(desk, f"cause-{self.count}", 0),
                "ce_source": f"/desks/{desk}",
                "causationid": f"cause-{self.count}",
                "sequence": str(self.count),
            }
            encoded = {name: text.encode() for name, text in headers.items()}
            value = to_outside(fact, Audience.PORT) if fact.kind in PORT_FORMS else encode(fact)
            raw = Raw(TOPIC, 0, self.count, fact.key.encode(), value, encoded)
            self.notebook.take(TOPIC, [TopicEntry(0, self.count, self.count + 1, from_topic(raw, 1))], self.house)
        return self

    def answer(self, box: str = BOX) -> tuple[bool, str]:
        answer = self.notebook.ask(box)
        return answer.may_leave, answer.reason


@pytest.fixture
def port(notebook: Notebook) -> Wire:
    return Wire(notebook)


ENDS: dict[str, tuple[Fact, str]] = {
    "left": (gated_out("v-1"), "left"),
    "left, said by an older software version": (gated_out(), "left"),
    "loaded": (closed("loaded"), "closed"),
    "left empty": (closed("left_empty"), "closed"),
    "an officer found it outside": (closed("finding"), "closed"),
    "came back without a departure": (closed("departure_not_reported"), "closed"),
    "an alarm that blocks": (alarm("left_unreleased", blocks=True), "alarm"),
    "an alarm that does not": (alarm("held_outside", blocks=False), "alarm"),
}


@pytest.mark.parametrize("name", ENDS)
def test_the_end_of_a_visit_ends_its_yes_until_a_newer_one(port: Wire, name: str) -> None:
    end, reason = ENDS[name]
    assert port.says(granted(1, BOX), may_leave(1, "v-1")).answer() == (True, "released")
    assert port.says(end).answer() == (False, reason)
    assert port.says(may_leave(1, "v-1")).answer() == (False, reason), "the old yes, said again, is none"
    assert port.says(may_leave(2, "v-2")).answer() == (True, "released")
    assert port.says(ContainerMustStay(**GATE, version=3, waiting_for=(GOODS,), reason="held")).answer()[1] == "held"


def test_what_a_container_waits_for_is_in_the_detail_of_a_no_and_takes_the_place_of_an_alarm_that_is_over(
    port: Wire,
) -> None:
    assert port.says(alarm("left_unreleased", blocks=True)).answer() == (False, "alarm")
    count = ContainerMustStay(**GATE, version=1, waiting_for=(GOODS,), reason="count", code="to_be_counted")
    port.says(count)
    assert port.notebook.ask(BOX) == PortAnswer(False, "held", "to_be_counted")


def test_goods_that_an_officer_permits_to_leave_need_no_release(port: Wire) -> None:
    """Such goods are, for example, a cancelled export, or refused goods that are returned or destroyed."""
    by_permit = may_leave(1).model_copy(update={"permitted": (GOODS,)})
    assert port.says(by_permit).answer() == (True, "released")
    assert port.says(may_leave(2)).answer() == (False, "not_released"), "the permit is over"


def test_only_the_boxes_that_a_partial_release_lists_may_leave(port: Wire) -> None:
    partial = granted(1, BOX, holds=(HOLD,))
    other_yes = may_leave(1).model_copy(update={"container_no": OTHER})
    port.says(partial, may_leave(1), other_yes)
    assert port.answer() == (True, "released"), "holds on the rest do not keep this box"
    assert port.answer(OTHER) == (False, "not_released")
    assert port.says(granted(2, BOX, OTHER)).answer(OTHER) == (True, "released")
    assert port.says(granted(3, OTHER, holds=(HOLD,))).answer() == (False, "not_released"), (
        "the newest list is the whole"
    )
    assert port.answer(OTHER) == (True, "released")
    assert [n.others for n in port.house.heard_of if n.kind == "ReleaseGranted"] == [(BOX,), (BOX, OTHER), (OTHER,)]


def test_what_only_tells_of_a_visit_changes_no_answer(port: Wire) -> None:
    recorded = EquipmentEventRecorded(
        **GATE,
        report_id="r-1",
        event=EquipmentEvent.DISCHARGED,
        classifier=Classifier.ESTIMATED,
        place="Qianwan",
        laden=True,
        conveyance="",
        bill="",
        to="",
        replaces="",
        retells="",
        visit="",
        reported_by="terminal-qqct",
    )
    opened = VisitOpened(**GATE, visit="v-1", place="Qianwan", conveyance="", laden=True)
    assert port.says(granted(1, BOX), may_leave(1), recorded, opened).answer() == (True, "released")
    assert [n.kind for n in port.house.heard_of] == ["ReleaseGranted", "ContainerMayLeave"]
    assert not port.house.unread_messages


def test_a_notebook_read_again_ends_the_yes_again(port: Wire) -> None:
    """The topics may have been made anew. The same facts in the same order give the same answer, and nothing is done
    twice."""
    story = [granted(1, BOX), may_leave(1, "v-1"), closed("left_empty")]
    assert port.says(*story).answer() == (False, "closed")
    port.notebook.begin(TOPIC, "another")
    assert port.answer() == (False, "unknown")
    port.count = 0
    assert port.says(*story).answer() == (False, "closed")
    assert len(port.house.heard_of) == 2


def test_an_unreadable_end_of_a_visit_keeps_the_box(port: Wire, tmp_path: Path) -> None:
    """A later version may write `VisitClosed` with other fields, and a fact that cannot be read must not lead to a
    yes."""
    port.says(granted(1, BOX), may_leave(1, "v-1"))
    cause = {
        "ce_source": b"/desks/gate",
        "causationid": b"x",
        "sequence": b"9",
        "ce_id": fact_id("gate", "x", 0).encode(),
    }
    raw = Raw(
        TOPIC,
        0,
        99,
        BOX.encode(),
        b'{"container_no":"MSKU9070323"}',
        {"ce_type": b"VisitClosed", **cause},
    )
    port.notebook.take(TOPIC, [TopicEntry(0, 99, 100, from_topic(raw, 1))], port.house)
    assert port.answer() == (False, "unread") and [u.reason for u in port.house.unread_messages] == ["contract"]
    with closing(sqlite3.connect(port.notebook.file)) as sql:
        assert sql.execute("SELECT count(*) FROM port_unread").fetchone() == (1,)
    port.count = 99
    later = may_leave(2, "v-2").model_copy(update={"occurred_at": NOON + timedelta(hours=9)})
    assert port.says(later).answer() == (True, "released")


PAGE = (Path(__file__).parents[2] / "docs" / "ports.md").read_text(encoding="utf-8")
BODIES = [
    json.loads(line) for fence in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL) for line in fence.splitlines()
]
EVENTS = [body for body in BODIES if "event" in body]


@pytest.mark.parametrize("body", EVENTS, ids=lambda body: f"{body['event']}{'-'.join(sorted(body))}")
def test_the_bodies_that_the_page_shows_are_equipment_events(body: dict[str, Any]) -> None:
    event = RecordEquipmentEvent.model_validate_json(json.dumps({**body, "container_no": BOX, "asked_by": "terminal"}))
    assert event.occurred_at.utcoffset() is not None
    with pytest.raises(ValidationError):
        RecordEquipmentEvent.model_validate({**body, "container_no": BOX, "asked_by": "terminal", "occurred_at": None})


def test_the_page_names_every_event_every_alarm_and_what_ends_a_yes() -> None:
    assert {body["event"] for body in EVENTS} == {event.value for event in EquipmentEvent}
    alarms = re.findall(r"`(\w+)`", (GateAlarmRaised.__doc__ or "").partition("`alarm`:")[2].partition("\n")[0])
    assert len(alarms) == 5 and [name for name in alarms if f"`{name}`" not in PAGE] == []
    assert [name for name in AFTERWARDS if f"`{name}`" not in PAGE] == []
    arrivals = [body for body in BODIES if body.keys() == {"place", "occurred_at", "containers"}]
    retractions = [body for body in BODIES if body.keys() == {"reason"}]
    assert len(arrivals) == len(retractions) == 1
    ReportArrival.model_validate_json(json.dumps({**arrivals[0], "consignment_id": GOODS, "asked_by": "carrier"}))
    retraction = {
        **retractions[0],
        "container_no": BOX,
        "asked_by": "terminal",
        "occurred_at": NOON,
        "report_id": "r-1",
    }
    RetractEquipmentEvent.model_validate(retraction)


def test_the_messages_of_the_topic_that_the_page_shows_are_those_that_ports_get() -> None:
    """The page must show these messages as a port reads them, without fields that are not for ports."""
    shown = {}
    for kind in ("ReleaseRevoked", "ContainerMayLeave"):
        after = PAGE.partition(f"ce_type: {kind}`")[2].partition("```json\n")[2]
        shown[kind] = PORT_FORMS[kind].read_stored(after.partition("\n```")[0].encode())
    assert {kind: message.kind for kind, message in shown.items()} == {kind: kind for kind in shown}
    assert [kind for kind in PORT_FORMS if f"`{kind}`" not in PAGE] == []
