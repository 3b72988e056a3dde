"""Which fields of a declaration with faults of shape can still be judged, and what do the checks find in them?

A fault of shape is, for example, a text in place of a number, or a missing field that must be there. The findings that
`schemas.papers.checks` has in all other fields are returned together with the faults of shape, so that a declarant gets everything
in one answer. No value is invented: a field with a fault has no value, and a check that reads it ends (`UnsoundField`).
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
"""The object in the place of a value that has a fault of shape."""


class SoundFields:
    """An object of a declaration. Each field without a fault of shape is an attribute. Reading any other attribute raises
    UnsoundField."""

    def __init__(self, fields: dict[str, Any]) -> None:
        vars(self).update(fields)

    def __getattr__(self, name: str) -> NoReturn:
        raise UnsoundField(name)


class UnendedList:
    """The first entries of a list that is longer than allowed. Reading beyond these entries raises UnsoundField, because neither
    the further entries nor their number are known."""

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
    """Returns the findings, at most `most`, of the checks that read only fields without a fault of shape. The
    declaration desk will find the same, whatever the declarant writes into the faulty fields. There is one exception.
    If the declarant field is faulty and is mended to the same company as the consignee, the finding about the consignee
    becomes one about the declarant.

    `data`: one declaration, without the optional fields that are null. `unended`: the names of its lists that are
    longer than allowed; `data` has only the first entries of these lists.
    """
    try:
        paper = _reader().validate_json(data)
    except ValidationError:
        # The JSON is not an object, so there are no fields to judge. The faults of shape, which are found elsewhere,
        # already say so.
        return ()
    for name in unended:
        entries = vars(paper).get(name)
        if entries is not None:
            setattr(paper, name, UnendedList(entries))
    return findings(cast(Declaration, paper), today, most)


@cache
def _reader() -> SchemaValidator:
    """Returns the validator that reads a declaration as `SoundFields`. A field is valid under the same conditions as in a new
    `Declaration`."""
    return SchemaValidator(
        _lenient(Declaration.__pydantic_core_schema__), {"allow_inf_nan": False}, _use_prebuilt=False
    )


def _lenient(node: Any) -> Any:
    """Returns the same schema, except that a field, or an entry of a list, becomes `_UNSOUND` if it is not valid."""
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
    """Returns the lenient schema of a field. If the field is optional and is left out, it still gets its default."""
    if schema["type"] == "default":
        return cast(CoreSchema, {**schema, "schema": _or_unsound(schema["schema"])})
    return _or_unsound(schema)


def _or_unsound(schema: Any) -> CoreSchema:
    return core_schema.with_default_schema(_lenient(schema), default=_UNSOUND, on_error="default")


def _sound_fields(read: tuple[dict[str, Any], dict[str, Any] | None, set[str]]) -> SoundFields:
    """Returns the object with these fields. `read`: the fields, the unknown fields, and the names of the fields that
    are present. An unknown field may be a field with a misspelt name, which then seems to be left out. So that this
    gives one fault and not two, only fields that are present count as sound if there is an unknown field."""
    fields, unknown, present = read
    sound = {name: _entries(value) for name, value in fields.items() if value is not _UNSOUND}
    return SoundFields({name: value for name, value in sound.items() if name in present or not unknown})


def _entries(value: Any) -> Any:
    """Returns the value. If it is a list, an entry that is not an object becomes an object without sound fields."""
    return (
        tuple([SoundFields({}) if each is _UNSOUND else each for each in value]) if isinstance(value, tuple) else value
    )
