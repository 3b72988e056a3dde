"""Does the clearance service measure each span as it is defined, in whatever order it reads the facts?"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import permutations

import pytest
from prometheus_client import REGISTRY

from schemas.envelope import Hearing, Message
from schemas.gate import ConsignmentGatedOut
from schemas.release import (
    ArrivalRecorded,
    ArrivalRetracted,
    Hold,
    ReleaseGranted,
)
from schemas.vocabulary import ControlKind, Lane, Owner
from services.clearance import timeline
from services.clearance.metrics import MOST_PLACE_LABELS, SECONDS, OpenConsignments
from services.clearance.timeline import ClearanceTimeline, gate_seconds, span_seconds
from tests import facts
from tests.declaration.good import BOX
from tests.facts import (
    consignment_assessed,
    consignment_left_unreleased,
    departure_retracted,
    findings_retracted,
    inspection_failed,
    inspection_passed,
    quarantine_refused,
    treatment_referred,
    treatment_waived,
)
from tests.release.requests import BOXES, OTHER_BOX
from tests.voice import CONSIGNMENT, NOON

HEARING = Hearing(NOON, "m", 1)


def after(minutes: int) -> timedelta:
    return timedelta(minutes=minutes)


def granted(
    minutes: int, version: int = 1, containers: tuple[str, ...] = (), holds: tuple[Hold, ...] = ()
) -> ReleaseGranted:
    at = NOON + after(minutes)
    return facts.release_granted(version, containers=containers, lane=Lane.RED, holds=holds, at=at)


def arrived(minutes: int, *containers: str) -> ArrivalRecorded:
    return facts.arrival_recorded(*containers, at=NOON + after(minutes))


def out(minutes: int, container: str = BOX) -> ConsignmentGatedOut:
    return facts.consignment_gated_out(container, at=NOON + after(minutes))


REST = Hold(hold_id="arrival", owner=Owner.CARRIER, reason="1 of 2", since=NOON, lifted_by="ArrivalRecorded")
PARTS: list[Message] = [
    consignment_assessed().model_copy(update={"occurred_at": NOON + after(1)}),
    arrived(10, BOX),
    granted(15, 2, (BOX,), (REST,)),
    arrived(100, OTHER_BOX),
    granted(130, 3, BOXES),
    out(60),
    out(150, OTHER_BOX),
]
"""The messages about goods in two containers. The second container arrives an hour and a half after the first."""


STORY: list[Message] = [
    consignment_assessed(ControlKind.INSPECTION).model_copy(update={"occurred_at": NOON + after(1)}),
    facts.inspection_ordered(ControlKind.INSPECTION, NOON + after(3000), NOON + after(2)),
    facts.inspection_passed(ControlKind.INSPECTION, at=NOON + after(62)),
    facts.arrival_recorded(at=NOON + after(30)),
    granted(63),
    facts.consignment_gated_out(at=NOON + after(123)),
]


def desk(messages: Sequence[Message], recorded: timedelta | None = None) -> ClearanceTimeline:
    """The timeline after these messages. `recorded`: the time from each event until its message was recorded."""
    state = timeline.INITIAL._replace(accepted=NOON)
    for message in messages:
        hearing = HEARING if recorded is None else HEARING._replace(recorded=message.occurred_at + recorded)  # type: ignore[attr-defined]
        state = timeline.evolve(state, message, hearing)  # type: ignore[arg-type]
    return state


def not_arrived(*containers: str, at: int | None = None) -> ArrivalRetracted:
    """The retraction of a wrong arrival. `containers`: those that have arrived nevertheless, `at` minutes after
    noon."""
    since = None if at is None else NOON + after(at)
    return facts.arrival_retracted(containers=containers, arrived_at=since, first_arrived_at=since, at=NOON + after(40))


def dumped(messages: list[Message]) -> bytes:
    return timeline.STATE.dump_json(desk(messages))


def test_stage_times_follow_the_definitions() -> None:
    state = desk(STORY)
    assert span_seconds(state) == {
        "assessment": 60,
        "control": 3600,
        "customs": 33 * 60,
        "customs_raw": 63 * 60,
        "overall": 33 * 60,
    }
    assert gate_seconds(state) == 3600


def test_an_arrival_that_was_taken_back_measures_nothing() -> None:
    state = desk([arrived(10, BOX), not_arrived()], after(1))
    assert (state.arrived, state.first_arrived, state.arrival_recorded, state.corrections) == (None, None, None, 1)
    assert span_seconds(desk([*STORY[:3], not_arrived(), arrived(80), granted(90)]))["overall"] == 600
    state = desk([arrived(10, BOX), arrived(100, OTHER_BOX), not_arrived(BOX, at=10)], after(1))
    assert state.arrived == state.first_arrived == NOON + after(10) and state.arrival_recorded is None


def test_release_before_arrival_takes_no_time_overall() -> None:
    early = [m for m in STORY if not isinstance(m, ArrivalRecorded)]
    late = facts.arrival_recorded(at=NOON + after(500))
    seconds = span_seconds(desk([*early, late]))
    assert seconds["overall"] == seconds["customs"] == 0 and seconds["customs_raw"] == 63 * 60


@pytest.mark.parametrize("answer", [treatment_waived, quarantine_refused])
def test_the_time_until_an_officer_decides_is_time_of_treatment(answer: Callable[[str], Message]) -> None:
    referred = treatment_referred("risk").model_copy(update={"occurred_at": NOON + after(5)})
    decided = answer("risk").model_copy(update={"occurred_at": NOON + after(45)})
    for order in permutations([referred, decided, granted(63)]):
        assert span_seconds(desk(list(order)))["treatment"] == 40 * 60


def test_clearance_ends_with_the_last_part_and_the_first_one_has_a_stage_of_its_own() -> None:
    state = desk(PARTS)
    seconds = span_seconds(state)
    assert seconds["first_part"] == 5 * 60 and seconds["overall"] == seconds["customs"] == 30 * 60
    assert state.end == "released" and gate_seconds(state) == 20 * 60
    assert desk(PARTS[:4]).end is None and desk(PARTS[:4]).released is None
    assert gate_seconds(desk(PARTS[:-1])) is None, "a container is still inside"
    assert "first_part" not in span_seconds(desk(STORY))


def test_any_order_of_the_facts_of_parts_gives_the_same_timeline() -> None:
    moment = timedelta(minutes=7)
    lines = [timeline.STATE.dump_python(desk(list(order), moment)) for order in permutations(PARTS)]
    assert all(line == lines[0] for line in lines)


def test_goods_that_left_unreleased_have_that_end_until_it_is_found_to_be_wrong() -> None:
    left = consignment_left_unreleased().model_copy(update={"occurred_at": NOON + after(50)})
    for order in permutations([arrived(10), left, granted(63)]):
        assert desk(list(order)).end == "left_unreleased"
    findings_retracted = departure_retracted()
    for again in (
        (left, findings_retracted, granted(63)),
        (granted(63), left, findings_retracted),
        (left, granted(63), findings_retracted),
    ):
        assert desk(again).end == "released" and desk(again).left == {}
    before = timeline.INITIAL._replace(end="released", end_version=1)  # a state as an older software version stored it
    for fact in (left, departure_retracted()):
        before = timeline.evolve(before, fact, HEARING)
    assert before.end == "released"


def test_a_departure_that_was_taken_back_took_no_time() -> None:
    state = desk([*STORY, departure_retracted()])
    assert state.gated_out is None and gate_seconds(state) is None


def test_how_late_reports_come_is_counted() -> None:
    watch = OpenConsignments()
    watch.restored([])

    def counted(event: str) -> tuple[float, float]:
        name = "customs_report_late_seconds"
        many, seconds = (REGISTRY.get_sample_value(f"{name}_{part}", {"event": event}) for part in ("count", "sum"))
        return many or 0.0, seconds or 0.0

    arrivals, departures = counted("arrival"), counted("departure")
    state: ClearanceTimeline | None = None
    for number, message in enumerate(PARTS, 1):
        recorded = message.model_dump()["occurred_at"] + after(number)
        following = timeline.evolve(state or timeline.INITIAL, message, HEARING._replace(recorded=recorded))  # type: ignore[arg-type]
        watch.committed([("a", state, following)])
        state = following
    assert counted("arrival") == pytest.approx((arrivals[0] + 2, arrivals[1] + (2 + 4) * 60))
    assert counted("departure") == pytest.approx((departures[0] + 2, departures[1] + (6 + 7) * 60))
    REGISTRY.unregister(watch)


def test_goods_that_left_unreleased_are_counted_as_ended_once_and_are_not_open() -> None:
    watch = OpenConsignments()
    watch.restored([("a", dumped(STORY[:4]))])

    def ended() -> float:
        return REGISTRY.get_sample_value("customs_consignments_ended_total", {"end": "left_unreleased"}) or 0.0

    before, left = ended(), [*STORY[:4], consignment_left_unreleased()]
    watch.committed([("a", desk(STORY[:4]), desk(left))])
    watch.committed([("a", desk(left), desk([*left, granted(63)]))])
    assert ended() == before + 1
    assert sum(s.value for m in watch.collect() for s in m.samples if s.name == "customs_open_consignments") == 0
    REGISTRY.unregister(watch)


def test_any_order_of_facts_gives_the_same_timeline() -> None:
    assert len({timeline.STATE.dump_json(desk(list(order))) for order in permutations(STORY)}) == 1


def test_the_latest_statement_of_the_release_desk_is_the_end() -> None:
    revoked = facts.release_revoked(2, at=NOON + after(64))
    refused = facts.release_refused(4, "inspection/inspection", at=NOON + after(70))
    for order in permutations([granted(63), revoked, refused]):
        state = desk(list(order))
        assert state.end == "refused" and state.ended == NOON + after(70) and state.released == NOON + after(63)
    assert desk([granted(63), revoked]).end is None


def test_prometheus_counts_each_release_once_and_knows_what_is_open() -> None:
    watch = OpenConsignments()
    watch.restored([("a", dumped([])), ("b", dumped(STORY))])
    labels = {"span": "overall", "stage": "overall", "direction": "I", "lane": "red", "office": "4201", "mode": "2"}

    def releases() -> float:
        return REGISTRY.get_sample_value("customs_clearance_seconds_count", labels) or 0.0

    before = releases()
    assert sum(s.value for m in watch.collect() for s in m.samples if s.name == "customs_open_consignments") == 1
    watch.committed([("a", desk([]), desk(STORY[:5]))])
    watch.committed([("a", desk(STORY[:5]), desk(STORY))])
    assert releases() == before + 1
    assert sum(s.value for m in watch.collect() for s in m.samples if s.name == "customs_open_consignments") == 0
    REGISTRY.unregister(watch)


def test_what_is_open_after_a_restart_is_what_was_open_before_it() -> None:
    """After a restart another library reads a part of each timeline's JSON. The result must be the same as with the
    service's own types."""
    before, after_restart = OpenConsignments(), OpenConsignments()
    before.restored([])
    stories = [list(order[:length]) for order in permutations(STORY) for length in (1, 3, len(STORY))]
    before.committed([(str(n), None, desk(story)) for n, story in enumerate(stories)])
    after_restart.restored([(str(n), dumped(story)) for n, story in enumerate(stories)])
    shown = [
        [(s.name, s.labels, s.value) for m in watch.collect() for s in m.samples] for watch in (before, after_restart)
    ]
    assert shown[0][:5] == shown[1][:5] and sum(value for _, _, value in shown[0][:5]) > 0
    assert shown[0][5][2] == pytest.approx(shown[1][5][2], abs=60)
    REGISTRY.unregister(before)
    REGISTRY.unregister(after_restart)


