"""How does a route take JSON? The route gets a `JsonBody`, by which it reads the body itself. The OpenAPI document gets
the schema of the body's model."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, TypeVarTuple

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.routing import BaseRoute

from services.console.api.bodies import json_body
from services.console.api.context import context_of

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
REFERENCE = "#/components/schemas/{model}"


class JsonBody:
    """The body of one request. Its route reads it after the sender was authenticated and authorised.

    A route cannot simply have a model as its parameter. FastAPI reads the body of such a route before any dependency runs, and therefore
    before authentication. FastAPI also reads the whole body, however large, takes the last of two equal keys, and validates on the event
    loop.
    """

    def __init__(self, request: Request) -> None:
        self.request = request

    @asynccontextmanager
    async def parsed(self, limit_bytes: int, function: Callable[[bytes, *Ts], T], *more: *Ts) -> AsyncIterator[T]:
        """Reads the body as `data`, lets `LargeBodies.parse` call `function(data, *more)`, and yields the result.
        `limit_bytes`: the most bytes of the body. A large body counts in the limit of large bodies until the `with`
        block ends. Raises the problems of `json_body` and of the function."""
        async with json_body(self.request, limit_bytes) as data:
            yield await context_of(self.request).intake.parse(function, data, *more)


@dataclass(frozen=True)
class TakesJson:
    """A dependency of a `JsonRoute` that takes JSON of this model as its body. `named`: whether the schema of the model is a component of the
    OpenAPI document, because the schema of another body refers to it. If not, the schema is written at the route."""

    model: type[BaseModel]
    named: bool = False

    async def __call__(self, request: Request) -> JsonBody:
        return JsonBody(request)


def json_of(model: type[BaseModel], named: bool = False) -> Any:
    """Returns the dependency for a `JsonBody` parameter of a route. The arguments are those of `TakesJson`."""
    return Depends(TakesJson(model, named))


class JsonRoute(APIRoute):
    """A route that documents the JSON body which it takes through `json_of`. `components`: by name, the schemas to which the schema of the
    body refers. They must be added to the document, because FastAPI adds only the schemas of bodies that it reads itself."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        super().__init__(path, endpoint, **more)
        self.components: dict[str, Any] = {}
        for body in [each.call for each in self.dependant.dependencies if isinstance(each.call, TakesJson)]:
            schema = body.model.model_json_schema(ref_template=REFERENCE)
            self.components = schema.pop("$defs", {})
            for each in (schema, *self.components.values()):
                _allow_nulls(each)
            if body.named:
                name = body.model.__name__
                self.components[name], schema = schema, {"$ref": REFERENCE.format(model=name)}
            content = {"application/json": {"schema": schema}}
            self.openapi_extra = {"requestBody": {"required": True, "content": content}}


ABOUT = ("title", "description", "default", "examples", "x-description-zh")
"""Keywords of a JSON schema that describe a value and do not restrict it."""


def _allow_nulls(schema: dict[str, Any]) -> None:
    """Adds null to what each optional field of this object may be, because `services.console.api.nulls` accepts it in bodies."""
    for name, field in schema.get("properties", {}).items():
        if name in schema.get("required", ()) or any(each.get("type") == "null" for each in field.get("anyOf", ())):
            continue
        limits = {keyword: field.pop(keyword) for keyword in list(field) if keyword not in ABOUT}
        field["anyOf"] = [*limits.pop("anyOf", [limits]), {"type": "null"}]


def components(routes: list[BaseRoute]) -> dict[str, Any]:
    """Returns name → schema, for each schema to which the bodies of these routes refer."""
    found: dict[str, Any] = {}
    for route in routes:
        if isinstance(route, JsonRoute):
            found |= route.components
    return found
