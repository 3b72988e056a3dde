"""Whose goods may somebody see and act on? Goods out of reach are answered as if they were unknown."""

from collections.abc import Sequence
from typing import NamedTuple

from fastapi.concurrency import run_in_threadpool
from sqlalchemy import ColumnElement, and_, false, or_

from schemas import envelope
from schemas.declaration import WithdrawDeclaration
from schemas.vocabulary import WATCHES
from services.console.access.rights import ANYBODY, ASKS, CUSTOMS, READ_WATCHES, Reach, Role, Who
from services.console.api.authentication import no_right
from services.console.api.context import Office
from services.console.api.problems import Problem
from services.console.readmodel import lists
from services.console.readmodel import tables as t
from services.console.readmodel.consignment import Consignment
from services.console.readmodel.queries import Rows

C = t.CONSIGNMENTS.c
AGAIN = {"Retry-After": "2"}


class VisibleGoods(NamedTuple):
    """The consignments in a container that somebody may see. `cut`: others are left out."""

    consignments: frozenset[str]
    cut: bool
    hidden: bool
    """None of them may be seen: the container is answered as unknown."""
    undeclared: bool = False
    """The rows do not have the customs office of some of them, or no consignment in the container at all."""


def condition(who: Who, *, complete: bool) -> ColumnElement[bool] | None:
    """The SQL condition for the consignments that `who` may see; None where these are all. Not `complete` (`Office.complete`): goods whose
    office is not in the rows yet may have been declared at any office, and only those who see all offices see them."""
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


def cut(parts: Sequence[lists.Part], who: Who, *, complete: bool) -> list[lists.Part]:
    """The list, restricted to what `who` may see; the table of consignments must be one of its tables. `complete`: as in `condition`."""
    visible = condition(who, complete=complete)
    if visible is None:
        return list(parts)
    return [part._replace(wanted=tuple([and_(one, visible) for one in part.wanted])) for part in parts]


def consignment_of(desk: Office, who: Who, consignment_id: str) -> Consignment | None:
    """The row of a consignment; None where there is none, and where it is out of reach, be it for the moment: while the rows are not
    complete, goods whose office they do not tell are as goods that are not read yet."""
    row = desk.rows.consignment(consignment_id)
    if row is None or who.sees(row.declarant, row.customs_office, complete=bool(row.customs_office) or desk.complete()):
        return row
    return None


def inside(
    rows: Rows, who: Who, container_no: str, roles: frozenset[Role] = ANYBODY, *, complete: bool = True
) -> VisibleGoods | None:
    """The consignments in a container that `who` may see by those of `roles` that they have; None where nothing has to be left out.
    `complete`: as in `condition`."""
    reaches = who.reaches(roles)
    if who.sees_everything(roles) or Reach.CONTAINERS in reaches:
        return None
    owners = rows.owners_inside(container_no)
    visible = frozenset(
        [
            each.consignment_id
            for each in owners
            if who.sees(each.declarant or "", each.customs_office or "", roles, complete=complete)
        ]
    )
    if not owners:
        return VisibleGoods(visible, cut=False, hidden=Reach.OFFICE not in reaches or not complete, undeclared=True)
    undeclared = any(not each.customs_office for each in owners)
    return VisibleGoods(visible, cut=len(visible) < len(owners), hidden=not visible, undeclared=undeclared)


def may_read(desk: Office, who: Who, key: str) -> bool:
    """Whether messages under this key, a consignment id, a container number or a partition's key of watches, may be read whole. Those
    about a container contain texts of officers, which are read inside customs only."""
    if key.startswith(f"{WATCHES}/"):
        return who.may(READ_WATCHES)
    if who.sees_everything(CUSTOMS) and who.of_customs():
        return True
    if desk.rows.consignment(key) is not None:
        return consignment_of(desk, who, key) is not None
    if not who.of_customs():
        return False
    found = inside(desk.rows, who, key, CUSTOMS, complete=desk.complete())
    return found is None or not (found.cut or found.hidden)


async def may_act(desk: Office, who: Who, kind: type[envelope.Request], subject: str) -> str:
    """Whose goods the request is about (declarant, empty where that is not known): Problem 403 where the role does not suffice, 404 where the goods are out
    of reach, as if they were unknown."""
    if not who.may_ask(kind):
        raise no_right(who, ASKS.get(kind))
    roles = ASKS[kind].roles
    reaches = who.reaches(roles)
    everything = who.sees_everything(roles)
    if Reach.CONTAINERS in reaches or (everything and kind is not WithdrawDeclaration):
        return ""
    lets_go = not (kind.holds_goods or kind.calls_back)
    if issubclass(kind, envelope.AboutContainer):
        found = await run_in_threadpool(inside, desk.rows, who, subject, roles)
        if found is not None and found.hidden:
            raise Problem(403, "no_reach")
        if found is not None and found.undeclared and lets_go:
            _refuse_incomplete(desk)
        return ""
    row = await run_in_threadpool(desk.rows.consignment, subject)
    if Reach.OFFICE in reaches and lets_go and (row is None or not row.customs_office):
        _refuse_incomplete(desk)
    if row is not None and who.sees(row.declarant, row.customs_office, roles):
        return row.declarant
    if row is None and (Reach.OFFICE in reaches or everything):
        return ""  # not declared yet: a hold on it takes effect as soon as it is
    if row is None and await run_in_threadpool(lodged_by, desk, who, subject):
        return who.company
    if desk.behind():
        raise Problem(503, "not_known_yet", headers=AGAIN)
    raise unknown(desk, subject)


def _refuse_incomplete(desk: Office) -> None:
    """Problem 503 while the rows are rebuilt or far behind, and the office of goods is therefore not known. Otherwise they would count as
    goods that nobody has declared, on which every office may act."""
    if not desk.complete():
        raise Problem(503, "not_known_yet", headers=AGAIN)


async def may_name(desk: Office, who: Who, kind: type[envelope.Request], lot: str) -> None:
    """Problem 403 where a request about a container names a consignment in it (`lot`) that is out of reach. Goods of several offices may
    share a container."""
    roles = ASKS[kind].roles
    if not lot or who.sees_everything(roles):
        return
    row = await run_in_threadpool(desk.rows.consignment, lot)
    if row is not None and not who.sees(row.declarant, row.customs_office, roles):
        raise Problem(403, "no_reach")


def lodged_by(desk: Office, who: Who, consignment_id: str) -> bool:
    """Whether this account has lodged it over this console."""
    lodgement = desk.asker.about(consignment_id) or desk.rows.lodgement_about(consignment_id)
    return lodgement is not None and lodgement.sender == who.actor


def unknown(desk: Office, consignment_id: str) -> Problem:
    """404: no message about it is known."""
    as_of = desk.standing().as_of
    return Problem(404, "unknown_consignment", seen=consignment_id, as_of=as_of.isoformat() if as_of else "—")
