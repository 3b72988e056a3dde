"""Which bodies cost the console most time? There is one body for each known way to cost much time, and most bodies are
just below a limit."""

import json
from typing import Any

from schemas.declaration import MOST_LINES
from services.console.settings import ConsoleSettings
from tests.console.border import declaration

LIMITS = ConsoleSettings.model_fields
BODY_BYTES: int = LIMITS["body_limit_bytes"].default
BATCH_BYTES: int = LIMITS["batch_limit_bytes"].default
SEPARATORS: int = LIMITS["body_separators"].default
BATCH_SEPARATORS: int = LIMITS["batch_separators"].default
ONE, MANY = "/declarations", "/declarations/batch"


def paper(reference: str = "WORST-1", **changed: Any) -> dict[str, Any]:
    """Returns a correct declaration as JSON. `changed`: fields that replace its own."""
    made: dict[str, Any] = declaration(reference).model_dump(mode="json")
    return {**made, **changed}


def keys(count: int, last: str = "") -> bytes:
    """Returns a JSON object with `count` keys. `last`: the name of the last key; by default a name that no other key
    has."""
    names = [f"k{number}" for number in range(count - 1)] + [last or f"k{count}"]
    return b"{" + b",".join([b'"%s":1' % name.encode() for name in names]) + b"}"


def _raw(field: str, value: bytes) -> bytes:
    return json.dumps({**paper(), field: "@"}).encode().replace(b'"@"', value)


def _batch(one: bytes, limit: int = BATCH_BYTES) -> bytes:
    """Returns a batch with as many copies of this declaration as the limits of bytes, separators and
    declarations allow."""
    cost = sum([one.count(sign) for sign in (b",", b":", b"{", b"[")]) + 1
    count = min(1000, (limit - 100) // (len(one) + 1), (BATCH_SEPARATORS - 10) // cost)
    return b'{"declarations":[' + b",".join([one] * count) + b"]}"


def worst() -> dict[str, tuple[str, bytes]]:
    """Returns name of the body → the path below /api/v1, and the body."""
    most, items = SEPARATORS // 2 - 10, paper()["items"]
    digits = b"9" * (BODY_BYTES - 3000)
    full = json.dumps(paper(items=items * (MOST_LINES // len(items)))).encode()
    # `QQQ` is in no table of codes, but it has the same length as the codes in the tables. So the console does not only
    # report it as unknown: it also searches the tables for similar codes, which takes longer.
    code = "QQQ"
    unknown = dict.fromkeys(("unit", "first_unit", "second_unit", "origin_country", "currency"), code)
    unlisted = paper(packages="1", items=[{**items[0], **unknown}] * MOST_LINES)
    return {
        "a duplicate key among 60,000": (ONE, keys(60_000, "k0")),
        "a duplicate key among as many as allowed": (ONE, keys(most, "k0")),
        "unknown keys": (ONE, keys(most)),
        "empty lines of goods": (ONE, _raw("items", b"[" + b",".join([b"{}"] * (most - 50)) + b"]")),
        "numbers for lines of goods": (ONE, _raw("items", b"[" + b",".join([b"7"] * (2 * most - 100)) + b"]")),
        "a whole number of two million digits": (ONE, _raw("packages", digits)),
        "a mass of two million digits": (ONE, _raw("gross_mass_kg", digits)),
        "a mass as text of two million digits": (ONE, _raw("gross_mass_kg", b'"' + digits + b'"')),
        "a text of two million signs": (ONE, _raw("bill_no", b'"' + b"\\u4e00" * (len(digits) // 6) + b'"')),
        "strings full of separators": (ONE, _raw("bill_no", b'"' + b",\\n" * (len(digits) // 3) + b'"')),
        "many short strings": (ONE, b"[" + b'"\\n" ' * (BODY_BYTES // 6) + b",,," * SEPARATORS + b"]"),
        "blanks": (ONE, json.dumps(paper()).encode() + b" " * (BODY_BYTES - 3000)),
        "nested": (ONE, b"[" * (SEPARATORS - 1)),
        "as many lines of goods as there may be": (ONE, full),
        "lines full of codes that are in no table": (ONE, json.dumps(unlisted).encode()),
        "a batch of lines full of codes that are in no table": (MANY, _batch(json.dumps(unlisted).encode(), 100_000)),
        "a batch of good ones": (MANY, _batch(json.dumps(paper()).encode())),
        "a batch of large ones": (MANY, _batch(full)),
        "a batch of unknown keys": (MANY, _batch(keys(390))),
        "a batch of few with many unknown keys": (MANY, _batch(keys(most))),
        "a batch of empty lines of goods": (MANY, _batch(_raw("items", b"[" + b",".join([b"{}"] * 380) + b"]"))),
        "a batch of nothing": (MANY, b"[" + b",".join([b"1"] * (BATCH_SEPARATORS - 10)) + b"]"),
        "a batch of one long text": (MANY, b'["' + b"x" * (BATCH_BYTES - 10) + b'"]'),
        "a batch of half escapes": (MANY, b'["' + b"\\\\" * (BATCH_BYTES // 2 - 10) + b'"]'),
        "more than a batch": (MANY, b"[" * (BATCH_BYTES + 1)),
    }
