"""Is the body that came one that we can read? Size, type, JSON, duplicate keys, then the shape, each with its own answer."""

import json
from typing import Any, NoReturn, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from services.console.problems import Problem, field_error, field_errors

M = TypeVar("M", bound=BaseModel)


async def body(request: Request, limit: int) -> bytes:
    """The body; Problem 415 or 413 before more than `limit` bytes were taken in."""
    kind = request.headers.get("content-type", "application/json").split(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise Problem(415, "not_json_type", seen=kind[:100])
    said = request.headers.get("content-length", "")
    if said.isdigit() and int(said) > limit:
        raise Problem(413, "too_large", limit=limit, headers={"Connection": "close"})
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > limit:
            raise Problem(413, "too_large", limit=limit, headers={"Connection": "close"})
    return bytes(data)


def strict_json(data: bytes) -> Any:
    """Refuses what JSON parsers pass over in silence: a key said twice, NaN, and nesting without end."""
    try:
        return json.loads(data, object_pairs_hook=_once, parse_constant=_no_constant, parse_float=str, parse_int=str)
    except _Twice as twice:
        raise Problem(
            400, "duplicate_key", seen=twice.args[0], errors=[field_error("", "duplicate_key", twice.args[0])]
        ) from None
    except (ValueError, RecursionError) as error:
        where = f"{error}" if isinstance(error, ValueError) else "nested too deeply"
        raise Problem(400, "not_json", seen=where[:200]) from None


def read(model: type[M], data: bytes) -> M:
    """The body as `model`; Problem 400 when it is not JSON, 422 with pointers when it is not of this shape."""
    strict_json(data)
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if first["type"] == "json_invalid":  # UTF-16, say, which Python's parser takes
            raise Problem(400, "not_json", seen=first["msg"]) from None
        raise invalid(error) from None


def invalid(error: ValidationError) -> Problem:
    """422 with every fault."""
    found = field_errors(error.errors(include_url=False))
    return Problem(422, "invalid", errors=found, count=error.error_count())


class _Twice(Exception):
    """A key stands twice in one object."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1)[:100])
    return made


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
