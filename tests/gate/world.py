"""How is a container simulated whose true position and goods are known, while people report them late, twice, wrongly
or not at all?

The messages are decided in the order in which the gate desk reads them. The gate desk's answer decides when the
container may leave.
"""

import heapq
from dataclasses import dataclass, field
from random import Random

from schemas.envelope import Message
from schemas.release import ContainerFreed, ContainerHeld
from schemas.vocabulary import Direction, EquipmentEvent, ExitGround, consignment_id
from services.gate import decider
from services.gate.box import as_box
from tests.gate.boxes import (
    DAY,
    at,
    box_held,
    box_let_go,
    event,
    finding_retracted,
    found,
    freed,
    held,
    may_leave,
    permitted,
    retracted,
    struck,
)
from tests.voice import Story

HOUR = 60.0
OUT, LOADED = EquipmentEvent.GATED_OUT, EquipmentEvent.LOADED


@dataclass
class Paper:
    """One declaration of one lot. `statement`: the last statement about it that the gate desk has read."""

    name: str
    bill: str
    visit: int
    shared_by: int
    ship: str
    statement: ContainerHeld | ContainerFreed | None = None
    final: bool = False
    doubled: bool = False
    """Whether this is the second declaration of a lot. A second declaration is withdrawn or struck later."""
    direction: Direction = Direction.IMPORT
    struck: bool = False
    permitted: bool = False


@dataclass
class Stay:
    """One real visit. Times are minutes after noon.

    - `opening_heard`: whether the desk has read a report of the opening, or a statement with an arrival
    - `left`: when the container really left
    - `lawful`: whether the gate desk's answer was yes at the departure that counts
    - `departures`: the ids of the reports of its departure that count
    - `ended`: whether the desk has read the next opening
    - `untold`: whether nobody reports the departure
    - `free_since`: when the last goods of an export were released
    - `disputed`: whether a wrong report or finding may have changed for a while what the desk published about the
      departure; then only the desk's last fact about it must be right
    """

    number: int
    opened: float
    ship: str
    papers: list[Paper] = field(default_factory=list)
    opening_heard: bool = False
    left: float | None = None
    lawful: bool = True
    departures: set[str] = field(default_factory=set)
    ended: bool = False
    untold: bool = False
    direction: Direction = Direction.IMPORT
    empty: bool = False
    free_since: float = 0.0
    disputed: bool = False
    unfound: bool = False
    """Whether the container left although the answer was no, and no officer has looked for it yet."""

    @property
    def departure_heard(self) -> bool:
        return self.ended or bool(self.departures)


