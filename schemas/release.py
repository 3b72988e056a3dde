"""What holds the goods, and what lets them go? The messages from and to the release desk."""

import re
from datetime import datetime
from operator import not_
from typing import Annotated, ClassVar, Self

from pydantic import Field, StringConstraints, ValidationError

from schemas.bounds import LINE, WhenMade
from schemas.declaration import MOST_CONTAINERS, BillNo, Code
from schemas.envelope import (
    AboutConsignment,
    AboutContainer,
    AboutPartition,
    DisbelievedTime,
    Fact,
    Message,
    Request,
    words_in_doubt,
)
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
"""Hold id → the revision of the pest finding, and the revision of the latest fact about the hold."""
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
"""The short values of a reason (`ReasonCode`): name of the place in the sentence → value. They are counts and codes only, because a fact
may hold 512 reasons, so there is no room for longer texts."""
Sign = Annotated[int, WhenMade(ge=0, le=LONGEST_VALUE)]
Quoted = Annotated[
    dict[Annotated[str, WhenMade(max_length=8, pattern=LINE)], tuple[Sign, Sign]],
    WhenMade(max_length=2),
    Field(exclude_if=not_),
]
"""Name of a long value → the position of its first character and the position behind its last character in the English
reason. Long values are a person's text, the name of a pest, and a list of containers."""


