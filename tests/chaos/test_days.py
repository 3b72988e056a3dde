"""Do two days count as equal if only their timing differs, and as different if anything else does?"""

import json
from typing import Any

from services.cli.log import LoggedMessage
from tests.chaos.days import facts

NEITHER_IN_ORDER = (
    ("inspection", "InspectionFailed", {"control": "sampling", "reason": "weeds"}),
    ("quarantine", "QuarantineRefused", {"origin": "risk", "reason": "sick"}),
)


def record(desk: str, kind: str, body: dict[str, Any]) -> LoggedMessage:
    headers = {"ce_type": kind, "ce_source": f"/desks/{desk}"}
    return LoggedMessage(f"customs-{desk}-facts", 0, 0, "goods", headers, json.dumps(body).encode())


def day(*failures: tuple[str, str, dict[str, Any]], cause: str, reason: str) -> Any:
    refused = record("release", "ReleaseRefused", {"cause": cause, "reason": reason})
    return facts([*[record(*each) for each in failures], refused], {"goods"})


def test_which_of_two_failures_the_release_desk_heard_first_is_no_difference() -> None:
    first = day(*NEITHER_IN_ORDER, cause="inspection/sampling", reason="weeds")
    assert first == day(*NEITHER_IN_ORDER, cause="quarantine/risk", reason="sick")
    assert first.total() == 3


def test_a_refusal_for_what_nobody_failed_is_a_difference() -> None:
    first = day(*NEITHER_IN_ORDER, cause="inspection/sampling", reason="weeds")
    assert first != day(*NEITHER_IN_ORDER, cause="inspection/documents", reason="weeds")
    assert first != day(*NEITHER_IN_ORDER[:1], cause="inspection/sampling", reason="weeds")


def test_goods_that_failed_once_are_refused_for_that_and_with_its_reason() -> None:
    once = NEITHER_IN_ORDER[:1]
    right = day(*once, cause="inspection/sampling", reason="weeds")
    assert right != day(*once, cause="quarantine/risk", reason="weeds")
    assert right != day(*once, cause="inspection/sampling", reason="something else")


def test_an_arrival_that_was_not_told_is_a_difference_whoever_told_it() -> None:
    """If the fact of the gate desk or the fact of the release desk is missing, the days are different."""
    came = record("gate", "ContainerArrived", {"container_no": "CSQU3054383", "visit": "m1", "place": "berth 1"})
    by_gate = record("release", "ArrivalRecorded", {"reported_by": "gate", "containers": ["CSQU3054383"]})
    assert facts([came, by_gate], {"goods"}).total() == 2
    assert facts([came], {"goods"}) != facts([came, by_gate], {"goods"}) != facts([by_gate], {"goods"})
