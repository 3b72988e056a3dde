"""Do the API and the page of a container say what it waits for, since when, and whose move that is?"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.gate import ContainerHoldPlaced, GateAlarmRaised
from tests.console.still import Still
from tests.console.test_visits import BOX, awaits_count, free


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Still]:
    made = Still(tmp_path)
    yield made
    made.stop()


def test_api_and_page_say_that_a_count_is_awaited_since_when_and_of_whom(still: Still) -> None:
    goods = awaits_count(free("1"))
    still.tell(goods.messages)
    answer = still.get(f"/api/v1/containers/{BOX}").json()
    awaits = answer["awaits"]
    assert (answer["reason"], answer["may_leave"]) == ("to_be_counted", False)
    assert (awaits["code"], awaits["owner"], awaits["roles"]) == ("to_be_counted", "officer", ["inspector", "release"])
    assert awaits["since"] == answer["since"] is not None
    assert awaits["text"]["en"].startswith("waiting for an officer's count of the lots in it since ")
    page = still.page(f"/containers/{BOX}")
    assert "an officer counts its lots first" in page and "inspector or release officer to act" in page
    assert "待关员核数" in still.page(f"/containers/{BOX}", "zh")


def test_whose_move_an_alarm_and_a_hold_of_the_container_are_is_said_as_well(still: Still) -> None:
    goods = free("1")
    alarm: dict[str, Any] = {
        "gate": "G1",
        "waiting_for": (goods.id,),
        "reason": "left",
        "visit": "visit-1",
        "report_id": "out",
    }
    still.tell(goods.gate_says(GateAlarmRaised, **alarm, alarm="departure_not_reported", blocks=True).messages)
    awaits = still.get(f"/api/v1/containers/{BOX}").json()["awaits"]
    assert (awaits["code"], awaits["roles"]) == ("alarm", ["inspector", "release"])
    goods.gate_says(ContainerHoldPlaced, hold_id="hold-1", reason="scan", placed_by="officer-7")
    still.tell(goods.messages)
    awaits = still.get(f"/api/v1/containers/{BOX}").json()["awaits"]
    assert (awaits["code"], awaits["roles"]) == ("box_held", ["targeting", "release"])
