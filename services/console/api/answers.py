"""What does the API answer about goods, containers and requests? Answers are made from the rows of the read model, and
say how fresh these rows are."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, NamedTuple, TypeVar
from urllib.parse import quote, urlencode

import orjson
from anyio import to_thread
from fastapi import APIRouter, Query, Request
from fastapi import Path as PathParameter
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, WithJsonSchema
from sqlalchemy import and_

from schemas.declaration import MOST_OF_A_REFERENCE
from schemas.envelope import RequestRefused
from schemas.marks import Audience
from schemas.outside import mark_of
from schemas.vocabulary import Stage, StageName, is_consignment_id, plain_word
from services.console.access.readings import note_told
from services.console.access.rights import EVERY_COMPANY, READ_MESSAGES, Reach, Who
from services.console.api import paging
from services.console.api.clearance_times import clearance_of
from services.console.api.context import ConsoleContext, context_of, who_of
from services.console.api.documents import (
    API,
    alarm,
    block,
    box_hold,
    called,
    consignment,
    content,
    entries,
    gate_text,
    in_order,
    parked,
    projection,
    report,
    selected,
    stage_counts,
    stay,
    text,
    visit,
    when,
)
from services.console.api.goods_access import VisibleGoods, condition, consignment_of, cut, inside, may_read, unknown
from services.console.api.masking import body_for, masked
from services.console.api.paging import fit
from services.console.api.problems import MEDIA_TYPE, REFERENCE, Problem, documented
from services.console.api.request_producer import RequestRow
from services.console.api.requests import OfConsignment, OfContainer, Responses
from services.console.api.views import (
    AlarmKindView,
    AlarmLine,
    Alarms,
    AlarmView,
    Board,
    Clearance,
    ConsignmentView,
    Content,
    Entry,
    Found,
    GateView,
    LaterWord,
    ParkedList,
    Reports,
    ReportView,
    RequestView,
    Status,
    Timeline,
)
from services.console.language.desk_sentences import english, in_words, wrote
from services.console.language.words import both, refusal
from services.console.readmodel import lists
from services.console.readmodel.consignment import AwaitedCode, Consignment, Mover, plain
from services.console.readmodel.container import ReportRow
from services.console.readmodel.gate_answer import SENDING_SECONDS, SHOWN, UnansweredRequest, gate_answer, is_inside
from services.console.readmodel.messages import moment
from services.console.readmodel.queries import LONGEST_TIMELINE, ReadModelQueries, of_row, of_subject
from services.console.readmodel.tables import ALARMS, CONSIGNMENTS, OPEN_STAGES
from services.shell.clock import CLOCK, now

router = APIRouter(prefix=API)
PIECE_CHARACTERS = 100_000
"""The most characters of a message's content in one answer. In JSON a character takes up to six bytes."""
MOST_ANSWERS = 300
"""The most facts that the outcome of a request lists; the timeline has all of them."""
UNMATCHED_DAYS = 30
"""How many days after the first message about goods an officer should look into goods that nobody has declared. Before
that, it is normal that the declaration has not come yet."""
ALARM_SUBJECTS = 4
"""The most subjects of one kind of alarm that the board shows."""
BLOCKED = 8
"""The most containers that the board shows because their alarm waits for an officer's finding."""
REPORTS = 100
"""The most equipment reports of a container in one answer."""
C = CONSIGNMENTS.c
M = TypeVar("M", bound=BaseModel)
StageInQuery = Annotated[
    StageName, WithJsonSchema({"type": "string", "enum": list(dict.fromkeys([*map(str, StageName), *map(str, Stage)]))})
]
"""A stage by its plain name or by its value in `Stage`, which older clients and links have. The OpenAPI document lists
the names and the values."""
WaitingFor = Annotated[
    AwaitedCode | None,
    Query(
        description="all consignments that wait for this, even if they wait for something else too: a value of `waiting_for` of the"
        " answer, or `officer` for any hold of an officer"
    ),
]
WhoseMove = Annotated[
    Mover | None,
    Query(
        description="all consignments for which this one has to act, even if others have to act too: a value of `owner` of the answer"
    ),
]
After = Annotated[
    str,
    Query(
        max_length=paging.LONGEST_TOKEN, description="where this page begins; it comes from the link of the page before"
    ),
]
READ: Responses = documented(
    (422, "A parameter does not have the required shape"), (503, "The read model does not answer")
)
GATE: Responses = {
    **READ,
    503: {
        "model": GateView,
        "description": "The read model does not answer: the container must stay, with `reason` `away`; or a problem, by its media type",
        "content": {MEDIA_TYPE: REFERENCE},
    },
}
NOT_THERE: Responses = {**READ, **documented((404, "There is no message about it"))}


