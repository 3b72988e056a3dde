"""How are declarations and other requests taken in over HTTP? Their shape is checked, they are sent to their topics, and they are answered 202 as
soon as the broker has acknowledged them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Depends, Header, Path, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from schemas import envelope
from schemas.bounds import FIRST, LINE, Shape
from schemas.declaration import Declaration, LodgeDeclaration, WithdrawDeclaration
from schemas.gate import (
    LiftContainerHold,
    PermitExit,
    PlaceContainerHold,
    RecordContainerFinding,
    RecordEquipmentEvent,
    RecordGateOut,
    RetractContainerFinding,
    RetractEquipmentEvent,
    RetractStrike,
    StrikeLot,
)
from schemas.inspection import CorrectFindings, RecordFindings, RetractFindings
from schemas.quarantine import (
    CorrectTreatment,
    DecideTreatment,
    RecordTreatment,
    RetractTreatment,
    RetractTreatmentDecision,
)
from schemas.release import LiftHold, PlaceHold, ReportArrival, RetractArrival, RetractLift
from schemas.topics import KINDS
from schemas.vocabulary import Moment, consignment_id
from services.console.access.rights import Who
from services.console.api.bodies import FaultyBody, declarations_of, not_json, read, strict_json
from services.console.api.context import ConsoleContext, context_of, who_of
from services.console.api.documents import API
from services.console.api.goods_access import may_act, may_name
from services.console.api.json_body import JsonBody, JsonRoute, TakesJson, json_of
from services.console.api.papers import declared
from services.console.api.problems import SHOWN_ERRORS, Problem, documented, invalid, one_fault
from services.console.api.request_producer import Prepared, RequestKey, RequestRow, prepare
from services.console.api.views import BatchItem, BatchResult, Taken
from services.console.language.words import both
from services.console.readmodel.consignment import plain
from services.console.settings import ConsoleSettings
from services.shell.clock import now
from services.shell.codec import encode
from services.shell.formats import BOM

router = APIRouter(prefix=API, route_class=JsonRoute)
LONGEST_KEY = 255
SHOWN_IN_BATCH = 1000
"""The most faults that the answer to a batch lists. Once this many are listed, the further declarations of the batch
are checked only for faults of shape, which are counted for each declaration but not listed."""
Responses = dict[int | str, dict[str, Any]]
NO: Responses = documented(
    (400, "The body is not JSON or has a key twice, or a header cannot be used"),
    (413, "The body is too large, or has too many parts"),
    (415, "The body is not sent as application/json"),
    (
        422,
        "The body does not have the required shape (each fault has its pointer), or the idempotency key was used for other content",
    ),
    (
        429,
        "This address sends too many large bodies, or this declarant names too many containers today. `Retry-After` in seconds",
    ),
    (
        503,
        (
            "The broker did not acknowledge in time, and the request may still take effect; or other large bodies are being handled, and "
            "nothing was taken in. `Retry-After` in seconds"
        ),
    ),
)
VISIBLE = {"pattern": "^[^\\x00-\\x1f\\x7f-\\xa0\\xad]*$"}
"""The characters that `_header` accepts. This is for the OpenAPI document only, because other characters are answered 400, not 422."""
TAKEN: Responses = {202: {"model": Taken, "description": "The broker has acknowledged it"}, **NO}
OF_GOODS: Responses = {**TAKEN, **documented((404, "These goods are not known, or they belong to others"))}
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="If the same sender sends the same key and content again, it is the same request, for 24 hours and at least for"
        " the last 64 requests about the goods or container. Other content with the same key is answered 422. Without a"
        " key, each request is new.",
        max_length=LONGEST_KEY,
        json_schema_extra=VISIBLE,
    ),
]
OfConsignment = Annotated[
    str, Path(description="consignment id", min_length=36, max_length=36, pattern=r"^[0-9a-f-]{36}$")
]
OfReport = Annotated[str, Path(description="id of a message", min_length=1, max_length=200, pattern=LINE)]
OfContainer = Annotated[str, Path(description="container number, ISO 6346", min_length=1, max_length=17, pattern=LINE)]


def key_of(request: Request) -> str:
    """Returns the sender's idempotency key; an empty text if there is none. Raises Problem 400 if it is too long or not printable."""
    return _header(request, "Idempotency-Key", LONGEST_KEY)


