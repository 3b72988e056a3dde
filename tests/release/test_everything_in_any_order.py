"""Do corrections, holds, partial arrivals, departures and lapses lead to the right result, in whatever order and
however often they are read?

The oracle does not use the desk's code: for each control and treatment it keeps the fact with the highest revision, and
for officers' requests their result in the order in which the desk read them.
"""

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import DeadlinePassed, Message
from schemas.gate import ConsignmentGatedOut, ConsignmentLeftUnreleased, DepartureRetracted
from schemas.release import (
    ConsignmentHeld,
    ContainerFreed,
    ContainerHeld,
    DeclarationWithdrawn,
    LiftHold,
    PlaceHold,
    RefusalRevoked,
    ReleaseGranted,
    ReleaseRefused,
    ReleaseRevoked,
    ReportArrival,
    RetractArrival,
    RetractLift,
)
from schemas.risk import ConsignmentAssessed
from schemas.vocabulary import ControlKind
from services.release import decider
from tests.declaration.good import BOX
from tests.facts import (
    consignment_assessed,
    consignment_gated_out,
    consignment_left_unreleased,
    departure_retracted,
    withdrawal_requested,
)
from tests.release.requests import BOXES, arrival, lift_hold, place_hold, retract_arrival, retract_lift
from tests.release.test_corrections_in_any_order import looks, owes, refused
from tests.voice import CONSIGNMENT, Story, story

INSPECTION, DOCUMENTS = ControlKind.INSPECTION, ControlKind.DOCUMENTS


@dataclass
class Officers:
    """The open holds, and for each request that lifted a hold the id of this hold."""

    open: set[str] = field(default_factory=set)
    lifted: dict[str, str] = field(default_factory=dict)
    requests: set[str] = field(default_factory=set)

    def hear(self, message: Message, message_id: str) -> None:
        if message_id in self.requests:
            return
        match message:
            case PlaceHold():
                self.requests.add(message_id)
                self.open.add(f"officer/{message_id}")
            case LiftHold() if message.hold_id in self.open:
                self.requests.add(message_id)
                self.open.remove(message.hold_id)
                self.lifted[message_id] = message.hold_id
            case RetractLift() if message.wrong in self.lifted:
                self.requests.add(message_id)
                self.open.add(self.lifted.pop(message.wrong))


@dataclass
class World:
    """The messages so far, and the result of the desk's statements."""

    desk: Story = field(default_factory=lambda: story(decider))
    officers: Officers = field(default_factory=Officers)
    read: list[Message] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    declared: tuple[str, ...] = ()
    left: Counter[str] = field(default_factory=Counter)
    gone: Counter[str] = field(default_factory=Counter)
    arrivals: dict[str, set[str]] = field(default_factory=dict)
    taken_back: set[str] = field(default_factory=set)
    stated: str = "nothing said"
    released: tuple[str, ...] = ()
    gate: dict[str, ContainerHeld | ContainerFreed] = field(default_factory=dict)
    version: int = 0

    def hear(self, message_id: str, message: Message | None) -> None:
        if message is None:
            self.lapse()
            return
        if self.stated != "withdrawn":
            again = message_id in self.ids
            self.ids.add(message_id)
            self.officers.hear(message, message_id)
            if not again:
                self._count(message)
        self.desk.when(message, message_id=message_id)
        self._arrive(message, message_id)
        self.check()

    def _arrive(self, message: Message, message_id: str) -> None:
        """Counts an accepted report of an arrival until the report is retracted. The containers of a retracted report
        are kept in `taken_back`, because those that have left still count as arrived."""
        kinds = {fact.kind for fact in self.desk.answer}
        if isinstance(message, ReportArrival) and "ArrivalRecorded" in kinds:
            self.arrivals[message_id] = set(message.containers or BOXES)
        elif isinstance(message, RetractArrival) and "ArrivalRetracted" in kinds:
            self.taken_back |= self.arrivals.pop(message.wrong)

    @property
    def boxes(self) -> set[str]:
        """The containers that have arrived: those of reports that stand, and those of retracted reports that have
        left."""
        outside = {box for box in BOXES if self.gone[box] > 0 or self.left[box] > 0}
        return set().union(*self.arrivals.values()) | (self.taken_back & outside)

    def _count(self, message: Message) -> None:
        self.read.append(message)
        match message:
            case ConsignmentAssessed():
                self.declared = tuple([c.container_no for c in message.containers])
            case ConsignmentLeftUnreleased():
                self.left[message.container_no] += 1
            case ConsignmentGatedOut():
                self.gone[message.container_no] += 1
            case DepartureRetracted():
                counts = self.gone if message.visit == "v2" else self.left
                counts[message.container_no] -= 1
            case _:
                pass

    def lapse(self) -> None:
        for deadline in self.desk.deadlines():
            self.officers.open.add(f"officer/lapse/{self.desk.state.version}")
            passed = DeadlinePassed(subject=CONSIGNMENT, name=deadline.name, due=deadline.due)
            self.desk.when(passed, message_id=f"deadline {deadline.due}", at=max(deadline.due, self.desk.at))
            self.check()

    def check(self) -> None:
        for fact in self.desk.answer:
            match fact:
                case ReleaseGranted():
                    self.stated, self.released = "released", fact.containers
                case ConsignmentHeld():
                    assert self.stated in ("nothing said", "held"), self.stated
                    self.stated = "held"
                case ReleaseRevoked():
                    assert self.stated == "released" and fact.containers == self.released
                    self.stated, self.released = "held", ()
                case ReleaseRefused():
                    assert self.stated != "released", "it is called back first"
                    self.stated = "refused"
                case RefusalRevoked():
                    assert self.stated == "refused"
                    self.stated = "held"
                case DeclarationWithdrawn():
                    assert self.stated != "released"
                    self.stated = "withdrawn"
                case ContainerHeld() | ContainerFreed():
                    before = self.gate.get(fact.container_no)
                    assert before is None or before.version < fact.version
                    self.gate[fact.container_no] = fact
                case _:
                    pass
            if isinstance(fact, ReleaseGranted | ConsignmentHeld | ReleaseRevoked | ReleaseRefused | RefusalRevoked):
                assert fact.version > self.version
                self.version = fact.version
        if self.stated == "withdrawn":
            return
        arrived = self.boxes & set(self.declared)
        may_go = not owes([*self.read, arrival()]) and arrived and not self.officers.open and not +self.left
        assert (self.stated == "released") == bool(may_go), (self.stated, self.officers.open, self.desk.facts)
        assert (self.stated == "refused") == refused(self.read), self.stated
        if may_go:
            assert set(self.released) == arrived
        for number in self.declared:
            to_gate = self.gate.get(number)
            if number in self.released:
                assert isinstance(to_gate, ContainerFreed)
            elif not self.gone[number]:
                assert isinstance(to_gate, ContainerHeld), (number, to_gate)
                assert to_gate.refused == (self.stated == "refused")
        open_now = {h.hold_id for h in self.desk.state.stated if h.hold_id.startswith("officer/")}
        assert open_now == self.officers.open


