"""What is the largest message of a kind that can be made? It is built from the schema of the kind. A field without a
bound is an error.

Every character of a text takes four bytes, every list is full, and every optional field is set.
"""

from datetime import date, datetime
from enum import Enum
from typing import Any

from schemas.bounds import DECIMAL_SIGNS, LARGEST_INTEGER, LAST, LINE, LINES, PRINTABLE, PRINTABLE_NO_SLASH
from schemas.envelope import Message
from schemas.parking import BASE64
from schemas.vocabulary import CONSIGNMENT_ID, PARTITION_KEY

WIDE = "\U0001f6a2"
"""One character that takes four bytes in UTF-8. No character that may stand in a text takes more bytes in JSON."""
OF_PATTERN = {
    LINE: WIDE,
    PRINTABLE: WIDE,
    PRINTABLE_NO_SLASH: WIDE,
    LINES: WIDE,
    CONSIGNMENT_ID: "f",
    r"^[0-9]{18}$": "9",
    BASE64: "A",
}
"""Pattern → the character that takes the most bytes of all characters that the pattern allows. A text without a
pattern, or with a pattern that is neither here nor in WHOLE, counts as unbounded."""


WHOLE = {PARTITION_KEY: "watches/999999999"}
"""Pattern → its longest text, for the patterns whose texts are not one repeated character."""


class Unbounded(Exception):
    """A value in a kind of message has no bound. The text of the exception names the path of the value."""


def fullest(kind: type[Message]) -> Any:
    """Returns the JSON value of the largest message of this kind. Raises Unbounded if there is no upper bound."""
    return _value(kind.__pydantic_core_schema__, kind.__name__, {})


def _value(node: Any, at: str, named: dict[str, Any]) -> Any:
    known = _KNOWN.get(node["type"])
    if known is None:
        raise Unbounded(f"{at}: values of type {node['type']} have no bound that this test knows")
    return known(node, at, named)


def _definitions(node: Any, at: str, named: dict[str, Any]) -> Any:
    return _value(node["schema"], at, named | {each["ref"]: each for each in node["definitions"]})


def _model(node: Any, at: str, named: dict[str, Any]) -> Any:
    inner = node["schema"]
    while inner["type"] != "model-fields":
        inner = inner["schema"]
    return {name: _value(field["schema"], f"{at}/{name}", named) for name, field in inner["fields"].items()}


def _str(node: Any, at: str, named: dict[str, Any]) -> str:
    if node.get("max_length") is None:
        raise Unbounded(f"{at}: text without max_length")
    if node.get("pattern") in WHOLE:
        return WHOLE[node["pattern"]]
    if node.get("pattern") not in OF_PATTERN:
        raise Unbounded(f"{at}: text of the pattern {node.get('pattern')!r} may hold control characters")
    return OF_PATTERN[node["pattern"]] * int(node["max_length"])


def _int(node: Any, at: str, named: dict[str, Any]) -> int:
    low, high = node.get("ge"), node.get("le")
    if low is None or high is None or low < -LARGEST_INTEGER or high > LARGEST_INTEGER:
        raise Unbounded(f"{at}: an integer from {low} to {high}, not within 63 bits")
    return int(max(low, high, key=lambda n: len(str(n))))


def _decimal(node: Any, at: str, named: dict[str, Any]) -> Any:
    raise Unbounded(f"{at}: a decimal number that is not WhenMade(): idle zeros have no end")


def _written(node: Any, at: str, named: dict[str, Any]) -> Any:
    if node["json_schema"]["type"] in ("int", "bool"):
        return _value(node["json_schema"], at, named)
    steps = node["json_schema"].get("steps", [])
    if [step["type"] for step in steps] in (["function-plain", "datetime"], ["function-plain", "date"]):
        return _value(steps[1], at, named)
    if [step["type"] for step in steps] != ["custom-error", "str", "custom-error", "decimal"] or steps[1].get(
        "max_length"
    ) != DECIMAL_SIGNS:
        raise Unbounded(f"{at}: json-or-python that is no bounded decimal number")
    number = steps[3]
    if number.get("decimal_places") is None or (number.get("max_digits") is None and number.get("le") is None):
        raise Unbounded(f"{at}: a decimal number without digits or limits")
    whole = "1" if number.get("le") is not None else "9" * (number["max_digits"] - number["decimal_places"])
    return f"{whole}.".ljust(DECIMAL_SIGNS, "0")


def _datetime(node: Any, at: str, named: dict[str, Any]) -> str:
    _within(node, at, datetime)
    return LAST.replace(tzinfo=None).isoformat() + "+00:00"


def _date(node: Any, at: str, named: dict[str, Any]) -> str:
    _within(node, at, date)
    return str(node["le"])


def _within(node: Any, at: str, kind: type[date]) -> None:
    low, high = node.get("ge"), node.get("le")
    if not isinstance(low, kind) or not isinstance(high, kind) or low.year < 2000 or high.year > 2100:
        raise Unbounded(f"{at}: a time from {low} to {high}, not within the years 2000 to 2100")


def _list(node: Any, at: str, named: dict[str, Any]) -> list[Any]:
    if node["type"] == "tuple" and node.get("variadic_item_index") is None:
        return [_value(each, f"{at}/{number}", named) for number, each in enumerate(node["items_schema"])]
    if node.get("max_length") is None:
        raise Unbounded(f"{at}: a list without max_length")
    items = node["items_schema"]
    each = _value(items[0] if isinstance(items, list) else items, f"{at}/0", named)
    return [each] * int(node["max_length"])


def _dict(node: Any, at: str, named: dict[str, Any]) -> dict[str, Any]:
    if node.get("max_length") is None:
        raise Unbounded(f"{at}: a map without max_length")
    key = _value(node["keys_schema"], f"{at}/key", named)
    value = _value(node["values_schema"], f"{at}/value", named)
    return {f"{number:04}{key[4:]}": value for number in range(int(node["max_length"]))}


def _enum(node: Any, at: str, named: dict[str, Any]) -> Any:
    values = [each.value if isinstance(each, Enum) else each for each in node.get("members") or node["expected"]]
    return max(values, key=lambda value: len(str(value)))


def _inner(node: Any, at: str, named: dict[str, Any]) -> Any:
    return _value(node["schema"], at, named)


def _reference(node: Any, at: str, named: dict[str, Any]) -> Any:
    return _value(named[node["schema_ref"]], at, named)


_KNOWN = {
    "definitions": _definitions,
    "definition-ref": _reference,
    "model": _model,
    "str": _str,
    "int": _int,
    "bool": lambda node, at, named: False,
    "decimal": _decimal,
    "json-or-python": _written,
    "datetime": _datetime,
    "date": _date,
    "tuple": _list,
    "list": _list,
    "dict": _dict,
    "enum": _enum,
    "literal": _enum,
    "nullable": _inner,
    "default": _inner,
    "function-after": _inner,
    "function-before": _inner,
}
