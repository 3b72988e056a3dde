"""Which form of a fact do readers outside customs get? They get the fact with only those fields that they may see,
according to the marks of the fields.

The redacted form of a kind is a class of its own. It has the same `kind` and the same fields, except those that the
audience may not see. The same applies to the messages that stand in its fields. Nothing is put in
the place of a field that is left out.
"""

from collections.abc import Mapping
from functools import cache
from types import GenericAlias
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

from pydantic import create_model
from pydantic.fields import FieldInfo

from schemas.envelope import Message
from schemas.marks import Audience, SeenBy


class Unmarked(TypeError):
    """Raised if it is not clear who may see a field of a message that goes outside: the field has no mark or several
    marks, or has a type in which a message cannot be redacted. The text names the field or its type."""


def to_outside(fact: Message, audience: Audience) -> bytes:
    """Returns the JSON of the fact with only the fields that this audience may see."""
    return fact.__pydantic_serializer__.to_json(fact, exclude=hidden(type(fact), audience))


def mark_of(kind: type[Message], name: str) -> SeenBy:
    """Returns the mark of this field, which says who outside sees it. Raises Unmarked if the field has no mark or several."""
    marks = [each for each in kind.model_fields[name].metadata if isinstance(each, SeenBy)]
    if not marks and kind.fields_seen_by is not None:
        return kind.fields_seen_by
    if len(marks) != 1:
        raise Unmarked(
            f"{kind.__name__}.{name} has {len(marks)} marks; one of schemas.marks says who outside may see it 字段须标明对外可见范围"
        )
    return marks[0]


@cache
def outside_form(kind: type[Message], audience: Audience) -> type[Message]:
    """Returns the redacted form of this kind for this audience: the class with only the fields that the audience may see.
    Raises Unmarked if a field has no mark."""
    fields: dict[str, Any] = {}
    for name, inner in _visible(kind, audience).items():
        field = kind.model_fields[name]
        fields[name] = (_type_of(field, inner, audience), ... if field.is_required() else field.default)
    form = create_model(
        f"{kind.__name__}ToA{audience.title()}", __base__=Message, __module__=__name__, __doc__=kind.__doc__, **fields
    )
    form.kind = kind.kind
    form.key = kind.key  # type: ignore[method-assign]  # the property reads a field that everybody sees
    return form


@cache
def hidden(kind: type[Message], audience: Audience) -> Any:
    """Returns the fields of this kind that this audience may not see, as the argument `exclude` of pydantic's serializer."""
    left_out: dict[str, Any] = {}
    visible = _visible(kind, audience)
    for name in kind.model_fields:
        if name not in visible:
            left_out[name] = True
        elif inner := visible[name]:
            less = hidden(inner.kind, audience)
            left_out[name] = {"__all__": less} if inner.how == "listed" else less
    return left_out


def redacted_body(kind: type[Message], body: Mapping[str, Any], audience: Audience) -> dict[str, Any]:
    """Returns the parsed JSON of a stored message of this kind, with only the fields that this audience may see. The stored
    message may come from an older software version, or may not have the shape of its kind. If a nested message is not a JSON
    object, it is left out."""
    body_outside: dict[str, Any] = {}
    for name, inner in _visible(kind, audience).items():
        if name not in body:
            continue
        value = body[name]
        if inner is None:
            body_outside[name] = value
        elif inner.how != "listed" and isinstance(value, Mapping):
            body_outside[name] = redacted_body(inner.kind, value, audience)
        elif inner.how == "listed" and isinstance(value, list):
            body_outside[name] = [
                redacted_body(inner.kind, each, audience) for each in value if isinstance(each, Mapping)
            ]
    return body_outside


class _Inner(NamedTuple):
    """The kind of message that stands in a field of another message, and how it stands there: as a list of such messages
    (`listed`), as one (`held`), or as one or None (`held or none`)."""

    kind: type[Message]
    how: Literal["listed", "held", "held or none"]


@cache
def _visible(kind: type[Message], audience: Audience) -> Mapping[str, _Inner | None]:
    """Returns name of the field → which kind of message stands in it and how, for each field that this audience may
    see; None in place of the kind if the field holds no message."""
    fields = kind.model_fields
    return {
        name: _inner(field.annotation) for name, field in fields.items() if audience in mark_of(kind, name).audiences
    }


def _type_of(field: FieldInfo, inner: _Inner | None, audience: Audience) -> Any:
    """Returns the type of a field with its bounds, in which a message is replaced by its redacted form."""
    bounds = [each for each in field.metadata if not isinstance(each, SeenBy)]
    shape: Any = field.annotation
    if inner:
        form = outside_form(inner.kind, audience)
        shape = {"listed": GenericAlias(tuple, (form, ...)), "held": form, "held or none": form | None}[inner.how]
    return Annotated[(shape, *bounds)] if bounds else shape


def _inner(annotation: Any) -> _Inner | None:
    """Returns the message that a field with this annotation lists or holds; None if there is none. Raises Unmarked for a
    message in any other place of the annotation, which is not supported."""
    args = get_args(annotation)
    if _is_message(annotation):
        return _Inner(annotation, "held")
    if get_origin(annotation) is tuple and len(args) == 2 and _is_message(args[0]):
        return _Inner(args[0], "listed")
    if len(args) == 2 and _is_message(args[0]) and args[1] is type(None):
        return _Inner(args[0], "held or none")
    if _holds_message(annotation):
        raise Unmarked(f"{annotation} holds a message in a place that is not redacted yet 尚不支持的字段结构")
    return None


def _is_message(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Message)


def _holds_message(annotation: Any) -> bool:
    return _is_message(annotation) or any(_holds_message(each) for each in get_args(annotation))


def forms_for(audience: Audience, *kinds: type[Message]) -> Mapping[str, type[Message]]:
    """Returns name of the kind → its redacted form for this audience, for each of these kinds."""
    return {kind.kind: outside_form(kind, audience) for kind in kinds}
