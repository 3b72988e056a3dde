"""What does an explicit `null` mean in a body? For an optional field, the same as leaving it out; for any other field, it is a fault.

Nulls are accepted because many serialisers write one for each empty field. A body is validated a second time, without these fields, only if
nulls were faults at first.
"""

import json
from decimal import Decimal
from typing import Any, TypeVar, get_args

import msgspec
from pydantic import BaseModel, ValidationError

from services.console.api.problems import LISTED_ERRORS

M = TypeVar("M", bound=BaseModel)
Location = tuple[int | str, ...]
_ENCODER = msgspec.json.Encoder(decimal_format="number")
"""Writes numbers with the digits that they had in the body."""


def validated(model: type[M], data: bytes) -> M:
    """The JSON as `model`, without the optional fields that are null; ValidationError for all other faults."""
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        if b"null" not in data or error.error_count() > LISTED_ERRORS:
            raise
        faults = error.errors(include_url=False, include_context=False)
        empty = [each["loc"] for each in faults if each["input"] is None and is_optional(model, each["loc"])]
        if not empty:
            raise
    return model.model_validate_json(_without(data, empty))


def is_optional(model: type[BaseModel], location: Location) -> bool:
    """Whether this location in a body (pydantic's `loc`) is a field with a default; False for the body itself."""
    if not location:
        return False
    *way, last = location
    inner: type[BaseModel] | None = model
    for step in way:
        if isinstance(step, str):
            field = inner.model_fields.get(step) if inner else None
            inner = _model_in(field.annotation) if field else None
    field = inner.model_fields.get(last) if inner and isinstance(last, str) else None
    return field is not None and not field.is_required()


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that a field holds, alone or in a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = [inner for part in get_args(annotation) if (inner := _model_in(part))]
    return found[0] if found else None


def _without(data: bytes, locations: list[Location]) -> bytes:
    body = json.loads(data, parse_float=Decimal, parse_int=Decimal)
    for *way, last in locations:
        holder = body
        for step in way:
            holder = holder[step]
        del holder[last]
    return _ENCODER.encode(body)
