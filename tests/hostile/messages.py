"""Which bad messages may a topic contain? A hostility is one kind of bad message. The messages are made from a seed, so
the same seed gives the same messages."""

import base64
import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from schemas.flow import FLOW, heard_topics
from schemas.topics import FACTS_AND_REQUESTS, KINDS, orders_topic
from services.shell.codec import CARRIED, Raw
from services.shell.partition import partition_of

EXAMPLES = {
    name: [orjson.loads(file.read_bytes()) for file in sorted(Path("schemas/examples").glob(f"{name}*.json"))]
    for name in KINDS
}
RAW = "\u0001RAW"
"""A placeholder in a value. After encoding, it is replaced by text that no encoder writes."""
WRONG: tuple[Any, ...] = (
    None,
    True,
    "",
    "x",
    " ",
    0,
    -1,
    1.5,
    [],
    {},
    [[]],
    {"a": 1},
    "NaN",
    "2026-13-45",
    "null",
    [None],
)
LATE = (
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "0001-01-01",
    "9999-12-31",
    "253402300799",
    "2026-02-30T00:00:00Z",
)
HUGE = (
    f"1{'0' * 40}",
    f"-1{'0' * 40}",
    "1e999",
    "-1e999",
    "9" * 5000,
    "0.000000000000000000001",
    "1e-400",
    "18446744073709551616",
)
ODD = (
    "\u202eabc",
    "\U0001f6a2" * 300,
    "\uffff",
    "\u200b",
    "x" * 10_000,
    "'; DROP TABLE goods; --",
    "../../etc",
    "\x7f",
    "é" * 501,
    "[/red]",
)
BIG = 1_050_000


@dataclass(slots=True)
class Draft:
    """A message that is being made from a golden example. It has an id of its own."""

    desk: str
    topic: str
    kind: str
    body: Any
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]


