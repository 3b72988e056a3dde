"""Is a declarant whose declaration was rejected or withdrawn offered to correct it and lodge it again, and is a repeated
declaration shown as one milestone?"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from schemas.declaration import Declaration, DeclarationRepeated
from tests.console.border import DECLARANT, Border, declaration
from tests.console.still import Still
from tests.people import admit


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Still]:
    made = Still(tmp_path)
    yield made
    made.stop()


def link(page: str) -> str:
    """The address behind "correct it and lodge it again"; empty if the page has none."""
    found = re.search(r'href="(/lodge[?]again=[^"]*)"', page)
    return unescape(found[1]) if found else ""


def typed(page: str) -> Declaration:
    """The declaration in the form."""
    found = re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)
    assert found
    return Declaration.model_validate_json(unescape(found[1]))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_rejected_paper_is_corrected_and_lodged_again_under_its_reference(still: Still, language: str) -> None:
    told = Border("AGAIN").lodged().rejected()
    still.tell(told.said)
    page = still.page(f"/consignments/{told.id}", language)
    assert link(page) == f"/lodge?again={told.id}"
    assert ("更正后重新申报" if language == "zh" else "Correct it and lodge it again") in page
    form = still.page(link(page), language)
    assert typed(form) == declaration("AGAIN") and told.id in form


def test_a_withdrawn_paper_is_lodged_again_until_it_is(still: Still) -> None:
    told = Border("BACK").lodged().accepted().assessed().held("arrival").withdrawn()
    still.tell(told.said)
    page = still.page(f"/consignments/{told.id}")
    assert "makes a new consignment" in page and typed(still.page(link(page))) == declaration("BACK")
    first = told.id
    later = [*told.lodged().lodged_again().said[-3:], *told.accepted().said[-1:]]
    still.tell(later)
    assert not link(still.page(f"/consignments/{first}")), "it was: the page names the other one"
    assert not link(still.page(f"/consignments/{told.id}")), "it stands"


def test_the_paper_that_was_judged_last_is_the_one_to_correct(still: Still) -> None:
    told = Border("TWICE").lodged().rejected().lodged(packages=121).rejected()
    still.tell(told.said)
    assert typed(still.page(f"/lodge?again={told.id}")).packages == 121


def test_nobody_gets_the_paper_of_somebody_else(still: Still) -> None:
    told = Border("MINE").lodged().rejected()
    still.tell(told.said)
    admit(still.url, "owner", roles="declarant", company=DECLARANT, office="")
    admit(still.url, "stranger", roles="declarant", company="91310115MA1H7L0T3Q", office="")
    assert link(still.page(f"/consignments/{told.id}", name="owner"))
    assert still.get(f"/lodge?again={told.id}", name="stranger").status_code == 404
    assert still.get("/lodge?again=nothing").status_code == 404
    admit(still.url, "looks", roles="inspector", company="")
    assert not link(still.page(f"/consignments/{told.id}", name="looks")), "an officer lodges nothing"


def repeated(told: Border) -> Border:
    """The story with the same declaration lodged once more."""
    first = told.said[0].id
    asked = told.lodged().said[-1].id
    fact = DeclarationRepeated(**told._goods(), request_id=asked, first_request_id=first)
    told._say("declaration", fact)
    told.said[-1] = replace(told.said[-1], cause=asked)
    return told


def test_a_repeated_paper_is_one_milestone(still: Still) -> None:
    told = repeated(Border("REPEATED").lodged().accepted())
    still.tell(told.said)

    def timeline(only: str) -> list[dict[str, Any]]:
        answer = still.get(f"/api/v1/consignments/{told.id}/timeline?only={only}")
        entries: list[dict[str, Any]] = json.loads(answer.text)["entries"]
        return entries

    assert [each["kind"] for each in timeline("milestones")] == ["LodgeDeclaration", "DeclarationAccepted"]
    everything = timeline("all")
    assert [each["kind"] for each in everything] == [
        "LodgeDeclaration",
        "DeclarationAccepted",
        "LodgeDeclaration",
        "DeclarationRepeated",
    ]
    assert [each["milestone"] for each in everything] == [True, True, False, False]
    assert still.page(f"/consignments/{told.id}?only=milestones").count('class="milestone"') == 2
