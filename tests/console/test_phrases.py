"""Does every code of a desk have a text in both languages and a fact that uses the code, and does the text agree with
the English sentence beside the code?"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codes.sentences import SENTENCES
from schemas.envelope import Message
from schemas.marks import Audience
from schemas.outside import to_outside
from schemas.phrases import (
    LONGEST_VALUE,
    WHY,
    Phrase,
    Values,
    of_earlier,
    phrase,
    quoted,
    reason,
    sentence,
    stretches,
    value_names,
)
from schemas.topics import KINDS, PORT_WRITERS, ROLES
from services.console.language.desk_sentences import each_in_words, in_words, in_words_of, kept, phrases_of, why_of
from services.console.language.words import TEXTS
from tests.architecture.golden import EXAMPLES
from tests.console.desk_phrases import all_facts
from tests.console.simulated import full_day
from tests.sources import tree_of

SERVICES = Path(__file__).parents[2] / "services"
PLACEHOLDER = re.compile(r"\{(\w+)\}")
CHINESE = re.compile(r" ?[\u4e00-\u9fff][^;:]*(?=[;:] |$)")
"""The Chinese that the gate and release desks write after an English sentence, or before its colon."""
LATIN = re.compile(r"[a-z]{2,} | [a-z]{2,}")
"""A Latin word before or after a blank."""
FIELDS = ("reason", "seen", "shortfalls")
"""The fields in which a desk writes a sentence, beside its phrases."""


class Sentence(NamedTuple):
    """A sentence of a fact, and its phrases."""

    where: str
    text: Any
    phrases: list[dict[str, Any]]


def sentences_of(kind: str, body: dict[str, Any]) -> Iterator[Sentence]:
    """Each sentence of a fact with its phrases."""
    for name, value in body.items():
        if isinstance(value, list):
            for each in value:
                if isinstance(each, dict) and name != "phrases":
                    yield from sentences_of(f"{kind}.{name}", each)
        elif isinstance(value, dict):
            yield from sentences_of(f"{kind}.{name}", value)
    field = next((name for name in FIELDS if name in body), None)
    if field is not None and (phrases := list(phrases_of(body))):
        yield Sentence(f"{kind}.{field}", body[field], phrases)


Facts = list[tuple[str, dict[str, Any]]]
"""Kind and content of facts."""


@pytest.fixture(scope="module")
def day() -> Facts:
    """The facts of a full simulated day."""
    return [
        (one.kind, orjson.loads(one.value)) for one in full_day().messages if ROLES[one.topic] == "facts" and one.value
    ]


@pytest.fixture(scope="module")
def coded_facts(day: Facts) -> Facts:
    """The facts of the day, and facts with the codes that do not occur on the day."""
    return [*[(fact.kind, orjson.loads(fact.model_dump_json())) for fact in all_facts()], *day]


def plain(english: str) -> str:
    """The sentence in the form of the catalogue: without the desk's Chinese, and without quotation marks around a
    placeholder."""
    return CHINESE.sub("", english).replace("'{", "{").replace("}'", "}")


@pytest.mark.parametrize("code", SENTENCES)
def test_a_sentence_has_its_words_in_both_languages_and_the_same_places_in_each(code: str) -> None:
    texts = TEXTS[f"written.{code}"]
    assert texts.en == plain(SENTENCES[code])
    assert set(PLACEHOLDER.findall(texts.zh)) == set(PLACEHOLDER.findall(texts.en)) == set(value_names(code))
    assert set(value_names(code)) <= {*Values.__annotations__, WHY}
    if re.search(r"[a-z]", PLACEHOLDER.sub("", texts.en)):
        assert re.search(r"[\u4e00-\u9fff]", texts.zh), "it is Chinese"


def calls() -> Iterator[tuple[str, str, set[str]]]:
    """Yields, for each call by which a desk makes a phrase, its file and line, the code, and the names of its values.
    Calls with `**values` are left out; the stories cover them."""
    for file in sorted(SERVICES.rglob("*.py")):
        for node in ast.walk(tree_of(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("phrase", "seen_phrase"):
                code = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
                if isinstance(code, str) and all(each.arg for each in node.keywords):
                    yield f"{file}:{node.lineno}", code, {str(each.arg) for each in node.keywords}


def test_each_desk_fills_all_places_of_what_it_says_and_no_others() -> None:
    found = list(calls())
    assert len(found) > 100
    assert [(where, code) for where, code, filled in found if filled != {*value_names(code)} - {WHY}] == []


def test_every_code_is_said_by_a_fact(coded_facts: Facts) -> None:
    codes = {each["code"] for kind, body in coded_facts for one in sentences_of(kind, body) for each in one.phrases}
    assert codes == set(SENTENCES)


def unquoted(text: str) -> str:
    """The text without the quotation marks that a desk puts around a name."""
    return text.replace("'", "")


OF_PLACES_ALONE = {code for code, english in SENTENCES.items() if not re.search("[a-z]", PLACEHOLDER.sub("", english))}
"""Codes whose sentence consists only of values, so that it cannot be distinguished from any other text."""


def test_the_words_of_each_fact_are_those_of_the_sentence_beside_them(coded_facts: Facts) -> None:
    """The test translates each sentence of a fact by its shape, as the console does with facts of older software
    versions, and compares the result with the words that the codes give."""
    fields, compared = set[str](), set[str]()
    for kind, body in coded_facts:
        for where, text, phrases in sentences_of(kind, body):
            fields.add(where)
            if (key := repr((text, phrases))) in compared:
                continue
            compared.add(key)
            texts = text if isinstance(text, list) else [text]
            from_codes, read = each_in_words(phrases), [in_words(each) for each in texts]
            assert from_codes is not None and len(from_codes) == len(read), (where, phrases)
            for one, other in zip(from_codes, read, strict=True):
                assert unquoted(one.en) == unquoted(other.en), (where, phrases)
                if phrases[0]["code"] not in OF_PLACES_ALONE:
                    assert unquoted(one.zh) == unquoted(other.zh), (where, phrases)
    assert {
        *("RequestRefused.reason", "ReleaseRefused.reason", "ReleaseRevoked.reason", "RefusalRevoked.reason"),
        *("ContainerHeld.reason", "ContainerMustStay.reason", "TreatmentFailed.shortfalls", "InspectionFailed.reason"),
        *("DeclarationRejected.findings.seen", "DeclarationAccepted.warnings.seen", "ConsignmentAssessed.rules.seen"),
        *("ConsignmentHeld.holds.reason", "ArrivalRetracted.reason", "RectificationRequested.reason"),
    } <= fields


def test_each_fact_that_may_say_it_by_codes_does(coded_facts: Facts) -> None:
    assert [
        (kind, body) for kind, body in coded_facts if "phrases" in KINDS[kind].model_fields and not phrases_of(body)
    ] == []


def test_no_fact_of_a_day_is_read_back_from_its_sentence(day: Facts) -> None:
    """A text without phrases was written by a person whom the fact names, or is a value. No text is the sentence of an
    older software version."""
    sentences = {plain(english) for english in SENTENCES.values() if not PLACEHOLDER.search(english)}
    for kind, body in day:
        for where, _, phrases in sentences_of(kind, body):
            assert each_in_words(phrases) is not None, (where, phrases)
            assert "earlier" not in [each["code"] for each in phrases], (where, phrases)
        for field in ("reason", "shortfalls"):
            if field in body and not phrases_of(body):
                assert "phrases" not in KINDS[kind].model_fields, (kind, body)
                assert plain(str(body[field])) not in sentences, (kind, body)
        for rule in body.get("rules", ()):
            assert phrases_of(rule), rule
        for finding in (*body.get("findings", ()), *body.get("warnings", ())):
            assert phrases_of(finding) or not LATIN.search(finding["seen"]), finding


WORDS_OF_PEOPLE = st.text(
    st.characters(exclude_categories=("C", "Z")) | st.sampled_from(" {}'"), min_size=1, max_size=60
)
SENTENCE = st.sampled_from([plain(english) for english in SENTENCES.values()])
"""A person may write a text that looks like a desk's sentence, so the random texts include these sentences."""


