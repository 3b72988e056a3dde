"""Does docs/performance.md show the figures of docs/performance/measured.json, and are its pictures well-formed XML?"""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.bench import notebook, svg
from tests.bench.note import number, performance, pictures, table, write

RUN = {"consignments": 10, "late_ms": 0.0, "p50_ms": 80.0, "p95_ms": 90.0, "p99_ms": 100.0, "p100_ms": 101.0}
COST = {"cpu_us": 500.0, "events": 4.0, "cpu_us_event": 125.0, "resident_mb": 90.0, "peak_mb": 95.0}
MAIN = {
    "layout": "declaration;release",
    "partitions": 8,
    "seed": 7,
    "runs": [
        {"share": 1.0, "offered": 0, "reached": 1234.0, **RUN},
        {"share": 0.25, "offered": 308.0, "reached": 300.0, **RUN},
        {"share": 0.5, "offered": 617.0, "reached": 600.0, **RUN},
    ],
    "costs": [{"process": "worker-release", **COST}, {"process": "broker", **COST, "events": 0, "cpu_us_event": None}],
    "cores_busy": 1.9,
    "bytes": {"facts": 9000.0, "requests": 1500.0},
}
POINT = {"per_second": 1000.0, "cpu_us": 900.0, "resident_mb": 400.0, **RUN}
COSTS = {"cpu_us_event": 30.0, "broker_cpu_us": 200.0, "resident_mb": 300.0, "doubled": 0, **RUN}
PEERS = {
    "rounds": [
        {"Datongguan": {"per_second": 900.0, **COSTS}, "Faust": {"per_second": 300.0, **COSTS}},
        {"Datongguan": {"per_second": 1000.0, **COSTS}, "Faust": {"per_second": 200.0, **COSTS}},
        {"Datongguan": {"per_second": 1200.0, **COSTS}, "Faust": {"per_second": 200.0, **COSTS}},
    ],
    "peers": [{"name": n, "guarantee": "once", "settings": "s", "lacks": "l"} for n in ("Datongguan", "Faust")],
    "heard": 7.8,
    "partitions": 8,
    "warm": 1,
    "count": 2,
    "rate": 3,
    "seconds": 4,
}


def noted(tmp_path: Path) -> Path:
    file = tmp_path / "performance" / "measured.json"
    notebook.keep("main", MAIN, file)
    notebook.keep("peers", PEERS, file)
    notebook.keep("lines", {"points": [{"lines": 1, **POINT}, {"lines": 50, **POINT, "per_second": 200.0}]}, file)
    return file


def test_what_is_measured_again_replaces_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    file = noted(tmp_path)
    notebook.keep("lines", {"points": []}, file)
    known = notebook.figures(file)
    assert known["lines"]["points"] == []
    assert known["main"]["runs"] == MAIN["runs"]
    assert "seed" not in known["main"]["taken"] and "Kafka 4.3.1" in known["main"]["taken"]


def test_the_page_shows_the_figures_and_says_which_goals_are_missed(tmp_path: Path) -> None:
    page = performance(notebook.figures(noted(tmp_path)))
    assert "| at once | 10 | 1,234 | 80 | 90 | 100 | 101 |" in page
    assert "| consignments a second | ≥ 3,500 | 1,234 | not reached |" in page
    assert "| p99 at half of that, ms | ≤ 250 | 100 | reached |" in page
    # The ratios of the three rounds are 3, 5 and 6. The page shows their median.
    assert "| times Faust | ≥ 5 | 5.00 | reached |" in page


def test_a_part_that_was_not_measured_is_left_out(tmp_path: Path) -> None:
    write(tmp_path)
    page = (tmp_path / "performance.md").read_text()
    assert "Peers" not in page and "|" not in page
    assert not (tmp_path / "scaling.md").exists()


def test_what_people_found_in_profiles_stands_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "performance").mkdir()
    (tmp_path / "performance" / "findings.md").write_text("## Findings\n\nThe broker.\n")
    write(tmp_path)
    assert (tmp_path / "performance.md").read_text().endswith("## Findings\n\nThe broker.\n")


def test_every_picture_is_well_formed_and_in_the_page(tmp_path: Path) -> None:
    known = notebook.figures(noted(tmp_path))
    made = pictures(known)
    assert set(made) == {"latency", "lines", "peers"}
    for name, picture in made.items():
        root = ElementTree.fromstring(picture)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert f"(performance/{name}.svg)" in performance(known)


def test_a_picture_survives_any_text_and_a_single_point() -> None:
    ElementTree.fromstring(svg.lines("a < b & c", "x", "y", {"<p>": [(1, 0.0)]}))
    ElementTree.fromstring(svg.lines("log", "x", "y", {"one": [(10_000, 1.0), (1_000_000, 2.0)]}, log_x=True))
    ElementTree.fromstring(svg.bars("none", "u", []))


@pytest.mark.parametrize(("value", "round_one"), [(0.0, 1.0), (3.0, 5.0), (100.0, 100.0), (101.0, 200.0), (0.7, 1.0)])
def test_an_axis_ends_at_a_round_number(value: float, round_one: float) -> None:
    assert svg.nice(value) == pytest.approx(round_one)


def test_tables_are_markdown() -> None:
    assert table(("a", "b"), [("x", number(1234.5, 1)), ("y", number(None))]) == (
        "| a | b |\n| --- | ---: |\n| x | 1,234.5 |\n| y | – |\n"
    )
