"""May this container leave the port? Equipment events, visits, and what an officer decides about a box."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, ValidationError

from schemas.bounds import LINE, WhenMade
from schemas.codes.iso6346 import plain
from schemas.envelope import AboutConsignment, AboutContainer, Fact, Request, words_in_doubt
from schemas.marks import INSIDE, OUTSIDE, TO_DECLARANT, SeenBy
from schemas.phrases import Phrases
from schemas.vocabulary import (
    ActorId,
    Classifier,
    ConsignmentId,
    ContainerName,
    Direction,
    EquipmentEvent,
    ExitGround,
    Label,
    MessageId,
    Name,
    OptionalId,
    Reason,
    Version,
)

OneConsignment = Annotated[str, WhenMade(max_length=36, pattern=LINE)]
Consignments = Annotated[tuple[OneConsignment, ...], WhenMade(max_length=10_000)]
Conveyance = Annotated[str, WhenMade(max_length=100, pattern=LINE)]
"""Vessel and voyage, train, flight or vehicle; empty if it was not reported."""
Bill = Annotated[str, WhenMade(max_length=100, pattern=LINE)]
"""Number of a transport document; empty if it was not reported."""
VisitId = Annotated[str, WhenMade(max_length=200, pattern=LINE)]
"""The id of a visit, made from the message that opened it; empty if an older software version did not write it."""
MOST_OTHERS = 50
"""Other containers that one stuffing or stripping names."""
Others = Annotated[tuple[ContainerName, ...], Field(max_length=MOST_OTHERS)]
"""Containers out of which goods came, or into which they went."""
Lots = Annotated[int, Field(ge=1, le=500)]
"""How many lots (goods of one bill each) are in the container."""
KnownOthers = Annotated[tuple[ContainerName, ...], WhenMade(max_length=MOST_OTHERS)]
KnownLots = Annotated[int, WhenMade(ge=1, le=500)]


MOST_SAME = 20
"""Other declarations of the same goods that are named."""


class RecordEquipmentEvent(AboutContainer, Request):
    """A terminal or carrier tells what happened to a container at `occurred_at` (event time).

    `laden` false: it was empty. `to`: for a move, another place of the controlled area. `replaces`: the id of the report of the
    same sender that this one corrects; without it, it is another report. Of goods that move from box to box two reports tell: `targets` of
    the stripping, the containers into which they went, and `sources` of the stuffing, those out of which they came.
    """

    changes_stay: ClassVar[bool] = True
    event: Annotated[EquipmentEvent, OUTSIDE]
    classifier: Annotated[Classifier, OUTSIDE] = Classifier.ACTUAL
    place: Annotated[Label, OUTSIDE]
    laden: Annotated[bool | None, OUTSIDE] = None
    conveyance: Annotated[Conveyance, OUTSIDE] = ""
    bill: Annotated[Bill, OUTSIDE] = ""
    to: Annotated[Label, OUTSIDE] = ""
    replaces: Annotated[OptionalId, OUTSIDE] = ""
    sources: Annotated[Others, OUTSIDE] = ()
    targets: Annotated[Others, OUTSIDE] = ()

    @property
    def others_kept(self) -> tuple[str, ...]:
        """The containers into which goods were stripped: their own goods may be released, and these not."""
        others = dict.fromkeys(map(plain, self.targets)) if self.event is EquipmentEvent.STRIPPED else {}
        return tuple([number for number in others if number not in ("", plain(self.container_no))])


class RetractEquipmentEvent(AboutContainer, Request):
    """Who told of an event takes that back: `report_id` is the id of the report, which was wrong."""

    changes_stay: ClassVar[bool] = True
    report_id: Annotated[MessageId, OUTSIDE]
    reason: Annotated[Reason, INSIDE]


class RecordContainerFinding(AboutContainer, Request):
    """An officer saw the container at `occurred_at`: inside the controlled area, or outside of it. It settles alarms.

    `inside`: departures told before that time were told by mistake. `outside`: it has left, and its visit is closed.
    `lots`: how many lots the officer or the manifest counted in it.
    """

    changes_stay: ClassVar[bool] = True
    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    found: Literal["inside", "outside"]
    lots: Lots | None = None
    reason: Reason


class RetractContainerFinding(AboutContainer, Request):
    """An officer says that a finding on this container was wrong. `wrong`: the id of the request that recorded it."""

    calls_back: ClassVar[bool] = True
    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    wrong: MessageId
    reason: Reason


class StrikeLot(AboutContainer, Request):
    """An officer takes a consignment off this container: it is not in it, whatever its declaration says."""

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    consignment_id: ConsignmentId
    reason: Reason


class RetractStrike(AboutContainer, Request):
    """An officer says that a strike was wrong: the consignment may be in this container, as its declaration says."""

    calls_back: ClassVar[bool] = True
    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    consignment_id: ConsignmentId
    reason: Reason


class PermitExit(AboutContainer, Request):
    """An officer lets this consignment out through the land gate in this container without an import release, in this visit.

    `version`: the release desk's latest statement on these goods that the officer saw. After a later one that they stay the permit is
    refused (`stated_again`), for it was given without knowing why. None, and in requests of older software versions, says nothing of it.
    """

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    consignment_id: ConsignmentId
    ground: ExitGround
    reason: Reason
    version: Version | None = None


class PlaceContainerHold(AboutContainer, Request):
    """An officer holds the container, whatever is in it and however often it comes back, until the hold is lifted."""

    holds_goods: ClassVar[bool] = True
    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    reason: Reason

    @classmethod
    def in_doubt(cls, key: str, body: object, at: datetime) -> Self | None:
        """A hold on the container that the key names; None if the content names another container."""
        content = body if isinstance(body, dict) else {}
        named = content.get("container_no")
        if isinstance(named, str) and plain(named) != plain(key):
            return None
        try:
            return cls(container_no=key, occurred_at=at, **words_in_doubt(body))
        except ValidationError:
            return None


class LiftContainerHold(AboutContainer, Request):
    """An officer lifts a hold on the container."""

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    hold_id: MessageId
    reason: Reason


class EquipmentEventRecorded(AboutContainer, Fact):
    """The gate has this report. `occurred_at` is the event time; `report_id` names it in a correction or retraction.

    `visit`: to which it belongs; empty while no visit is known to which it could. `retells`: an earlier report of the same event.
    """

    report_id: Annotated[MessageId, OUTSIDE]
    event: Annotated[EquipmentEvent, OUTSIDE]
    classifier: Annotated[Classifier, OUTSIDE]
    place: Annotated[Label, OUTSIDE]
    laden: Annotated[bool | None, OUTSIDE]
    conveyance: Annotated[Conveyance, OUTSIDE]
    bill: Annotated[Bill, OUTSIDE]
    to: Annotated[Label, OUTSIDE]
    replaces: Annotated[OptionalId, OUTSIDE]
    retells: Annotated[OptionalId, OUTSIDE]
    visit: Annotated[VisitId, OUTSIDE]
    reported_by: Annotated[ActorId, INSIDE]
    sources: Annotated[KnownOthers, OUTSIDE] = ()
    targets: Annotated[KnownOthers, OUTSIDE] = ()


class EquipmentEventRetracted(AboutContainer, Fact):
    """A report counts no longer."""

    report_id: Annotated[MessageId, OUTSIDE]
    reason: Annotated[Reason, INSIDE]
    retracted_by: Annotated[ActorId, INSIDE]


class ContainerFindingRecorded(AboutContainer, Fact):
    """What an officer saw of the container; `settled`: the reports of departures whose alarms it ended."""

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    found: Literal["inside", "outside"]
    lots: Lots | None
    settled: Annotated[tuple[MessageId, ...], WhenMade(max_length=500)]
    reason: Reason
    found_by: ActorId


class ContainerFindingRetracted(AboutContainer, Fact):
    """A finding counts no longer: alarms that only it had settled wait again, and what it had found wrong counts again.

    `wrong`: the id of the request that had recorded it. `lots`: how many lots were counted in the open visit by a finding that
    stands; None if by none.
    """

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    wrong: MessageId
    lots: KnownLots | None
    reason: Reason
    retracted_by: ActorId


class LotStruck(AboutContainer, Fact):
    """An officer took this consignment off the container."""

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    consignment_id: ConsignmentId
    reason: Reason
    struck_by: ActorId


class StrikeRetracted(AboutContainer, Fact):
    """`LotStruck` of this consignment was wrong and counts no longer: what is for and against it counts in this container again."""

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    consignment_id: ConsignmentId
    reason: Reason
    retracted_by: ActorId


class ExitPermitted(AboutContainer, Fact):
    """An officer let this consignment out through the land gate.

    `version`: the release desk's statement to the gate in view of which that was done; a later one that the goods stay ends the
    permit. 0 in facts of older software versions, which do not tell it. `version_seen`: the statement that the officer
    named, None where none was named; `visit`: the one that was open, empty where none was, and in facts of older software versions.
    """

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    consignment_id: ConsignmentId
    ground: ExitGround
    reason: Reason
    permitted_by: ActorId
    version: Version = 0
    version_seen: Version | None = None
    visit: VisitId = ""


class ContainerHoldPlaced(AboutContainer, Fact):
    """The container is held."""

    hold_id: Annotated[MessageId, OUTSIDE]
    reason: Annotated[Reason, INSIDE]
    placed_by: Annotated[ActorId, INSIDE]


class ContainerHoldLifted(AboutContainer, Fact):
    """This hold on the container is over."""

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    hold_id: MessageId
    reason: Reason
    lifted_by: ActorId


class VisitOpened(AboutContainer, Fact):
    """The container is in the controlled area since `occurred_at`, as a report of its discharge or gate-in says. Said again
    when a visit that was closed turns out to go on."""

    visit: Annotated[VisitId, OUTSIDE]
    place: Annotated[Label, OUTSIDE]
    conveyance: Annotated[Conveyance, OUTSIDE]
    laden: Annotated[bool | None, OUTSIDE]


class VisitClosed(AboutContainer, Fact):
    """A visit ended at `occurred_at` other than by a gate-out with every lot released (`ContainerGatedOut` says that itself).

    `how`: `loaded`, `left_empty`, `left_unreleased`, `departure_not_reported` or `finding`.
    """

    visit: Annotated[VisitId, OUTSIDE]
    how: Annotated[Name, OUTSIDE]
    consignments: Annotated[Consignments, OUTSIDE]
    report_id: Annotated[OptionalId, OUTSIDE] = ""


class RecordGateOut(AboutContainer, Request):
    """A terminal reports that the container passed the gate `gate`, outbound, at `occurred_at`: the older name of an actual
    equipment event `GTOT`. A number without the form of one is refused."""

    changes_stay: ClassVar[bool] = True
    gate: Annotated[Label, OUTSIDE]


class ContainerMayLeave(AboutContainer, Fact):
    """Every consignment in the container is released, or permitted to leave. `version` counts the gate's statements on it.

    `permitted`: those of `consignments` that leave by an officer's permit (`ExitPermitted`), without an import release.
    """

    version: Annotated[Version, OUTSIDE]
    consignments: Annotated[Consignments, OUTSIDE]
    visit: Annotated[VisitId, OUTSIDE] = ""
    permitted: Annotated[tuple[OneConsignment, ...], WhenMade(max_length=500), OUTSIDE] = ()


class ContainerMustStay(AboutContainer, Fact):
    """A container that might leave may no longer; `waiting_for` are the consignments that keep it."""

    version: Annotated[Version, OUTSIDE]
    waiting_for: Annotated[Consignments, OUTSIDE]
    reason: Annotated[Reason, INSIDE]
    visit: Annotated[VisitId, OUTSIDE] = ""
    phrases: Annotated[Phrases, INSIDE] = ()


class ContainerGatedOut(AboutContainer, Fact):
    """The container left the port at `occurred_at` (event time), with every consignment released; its visit is closed."""

    gate: Annotated[Label, OUTSIDE]
    consignments: Annotated[Consignments, OUTSIDE]
    visit: Annotated[VisitId, OUTSIDE] = ""
    report_id: Annotated[OptionalId, OUTSIDE] = ""


class GateAlarmRaised(AboutContainer, Fact):
    """GATE_MISMATCH: the container left without release, or something as bad came out. `waiting_for` are the consignments
    that should have kept it.

    `alarm`: `left_unreleased`, `departure_not_reported`, `held_outside`, `left_undeclared` or `empty_left_laden`.
    `why`: the reason as a code; empty in facts of older software versions, whose readers `reason` is for.
    `blocks`: nothing leaves in this container until an officer's finding, or until the report is retracted.
    """

    gate: Annotated[Label, OUTSIDE]
    waiting_for: Annotated[Consignments, OUTSIDE]
    reason: Annotated[Reason, INSIDE]
    alarm: Annotated[Name, OUTSIDE] = "left_unreleased"
    visit: Annotated[VisitId, OUTSIDE] = ""
    report_id: Annotated[OptionalId, OUTSIDE] = ""
    blocks: Annotated[bool, OUTSIDE] = False
    why: Annotated[Name, INSIDE] = ""


class ContainerArrived(AboutConsignment, Fact):
    """A container of this consignment was discharged or gated in at `occurred_at` (event time): its goods have arrived in it."""

    container_no: Annotated[ContainerName, OUTSIDE]
    visit: Annotated[VisitId, OUTSIDE]
    place: Annotated[Label, OUTSIDE]


class ContainerArrivalRetracted(AboutConsignment, Fact):
    """What `ContainerArrived` told of this container and visit no longer stands: the report of its discharge or gate-in was taken back."""

    container_no: Annotated[ContainerName, OUTSIDE]
    visit: Annotated[VisitId, OUTSIDE]


class GoodsTransferred(AboutConsignment, Fact):
    """Goods of this consignment were stripped from a container at `occurred_at` and went into others (`targets`): which of them, nobody
    said, so they may be in each. `lots`: how many lots there were in it.
    """

    container_no: Annotated[ContainerName, OUTSIDE]
    visit: Annotated[VisitId, OUTSIDE]
    targets: Annotated[KnownOthers, OUTSIDE]
    lots: Annotated[KnownLots, INSIDE]
    report_id: Annotated[MessageId, INSIDE]


class TransferRetracted(AboutConsignment, Fact):
    """Goods of this consignment did not go from the container into others: the report `report_id` of `GoodsTransferred` was retracted, or
    replaced by another one, of which `GoodsTransferred` tells."""

    container_no: Annotated[ContainerName, OUTSIDE]
    visit: Annotated[VisitId, OUTSIDE]
    report_id: Annotated[MessageId, INSIDE]


class ConsignmentGatedOut(AboutConsignment, Fact):
    """A container of this consignment left the port; said under the consignment's key, for its timeline.

    `released` false was said by an older software version for what `ConsignmentLeftUnreleased` says now.
    """

    container_no: Annotated[ContainerName, OUTSIDE]
    released: Annotated[bool, OUTSIDE]
    visit: Annotated[VisitId, OUTSIDE] = ""


class ConsignmentLeftUnreleased(AboutConsignment, Fact):
    """A container left the port with goods of this consignment that were not released. No later release heals that.

    `why`: the reason as a code; empty in facts of older software versions, whose readers `reason` is for.
    """

    container_no: Annotated[ContainerName, OUTSIDE]
    visit: Annotated[VisitId, OUTSIDE]
    reason: Annotated[Reason, INSIDE]
    why: Annotated[Name, INSIDE] = ""


class DepartureRetracted(AboutConsignment, Fact):
    """The container of this consignment did not leave: the report was retracted, corrected, or an officer found it inside.

    `why`: as in `ConsignmentLeftUnreleased`.
    """

    container_no: Annotated[ContainerName, OUTSIDE]
    visit: Annotated[VisitId, OUTSIDE]
    reason: Annotated[Reason, INSIDE]
    why: Annotated[Name, INSIDE] = ""


class SameGoodsDeclared(AboutConsignment, Fact):
    """Other declarations stand for the goods of this one: `others`, which name the same container. Officers look at it; no answer
    changes by it. Told of each declaration once, whatever others come later, which name it. `count`: how many others
    there are, of which `others` names some.

    `rule` says by what they are the same: `one_declaration_a_bill` (direction, bill and container; where the conveyances
    differ, both are awaited or in the same visit) or `one_declaration_a_box` (no bill, and each says that the container is its own alone).
    `rule_set`: the version of these rules. The other fields are what the declaration says.
    """

    fields_seen_by: ClassVar[SeenBy | None] = TO_DECLARANT
    container_no: ContainerName
    others: Annotated[tuple[OneConsignment, ...], WhenMade(max_length=MOST_SAME), INSIDE]
    count: Annotated[int, WhenMade(ge=1, le=500)]
    bill_no: Bill
    conveyance: Conveyance
    direction: Direction
    rule: Name
    rule_set: Name