@settings(max_examples=200, deadline=None)
@given(code=st.sampled_from(sorted(SENTENCES)), data=st.data())
def test_whatever_stands_in_the_places_the_words_hold_it_and_the_row_keeps_it(code: str, data: st.DataObject) -> None:
    values: Any = {name: data.draw(WORDS_OF_PEOPLE | SENTENCE) for name in value_names(code) if name != WHY}
    rest = [phrase("words", words=data.draw(SENTENCE))] if WHY in value_names(code) else []
    phrases = [phrase(code, **values), *rest]
    texts = in_words_of(phrases)
    assert texts is not None
    assert in_words_of([each.model_dump() for each in phrases]) == texts
    assert in_words(kept({"phrases": [each.model_dump() for each in phrases]})) == texts
    if "words" in values:
        assert values["words"] in texts.zh and values["words"] in texts.en
    if rest:
        assert rest[0].values["words"] in texts.zh
    whole = sentence(*phrases)
    assert reason(*phrases) == whole or len(whole) > LONGEST_VALUE or not whole.isprintable()
    if not rest:
        for name, (first, behind) in stretches(phrases[0], len(whole)):
            assert whole[first:behind] == phrases[0].values[name]


def test_phrases_follow_each_other_and_stand_in_each_other() -> None:
    bill = [phrase("lots_released", count=0, all=2), phrase("bill_waits", bill="COSU1"), phrase("refused_for")]
    texts = in_words_of([*bill, quoted("no visit is open")])
    assert texts is not None
    assert texts.zh == "2 批中已放行 0 批；提单 COSU1：不准放行：no visit is open"
    assert texts.en == "0 of 2 lots released; bill COSU1: refused: no visit is open"
    two = each_in_words([phrase("at_place", name="甲"), phrase("no_readings"), phrase("no_dose", least=48)])
    assert two is not None and [each.en for each in two] == [
        "place 甲: there are no readings; wanted readings over the whole treatment",
        "the dose was not recorded; wanted at least 48 g/m3",
    ]


