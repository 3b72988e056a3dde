"""What does the gate desk store about one container? It stores reports, statements, findings and holds, and computes the
visits from them.

The record contains everything that was reported and everything that was published (`Yes`, `PublishedVisit`, the marks on a
part). It contains no other conclusion: if a report comes late or is taken back, everything else is computed anew.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from schemas.bounds import FIRST, state_adapter
from schemas.phrases import Phrase
from schemas.vocabulary import Classifier, Direction, EquipmentEvent, ExitGround, StayCode

Standing = Literal["held", "released", "withdrawn", "refused"]
BEFORE = "before"
"""The id of the open visit of a container whose record was written by a software version without visits. It is not known
when this visit began."""


@dataclass(frozen=True, slots=True)
class Part:
    """The goods of one consignment in the container. `standing`: the release desk's latest statement about them;
    `version`: the number of that statement; `stated_at`: when it was made.

    `since`: when the release desk first published a statement about them. `arrived_at`: event time of their arrival in this
    box. `published_arrival`: the visit for which the gate published their arrival. `told_at`: the time of arrival that the
    gate published, unless the release desk had stated the same; `wrong_at`: a time of arrival that the gate published and
    took back. `published_departure`: how the gate published their departure, see `departures.departure_of`. `free_since` and
    `free_until`: the latest period in which they were released, by the release desk's clock; `free_since` is None if they
    never were, `free_until` is None while they still are. `freed_before`: earlier such periods, each ended by a revocation,
    oldest first. `source`: the container from which they came into this one. `transferred`: the reports of strippings for
    which the gate published that these goods left this container. `told_again`: whether the gate published to officers that
    another declaration stands for the same goods. `phrases`: why the goods are held, as the release desk said it; if an
    older software version said it, or the phrases are too large to keep, `reason` has the sentence instead.
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
    told_at: AwareDatetime | None = None
    wrong_at: AwareDatetime | None = None
    phrases: tuple[Phrase, ...] = ()

    @property
    def arrival_is_the_gates(self) -> bool:
        """Returns whether the release desk knows the arrival only from the gate desk."""
        return self.arrived_at is not None and self.arrived_at in (self.told_at, self.wrong_at)

    def was_free(self, at: datetime, skew: timedelta) -> bool:
        """Returns whether the consignment was released at that moment. A hold that was placed later does not change the
        answer.

        `skew`: a moment up to this long before the release still counts, because clocks differ. The moment at which the
        release ended counts, too. A hold that follows from this very departure may have the same time as the departure.
        If this hold counted, the departure would be one without release, and the two desks would answer each other
        without end.
        """
        if self.free_since is None:  # the goods were never released, or the record is older than this field
            return self.standing == "released" and self.stated_at - at <= skew
        if any(since - at <= skew and at <= until for since, until in self.freed_before):
            return True
        return self.free_since - at <= skew and (self.free_until is None or at <= self.free_until)


