"""Which stage has a consignment reached, who has to act, and since when? The row of a consignment is made from facts of several topics,
which may be read in any order relative to each other.

Facts of different desks about the goods write different columns, and the facts of one desk come in order. Parked messages are
counted. The stage, and what the goods wait for, are computed from the columns. So every interleaving of the topics leads to the
same row.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

from schemas.codes import iso6346
from schemas.hold_ids import ARRIVAL, ASSESSMENT, of_control, of_departure, of_officer, of_treatment
from schemas.vocabulary import Direction, Owner, Stage
from services.console.language.desk_sentences import kept
from services.console.readmodel.messages import TopicMessage, micros, text, whole

OPERATIONS = "operations"
"""Who has to act if a message is parked: the operators of the system, not a person at the border."""
ALL = "*"
"""In `arrived_boxes`, stands for the numbers of all containers of the consignment."""
UNMATCHED: Final = "unmatched"
"""Stands in the place of a stage for goods about which there is a fact, but which nobody has declared. The board does not count such
goods; they have a list of their own."""
Body = dict[str, Any]


class AwaitedCode(StrEnum):
    """What goods may wait for: a step, one hold of a desk (by the id of the hold), or any hold of a kind of which goods may have
    several (see `SEVERAL`)."""

    ACCEPTANCE = "acceptance"
    ASSESSMENT = ASSESSMENT
    DOCUMENTS = of_control("documents")
    INSPECTION = of_control("inspection")
    SAMPLING = of_control("sampling")
    TREATMENT = of_treatment("risk")
    TREATMENT_OF_DOCUMENTS = of_treatment("documents")
    TREATMENT_OF_INSPECTION = of_treatment("inspection")
    TREATMENT_OF_SAMPLING = of_treatment("sampling")
    ARRIVAL = ARRIVAL
    OFFICER = "officer"
    GATE = "gate"
    HOLDS = "holds"
    GATE_OUT = "gate_out"
    LOADING = "loading"
    GATE_FINDING = "gate_finding"
    PARKED = "parked"


STEPS = (
    *(AwaitedCode.ACCEPTANCE, AwaitedCode.ASSESSMENT, AwaitedCode.HOLDS, AwaitedCode.GATE_OUT, AwaitedCode.LOADING),
    *(AwaitedCode.GATE_FINDING, AwaitedCode.PARKED),
)
"""The values of the column `waiting_for` that are steps. Every other value is the id of a hold, except the empty text
and `declaration` (of goods that nobody has declared). Goods wait for one step at a time, but may have several holds."""
SEVERAL = {AwaitedCode.OFFICER: of_officer(""), AwaitedCode.GATE: of_departure("")}
"""Kind of hold → how the ids of its holds begin. Goods may have several holds of each of these kinds, and all of them wait for an
officer."""


class Mover(StrEnum):
    """Who may have to act next."""

    DECLARANT = Owner.DECLARANT.value
    DECLARATION = Owner.DECLARATION.value
    RISK = Owner.RISK.value
    INSPECTION = Owner.INSPECTION.value
    QUARANTINE = Owner.QUARANTINE.value
    OFFICER = Owner.OFFICER.value
    RELEASE = "release"
    CARRIER = Owner.CARRIER.value
    OPERATIONS = OPERATIONS


class OpenHold(NamedTuple):
    """A hold that is open now."""

    hold_id: str
    owner: str
    reason: str
    lifted_by: str
    since_us: int


@dataclass(slots=True)
class Consignment:
    """The row of one consignment, with the columns of `tables.CONSIGNMENTS`. A batch folds facts into its own copy of
    the row."""

    consignment_id: str
    declaration_no: str = ""
    declarant: str = ""
    consignee: str = ""
    reference: str = ""
    bill_no: str = ""
    customs_office: str = ""
    transport_mode: str = ""
    trade_mode: str = ""
    direction: str = ""
    containers: str = ""
    declared: str = ""
    lodge_request: str = ""
    lane: str = ""
    controls: str = ""
    credit_grade: str = ""
    rule_set: str = ""
    word: str = ""
    departed: str = ""
    released_boxes: str = ""
    arrived_boxes: str = ""
    unreleased: str = ""
    earlier: str = ""
    later: str = ""
    lodged_us: int | None = None
    accepted_us: int | None = None
    rejected_us: int | None = None
    assessed_us: int | None = None
    arrived_us: int | None = None
    held_us: int | None = None
    released_us: int | None = None
    gated_out_us: int | None = None
    closed_us: int | None = None
    unreleased_us: int | None = None
    released_pieces: int | None = None
    seq_declaration: int = 0
    seq_risk: int = 0
    seq_release: int = 0
    seq_gate: int = 0
    parked: int = 0
    parked_us: int | None = None
    stage: str = ""
    waiting_for: str = ""
    waiting_owner: str = ""
    waiting_since_us: int | None = None
    ended_us: int | None = None
    holds: tuple[OpenHold, ...] = field(default=())


def tell(row: Consignment, message: TopicMessage, body: Body) -> None:
    """Folds one message into `row`. The sequence numbers of a desk's facts grow, so a fact changes nothing if its number is not higher
    than the last one of that desk in the row. Kinds without a column for this number in `_TELLERS` are always folded."""
    tellers = _TELLERS.get(message.kind)
    if tellers is None:
        return
    sequence, fold = tellers
    if sequence:
        if message.sequence <= getattr(row, sequence):
            return
        setattr(row, sequence, message.sequence)
    fold(row, message, body)


# what each message changes


def _lodged(row: Consignment, message: TopicMessage, body: Body) -> None:
    if row.lodged_us is not None:
        return
    row.lodged_us = micros(body["occurred_at"])
    row.lodge_request = message.id
    if row.declared not in ("accepted", "rejected"):
        _paper(row, body["declaration"])


def _lodged_again(row: Consignment, message: TopicMessage, body: Body) -> None:
    """Folds the fact that a declaration was lodged again after the declaration of the former consignment was
    withdrawn. The sequence number of this fact belongs to the former consignment, so it is not compared here."""
    row.earlier = text(body["consignment_id"])
    if row.lodged_us is not None:
        return
    row.lodged_us = micros(body["occurred_at"])
    row.lodge_request = text(body["request_id"])
    if row.declared not in ("accepted", "rejected"):
        _paper(row, body["declaration"])


def _passed_on(row: Consignment, message: TopicMessage, body: Body) -> None:
    row.later = text(body["later"])


def _accepted(row: Consignment, message: TopicMessage, body: Body) -> None:
    row.declared = "accepted"
    row.declaration_no = text(body["declaration_no"])
    row.accepted_us = micros(body["occurred_at"])
    row.rejected_us = None
    _paper(row, body["declaration"])


def _rejected(row: Consignment, message: TopicMessage, body: Body) -> None:
    row.declared = "rejected"
    row.rejected_us = micros(body["occurred_at"])
    _paper(row, body["declaration"])


def _refused_request(row: Consignment, message: TopicMessage, body: Body) -> None:
    if body["request_kind"] == "LodgeDeclaration" and row.declared in ("", "discarded"):
        row.declared = "refused"
        row.rejected_us = micros(body["occurred_at"])


def _assessed(row: Consignment, message: TopicMessage, body: Body) -> None:
    row.assessed_us = micros(body["occurred_at"])
    row.lane = text(body["lane"])
    row.controls = " ".join(body["controls"])
    row.credit_grade = text(body["credit_grade"])
    row.rule_set = text(body["rule_set"])


def _arrived(row: Consignment, message: TopicMessage, body: Body) -> None:
    """Adds a report of an arrival. There may be several, so the time is that of the earliest one, and the containers of
    all reports are joined (`ALL` if a report is about all containers)."""
    at = micros(body["occurred_at"])
    row.arrived_us = at if row.arrived_us is None else min(row.arrived_us, at)
    boxes = [plain(number) for number in body.get("containers", ())]
    if boxes and row.arrived_boxes != ALL:
        row.arrived_boxes = " ".join(sorted({*row.arrived_boxes.split(), *boxes}))
    elif body.get("pieces") is None:
        row.arrived_boxes = ALL


def _did_not_arrive(row: Consignment, message: TopicMessage, body: Body) -> None:
    """Folds a retraction of an arrival. The fact names everything that still counts as arrived after the retraction, so
    it replaces what the row had before."""
    first = body.get("first_arrived_at")
    row.arrived_us = None if first is None else micros(first)
    boxes = sorted({plain(number) for number in body.get("containers", ())})
    everything = first is not None and not boxes and body.get("pieces") is None
    row.arrived_boxes = ALL if everything else " ".join(boxes)


def _held(row: Consignment, message: TopicMessage, body: Body) -> None:
    row.word = "revoked" if row.word == "revoked" else "held"
    row.held_us = micros(body["occurred_at"])
    row.holds = tuple([_hold(h) for h in body["holds"]])
    row.released_boxes, row.released_pieces = "", None


def _hold(hold: Body) -> OpenHold:
    return OpenHold(
        text(hold["hold_id"]), text(hold["owner"]), text(kept(hold)), text(hold["lifted_by"]), micros(hold["since"])
    )


def _granted(row: Consignment, message: TopicMessage, body: Body) -> None:
    """Folds a release. The fact replaces the containers that may go and the holds on the other goods. `released_us` is set only if no
    holds remain."""
    row.word = "released"
    row.holds = tuple([_hold(h) for h in body.get("holds", ())])
    row.released_us = None if row.holds else micros(body["occurred_at"])
    row.released_boxes = " ".join(sorted({plain(number) for number in body["containers"]}))
    pieces = body.get("pieces")
    row.released_pieces = None if pieces is None else whole(pieces)


def _revoked(row: Consignment, message: TopicMessage, body: Body) -> None:
    row.word = "revoked"
    row.held_us = micros(body["occurred_at"])
    row.released_us = None
    row.holds = ()
    row.released_boxes, row.released_pieces = "", None


def _refused(row: Consignment, message: TopicMessage, body: Body) -> None:
    """Folds the fact that the goods were refused (`ReleaseRefused`). It is published again when the officers' holds on
    the goods change, because these holds count again if the failure of the control is taken back. So the new holds
    replace the old ones, but `closed_us` stays the time of the first `ReleaseRefused`."""
    if row.word != "refused":
        row.closed_us = micros(body["occurred_at"])
    row.word = "refused"
    row.holds = tuple([_hold(h) for h in body.get("holds", ())])


def _refusal_revoked(row: Consignment, message: TopicMessage, body: Body) -> None:
    """Folds the fact that the goods are no longer refused (`RefusalRevoked`). The next fact of the release desk
    replaces what is written here."""
    row.word = "held"
    row.held_us = micros(body["occurred_at"])
    row.closed_us = None


def _withdrawn(row: Consignment, message: TopicMessage, body: Body) -> None:
    row.word = "withdrawn"
    row.closed_us = micros(body["occurred_at"])
    row.holds = ()


def _gated_out(row: Consignment, message: TopicMessage, body: Body) -> None:
    # Older software versions had no `ConsignmentLeftUnreleased`. They reported a departure without a release by
    # `ConsignmentGatedOut`, too, with `released` false.
    if not body.get("released", True):
        _left_unreleased(row, message, body)
        return
    row.departed = _with(row.departed, body["container_no"])
    row.gated_out_us = max(row.gated_out_us or 0, micros(body["occurred_at"]))


def _left_unreleased(row: Consignment, message: TopicMessage, body: Body) -> None:
    row.unreleased = _with(row.unreleased, body["container_no"])
    row.unreleased_us = micros(body["occurred_at"])


def _came_back(row: Consignment, message: TopicMessage, body: Body) -> None:
    """Removes the departure of a container from the row, because the departure was retracted."""
    row.departed = _without(row.departed, body["container_no"])
    row.unreleased = _without(row.unreleased, body["container_no"])
    row.gated_out_us = row.gated_out_us if row.departed else None
    row.unreleased_us = row.unreleased_us if row.unreleased else None


def _at_gate(row: Consignment, message: TopicMessage, body: Body) -> None:
    """Changes nothing when a container of these goods came in, because the release desk publishes what follows for the goods."""


def _with(boxes: str, number: str) -> str:
    return " ".join(sorted({*boxes.split(), plain(number)}))


def _without(boxes: str, number: str) -> str:
    return " ".join(sorted({*boxes.split()} - {plain(number)}))


def _paper(row: Consignment, declaration: Body) -> None:
    row.declarant = _text(declaration, "declarant")
    row.consignee = _text(declaration, "consignee")
    row.reference = _text(declaration, "reference")
    row.bill_no = _text(declaration, "bill_no")
    row.customs_office = _text(declaration, "customs_office")
    row.transport_mode = _text(declaration, "transport_mode")
    row.trade_mode = _text(declaration, "trade_mode")
    row.direction = _text(declaration, "direction")
    row.containers = " ".join(sorted({plain(c["container_no"]) for c in declaration.get("containers", ())}))


def _text(body: Body, name: str) -> str:
    value = body.get(name, "")
    return value[:255] if isinstance(value, str) else ""


plain = lru_cache(maxsize=8192)(iso6346.plain)

_TELLERS: dict[str, tuple[str, Callable[[Consignment, TopicMessage, Body], None]]] = {
    "LodgeDeclaration": ("", _lodged),
    "DeclarationLodgedAgain": ("", _lodged_again),
    "DeclarationPassedOn": ("seq_declaration", _passed_on),
    "DeclarationAccepted": ("seq_declaration", _accepted),
    "DeclarationRejected": ("seq_declaration", _rejected),
    "RequestRefused": ("", _refused_request),
    "ConsignmentAssessed": ("seq_risk", _assessed),
    "ArrivalRecorded": ("seq_release", _arrived),
    "ArrivalRetracted": ("seq_release", _did_not_arrive),
    "ConsignmentHeld": ("seq_release", _held),
    "ReleaseGranted": ("seq_release", _granted),
    "ReleaseRefused": ("seq_release", _refused),
    "ReleaseRevoked": ("seq_release", _revoked),
    "RefusalRevoked": ("seq_release", _refusal_revoked),
    "DeclarationWithdrawn": ("seq_release", _withdrawn),
    "ContainerArrived": ("seq_gate", _at_gate),
    "ConsignmentGatedOut": ("seq_gate", _gated_out),
    "ConsignmentLeftUnreleased": ("seq_gate", _left_unreleased),
    "DepartureRetracted": ("seq_gate", _came_back),
}
FOLDED = frozenset(_TELLERS)
"""The kinds of messages that change a consignment's row; messages of other kinds are only on its timeline."""