class Hold(Message):
    """A reason why the goods may not go.

    `owner`: who has to act. `reason`: the English sentence. `since`: the time from which it holds the goods. `lifted_by`: the kind of
    message that lifts it.

    `why`: the reason as a code (a row of `schemas.codes.sentences`). Facts that an older software version published
    have no code: there, `why` is empty. Programs of those versions do not know `why` and read `reason`. `values`: the short values of the sentence. `quoted`: where in `reason` the
    long values of the sentence stand: for each, the position of its first character and the position behind its last
    character. Long values are not repeated, because a fact may hold 512 holds.
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
    """A carrier or terminal reports that the goods arrived at `place` at `occurred_at` (event time).

    `containers`: the containers that arrived; empty if all did. `pieces`: how many packages of goods without containers have arrived so
    far; null if all have.
    """

    place: Annotated[str, StringConstraints(min_length=1, max_length=100), WhenMade(pattern=LINE), OUTSIDE]
    containers: Annotated[tuple[ContainerName, ...], WhenMade(max_length=MOST_CONTAINERS), OUTSIDE] = ()
    pieces: Annotated[Pieces | None, OUTSIDE] = None


class RetractArrival(AboutConsignment, Request):
    """The sender of a wrong report of an arrival takes the report back. A release that followed from it is revoked.

    `wrong`: the id of the report; `reason`: why it was wrong.
    """

    calls_back: ClassVar[bool] = True
    wrong: Annotated[MessageId, OUTSIDE]
    reason: Annotated[Reason, INSIDE]


class PlaceHold(AboutConsignment, Request):
    """An officer holds the goods. If they are released already, the release is revoked (`ReleaseRevoked`).

    `watch_id`: the watch because of which the goods are held; empty if an officer holds only these goods.
    """

    holds_goods: ClassVar[bool] = True
    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    reason: Reason
    watch_id: OptionalId = ""

    @classmethod
    def in_doubt(cls, key: str, body: object, at: datetime) -> Self | None:
        """Returns a hold on the consignment whose id is the key. Returns None if the key is not a consignment id, or if the content `body`
        names another consignment. `at`: the time of the hold."""
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
    """An officer holds goods that are not declared yet: all that are declared under a bill, or by a declarant.

    The console sends one copy of this request to each partition, all with the same `watch_id`. `bill_no`: the number of
    a bill, of which only letters and digits are compared, not their case; `declarant`: a USCC. One of the two is empty.
    """

    holds_goods: ClassVar[bool] = True
    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    watch_id: MessageId
    reason: Reason
    bill_no: BillNo = ""
    declarant: Code = ""

    @classmethod
    def in_doubt(cls, key: str, body: object, at: datetime) -> Self | None:
        """Returns the watch if the content `body` has a readable watch id and a readable bill or declarant. Returns None otherwise, or if
        `body` names another partition. `at`: the time of the request."""
        content = body if isinstance(body, dict) else {}
        if content.get("partition_key", key) != key or not re.fullmatch(PARTITION_KEY, key):
            return None
        named = {name: content[name] for name in ("watch_id", "bill_no", "declarant") if name in content}
        try:
            return cls(partition_key=key, occurred_at=at, **named, **words_in_doubt(body))
        except ValidationError:
            return None


class LiftWatch(AboutPartition, Request):
    """An officer ends a watch, so that it holds no further goods. The console sends a copy of this request to each partition.

    The holds that the watch has placed stay open; each needs a `LiftHold` of its own.
    """

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    watch_id: MessageId
    reason: Reason


class WatchPlaced(AboutPartition, Fact):
    """The watch is in force in this partition. From now on the release desk holds what is declared under its bill or by its declarant."""

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    watch_id: MessageId
    bill_no: BillNo
    declarant: Code
    reason: Reason
    placed_by: ActorId


class WatchLifted(AboutPartition, Fact):
    """The release desk has ended the watch in this partition.

    If the `LiftWatch` was read before the `PlaceWatch`, the watch never begins.
    """

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    watch_id: MessageId
    reason: Reason
    lifted_by: ActorId


class LiftHold(AboutConsignment, Request):
    """An officer lifts a hold.

    An officer or a watch placed the hold, or it was placed because a release lapsed or because the goods were stripped
    from a container that had to stay.
    """

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    hold_id: HoldId
    reason: Reason


class RetractLift(AboutConsignment, Request):
    """An officer takes back a wrong lifting of a hold. The hold stands again; if the goods are released, the release is revoked.

    `wrong`: the id of the request that lifted the hold; `reason`: why that was wrong.
    """

    calls_back: ClassVar[bool] = True
    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    wrong: MessageId
    reason: Reason


class LiftRetracted(AboutConsignment, Fact):
    """The lifting of an officer's hold was wrong and no longer stands. A `ConsignmentHeld` with the open holds follows.

    `wrong`: the id of the request that had lifted the hold.
    """

    hold_id: Annotated[HoldId, TO_DECLARANT]
    wrong: Annotated[MessageId, TO_DECLARANT]
    officer: Annotated[ActorId, INSIDE]
    reason: Annotated[Reason, INSIDE]


class ArrivalRecorded(AboutConsignment, Fact):
    """The release desk has recorded a report that goods have arrived.

    `containers`: the containers that arrived; empty if all did. `pieces`: how many packages have arrived so far; null
    if all have. `reported_by`: who sent the report; `gate` if the gate desk reported it. `reported_for`: the company
    for which it was sent, or the sender if there is none. Only that company may take the report back. `reported_for` is
    empty in facts of older software versions. `disbelieved_time`: the time of arrival that the report gives, if it was
    wrong, so that the time at which the report was made counts instead.
    """

    place: Annotated[Label, OUTSIDE]
    reported_by: Annotated[ActorId, INSIDE]
    containers: Annotated[tuple[ContainerName, ...], WhenMade(max_length=MOST_CONTAINERS), OUTSIDE] = ()
    pieces: Annotated[Pieces | None, OUTSIDE] = None
    reported_for: Annotated[Principal, INSIDE] = ""
    disbelieved_time: Annotated[DisbelievedTime, OUTSIDE] = None


class ArrivalRetracted(AboutConsignment, Fact):
    """A report of an arrival was wrong and no longer stands. The fact states what the other reports say has arrived.

    `wrong`: the id of the message that reported the arrival. `arrived_at`, `first_arrived_at`: the event times of the
    last and of the first arrival that stands. If `arrived_at` is null, nothing has arrived; otherwise `containers` and
    `pieces` mean the same as in `ArrivalRecorded`.

    If the goods were released, but without this report not all of them have arrived, `ReleaseRevoked` follows, and then
    a `ConsignmentHeld`, or a `ReleaseGranted` for those that have arrived.
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
    """All holds that are open on the goods.

    While the goods are neither released nor refused, the release desk publishes this fact whenever the holds change.

    `version` counts the release desk's statements on these goods.
    """

    version: Annotated[Version, OUTSIDE]
    holds: Annotated[tuple[Hold, ...], WhenMade(max_length=MOST_HOLDS), OUTSIDE]