def _header(request: Request, name: str, longest: int) -> str:
    value = request.headers.get(name, "").strip()
    if len(value) > longest or not value.isprintable():
        raise Problem(400, "bad_header", header=name, longest=longest)
    return value


# declarations


class BatchShape(BaseModel):
    """A batch whose declarations may have any shape. A body that is no batch is validated with this model, to report
    what is wrong with it."""

    model_config = ConfigDict(extra="forbid", title="Batch")
    declarations: list[Any]


class DeclarationBatch(BatchShape):
    """Declarations that are lodged together; each of them is checked on its own."""

    declarations: list[Declaration]


@router.post(
    "/declarations",
    status_code=202,
    response_model=Taken,
    responses=TAKEN,
    tags=["declarants"],
    summary="Lodge a declaration",
)
async def lodge(
    request: Request, body: Annotated[JsonBody, json_of(Declaration, named=True)], _key: Key = None
) -> Response:
    """Lodges a declaration. The answer is 202 when the broker has acknowledged the request; `Location` and `status` are
    links to the state of the goods. A declarant may lodge declarations of its own company, an agent also those of the
    companies that authorised it."""
    context = context_of(request)
    who = who_of(request)
    key = context.asker.key(who.actor, key_of(request))
    limit = context.settings.body_limit_bytes
    async with body.parsed(limit, lodgement, context.settings.body_separators, who, key) as lodged:
        return answer(await ask(context, lodged))


def lodgement(data: bytes, separators: int, who: Who, key: RequestKey) -> Prepared:
    """Makes the message that lodges the declaration in this body. Raises Problem 422 with what is wrong with the declaration, and 403 if `who` may
    not declare for its declarant."""
    data = data.removeprefix(BOM)
    declaration = declared(data, strict_json(data, separators))
    if isinstance(declaration, FaultyBody):
        raise declaration.problem()
    if not who.of_own_company(declaration.declarant):
        raise Problem(403, "not_your_company", seen=declaration.declarant)
    return _lodging(declaration, who, key)


@router.post(
    "/declarations/batch",
    status_code=202,
    response_model=BatchResult,
    responses={
        202: {"model": BatchResult, "description": "The result of each declaration, in order"},
        207: {"model": BatchResult, "description": "The same, if some were refused"},
        **NO,
    },
    tags=["declarants"],
    summary="Lodge many declarations",
)
async def lodge_many(
    request: Request, body: Annotated[JsonBody, json_of(DeclarationBatch)], _key: Key = None
) -> Response:
    """Lodges many declarations. Each declaration is taken in or refused by itself; the answer has a result for each, in
    their order. The status is 207 if some were refused.

    If the same batch is sent again under its Idempotency-Key, nothing is lodged twice, because the key of each
    declaration is made from that key and the index of the declaration.
    """
    context, who = context_of(request), who_of(request)
    key = context.asker.key(who.actor, key_of(request))
    async with (
        body.parsed(context.settings.batch_limit_bytes, _batch, context.settings, who, key) as batch,
        _admitted(context, batch) as (good, results),
    ):
        await context.asker.ask_all([one.lodged for one in good])
    refused = len(results) - len(good)
    answered = {"accepted": len(good), "refused": refused, "results": [msgspec.Raw(result) for result in results]}
    return Response(msgspec.json.encode(answered), 207 if refused else 202, media_type="application/json")


class GoodDeclaration(NamedTuple):
    """A declaration of a batch that can be sent. `number`: its index in the batch, from 0; `reference`: its reference as the answer repeats it;
    `lodged`: its message."""

    number: int
    reference: str
    lodged: Prepared


class CheckedBatch(NamedTuple):
    """A batch after its declarations were checked. `good`: those that can be sent; `results`: for every declaration, the JSON of a `BatchItem`. The
    results are answered when the broker has acknowledged all messages."""

    good: list[GoodDeclaration]
    results: list[bytes]


