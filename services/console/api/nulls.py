"""What does an explicit `null` mean in a body? In an optional field it means the same as leaving the field out; in any other field it is a
fault.

Nulls are accepted because many serialisers write one for each empty field. If the first validation reports nulls as
faults, the body is validated a second time, without the optional fields that are null.
"""

import json
from typing import Any, Generic, NamedTuple, TypeVar, get_args

import msgspec
from pydantic import BaseModel, ValidationError

from services.console.api.problems import LISTED_ERRORS

M = TypeVar("M", bound=BaseModel)
Location = tuple[int | str, ...]


class Validated(NamedTuple, Generic[M]):
    """The result of validating a body. `made`: the model that was made, or None; `error`: why none was made, or None.
    `data`: the JSON of the last validation; if there was a second one, the body without the optional fields that are
    null."""

    made: M | None
    error: ValidationError | None
    data: bytes


def validated(model: type[M], data: bytes) -> Validated[M]:
    """Validates the JSON as `model`. If it has faults and one of them is a null in an optional field, validates it
    again without these null fields. JSON with more faults than LISTED_ERRORS is not validated again."""
    first = _as_it_is(model, data)
    if first.error is None or b"null" not in data or first.error.error_count() > LISTED_ERRORS:
        return first
    faults = first.error.errors(include_url=False, include_context=False)
    empty = [each["loc"] for each in faults if each["input"] is None and is_optional(model, each["loc"])]
    return _as_it_is(model, _without(data, empty)) if empty else first


def _as_it_is(model: type[M], data: bytes) -> Validated[M]:
    try:
        return Validated(model.model_validate_json(data), None, data)
    except ValidationError as error:
        return Validated(None, error, data)


def is_optional(model: type[BaseModel], location: Location) -> bool:
    """Returns whether this location in a body (pydantic's `loc`) is a field with a default; False for the body itself."""
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
    """Returns the model that a field holds, alone or in a list; None if it holds none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = [inner for part in get_args(annotation) if (inner := _model_in(part))]
    return found[0] if found else None


def _without(data: bytes, locations: list[Location]) -> bytes:
    """Returns the same JSON without the values at these locations. Numbers are not parsed, because they must keep the characters with which
    they are written, and some are too large for any type."""
    body = json.loads(data, parse_float=_raw, parse_int=_raw)
    for *way, last in locations:
        holder = body
        for step in way:
            holder = holder[step]
        del holder[last]
    return msgspec.json.encode(body)


def _raw(number: str) -> msgspec.Raw:
    return msgspec.Raw(number.encode())