class ReleaseGranted(AboutConsignment, Fact):
    """The goods are released. The fact lists everything that may go now, including what was released before.

    `containers`: all containers that may go. A port lets a container go only if it is in this list. `holds`: what holds
    the rest of the goods; empty if everything is released. `pieces`: for goods without containers, how many packages
    may go; null if all may. `version` counts the release desk's statements on these goods.

    `answers`: hold id → kind of the fact that lifted the hold. `revisions`: hold id → the revision of the pest finding,
    and the revision of the latest fact about the control or treatment of this hold that the release takes into account.
    Holds for which both are 0 are left out. The revisions show whether the release desk had read a correction.
    `revisions` is null in facts of older software versions.
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
    """The goods are refused, because a control or treatment failed: they must be destroyed or returned.

    If the failure is taken back, `RefusalRevoked` follows. `cause`: the id of the hold of this control or treatment.
    `holds`: the holds of officers that are open on the goods. The fact is published again whenever these holds change.
    """

    version: Annotated[Version, OUTSIDE]
    declaration_no: Annotated[DeclarationNo | None, OUTSIDE]
    cause: Annotated[HoldId, TO_DECLARANT]
    reason: Annotated[Reason, INSIDE]
    holds: Annotated[tuple[Hold, ...], WhenMade(max_length=MOST_HOLDS), OUTSIDE] = ()
    phrases: Annotated[Phrases, INSIDE] = ()


class ReleaseRevoked(AboutConsignment, Fact):
    """A release that was granted no longer stands, so every port must stop the goods.

    A `ConsignmentHeld`, a `ReleaseRefused` or another `ReleaseGranted` follows. `containers`: the containers that were released.
    """

    version: Annotated[Version, OUTSIDE]
    containers: Annotated[Containers, OUTSIDE]
    reason: Annotated[Reason, INSIDE]
    phrases: Annotated[Phrases, INSIDE] = ()


class RefusalRevoked(AboutConsignment, Fact):
    """The failure for which the goods were refused no longer stands.

    A new `ConsignmentHeld`, `ReleaseGranted` or `ReleaseRefused` follows.
    """

    version: Annotated[Version, OUTSIDE]
    reason: Annotated[Reason, INSIDE]
    phrases: Annotated[Phrases, INSIDE] = ()


class DeclarationWithdrawn(AboutConsignment, Fact):
    """The declaration was withdrawn at the declarant's request. The goods are never released under it.

    `request_id`: the request to withdraw it; `reason`: the declarant's reason.
    """

    version: Annotated[Version, OUTSIDE]
    request_id: Annotated[MessageId, TO_DECLARANT]
    reason: Annotated[Reason, TO_DECLARANT]


class ContainerHeld(AboutContainer, Fact):
    """The release desk states to the gate desk that this consignment is in the container and may not leave.

    Of the statements on one consignment and container, the one with the highest `version` is in force. `refused`: whether the goods are
    refused. `shared_by`: how many consignments share the container, as declared.

    `bill_no`, `conveyance`, `direction` and `arrived_at` show to which lot of which visit the goods belong; they are
    empty or null if they are not known. `source`: the container out of which the goods came into this one; `shared_by`
    is then the number of lots in that container. `arrival_retracted`: whether an arrival that was stated before was
    wrong. If it is true and `arrived_at` is null, the goods have not arrived in this container.
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
    """The release desk states to the gate desk that this consignment no longer keeps the container.

    Of the statements on one consignment and container, the one with the highest `version` is in force. `released`: true if the goods are
    released. It is false if the declaration was withdrawn, or if the goods did not come into this container after all
    (`arrival_retracted`). The consignment then no longer counts, but that alone does not let the container leave. The other fields are
    those of `ContainerHeld`.
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
