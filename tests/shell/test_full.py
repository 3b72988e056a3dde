"""Can a desk read so much that a record or a fact no longer fits into a Kafka message? The tests use the largest
possible messages."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import orjson

from schemas.declaration import Declaration, LodgeDeclaration, WithdrawalRequested, WithdrawDeclaration
from schemas.envelope import Fact, Hearing, Message, RequestRefused
from schemas.gate import (
    ContainerMayLeave,
    ContainerMustStay,
    EquipmentEventRecorded,
    GateAlarmRaised,
    RecordGateOut,
    SameGoodsDeclared,
)
from schemas.inspection import FindingsResult, PestIntercepted, RecordFindings
from schemas.quarantine import RecordTreatment
from schemas.release import (
    ConsignmentHeld,
    ContainerFreed,
    ContainerHeld,
    LiftHold,
    PlaceHold,
    ReleaseGranted,
    RetractLift,
)
from schemas.risk import ConsignmentAssessed
from schemas.vocabulary import ControlKind, consignment_id
from services.declaration import decider as declaration
from services.gate import decider as gate
from services.gate.keeping import MOST_PARTS
from services.inspection import decider as inspection
from services.quarantine import decider as quarantine
from services.release import decider as release
from services.release.withdrawals import MOST_WITHDRAWALS
from services.risk.decider import RiskDecider
from services.risk.keys import PUBLISHED
from services.shell.codec import encode
from services.shell.deciding import decide_message
from services.shell.desk import Decider
from tests.architecture.fullest import fullest
from tests.architecture.golden import EXAMPLES
from tests.architecture.test_bounds import LARGEST_MADE
from tests.facts import consignment_assessed, inspection_passed, treatment_verified
from tests.release.requests import arrival
from tests.voice import CONSIGNMENT, NOON

BOX = "CSQU3054383"


def full(kind: type[Message], **changes: object) -> Any:
    """Returns the largest message of this kind about the goods and the container of these tests."""
    about = {"consignment_id": CONSIGNMENT, "container_no": BOX}
    body = fullest(kind) | {name: value for name, value in about.items() if name in kind.model_fields} | changes
    return kind.model_validate_json(orjson.dumps(body))


class Filled:
    """A desk that reads many messages. It checks that its facts and its state are small enough."""

    def __init__(self, decider: Decider) -> None:
        self.decider: Any = decider
        self.state: Any = decider.INITIAL
        self.count = 0

    def hear(self, message: Message) -> tuple[Fact, ...]:
        """Lets the desk decide one message, which has the longest possible id. Returns the desk's facts."""
        self.count += 1
        hearing = Hearing(NOON, f"{self.count:06}".ljust(200, "i"), self.count)
        facts, self.state = decide_message(self.decider, self.state, message, hearing)
        assert max([len(encode(fact)) for fact in facts], default=0) < LARGEST_MADE
        return facts

    def hear_all(self, messages: Iterable[Message]) -> list[Fact]:
        """Lets the desk decide all these messages, checks that its state then fits into a Kafka message, and returns
        its facts."""
        facts = [fact for message in messages for fact in self.hear(message)]
        assert len(self.decider.STATE.dump_json(self.state)) < LARGEST_MADE
        return facts


def refusals(facts: Iterable[Fact]) -> list[str]:
    return [fact.code for fact in facts if isinstance(fact, RequestRefused)]


def test_a_pest_and_256_holds_stop_no_release() -> None:
    desk = Filled(release)
    desk.hear_all(
        [
            consignment_assessed(ControlKind.INSPECTION),
            arrival(),
            full(PestIntercepted, control="inspection", revision=0),
        ]
    )
    facts = desk.hear_all([full(PlaceHold, watch_id="")] * 256)
    assert refusals(facts) == ["too_many_holds"] * 192, "refused aloud, while the others hold the goods"
    held = [fact for fact in facts if isinstance(fact, ConsignmentHeld)][-1]
    open_holds = [hold.hold_id for hold in held.holds if hold.hold_id.startswith("officer/")]
    assert len(open_holds) == 64
    lifts = [full(LiftHold, hold_id=hold_id) for hold_id in open_holds]
    facts = desk.hear_all([*lifts, treatment_verified("inspection")])
    assert [fact.kind for fact in facts if isinstance(fact, ReleaseGranted)] == ["ReleaseGranted"]


def test_holds_that_come_and_go_for_ever_fill_no_record_and_each_acts() -> None:
    desk = Filled(release)
    desk.hear_all([consignment_assessed(), arrival()])

    def come_and_go() -> Iterator[Message]:
        for _ in range(5500):
            yield full(PlaceHold, watch_id="")
            yield full(LiftHold, hold_id="officer/" + f"{desk.count:06}".ljust(200, "i"))

    facts = desk.hear_all(come_and_go())
    assert refusals(facts) == []
    assert [fact.kind for fact in facts].count("ReleaseRevoked") == 5500
    assert desk.state.state == "released"


def test_liftings_that_are_taken_back_for_ever_fill_no_record_and_each_acts() -> None:
    desk = Filled(release)
    desk.hear_all([consignment_assessed(), arrival(), full(PlaceHold, watch_id="")])
    hold_id = "officer/" + f"{desk.count:06}".ljust(200, "i")

    def back_and_forth() -> Iterator[Message]:
        for _ in range(600):
            yield full(LiftHold, hold_id=hold_id)
            yield full(RetractLift, wrong=f"{desk.count:06}".ljust(200, "i"))

    facts = desk.hear_all(back_and_forth())
    assert refusals(facts) == []
    assert [fact.kind for fact in facts].count("LiftRetracted") == 600
    assert desk.state.state == "revoked"


