"""Which treatment is ordered for which goods against which pest, and when does an officer decide?"""

from datetime import date, timedelta
from typing import Any

import pytest

from schemas.codes.goods import TABLE, goods_class, goods_classes
from schemas.codes.schedules import ROWS
from schemas.codes.trade import PACKAGE_KINDS
from schemas.envelope import DeadlinePassed, Fact
from schemas.inspection import PestIntercepted
from schemas.quarantine import (
    DecideTreatment,
    RetractTreatment,
    TreatmentFailed,
    TreatmentOrdered,
    TreatmentOverdue,
    TreatmentReferred,
    TreatmentRetracted,
    TreatmentVerified,
)
from schemas.vocabulary import ControlKind, GoodsClass, TreatmentDecision, TreatmentMethod
from services.quarantine import decider
from services.quarantine.needs import Abandoned
from tests import facts
from tests.facts import declaration_withdrawn
from tests.quarantine.just import just, record
from tests.quarantine.records import BROMIDE, COLD, FLUORIDE, GOOD, HEAT, PHOSPHINE, good_treatment, treatment
from tests.quarantine.test_quarantine_desk import TIMBER
from tests.voice import CONSIGNMENT, NOON, Story, story

WOOD, FRUIT, CITRUS, CHERRIES = GoodsClass.WOOD, GoodsClass.FRUIT, GoodsClass.CITRUS, GoodsClass.CHERRIES
GRAIN, LIVING, OTHER, VEHICLE = GoodsClass.GRAIN, GoodsClass.LIVE, GoodsClass.OTHER, GoodsClass.CONVEYANCE
FLOWERS = GoodsClass.CUT_FLOWERS


def found(pest: str, *goods: GoodsClass) -> PestIntercepted:
    """The fact that an officer found this pest in these goods."""
    return facts.pest_intercepted(ControlKind.INSPECTION, pest=pest, goods=goods)


def decision(what: TreatmentDecision, origin: str = "inspection", **fields: Any) -> DecideTreatment:
    return DecideTreatment(
        consignment_id=CONSIGNMENT,
        asked_by="officer-9",
        occurred_at=NOON,
        origin=origin,
        decision=what,
        reason="隔离检疫合格 healthy after isolation",
        **fields,
    )


def ordered(message: PestIntercepted) -> tuple[GoodsClass, tuple[TreatmentMethod, ...]] | None:
    """The goods that are treated, and the methods for them; None if an officer decides."""
    (fact,) = story(decider).when(message).answer
    if isinstance(fact, TreatmentReferred):
        assert (fact.goods, fact.pest) == (message.goods, message.pest)
        return None
    assert isinstance(fact, TreatmentOrdered)
    return fact.goods, fact.methods


BY_WOOD = (WOOD, (HEAT, BROMIDE, FLUORIDE))


@pytest.mark.parametrize(
    ("pest", "goods", "wanted"),
    [
        ("Monochamus alternatus", (WOOD,), BY_WOOD),
        ("Monochamus alternatus", (WOOD, OTHER), BY_WOOD),
        ("Monochamus alternatus", (OTHER,), BY_WOOD),  # the pest may be in wood packaging that nobody declared
        ("Monochamus alternatus", (), BY_WOOD),  # an older version of the inspection desk named no goods
        ("Some beetle", (WOOD,), BY_WOOD),
        ("Sitophilus oryzae", (GRAIN,), (GRAIN, (PHOSPHINE,))),
        ("Sitophilus oryzae", (WOOD, GRAIN), (GRAIN, (PHOSPHINE,))),  # the pest lives in the grain, not in the wood
        ("Monochamus alternatus", (WOOD, GRAIN), BY_WOOD),
        ("Cydia pomonella", (CHERRIES,), (CHERRIES, (BROMIDE,))),
        ("Ceratitis capitata", (CITRUS,), (CITRUS, (COLD,))),
        ("Frankliniella occidentalis", (FLOWERS,), (FLOWERS, (BROMIDE,))),
        ("Halyomorpha halys", (VEHICLE,), (VEHICLE, (HEAT, BROMIDE, FLUORIDE))),
        # in all following cases an officer decides
        ("Bactrocera dorsalis", (CITRUS,), None),  # the table has no schedule against this fly
        ("Drosophila suzukii", (FRUIT,), None),  # the fly lives in berries, and the table has no schedule for them
        ("Bactrocera dorsalis", (OTHER,), None),  # this fly lives only in fruit
        ("Solenopsis invicta", (OTHER,), None),
        ("Solenopsis invicta", (VEHICLE,), None),  # the schedules for vehicles are only against the stink bug
        ("Some beetle", (WOOD, GRAIN), None),  # the beetle may be in the wood or in the grain
        ("Some beetle", (), None),
        ("Monochamus alternatus", (LIVING, WOOD), None),  # gas and heat would also kill the living goods
        ("Ichthyophthirius multifiliis", (LIVING,), None),
        ("", (LIVING,), None),
    ],
)
def test_methods_follow_goods_and_pest(
    pest: str, goods: tuple[GoodsClass, ...], wanted: tuple[GoodsClass, tuple[TreatmentMethod, ...]] | None
) -> None:
    assert ordered(found(pest, *goods)) == wanted


