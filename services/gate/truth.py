"""What is known about the visits of a container? `Visit` describes one visit, `Alarm` an alarm about how a visit ended,
and `Truth` has all visits and alarms of the container.

`services.gate.visits` computes these objects from the record of the box. None of them is stored.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from schemas.envelope import FUTURE_SKEW
from schemas.vocabulary import EquipmentEvent
from services.gate.box import Part, Report
from services.gate.reasons import WHY

SAME_EVENT = timedelta(hours=24)
"""Two reports of the same kind (of openings: at the same place, too), at most this far apart and with no other end or beginning of a
visit between them, are one event reported twice."""
SKEW = FUTURE_SKEW
"""By how much the clocks of terminals and desks may differ."""
SAME_CALL = timedelta(days=7)
"""If the same conveyance is named again after more than this time, the conveyance has come on another call."""
OPENINGS = (EquipmentEvent.DISCHARGED, EquipmentEvent.GATED_IN)
"""The events that open a visit."""
How = Literal["", "gated_out", "loaded", "left_empty", "departure_not_reported", "came_back_empty", "finding", "stray"]
"""How a visit ended; empty while it is open. `stray`: a departure was reported for which no visit is known."""


@dataclass(slots=True)
class Visit:
    """One stay. `opening`: the report that opened or confirmed it; None if the visit is known only by an arrival of
    goods, or is the visit `BEFORE`.

    `openings`, `departures`: all reports of its opening and of its departure, the earliest event time first.
    `left_laden`: if one report says that the container left empty and another report of the same departure does not,
    what the other report says; else empty (`_combine_departures`). `allowed`: the consignments that the gate's answer
    let out when the visit ended; None: the answer was no. `stripped`: when the box was last stripped. `stuffings`: the
    reports of goods put into the box during the visit. `transfers`: the reports of goods stripped from it into other
    containers.
    """

    id: str
    opened: datetime
    opening: Report | None = None
    conveyance: str = ""
    closed: datetime | None = None
    how: How = ""
    closing: Report | None = None
    stripped: datetime | None = None
    parts: list[Part] = field(default_factory=list)
    allowed: frozenset[str] | None = None
    stuffings: list[Report] = field(default_factory=list)
    transfers: list[Report] = field(default_factory=list)
    openings: list[Report] = field(default_factory=list)
    departures: list[Report] = field(default_factory=list)
    left_laden: Literal["", "laden", "unknown"] = ""

    @property
    def open(self) -> bool:
        return not self.how

    @property
    def stuffed(self) -> datetime | None:
        """Returns when goods were last put into the box during this visit; None if they never were."""
        return self.stuffings[-1].at if self.stuffings else None

    @property
    def emptied(self) -> bool:
        """Returns whether the box was stripped in this visit, and not stuffed afterwards."""
        return self.stripped is not None and (self.stuffed is None or self.stuffed < self.stripped)

    @property
    def may_have_brought_goods(self) -> bool:
        """Returns whether the box may have been laden when it came, and was not stripped since."""
        return self.opening is not None and self.opening.laden is not False and self.stripped is None

    @property
    def is_known_laden(self) -> bool:
        """Returns whether somebody reported goods in the box, on its arrival or when it was stuffed here, and nobody reported that they were
        taken out."""
        came_laden = self.opening is not None and self.opening.laden is True and self.stripped is None
        return came_laden or (bool(self.stuffings) and not self.emptied)

    def went_elsewhere(self, part: Part) -> bool:
        """Returns whether these goods were in the box when it was stripped into others. Holds on the goods then count at those other
        containers."""
        return part.arrived_at is not None and any(part.arrived_at <= each.at for each in self.transfers)

    def taken_out(self, part: Part) -> bool:
        """Returns whether these goods left the box when it was stripped: they went into other containers, or were handed out as released. After
        the visit has ended, a release counts only if it was in force when the box was stripped or when the visit ended. What the release desk
        states later follows from how the goods left, so it must not change this answer."""
        if self.went_elsewhere(part):
            return True
        if self.stripped is None:
            return False
        free = part.standing == "released" if self.closed is None else part.was_free(self.closed, SKEW)
        # Goods whose release was in force when the box was stripped were handed out then. They stay out of the box even
        # if their release ended later.
        if not free and not part.was_free(self.stripped, SKEW):
            return False
        return self.emptied or (part.arrived_at is not None and part.arrived_at <= self.stripped)


@dataclass(slots=True)
class Alarm:
    """A case that a person must look at. `key` identifies it; `why`: a code of `reasons.WHY`; `waiting_for`: the consignments concerned;
    `blocks`: whether the container stays until an officer's finding settles the alarm."""

    alarm: str
    subject: str
    visit: str
    why: str
    at: datetime
    gate: str = ""
    report: str = ""
    waiting_for: tuple[str, ...] = ()
    blocks: bool = False

    @property
    def key(self) -> str:
        return f"{self.alarm}/{self.subject}"

    @property
    def reason(self) -> str:
        return WHY[self.why]


def subject_of(key: str) -> str:
    """Returns the subject of the alarm with this key: the report that it is about, or a consignment."""
    return key.partition("/")[2]


@dataclass(slots=True)
class Truth:
    """The result of `look`: the visits of a box, and what follows from them. `expected`: goods that are declared in the box and have not come
    yet.

    `retells`: report → the report of the same event that counts, if that is another one. For a departure it is the one
    with the earliest event time, for an opening the one that was recorded first, from which the visit has its id.
    `belongs`: report → visit. `doubtful`: goods that may be in the open visit without being among its parts. They may
    have left with an earlier visit, or they are `expected` goods that the container may have brought when it came
    again. `taken_back`: goods whose arrival this desk published and retracted, as long as no later statement of the
    release desk shows that it has read the retraction.
    """

    visits: list[Visit]
    expected: list[Part]
    retells: dict[str, str]
    belongs: dict[str, str]
    alarms: list[Alarm] = field(default_factory=list)
    doubtful: list[Part] = field(default_factory=list)
    taken_back: frozenset[str] = frozenset()

    @property
    def current(self) -> Visit | None:
        return self.visits[-1] if self.visits and self.visits[-1].open else None