# consignments


@router.get(
    "/consignments/{consignment_id}",
    response_model=Status,
    responses={**NOT_THERE, 202: {"model": Status, "description": "It is lodged, and no desk has answered yet"}},
    tags=["declarants"],
    summary="Where do the goods stand?",
)
def status(request: Request, consignment_id: OfConsignment) -> Response:
    """Answers what the goods wait for, since when, and who has to act."""
    context, who = context_of(request), who_of(request)
    row = consignment_of(context, who, consignment_id)
    code = 200
    if row is None:
        row, code = lodged_only(context, who, consignment_id), 202
    link = f"{API}/consignments/{consignment_id}"
    answer = Status(
        consignment=goods_to(who, row),
        projection=projection(context.standing()),
        status=link,
        timeline=f"{link}/timeline",
    )
    return JSONResponse(answer.model_dump(mode="json"), code, headers={"Location": link} if code == 202 else None)


def goods_to(who: Who, row: Consignment) -> ConsignmentView:
    """Returns the consignment's row as a document of the API, masked for `who`."""
    return masked(consignment(row), who.audience())


def lodged_only(context: ConsoleContext, who: Who, consignment_id: str) -> Consignment:
    """Returns a row with the stage lodged, to show for a consignment of which the read model has no row that `who` may
    see. Raises Problem 404 if the consignment was not lodged through a console. While the rows are behind, raises no
    Problem, because the consignment may be missing only for this reason. For an account that does not see all goods, a
    consignment counts as lodged only if the account lodged it itself. Raises Problem 404 also if `consignment_id` cannot
    be the id of a consignment, because requests about a container are found under the number of the container."""
    if not is_consignment_id(consignment_id):
        raise unknown(context, consignment_id)
    lodgement = context.asker.about(consignment_id) or context.rows.lodgement_about(consignment_id)
    if lodgement is not None and not who.sees_everything() and lodgement.sender != who.actor:
        lodgement = None
    if lodgement is None and not context.behind():
        raise unknown(context, consignment_id)
    lodged_us = lodgement.asked_us if lodgement is not None else None
    return Consignment(
        consignment_id,
        stage=Stage.LODGED,
        lodged_us=lodged_us,
        waiting_for="acceptance",
        waiting_owner="declaration",
        waiting_since_us=lodged_us,
    )


@router.get(
    "/consignments/{consignment_id}/timeline",
    response_model=Timeline,
    responses=NOT_THERE,
    tags=["declarants"],
    summary="What happened to the goods?",
)
def timeline(
    request: Request,
    consignment_id: OfConsignment,
    only: Annotated[
        str, Query(description="all, milestones or problems", pattern="^(all|milestones|problems)$")
    ] = "all",
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
    after: Annotated[
        int, Query(ge=0, le=2**63 - 1, description="where this page begins; it comes from the link of the page before")
    ] = 0,
) -> Timeline:
    """Lists the facts and requests about the goods, each answer after the message that it answers. Long contents are
    replaced by links."""
    context, who = context_of(request), who_of(request)
    facts, whole = timeline_rows(context, consignment_id, only) if may_read(context, who, consignment_id) else ([], 0)
    if not whole:
        lodged_only(context, who, consignment_id)
    start = next((number for number, fact in enumerate(facts, 1) if fact.place == after), 0)
    shown, more = fit(entries(context.rows, facts[start : start + limit + 1], consignment_id, who.audience()), limit)
    query = urlencode({"only": only, "limit": limit, "after": facts[start + len(shown) - 1].place if shown else 0})
    return Timeline(
        consignment_id=consignment_id,
        entries=shown,
        next=f"{API}/consignments/{quote(consignment_id)}/timeline?{query}" if more else None,
        complete=whole < LONGEST_TIMELINE,
        projection=projection(context.standing()),
    )


def timeline_rows(context: ConsoleContext, key: str, only: str = "all") -> tuple[list[Any], int]:
    """Returns the messages under this key that a timeline shows, in order and without contents; and how many messages
    were read for it, of which there are at most LONGEST_TIMELINE. `only`: as in `selected`."""
    facts = in_order(context.rows.timeline(key))
    return selected(facts, only), len(facts)


