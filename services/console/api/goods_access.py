"""Whose goods may an account see and act on? Goods that an account may not see are answered as if they were unknown."""

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
    """The consignments in a container that a reader may see. `cut`: whether the container has further consignments, which the reader may not see."""

    consignments: frozenset[str]
    cut: bool
    hidden: bool
    """The reader may see none of the consignments, so the container is answered as unknown."""
    undeclared: bool = False
    """The rows lack the customs office of some of the consignments, or have no consignment in the container at all."""
    bills: frozenset[str] = frozenset()
    """The bills of the consignments that the reader may see, in the form that `plain_word` returns."""


def condition(who: Who, *, complete: bool) -> ColumnElement[bool] | None:
    """Returns the SQL condition for the consignments that `who` may see; None if `who` may see all. `complete`: whether
    the rows are complete. If they are not, goods without an office in the rows may have been declared at any office. Of
    all officers, only those of the General Administration then see these goods."""
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
    """Returns the list restricted to the consignments that `who` may see. The table of consignments must be one of the tables of the list.
    `complete`: as in `condition`."""
    visible = condition(who, complete=complete)
    if visible is None:
        return list(parts)
    return [part._replace(wanted=tuple([and_(one, visible) for one in part.wanted])) for part in parts]


def consignment_of(context: ConsoleContext, who: Who, consignment_id: str) -> Consignment | None:
    """Returns the row of a consignment; None if there is none, or if `who` may not see it. While the rows are not complete, an officer of one office
    does not see goods that have no office in the rows."""
    row = context.rows.consignment(consignment_id)
    return row if row is not None and _sees(context, who, row) else None


def _sees(context: ConsoleContext, who: Who, row: Consignment) -> bool:
    return who.sees(row.declarant, row.customs_office, complete=bool(row.customs_office) or context.complete())


def inside(
    rows: ReadModelQueries,
    who: Who,
    container_no: str,
    roles: frozenset[Role] = ANYBODY,
    *,
    complete: bool = True,
    ever: bool = False,
) -> VisibleGoods | None:
    """Returns the consignments in a container that `who` may see. Returns None if answers about the container are not
    restricted to certain consignments, because `who` may see all goods, or is a carrier or terminal and may ask about
    all containers. `roles`: if given, only these roles of `who` count; `complete`: as in `condition`; `ever`: whether
    former consignments count, too; these were struck off the container, or were in it only in an earlier visit.

    For accounts with `Reach.OFFICE`, but not for companies, former consignments also count in two cases. The first case
    is that the container has no other consignments. The second case is that an alarm about the end of an earlier visit
    keeps the container inside; then the consignments of that visit count.
    """
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
    """Returns whether `who` may read the messages under this key: a consignment id, a container number, or the key of the watches of a partition.
    Messages about a container contain texts of officers, so only accounts of customs may read them."""
    if key.startswith(f"{WATCHES}/"):
        return who.may(READ_WATCHES)
    if who.sees_everything(CUSTOMS) and who.of_customs():
        return True
    row = context.rows.consignment(key)
    if row is not None:
        return _sees(context, who, row)
    if not who.of_customs():
        return False
    found = inside(context.rows, who, key, CUSTOMS, complete=context.complete(), ever=True)
    return found is None or not (found.cut or found.hidden)


async def may_act(context: ConsoleContext, who: Who, kind: type[envelope.Request], subject: str) -> str:
    """Checks whether `who` may send a request of this kind about this subject, and returns the declarant of the goods
    (empty if it is not known or not needed). Raises Problem 403 if the role does not suffice or `who` may not see the
    container. Raises Problem 404 if `who` may not see the goods, and 503 if the rows do not show yet whether `who` may
    see them."""
    if not who.may_ask(kind):
        raise no_right(who, ASKS.get(kind))
    roles = ASKS[kind].roles
    reaches = who.reaches(roles)
    everything = who.sees_everything(roles)
    if Reach.CONTAINERS in reaches or (everything and kind is not WithdrawDeclaration):
        return ""
    lets_go = not (kind.holds_goods or kind.calls_back)
    if issubclass(kind, envelope.AboutContainer):
        # `ever` also finds former consignments. The strike or finding that the officer retracts may be the reason why
        # the consignment counts as a former one.
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
        return ""  # the goods are not declared yet; a hold on them takes effect when they are declared
    # This is also read for goods of others, so that the answer takes as long as for goods that do not exist.
    has_lodged = await run_in_threadpool(lodged_by, context, who, subject)
    if row is None and has_lodged:
        return who.company
    if context.behind():
        raise Problem(503, "not_known_yet", headers=AGAIN)
    raise unknown(context, subject)


def _refuse_incomplete(context: ConsoleContext) -> None:
    """Raises Problem 503 while the rows are rebuilt or far behind. Otherwise goods whose office is not in the rows yet would count as goods that
    nobody has declared, on which every office may act."""
    if not context.complete():
        raise Problem(503, "not_known_yet", headers=AGAIN)


async def may_name(context: ConsoleContext, who: Who, kind: type[envelope.Request], named: str) -> None:
    """Raises Problem 403 if a request about a container names a consignment in it (`named`) that `who` may not see. This is checked because goods of
    several offices may share a container."""
    roles = ASKS[kind].roles
    if not named or who.sees_everything(roles):
        return
    row = await run_in_threadpool(context.rows.consignment, named)
    if row is not None and not who.sees(row.declarant, row.customs_office, roles):
        raise Problem(403, "no_reach")


def lodged_by(context: ConsoleContext, who: Who, consignment_id: str) -> bool:
    """Returns whether this account has lodged the declaration of this consignment through a console."""
    lodgement = context.asker.about(consignment_id) or context.rows.lodgement_about(consignment_id)
    return lodgement is not None and lodgement.sender == who.actor


def unknown(context: ConsoleContext, consignment_id: str) -> Problem:
    """Returns the Problem 404 for a consignment about which no message is known."""
    as_of = context.standing().as_of
    return Problem(404, "unknown_consignment", seen=consignment_id, as_of=as_of.isoformat() if as_of else "—")
