"""Does the quarantine desk hold goods in which a pest was found until a treatment is proved?"""

import json
from datetime import timedelta
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Deadline, DeadlinePassed, Message, RequestRefused
from schemas.inspection import PestIntercepted
from schemas.phrases import Phrase, phrase
from schemas.quarantine import (
    DecideTreatment,
    RecordTreatment,
    TreatmentAbandoned,
    TreatmentCancelled,
    TreatmentFailed,
    TreatmentOrdered,
    TreatmentOverdue,
    TreatmentVerified,
)
from schemas.risk import ConsignmentAssessed
from schemas.vocabulary import ControlKind, GoodsClass, TreatmentDecision, TreatmentMethod
from services.quarantine import decider
from services.quarantine.needs import Abandoned, Withdrawn
from tests import facts
from tests.architecture.golden import FOLDER as EXAMPLES
from tests.facts import declaration_withdrawn
from tests.quarantine.records import BROMIDE, FLUORIDE, HEAT, PHOSPHINE, bad_treatment, good_treatment
from tests.voice import CONSIGNMENT, NOON, Story, keeps_its_promises, story

BEETLE = "Monochamus alternatus"
FIVE_DAYS = timedelta(days=5)


def assessed(*controls: ControlKind) -> ConsignmentAssessed:
    return facts.consignment_assessed(*controls, goods=(GoodsClass.WOOD,))


TIMBER = assessed(ControlKind.INSPECTION, ControlKind.QUARANTINE)


def pest(control: ControlKind = ControlKind.INSPECTION) -> PestIntercepted:
    return facts.pest_intercepted(control, pest=BEETLE)


def good(origin: str = "risk", attempt: int = 1, method: TreatmentMethod = HEAT) -> RecordTreatment:
    return good_treatment(CONSIGNMENT, origin, attempt, method)


def bad(origin: str = "risk", attempt: int = 1, method: TreatmentMethod = HEAT) -> RecordTreatment:
    return bad_treatment(CONSIGNMENT, origin, attempt, method)


def ordered(desk: Story, origin: str = "risk", attempt: int = 1, pest: str = "") -> TreatmentOrdered:
    methods, due = (HEAT, BROMIDE, FLUORIDE), desk.at + FIVE_DAYS
    return facts.treatment_ordered(origin, attempt, methods=methods, pest=pest, due=due, at=desk.at)


def verified(desk: Story, origin: str = "risk", attempt: int = 1) -> TreatmentVerified:
    return facts.treatment_verified(origin, attempt=attempt, at=desk.at)


def failed(desk: Story, origin: str = "risk", attempt: int = 1) -> TreatmentFailed:
    short = phrase("held_short", measured="wood core", celsius="56", held="15 min", wanted="30 min")
    fact = facts.treatment_failed(origin, attempt, short, at=desk.at)
    assert fact.shortfalls == ("wood core held 56 °C for 15 min; wanted 30 min without a break",)
    return fact


def refused(desk: Story, code: str, reason: str, why: Phrase) -> RequestRefused:
    fact = facts.request_refused(f"m{desk.count}", "RecordTreatment", code, why, at=desk.at)
    assert fact.reason == reason
    return fact


def test_goods_are_ordered_to_treatment_within_five_days() -> None:
    desk = story(decider).when(TIMBER)
    desk.then(ordered(desk))
    assert desk.deadlines() == (Deadline("overdue/risk", desk.at + FIVE_DAYS),)


def test_goods_without_a_quarantine_control_leave_no_trace() -> None:
    desk = story(decider).when(assessed(ControlKind.INSPECTION)).then()
    assert desk.state is decider.INITIAL


def test_a_pest_met_by_an_officer_is_ordered_to_treatment_under_its_name() -> None:
    desk = story(decider).when(pest())
    desk.then(ordered(desk, "inspection", pest=BEETLE))


