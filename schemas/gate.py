"""May this container leave the port? The messages about equipment events, visits, and decisions of officers about a container."""

from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, ValidationError

from schemas.bounds import LINE, WhenMade
from schemas.codes.iso6346 import plain
from schemas.envelope import (
    FURTHEST_ESTIMATE,
    FUTURE_SKEW,
    AboutConsignment,
    AboutContainer,
    DisbelievedTime,
    Fact,
    Request,
    words_in_doubt,
)
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
    Owner,
    Reason,
    Version,
)

OneConsignment = Annotated[str, WhenMade(max_length=36, pattern=LINE)]
Consignments = Annotated[tuple[OneConsignment, ...], WhenMade(max_length=10_000)]
Conveyance = Annotated[str, WhenMade(max_length=100, pattern=LINE)]
"""The vessel and voyage, train, flight or vehicle; empty if none was reported."""
Bill = Annotated[str, WhenMade(max_length=100, pattern=LINE)]
"""The number of a transport document; empty if none was reported."""
VisitId = Annotated[str, WhenMade(max_length=200, pattern=LINE)]
"""The id of a visit, made from the id of the message that opened it; empty if an older software version wrote the message."""
MOST_OTHERS = 50
"""How many other containers one report of a stuffing or stripping may name."""
Others = Annotated[tuple[ContainerName, ...], Field(max_length=MOST_OTHERS)]
"""The containers out of which goods came, or into which they went."""
Lots = Annotated[int, Field(ge=1, le=500)]
"""How many lots (each the goods of one bill) are in the container."""
KnownOthers = Annotated[tuple[ContainerName, ...], WhenMade(max_length=MOST_OTHERS)]
KnownLots = Annotated[int, WhenMade(ge=1, le=500)]


MOST_SAME = 20
"""How many other declarations of the same goods are named at most."""


class RecordEquipmentEvent(AboutContainer, Request):
    """A terminal or carrier reports what happened to a container, or what is expected to happen.

    `occurred_at`: the event time, which may be later than the report by at most `most_ahead`. `classifier`: whether the
    event happened, or is estimated or planned. `place`: where it happened; `to`: if the event is a move, the place of
    the controlled area to which the container was moved. `laden`: false if the container was empty; null if the sender
    does not know. `replaces`: the id of an earlier report of the same sender, if this report corrects it; empty if it
    corrects none.

    Goods that move from container to container are reported twice: `targets` of the stripping names the containers into
    which they went, and `sources` of the stuffing names those out of which they came.
    """

    changes_stay: ClassVar[bool] = True
    time_is_content: ClassVar[bool] = True
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
    def most_ahead(self) -> timedelta:
        """Returns by how much the event time may be later than the report. For an event that happened, this is only the
        difference of clocks; for an expected event it is much more."""
        return FUTURE_SKEW if self.classifier is Classifier.ACTUAL else FURTHEST_ESTIMATE

    @property
    def others_kept(self) -> tuple[str, ...]:
        """Returns the containers into which goods were stripped. Their own goods may be released although the stripped goods are not, so the gate's
        answer for them must be no, too."""
        others = dict.fromkeys(map(plain, self.targets)) if self.event is EquipmentEvent.STRIPPED else {}
        return tuple([number for number in others if number not in ("", plain(self.container_no))])


class RetractEquipmentEvent(AboutContainer, Request):
    """The sender of a wrong report of an equipment event takes the report back. `report_id`: the id of that report."""

    changes_stay: ClassVar[bool] = True
    report_id: Annotated[MessageId, OUTSIDE]
    reason: Annotated[Reason, INSIDE]


class RecordContainerFinding(AboutContainer, Request):
    """An officer reports where the container was seen at `occurred_at`. This settles the alarms that wait for a finding.

    `found`: if it is `inside`, the container was in the controlled area, so departures that were reported for an
    earlier time were wrong; if it is `outside`, the container has left, and its visit is closed. `lots`: how many lots
    the officer or the manifest counted in it; null if nobody counted.
    """

    changes_stay: ClassVar[bool] = True
    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    found: Literal["inside", "outside"]
    lots: Lots | None = None
    reason: Reason


class RetractContainerFinding(AboutContainer, Request):
    """An officer takes back a wrong finding on this container. `wrong`: the id of the request that recorded it."""

    calls_back: ClassVar[bool] = True
    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    wrong: MessageId
    reason: Reason


class StrikeLot(AboutContainer, Request):
    """An officer strikes a consignment off this container.

    The declaration names the container, but the goods are not in it.
    """

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    consignment_id: ConsignmentId
    reason: Reason


