"""Is each visit of a container kept separately in the rows, and does the gate's answer give its reason?"""

from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from schemas.gate import (
    ConsignmentGatedOut,
    ConsignmentLeftUnreleased,
    ContainerFindingRecorded,
    ContainerFindingRetracted,
    ContainerGatedOut,
    ContainerHoldLifted,
    ContainerHoldPlaced,
    ContainerMayLeave,
    ContainerMustStay,
    DepartureRetracted,
    EquipmentEventRetracted,
    ExitPermitted,
    GateAlarmRaised,
    GoodsTransferred,
    LotStruck,
    RetractContainerFinding,
    RetractStrike,
    StrikeRetracted,
    VisitClosed,
    VisitOpened,
)
from schemas.phrases import phrase
from schemas.release import ContainerHeld
from schemas.vocabulary import Owner, Stage
from services.console.readmodel.container import Container, tell_container
from services.console.readmodel.gate_answer import COUNTS_WHEN_ASKED, GateAnswer, gate_answer
from services.console.readmodel.messages import TopicMessage
from tests.console.border import NOON, Border, green, red
from tests.console.test_rows import in_order, interleaved, logs
from tests.facts import container_freed

BOX = "MSKU6011672"
SECOND = "CSQU3054383"


def answer(*consignments: Border, box: str = BOX, fresh: bool = True, asked_holds: tuple[str, ...] = ()) -> GateAnswer:
    memory = in_order(*consignments)
    parts = [part for part in memory.rows["parts"].values() if part.container_no == box]
    row = memory.rows["containers"].get(box)
    return gate_answer(row, parts, memory.standings(), (), fresh, asked_holds, memory.held(box))


def answer_of(*consignments: Border, **how: Any) -> tuple[bool, str, int, int]:
    it = answer(*consignments, **how)
    return it.may_leave, it.reason, it.released, it.lots


def held(reference: str, *boxes: str) -> Border:
    return Border(reference, boxes or (BOX,)).lodged().accepted().assessed().held("inspection/inspection")


def free(reference: str, visit: str = "visit-1", after: Border | None = None) -> Border:
    """Goods that are discharged and released and may leave. `after`: an earlier story about the same container; the
    sequence numbers of the gate desk's facts continue from it."""
    consignment = (
        Border(reference, (BOX,), _counts=after._counts if after else {})
        .lodged()
        .accepted()
        .assessed()
        .held("arrival")
        .opened(visit)
        .arrived()
        .released()
    )
    return consignment.gate_says(ContainerMayLeave, version=1, consignments=(consignment.id,), visit=visit)


def test_a_yes_of_the_visit_before_lets_nothing_leave_in_the_next() -> None:
    consignment = free("1")
    assert answer_of(consignment) == (True, "released", 1, 1)
    consignment.opened("visit-2")
    assert answer_of(consignment)[:2] == (False, "not_said"), (
        "the box came back, and the gate has said nothing of that visit"
    )


def test_a_discharge_that_confirms_the_visit_of_the_yes_takes_nothing_back() -> None:
    consignment = free("1")
    consignment.opened("visit-1")
    assert answer_of(consignment) == (True, "released", 1, 1)


def test_a_yes_needs_the_box_in_the_latest_release() -> None:
    consignment = Border("1", (BOX, SECOND)).lodged().accepted().assessed().held("arrival").opened().arrived()
    consignment.released()
    consignment.partly_released(SECOND)
    consignment.gate_says(ContainerMayLeave, version=1, consignments=(consignment.id,), visit="visit-1")
    assert answer_of(consignment) == (False, "not_released", 0, 1)
    consignment.partly_released(BOX)
    assert answer_of(consignment) == (True, "released", 1, 1)


def test_the_answer_counts_lots_and_says_what_they_wait_for() -> None:
    first, other = free("1"), held("2")
    first.gate_says(ContainerMustStay, version=2, waiting_for=(other.id,), reason="not released", visit="visit-1")
    it = answer(first, other)
    assert (it.may_leave, it.reason, it.released, it.lots) == (False, "held", 0, 1), "one bill is one lot"
    other.lodged(bill_no="B").accepted()
    it = answer(first, other)
    assert (it.released, it.lots) == (1, 2)
    assert [(one.bill_no, one.waiting_for) for one in it.awaited] == [("B", "inspection/inspection")]


