"""What holds the goods, and what lets them go? The messages from and to the release desk."""

import re
from datetime import datetime
from operator import not_
from typing import Annotated, ClassVar, Self

from pydantic import Field, StringConstraints, ValidationError

from schemas.bounds import LINE, WhenMade
from schemas.declaration import MOST_CONTAINERS, BillNo, Code
from schemas.envelope import AboutConsignment, AboutContainer, AboutPartition, Fact, Message, Request, words_in_doubt
from schemas.marks import INSIDE, OUTSIDE, TO_DECLARANT, SeenBy
from schemas.phrases import LONGEST_VALUE, Phrases
from schemas.risk import Sharers
from schemas.vocabulary import (
    CONSIGNMENT_ID,
    PARTITION_KEY,
    ActorId,
    ConsignmentId,
    ContainerName,
    DeclarationNo,
    Direction,
    Label,
    Lane,
    MessageId,
    Moment,
    Name,
    OptionalId,
    Owner,
    Reason,
    Revision,
    Version,
)

HoldId = Annotated[str, WhenMade(min_length=1, max_length=240, pattern=LINE)]
"""The id of a hold, made by `schemas.hold_ids`."""


MOST_HOLDS = 512
"""How many holds one `ConsignmentHeld` may list. The release desk opens fewer."""
Principal = Annotated[str, WhenMade(max_length=64, pattern=LINE)]
"""The account or company that made the report; empty if an older software version wrote the message."""
OptionalContainer = Annotated[str, WhenMade(max_length=17, pattern=LINE)]
Revisions = Annotated[dict[HoldId, tuple[Revision, Revision]], WhenMade(max_length=32)]
"""Hold → the revision of the pest finding, and the revision of the latest fact about the hold."""
Pieces = Annotated[int, WhenMade(ge=1, le=999_999_999)]
"""A number of packages."""
Containers = Annotated[tuple[ContainerName, ...], Field(max_length=MOST_CONTAINERS)]


Conveyance = Annotated[str, WhenMade(max_length=100, pattern=LINE)]
"""The vessel and voyage, train, flight or vehicle, as declared; empty if none was declared."""


LONGEST_CODE = 24
ReasonCode = Annotated[str, WhenMade(max_length=LONGEST_CODE, pattern=LINE)]
"""The code of a sentence in which a desk gives a reason (`schemas.codes.sentences`)."""
Values = Annotated[
    dict[Annotated[str, WhenMade(max_length=8, pattern=LINE)], Annotated[str, WhenMade(max_length=16, pattern=LINE)]],
    WhenMade(max_length=2),
]
"""Values of the places of a reason (`ReasonCode`) by their names. They are counts and codes only: a fact may hold 512 reasons, so there is no
room for longer texts."""
Sign = Annotated[int, WhenMade(ge=0, le=LONGEST_VALUE)]
Quoted = Annotated[
    dict[Annotated[str, WhenMade(max_length=8, pattern=LINE)], tuple[Sign, Sign]],
    WhenMade(max_length=2),
    Field(exclude_if=not_),
]
"""Name of a long value → its first position and the position behind its last character in the English reason. Long values are a person's
text, the name of a pest, and a list of containers."""


class Hold(Message):
    """Why the goods may not go: who owns it, why, since when, and what lifts it (the kind of message awaited).

    `why`: the reason as a code (a row of `schemas.codes.sentences`), with its short values in `values`. What is long is not said twice, for a
    fact may hold 512 of them: `quoted` tells where in `reason` it stands, by its first sign and the sign behind it. Empty in facts of
    older software versions, whose readers `reason` is for.
    """

    hold_id: Annotated[HoldId, TO_DECLARANT]
    owner: Annotated[Owner, OUTSIDE]
    reason: Annotated[Reason, INSIDE]
    since: Annotated[Moment, OUTSIDE]
    lifted_by: Annotated[Name, TO_DECLARANT]
    why: Annotated[ReasonCode, INSIDE] = ""
    values: Annotated[Values, INSIDE] = Field(default_factory=dict)
    quoted: Annotated[Quoted, INSIDE] = Field(default_factory=dict)


class ReportArrival(AboutConsignment, Request):
    """Carrier or terminal: the goods have arrived at `place`, at `occurred_at` (event time).

    `containers`: only those of them; empty means all. `pieces`: how many packages have arrived so far, for goods without
    containers; None means all.
    """

    place: Annotated[str, StringConstraints(min_length=1, max_length=100), WhenMade(pattern=LINE), OUTSIDE]
    containers: Annotated[tuple[ContainerName, ...], WhenMade(max_length=MOST_CONTAINERS), OUTSIDE] = ()
    pieces: Annotated[Pieces | None, OUTSIDE] = None


class RetractArrival(AboutConsignment, Request):
    """Who told of an arrival takes that back: what it told of is not here, and released goods are called back.

    `wrong`: the id of the report; `reason`: why it was wrong.
    """

    calls_back: ClassVar[bool] = True
    wrong: Annotated[MessageId, OUTSIDE]
    reason: Annotated[Reason, INSIDE]


