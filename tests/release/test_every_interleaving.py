"""Is there any order of messages, with any of them doubled, that releases goods with an open hold?

The oracle knows nothing of the desk: it only keeps the set of what was heard.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.declaration import WithdrawalRequested
from schemas.envelope import Message
from schemas.inspection import InspectionFailed, InspectionPassed, PestIntercepted
from schemas.quarantine import QuarantineRefused, TreatmentAbandoned, TreatmentVerified, TreatmentWaived
from schemas.release import (
    ConsignmentHeld,
    DeclarationWithdrawn,
    LiftHold,
    PlaceHold,
    ReleaseGranted,
    ReleaseRefused,
    ReleaseRevoked,
    ReportArrival,
)
from schemas.risk import ConsignmentAssessed
from schemas.vocabulary import ControlKind
from services.release import decider
from tests.release.dossiers import (
    abandoned,
    arrival,
    assessed,
    failed,
    lift_hold,
    passed,
    pest,
    place_hold,
    referred,
    refused_entry,
    treatment_ordered,
    verified,
    waived,
    withdrawal,
)
from tests.voice import Story, story

TREATED: list[Callable[[str], Message]] = [verified, verified, waived, abandoned, refused_entry]
CONTROLS = (ControlKind.DOCUMENTS, ControlKind.INSPECTION, ControlKind.SAMPLING)


@dataclass
class Oracle:
    """What is owed and what was answered, by name; goods may go when nothing is owed."""

    owed: set[str] = field(default_factory=lambda: {"assessment", "arrival"})
    answered: set[str] = field(default_factory=set)
    failed: bool = False

    def hear(self, message: Message, message_id: str) -> None:
        match message:
            case ConsignmentAssessed():
                self.answered.add("assessment")
                self.owed |= {"treat risk" if c is ControlKind.QUARANTINE else f"look {c}" for c in message.controls}
            case ReportArrival():
                self.answered.add("arrival")
            case InspectionPassed():
                self.answered.add(f"look {message.control}")
            case PestIntercepted():
                self.answered.add(f"look {message.control}")
                self.owed.add(f"treat {message.control.value}")
            case TreatmentVerified() | TreatmentWaived():
                self.answered.add(f"treat {message.origin}")
            case InspectionFailed() | TreatmentAbandoned() | QuarantineRefused():
                self.failed = True
            case PlaceHold():
                self.owed.add(f"officer/{message_id}")
            case LiftHold():
                if message.hold_id in self.owed:
                    self.answered.add(message.hold_id)

    def may_go(self) -> bool:
        return not self.failed and self.owed <= self.answered


def check(told: Story, oracle: Oracle, standing: str) -> str:
    """After each message: what the desk's statements come to, against the oracle."""
    for fact in told.said:
        match fact:
            case ReleaseGranted():
                assert standing not in ("refused", "withdrawn")
                standing = "released"
            case ConsignmentHeld():
                assert fact.holds and standing not in ("refused", "withdrawn")
                standing = "held"
            case ReleaseRevoked():
                assert standing == "released"
                standing = "held"
            case ReleaseRefused():
                standing = "refused"
            case DeclarationWithdrawn():
                assert standing != "released"
                standing = "withdrawn"
    if standing == "released":
        assert oracle.may_go(), (oracle.owed - oracle.answered, told.facts)
    elif standing != "withdrawn":
        assert not oracle.may_go() or standing == "refused", "nothing is owed, yet the goods are held"
    assert (standing == "refused") == oracle.failed or standing == "withdrawn"
    return standing


def play(messages: list[tuple[str, Message]]) -> Story:
    told, oracle, standing = story(decider), Oracle(), "nothing said"
    for message_id, message in messages:
        if not (isinstance(message, PlaceHold | ReportArrival | LiftHold) and standing in ("refused", "withdrawn")):
            if not isinstance(message, WithdrawalRequested):
                oracle.hear(message, message_id)
        told.when(message, message_id=message_id)
        standing = check(told, oracle, standing)
    versions = [f.model_dump()["version"] for f in told.facts if hasattr(f, "version") and not hasattr(f, "shared_by")]
    assert versions == list(range(1, len(versions) + 1))
    return told


def named(messages: list[Message]) -> list[tuple[str, Message]]:
    return [(f"id{number}", message) for number, message in enumerate(messages)]


@st.composite
def stories(draw: st.DrawFn) -> list[tuple[str, Message]]:
    """Any controls, any answers to them (asked for or not), holds, withdrawals; shuffled, some doubled."""
    controls = draw(st.lists(st.sampled_from(ControlKind), unique=True, max_size=4))
    messages: list[Message] = [assessed(*controls), arrival()]
    for control in draw(st.lists(st.sampled_from(CONTROLS), unique=True)):
        answers: list[Callable[[ControlKind], Message]] = [passed, passed, pest, pest, failed]
        answer = draw(st.sampled_from(answers))
        messages.append(answer(control))
        if answer is pest and draw(st.booleans()):
            messages.append(draw(st.sampled_from(TREATED))(control.value))
    if draw(st.booleans()):
        messages.append(draw(st.sampled_from(TREATED))("risk"))
    asked = st.sampled_from([referred("risk"), referred("inspection"), treatment_ordered("risk")])
    messages += draw(st.lists(asked, max_size=3))
    if draw(st.integers(0, 3)) == 0:
        messages.append(withdrawal())
    told = named(messages)
    for number in range(draw(st.integers(0, 2))):
        told.append((f"hold{number}", place_hold()))
        if draw(st.booleans()):
            told.append((f"lift{number}", lift_hold(f"officer/hold{number}")))
    doubled = draw(st.lists(st.sampled_from(told), max_size=4))
    return draw(st.permutations([*told, *doubled]))


@settings(max_examples=600, deadline=None)
@given(stories())
def test_no_order_of_messages_releases_goods_with_an_open_hold(messages: list[tuple[str, Message]]) -> None:
    play(messages)


def test_all_720_orders_of_a_red_lane_with_a_pest_end_in_the_same_release() -> None:
    messages = named(
        [
            assessed(ControlKind.INSPECTION, ControlKind.QUARANTINE),
            arrival(),
            pest(ControlKind.INSPECTION),
            verified("inspection"),
            verified("risk"),
            place_hold(),
        ]
    )
    for order in permutations(messages):
        told = play(list(order))
        assert told.state.state == "held" and [h.hold_id for h in told.state.stated] == ["officer/id5"]
        told.when(lift_hold("officer/id5"))
        assert told.state.state == "released"
