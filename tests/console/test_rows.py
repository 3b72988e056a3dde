"""Do the same facts give the same rows in whatever order the topics are read, and does each row say where goods
stand?"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from random import Random
from typing import Any

import orjson
import pytest
from confluent_kafka import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.gate import ContainerHoldPlaced, ContainerMayLeave
from schemas.release import DeclarationWithdrawn
from schemas.vocabulary import ControlKind, Stage
from services.console.readmodel import tables as t
from services.console.readmodel.batch import Announcement, Aside, Batch, Origin, Pair, _look_up, _Wanted, fold
from services.console.readmodel.consignment import UNMATCHED, Consignment
from services.console.readmodel.container import BoxHold, Container, ContainerPart, ReportRow
from services.console.readmodel.gate_answer import GoodsState, gate_answer
from services.console.readmodel.messages import (
    PARKED_NUMBERS,
    TOPIC_NUMBERS,
    TOPICS,
    TopicMessage,
    Unreadable,
    micros,
    origin,
    packed_position,
    read_message,
)
from services.console.readmodel.store import StoredRows
from tests.console.border import NOON, Border, PublishedMessage, green, red


class Memory:
    """The rows of the read model, in memory instead of in a database."""

    def __init__(self) -> None:
        names = ("consignments", "containers", "parts", "reports", "box_holds", "asides")
        self.rows: dict[str, dict[Any, Any]] = {name: {} for name in names}
        self.listed: dict[str, set[Any]] = {"facts": set(), "releases": set(), "refusals": set(), "alarms": set()}
        self.counts: dict[str, int] = {}

    def consignments(self, keys: Iterable[str]) -> Mapping[str, Consignment]:
        return self._some("consignments", keys)

    def containers(self, keys: Iterable[str]) -> Mapping[str, Container]:
        return self._some("containers", keys)

    def parts(self, keys: Iterable[Pair]) -> Mapping[Pair, ContainerPart]:
        return self._some("parts", keys)

    def reports(self, keys: Iterable[Pair]) -> Mapping[Pair, ReportRow]:
        return self._some("reports", keys)

    def box_holds(self, keys: Iterable[Pair]) -> Mapping[Pair, BoxHold]:
        return self._some("box_holds", keys)

    def asides(self, keys: Iterable[Origin]) -> Mapping[Origin, Aside]:
        return self._some("asides", keys)

    def _some(self, name: str, keys: Iterable[Any]) -> dict[Any, Any]:
        return {key: self.rows[name][key] for key in keys if key in self.rows[name]}

    def standings(self) -> dict[str, GoodsState]:
        names = ("declared", "word", "released_boxes", "unreleased", "bill_no", "direction", "waiting_for")
        return {key: GoodsState(*[getattr(row, n) for n in names]) for key, row in self.rows["consignments"].items()}

    def held(self, container_no: str) -> list[BoxHold]:
        return [hold for (number, _), hold in self.rows["box_holds"].items() if number == container_no]

    def keep(self, batch: Batch) -> None:
        for name in self.rows:
            self.rows[name] |= getattr(batch, name)
        for name in self.listed:
            self.listed[name] |= set(getattr(batch, name))
        for stage, change in batch.stage_changes().items():
            self.counts[stage] = self.counts.get(stage, 0) + change

    def everything(self) -> dict[str, Any]:
        rows = {name: {key: asdict(row) for key, row in kept.items()} for name, kept in self.rows.items()}
        counts = {stage: count for stage, count in self.counts.items() if count}
        return {**rows, **self.listed, "counts": counts}


Log = list[tuple[str, list[PublishedMessage]]]


def logs(consignments: Iterable[Border]) -> Log:
    """(topic, its messages in their order), for each topic that these stories write to."""
    by_topic: dict[str, list[PublishedMessage]] = {}
    for border in consignments:
        for message in border.messages:
            by_topic.setdefault(message.topic, []).append(message)
    return list(by_topic.items())


def read(memory: Memory, messages: list[tuple[PublishedMessage, int]]) -> None:
    """Projects these messages, each with its offset, into the memory, as one batch."""
    topic_messages = [
        TopicMessage(
            packed_position(one.topic, 0, offset),
            one.topic,
            one.kind,
            one.key,
            one.id,
            one.cause,
            one.sequence,
            micros(one.at.isoformat()),
            one.value,
        )
        for one, offset in messages
        if one.topic in TOPIC_NUMBERS
    ]
    announced = [
        Announcement(one.topic, 0, offset, one.kind, orjson.loads(one.value))
        for one, offset in messages
        if one.topic not in TOPIC_NUMBERS
    ]
    memory.keep(fold(topic_messages, announced, memory))


def in_order(*consignments: Border) -> Memory:
    memory = Memory()
    for topic in logs(consignments):
        read(memory, [(message, offset) for offset, message in enumerate(topic[1])])
    return memory


def interleaved(log: Log, shuffle: Random, cut: int) -> Memory:
    """Reads all messages in batches of `cut`, and returns the rows. The topics are mixed at random; each topic keeps
    its own order."""
    turns = [number for number, (_, of_topic) in enumerate(log) for _ in of_topic]
    shuffle.shuffle(turns)
    next_offset = [0] * len(log)
    messages: list[tuple[PublishedMessage, int]] = []
    for number in turns:
        offset = next_offset[number]
        next_offset[number] += 1
        messages.append((log[number][1][offset], offset))
    memory = Memory()
    for start in range(0, len(messages), cut):
        read(memory, messages[start : start + cut])
    return memory


STORIES = (
    lambda: green("G-1"),
    lambda: red("R-1", ("MSKU6011672", "CSQU3054383")),
    lambda: Border("J-1").lodged().rejected(),
    lambda: Border("X-1").lodged().refused_request("LodgeDeclaration", "id_mismatch", "declaration"),
    lambda: (
        Border("V-1").lodged().accepted().assessed().held("arrival").arrived().released().revoked().held("officer/1")
    ),
    lambda: Border("F-1").lodged().accepted().assessed(ControlKind.INSPECTION).held("inspection/inspection").refused(),
    lambda: Border("P-1").lodged().accepted().parked().parked("inspection", 9).unparked().parked().refused_request(),
    lambda: Border("P-2").lodged().accepted().parked().parked().unparked(),
    lambda: Border("L-1").lodged(bill_no="A").refused_request("LodgeDeclaration").lodged(bill_no="B").accepted(),
    lambda: Border("D-1").lodged().parked("declaration").unparked("declaration", kind="ParkedDiscarded"),
    lambda: Border("A-1", ("TGHU1234562",)).lodged().accepted().assessed().held("arrival").alarm(),
    lambda: (
        Border("C-1")
        .lodged()
        .accepted()
        .assessed(ControlKind.INSPECTION)
        .held("inspection/inspection")
        .ordered()
        .failed()
        .refused()
        .retracted()
        .refusal_revoked()
        .held("inspection/inspection")
    ),
    lambda: Border("W-1").lodged().accepted().assessed().held("arrival").withdrawn().lodged_again().accepted(),
)


@settings(max_examples=150, deadline=None)
@given(
    chosen=st.lists(st.sampled_from(range(len(STORIES))), min_size=1, max_size=5, unique=True),
    shuffle=st.randoms(use_true_random=False),
    cut=st.integers(1, 40),
)
def test_every_interleaving_of_the_topics_gives_the_same_rows(chosen: list[int], shuffle: Random, cut: int) -> None:
    consignments = [STORIES[number]() for number in chosen]
    assert interleaved(logs(consignments), shuffle, cut).everything() == in_order(*consignments).everything()


@settings(max_examples=40, deadline=None)
@given(which=st.sampled_from(range(len(STORIES))), again=st.randoms(use_true_random=False))
def test_a_desks_fact_told_again_changes_no_row(which: int, again: Random) -> None:
    consignment = STORIES[which]()
    memory = in_order(consignment)
    before = memory.everything()["consignments"]
    repeated = [
        (one, 1000 + n)
        for n, one in enumerate(consignment.messages)
        if "-facts" in one.topic or "containers" in one.topic
    ]
    again.shuffle(repeated)
    read(memory, repeated)
    assert memory.everything()["consignments"] == before


@pytest.mark.parametrize(
    ("consignment", "stage", "waiting_for", "owner"),
    [
        (Border("1").lodged(), Stage.LODGED, "acceptance", "declaration"),
        (Border("1").lodged().accepted(), Stage.ACCEPTED, "assessment", "risk"),
        (Border("1").lodged().accepted().assessed(), Stage.ACCEPTED, "holds", "release"),
        (Border("1").lodged().rejected(), Stage.REJECTED, "", ""),
        (Border("1").lodged().accepted().assessed().held("arrival"), Stage.AWAITING_ARRIVAL, "arrival", "carrier"),
        (Border("1").lodged().held("assessment", "arrival"), Stage.LODGED, "assessment", "risk"),
        (
            Border("1").lodged().held("arrival", "inspection/documents"),
            Stage.UNDER_CONTROL,
            "inspection/documents",
            "inspection",
        ),
        (
            Border("1").lodged().held("inspection/documents", "quarantine/risk"),
            Stage.UNDER_TREATMENT,
            "quarantine/risk",
            "quarantine",
        ),
        (Border("1").lodged().held("quarantine/risk", "officer/7"), Stage.HELD, "officer/7", "officer"),
        (STORIES[4](), Stage.REVOKED, "officer/1", "officer"),
        (red("1").revoked(), Stage.REVOKED, "holds", "release"),
        (STORIES[5](), Stage.REFUSED, "", ""),
        (STORIES[11](), Stage.UNDER_CONTROL, "inspection/inspection", "inspection"),
        (Border("1").lodged().accepted().refused().refusal_revoked(), Stage.HELD, "holds", "release"),
        (STORIES[6](), Stage.PARKED, "parked", "operations"),
        (STORIES[7](), Stage.ACCEPTED, "assessment", "risk"),
        (STORIES[9](), Stage.REJECTED, "", ""),
        (red("1"), Stage.RELEASED, "gate_out", "carrier"),
        (Border("1", ()).lodged().accepted().assessed().held("arrival").released(), Stage.RELEASED, "", ""),
        (green("1"), Stage.GATED_OUT, "", ""),
    ],
    ids=lambda value: value.messages[-1].kind if isinstance(value, Border) else None,
)
def test_where_goods_stand_and_whose_move_it_is(
    consignment: Border, stage: Stage, waiting_for: str, owner: str
) -> None:
    row = in_order(consignment).rows["consignments"][consignment.id]
    assert (row.stage, row.waiting_for, row.waiting_owner) == (stage, waiting_for, owner)
    assert (row.ended_us is not None) == (waiting_for == "")


def test_of_an_arrival_that_was_taken_back_the_rows_keep_what_still_stands() -> None:
    consignment = Border("1", ("MSKU6011672", "TGHU1234562")).lodged().accepted().assessed().arrived()
    row = in_order(consignment).rows["consignments"][consignment.id]
    assert (row.arrived_boxes, row.arrived_us is None) == ("*", False)
    row = in_order(consignment.arrival_retracted("a1", "MSKU6011672")).rows["consignments"][consignment.id]
    assert (row.arrived_boxes, row.arrived_us is None) == ("MSKU6011672", False)
    row = in_order(consignment.arrival_retracted("a2")).rows["consignments"][consignment.id]
    assert (row.arrived_boxes, row.arrived_us) == ("", None)


@pytest.mark.parametrize("consignment", [Border("1").held("assessment", "officer/7"), Border("1").arrived()])
def test_goods_that_nobody_lodged_wait_apart_until_they_are(consignment: Border) -> None:
    memory = in_order(consignment)
    row = memory.rows["consignments"][consignment.id]
    assert (row.stage, row.waiting_for, row.ended_us) == (UNMATCHED, "declaration", None)
    assert row.waiting_since_us is not None and row.stage not in [*Stage]
    row = in_order(consignment.lodged()).rows["consignments"][consignment.id]
    assert row.stage in [*Stage]


def test_papers_that_are_not_put_right_in_time_raise_an_alarm() -> None:
    consignment = Border("1").lodged().accepted().assessed(ControlKind.DOCUMENTS).ordered(ControlKind.DOCUMENTS)
    alarms = in_order(consignment.to_be_put_right().not_put_right()).listed["alarms"]
    assert [(kind, subject, why) for _, kind, subject, why, *_ in alarms] == [
        ("RectificationOverdue", consignment.id, "documents")
    ]


def test_a_consignment_in_two_containers_is_out_only_when_both_are() -> None:
    consignment = red("two", ("MSKU6011672", "CSQU3054383"))
    consignment.gated_out()
    last = consignment.messages.pop()
    assert in_order(consignment).rows["consignments"][consignment.id].stage == Stage.RELEASED
    consignment.messages.append(last)
    assert in_order(consignment).rows["consignments"][consignment.id].stage == Stage.GATED_OUT


def test_the_clearance_service_parking_a_message_does_not_hold_the_goods() -> None:
    consignment = Border("c").lodged().accepted().parked("clearance")
    assert in_order(consignment).rows["consignments"][consignment.id].stage == Stage.ACCEPTED


def test_a_nul_in_a_text_reaches_no_row() -> None:
    consignment = Border("n").lodged()
    consignment.messages[0] = PublishedMessage(
        **{
            **asdict(consignment.messages[0]),
            "value": consignment.messages[0].value.replace(b'"broker-1"', b'"b\\u0000"'),
        }
    )
    memory = in_order(consignment.accepted())
    assert "\x00" not in str(memory.everything()) and "u0000" not in str(memory.everything())


def gate(*consignments: Border, fresh: bool = True) -> tuple[bool, str]:
    memory = in_order(*consignments)
    number = consignments[0].containers[0]
    parts = [part for part in memory.rows["parts"].values() if part.container_no == number]
    parked = [p.consignment_id for p in parts if memory.rows["consignments"][p.consignment_id].parked]
    answer = gate_answer(
        memory.rows["containers"].get(number), parts, memory.standings(), parked, fresh, holds=memory.held(number)
    )
    return answer.may_leave, answer.reason


def test_a_container_may_leave_only_when_everything_says_so() -> None:
    assert gate(red("1")) == (True, "released")
    assert gate(red("1"), fresh=False) == (False, "stale")
    assert gate(red("1").parked()) == (False, "parked")
    assert gate(red("1").parked().unparked()) == (True, "released")
    assert gate(green("1")) == (False, "gated_out")
    assert gate(Border("1").lodged()) == (False, "unknown")
    assert gate(Border("1").lodged().accepted()) == (False, "not_released"), "something is known"
    assert gate(Border("1").lodged().accepted().assessed().held("arrival")) == (False, "held")
    assert gate(red("1").revoked().held("officer/1")) == (False, "held")
    assert gate(Border("1").lodged().accepted().assessed().held("arrival").alarm()) == (False, "left_unreleased")


def test_a_box_that_only_a_rejected_paper_named_is_not_kept_by_the_corrected_one() -> None:
    box, other = "MSKU6011672", "CSQU3054383"
    inside, paper = red("1"), Border("2", (box,)).lodged().rejected()
    assert gate(inside, paper) == (True, "released")
    paper.containers = (other,)
    assert gate(inside, paper.lodged(packages=121).accepted()) == (True, "released")
    again = Border("3", (other,)).lodged().rejected()
    again.containers = (box,)
    assert gate(inside, again.lodged(packages=121).accepted()) == (False, "not_released"), "it is in there now"


def test_a_yes_of_the_gate_alone_lets_nothing_leave() -> None:
    """A program that can write only to the topics of the gate desk must not be able to open the gate. So the console
    answers yes only if the facts of the other desks also allow it."""
    no = (False, "not_released")
    assert gate(Border("1").may_leave()) == no, "a forged yes about a box of which nobody knows"
    assert gate(Border("1").lodged().accepted().may_leave()) == no
    assert gate(red("1"), Border("2", ("MSKU6011672",)).lodged().accepted()) == no, "other goods came into it"
    assert gate(red("1"), Border("2", ("MSKU6011672",)).lodged().rejected()) == (True, "released")
    gone = red("1")
    gone._say("release", DeclarationWithdrawn(**gone._goods(), version=9, request_id="r", reason="a mistake"))
    assert gate(gone) == no, "nothing in it is released"
    for missing in ("ReleaseGranted", "ContainerFreed"):
        consignment = Border("1", ("MSKU6011672",)).lodged().accepted().assessed().released().may_leave()
        consignment.messages = [one for one in consignment.messages if one.kind != missing]
        assert gate(consignment) == no, f"without {missing}"
    other = red("2", ("CSQU3054383",))
    consignment = Border("1", ("MSKU6011672",)).lodged().accepted().assessed().held("arrival").released()
    consignment._say(
        "gate", ContainerMayLeave(container_no="MSKU6011672", occurred_at=NOON, version=1, consignments=(other.id,))
    )
    assert gate(consignment, other) == no, "the gate names goods that lie elsewhere"


def test_the_columns_of_the_tables_are_the_fields_of_the_rows() -> None:
    for table, row in (
        (t.CONSIGNMENTS, Consignment),
        (t.CONTAINERS, Container),
        (t.CONSIGNMENT_CONTAINERS, ContainerPart),
        (t.CONTAINER_REPORTS, ReportRow),
        (t.CONTAINER_HOLDS, BoxHold),
        (t.PARKED, Aside),
    ):
        assert [c.name for c in table.columns] == [f.name for f in fields(row) if f.name != "holds"]
    assert hasattr(StoredRows, "consignments")


def test_every_topic_that_the_projector_reads_has_a_number_of_its_own() -> None:
    numbers = [*TOPIC_NUMBERS.items(), *PARKED_NUMBERS.items()]
    assert {topic for topic, _ in numbers} == set(TOPICS)
    assert len({number for _, number in numbers}) == len(numbers)


@given(st.sampled_from(sorted(TOPIC_NUMBERS)), st.integers(0, 999), st.integers(0, 2**43 - 1))
def test_a_place_is_one_number_and_back(topic: str, partition: int, offset: int) -> None:
    assert origin(packed_position(topic, partition, offset)) == (topic, partition, offset)
    assert packed_position(topic, partition, offset) < 2**63


@pytest.mark.parametrize(
    "odd",
    [
        {"sequence": b"9" * 30},
        {"sequence": b"-1"},
        {"sequence": b"1_0"},
        {"ce_time": b"0001-01-01T00:00:00+23:59"},
        {"ce_time": b"9999-12-31T23:59:59-23:59"},
    ],
    ids=str,
)
def test_a_fact_whose_headers_are_beyond_what_a_row_holds_has_no_row(odd: dict[str, bytes]) -> None:
    good = {"ce_type": b"ReleaseGranted", "ce_id": b"1", "ce_time": b"2026-11-25T12:00:00Z", "sequence": b"1"}

    def read_with(headers: dict[str, bytes]) -> TopicMessage:
        return read_message(Message("customs-release-facts", 0, 1, b"k", b"{}", list(headers.items())))

    assert read_with(good).sequence == 1
    with pytest.raises(Unreadable):
        read_with(good | odd)


def test_what_is_lodged_after_a_withdrawal_and_what_was_withdrawn_name_each_other() -> None:
    consignment = Border("W-2").lodged().accepted().assessed().held("arrival").withdrawn().lodged_again()
    memory = Memory()
    read(memory, list(zip(consignment.messages, range(len(consignment.messages)), strict=True)))
    first, second = memory.rows["consignments"][consignment.earlier], memory.rows["consignments"][consignment.id]
    assert (first.stage, first.earlier, first.later) == ("withdrawn", "", consignment.id)
    assert (second.stage, second.earlier, second.later) == ("lodged", consignment.earlier, "")
    assert second.reference == "W-2" and second.lodge_request and second.lodged_us
    again = Border("W-2").lodged().accepted().assessed().held("arrival").withdrawn().lodged_again().accepted()
    read(memory, [(again.messages[-1], 99)])
    assert memory.rows["consignments"][consignment.id].stage == "accepted"


def test_what_the_batch_has_already_is_not_read_again() -> None:
    """When a message fails, rows are looked up a second time, for the message that is set aside."""
    consignment = green("1").reported("DISC")
    consignment.gate_says(ContainerHoldPlaced, hold_id="h/1", reason="seal broken", placed_by="officer-7")
    memory = in_order(consignment)
    names = ("consignments", "containers", "parts", "reports", "box_holds")
    assert all(memory.rows[name] for name in names)
    wanted = _Wanted(
        consignments=set(memory.rows["consignments"]),
        containers=set(memory.rows["containers"]),
        pairs=set(memory.rows["parts"]),
        reports=set(memory.rows["reports"]),
        box_holds=set(memory.rows["box_holds"]),
    )
    batch = Batch()
    _look_up(batch, wanted, (), memory)
    before = {name: dict(getattr(batch, name)) for name in names}
    _look_up(batch, wanted, (), memory)
    for name in names:
        assert all(getattr(batch, name)[key] is row for key, row in before[name].items()), name