class Flood:
    """Makes messages to one desk, as the loop would read them. Iterating yields (kind of hostility, message) without
    end."""

    def __init__(self, desk: str, seed: str, partitions: int) -> None:
        self.desk = desk
        self.dice = random.Random(f"{seed}/{desk}")
        self.partitions = partitions
        self.topics = heard_topics(desk)
        self.there = [(topic, kind) for topic in self.topics for kind in sorted(CARRIED[topic])]
        self.decided = [(topic, kind) for topic, kind in self.there if KINDS[kind] in FLOW[desk]]
        self.waiting: list[Raw] = []
        """Parked messages. The flood makes orders about them. The code that runs the flood fills this list."""
        self._offset = 0
        self._recent = [self._identity() for _ in range(64)]
        self._published: list[Raw] = []

    def __iter__(self) -> Iterator[tuple[str, Raw]]:
        names = list(HOSTILITIES)
        weights = [HOSTILITIES[name][0] for name in names]
        while True:
            (name,) = self.dice.choices(names, weights)
            yield name, self._lain(HOSTILITIES[name][1](self))

    def _lain(self, draft: "Draft | Raw") -> Raw:
        self._offset += 1
        if isinstance(draft, Raw):
            return Raw(draft.topic, draft.partition, self._offset, draft.key, draft.value, draft.headers)
        raw = Raw(draft.topic, self.place_of(draft), self._offset, draft.key, draft.value, draft.headers)
        if len(self._published) < 64:
            self._published.append(raw)
        elif len(draft.value or b"") < 10_000:
            self._published[self.dice.randrange(64)] = raw
        return raw

    def place_of(self, draft: Draft) -> int:
        """Returns the partition to which a client would write the draft."""
        return partition_of((draft.key or b"")[:255], self.partitions)

    def _identity(self) -> tuple[str, str]:
        text = self.dice.randbytes(16).hex()
        number = f"CSQU{self.dice.randrange(10**7):07}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}", number

    # messages without faults

    def draft(self, topic: str = "", kind: str = "", known: float = 0.1) -> Draft:
        """Returns a message that is made from a golden example, with the goods and container of this message in place
        of those of the example. `known`: the share of messages about goods of earlier messages."""
        dice = self.dice
        if not kind:
            topic, kind = dice.choice(self.decided if dice.random() < 0.9 else self.there)
        body = orjson.loads(orjson.dumps(dice.choice(EXAMPLES[kind])))
        goods, box = self._identity()
        if dice.random() < known:
            goods, box = dice.choice(self._recent)
        else:
            self._recent[dice.randrange(64)] = goods, box
        if "consignment_id" in body:
            body["consignment_id"] = goods
        if "container_no" in body:
            body["container_no"] = box
        if "subject" in body:
            body["subject"] = goods
        headers = {"ce_type": kind.encode(), "ce_id": b"m-%d" % dice.getrandbits(40), "correlationid": b"c-1"}
        draft = Draft(self.desk, topic, kind, body, None, None, headers)
        self.seal(draft)
        return draft

    def seal(self, draft: Draft) -> Draft:
        """Makes the value from the body, and the key from the subject that the body names, as a correct producer
        does."""
        draft.value = orjson.dumps(draft.body)
        if isinstance(draft.body, dict):
            names = ("container_no", "consignment_id", "subject")
            own = KINDS[draft.kind].model_fields
            first = next((draft.body.get(n) for n in names if n in own and n in draft.body), None)
            if draft.kind in _CONSIGNMENT_KEYED:
                first = draft.body.get("consignment_id", first)
            if isinstance(first, str):
                draft.key = first.encode("utf-8", "surrogatepass")
        return draft

    def slot(self, body: Any, want: Callable[[Any], bool]) -> tuple[Any, Any] | None:
        """Returns a random place in the body whose value fulfils `want`: the object or list that contains it, and its
        key or index there. Returns None if no value fulfils `want`."""
        found = [(c, n) for c, n in _slots(body) if want(c[n])]
        return self.dice.choice(found) if found else None

    def put(self, draft: Draft, want: Callable[[Any], bool], new: Any, raw: bytes | None = None) -> Draft:
        """Puts `new` at a random place whose value fulfils `want`, or at any place if no value does. `raw`: bytes that
        are written there in place of `new`, even if they are not JSON."""
        at = self.slot(draft.body, want) or self.slot(draft.body, _any)
        if at is not None:
            # `new` may be a value of `WRONG`. A copy is put into the draft, because the draft may be changed later.
            at[0][at[1]] = RAW if raw is not None else deepcopy(new)
        self.seal(draft)
        if raw is not None and draft.value is not None:
            draft.value = draft.value.replace(orjson.dumps(RAW), raw, 1)
        return draft


def _slots(body: Any) -> Iterator[tuple[Any, Any]]:
    items = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for name, value in list(items):
        yield body, name
        yield from _slots(value)


def _any(_: Any) -> bool:
    return True


def _number(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value) and value.replace(".", "", 1).isdigit() and len(value) < 12
    return isinstance(value, int | float) and not isinstance(value, bool)


def _moment(value: Any) -> bool:
    return (
        isinstance(value, str) and value[4:5] == "-" and value[7:8] == "-" and len(value) < 40 and value[:4].isdigit()
    )


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _list(value: Any) -> bool:
    return isinstance(value, list) and bool(value)


_CONSIGNMENT_KEYED = frozenset(m.kind for t in FACTS_AND_REQUESTS if t.key == "consignment" for m in t.carries)


# hostilities: each function makes one kind of bad message


def _random_bytes(f: Flood) -> Draft:
    draft = f.draft()
    draft.value = f.dice.randbytes(f.dice.randrange(2000))
    return draft


def _truncated(f: Flood) -> Draft:
    draft = f.draft()
    assert draft.value is not None
    draft.value = draft.value[: f.dice.randrange(len(draft.value))]
    return draft


def _deep(f: Flood) -> Draft:
    times = f.dice.choice((50, 150, 300, 5000, 60_000))
    opening, closing = f.dice.choice(((b"[", b"]"), (b'{"a":', b"}")))
    return f.put(f.draft(), _any, None, opening * times + b"0" + closing * times)


