"""If reports about a container are wrong, do they lead to a correct end, and does the ledger notice if they do not?

The tests use the real desks and the simulator's people, without a broker (`tests.simulator.calm`).
"""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from random import Random

import pytest

from schemas.gate import ContainerMayLeave, ContainerMustStay, RecordEquipmentEvent
from schemas.release import RetractArrival
from schemas.topics import ROLES
from schemas.vocabulary import Direction
from services.cli.ledger import Ledger, judge
from services.cli.log import LoggedMessage
from services.simulator.day import Day, Stay
from services.simulator.owned import Owned, as_simulated
from services.simulator.people import People
from services.simulator.player import KINDS
from services.simulator.slips import Slip
from tests.simulator.calm import Calm

SEED, CONSIGNMENTS = 20261105, 400
DAY = Day(SEED, CONSIGNMENTS, datetime(2026, 11, 23, tzinfo=UTC))
SLIPS = {index: slip for index in range(CONSIGNMENTS) if (slip := DAY.slip(index)) is not Slip.NONE}
LATER = {index: other for index in SLIPS if (other := DAY.after(index)) is not None}
STAYS = DAY.stays(0, CONSIGNMENTS)
PACED = pytest.mark.parametrize("paced", [True, False], ids=["with pace", "at once"])


@cache
def played(paced: bool) -> Calm:
    """A day with two groups of goods: goods about which a report is wrong, and goods that come in the same containers
    afterwards."""
    day = Calm(CONSIGNMENTS, SEED, paced=paced)
    day.play(sorted([*SLIPS, *LATER.values()]))
    return day


def judged(entries: list[LoggedMessage]) -> Ledger:
    """The ledger of these messages, with the containers that they name."""
    here = {entry.key for entry in entries}
    return judge(entries, {box: stays for box, stays in STAYS.items() if box in here})


def goods(slip: Slip) -> list[int]:
    return [index for index, each in SLIPS.items() if each is slip]


def said_of(entries: list[LoggedMessage], key: str, *kinds: str) -> list[LoggedMessage]:
    return [entry for entry in entries if entry.key == key and entry.kind in kinds]


def kinds_of(entries: list[LoggedMessage], key: str, *kinds: str) -> list[str]:
    return [entry.kind for entry in said_of(entries, key, *kinds)]


def released(entries: list[LoggedMessage], key: str) -> bool:
    return kinds_of(entries, key, "ReleaseGranted", "ReleaseRevoked", "ReleaseRefused")[-1:] == ["ReleaseGranted"]


def test_a_day_has_a_few_of_each_and_only_where_nobody_else_waits() -> None:
    day = Day(1, 2000, DAY.start)
    slips = {index: slip for index in range(2000) if (slip := day.slip(index)) is not Slip.NONE}
    counted = Counter(slips.values())
    assert set(counted) == {Slip.EARLY, Slip.NOT_STRIPPED, Slip.STRIPPED}
    assert all(5 < count < 40 for count in counted.values()), counted
    for index in slips:
        plan = day.plan(index)
        assert plan.declaration.direction is Direction.IMPORT and not day.shares(index) and day.before(index) is None
        assert [box.container_no for box in plan.declaration.containers] == [day.box(index)]
        assert not plan.intent.held and not plan.intent.withdraws
    numbers = [*[day.box(index) for index in range(2000)], *[box for index in slips for box in day.targets(index)]]
    assert len(numbers) == len(set(numbers)), "no box has the number of another"
    assert all(day.index_of_box(box) is None for index in slips for box in day.targets(index))
    assert {n: day.is_wrong_target(n) for n in day.targets(7)} == dict(zip(day.targets(7), (True, False), strict=True))


def test_the_world_knows_that_stripped_goods_leave_in_the_other_box() -> None:
    stripped = {DAY.targets(index)[1]: DAY.plan(index).consignment_id for index in goods(Slip.STRIPPED)}
    assert {box: stay for box, [stay, *_] in STAYS.items() if box in stripped} == {
        box: Stay((lot,), imported=True) for box, lot in stripped.items()
    }
    wrong = {DAY.targets(index)[0] for index in SLIPS} | {DAY.targets(index)[1] for index in goods(Slip.NOT_STRIPPED)}
    assert not wrong & STAYS.keys()


