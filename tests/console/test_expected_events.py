"""Does the console accept an event that a terminal or carrier only expects, and does nothing look as if the event had
happened?"""

from datetime import timedelta
from typing import Any

import pytest

from schemas.envelope import FURTHEST_ESTIMATE
from schemas.gate import GateAlarmRaised, RecordEquipmentEvent
from schemas.vocabulary import Classifier
from services.console.access.rights import Role, Who
from services.console.api.problems import Problem
from services.console.api.request_producer import RequestKey
from services.console.api.requests import requested
from services.shell.clock import now
from tests.console.border import Border
from tests.console.test_rows import in_order

TERMINAL = Who("terminal-1", frozenset({Role.TERMINAL}), "QQCT")
BOX = "MSKU6011672"


def taken(classifier: str, ahead: timedelta) -> str:
    """Pointer, code and sentences of the fault for which the console refuses a report whose event time is `ahead` of
    the console's clock; an empty text if it accepts the report."""
    body = {"container_no": BOX, "event": "DISC", "classifier": classifier, "place": "berth 1"}
    body["occurred_at"] = (now() + ahead).isoformat()
    try:
        requested(RecordEquipmentEvent, body, TERMINAL, RequestKey("", "hidden"), "")
    except Problem as problem:
        [fault] = problem.errors
        return f"{fault.pointer} {fault.code}: {fault.message_zh} {fault.message_en}"
    return ""


@pytest.mark.parametrize("classifier", [each.value for each in Classifier])
def test_what_is_expected_is_taken_weeks_ahead_and_what_happened_is_not(classifier: str) -> None:
    happened, minute = classifier == "ACT", timedelta(minutes=1)
    most = timedelta(minutes=15) if happened else FURTHEST_ESTIMATE
    assert taken(classifier, most - minute) == "" == taken(classifier, -minute)
    refused = taken(classifier, most + minute)
    assert refused.startswith("/occurred_at in_future") and ("15 min" if happened else "60 天") in refused, refused


def test_a_departure_that_is_corrected_to_an_expected_one_leaves_the_box_inside_since_it_was_told() -> None:
    """The row must not say that the box is inside since the expected time, because that time has not come."""
    goods = Border("EXP-1", (BOX,)).lodged().accepted().assessed().opened()
    about: dict[str, Any] = {"visit": "visit-1", "report_id": "wrong"}
    alarm: dict[str, Any] = {
        "gate": "G2",
        "waiting_for": (goods.id,),
        "reason": "left before release",
        "alarm": "left_unreleased",
    }
    left = goods.reported("GTOT", **about).gate_says(GateAlarmRaised, blocks=True, **alarm, **about)
    expected = left.reported("GTOT", classifier="EST", replaces="wrong", occurred_at=left.at + timedelta(days=9))
    row = in_order(expected).rows["containers"][BOX]
    assert row.since_us is not None
    assert abs(row.since_us - int(left.at.timestamp() * 1e6)) < 3600 * 1e6