class RetractStrike(AboutContainer, Request):
    """An officer takes a wrong strike back, so that the consignment counts in this container again, as its declaration says."""

    calls_back: ClassVar[bool] = True
    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    consignment_id: ConsignmentId
    reason: Reason


class PermitExit(AboutContainer, Request):
    """An officer permits this consignment to leave in this container, through the land gate, without an import release.

    `version`: the version of the release desk's latest statement on these goods that the officer saw; null if the officer names none, as in
    requests of older software versions. If the release desk has stated since then that the goods stay, the request is refused with
    `stated_again`, because the officer decided without knowing that statement.
    """

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    consignment_id: ConsignmentId
    ground: ExitGround
    reason: Reason
    version: Version | None = None


class PlaceContainerHold(AboutContainer, Request):
    """An officer holds the container until the hold is lifted, whatever goods are in it and however often it comes back."""

    holds_goods: ClassVar[bool] = True
    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    reason: Reason

    @classmethod
    def in_doubt(cls, key: str, body: object, at: datetime) -> Self | None:
        """Returns a hold on the container whose number is the key. Returns None if the key is no container number, or if the content `body` names
        another container. `at`: the time of the hold."""
        content = body if isinstance(body, dict) else {}
        named = content.get("container_no")
        if isinstance(named, str) and plain(named) != plain(key):
            return None
        try:
            return cls(container_no=key, occurred_at=at, **words_in_doubt(body))
        except ValidationError:
            return None


class LiftContainerHold(AboutContainer, Request):
    """An officer lifts a hold on the container. `hold_id`: the id of the request that placed it."""

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    hold_id: MessageId
    reason: Reason


class EquipmentEventRecorded(AboutContainer, Fact):
    """The gate desk has recorded this report of an equipment event.

    `occurred_at`: the event time. `disbelieved_time`: the event time that the report gives, if it was wrong, so that
    the time at which the report was made counts instead; otherwise left out.

    `report_id`: the id by which a correction or retraction names the report. `visit`: the visit to which the event belongs; empty if no
    visit is known to which it could belong. `retells`: the id of an earlier report, if this one reports the same event again; otherwise
    empty. The other fields are those of the report.
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
    disbelieved_time: Annotated[DisbelievedTime, OUTSIDE] = None


class EquipmentEventRetracted(AboutContainer, Fact):
    """The report `report_id` of an equipment event was taken back by its sender and no longer counts."""

    report_id: Annotated[MessageId, OUTSIDE]
    reason: Annotated[Reason, INSIDE]
    retracted_by: Annotated[ActorId, INSIDE]


class ContainerFindingRecorded(AboutContainer, Fact):
    """The gate desk has recorded an officer's finding on the container.

    `settled`: the subjects of the alarms that the finding settled. Each is the id of a report, or of a consignment.
    `disbelieved_time`: as in `EquipmentEventRecorded`.
    """

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    found: Literal["inside", "outside"]
    lots: Lots | None
    settled: Annotated[tuple[MessageId, ...], WhenMade(max_length=500)]
    reason: Reason
    found_by: ActorId
    disbelieved_time: DisbelievedTime = None


class ContainerFindingRetracted(AboutContainer, Fact):
    """A finding on the container was wrong and no longer counts.

    Alarms that only this finding had settled are open again, and reports that only it had made void count again.
    `wrong`: the id of the request that had recorded the finding. `lots`: how many lots a finding that still stands
    counted in the open visit; null if none did.
    """

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    wrong: MessageId
    lots: KnownLots | None
    reason: Reason
    retracted_by: ActorId


class LotStruck(AboutContainer, Fact):
    """An officer struck this consignment off the container, because its goods are not in the container."""

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    consignment_id: ConsignmentId
    reason: Reason
    struck_by: ActorId


class StrikeRetracted(AboutContainer, Fact):
    """The strike (`LotStruck`) of this consignment no longer stands, so the consignment counts in this container again.

    Either an officer took the strike back because it was wrong, or the gate desk ended it. The gate desk ends a strike
    if the consignment came in this container in a later visit than the one for which it was struck off; then `phrases`
    say why.
    """

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    consignment_id: ConsignmentId
    reason: Reason
    retracted_by: ActorId
    phrases: Phrases = ()


class ExitPermitted(AboutContainer, Fact):
    """An officer permitted this consignment to leave in this container, through the land gate, without an import release.

    `version`: the version of the release desk's statement on these goods that the gate desk knew at that time. A later
    statement that the goods stay ends the permit. `version` is 0 in facts of older software versions. `version_seen`:
    the version of the statement that the officer named; null if none was named. `visit`: the visit that was open; empty
    if none was, and in facts of older software versions.
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
    """An officer's hold was placed on the container. `hold_id`: the id of the request that placed it."""

    hold_id: Annotated[MessageId, OUTSIDE]
    reason: Annotated[Reason, INSIDE]
    placed_by: Annotated[ActorId, INSIDE]


