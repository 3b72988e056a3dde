"""May this container leave, as far as the read model knows? It must stay if it is unknown, held or parked, or if the rows are stale. The
answer is that of the gate desk's latest fact, or a stricter one."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from schemas.envelope import AboutPartition, Request
from schemas.hold_ids import of_control, of_treatment
from schemas.topics import KINDS
from schemas.vocabulary import Direction, StayCode, plain_word, same_word
from services.console.readmodel.container import GONE, BoxHold, Container, ContainerPart
from services.console.readmodel.messages import micros

SHOWN = 1000
"""The most consignments that an answer names in `waiting_for`."""
SENDING_SECONDS = 120
"""Seconds after which a requested hold counts as never sent, if the rows are complete and still lack its message. In
this case the console ended or failed before it could send the message."""
NOT_THERE = frozenset({"rejected", "refused", "discarded"})
"""Values of `declared` for a declaration that was never accepted. Its goods do not count as being in the containers that it names."""
COUNTS_WHEN_ASKED = frozenset(
    name
    for name, kind in KINDS.items()
    if issubclass(kind, Request)
    and (kind.holds_goods or kind.calls_back or kind.changes_stay)
    and not issubclass(kind, AboutPartition)
)
"""Kinds of requests that keep goods or a container inside while they are not answered: from the moment at which a
console has taken such a request in until a desk has answered it."""


class UnansweredRequest(NamedTuple):
    """One or several requests about one consignment or container that consoles took in and no desk has answered yet.
    They hold goods, retract something, or say where a container is or what is in it (see `COUNTS_WHEN_ASKED`).

    `subject`: consignment id or container number; `asked_us`: when the latest of them was taken in (microseconds since 1970 UTC);
    `sent`: the message of at least one of them was read from its topic. A request for a retraction also counts as unanswered until the
    release desk has published a fact that takes the retraction into account."""

    subject: str
    asked_us: int
    sent: bool


class GoodsState(NamedTuple):
    """Columns of the row of one consignment. `declared` and `word`: the latest answers of the declaration desk and of the release desk;
    `released_boxes`: the containers of the latest release; `unreleased`: containers that left without a release; `waiting_for`: what the
    consignment waits for."""

    declared: str = ""
    word: str = ""
    released_boxes: str = ""
    unreleased: str = ""
    bill_no: str = ""
    direction: str = ""
    waiting_for: str = ""
    declarant: str = ""


class Awaited(NamedTuple):
    """A consignment that keeps its container inside, and what it waits for (empty if its row does not name anything)."""

    consignment_id: str
    bill_no: str
    waiting_for: str


class GateAnswer(NamedTuple):
    """The answer to the question whether a container may leave. `reason`: a code that the console's language files translate; `detail`:
    further text, such as the reason of a hold; `waiting_for`: the consignments that keep the container inside.

    `lots`: how many lots are in the container. It is the number of bills in the rows, or the number that an officer counted, whichever
    is higher; if no officer has counted, the number that a declaration states is taken for the count. `released`: how many of the lots
    may leave; `awaited`: all consignments that may not leave, and what each waits for. `awaited` is not cut,
    because the API shows the first of them and counts the others.
    """

    may_leave: bool
    reason: str
    detail: str = ""
    waiting_for: tuple[str, ...] = ()
    lots: int = 0
    released: int = 0
    awaited: tuple[Awaited, ...] = ()

    def only(self, visible: frozenset[str]) -> "GateAnswer":
        """Returns the answer for a reader who may see only the consignments in `visible`. The others are counted, but not named, and
        `detail` is empty."""
        waiting = tuple([each for each in self.waiting_for if each in visible])
        return self._replace(
            detail="",
            waiting_for=waiting,
            awaited=tuple([each for each in self.awaited if each.consignment_id in visible]),
        )


def is_inside(part: ContainerPart, row: Container | None) -> bool:
    """Returns whether the goods are in this container, or are expected in it, during the visit that is open now, or the next one if none
    is open. `row`: None if nothing else is known about the container."""
    if part.gone or part.struck:
        return False
    if row is not None and row.word in GONE and part.consignment_id in row.waiting_for.split():
        # The gate desk has named the consignment among the goods that left. The fact under the consignment's own key was not read yet.
        return False
    if not part.ended:
        return row is None or not is_of_another_call(part, row)
    if row is None or not row.open:
        return False
    came_again = part.arrived_us is not None and row.visit_us is not None and part.arrived_us >= row.visit_us
    return row.visit == part.ended or came_again


def is_of_another_call(part: ContainerPart, row: Container) -> bool:
    """Returns whether the goods are awaited with another conveyance than the one with which the container came. If one of the two
    conveyances is unknown, this is false, because the goods may be in the container."""
    if part.arrived_us is not None or not row.open:
        return False
    return same_word(row.conveyance, part.conveyance) is False


def counts(part: ContainerPart, goods: GoodsState) -> bool:
    """Returns whether the goods of this consignment must be released before the container may leave. They must if their declaration is
    in force, or if the release desk has made a statement about them to the gate. Goods of a withdrawn declaration need no release."""
    if part.word == "withdrawn" or goods.word == "withdrawn":
        return False
    return bool(part.word) or (part.declared and goods.declared not in NOT_THERE)


def let_go(part: ContainerPart, goods: GoodsState) -> bool:
    """Returns whether the goods may pass the land gate. They may if an officer permits it. An import of which nothing has left without
    release may also pass if the release desk has published both its release, which names this container, and a statement to the gate
    desk that it is released. If only one of these two facts is known, the other one was not read yet, or the known one is forged."""
    if part.may_leave_by_permit:
        return True
    if Direction.EXPORT in (part.direction, goods.direction) or goods.unreleased:
        return False
    both = part.word == goods.word == "released"
    return both and part.container_no in goods.released_boxes.split()


def gate_answer(
    row: Container | None,
    parts: Iterable[ContainerPart],
    goods: Mapping[str, GoodsState],
    parked: Iterable[str],
    fresh: bool,
    unanswered: Iterable[str] = (),
    holds: Iterable[BoxHold] = (),
) -> GateAnswer:
    """Returns the answer to the question whether a container may leave. `row`: None if the gate desk has published nothing about the
    container. `parts`: the consignments that are or may have been in the container; `goods`: the state of each, by id; `parked`: the ids
    of those that have a parked message; `fresh`: the rows are not stale.

    `unanswered`: the ids of the consignments for which there is a request, for example for a hold, that no desk has
    answered yet; the number of the container itself may be among them. `holds`: the holds on the container."""
    inside = [(p, goods.get(p.consignment_id, GoodsState())) for p in parts if is_inside(p, row)]
    lots = [(p, its) for p, its in inside if counts(p, its)]
    keepers = [(p, its) for p, its in lots if not let_go(p, its)]
    may, reason, detail, waiting = _why(row, lots, keepers, tuple(parked), fresh, tuple(unanswered), tuple(holds))
    by_bill: dict[str, bool] = {}
    for part, its in lots:
        lot = plain_word(part.bill_no or its.bill_no) or part.consignment_id
        by_bill[lot] = by_bill.get(lot, True) and let_go(part, its)
    shared = max([part.shared_by for part, _ in lots], default=0)
    counted = None if row is None else row.lots
    return GateAnswer(
        may,
        reason,
        detail,
        waiting[:SHOWN],
        max(len(by_bill), shared if counted is None else counted),
        sum(by_bill.values()),
        tuple([Awaited(p.consignment_id, p.bill_no or its.bill_no, its.waiting_for) for p, its in keepers]),
    )


CALLED_BACK = frozenset({"FindingsRetracted", "TreatmentRetracted", "TreatmentDecisionRetracted"})
"""Facts by which another desk retracts an answer that may have led to a release. Only later facts of the release desk
show whether the release desk has read such a retraction."""


def takes_into_account(granted: Mapping[str, Any] | None, kind: str, retracted: Mapping[str, Any]) -> bool:
    """Returns whether a release takes a retraction into account. It does not matter which of the two was read first.

    `granted`: content of the latest `ReleaseGranted` of the goods. If there is none, this is true, because then there is nothing to
    revoke. `kind`: the kind of the retraction, one of `CALLED_BACK`; `retracted`: its content. A release of an older software version
    has no `revisions`, so the times of the two facts are compared.
    """
    if granted is None:
        return True
    revisions = granted.get("revisions")
    if revisions is None:
        return micros(granted["occurred_at"]) >= micros(retracted["occurred_at"])
    hold = of_control(retracted["control"]) if kind == "FindingsRetracted" else of_treatment(retracted["origin"])
    known: list[int] = revisions.get(hold) or [0, 0]
    return known >= [retracted.get("finding", 0), retracted["revision"]]


Lots = list[tuple[ContainerPart, GoodsState]]
Why = tuple[bool, str, str, tuple[str, ...]]


def _why(
    row: Container | None,
    lots: Lots,
    keepers: Lots,
    parked: tuple[str, ...],
    fresh: bool,
    unanswered: tuple[str, ...],
    holds: tuple[BoxHold, ...],
) -> Why:
    statement = row if row is not None else Container("")
    on_box = next((hold for hold in holds if not hold.lifted), None)
    if on_box is not None:
        return False, "box_held", on_box.reason, ()
    if statement.blocking:
        return False, "alarm", statement.alarm_reason, tuple(statement.waiting_for.split())
    held = tuple([p.consignment_id for p, _ in lots if p.word == "held" and not p.may_leave_by_permit])
    if statement.word == "must_stay" and statement.awaits == StayCode.TO_BE_COUNTED:
        # The count comes before everything that the known goods wait for, because only the count shows whether other
        # goods are in the container, too.
        return False, "to_be_counted", statement.reason, tuple(statement.waiting_for.split()) or held
    if statement.word == "must_stay" and (keepers or statement.waiting_for):
        return False, "held", statement.reason, tuple(statement.waiting_for.split())
    if held:
        return False, "held", next(p.reason for p, _ in lots if p.consignment_id == held[0]), held
    if unanswered:
        return False, "hold_asked", "", unanswered
    if statement.word != "may_leave":
        may, why, detail, waiting = _no_yes(statement, lots, keepers, fresh)
        return may, why, statement.reason if statement.word == "must_stay" else detail, waiting
    if parked or statement.parked:
        return False, "parked", "", parked
    if not fresh:
        return False, "stale", "", ()
    released = {p.consignment_id for p, its in lots if let_go(p, its)}
    unknown = tuple([name for name in statement.waiting_for.split() if name not in released])
    if keepers or unknown or not released:
        return False, "not_released", "", tuple([p.consignment_id for p, _ in keepers]) or unknown
    return True, "released", "", ()


def _no_yes(statement: Container, lots: Lots, keepers: Lots, fresh: bool) -> Why:
    """Returns why the gate desk has not said that the container may leave, although no hold is known: the container is outside, no
    goods in it are known, or a desk has not finished."""
    waiting = tuple([p.consignment_id for p, _ in keepers])
    if lots:
        arrived = statement.open or any(p.arrived_us is not None for p, _ in lots)
        exports = [p for p, its in keepers if Direction.EXPORT in (p.direction, its.direction)]
        if keepers and len(exports) == len(keepers) and all(its.word == "released" for _, its in keepers):
            return False, "export", "", waiting
        return False, "not_released" if keepers else "not_said" if arrived else "no_visit", "", waiting
    if statement.word in GONE:
        detail = statement.gate if statement.word == "gated_out" else statement.reason
        return (
            False,
            statement.word,
            detail,
            tuple(statement.waiting_for.split()) if statement.word not in ("gated_out", "closed") else (),
        )
    if statement.open:
        return False, "undeclared", "", ()
    if not fresh:
        return False, "stale", "", ()
    return False, "no_visit" if statement.seq else "unknown", "", ()
