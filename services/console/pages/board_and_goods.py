"""How do the pages of the board, lists, goods, containers, alarms and parked messages work? Pages refresh themselves if the browser runs
JavaScript."""

import csv
import io
from collections.abc import Iterable
from typing import Annotated, Any, Literal, cast
from urllib.parse import quote, urlencode

import orjson
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

from schemas.codes.iso6346 import is_valid, is_well_formed
from schemas.gate import RetractContainerFinding
from schemas.quarantine import RecordTreatment
from schemas.spans import Moments, seconds_of
from schemas.vocabulary import Stage
from services.console.access.readings import note_told
from services.console.access.rights import ASKS, READ_MESSAGES, ROUTES, AccessRule, Who
from services.console.api import answers, paging
from services.console.api.answers import After
from services.console.api.context import ConsoleContext, context_of, who_of
from services.console.api.documents import LISTED_STAGES, block, entries, feed_entries, parked, selected, stage_counts
from services.console.api.goods_access import condition, consignment_of, may_read
from services.console.api.goods_access import inside as inside_of
from services.console.api.masking import masked
from services.console.api.problems import Problem
from services.console.api.views import ConsignmentView, RequestView
from services.console.pages.containers_of_goods import own_box
from services.console.pages.decisions import (
    CONTAINER_FINDINGS,
    DECIDING,
    StandingFinding,
    decision_summary,
    standing_findings,
)
from services.console.pages.formatting import Sight
from services.console.pages.rendering import (
    FOLDER,
    HEADERS,
    language_of,
    render,
)
from services.console.readmodel import lists
from services.console.readmodel.consignment import AwaitedCode, Mover, plain
from services.console.readmodel.queries import of_row
from services.console.readmodel.tables import OPEN_STAGES
from services.shell.clock import now

PAGE = 50
CSV_ROWS = 5000
CSV_COLUMNS = ("consignment_id", "declaration_no", "reference", "declarant", "stage", "waiting_for", "owner", "since")
CSV_BYTES = 900_000
"""The most bytes of one file. If the list is longer, the last row of the file has the address of the next file."""
PARKED_ROWS = 100
ALARM_ROWS = 100
TIMELINE = 200
"""How many messages of a timeline one page shows."""
TIMELINE_BYTES = 200_000
DECISION_BYTES = 1_000_000
"""The most bytes of contents that are read for the decisions on one page. Much less is shown."""
DECISIONS = 200
"""The most messages whose kind is in `DECIDING` that are read for the decisions on one page. The latest ones are
read."""
BOXES = 20
"""The most containers of a consignment, and the most consignments of a container, that a page shows with their state."""
LINES = 50
"""The most lines of goods that the page of a consignment shows. The content of the declaration's message has all of them."""
REPORTS = 20
"""The most equipment reports that the page of a container shows. The API has more."""
FLOW = ("lodged", "accepted", "controlled", "treated", "awaiting_arrival", "released", "gated_out")
STOPPED = ("held", "partly_released", "revoked", "left_unreleased", "parked")
ENDED = ("rejected", "refused", "withdrawn")
"""The stages of goods that have not left and on which nobody has to act any more. The board draws the stages in three
groups: `FLOW` in the order of the flow of goods, `STOPPED` with the stages at which goods are stopped, and `ENDED`."""
UNMATCHED_CHOICES = (0, 7, answers.UNMATCHED_DAYS, 90)
"""The choices on the page of goods that nobody has declared: for at least how many days the goods have been known; 0
means all goods."""
BOARD, GOODS = cast(AccessRule, ROUTES["GET", "/board"]), cast(AccessRule, ROUTES["GET", "/consignments"])
BEGINNINGS = ("/consignments", "/containers", "/accounts", "/rights")
"""Possible start pages of accounts that may not see the board. Such an account starts at the first of them that it may open."""
router = APIRouter(include_in_schema=False)


def mount(app: FastAPI) -> None:
    """Adds the pages of this file, and the static files of all pages, to the application."""
    app.include_router(router)
    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")


# the board


