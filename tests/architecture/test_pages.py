"""Do the Markdown pages keep their form, for example three lines for each decision, and do their links lead
somewhere?"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DECISIONS = sorted(ROOT.glob("docs/adr/*.md"))
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def dead_links(page: Path, text: str) -> list[str]:
    return [link for link in LINK.findall(text) if not (page.parent / link).exists()]


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [page.name[:4] for page in DECISIONS] == [f"{number:04}" for number in range(1, len(DECISIONS) + 1)]


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_is_three_lines(page: Path) -> None:
    title, *lines = [line for line in page.read_text().splitlines() if line]
    assert title.startswith(f"# {int(page.name[:4])}. ")
    assert [line.partition(" ")[2].partition(":")[0].strip("*") for line in lines] == ["Why", "Decided", "Price"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert dead_links(page, page.read_text()) == []
    assert dead_links(page, "[x](nowhere.md)") == ["nowhere.md"]


def test_every_make_target_is_explained() -> None:
    makefile = ROOT.joinpath("Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    explained = set(re.findall(r"^([a-z-]+):.*## .+\.$", makefile, re.MULTILINE))
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony and targets == explained == set(phony[1].split())
    named = {name for page in PAGES for name in re.findall(r"`make ([a-z-]+)", page.read_text())}
    assert named <= targets
