"""How are declarations and other requests taken in over HTTP? Their shape is checked, they are sent, and answered 202 when the broker has
acknowledged them."""

from dataclasses import replace
from datetime import UTC
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote

from fastapi import APIRouter, Header, Path, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from schemas import envelope
from schemas.bounds import LINE, Shape
from schemas.declaration import Declaration, LodgeDeclaration, WithdrawDeclaration
from schemas.gate import (
    LiftContainerHold,
    PermitExit,
    PlaceContainerHold,
    RecordContainerFinding,
    RecordEquipmentEvent,
    RecordGateOut,
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
from services.console.api.bodies import (
    declarations_of,
    json_body,
    long_lists,
    not_json,
    read,
    refuse_not_json,
    strict_json,
)
from services.console.api.context import Office, office, who_of
from services.console.api.documents import API
from services.console.api.goods_access import may_act, may_name
from services.console.api.nulls import validated
from services.console.api.problems import SHOWN_ERRORS, FieldError, Problem, documented, faults_of, invalid, one_fault
from services.console.api.request_producer import Prepared, RequestKey, RequestRow, prepare
from services.console.api.views import BatchItem, BatchResult, Taken
from services.console.language.words import both
from services.console.readmodel.consignment import plain
from services.console.settings import ConsoleSettings
from services.shell.clock import now
from services.shell.codec import encode

router = APIRouter(prefix=API)
LONGEST_KEY = 255
SHOWN_IN_BATCH = 1000
"""The most faults in the answer to a batch; the number of its faults is stated for each refused declaration."""
Responses = dict[int | str, dict[str, Any]]
NO: Responses = documented(
    (400, "Not JSON, a key twice, or a header that cannot be used"),
    (413, "The body is too large, or has too many parts"),
    (415, "Not application/json"),
    (422, "Not of the required shape; each fault with its pointer. Or the idempotency key was used for other content"),
    (
        429,
        "Large bodies of this address, or containers in papers of this declarant today: too many. `Retry-After` in seconds",
    ),
    (
        503,
        "The broker did not acknowledge, or other large bodies are in hand; nothing was taken in. `Retry-After` in seconds",
    ),
)
VISIBLE = {"pattern": "^[^\\x00-\\x1f\\x7f-\\xa0\\xad]*$"}
"""The characters that `_header` accepts, for the OpenAPI document only: others are answered 400, not 422."""
TAKEN: Responses = {202: {"model": Taken, "description": "The broker has acknowledged it"}, **NO}
OF_GOODS: Responses = {**TAKEN, **documented((404, "Nothing is known of these goods, or they are those of others"))}
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="The same key and content again by the same sender is the same request, for 24 hours and for the last 64 "
        "requests about the goods or container at least; other content under it is 422. Without a key each request is new.",
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
    """The sender's idempotency key, empty when there is none."""
    return _header(request, "Idempotency-Key", LONGEST_KEY)


def _header(request: Request, name: str, longest: int) -> str:
    value = request.headers.get(name, "").strip()
    if len(value) > longest or not value.isprintable():
        raise Problem(400, "bad_header", header=name, longest=longest)
    return value


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    DEFINED.update(schema.pop("$defs", {}))
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


BATCH_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["declarations"],
                    "properties": {
                        "declarations": {"type": "array", "items": {"$ref": "#/components/schemas/Declaration"}}
                    },
                }
            }
        },
    }
}
DECLARATION_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Declaration"}}},
    }
}


# declarations


@router.post(
    "/declarations",
    status_code=202,
    response_model=Taken,
    responses=TAKEN,
    openapi_extra=DECLARATION_BODY,
    tags=["declarants"],
    summary="Lodge a declaration",
)
async def lodge(request: Request, _key: Key = None) -> Response:
    """202 once the broker has acknowledged it; `Location` and `status` lead to where the goods stand. A declarant lodges papers of its own company, an
    agent also those of the companies that authorised it."""
    desk = office(request)
    who = who_of(request)
    key = desk.asker.key(who.actor, key_of(request))
    async with json_body(request, desk.settings.body_limit_bytes) as data:
        lodged = await desk.intake.parse(lodgement, data, desk.settings.body_separators, who, key)
        return answer(await ask(desk, lodged))


