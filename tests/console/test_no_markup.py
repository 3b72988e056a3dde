"""Is what somebody wrote shown as text on every page, even if it contains HTML?"""

from collections.abc import Iterator
from html.parser import HTMLParser

import pytest

from services.console.pages import rendering
from tests.console.planting import Planted, planted
from tests.console.quiet import Quiet, quiet
from tests.console.test_masks import HTML, read, ways
from tests.people import headers_of

ENDING = "\"'><zq-tag zq-attribute>{{7*7}}"
"""If a page did not escape this text, its beginning would end an attribute, with or without quotation marks, and a tag.
Its end is an expression of the template language."""


class Elements(HTMLParser):
    """Notes each element or attribute that the planted text has made."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if "zq-" in tag or any("zq-" in name for name, _ in attrs):
            self.made.append(str(self.get_starttag_text())[:200])


@pytest.fixture(scope="module")
def planted_rows() -> Planted:
    return planted(ENDING)


@pytest.fixture(scope="module")
def console(planted_rows: Planted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quiet]:
    with quiet(tmp_path_factory.mktemp("markup")) as running:
        running.run(*planted_rows.statements)
        yield running


def made_by(page: str) -> list[str]:
    found = Elements()
    found.feed(page)
    return found.made


def test_what_somebody_wrote_is_text_on_every_page_in_both_languages(console: Quiet, planted_rows: Planted) -> None:
    shown, pages = set[str](), 0
    for way in ways(console, planted_rows):
        if way.route[0] != "GET" or way.address.startswith("/api/"):
            continue
        for language in ("zh",) if "{message_id}" in way.route[1] else ("zh", "en"):
            headers = headers_of() | HTML | {"accept-language": language}
            status, text = read(console.http, "GET", way.address + way.query, headers)
            page = text[text.find("<") :] if status == 200 and "text/html" in text else ""
            assert made_by(page) == [], way.name
            shown |= planted_rows.found(page)
            pages += bool(page)
    assert pages > 100 and len(shown) > 100, (pages, len(shown))


def test_the_reader_of_these_tests_sees_markup(planted_rows: Planted) -> None:
    template = rendering._environment.overlay(autoescape=False).from_string('<p title="{{ text }}">{{ text }}</p>')
    assert len(made_by(template.render(text=f"zq1x{ENDING}"))) == 2
    assert made_by(rendering._environment.from_string('<p title="{{ text | e }}">x</p>').render(text=ENDING)) == []