def test_risk_and_pest_each_owe_their_own_treatment_whichever_is_heard_first() -> None:
    desk = story(decider, pest()).when(TIMBER)
    desk.then(ordered(desk))
    desk.when(good()).then(verified(desk))
    assert [limit.name for limit in desk.deadlines()] == ["overdue/inspection"]
    desk.when(good("inspection")).then(verified(desk, "inspection"))


def test_an_assessment_or_a_pest_heard_again_orders_nothing_more() -> None:
    desk = story(decider, TIMBER, pest())
    before = desk.state
    desk.when(TIMBER).then()
    desk.when(pest()).then()
    assert desk.state is before


def test_a_treatment_that_meets_its_schedule_is_verified_but_a_pest_may_still_be_met() -> None:
    desk = story(decider, TIMBER).when(good())
    desk.then(verified(desk))
    assert desk.deadlines() == () and not decider.closed(desk.state)
    desk.when(pest()).then(ordered(desk, "inspection", pest=BEETLE))


def test_a_treatment_that_falls_short_is_ordered_once_more() -> None:
    desk = story(decider, pest()).when(bad("inspection"))
    desk.then(failed(desk, "inspection"), ordered(desk, "inspection", 2, BEETLE))
    desk.when(good("inspection", 2)).then(verified(desk, "inspection", 2))


def test_after_the_third_failure_the_goods_are_given_up() -> None:
    desk = story(decider, TIMBER, bad(), bad(attempt=2)).when(bad(attempt=3))
    given_up = facts.treatment_abandoned("risk", at=desk.at)
    desk.then(failed(desk, attempt=3), given_up)
    assert isinstance(desk.state, Abandoned) and desk.deadlines() == ()


def test_goods_given_up_are_treated_no_more_whatever_is_heard() -> None:
    desk = story(decider, TIMBER, bad(), bad(attempt=2), bad(attempt=3))
    before = desk.state
    desk.when(good(attempt=3))
    desk.then(
        refused(desk, "consignment_closed", "the last treatment failed; the goods are given up", phrase("last_failed"))
    )
    desk.when(bad(attempt=3), message_id="m4").then()
    assert desk.state is before
    desk.when(pest()).then()
    desk.when(declaration_withdrawn()).then()
    desk.when(bad(attempt=3), message_id="m4").then()
    desk.when(pest()).then()


def test_a_method_that_nobody_ordered_is_a_shortfall() -> None:
    desk = story(decider, TIMBER).when(good(method=PHOSPHINE))
    (fact, again) = desk.answer
    assert isinstance(fact, TreatmentFailed) and again == ordered(desk, attempt=2)
    assert fact.shortfalls == ("method is PH3; wanted one of HT, MB, SF",)


def test_a_record_for_an_origin_without_an_order_is_refused() -> None:
    desk = story(decider).when(good())
    desk.then(
        refused(
            desk,
            "not_ordered",
            "no treatment is ordered for origin 'risk'",
            phrase("no_treatment_ordered", origin="risk"),
        )
    )
    assert desk.state is decider.INITIAL
    desk.when(TIMBER).when(good("sampling"))
    desk.then(
        refused(
            desk,
            "not_ordered",
            "no treatment is ordered for origin 'sampling'",
            phrase("no_treatment_ordered", origin="sampling"),
        )
    )


def test_a_record_of_an_earlier_or_a_later_attempt_is_refused() -> None:
    desk = story(decider, TIMBER, bad()).when(good(attempt=1))
    desk.then(
        refused(
            desk,
            "wrong_attempt",
            "attempt 1 was recorded; attempt 2 was ordered last",
            phrase("attempt_of_last", attempt=1, last=2),
        )
    )
    desk.when(good(attempt=3))
    desk.then(
        refused(
            desk,
            "not_ordered",
            "attempt 3 was recorded; attempt 2 was ordered last",
            phrase("attempt_of_last", attempt=3, last=2),
        )
    )


