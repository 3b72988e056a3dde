"""Does the page of a consignment show an officer and a treatment unit what they need, and does a list without a filter
show everything, in the order from the newest to the oldest?

An officer and a treatment unit need to see the goods, what a treatment record must show, every open hold, and about
containers only what concerns these goods.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest

from schemas.codes.schedules import rows_for
from schemas.gate import (
    ContainerFindingRecorded,
    ContainerFindingRetracted,
    ContainerGatedOut,
    LotStruck,
    StrikeRetracted,
)
from schemas.vocabulary import ControlKind, GoodsClass
from services.console.pages.forms import BOX_ACTS
from services.console.readmodel import lists
from services.console.readmodel import tables as t
from services.shell.clock import now
from tests.console.border import NOON, Border, green
from tests.console.still import Still

LANGUAGES = ("zh", "en")


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Still]:
    made = Still(tmp_path)
    yield made
    made.stop()


def text_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def section(html: str, name: str) -> str:
    """The words of the section whose heading has the id `name`."""
    found = re.search(rf'<section[^>]*aria-labelledby="{name}".*?</section>', html, re.DOTALL)
    assert found, f"no section {name}"
    return text_of(found[0])


def form(html: str, name: str) -> tuple[str, bool]:
    """The words of a form, and whether it is open."""
    found = re.search(rf'<details class="act" id="act-{name}"[^>]*>.*?</details>', html, re.DOTALL)
    assert found, f"no form {name}"
    return text_of(found[0]), " open" in found[0].partition(">")[0].replace("hx-morph-skip", "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_shows_the_goods_line_by_line_with_weights_packages_seals_and_containers(
    still: Still, language: str
) -> None:
    consignment = Border("GOODS", ("CSQU3054383", "MSKU6011672")).lodged().accepted().assessed(ControlKind.INSPECTION)
    still.tell(consignment.held("inspection/inspection", "arrival").ordered().messages)
    shown = section(still.page(f"/consignments/{consignment.id}", language), "goods")
    for value in ("4407110000", "Sawn pine, line 3", "RU", "12.5", "6,250", "180", "2,250", "USD"):
        assert value in shown, value
    for value in ("19,000", "18,750", "120", "6,750", "CN88213", "CSQU3054383", "MSKU6011672", "COSCO QINGDAO/041E"):
        assert value in shown, value
    assert ("立方米" if language == "zh" else "cubic metre") in shown
    assert ("纸制或纤维板制盒/箱" if language == "zh" else "carton") in shown
    assert ("Qingdao Qianwan yard 3") in shown


def test_the_goods_of_a_rejected_paper_are_shown_too_and_a_long_list_says_how_much_more_there_is(still: Still) -> None:
    consignment = Border("GOODS-2", lines=100).lodged().rejected()
    still.tell(consignment.messages)
    shown = section(still.page(f"/consignments/{consignment.id}"), "goods")
    assert "Sawn pine, line 50" in shown and "Sawn pine, line 51" not in shown and "50 more lines" in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_treatment_record_must_show_stands_beside_its_form(still: Still, language: str) -> None:
    consignment = (
        Border("MINIMA").lodged().accepted().assessed(ControlKind.INSPECTION).ordered().pest().treatment_ordered()
    )
    still.tell(consignment.held("quarantine/inspection").messages)
    shown, _ = form(still.page(f"/consignments/{consignment.id}", language), "treatment-inspection-1")
    for value in ("≥ 56 °C", "0.5 h", "≥ 21 °C", "48 g/m³", "36", "31", "24 h", "650", "5 ppm"):
        assert value in shown, value
    for row in rows_for(GoodsClass.WOOD, NOON.date()):
        assert (row.schedule in shown) == (row.method.value in ("HT", "MB")), row.schedule
    assert ("木芯" if language == "zh" else "wood core") in shown


def test_an_officers_hold_hides_no_other_open_hold_and_closes_no_form(still: Still) -> None:
    story = Border("HELD").lodged().accepted().assessed(ControlKind.INSPECTION, ControlKind.DOCUMENTS)
    story.ordered(ControlKind.DOCUMENTS).ordered()
    story.held("officer/1", "inspection/documents", "inspection/inspection", "arrival")
    still.tell(story.messages)
    page = still.page(f"/consignments/{story.id}")
    (waits,) = re.findall(r'<p class="waits.*?</p>', page, re.DOTALL)
    for text in ("an officer to lift the hold", "the findings of the inspection", "the findings on the documents"):
        assert text in text_of(waits), text
    for name in ("findings-documents", "findings-inspection", "arrival", "lift-1"):
        assert form(page, name)[1], f"{name} is closed"
    row = still.page("/consignments?stage=held").split(f"/consignments/{story.id}")[1].split("</tr>")[0]
    assert "+3" in text_of(row) and "the findings of the inspection" in row


def test_an_arrival_that_was_told_can_be_taken_back_from_the_page_until_it_is(still: Still) -> None:
    consignment = Border("ARRIVED").lodged().accepted().assessed().arrival_reported()
    [report] = [message.id for message in consignment.messages if message.kind == "ReportArrival"]
    still.tell(consignment.messages)
    page = still.page(f"/consignments/{consignment.id}")
    message, opened = form(page, f"retract-arrival-{report}")
    assert "Take an arrival back" in message and "Qingdao Qianwan" in message and not opened
    assert f'name="wrong" value="{report}"' in page and 'id="act-arrival"' not in page
    still.tell(consignment.arrival_retracted(report).messages)
    page = still.page(f"/consignments/{consignment.id}")
    assert "act-retract-arrival" not in page and 'id="act-arrival"' in page and "Arrival taken back" in text_of(page)


def test_the_form_of_a_permit_names_the_statement_of_the_release_desk_that_the_page_has_read(still: Still) -> None:
    consignment = (
        Border("PERMIT", ("TGHU1234562",)).lodged().accepted().assessed().opened().held("arrival").held("officer/1")
    )
    still.tell(consignment.messages)
    page = still.page("/containers/TGHU1234562")
    assert f'<option value="{consignment.id} 2">' in page.split('id="act-permit"')[1].split("</form>")[0]
    _, permit = BOX_ACTS["permit"]
    named = {"consignment_id": f"{consignment.id} 2", "ground": "return", "reason": "x"}
    assert permit(named) == {"consignment_id": consignment.id, "version": "2", "ground": "return", "reason": "x"}
    assert permit({"consignment_id": consignment.id})["version"] is None


def test_goods_that_an_officer_took_off_a_container_can_be_put_back_from_its_page(still: Still) -> None:
    consignment = Border("STRUCK", ("TGHU1234562",)).lodged().accepted().assessed().opened().held("arrival")
    still.tell(consignment.messages)
    assert "act-retract-strike" not in still.page("/containers/TGHU1234562")
    still.tell(
        consignment.gate_says(
            LotStruck, consignment_id=consignment.id, reason="not in it", struck_by="officer-7"
        ).messages[-1:]
    )
    page = still.page("/containers/TGHU1234562")
    assert f'<option value="{consignment.id}">' in page.split('id="act-retract-strike"')[1].split("</form>")[0]
    back = consignment.gate_says(
        StrikeRetracted, consignment_id=consignment.id, reason="the wrong goods", retracted_by="officer-7"
    )
    still.tell(back.messages[-1:])
    assert "act-retract-strike" not in still.page("/containers/TGHU1234562")


def test_a_finding_on_a_container_can_be_taken_back_from_its_page_until_it_is(still: Still) -> None:
    consignment = Border("FOUND", ("TGHU1234562",)).lodged().accepted().assessed().opened().held("arrival")
    still.tell(consignment.messages)
    assert "act-retract-finding" not in still.page("/containers/TGHU1234562")
    consignment.gate_says(
        ContainerFindingRecorded, found="outside", lots=None, settled=(), reason="gone", found_by="officer-7"
    )
    [fact] = consignment.messages[-1:]
    still.tell([fact])
    page = still.page("/containers/TGHU1234562")
    shown, opened = form(page, "retract-finding")
    assert "outside" in shown and "officer-7" in shown and "24 hours" in shown and not opened
    assert f'<option value="{fact.cause}">' in page.split('id="act-retract-finding"')[1].split("</form>")[0]
    consignment.gate_says(
        ContainerFindingRetracted, wrong=fact.cause, lots=None, reason="another box", retracted_by="officer-7"
    )
    still.tell(consignment.messages[-1:])
    page = still.page("/containers/TGHU1234562")
    assert "act-retract-finding" not in page and "Finding on a container taken back" in text_of(page)


def test_goods_whose_box_came_before_their_paper_without_a_conveyance_are_the_carriers_move(still: Still) -> None:
    """The report that opened the visit names no conveyance. So the gate desk does not know whether the container came
    with these goods, and publishes no arrival (docs/ports.md). The carrier has to report the arrival."""
    consignment = Border("LATE", ("TGHU1234562",)).opened().lodged().accepted().assessed().held("arrival")
    still.tell(consignment.messages)
    listed = still.page("/consignments?waiting_for=arrival&owner=carrier")
    assert consignment.id in listed
    assert consignment.id not in still.page("/consignments?waiting_for=arrival&owner=declarant")
    page = still.page(f"/consignments/{consignment.id}")
    assert 'id="act-arrival"' in page and "carrier" in text_of(page)


def test_the_page_of_goods_says_of_a_container_only_what_is_said_about_these_goods(still: Still) -> None:
    """The container came back with other goods, so the gate desk's new facts are not about the goods that left
    before."""
    first = green("BOX-1")
    second = Border("BOX-2", start=NOON + timedelta(days=3)).lodged().accepted().assessed(ControlKind.INSPECTION)
    second.opened().held("inspection/inspection", "arrival")
    rejected = Border("BOX-3", start=NOON + timedelta(days=4)).lodged().rejected()
    still.tell([*first.messages, *second.messages, *rejected.messages])
    for story in (first, rejected):
        boxes = section(still.page(f"/consignments/{story.id}"), "boxes")
        assert "CSQU3054383" in boxes, boxes
        assert "Must stay" not in boxes and "May leave" not in boxes and "held" not in boxes, boxes
    assert "left with these goods" in section(still.page(f"/consignments/{first.id}"), "boxes")
    assert "nothing of these goods is in it" in section(still.page(f"/consignments/{rejected.id}"), "boxes")
    assert "Must stay" in section(still.page(f"/consignments/{second.id}"), "boxes")


def test_the_list_of_consignments_begins_with_everything_the_newest_first(still: Still) -> None:
    stories = [
        Border(f"ALL-{n}", (), start=NOON + timedelta(days=n)).lodged().accepted().assessed() for n in (2, 5, 1, 4)
    ]
    stories += [Border("ALL-9", (), start=NOON + timedelta(days=9)).lodged().rejected()]
    still.tell([message for story in stories for message in story.messages])
    page = still.page("/consignments")
    shown = re.findall(r'<a class="number" href="/consignments/([0-9a-f-]{36})"', page)
    assert shown == [story.id for story in sorted(stories, key=lambda story: story.start, reverse=True)]
    api = still.get("/api/v1/consignments?limit=2").json()
    assert [one["consignment_id"] for one in api["consignments"]] == shown[:2] and api["next"]
    following = still.get(api["next"]).json()["consignments"]
    assert [one["consignment_id"] for one in following] == shown[2:4]
    assert "ALL-9" in still.get("/consignments.csv").text


def test_the_list_of_everything_is_found_by_an_index(still: Still) -> None:
    (part,) = lists.everything()
    (query,) = part.queries(None, 50)
    text = str(query.compile(still.store.engine, compile_kwargs={"literal_binds": True}))
    with still.store.engine.connect() as connection:
        plan = " ".join([row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")])
    assert "consignments_lodged" in plan and "TEMP B-TREE" not in plan, plan
    assert {index.name for index in t.CONSIGNMENTS.indexes} >= {"consignments_lodged"}


def test_goods_that_nobody_lodged_and_parked_messages_begin_with_all_of_them_the_newest_first(still: Still) -> None:
    consignments = [Border(f"UN-{n}", (), start=NOON + timedelta(days=n)).arrived() for n in (1, 3, 2)]
    still.tell([message for story in consignments for message in story.messages])
    shown = re.findall(r'href="/consignments/([0-9a-f-]{36})"', still.page("/unmatched"))
    assert shown == [story.id for story in sorted(consignments, key=lambda story: story.start, reverse=True)]
    parked = [
        Border(f"PK-{n}", (), start=NOON + timedelta(days=n)).lodged().accepted().parked(offset=n) for n in (1, 3, 2)
    ]
    still.tell([message for story in parked for message in story.messages])
    keys = re.findall(r'href="/consignments\?q=([0-9a-f-]{36})"', still.page("/parked"))
    assert keys == [story.id for story in sorted(parked, key=lambda story: story.start, reverse=True)]


def test_of_a_box_that_another_consignment_took_out_nothing_is_said_of_these_goods(still: Still) -> None:
    here = Border("OUT-1", ("TGHU1234562",)).lodged().accepted().assessed().held("arrival")
    still.tell([*here.messages, *here.gate_says(ContainerGatedOut, gate="G9", consignments=("another",)).messages[-1:]])
    boxes = section(still.page(f"/consignments/{here.id}"), "boxes")
    assert "G9" not in boxes


def test_goods_that_nobody_lodged_are_listed_as_unmatched_for_30_days_from_their_30th_day_on_until_they_are_lodged(
    still: Still,
) -> None:
    month, minute = timedelta(days=30), timedelta(minutes=5)
    held = Border("UN-HELD", (), start=now() - month - minute).held("officer/1")
    came = Border("UN-CAME", (), start=now() - month - minute).arrived()
    later = Border("UN-LATER", (), start=now() - month + minute).held("officer/1")
    still.tell([*held.messages, *came.messages, *later.messages])

    def listed(query: str) -> set[str]:
        return set(re.findall(r'href="/consignments/([0-9a-f-]{36})"', still.page(f"/unmatched{query}")))

    assert listed("?days=30") == {held.id, came.id} and listed("") == {held.id, came.id, later.id}
    still.tell(came.lodged().messages)
    assert listed("?days=30") == {held.id} and came.id not in listed("")
