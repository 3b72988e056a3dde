"""Which fields of a paper with faults of shape can still be judged, and what do the checks find in them?

The shape decides first: a text where a number stands, or a field that must be there and is not. What the checks of
`schemas.papers.checks` find in all other fields is told with it, so that a declarant gets everything in one answer. No
value is invented: a field with a fault has none, and a check that reads it ends (`UnsoundField`).
"""

from collections.abc import Collection, Iterator
from datetime import date
from functools import cache
from typing import Any, NoReturn, cast

from pydantic import ValidationError
from pydantic_core import CoreSchema, SchemaValidator, core_schema

from schemas.declaration import Declaration, Finding
from schemas.papers.checks import findings
from schemas.papers.pointing import UnsoundField

_UNSOUND = object()
"""Stands in the place of a value that has a fault of shape."""


class SoundFields:
    """The fields of an object of a paper that have no fault of shape, as attributes; UnsoundField for every other one."""

    def __init__(self, fields: dict[str, Any]) -> None:
        vars(self).update(fields)

    def __getattr__(self, name: str) -> NoReturn:
        raise UnsoundField(name)


class UnendedList:
    """The first entries of a list that is longer than allowed. Neither the further entries nor their number are known."""

    def __init__(self, first: tuple[Any, ...]) -> None:
        self._first = first

    def __iter__(self) -> Iterator[Any]:
        yield from self._first
        raise UnsoundField("the list goes on")

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        raise UnsoundField("the list goes on")


def findings_of_sound_fields(
    data: bytes, today: date, most: int, unended: Collection[str] = frozenset()
) -> tuple[Finding, ...]:
    """What the checks find in the fields of this JSON that have no fault of shape, at most `most`. Each finding is one that the
    declaration desk will have, too, whatever the other fields become.

    `data`: one declaration, without the optional fields that are null. `unended`: the lists of it that are longer than allowed, and
    of which only the first entries are in `data`.
    """
    try:
        paper = _reader().validate_json(data)
    except ValidationError:  # the JSON is not an object, so no field can be judged; the fault of shape says so
        return ()
    for name in unended:
        entries = vars(paper).get(name)
        if entries is not None:
            setattr(paper, name, UnendedList(entries))
    return findings(cast(Declaration, paper), today, most)


@cache
def _reader() -> SchemaValidator:
    """Reads a declaration as `SoundFields`. A field is valid here under the same conditions as in a declaration that is made."""
    return SchemaValidator(
        _lenient(Declaration.__pydantic_core_schema__), {"allow_inf_nan": False}, _use_prebuilt=False
    )


def _lenient(node: Any) -> Any:
    """The same schema, in which a field, or an entry of a list, that is not valid becomes `_UNSOUND`."""
    if isinstance(node, list | tuple):
        return type(node)([_lenient(each) for each in node])
    if not isinstance(node, dict):
        return node
    match node.get("type"):
        case "model":
            return core_schema.no_info_after_validator_function(_sound_fields, _lenient(node["schema"]))
        case "model-fields":
            fields = {name: {**field, "schema": _field(field["schema"])} for name, field in node["fields"].items()}
            return {**node, "fields": fields, "extra_behavior": "allow"}
        case "tuple":
            return {**node, "items_schema": [_or_unsound(each) for each in node["items_schema"]]}
        case _:
            return {name: each if name == "metadata" else _lenient(each) for name, each in node.items()}


def _field(schema: Any) -> CoreSchema:
    """The lenient schema of a field. If the field is optional and is left out, it still has its default."""
    if schema["type"] == "default":
        return cast(CoreSchema, {**schema, "schema": _or_unsound(schema["schema"])})
    return _or_unsound(schema)


def _or_unsound(schema: Any) -> CoreSchema:
    return core_schema.with_default_schema(_lenient(schema), default=_UNSOUND, on_error="default")


def _sound_fields(read: tuple[dict[str, Any], dict[str, Any] | None, set[str]]) -> SoundFields:
    """`read`: fields, unknown fields, and the names of the fields that are there. If there is an unknown field, it may be the
    misspelt name of a field that seems to be left out. This must be one fault and not two, so only fields that are there count as
    sound."""
    fields, unknown, present = read
    sound = {name: _entries(value) for name, value in fields.items() if value is not _UNSOUND}
    return SoundFields({name: value for name, value in sound.items() if name in present or not unknown})


def _entries(value: Any) -> Any:
    """The value. If it is a list, an entry that is not an object becomes one that has no sound field."""
    return (
        tuple([SoundFields({}) if each is _UNSOUND else each for each in value]) if isinstance(value, tuple) else value
    )