# what follows from the columns


class ConsignmentState(NamedTuple):
    """The stage of a consignment, what it waits for, who has to act, and since when (microseconds since 1970 UTC). `ended_us`: since
    when nobody has to act any more, or None if somebody has to."""

    stage: Stage | Literal["unmatched"]
    waiting_for: str
    waiting_owner: str
    waiting_since_us: int | None
    ended_us: int | None


def settle(row: Consignment) -> None:
    """Computes the state of the consignment and writes it into the columns of the row."""
    row.stage, row.waiting_for, row.waiting_owner, row.waiting_since_us, row.ended_us = standing(row)


def standing(row: Consignment) -> ConsignmentState:
    """Returns the state of the consignment, computed from the columns of the row alone. Goods that left without release
    stay at the stage `LEFT_UNRELEASED`, whatever a desk publishes about them later, until the report of their departure
    is retracted or an officer finds the container inside."""
    if row.unreleased:
        return ConsignmentState(Stage.LEFT_UNRELEASED, "gate_finding", Owner.OFFICER, row.unreleased_us, None)
    if row.parked:
        return ConsignmentState(Stage.PARKED, "parked", OPERATIONS, row.parked_us, None)
    if not row.declared and row.lodged_us is None and row.assessed_us is None:
        moments = [h.since_us for h in row.holds] or [us for us in (row.arrived_us, row.held_us) if us is not None]
        return ConsignmentState(UNMATCHED, "declaration", Owner.DECLARANT, min(moments, default=None), None)
    if row.word == "withdrawn":
        return ConsignmentState(Stage.WITHDRAWN, "", "", None, row.closed_us)
    if row.word == "refused":
        return ConsignmentState(Stage.REFUSED, "", "", None, row.closed_us)
    if row.word == "released" and row.holds:
        return _held_by(Stage.PARTLY_RELEASED, first_hold(row.holds), row)
    if row.word == "released":
        return _let_go(row)
    if row.word == "revoked":
        return _held_by(Stage.REVOKED, first_hold(row.holds), row)
    if row.declared in ("rejected", "refused", "discarded"):
        return ConsignmentState(Stage.REJECTED, "", "", None, row.rejected_us)
    if row.word == "held":
        return _on_hold(row)
    if row.declared == "accepted":
        if row.assessed_us:
            return ConsignmentState(Stage.ACCEPTED, AwaitedCode.HOLDS.value, Mover.RELEASE.value, row.assessed_us, None)
        return ConsignmentState(Stage.ACCEPTED, ASSESSMENT, Owner.RISK, row.accepted_us, None)
    return ConsignmentState(Stage.LODGED, "acceptance", Owner.DECLARATION, row.lodged_us, None)


