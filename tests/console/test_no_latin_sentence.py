"""After a full simulated day, is there no English sentence on a Chinese page, and none in the Chinese texts of the
API's answers?

Texts of people are shown unchanged. So the test removes them first; it knows every text of every request. Technical
text is in `<code>` and `<pre>`; the reference of the API, which programs read, is marked `lang="en"`.
"""

import re
from collections import Counter
from collections.abc import Iterator
from html import unescape
from typing import Any

import orjson
import pytest
from pydantic import BaseModel, PastDate, ValidationError

from schemas.codes.bilingual import Bilingual
from schemas.topics import ROLES
from services.console.api.problems import by_status, faults_of
from services.console.language import desk_sentences
from services.console.language.words import TEXTS
from tests.console.simulated import Simulated, full_day, topics_of_rows
from tests.console.still import Still

SENTENCE = re.compile(r"(?<![\w/'-])[A-Za-z][a-z]+(?:'s)?(?:[,:;]? [A-Za-z]?[a-z]+(?:'s)?){2,}")
"""Three or more words of Latin letters in a row."""
TECHNICAL = re.compile(r"<(code|pre|textarea|script|style|head)\b.*?</\1>", re.DOTALL)
ENGLISH = re.compile(r'<(\w+)[^>]*\blang="en"[^>]*>.*?</\1>', re.DOTALL)
LISTS = (
    "/",
    "/consignments",
    "/unmatched",
    "/parked",
    "/alarms",
    "/watches",
    "/lodge",
    "/rights",
    "/docs",
    "/password",
)


@pytest.fixture(scope="module")
def day() -> Simulated:
    return full_day()


@pytest.fixture(scope="module")
def still(day: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Still]:
    made, rows = Still(tmp_path_factory.mktemp("day")), topics_of_rows()
    messages = [
        one for one in day.messages if one.topic in rows and one.value and (ROLES[one.topic] != "requests" or one.kind)
    ]
    made.tell([one for one in messages if not one.id.startswith("garbage")])
    yield made
    made.stop()


def some_of_each(day: Simulated, most: int = 4) -> tuple[list[str], list[str]]:
    """Returns consignment ids and container numbers, so that every kind of message and every code of a refusal occurs
    among their messages. Of each kind and each code, the first `most` keys of messages are taken."""
    keys_of: dict[str, set[str]] = {}
    for message in day.messages:
        code = orjson.loads(message.value).get("code", "") if message.kind == "RequestRefused" else ""
        keys = keys_of.setdefault(f"{message.kind} {code}", set())
        if len(keys) < most:
            keys.add(message.key)
    keys = set().union(*keys_of.values())
    goods = {message.key for message in day.messages if message.kind == "LodgeDeclaration"}
    boxes = {message.key for message in day.messages if message.topic == "customs-gate-facts"}
    return sorted(keys & goods), sorted(keys & boxes)


def typed(day: Simulated) -> re.Pattern[str]:
    """A pattern that matches any text of several words that a person wrote in a request; the longest text matches
    first."""
    texts = sorted({" ".join(text.split()) for text in day.typed if " " in text.strip()}, key=len, reverse=True)
    return re.compile("|".join([re.escape(text) for text in texts]))


def sentences(html: str, people: re.Pattern[str]) -> list[str]:
    """The Latin sentences of a page, without those that people wrote."""
    shown = ENGLISH.sub(" ", TECHNICAL.sub(" ", html.partition("<body")[2] or html))
    attributes = " | ".join(re.findall(r'(?:title|placeholder|aria-label)="([^"]*)"', shown))
    text = " ".join(unescape(re.sub(r"<[^>]+>", " | ", shown) + attributes).split())
    return SENTENCE.findall(people.sub(" | ", text))