class ContainerHoldLifted(AboutContainer, Fact):
    """The hold `hold_id` on the container was lifted by an officer."""

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    hold_id: MessageId
    reason: Reason
    lifted_by: ActorId


class VisitOpened(AboutContainer, Fact):
    """The container has been in the controlled area since `occurred_at`, as a report of its discharge or gate-in says.

    The fact is published again if a visit that was closed turns out to go on, or if another visit that was published as
    open turns out not to exist.
    """

    visit: Annotated[VisitId, OUTSIDE]
    place: Annotated[Label, OUTSIDE]
    conveyance: Annotated[Conveyance, OUTSIDE]
    laden: Annotated[bool | None, OUTSIDE]


class VisitClosed(AboutContainer, Fact):
    """A visit ended at `occurred_at`, in another way than by a gate-out with all goods released or permitted to leave.

    For such a gate-out, `ContainerGatedOut` is published instead. `how`: `loaded`, `left_empty`, `left_unreleased`,
    `departure_not_reported` or `finding`. `consignments`: the consignments of the visit. `report_id`: the report that ended the visit;
    empty if an officer's finding ended it.
    """

    visit: Annotated[VisitId, OUTSIDE]
    how: Annotated[Name, OUTSIDE]
    consignments: Annotated[Consignments, OUTSIDE]
    report_id: Annotated[OptionalId, OUTSIDE] = ""


class RecordGateOut(AboutContainer, Request):
    """A terminal reports that the container left through the gate `gate` at `occurred_at`.

    This is the older form of a `RecordEquipmentEvent` with the actual event `GTOT`. It is refused if the container number does not have the
    form of ISO 6346 and the gate desk has no record of it.
    """

    changes_stay: ClassVar[bool] = True
    gate: Annotated[Label, OUTSIDE]


class ContainerMayLeave(AboutContainer, Fact):
    """The container may leave, because every consignment in it is released or permitted to leave.

    `version` counts the gate desk's statements on this container. `permitted`: those of `consignments` that leave by an officer's permit
    (`ExitPermitted`), without an import release.
    """

    version: Annotated[Version, OUTSIDE]
    consignments: Annotated[Consignments, OUTSIDE]
    visit: Annotated[VisitId, OUTSIDE] = ""
    permitted: Annotated[tuple[OneConsignment, ...], WhenMade(max_length=500), OUTSIDE] = ()


class ContainerMustStay(AboutContainer, Fact):
    """The container must stay. `waiting_for`: the consignments because of which it must stay.

    The fact is published in three cases: the container was allowed to leave before, it begins to wait for an officer's
    count of its lots, or it waits for something else than was published before.

    `code`: what it has waited for since `occurred_at` (`StayCode`; a later software version may have other codes).
    `owner`: who has to act; null if the container waits only for what its goods wait for (`not_released`), or if it was
    stripped (`stripped`). In facts of older software versions, `code` is empty and `owner` is null.

    `version` counts the gate desk's statements on this container, as in `ContainerMayLeave`.
    """

    version: Annotated[Version, OUTSIDE]
    waiting_for: Annotated[Consignments, OUTSIDE]
    reason: Annotated[Reason, INSIDE]
    visit: Annotated[VisitId, OUTSIDE] = ""
    phrases: Annotated[Phrases, INSIDE] = ()
    code: Annotated[Name, OUTSIDE] = ""
    owner: Annotated[Owner | None, OUTSIDE] = None


class ContainerGatedOut(AboutContainer, Fact):
    """The container left the port at `occurred_at` with all goods released or permitted to leave. Its visit is closed.

    `occurred_at`: the event time. `consignments`: the consignments that left in the container. `report_id`: the report
    of the departure; if nobody reported the departure and the container came back empty, the report of its return.
    """

    gate: Annotated[Label, OUTSIDE]
    consignments: Annotated[Consignments, OUTSIDE]
    visit: Annotated[VisitId, OUTSIDE] = ""
    report_id: Annotated[OptionalId, OUTSIDE] = ""


