"""Are the keys of the draw read as they were written, and never shown?"""

import json
from datetime import date
from typing import Any

import pytest

from services.risk.keys import PUBLISHED, DrawKeys, NotDrawKeys, new_key, read, written

SECRET = bytes(range(32))
KEY = new_key(SECRET, date(2026, 11, 28))
NEXT = new_key(SECRET[::-1], date(2027, 2, 1))


def row(**changes: Any) -> dict[str, Any]:
    return {"key_id": KEY.key_id, "effective_from": "2026-11-28", "secret": SECRET.hex()} | changes


def test_keys_that_were_written_are_read_the_oldest_first() -> None:
    assert read(written(DrawKeys((KEY, NEXT)))) == read(written(DrawKeys((NEXT, KEY)))) == DrawKeys((KEY, NEXT))


@pytest.mark.parametrize(
    ("day", "key"),
    [
        (date(2026, 11, 27), KEY),
        (date(2026, 11, 28), KEY),
        (date(2027, 1, 31), KEY),
        (date(2027, 2, 1), NEXT),
        (date(2030, 1, 1), NEXT),
    ],
)
def test_a_key_is_in_force_until_the_day_of_the_next(day: date, key: Any) -> None:
    assert DrawKeys((KEY, NEXT)).in_force(day) is key


def test_a_key_is_found_by_its_id() -> None:
    keys = DrawKeys((KEY, NEXT))
    assert keys.named(NEXT.key_id) is NEXT and keys.named("") is None and keys.named("published") is None
    assert KEY.key_id != new_key(SECRET[::-1], date(2026, 11, 28)).key_id, "the id tells two secrets of a day apart"


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([], "no key"),
        ([row(secret=SECRET.hex()[:62])], "fewer than 32 bytes"),
        ([row(), row()], "two keys from the same day"),
        ([row(secret=SECRET[::-1].hex())], "not the one of its key id"),
        ([row(effective_from="2026-11-29")], "not the one of its key id"),
        ([row(secret=PUBLISHED.keys[0].secret.hex())], "the published key"),
        ([row(secret="secret" + SECRET.hex())], "in JSON"),
        ([row(effective_from="secret")], "in JSON"),
        ([{"secret": SECRET.hex()}], "in JSON"),
        ([SECRET.hex()], "in JSON"),
        ({"secret": SECRET.hex()}, "in JSON"),
    ],
)
def test_what_is_wrong_with_a_key_file_is_said_without_showing_it(rows: Any, problem: str) -> None:
    with pytest.raises(NotDrawKeys, match=problem) as raised:
        read(json.dumps({"keys": rows}))
    shown = f"{raised.value!r} {raised.value} {raised.value.__cause__!r}"
    assert "secret" not in shown.replace('"secret"', "").replace("a secret of", "").replace("a secret that", "")
    assert SECRET.hex()[:8] not in shown


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '"secret"', SECRET.hex(), "[" * 100_000])
def test_any_other_text_is_no_key_file(text: str) -> None:
    with pytest.raises(NotDrawKeys):
        read(text)


def test_neither_a_key_nor_keys_show_their_secret() -> None:
    shown = f"{KEY} {KEY!r} {DrawKeys((KEY,))} {DrawKeys((KEY,))!r}"
    assert KEY.key_id in shown
    assert SECRET.hex() not in shown and repr(SECRET)[2:20] not in shown
