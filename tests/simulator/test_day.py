"""Is a simulated day the same for the same seed, and is it similar to a real day?"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import combinations

import pytest
from stdnum import iso6346
from stdnum.cn import uscc

from schemas.declaration import LodgeDeclaration, WithdrawDeclaration
from schemas.envelope import Hearing, RequestRefused
from schemas.inspection import FindingsResult, InspectionOrdered, RecordFindings, RectificationRequested
from schemas.papers.checks import findings
from schemas.quarantine import DecideTreatment, RecordTreatment, TreatmentOrdered, TreatmentReferred
from schemas.release import DeclarationWithdrawn, ReportArrival
from schemas.risk import BoundContainer, ConsignmentAssessed, Draw
from schemas.vocabulary import (
    ControlKind,
    CreditGrade,
    Direction,
    GoodsClass,
    Lane,
    Severity,
    TreatmentDecision,
    TreatmentMethod,
    consignment_id,
)
from services.quarantine import decider as quarantine
from services.quarantine.methods import methods_for
from services.shell.clock import Clock
from services.simulator.acts import Act
from services.simulator.day import Day, index_of
from services.simulator.people import PESTS, People
from services.simulator.player import KINDS, LEAST_SPEED, ClockTooSlow, Player
from services.simulator.settings import SimulatorSettings
from tests.voice import CONSIGNMENT, Story

START = datetime(2026, 11, 23, tzinfo=UTC)
DAY = Day(1, 1000, START)
PLANS = [DAY.plan(index) for index in range(1000)]


def test_the_same_seed_is_the_same_day_and_another_seed_another() -> None:
    assert [Day(1, 1000, START).plan(index) for index in range(50)] == PLANS[:50]
    other = [Day(2, 1000, START).plan(index).declaration for index in range(50)]
    assert all(a.declaration != b for a, b in zip(PLANS[:50], other, strict=True))


def test_lodgements_come_in_order_within_the_day_and_the_next_day_follows() -> None:
    times = [plan.lodged_at for plan in PLANS]
    assert times == sorted(times) and times[0] >= START and times[-1] < START + timedelta(days=1)
    assert DAY.lodged_at(1000) == times[0] + timedelta(days=1)
    assert [DAY.index_at(times[index]) for index in (0, 7, 999)] == [0, 7, 999]
    assert DAY.index_at(START - timedelta(days=9)) == 0 and DAY.index_at(DAY.lodged_at(2345)) == 2345


def test_codes_and_containers_check_by_somebody_elses_rules() -> None:
    for plan in PLANS:
        assert uscc.is_valid(plan.declaration.declarant)
        assert all(iso6346.is_valid(c.container_no) for c in plan.declaration.containers)
        assert index_of(plan.declaration.bill_no, 1) == plan.index
    assert index_of("SIM2-7", 1) is None and index_of("KR-7", 1) is None and index_of("SIM1-", 1) is None


def test_a_container_says_how_many_share_it_and_they_do() -> None:
    shared: dict[str, list[int]] = {}
    for plan in PLANS:
        for container in plan.declaration.containers:
            shared.setdefault(container.container_no, []).append(container.shared_by)
    assert all(len(claims) == claims[0] and len(set(claims)) == 1 for claims in shared.values())
    assert any(len(claims) == 2 for claims in shared.values())


def test_few_declarations_are_wrong_and_each_of_them_is_seen() -> None:
    wrong = [
        plan
        for plan in PLANS
        if any(f.severity is Severity.ERROR for f in findings(plan.declaration, date(2026, 11, 23)))
    ]
    assert 3 <= len(wrong) <= 40
    assert 1 <= sum(plan.intent.withdraws for plan in PLANS) <= 30 and any(plan.intent.held for plan in PLANS)


def looked(control: ControlKind, number: int) -> RecordFindings:
    ordered = InspectionOrdered(
        consignment_id=CONSIGNMENT[:-4] + f"{number:04}",
        occurred_at=START,
        control=control,
        customs_office="4201",
        due=START + timedelta(days=2),
    )
    [act] = People(DAY).react(ordered)
    assert act.at > START and isinstance(act.request, RecordFindings)
    return act.request


def test_officers_find_something_now_and_then_and_the_same_each_time() -> None:
    found = [looked(ControlKind.INSPECTION, number) for number in range(400)]
    assert found[:20] == [looked(ControlKind.INSPECTION, number) for number in range(20)]
    results = [each.result for each in found]
    assert 2 <= results.count(FindingsResult.NOT_CONFORM) <= 30 and 15 <= results.count(FindingsResult.PEST) <= 70
    assert all(bool(each.pest) == (each.result is FindingsResult.PEST) for each in found)


def looked_again(number: int, revision: int = 0) -> RecordFindings:
    request = RectificationRequested(
        consignment_id=CONSIGNMENT[:-4] + f"{number:04}",
        occurred_at=START,
        control=ControlKind.DOCUMENTS,
        officer="officer-liu",
        reason="papers are missing",
        due=START + timedelta(days=14),
        revision=revision,
    )
    [act] = People(DAY).react(request)
    assert START < act.at < request.due and isinstance(act.request, RecordFindings)
    return act.request


def test_papers_are_put_right_or_end_the_goods_and_the_same_each_time() -> None:
    found = [looked_again(number) for number in range(200)]
    assert found[:20] == [looked_again(number) for number in range(20)]
    results = [each.result for each in found]
    assert set(results) == {FindingsResult.CONFORM, FindingsResult.REFUSE}
    assert 30 <= results.count(FindingsResult.REFUSE) <= 90


ORDERED = TreatmentOrdered(
    consignment_id=CONSIGNMENT,
    occurred_at=START,
    origin="inspection",
    attempt=1,
    methods=(TreatmentMethod.HEAT, TreatmentMethod.METHYL_BROMIDE, TreatmentMethod.SULPHURYL_FLUORIDE),
    pest="Monochamus alternatus",
    due=START + timedelta(days=5),
    goods=GoodsClass.WOOD,
)


def treated(number: int) -> Act:
    """The record that a treatment unit sends after an order for the consignment with this number."""
    [act] = People(DAY).react(ORDERED.model_copy(update={"consignment_id": CONSIGNMENT[:-4] + f"{number:04}"}))
    return act


def test_yards_treat_as_the_schedule_demands_or_visibly_short_of_it() -> None:
    verdicts: dict[TreatmentMethod, set[str]] = {}
    for number in range(400):
        act = treated(number)
        yard = Story(quarantine, quarantine.evolve(quarantine.INITIAL, ORDERED, Hearing(START, "order", 0)))
        yard.when(act.request, at=act.at)
        assert isinstance(act.request, RecordTreatment)
        verdicts.setdefault(act.request.method, set()).add(yard.answer[0].kind)
    both = {"TreatmentVerified", "TreatmentFailed"}
    assert verdicts == {TreatmentMethod.HEAT: both, TreatmentMethod.METHYL_BROMIDE: both}


def referred(number: int, *goods: GoodsClass) -> DecideTreatment:
    """The decision of an officer about the goods of these classes in the consignment with this number."""
    referral = TreatmentReferred(
        consignment_id=CONSIGNMENT[:-4] + f"{number:04}",
        occurred_at=START,
        origin="risk",
        goods=goods,
        pest="",
        due=START + timedelta(days=5),
    )
    [act] = People(DAY).react(referral)
    assert act.at > START and isinstance(act.request, DecideTreatment)
    return act.request


def test_live_goods_pass_after_isolation_or_are_refused_and_are_never_treated() -> None:
    decisions = [referred(number, GoodsClass.LIVE).decision for number in range(200)]
    assert set(decisions) == {TreatmentDecision.CLEAR, TreatmentDecision.REFUSE}
    assert 5 < decisions.count(TreatmentDecision.REFUSE) < 60
    others = [referred(number, GoodsClass.OTHER) for number in range(200)]
    assert {each.decision for each in others} == {TreatmentDecision.TREAT, TreatmentDecision.REFUSE}
    assert {each.methods for each in others} == {(), (TreatmentMethod.HEAT, TreatmentMethod.METHYL_BROMIDE)}


def orders_of_this_border() -> set[tuple[GoodsClass, tuple[TreatmentMethod, ...]]]:
    """All treatments that the quarantine desk can order for one or two classes of goods, against no pest or a pest of
    the simulation."""
    goods = [*[(one,) for one in GoodsClass], *combinations(GoodsClass, 2)]
    found = [methods_for(each, pest, START.date()) for each in goods for pest in ("", *PESTS)]
    return {order for order in found if order is not None}


@pytest.mark.parametrize(("goods", "methods"), sorted(orders_of_this_border()))
def test_yards_treat_whatever_can_be_ordered_here_so_that_nothing_waits_for_ever(
    goods: GoodsClass, methods: tuple[TreatmentMethod, ...]
) -> None:
    ordered = ORDERED.model_copy(update={"goods": goods, "methods": methods})
    verdicts: set[str] = set()
    for number in range(100):
        [act] = People(DAY).react(ordered.model_copy(update={"consignment_id": CONSIGNMENT[:-4] + f"{number:04}"}))
        yard = Story(quarantine, quarantine.evolve(quarantine.INITIAL, ordered, Hearing(START, "order", 0)))
        yard.when(act.request, at=act.at)
        verdicts.add(yard.answer[0].kind)
    assert verdicts == {"TreatmentVerified", "TreatmentFailed"}


def test_yards_do_not_pretend_to_treat_what_they_cannot() -> None:
    citrus = ORDERED.model_copy(update={"goods": GoodsClass.CITRUS, "methods": (TreatmentMethod.COLD,)})
    assert People(DAY).react(citrus) == []


def test_a_yard_reports_a_treatment_when_its_hours_have_passed_and_not_before() -> None:
    for number in range(50):
        act = treated(number)
        record = act.request
        assert isinstance(record, RecordTreatment) and record.started_at is not None
        last = max(reading.hours for reading in record.readings)
        assert record.started_at > ORDERED.occurred_at
        assert record.started_at + timedelta(hours=float(last)) <= record.occurred_at
        assert act.not_before == act.at == record.occurred_at


def test_a_yard_whose_record_came_too_early_by_the_desks_clock_sends_it_once_more() -> None:
    people = People(DAY)
    [act] = people.react(ORDERED)
    refused = RequestRefused(
        occurred_at=act.at,
        subject=ORDERED.consignment_id,
        request_id="r1",
        request_kind="RecordTreatment",
        code="in_future",
        reason="its last reading is of tomorrow",
    )
    [again] = people.react(refused)
    assert again.request == act.request and again.name != act.name and again.not_before == act.at + timedelta(days=1)
    assert people.react(refused) == [again], "and the same each time it is read"
    assert people.react(refused.model_copy(update={"code": "already_answered"})) == []
    assert People(DAY).react(refused) == []


def test_a_play_without_pace_needs_a_clock_on_which_a_treatment_takes_no_hours() -> None:
    settings = SimulatorSettings(kafka="127.0.0.1:1", partitions=1)
    for clock in (Clock(), Clock.sandbox(LEAST_SPEED - 1)):
        with pytest.raises(ClockTooSlow, match="3600"):
            Player(settings, DAY, 0, 1, paced=False, idle_seconds=1, clock=clock)
        Player(settings, DAY, 0, 1, paced=True, idle_seconds=1, clock=clock)
    Player(settings, DAY, 0, 1, paced=False, idle_seconds=1, clock=Clock.sandbox(LEAST_SPEED))


def test_without_pace_only_what_takes_its_time_waits_for_the_clock() -> None:
    settings = SimulatorSettings(kafka="127.0.0.1:1", partitions=1)
    fast = Player(settings, DAY, 0, 1, paced=False, idle_seconds=1, clock=Clock.sandbox(LEAST_SPEED))
    paced = Player(settings, DAY, 0, 1, paced=True, idle_seconds=1)
    waits = treated(1)
    at_once = Act(waits.at, "x", waits.request)
    assert [fast.due(act) for act in (waits, at_once)] == [waits.at.timestamp(), 0.0]
    assert [paced.due(act) for act in (waits, at_once)] == [waits.at.timestamp()] * 2


def test_people_hear_what_makes_them_act_and_nothing_else() -> None:
    assert set(KINDS) == {
        "ConsignmentAssessed",
        "ConsignmentHeld",
        "InspectionOrdered",
        "RectificationRequested",
        "TreatmentOrdered",
        "TreatmentReferred",
        "ReleaseGranted",
        "ReleaseRevoked",
        "ArrivalRetracted",
        "ContainerMayLeave",
        "ContainerMustStay",
        "ContainerGatedOut",
        "EquipmentEventRetracted",
        "GateAlarmRaised",
        "RequestRefused",
        "DeclarationWithdrawn",
        "ConsignmentLeftUnreleased",
        "DepartureRetracted",
    }


@pytest.mark.parametrize("first", ["assessed", "withdrawn"])
def test_some_of_what_was_withdrawn_is_lodged_again_whatever_is_read_first(first: str) -> None:
    """The assessment and the withdrawal are on different topics, so either may be read first."""
    plan = next(p for p in PLANS if p.intent.withdraws and p.intent.again)
    known = green(plan.consignment_id, plan.declaration.bill_no)
    withdrawn = DeclarationWithdrawn(
        consignment_id=plan.consignment_id, occurred_at=START, version=1, request_id="w", reason="sold"
    )
    facts = (known, withdrawn) if first == "assessed" else (withdrawn, known)
    people = People(DAY)
    acts = [act.request for fact in facts for act in people.react(fact)]
    assert [type(request) for request in acts] == [WithdrawDeclaration, LodgeDeclaration]
    lodged = acts[1]
    assert isinstance(lodged, LodgeDeclaration) and lodged.declaration.reference == plan.declaration.reference
    assert [box.container_no for box in lodged.declaration.containers] == [box.container_no for box in known.containers]
    again = green(consignment_id(plan.declaration.declarant, plan.declaration.reference, 2), plan.declaration.bill_no)
    assert [type(act.request) for act in people.react(again)] == [ReportArrival], "it is not withdrawn once more"


def green(consignment: str, bill: str) -> ConsignmentAssessed:
    """The risk desk's assessment of goods in one container. The goods need no control."""
    return ConsignmentAssessed(
        consignment_id=consignment,
        occurred_at=START,
        declaration_no="420120261000000001",
        direction=Direction.IMPORT,
        customs_office="4201",
        transport_mode="2",
        bill_no=bill,
        containers=(BoundContainer(container_no="CSQU3054383"),),
        lane=Lane.GREEN,
        controls=(),
        credit_grade=CreditGrade.REGULAR,
        rule_set="x",
        rules=(),
        draw=Draw(value=Decimal("0.5"), rate=Decimal("0.02"), selected=False, key_id=""),
    )