@router.get(
    "/messages/{key}/{message_id}",
    response_model=Content,
    responses=NOT_THERE,
    tags=["declarants"],
    summary="The content of one message",
)
def message_content(
    request: Request,
    key: Annotated[str, PathParameter(max_length=200, description="a consignment id or a container number")],
    message_id: Annotated[str, PathParameter(max_length=200)],
    offset: Annotated[
        int, Query(ge=0, le=2**31, description="where this piece begins; it comes from the link of the piece before")
    ] = 0,
) -> Content:
    """Answers the content of one message as text, in pieces. It is for long contents, which a timeline leaves out."""
    context, who = context_of(request), who_of(request)
    if not may_read(context, who, key):
        raise Problem(404, "no_such_path", seen=f"{key} {message_id}"[:200])
    return piece(context, who, key, message_id, offset)


def piece(context: ConsoleContext, who: Who, key: str, message_id: str, offset: int) -> Content:
    """Returns the piece of the message's content that begins at character `offset`, masked for `who`. Raises Problem 404 if there is no such
    message."""
    fact = context.rows.fact(key, message_id)
    if fact is None:
        raise Problem(404, "no_such_path", seen=f"{key} {message_id}"[:200])
    whole = context.rows.bodies([fact.place])[fact.place]
    if audience := who.audience():
        whole = orjson.dumps(body_for(audience, fact.kind, content(whole))).decode()
    end = offset + PIECE_CHARACTERS
    link = f"{API}/messages/{quote(key, safe='')}/{quote(message_id, safe='')}?offset={end}"
    return Content(
        id=message_id, characters=len(whole), text=whole[offset:end], next=link if end < len(whole) else None
    )


@router.get(
    "/consignments",
    response_model=Found,
    responses={**READ, **documented((410, "`cursor` is a parameter of an older version"))},
    tags=["declarants"],
    summary="Find consignments",
)
def search(
    request: Request,
    q: Annotated[
        str,
        Query(
            description="a declaration number, container number, consignment id, USCC, reference or bill number",
            max_length=100,
        ),
    ] = "",
    stage: Annotated[
        StageInQuery | None,
        Query(
            description="all consignments at this stage; those that have waited longest come first. A value of `stage_name` of the answer;"
            " those of `stage` are accepted too"
        ),
    ] = None,
    waiting_for: WaitingFor = None,
    owner: WhoseMove = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: After = "",
    cursor: Annotated[int, Query(ge=0, deprecated=True, description="a parameter of older versions; use `after`")] = 0,
) -> Found:
    """Lists all consignments, the latest lodged first; or those that match all given conditions: a name of the goods, a stage, what they wait
    for, and who has to act."""
    if cursor:
        raise Problem(410, "old_page", seen=cursor)
    context = context_of(request)
    who = who_of(request)
    wanted = Wanted(q, stage.stage if stage else None, waiting_for, owner)
    parts = found(context, wanted, who)
    shown, following = page(context, parts, after, limit, lambda row: goods_to(who, of_row(row)))
    if q.strip():
        note_told(request, *[goods.consignment_id for goods in shown])
    query = {**wanted.query(), "limit": limit, "after": following}
    return Found(consignments=shown, next=link("/consignments", query), projection=projection(context.standing()))