def test_live_fish_are_never_ordered_heat_or_gas_but_wait_for_an_officer() -> None:
    desk = story(decider).when(TIMBER.model_copy(update={"goods": (LIVING,)}))
    desk.then(facts.treatment_referred("risk", (LIVING,), due=desk.at + timedelta(days=5), at=desk.at))
    (limit,) = desk.deadlines()
    desk.when(DeadlinePassed(subject=CONSIGNMENT, name=limit.name, due=limit.due), at=limit.due)
    assert [type(fact) for fact in desk.answer] == [TreatmentOverdue]


def test_every_method_of_the_table_can_be_ordered() -> None:
    pests = {
        WOOD: "Ips",
        GRAIN: "Trogoderma",
        CHERRIES: "Cydia",
        CITRUS: "Ceratitis",
        FLOWERS: "Thrips",
        VEHICLE: "Halyomorpha",
    }
    assert {goods for goods in GoodsClass if goods in pests} == {row.goods for row in ROWS}
    for goods, genus in pests.items():
        methods = tuple([row.method for row in ROWS if row.goods is goods])
        assert ordered(found(f"{genus} sp.", goods)) == (goods, methods)


@pytest.mark.parametrize(
    ("pest", "goods", "days"),
    [
        ("Sitophilus oryzae", GRAIN, 13),  # ten days of gas in cold grain and a margin of three days make 13
        ("Ceratitis capitata", CITRUS, 23),  # twenty days at 3 °C and a margin of three days make 23
        ("Bursaphelenchus xylophilus", WOOD, 5),
        ("Cydia pomonella", CHERRIES, 5),
    ],
)
def test_a_treatment_is_overdue_when_the_longest_that_is_ordered_could_have_been_done_and_not_before(
    pest: str, goods: GoodsClass, days: int
) -> None:
    desk = story(decider, found(pest, goods))
    (order,) = [fact for fact in desk.answer if isinstance(fact, TreatmentOrdered)]
    assert order.due == desk.at + timedelta(days=days)
    longest = max(
        step.hours for row in ROWS if row.goods is goods and row.method in order.methods for step in row.steps
    )
    assert order.due - desk.at > timedelta(hours=float(longest)), "a right treatment is never told overdue"
    assert [limit.due for limit in desk.deadlines()] == [order.due]


def test_a_record_of_grain_that_is_taken_back_leaves_as_long_as_its_order_did() -> None:
    desk = story(decider, found("Sitophilus oryzae", GRAIN)).when(
        good_treatment(CONSIGNMENT, "inspection", 1, PHOSPHINE), message_id="r1"
    )
    assert [type(fact) for fact in desk.answer] == [TreatmentVerified]
    wrong = RetractTreatment(
        consignment_id=CONSIGNMENT, asked_by="officer", occurred_at=desk.at, origin="inspection", wrong="r1", reason="x"
    )
    retracted = desk.when(wrong).answer[0]
    assert isinstance(retracted, TreatmentRetracted) and retracted.due == desk.at + timedelta(days=13)


def test_a_correct_phosphine_record_of_grain_is_verified() -> None:
    desk = story(decider, found("Sitophilus oryzae", GRAIN)).when(
        good_treatment(CONSIGNMENT, "inspection", 1, PHOSPHINE)
    )
    assert [fact.schedule for fact in desk.answer if isinstance(fact, TreatmentVerified)] == ["PH3-grain-7d-10d"]


def test_cherries_are_judged_by_their_own_schedule_and_not_by_that_of_wood() -> None:
    row = next(row for row in ROWS if row.goods is CHERRIES)
    step = row.steps[0]
    desk = story(decider, found("Cydia pomonella", CHERRIES))
    desk.when(treatment(CONSIGNMENT, "inspection", 1, BROMIDE, GOOD[BROMIDE][:2], residue="5", dose="48"))
    assert isinstance(desk.answer[0], TreatmentFailed) and desk.answer[0].schedule == row.schedule
    again = {"attempt": 2, "started_at": desk.at, "occurred_at": desk.at + timedelta(hours=3)}
    desk.when(record(row, step, just(row, step)).model_copy(update=again))
    assert [fact.schedule for fact in desk.answer if isinstance(fact, TreatmentVerified)] == [row.schedule]


# the officer's decision


def referred() -> Story:
    return story(decider, found("Drosophila suzukii", FRUIT))