def test_a_second_unit_cannot_answer_a_verified_treatment() -> None:
    desk = story(decider, TIMBER, good()).when(bad())
    desk.then(
        refused(desk, "already_answered", "attempt 1 was verified already", phrase("attempt_verified", attempt=1))
    )


def test_the_same_request_delivered_again_says_nothing() -> None:
    desk = story(decider, TIMBER).when(bad(), message_id="r1")
    before = desk.state
    desk.when(bad(), message_id="r1").then()
    assert desk.state is before
    desk.when(good(attempt=2), message_id="r2").when(good(attempt=2), message_id="r2").then()


def test_a_withdrawal_cancels_what_was_not_verified_yet() -> None:
    desk = story(decider, TIMBER, pest(), pest(ControlKind.SAMPLING), good("inspection")).when(declaration_withdrawn())
    desk.then(
        facts.treatment_cancelled("risk", desk.at),
        facts.treatment_cancelled("sampling", desk.at),
    )
    assert decider.closed(desk.state) and desk.deadlines() == ()
    desk.when(good()).then(refused(desk, "consignment_closed", "the declaration was withdrawn", phrase("withdrawn")))
    desk.when(good("inspection"), message_id="m4").then()


def test_goods_withdrawn_before_anything_else_are_never_treated() -> None:
    desk = story(decider, declaration_withdrawn())
    desk.when(TIMBER).then()
    desk.when(pest()).then()


def test_a_late_treatment_is_called_overdue_once_per_attempt() -> None:
    desk = story(decider, TIMBER)
    (first,) = desk.deadlines()
    desk.when(DeadlinePassed(subject=CONSIGNMENT, name=first.name, due=first.due), at=first.due)
    desk.then(facts.treatment_overdue("risk", NOON + timedelta(minutes=1), first.due, 1))
    assert desk.deadlines() == ()
    desk.when(DeadlinePassed(subject=CONSIGNMENT, name=first.name, due=first.due)).then()
    desk.when(bad()).then(failed(desk), ordered(desk, attempt=2))
    (second,) = desk.deadlines()
    desk.when(DeadlinePassed(subject=CONSIGNMENT, name=first.name, due=first.due)).then()
    desk.when(DeadlinePassed(subject=CONSIGNMENT, name=second.name, due=second.due))
    assert [fact.attempt for fact in desk.answer if isinstance(fact, TreatmentOverdue)] == [2]
    desk.when(good(attempt=2)).then(verified(desk, attempt=2))


def test_a_limit_of_withdrawn_goods_reminds_nobody() -> None:
    desk = story(decider, TIMBER)
    (limit,) = desk.deadlines()
    desk.when(declaration_withdrawn()).when(DeadlinePassed(subject=CONSIGNMENT, name=limit.name, due=limit.due)).then()


EARLIER = Path(__file__).parent / "earlier"
"""States and requests as an older software version stored them, without goods, sampling places and start times."""


def test_a_treatment_that_an_earlier_release_ordered_is_judged_by_the_schedules_of_wood() -> None:
    desk = Story(decider, decider.STATE.validate_json((EARLIER / "treating.json").read_bytes()))
    assert desk.deadlines() == (Deadline("overdue/inspection", NOON + FIVE_DAYS),)
    desk.when(good("inspection")).then(verified(desk, "inspection"))


def test_a_record_that_an_earlier_release_wrote_is_read_and_refused_until_it_says_when_it_started() -> None:
    data = (EARLIER / "RecordTreatment.json").read_bytes()
    for stored in (RecordTreatment.model_validate_json(data), RecordTreatment.read_stored(data)):
        old = stored.model_copy(update={"consignment_id": CONSIGNMENT})
        desk = Story(decider, decider.STATE.validate_json((EARLIER / "treating.json").read_bytes()))
        desk.when(old)
        desk.then(
            refused(
                desk,
                "start_missing",
                "started_at is missing: nothing shows that the treatment followed its order",
                phrase("start_missing"),
            )
        )
        assert {reading.place for reading in old.readings} == {"1"}