@router.get(
    "/unmatched",
    response_model=Found,
    responses=READ,
    tags=["officers"],
    summary="What was told of goods that nobody lodged",
)
def unmatched(
    request: Request,
    days: Annotated[
        int, Query(ge=0, le=3650, description="only goods that have been known for so many days or longer; 0: all")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: After = "",
) -> Found:
    """Lists consignments that have holds or arrivals but were never declared, the newest first. Such a hold takes
    effect when the goods are declared. The board does not count these goods."""
    context = context_of(request)
    shown, following = unmatched_page(context, who_of(request), days, after, limit)
    query = {"days": days, "limit": limit, "after": following}
    return Found(consignments=shown, next=link("/unmatched", query), projection=projection(context.standing()))


def unmatched_page(
    context: ConsoleContext, who: Who, days: int, after: str, limit: int
) -> tuple[list[ConsignmentView], str | None]:
    """Returns a page of goods that nobody has declared although they have been known for at least `days` days, and the token of the next page
    (None at the end). The page has only goods that `who` may see."""
    since = int((now() - timedelta(days=days)).timestamp() * 1_000_000)
    parts = cut(lists.unmatched(since), who, complete=context.complete())
    return page(context, parts, after, limit, lambda row: goods_to(who, of_row(row)))


class Wanted(NamedTuple):
    """The conditions for the consignments of a list. A consignment must match every field that is given."""

    name: str = ""
    stage: Stage | None = None
    waiting_for: AwaitedCode | None = None
    owner: Mover | None = None

    def query(self) -> dict[str, str]:
        """Returns the given fields as the query of an address."""
        stage = self.stage and self.stage.plain
        given = {"q": self.name.strip(), "stage": stage, "waiting_for": self.waiting_for, "owner": self.owner}
        return {name: str(value) for name, value in given.items() if value}


def found(context: ConsoleContext, wanted: Wanted, who: Who) -> list[lists.ListPart]:
    """Returns the list of the wanted consignments that `who` may see."""
    complete, name = context.complete(), wanted.name.strip()
    awaits = bool(wanted.waiting_for or wanted.owner)
    conditions = [] if wanted.stage is None else [C.stage == wanted.stage]
    if name:
        parts = lists.named(name)
        conditions += [lists.waits(wanted.waiting_for, wanted.owner)] * awaits
    elif awaits:
        parts = lists.awaiting(wanted.waiting_for, wanted.owner)
    elif wanted.stage is not None:
        return cut(lists.at_stage(wanted.stage), who, complete=complete)
    elif who.sees_everything() or Reach.OFFICE in who.reaches():
        parts = lists.everything()
    else:
        return lists.declared_by(sorted(who.companies()))
    narrowed = [part._replace(wanted=tuple([and_(one, *conditions) for one in part.wanted])) for part in parts]
    return cut(narrowed, who, complete=complete)


# requests


@router.get(
    "/requests/{request_id}",
    response_model=RequestView,
    responses=NOT_THERE,
    tags=["declarants", "officers", "ports"],
    summary="What became of a request?",
)
def request_outcome(request: Request, request_id: OfConsignment) -> RequestView:
    """Answers what became of a request: it waits, was answered by facts, was refused for a reason, or is parked."""
    view = outcome(context_of(request), who_of(request), request_id)
    note_told(request, view.subject)
    return view


def outcome(context: ConsoleContext, who: Who, request_id: str) -> RequestView:
    """Returns what became of a request. Raises Problem 404 if no console took it in, or if it is neither `who`'s own nor about goods that `who`
    may see."""
    request: Any = context.asker.request(request_id) or context.rows.lodgement(request_id)
    own = request is not None and request.sender == who.actor
    if request is None or not (own or (who.may(READ_MESSAGES) and may_read(context, who, request.subject))):
        raise Problem(404, "unknown_request", seen=request_id)
    facts = in_order(context.rows.timeline(request.subject))
    answers, refused, later = _answers(context, who, request, request_id, facts)
    # a refusal with `key_reused` is about another message, which was sent with the same id
    sent_back = next((row for row in refused if row.code != "key_reused"), None)
    projected = any(fact.id == request_id for fact in facts)
    named = "refused" if sent_back else "answered" if answers else _unanswered(context, request, projected)
    return RequestView(
        request_id=request_id,
        kind=request.kind,
        subject=request.subject,
        asked_at=moment(request.asked_us),
        outcome=named,
        outcome_text=text(both(f"requests.{named}")),
        refusal_code=sent_back.code if sent_back else None,
        refusal=text(refusal(sent_back.code)) if sent_back else None,
        reason=english(sent_back.reason) if sent_back and (own or _may_read_reason(who)) else None,
        reason_text=text(in_words(sent_back.reason)) if sent_back and (own or _may_read_reason(who)) else None,
        answers=[answer for answer in answers if answer.kind != "RequestRefused"],
        overtaken_by=None
        if later is None
        else LaterWord(
            id=later.id, kind=later.kind, text=called("kinds", later.kind), recorded_at=moment(later.recorded_us)
        ),
        projection=projection(context.standing()),
    )


def _may_read_reason(who: Who) -> bool:
    """Returns whether `who` may read the reason of a refusal of somebody else's request. The reason may quote the request."""
    audience = who.audience()
    return audience is None or audience in mark_of(RequestRefused, "reason").audiences


def _answers(
    context: ConsoleContext, who: Who, request: Any, request_id: str, facts: list[Any]
) -> tuple[list[Entry], list[Any], Any | None]:
    """Returns the facts that answer the request, its refusals, and the message that has overtaken the answer (None if there is none). A
    declaration that was lodged after a withdrawal is answered under the id of the next consignment, which `DeclarationPassedOn` names. If `who`
    did not send the request, the answers end before the first consignment that `who` may not read."""
    key, causes = request.subject, {request_id}
    answers, refused, later = list[Entry](), list[Any](), None
    for _ in range(MOST_OF_A_REFERENCE):
        naming = [fact for fact in facts if fact.kind in _NAMING]
        bodies = context.rows.bodies([fact.place for fact in naming]) if naming else {}
        mine = {
            position: body for position, text in bodies.items() if (body := _body(text)).get("request_id") == request_id
        }
        chosen = [fact for fact in facts if fact.cause in causes or fact.place in mine]
        whole = may_read(context, who, key)
        audience = who.audience()
        if audience is Audience.DECLARANT and not whole and Reach.CONTAINERS in who.reaches():
            audience = Audience.PORT  # as a carrier or terminal it has reported something of goods of others
        answers += entries(context.rows, chosen[:MOST_ANSWERS], key, audience)
        refused += [row for row in context.rows.refusals(key) if row.request_id == request_id]
        later = _overtaken_by(context, request_id, facts, chosen, whole=whole)
        passed = next((fact for fact in naming if fact.kind == "DeclarationPassedOn" and fact.place in mine), None)
        if passed is None:
            break
        key = str(mine[passed.place].get("later", ""))
        if request.sender != who.actor and not may_read(context, who, key):
            break
        facts = in_order(context.rows.timeline(key))
        # `DeclarationPassedOn` leads to a `DeclarationLodgedAgain` with the same cause, so the latter is found by the cause
        causes = {f.id for f in facts if f.kind == "DeclarationLodgedAgain" and f.cause == passed.cause}
    return answers[:MOST_ANSWERS], refused, later


MATTERS: tuple[frozenset[str], ...] = (
    frozenset({"DeclarationAccepted", "DeclarationRejected", "DeclarationWithdrawn"}),
    frozenset(
        {
            *("ReleaseGranted", "ReleaseRevoked", "ReleaseRefused", "RefusalRevoked", "ConsignmentHeld"),
            "DeclarationWithdrawn",
        }
    ),
    frozenset({"ContainerMayLeave", "ContainerMustStay", "ContainerGatedOut"}),
)
"""Groups of kinds of facts. Of the facts of one group about the same goods or container, only the latest is in force."""
TAKES_BACK: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("FindingsRetracted", "TreatmentRetracted", "TreatmentDecisionRetracted", "LiftRetracted"),
            *("ArrivalRetracted", "ContainerFindingRetracted"),
        ),
        "wrong",
    ),
    "EquipmentEventRetracted": "report_id",
    "EquipmentEventRecorded": "replaces",
    "ContainerHoldLifted": "hold_id",
}
"""Kind of a fact that retracts or replaces the answer to a request → the field in which the fact names that request."""
CONTRADICTS: Mapping[str, tuple[str, str]] = {
    "StrikeRetracted": ("LotStruck", "consignment_id"),
    "LotStruck": ("StrikeRetracted", "consignment_id"),
}
"""Kind of a fact that retracts an earlier fact, but does not name the request that the earlier fact answers → the kind
of the earlier fact, and the field that has the same value in both facts."""