def test_what_stands_in_facts_makes_no_series_without_end() -> None:
    """Offices and modes of transport are texts from outside, and each series of a metric exists until the process
    ends."""
    watch = OpenConsignments()
    watch.restored([])
    for number in range(MOST_PLACE_LABELS + 100):
        named = desk(STORY)._replace(office=f"office {number}", mode=f"mode {number}")
        watch.committed([(str(number), None, named)])
    REGISTRY.unregister(watch)
    ours = [
        sample.labels["office"]
        for family in SECONDS.collect()
        for sample in family.samples
        if sample.name.endswith("_count")
        and sample.labels["span"] == "overall"
        and sample.labels["office"].startswith("office ")
    ]
    assert len(ours) == MOST_PLACE_LABELS
    assert REGISTRY.get_sample_value(
        "customs_clearance_seconds_count",
        {"span": "overall", "stage": "overall", "direction": "I", "lane": "red", "office": "other", "mode": "other"},
    )


def test_goods_whose_refusal_was_taken_back_are_open_again_and_their_corrections_are_counted() -> None:
    looked = ControlKind.INSPECTION
    refused = facts.release_refused(1, "inspection/inspection", at=NOON + after(63))
    again = facts.refusal_revoked(2, at=NOON + after(70))
    wrong: list[Message] = [*STORY[:2], inspection_failed(looked), refused, findings_retracted(looked), again]
    for order in permutations([refused, again]):
        assert desk([*STORY[:2], *order]).end is None
    open_again = desk(wrong)
    assert open_again.end is None and open_again.corrections == 1 and not timeline.closed(desk(wrong[:4]))
    before = REGISTRY.get_sample_value("customs_corrections_total") or 0.0
    watch, ended = OpenConsignments(), desk([*wrong, inspection_passed(looked, 2), granted(90, 3)])
    watch.committed([(CONSIGNMENT, desk(wrong[:4]), open_again), (CONSIGNMENT, open_again, ended)])
    assert ended.end == "released"
    assert REGISTRY.get_sample_value("customs_corrections_total") == before + 1


def test_a_timeline_of_the_software_version_before_was_never_corrected() -> None:
    whole = dumped(STORY)
    before_directions = whole.removesuffix(b',"I"]') + b"]"
    known = desk(STORY)._replace(direction="")
    assert before_directions != whole and timeline.STATE.validate_json(before_directions) == known
    earlier = before_directions.removesuffix(b",0]") + b"]"
    assert earlier != before_directions and timeline.STATE.validate_json(earlier) == known
