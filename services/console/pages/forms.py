"""What may people send from a page? Each form becomes a request that the API also takes, and that a desk answers."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl, quote

import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response

from schemas import envelope
from schemas.declaration import Declaration, DeclarationAccepted, DeclarationRejected, Finding, WithdrawDeclaration
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
from schemas.inspection import CorrectFindings, FindingsResult, RecordFindings, RetractFindings
from schemas.quarantine import (
    FIRST_PLACE,
    MOST_READINGS,
    DecideTreatment,
    RecordTreatment,
    RetractTreatment,
    RetractTreatmentDecision,
)
from schemas.release import LiftHold, PlaceHold, ReportArrival, RetractArrival, RetractLift
from schemas.vocabulary import TreatmentDecision
from services.console.access.readings import note_told
from services.console.access.rights import EVERY_COMPANY, Who
from services.console.api import answers
from services.console.api.authentication import check_form
from services.console.api.bodies import body, media_type
from services.console.api.context import ConsoleContext, context_of, visitor, who_of
from services.console.api.documents import content, entries
from services.console.api.goods_access import may_act, may_name, may_read
from services.console.api.problems import FieldError, Problem, field_error, one_fault
from services.console.api.request_producer import RequestKey
from services.console.api.requests import LONGEST_KEY, ask, lodgement, requested
from services.console.pages.board_and_goods import DECISION_BYTES, Name, consignment_page, container_page
from services.console.pages.decisions import decision_summary
from services.console.pages.formatting import BEIJING
from services.console.pages.rendering import FOLDER, render
from services.console.readmodel.consignment import plain
from services.shell.clock import now

router = APIRouter(include_in_schema=False)
EXAMPLE = (FOLDER / "example.json").read_text(encoding="utf-8")
EXAMPLE_DECLARANT = str(Declaration.model_validate_json(EXAMPLE).declarant)
Typed = dict[str, str]
FORM = "application/x-www-form-urlencoded"
_WRITTEN_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
"""Matches a time as a `datetime-local` field of a browser sends it, or as a person writes it. The UTC offset may be
missing."""
FIELDS = 200
"""The most fields of one form."""


async def form(request: Request) -> Typed:
    """Returns the fields of a form, by name. Raises Problem 415 if the body is not a form, 413 if it is too large,
    400 if it is not UTF-8 or has more than `FIELDS` fields, and 403 if the form belongs to another session."""
    if media_type(request) != FORM:
        raise Problem(415, "not_form_type", seen=media_type(request)[:100] or "—")
    context = context_of(request)
    async with body(request, context.settings.body_limit_bytes) as data:
        typed = await context.intake.parse(_fields, data)
    check_form(visitor(request), typed.pop("csrf", ""))
    return typed


def _fields(data: bytes) -> Typed:
    try:
        pairs = parse_qsl(data.decode(), keep_blank_values=True, max_num_fields=FIELDS, errors="strict")
    except ValueError as error:
        raise Problem(400, "other", seen=str(error)[:200]) from None
    # each NUL is replaced, because PostgreSQL cannot store NUL in a text
    return {name: value.replace("\0", "\ufffd").strip() for name, value in pairs}


Form = Annotated[Typed, Depends(form)]


def _findings(typed: Typed) -> dict[str, Any]:
    if typed.get("result") == FindingsResult.PEST and not typed.get("pest"):
        raise one_fault("/pest", "missing")
    return {name: typed.get(name, "") for name in ("control", "result", "pest", "remarks")}


def _recorded(typed: Typed) -> dict[str, Any]:
    return {**_findings(typed), "revision": typed.get("revision") or 0}


def _corrected(typed: Typed) -> dict[str, Any]:
    return {**_findings(typed), **{name: typed.get(name, "") for name in ("wrong", "reason")}}


def _treatment(typed: Typed) -> dict[str, Any]:
    origin, _, attempt = typed.get("order", "").rpartition("/")
    return {
        "origin": origin,
        "attempt": attempt,
        "method": typed.get("method", ""),
        "unit_class": typed.get("unit_class", ""),
        "dose_g_m3": typed.get("dose_g_m3") or None,
        "residue_ppm": typed.get("residue_ppm") or None,
        "started_at": moment("started_at", typed.get("started_at", "")),
        "readings": _readings(typed.get("readings", "")),
    }


def moment(name: str, typed: str) -> str | None:
    """Returns the time that a browser or a person has written (at least date, hour and minute) with its offset; None if
    `typed` is empty. A time without an offset is Beijing time. Raises Problem 422 if the text has another form. Other
    forms of ISO 8601 (a date alone, a week, digits without separators) are refused, because they are too easily read as
    another time."""
    if not typed:
        return None
    try:
        parsed = datetime.fromisoformat(typed) if _WRITTEN_TIME.fullmatch(typed) else None
    except ValueError:
        parsed = None
    if parsed is None:
        raise one_fault(f"/{name}", "datetime_parsing", typed)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=BEIJING)).isoformat()


def _decision(typed: Typed) -> dict[str, Any]:
    method = typed.get("method") if typed.get("decision") == TreatmentDecision.TREAT else ""
    return {
        **{name: typed.get(name, "") for name in ("origin", "decision", "reason")},
        "goods": typed.get("goods") or None if method else None,
        "methods": [method] if method else [],
        **{name: typed.get(name) or 0 for name in ("finding", "revision")},
    }


def _readings(typed: str) -> list[dict[str, str | None]]:
    readings: list[dict[str, str | None]] = []
    faults: list[FieldError] = []
    lines = typed.splitlines()
    if len(lines) > MOST_READINGS:
        raise one_fault("/readings", "too_long", max_length=MOST_READINGS)
    for number, line in enumerate(lines, 1):
        cells = [cell.strip() for cell in line.replace("，", ",").split(",")]
        if not line.strip():
            continue
        if len(cells) not in (2, 3, 4):
            # the pointer has the number of the reading, counted from 0 without empty lines, as in every other fault of a reading
            faults.append(field_error(f"/readings/{len(readings) + len(faults)}", "bad_readings", line, line=number))
            continue
        gas = cells[2] if len(cells) > 2 and cells[2] else None
        sampling_place = cells[3] if len(cells) > 3 and cells[3] else FIRST_PLACE
        readings.append(
            {"hours": cells[0], "temperature_c": cells[1], "concentration_g_m3": gas, "place": sampling_place}
        )
    if faults:
        raise Problem(422, "invalid", errors=faults, count=len(faults))
    return readings


def _only(*names: str) -> Callable[[Typed], dict[str, Any]]:
    return lambda typed: {name: typed.get(name, "") for name in names}


def _when(typed: Typed) -> dict[str, Any]:
    return {"occurred_at": moment("occurred_at", typed.get("occurred_at", ""))}


def _arrival(typed: Typed) -> dict[str, Any]:
    values = {"place": typed.get("place", ""), "containers": _boxes(typed, "containers")}
    return {**values, "pieces": typed.get("pieces") or None}


def _boxes(typed: Typed, name: str) -> list[str]:
    """Returns the container numbers in a field, in which blanks or commas separate them."""
    return [plain(number) for number in typed.get(name, "").replace(",", " ").replace("，", " ").split()]


def _event(typed: Typed) -> dict[str, Any]:
    if not typed.get("occurred_at"):
        raise one_fault("/occurred_at", "missing")
    laden = {"true": True, "false": False}.get(typed.get("laden", ""))
    names = ("event", "place", "conveyance", "to", "replaces")
    values = {name: typed.get(name, "") for name in names}
    others = {name: _boxes(typed, name) for name in ("sources", "targets")}
    return {**values, **others, "classifier": typed.get("classifier") or "ACT", "laden": laden, **_when(typed)}


def _container_finding(typed: Typed) -> dict[str, Any]:
    values = {name: typed.get(name, "") for name in ("found", "reason")}
    return {**values, "lots": typed.get("lots") or None, **_when(typed)}


def _permit(typed: Typed) -> dict[str, Any]:
    """Returns the fields of a permit. In the form, `consignment_id` holds the id, a blank, and the version of the release desk's statement that
    the page showed."""
    name, _, version = typed.get("consignment_id", "").partition(" ")
    return {"consignment_id": name, "version": version or None, **_only("ground", "reason")(typed)}


ACTS: dict[str, tuple[type[envelope.Request], Callable[[Typed], dict[str, Any]]]] = {
    "findings": (RecordFindings, _recorded),
    "correct-findings": (CorrectFindings, _corrected),
    "retract-findings": (RetractFindings, _only("control", "wrong", "reason")),
    "treatment": (RecordTreatment, _treatment),
    "treatment-decision": (DecideTreatment, _decision),
    "retract-treatment": (RetractTreatment, _only("origin", "wrong", "reason")),
    "retract-decision": (RetractTreatmentDecision, _only("origin", "wrong", "reason")),
    "arrival": (ReportArrival, _arrival),
    "retract-arrival": (RetractArrival, _only("wrong", "reason")),
    "hold": (PlaceHold, _only("reason")),
    "lift": (LiftHold, _only("hold_id", "reason")),
    "retract-lift": (RetractLift, _only("wrong", "reason")),
    "withdraw": (WithdrawDeclaration, _only("reason")),
}
"""Name of a form on the page of a consignment → the kind of request that it becomes, and the function that makes the fields of the request."""
BOX_ACTS: dict[str, tuple[type[envelope.Request], Callable[[Typed], dict[str, Any]]]] = {
    "event": (RecordEquipmentEvent, _event),
    "retract": (RetractEquipmentEvent, _only("report_id", "reason")),
    "finding": (RecordContainerFinding, _container_finding),
    "retract-finding": (RetractContainerFinding, _only("wrong", "reason")),
    "strike": (StrikeLot, _only("consignment_id", "reason")),
    "retract-strike": (RetractStrike, _only("consignment_id", "reason")),
    "permit": (PermitExit, _permit),
    "hold": (PlaceContainerHold, _only("reason")),
    "lift": (LiftContainerHold, _only("hold_id", "reason")),
    "gate-out": (RecordGateOut, lambda typed: {"gate": typed.get("gate", ""), **_when(typed)}),
}
"""The same as `ACTS`, for the forms on the page of a container."""


def _name(typed: Typed, field: str, longest: int) -> str:
    """Returns the text of a visible or hidden field. Raises Problem 422 if it is too long or has characters that cannot be printed."""
    name = typed.get(field, "")
    if len(name) > longest or not name.isprintable():
        raise one_fault(f"/{field}", "string_too_long", name, max_length=longest)
    return name


def key_typed(context: ConsoleContext, who: Who, typed: Typed) -> RequestKey:
    """Returns the key of the request that a form sends. The page puts an idempotency key into the form. So a second click sends the same
    request, and the form of a page that is loaded later sends another one."""
    return context.asker.key(who.actor, _name(typed, "key", LONGEST_KEY))


@router.post("/consignments/{consignment_id}/act/{act}")
async def act(request: Request, consignment_id: str, act: str, typed: Form) -> Response:
    """Sends the request of a form on the page of a consignment, and redirects to that page, which shows what became of
    the request. `act`: the name of the form, a key of `ACTS`."""
    if act not in ACTS:
        raise Problem(404, "no_such_path", seen=request.url.path)
    kind, fields = ACTS[act]
    context, who = context_of(request), who_of(request)
    declarant = await may_act(context, who, kind, consignment_id)
    try:
        values = {"consignment_id": consignment_id, **fields(typed)}
        sent = await ask(context, requested(kind, values, who, key_typed(context, who, typed), declarant))
    except Problem as problem:
        return await run_in_threadpool(
            consignment_page, request, consignment_id, problem=problem, typed={**typed, "act": act}
        )
    return RedirectResponse(f"/consignments/{quote(consignment_id)}?asked={sent.request_id}", 303)


@router.post("/containers/{container_no}/act/{act}")
async def act_on_box(request: Request, container_no: str, act: str, typed: Form) -> Response:
    """Sends the request of a form on the page of a container, and redirects to that page, which shows what became of
    the request. `act`: the name of the form, a key of `BOX_ACTS`."""
    if act not in BOX_ACTS:
        raise Problem(404, "no_such_path", seen=request.url.path)
    number, (kind, fields) = plain(container_no), BOX_ACTS[act]
    context, who = context_of(request), who_of(request)
    declarant = await may_act(context, who, kind, number)
    try:
        values = {"container_no": number, **fields(typed)}
        message = requested(kind, values, who, key_typed(context, who, typed), declarant)
        await may_name(context, who, kind, message.named)
        sent = await ask(context, message)
    except Problem as problem:
        return await run_in_threadpool(container_page, request, number, problem=problem, typed={**typed, "act": act})
    return RedirectResponse(f"/containers/{quote(number)}?asked={sent.request_id}", 303)


@router.get("/lodge")
def lodge_page(request: Request, again: Name = "") -> Response:
    """Shows the page with the form to lodge a declaration. If `again` is the id of a consignment, the form contains the
    declaration of that consignment, so that a person can correct it. Otherwise the form contains an example with a new
    reference."""
    if again:
        paper, findings = _decided(request, again)
        return _lodge_page(request, paper, again=again, findings=findings)
    example = EXAMPLE.replace("DEMO-0001", f"DEMO-{now():%y%m%d-%H%M%S}")
    own = who_of(request).company
    if own not in ("", EVERY_COMPANY):
        example = example.replace(f'"declarant": "{EXAMPLE_DECLARANT}"', f'"declarant": "{own}"')
    return _lodge_page(request, example)


def _decided(request: Request, consignment_id: str) -> tuple[str, Sequence[Finding]]:
    """Returns the declaration of these goods that the declaration desk accepted or rejected last, as JSON that can be
    lodged again; and the findings for which the desk rejected that declaration (empty if it accepted it). Raises
    Problem 404 if no declaration of the goods can be read."""
    context, who = context_of(request), who_of(request)
    if may_read(context, who, consignment_id):
        facts = [fact for fact in answers.timeline_rows(context, consignment_id)[0] if fact.kind in _DECIDED][-1:]
        for text in context.rows.bodies([fact.place for fact in facts]).values():
            paper = (content(text) or {}).get("declaration")
            if isinstance(paper, dict):
                note_told(request, consignment_id)
                return orjson.dumps(paper, option=orjson.OPT_INDENT_2).decode(), _why_rejected(context, who, facts)
    raise Problem(404, "no_such_path", seen=request.url.path)


def _why_rejected(context: ConsoleContext, who: Who, facts: Sequence[Any]) -> Sequence[Finding]:
    """Returns the findings of the rejection in these rows, as `who` may read them; empty if there is none."""
    read = entries(context.rows, facts, facts[0].key, who.audience(), DECISION_BYTES, DECISION_BYTES)
    declared = decision_summary(read, who.audience()).declared
    return declared.fact.findings if declared and isinstance(declared.fact, DeclarationRejected) else ()


_DECIDED = frozenset({DeclarationAccepted.kind, DeclarationRejected.kind})


def _lodge_page(
    request: Request, body: str, problem: Problem | None = None, again: str = "", findings: Sequence[Finding] = ()
) -> Response:
    return render(
        request,
        "lodge.html",
        problem.status if problem else 200,
        body=body,
        again=again,
        findings=findings,
        problem=problem.details() if problem else None,
        base=str(request.base_url).rstrip("/"),
    )


def _sent_back(request: Request, paper: str, problem: Problem, again: str) -> Response:
    """Returns the page with the form and the declaration `paper`, which was refused because of `problem`. `again`: as
    in `lodge_page`; if the declaration of that consignment can be read, the findings for which it was rejected are
    shown again."""
    findings: Sequence[Finding] = ()
    try:
        _, findings = _decided(request, again) if again else ("", ())
    except Problem:
        again = ""
    return _lodge_page(request, paper, problem, again, findings)


@router.post("/lodge")
async def lodge(request: Request, typed: Form) -> Response:
    """Takes in the declaration of the form, and redirects to the page of its consignment. If the declaration has
    faults, shows the form again with the text that was typed and with the faults."""
    context, who, paper = context_of(request), who_of(request), typed.get("body", "")
    try:
        key = key_typed(context, who, typed)
        lodged = await context.intake.parse(lodgement, paper.encode(), context.settings.body_separators, who, key)
        sent = await ask(context, lodged)
    except Problem as problem:
        return await run_in_threadpool(_sent_back, request, paper, problem, typed.get("again", ""))
    return RedirectResponse(f"/consignments/{sent.subject}?asked={sent.request_id}", 303)
