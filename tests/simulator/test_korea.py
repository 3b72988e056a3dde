"""Does every row of the Korean data set become a declaration, and does a sentence say what is wrong with a broken
file?"""

import os
from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from schemas.codes.uscc import is_valid
from schemas.codes.ways import SANDBOX
from schemas.papers.checks import findings
from schemas.vocabulary import Severity
from services.simulator.korea import NotKorea, credit_code, read
from tests.voice import NOON

HEADER = (
    "Declaration ID,Date,Office ID,Process Type,Import Type,Import Use,Payment Type,Mode of Transport,Declarant ID,"
    "Importer ID,Seller ID,Courier ID,HS6 Code,Country of Departure,Country of Origin,Tax Rate,Tax Type,"
    "Country of Origin Indicator,Net Mass,Item Price,Fraud,Critical Fraud"
)
EXCERPT = (
    "1,2021-01-01,40,B,11,11,11,40,AAA,BBB,,,847130,CN,CN,0.0,A,E,12.5,860125.20000000001,0,0",
    "2,2021-01-02,154,B,11,21,11,10,AAA,CCC,,COU,440711,US,CA,0.0,A,E,0.0,100.0,1,2",
    "3,2021-01-03,7,B,11,21,11,90,DDD,BBB,,,650500,VN,ZZ,0.0,A,E,3.0,0.0,0,0",
)
"""Rows written by hand in the format of the source: a correct one, one without mass, one without a country."""


def sources(environment: Mapping[str, str]) -> list[Path]:
    """Returns the file with the real data, if DTG_DATA names the folder with it. Otherwise returns an empty list, and the
    tests have only the rows above."""
    folder = environment.get("DTG_DATA")
    return [Path(folder, "customs-declarations", "declarations_2021q1.csv")] if folder else []


SOURCES = sources(os.environ)
ITS_DAY, TODAY = date(2021, 3, 31), NOON.date()
"""The last day of the data in the source, and the present day of the tests. Declarations that are lodged today are
checked with today's HS."""
WRONG = {"mass_not_positive": 55, "country_unknown": 12}
SUPERSEDED = {"hs_code_unknown": 349}
"""Code of a finding → how many findings are about codes of HS 2017 that HS 2022 split or gave to other goods."""
REAL = [
    row
    for source in SOURCES
    for row in ((source, 8134, 67, ITS_DAY, WRONG), (source, 8134, 407, TODAY, WRONG | SUPERSEDED))
]


def excerpt(folder: Path, *rows: str) -> Path:
    path = folder / "korea.csv"
    path.write_text("\n".join((HEADER, *rows)) + "\n")
    return path


@pytest.mark.parametrize(
    ("source", "count", "rejected", "day", "wrong"),
    [(None, 3, 2, TODAY, {"mass_not_positive": 1, "country_unknown": 1}), *REAL],
)
def test_every_row_becomes_a_declaration_and_only_what_is_wrong_in_it_is_rejected(
    source: Path | None, count: int, rejected: int, day: date, wrong: dict[str, int], tmp_path: Path
) -> None:
    declarations = list(read(source or excerpt(tmp_path, *EXCERPT)))
    causes = [{f.code for f in findings(each, day) if f.severity is Severity.ERROR} for each in declarations]
    assert len(declarations) == count == len({d.reference for d in declarations})
    assert Counter(code for found in causes for code in found) == wrong
    assert sum(map(bool, causes)) == rejected <= 450


def test_real_data_are_read_only_from_the_folder_that_dtg_data_names() -> None:
    assert sources({}) == sources({"DTG_DATA": ""}) == []
    assert [path.parents[1] for path in sources({"DTG_DATA": "/data"})] == [Path("/data")]


def test_the_columns_mean_what_the_table_says(tmp_path: Path) -> None:
    first, second, _ = read(excerpt(tmp_path, *EXCERPT))
    assert (first.reference, first.customs_office, first.transport_mode) == ("KR-1", "9040", "5")
    assert (second.customs_office, second.transport_mode, second.conveyance) == ("9154", "2", "COU")
    assert (first.conveyance, first.packages, first.destination_country) == ("no name", 1, SANDBOX)
    assert str(first.invoice_total) == "860125" and first.declarant == second.declarant != first.consignee


def test_the_same_id_is_the_same_firm_with_a_right_code() -> None:
    assert credit_code("AAA") == credit_code("AAA") != credit_code("AAB")
    assert all(is_valid(credit_code(str(number))) for number in range(200))


BROKEN = [
    ("columns are missing", "reference,price\n1,2\n"),
    ("line 2", HEADER + "\n1,2021\n"),
    ("line 3: Net Mass: 'heavy'", "\n".join((HEADER, EXCERPT[0], EXCERPT[0].replace("12.5", "heavy"))) + "\n"),
    ("Item Price: 'NaN'", HEADER + "\n" + EXCERPT[0].replace("860125.20000000001", "NaN") + "\n"),
    ("Office ID", HEADER + "\n" + EXCERPT[0].replace("01,40,", "01,Seoul,") + "\n"),
]


@pytest.mark.parametrize(("sentence", "text"), BROKEN)
def test_a_file_that_is_something_else_gets_a_sentence_with_its_line(sentence: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.csv"
    path.write_text(text)
    with pytest.raises(NotKorea, match=sentence.partition(":")[0]) as problem:
        list(read(path))
    assert sentence in str(problem.value)