class PlaceHold(AboutConsignment, Request):
    """An officer holds the goods; goods already released are called back (`ReleaseRevoked`).

    `watch_id`: the watch that these goods match; empty of a hold that an officer places on them alone.
    """

    holds_goods: ClassVar[bool] = True
    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    reason: Reason
    watch_id: OptionalId = ""

    @classmethod
    def in_doubt(cls, key: str, body: object, at: datetime) -> Self | None:
        """Returns a hold on the goods that the key names; None if the key is not a consignment id, or if the content `body` names other
        goods. `at`: the time of the hold."""
        content = body if isinstance(body, dict) else {}
        named = content.get("consignment_id")
        if (
            isinstance(named, str)
            and named.strip().lower() != key
            and re.fullmatch(CONSIGNMENT_ID, named.strip().lower())
        ):
            return None
        try:
            return cls(consignment_id=key, occurred_at=at, **words_in_doubt(body))
        except ValidationError:
            return None


class PlaceWatch(AboutPartition, Request):
    """An officer holds goods that nobody has declared yet: whatever is declared under this bill, or by this declarant.

    One copy for each partition, all of one `watch_id`. `bill_no`: any spelling of the same capitals and digits; `declarant`: USCC;
    one of the two is empty.
    """

    holds_goods: ClassVar[bool] = True
    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    watch_id: MessageId
    reason: Reason
    bill_no: BillNo = ""
    declarant: Code = ""

    @classmethod
    def in_doubt(cls, key: str, body: object, at: datetime) -> Self | None:
        """Returns the watch if its id and its bill or declarant can be read; None if they cannot, or if the content `body` names another
        partition. `at`: the time of the request."""
        content = body if isinstance(body, dict) else {}
        if content.get("partition_key", key) != key or not re.fullmatch(PARTITION_KEY, key):
            return None
        named = {name: content[name] for name in ("watch_id", "bill_no", "declarant") if name in content}
        try:
            return cls(partition_key=key, occurred_at=at, **named, **words_in_doubt(body))
        except ValidationError:
            return None


class LiftWatch(AboutPartition, Request):
    """An officer ends a watch, so that it holds no further goods. Each partition gets a copy of this request. The holds that the watch has made
    stay open; a `LiftHold` of its own lifts each of them."""

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    watch_id: MessageId
    reason: Reason


class WatchPlaced(AboutPartition, Fact):
    """The release desk of this partition holds what is declared under this bill or by this declarant from now on."""

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    watch_id: MessageId
    bill_no: BillNo
    declarant: Code
    reason: Reason
    placed_by: ActorId


class WatchLifted(AboutPartition, Fact):
    """The release desk of this partition has ended the watch, or will not begin it."""

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    watch_id: MessageId
    reason: Reason
    lifted_by: ActorId


class LiftHold(AboutConsignment, Request):
    """An officer lifts an officer's hold."""

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    hold_id: HoldId
    reason: Reason


class RetractLift(AboutConsignment, Request):
    """An officer takes the lifting of a hold back that was wrong: the hold stands again, and released goods are called back.

    `wrong`: the id of the request that lifted it; `reason`: why that was wrong.
    """

    calls_back: ClassVar[bool] = True
    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    wrong: MessageId
    reason: Reason


class LiftRetracted(AboutConsignment, Fact):
    """The lifting of an officer's hold was wrong and no longer stands. The holds follow in `ConsignmentHeld`."""

    hold_id: Annotated[HoldId, TO_DECLARANT]
    wrong: Annotated[MessageId, TO_DECLARANT]
    officer: Annotated[ActorId, INSIDE]
    reason: Annotated[Reason, INSIDE]


class ArrivalRecorded(AboutConsignment, Fact):
    """The goods have arrived: in `containers` (empty means all), or `pieces` packages so far (None means all).

    `reported_for`: whose report it is, which alone may take it back: the company for which `reported_by` told it, else who told it; empty in
    facts of older software versions.
    """

    place: Annotated[Label, OUTSIDE]
    reported_by: Annotated[ActorId, INSIDE]
    containers: Annotated[tuple[ContainerName, ...], WhenMade(max_length=MOST_CONTAINERS), OUTSIDE] = ()
    pieces: Annotated[Pieces | None, OUTSIDE] = None
    reported_for: Annotated[Principal, INSIDE] = ""


class ArrivalRetracted(AboutConsignment, Fact):
    """A report of an arrival was wrong and no longer stands. What is left is stated whole: with `arrived_at`, the event time of the last
    arrival that stands (`first_arrived_at`: of the first), `containers` and `pieces` are those of `ArrivalRecorded`; without it, nothing
    has arrived. The holds follow in `ConsignmentHeld`, after `ReleaseRevoked` where the goods were released.

    `wrong`: the id of the message that told it.
    """

    wrong: Annotated[MessageId, OUTSIDE]
    reason: Annotated[Reason, INSIDE]
    retracted_by: Annotated[ActorId, INSIDE]
    containers: Annotated[tuple[ContainerName, ...], WhenMade(max_length=2 * MOST_CONTAINERS), OUTSIDE] = ()
    pieces: Annotated[Pieces | None, OUTSIDE] = None
    arrived_at: Annotated[Moment | None, OUTSIDE] = None
    first_arrived_at: Annotated[Moment | None, OUTSIDE] = None
    phrases: Annotated[Phrases, INSIDE] = ()


