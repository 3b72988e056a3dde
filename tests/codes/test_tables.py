"""Does each code table have a source, a day and a count of its codes? Do the tables agree with independent ones? Are
the nearest codes suggested in place of a wrong code?"""

import re
from datetime import date

import pytest
from babel import Locale
from babel.core import get_global

from schemas.codes import countries, offices, trade, units
from schemas.codes.bilingual import Bilingual
from schemas.codes.currencies import CURRENCIES
from schemas.codes.meant import MEANT
from schemas.codes.nearest import nearest
from schemas.codes.rows import rows
from schemas.codes.tables import CodeTable, tables
from schemas.vocabulary import TransportMode

TODAY = date(2026, 11, 28)
TABLES = tables(TODAY)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_says_where_it_is_from_and_of_which_day(name: str) -> None:
    table = TABLES[name]
    assert table.name == name and table.title.zh and table.title.en
    assert table.source and table.licence and table.as_of <= TODAY
    assert len(table.names) > 10


def test_counts_are_those_of_the_sources() -> None:
    counted = {name: len(table.names) for name, table in TABLES.items()}
    assert counted == {
        "hs": 5612,
        "units": 123,
        "trade-modes": 100,
        "transport-modes": 18,
        "package-kinds": 14,
        "offices": 1138,
        "districts": 36,
        "countries": 513,
        "currencies": 155,
    }


def test_each_row_of_the_form_has_a_code_of_its_length_and_both_names() -> None:
    for name, length in {
        "units": 3,
        "trade-modes": 4,
        "transport-modes": 1,
        "package-kinds": 2,
        "districts": 2,
    }.items():
        for code, (chinese, english) in TABLES[name].names.items():
            assert len(code) == length and chinese and english, (name, code)
            assert not chinese.isascii() and english.isascii(), (name, code)


def test_no_code_stands_twice() -> None:
    with pytest.raises(ValueError, match="001"):
        rows("001 台 set\n001 座 stand")


def test_a_row_has_its_names_apart_also_one_without_an_english_name() -> None:
    both = {"4250": Bilingual("西海岸", "West Coast EPZ"), "2982": Bilingual("嘉关善办", "")}
    assert rows("4250 西海岸 West Coast EPZ\n2982 嘉关善办") == both


def test_units_are_named_as_the_form_names_them() -> None:
    named = {code: units.UNITS[code].zh for code in ("001", "007", "011", "015", "022", "035", "070")}
    assert named == {"001": "台", "007": "个", "011": "件", "015": "条", "022": "份", "035": "千克", "070": "吨"}
    assert set(units.KILOGRAMS) | units.ENERGY <= set(units.UNITS)


def test_countries_by_two_and_by_three_letters_are_those_of_cldr() -> None:
    aliases = get_global("territory_aliases")
    assert len(countries.ALPHA3) == 249
    assert {three: two for three, two in countries.ALPHA3.items() if aliases[three][0] != two} == {}
    assert all(each in Locale("zh").territories for each in countries.COUNTRIES)
    assert not countries.OF_THE_FORM.keys() & countries.ALPHA3.keys()
    assert countries.alpha2("KOR") == countries.alpha2("KR") == "KR" and countries.alpha2("ZZZ") == "ZZZ"


def test_currencies_are_those_in_use() -> None:
    assert {"XCG", "ZWG", "SLE", "VED"} <= CURRENCIES
    assert not {"ANG", "BGN", "HRK", "CUC", "XAU", "XXX", "XTS", "ZWL"} & CURRENCIES


def test_transport_modes_of_the_table_are_those_of_the_vocabulary() -> None:
    assert set(trade.TRANSPORT_MODES) == {mode.value for mode in TransportMode}


def test_an_office_is_of_the_sandbox_of_a_district_or_of_nowhere() -> None:
    assert offices.is_sandbox("9001") and not offices.is_sandbox("9000") and not offices.is_sandbox("4201")
    assert offices.is_of_district("5304") and not any(
        map(offices.is_of_district, ("5004", "53 4", "530", "53045", "５３０４"))
    )
    assert all(offices.is_of_district(code) or offices.is_sandbox(code) for code in offices.OFFICES)
    assert offices.OFFICES["4200"] == Bilingual("青岛海关", "Qingdao")
    assert not offices.is_of_district("3301"), "no source that could be read has the code of Hefei"