def _twice_named(f: Flood) -> Draft:
    draft = f.draft()
    name = f.dice.choice(list(draft.body))
    other = orjson.dumps(f.dice.choice((draft.body[name], *WRONG)))
    assert draft.value is not None
    draft.value = b"{" + orjson.dumps(name) + b":" + other + b"," + draft.value[1:]
    return draft


def _fewer(f: Flood) -> Draft:
    draft = f.draft()
    at = f.slot(draft.body, _any)
    if at is not None:
        del at[0][at[1]]
    return f.seal(draft)


def _more(f: Flood) -> Draft:
    draft = f.draft()
    nests = [draft.body, *[c[n] for c, n in _slots(draft.body) if isinstance(c[n], dict)]]
    f.dice.choice(nests)[f.dice.choice(("released", "", "kind", "__class__", "\u0000"))] = deepcopy(
        f.dice.choice(WRONG)
    )
    return f.seal(draft)


def _unknown_kind(f: Flood) -> Draft:
    draft = f.draft()
    draft.headers["ce_type"] = f.dice.choice(
        (b"ReleaseEverything", b"", b"releasegranted", b"x" * 300_000, b"DeadlinePassed")
    )
    return draft


def _headers_gone(f: Flood) -> Draft:
    draft = f.draft()
    for name in f.dice.sample(sorted(draft.headers), f.dice.randint(1, 3)):
        del draft.headers[name]
    return draft


def _headers_null(f: Flood) -> Draft:
    draft = f.draft()
    named: dict[str, Any] = {**draft.headers, "traceparent": b"", "sequence": b"1"}
    for name in f.dice.sample(sorted(named), f.dice.randint(1, 3)):
        named[name] = None
    draft.headers = named
    return draft


def _headers_many(f: Flood) -> Draft:
    draft = f.draft()
    draft.headers |= {f"h-{n}": f.dice.randbytes(f.dice.choice((5, 500))) for n in range(f.dice.choice((200, 1000)))}
    return draft


def _key_gone(f: Flood) -> Draft:
    draft = f.draft()
    draft.key = f.dice.choice((None, b""))
    return draft


def _key_other(f: Flood) -> Draft:
    draft = f.draft()
    draft.key = f.dice.choice((b"somebody", b"\xff\xfe", b"\x00", b"a\x00b", b" ", (draft.key or b"") + b" "))
    return draft


def _key_long(f: Flood) -> Draft:
    draft = f.draft()
    length = f.dice.choice((300, 40_000, 300_000))
    if f.dice.random() < 0.5:
        draft.key = f.dice.choice((b"k", b"\xff", b"\x00")) * length
        return draft
    names = [n for n in ("container_no", "consignment_id", "subject") if n in draft.body]
    if names:
        draft.body[names[0]] = "K" * length
    return f.seal(draft)


def _null_value(f: Flood) -> Draft:
    draft = f.draft()
    draft.value = f.dice.choice((None, b"", b"null"))
    return draft


def _wrong_topic(f: Flood) -> Draft:
    kind = f.dice.choice(sorted(KINDS))
    return f.draft(f.dice.choice(f.topics), kind)


def _not_utf8(f: Flood) -> Draft:
    draft = f.put(
        f.draft(), _text, None, b'"' + f.dice.choice((b"\xff\xfe", b"\xed\xa0\x80", b"\xc3", b"\\ud800")) + b'"'
    )
    if f.dice.random() < 0.2:
        draft.headers[f.dice.choice(sorted(draft.headers))] = b"\xff\xfe\x80"
    return draft


def _nul(f: Flood) -> Draft:
    raw = f.dice.choice((b'"\\u0000"', b'"a\\u0000b"', b'"\x00"', b"\x00"))
    return f.put(f.draft(), _text, None, raw)