@pytest.mark.parametrize(
    "phrases",
    [
        [{"code": "of_2030", "values": {}}],
        [{"code": "lots_released", "values": {"count": "1"}}],
        [{"code": "alarm_waits"}],
        [{"values": {}}],
        [{"code": ["no_visit"]}],
        [{"code": "hold_known", "values": {"hold": 7}}],
        [{"code": "earlier", "values": {"text": {}}}],
        [{"code": "refused_for", "values": {}}] * 5000,
        ["no_visit"],
        [None],
        7,
    ],
)
def test_codes_of_a_later_release_and_what_is_no_phrase_are_told_by_the_sentence(phrases: Any) -> None:
    assert in_words_of(phrases) is None
    fact = {"reason": "no visit is open 不在场", "phrases": phrases}
    assert why_of(fact) == TEXTS["written.no_visit"] and kept(fact) == fact["reason"]
    assert why_of({"reason": "no visit is open 不在场"}) == TEXTS["written.no_visit"], "of an older software version"
    assert in_words_of([of_earlier("no visit is open 不在场")]) == TEXTS["written.no_visit"], "which a desk quotes"


@pytest.mark.parametrize(
    "odd", [{"quoted": {"words": ["a", "b"]}}, {"quoted": [1]}, {"values": 7}, {"quoted": {"words": 7}}]
)
def test_a_hold_of_nobodys_contract_is_told_by_its_sentence(odd: dict[str, Any]) -> None:
    fact = {"reason": "no visit is open", "why": "words", "values": {}} | odd
    assert why_of(fact) == TEXTS["written.no_visit"] and kept(fact) == fact["reason"]


def test_a_mistake_of_a_desk_is_no_sentence_with_a_hole() -> None:
    with pytest.raises(KeyError):
        phrase("no_such_sentence")
    with pytest.raises(KeyError):
        phrase("hold_known")
    assert phrase("hold_known", hold="h" * 900).values["hold"] == "h" * 499 + "…"


@pytest.mark.parametrize(
    "message", [each for each in EXAMPLES if each.kind in PORT_WRITERS], ids=lambda each: each.kind
)
def test_no_port_is_told_by_what_codes_goods_are_held(message: Message) -> None:
    assert b"phrase" not in to_outside(message, Audience.PORT) and b"quoted" not in to_outside(message, Audience.PORT)


def test_a_phrase_of_a_later_release_is_read() -> None:
    later = Phrase.model_validate_json(b'{"code":"of_2030","values":{"count":"1"}}')
    assert in_words_of([later]) is None