@dataclass
class World:
    """The history of one container over some months."""

    dice: Random
    desk: Story = field(default_factory=lambda: Story(decider, decider.INITIAL))
    stays: list[Stay] = field(default_factory=list)
    now: float = 0.0
    terminal_tells: bool = True
    terminal_knows_ship: bool = True
    _queue: list[tuple[float, int, str, Message, Stay, Paper | None, str]] = field(default_factory=list)
    _count: int = 0
    _topic: dict[str, float] = field(default_factory=dict)
    allowed: int = 0
    holds: set[str] = field(default_factory=set)
    lifted: float = 0.0
    """When the desk read the last lifting of an officer's hold on the container."""
    not_before: float = 0.0
    """The earliest time at which the next visit may open, because reports and findings about the present visit have
    event times up to this time."""

    def __post_init__(self) -> None:
        dice = self.dice
        self.terminal_tells = dice.random() < 0.7
        self.terminal_knows_ship = dice.random() < 0.6

    # what is reported, and when the gate desk reads it

    def say(
        self, topic: str, when: float, message: Message, stay: Stay, paper: Paper | None = None, id: str = ""
    ) -> float:
        """Writes a message to one of the two topics. Returns the time at which the gate desk will read it. Each topic
        keeps its own order; there is no order between the two topics."""
        read_at = max(when, self._topic.get(topic, 0.0) + 0.001, self.now)
        self._topic[topic] = read_at
        self._count += 1
        heapq.heappush(self._queue, (read_at, self._count, topic, message, stay, paper, id or f"w{self._count}"))
        return read_at

    def hear_until(self, when: float) -> None:
        """Lets the gate desk read every message up to this time, and checks the invariants after each message."""
        while self._queue and self._queue[0][0] <= when:
            read_at, _, _, message, stay, paper, name = heapq.heappop(self._queue)
            self.now = max(self.now, read_at)
            match message.kind:
                case "PlaceContainerHold":
                    self.holds.add(name)
                case "LiftContainerHold":
                    self.holds.remove(message.model_dump()["hold_id"])
                    self.lifted = self.now
                case "RetractEquipmentEvent":
                    stay.departures.discard(message.model_dump()["report_id"])
                case "StrikeLot" | "PermitExit":
                    about = next(p for p in stay.papers if p.name == message.model_dump()["consignment_id"])
                    about.struck, about.permitted = message.kind == "StrikeLot", message.kind == "PermitExit"
                case _:
                    pass
            if paper is not None:
                assert isinstance(message, ContainerHeld | ContainerFreed)
                paper.statement = message
                stay.opening_heard = stay.opening_heard or message.arrived_at is not None
            elif message.kind == "RecordEquipmentEvent":
                if message.model_dump()["event"] in (OUT, LOADED):
                    stay.departures.discard(message.model_dump()["replaces"])
                    stay.departures.add(name)
                else:
                    stay.opening_heard = True
                    if stay.number:
                        self.stays[stay.number - 1].ended = True
            self.desk.when(message, message_id=name, at=at(self.now))
            self.nothing_leaves_by_mistake()
        self.now = max(self.now, when)

    def inside(self) -> Stay | None:
        """Returns the visit if the container is really inside, and None if it is outside."""
        last = self.stays[-1] if self.stays else None
        return last if last and last.opened <= self.now and last.left is None else None

    def nothing_leaves_by_mistake(self) -> None:
        """Checks that the gate's answer is not yes while an officer holds the container, or while a declared lot in it
        is not released. The lots are checked only if the gate desk has read that the present visit opened."""
        if may_leave(self.desk):
            assert not self.holds, "a yes while an officer holds the container"
        stay = self.inside()
        if stay is None or not stay.opening_heard or not may_leave(self.desk):
            return
        lots: dict[str, list[Paper]] = {}
        for paper in stay.papers:
            statement = paper.statement
            if (
                statement is not None
                and not paper.struck
                and not (self._withdrawn(paper) and statement.arrived_at is None)
            ):
                lots.setdefault(paper.bill, []).append(paper)
        assert lots, "a yes although nothing is known to be in the box"
        for bill, papers in lots.items():
            standing = [p for p in papers if not self._withdrawn(p)]
            assert len(standing) == 1, f"a yes while {len(standing)} papers stand for {bill}"
            assert isinstance(standing[0].statement, ContainerFreed), f"a yes while {bill} is held"
            assert standing[0].direction is Direction.IMPORT or standing[0].permitted, f"a yes for the export {bill}"
        told_of = max(p.shared_by for papers in lots.values() for p in papers)
        assert len(lots) >= told_of, f"a yes for {len(lots)} lots of {told_of}"

    @staticmethod
    def _withdrawn(paper: Paper) -> bool:
        return isinstance(paper.statement, ContainerFreed) and not paper.statement.released

    # what happens to the container

    def play(self, visits: int) -> None:
        begin = 3.0 * DAY
        for number in range(visits):
            begin += self.dice.uniform(2 * HOUR, 20 * DAY) if number else 0.0
            begin = max(begin, self.now, self.not_before)
            last = self.stays[-1] if self.stays else None
            if last is not None and last.untold and not self.terminal_knows_ship:
                # Nobody reported the end of the last visit, and the terminal names no ship. If the next visit opened
                # within a day of the last one, the two openings would count as one.
                begin = max(begin, last.opened + DAY + HOUR)
            self.visit(number, begin)
            begin = max(self.now, begin)

    def visit(self, number: int, opened: float) -> None:
        dice = self.dice
        stay = Stay(number, opened, f"SHIP {number:03}E")
        stay.direction = Direction.EXPORT if dice.random() < 0.15 else Direction.IMPORT
        stay.empty = self.terminal_tells and dice.random() < 0.1
        last = self.stays[-1] if self.stays else None
        unfound = next((each for each in self.stays if each.unfound), None)
        early = self.terminal_knows_ship and self.terminal_tells
        papers: list[tuple[float, Paper]] = []
        lots = dice.choice((1, 1, 1, 2, 3))
        undeclared = self.terminal_tells and dice.random() < (0.04 if unfound is None else 0.4)
        for lot in range(0 if stay.empty or undeclared else lots):
            first = opened - dice.uniform(0, 2 * DAY) if early else opened - dice.uniform(0, HOUR)
            lodged = max(self.now, first) if dice.random() < 0.7 else opened + dice.uniform(0, 2 * HOUR)
            papers.append((lodged, self._paper(stay, lot, lots, "a")))
            if dice.random() < 0.15:
                twice = self._paper(stay, lot, lots, "b")
                twice.doubled = True
                papers.append((lodged + dice.uniform(0, HOUR), twice))
        for lodged, paper in sorted(papers, key=lambda each: each[0]):
            self.say("release", lodged + dice.uniform(0, 3), self._held(paper, 1, lodged), stay, paper)
        self.hear_until(opened)
        self.stays.append(stay)
        if self.terminal_tells or (last is not None and last.left is not None and not last.departure_heard):
            ship = stay.ship if self.terminal_knows_ship else ""
            read_at = opened + dice.choice((0.0, 5.0, 90.0))
            kind = EquipmentEvent.DISCHARGED if stay.direction is Direction.IMPORT else EquipmentEvent.GATED_IN
            self.say("gate", read_at, event(kind, opened, laden=not stay.empty, ship=ship), stay)
            if dice.random() < 0.25:
                self.open_again(stay, kind, ship, read_at)
        if stay.empty:
            stay.left = max(self.now, self._topic["gate"]) + dice.uniform(1, DAY)
            self.hear_until(stay.left)
            self.say("gate", stay.left + dice.choice((1.0, 30.0)), event(OUT, stay.left, "G1", laden=False), stay)
            return
        sighting = self.find_inside(stay) if unfound is not None or dice.random() < 0.15 else ""
        if unfound is not None and dice.random() < 0.8:
            self.state_again(unfound, released=True)
        self.answer(stay, [paper for _, paper in papers])
        if sighting:
            stay.disputed = True
            self.hear_until(self.say("gate", self.now + 1, finding_retracted(sighting), stay))
        if unfound is not None and unfound.left is not None:
            self.hear_until(self.say("gate", self.now + 1, found("outside", unfound.left + 1), stay))
            unfound.unfound = False
        if not undeclared:
            self.depart(stay)
        elif stay.left is None:
            self.leave_by_mistake(stay, max(self.now, stay.opened + HOUR) + dice.uniform(1, DAY))

    def find_inside(self, stay: Stay) -> str:
        """Lets an officer find the container inside, and returns the id of the finding. The finding is true whether or
        not the container had left before."""
        name = self._name("finding")
        self.hear_until(max(self.now, self._topic.get("gate", 0.0)))
        self.hear_until(self.say("gate", self.now + self.dice.uniform(1, 30), found("inside", self.now), stay, id=name))
        return name

    def state_again(self, stay: Stay, *, released: bool) -> None:
        """Writes the release desk's next statement about the goods of this stay. If `released` is false, the
        release desk holds the goods, because it read that they left without release. If `released` is true, it releases
        the goods, because it read that they had not left."""
        for paper in stay.papers:
            if paper.statement is not None and not paper.doubled:
                state = self._freed if released else self._held
                version = paper.statement.version + 1
                self.say("release", self.now, state(paper, version, self.now, stay.opened), stay, paper)
        self.hear_until(self._topic.get("release", self.now))

    def open_again(self, stay: Stay, kind: EquipmentEvent, ship: str, after: float) -> None:
        """Somebody reports the opening a second time, with another event time and without naming the first report. If
        the container was in another visit at that time, the sender retracts the report; otherwise only sometimes."""
        dice, last = self.dice, self.stays[stay.number - 1] if stay.number else None
        earlier = (-dice.uniform(0, HOUR), -dice.uniform(0, 20 * HOUR))
        later = () if stay.empty else (3.0, dice.uniform(0, HOUR))  # an empty container may have left by then
        other = stay.opened + dice.choice((*earlier, *later))
        name = self._name("again")
        report = event(
            kind, other, laden=dice.choice((None, not stay.empty)), ship=dice.choice((ship, "")), sender="other"
        )
        read_at = self.say("gate", after + dice.choice((1.0, 10.0, HOUR)), report, stay, id=name)
        wrong = False
        if last is not None:
            wrong = (
                last.left is None
                or other <= max(last.left, self.not_before)
                or (last.untold and other < last.opened + DAY + HOUR)
            )
        if wrong and last is not None:
            stay.disputed = last.disputed = True
        if wrong or dice.random() < 0.1:
            self.say("gate", read_at + dice.uniform(0, HOUR), retracted(name, "other"), stay)

    def _name(self, what: str) -> str:
        self._count += 1
        return f"{what}{self._count}"

    def _paper(self, stay: Stay, lot: int, lots: int, letter: str) -> Paper:
        statement = lots if lot == 0 or self.dice.random() < 0.5 else 1
        name = consignment_id("91350100M000100Y43", f"{stay.number}/{lot}/{letter}")
        paper = Paper(name, f"BL{stay.number}{lot}", stay.number, statement, stay.ship, direction=stay.direction)
        stay.papers.append(paper)
        return paper

    def _held(self, paper: Paper, version: int, when: float, arrived: float | None = None) -> ContainerHeld:
        known = (paper.name, version, paper.shared_by, paper.bill, paper.ship, arrived, when, paper.direction)
        return held(*known)

    def _freed(
        self, paper: Paper, version: int, when: float, arrived: float | None, released: bool = True
    ) -> ContainerFreed:
        known = (paper.bill, paper.ship, arrived, when, paper.direction)
        return freed(paper.name, version, paper.shared_by, released, *known)

    def answer(self, stay: Stay, papers: list[Paper]) -> None:
        """Writes what is said of the goods until they are released: the release desk's statements, holds that are
        placed and lifted, and the withdrawal or strike of one of two declarations of the same lot. Sometimes the
        container leaves by mistake before that."""
        dice, latest = self.dice, stay.opened
        if dice.random() < 0.1:
            self._count += 1
            hold = f"hold{self._count}"
            read_at = self.say("gate", stay.opened + dice.uniform(0, 3 * HOUR), box_held(), stay, id=hold)
            self.say("gate", read_at + dice.uniform(1, 12 * HOUR), box_let_go(hold), stay)
        for paper in papers:
            arrived = stay.opened + dice.uniform(0, HOUR)
            when = max(arrived, self.now, stay.opened + 2 * HOUR) + dice.uniform(1, 8 * HOUR)
            version = 2
            if dice.random() < 0.4:
                self.say(
                    "release", arrived + dice.uniform(0, 3), self._held(paper, version, arrived, arrived), stay, paper
                )
                version += 1
            if paper.doubled and dice.random() < 0.3:
                known = max(when, self._topic["release"]) + 1
                latest = max(latest, self.say("gate", known, struck(paper.name), stay))
            elif paper.doubled:
                self.say("release", when, self._freed(paper, version, when, arrived, released=False), stay, paper)
            else:
                self.say("release", when, self._freed(paper, version, when, arrived), stay, paper)
                if dice.random() < 0.2:
                    again = when + dice.uniform(1, 4 * HOUR)
                    self.say("release", again, self._held(paper, version + 1, again, arrived), stay, paper)
                    when = again + dice.uniform(1, 4 * HOUR)
                    self.say("release", when, self._freed(paper, version + 2, when, arrived), stay, paper)
            latest = max(latest, when)
        stay.free_since = latest
        if papers and dice.random() < 0.08:
            self.leave_by_mistake(stay, dice.uniform(stay.opened + HOUR, latest))
            return
        self.hear_until(max(latest, self._topic.get("release", 0.0)))

    def leave_by_mistake(self, stay: Stay, when: float) -> None:
        """The container leaves, whatever the answer is. Its departure is reported, and an officer finds it outside, or
        looks for it only after it has come again."""
        dice = self.dice
        self.hear_until(when)
        stay.left, stay.lawful = self.now, stay.opening_heard and may_leave(self.desk)
        read_at = self.say("gate", self.now + 5, event(OUT, self.now, berth="G1"), stay)
        self.hear_until(max(read_at, self._topic.get("release", 0.0)) + 1)
        if dice.random() < 0.2:
            stay.unfound = True
            self.state_again(stay, released=False)
            return
        name = self._name("finding")
        if dice.random() < 0.3:
            wrong = self._name("finding")
            self.hear_until(self.say("gate", self.now + 10, found("inside", self.now + 10), stay, id=wrong))
            self.hear_until(self.say("gate", self.now + 10, finding_retracted(wrong), stay))
            assert not may_leave(self.desk), "a yes although its departure without release waits for a finding"
        self.hear_until(self.say("gate", self.now + 30, found("outside", self.now + 30), stay, id=name))
        if dice.random() < 0.3:
            self.hear_until(self.say("gate", self.now + 10, finding_retracted(name), stay))
            assert not may_leave(self.desk), "a yes although its departure without release waits for a finding"
            self.hear_until(self.say("gate", self.now + 10, found("outside", self.now + 10), stay))
        self.not_before = self.now

    def depart(self, stay: Stay) -> None:
        if stay.left is not None:
            return
        dice = self.dice
        self.hear_until(max(self.now, self._topic.get("gate", 0.0)))
        if stay.direction is Direction.EXPORT:
            assert not may_leave(self.desk), "an export leaves by loading"
            if dice.random() < 0.6:
                stay.left = self.now
                ship = stay.ship if self.terminal_knows_ship else ""
                read_at = self.say(
                    "gate", self.now + dice.choice((1.0, 90.0)), event(LOADED, self.now, ship=ship), stay
                )
                if dice.random() < 0.3:
                    read_at = self.leave_again(stay, LOADED, max(stay.free_since, self.lifted), read_at)
                self.call_back(stay, read_at)
                return
            for paper in stay.papers:
                if not paper.doubled:
                    self.say("gate", self.now + 1, permitted(paper.name, ExitGround.EXPORT_CANCELLED), stay)
            self.hear_until(self._topic["gate"])
        last = self.stays[-2] if len(self.stays) > 1 else None
        if last is None or last.departure_heard:
            assert may_leave(self.desk), "kept by mistake: every lot is released, and everything was told"
            self.allowed += 1
        elif not may_leave(self.desk):
            self.leave_by_mistake(stay, self.now + 1)
            return
        if dice.random() < 0.1:
            wrong = self._name("wrong")
            read_at = self.say("gate", self.now + 1, event(OUT, self.now, berth="G2"), stay, id=wrong)
            self.hear_until(self.say("gate", read_at + dice.uniform(0, 60), retracted(wrong), stay))
            assert may_leave(self.desk), "kept by mistake: the report of its departure was taken back"
        if dice.random() < 0.15:
            wrong = self._name("finding")
            message = dice.choice((found("outside", self.now), found("inside", self.now, lots=9)))
            self.hear_until(self.say("gate", self.now + 1, message, stay, id=wrong))
            assert not may_leave(self.desk), "a yes against an officer's finding"
            self.hear_until(self.say("gate", self.now + dice.uniform(0, 60), finding_retracted(wrong), stay))
            assert may_leave(self.desk), "kept by mistake: the finding was taken back"
        self.hear_until(self.now + dice.uniform(1, DAY))
        if not may_leave(self.desk):
            self.leave_by_mistake(stay, self.now + 1)
            return
        when = stay.left = self.now
        how = dice.random()
        late = dice.choice((1.0, 1.0, 30.0, 6 * HOUR))
        if how < 0.1:
            # Nobody reports the end of this visit. The terminal reports the next opening instead.
            stay.untold = True
            return
        if how < 0.25:
            read_at = self.say("gate", when + late, event(OUT, when, berth="G1"), stay)
            read_at = self.say("gate", read_at + 5, event(OUT, when + dice.uniform(0, 30), berth="G1"), stay)
        elif how < 0.4:
            wrong = self._name("wrong")
            self.say("gate", when + 1, event(OUT, when + 1 - dice.uniform(0, 1), berth="G2"), stay, id=wrong)
            read_at = self.say("gate", when + late, event(OUT, when, berth="G1", replaces=wrong), stay)
        else:
            since = (as_box(self.desk.state).yes[-1].since - at(0)).total_seconds() / 60
            read_at = self.say("gate", when + late, event(OUT, when, berth="G1"), stay)
            if dice.random() < 0.4:
                read_at = self.leave_again(stay, OUT, since, read_at)
        self.call_back(stay, read_at)

    def leave_again(self, stay: Stay, kind: EquipmentEvent, lawful_since: float, after: float) -> float:
        """Somebody else reports the departure a second time, with another event time and without naming the first
        report. If the departure was not lawful at that time, the sender retracts the report, or an officer finds the
        container outside. Returns the time at which the desk reads the last of these messages."""
        assert stay.left is not None, "it left"
        dice, name = self.dice, self._name("again")
        other = stay.left + dice.choice(
            (dice.uniform(0, 20 * HOUR), -dice.uniform(0, HOUR), -dice.uniform(0, 20 * HOUR))
        )
        self.not_before = max(self.not_before, other + 1)
        laden = dice.choice((None, None, True, False)) if kind is OUT else None
        report = event(kind, other, berth="G3", laden=laden, sender="other")
        read_at = self.say("gate", max(after, other) + dice.choice((1.0, 30.0, 6 * HOUR)), report, stay, id=name)
        if other >= lawful_since:
            return read_at
        stay.disputed = True
        if other < stay.opened and stay.number:
            self.stays[stay.number - 1].disputed = True
        # All goods of the visit arrive within one hour after its opening. If a wrong report says that the container left
        # before the end of this hour, the report is always retracted.
        if other <= stay.opened + HOUR or dice.random() < 0.6:
            return self.say("gate", read_at + dice.choice((1.0, 6 * HOUR, DAY)), retracted(name, "other"), stay)
        self.hear_until(read_at)
        stay.lawful = False
        read_at = self.say("gate", self.now + 30, found("outside", self.now + 30), stay)
        self.not_before = max(self.not_before, read_at + 1)
        return read_at

    def call_back(self, stay: Stay, after: float) -> None:
        """The release desk holds goods that left lawfully and releases them again. That must not change how they
        left."""
        for paper in stay.papers:
            if paper.doubled or paper.statement is None or self.dice.random() > 0.15:
                continue
            version, arrived = paper.statement.version, stay.opened
            for _ in range(self.dice.choice((1, 1, 2))):
                after = max(after, self._topic["release"]) + self.dice.uniform(1, HOUR)
                self.say("release", after, self._held(paper, version + 1, after, arrived), stay, paper)
                after += self.dice.uniform(1, HOUR)
                self.say("release", after, self._freed(paper, version + 2, after, arrived), stay, paper)
                version += 2

    def end(self) -> None:
        """Lets the gate desk read all messages."""
        self.hear_until(self.now + 60 * DAY)
