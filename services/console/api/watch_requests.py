"""How do officers watch a bill or a declarant over HTTP? These routes call `watches`, which places and lifts the watch."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict

from schemas.declaration import BillNo, Declarant
from schemas.vocabulary import Reason, plain_word
from services.console.api.answers import READ
from services.console.api.bodies import read
from services.console.api.context import ConsoleContext, context_of, who_of
from services.console.api.documents import API, projection, when
from services.console.api.json_body import JsonBody, JsonRoute, json_of
from services.console.api.problems import documented, one_fault
from services.console.api.request_producer import RequestKey
from services.console.api.requests import NO, Key, OfReport, key_of
from services.console.api.views import Watch, Watches, WatchTaken
from services.console.api.watches import MOST_LISTED
from services.console.readmodel.queries import WatchRow

router = APIRouter(prefix=API, route_class=JsonRoute)
TAKEN: dict[int | str, dict[str, Any]] = {
    202: {
        "model": WatchTaken,
        "description": "Every partition has confirmed it, and a request was sent for each known consignment",
    },
    **NO,
    **documented(
        (404, "No such watch is known"),
        (409, "The greatest number of watches is open already"),
        (
            503,
            "Not every partition has confirmed it. Send it again with the same Idempotency-Key to complete it. `Retry-After` in seconds",
        ),
    ),
}


class PlaceWatchBody(BaseModel):
    """The bill or the declarant that is watched (one of the two), and why."""

    model_config = ConfigDict(extra="forbid")
    bill_no: BillNo = ""
    declarant: Declarant = ""
    reason: Reason


class LiftWatchBody(BaseModel):
    """The reason why the watch is lifted."""

    model_config = ConfigDict(extra="forbid")
    reason: Reason


@router.post(
    "/watches",
    status_code=202,
    response_model=WatchTaken,
    responses=TAKEN,
    tags=["officers"],
    summary="Watch a bill or a declarant",
    # the operation id in the API's document is made from this name
    name="place",
)
async def post_watch(
    request: Request, body: Annotated[JsonBody, json_of(PlaceWatchBody)], _key: Key = None
) -> Response:
    """Places a watch. All goods are held that are declared under the bill (only letters and digits are compared, and
    case does not matter), or by the declarant (USCC), at any time and under any reference. From the answer 202 on, the
    gate's answer is no for goods that match."""
    context, actor = context_of(request), who_of(request).actor
    key = context.asker.key(actor, key_of(request))
    limit, separators = context.settings.body_limit_bytes, context.settings.body_separators
    async with body.parsed(limit, read, PlaceWatchBody, separators) as watch:
        watch_id, held = await place_watch(context, watch, actor, key)
    return _taken(context, watch_id, held)


async def place_watch(context: ConsoleContext, body: PlaceWatchBody, actor: str, key: RequestKey) -> tuple[str, int]:
    """Places the watch. Returns its id, and on how many known consignments it requested a hold. Raises Problem 422 unless exactly one of
    bill and declarant is given."""
    named = [name for name in ("bill_no", "declarant") if plain_word(getattr(body, name))]
    if len(named) != 1 or (body.bill_no and body.declarant):
        raise one_fault("/bill_no", "one_of_two", f"{body.bill_no} {body.declarant}")
    return await context.watches.place_watch(body.bill_no, body.declarant, body.reason, actor, key)


@router.post(
    "/watches/{watch_id}/lift",
    status_code=202,
    response_model=WatchTaken,
    responses=TAKEN,
    tags=["officers"],
    summary="Lift a watch",
)
async def lift(
    request: Request, watch_id: OfReport, body: Annotated[JsonBody, json_of(LiftWatchBody)], _key: Key = None
) -> Response:
    """Lifts a watch. The watch places no further holds, and the holds that it placed are lifted."""
    context, actor = context_of(request), who_of(request).actor
    key = context.asker.key(actor, key_of(request))
    limit, separators = context.settings.body_limit_bytes, context.settings.body_separators
    async with body.parsed(limit, read, LiftWatchBody, separators) as end:
        consignments = await context.watches.lift(watch_id, end.reason, actor, key)
    return _taken(context, watch_id, consignments)


def _taken(context: ConsoleContext, watch_id: str, consignments: int) -> Response:
    status = f"{API}/watches"
    taken = WatchTaken(
        watch_id=watch_id, partitions=context.watches.partitions, consignments=consignments, status=status
    )
    return JSONResponse(taken.model_dump(), 202, headers={"Location": status})


@router.get(
    "/watches", response_model=Watches, responses=READ, tags=["officers"], summary="Watches on bills and declarants"
)
def listed(request: Request) -> Watches:
    """Lists the watches, at most a thousand. Open watches come first, and among them the latest."""
    context = context_of(request)
    shown = [view(row, context.watches.partitions) for row in context.rows.watches(MOST_LISTED)]
    return Watches(watches=shown, projection=projection(context.standing()))


def view(row: WatchRow, partitions: int) -> Watch:
    """Returns a watch as a document of the API. `partitions`: how many partitions the release desk has."""
    state = "lifted" if row.lifted_us is not None else "open" if row.placed >= partitions else "incomplete"
    return Watch(
        watch_id=row.watch_id,
        bill_no=row.bill_no,
        declarant=row.declarant,
        reason=row.reason,
        placed_by=row.asked_by,
        placed_at=when(row.asked_us),
        state=state,
        partitions=partitions,
        placed_in=row.placed,
        lifted_in=row.lifted,
        lifted_by=row.lifted_by,
        lifted_at=when(row.lifted_us),
        lift_reason=row.lift_reason,
    )
