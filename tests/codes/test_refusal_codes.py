"""Is each code of a refusal used by a desk, and does a test cause a refusal with it?"""

import re
from functools import cache
from pathlib import Path

import pytest

from schemas.codes.bilingual import BilingualCode
from schemas.codes.checks import CheckCode
from schemas.codes.refusals import RefusalCode

ROOT = Path(__file__).parents[2]
FORMER = frozenset({RefusalCode.CONTAINER_UNKNOWN})
"""Codes that only older software versions used. Refusals with these codes are still shown."""


@cache
def texts(folder: str) -> str:
    return "\n".join(
        [file.read_text("utf-8") for file in (ROOT / folder).rglob("*.py") if file != Path(__file__).resolve()]
    )


@pytest.mark.parametrize("code", sorted(RefusalCode))
def test_each_code_is_said_by_a_desk_and_reached_by_a_test(code: RefusalCode) -> None:
    mention = re.search(rf"\bRefusalCode\.{code.name}\b", texts("services"))
    assert (mention is not None) is (code not in FORMER)
    assert code in FORMER or re.search(rf"\b{code}\b", texts("tests"))


@pytest.mark.parametrize("codes", [RefusalCode, CheckCode])
def test_each_code_is_named_as_it_travels_and_has_its_words(codes: type[BilingualCode]) -> None:
    named = {name.lower(): member.value for name, member in codes.__members__.items()}
    assert list(named) == list(named.values())
    assert all(code.text.zh and code.text.en for code in codes)