def _board(request: Request) -> dict[str, Any]:
    context, who = context_of(request), who_of(request)
    view, visible = answers.board(context, who), condition(who, complete=context.complete())
    latest = list(feed_entries(context.rows, context.rows.latest_releases(8, visible)))
    return {
        "board": view,
        "stage": {one.stage.value: one for one in view.stages},
        "flow": FLOW,
        "stopped": STOPPED,
        "ended": ENDED,
        "in_hand": sum([one.consignments for one in view.stages if one.open and one.stage is not Stage.RELEASED]),
        "total": sum([one.consignments for one in view.stages]),
        "longest": [
            answers.goods_to(who, row)
            for row in context.rows.with_holds(context.rows.longest_waiting(OPEN_STAGES, 8, visible))
        ],
        "latest": latest,
        "names": context.rows.names([one.consignment_id for one in latest if not one.declaration_no]),
    }


def _beginning(who: Who) -> str:
    """Returns the address of the start page of an account that may not see the board. A treatment unit starts with the list of the goods
    that wait for a treatment."""
    if who.may_ask(RecordTreatment):
        return f"/consignments?stage={Stage.UNDER_TREATMENT.plain}"
    return next(address for address in BEGINNINGS if who.may_open(address))


@router.get("/")
def board(request: Request) -> Response:
    """Shows the page with the board. An account that may not see the board is redirected to its start page."""
    who = who_of(request)
    if not who.may(BOARD):
        return RedirectResponse(_beginning(who), 303)
    return render(request, "board.html", **_board(request))


@router.get("/board")
def board_part(request: Request) -> Response:
    return render(request, "_board.html", **_board(request))


# lists


OldCursor = Annotated[int, Query(ge=0)]
Name = Annotated[str, Query(max_length=200)]


def _wanted(
    q: str = "",
    stage: Annotated[answers.StageInQuery | Literal[""], Query()] = "",
    waiting_for: Annotated[AwaitedCode | Literal[""], Query()] = "",
    owner: Annotated[Mover | Literal[""], Query()] = "",
) -> answers.Wanted:
    """Returns which goods the query in the address of a page names. A form sends an empty text for a choice that was not made."""
    return answers.Wanted(q.strip()[:100], stage.stage if stage else None, waiting_for or None, owner or None)


WantedOfForm = Annotated[answers.Wanted, Depends(_wanted)]


@router.get("/consignments")
def consignments(request: Request, wanted: WantedOfForm, after: After = "", cursor: OldCursor = 0) -> Response:
    """Shows the page with all consignments, or with those that match a search text, a stage, what they wait for, or who has to act. If a
    search text has a single match, redirects to the page of that consignment or container."""
    context, who, search, query = context_of(request), who_of(request), wanted.name, wanted.query()
    first_page = f"/consignments?{urlencode(query)}"
    # An older software version made links with a cursor. Such a cursor has no meaning any more, so the list begins again.
    if cursor:
        return RedirectResponse(first_page, 303)
    parts = answers.found(context, wanted, who)
    position = paging.position_of(after, parts)
    found = [(at, of_row(row)) for at, row in context.rows.page(parts, position, PAGE + 1)]
    by_name = bool(search) and wanted == answers.Wanted(search)
    if by_name and len(found) == 1 and not position:
        return RedirectResponse(f"/consignments/{quote(found[0][1].consignment_id)}", 303)
    if by_name and not found and _is_box(context, who, plain(search)):
        return RedirectResponse(f"/containers/{quote(plain(search))}", 303)
    more = {**query, "after": paging.token(found[PAGE - 1][0])} if len(found) > PAGE else None
    if search:
        note_told(request, *[row.consignment_id for _, row in found[:PAGE]])
    return render(
        request,
        "list.html",
        rows=[answers.goods_to(who, row) for row in context.rows.with_holds([row for _, row in found[:PAGE]])],
        asked=search,
        wanted=wanted,
        first=(position.passed if position else 0) + 1,
        start=first_page if position else None,
        more=f"/consignments?{urlencode(more)}" if more else None,
        as_csv=f"/consignments.csv?{urlencode(query)}",
        counts=stage_counts(context.rows.counts(), {}, {}, now()) if who.may(BOARD) else [],
        stages=[] if who.may(BOARD) else list(LISTED_STAGES),
        awaited=list(AwaitedCode),
        movers=list(Mover),
    )


def _is_box(context: ConsoleContext, who: Who, number: str) -> bool:
    """Returns whether this search text is the number of a container that the gate knows. While the rows are stale,
    every well-formed number counts as one."""
    reason = answers.gate_view(context, who, number).reason
    return is_well_formed(number) if reason == "stale" else reason != "unknown"