def test_an_order_and_a_pest_that_an_earlier_release_published_are_understood() -> None:
    old = json.loads((EXAMPLES / "PestIntercepted.json").read_bytes())
    desk = story(decider).when(PestIntercepted.read_stored(json.dumps(old | {"consignment_id": CONSIGNMENT}).encode()))
    assert [fact.goods for fact in desk.answer if isinstance(fact, TreatmentOrdered)] == [GoodsClass.WOOD]
    assert TreatmentOrdered.read_stored((EXAMPLES / "TreatmentOrdered.json").read_bytes()).goods is GoodsClass.WOOD


_ORIGINS = st.sampled_from(["risk", "inspection", "sampling"])
_DECISIONS = st.builds(
    lambda what, origin: DecideTreatment(
        consignment_id=CONSIGNMENT,
        asked_by="officer-9",
        occurred_at=NOON,
        origin=origin,
        decision=what,
        goods=GoodsClass.WOOD,
        methods=(HEAT,),
        reason="as I see it",
    ),
    st.sampled_from(TreatmentDecision),
    _ORIGINS,
)
_RECORDS = st.builds(
    lambda make, origin, attempt: make(origin, attempt),
    st.sampled_from([good, bad]),
    _ORIGINS,
    st.integers(1, 3),
)
_MESSAGES: st.SearchStrategy[Message] = st.one_of(
    st.sampled_from([TIMBER, assessed(), TIMBER.model_copy(update={"goods": (GoodsClass.LIVE,)})]),
    _DECISIONS,
    st.just(pest(ControlKind.SAMPLING).model_copy(update={"pest": "Solenopsis invicta"})),
    st.sampled_from([ControlKind.INSPECTION, ControlKind.SAMPLING]).map(pest),
    _RECORDS,
    _RECORDS,
    _ORIGINS.map(
        lambda origin: DeadlinePassed(
            subject=CONSIGNMENT, name=f"overdue/{origin}", due=NOON + timedelta(minutes=1) + FIVE_DAYS
        )
    ),
    st.just(declaration_withdrawn()),
)


@settings(max_examples=120, deadline=None)
@given(messages=st.lists(_MESSAGES, max_size=10))
def test_hearing_anything_twice_adds_nothing_new(messages: list[Message]) -> None:
    keeps_its_promises(decider, messages)


@settings(max_examples=120, deadline=None)
@given(records=st.lists(_RECORDS, max_size=9), leave=st.booleans(), shuffle=st.randoms(use_true_random=False))
def test_in_any_order_attempts_count_up_and_nothing_follows_the_end(
    records: list[RecordTreatment], leave: bool, shuffle: Random
) -> None:
    messages: list[Message] = [
        TIMBER,
        pest(),
        pest(ControlKind.SAMPLING),
        TIMBER,
        *records,
        *[declaration_withdrawn()] * leave,
    ]
    shuffle.shuffle(messages)
    desk = Story(decider, decider.INITIAL)
    ended = False
    for message in messages:
        desk.when(message)
        assert all(isinstance(fact, RequestRefused) for fact in desk.answer) or not ended
        ended = isinstance(desk.state, Abandoned | Withdrawn)
    for origin in ("risk", "inspection", "sampling"):
        own = [fact for fact in desk.facts if getattr(fact, "origin", None) == origin]
        attempts = [fact.attempt for fact in own if isinstance(fact, TreatmentOrdered)]
        assert attempts == list(range(1, len(attempts) + 1)) and len(attempts) <= 3
        fallen = sum(isinstance(fact, TreatmentFailed) for fact in own)
        ends = sum(isinstance(f, TreatmentVerified | TreatmentAbandoned | TreatmentCancelled) for f in own)
        assert ends <= 1
        assert len(attempts) == (min(fallen + 1, 3) if attempts else fallen)
        assert ended or attempts
    kept = {need.origin for need in getattr(desk.state, "needs", ())}
    assert ended or kept == {"risk", "inspection", "sampling"}
