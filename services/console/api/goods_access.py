"""Whose goods may an account see and act on? Goods out of its reach are answered as if they were unknown."""

from collections.abc import Sequence
from typing import NamedTuple

from fastapi.concurrency import run_in_threadpool
from sqlalchemy import ColumnElement, and_, false, or_

from schemas import envelope
from schemas.declaration import WithdrawDeclaration
from schemas.vocabulary import WATCHES, plain_word
from services.console.access.rights import ANYBODY, ASKS, CUSTOMS, READ_WATCHES, Reach, Role, Who
from services.console.api.authentication import no_right
from services.console.api.context import ConsoleContext
from services.console.api.problems import Problem
from services.console.readmodel import lists
from services.console.readmodel import tables as t
from services.console.readmodel.consignment import Consignment
from services.console.readmodel.queries import ReadModelQueries

C = t.CONSIGNMENTS.c
AGAIN = {"Retry-After": "2"}


class VisibleGoods(NamedTuple):
    """The consignments in a container that a reader may see. `cut`: others are left out."""

    consignments: frozenset[str]
    cut: bool
    hidden: bool
    """None of them may be seen: the container is answered as unknown."""
    undeclared: bool = False
    """The rows do not have the customs office of some of them, or no consignment in the container at all."""
    bills: frozenset[str] = frozenset()
    """The bills of those that may be seen, in capitals and digits only."""


def condition(who: Who, *, complete: bool) -> ColumnElement[bool] | None:
    """The SQL condition for the consignments that `who` may see; None if they may see all. `complete`: as `Office.complete`. If the rows are not
    complete, goods without an office in the rows may have been declared at any office, so only officers of all offices see them."""
    if who.sees_everything():
        return None
    reaches, wanted = who.reaches(), list[ColumnElement[bool]]()
    if Reach.COMPANY in reaches:
        wanted.append(C.declarant.in_(sorted(who.companies())))
    if Reach.OFFICE in reaches:
        whole = who.office[2:] == "00"
        wanted.append(C.customs_office.startswith(who.office[:2]) if whole else C.customs_office == who.office)
        if complete:
            wanted.append(C.customs_office == "")
    return or_(*wanted) if wanted else false()


def cut(parts: Sequence[lists.ListPart], who: Who, *, complete: bool) -> list[lists.ListPart]:
    """The list, restricted to what `who` may see; the table of consignments must be one of its tables. `complete`: as in `condition`."""
    visible = condition(who, complete=complete)
    if visible is None:
        return list(parts)
    return [part._replace(wanted=tuple([and_(one, visible) for one in part.wanted])) for part in parts]


def consignment_of(context: ConsoleContext, who: Who, consignment_id: str) -> Consignment | None:
    """The row of a consignment; None if there is none, or if it is out of `who`'s reach. While the rows are not complete, goods without an
    office in the rows are out of reach of the officers of single offices."""
    row = context.rows.consignment(consignment_id)
    if row is None or who.sees(
        row.declarant, row.customs_office, complete=bool(row.customs_office) or context.complete()
    ):
        return row
    return None


def inside(
    rows: ReadModelQueries,
    who: Who,
    container_no: str,
    roles: frozenset[Role] = ANYBODY,
    *,
    complete: bool = True,
    ever: bool = False,
) -> VisibleGoods | None:
    """The consignments in a container that `who` may see; None if nothing has to be left out. `roles`: if given, only these roles of `who` count;
    `complete`: as in `condition`; `ever`: also the consignments of earlier visits. A container without consignments still belongs to the offices of
    its former goods, but to no company; so does one that an alarm about the end of their visit keeps inside."""
    reaches = who.reaches(roles)
    if who.sees_everything(roles) or Reach.CONTAINERS in reaches:
        return None
    known = rows.owners_inside(container_no)
    of_offices = Reach.OFFICE in reaches
    owners = [each for each in known if ever or not each.is_former or (of_offices and each.is_in_alarm)]
    if not owners and of_offices:
        owners = known
    within_reach = [
        each for each in owners if who.sees(each.declarant or "", each.customs_office or "", roles, complete=complete)
    ]
    visible = frozenset([each.consignment_id for each in within_reach])
    if not owners:
        return VisibleGoods(visible, cut=False, hidden=not of_offices or not complete, undeclared=True)
    undeclared = any(not each.customs_office for each in owners)
    bills = frozenset([plain_word(each.bill_no or "") for each in within_reach])
    return VisibleGoods(visible, len(visible) < len(owners), not visible, undeclared, bills)