def test_holds_of_before_that_are_more_than_may_be_are_lifted_one_by_one() -> None:
    desk = Filled(release)
    desk.hear_all([consignment_assessed(), arrival(), full(PlaceHold, watch_id="")])
    (hold,) = desk.state.stated
    many = tuple([hold.model_copy(update={"hold_id": f"officer/{number}"}) for number in range(300)])
    desk.state = release.STATE.validate_json(release.STATE.dump_json(replace(desk.state, stated=many)))
    assert refusals(desk.hear(full(PlaceHold, watch_id=""))) == ["too_many_holds"]
    facts = desk.hear_all([full(LiftHold, hold_id=f"officer/{number}") for number in range(300)])
    assert refusals(facts) == [] and facts[-2].kind == "ReleaseGranted"


def test_wishes_to_withdraw_without_end_are_refused_at_both_desks() -> None:
    lodged = next(message for message in EXAMPLES if isinstance(message, LodgeDeclaration))
    desk = Filled(declaration)
    desk.hear_all([lodged])
    owner = lodged.declaration.declarant
    wish = full(WithdrawDeclaration, consignment_id=lodged.consignment_id, asked_by=owner, on_behalf_of=owner)
    facts = desk.hear_all([wish] * 10_000)
    assert refusals(facts) == ["too_many_requests"] * (10_000 - declaration.MOST_WITHDRAWALS)
    desk = Filled(release)
    wishes = [full(WithdrawalRequested, request_id=f"{number}".ljust(200, "r")) for number in range(1500)]
    facts = desk.hear_all(wishes)
    assert refusals(facts) == ["too_many_requests"] * (1500 - MOST_WITHDRAWALS)
    assert desk.hear(consignment_assessed())[0].kind == "DeclarationWithdrawn"


def goods(number: int) -> str:
    return consignment_id("91350100M000100Y43", str(number))


def test_a_container_that_thousands_of_declarations_name_stays_and_says_so_once() -> None:
    desk = Filled(gate)
    few = [
        full(ContainerFreed, source="", consignment_id=goods(n), version=2, released=True, shared_by=1)
        for n in range(3)
    ]
    assert isinstance(desk.hear_all(few)[-1], ContainerMayLeave)
    held = [full(ContainerHeld, source="", consignment_id=goods(n), version=1, shared_by=100) for n in range(3, 3000)]
    answer = desk.hear_all(held)
    assert [fact.code for fact in answer if isinstance(fact, ContainerMustStay)] == ["not_released", "to_be_counted"]
    assert len(answer) == 2, "each is said once"
    freed = [
        full(ContainerFreed, source="", consignment_id=goods(n), version=3, released=True, shared_by=1)
        for n in range(3000)
    ]
    again = desk.hear_all(freed)
    assert {fact.kind for fact in again} == {SameGoodsDeclared.kind}, "what was not kept cannot be known to be released"
    assert len({fact.key for fact in again}) == len(again) < 500, "of each paper that is kept it is told once"
    departed = desk.hear(full(RecordGateOut))
    assert isinstance(departed[0], EquipmentEventRecorded)
    assert any(isinstance(fact, GateAlarmRaised) and fact.blocks for fact in departed)


def test_withdrawn_goods_make_room_in_a_container() -> None:
    desk = Filled(gate)
    withdrawn = [
        full(ContainerFreed, source="", consignment_id=goods(n), version=2, released=False, arrived_at=None)
        for n in range(MOST_PARTS)
    ]
    answer = desk.hear_all(
        [*withdrawn, full(ContainerFreed, source="", consignment_id=goods(-1), released=True, shared_by=1)]
    )
    assert [fact.kind for fact in answer] == ["ContainerMayLeave"]


def test_findings_and_treatments_without_end_fill_no_record() -> None:
    desk = Filled(inspection)
    desk.hear_all([full(ConsignmentAssessed, controls=[control.value for control in ControlKind])])
    for result in FindingsResult:
        for control in ControlKind:
            desk.hear_all([full(RecordFindings, control=control.value, result=result.value)] * 50)
    desk = Filled(quarantine)
    desk.hear_all([full(ConsignmentAssessed, controls=["quarantine"])])
    for attempt in range(1, 5):
        for control in ("risk", *ControlKind):
            desk.hear_all([full(PestIntercepted, control=control)] if control != "risk" else [])
            desk.hear_all([full(RecordTreatment, origin=str(control), attempt=attempt)] * 20)


def test_the_largest_declaration_goes_through_every_desk() -> None:
    largest = full(LodgeDeclaration)
    paper: Declaration = largest.declaration
    own = consignment_id(paper.declarant, paper.reference)
    (rejected,) = Filled(declaration).hear(largest.model_copy(update={"consignment_id": own}))
    assert rejected.kind == "DeclarationRejected"
    accepted = next(message for message in EXAMPLES if message.kind == "DeclarationAccepted")
    facts = Filled(RiskDecider(PUBLISHED)).hear(accepted.model_copy(update={"declaration": paper}))
    desk = Filled(release)
    desk.hear_all([*facts, arrival(), *[inspection_passed(control) for control in ControlKind]])