def lodgement(data: bytes, separators: int, who: Who, key: RequestKey) -> Prepared:
    """The message that lodges the declaration of this body; Problem 403 where its declarant is not a company of the sender's."""
    declaration = read(data, Declaration, separators)
    if not who.of_own_company(declaration.declarant):
        raise Problem(403, "not_your_company", seen=declaration.declarant)
    return _lodging(declaration, who, key)


@router.post(
    "/declarations/batch",
    status_code=202,
    response_model=BatchResult,
    responses={
        202: {"model": BatchResult, "description": "A result for each, in order"},
        207: {"model": BatchResult, "description": "The same, when some were sent back"},
        **NO,
    },
    openapi_extra=BATCH_BODY,
    tags=["declarants"],
    summary="Lodge many declarations",
)
async def lodge_many(request: Request, _key: Key = None) -> Response:
    """Each is taken in or sent back on its own; the answer has a result for each, in order. 207 when some were sent back.

    The same batch again under its Idempotency-Key lodges nothing twice: each declaration has the key with its index.
    """
    desk, who = office(request), who_of(request)
    key = desk.asker.key(who.actor, key_of(request))
    async with json_body(request, desk.settings.batch_limit_bytes) as data:
        batch = await _admitted(desk, await desk.intake.parse(_batch, data, desk.settings, who, key))
        await desk.asker.ask_all(batch.good)
    return Response(batch.answer, 207 if batch.refused else 202, media_type="application/json")


async def _admitted(desk: Office, batch: "CheckedBatch") -> "CheckedBatch":
    """The batch without those declarations that name more containers than their declarant may on one day."""
    good, refused = list[Prepared](), dict[str, Problem]()
    for lodged in batch.good:
        problem = await desk.boxes.admit(lodged.declarant, lodged.boxes)
        if problem is None:
            good.append(lodged)
        else:
            refused[lodged.request.request_id] = problem
    if not refused:
        return batch
    answered = BatchResult.model_validate_json(batch.answer)
    for number, result in enumerate(answered.results):
        problem = refused.get(result.request_id or "")
        if problem is not None:
            details = problem.details()
            answered.results[number] = BatchItem(
                index=result.index,
                status_code=problem.status,
                reference=result.reference,
                code=problem.code,
                title=details.title,
                title_zh=details.title_zh,
            )
    answered.accepted, answered.refused = len(good), answered.refused + len(refused)
    return CheckedBatch(good, answered.refused, answered.model_dump_json(exclude_none=True).encode())


class CheckedBatch(NamedTuple):
    """The messages of a batch that can be sent, and the answer for when the broker has acknowledged all of them."""

    good: list[Prepared]
    refused: int
    answer: bytes


def _batch(data: bytes, settings: ConsoleSettings, who: Who, key: RequestKey) -> CheckedBatch:
    """Checks each declaration of the batch on its own."""
    items = declarations_of(data, settings.batch_separators)
    if items is None:
        raise _no_batch(strict_json(data, settings.body_separators))
    if len(items) > settings.batch_limit:
        raise Problem(422, "too_many", limit=settings.batch_limit, count=len(items))
    good, results, shown = list[Prepared](), list[BatchItem](), 0
    for index, item in enumerate(items):
        result, declaration = _check(index, item, settings.body_separators, min(SHOWN_ERRORS, SHOWN_IN_BATCH - shown))
        shown += len(result.errors)
        if declaration is not None and not who.of_own_company(declaration.declarant):
            result, declaration = _foreign(result, declaration.declarant), None
        results.append(result)
        if declaration is not None:
            lodged = _lodging(declaration, who, key.part(index))
            good.append(lodged)
            result.consignment_id, result.request_id = lodged.request.subject, lodged.request.request_id
            result.status = f"{API}/consignments/{lodged.request.subject}"
    refused = len(results) - len(good)
    answered = BatchResult(accepted=len(good), refused=refused, results=results)
    return CheckedBatch(good, refused, answered.model_dump_json(exclude_none=True).encode())


def _foreign(result: BatchItem, declarant: str) -> BatchItem:
    problem = Problem(403, "not_your_company", seen=declarant)
    details = problem.details()
    return BatchItem(
        index=result.index,
        status_code=problem.status,
        reference=result.reference,
        code=problem.code,
        title=details.title,
        title_zh=details.title_zh,
    )


def _no_batch(parsed: Any) -> Problem:
    """The problem of JSON that is neither a list of declarations nor an object with nothing but such a list."""
    try:
        _BatchShape.model_validate({"declarations": parsed} if isinstance(parsed, list) else parsed)
    except ValidationError as error:
        return invalid(error)
    return not_json("half a surrogate, or a key with escapes, which not every parser takes")


