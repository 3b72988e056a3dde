"""Does the ledger find goods that left or were kept by mistake? It compares the facts with the real visits that the
simulator knows. Each test changes one thing."""

from dataclasses import replace

import pytest

from services.cli.ledger import judge
from services.cli.log import LoggedMessage
from services.simulator.day import Stay
from tests.chaos.days import CONSIGNMENTS, SEED, day

STAYS = day(SEED, CONSIGNMENTS).stays(0, CONSIGNMENTS)
OUT = ("RecordGateOut", "RecordEquipmentEvent")


def departures(entries: list[LoggedMessage], box: str) -> list[LoggedMessage]:
    """Returns the reports in which terminals say that this container left with goods."""
    reports = [entry for entry in entries if entry.key == box and entry.kind in OUT]
    return [e for e in reports if e.kind == "RecordGateOut" or (e.body["event"], e.body["laden"]) == ("GTOT", True)]


def stay_of(entries: list[LoggedMessage], number: int, lots: int = 1) -> tuple[str, Stay]:
    """Returns a container whose visit with this number (0 or 1) ended, and that visit. `lots`: how many consignments
    are in the container."""
    for box, stays in STAYS.items():
        times = {entry.body["occurred_at"] for entry in departures(entries, box)}
        if len(stays) > number and len(times) > number and len(stays[number].lots) == lots:
            return box, stays[number]
    raise AssertionError("there is none")


def test_on_a_calm_day_nothing_leaves_and_nothing_is_kept_by_mistake(calm_entries: list[LoggedMessage]) -> None:
    ledger = judge(calm_entries, STAYS)
    assert (ledger.left_by_mistake, ledger.kept_by_mistake) == ([], []) and ledger.clean
    assert ledger.stays["left"] > 50 and ledger.stays["came back and left"] > 15 and ledger.stays["never left"] > 0
    assert not judge(calm_entries).stays, "nobody said where the boxes were"


def test_the_calm_day_has_what_terminals_report(calm_entries: list[LoggedMessage]) -> None:
    """Some reports of the calm day must be repeated, corrected or taken back, and there must be reports of every kind
    of event except moves. Otherwise a ledger without faults would prove little."""
    reports = [e for e in calm_entries if e.kind == "RecordEquipmentEvent"]
    assert {e.body["event"] for e in reports} >= {"DISC", "GTIN", "GTOT", "LOAD", "STRP", "STUF"}
    taken_back = [e.kind for e in calm_entries if e.kind in ("ArrivalRetracted", "TransferRetracted")]
    assert set(taken_back) == {"ArrivalRetracted", "TransferRetracted"}
    assert any(e.body["laden"] is False for e in reports) and any(e.body["replaces"] for e in reports)
    recorded = [e for e in calm_entries if e.kind == "EquipmentEventRecorded"]
    assert any(e.body["retells"] for e in recorded)
    assert {e.body["how"] for e in calm_entries if e.kind == "VisitClosed"} == {"loaded", "left_empty"}
    assert not [e for e in calm_entries if e.kind == "GateAlarmRaised"]


@pytest.mark.parametrize(("number", "lots"), [(0, 1), (0, 2), (1, 1)], ids=["alone", "shared", "came back"])
def test_a_box_that_left_before_its_goods_were_released_left_by_mistake(
    calm_entries: list[LoggedMessage], number: int, lots: int
) -> None:
    box, stay = stay_of(calm_entries, number, lots)
    without = [e for e in calm_entries if not (e.key == stay.lots[-1] and e.kind == "ReleaseGranted")]
    left = judge(without, STAYS).left_by_mistake
    assert len(left) == 1 and box in left[0] and stay.lots[-1] in left[0]
    late = [
        replace(e, timestamp_ms=e.timestamp_ms + 10**6) if e.key == stay.lots[-1] and e.kind == "ReleaseGranted" else e
        for e in calm_entries
    ]
    ledger = judge(late, STAYS)
    assert len(ledger.left_by_mistake) == 1 and not ledger.clean


def test_a_release_that_does_not_name_the_box_lets_nothing_leave(calm_entries: list[LoggedMessage]) -> None:
    box, stay = stay_of(calm_entries, 0)
    other = [
        replace(e, value=(e.value or b"").replace(box.encode(), b"CSQU3054383"))
        if e.key == stay.lots[0] and e.kind == "ReleaseGranted"
        else e
        for e in calm_entries
    ]
    assert [box in line for line in judge(other, STAYS).left_by_mistake] == [True]


def test_an_export_that_left_through_the_land_gate_left_by_mistake(calm_entries: list[LoggedMessage]) -> None:
    box = next(b for b, s in STAYS.items() if not s[0].imported and len(s[0].lots) == 1)
    out = next(e for e in calm_entries if e.kind == "RecordGateOut")
    planted = replace(out, key=box, headers=out.headers | {"ce_id": "planted"}, timestamp_ms=out.timestamp_ms + 10**6)
    assert [box in line for line in judge([*calm_entries, planted], STAYS).left_by_mistake] == [True]


@pytest.mark.parametrize(("number", "lots"), [(0, 1), (0, 2), (1, 1)], ids=["alone", "shared", "came back"])
def test_a_box_whose_goods_are_released_and_that_never_left_was_kept_by_mistake(
    calm_entries: list[LoggedMessage], number: int, lots: int
) -> None:
    box, _ = stay_of(calm_entries, number, lots)
    times = sorted({entry.body["occurred_at"] for entry in departures(calm_entries, box)})
    gone = [e for e in departures(calm_entries, box) if e.body["occurred_at"] == times[number]]
    ledger = judge([e for e in calm_entries if e not in gone], STAYS)
    assert [box in line for line in ledger.kept_by_mistake] == [True] and not ledger.clean


def test_a_box_of_which_some_goods_are_held_is_kept_rightly(calm_entries: list[LoggedMessage]) -> None:
    box, stay = stay_of(calm_entries, 0, 2)
    gone = departures(calm_entries, box)
    held = [e for e in calm_entries if e not in gone and not (e.key == stay.lots[0] and e.kind == "ReleaseGranted")]
    assert judge(held, STAYS).kept_by_mistake == []
