"""In which order does a timeline show its messages, however they name each other as causes, and at what cost?"""

from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from schemas.marks import Audience
from services.console.api.documents import UNREADABLE, entry, in_order, release
from services.console.readmodel.messages import packed_position
from tests.console.border import Border, PublishedMessage

MESSAGES = 10_000
"""The most messages that a timeline reads."""
LOOKS = 20
"""How often the cause of a message may be read on average: a few times, not once for each other message."""


@dataclass
class Row:
    """A message of a timeline that counts how often its cause is read."""

    place: int
    id: str
    named: str
    recorded_us: int = 0
    sequence: int = 0
    looks: int = 0

    @property
    def cause(self) -> str:
        self.looks += 1
        return self.named


def chain(*last: str) -> Iterator[Row]:
    """Yields messages. The cause of each message is the message before it, but its recorded time is earlier than that
    of its cause. `last`: the cause of the first message; no cause if it is missing."""
    names = [str(number) for number in range(MESSAGES)]
    for number, name in enumerate(names):
        yield Row(number, name, names[number - 1] if number else "".join(last), recorded_us=MESSAGES - number)


class Counted(str):
    """A message id. The class counts how often such ids are looked up in sets and dictionaries."""

    __slots__ = ()
    lookups = 0

    def __hash__(self) -> int:
        Counted.lookups += 1
        return super().__hash__()


def lookups(rows: list[Row]) -> int:
    for row in rows:
        row.id, row.named = Counted(row.id), Counted(row.named)
    Counted.lookups = 0
    assert len(in_order(rows)) == len(rows)
    return Counted.lookups


def test_no_answer_stands_before_what_it_answers_and_each_chain_is_followed_once() -> None:
    rows = list(chain())
    assert [row.id for row in in_order(reversed(rows))] == [row.id for row in rows]
    assert lookups(rows) < LOOKS * MESSAGES


def test_messages_that_name_each_other_in_a_circle_cost_no_more() -> None:
    circle = [Row(0, "0", "1"), Row(1, "1", "0"), *[Row(n, str(n), "0", recorded_us=n) for n in range(2, MESSAGES)]]
    assert lookups(circle) < LOOKS * MESSAGES
    assert lookups(list(chain(str(MESSAGES - 1)))) < LOOKS * MESSAGES


def test_what_a_declaration_was_rejected_for_and_why_a_request_was_sent_back_is_told_in_words() -> None:
    consignment = Border("words").lodged().rejected().refused_request()
    rejected, refused = [
        entry(_row(one), one.value.decode().replace("hs_code_unknown", "container_malformed"), audience=None)
        for one in consignment.messages[1:]
    ]
    (finding,) = rejected.findings
    assert (finding.pointer, finding.code, finding.seen) == ("/items/0/hs_code", "container_malformed", "0000")
    assert finding.text.zh and finding.text.en and finding.text.zh != finding.text.en
    assert refused.refusal is not None and refused.refusal.en == "nothing of the kind is ordered"
    assert rejected.refusal is None and refused.findings == []


MASSES: dict[str, Any] = {"code": "mass_and_net", "values": {"mass": "20", "net": "9"}}


@pytest.mark.parametrize(
    ("value", "phrase", "zh", "en"),
    [
        ("20 kg, net mass 9 kg", MASSES, "20 kg，净重 9 kg", "20 kg, net mass 9 kg"),
        ("20 kg, net mass 9 kg", None, "20 kg，净重 9 kg", "20 kg, net mass 9 kg"),
        ("0000", None, "0000", "0000"),
        (
            "of a newer software version",
            {"code": "of_2030", "values": {}},
            "of a newer software version",
            "of a newer software version",
        ),
    ],
    ids=["by its phrase", "of an older software version", "a value", "of a newer software version"],
)
def test_what_a_check_saw_is_told_in_both_languages(value: str, phrase: Any, zh: str, en: str) -> None:
    message = Border("seen").lodged().rejected().messages[1]
    body = orjson.loads(message.value)
    body["findings"][0] |= {"seen": value} | ({} if phrase is None else {"phrase": phrase})
    (finding,) = entry(_row(message), orjson.dumps(body).decode(), audience=Audience.DECLARANT).findings
    assert (finding.seen, finding.seen_text.zh, finding.seen_text.en) == (value, zh, en)


@pytest.mark.parametrize("phrase", [7, {"code": 7}, {"code": "mass_and_net", "values": {"mass": [], "net": "9"}}, []])
def test_what_a_check_saw_in_a_fact_of_nobodys_contract_is_told_as_it_stands(phrase: Any) -> None:
    message = Border("odd").lodged().rejected().messages[1]
    body = orjson.loads(message.value)
    body["findings"][0] |= {"seen": "as it stands", "phrase": phrase}
    (finding,) = entry(_row(message), orjson.dumps(body).decode(), audience=None).findings
    assert (finding.seen_text.zh, finding.seen_text.en) == ("as it stands", "as it stands")


@pytest.mark.parametrize("nested", ["[", '{"a":'])
@pytest.mark.parametrize("levels", [99, 200, 253, 254, 255, 1000])
@pytest.mark.parametrize("audience", [None, *Audience])
def test_a_content_that_is_nested_however_deep_is_told(nested: str, levels: int, audience: Audience | None) -> None:
    """Anybody who may write requests may send a deeply nested content, and the message then stays in the timeline for
    ever."""
    message = Border("deep").lodged().messages[0]
    body = '{"asked_by":' + nested * levels + "0" + {"[": "]"}.get(nested, "}") * levels + "}"
    timeline_entry = entry(_row(message), body, audience=audience)
    assert orjson.loads(timeline_entry.model_dump_json())["kind"] == "LodgeDeclaration"
    orjson.dumps(timeline_entry.body)
    if audience is None:
        assert timeline_entry.body is not None and ("unreadable" in timeline_entry.body) == (levels > 99)


@pytest.mark.parametrize("version", [-1, 2**63, 2**64 - 1, True, 1.5, None])
def test_a_release_of_a_version_that_nobody_stores_is_told_as_unreadable(version: Any) -> None:
    """A port's notebook stores the version in 63 bits. A port that cannot store the version of an entry would stop at
    this entry for ever."""
    messages = Border("versions").lodged().accepted().assessed().arrived().released().messages
    message = next(one for one in messages if one.kind == "ReleaseGranted")
    body = orjson.loads(message.value)
    row = SimpleNamespace(**vars(_row(message)), cursor=1, epoch="e1", consignment_id=message.key, size=100)
    assert release(row, orjson.dumps(body).decode()).kind == "ReleaseGranted"
    odd = release(row, orjson.dumps({**body, "version": version}).decode())
    assert (odd.kind, odd.version) == (UNREADABLE, 0)


def _row(message: PublishedMessage) -> SimpleNamespace:
    position = packed_position(message.topic, 0, 1)
    return SimpleNamespace(place=position, id=message.id, cause="", kind=message.kind, sequence=1, recorded_us=0)