@PACED
def test_nothing_leaves_and_nothing_is_kept_by_mistake(paced: bool) -> None:
    entries = played(paced).entries
    ledger = judged(entries)
    assert ledger.clean, (ledger.wrongly_released, ledger.left_by_mistake, ledger.kept_by_mistake, ledger.lost)
    assert ledger.stays["left"] > 5 and ledger.stays["came back and left"] > 2
    assert not [e for e in entries if e.kind in ("GateAlarmRaised", "RequestRefused", "MessageParked")]


@PACED
def test_goods_that_were_told_too_early_are_called_back_and_leave_when_they_are_here(paced: bool) -> None:
    entries, count = played(paced).entries, 0
    for index in goods(Slip.EARLY):
        key, box = DAY.plan(index).consignment_id, DAY.box(index)
        if not released(entries, key):
            continue
        count += 1
        reports = kinds_of(entries, key, "ReportArrival", "RetractArrival")
        assert reports == ["ReportArrival", "RetractArrival", "ReportArrival"]
        kinds = ("ArrivalRecorded", "ArrivalRetracted", "ReleaseGranted", "ReleaseRevoked", "ConsignmentGatedOut")
        first, *_, last = said_of(entries, key, "ReportArrival")
        facts = kinds_of(entries, key, *kinds)
        assert facts[:6] == [
            *("ArrivalRecorded", "ReleaseGranted"),
            *("ArrivalRetracted", "ReleaseRevoked"),
            *facts[:2],
        ]
        assert set(facts[6:]) == {"ConsignmentGatedOut"}
        out = said_of(entries, box, "RecordGateOut", "RecordEquipmentEvent")[0]
        assert out.timestamp_ms > last.timestamp_ms and first.body["occurred_at"] < last.body["occurred_at"]
    assert count > 1


def test_goods_that_have_not_come_are_not_fetched_however_often_their_box_may_leave() -> None:
    index = goods(Slip.EARLY)[0]
    box, people = DAY.box(index), People(DAY)
    lots = (DAY.plan(index).consignment_id,)
    yes = ContainerMayLeave(container_no=box, occurred_at=DAY.start, version=1, consignments=lots)
    no = ContainerMustStay(
        container_no=box, occurred_at=DAY.start, version=2, waiting_for=lots, reason="no visit is open"
    )
    requests = [[act.request.kind for act in people.react(fact)] for fact in (no, yes, yes, no)]
    assert requests == [[], ["RetractArrival"], ["RetractArrival"], []]
    left = people.react(yes)
    assert left and all(act.name.startswith(f"{box}/out/") for act in left)


@PACED
def test_a_box_that_was_not_stripped_leaves_once_the_release_desk_names_it_again(paced: bool) -> None:
    entries, count = played(paced).entries, 0
    for index in goods(Slip.NOT_STRIPPED):
        key, box = DAY.plan(index).consignment_id, DAY.box(index)
        if not released(entries, key):
            continue
        count += 1
        assert kinds_of(entries, key, "GoodsTransferred", "TransferRetracted") == [
            "GoodsTransferred",
            "TransferRetracted",
        ]
        assert said_of(entries, key, "ReleaseGranted")[-1].body["containers"] == [box]
        assert {e.body["container_no"] for e in said_of(entries, key, "ConsignmentGatedOut")} == {box}
        assert not said_of(entries, DAY.targets(index)[0], "RecordGateOut", "RecordEquipmentEvent")
    assert count > 1


@PACED
def test_goods_whose_stripping_was_corrected_leave_in_the_right_box_and_their_own_leaves_empty(paced: bool) -> None:
    entries, count = played(paced).entries, 0
    for index in goods(Slip.STRIPPED):
        key, box, (wrong, right) = DAY.plan(index).consignment_id, DAY.box(index), DAY.targets(index)
        if not released(entries, key):
            continue
        count += 1
        moved = ["GoodsTransferred", "TransferRetracted", "GoodsTransferred"]
        assert kinds_of(entries, key, "GoodsTransferred", "TransferRetracted") == moved
        assert said_of(entries, key, "ReleaseGranted")[-1].body["containers"] == [right]
        assert {e.body["container_no"] for e in said_of(entries, key, "ConsignmentGatedOut")} == {right}
        assert [e.body["how"] for e in said_of(entries, box, "VisitClosed")] == ["left_empty"]
        assert said_of(entries, right, "RecordEquipmentEvent")[0].body["event"] == "STUF"
        assert not said_of(entries, wrong, "RecordGateOut", "RecordEquipmentEvent")
    assert count > 1


