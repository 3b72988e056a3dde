"""Does the API say `under_control` and `under_treatment` beside the older spellings of these stages, and does it find
goods by both spellings?"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.vocabulary import Stage, StageName
from services.console.openapi import FILE as OPENAPI
from tests.console.border import Border
from tests.console.still import Still

OLDER = {"controlled": "under_control", "treated": "under_treatment"}


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Still]:
    still = Still(tmp_path)
    yield still
    still.stop()


def under_control(still: Still) -> Border:
    goods = Border("NAMED-1").lodged().accepted().held("inspection/inspection")
    still.tell([*goods.messages, *Border("NAMED-2").lodged().accepted().messages])
    return goods


def answer(still: Still, path: str) -> Any:
    response = still.get(f"/api/v1{path}")
    assert response.status_code == 200, response.text
    return response.json()


def test_a_plain_name_differs_from_the_stored_value_only_where_that_misleads() -> None:
    assert {stage.value: stage.plain.value for stage in Stage} == {stage.value: stage.value for stage in Stage} | OLDER


@pytest.mark.parametrize("stage", Stage)
def test_a_plain_name_is_read_from_both_spellings(stage: Stage) -> None:
    assert StageName(stage.value) is StageName(stage.plain.value) is stage.plain
    assert stage.plain.stage is stage


def test_a_consignment_has_the_plain_name_beside_the_older_one(still: Still) -> None:
    goods = under_control(still)
    shown = answer(still, f"/consignments/{goods.id}")["consignment"]
    assert (shown["stage"], shown["stage_name"]) == ("controlled", "under_control")


def test_goods_that_nobody_declared_have_neither(still: Still) -> None:
    goods = Border("NAMED-3").held("officer/one")
    still.tell(goods.messages)
    [shown] = answer(still, "/unmatched")["consignments"]
    assert (shown["consignment_id"], shown["stage"], shown["stage_name"]) == (goods.id, None, None)


def test_every_stage_of_the_board_has_both(still: Still) -> None:
    named = {each["stage"]: each["stage_name"] for each in answer(still, "/stages")["stages"]}
    assert named == {stage.value: stage.plain.value for stage in Stage}


@pytest.mark.parametrize("asked_for", ["controlled", "under_control"])
def test_goods_are_found_by_both(still: Still, asked_for: str) -> None:
    goods = under_control(still)
    found = answer(still, f"/consignments?stage={asked_for}&limit=1")
    assert ([each["consignment_id"] for each in found["consignments"]], found["next"]) == ([goods.id], None)
    page = still.page(f"/consignments?stage={asked_for}&owner=")
    assert f'href="/consignments/{goods.id}"' in page and page.count('<td data-label="') == 6
    assert goods.id in still.get(f"/consignments.csv?stage={asked_for}").text


@pytest.mark.parametrize("asked_for", ["controlled", "under_control"])
def test_the_link_to_the_next_page_has_the_plain_name(still: Still, asked_for: str) -> None:
    for number in (1, 2):
        still.tell(Border(f"NEXT-{number}").lodged().accepted().held("inspection/inspection").messages)
    following = answer(still, f"/consignments?stage={asked_for}&limit=1")["next"]
    assert "stage=under_control" in following
    old = following.replace("stage=under_control", "stage=controlled")
    for link in (following, old):
        assert len(answer(still, link.removeprefix("/api/v1"))["consignments"]) == 1, (
            "a link of an older version leads on too"
        )


def test_a_stage_that_does_not_exist_is_refused_in_the_plain_names(still: Still) -> None:
    response = still.get("/api/v1/consignments?stage=nowhere", headers={"accept": "application/json"})
    [error] = response.json()["errors"]
    assert (
        response.status_code == 422
        and "under_control" in error["message_en"]
        and "'controlled'" not in error["message_en"]
    )


def test_the_document_names_all_values_that_are_taken() -> None:
    document = json.loads(OPENAPI.read_text(encoding="utf-8"))
    [parameter] = [
        each for each in document["paths"]["/api/v1/consignments"]["get"]["parameters"] if each["name"] == "stage"
    ]
    taken = {value for part in parameter["schema"]["anyOf"] for value in part.get("enum", ())}
    assert taken == {*Stage, *StageName}
    for model in ("ConsignmentView", "StageCount"):
        field = document["components"]["schemas"][model]["properties"]["stage_name"]
        assert field["x-codes"] == "/docs/codes/stage_names"


def test_the_plain_names_have_their_list(still: Still) -> None:
    page = still.page("/docs/codes/stage_names")
    assert all(f"<code>{name.value}</code>" in page for name in StageName) and "<code>controlled</code>" not in page