@asynccontextmanager
async def _admitted(context: ConsoleContext, batch: CheckedBatch) -> AsyncIterator[CheckedBatch]:
    """Yields the batch without the declarations with which a declarant would name more containers on this day than
    allowed. The results of these declarations become refusals. The containers of the others go on
    counting only if the `with` block ends without an error."""
    good, results, is_taken = list[GoodDeclaration](), list(batch.results), False
    try:
        for one in batch.good:
            problem = await context.boxes.admit(one.lodged.declarant, one.lodged.boxes)
            if problem is None:
                good.append(one)
            else:
                results[one.number] = _json(_refused(one.number, one.reference, problem))
        yield CheckedBatch(good, results)
        is_taken = True
    finally:
        for one in good:
            context.boxes.settle(one.lodged.declarant, one.lodged.boxes, is_taken)


def _batch(data: bytes, settings: ConsoleSettings, who: Who, key: RequestKey) -> CheckedBatch:
    """Checks each declaration of the batch by itself."""
    items = declarations_of(data, settings.batch_separators)
    if items is None:
        raise _no_batch(strict_json(data, settings.body_separators))
    if len(items) > settings.batch_limit:
        raise Problem(422, "too_many", limit=settings.batch_limit, count=len(items))
    batch, shown = CheckedBatch([], []), 0
    for index, item in enumerate(items):
        try:
            parsed = strict_json(item, settings.body_separators)
        except Problem as unread:
            raise unread.within(f"/declarations/{index}") from None
        most = min(SHOWN_ERRORS, SHOWN_IN_BATCH - shown)
        declaration = declared(item, parsed, f"/declarations/{index}", most)
        reference = parsed.get("reference") if isinstance(parsed, dict) else ""
        named = reference[:35] if isinstance(reference, str) else ""
        if isinstance(declaration, FaultyBody):
            shown += len(declaration.faults)
            batch.results.append(_json(_sent_back(index, named, declaration)))
            continue
        result = BatchItem(index=index, status_code=202, reference=named)
        if not who.of_own_company(declaration.declarant):
            problem = Problem(403, "not_your_company", seen=declaration.declarant)
            result = _refused(index, result.reference, problem)
        else:
            lodged = _lodging(declaration, who, key.part(index))
            batch.good.append(GoodDeclaration(index, result.reference, lodged))
            result.consignment_id, result.request_id = lodged.request.subject, lodged.request.request_id
            result.status = f"{API}/consignments/{lodged.request.subject}"
        batch.results.append(_json(result))
    return batch


def _json(result: BatchItem) -> bytes:
    return result.model_dump_json(exclude_none=True).encode()


def _refused(index: int, reference: str, problem: Problem) -> BatchItem:
    """Returns the result of a declaration that was refused for another reason than faults in its fields."""
    details = problem.details()
    return BatchItem(
        index=index,
        status_code=problem.status,
        reference=reference,
        code=problem.code,
        title=details.title,
        title_zh=details.title_zh,
    )


def _no_batch(parsed: Any) -> Problem:
    """Returns the problem for JSON in which `declarations_of` has found no batch. The JSON is neither a list nor an
    object with nothing but a list `declarations`, or only Python's parser accepts it, for example because of half a
    surrogate."""
    try:
        BatchShape.model_validate({"declarations": parsed} if isinstance(parsed, list) else parsed)
    except ValidationError as error:
        return invalid(error)
    return not_json(both("unparsed.half").en)


def _sent_back(index: int, reference: str, faulty: FaultyBody) -> BatchItem:
    title = both("problems.invalid.title")
    return BatchItem(
        index=index,
        status_code=422,
        reference=reference,
        code="invalid",
        title=title.en,
        title_zh=title.zh,
        faults=faulty.count,
        errors=[fault.model_dump() for fault in faulty.faults],
    )