class _BatchShape(BaseModel):
    model_config = ConfigDict(extra="forbid", title="Batch")
    declarations: list[Any]


def _check(index: int, item: bytes, separators: int, shown: int) -> tuple[BatchItem, Declaration | None]:
    parsed, where = strict_json(item, separators), f"/declarations/{index}"
    reference = parsed.get("reference") if isinstance(parsed, dict) else ""
    named = reference[:35] if isinstance(reference, str) else ""
    if faults := long_lists(parsed, Declaration, where):
        return _sent_back(index, named, len(faults), faults[:shown]), None
    try:
        declaration = validated(Declaration, item)
    except ValidationError as error:
        refuse_not_json(error, f" ({where})")
        return _sent_back(index, named, error.error_count(), faults_of(error, where, shown)), None
    return BatchItem(index=index, status_code=202, reference=named), declaration


def _sent_back(index: int, reference: str, count: int, faults: list[FieldError]) -> BatchItem:
    title = both("problems.invalid.title")
    return BatchItem(
        index=index,
        status_code=422,
        reference=reference,
        code="invalid",
        title=title.en,
        title_zh=title.zh,
        faults=count,
        errors=[fault.model_dump() for fault in faults],
    )


def _lodging(declaration: Declaration, who: Who, key: RequestKey) -> Prepared:
    """The message that lodges it. Where the same declaration was lodged before, the desk's answer names the request that did."""
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
    """202 with links to the goods or container, and to the outcome of the request."""
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
    """The model of a request's body: its fields without those that come from the address, the account and the clock. `occurred_at` is
    optional, but for equipment events."""
    fields: dict[str, Any] = {
        name: (field.annotation if not field.metadata else Annotated[field.annotation, *field.metadata], field)
        for name, field in kind.model_fields.items()
        if name not in ("asked_by", "on_behalf_of", "occurred_at", *but)
    }
    if kind is RecordEquipmentEvent:
        fields["occurred_at"] = (Moment, Field(description="when it happened, RFC 3339 with offset"))
    else:
        fields["occurred_at"] = (Moment | None, Field(None, description="when it happened; default: now"))
    made: type[BaseModel] = create_model(f"{kind.__name__}Body", __base__=_Body, __doc__=kind.__doc__, **fields)
    return made


DEFINED: dict[str, Any] = {}
"""The schemas to which bodies of requests refer, for the OpenAPI document."""
ADDRESS: dict[type[envelope.Request], tuple[str, ...]] = {
    RecordGateOut: ("container_no",),
    RecordEquipmentEvent: ("container_no",),
    RetractEquipmentEvent: ("container_no", "report_id"),
    RecordContainerFinding: ("container_no",),
    StrikeLot: ("container_no",),
    RetractStrike: ("container_no",),
    PermitExit: ("container_no",),
    PlaceContainerHold: ("container_no",),
    LiftContainerHold: ("container_no", "hold_id"),
}
"""Requests about containers, and their fields that stand in the address."""
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
BODIES: dict[type[envelope.Request], type[BaseModel]] = {
    kind: _body_model(kind, *ADDRESS.get(kind, ("consignment_id",))) for kind in (*_ABOUT_GOODS, *ADDRESS)
}
"""The model of the body of each kind of request."""