@dataclass(frozen=True, slots=True)
class Report:
    """An equipment event as it was reported. `at`: event time; `heard`: recorded time. `void`: whether the report was
    replaced, retracted or found wrong.

    `sources`: the numbers of the other containers of a stuffing, `targets`: those of a stripping. They are in the form that
    all desks use.
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
        """Returns whether the event moves goods: it is an actual event, and nobody took the report back."""
        return self.classifier is Classifier.ACTUAL and not self.void


@dataclass(frozen=True, slots=True)
class ContainerFinding:
    """An officer's finding about the container at the time `at`. `settled`: the keys of the alarms that the finding
    ended. `void`: whether the finding no longer counts, because it was `retracted`, or because a later finding shows
    that it was a mistake. `voided`: the ids of the reports and findings that are wrong if this finding is right.
    `ended`: the marks of the box that the finding removed."""

    id: str
    at: AwareDatetime
    found: Literal["inside", "outside"]
    lots: int | None = None
    settled: tuple[str, ...] = ()
    void: bool = False
    retracted: bool = False
    voided: tuple[str, ...] = ()
    ended: tuple[Literal["overfull", "waiting"], ...] = ()


@dataclass(frozen=True, slots=True)
class ContainerHold:
    """An officer's hold on the box. `at`: when the officer asked for it; None in records of older software versions.
    `until`: when it was lifted; None while it is open. A hold that was lifted is kept without its `reason`."""

    hold_id: str
    reason: str
    at: AwareDatetime | None = None
    until: AwareDatetime | None = None

    def covers(self, moment: datetime) -> bool:
        """Returns whether the hold was open at that moment. Returns False for a hold that an older software version
        stored, because it is not known since when that hold was open."""
        return self.at is not None and self.at <= moment and (self.until is None or moment < self.until)


@dataclass(frozen=True, slots=True)
class Permit:
    """An officer's permission, given at `at`, for this consignment to leave through the land gate.

    `version`: the number of the release desk's latest statement at that time. `until`: the time at which the release
    desk stated again that the goods stay, which ends the permit; None if it has not.
    """

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
    """A period in which the gate's answer was that the container may leave. `until`: when the answer changed; None if it has
    not changed."""

    since: AwareDatetime
    until: AwareDatetime | None
    visit: str
    consignments: tuple[str, ...]

    def is_for(self, consignment_id: str) -> bool:
        return consignment_id in self.consignments


@dataclass(frozen=True, slots=True)
class PublishedVisit:
    """The gate's last published facts about a visit. `how`: how the visit ended, empty while it is open; `report`: the id of
    the report that ended it."""

    id: str
    how: str = ""
    report: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """Everything that is known about one container. `published`: the gate's latest statement about it; `version` counts
    these statements. `alarms`: the keys of the alarms that were published; `mild`: those of them that were published as
    not blocking. `gone`: consignments that left before the desk kept visits. `before`: whether the visit `BEFORE`
    belongs to this container. `forgotten`: no reports up to this event time are kept. `overfull`: whether the release
    desk named more consignments than are kept, so that this record cannot show that all of them are released; this ends
    when an officer counts the lots. `waiting`: whether an alarm of a visit that is no longer kept still needs an
    officer's finding. `code`: what the container waits for, as published last (`StayCode`); empty if no such code
    was published after the last yes and after the last end of a visit; None in a record of an older
    software version. `struck_at`: struck consignment → when the officer struck it off; older software versions did not
    store it. `ended_holds`: the holds that were lifted last. They are kept because a departure during such a hold may
    be reported after the hold was lifted."""

    parts: tuple[Part, ...] = ()
    reports: tuple[Report, ...] = ()
    findings: tuple[ContainerFinding, ...] = ()
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
    mild: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    before: bool = False
    forgotten: AwareDatetime | None = None
    overfull: bool = False
    waiting: bool = False
    code: str | None = None
    ended_holds: tuple[ContainerHold, ...] = ()
    struck_at: dict[str, AwareDatetime] = field(default_factory=dict)
    state: Literal["box"] = "box"

    @property
    def published_code(self) -> str:
        """Returns the code that was published last (`code`). Records of older software versions have no code. For such
        a record, returns the code of an alarm if a blocking alarm was published, because readers then assume that the
        container waits for the end of that alarm; otherwise an empty text."""
        if self.code is not None:
            return self.code
        return StayCode.ALARM if set(self.alarms).difference(self.mild) else ""

    def without_strikes(self, names: Collection[str]) -> "Box":
        """Returns the box in which these consignments are not struck off."""
        return replace(
            self,
            struck=tuple([name for name in self.struck if name not in names]),
            struck_at={name: at for name, at in self.struck_at.items() if name not in names},
        )

    def was_held(self, moment: datetime) -> bool:
        """Returns whether an officer held the container at that moment."""
        return any(hold.covers(moment) for hold in (*self.holds, *self.ended_holds))


@dataclass(frozen=True, slots=True)
class _Earlier:
    parts: tuple[Part, ...] = ()
    version: int = 0
    gone: tuple[str, ...] = ()
    exit_request: str = ""
    overfull: bool = False


@dataclass(frozen=True, slots=True)
class Staying(_Earlier):
    """A state that an older software version wrote: the container may not leave, or nothing is known of it."""

    state: Literal["staying"] = "staying"


@dataclass(frozen=True, slots=True)
class Free(_Earlier):
    """A state that an older software version wrote: every consignment in the container is released."""

    state: Literal["free"] = "free"


@dataclass(frozen=True, slots=True)
class Outside(_Earlier):
    """A state that an older software version wrote: the container passed the gate outbound and has no new consignment
    yet."""

    state: Literal["outside"] = "outside"


State = Box | Staying | Free | Outside
STATE: TypeAdapter[State] = state_adapter(Annotated[State, Field(discriminator="state")])


def as_box(state: State) -> Box:
    """Returns the state in its present form. A state of an older software version becomes one open visit without an opening
    time (`BEFORE`). Goods that are released in such a state stay released until the container departs or the next visit
    opens. It is not known whether goods that are held belong to this visit or to the next one, so they may be in
    either."""
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
