"""Does the desk find each pair of fields that cannot both be right, and no other pair?"""

from datetime import date, timedelta
from typing import Any

import pytest

from schemas.codes.countries import COUNTRIES
from schemas.codes.trade import TRADE_MODES
from schemas.codes.ways import ONE_WAY, SANDBOX
from schemas.declaration import DeclaredContainer
from schemas.papers import checks
from schemas.vocabulary import Direction
from tests.declaration.good import BOX, good_declaration
from tests.voice import NOON

TODAY = NOON.date()
EXPORT = {"direction": Direction.EXPORT, "departure_country": "CN", "destination_country": "KR"}


def codes_of(**changes: Any) -> list[str]:
    return [finding.code for finding in checks.findings(good_declaration(**changes), TODAY)]


@pytest.mark.parametrize(("mode", "way"), [*ONE_WAY.items()])
def test_a_trade_mode_of_one_direction_is_none_of_the_other(mode: str, way: Direction) -> None:
    there = {Direction.IMPORT: codes_of(trade_mode=mode), Direction.EXPORT: codes_of(trade_mode=mode, **EXPORT)}
    assert "trade_mode_of_other_direction" not in there.pop(way)
    assert all("trade_mode_of_other_direction" in found for found in there.values())


@pytest.mark.parametrize(
    ("sign", "way"),
    [("内销", Direction.IMPORT), ("进口", Direction.IMPORT), ("复出", Direction.EXPORT), ("出口", Direction.EXPORT)],
)
def test_a_trade_mode_whose_name_says_its_direction_goes_that_way_only(sign: str, way: Direction) -> None:
    """An older version accepted exports for building projects abroad as imports. Trade modes of export zones, and modes
    without a direction, are accepted in both directions."""
    both = {"进出口", "出口加工区"}
    named = [
        mode for mode, name in TRADE_MODES.items() if sign in name.zh and not any(each in name.zh for each in both)
    ]
    assert named and {mode: ONE_WAY.get(mode) for mode in named} == dict.fromkeys(named, way)


@pytest.mark.parametrize(
    ("mode", "way"),
    [
        *[(mode, Direction.IMPORT) for mode in ("0320", "0420", "2025", "2225", "5335")],
        *[(mode, Direction.EXPORT) for mode in ("0466", "5361")],
    ],
)
def test_equipment_comes_in_or_is_returned_as_the_full_name_of_its_mode_says(mode: str, way: Direction) -> None:
    """The full names (全称) of these modes say 进口, 退运出境 or 退运境外. An older version accepted these modes in both
    directions."""
    assert ONE_WAY[mode] is way


@pytest.mark.parametrize("mode", ["0314", "2439", "2939", "4200", "4239", "5033"])
def test_goods_whose_mode_says_in_its_full_name_that_they_come_from_abroad_are_imports(mode: str) -> None:
    """The full names of these modes say 进口 or 运回, for example 外国常驻机构进口办公用品 (office articles of foreign offices). An
    older version accepted exports under these modes."""
    assert "trade_mode_of_other_direction" in codes_of(trade_mode=mode, **EXPORT)
    assert codes_of(trade_mode=mode) == []


def test_goods_that_are_stored_in_a_zone_come_in_by_one_mode_and_go_abroad_again_by_another() -> None:
    """The full name of 5033 (加工区内仓储企业从境外进口的货物) names only imports. The full names of the similar modes name imports and
    exports."""
    assert ONE_WAY["5033"] is Direction.IMPORT
    for mode in ("5010", "5015", "5034", "6033"):
        assert codes_of(trade_mode=mode) == [] == codes_of(trade_mode=mode, **EXPORT), mode


def test_most_trade_modes_go_both_ways() -> None:
    assert all(
        codes_of(trade_mode=mode) == [] == codes_of(trade_mode=mode, **EXPORT) for mode in TRADE_MODES.keys() - ONE_WAY
    )


@pytest.mark.parametrize("country", sorted(COUNTRIES - {"CN", "KR"}))
def test_imports_come_here_and_exports_leave_from_here(country: str) -> None:
    assert codes_of(destination_country=country) == ["import_destined_abroad"]
    assert codes_of(**EXPORT | {"departure_country": country}) == ["export_departing_abroad"]
    assert (
        codes_of(destination_country="CN", departure_country=country)
        == codes_of(**EXPORT | {"destination_country": country})
        == []
    )


def test_the_country_of_the_sandbox_is_one_at_its_offices_only() -> None:
    assert codes_of(destination_country=SANDBOX) == ["country_unknown", "import_destined_abroad"]
    assert codes_of(destination_country=SANDBOX, customs_office="9040") == []
    assert codes_of(**EXPORT | {"departure_country": SANDBOX, "customs_office": "9040"}) == []


@pytest.mark.parametrize("name", ["", " ", "\u3000", "-", "./.", "—"])
def test_a_ship_has_a_name(name: str) -> None:
    assert codes_of(conveyance=name) == ["conveyance_missing"]
    assert codes_of(conveyance=name, transport_mode="4") == []


def test_an_aircraft_takes_air_containers_only() -> None:
    by_air = {"transport_mode": "5"}
    both = tuple([DeclaredContainer(container_no=number) for number in ("AKE12345KE", BOX)])
    assert codes_of(containers=both, **by_air) == ["sea_container_by_air"]
    assert codes_of(containers=both[:1], **by_air) == [] == codes_of(containers=both[1:], transport_mode="2")
    assert codes_of(containers=both[1:], transport_mode="6") == ["container_not_carried"]


@pytest.mark.parametrize(
    ("days", "fine"), [(0, True), (60, True), (61, False), (365, False), (-366, True), (-367, False)]
)
def test_an_entry_date_is_at_most_a_year_past_or_a_voyage_ahead(days: int, fine: bool) -> None:
    entry = TODAY + timedelta(days=days)
    assert codes_of(conveyance_entry_date=entry) == ([] if fine else ["entry_date_out_of_range"])
    assert isinstance(entry, date)


@pytest.mark.parametrize(
    ("packages", "found"),
    [
        (0, ["packages_missing"]),
        (1, []),
        (9_999_999, []),
        (10_000_000, ["packages_too_many"]),
        (-1, ["packages_negative"]),
    ],
)
def test_packages_are_counted_from_one(packages: int, found: list[str]) -> None:
    assert codes_of(packages=packages) == found


@pytest.mark.parametrize(("kind", "found"), [("93", "wood_denied"), ("23", "wood_not_named"), ("33", "wood_not_named")])
def test_a_wooden_package_is_wood(kind: str, found: str) -> None:
    assert codes_of(package_kind=kind) == [found] and codes_of(package_kind=kind, wood_packaging=True) == []