def _lodging(declaration: Declaration, who: Who, key: RequestKey) -> Prepared:
    """Makes the message that lodges the declaration. A request with the same key has the same content if its
    declaration is the same."""
    content = declaration.model_dump_json().encode()
    lodged = LodgeDeclaration(
        consignment_id=consignment_id(declaration.declarant, declaration.reference),
        asked_by=who.actor,
        on_behalf_of=who.behalf(LodgeDeclaration, declaration.declarant),
        occurred_at=now(),
        declaration=declaration,
    )
    boxes = tuple(sorted({plain(container.container_no) for container in declaration.containers}))
    return replace(prepare(lodged, key, content), declarant=declaration.declarant, boxes=boxes)


def answer(request: RequestRow) -> Response:
    """Makes the answer 202 to a request. It has links to the goods or container, and to the outcome of the request."""
    container = issubclass(KINDS[request.kind], envelope.AboutContainer)
    status = f"{API}/{'containers' if container else 'consignments'}/{quote(request.subject, safe='')}"
    taken = Taken(
        request_id=request.request_id,
        consignment_id=None if container else request.subject,
        container_no=request.subject if container else None,
        status=status,
        request=f"{API}/requests/{request.request_id}",
    )
    return JSONResponse(taken.model_dump(exclude_none=True), 202, headers={"Location": status})


# acts of officers, treatment units, carriers and terminals


class _Body(Shape):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


def _body_model(kind: type[envelope.Request], *but: str) -> type[BaseModel]:
    """Makes the model of a request's body. It has the fields of the request without `but` and without those that come
    from the account. `occurred_at` may be left out, which means the present time; only for equipment events it is
    required."""
    fields: dict[str, Any] = {
        name: (field.annotation if not field.metadata else Annotated[field.annotation, *field.metadata], field)
        for name, field in kind.model_fields.items()
        if name not in ("asked_by", "on_behalf_of", "occurred_at", *but)
    }
    if kind is RecordEquipmentEvent:
        fields["occurred_at"] = (Moment, Field(description="when it happened, RFC 3339 with its offset"))
    else:
        fields["occurred_at"] = (Moment | None, Field(None, description="when it happened; if left out, now"))
    made: type[BaseModel] = create_model(f"{kind.__name__}Body", __base__=_Body, __doc__=kind.__doc__, **fields)
    return made


ADDRESS: dict[type[envelope.Request], tuple[str, ...]] = {
    RecordGateOut: ("container_no",),
    RecordEquipmentEvent: ("container_no",),
    RetractEquipmentEvent: ("container_no", "report_id"),
    RecordContainerFinding: ("container_no",),
    RetractContainerFinding: ("container_no",),
    StrikeLot: ("container_no",),
    RetractStrike: ("container_no",),
    PermitExit: ("container_no",),
    PlaceContainerHold: ("container_no",),
    LiftContainerHold: ("container_no", "hold_id"),
}
"""Kind of request about a container → those of its fields that come from the address."""
_ABOUT_GOODS: tuple[type[envelope.Request], ...] = (
    WithdrawDeclaration,
    RecordFindings,
    CorrectFindings,
    RetractFindings,
    RecordTreatment,
    CorrectTreatment,
    RetractTreatment,
    DecideTreatment,
    RetractTreatmentDecision,
    ReportArrival,
    RetractArrival,
    PlaceHold,
    LiftHold,
    RetractLift,
)
OF_CONSOLE: dict[type[envelope.Request], tuple[str, ...]] = {PlaceHold: ("watch_id",)}
"""Kind of request → the fields that only the console sets, so the body of the request does not have them. For example,
a person who places a hold cannot name a watch."""
BODIES: dict[type[envelope.Request], type[BaseModel]] = {
    kind: _body_model(kind, *ADDRESS.get(kind, ("consignment_id",)), *OF_CONSOLE.get(kind, ()))
    for kind in (*_ABOUT_GOODS, *ADDRESS)
}
"""Kind of request → the model of its body."""


class ActBody(JsonBody):
    """The body of a request of kind `kind`, about goods or a container."""

    def __init__(self, request: Request, kind: type[envelope.Request]) -> None:
        super().__init__(request)
        self.kind = kind