def may_read(context: ConsoleContext, who: Who, key: str) -> bool:
    """Whether `who` may read the messages under this key, which is a consignment id, a container number or a partition's key of watches.
    Messages about a container contain texts of officers, so only accounts of customs may read them."""
    if key.startswith(f"{WATCHES}/"):
        return who.may(READ_WATCHES)
    if who.sees_everything(CUSTOMS) and who.of_customs():
        return True
    if context.rows.consignment(key) is not None:
        return consignment_of(context, who, key) is not None
    if not who.of_customs():
        return False
    found = inside(context.rows, who, key, CUSTOMS, complete=context.complete(), ever=True)
    return found is None or not (found.cut or found.hidden)


async def may_act(context: ConsoleContext, who: Who, kind: type[envelope.Request], subject: str) -> str:
    """Returns the declarant of the goods that the request is about, empty if it is not known or not needed. Problem 403 if the role does not suffice
    or the container is out of reach, 404 if the goods are out of reach, 503 if the rows do not show yet whether they are."""
    if not who.may_ask(kind):
        raise no_right(who, ASKS.get(kind))
    roles = ASKS[kind].roles
    reaches = who.reaches(roles)
    everything = who.sees_everything(roles)
    if Reach.CONTAINERS in reaches or (everything and kind is not WithdrawDeclaration):
        return ""
    lets_go = not (kind.holds_goods or kind.calls_back)
    if issubclass(kind, envelope.AboutContainer):
        # an officer takes back what was said of goods that are former ones because of it
        found = await run_in_threadpool(inside, context.rows, who, subject, roles, ever=kind.calls_back)
        if found is not None and found.hidden:
            raise Problem(403, "no_reach")
        if found is not None and found.undeclared and lets_go:
            _refuse_incomplete(context)
        return ""
    row = await run_in_threadpool(context.rows.consignment, subject)
    if Reach.OFFICE in reaches and lets_go and (row is None or not row.customs_office):
        _refuse_incomplete(context)
    if row is not None and who.sees(row.declarant, row.customs_office, roles):
        return row.declarant
    if row is None and (Reach.OFFICE in reaches or everything):
        return ""  # the goods are not declared yet; a hold on them takes effect when they are
    if row is None and await run_in_threadpool(lodged_by, context, who, subject):
        return who.company
    if context.behind():
        raise Problem(503, "not_known_yet", headers=AGAIN)
    raise unknown(context, subject)


def _refuse_incomplete(context: ConsoleContext) -> None:
    """Problem 503 while the rows are rebuilt or far behind. Without this, goods whose office is not in the rows yet would count as goods that
    nobody has declared, on which every office may act."""
    if not context.complete():
        raise Problem(503, "not_known_yet", headers=AGAIN)


async def may_name(context: ConsoleContext, who: Who, kind: type[envelope.Request], named: str) -> None:
    """Raises Problem 403 if a request about a container names a consignment in it (`named`) that is out of reach. This is checked because goods of
    several offices may share a container."""
    roles = ASKS[kind].roles
    if not named or who.sees_everything(roles):
        return
    row = await run_in_threadpool(context.rows.consignment, named)
    if row is not None and not who.sees(row.declarant, row.customs_office, roles):
        raise Problem(403, "no_reach")


def lodged_by(context: ConsoleContext, who: Who, consignment_id: str) -> bool:
    """Whether this account has lodged the declaration through a console."""
    lodgement = context.asker.about(consignment_id) or context.rows.lodgement_about(consignment_id)
    return lodgement is not None and lodgement.sender == who.actor


def unknown(context: ConsoleContext, consignment_id: str) -> Problem:
    """The Problem 404 that no message about this consignment is known."""
    as_of = context.standing().as_of
    return Problem(404, "unknown_consignment", seen=consignment_id, as_of=as_of.isoformat() if as_of else "—")