@router.get("/unmatched")
def unmatched(request: Request, days: Annotated[int, Query(ge=0, le=3650)] = 0, after: After = "") -> Response:
    """Shows the page with the goods that nobody has declared, although there has been a hold on them or a report of
    their arrival for at least `days` days (0: all such goods)."""
    context = context_of(request)
    rows, following = answers.unmatched_page(context, who_of(request), days, after, PAGE)
    return render(
        request,
        "unmatched.html",
        rows=rows,
        holds=context.rows.officers_holds([goods.consignment_id for goods in rows]),
        days=days,
        choices=sorted({*UNMATCHED_CHOICES, days}),
        start=f"/unmatched?days={days}" if after else None,
        more=f"/unmatched?{urlencode({'days': days, 'after': following})}" if following else None,
    )


@router.get("/consignments.csv")
def consignments_csv(request: Request, wanted: WantedOfForm, after: str = "") -> Response:
    """Returns the list as CSV, from the position `after` on. If it does not fit into one file, the last row has the address of the next
    file."""
    context, sight, who = context_of(request), Sight(language_of(request), now()), who_of(request)
    parts = answers.found(context, wanted, who)
    found = context.rows.page(parts, paging.position_of(after, parts), CSV_ROWS + 1)
    lines = [_line(CSV_COLUMNS)]
    headers, size, before = dict(HEADERS), 0, None
    for number, (position, listed) in enumerate(found):
        line = _line([_plain_cell(cell) for cell in _cells(answers.goods_to(who, of_row(listed)), sight)])
        size += len(line.encode())
        if before and (number == CSV_ROWS or size > CSV_BYTES):
            query = {**wanted.query(), "after": paging.token(before)}
            following = f"{request.base_url}consignments.csv?{urlencode(query)}"
            lines.append(_line([sight.t("list.csv_next", address=following)]))
            headers["Link"] = f'<{following}>; rel="next"'
            break
        lines.append(line)
        before = position
    if wanted.name:
        note_told(request, *[listed.consignment_id for _, listed in found[: len(lines) - 1]])
    headers["Content-Disposition"] = 'attachment; filename="consignments.csv"'
    return Response("\ufeff" + "".join(lines), media_type="text/csv; charset=utf-8", headers=headers)