def chinese(value: Any, name: str = "") -> Iterator[str]:
    """Yields every text in this part of an answer whose field is `zh` or ends with `_zh`."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from chinese(each, key)
    elif isinstance(value, list):
        for each in value:
            yield from chinese(each, name)
    elif isinstance(value, str) and (name == "zh" or name.endswith("_zh")):
        yield value


def test_the_day_has_everything_in_it(day: Simulated) -> None:
    kinds = Counter(message.kind for message in day.messages)
    for kind in (
        *("DeclarationRejected", "RequestRefused", "RectificationRequested", "InspectionFailed", "PestIntercepted"),
        *("TreatmentOrdered", "TreatmentFailed", "TreatmentVerified", "TreatmentReferred", "ConsignmentHeld"),
        *("ReleaseGranted", "ReleaseRefused", "ReleaseRevoked", "GateAlarmRaised", "ContainerMustStay"),
        *("DeclarationWithdrawn", "MessageParked", "ConsignmentLeftUnreleased"),
    ):
        assert kinds[kind], kind


def test_a_fault_without_words_of_its_own_is_told_by_its_code_in_chinese() -> None:
    class Odd(BaseModel):
        day: PastDate

    with pytest.raises(ValidationError) as caught:
        Odd(day="2999-01-01")  # type: ignore[arg-type]
    (fault,) = faults_of(caught.value)
    assert fault.message_en == "Date should be in the past" and fault.message_zh == "不符合要求（date_past）"
    assert by_status(418, "GET /").details().detail_zh == "HTTP 418"


def test_no_latin_sentence_stands_on_a_chinese_page(day: Simulated, still: Still) -> None:
    people = typed(day)
    goods, boxes = some_of_each(day)
    found: dict[str, set[str]] = {}
    for path in (*LISTS, *[f"/consignments/{key}" for key in goods], *[f"/containers/{key}" for key in boxes]):
        page = still.page(path, "zh")
        assert TEXTS["page.not_shown"].zh not in page, f"a part of {path} is not shown"
        for sentence in sentences(page, people):
            found.setdefault(sentence, set()).add(path)
    assert {sentence: sorted(paths)[:2] for sentence, paths in found.items()} == {}


def test_no_page_or_answer_of_the_day_is_read_back_from_a_sentence(
    day: Simulated, still: Still, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Desks write codes. A sentence is recognised by its shape only in facts of older software versions, and this day
    has none."""
    looked_at: set[str] = set()
    by_shape = desk_sentences._read

    def noted(text: str) -> Bilingual:
        looked_at.add(text)
        return by_shape(text)

    monkeypatch.setattr(desk_sentences, "_read", noted)
    goods, boxes = some_of_each(day, 1)
    for path in (*LISTS, *[f"/consignments/{key}" for key in goods], *[f"/containers/{key}" for key in boxes]):
        still.page(path, "zh")
    for path in (
        "alarms?limit=500",
        *[f"consignments/{key}" for key in goods],
        *[f"containers/{key}" for key in boxes],
    ):
        assert still.get(f"/api/v1/{path}", headers={"accept": "application/json"}).status_code == 200
    assert {text for text in looked_at if by_shape(text) != (text, text)} == set()


def test_no_latin_sentence_stands_in_a_chinese_text_of_an_answer(day: Simulated, still: Still) -> None:
    people = typed(day)
    goods, boxes = some_of_each(day)
    paths = [
        "/api/v1/stages",
        "/api/v1/alarms?limit=500",
        "/api/v1/parked",
        "/api/v1/unmatched",
        "/api/v1/consignments",
    ]
    paths += [f"/api/v1/consignments/{key}{what}" for key in goods for what in ("", "/timeline")]
    paths += [f"/api/v1/containers/{key}" for key in boxes]
    paths += [
        "/api/v1/nowhere",
        "/api/v1/consignments?limit=many",
        "/api/v1/consignments?stage=lost",
        "/api/v1/parked?after=x",
    ]
    found: dict[str, str] = {}
    for path in paths:
        answer = still.get(path, headers={"accept": "application/json"})
        for text in chinese(answer.json()):
            for sentence in SENTENCE.findall(people.sub(" | ", text)):
                found.setdefault(sentence, path)
    assert found == {}