def _overtaken_by(
    context: ConsoleContext, request_id: str, facts: Sequence[Any], chosen: Sequence[Any], *, whole: bool
) -> Any | None:
    """Returns the latest fact that retracts, replaces or contradicts an answer in `chosen`; None if all these answers
    are in force. `chosen`: the facts of `facts` that answer the request; `facts` must be in order. `whole`: the reader
    may read all messages about the goods. If not, facts of `MATTERS` do not count, and only facts of `TAKES_BACK` and
    `CONTRADICTS` count, because these are about the request itself."""
    if not chosen:
        return None
    mine = {fact.place for fact in chosen}
    last = max([number for number, fact in enumerate(facts) if fact.place in mine])
    since = [fact for fact in facts[last + 1 :] if fact.place not in mine]
    about = [matter for matter in MATTERS if any(fact.kind in matter for fact in chosen)] if whole else []
    kinds = {fact.kind for fact in chosen}
    naming = [fact for fact in since if fact.kind in TAKES_BACK or CONTRADICTS.get(fact.kind, ("",))[0] in kinds]
    answered = [fact for fact in chosen if naming and fact.kind in CONTRADICTS]
    bodies = context.rows.bodies([fact.place for fact in (*naming, *answered)]) if naming else {}
    contents = {fact.place: _body(bodies.get(fact.place, "")) for fact in (*naming, *answered)}
    about_same = {(fact.kind, contents[fact.place].get(CONTRADICTS[fact.kind][1])) for fact in answered}
    named = {fact.place for fact in naming if _is_taken_back(fact.kind, contents[fact.place], request_id, about_same)}
    found = [fact for fact in since if fact.place in named or any(fact.kind in matter for matter in about)]
    return found[-1] if found else None


