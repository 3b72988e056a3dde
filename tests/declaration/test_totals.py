"""Is a total accepted if rounding to the four decimals of the form explains the difference, accepted with a warning if
coarser rounding explains a difference of at most a hundredth of the total, and otherwise rejected?"""

from decimal import Decimal

import pytest

from schemas.codes.currencies import CURRENCIES
from schemas.codes.minor_units import TEN_THOUSANDTHS, THOUSANDTHS, WHOLE, minor_unit
from schemas.papers import checks
from schemas.vocabulary import Severity
from tests.declaration.good import good_declaration, good_item
from tests.voice import NOON


def said_of(quantity: str, price: str, total: str, currency: str = "USD", invoice: str = "") -> list[tuple[str, str]]:
    """Severity and code of each finding about a declaration of one line with these numbers. Without `invoice`, the
    invoice total is `total`."""
    item = good_item(
        quantity=Decimal(quantity), unit="030", unit_price=Decimal(price), total_price=Decimal(total), currency=currency
    )
    paper = good_declaration(
        items=(item,), currency=currency, invoice_total=Decimal(invoice or total), net_mass_kg=item.net_mass_kg
    )
    return [(f.severity.value, f.code) for f in checks.findings(paper, NOON.date())]


ERROR, WARNING = Severity.ERROR.value, Severity.WARNING.value


@pytest.mark.parametrize(
    ("quantity", "price", "total"),
    [
        # In each row, the total differs from quantity times price by at most 0.00005 times the quantity, plus half a
        # cent.
        ("1000000", "0.0012", "1234.50"),  # 1234.50 / 1,000,000 is 0.0012, rounded to four places
        ("3", "3.3333", "10.00"),
        ("7", "0.1429", "1"),
        ("1", "0.004", "0"),
        ("20.19", "247.6474", "5000.00"),
        ("0.5", "3", "1.50"),
    ],
)
def test_a_total_within_four_places_of_the_price_is_right(quantity: str, price: str, total: str) -> None:
    assert said_of(quantity, price, total) == []


# In each row, the total is not what rounding the price to four decimals explains, but what rounding it to the decimals
# that are written explains: for the price 1.67 and the quantity 3000, the total may differ by 3000 times 0.005, and by
# 0.005 for its own rounding. It also differs by no more than 1 %. The price 1.670 is read as 1.67.
@pytest.mark.parametrize(
    ("quantity", "price", "total"),
    [("3000", "1.67", "5000"), ("300", "1.670", "500"), ("1000", "50", "50400"), ("12", "8.3", "100")],
)
def test_a_total_within_the_places_in_which_the_price_is_written_is_a_finding(
    quantity: str, price: str, total: str
) -> None:
    assert said_of(quantity, price, total) == [(WARNING, "line_total_rounded")]


@pytest.mark.parametrize(
    ("quantity", "price", "total"),
    [
        # A total is an error if its difference from quantity times price exceeds one of two limits: what rounding
        # explains (half of the last written place of the price, times the quantity, plus half a cent), or a hundredth
        # of the total. In these rows only the limit of rounding is exceeded.
        ("1", "100000000", "99100000"),  # the difference is 900,000; rounding explains 0.505
        ("1", "100000000.0000", "99100000"),  # the same numbers: zeros at the end of the decimals do not count
        ("100", "1000000", "99100000"),  # 900,000; rounding explains 50.005
        ("10", "500", "5045"),  # 45; rounding explains 5.005
        ("3000", "1.6701", "5020"),  # 9.70; rounding explains 0.155
        # In these rows only the limit of a hundredth of the total is exceeded.
        ("1000", "1.6", "1620"),  # 20; a hundredth is 16.20, rounding explains 50.005
        ("1000", "0", "4"),  # 4; a hundredth is 0.04, rounding explains 500.005
        # In this row both limits are exceeded.
        ("10000000", "0.0012", "12600"),  # 600; a hundredth is 126, rounding explains 500.005
    ],
)
def test_another_total_is_an_error(quantity: str, price: str, total: str) -> None:
    assert (ERROR, "line_total_differs") in said_of(quantity, price, total)


@pytest.mark.parametrize(
    ("invoice", "found"),
    [
        ("5000", []),
        ("5000.01", [(ERROR, "invoice_total_differs")]),
        ("5000.4", [(ERROR, "invoice_total_differs")]),
        ("4999", [(ERROR, "invoice_total_differs")]),
        ("5050", [(ERROR, "invoice_total_differs")]),
    ],
)
def test_the_lines_add_up_to_the_invoice(invoice: str, found: list[tuple[str, str]]) -> None:
    assert said_of("10", "500", "5000", invoice=invoice) == found


def test_an_invoice_in_whole_units_of_lines_with_cents_is_a_finding() -> None:
    assert said_of("10", "499.97", "4999.70", invoice="5000") == [(WARNING, "invoice_total_rounded")]
    assert said_of("10", "499.4", "4994", invoice="5000") == [(ERROR, "invoice_total_differs")]


def test_the_smallest_amount_of_a_currency_is_that_of_iso_4217() -> None:
    assert [str(minor_unit(each)) for each in ("USD", "CNY", "JPY", "KRW", "KWD", "CLF", "")] == [
        "0.01",
        "0.01",
        "1",
        "1",
        "0.001",
        "0.0001",
        "0.01",
    ]
    assert WHOLE - {"UYI"} | THOUSANDTHS <= CURRENCIES and not WHOLE & (THOUSANDTHS | TEN_THOUSANDTHS)


@pytest.mark.parametrize(
    ("currency", "total", "fine"),
    [
        ("JPY", "5000", True),
        ("JPY", "5000.5", False),
        ("KWD", "5000.125", True),
        ("KWD", "5000.1250", True),
        ("USD", "5000.12", True),
        ("USD", "5000.125", False),
        ("KRW", "5000.0000", True),
        ("KRW", "0.1", False),
    ],
)
def test_an_amount_has_no_more_decimals_than_its_currency(currency: str, total: str, fine: bool) -> None:
    found = said_of("1", total, total, currency)
    assert found == ([] if fine else [(ERROR, "amount_too_fine")] * 2)


def test_a_yen_is_not_split_by_rounding() -> None:
    assert said_of("3", "33.3333", "100", "JPY") == []
    assert said_of("1", "100.4", "100", "JPY") == [], "the price of one may have decimals, its total not"
    assert said_of("1", "100.4", "101", "JPY") == [(ERROR, "line_total_differs")]
