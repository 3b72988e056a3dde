"""Can any order of messages, some of them doubled, release goods with an open hold?

The oracle does not use the desk's code. It keeps which answers are required and which were given, which reports of
arrivals were read, and how many departures stand.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.declaration import WithdrawalRequested
from schemas.envelope import DeadlinePassed, Message
from schemas.gate import ConsignmentGatedOut, ConsignmentLeftUnreleased, ContainerArrived, DepartureRetracted
from schemas.inspection import InspectionFailed, InspectionPassed, PestIntercepted
from schemas.quarantine import QuarantineRefused, TreatmentAbandoned, TreatmentVerified, TreatmentWaived
from schemas.release import (
    ConsignmentHeld,
    ContainerFreed,
    ContainerHeld,
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
from tests.declaration.good import BOX
from tests.facts import (
    consignment_assessed,
    consignment_gated_out,
    consignment_left_unreleased,
    container_arrived,
    departure_retracted,
    inspection_failed,
    inspection_passed,
    pest_intercepted,
    quarantine_refused,
    treatment_abandoned,
    treatment_ordered,
    treatment_referred,
    treatment_verified,
    treatment_waived,
    withdrawal_requested,
)
from tests.release.requests import BOXES, arrival, lift_hold, place_hold
from tests.release.standing import stands
from tests.voice import CONSIGNMENT, Story, story

TREATED: list[Callable[[str], Message]] = [
    treatment_verified,
    treatment_verified,
    treatment_waived,
    treatment_abandoned,
    quarantine_refused,
]
CONTROLS = (ControlKind.DOCUMENTS, ControlKind.INSPECTION, ControlKind.SAMPLING)
LAWFUL = "v2"
"""The visit in which containers left with released goods; `v1` is the one in which they left unreleased."""


@dataclass
class Oracle:
    """Keeps which answers are required and which were given, and which containers have arrived and left. The goods may
    go if every required answer was given, nothing failed, a container has arrived, and none has left unreleased."""

    owed: set[str] = field(default_factory=lambda: {"assessment"})
    answered: set[str] = field(default_factory=set)
    failed: bool = False
    declared: tuple[str, ...] = ()
    reports: dict[str, tuple[str, ...]] = field(default_factory=dict)
    left: Counter[str] = field(default_factory=Counter)
    gone: Counter[str] = field(default_factory=Counter)
    read: set[str] = field(default_factory=set)

    def hear(self, message: Message, message_id: str) -> None:
        again = message_id in self.read
        self.read.add(message_id)
        match message:
            case ConsignmentAssessed():
                self.answered.add("assessment")
                self.owed |= {"treat risk" if c is ControlKind.QUARANTINE else f"look {c}" for c in message.controls}
                self.declared = tuple([c.container_no for c in message.containers])
            case ReportArrival():
                self.reports[message_id] = message.containers
            case ContainerArrived():
                self.reports[message_id] = (message.container_no,)
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
            case ConsignmentLeftUnreleased() if not again:
                self.left[message.container_no] += 1
            case ConsignmentGatedOut() if not again:
                self.gone[message.container_no] += 1
            case DepartureRetracted() if not again:
                counts = self.gone if message.visit == LAWFUL else self.left
                counts[message.container_no] -= 1

    def arrived(self) -> set[str]:
        """The containers that have arrived; a report counts only if all its containers belong to these goods."""
        found: set[str] = set()
        for boxes in self.reports.values():
            if set(boxes) <= set(self.declared):
                found |= set(boxes or self.declared)
        return found

    def may_go(self) -> bool:
        return not self.failed and self.owed <= self.answered and not +self.left and bool(self.arrived())


@dataclass
class Standing:
    """The result of the desk's statements: its last answer, the released containers, and what the gate desk knows of
    each container."""

    stated: str = "nothing said"
    released: tuple[str, ...] = ()
    gate: dict[str, ContainerHeld | ContainerFreed] = field(default_factory=dict)


def check(desk: Story, oracle: Oracle, standing: Standing) -> None:
    """Compares the result of the desk's statements with the oracle, after each message."""
    for fact in desk.answer:
        match fact:
            case ReleaseGranted():
                assert standing.stated not in ("refused", "withdrawn")
                standing.stated, standing.released = "released", fact.containers
                assert (not fact.holds) == (len(fact.containers) == len(oracle.declared))
            case ConsignmentHeld():
                assert fact.holds and standing.stated not in ("refused", "withdrawn", "released")
                standing.stated = "held"
            case ReleaseRevoked():
                assert standing.stated == "released" and fact.containers == standing.released
                standing.stated, standing.released = "revoked", ()
            case ReleaseRefused():
                standing.stated = "refused"
            case DeclarationWithdrawn():
                assert standing.stated != "released"
                standing.stated = "withdrawn"
            case ContainerHeld() | ContainerFreed():
                before = standing.gate.get(fact.container_no)
                assert before is None or before.version < fact.version, "the gate keeps the highest version only"
                standing.gate[fact.container_no] = fact
    if standing.stated == "released":
        assert oracle.may_go(), (oracle.owed - oracle.answered, desk.facts)
        assert set(standing.released) == oracle.arrived()
    elif standing.stated != "withdrawn":
        assert not oracle.may_go() or standing.stated == "refused", "nothing is owed, yet the goods are held"
    assert (standing.stated == "refused") == oracle.failed or standing.stated == "withdrawn"
    if standing.stated != "withdrawn":
        _check_gate(oracle, standing)


