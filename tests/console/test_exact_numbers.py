"""Does a declared number keep all its digits, whether it is a number or a text in JSON?"""

from decimal import Decimal
from typing import Any

import orjson
import pytest

from schemas.declaration import Declaration
from schemas.quarantine import RecordTreatment
from services.console.api.bodies import FaultyBody, read, shaped, strict_json
from services.console.api.exact_numbers import exact
from services.console.api.papers import declared
from services.console.api.requests import BODIES
from tests.declaration.good import good_declaration

PAPER: dict[str, Any] = orjson.loads(good_declaration().model_dump_json())
SEPARATORS = 10_000


def written(field: str, number: str) -> bytes:
    return orjson.dumps({**PAPER, field: "@"}).replace(b'"@"', number.encode())


@pytest.mark.parametrize(
    "number",
    ["99999999999999.99", "12345678901234.12345", "10000000000000.01", "0.30000", "1.00000000000000000", "45.0e0"],
)
def test_a_number_keeps_all_its_digits(number: str) -> None:
    """In an older version, a number was read as a floating-point number, so one with 16 digits lost its last decimal
    places without an error."""
    data = written("gross_mass_kg", number)
    read_paper = read(data, Declaration, SEPARATORS)
    assert (
        read_paper.gross_mass_kg
        == Decimal(number)
        == read(written("gross_mass_kg", f'"{number}"'), Declaration, SEPARATORS).gross_mass_kg
    )


def test_a_number_with_too_many_digits_is_refused_and_not_rounded() -> None:
    """99999999999999.99999 has five decimal places. Read as a floating-point number, it became 100000000000000, so an
    older version accepted it as an amount."""
    data = written("invoice_total", "99999999999999.99999")
    refused = declared(data, strict_json(data, SEPARATORS))
    assert isinstance(refused, FaultyBody)
    [fault] = refused.faults
    assert (fault.pointer, fault.code, fault.seen) == (
        "/invoice_total",
        "decimal_max_places",
        "99999999999999.99999",
    )


def test_so_it_is_with_every_body() -> None:
    body = shaped(BODIES[RecordTreatment], b'{"dose_g_m3":48.0000000000000001}', {})
    assert isinstance(body, FaultyBody)
    [dose] = [fault for fault in body.faults if fault.pointer == "/dose_g_m3"]
    assert dose.seen == "48.0000000000000001"


def test_what_has_no_such_number_stays_as_it_is() -> None:
    for body in (
        b'{"a": 12345678901234567890, "b": "1234567890123456.78", "c": 1.5}',
        b'{"a": "\\ud800", "b": 1234567890123.4567}',
        '{"a": 1234567890123.4567}'.encode("utf-16"),
    ):
        assert exact(body) == body
    assert exact(b'{"n": [1.5, 1234567890123.4567, 1e5]}') == b'{"n":[1.5,"1234567890123.4567",1e5]}'