def _is_taken_back(kind: str, body: Mapping[str, Any], request_id: str, answered: Collection[tuple[str, Any]]) -> bool:
    """Returns whether the fact with this kind and content takes back the answer to the request. `answered`: for each
    answering fact whose kind is in `CONTRADICTS`, its kind, and its value in the field that `CONTRADICTS` names. A fact
    that takes the answer back has the same value in this field."""
    if kind in TAKES_BACK:
        return bool(body.get(TAKES_BACK[kind]) == request_id)
    other, field = CONTRADICTS[kind]
    return (other, body.get(field)) in answered


def _body(text: str) -> dict[str, Any]:
    """Returns the content of a fact; an empty object if it is not a JSON object."""
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


_NAMING = frozenset({"DeclarationPassedOn", "DeclarationRepeated"})
"""Kinds of answers to a lodgement that name the lodgement in a field, because their cause may be another message. If
the lodgement waited for a withdrawal, the cause of its answer is the message that ended the withdrawal."""


def _unanswered(context: ConsoleContext, request: RequestRow, projected: bool) -> str:
    if not projected:
        return "not_projected"
    return "parked" if context.rows.parked(1, key=request.subject) else "pending"


# containers


@router.get(
    "/containers/{container_no}",
    response_model=GateView,
    responses=GATE,
    tags=["ports"],
    summary="May this container leave?",
)
async def gate_question(request: Request, container_no: OfContainer) -> GateView:
    """Answers whether the container may leave. `may_leave` is true only if the gate desk has said yes, all goods in the
    container are released or permitted to leave, none of their messages is parked, and the rows are fresh."""
    context = context_of(request)
    # gate questions have threads and connections of their own, so that slow pages do not delay these questions
    who, number = who_of(request), plain(container_no)
    return await to_thread.run_sync(gate_view, context, who, number, context.gate_rows, limiter=context.gate_threads)


def gate_view(context: ConsoleContext, who: Who, container_no: str, rows: ReadModelQueries | None = None) -> GateView:
    """Returns the answer whether a container may leave. For carriers, terminals and accounts that see all goods, the
    answer is about all goods in the container. For other accounts it is restricted to the goods that they may see, and
    a container without such goods is answered as unknown. Texts of officers are masked outside customs. If the read
    model does not answer, this raises one of `DATABASE_ERRORS`, and the exception handler answers no."""
    standing = context.standing()
    row, parts, goods, parked_goods, holds, on_box, complete = (rows or context.rows).container(container_no)
    fresh = complete and standing.fresh(context.settings.gate_stale_seconds)
    known = complete and standing.complete(context.settings.gate_stale_seconds)
    visible = inside(rows or context.rows, who, container_no, complete=known)
    if visible is not None and visible.hidden:
        row, parts, goods, parked_goods, holds, on_box = None, [], {}, [], [], []
    since = int((now().timestamp() - SENDING_SECONDS * CLOCK.speed) * 1_000_000)
    hold_requested = [hold.subject for hold in holds if is_waited_for(hold, since, known=known, fresh=fresh)]
    answer = gate_answer(row, parts, goods, parked_goods, fresh, hold_requested, on_box)
    lag = standing.gate_lag_seconds
    if visible is not None and visible.cut:
        parts = [part for part in parts if part.consignment_id in visible.consignments]
        answer = answer.only(visible.consignments)
    if visible is None and not who.sees_everything():
        # `awaited` names controls, which show how closely customs examines the goods; ports must not learn this. An
        # account that also declares or treats goods learns it only of these goods.
        roles = who.goods_roles()
        own = inside(rows or context.rows, who, container_no, roles, complete=known) if roles else None
        named = own.consignments if own else frozenset[str]()
        answer = answer._replace(awaited=tuple([each for each in answer.awaited if each.consignment_id in named]))
    view = GateView(
        container_no=container_no,
        may_leave=answer.may_leave,
        reason=answer.reason,
        text=gate_text(answer, row),
        detail=english(answer.detail),
        detail_text=text(wrote(answer.detail) if answer.reason == "box_held" else in_words(answer.detail)),
        waiting_for=[each for each in answer.waiting_for if each != container_no],
        consignments=[part.consignment_id for part in parts if is_inside(part, row)][:SHOWN],
        permitted=[part.consignment_id for part in parts if part.may_leave_by_permit and is_inside(part, row)][:SHOWN],
        lots=answer.lots,
        lots_released=answer.released,
        visit=visit(row) if row else None,
        holds=[box_hold(hold) for hold in on_box],
        block=block(row) if row else None,
        awaits=stay(answer, row, on_box),
        since=when(row.since_us) if row else None,
        as_of=standing.gate_as_of,
        lag_seconds=None if lag is None else round(lag, 3),
    )
    return masked(view, who.audience())


