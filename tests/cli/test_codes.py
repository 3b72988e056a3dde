"""Does `dtg codes` list the tables, and say whether a text is a code of a table?"""

import json

import pytest
from typer.testing import CliRunner, Result

from schemas.codes.tables import tables
from services.cli.main import app
from tests.voice import NOON


def typed(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["codes", *arguments], env={"COLUMNS": "300"})


def test_all_tables_are_listed_with_count_day_and_source() -> None:
    done = typed()
    assert done.exit_code == 0
    for name, table in tables(NOON.date()).items():
        assert name in done.output and f"{len(table.names):,}" in done.output and str(table.as_of) in done.output
    about = json.loads(typed("--json").output)["tables"]
    assert about["hs"]["codes"] == 5612 and "PDDL" in about["hs"]["licence"] and about["offices"]["lacks"]


@pytest.mark.parametrize("name", ["units", "countries", "currencies", "offices", "trade-modes"])
def test_a_table_is_listed_with_a_name_for_each_code(name: str) -> None:
    listed = json.loads(typed(name, "--json").output)["names"]
    assert list(listed) == list(tables(NOON.date())[name].names)
    assert [code for code, names in listed.items() if not names] == []
    done = typed(name)
    assert done.exit_code == 0 and "Source" in done.output


def test_codes_are_looked_up_and_the_nearest_ones_named() -> None:
    done = typed("units", "035", "015")
    assert (done.exit_code, done.output) == (0, "035 千克 kilogram\n015 条 strip\n")
    wrong = typed("units", "035", "35")
    assert wrong.exit_code == 1 and "035 千克 kilogram" in wrong.output.splitlines()[1]
    (answer,) = json.loads(typed("countries", "kr", "--json").output)["codes"]
    assert (answer["known"], answer["nearest"][0]) == (False, "KR")
    assert "867 of the 1,006 offices" in typed("offices", "5304").output
    assert "韩国 South Korea" in typed("countries", "KOR").output


def test_of_a_tariff_code_the_first_six_digits_are_looked_up_as_the_desk_does() -> None:
    done = typed("hs", "8471300000")
    assert done.exit_code == 0 and done.output.startswith("8471300000 Automatic data processing machines")
    (answer,) = json.loads(typed("hs", "8471310000", "--json").output)["codes"]
    assert (answer["code"], answer["known"], answer["nearest"][0]) == ("8471310000", False, "847130")
    assert typed("hs", "84713000000").exit_code == 1


def test_there_is_no_other_table() -> None:
    done = typed("ports")
    assert done.exit_code == 1 and "units" in done.stderr
