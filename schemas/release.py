"""What holds the goods, and what lets them go?"""

from pydantic import Field

from schemas.envelope import AboutConsignment, AboutContainer, Fact, Message, Request
from schemas.vocabulary import ActorId, ConsignmentId, DeclarationNo, Direction, Lane, Moment, Owner, Reason

HoldId = str
"""`assessment`, `arrival`, `inspection/<control>`, `quarantine/<origin>` or `officer/<request id>`."""


class Hold(Message):
    """Why the goods may not go: who owns it, why, since when, and what lifts it (the kind of message awaited)."""

    hold_id: HoldId
    owner: Owner
    reason: Reason
    since: Moment
    lifted_by: str


class ReportArrival(AboutConsignment, Request):
    """Carrier or terminal: the goods have arrived at `place`."""

    place: str = Field(min_length=1, max_length=100)


class PlaceHold(AboutConsignment, Request):
    """An officer holds the goods; goods already released are called back (`ReleaseRevoked`)."""

    reason: Reason


class LiftHold(AboutConsignment, Request):
    """An officer lifts an officer's hold."""

    hold_id: HoldId
    reason: Reason


class ArrivalRecorded(AboutConsignment, Fact):
    """The goods have arrived."""

    place: str
    reported_by: ActorId


class ConsignmentHeld(AboutConsignment, Fact):
    """The whole list of open holds, published whenever it changed. `version` counts the desk's statements on these goods."""

    version: int
    holds: tuple[Hold, ...]


class ReleaseGranted(AboutConsignment, Fact):
    """No hold is open: the goods may go. `answers`: what answered each required control (hold id → kind of fact)."""

    version: int
    declaration_no: DeclarationNo
    direction: Direction
    customs_office: str
    transport_mode: str
    bill_no: str
    containers: tuple[str, ...]
    lane: Lane
    arrived_at: Moment
    answers: dict[HoldId, str]


class ReleaseRefused(AboutConsignment, Fact):
    """A control failed for good: the goods are to be destroyed or returned."""

    version: int
    declaration_no: DeclarationNo | None
    cause: HoldId
    reason: Reason


class ReleaseRevoked(AboutConsignment, Fact):
    """A granted release no longer holds; every port consumer must stop the goods. The new holds follow in `ConsignmentHeld`."""

    version: int
    containers: tuple[str, ...]
    reason: Reason


class DeclarationWithdrawn(AboutConsignment, Fact):
    """The declarant took the declaration back; these goods are never released under it."""

    version: int
    request_id: str
    reason: Reason


class ContainerHeld(AboutContainer, Fact):
    """To the gate: this consignment is in the container and may not leave. Highest `version` per consignment wins."""

    consignment_id: ConsignmentId
    shared_by: int
    version: int
    reason: Reason


class ContainerFreed(AboutContainer, Fact):
    """To the gate: this consignment no longer keeps the container. Highest `version` per consignment wins.

    `released` false: the declaration was withdrawn, so the consignment no longer counts; that alone lets nothing leave.
    """

    consignment_id: ConsignmentId
    shared_by: int
    version: int
    released: bool
