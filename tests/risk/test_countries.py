"""Do the rules treat the two-letter and the three-letter code of a country as the same country, and what do they do
with an unknown code?"""

import pytest

from schemas.declaration import Declaration
from schemas.vocabulary import CreditGrade
from services.risk.rules import Goods, fired
from tests.declaration.good import good_declaration, good_item


def rules(**changes: object) -> list[str]:
    declaration: Declaration = good_declaration(**changes)
    return [rule.rule for rule in fired(Goods(declaration, CreditGrade.REGULAR))]


@pytest.mark.parametrize("country", ["KR", "KOR"])
def test_wood_from_a_country_with_the_nematode_is_looked_at(country: str) -> None:
    items = (good_item(origin_country="DE"),) * 2
    assert rules(departure_country=country, wood_packaging=True, items=items) == ["wood_packaging"]
    assert rules(departure_country="DEU", wood_packaging=True, items=(good_item(origin_country=country),)) == [
        "wood_packaging"
    ]


@pytest.mark.parametrize(
    ("origin", "fires"), [("ZZZ", True), ("ZAS", True), ("DE", False), ("DEU", False), ("ZUN", False)]
)
def test_wood_that_may_come_from_anywhere_is_looked_at(origin: str, fires: bool) -> None:
    fired_rules = rules(departure_country="DE", wood_packaging=True, items=(good_item(origin_country=origin),))
    assert ("wood_packaging" in fired_rules) is fires


@pytest.mark.parametrize(
    ("departure", "fires"), [("ZZZ", True), ("ZNA", True), ("DE", False), ("DEU", False), ("ZUN", False)]
)
def test_wood_that_may_have_departed_from_anywhere_is_looked_at(departure: str, fires: bool) -> None:
    items = (good_item(origin_country="DE"),) * 2
    assert ("wood_packaging" in rules(departure_country=departure, wood_packaging=True, items=items)) is fires


@pytest.mark.parametrize(("origin", "fires"), [("VN", False), ("VNM", False), ("TH", True), ("THA", True)])
def test_clothing_that_did_not_depart_from_its_origin_is_read(origin: str, fires: bool) -> None:
    item = good_item(hs_code="6109100000", origin_country=origin)
    assert rules(departure_country="VN", items=(item,)) == (["detoured_clothing"] if fires else [])
