"""How large may a message be that we write, and how is a message read that was written before there were bounds?

`WhenMade` marks the bounds of a message that is made: constructed by a desk, accepted by the console, or read from a
request topic. Facts and states that are stored already are read by `reader`, which uses the same classes without these
bounds. Pydantic compiles a schema with the bounds and one without them. Python functions are called only for a few
kinds of fields: times in JSON, decimal numbers from Python code, and texts that are brought into their normal form
(`Tidied`).
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal, cast
from unicodedata import normalize

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, PydanticKnownError, SchemaValidator, core_schema

_NO_SIGNS = r"\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
"""Control characters (C0, DEL, C1), line and paragraph separators, and characters that make text show in another order than it is
stored. A control character also takes six characters in JSON."""
LINE = rf"^[^{_NO_SIGNS}]*$"
"""The pattern of one line of text."""
_UNSEEN = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0"
    r"\ufff0-\ufffc\ue000-\uf8ff\ufdd0-\ufdef\ufffe\uffff"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\U000f0000-\U0010ffff"
)
"""Characters that show as nothing, or as something else in each font: default ignorable characters (Unicode,
DerivedCoreProperties), blanks that are no spaces (the blank of Braille), the character that stands for an object
outside the text (U+FFFC), characters for private use, and code points that are no characters. In the pattern,
characters above U+FFFF stand as themselves and not as escapes, because engines of regular expressions escape them
differently."""
_UNSEEN += "".join([f"{chr(plane | 0xFFFE)}{chr(plane | 0xFFFF)}" for plane in range(0x10000, 0xF0000, 0x10000)])
PRINTABLE = rf"^[^{_NO_SIGNS}{_UNSEEN}]*$"
"""The pattern of one line of text of which each character can be seen. The texts of declarations are such lines."""
PRINTABLE_NO_SLASH = rf"^[^/{_NO_SIGNS}{_UNSEEN}]*$"
"""The pattern of a line like `PRINTABLE`, but without a slash. It is for a text to which a slash and a second text are appended."""
LINES = rf"^(?:[^{_NO_SIGNS}]|\r?\n)*$"
"""The pattern of a text that may have line breaks."""
FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
"""The earliest and the latest time that a message may have: the years 2000 to 2100."""
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 12, 31)
LARGEST_INTEGER = 2**63 - 1
"""The largest integer that SQL's `bigint` and the integers of other languages hold."""
DECIMAL_SIGNS = 40
"""How many characters a decimal number may have as it is written. A limit on its digits is not enough, because `1.000…` may have
millions of zeros."""
NUMBER = r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?0*[0-9]{1,2})?$"
"""The pattern of a number in JSON (RFC 8259, section 6) whose exponent has at most two digits. It is needed because Python and Rust also
read `1_0`, `+10`, blanks around the number, and digits of other scripts. A larger exponent is refused because a limit on digits does not
bound the exponent of a zero: `0e-999999999` has one digit, but a gigabyte of digits if it is written without the exponent."""
_NUMBER = re.compile(NUMBER)
MOST_PARTS = 100_000
"""How many fields and items a message may have if it is to be read. The largest message that can be made has a quarter
of this number."""
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""The pattern of a string in JSON. If the closing quotation mark is missing, the string reaches to the end of the
JSON."""


class WhenMade:
    """Constraints that apply when a message is made, but not when a stored message is read. Their names are those of pydantic's core
    schemas."""

    def __init__(self, **constraints: Any) -> None:
        self.constraints = constraints

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = cast(dict[str, Any], handler(source))
        if schema["type"] == "decimal":
            return _written_decimal(cast(core_schema.DecimalSchema, {**schema, **self.constraints}), schema)
        if schema["type"] in _WRITTEN:
            return _written_time(cast(CoreSchema, {**schema, **self.constraints}), schema)
        earlier = {name: schema.get(name) for name in self.constraints}
        metadata = {**schema.get("metadata", {}), "earlier": earlier}
        return cast(CoreSchema, {**schema, **self.constraints, "metadata": metadata})

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        if schema["type"] != "json-or-python":
            return handler(schema)
        number = handler(cast(core_schema.ChainSchema, schema["json_schema"])["steps"][-1])
        if "anyOf" not in number:
            return number
        limits = [each | ({"maxLength": DECIMAL_SIGNS} if each["type"] == "string" else {}) for each in number["anyOf"]]
        return number | {"anyOf": limits}


class Tidied:
    """Converts a text to its normal form by `tidy` when a message is made, before its bounds are checked. A stored text is read
    unchanged."""

    def __init__(self, tidy: Callable[[str], str]) -> None:
        self.tidy = tidy

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        return core_schema.no_info_before_validator_function(
            self._text, schema, metadata={"earlier_schema": _earlier(schema)}
        )

    def _text(self, value: object) -> object:
        return self.tidy(value) if isinstance(value, str) else value


_BLANKS = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
"""The spaces of Unicode (category Zs). Line breaks and tabs are not among them, because they are control characters."""
_MANY_BLANKS = re.compile(" {2,}")


def line_of_text(text: str) -> str:
    """Returns a text of a declaration in its normal form: with composed letters (Unicode NFC), and without blanks at the edges."""
    return text.strip(" ") if text.isascii() else normalize("NFC", text).strip(_BLANKS)


def identifier(text: str) -> str:
    """Returns the number of a bill, the reference of a declaration or another such name in the form that desks, the
    console and searches use. Variants of a character, for example full-width ones, are replaced by one character
    (Unicode NFKC). There are no blanks at the edges, and there is one blank between words."""
    plain = text if text.isascii() else normalize("NFKC", text)
    return _MANY_BLANKS.sub(" ", plain.strip(" "))


_WRITTEN = {
    "datetime": re.compile(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
    ),
    "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
}
"""Type of a pydantic schema → the pattern of its text in RFC 3339 (section 5.6). Pydantic would also read a number, or
a text of digits, as Unix seconds."""


def _written_time(bounded: CoreSchema, earlier: dict[str, Any]) -> CoreSchema:
    """Returns a schema that checks a time in JSON as text before it is parsed. Python code passes a `datetime` or `date`, so there is no text
    to check."""
    form = _WRITTEN[bounded["type"]]
    fault: Literal["datetime_parsing", "date_parsing"] = (
        "datetime_parsing" if bounded["type"] == "datetime" else "date_parsing"
    )

    def text(value: object) -> str:
        if not isinstance(value, str) or form.fullmatch(value) is None:
            raise PydanticKnownError(fault, {"error": "not as RFC 3339 writes it"})
        return value

    return core_schema.json_or_python_schema(
        core_schema.chain_schema([core_schema.no_info_plain_validator_function(text), bounded]),
        bounded,
        metadata={"earlier_schema": earlier},
    )


def _written_decimal(bounded: core_schema.DecimalSchema, earlier: dict[str, Any]) -> CoreSchema:
    """Returns a schema for a decimal number. A number in JSON is taken as a text, and the length and the form of this
    text are checked before it is parsed. A number from Python code is checked by `_short`."""
    text = core_schema.custom_error_schema(core_schema.str_schema(coerce_numbers_to_str=True), "decimal_parsing")
    short = core_schema.str_schema(max_length=DECIMAL_SIGNS)
    number = core_schema.custom_error_schema(core_schema.str_schema(pattern=NUMBER), "decimal_parsing")
    return core_schema.json_or_python_schema(
        core_schema.chain_schema([text, short, number, bounded]),
        core_schema.no_info_before_validator_function(_short, bounded),
        metadata={"earlier_schema": earlier},
    )


def _short(number: object) -> object:
    """Returns `number` unchanged. It comes from Python code, or as a text from a form. Raises an error of pydantic if
    it has more than `DECIMAL_SIGNS` characters or does not match `NUMBER`."""
    if len(text := str(number)) > DECIMAL_SIGNS:
        raise PydanticCustomError(
            "string_too_long", "Decimal should be written in at most {max_length} signs", {"max_length": DECIMAL_SIGNS}
        )
    if isinstance(number, str | Decimal) and _NUMBER.fullmatch(text) is None:
        raise PydanticKnownError("decimal_parsing")
    return number


def parts(value: bytes) -> int:
    """Returns how many commas and opening brackets stand outside the strings of this JSON. The JSON cannot have more
    fields and items than this number."""
    rest = _TEXT.sub(b"", value)
    return rest.count(b",") + rest.count(b"[") + rest.count(b"{")


def too_many_parts(value: bytes) -> bool:
    """Returns whether this JSON has more than `MOST_PARTS` fields and items. Call this before the JSON is validated, because pydantic
    makes an error for each part that is wrong, which takes seconds and gigabytes for a value of a few megabytes."""
    signs = value.count(b",") + value.count(b"[") + value.count(b"{")
    return signs > MOST_PARTS and parts(value) > MOST_PARTS


def reader(schema: CoreSchema) -> SchemaValidator:
    """Returns the validator for stored values of this schema. It does not check the bounds of `WhenMade`."""
    return SchemaValidator(_earlier(schema), _use_prebuilt=False)


def state_adapter(states: Any) -> TypeAdapter[Any]:
    """Returns the adapter of a desk's states. A stored state may contain messages. When the adapter reads it, the
    bounds of new messages (`WhenMade`) are not checked."""
    adapter: TypeAdapter[Any] = TypeAdapter(states)
    adapter.validator = reader(adapter.core_schema)
    return adapter


def _earlier(node: Any) -> Any:
    if isinstance(node, list | tuple):
        return type(node)([_earlier(each) for each in node])
    if not isinstance(node, dict):
        return node
    metadata = node.get("metadata") or {}
    if "earlier_schema" in metadata:
        return metadata["earlier_schema"]
    earlier = metadata.get("earlier", {})
    changed = {**node, **earlier}
    return {name: _earlier(each) for name, each in changed.items() if each is not None or name not in earlier}


def _strict(node: Any) -> Any:
    if isinstance(node, list | tuple):
        return type(node)([_strict(each) for each in node])
    if not isinstance(node, dict) or node.get("type") == "json-or-python":
        return node
    if node.get("type") in ("int", "bool"):
        strict = cast(CoreSchema, {**node, "strict": True})
        return core_schema.json_or_python_schema(
            strict, cast(CoreSchema, node), metadata={"earlier_schema": _earlier(node)}
        )
    kept = ("metadata", "serialization")
    return {name: each if name in kept else _strict(each) for name, each in node.items()}


class Shape(BaseModel):
    """The base of every message, and of every body of a request. In JSON, a new message must have whole numbers as digits and truth values
    as `true` or `false`; a text in their place is an error. Python code, for example that of forms, may pass either as text."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return cast(CoreSchema, _strict(handler(source)))


def shown(text: str, most: int = 500, breaks: bool = False) -> str:
    """Returns a text that was stored before texts had bounds, in a form that a new message may carry: each character
    that is not allowed in a line is replaced by a blank, and a text of more than `most` characters is cut and ends in
    an ellipsis. Use this only for texts that people read, never for a value on which a decision depends. `breaks`:
    whether line breaks stay (`LINES`)."""
    if len(text) <= most and text.isprintable() and (breaks or text.isascii()):
        # with `breaks`, only characters that are not printable are replaced; without it, also some printable ones outside ASCII
        return text
    cut = text if len(text) <= most else f"{text[: most - 1]}…"
    return (_SIGNS_OF_LINES if breaks else _SIGNS_OF_LINE).sub(" ", cut)


_SIGNS_OF_LINE = re.compile(f"[{_NO_SIGNS}{_UNSEEN}]")
_SIGNS_OF_LINES = re.compile(r"\r(?!\n)|[" + _NO_SIGNS.replace(r"\x00-\x1f", r"\x00-\x09\x0b\x0c\x0e-\x1f") + "]")
