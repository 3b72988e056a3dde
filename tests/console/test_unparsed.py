"""If a parser finds a body wrong, does the answer say why in both languages, although the parser's own
message is only in English?"""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

from schemas.bounds import LAST
from services.console.api.bodies import shaped, strict_json
from services.console.api.problems import Problem, ProblemDetails, faults_of, respond
from services.console.api.requests import _no_batch
from tests.console.test_no_latin_sentence import SENTENCE


def details(data: bytes) -> ProblemDetails:
    with pytest.raises(Problem) as raised:
        strict_json(data, 100)
    return raised.value.details()


@pytest.mark.parametrize(
    ("data", "zh"),
    [
        (b"{bad", "此处应有双引号括起的键（第 1 行第 2 列）"),
        (b'{"a" 1}', "此处应有冒号（第 1 行第 6 列）"),
        (b'{"a": 1\n "b": 2}', "此处应有逗号（第 2 行第 2 列）"),
        (b'{"a": }', "此处应有值（第 1 行第 7 列）"),
        (b"[1] 2", "JSON 结束之后还有内容（第 1 行第 5 列）"),
        (b'{"a": "b', "字符串没有结束（第 1 行第 7 列）"),
        (b'"a\nb"', "字符串中有控制字符（第 1 行第 3 列）"),
        (rb'"\x"', "转义符写法不对（第 1 行第 2 列）"),
        (b"[NaN]", "不符合 JSON 语法"),
        (b'"\xff"', "不是 UTF-8 文本"),
    ],
)
def test_what_is_no_json_is_told_in_both_languages(data: bytes, zh: str) -> None:
    goods = details(data)
    assert goods.detail_zh == f"无法解析：{zh}"
    assert goods.detail.startswith("It cannot be parsed: ") and not SENTENCE.search(goods.detail_zh)


def test_what_another_parser_finds_is_told_by_its_place() -> None:
    data = rb'{"name": "\ud800"}'
    with pytest.raises(Problem) as raised:
        shaped(_Named, data, json.loads(data))
    goods = raised.value.details()
    assert goods.detail_zh.startswith("无法解析：不符合 JSON 语法（第 1 行第 ") and "Invalid JSON" in goods.detail


class _Bounded(BaseModel):
    count: Annotated[int, Field(ge=1, le=100)] = 1
    day: Annotated[date, Field(ge=date(2000, 1, 1))] = date(2026, 1, 1)
    moment: Annotated[datetime, Field(le=LAST)] = LAST
    mass: Annotated[Decimal, Field(max_digits=19, decimal_places=5)] = Decimal(1)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("count", 0, "must not be less (or earlier) than 1"),
        ("count", 101, "must not be more (or later) than 100"),
        ("day", "1999-12-31", "must not be less (or earlier) than 2000-01-01"),
        ("moment", "2101-01-01T00:00:00Z", "must not be more (or later) than 2100-12-31T23:59:59.999999Z"),
        ("mass", "1" * 15, "at most 14 digits before the point"),
    ],
)
def test_a_fault_of_a_bound_names_the_bound(field: str, value: Any, message: str) -> None:
    """In an older version, the message was that the value is too small, or that it has too many digits, so nobody could
    tell what is allowed."""
    with pytest.raises(ValidationError) as raised:
        _Bounded.model_validate_json(json.dumps({field: value}))
    [fault] = faults_of(raised.value)
    assert fault.message_en == message and message.rpartition(" than ")[2].split()[-1] in f"{fault.message_zh} point"


def test_a_fault_of_one_of_many_points_to_it() -> None:
    with pytest.raises(Problem) as raised:
        strict_json(b'{"a": 1, "a": 2}', 100)
    [fault] = raised.value.within("/declarations/3").details().errors
    assert (fault.pointer, fault.code) == ("/declarations/3", "duplicate_key")


class _Named(BaseModel):
    name: str


class _Chosen(BaseModel):
    one_of: Literal["A", "B", "C"]


def test_the_values_that_are_allowed_are_listed_with_the_signs_of_each_language() -> None:
    with pytest.raises(ValidationError) as raised:
        _Chosen.model_validate({"one_of": "D"})
    [fault] = faults_of(raised.value)
    assert (fault.message_zh, fault.message_en) == ("只能是 'A'、'B' 或 'C'", "must be 'A', 'B' or 'C'")


@pytest.mark.parametrize(
    "data", [rb'{"reference": "\ud800"}', rb'{"\udc00": 1}', rb'{"declarations": "\ud800x"}', rb'"\ud800"'], ids=repr
)
def test_what_no_answer_can_carry_is_named_with_a_question_mark(data: bytes) -> None:
    """An older version answered 500 to a batch that was not a list and had a lone surrogate in a value or a name."""
    answered = respond(_no_batch(strict_json(data, 100)))
    assert answered.status_code == 422 and json.loads(bytes(answered.body))["errors"]
