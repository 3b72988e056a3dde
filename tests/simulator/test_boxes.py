"""What happens to a simulated container? It comes back, is shared, loaded and returned empty, and terminals report
these events late, twice or corrected."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from schemas.envelope import Fact, request_id
from schemas.gate import (
    ContainerGatedOut,
    ContainerMayLeave,
    EquipmentEventRetracted,
    GateAlarmRaised,
    RecordEquipmentEvent,
    RecordGateOut,
    RetractEquipmentEvent,
)
from schemas.inspection import InspectionOrdered
from schemas.release import ConsignmentHeld, Hold, LiftHold, ReleaseGranted, ReportArrival
from schemas.risk import BoundContainer, ConsignmentAssessed, Draw
from schemas.vocabulary import ControlKind, CreditGrade, Direction, EquipmentEvent, Lane, Owner
from services.simulator.acts import Act, acts_as_sent, request_of
from services.simulator.day import BLOCK, Day, Plan
from services.simulator.people import People
from services.simulator.player import SENDER
from services.simulator.returning import Returning
from services.simulator.slips import Slip
from tests.voice import CONSIGNMENT

START = datetime(2026, 11, 23, tzinfo=UTC)
DAY = Day(1, 1000, START)
PLANS = [DAY.plan(index) for index in range(1000)]
SEA = [plan for plan in PLANS if plan.declaration.containers]
QUIET = [plan for plan in SEA if not (plan.intent.held or plan.intent.withdraws)]
NOW = START + timedelta(days=5)


def box_of(plan: Plan) -> str:
    return plan.declaration.containers[0].container_no


def assessed(plan: Plan) -> ConsignmentAssessed:
    declaration = plan.declaration
    return ConsignmentAssessed(
        consignment_id=plan.consignment_id,
        occurred_at=START,
        declaration_no="422720261000000001",
        direction=declaration.direction,
        customs_office=declaration.customs_office,
        transport_mode=declaration.transport_mode,
        bill_no=declaration.bill_no,
        containers=tuple(
            [BoundContainer(container_no=c.container_no, shared_by=c.shared_by) for c in declaration.containers]
        ),
        lane=Lane.GREEN,
        controls=(),
        credit_grade=CreditGrade.REGULAR,
        rule_set="2026-11-28",
        rules=(),
        draw=Draw(value=Decimal("0.7"), rate=Decimal("0.02"), selected=False),
        conveyance=declaration.conveyance,
    )


def acts(fact: Fact, events: bool = True) -> list[Act]:
    return People(DAY, events).react(fact)


def yes(box: str, *consignments: str) -> ContainerMayLeave:
    return ContainerMayLeave(
        container_no=box, occurred_at=START, version=1, consignments=consignments or (CONSIGNMENT,)
    )


def test_a_third_of_the_boxes_come_back_with_other_goods_and_a_fifth_of_the_consignments_share_one() -> None:
    again = [plan for plan in SEA if DAY.before(plan.index) is not None]
    boxes = {box_of(plan) for plan in SEA}
    assert 0.25 < len(again) / (len(boxes) - len(again)) < 0.4
    assert 0.15 < sum(plan.declaration.containers[0].shared_by == 2 for plan in SEA) / len(SEA) < 0.3
    for plan in again:
        first = DAY.before(plan.index)
        assert first is not None and first // BLOCK == plan.index // BLOCK and first < plan.index
        assert DAY.after(first) == plan.index and DAY.before(first) is None
        both = (PLANS[first].declaration, plan.declaration)
        assert {each.direction for each in both} == {Direction.IMPORT}
        assert {c.shared_by for each in both for c in each.containers} == {1}
        assert both[0].conveyance != both[1].conveyance


def test_who_shares_a_box_comes_or_goes_with_one_ship() -> None:
    shared = [plan for plan in SEA if DAY.shares(plan.index)]
    ships: dict[str, set[tuple[str, str]]] = {}
    for plan in shared:
        ships.setdefault(box_of(plan), set()).add((plan.declaration.direction, plan.declaration.conveyance))
    assert shared and all(len(each) == 1 for each in ships.values())


def test_the_world_knows_what_is_in_each_box_each_time() -> None:
    stays = DAY.stays(0, 1000)
    others = {DAY.targets(plan.index)[1] for plan in SEA if DAY.slip(plan.index) is Slip.STRIPPED}
    assert set(stays) == {box_of(plan) for plan in SEA} | others and others
    for plan in SEA:
        mine = [(n, stay) for n, stay in enumerate(stays[box_of(plan)]) if plan.consignment_id in stay.lots]
        assert [n for n, _ in mine] == [0], "in a box of its own, or with its neighbour"
        assert mine[0][1].imported is (plan.declaration.direction is Direction.IMPORT)
        assert len(mine[0][1].lots) == plan.declaration.containers[0].shared_by
        before = DAY.before(plan.index)
        if before is not None:
            assert stays[DAY.box(before)][1].lots == (plan.consignment_id,)
            assert box_of(plan.inside(DAY.box(before))) == DAY.box(before)
    assert all(DAY.index_of_box(box_of(plan)) in (plan.index, plan.index - 1) for plan in SEA)
    assert DAY.index_of_box("CSQU3054383") is None and DAY.index_of_box("x") is None
    half = Day(1, 1000, START).stays(1, 1000)
    assert all(len(stay.lots) > 1 for box in half for stay in half[box] if DAY.shares(DAY.index_of_box(box) or 0))


def test_some_discharges_and_gate_ins_bring_the_arrival_and_one_is_told_for_a_shared_box() -> None:
    acts_of: dict[str, list[Act]] = {}
    for plan in QUIET:
        acts_of.setdefault(box_of(plan), []).extend(acts(assessed(plan)))
    kinds = Counter(act.request.kind for each in acts_of.values() for act in each)
    assert 0.2 < kinds["RecordEquipmentEvent"] / sum(kinds.values()) < 0.4 and set(kinds) == {
        "RecordEquipmentEvent",
        "ReportArrival",
    }
    for each in acts_of.values():
        assert len({act.request.kind for act in each}) == 1, "the same way for all of a box"
        if isinstance(each[0].request, RecordEquipmentEvent):
            assert len({act.name for act in each}) == 1
            assert each[0].request.conveyance and each[0].request.laden
    imports = {each[0].request.event for each in acts_of.values() if isinstance(each[0].request, RecordEquipmentEvent)}
    assert imports == {EquipmentEvent.DISCHARGED, EquipmentEvent.GATED_IN}
    assert {act.request.kind for plan in QUIET for act in acts(assessed(plan), events=False)} == {"ReportArrival"}


def test_nobody_discharges_goods_whose_officer_or_declarant_wants_them_first() -> None:
    """If these goods share a container, a discharge for the other consignment would report the arrival of both, and the
    hold or the withdrawal might come too late."""
    wanted = [plan for plan in SEA if plan.intent.held or plan.intent.withdraws]
    assert wanted
    for plan in wanted:
        neighbour = PLANS[plan.index ^ 1]
        if DAY.shares(plan.index) and not (neighbour.intent.held or neighbour.intent.withdraws):
            assert [act.request.kind for act in acts(assessed(neighbour))] == ["ReportArrival"]


def test_a_box_that_came_back_is_discharged_once_more_under_a_name_of_its_own() -> None:
    again = next(plan for plan in QUIET if DAY.before(plan.index) is not None)
    box = DAY.box(DAY.before(again.index) or 0)
    [act] = acts(assessed(again.inside(box)))
    assert isinstance(act.request, RecordEquipmentEvent) and act.request.container_no == box
    assert act.request.event is EquipmentEvent.DISCHARGED and act.name == f"{box}/in/2"


def test_departures_are_told_once_late_twice_or_corrected() -> None:
    ways: Counter[str] = Counter()
    for plan in SEA:
        box = box_of(plan)
        reports = acts(yes(box))
        if reports[-1].request.kind == "RetractEquipmentEvent":
            continue
        assert reports == acts(yes(box)) == acts(yes(box).model_copy(update={"version": 9})), (
            "one departure, however often allowed"
        )
        first = reports[0].request
        assert isinstance(first, RecordGateOut | RecordEquipmentEvent) and reports[0].stamped
        if len(reports) == 1 and reports[0].not_before is not None:
            assert reports[0].at - first.occurred_at >= timedelta(hours=2)
            ways["late"] += 1
        elif len(reports) == 1:
            ways[first.kind] += 1
        elif reports[1].replaces:
            second = request_of(reports[1], SENDER, None)
            assert isinstance(second, RecordEquipmentEvent) and isinstance(first, RecordEquipmentEvent)
            assert second.replaces == request_id(SENDER, reports[0].name) and second.place != first.place
            assert second.occurred_at == first.occurred_at
            ways["corrected"] += 1
        else:
            assert reports[1].request == first and reports[1].name != reports[0].name
            ways["twice"] += 1
        plain = acts(yes(box), events=False)
        assert [act.request.kind for act in plain] == ["RecordGateOut"]
    assert (
        set(ways) == {"late", "twice", "corrected", "RecordGateOut", "RecordEquipmentEvent"} and min(ways.values()) > 10
    )


def test_a_few_departures_are_told_by_mistake_and_taken_back_before_the_box_really_leaves() -> None:
    mistaken = [box_of(plan) for plan in SEA if acts(yes(box_of(plan)))[-1].request.kind == "RetractEquipmentEvent"]
    assert 0.01 < len(mistaken) / len(SEA) < 0.05
    for box in mistaken:
        people = People(DAY)
        wrong, back = people.react(yes(box))
        request = request_of(back, SENDER, NOW)
        assert isinstance(wrong.request, RecordEquipmentEvent) and isinstance(request, RetractEquipmentEvent)
        assert request.report_id == request_id(SENDER, wrong.name) and request.asked_by == wrong.request.asked_by
        assert people.react(yes(box)) == [wrong, back], "it was not taken back yet"
        retracted = EquipmentEventRetracted(
            container_no=box, occurred_at=NOW, report_id=request.report_id, reason="x", retracted_by="y"
        )
        left = people.react(retracted)
        assert left and {wrong.name, back.name}.isdisjoint({act.name for act in left})
        assert all(act.request.kind in ("RecordGateOut", "RecordEquipmentEvent") and act.at > NOW for act in left)
        assert [act.name for act in people.react(yes(box))] == [act.name for act in left], "it leaves once"
        assert people.react(retracted) == [], "it was told so"
        index = DAY.index_of_box(box)
        assert index is not None and DAY.after(index) is None and not DAY.shares(index), "nobody waits for this box"
        gone = ContainerGatedOut(container_no=box, occurred_at=START, gate="G1", consignments=(CONSIGNMENT,))
        assert acts(gone) == [], "it does not come back empty from where it never was"
        assert acts(yes(box), events=False)[0].request.kind == "RecordGateOut"


def test_a_lapsed_release_is_given_again_by_an_officer() -> None:
    lapse = Hold(hold_id="officer/lapse/3", owner=Owner.OFFICER, reason="x", since=START, lifted_by="LiftHold")
    held = ConsignmentHeld(consignment_id=CONSIGNMENT, occurred_at=START, version=5, holds=(lapse,))
    [act] = acts(held)
    assert isinstance(act.request, LiftHold) and act.request.hold_id == "officer/lapse/3"
    other = lapse.model_copy(update={"hold_id": "officer/lapse/7"})
    assert acts(held.model_copy(update={"holds": (other,)}))[0].name != act.name


@pytest.mark.parametrize("end", ["rejected", "refused", "withdrawn"])
def test_a_lapsed_release_is_not_given_again_while_other_goods_keep_the_box(end: str) -> None:
    """If the hold of the lapse were lifted, the release would lapse and be granted again for ever, and a simulated day
    would never end."""
    shared = [plan for plan in QUIET if DAY.shares(plan.index) and not DAY.intent(plan.index ^ 1).again]
    plan, ends = shared[0], dict[str, str]()
    people = People(DAY, ends=ends)
    lapse = Hold(hold_id="officer/lapse/3", owner=Owner.OFFICER, reason="x", since=START, lifted_by="LiftHold")

    def lapsed() -> list[Act]:
        assert people.react(granted(plan)) == []
        held = ConsignmentHeld(consignment_id=plan.consignment_id, occurred_at=START, version=5, holds=(lapse,))
        return people.react(held)

    ends[DAY.plan(plan.index ^ 1).consignment_id] = "released"
    assert [act.request.kind for act in lapsed()] == ["LiftHold"] and not people.kept
    ends[DAY.plan(plan.index ^ 1).consignment_id] = end
    assert lapsed() == [] and people.kept == {plan.consignment_id}


def granted(plan: Plan) -> ReleaseGranted:
    declaration = plan.declaration
    return ReleaseGranted(
        consignment_id=plan.consignment_id,
        occurred_at=START,
        version=2,
        declaration_no="422720261000000001",
        direction=declaration.direction,
        customs_office=declaration.customs_office,
        transport_mode=declaration.transport_mode,
        bill_no=declaration.bill_no,
        containers=tuple([c.container_no for c in declaration.containers]),
        lane=Lane.GREEN,
        arrived_at=START,
        answers={},
    )


def test_some_exports_that_are_alone_in_their_box_are_loaded_on_their_ship_after_a_while() -> None:
    loaded = {plan.index: acts(granted(plan)) for plan in SEA}
    assert all(len(each) <= 1 for each in loaded.values())
    exports = [plan for plan in SEA if plan.declaration.direction is Direction.EXPORT and not DAY.shares(plan.index)]
    ours = [plan for plan in exports if loaded[plan.index]]
    assert 0.2 < len(ours) / len(exports) < 0.5
    assert sum(map(bool, loaded.values())) == len(ours), "nothing else is"
    for plan in ours:
        [act] = loaded[plan.index]
        assert isinstance(act.request, RecordEquipmentEvent) and act.request.event is EquipmentEvent.LOADED
        assert act.request.conveyance == plan.declaration.conveyance
        assert act.at - START >= timedelta(hours=20) and act.stamped
        assert act.at_end, "by then the gate has surely heard of the release; else it would be an alarm"
        assert acts(granted(plan), events=False) == []


def test_some_boxes_come_back_empty_and_leave_empty() -> None:
    empties = 0
    for plan in SEA:
        out = ContainerGatedOut(container_no=box_of(plan), occurred_at=START, gate="G1", consignments=(CONSIGNMENT,))
        reports = acts(out)
        if reports:
            empties += 1
            events = [act.request for act in reports]
            assert all(isinstance(each, RecordEquipmentEvent) and each.laden is False for each in events)
            assert [each.event.value for each in events if isinstance(each, RecordEquipmentEvent)] == ["GTIN", "GTOT"]
            assert DAY.after(plan.index) is None, "not one that is awaited with other goods"
        assert acts(out, events=False) == []
    assert 0.05 < empties / len(SEA) < 0.2


@pytest.mark.parametrize("blocks", [True, False])
def test_an_officer_looks_for_a_box_whose_alarm_keeps_it(blocks: bool) -> None:
    alarm = GateAlarmRaised(
        container_no=box_of(SEA[0]),
        occurred_at=START,
        gate="G1",
        waiting_for=(),
        reason="x",
        report_id="r",
        blocks=blocks,
    )
    found = acts(alarm)
    assert [act.request.kind for act in found] == ["RecordContainerFinding"] * blocks


def test_without_pace_an_event_happens_when_it_is_heard_of_and_is_told_when_it_is_due() -> None:
    late = next(acts(yes(box_of(plan))) for plan in SEA if acts(yes(box_of(plan)))[0].not_before is not None)[0]
    assert request_of(late, SENDER, NOW).occurred_at == NOW
    assert request_of(late, SENDER, None) == late.request
    plain = next(
        acts(assessed(plan))[0] for plan in QUIET if isinstance(acts(assessed(plan))[0].request, ReportArrival)
    )
    assert request_of(plain, SENDER, NOW).occurred_at == NOW, "an arrival is an event, too"


def test_what_a_person_answers_or_asks_is_dated_when_it_is_said_and_not_when_the_thought_began() -> None:
    """In an older version, a finding or a request of a paced day had the time of the fact that caused it. The page of
    goods then showed findings before the order of their control."""
    ordered = InspectionOrdered(
        consignment_id=CONSIGNMENT,
        occurred_at=START,
        control=ControlKind.SAMPLING,
        customs_office="4227",
        due=START + timedelta(days=7),
    )
    withdrawn = next(plan for plan in PLANS if plan.intent.withdraws)
    for fact in (ordered, assessed(withdrawn)):
        act = acts(fact)[0]
        assert act.at > START and request_of(act, SENDER, None).occurred_at == act.at
        assert request_of(act, SENDER, NOW).occurred_at == START, "a day without pace has no other time to tell"


def test_who_takes_over_tells_the_rest_of_an_event_with_the_time_that_was_told_first() -> None:
    """A departure is reported twice. A player that takes over between the two reports must not date the second report
    with the present time, because the container may be back with other goods by then."""
    pairs = [pair_of_acts for pair_of_acts in (acts(yes(box_of(plan))) for plan in SEA) if len(pair_of_acts) == 2]
    assert pairs
    for pair in pairs:
        pair_of_acts = {request_id(SENDER, pair[0].name): NOW}
        later = NOW + timedelta(days=1)
        assert [act.request.occurred_at for act in acts_as_sent(pair, SENDER, pair_of_acts, later)] == [NOW, NOW]
        assert [act.request.occurred_at for act in acts_as_sent(pair, SENDER, {}, later)] == [later, later]
        assert [act.request for act in acts_as_sent(pair, SENDER, pair_of_acts, None)] == [
            request_of(a, SENDER, None) for a in pair
        ]
    assert acts_as_sent([], SENDER, {}, NOW) == []


LEFT = ("ContainerGatedOut", "VisitClosed", "ContainerFindingRecorded")
STAYED = ("DeclarationRejected", "ReleaseRefused", "DeclarationWithdrawn")


@pytest.mark.parametrize("early", [True, False], ids=["before they are due", "later"])
@pytest.mark.parametrize("kind", [*LEFT, *STAYED])
def test_goods_that_come_in_a_box_that_was_here_are_lodged_once_it_is_known_whether_it_left(
    kind: str, early: bool
) -> None:
    again = next(plan for plan in SEA if DAY.before(plan.index) is not None)
    first = PLANS[DAY.before(again.index) or 0]
    key = box_of(first) if kind in LEFT else first.consignment_id
    returning = Returning(DAY, 0)
    lodged = [returning.due_after(kind, key)] if early else []
    lodged += [returning.due(again)]
    assert lodged == ([None, again.inside(box_of(first)) if kind in LEFT else again] if early else [None])
    if not early:
        assert returning.due_after("ReleaseGranted", first.consignment_id) is None
        lodged = [returning.due_after(kind, key)]
        assert lodged == [again.inside(box_of(first)) if kind in LEFT else again]
    assert returning.due_after(kind, key) is None, "once"
    assert (
        returning.due_after(STAYED[0], first.consignment_id) is None
        and returning.due_after(LEFT[0], box_of(first)) is None
    )


def test_other_goods_are_lodged_when_they_are_due() -> None:
    returning = Returning(DAY, 0)
    alone = next(plan for plan in SEA if DAY.before(plan.index) is None)
    assert returning.due(alone) == alone
    again = next(plan for plan in SEA if DAY.before(plan.index) is not None)
    assert Returning(DAY, again.index).due(again) == again, "nobody plays the goods that came in its box before"
