"""How did goods leave in a container, was that allowed, and which alarms follow?

`services.gate.visits` computes the visits, and asks this file about each that has ended. The file also has the permits, because a permit decides
how goods left.
"""

from collections.abc import Iterable
from datetime import datetime

from schemas.vocabulary import Direction, EquipmentEvent, ExitGround, plain_word, same_word
from services.gate.box import Box, Part, Permit, Report, Yes
from services.gate.truth import SKEW, Alarm, Truth, Visit


def departure_of(box: Box, visit: Visit, part: Part) -> str:
    """Returns how this consignment left with the visit: `out`, `left` (without release), or an empty text if it did not leave.

    `out`: the gate's answer let it out, or it was permitted or released at that time. A later statement or permit does not change how it left.
    """
    if visit.open or (part.standing == "withdrawn" and (part.arrived_at is None or _stands(visit, part))):
        return ""
    assert visit.closed is not None, "it is closed"
    if visit.taken_out(part):
        return ""
    if visit.how in ("left_empty", "came_back_empty") and not part.was_free(visit.closed, SKEW):
        return "left" if part.arrived_at is not None else ""
    if visit.how == "departure_not_reported" and part.arrived_at is None:
        return ""
    if visit.allowed is not None and part.consignment_id in visit.allowed:
        return "out"
    if part.since > visit.closed + SKEW:
        return "left"  # the goods were declared after the box had left, so they left without release
    if _was_permitted(box, part, visit.closed):
        return "out"
    wrong_way = Direction.IMPORT if visit.how == "loaded" else Direction.EXPORT
    if visit.how in ("gated_out", "left_empty", "finding", "loaded") and part.direction is wrong_way:
        return "left"
    if part.was_free(visit.closed, SKEW):
        return "out"
    return "left"


def _stands(visit: Visit, withdrawn: Part) -> bool:
    """Returns whether another declaration stands for the same lot."""
    bill = plain_word(withdrawn.bill)
    return bool(bill) and any(plain_word(p.bill) == bill and p.standing != "withdrawn" for p in visit.parts)


def allowed_by_answer(box: Box, visit: Visit) -> frozenset[str] | None:
    """Returns the consignments that the gate's answer let out at the time of the departure; None if the answer was no."""
    if visit.how not in ("gated_out", "finding") or visit.closed is None:
        return None
    inside = {p.consignment_id for p in visit.parts}
    given = [yes.consignments for yes in box.yes if _covers(yes, visit, visit.closed, inside)]
    return frozenset([name for names in given for name in names]) if given else None


def _covers(yes: Yes, visit: Visit, at: datetime, inside: set[str]) -> bool:
    if yes.visit != visit.id and not inside & set(yes.consignments):
        return False
    return yes.since - SKEW <= at and (yes.until is None or at < yes.until)


def permits_now(box: Box, part: Part) -> list[Permit]:
    """Returns the permits that let this part leave through the land gate now. A later statement that the part must stay ends a permit."""
    return [permit for permit in _given(box, part) if _end_of(permit, part) is None]


def _was_permitted(box: Box, part: Part, at: datetime) -> bool:
    """Returns whether an officer's permit let this part leave at that moment. A later statement does not change how it left."""
    ends = [(permit.at - SKEW, _end_of(permit, part)) for permit in _given(box, part)]
    return any(since <= at and (until is None or at <= until) for since, until in ends)


def _given(box: Box, part: Part) -> list[Permit]:
    """Returns every permit for this part whose ground fits its direction. A cancelled export is a ground for exports only."""
    return [
        permit
        for permit in box.permits
        if permit.consignment_id == part.consignment_id
        and (permit.ground is not ExitGround.EXPORT_CANCELLED or part.direction is Direction.EXPORT)
    ]


def _end_of(permit: Permit, part: Part) -> datetime | None:
    """Returns when the permit ended; None while it counts. A record of an older software version has no `until`, so the release desk's latest
    statement decides."""
    if permit.until is None and part.standing in ("held", "refused") and part.version > permit.version:
        return part.stated_at
    return permit.until


def is_called_back(part: Part) -> bool:
    """Returns whether these goods, which have left, are held or refused now."""
    return part.standing in ("held", "refused")


def is_released(part: Part) -> bool:
    """Returns whether the part has a release that opens the land gate. The release of an import does, that of an export does not."""
    return part.standing == "released" and part.direction is Direction.IMPORT


def alarms_of(box: Box, visit: Visit) -> Iterable[Alarm]:
    if visit.closed is None:
        return
    outcome = {p.consignment_id: departure_of(box, visit, p) for p in visit.parts}
    late = {p.consignment_id for p in visit.parts if p.since > visit.closed + SKEW}
    left = tuple([name for name, how in outcome.items() if how == "left" and name not in late])
    for name in sorted(late):
        yield _alarm(visit, "left_undeclared", "declared_after", (name,), about=name)
    yield from _of_departure(box, visit, left, outcome)
    for part in visit.parts:
        if is_called_back(part) and outcome[part.consignment_id] == "out" and not permits_now(box, part):
            name = part.consignment_id
            yield _alarm(visit, "held_outside", "held_after", (name,), about=name)


