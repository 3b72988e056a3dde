"""How does a route take JSON? It depends on a body that is not read yet; the API's document has the schema of its model."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, TypeVarTuple

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.routing import BaseRoute

from services.console.api.bodies import json_body
from services.console.api.context import office

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
REFERENCE = "#/components/schemas/{model}"


class JsonBody:
    """The body of one request, which its route reads when it is known who asks and that he may.

    A body that stands as a model in the signature of a route is read by FastAPI before any dependency runs, so also of somebody who has
    not proved who he is; whole, however large it is; with the last of two equal keys; and it is validated on the event loop.
    """

    def __init__(self, request: Request) -> None:
        self.request = request

    @asynccontextmanager
    async def parsed(self, limit_bytes: int, function: Callable[[bytes, *Ts], T], *more: *Ts) -> AsyncIterator[T]:
        """What `function(data, *more)` makes of the body, see `LargeBodies.parse`; a large body is counted until the block ends. Problem as of
        `json_body`, and those of the function."""
        async with json_body(self.request, limit_bytes) as data:
            yield await office(self.request).intake.parse(function, data, *more)


@dataclass(frozen=True)
class TakesJson:
    """A dependency of a `JsonRoute`: its body is JSON of this model. `named`: its schema stands among the components of the API's document,
    because that of another body refers to it; else it stands at the route."""

    model: type[BaseModel]
    named: bool = False

    async def __call__(self, request: Request) -> JsonBody:
        return JsonBody(request)


def json_of(model: type[BaseModel], named: bool = False) -> Any:
    """Stands with `JsonBody` in the signature of a route."""
    return Depends(TakesJson(model, named))


class JsonRoute(APIRoute):
    """A route that documents the JSON body on which it depends. `components`: the schemas to which that of the body refers, by name; FastAPI
    adds only those of the bodies that it reads itself."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        super().__init__(path, endpoint, **more)
        self.components: dict[str, Any] = {}
        for body in [each.call for each in self.dependant.dependencies if isinstance(each.call, TakesJson)]:
            schema = body.model.model_json_schema(ref_template=REFERENCE)
            self.components = schema.pop("$defs", {})
            if body.named:
                name = body.model.__name__
                self.components[name], schema = schema, {"$ref": REFERENCE.format(model=name)}
            content = {"application/json": {"schema": schema}}
            self.openapi_extra = {"requestBody": {"required": True, "content": content}}


def components(routes: list[BaseRoute]) -> dict[str, Any]:
    """The schemas to which those of the bodies of these routes refer, by name."""
    found: dict[str, Any] = {}
    for route in routes:
        if isinstance(route, JsonRoute):
            found |= route.components
    return found