def is_waited_for(hold: UnansweredRequest, since: int, *, known: bool, fresh: bool) -> bool:
    """Returns whether this request, whose answer the projector has not stored, is a reason why the goods must stay.

    `since`: a request that was made before this time is either on its topic or was never sent; `known`: the projector has
    read all messages; `fresh`: it has read all messages on which the gate's answer depends.

    The request is a reason in three cases: it was read from its topic (`hold.sent`); it was made after `since`, so it may
    be on its way to the topic; or it may be on the topic without having been read, because the projector has not read all
    messages. The third case counts only if the rows are fresh. If they are not, the gate answers no for that reason, and
    this request is not named: it may have been answered long ago, because a projector that begins anew has no answers yet.
    """
    return hold.sent or hold.asked_us > since or (fresh and not known)


@router.get(
    "/containers/{container_no}/events",
    response_model=Reports,
    responses=READ,
    tags=["ports"],
    summary="What was reported of this container?",
)
def container_reports(request: Request, container_no: OfContainer) -> Reports:
    """Lists the latest equipment reports, the latest first, with their ids. The sender of a report can replace or retract it by its id."""
    context, number = context_of(request), plain(container_no)
    shown, more = reports_of(context, who_of(request), number, REPORTS)
    return Reports(container_no=number, reports=shown, complete=not more, projection=projection(context.standing()))


def reports_of(context: ConsoleContext, who: Who, container_no: str, limit: int) -> tuple[list[ReportView], bool]:
    """Returns the latest reports of a container as `who` may read them, at most `limit`, and whether there are more."""
    visible = inside(context.rows, who, container_no, complete=context.complete())
    if visible is not None and visible.hidden:
        return [], False
    found = context.rows.reports(container_no, limit + 1)
    own = own_names(context, who)
    return [report_to(who, row, visible, own) for row in found[:limit]], len(found) > limit


def own_names(context: ConsoleContext, who: Who) -> frozenset[str]:
    """Returns the names of senders whose reports count as `who`'s own: the account, its company, and the other accounts of the company. Any
    account of a company may correct and retract the company's reports."""
    colleagues = [] if who.company in ("", EVERY_COMPANY) else context.rows.accounts_of(who.company)
    return frozenset([who.actor, who.company, *colleagues])


def report_to(who: Who, row: ReportRow, visible: VisibleGoods | None, own: Collection[str]) -> ReportView:
    """Returns a report as `who` may read it. Outside customs the reporter is shown only if it is one of `own`. `visible`: the goods in the
    container that `who` may see, or None for all; the bill of other goods is left out."""
    view = report(row)
    if visible is not None and plain_word(view.bill) not in visible.bills:
        view = view.model_copy(update={"bill": ""})
    return view if view.reported_by in own else masked(view, who.audience())


# operations


@router.get("/stages", response_model=Board, responses=READ, tags=["operations"], summary="The live board")
def stages(request: Request) -> Board:
    """Answers the board: for each stage its count and the consignment that has waited longest, and clearance times, alarms and parked
    messages."""
    return board(context_of(request), who_of(request))


