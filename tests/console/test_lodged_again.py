"""If a declaration was rejected or withdrawn, does the page offer its declarant to correct it and lodge it again? Is a
repeated declaration shown as one milestone?"""

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
    consignment = Border("AGAIN").lodged().rejected()
    still.tell(consignment.messages)
    page = still.page(f"/consignments/{consignment.id}", language)
    assert link(page) == f"/lodge?again={consignment.id}"
    assert ("更正后重新申报" if language == "zh" else "Correct it and lodge it again") in page
    form = still.page(link(page), language)
    assert typed(form) == declaration("AGAIN") and consignment.id in form


def test_a_withdrawn_paper_is_lodged_again_until_it_is(still: Still) -> None:
    consignment = Border("BACK").lodged().accepted().assessed().held("arrival").withdrawn()
    still.tell(consignment.messages)
    page = still.page(f"/consignments/{consignment.id}")
    assert "makes a new consignment" in page and typed(still.page(link(page))) == declaration("BACK")
    first = consignment.id
    later = [*consignment.lodged().lodged_again().messages[-3:], *consignment.accepted().messages[-1:]]
    still.tell(later)
    assert not link(still.page(f"/consignments/{first}")), "it was: the page names the other one"
    assert not link(still.page(f"/consignments/{consignment.id}")), "it stands"


def test_the_paper_that_was_judged_last_is_the_one_to_correct(still: Still) -> None:
    consignment = Border("TWICE").lodged().rejected().lodged(packages=121).rejected()
    still.tell(consignment.messages)
    assert typed(still.page(f"/lodge?again={consignment.id}")).packages == 121


def test_nobody_gets_the_paper_of_somebody_else(still: Still) -> None:
    consignment = Border("MINE").lodged().rejected()
    still.tell(consignment.messages)
    admit(still.url, "owner", roles="declarant", company=DECLARANT, office="")
    admit(still.url, "stranger", roles="declarant", company="91310115MA1H7L0T3Q", office="")
    assert link(still.page(f"/consignments/{consignment.id}", name="owner"))
    assert still.get(f"/lodge?again={consignment.id}", name="stranger").status_code == 404
    assert still.get("/lodge?again=nothing").status_code == 404
    admit(still.url, "looks", roles="inspector", company="")
    assert not link(still.page(f"/consignments/{consignment.id}", name="looks")), "an officer lodges nothing"


def repeated(consignment: Border) -> Border:
    """Adds to the story that the same declaration is lodged once more; returns the story."""
    first = consignment.messages[0].id
    request = consignment.lodged().messages[-1].id
    fact = DeclarationRepeated(**consignment._goods(), request_id=request, first_request_id=first)
    consignment._say("declaration", fact)
    consignment.messages[-1] = replace(consignment.messages[-1], cause=request)
    return consignment


def test_a_repeated_paper_is_one_milestone(still: Still) -> None:
    consignment = repeated(Border("REPEATED").lodged().accepted())
    still.tell(consignment.messages)

    def timeline(only: str) -> list[dict[str, Any]]:
        answer = still.get(f"/api/v1/consignments/{consignment.id}/timeline?only={only}")
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
    assert still.page(f"/consignments/{consignment.id}?only=milestones").count('class="milestone"') == 2