def _line(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


def _cells(goods: ConsignmentView, sight: Sight) -> tuple[str, ...]:
    names = (goods.consignment_id, goods.declaration_no, goods.reference, goods.declarant)
    awaited = goods.waiting
    since = awaited.since.isoformat() if awaited and awaited.since else ""
    waits = (awaited.waiting_for, awaited.owner) if awaited else ("", "")
    return (*names, sight.of(goods.stage_text), *waits, since)


def _plain_cell(cell: str) -> str:
    """Returns the cell with a quote before it if its first character would make a spreadsheet take it for a formula, else unchanged."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


# one consignment

Since = Annotated[int, Query(ge=0, le=2**63 - 1)]
"""The place (column `place`) of the first message of a timeline that the page shows."""
RequestId = Annotated[str, Query(alias="asked")]
"""The id of the request whose outcome the page shows; the parameter is called `asked` in the address."""


@router.get("/consignments/{consignment_id}")
def one(
    request: Request, consignment_id: str, request_id: RequestId = "", only: str = "all", since: Since = 0
) -> Response:
    return consignment_page(request, consignment_id, request_id=request_id, only=only, since=since)


@router.get("/consignments/{consignment_id}/live")
def one_part(request: Request, consignment_id: str, only: str = "all", since: Since = 0) -> Response:
    return consignment_page(request, consignment_id, only=only, since=since, template="_consignment.html")


def consignment_page(
    request: Request,
    consignment_id: str,
    *,
    request_id: str = "",
    only: str = "all",
    since: int = 0,
    template: str = "consignment.html",
    problem: Problem | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    """Returns the page of a consignment. `problem`: what was wrong with a form that was sent from the page; `typed`: the fields of that
    form; `request_id`: the request whose outcome is shown; `only`: as in `documents.selected`; `since`: the place of the first message
    of the timeline that is shown."""
    context, who = context_of(request), who_of(request)
    row = consignment_of(context, who, consignment_id)
    pending = row is None
    if row is None:
        row = answers.lodged_only(context, who, consignment_id)
    wanted = only if only in ("all", "milestones", "problems") else "all"
    goods, page = answers.goods_to(who, row), f"/consignments/{quote(consignment_id)}"
    facts, _ = answers.timeline_rows(context, consignment_id) if may_read(context, who, consignment_id) else ([], 0)
    # There may be messages although there is no row, for example about a container whose number is in the address.
    if facts or not pending:
        note_told(request, consignment_id)
    deciding = [fact for fact in facts if fact.kind in DECIDING]
    timeline = _timeline(context, who, consignment_id, page, facts, wanted, since)
    aside = [parked(each) for each in context.rows.parked(20, key=consignment_id)] if goods.parked_messages else []
    read = entries(context.rows, deciding[-DECISIONS:], consignment_id, who.audience(), DECISION_BYTES, DECISION_BYTES)
    return render(
        request,
        template,
        problem.status if problem else 202 if pending else 200,
        here=page if problem else "",
        page=page,
        goods=goods,
        customs_raw=seconds_of("customs_raw", Moments(accepted=goods.accepted_at, released=goods.released_at)),
        pending=pending,
        file=decision_summary(read, who.audience()),
        **timeline,
        only=wanted,
        since=since,
        set_aside={(one.topic, one.partition, one.offset) for one in aside},
        boxes=[own_box(goods, answers.gate_view(context, who, number)) for number in goods.containers[:BOXES]],
        LINES=LINES,
        BOXES=BOXES,
        plain=plain,
        parked=[masked(each, who.audience()) for each in aside],
        asked=_outcome(request, request_id),
        forms=who.forms("consignments"),
        problem=problem.details() if problem else None,
        typed=typed or {},
    )


def _timeline(
    context: ConsoleContext, who: Who, key: str, page: str, facts: list[Any], only: str, since: int
) -> dict[str, Any]:
    """Returns the variables for the template of a timeline: one page of entries, and all facts by id, so that the template can name the
    cause of an entry."""
    wanted = selected(facts, only)
    start = next((number for number, fact in enumerate(wanted) if fact.place == since), 0)
    shown = entries(context.rows, wanted[start : start + TIMELINE], key, who.audience(), room=TIMELINE_BYTES)
    more = wanted[start + TIMELINE].place if len(wanted) > start + TIMELINE else None
    return {
        "entries": shown,
        "kinds": {fact.id: fact for fact in facts},
        "shown": {one.id for one in shown},
        "first_entry": start + 1,
        "timeline_more": f"{page}?only={only}&since={more}#timeline" if more else None,
    }


def _outcome(request: Request, request_id: str) -> RequestView | None:
    """Returns what became of the request that the address of the page names; None if no console of this installation knows the
    request."""
    context = context_of(request)
    known = request_id and (
        context.asker.request(request_id) is not None or context.rows.lodgement(request_id) is not None
    )
    return _view_of_request(request, request_id) if known else None


def _view_of_request(request: Request, request_id: str) -> RequestView:
    """Returns what became of this request. The request may be about other goods than the page, so the reading is also recorded for the
    goods of the request."""
    outcome = answers.outcome(context_of(request), who_of(request), request_id)
    note_told(request, outcome.subject)
    return outcome


@router.get("/consignments/{key}/messages/{message_id}")
@router.get("/containers/{key}/messages/{message_id}")
def message(request: Request, key: str, message_id: str) -> Response:
    """Shows one message of a timeline with its content, as a part of the page or as a page of its own."""
    context, who = context_of(request), who_of(request)
    fact = context.rows.fact(key, message_id) if may_read(context, who, key) else None
    if fact is None:
        raise Problem(404, "no_such_path", seen=request.url.path)
    page = request.url.path.rpartition("/messages/")[0]
    template = "_content.html" if "hx-request" in request.headers else "message.html"
    (one,) = entries(context.rows, [fact], key, who.audience())
    content = "" if one.body is None else orjson.dumps(one.body, option=orjson.OPT_INDENT_2).decode()
    if one.body_link:
        content = answers.piece(context, who, key, message_id, 0).text
    caused_here = bool(one.cause) and context.rows.fact(key, one.cause) is not None
    return render(request, template, one=one, page=page, content=content, caused_here=caused_here)


@router.get("/requests/{request_id}")
def asked_part(request: Request, request_id: str) -> Response:
    """Returns the part at the top of a page that shows what became of a request, and refreshes itself."""
    return render(request, "_asked.html", asked=_view_of_request(request, request_id))


# containers and parked messages


@router.get("/containers/{container_no}")
def container(request: Request, container_no: str, request_id: RequestId = "", since: Since = 0) -> Response:
    return container_page(request, container_no, request_id=request_id, since=since)


@router.get("/containers/{container_no}/live")
def container_part(request: Request, container_no: str, since: Since = 0) -> Response:
    return container_page(request, container_no, since=since, template="_container.html")


def container_page(
    request: Request,
    container_no: str,
    *,
    request_id: str = "",
    since: int = 0,
    template: str = "container.html",
    problem: Problem | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    """Returns the page of a container: whether it may leave, what is in it, and its messages. The parameters after
    `container_no` mean the same as in `consignment_page`."""
    context, who, number = context_of(request), who_of(request), plain(container_no)
    box = answers.gate_view(context, who, number)
    note_told(request, number)
    may = who.may(READ_MESSAGES) and may_read(context, who, number)
    facts, _ = answers.timeline_rows(context, number) if may else ([], 0)
    inside = [consignment_of(context, who, each) for each in box.consignments[:BOXES]] if who.may(GOODS) else []
    left = [each for each in box.waiting_for if each not in box.consignments] if who.may(GOODS) else []
    forms = who.forms("containers")
    parts = context.rows.container(number).parts if {"permit", "retract-strike"} & set(forms) else []
    findings = _standing_findings(context, who, number, whole=may) if "retract-finding" in forms else []
    struck = [part.consignment_id for part in parts if part.struck]
    visible = inside_of(context.rows, who, number, complete=context.complete(), ever=True) if struck else None
    reports, more_reports = answers.reports_of(context, who, number, REPORTS)
    page = f"/containers/{quote(number)}"
    return render(
        request,
        template,
        problem.status if problem else 200,
        here=page if problem else "",
        page=page,
        since=since,
        box=box,
        is_valid=is_valid,
        is_well_formed=is_well_formed,
        reports=reports,
        more_reports=more_reports,
        inside=[answers.goods_to(who, row) for row in inside if row is not None],
        left=[
            answers.goods_to(who, row)
            for row in [consignment_of(context, who, each) for each in left[:BOXES]]
            if row is not None
        ],
        stated={part.consignment_id: part.version for part in parts if part.version},
        findings=findings,
        struck=[one for one in struck if visible is None or one in visible.consignments][:BOXES],
        **_timeline(context, who, number, page, facts, "all", since),
        set_aside=frozenset(),
        asked=_outcome(request, request_id),
        forms=forms,
        problem=problem.details() if problem else None,
        typed=typed or {},
    )


def _standing_findings(context: ConsoleContext, who: Who, number: str, whole: bool) -> list[StandingFinding]:
    """Returns the findings on a container that `who` may take back; none if all goods in it are hidden from `who` (see
    `may_act`). `whole`: whether `who` may read all messages about the container. If not, the names of other officers
    are left out, because goods of other offices are in it, too."""
    findings = standing_findings(context.rows.newest(number, CONTAINER_FINDINGS, REPORTS))
    if whole or not findings:
        return findings
    roles = ASKS[RetractContainerFinding].roles
    visible = inside_of(context.rows, who, number, roles, complete=context.complete(), ever=True)
    if visible is not None and visible.hidden:
        return []
    return [each if each.found_by == who.actor else each._replace(found_by="") for each in findings]


@router.get("/parked")
def parked_page(request: Request, after: After = "") -> Response:
    """Shows the page with the messages that are parked, the newest first."""
    context = context_of(request)
    rows, following = answers.page(context, lists.parked(), after, PARKED_ROWS, parked)
    more = f"/parked?after={following}" if following else None
    return render(
        request,
        "parked.html",
        rows=rows,
        total=context.rows.parked_count(),
        start="/parked" if after else None,
        more=more,
    )


@router.get("/alarms")
def alarms_page(request: Request, kind: Name = "", subject: Name = "", after: After = "") -> Response:
    """Shows the page with all alarms, or those of one kind or subject, the newest first."""
    context = context_of(request)
    who = who_of(request)
    visible = condition(who, complete=context.complete())
    rows, following = answers.alarm_page(context, who, kind, subject.strip(), after, ALARM_ROWS)
    query = {name: value for name, value in (("kind", kind), ("subject", subject)) if value}
    return render(
        request,
        "alarms.html",
        rows=rows,
        # the counts are of all goods, so they are only for who sees all goods; see `answers.board`
        kinds=context.rows.alarm_kinds(0) if visible is None else [],
        blocked=[]
        if after or subject
        else [each for each in map(block, context.rows.blocked(ALARM_ROWS, visible)) if each],
        kind=kind,
        subject=subject,
        start=f"/alarms?{urlencode(query)}" if after else None,
        more=f"/alarms?{urlencode({**query, 'after': following})}" if following else None,
    )