def test_nothing_is_known_is_said_only_of_a_box_of_which_nothing_is_known() -> None:
    assert answer_of(Border("1", (SECOND,)).lodged()) == (False, "unknown", 0, 0)
    assert answer_of(Border("1", (BOX,)).lodged().accepted())[1] == "not_released"
    assert answer_of(Border("1", (BOX,)).reported("DISC", classifier="EST"))[1] == "no_visit"
    assert answer_of(Border("1", (BOX,)).opened())[1] == "undeclared"
    consignment = Border("1", (BOX,)).lodged().accepted().assessed().released()
    assert answer_of(consignment) == (False, "no_visit", 1, 1)
    assert answer_of(Border("1", (SECOND,)), fresh=False)[1] == "stale", "what was not read yet is not nothing"


def test_a_box_that_left_and_was_declared_again_is_asked_about_its_new_goods() -> None:
    gone, again = green("1", (BOX,)), held("2")
    assert answer_of(gone)[1] == "gated_out"
    assert answer_of(gone, again) == (False, "held", 0, 1), "not: it left before"
    assert answer_of(gone, Border("3", (BOX,)).lodged().accepted()) == (False, "not_released", 0, 1)


def test_a_hold_on_the_box_keeps_it_until_that_one_is_lifted() -> None:
    consignment = free("1")
    consignment.gate_says(ContainerHoldPlaced, hold_id="h/1", reason="seal broken", placed_by="officer-7")
    consignment.gate_says(ContainerHoldPlaced, hold_id="h/2", reason="scan", placed_by="officer-7")
    consignment.gate_says(ContainerHoldLifted, hold_id="h/1", reason="looked at", lifted_by="officer-7")
    assert answer(consignment)[:3] == (False, "box_held", "scan")
    consignment.gate_says(ContainerHoldLifted, hold_id="h/2", reason="looked at", lifted_by="officer-7")
    assert answer_of(consignment)[:2] == (True, "released")
    assert answer_of(consignment, asked_holds=(BOX,))[:2] == (False, "hold_asked")


def alarmed(consignment: Border, alarm: str = "left_unreleased", report: str = "out-1") -> Border:
    return consignment.gate_says(
        GateAlarmRaised,
        gate="G3",
        waiting_for=(consignment.id,),
        reason="left without release",
        alarm=alarm,
        visit="visit-1",
        report_id=report,
        blocks=True,
    )


def left(consignment: Border, report: str = "out-1") -> Border:
    alarmed(consignment, report=report)
    return consignment.gate_says(ConsignmentLeftUnreleased, visit="visit-1", reason="left without release")


def test_an_alarm_blocks_until_a_finding_settles_it() -> None:
    consignment = alarmed(free("1"), "held_outside", "out-9")
    assert answer_of(consignment)[:2] == (False, "alarm")
    consignment.gate_says(
        ContainerFindingRecorded, found="inside", lots=None, settled=("out-9",), reason="seen in row 4", found_by="o-7"
    )
    assert answer_of(consignment)[:2] == (True, "released")


def found_inside(consignment: Border, *settled: str, at: datetime | None = None) -> Border:
    """Adds an officer's finding that the container is inside. `at`: when the officer saw it; by default, the present
    time of the story."""
    when = consignment.at if at is None else at
    return consignment.gate_says(
        ContainerFindingRecorded,
        found="inside",
        lots=None,
        settled=settled,
        reason="seen in row 4",
        found_by="o-7",
        occurred_at=when,
    )


def alarms_of(consignment: Border) -> tuple[list[str], str, str]:
    """Returns the reports whose alarms wait, and name and reason of the alarm that the row names."""
    row = in_order(consignment).rows["containers"][BOX]
    return [line.partition("\t")[0] for line in row.blocking.splitlines()], row.alarm, row.alarm_reason


def test_a_finding_that_settles_nothing_leaves_a_later_alarm_waiting() -> None:
    consignment = free("1")
    before = consignment.at
    alarmed(consignment)
    found_inside(consignment, at=before - timedelta(hours=1))
    assert alarms_of(consignment)[0] == ["out-1"]
    assert answer_of(consignment)[:2] == (False, "alarm")


def test_a_finding_ends_an_alarm_that_the_gate_desk_no_longer_had_to_settle() -> None:
    """The gate desk names in `settled` only alarms that waited. An alarm that a strike had ended is not among them."""
    consignment = alarmed(free("1"))
    found_inside(consignment)
    assert alarms_of(consignment) == ([], "", "")


