"""Who did what? One page lists requests, readings of masked fields, or parked messages that were replayed or discarded.
The list can be restricted to a person, to goods or a container, and to a day. Another page asks for the number of a
container."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Row

from schemas.codes.iso6346 import is_well_formed
from schemas.envelope import AboutContainer, AboutPartition
from schemas.topics import KINDS
from services.console.access.account_queries import AccountQueries, readings, requests, settled
from services.console.access.accounts import SECOND
from services.console.access.rights import READ_PEOPLE, ROUTES, Who
from services.console.api import paging
from services.console.api.answers import After
from services.console.api.context import context_of, who_of
from services.console.api.documents import API, when
from services.console.api.goods_access import condition
from services.console.api.problems import one_fault
from services.console.pages.board_and_goods import Name
from services.console.pages.formatting import BEIJING
from services.console.pages.rendering import render
from services.console.readmodel.consignment import plain


class ActivityRow(NamedTuple):
    """A line of the page: a request, a reading (`kind` is empty), or a parked message that was replayed or discarded (`done`: a key of
    words.toml that says which). `subject`: the goods or the container; empty for a watch. `address`: the page about the subject or the request;
    empty if the reader may not open it."""

    at: datetime | None
    person: str
    kind: str
    subject: str
    address: str
    done: str = ""


pages = APIRouter(include_in_schema=False)
PAGE = 100
LATEST = 20
"""How many of the reader's latest requests are shown on the page that asks for a container number."""
Number = Annotated[str, Query(max_length=40)]


@pages.get("/activity")
def activity_page(
    request: Request,
    person: Name = "",
    subject: Name = "",
    day: Name = "",
    what: Literal["requests", "readings", "parked"] = "requests",
    after: After = "",
) -> Response:
    """Shows the page with requests, with readings of fields that are masked for others, or with parked messages that
    were replayed or discarded, the latest first. A reader who may not see what other people did gets only the rows
    about what the reader did."""
    who = who_of(request)
    all_seen = who.may(READ_PEOPLE)
    asked_by = person.strip() if all_seen else who.actor
    typed = {"person": person, "subject": subject, "day": day}
    query = {name: value.strip() for name, value in typed.items() if value.strip()}
    if what != "requests":
        query["what"] = what
    list_of, shown = LISTS[what]
    context, about = context_of(request), subject.strip()
    visible = condition(who, complete=context.complete())
    named = context.rows.called(about, visible) if about else ()
    parts = list_of(asked_by, about, *_day(day.strip()), named)
    record: AccountQueries = request.app.state.record
    found = record.page(parts, paging.position_of(after, parts), PAGE + 1)
    following = {**query, "after": paging.token(found[PAGE - 1][0])} if len(found) > PAGE else None
    rows = [shown(who, row) for row in _one_per_watch([row for _, row in found[:PAGE]])]
    return render(
        request,
        "activity.html",
        rows=rows,
        names=context.rows.names([row.subject for row in rows if row.subject], visible),
        all_seen=all_seen,
        person=asked_by,
        subject=about,
        day=day.strip(),
        what=what,
        others={of: f"/activity?{urlencode({**query, 'what': of})}" for of in LISTS if of == what or _has(who, of)},
        start=f"/activity?{urlencode(query)}" if after else None,
        more=f"/activity?{urlencode(following)}" if following else None,
    )


def _has(who: Who, of: str) -> bool:
    """Returns whether the list `of` may have lines for this reader. Only accounts of customs read masked fields, and only operators settle
    parked messages."""
    return (
        of == "requests" or who.may(READ_PEOPLE) or (who.of_customs() if of == "readings" else who.may_open("/parked"))
    )


def _act(who: Who, row: Row[Any]) -> ActivityRow:
    kind, page, name = KINDS.get(row.kind), "consignments", "consignment_id"
    if kind is not None and issubclass(kind, AboutContainer):
        page, name = "containers", "container_no"
    address = f"/{page}/{quote(row.subject)}?asked={quote(row.request_id)}"
    if _of_watch(row):
        return ActivityRow(when(row.asked_us), row.sender, row.kind, "", "/watches" if who.may_open("/watches") else "")
    if not who.may_open(f"/{page}/{{{name}}}"):
        address = ""
    return ActivityRow(when(row.asked_us), row.sender, row.kind, row.subject, address)


def _of_watch(row: Row[Any]) -> bool:
    """Returns whether the row is a request about a watch, which is sent once to each partition."""
    kind = KINDS.get(getattr(row, "kind", ""))
    return kind is not None and issubclass(kind, AboutPartition)


def _one_per_watch(rows: list[Row[Any]]) -> list[Row[Any]]:
    """Returns the rows without repetitions of a request about a watch. The console sends such a request once to each
    partition, but the person has sent one request, so only the first of its rows is returned. If a partition occurs
    again, its row begins another request."""
    kept: list[Row[Any]] = []
    partitions = set[str]()
    for row in rows:
        if not _of_watch(row):
            kept.append(row)
            partitions.clear()
            continue
        same = bool(partitions) and (row.kind, row.sender) == (kept[-1].kind, kept[-1].sender)
        if not same or row.subject in partitions:
            kept.append(row)
            partitions.clear()
        partitions.add(row.subject)
    return kept


def _reading(who: Who, row: Row[Any]) -> ActivityRow:
    """Makes the line of a reading. The subject is goods, a container, or a list, which is recorded under its address."""
    address = _about(who, row.subject)
    if row.subject.startswith("/"):
        address = row.subject.removeprefix(API)
        address = address if ("GET", address) in ROUTES and who.may_open(address) else ""
    return ActivityRow(when(row.at_us), row.reader, "", row.subject, address)


def _settled(who: Who, row: Row[Any]) -> ActivityRow:
    done = "activity.discarded" if row.status == "discarded" else "activity.replayed"
    return ActivityRow(when(row.settled_us), row.actor, "", row.key, _about(who, row.key), done)


def _about(who: Who, key: str) -> str:
    """Returns the address of the page of these goods or this container; empty if `who` may not open it."""
    page, name = ("containers", "container_no") if is_well_formed(key) else ("consignments", "consignment_id")
    return f"/{page}/{quote(key)}" if who.may_open(f"/{page}/{{{name}}}") else ""


LISTS = {"requests": (requests, _act), "readings": (readings, _reading), "parked": (settled, _settled)}
"""Choice of `what` on the page → the function that makes the list, and the function that turns one of its rows into a line."""


def _day(text: str) -> tuple[int | None, int | None]:
    """Returns when a day begins and ends in Beijing, in microseconds since 1970 UTC; (None, None) for an empty text. Raises Problem 422 if the
    text is not a date."""
    if not text:
        return None, None
    try:
        begins = datetime.combine(date.fromisoformat(text), time(), BEIJING)
        ends = begins + timedelta(days=1)
        return int(begins.timestamp()) * SECOND, int(ends.timestamp()) * SECOND
    except (ValueError, OverflowError):
        raise one_fault("/day", "date_parsing", text) from None


@pages.get("/containers")
def containers_page(request: Request, q: Number = "") -> Response:
    """Redirects to the page of the container with this number. Without a number, shows a page that asks for one and lists the reader's latest
    requests."""
    if number := plain(q):
        return RedirectResponse(f"/containers/{quote(number)}", 303)
    record: AccountQueries = request.app.state.record
    who = who_of(request)
    latest = record.page(requests(who.actor, "", None, None), None, LATEST)
    return render(request, "containers.html", rows=[_act(who, row) for _, row in latest])