def requested(
    kind: type[envelope.Request], fields: dict[str, Any], who: Who, key: RequestKey, declarant: str
) -> Prepared:
    """The message of a request with these fields, about goods of this declarant; Problem 422 where they are not valid."""
    given = {name: value for name, value in fields.items() if name != "occurred_at" or value is not None}
    try:
        request = kind.model_validate(
            {"occurred_at": now(), **given, "asked_by": who.actor, "on_behalf_of": who.behalf(kind, declarant)}
        )
    except ValidationError as error:
        raise invalid(error) from None
    if request.occurred_at > now() + envelope.FUTURE_SKEW:
        minutes = int(envelope.FUTURE_SKEW.total_seconds() // 60)
        raise one_fault("/occurred_at", "in_future", request.occurred_at.isoformat(), minutes=minutes)
    content, identity = None, None
    if (
        given.get("occurred_at") is not None
    ):  # a time that the sender told is content: under one key another time is another request
        content = encode(request.model_copy(update={"occurred_at": request.occurred_at.astimezone(UTC)}))
        identity = _identity(request)
    if identity is not None:
        return prepare(request, key.of_event(*identity), content, again=True)
    return replace(prepare(request, key, content), lot=_lot(request))


def _lot(request: envelope.Request) -> str:
    """The consignment that a request about a container names."""
    return request.consignment_id if isinstance(request, StrikeLot | RetractStrike | PermitExit) else ""


def _identity(request: envelope.Request) -> tuple[str, ...] | None:
    """The fields by which two reports of an equipment event from one sender are the same; None for other requests."""
    at = request.occurred_at.astimezone(UTC).isoformat()
    match request:
        case RecordEquipmentEvent():
            return (request.kind, request.container_no, request.event, request.classifier, at, request.replaces)
        case RecordGateOut():
            return (request.kind, request.container_no, at)
        case _:
            return None


async def ask(desk: Office, message: Prepared) -> RequestRow:
    """Sends it, unless it was sent under this key before; Problem 422 where the key was used for other content."""
    refused = await desk.boxes.admit(message.declarant, message.boxes)
    if refused is not None:
        raise refused
    before = await desk.asker.before(message.request) if message.again else None
    if before is not None and before.request_id != message.request.request_id:
        return before  # an older version sent it
    return await desk.asker.ask(message)


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


async def _taken(request: Request, kind: type[envelope.Request], **about: str) -> Response:
    desk = office(request)
    who = who_of(request)
    key = desk.asker.key(who.actor, key_of(request))
    declarant = await may_act(desk, who, kind, next(iter(about.values())))
    async with json_body(request, desk.settings.body_limit_bytes) as data:
        separators = desk.settings.body_separators
        message = await desk.intake.parse(_request, data, separators, kind, about, who, key, declarant)
        await may_name(desk, who, kind, message.lot)
        return answer(await ask(desk, message))


@router.post(
    "/consignments/{consignment_id}/withdrawal",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    openapi_extra=body_of(BODIES[WithdrawDeclaration]),
    tags=["declarants"],
    summary="Ask to take a declaration back",
)
async def withdraw(request: Request, consignment_id: OfConsignment, _key: Key = None) -> Response:
    """Only its declarant may, or its agent."""
    return await _taken(request, WithdrawDeclaration, consignment_id=consignment_id)


@router.post(
    "/consignments/{consignment_id}/findings",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    openapi_extra=body_of(BODIES[RecordFindings]),
    tags=["officers"],
    summary="Answer an ordered control",
)
async def findings(request: Request, consignment_id: OfConsignment, _key: Key = None) -> Response:
    """An officer's findings on the documents, the goods or the samples."""
    return await _taken(request, RecordFindings, consignment_id=consignment_id)


@router.post(
    "/consignments/{consignment_id}/findings/correction",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    openapi_extra=body_of(BODIES[CorrectFindings]),
    tags=["officers"],
    summary="Replace findings that were wrong",
)
async def correct_findings(request: Request, consignment_id: OfConsignment, _key: Key = None) -> Response:
    """The wrong answer is taken back and the right one given; goods that were released are called back first."""
    return await _taken(request, CorrectFindings, consignment_id=consignment_id)


@router.post(
    "/consignments/{consignment_id}/findings/retraction",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    openapi_extra=body_of(BODIES[RetractFindings]),
    tags=["officers"],
    summary="Take findings back that were wrong",
)
async def retract_findings(request: Request, consignment_id: OfConsignment, _key: Key = None) -> Response:
    """The control is open again; goods that were released or refused for it are held."""
    return await _taken(request, RetractFindings, consignment_id=consignment_id)


@router.post(
    "/consignments/{consignment_id}/treatments",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    openapi_extra=body_of(BODIES[RecordTreatment]),
    tags=["officers"],
    summary="Record a quarantine treatment",
)
async def treatment(request: Request, consignment_id: OfConsignment, _key: Key = None) -> Response:
    """A treatment unit's record with its readings; the desk refuses one without `started_at`."""
    return await _taken(request, RecordTreatment, consignment_id=consignment_id)


@router.post(
    "/consignments/{consignment_id}/treatment-decisions",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    openapi_extra=body_of(BODIES[DecideTreatment]),
    tags=["officers"],
    summary="Decide about goods for which no treatment is known",
)
async def treatment_decision(request: Request, consignment_id: OfConsignment, _key: Key = None) -> Response:
    """An officer's answer to `TreatmentReferred`: treat by named methods, let the goods pass, or refuse them."""
    return await _taken(request, DecideTreatment, consignment_id=consignment_id)


@router.post(
    "/consignments/{consignment_id}/treatments/correction",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    openapi_extra=body_of(BODIES[CorrectTreatment]),
    tags=["officers"],
    summary="Replace a treatment record that was wrong",
)
async def correct_treatment(request: Request, consignment_id: OfConsignment, _key: Key = None) -> Response:
    """The record that was judged last, whole and as it should have been; the desk judges again."""
    return await _taken(request, CorrectTreatment, consignment_id=consignment_id)


@router.post(
    "/consignments/{consignment_id}/treatments/retraction",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    openapi_extra=body_of(BODIES[RetractTreatment]),
    tags=["officers"],
    summary="Take a treatment record back that was wrong",
)
async def retract_treatment(request: Request, consignment_id: OfConsignment, _key: Key = None) -> Response:
    """Its attempt is in hand again; goods that were released or refused for it are held."""
    return await _taken(request, RetractTreatment, consignment_id=consignment_id)


@router.post(
    "/consignments/{consignment_id}/treatment-decisions/retraction",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    openapi_extra=body_of(BODIES[RetractTreatmentDecision]),
    tags=["officers"],
    summary="Take a decision about a treatment back",
)
async def retract_treatment_decision(request: Request, consignment_id: OfConsignment, _key: Key = None) -> Response:
    """What becomes of the goods is asked again; goods that were released or refused for it are held."""
    return await _taken(request, RetractTreatmentDecision, consignment_id=consignment_id)


@router.post(
    "/consignments/{consignment_id}/arrival",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    openapi_extra=body_of(BODIES[ReportArrival]),
    tags=["ports"],
    summary="Report the arrival",
)
async def arrival(request: Request, consignment_id: OfConsignment, _key: Key = None) -> Response:
    """Carrier or terminal: the goods are at this place."""
    return await _taken(request, ReportArrival, consignment_id=consignment_id)


@router.post(
    "/consignments/{consignment_id}/arrival/retraction",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    openapi_extra=body_of(BODIES[RetractArrival]),
    tags=["ports"],
    summary="Take a report of an arrival back",
)
async def retract_arrival(request: Request, consignment_id: OfConsignment, _key: Key = None) -> Response:
    """Only who told it may: the goods are not here. `wrong` is the id of the request with which it was told; released goods are called back.
    What a terminal told of a container is taken back there (`/containers/{container_no}/events/{report_id}/retraction`)."""
    return await _taken(request, RetractArrival, consignment_id=consignment_id)


@router.post(
    "/consignments/{consignment_id}/holds",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    openapi_extra=body_of(BODIES[PlaceHold]),
    tags=["officers"],
    summary="Hold the goods",
)
async def hold(request: Request, consignment_id: OfConsignment, _key: Key = None) -> Response:
    """Goods that were released already are called back."""
    return await _taken(request, PlaceHold, consignment_id=consignment_id)


@router.post(
    "/consignments/{consignment_id}/holds/lift",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    openapi_extra=body_of(BODIES[LiftHold]),
    tags=["officers"],
    summary="Lift an officer's hold",
)
async def lift(request: Request, consignment_id: OfConsignment, _key: Key = None) -> Response:
    """Only officers' holds are lifted so; the others by their own answer."""
    return await _taken(request, LiftHold, consignment_id=consignment_id)


@router.post(
    "/consignments/{consignment_id}/holds/lift/retraction",
    status_code=202,
    response_model=Taken,
    responses=OF_GOODS,
    openapi_extra=body_of(BODIES[RetractLift]),
    tags=["officers"],
    summary="Take the lifting of a hold back",
)
async def retract_lift(request: Request, consignment_id: OfConsignment, _key: Key = None) -> Response:
    """The hold stands again under its own id; goods that were released are called back first."""
    return await _taken(request, RetractLift, consignment_id=consignment_id)


@router.post(
    "/containers/{container_no}/gate-outs",
    status_code=202,
    response_model=Taken,
    responses=TAKEN,
    openapi_extra=body_of(BODIES[RecordGateOut]),
    tags=["ports"],
    summary="Report that a container left",
)
async def gate_out(request: Request, container_no: OfContainer, _key: Key = None) -> Response:
    """The container passed the gate outbound; one that was not released raises an alarm. An older name of an event `GTOT`."""
    return await _taken(request, RecordGateOut, container_no=plain(container_no))


@router.post(
    "/containers/{container_no}/events",
    status_code=202,
    response_model=Taken,
    responses=TAKEN,
    openapi_extra=body_of(BODIES[RecordEquipmentEvent]),
    tags=["ports"],
    summary="Report what happened to a container",
)
async def equipment_event(request: Request, container_no: OfContainer, _key: Key = None) -> Response:
    """Terminal or carrier. Without an Idempotency-Key a report is the same by sender, container, event, classifier, event time
    and `replaces`; other content under these is 422: correct a report by another one that `replaces` it."""
    return await _taken(request, RecordEquipmentEvent, container_no=plain(container_no))


@router.post(
    "/containers/{container_no}/events/{report_id}/retraction",
    status_code=202,
    response_model=Taken,
    responses=TAKEN,
    openapi_extra=body_of(BODIES[RetractEquipmentEvent]),
    tags=["ports"],
    summary="Take a report back",
)
async def retraction(request: Request, container_no: OfContainer, report_id: OfReport, _key: Key = None) -> Response:
    """Only who told it may: the event did not happen. `report_id` is the id of the request with which it was told."""
    return await _taken(request, RetractEquipmentEvent, container_no=plain(container_no), report_id=report_id)


@router.post(
    "/containers/{container_no}/findings",
    status_code=202,
    response_model=Taken,
    responses=TAKEN,
    openapi_extra=body_of(BODIES[RecordContainerFinding]),
    tags=["officers"],
    summary="Record where a container was found",
)
async def container_finding(request: Request, container_no: OfContainer, _key: Key = None) -> Response:
    """An officer saw it inside or outside of the controlled area: that settles alarms that block."""
    return await _taken(request, RecordContainerFinding, container_no=plain(container_no))


@router.post(
    "/containers/{container_no}/strikes",
    status_code=202,
    response_model=Taken,
    responses=TAKEN,
    openapi_extra=body_of(BODIES[StrikeLot]),
    tags=["officers"],
    summary="Take a consignment off a container",
)
async def strike(request: Request, container_no: OfContainer, _key: Key = None) -> Response:
    """An officer: it is not in it, whatever its declaration says."""
    return await _taken(request, StrikeLot, container_no=plain(container_no))


@router.post(
    "/containers/{container_no}/strikes/retraction",
    status_code=202,
    response_model=Taken,
    responses=TAKEN,
    openapi_extra=body_of(BODIES[RetractStrike]),
    tags=["officers"],
    summary="Take a strike back",
)
async def retract_strike(request: Request, container_no: OfContainer, _key: Key = None) -> Response:
    """An officer: the consignment may be in it after all. From the 202 on the gate's answer is no until the gate desk has decided."""
    return await _taken(request, RetractStrike, container_no=plain(container_no))


@router.post(
    "/containers/{container_no}/permits",
    status_code=202,
    response_model=Taken,
    responses=TAKEN,
    openapi_extra=body_of(BODIES[PermitExit]),
    tags=["officers"],
    summary="Let a consignment out without an import release",
)
async def permit(request: Request, container_no: OfContainer, _key: Key = None) -> Response:
    """An officer: a cancelled export, or goods to be returned or destroyed, may pass the land gate in this visit."""
    return await _taken(request, PermitExit, container_no=plain(container_no))


@router.post(
    "/containers/{container_no}/holds",
    status_code=202,
    response_model=Taken,
    responses=TAKEN,
    openapi_extra=body_of(BODIES[PlaceContainerHold]),
    tags=["officers"],
    summary="Hold a container",
)
async def hold_container(request: Request, container_no: OfContainer, _key: Key = None) -> Response:
    """Whatever is in it and however often it comes back, until the hold is lifted. From the 202 on the gate's answer is no."""
    return await _taken(request, PlaceContainerHold, container_no=plain(container_no))


@router.post(
    "/containers/{container_no}/holds/{hold_id}/lift",
    status_code=202,
    response_model=Taken,
    responses=TAKEN,
    openapi_extra=body_of(BODIES[LiftContainerHold]),
    tags=["officers"],
    summary="Lift a hold on a container",
)
async def lift_container(request: Request, container_no: OfContainer, hold_id: OfReport, _key: Key = None) -> Response:
    """An officer. `hold_id` stands in the gate's answer."""
    return await _taken(request, LiftContainerHold, container_no=plain(container_no), hold_id=hold_id)