def test_an_officer_lets_the_goods_pass() -> None:
    desk = referred().when(decision(TreatmentDecision.CLEAR))
    desk.then(facts.treatment_waived("inspection", because="隔离检疫合格 healthy after isolation", at=desk.at))
    assert desk.deadlines() == () and not decider.closed(desk.state)
    desk.when(declaration_withdrawn()).then()


def test_an_officer_refuses_the_goods() -> None:
    desk = referred().when(decision(TreatmentDecision.REFUSE), message_id="d1")
    desk.then(facts.quarantine_refused("inspection", because="隔离检疫合格 healthy after isolation", at=desk.at))
    assert isinstance(desk.state, Abandoned)
    desk.when(decision(TreatmentDecision.REFUSE), message_id="d1").then()
    desk.when(decision(TreatmentDecision.CLEAR)).then_refused("consignment_closed")


def test_an_officer_orders_a_treatment_whose_records_are_judged_by_its_schedule() -> None:
    desk = referred().when(decision(TreatmentDecision.TREAT, goods=WOOD, methods=(BROMIDE,)), message_id="d1")
    (fact,) = desk.answer
    assert isinstance(fact, TreatmentOrdered)
    assert (fact.attempt, fact.goods, fact.methods, fact.pest) == (1, WOOD, (BROMIDE,), "Drosophila suzukii")
    desk.when(decision(TreatmentDecision.TREAT, goods=WOOD, methods=(BROMIDE,)), message_id="d1").then()
    desk.when(decision(TreatmentDecision.CLEAR)).then_refused("not_referred")
    desk.when(good_treatment(CONSIGNMENT, "inspection", 1, BROMIDE))
    assert isinstance(desk.answer[0], TreatmentVerified)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"goods": WOOD},
        {"methods": (BROMIDE,)},
        {"goods": LIVING, "methods": (BROMIDE,)},
        {"goods": WOOD, "methods": (BROMIDE, PHOSPHINE)},
    ],
)
def test_an_officer_orders_only_what_a_schedule_can_judge(fields: dict[str, Any]) -> None:
    referred().when(decision(TreatmentDecision.TREAT, **fields)).then_refused("no_schedule")


def test_a_decision_that_nobody_asked_for_is_refused() -> None:
    story(decider).when(decision(TreatmentDecision.CLEAR)).then_refused("not_referred")
    story(decider, found("Ips sp.", WOOD)).when(decision(TreatmentDecision.CLEAR)).then_refused("not_referred")
    story(decider, declaration_withdrawn()).when(decision(TreatmentDecision.CLEAR)).then_refused("consignment_closed")


def test_a_record_before_the_officer_decided_answers_nothing() -> None:
    desk = referred().when(good_treatment(CONSIGNMENT, "inspection", 1))
    desk.then_refused("not_ordered")


def test_a_withdrawal_cancels_what_an_officer_did_not_decide() -> None:
    desk = referred().when(declaration_withdrawn())
    desk.then(facts.treatment_cancelled("inspection", desk.at))


def test_decisions_heard_twice_add_nothing() -> None:
    for what in TreatmentDecision:
        desk = referred()
        fields: dict[str, Any] = {"goods": WOOD, "methods": (HEAT,)} if what is TreatmentDecision.TREAT else {}
        first: tuple[Fact, ...] = desk.when(decision(what, **fields), message_id="d1").answer
        before = desk.state
        desk.when(decision(what, **fields), message_id="d1").then()
        assert len(first) == 1 and desk.state == before


# classes of goods


@pytest.mark.parametrize(
    ("hs_code", "wanted"),
    [
        ("0301999590", LIVING),
        ("0602909999", LIVING),
        ("0603110000", FLOWERS),
        ("0809290000", CHERRIES),
        ("0809300000", FRUIT),
        ("0810400000", FRUIT),  # blueberries
        ("0805100000", CITRUS),
        ("1201901100", GRAIN),
        ("4407110090", WOOD),
        ("4412310000", OTHER),  # plywood
        ("8703234110", VEHICLE),
        ("8471300000", OTHER),
        ("", OTHER),
    ],
)
def test_goods_are_classed_by_their_code(hs_code: str, wanted: GoodsClass) -> None:
    assert goods_class(hs_code) is wanted


def test_solid_wood_packaging_is_wood_whatever_it_carries() -> None:
    assert goods_classes(["8471300000", "0805100000"], True) == (WOOD, CITRUS, OTHER)
    assert goods_classes(["8471300000"], False) == (OTHER,)
    assert goods_classes([], False) == ()


def test_the_table_of_goods_is_dated_and_without_doubt() -> None:
    prefixes = [prefix for row in TABLE for prefix in row.prefixes]
    assert len(set(prefixes)) == len(prefixes)
    assert all(row.effective_from <= date(2026, 11, 1) for row in TABLE)
    assert {"23", "33", "93"} <= set(PACKAGE_KINDS)