def _let_go(row: Consignment) -> ConsignmentState:
    # If the release named containers, these count, because goods may be in other containers than the declared ones.
    containers = (row.released_boxes or row.containers).split()
    if not containers:
        return ConsignmentState(Stage.RELEASED, "", "", None, row.released_us)
    if set(containers) <= set(row.departed.split()):
        return ConsignmentState(Stage.GATED_OUT, "", "", None, max(row.gated_out_us or 0, row.released_us or 0))
    way = "loading" if row.direction == Direction.EXPORT else "gate_out"
    return ConsignmentState(Stage.RELEASED, way, Owner.CARRIER, row.released_us, None)


def _on_hold(row: Consignment) -> ConsignmentState:
    first = first_hold(row.holds)
    if first is None:
        stage = Stage.HELD
    elif first.hold_id == ASSESSMENT:
        stage = Stage.ACCEPTED if row.declared == "accepted" else Stage.LODGED
    else:
        stage = _STAGE_OF_OWNER.get(first.owner, Stage.HELD)
    return _held_by(stage, first, row)


def _held_by(stage: Stage, first: OpenHold | None, row: Consignment) -> ConsignmentState:
    if first is None:
        # The release of the goods, or their refusal, was revoked. The next fact of the release desk names the holds,
        # but was not read yet.
        return ConsignmentState(stage, "holds", "release", row.held_us, None)
    return ConsignmentState(stage, first.hold_id, first.owner, first.since_us, None)


def first_hold(holds: tuple[OpenHold, ...]) -> OpenHold | None:
    """Returns the hold that is shown if there is room for only one; None if there are none. Officers' holds come first and carriers'
    holds last; of several holds of one owner, the oldest comes first."""
    return min(holds, key=lambda h: (_RANK.get(h.owner, 9), h.since_us, h.hold_id), default=None)


_RANK: dict[str, int] = {
    Owner.OFFICER: 0,
    Owner.DECLARATION: 1,
    Owner.RISK: 2,
    Owner.QUARANTINE: 3,
    Owner.INSPECTION: 4,
    Owner.DECLARANT: 5,
    Owner.CARRIER: 6,
}
_STAGE_OF_OWNER: dict[str, Stage] = {
    Owner.OFFICER: Stage.HELD,
    Owner.QUARANTINE: Stage.UNDER_TREATMENT,
    Owner.INSPECTION: Stage.UNDER_CONTROL,
    Owner.DECLARANT: Stage.UNDER_CONTROL,
    Owner.CARRIER: Stage.AWAITING_ARRIVAL,
}