def test_when_the_latest_alarm_is_settled_the_row_names_the_one_that_still_waits() -> None:
    consignment = alarmed(alarmed(free("1"), "left_undeclared", "out-1"), "left_unreleased", "out-2")
    assert alarms_of(consignment) == (["out-1", "out-2"], "left_unreleased", "left without release")
    consignment.gate_says(EquipmentEventRetracted, report_id="out-2", reason="mistyped", retracted_by="terminal")
    assert alarms_of(consignment) == (["out-1"], "left_undeclared", "left without release")


def test_a_no_for_another_cause_says_that_no_alarm_waits() -> None:
    consignment = alarmed(free("1"))
    consignment.gate_says(
        ContainerMustStay, version=2, waiting_for=(), reason="held", visit="visit-2", code="box_held", owner="officer"
    )
    assert alarms_of(consignment)[0] == []


def test_an_alarm_in_a_row_of_an_older_software_version_waits_for_its_finding() -> None:
    row = Container(BOX, seq=1, blocking="out-1\tvisit-1\nout-2\tvisit-2", alarm="left_unreleased", blocked_us=5)
    body = {"found": "inside", "lots": None, "settled": ["out-2"], "occurred_at": "2026-11-23T12:00:00Z"}
    tell_container(
        row, TopicMessage(1, "customs-gate-facts", "ContainerFindingRecorded", BOX, "f", "", 2, 0, b""), body
    )
    assert (row.blocking, row.alarm, row.blocked_us) == ("out-1\tvisit-1", "left_unreleased", 5)


def test_goods_that_left_unreleased_are_in_a_stage_of_their_own_that_no_release_heals() -> None:
    consignment = left(held("1").opened())
    row = in_order(consignment).rows["consignments"][consignment.id]
    assert (row.stage, row.waiting_for, row.waiting_owner) == (Stage.LEFT_UNRELEASED, "gate_finding", "officer")
    assert row.ended_us is None and row.gated_out_us is None
    consignment.released()
    assert in_order(consignment).rows["consignments"][consignment.id].stage == Stage.LEFT_UNRELEASED
    older = held("2")
    older.gate_says(ConsignmentGatedOut, released=False)
    assert in_order(older).rows["consignments"][older.id].stage == Stage.LEFT_UNRELEASED, (
        "as an older software version said it"
    )


@pytest.mark.parametrize("how", ["retracted", "found"])
def test_a_departure_that_was_none_brings_the_goods_back(how: str) -> None:
    consignment = left(held("1").opened())
    assert answer_of(consignment)[1] == "alarm"
    if how == "retracted":
        consignment.gate_says(EquipmentEventRetracted, report_id="out-1", reason="wrong box", retracted_by="terminal-1")
    else:
        consignment.gate_says(
            ContainerFindingRecorded, found="inside", lots=None, settled=("out-1",), reason="seen", found_by="officer-7"
        )
    consignment.gate_says(DepartureRetracted, visit="visit-1", reason="it is here")
    row = in_order(consignment).rows["consignments"][consignment.id]
    assert (row.stage, row.waiting_for) == (Stage.UNDER_CONTROL, "inspection/inspection")
    assert answer_of(consignment) == (False, "held", 0, 1)


def test_a_visit_that_was_closed_otherwise_takes_its_goods_with_it_and_brings_them_back_when_it_goes_on() -> None:
    consignment = held("1").opened("visit-1")
    consignment.gate_says(VisitClosed, visit="visit-1", how="loaded", consignments=(consignment.id,), report_id="out")
    assert answer_of(consignment) == (False, "closed", 0, 0)
    other = free("2", "visit-2", consignment)
    assert answer_of(consignment, other) == (True, "released", 1, 1), "the goods of the visit before keep nothing"
    consignment.gate_says(
        VisitOpened, visit="visit-1", place="Qianwan 3", conveyance="", laden=None, occurred_at=consignment.start
    )
    assert answer_of(consignment) == (False, "held", 0, 1)


def test_the_late_end_of_an_earlier_visit_does_not_end_the_one_that_is_open() -> None:
    consignment = free("1", "visit-2").gate_says(
        VisitClosed, visit="visit-1", how="departure_not_reported", consignments=()
    )
    assert answer_of(consignment) == (True, "released", 1, 1)