def test_an_incomplete_table_says_how_much_of_what_it_holds() -> None:
    real = [code for code in offices.OFFICES if not offices.is_sandbox(code)]
    assert offices.HELD == len(real) == 139
    assert TABLES["offices"].lacks.startswith("867 of the 1,006 offices") and TABLES["trade-modes"].lacks


def test_copies_of_official_lists_name_no_licence_and_say_so() -> None:
    for name in ("units", "trade-modes", "transport-modes", "package-kinds", "offices", "districts"):
        assert TABLES[name].licence == "no licence named", name
    for module in (offices, trade, units):
        assert "licence" in str(module.__doc__), module.__name__


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_where_a_table_is_from_is_told_in_the_language_of_the_page(table: CodeTable) -> None:
    """In an older version, the Chinese pages of the tables named the source and the licence in English."""
    for text in (table.source_zh, table.licence_zh, table.lacks_zh):
        assert not re.search(r"(?:\b[a-z]{2,}\b[ ,]*){3,}", re.sub(r"[\w.-]+\.(com|cn|net)\S*", "", text)), text
    assert not re.search("[\u4e00-\u9fff]", f"{table.source}{table.licence}{table.lacks}")


@pytest.mark.parametrize(
    ("table", "typed", "first"),
    [
        ("units", "35", "035"),
        ("units", "千克", "035"),
        ("units", "kilogram", "035"),
        ("units", "053 ", "053"),
        ("trade-modes", "110", "0110"),
        ("trade-modes", "1120", "1210"),
        ("transport-modes", "g", "G"),
        ("countries", "kr", "KR"),
        ("countries", "KRO", "KOR"),
        ("currencies", "usd", "USD"),
        ("currencies", "USB", "USD"),
        ("offices", "2401", "4201"),
        ("package-kinds", "散装", "00"),
        # names, abbreviations, and codes of other or of former tables
        *[("currencies", typed, "CNY") for typed in ("RMB", "rmb", "人民币", "142")],
        *[("currencies", "502", "USD"), ("currencies", "DEM", "EUR"), ("currencies", "ANG", "XCG")],
        *[
            ("countries", "韩国", "KR"),
            ("countries", "133", "KR"),
            ("countries", "UK", "GB"),
            ("countries", "SU", "RU"),
        ],
        *[("units", "KGM", "035"), ("units", "kg", "035"), ("units", "PCE", "007"), ("units", "公斤", "035")],
        *[("package-kinds", "纸箱", "22"), ("package-kinds", "CT", "22"), ("transport-modes", "海运", "2")],
    ],
)
def test_what_somebody_may_have_meant_is_named(table: str, typed: str, first: str) -> None:
    named = nearest(typed, TABLES[table].names)
    assert first in named and len(named) <= 3


def test_the_first_one_named_is_the_one_that_is_meant() -> None:
    for table, typed, meant in (("currencies", "RMB", "CNY"), ("countries", "SU", "RU"), ("currencies", "ZWL", "ZWG")):
        assert nearest(typed, TABLES[table].names)[0] == meant
    for names, texts in MEANT:
        assert {code for codes in texts.values() for code in codes} <= names.keys()
        assert not texts.keys() & names.keys(), "a code means itself"


@pytest.mark.parametrize(
    ("table", "typed"),
    [
        *[("currencies", "美刀"), ("countries", "火星"), ("countries", "999"), ("units", "ZZZ"), ("units", "")],
        *[("package-kinds", "??"), ("transport-modes", ""), ("offices", "abcd"), ("currencies", "")],
    ],
)
def test_where_nothing_is_like_it_nothing_is_named(table: str, typed: str) -> None:
    """In an older version, neighbours in the order of the table were suggested: ZAR, ZMW and ZWG in place of a Chinese
    name, and 001 to 003 in place of an empty unit."""
    assert nearest(typed, TABLES[table].names) == ()


@pytest.mark.parametrize("typed", ["", "x" * 10_000, "０３５", "\U0001f6a2" * 20])
@pytest.mark.parametrize("table", TABLES)
def test_neighbours_are_named_where_nothing_is_near(table: str, typed: str) -> None:
    assert set(nearest(typed, TABLES[table].names)) <= set(TABLES[table].names)
