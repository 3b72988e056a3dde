"""Has each clearance time one definition, which both Prometheus and the board use?"""

import re
from datetime import datetime, timedelta
from pathlib import Path

import orjson
import pytest
from sqlalchemy import insert

from schemas.spans import BY_NAME, SPANS, Moments, percentile, seconds_of
from services.clearance.metrics import SECONDS
from services.clearance.timeline import ClearanceTimeline, gate_seconds, span_seconds
from services.console.api.clearance_times import Release, clearance_of
from services.console.language.words import both
from services.console.readmodel import tables
from services.console.readmodel.database import migrate, open_engine
from services.console.readmodel.queries import ReadModelQueries
from tests.docs.lines import ROOT
from tests.voice import NOON


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


WHOLE = Moments(
    accepted=at(0),
    assessed=at(1),
    arrived=at(30),
    released=at(63),
    ordered=at(2),
    control_answered=at(62),
    treatment_ordered=at(10),
    treatment_ended=at(50),
    first_arrived=at(20),
    first_released=at(25),
    gated_out=at(123),
)
MINUTES = {
    "assessment": 1,
    "control": 60,
    "treatment": 40,
    "customs": 33,
    "customs_raw": 63,
    "overall": 33,
    "first_part": 5,
    "gate": 60,
}


def test_each_span_has_one_name_a_source_and_words_in_both_languages() -> None:
    assert len(BY_NAME) == len(SPANS) and set(MINUTES) == set(BY_NAME)
    for span in SPANS:
        assert span.meaning and span.source
        assert both(f"spans.{span.name}").zh and both(f"spans.{span.name}").en


@pytest.mark.parametrize("name", MINUTES)
def test_a_span_is_measured_between_its_ends(name: str) -> None:
    assert seconds_of(name, WHOLE) == MINUTES[name] * 60
    assert seconds_of(name, Moments()) is None
    start, end = BY_NAME[name].ends(WHOLE)
    assert start and end and start < end


def test_goods_that_are_released_before_they_arrive_took_no_time() -> None:
    early = Moments(accepted=at(0), arrived=at(90), released=at(60))
    assert seconds_of("overall", early) == seconds_of("customs", early) == 0
    assert seconds_of("customs_raw", early) == 3600


def test_prometheus_measures_what_is_defined() -> None:
    desk = ClearanceTimeline(**WHOLE._asdict(), boxes=1, departed={"A": at(123)})
    measured = {**span_seconds(desk), "gate": gate_seconds(desk)}
    assert measured == {name: minutes * 60.0 for name, minutes in MINUTES.items()}
    assert SECONDS._labelnames == ("span", "stage", "direction", "lane", "office", "mode")


def granted(arrived: float, released: float, holds: int = 0) -> str:
    fact = {"arrived_at": at(arrived).isoformat(), "occurred_at": at(released).isoformat(), "holds": [{}] * holds}
    return orjson.dumps(fact).decode()


def entry(name: str, direction: str, accepted_us: int | None, body: str, kind: str = "ReleaseGranted") -> Release:
    return name, direction, accepted_us, kind, body


def micros(minutes: float) -> int:
    return int(at(minutes).timestamp() * 1e6)


def test_the_board_measures_the_same_apart_for_imports_and_exports() -> None:
    releases = [
        entry("a", "I", micros(0), granted(30, 40)),
        entry("a", "I", micros(0), "{}", "ReleaseRevoked"),
        entry("a", "I", micros(0), granted(30, 63)),  # this release counts, because the one before was revoked
        entry("b", "I", micros(10), granted(5, 20, holds=1)),  # only a part is released, so this release does not count
        entry("c", "E", micros(0), granted(10, 130)),
        entry("d", "E", micros(0), "{"),
        entry("e", "", None, granted(1, 2)),
    ]
    found = {(each.direction, each.name): each for each in clearance_of(releases)}
    assert set(found) == {(d, name) for d in ("I", "E") for name in ("customs", "overall")}
    assert found["I", "customs"].p50_seconds == seconds_of("customs", WHOLE) == 33 * 60
    assert found["E", "customs"].p95_seconds == 120 * 60 == found["E", "overall"].p50_seconds
    assert {each.releases for each in found.values()} == {1}
    assert all(each.source == BY_NAME[each.name].source for each in found.values())