def test_a_permit_lets_out_what_is_no_import_release_and_ends_with_the_departure() -> None:
    consignment = Border("1", (BOX,)).lodged(direction="E").accepted().assessed().opened().released()
    assert answer_of(consignment)[:2] == (False, "export")
    consignment.gate_says(
        ExitPermitted,
        consignment_id=consignment.id,
        ground="export_cancelled",
        reason="cancelled",
        permitted_by="officer-7",
    )
    consignment.gate_says(ContainerMayLeave, version=1, consignments=(consignment.id,), visit="visit-1")
    assert answer_of(consignment) == (True, "released", 1, 1)
    consignment.gate_says(
        ContainerGatedOut, gate="G3", consignments=(consignment.id,), visit="visit-1", report_id="out"
    )
    assert not in_order(consignment).rows["parts"][BOX, consignment.id].permitted


def test_a_hold_after_the_permit_keeps_the_box_before_the_gate_has_read_it() -> None:
    """The console may read a permit and a hold in either order, because there is no order between the topics of two
    desks. So the permit names the version of the release desk's last statement before it, and only a hold with a later
    version counts."""
    consignment = Border("1", (BOX,)).lodged(direction="E").accepted().assessed().opened().held("inspection/inspection")
    permit = {
        "consignment_id": consignment.id,
        "ground": "export_cancelled",
        "reason": "cancelled",
        "permitted_by": "officer-7",
    }
    consignment.gate_says(ExitPermitted, **permit, version=1)
    consignment.gate_says(
        ContainerMayLeave, version=1, consignments=(consignment.id,), visit="visit-1", permitted=(consignment.id,)
    )
    assert answer_of(consignment) == (True, "released", 1, 1)
    consignment.held("inspection/inspection", "officer/2f0c")
    assert answer_of(consignment)[:2] == (False, "held")
    consignment.gate_says(ContainerMustStay, version=2, waiting_for=(consignment.id,), reason="held", visit="visit-1")
    consignment.gate_says(ExitPermitted, **permit, version=2)
    consignment.gate_says(
        ContainerMayLeave, version=3, consignments=(consignment.id,), visit="visit-1", permitted=(consignment.id,)
    )
    assert answer_of(consignment) == (True, "released", 1, 1)


def test_a_consignment_that_was_struck_off_keeps_nothing() -> None:
    inside, wrong = free("1"), Border("2", (BOX,)).lodged().accepted()
    assert answer_of(inside, wrong)[:2] == (False, "not_released")
    inside.gate_says(LotStruck, consignment_id=wrong.id, reason="not in it", struck_by="officer-7")
    assert answer_of(inside, wrong)[:2] == (True, "released")


def test_a_consignment_that_was_struck_off_by_mistake_keeps_the_box_as_soon_as_that_is_told() -> None:
    inside, wrong = free("1"), Border("2", (BOX,)).lodged().accepted()
    inside.gate_says(LotStruck, consignment_id=wrong.id, reason="not in it", struck_by="officer-7")
    inside.gate_says(StrikeRetracted, consignment_id=wrong.id, reason="the wrong goods", retracted_by="officer-7")
    assert answer_of(inside, wrong)[:2] == (False, "not_released")
    assert RetractStrike.kind in COUNTS_WHEN_ASKED, "it counts from the moment it is asked"


def test_the_count_of_a_finding_that_was_taken_back_counts_no_longer() -> None:
    inside = free("1")
    inside.gate_says(ContainerFindingRecorded, found="inside", lots=2, settled=(), reason="seen", found_by="officer-7")
    assert in_order(inside).rows["containers"][BOX].lots == 2
    inside.gate_says(
        ContainerFindingRetracted, wrong="finding-1", lots=None, reason="another box", retracted_by="officer-7"
    )
    assert in_order(inside).rows["containers"][BOX].lots is None
    assert RetractContainerFinding.kind in COUNTS_WHEN_ASKED, "it counts from the moment it is asked"


def test_a_partial_release_is_a_stage_of_its_own_and_no_release_time() -> None:
    consignment = (
        Border("1", (BOX, SECOND)).lodged().accepted().assessed().held("arrival").arrived().partly_released(BOX)
    )
    row = in_order(consignment).rows["consignments"][consignment.id]
    assert (row.stage, row.waiting_for, row.waiting_owner) == (Stage.PARTLY_RELEASED, "arrival", "carrier")
    assert (row.released_boxes, row.released_us) == (BOX, None)
    consignment.released()
    row = in_order(consignment).rows["consignments"][consignment.id]
    assert (row.stage, row.waiting_for) == (Stage.RELEASED, "gate_out")
    assert row.released_us is not None and row.released_boxes == f"{SECOND} {BOX}"