def board(context: ConsoleContext, who: Who) -> Board:
    """Returns the board as it is now. Its counts include all goods, but only goods that `who` may see are named. If
    `who` does not see all goods, `alarms` and `alarm_kinds` are empty. The function `alarm_page` returns the alarms
    about the goods that `who` may see."""
    rows, visible = context.rows, condition(who, complete=context.complete())
    at = now()
    kinds = rows.alarm_kinds(ALARM_SUBJECTS) if visible is None else []
    since = rows.waiting_since(OPEN_STAGES, 50, 95)
    return Board(
        stages=stage_counts(rows.counts(), rows.oldest(OPEN_STAGES, visible), since, at),
        clearance=Clearance(times=clearance_of(rows.releases_for_clearance_times())),
        alarms=[AlarmLine(**alarm(row), count=count) for one in kinds for row, count in one.newest],
        alarm_kinds=[
            AlarmKindView(
                kind=one.kind,
                text=called("kinds", one.kind),
                count=one.alarms,
                raised_at=moment(one.raised_us),
                alarms=f"{API}/alarms?{urlencode({'kind': one.kind})}",
            )
            for one in kinds
        ],
        blocked=[each for each in map(block, rows.blocked(BLOCKED, visible)) if each is not None],
        parked_messages=rows.parked_count(),
        now=at,
        projection=projection(context.standing()),
    )


@router.get("/alarms", response_model=Alarms, responses=READ, tags=["operations"], summary="All alarms")
def all_alarms(
    request: Request,
    kind: Annotated[str | None, Query(max_length=100, description="a value of `kind` of an alarm")] = None,
    subject: Annotated[str | None, Query(max_length=200, description="a container number or consignment id")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: After = "",
) -> Alarms:
    """Lists the alarms, the newest first."""
    context = context_of(request)
    shown, following = alarm_page(context, who_of(request), kind, subject, after, limit)
    query = {"kind": kind, "subject": subject, "limit": limit, "after": following}
    return Alarms(alarms=shown, next=link("/alarms", query), projection=projection(context.standing()))


def alarm_page(
    context: ConsoleContext, who: Who, kind: str | None, subject: str | None, after: str, limit: int
) -> tuple[list[AlarmView], str | None]:
    """Returns a page of the alarms about goods and containers that `who` may see, and the token of the next page (None at the end)."""
    parts, visible = lists.alarms(_stored(kind), _stored(subject)), condition(who, complete=context.complete())
    if visible is not None:
        about = of_subject(ALARMS.c.subject, visible, ALARMS.c.place)
        parts = [part._replace(wanted=tuple([and_(one, about) for one in part.wanted])) for part in parts]
    return page(context, parts, after, limit, lambda row: AlarmView(**alarm(row)))


def _stored(name: str | None) -> str | None:
    """Returns the text as it is stored in rows. Rows have U+FFFD in place of NUL, because PostgreSQL cannot store
    NUL."""
    return name.replace("\0", "\ufffd") if name else None


@router.get("/parked", response_model=ParkedList, responses=READ, tags=["operations"], summary="Messages set aside")
def parked_messages(
    request: Request, limit: Annotated[int, Query(ge=1, le=500)] = 100, after: After = ""
) -> ParkedList:
    """Lists the messages that are set aside, the newest first. A message waits until an operator settles it, or settles
    an earlier message of the same key."""
    context = context_of(request)
    shown, following = page(context, lists.parked(), after, limit, parked)
    return ParkedList(
        parked=shown,
        total=context.rows.parked_count(),
        next=link("/parked", {"limit": limit, "after": following}),
        projection=projection(context.standing()),
    )


# pages of lists


def page(
    context: ConsoleContext, parts: Sequence[lists.ListPart], after: str, limit: int, view: Callable[[Any], M]
) -> tuple[list[M], str | None]:
    """Returns as many rows of a list as fit into one answer, each converted by `view`, and the token of the next page (None at the end). The
    rows are those after the position that the token `after` stands for."""
    rows = context.rows.page(parts, paging.position_of(after, parts), limit + 1)
    shown, more = fit([view(row) for _, row in rows], limit)
    return shown, paging.token(rows[len(shown) - 1][0]) if more else None


def link(path: str, query: Mapping[str, Any]) -> str | None:
    """Returns the address of the next page with this query; None at the end of the list, when `after` in the query is None."""
    named = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{API}{path}?{urlencode(named)}" if "after" in named else None