@pytest.mark.parametrize(
    ("between", "minutes"), [([], 10), (["ReleaseRevoked"], 33)], ids=["published again", "revoked and granted again"]
)
def test_a_release_that_is_published_again_ends_when_it_was_published_first(between: list[str], minutes: int) -> None:
    releases = [
        entry("a", "I", micros(0), granted(30, 40)),
        *[entry("a", "I", micros(0), "{}", kind) for kind in between],
        entry("a", "I", micros(0), granted(30, 63)),
    ]
    assert {each.p50_seconds for each in clearance_of(releases) if each.direction == "I"} == {minutes * 60}


def test_a_release_of_all_after_one_of_a_part_ends_when_all_was_released() -> None:
    parts = [granted(5, 20), granted(30, 40, holds=1), granted(30, 63)]
    found = clearance_of([entry("a", "I", micros(0), each) for each in parts])
    assert {each.p50_seconds for each in found if each.direction == "I"} == {33 * 60}


@pytest.mark.parametrize(
    "body",
    [
        granted(30, 63).replace("+00:00", ""),
        granted(30, 63).replace("+00:00", "", 1),
        granted(30, 63)[:-1] + ',"more":' + "[" * 1000 + "]" * 1000 + "}",
    ],
    ids=["no zone", "no zone of one", "deep"],
)
def test_one_release_that_cannot_be_measured_takes_no_board_down(body: str) -> None:
    releases = [entry("a", "I", micros(0), granted(30, 63)), entry("b", "I", micros(0), body)]
    assert {(each.direction, each.releases) for each in clearance_of(releases)} == {("I", 1), ("E", 0)}


def test_of_no_release_nothing_is_told() -> None:
    assert {(each.releases, each.p50_seconds) for each in clearance_of([])} == {(0, None)}
    assert percentile([], 50) is None and percentile([1.0, 2.0, 3.0, 4.0], 50) == 2.0


def test_nobody_else_works_a_clearance_time_out() -> None:
    taken_apart = re.compile(r"released_(us|at)\s*-|-\s*\w*\.?(lodged|accepted|arrived)_(us|at)")
    files = [
        *(ROOT / "services").rglob("*.py"),
        *(ROOT / "services" / "console" / "pages" / "templates").glob("*.html"),
    ]
    assert [str(file) for file in files if taken_apart.search(file.read_text(encoding="utf-8"))] == []
    assert taken_apart.search("select(C.released_us - C.lodged_us)") and taken_apart.search("x - goods.lodged_at")


def test_the_rows_know_the_releases_that_stand_in_the_order_of_the_feed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/c.db"
    migrate(url)
    engine = open_engine(url, writes=True)
    kinds = {
        1: ("a", "ReleaseGranted"),
        2: ("b", "ReleaseGranted"),
        3: ("a", "ReleaseRevoked"),
        4: ("a", "ReleaseGranted"),
    }
    with engine.begin() as sql:
        for key, released in (("a", micros(63)), ("b", None)):  # the release of b was revoked
            goods = {"consignment_id": key, "direction": "I", "accepted_us": 7, "released_us": released}
            sql.execute(insert(tables.CONSIGNMENTS).values(**goods))
        for index, (key, kind) in kinds.items():
            fact = {"key": key, "kind": kind, "id": f"f{index}", "cause": "", "sequence": index, "recorded_us": 1}
            sql.execute(insert(tables.FACTS).values(place=index, body=f"body {index}", **fact))
            sql.execute(insert(tables.RELEASES).values(cursor=index, place=index, consignment_id=key))
    assert ReadModelQueries(engine).releases_for_clearance_times() == [
        ("a", "I", 7, kind, f"body {index}") for index, (key, kind) in kinds.items() if key == "a"
    ]
    engine.dispose()