@PACED
@pytest.mark.parametrize("seed", range(10))
def test_who_takes_over_asks_the_same_whatever_is_read_first(paced: bool, seed: int) -> None:
    """A new player reads all facts. Each topic keeps the order of the facts with one key, and there is no order between
    two topics."""
    entries: dict[tuple[str, str], list[LoggedMessage]] = {}
    for entry in played(paced).entries:
        if ROLES[entry.topic] == "facts" and entry.kind in KINDS:
            entries.setdefault((entry.topic, entry.key), []).append(entry)
    ways = []
    for dice in (Random(0), Random(seed + 1)):
        people, topics = People(DAY), [topic for topic, each in entries.items() for _ in each]
        dice.shuffle(topics)
        left = {topic: iter(each) for topic, each in entries.items()}
        facts = [next(left[topic]) for topic in topics]
        ways.append({act.name for e in facts for act in people.react(KINDS[e.kind].read_stored(e.value or b""))})
    assert ways[0] == ways[1]
    assert {name for name in ways[0] if "too early" in name or "stripped" in name}


def test_a_box_that_left_before_its_goods_had_come_left_by_mistake() -> None:
    entries = played(paced=True).entries
    index = next(i for i in goods(Slip.EARLY) if released(entries, DAY.plan(i).consignment_id))
    key, box = DAY.plan(index).consignment_id, DAY.box(index)
    back = said_of(entries, key, "RetractArrival")[0]
    out = next(e for e in entries if e.key == box and e.kind.startswith("Record"))
    changed = [replace(e, timestamp_ms=back.timestamp_ms - 1) if e is out else e for e in entries]
    assert [box in line and "had not come" in line for line in judged(changed).left_by_mistake] == [True]
    at_event_time = judge(changed, {box: STAYS[box]}, real_time=lambda event: out.timestamp_ms / 1000)
    assert at_event_time.left_by_mistake == [], "it counts when it left, not when that was reported"
    never = [e for e in entries if e is not said_of(entries, key, "ReportArrival")[-1]]
    assert any("had not come" in line for line in judged(never).left_by_mistake)


def test_a_release_that_outlives_the_arrival_it_was_given_for_is_wrong() -> None:
    entries = played(paced=True).entries
    key = next(k for i in goods(Slip.EARLY) if released(entries, k := DAY.plan(i).consignment_id))
    last = said_of(entries, key, "ArrivalRecorded")[-1]
    of_now = [e for e in entries if e is not last and e.kind != "ConsignmentGatedOut"]
    assert [key in line and "taken back" in line for line in judged(of_now).wrongly_released] == [True]


@pytest.mark.parametrize("slip", [Slip.STRIPPED, Slip.NOT_STRIPPED])
def test_a_release_in_a_box_whose_stripping_was_taken_back_is_wrong(slip: Slip) -> None:
    entries = played(paced=True).entries
    key = next(k for i in goods(slip) if released(entries, k := DAY.plan(i).consignment_id))
    first, second, *_ = said_of(entries, key, "ReleaseGranted")
    assert first.body["containers"] != second.body["containers"]
    until = [e for e in entries if not (e.key == key and e.kind.startswith("Release") and e.offset > second.offset)]
    assert any(key in line and "taken back" in line for line in judged(until).wrongly_released)


def test_people_act_on_the_boxes_into_which_their_goods_went_and_a_carrier_takes_back_what_he_told() -> None:
    owned, right = Owned(), DAY.targets(goods(Slip.STRIPPED)[0])[1]
    lot = DAY.plan(goods(Slip.STRIPPED)[0]).consignment_id
    owned._goods.add(lot)
    free = ContainerMayLeave(container_no=right, occurred_at=DAY.start, version=1, consignments=(lot,))
    assert not owned.concerns(free)
    entries = played(paced=True).entries
    [report, *_] = [e for e in entries if e.kind == "RecordEquipmentEvent" and right in e.body["targets"]]
    owned.stripped(RecordEquipmentEvent.read_stored(report.value or b""))
    assert owned.concerns(free)
    back = next(e for e in entries if e.kind == "RetractArrival")
    sent = as_simulated(RetractArrival.read_stored(back.value or b""))
    assert sent.asked_by == "simulated/carrier" and sent.principal == "carrier", "he told the arrival"