def _check_gate(oracle: Oracle, standing: Standing) -> None:
    """Checks that the gate desk knows for each declared container whether it is released, and whether a held one has
    arrived."""
    for number in oracle.declared:
        to_gate = standing.gate[number]
        if number in standing.released:
            assert isinstance(to_gate, ContainerFreed) and to_gate.released
        elif not oracle.gone[number]:
            assert isinstance(to_gate, ContainerHeld), "what is not released stays"
        if isinstance(to_gate, ContainerHeld):
            assert (to_gate.arrived_at is not None) == (number in oracle.arrived())
            assert to_gate.refused == (standing.stated == "refused")


def lapses(desk: Story, oracle: Oracle) -> bool:
    """Lets an unused release end, because its time has passed. Returns False if there is none."""
    for deadline in desk.deadlines():
        desk.when(DeadlinePassed(subject=CONSIGNMENT, name=deadline.name, due=deadline.due), at=deadline.due)
        oracle.owed.add(f"officer/lapse/{desk.state.version - 2}")
        return True
    return False


def play(messages: list[tuple[str, Message | None]]) -> Story:
    """Lets the desk read the messages, and checks its statements after each message. `None` instead of a message: an
    unused release lapses, if there is one."""
    desk, oracle, standing = story(decider), Oracle(), Standing()
    for message_id, message in messages:
        ends = standing.stated in ("refused", "withdrawn")
        if message is None:
            if not lapses(desk, oracle):
                continue
        else:
            if not (isinstance(message, PlaceHold | LiftHold) and ends):
                if not isinstance(message, WithdrawalRequested) and standing.stated != "withdrawn":
                    oracle.hear(message, message_id)
            desk.when(message, message_id=message_id)
        check(desk, oracle, standing)
    versions = [f.model_dump()["version"] for f in desk.facts if hasattr(f, "version") and not hasattr(f, "shared_by")]
    assert versions == sorted(set(versions)), "a word to the gate alone, of refused goods, takes one of its own"
    return desk


def named(messages: list[Message]) -> list[tuple[str, Message | None]]:
    return [(f"id{number}", message) for number, message in enumerate(messages)]


@st.composite
def departures(draw: st.DrawFn, boxes: tuple[str, ...]) -> list[tuple[str, Message]]:
    """The gate desk's facts about departures in the order of its topic. Some departures are retracted, some follow
    again after the retraction, and some facts are doubled.

    A departure without release is never parked behind another message, so it may be read before a retraction that is
    parked.
    """
    drawn: list[Message] = []
    for box in boxes:
        for _ in range(draw(st.integers(0, 2))):
            unreleased = draw(st.booleans())
            drawn.append(consignment_left_unreleased(box) if unreleased else consignment_gated_out(box, LAWFUL))
            if not draw(st.integers(0, 3)):
                break
            drawn.append(departure_retracted(box, "v1" if unreleased else LAWFUL))
    for index in range(len(drawn) - 1):
        one, next_one = drawn[index], drawn[index + 1]
        overtakes = isinstance(one, DepartureRetracted) and isinstance(next_one, ConsignmentLeftUnreleased)
        if overtakes and draw(st.booleans()):
            drawn[index], drawn[index + 1] = next_one, one
    names = [(f"departure{number}", message) for number, message in enumerate(drawn)]
    for again in draw(st.lists(st.sampled_from(names), max_size=2)) if names else []:
        names.insert(draw(st.integers(names.index(again) + 1, len(names))), again)
    return names


