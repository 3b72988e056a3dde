"""Is the price of goods checked even if a line has no mass of its own?"""

from decimal import Decimal
from typing import Any

import pytest

from schemas.vocabulary import CreditGrade
from services.risk.rules import Goods, fired
from tests.declaration.good import good_declaration, good_item

BARE: dict[str, Any] = {"net_mass_kg": Decimal(0), "first_quantity": Decimal(10), "first_unit": "001"}


def evidence(total: int, **changes: Any) -> list[tuple[str, str]]:
    item = good_item(**BARE | {"unit_price": Decimal(total) / 10, "total_price": Decimal(total)} | changes)
    declaration = good_declaration(items=(item,), invoice_total=Decimal(total))
    return [(rule.rule, rule.seen) for rule in fired(Goods(declaration, CreditGrade.REGULAR))]


@pytest.mark.parametrize(("total", "fires"), [(5_000, False), (400_010, True), (1, False), (0, False)])
def test_it_is_judged_by_the_mass_of_the_whole_paper(total: int, fires: bool) -> None:
    assert (("odd_price_per_kg", "all lines: about 10000.250 USD per kg") in evidence(total)) is fires


def test_cheap_goods_without_a_mass_are_read_too() -> None:
    cheap = good_item(**BARE | {"unit_price": Decimal("0.05"), "total_price": Decimal("0.5")})
    declaration = good_declaration(items=(cheap,), invoice_total=Decimal("0.5"))
    assert [rule.rule for rule in fired(Goods(declaration, CreditGrade.REGULAR))] == ["odd_price_per_kg"]


def test_the_price_of_electricity_says_nothing_by_the_kilogram() -> None:
    assert evidence(1_000_000, hs_code="2716000000", unit="062") == []