def test_reports_are_kept_with_what_replaced_or_retracted_them() -> None:
    consignment = Border("1", (BOX,)).reported("GTOT", report_id="a").reported("GTOT", report_id="b", replaces="a")
    consignment.reported("GTIN", report_id="c")
    consignment.gate_says(EquipmentEventRetracted, report_id="c", reason="wrong box", retracted_by="terminal-1")
    reports = in_order(consignment).rows["reports"]
    assert {name: row.standing for (_, name), row in reports.items()} == {"a": "replaced", "b": "", "c": "retracted"}
    assert reports[BOX, "b"].laden == "laden"


def test_every_interleaving_of_topics_gives_the_same_rows_for_visits() -> None:
    one = left(held("1").opened())
    two = free("2", "visit-2", one)
    one.gate_says(ContainerFindingRecorded, found="inside", lots=2, settled=("out-1",), reason="seen", found_by="o-7")
    one.gate_says(DepartureRetracted, visit="visit-1", reason="it is here").released()
    one.gate_says(VisitClosed, visit="visit-1", how="finding", consignments=(one.id, two.id))
    stories = [one, two, red("3", (SECOND,))]
    wanted = in_order(*stories).everything()
    for seed in range(60):
        assert interleaved(logs(stories), Random(seed), 1 + seed % 20).everything() == wanted


def test_goods_that_are_awaited_with_another_conveyance_do_not_keep_the_box_of_this_call() -> None:
    consignment = free("1")
    later = Border("2", (BOX,), _counts=consignment._counts).lodged(bill_no="NEXT").accepted()
    for conveyance, answer_now in (("", "held"), ("cosco qingdao 041e", "held"), ("EVER GIVEN/9W", "released")):
        later._version += 1
        fact = ContainerHeld(
            container_no=BOX,
            occurred_at=later.at,
            consignment_id=later.id,
            shared_by=1,
            version=later._version,
            reason="not released yet",
            conveyance=conveyance,
        )
        later._say("release", fact)
        assert answer_of(consignment, later)[1] == answer_now, conveyance


def test_goods_that_were_stripped_into_a_box_keep_it_until_the_release_desk_has_stated_something_of_them_there() -> (
    None
):
    """The gate desk decides about each container separately, so it does not know that these goods came into the box
    from another one. And the release desk, which knows it, may be down."""
    there = free("1")
    assert answer_of(there)[:2] == (True, "released")
    stripped = Border("2", (SECOND,)).lodged().accepted().assessed().held("arrival").opened("visit-9").arrived()
    stripped.gate_says(GoodsTransferred, visit="visit-9", targets=(BOX,), lots=1, report_id="strip-1")
    kept = answer(there, stripped)
    assert (kept.may_leave, kept.reason, kept.waiting_for) == (False, "not_released", (stripped.id,))
    stripped._say("release", container_freed(9, released=False, container_no=BOX, consignment_id=stripped.id))
    assert answer_of(there, stripped)[:2] == (True, "released"), "nothing of them is in it"


def awaits_count(goods: Border) -> Border:
    why = phrase("perhaps_came_again", event=NOON)
    fields: dict[str, Any] = {"waiting_for": (), "reason": "count", "visit": "visit-1", "phrases": (why,)}
    return goods.gate_says(ContainerMustStay, version=2, code="to_be_counted", owner=Owner.OFFICER, **fields)


def test_a_box_whose_lots_an_officer_must_count_is_answered_so_whatever_else_it_waits_for() -> None:
    assert answer_of(awaits_count(free("1"))) == (False, "to_be_counted", 1, 1)
    assert answer_of(awaits_count(free("1")), held("2"))[:2] == (False, "to_be_counted")
    counted = awaits_count(free("1"))
    counted.gate_says(ContainerMayLeave, version=3, consignments=(counted.id,), visit="visit-1")
    assert answer_of(counted)[:2] == (True, "released")


def test_the_statement_of_an_older_software_version_says_less() -> None:
    old = free("1").gate_says(ContainerMustStay, version=2, waiting_for=(), reason="count", visit="visit-1")
    assert answer_of(old)[:2] == (False, "not_said")


def test_how_a_visit_ended_is_not_overwritten_by_a_no_that_only_says_that_none_is_open() -> None:
    gone = free("1")
    gone.gate_says(VisitClosed, visit="visit-1", how="loaded", consignments=(gone.id,), report_id="out")
    fields: dict[str, Any] = {"waiting_for": (), "reason": "no visit", "visit": ""}
    gone.gate_says(ContainerMustStay, version=2, code="no_visit", owner=Owner.CARRIER, **fields)
    assert answer_of(gone)[1] == "closed"
