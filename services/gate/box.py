"""What does the gate desk keep of one container? Reports, statements, findings and holds; visits are worked out from them.

Nothing here is a conclusion but what was published (`Yes`, `PublishedVisit`, the marks on a part): a report that comes late
or is taken back changes the reports, and everything follows anew.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from schemas.bounds import FIRST, state_adapter
from schemas.phrases import Phrase
from schemas.vocabulary import Classifier, Direction, EquipmentEvent, ExitGround

Standing = Literal["held", "released", "withdrawn", "refused"]
BEFORE = "before"
"""The visit of a container whose record was written by the release before: it is open, and nobody knows since when."""


@dataclass(frozen=True, slots=True)
class Part:
    """One consignment in the container. `standing`: what the release desk said in `version`, its latest statement, at `stated_at`.

    `since`: when the release desk first spoke of it. `arrived_at`: event time of its arrival in this box. `published_arrival`: the visit in
    which the gate told its arrival; `published_departure`: what the gate told of its departure, see `visits.departure_of`. `free_since`,
    `free_until`: the latest time in which it was released, by the release desk's clock; None: it was not, it still is.
    `freed_before`: the times before that one, which ended because it was called back, the oldest first. `source`: the container out of
    which it came into this one; `transferred`: the reports of strippings of which the gate told that these goods left this one by them.
    `told_again`: officers were told that another declaration stands for the same goods. `phrases`: why the goods are held, as the release
    desk said it; where an earlier release said it, or by more than there is room for, `reason` has its sentence instead.
    """

    consignment_id: str
    version: int
    shared_by: int
    standing: Standing
    reason: str = ""
    bill: str = ""
    conveyance: str = ""
    direction: Direction = Direction.IMPORT
    since: AwareDatetime = FIRST
    stated_at: AwareDatetime = FIRST
    arrived_at: AwareDatetime | None = None
    published_arrival: str = ""
    published_departure: str = ""
    free_since: AwareDatetime | None = None
    free_until: AwareDatetime | None = None
    freed_before: tuple[tuple[AwareDatetime, AwareDatetime], ...] = ()
    source: str = ""
    transferred: tuple[str, ...] = ()
    told_again: bool = False
    phrases: tuple[Phrase, ...] = ()

    def was_free(self, at: datetime, skew: timedelta) -> bool:
        """Whether the release desk's word was, at that moment, that it may go: a later hold does not change how it left.

        `skew`: by how much earlier than the release it may have been.
        """
        if self.free_since is None:  # a record from before this was kept
            return self.standing == "released" and self.stated_at - skew <= at
        if any(since - skew <= at <= until for since, until in self.freed_before):
            return True
        return self.free_since - skew <= at and (self.free_until is None or at <= self.free_until)


@dataclass(frozen=True, slots=True)
class Report:
    """An equipment event as it was told. `at`: event time; `heard`: recorded time. `void`: replaced, retracted or found wrong.

    `sources`, `targets`: of a stuffing and a stripping, the other containers, as desks write their numbers.
    """

    id: str
    event: EquipmentEvent
    classifier: Classifier
    at: AwareDatetime
    heard: AwareDatetime
    place: str
    sender: str
    laden: bool | None = None
    conveyance: str = ""
    to: str = ""
    void: bool = False
    sources: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        """Only actual events that nobody took back move goods."""
        return self.classifier is Classifier.ACTUAL and not self.void


@dataclass(frozen=True, slots=True)
class Finding:
    """What an officer saw at `at`; `settled`: the alarms that it ended. `void`: a later finding says the opposite."""

    id: str
    at: AwareDatetime
    found: Literal["inside", "outside"]
    lots: int | None = None
    settled: tuple[str, ...] = ()
    void: bool = False


@dataclass(frozen=True, slots=True)
class ContainerHold:
    """An officer's hold on the box."""

    hold_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Permit:
    """An officer's word of `at` that this consignment, as the release desk had stated it in `version`, may leave through the
    land gate: `until` that desk stated again that it stays (None: it did not)."""

    consignment_id: str
    ground: ExitGround
    at: AwareDatetime
    version: int
    reason: str = ""
    until: AwareDatetime | None = None

    def is_for(self, consignment_id: str) -> bool:
        return self.consignment_id == consignment_id


@dataclass(frozen=True, slots=True)
class Yes:
    """A time in which the gate's word was that the container may leave: until the gate said otherwise (None: it did not)."""

    since: AwareDatetime
    until: AwareDatetime | None
    visit: str
    consignments: tuple[str, ...]

    def is_for(self, consignment_id: str) -> bool:
        return consignment_id in self.consignments


@dataclass(frozen=True, slots=True)
class PublishedVisit:
    """What was said of a visit: how it ended (empty: it is open), and by which report."""

    id: str
    how: str = ""
    report: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """Everything known of one container. `published`: the gate's latest statement on it; `version` counts these statements.

    `gone`: consignments that left before there were visits. `forgotten`: nothing up to this event time is kept.
    `overfull`: statements about more consignments came than are kept, so that not all of them can be known to be released,
    until an officer counts the lots. `waiting`: an alarm of a visit that is not kept any more waits for an officer's finding.
    """

    parts: tuple[Part, ...] = ()
    reports: tuple[Report, ...] = ()
    findings: tuple[Finding, ...] = ()
    holds: tuple[ContainerHold, ...] = ()
    lifted: tuple[str, ...] = ()
    struck: tuple[str, ...] = ()
    permits: tuple[Permit, ...] = ()
    answered: tuple[str, ...] = ()
    version: int = 0
    published: Literal["", "leave", "stay", "gone"] = ""
    yes: tuple[Yes, ...] = ()
    visits: tuple[PublishedVisit, ...] = ()
    alarms: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    before: bool = False
    forgotten: AwareDatetime | None = None
    overfull: bool = False
    waiting: bool = False
    state: Literal["box"] = "box"


@dataclass(frozen=True, slots=True)
class _Earlier:
    parts: tuple[Part, ...] = ()
    version: int = 0
    gone: tuple[str, ...] = ()
    exit_request: str = ""
    overfull: bool = False


@dataclass(frozen=True, slots=True)
class Staying(_Earlier):
    """As the release before wrote it: the container may not leave, or nothing is known of it."""

    state: Literal["staying"] = "staying"


@dataclass(frozen=True, slots=True)
class Free(_Earlier):
    """As the release before wrote it: every consignment in it is released."""

    state: Literal["free"] = "free"


@dataclass(frozen=True, slots=True)
class Outside(_Earlier):
    """As the release before wrote it: it passed the gate outbound and has no new consignment yet."""

    state: Literal["outside"] = "outside"


State = Box | Staying | Free | Outside
STATE: TypeAdapter[State] = state_adapter(Annotated[State, Field(discriminator="state")])


def as_box(state: State) -> Box:
    """The state in today's form. What the release before knew is one open visit without an opening time: what was released
    in it stays released until the first opening or departure; what was held may also be awaited for the next one."""
    if isinstance(state, Box):
        return state
    parts = tuple([replace(p, arrived_at=FIRST) if p.standing == "released" else p for p in state.parts])
    released = tuple([p.consignment_id for p in parts if p.standing == "released"])
    return Box(
        parts=parts,
        version=state.version,
        published={"staying": "stay", "free": "leave", "outside": "gone"}[state.state],  # type: ignore[arg-type]
        yes=(Yes(FIRST, None, BEFORE, released),) if isinstance(state, Free) else (),
        gone=state.gone,
        before=bool(parts),
        answered=(state.exit_request,) if state.exit_request else (),
        overfull=state.overfull,
    )
