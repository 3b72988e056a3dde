"""Do the files, functions and messages that the reading order names exist?"""

import re

import pytest

from schemas.topics import KINDS
from tests.docs.lines import ROOT, SPAN

PAGE = (ROOT / "docs" / "reading-order.md").read_text(encoding="utf-8")
SPANS = [" ".join(span[1].split()) for span in SPAN.finditer(PAGE)]
PATHS = sorted({span for span in SPANS if re.fullmatch(r"(services|schemas|tests)/[\w./]+", span)})
METHODS = sorted({span for span in SPANS if re.fullmatch(r"[A-Z]\w+\.\w+", span)})
MESSAGES = sorted({span for span in SPANS if re.fullmatch(r"[A-Z][a-z]+([A-Z][a-z]+)+", span)})


@pytest.mark.parametrize("path", PATHS)
def test_each_path_of_the_reading_order_is_there(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("name", METHODS)
def test_each_method_or_field_of_the_reading_order_is_there(name: str) -> None:
    owner, member = name.split(".")
    sources = [
        file.read_text(encoding="utf-8") for folder in ("services", "schemas") for file in (ROOT / folder).rglob("*.py")
    ]
    owners = [source for source in sources if re.search(rf"^class {owner}\b", source, re.MULTILINE)]
    assert any(re.search(rf"^    (?:(?:async )?def )?{member}\b", source, re.MULTILINE) for source in owners)


FUNCTIONS = re.findall(r"`(\w+)`(?: and `(\w+)`)? in `([\w/.]+\.py)`", " ".join(PAGE.split()))


@pytest.mark.parametrize(("one", "other", "path"), FUNCTIONS)
def test_each_function_that_the_reading_order_finds_in_a_file_is_there(one: str, other: str, path: str) -> None:
    source = (ROOT / path).read_text(encoding="utf-8")
    for name in filter(None, (one, other)):
        assert re.search(rf"^(?:(?:async )?def {name}\(|{name}\b)", source, re.MULTILINE), name


def test_each_message_of_the_reading_order_is_a_kind() -> None:
    assert [name for name in MESSAGES if name not in KINDS] == []


def test_the_reading_order_names_some_of_each() -> None:
    assert len(FUNCTIONS) >= 3 and len(PATHS) > 20 and len(METHODS) > 3 and len(MESSAGES) >= 3
