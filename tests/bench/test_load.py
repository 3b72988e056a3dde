"""Is the load sent when it is due, and are the figures what their names say?"""

import math
from datetime import UTC, datetime

from schemas.declaration import LodgeDeclaration
from schemas.papers.checks import findings
from services.cli.bench.load import Phase, due_times, lodgements, percentile
from services.simulator.day import Day

DAY = Day(7, 1000, datetime(2026, 11, 23, tzinfo=UTC))


def test_lodgements_are_due_evenly_whatever_happened_before() -> None:
    assert list(due_times(100.0, 4, 2.0)) == [100.0, 100.5, 101.0, 101.5]


def test_a_backlog_is_due_all_at_once() -> None:
    assert list(due_times(100.0, 3, 0)) == [100.0, 100.0, 100.0]


def test_a_latency_counts_from_the_moment_it_was_due() -> None:
    phase = Phase(due={"late": 10.0, "soon": 11.0, "held": 12.0}, ended={"late": 14.0, "soon": 11.5}, began=10.0)
    assert phase.latencies({"late", "soon", "held"}) == [0.5, 4.0]
    assert phase.rate() == 0.5


def test_the_hours_of_a_treatment_are_no_slowness_of_the_desks() -> None:
    phase = Phase(ended={"a": 11.0, "b": 12.0, "fumigated": 40.0}, treated={"fumigated"}, began=10.0)
    assert phase.rate() == 1.0


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(n) for n in range(1, 201)]
    assert [percentile(values, share) for share in (0.5, 0.95, 0.99, 1.0)] == [100.0, 190.0, 198.0, 200.0]
    assert percentile([1.0, 2.0, 3.0], 0.5) == 2.0  # at least half of the values are not greater than 2.0
    assert percentile([3.0], 0.01) == 3.0
    assert math.isnan(percentile([], 0.5))


def test_the_same_seed_packs_the_same_lodgements() -> None:
    again = Day(7, 1000, datetime(2026, 11, 23, tzinfo=UTC))
    assert lodgements(DAY, 3, 5) == lodgements(again, 3, 5)


def test_a_declaration_with_many_lines_is_still_a_good_one() -> None:
    for packet in lodgements(DAY, 0, 5, lines=50):
        declaration = LodgeDeclaration.model_validate_json(packet.value).declaration
        assert len(declaration.items) == 50
        assert findings(declaration, DAY.start.date()) == ()