def _of_departure(box: Box, visit: Visit, left: tuple[str, ...], outcome: dict[str, str]) -> list[Alarm]:
    """Returns the alarms about how the visit ended. If the container left in any way while an officer held it, at least
    one of the alarms blocks. This does not apply to a visit that an officer's finding ended. `left`: the consignments
    that left without release; `outcome`: consignment → the result of `departure_of`, for all parts of the visit."""
    assert visit.closed is not None, "it is closed"
    alarms: list[Alarm] = []
    held = visit.how != "finding" and box.was_held(visit.closed)
    match visit.how:
        case "gated_out":
            alarms += _gated_out(box, visit, left)
        case "loaded":
            alarms += _loaded(visit, left)
        case "stray":
            if left or (visit.closing is not None and visit.closing.event is EquipmentEvent.GATED_OUT):
                why = "departure_outside"
                alarms.append(_alarm(visit, "left_undeclared", why, left, blocks=bool(left) or held))
        case "left_empty":
            if left or (not visit.parts and visit.is_known_laden):
                why = "empty_laden" if left else "left_undeclared"
                alarms.append(_alarm(visit, "empty_left_laden", why, left, blocks=bool(left)))
        case "departure_not_reported" | "came_back_empty":
            known = visit.how == "departure_not_reported" and (visit.parts or visit.opening is not None)
            if known or held:
                # Nobody saw the box leave. So the alarm also names goods that were declared only after the departure,
                # because they may be in the box, too.
                inside = tuple([name for name, how in outcome.items() if how == "left"])
                blocks = bool(inside) or held
                alarms.append(_alarm(visit, "departure_not_reported", "came_again", inside, blocks=blocks))
        case "finding" | "":
            pass
    if held and not any(alarm.blocks for alarm in alarms):
        names = tuple([part.consignment_id for part in visit.parts])
        against = _alarm(visit, "left_unreleased", "left_against_no", names, blocks=True)
        return [*[alarm for alarm in alarms if alarm.key != against.key], against]
    return alarms


def _gated_out(box: Box, visit: Visit, left: tuple[str, ...]) -> Iterable[Alarm]:
    if left:
        early = all(p.standing == "released" for p in visit.parts if p.consignment_id in left)
        why = "left_before" if early else "left_unreleased"
        yield _alarm(visit, "left_unreleased", why, left, blocks=True)
    elif not visit.parts:
        blocks = visit.opening is not None and visit.opening.laden is not False
        yield _alarm(visit, "left_undeclared", "left_undeclared", (), blocks=blocks)
    elif visit.allowed is None:
        names = tuple([p.consignment_id for p in visit.parts])
        yield _alarm(visit, "left_unreleased", "left_against_no", names, blocks=True)


def _loaded(visit: Visit, left: tuple[str, ...]) -> Iterable[Alarm]:
    if left:
        yield _alarm(visit, "left_unreleased", "loaded_unreleased", left, blocks=True)
        return
    from_land = visit.opening is not None and visit.opening.event is EquipmentEvent.GATED_IN
    if from_land and visit.is_known_laden and not visit.parts:
        yield _alarm(visit, "left_undeclared", "left_undeclared", ())
        return
    aboard = visit.closing.conveyance if visit.closing else ""
    others = tuple([p.consignment_id for p in visit.parts if same_word(p.conveyance, aboard) is False])
    if others:
        why = "other_conveyance"
        yield _alarm(visit, "left_unreleased", why, others)


def _alarm(
    visit: Visit, alarm: str, why: str, waiting_for: tuple[str, ...], about: str = "", blocks: bool = False
) -> Alarm:
    """Returns an alarm about the end of a visit or, if `about` is given, about one consignment in it."""
    assert visit.closed is not None, "it is closed"
    report_id = visit.closing.id if visit.closing and not about else ""
    gate = visit.closing.place if visit.closing else ""
    return Alarm(alarm, about or report_id, visit.id, why, visit.closed, gate, report_id, waiting_for, blocks)


def unsettled(box: Box, truth: Truth) -> list[Alarm]:
    """Returns the alarms that keep the box inside until an officer's finding settles them. A finding that was a mistake settles none."""
    settled = {key for finding in box.findings if not finding.void for key in finding.settled}
    return [alarm for alarm in truth.alarms if alarm.blocks and alarm.key not in settled]


def itself_kept(box: Box, truth: Truth, visit: Visit, stripping: Report) -> bool:
    """Returns whether the container itself, and not only its goods, had to stay when this report of a stripping was
    recorded. The cause may be an officer's hold, an alarm about an earlier visit, or more goods than the record has
    room for."""
    if any(hold.at is None or hold.at <= stripping.heard for hold in box.holds) or box.waiting:
        return True
    earlier = {each.id for each in truth.visits[: truth.visits.index(visit)]}
    return (box.overfull and visit.open) or any(alarm.visit in earlier for alarm in unsettled(box, truth))
