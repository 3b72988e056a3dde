"""Does each inspection draw have the same result if it is repeated? The rule is implemented here a second time, without
the code of the desk, for anyone who has the keys.

A draw names its key. Its value is made from the HMAC-SHA-256 (RFC 2104) of a text with the secret of that key. The
first 8 bytes of the HMAC, as a big-endian number, are divided by 2^64, and the result is rounded down to 6 decimal
places. If there is a bill, the text is `inspection-draw/<direction>/bill/<bill>/<container>+<container>…`. Otherwise it
is `inspection-draw/<direction>/journey/<consignee>/<conveyance>/<day>/<container>+…`. The day is the declared day of
entry; if none is declared, it is the day of the assessment in China. Each code is converted to Unicode NFKC and upper
case, and only its letters and digits are used. The containers are sorted, and each occurs once.

A draw without a key id was made by an older software version. Its value is made in the same way from the SHA-256 of
`<rule set>/<consignment id>`, without a key.
"""

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from hmac import new
from typing import Any, NamedTuple

from services.cli.log import LoggedMessage

TOPICS = ["customs-declaration-facts", "customs-risk-facts"]
"""The topics that must be read to repeat draws."""
PUBLISHED = "published"
"""The id of the published key, which demos, tests and benchmarks use and everybody knows."""
_PUBLISHED_SECRET = sha256(b"Datongguan: the published draw key").digest()
_UNREADABLE = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError)
"""The exceptions that are raised if a fact has another shape than expected."""
_UNDATED = "{day}"
"""Placeholder for the day of the assessment; no code has these characters."""
_CHINA = timezone(timedelta(hours=8))


class SecretKey(NamedTuple):
    """The secret of a key, and the day in China from which on the key is in force."""

    effective_from: date
    secret: bytes

    def __repr__(self) -> str:
        return f"SecretKey({self.effective_from})"


@dataclass
class Redrawn:
    """The results of repeated draws, counted by key id, which is empty for older draws without a key. `repeated`: how
    many draws had the same result again; `selected`: how many of these draws selected the goods. `wrong`: a line for
    each draw with another result, of all keys together."""

    repeated: Counter[str] = field(default_factory=Counter)
    selected: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def keys_in(text: str) -> dict[str, SecretKey]:
    """Returns the keys in the text of a key file, by key id."""
    rows = json.loads(text)["keys"]
    return {r["key_id"]: SecretKey(date.fromisoformat(r["effective_from"]), bytes.fromhex(r["secret"])) for r in rows}


def redraw(entries: Iterable[LoggedMessage], keys: Mapping[str, SecretKey], consignment: str = "") -> Redrawn:
    """Repeats the draws of these entries, which may be in any order, and returns the results. `consignment`: if given, only the draws of
    this consignment."""
    done = Redrawn()
    lots: dict[str, str] = {}
    early: list[LoggedMessage] = []
    for entry in entries:
        if not entry.written_by_its_desk or (consignment and entry.key != consignment):
            continue
        if entry.kind == "DeclarationAccepted":
            try:
                lots[entry.key] = _lot(entry.body["declaration"])
            except _UNREADABLE as error:
                done.wrong.append(_described(entry, f"cannot be read 无法读取: {type(error).__name__}"))
        elif entry.kind == "ConsignmentAssessed":
            if entry.key in lots:
                _repeat(done, entry, lots, keys)
            else:
                early.append(entry)  # the declaration of `entry` may come later, from the other topic
    for entry in early:
        _repeat(done, entry, lots, keys)
    return done


def _repeat(done: Redrawn, entry: LoggedMessage, lots: Mapping[str, str], keys: Mapping[str, SecretKey]) -> None:
    try:
        problem = _problem(entry.key, entry.body, lots.get(entry.key), keys)
    except _UNREADABLE as error:
        problem = f"cannot be read 无法读取: {type(error).__name__}"
    if problem:
        done.wrong.append(_described(entry, problem))
        return
    drawn = entry.body["draw"]
    key_id = drawn.get("key_id") or ""
    done.repeated[key_id] += 1
    done.selected[key_id] += drawn["selected"]


def _described(entry: LoggedMessage, problem: str) -> str:
    return f"{entry.kind} of {entry.key} at {entry.position}: {problem}"


def _problem(consignment: str, fact: Any, lot: str | None, keys: Mapping[str, SecretKey]) -> str:
    """Returns what is wrong with the draw of this assessment; an empty text if the repeated draw has the same result."""
    drawn, day = fact["draw"], datetime.fromisoformat(fact["occurred_at"]).astimezone(_CHINA).date()
    value, rate, key_id = Decimal(drawn["value"]), Decimal(drawn["rate"]), drawn.get("key_id", "")
    in_force = _in_force(keys, day)
    if not key_id:
        began = min([key.effective_from for key in keys.values()], default=day)
        # An older software version draws without a key. That version may still have run on the first day of the first key.
        if day > began:
            return f"drawn without a key although {in_force} was in force 未用当时的密钥"
        digest = sha256(f"{fact['rule_set']}/{consignment}".encode()).digest()
    else:
        if key_id == PUBLISHED:
            secret = _PUBLISHED_SECRET
        elif key_id not in keys:
            return f"no key of this id is here: {key_id} 缺少该密钥"
        elif key_id != in_force:
            return f"drawn with {key_id} although {in_force} was in force 所用密钥当时未生效"
        else:
            secret = keys[key_id].secret
        if lot is None:
            return "no accepted declaration is there 没有已受理的申报"
        digest = new(secret, f"inspection-draw/{lot.replace(_UNDATED, str(day))}".encode(), "sha256").digest()
    again = Decimal(int(Fraction(int.from_bytes(digest[:8], "big"), 2**64) * 10**6)).scaleb(-6)
    if value != again:
        return f"{value} was written, and it comes out as {again} 抽取值不一致"
    if drawn["selected"] is not (value < rate):
        return f"selected is {drawn['selected']}, and {value} is {'' if value < rate else 'not '}below {rate} 抽中与否不一致"
    return ""


def _lot(paper: Any) -> str:
    """Returns the text that identifies the goods of a declaration. If the day of the assessment is a part of it, the text contains
    `_UNDATED` in its place."""
    boxes = "+".join(sorted({_code(box["container_no"]) for box in paper["containers"]}))
    if bill := _code(paper["bill_no"]):
        return f"{paper['direction']}/bill/{bill}/{boxes}"
    journey = f"{_code(paper['consignee'])}/{_code(paper['conveyance'])}/{paper['conveyance_entry_date'] or _UNDATED}"
    return f"{paper['direction']}/journey/{journey}/{boxes}"


def _code(code: str) -> str:
    """Returns the letters and the digits of a code, in one spelling (categories L and N of Unicode)."""
    return "".join(
        [sign for sign in unicodedata.normalize("NFKC", code).upper() if unicodedata.category(sign)[0] in "LN"]
    )


def _in_force(keys: Mapping[str, SecretKey], day: date) -> str:
    """Returns the id of the newest key that is in force on this day; the id of the first key if none is in force."""
    by_day = sorted(keys, key=lambda name: keys[name].effective_from)
    return next((name for name in reversed(by_day) if keys[name].effective_from <= day), by_day[0] if by_day else "")