class GateAlarmRaised(AboutContainer, Fact):
    """The container left without release, or another grave contradiction was found, so a person must look at it.

    `waiting_for`: the consignments because of which the container should have stayed.

    `alarm`: `left_unreleased`, `departure_not_reported`, `held_outside`, `left_undeclared` or `empty_left_laden`.

    `why`: the reason as a code. It is empty in facts of older software versions; `reason` is for readers that do not
    know codes. `blocks`: whether nothing may leave in this container until an officer's finding settles the alarm or
    the report is retracted. The fact is published again if such an alarm blocks again, or if its visit is published
    anew or with another end.
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
    """A container of this consignment was discharged or gated in at `occurred_at` (event time), so the goods in it have arrived."""

    container_no: Annotated[ContainerName, OUTSIDE]
    visit: Annotated[VisitId, OUTSIDE]
    place: Annotated[Label, OUTSIDE]


class ContainerArrivalRetracted(AboutConsignment, Fact):
    """A `ContainerArrived` of this container and visit no longer stands, because the report of the discharge or gate-in was taken back."""

    container_no: Annotated[ContainerName, OUTSIDE]
    visit: Annotated[VisitId, OUTSIDE]


class GoodsTransferred(AboutConsignment, Fact):
    """Goods of this consignment were stripped from a container at `occurred_at` into other containers (`targets`).

    The report does not say into which of them they went, so the goods may be in any of them. `lots`: how many lots
    there were in the container. `report_id`: the report of the stripping. `kept`: whether the container itself had to
    stay, because an officer held it or an alarm waited for a finding. If so, the release desk holds the goods until an
    officer lifts the hold. Without this hold, the goods of a held container would be free as soon as they were stripped
    from it.
    """

    container_no: Annotated[ContainerName, OUTSIDE]
    visit: Annotated[VisitId, OUTSIDE]
    targets: Annotated[KnownOthers, OUTSIDE]
    lots: Annotated[KnownLots, INSIDE]
    report_id: Annotated[MessageId, INSIDE]
    kept: Annotated[bool, INSIDE] = False


class TransferRetracted(AboutConsignment, Fact):
    """Goods of this consignment were not moved into other containers: the report of the stripping no longer counts.

    `report_id`: the report that `GoodsTransferred` named. It was retracted, or replaced by another report, for which
    another `GoodsTransferred` is published.
    """

    container_no: Annotated[ContainerName, OUTSIDE]
    visit: Annotated[VisitId, OUTSIDE]
    report_id: Annotated[MessageId, INSIDE]


class ConsignmentGatedOut(AboutConsignment, Fact):
    """A container of this consignment left the port, and the goods in it were allowed to leave.

    The fact has the consignment's key, so that the release desk and the consignment's timeline get it. `released` is always true now; older
    software versions published it with false where `ConsignmentLeftUnreleased` is published now.
    """

    container_no: Annotated[ContainerName, OUTSIDE]
    released: Annotated[bool, OUTSIDE]
    visit: Annotated[VisitId, OUTSIDE] = ""


class ConsignmentLeftUnreleased(AboutConsignment, Fact):
    """A container left the port with goods of this consignment that were not released. A later release does not change that.

    `why`: the reason as a code. It is empty in facts of older software versions; `reason` is for readers that do not know codes.
    """

    container_no: Annotated[ContainerName, OUTSIDE]
    visit: Annotated[VisitId, OUTSIDE]
    reason: Annotated[Reason, INSIDE]
    why: Annotated[Name, INSIDE] = ""


class DepartureRetracted(AboutConsignment, Fact):
    """A departure of goods of this consignment in a container, which was published before, no longer stands.

    The report of the departure was retracted or corrected, or an officer found the container inside. If the goods left in another way, the
    fact about that follows. `why`, `reason`: as in `ConsignmentLeftUnreleased`.
    """

    container_no: Annotated[ContainerName, OUTSIDE]
    visit: Annotated[VisitId, OUTSIDE]
    reason: Annotated[Reason, INSIDE]
    why: Annotated[Name, INSIDE] = ""


class SameGoodsDeclared(AboutConsignment, Fact):
    """Other standing declarations (`others`) name the same goods and container as this consignment's declaration.

    The fact is for officers and changes no answer. It is published once for each declaration, even if further such
    declarations come later. `others`: at most 20 of the other declarations; `count`: how many there are.

    `rule`: why the goods are the same. With `one_declaration_a_bill`, direction, bill and container are the same; if
    the conveyances differ, both consignments are awaited or both are in the same visit. With `one_declaration_a_box`,
    neither has a bill, and each says that no other goods are in the container. `rule_set`: the version of these rules.
    The other fields are copied from this declaration.
    """

    fields_seen_by: ClassVar[SeenBy | None] = TO_DECLARANT
    container_no: ContainerName
    others: Annotated[tuple[OneConsignment, ...], WhenMade(max_length=MOST_SAME), INSIDE]
    count: Annotated[int, WhenMade(ge=1, le=500)]
    bill_no: Bill
    conveyance: Conveyance
    direction: Direction
    rule: Annotated[Name, INSIDE]
    rule_set: Annotated[Name, INSIDE]
