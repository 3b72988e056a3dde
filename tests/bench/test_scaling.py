"""Is every figure of docs/scaling.md computed from measured figures in the way that the page says?"""

from typing import Any

from tests.bench.scaling import scaling


def cost(process: str, cpu_us: float) -> dict[str, Any]:
    return {"process": process, "cpu_us": cpu_us}


def lived(live: int, release_mb: float, other_mb: float) -> dict[str, Any]:
    resident = {"worker-release-gate-2": release_mb, "worker-clearance-3": other_mb}
    return {"live": live, "resident_restored_mb": resident, "restore_seconds": live / 100_000}


def idle(partitions: int, megabytes: float, percent: float) -> dict[str, Any]:
    each = {"cpu_percent": percent, "resident_mb": megabytes}
    return {
        "partitions": partitions,
        "idle": {"broker": each, "workers": each},
        "up_seconds": 9.0,
        "restore_seconds": 1.5,
    }


KNOWN: dict[str, Any] = {
    "main": {
        "taken": "one day",
        "costs": [cost("broker", 300), cost("console", 500)],
        "bytes": {"facts": 8000.0, "requests": 2000.0, "read model (SQLite)": 5000.0},
    },
    "workers": {"points": [{"costs": [cost("worker-risk", 200), cost("worker-release", 400), cost("broker", 1)]}]},
    "live": {"points": [lived(10_000, 100, 100), lived(1_010_000, 1100, 600)]},
    "idle": {"live": 50_000, "points": [idle(8, 400, 2), idle(48, 480, 6)]},
}


def test_cores_are_microseconds_times_load_over_the_planned_share() -> None:
    page = scaling(KNOWN)
    assert "| risk | 200 | 5,000 | 2 | 114 |" in page  # 3,400 * 200 us / 0.6 = 1.13 cores, so two
    assert "| read model | 500 | 2,000 | 3 | 284 |" in page


def test_the_log_is_what_lies_on_disk_without_the_read_model() -> None:
    assert "Bytes: 10,000 a consignment in the log, one copy" in scaling(KNOWN)
    assert "34 MB/s are written once" in scaling(KNOWN)


def test_memory_for_one_consignment_is_the_growth_between_two_counts() -> None:
    page = scaling(KNOWN)
    assert "takes 1,500 bytes of memory over all desks (1,000 of them in the process\n   of release and gate)" in page
    assert "a year of 60,000,000 is 60 GB there, and a restore of 10 minutes" in page


def test_a_partition_costs_the_difference_over_the_count() -> None:
    assert "costs 2.00 MB and 0.100 % of a core in the broker" in scaling(KNOWN)


def test_the_slowest_desk_is_named() -> None:
    assert "release: 2,500 a second on a core" in scaling(KNOWN)


def test_what_breaks_at_the_lowest_load_comes_first() -> None:
    page = scaling(KNOWN)
    assert (
        page.index("1. **The read model.**") < page.index("2. **The busiest desk") < page.index("3. **A single broker")
    )


def test_nothing_is_said_while_a_part_is_missing() -> None:
    assert scaling({name: part for name, part in KNOWN.items() if name != "idle"}) == ""


def test_the_page_waits_for_a_second_count_of_live_goods() -> None:
    """Figures are stored after each point. In an older version, `make bench` failed after the first point."""
    assert scaling({**KNOWN, "live": {"points": KNOWN["live"]["points"][:1]}}) == ""