def _big(f: Flood) -> Draft:
    draft = f.draft()
    way = f.dice.randrange(4)
    if way == 0:
        return f.put(draft, _text, "x" * BIG)
    if way == 1:
        return f.put(draft, _list, ["x" * 8] * (BIG // 11))
    draft.value = b"[" * BIG if way == 2 else f.dice.randbytes(BIG - 60_000)
    return draft


def _thousand_lines(f: Flood) -> Draft:
    draft = f.draft()
    at = f.slot(draft.body, _list)
    if at is not None:
        at[0][at[1]] = (at[0][at[1]] * 1000)[:1000]
    return f.seal(draft)


def _two_at_once(f: Flood) -> Draft:
    draft = f.draft()
    for want, pool in ((_any, WRONG), (_text, ODD), (_moment, LATE)):
        f.put(draft, want, f.dice.choice(pool))
    return draft


def _again(f: Flood) -> "Draft | Raw":
    return f.dice.choice(f._published) if f._published else f.draft()


def _elsewhere(f: Flood) -> Raw:
    """Returns a message in a wrong partition, as from a client with another partitioner."""
    draft = f.draft()
    partition = (f.place_of(draft) + 1) % f.partitions
    return Raw(draft.topic, partition, 0, draft.key, draft.value, draft.headers)


def _order(f: Flood) -> "Draft | Raw":
    """Returns a message on the topic of orders about a parked message. Its Kafka value is a correct order, an order with
    wrong fields, or something that is no order at all."""
    dice = f.dice
    about = dice.choice(f.waiting) if f.waiting else Raw("nowhere", 0, 7, b"k", b"", {})
    order: dict[str, Any] = {
        "action": dice.choice(("release", "discard", "burn")),
        "topic": about.topic,
        "partition": about.partition,
        "offset": about.offset,
        "actor": "op",
    }
    edits = (None, base64.b64encode(f.draft().value or b"").decode(), "***", "é", "QQ", 7)
    order["value_base64"] = dice.choice(edits)
    value = orjson.dumps(order)
    if dice.random() < 0.3:
        value = dice.choice((b"", b"null", b"[]", b"{}", dice.randbytes(50), b'{"action":' + b"[" * 50_000, value[:-4]))
    named = about.key or f"{about.topic}/{about.partition}/{about.offset}".encode()
    key = dice.choice((named, named, named, None, b"\xff", b"other"))
    return Raw(orders_topic(f.desk), about.partition, 0, key, value, {"ce_id": b"order"})


HOSTILITIES: dict[str, tuple[int, Callable[[Flood], "Draft | Raw"]]] = {
    "as agreed, other goods": (120, lambda f: f.draft(known=0.7)),
    "said again": (40, _again),
    "random bytes": (60, _random_bytes),
    "cut off": (80, _truncated),
    "wrong type": (120, lambda f: f.put(f.draft(), _any, f.dice.choice(WRONG))),
    "field missing": (50, _fewer),
    "field too many": (40, _more),
    "huge number": (50, lambda f: f.put(f.draft(), _number, None, f.dice.choice(HUGE).encode())),
    "negative number": (40, lambda f: f.put(f.draft(), _number, None, b'"-%d"' % f.dice.randrange(1, 10**9))),
    "NaN or infinity": (30, lambda f: f.put(f.draft(), _number, None, f.dice.choice((b"NaN", b"Infinity", b'"-inf"')))),
    "year 9999 or 1": (60, lambda f: f.put(f.draft(), _moment, f.dice.choice(LATE))),
    "odd text": (40, lambda f: f.put(f.draft(), _text, f.dice.choice(ODD))),
    "nested deeply": (6, _deep),
    "key named twice": (40, _twice_named),
    "unknown kind": (30, _unknown_kind),
    "headers missing": (30, _headers_gone),
    "headers null": (30, _headers_null),
    "headers without end": (3, _headers_many),
    "no key": (20, _key_gone),
    "another key": (30, _key_other),
    "another partition": (20, _elsewhere),
    "over-long key": (6, _key_long),
    "null value": (20, _null_value),
    "wrong topic": (40, _wrong_topic),
    "not UTF-8": (40, _not_utf8),
    "NUL": (30, _nul),
    "a megabyte": (1, _big),
    "a thousand lines": (3, _thousand_lines),
    "several faults": (60, _two_at_once),
    "orders about parked": (30, _order),
}
"""Kind of hostility → its weight, and the function that makes the message."""
