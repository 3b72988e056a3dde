"""Is each code with which a desk sends a request back said by a desk, and reached by a test?"""

import re
from functools import cache
from pathlib import Path

import pytest

from schemas.codes.refusals import REFUSALS

ROOT = Path(__file__).parents[2]
FORMER = frozenset({"container_unknown"})
"""Said by desks of earlier releases only; their facts are still shown."""


@cache
def texts(folder: str) -> str:
    return "\n".join(
        [file.read_text("utf-8") for file in (ROOT / folder).rglob("*.py") if file != Path(__file__).resolve()]
    )


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_each_code_is_said_by_a_desk_and_reached_by_a_test(code: str) -> None:
    assert (f'"{code}"' in texts("services")) is (code not in FORMER)
    assert code in FORMER or re.search(rf"\b{code}\b", texts("tests"))
