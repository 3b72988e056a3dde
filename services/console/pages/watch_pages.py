"""How do officers watch a bill or a declarant from a page? The forms call the same functions as the API (`watch_requests`)."""

from typing import TypeVar

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ValidationError

from services.console.access.readings import note_told
from services.console.api.context import context_of, who_of
from services.console.api.problems import Problem, invalid
from services.console.api.watch_requests import LiftWatchBody, PlaceWatchBody, place_watch, view
from services.console.api.watches import MOST_LISTED
from services.console.pages.forms import Form, Typed, key_typed
from services.console.pages.rendering import render

pages = APIRouter(include_in_schema=False)
B = TypeVar("B", bound=BaseModel)


def _valid(model: type[B], fields: dict[str, str]) -> B:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise invalid(error) from None


@pages.get("/watches")
def page(request: Request) -> Response:
    return watches_page(request)


def watches_page(request: Request, problem: Problem | None = None, typed: Typed | None = None) -> Response:
    """Returns the page with the open and the lifted watches, and with the forms to place and to lift one. `problem` and
    `typed`: what was wrong with a form, and its fields."""
    context = context_of(request)
    note_told(request, "/watches")
    return render(
        request,
        "watches.html",
        problem.status if problem else 200,
        here="/watches" if problem else "",
        page="/watches",
        watches=[view(row, context.watches.partitions) for row in context.rows.watches(MOST_LISTED)],
        problem=problem.details() if problem else None,
        forms=who_of(request).forms("watches"),
        typed=typed or {},
    )


@pages.post("/watches/act/place")
async def place_form(request: Request, typed: Form) -> Response:
    """Places the watch of the form, and redirects to the page of watches."""
    context, who = context_of(request), who_of(request)
    fields = {name: typed.get(name, "") for name in PlaceWatchBody.model_fields}
    try:
        await place_watch(context, _valid(PlaceWatchBody, fields), who.actor, key_typed(context, who, typed))
    except Problem as problem:
        return await run_in_threadpool(watches_page, request, problem, {**typed, "act": "place"})
    return RedirectResponse("/watches", 303)


@pages.post("/watches/act/lift")
async def lift_form(request: Request, typed: Form) -> Response:
    """Lifts the watch of the form, and redirects to the page of watches."""
    context, who = context_of(request), who_of(request)
    try:
        body = _valid(LiftWatchBody, {"reason": typed.get("reason", "")})
        await context.watches.lift(typed.get("watch_id", ""), body.reason, who.actor, key_typed(context, who, typed))
    except Problem as problem:
        return await run_in_threadpool(watches_page, request, problem, {**typed, "act": "lift"})
    return RedirectResponse("/watches", 303)