class ConsignmentHeld(AboutConsignment, Fact):
    """The whole list of open holds, published whenever it changed. `version` counts the desk's statements on these goods."""

    version: Annotated[Version, OUTSIDE]
    holds: Annotated[tuple[Hold, ...], WhenMade(max_length=MOST_HOLDS), OUTSIDE]


class ReleaseGranted(AboutConsignment, Fact):
    """What may go, stated whole. `answers`: what answered each required control (hold id → kind of fact).

    `containers` are all that are released so far; `holds` what keeps the rest (empty: everything is released), of goods
    without containers `pieces` packages (None: all). A port's yes needs the box in `containers`.

    `revisions`: of the latest fact about each control and treatment that this release takes into account, the pest finding and the
    revision, where not both are 0; so it is known of each correction whether this desk has heard it. None of older software versions.
    """

    version: Annotated[Version, OUTSIDE]
    declaration_no: Annotated[DeclarationNo, OUTSIDE]
    direction: Annotated[Direction, OUTSIDE]
    customs_office: Annotated[Code, OUTSIDE]
    transport_mode: Annotated[Code, OUTSIDE]
    bill_no: Annotated[BillNo, OUTSIDE]
    containers: Annotated[Containers, OUTSIDE]
    lane: Annotated[Lane, TO_DECLARANT]
    arrived_at: Annotated[Moment, OUTSIDE]
    answers: Annotated[dict[HoldId, Name], WhenMade(max_length=32), INSIDE]
    holds: Annotated[tuple[Hold, ...], WhenMade(max_length=MOST_HOLDS), OUTSIDE] = ()
    pieces: Annotated[Pieces | None, OUTSIDE] = None
    revisions: Annotated[Revisions | None, INSIDE] = None


class ReleaseRefused(AboutConsignment, Fact):
    """A control or treatment failed: the goods are to be destroyed or returned, unless the failure is taken back (`RefusalRevoked`).

    `holds`: the officers' holds, which keep the goods then; said again whenever these changed.
    """

    version: Annotated[Version, OUTSIDE]
    declaration_no: Annotated[DeclarationNo | None, OUTSIDE]
    cause: Annotated[HoldId, TO_DECLARANT]
    reason: Annotated[Reason, INSIDE]
    holds: Annotated[tuple[Hold, ...], WhenMade(max_length=MOST_HOLDS), OUTSIDE] = ()
    phrases: Annotated[Phrases, INSIDE] = ()


class ReleaseRevoked(AboutConsignment, Fact):
    """A granted release no longer holds; every port consumer must stop the goods. The new holds follow in `ConsignmentHeld`."""

    version: Annotated[Version, OUTSIDE]
    containers: Annotated[Containers, OUTSIDE]
    reason: Annotated[Reason, INSIDE]
    phrases: Annotated[Phrases, INSIDE] = ()


class RefusalRevoked(AboutConsignment, Fact):
    """The failure for which goods were refused no longer stands. What is true instead follows: held, released or refused."""

    version: Annotated[Version, OUTSIDE]
    reason: Annotated[Reason, INSIDE]
    phrases: Annotated[Phrases, INSIDE] = ()


class DeclarationWithdrawn(AboutConsignment, Fact):
    """The declarant took the declaration back; these goods are never released under it."""

    version: Annotated[Version, OUTSIDE]
    request_id: Annotated[MessageId, TO_DECLARANT]
    reason: Annotated[Reason, TO_DECLARANT]


class ContainerHeld(AboutContainer, Fact):
    """To the gate: this consignment is in the container and may not leave. Highest `version` per consignment wins.

    `refused`: for good. The other fields tell which lot of which visit it is; empty and None where nobody said. `source`: the container
    out of which the goods came into this one, with `shared_by` lots. `arrival_retracted`: an arrival that was told before was wrong, so
    that without `arrived_at` the goods have not arrived in it.
    """

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    consignment_id: ConsignmentId
    shared_by: Sharers
    version: Version
    reason: Reason
    bill_no: BillNo = ""
    conveyance: Conveyance = ""
    direction: Direction = Direction.IMPORT
    arrived_at: Moment | None = None
    refused: bool = False
    source: OptionalContainer = ""
    arrival_retracted: bool = False
    phrases: Phrases = ()


class ContainerFreed(AboutContainer, Fact):
    """To the gate: this consignment no longer keeps the container. Highest `version` per consignment wins.

    `released` false: the declaration was withdrawn, or the goods did not go into this container after all (`arrival_retracted`), so the
    consignment no longer counts; that alone lets nothing leave. `source`, `arrival_retracted`: as in `ContainerHeld`.
    """

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    consignment_id: ConsignmentId
    shared_by: Sharers
    version: Version
    released: bool
    bill_no: BillNo = ""
    conveyance: Conveyance = ""
    direction: Direction = Direction.IMPORT
    arrived_at: Moment | None = None
    source: OptionalContainer = ""
    arrival_retracted: bool = False