@st.composite
def stories(draw: st.DrawFn) -> list[tuple[str, Message | None]]:
    controls = draw(st.lists(st.sampled_from([DOCUMENTS, INSPECTION]), unique=True))
    messages: list[Message] = [consignment_assessed(*controls, containers=BOXES)]
    messages += draw(
        st.sampled_from([[arrival()], [arrival(containers=(BOX,))], [arrival(containers=(b,)) for b in BOXES]])
    )
    for control in controls:
        messages += draw(looks(control))
    if draw(st.integers(0, 5)) == 0:
        messages.append(withdrawal_requested())
    drawn: list[tuple[str, Message | None]] = [(f"id{n}", m) for n, m in enumerate(messages)]
    for n in range(draw(st.integers(0, 2))):
        drawn.append((f"hold{n}", place_hold()))
        drawn += [(f"lift{n}{k}", lift_hold(f"officer/hold{n}")) for k in range(draw(st.integers(0, 2)))]
        drawn += [(f"back{n}{k}", retract_lift(f"lift{n}{k}")) for k in range(draw(st.integers(0, 2)))]
    reports = [(name, m) for name, m in drawn if isinstance(m, ReportArrival)]
    drawn += [(f"wrong{name}", retract_arrival(name)) for name, m in reports if draw(st.integers(0, 2)) == 0]
    if draw(st.booleans()):
        drawn.append(("told again", arrival(containers=(BOX,))))
    drawn += [(f"month{n}", None) for n in range(draw(st.integers(0, 2)))]
    drawn += [(f"give{v}", lift_hold(f"officer/lapse/{v}")) for v in draw(st.sets(st.integers(1, 6), max_size=3))]
    doubled = draw(st.lists(st.sampled_from(drawn), max_size=4))
    shuffled = draw(st.permutations([*drawn, *doubled]))
    gate: list[tuple[str, Message]] = []
    for box in BOXES:
        for turn in range(draw(st.integers(0, 2))):
            unreleased = draw(st.integers(0, 2)) == 0
            gate.append(
                (
                    f"out{box}{turn}",
                    consignment_left_unreleased(box) if unreleased else consignment_gated_out(box, "v2"),
                )
            )
            if not draw(st.integers(0, 2)):
                break
            gate.append((f"in{box}{turn}", departure_retracted(box, "v1" if unreleased else "v2")))
    indexes = sorted([draw(st.integers(0, len(shuffled))) for _ in gate], reverse=True)
    for index, message in zip(indexes, reversed(gate), strict=True):
        shuffled.insert(index, message)
    return shuffled


@settings(max_examples=400, deadline=None)
@given(stories())
def test_whatever_is_heard_in_whatever_order_the_goods_are_where_the_truth_says(
    messages: list[tuple[str, Message | None]],
) -> None:
    world = World()
    for message_id, message in messages:
        world.hear(message_id, message)