@dataclass(frozen=True, kw_only=True)
class _TakesAct(TakesJson):
    kind: type[envelope.Request]

    async def __call__(self, request: Request) -> ActBody:
        return ActBody(request, self.kind)


def act(kind: type[envelope.Request]) -> Any:
    """Returns the dependency for an `ActBody` parameter of a route that takes requests of this kind."""
    return Depends(_TakesAct(BODIES[kind], kind=kind))


def requested(
    kind: type[envelope.Request], fields: dict[str, Any], who: Who, key: RequestKey, declarant: str
) -> Prepared:
    """Makes the message of a request of this kind with these fields, about goods of this declarant. Raises Problem 422 if the fields are not
    valid."""
    given = {name: value for name, value in fields.items() if name != "occurred_at" or value is not None}
    try:
        request = kind.model_validate(
            {"occurred_at": now(), **given, "asked_by": who.actor, "on_behalf_of": who.behalf(kind, declarant)}
        )
    except ValidationError as error:
        raise invalid(error) from None
    if request.occurred_at > now() + (ahead := request.most_ahead):
        most = both("units.days", n=ahead.days) if ahead.days else both("units.minutes", n=ahead.seconds // 60)
        raise one_fault("/occurred_at", "in_future", request.occurred_at.isoformat(), most=most)
    # desks treat a time before this limit as an error
    if request.occurred_at < max(FIRST, now() - envelope.LATEST_REPORT):
        days = envelope.LATEST_REPORT.days
        raise one_fault("/occurred_at", "too_long_ago", request.occurred_at.isoformat(), days=days)
    content, identity = None, None
    # A time that the sender gave is part of the content. So a request with the same key and another time has other content.
    if given.get("occurred_at") is not None:
        content = encode(request.model_copy(update={"occurred_at": request.occurred_at.astimezone(UTC)}))
        identity = _identity(request)
    if identity is not None:
        return prepare(request, key.of_event(*identity), content, again=True)
    return replace(prepare(request, key, content), named=_consignment_named(request))


def _consignment_named(request: envelope.Request) -> str:
    """Returns the consignment that a request about a container names; an empty text if it names none."""
    return request.consignment_id if isinstance(request, StrikeLot | RetractStrike | PermitExit) else ""


def _identity(request: envelope.Request) -> tuple[str, ...] | None:
    """Returns the values that identify a report of an equipment event among the reports of the same sender: the kind of
    the request and some of its fields. Returns None for requests of other kinds."""
    at = request.occurred_at.astimezone(UTC).isoformat()
    match request:
        case RecordEquipmentEvent():
            return (request.kind, request.container_no, request.event, request.classifier, at, request.replaces)
        case RecordGateOut():
            return (request.kind, request.container_no, at)
        case _:
            return None


async def ask(context: ConsoleContext, message: Prepared) -> RequestRow:
    """Sends the request and returns its row. If it was sent under this key before, it has no second effect. Raises Problem 422 if the key was used
    for other content, and 429 if the declarant names too many containers on this day."""
    refused = await context.boxes.admit(message.declarant, message.boxes)
    if refused is not None:
        raise refused
    is_taken = False
    try:
        row = await context.asker.before(message.request) if message.again else None
        # With another id, an older version of the console sent this request.
        if row is None or row.request_id == message.request.request_id:
            row = await context.asker.ask(message)
        is_taken = True
        return row
    finally:
        context.boxes.settle(message.declarant, message.boxes, is_taken)


def _request(
    data: bytes,
    separators: int,
    kind: type[envelope.Request],
    about: dict[str, str],
    who: Who,
    key: RequestKey,
    declarant: str,
) -> Prepared:
    body = read(data, BODIES[kind], separators)
    fields = {**{name: getattr(body, name) for name in type(body).model_fields}, **about}
    return requested(kind, fields, who, key, declarant)


async def _taken(body: ActBody, **about: str) -> Response:
    """Reads the body, sends the request and answers 202. `about`: the fields in the address; the first one must be the consignment id or container
    number."""
    context, who, kind = context_of(body.request), who_of(body.request), body.kind
    key = context.asker.key(who.actor, key_of(body.request))
    declarant = await may_act(context, who, kind, next(iter(about.values())))
    limit, separators = context.settings.body_limit_bytes, context.settings.body_separators
    async with body.parsed(limit, _request, separators, kind, about, who, key, declarant) as message:
        await may_name(context, who, kind, message.named)
        return answer(await ask(context, message))


@router.post(
    "/consignments/{consignment_id}/withdrawal",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    tags=["declarants"],
    summary="Ask to take a declaration back",
)
async def withdraw(
    consignment_id: OfConsignment, body: Annotated[ActBody, act(WithdrawDeclaration)], _key: Key = None
) -> Response:
    """Requests that a declaration is taken back. Only its declarant, or the declarant's agent, may do this."""
    return await _taken(body, consignment_id=consignment_id)


@router.post(
    "/consignments/{consignment_id}/findings",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    tags=["officers"],
    summary="Answer an ordered control",
)
async def findings(
    consignment_id: OfConsignment, body: Annotated[ActBody, act(RecordFindings)], _key: Key = None
) -> Response:
    """Records an officer's findings on the documents, the goods or the samples."""
    return await _taken(body, consignment_id=consignment_id)


@router.post(
    "/consignments/{consignment_id}/findings/correction",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    tags=["officers"],
    summary="Replace findings that were wrong",
)
async def correct_findings(
    consignment_id: OfConsignment, body: Annotated[ActBody, act(CorrectFindings)], _key: Key = None
) -> Response:
    """Replaces wrong findings by the right ones. If the goods were released, the release is revoked first."""
    return await _taken(body, consignment_id=consignment_id)


@router.post(
    "/consignments/{consignment_id}/findings/retraction",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    tags=["officers"],
    summary="Take findings back that were wrong",
)
async def retract_findings(
    consignment_id: OfConsignment, body: Annotated[ActBody, act(RetractFindings)], _key: Key = None
) -> Response:
    """Retracts findings, so that the control is open again. Goods that were released or refused because of them are held."""
    return await _taken(body, consignment_id=consignment_id)


@router.post(
    "/consignments/{consignment_id}/treatments",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    tags=["officers"],
    summary="Record a quarantine treatment",
)
async def treatment(
    consignment_id: OfConsignment, body: Annotated[ActBody, act(RecordTreatment)], _key: Key = None
) -> Response:
    """Records a treatment, with the readings of the treatment unit. The desk refuses a record without `started_at`."""
    return await _taken(body, consignment_id=consignment_id)


@router.post(
    "/consignments/{consignment_id}/treatment-decisions",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    tags=["officers"],
    summary="Decide about goods for which no treatment is known",
)
async def treatment_decision(
    consignment_id: OfConsignment, body: Annotated[ActBody, act(DecideTreatment)], _key: Key = None
) -> Response:
    """Records an officer's answer to `TreatmentReferred`: treat the goods by named methods, let them pass, or refuse them."""
    return await _taken(body, consignment_id=consignment_id)


@router.post(
    "/consignments/{consignment_id}/treatments/correction",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    tags=["officers"],
    summary="Replace a treatment record that was wrong",
)
async def correct_treatment(
    consignment_id: OfConsignment, body: Annotated[ActBody, act(CorrectTreatment)], _key: Key = None
) -> Response:
    """Corrects the treatment record that was judged last. The new record must be complete; the desk judges it."""
    return await _taken(body, consignment_id=consignment_id)


@router.post(
    "/consignments/{consignment_id}/treatments/retraction",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    tags=["officers"],
    summary="Take a treatment record back that was wrong",
)
async def retract_treatment(
    consignment_id: OfConsignment, body: Annotated[ActBody, act(RetractTreatment)], _key: Key = None
) -> Response:
    """Retracts the treatment record that was judged last, so that the treatment is open again. Goods that were released or refused because of it are
    held."""
    return await _taken(body, consignment_id=consignment_id)


@router.post(
    "/consignments/{consignment_id}/treatment-decisions/retraction",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    tags=["officers"],
    summary="Take a decision about a treatment back",
)
async def retract_treatment_decision(
    consignment_id: OfConsignment, body: Annotated[ActBody, act(RetractTreatmentDecision)], _key: Key = None
) -> Response:
    """Retracts an officer's decision about a treatment, so that an officer has to decide again. Goods that were released or refused because of it are
    held."""
    return await _taken(body, consignment_id=consignment_id)


@router.post(
    "/consignments/{consignment_id}/arrival",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    tags=["ports"],
    summary="Report the arrival",
)
async def arrival(
    consignment_id: OfConsignment, body: Annotated[ActBody, act(ReportArrival)], _key: Key = None
) -> Response:
    """Reports that the goods have arrived at this place. Carriers and terminals may report this."""
    return await _taken(body, consignment_id=consignment_id)


@router.post(
    "/consignments/{consignment_id}/arrival/retraction",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    tags=["ports"],
    summary="Take a report of an arrival back",
)
async def retract_arrival(
    consignment_id: OfConsignment, body: Annotated[ActBody, act(RetractArrival)], _key: Key = None
) -> Response:
    """Retracts a report of an arrival, because the goods are not here. Only its sender may do this. `wrong` is the id of the request by which the
    arrival was reported; released goods are called back. A terminal's report about a container is retracted by
    `/containers/{container_no}/events/{report_id}/retraction`."""
    return await _taken(body, consignment_id=consignment_id)


@router.post(
    "/consignments/{consignment_id}/holds",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    tags=["officers"],
    summary="Hold the goods",
)
async def hold(consignment_id: OfConsignment, body: Annotated[ActBody, act(PlaceHold)], _key: Key = None) -> Response:
    """Places a hold on the goods. If they were released already, the release is revoked."""
    return await _taken(body, consignment_id=consignment_id)


@router.post(
    "/consignments/{consignment_id}/holds/lift",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    tags=["officers"],
    summary="Lift an officer's hold",
)
async def lift(consignment_id: OfConsignment, body: Annotated[ActBody, act(LiftHold)], _key: Key = None) -> Response:
    """Lifts a hold of an officer. All other holds end by the answer for which they wait."""
    return await _taken(body, consignment_id=consignment_id)


@router.post(
    "/consignments/{consignment_id}/holds/lift/retraction",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    tags=["officers"],
    summary="Take the lifting of a hold back",
)
async def retract_lift(
    consignment_id: OfConsignment, body: Annotated[ActBody, act(RetractLift)], _key: Key = None
) -> Response:
    """Retracts the lifting of a hold, so that the hold is in force again under its own id. If the goods were released, the release is revoked
    first."""
    return await _taken(body, consignment_id=consignment_id)


@router.post(
    "/containers/{container_no}/gate-outs",
    status_code=202,
    response_model=Taken,
    responses=TAKEN,
    tags=["ports"],
    summary="Report that a container left",
)
async def gate_out(
    container_no: OfContainer, body: Annotated[ActBody, act(RecordGateOut)], _key: Key = None
) -> Response:
    """Reports that the container has left through the gate. If it was not released, an alarm is raised. This route is
    an older way to report the event `GTOT`."""
    return await _taken(body, container_no=plain(container_no))


@router.post(
    "/containers/{container_no}/events",
    status_code=202,
    response_model=Taken,
    responses=TAKEN,
    tags=["ports"],
    summary="Report what happened to a container",
)
async def equipment_event(
    container_no: OfContainer, body: Annotated[ActBody, act(RecordEquipmentEvent)], _key: Key = None
) -> Response:
    """Reports an equipment event. Terminals and carriers may report it. Without an Idempotency-Key, a report is known by its sender, container,
    event, classifier, event time and `replaces`. A report in which these are the same and the rest is different is answered 422; to correct a report,
    send another one that `replaces` it."""
    return await _taken(body, container_no=plain(container_no))


@router.post(
    "/containers/{container_no}/events/{report_id}/retraction",
    status_code=202,
    response_model=Taken,
    responses=TAKEN,
    tags=["ports"],
    summary="Take a report back",
)
async def retraction(
    container_no: OfContainer,
    report_id: OfReport,
    body: Annotated[ActBody, act(RetractEquipmentEvent)],
    _key: Key = None,
) -> Response:
    """Retracts a report, because the event did not happen. Only its sender may do this. `report_id` is the id of the request by which the event was
    reported."""
    return await _taken(body, container_no=plain(container_no), report_id=report_id)


@router.post(
    "/containers/{container_no}/findings",
    status_code=202,
    response_model=Taken,
    responses=TAKEN,
    tags=["officers"],
    summary="Record where a container was found",
)
async def container_finding(
    container_no: OfContainer, body: Annotated[ActBody, act(RecordContainerFinding)], _key: Key = None
) -> Response:
    """Records that an officer saw the container inside or outside of the controlled area. The finding settles the
    alarms that keep the container inside."""
    return await _taken(body, container_no=plain(container_no))


@router.post(
    "/containers/{container_no}/findings/retraction",
    status_code=202,
    response_model=Taken,
    responses=TAKEN,
    tags=["officers"],
    summary="Take a finding on a container back",
)
async def retract_container_finding(
    container_no: OfContainer, body: Annotated[ActBody, act(RetractContainerFinding)], _key: Key = None
) -> Response:
    """Retracts a wrong finding of an officer on the container. The alarms that it settled wait for a finding again. From the answer 202 on, the
    gate's answer is no until the gate desk has decided."""
    return await _taken(body, container_no=plain(container_no))


@router.post(
    "/containers/{container_no}/strikes",
    status_code=202,
    response_model=Taken,
    responses=TAKEN,
    tags=["officers"],
    summary="Take a consignment off a container",
)
async def strike(container_no: OfContainer, body: Annotated[ActBody, act(StrikeLot)], _key: Key = None) -> Response:
    """Records that, as an officer found, the consignment is not in the container, whatever its declaration says."""
    return await _taken(body, container_no=plain(container_no))


@router.post(
    "/containers/{container_no}/strikes/retraction",
    status_code=202,
    response_model=Taken,
    responses=TAKEN,
    tags=["officers"],
    summary="Take a strike back",
)
async def retract_strike(
    container_no: OfContainer, body: Annotated[ActBody, act(RetractStrike)], _key: Key = None
) -> Response:
    """Retracts the record that a consignment is not in the container, because the consignment may be in the container
    after all. From the answer 202 on, the gate's answer is no until the gate desk has decided."""
    return await _taken(body, container_no=plain(container_no))


@router.post(
    "/containers/{container_no}/permits",
    status_code=202,
    response_model=Taken,
    responses=TAKEN,
    tags=["officers"],
    summary="Let a consignment out without an import release",
)
async def permit(container_no: OfContainer, body: Annotated[ActBody, act(PermitExit)], _key: Key = None) -> Response:
    """Records that an officer permits goods to pass the land gate in this visit: a cancelled export, or goods to be returned or destroyed."""
    return await _taken(body, container_no=plain(container_no))


@router.post(
    "/containers/{container_no}/holds",
    status_code=202,
    response_model=Taken,
    responses=TAKEN,
    tags=["officers"],
    summary="Hold a container",
)
async def hold_container(
    container_no: OfContainer, body: Annotated[ActBody, act(PlaceContainerHold)], _key: Key = None
) -> Response:
    """Places a hold on the container itself. The hold is in force until it is lifted, whatever goods are in the
    container and however often the container comes back. From the answer 202 on, the gate's answer is no."""
    return await _taken(body, container_no=plain(container_no))


@router.post(
    "/containers/{container_no}/holds/{hold_id}/lift",
    status_code=202,
    response_model=Taken,
    responses=TAKEN,
    tags=["officers"],
    summary="Lift a hold on a container",
)
async def lift_container(
    container_no: OfContainer, hold_id: OfReport, body: Annotated[ActBody, act(LiftContainerHold)], _key: Key = None
) -> Response:
    """Lifts a hold on the container. Only officers may do this. `hold_id` is in the gate's answer."""
    return await _taken(body, container_no=plain(container_no), hold_id=hold_id)