@st.composite
def stories(draw: st.DrawFn) -> list[tuple[str, Message | None]]:
    """The messages about one consignment, shuffled, and some of them doubled. They are about any controls, with any
    answers to these or to other controls; arrivals of all containers or of some; departures; holds; and withdrawals.
    `None` stands for months that pass."""
    controls = draw(st.lists(st.sampled_from(ControlKind), unique=True, max_size=4))
    boxes = draw(st.sampled_from([(BOX,), BOXES, (*BOXES, "TGHU1234567")]))
    messages: list[Message] = [consignment_assessed(*controls, containers=boxes)]
    if draw(st.integers(0, 3)):
        messages.append(arrival())
    parts = st.lists(st.sampled_from([*boxes, *boxes, "OOLU7654321"]), min_size=1, max_size=2, unique=True)
    messages += [arrival(containers=tuple(draw(parts))) for _ in range(draw(st.integers(0, 3)))]
    messages += [container_arrived(box) for box in draw(st.lists(st.sampled_from([*boxes, "OOLU7654321"]), max_size=2))]
    for control in draw(st.lists(st.sampled_from(CONTROLS), unique=True)):
        answers: list[Callable[[ControlKind], Message]] = [
            inspection_passed,
            inspection_passed,
            pest_intercepted,
            pest_intercepted,
            inspection_failed,
        ]
        answer = draw(st.sampled_from(answers))
        messages.append(answer(control))
        if answer is pest_intercepted and draw(st.booleans()):
            messages.append(draw(st.sampled_from(TREATED))(control.value))
    if draw(st.booleans()):
        messages.append(draw(st.sampled_from(TREATED))("risk"))
    referrals = st.sampled_from(
        [treatment_referred("risk"), treatment_referred("inspection"), treatment_ordered("risk")]
    )
    messages += draw(st.lists(referrals, max_size=3))
    if draw(st.integers(0, 3)) == 0:
        messages.append(withdrawal_requested())
    drawn = named(messages)
    for number in range(draw(st.integers(0, 2))):
        drawn.append((f"hold{number}", place_hold()))
        if draw(st.booleans()):
            drawn.append((f"lift{number}", lift_hold(f"officer/hold{number}")))
    drawn += [(f"month{number}", None) for number in range(draw(st.integers(0, 2)))]
    drawn += [(f"give{version}", lift_hold(f"officer/lapse/{version}")) for version in draw(st.sets(st.integers(1, 4)))]
    doubled = draw(st.lists(st.sampled_from(drawn), max_size=4))
    shuffled = draw(st.permutations([*drawn, *doubled]))
    gate = draw(departures(boxes))
    indexes = sorted([draw(st.integers(0, len(shuffled))) for _ in gate], reverse=True)
    for index, message in zip(indexes, reversed(gate), strict=True):
        shuffled.insert(index, message)
    return shuffled


@settings(max_examples=600, deadline=None)
@given(stories())
def test_no_order_of_messages_releases_goods_with_an_open_hold(messages: list[tuple[str, Message | None]]) -> None:
    play(messages)


def test_all_720_orders_of_a_red_lane_with_a_pest_end_in_the_same_release() -> None:
    messages = named(
        [
            consignment_assessed(ControlKind.INSPECTION, ControlKind.QUARANTINE),
            arrival(),
            pest_intercepted(ControlKind.INSPECTION),
            treatment_verified("inspection"),
            treatment_verified("risk"),
            place_hold(),
        ]
    )
    for order in permutations(messages):
        desk = play(list(order))
        assert stands(desk) == "held" and [h.hold_id for h in desk.state.stated] == ["officer/id5"]
        desk.when(lift_hold("officer/id5"))
        assert desk.state.state == "released"
