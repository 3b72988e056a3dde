"""Do the pages show every fact, stage and request in the colour that fits its meaning?"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.envelope import Request
from schemas.topics import FACTS_AND_REQUESTS
from schemas.vocabulary import ControlKind, Stage
from services.console.pages import tones
from services.console.pages.rendering import FOLDER
from services.console.readmodel import tables as t
from services.console.readmodel.container import GONE
from services.shell.clock import world_us
from tests.console.border import Border, green
from tests.console.still import Still

FACTS = {kind.kind for topic in FACTS_AND_REQUESTS for kind in topic.carries if not issubclass(kind, Request)}
NEITHER = {
    *("DeclarationRepeated", "DeclarationPassedOn", "DeclarationLodgedAgain", "WithdrawalRequested"),
    *("ConsignmentAssessed", "InspectionOrdered", "InspectionCancelled", "TreatmentOrdered", "TreatmentCancelled"),
    *("ArrivalRecorded", "RefusalRevoked", "DeclarationWithdrawn", "WatchLifted", "ContainerGatedOut"),
    *(
        "ConsignmentGatedOut",
        "ContainerArrived",
        "GoodsTransferred",
        "TransferRetracted",
        "ContainerArrivalRetracted",
        "DepartureRetracted",
        "VisitOpened",
        "VisitClosed",
    ),
    *(
        "EquipmentEventRecorded",
        "EquipmentEventRetracted",
        "ContainerFindingRecorded",
        "ContainerFindingRetracted",
        "LotStruck",
        "StrikeRetracted",
    ),
    *("ExitPermitted", "ContainerHoldLifted"),
}
"""Facts that are neither good nor bad for goods."""


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Still]:
    made = Still(tmp_path)
    yield made
    made.stop()


def strip(html: str, id_: str = "asked") -> str:
    found = re.search(rf'<div id="{id_}" class="([^"]+)"', html)
    assert found, html[:2000]
    return found[1]


def stored_request(still: Still, story: Border) -> str:
    """Stores the first request of this story as one that this console accepted; returns its id."""
    message = story.messages[0]
    row = {
        "request_id": message.id,
        "idempotency_key": message.id,
        "sender": "tester",
        "kind": message.kind,
        "subject": message.key,
    }
    with still.store.engine.begin() as connection:
        connection.execute(t.LODGEMENTS.insert().values(digest="", asked_us=world_us(), **row))
    return message.id


def test_every_stage_and_every_fact_has_a_colour_that_somebody_chose() -> None:
    assert set(tones.STAGES) == set(Stage)
    assert set(tones.KINDS) | NEITHER == FACTS | {"FactNotProjected"}
    assert not set(tones.KINDS) & NEITHER
    assert set(GONE) <= set(tones.BOXES)


def test_the_strip_of_a_rejected_declaration_is_not_the_colour_of_success(still: Still) -> None:
    story = Border("TONE-1").lodged().rejected()
    still.tell(story.messages)
    where = f"/consignments/{story.id}?asked={stored_request(still, story)}"
    assert strip(still.page(where)) == "notice bad"
    good = Border("TONE-2").lodged().accepted()
    still.tell(good.messages)
    assert strip(still.page(f"/consignments/{good.id}?asked={stored_request(still, good)}")) == "notice good"


def test_a_request_has_the_colour_of_the_worst_answer() -> None:
    assert tones.of_request("answered", ["ArrivalRecorded", "ReleaseGranted"]) == "good"
    assert tones.of_request("answered", ["ArrivalRecorded"]) == "plain"
    assert tones.of_request("answered", ["InspectionPassed", "ConsignmentHeld"]) == "warn"
    assert tones.of_request("answered", ["DeclarationAccepted", "DeclarationRejected"]) == "bad"
    assert tones.of_request("refused", []) == "bad" and tones.of_request("pending", []) == "plain"


def test_a_cancelled_control_is_no_failure_and_a_release_in_part_no_whole_success(still: Still) -> None:
    assert tones.of_kind("InspectionCancelled") == "plain" == tones.of_kind("DeclarationWithdrawn")
    boxes = ("CSQU3054383", "MSKU6011672")
    consignment = Border("TONE-3", boxes).lodged().accepted().assessed().held("arrival").partly_released(boxes[0])
    still.tell(consignment.messages)
    page = still.page(f"/consignments/{consignment.id}")
    assert '<article class="decision warn">' in page and '<article class="decision good">' not in page
    taken_back = Border("TONE-4").lodged().accepted().assessed().withdrawn()
    still.tell(taken_back.messages)
    page = still.page(f"/consignments/{taken_back.id}")
    assert "Declaration withdrawn" in page and "decision bad" not in page


def test_goods_that_were_refused_or_rejected_do_not_look_like_those_that_simply_ended(still: Still) -> None:
    rejected = Border("TONE-5").lodged().rejected()
    refused = Border("TONE-6", ("TGHU1234562",)).lodged().accepted().assessed(ControlKind.INSPECTION)
    refused.held("inspection/inspection").ordered().failed().refused()
    out = green("TONE-7", ("MSKU6011672",))
    still.tell([*rejected.messages, *refused.messages, *out.messages])
    for story, tone in ((rejected, "bad"), (refused, "bad"), (out, "good")):
        page = still.page(f"/consignments/{story.id}")
        (waits,) = re.findall(r'<p class="waits ([^"]*)"', page)
        assert tone in waits.split(), (waits, story.reference)


def test_every_colour_of_a_page_has_its_look() -> None:
    look = FOLDER.joinpath("static", "console.css").read_text(encoding="utf-8")
    for piece in ("stage", "waits", "notice", "decision", "mark"):
        for tone in ("good", "warn", "bad"):
            assert re.search(rf"\.{piece}\.{tone}\b", look), (piece, tone)
    for stage in Stage:
        assert f".stage.{stage}" not in look, "a colour is chosen in one place, by what it says"
