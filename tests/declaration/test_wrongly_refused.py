"""Are the texts of real declarants accepted: long bills, foreign parties, lines without a mass, other spellings of a
number?"""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.codes import uscc
from schemas.declaration import Declaration, DeclarationAccepted, DeclarationRepeated, Item
from schemas.papers import checks
from schemas.risk import ConsignmentAssessed
from schemas.vocabulary import Direction
from services.declaration import decider
from services.risk.decider import RiskDecider
from services.risk.keys import PUBLISHED
from services.risk.rules import Goods, credit_grade, fired
from tests.declaration.good import DECLARANT, good_declaration, good_item, lodge
from tests.voice import NOON, Story, story

TODAY = NOON.date()
EXPORT = {"direction": Direction.EXPORT, "destination_country": "DE", "departure_country": ""}


def faults(**changes: Any) -> list[tuple[str, str]]:
    return [(each.pointer, each.code) for each in checks.findings(good_declaration(**changes), TODAY)]


# bill numbers


def test_a_bill_has_up_to_35_signs() -> None:
    bill = "999-12345675_" + "H" * 22
    assert len(bill) == 35
    accepted = story(decider, lodge(transport_mode="5", containers=(), bill_no=bill)).facts[0]
    assert isinstance(accepted, DeclarationAccepted) and accepted.declaration.bill_no == bill
    (assessed,) = story(RiskDecider(PUBLISHED), accepted).facts
    assert isinstance(assessed, ConsignmentAssessed) and assessed.bill_no == bill
    with pytest.raises(ValidationError):
        good_declaration(bill_no=bill + "H")


# repeated declarations


def test_a_number_written_otherwise_is_the_same_paper() -> None:
    for written in ("45", "45.0", "45.00000", "4.5E+1"):
        desk = story(decider, lodge(gross_mass_kg=Decimal(45)))
        declared = desk.when(lodge(gross_mass_kg=Decimal(written))).answer[0]
        assert isinstance(declared, DeclarationRepeated), written
    line = good_item(quantity=Decimal("10.00"), total_price=Decimal("5000.0000"))
    desk = story(decider, lodge()).when(lodge(items=(line, good_item())))
    assert isinstance(desk.answer[0], DeclarationRepeated)


def test_text_that_looks_like_a_number_is_not_the_same_when_it_differs() -> None:
    for name, one, other in (
        ("goods_place", "45", "45.0"),
        ("bill_no", "7.0", "7"),
        ("conveyance", '"quantity":"1.0"', '"quantity":"1"'),
    ):
        desk = story(decider, lodge(**{name: one})).when(lodge(**{name: other}))
        desk.then_refused("reference_used")


def test_a_paper_that_the_software_version_before_remembered_is_known_again() -> None:
    before = story(decider, lodge(gross_mass_kg=Decimal("45.0"))).state
    kept = replace(before, paper=decider.paper_as_written(good_declaration(gross_mass_kg=Decimal("45.0"))))
    again = Story(decider, kept, count=2).when(lodge(gross_mass_kg=Decimal("45.0"))).answer[0]
    assert isinstance(again, DeclarationRepeated)


# foreign parties


@pytest.mark.parametrize(
    "name",
    [
        *["ACME GMBH", "Müller & Söhne KG", "株式会社 山田", "A" * 100],
        # companies whose name is a number (Canada), and names with the number of a register or a telephone
        *["12345678 CANADA INC.", "ABC 12345678 LTD", "株式会社12345678", "Hansen CVR 12345678"],
    ],
)
def test_an_export_may_go_to_a_foreign_party_by_name(name: str) -> None:
    assert faults(**EXPORT, consignee=name) == []


@pytest.mark.parametrize(
    "name",
    [
        *[
            "",
            " ",
            "91350100M000100Y4I",
            "91350100m000100y43",
            "12345",
            "9135 0100 M000 100Y 43 1",
            "91350100-M000100Y4-31",
        ],
        *["９１３５０１００Ｍ０００１００Ｙ４３", "DE123456789"],
    ],
)
def test_what_is_no_name_is_a_code_that_must_check(name: str) -> None:
    assert faults(**EXPORT, consignee=name) == [("/consignee", "consignee_invalid")]


@pytest.mark.parametrize("name", [" ACME GMBH", "ACME GMBH\u3000", "\u00a0ACME GMBH "])
def test_a_party_has_no_blanks_at_its_edges_and_one_form(name: str) -> None:
    """In an older version, the finding was that the unified social credit code is not valid. Nobody understands such a
    finding about the name of a foreign party."""
    assert faults(**EXPORT, consignee=name) == []
    assert good_declaration(**EXPORT, consignee=name).consignee == "ACME GMBH"
    assert good_declaration(consignee="Mu\u0308ller").consignee == "M\u00fcller"
    assert faults(consignee=f"{DECLARANT} ") == []


def test_an_import_is_for_a_domestic_party() -> None:
    assert faults(consignee="ACME GMBH") == [("/consignee", "consignee_invalid")]


def test_goods_for_a_foreign_party_have_the_grade_of_who_declares_them() -> None:
    accepted = story(decider, lodge(**EXPORT, consignee="ACME GMBH")).facts[0]
    assert isinstance(accepted, DeclarationAccepted)
    (assessed,) = story(RiskDecider(PUBLISHED), accepted).facts
    assert isinstance(assessed, ConsignmentAssessed) and assessed.credit_grade is credit_grade(DECLARANT)
    assert uscc.is_valid(DECLARANT)


# lines without a mass


def power(**changes: Any) -> Item:
    return good_item(hs_code="2716000000", unit="062", quantity=Decimal(10_000), net_mass_kg=Decimal(0), **changes)


def test_electricity_has_no_mass() -> None:
    item = power(unit_price=Decimal("0.5"))
    head = {
        "gross_mass_kg": Decimal(1),
        "net_mass_kg": Decimal(1),
        "containers": (),
        "transport_mode": "G",
        "bill_no": "",
    }
    assert faults(**head, items=(item,), invoice_total=Decimal(5000)) == []


def test_other_goods_have_one_and_no_mass_is_negative() -> None:
    assert ("/items/1/net_mass_kg", "mass_not_positive") in faults(
        items=(good_item(), good_item(net_mass_kg=Decimal(0)))
    )
    below = power(unit_price=Decimal("0.5")).model_copy(update={"net_mass_kg": Decimal(-1)})
    assert ("/items/1/net_mass_kg", "mass_not_positive") in faults(items=(good_item(), below))
    assert ("/net_mass_kg", "mass_not_positive") in faults(net_mass_kg=Decimal(0))


# currencies


def rules(declaration: Declaration) -> list[str]:
    return [rule.rule for rule in fired(Goods(declaration, credit_grade(DECLARANT)))]


@pytest.mark.parametrize(
    ("currency", "expected"), [("USD", []), ("EUR", []), ("VND", ["no_yardstick"]), ("XCG", ["no_yardstick"])]
)
def test_a_price_without_a_yardstick_is_read_and_not_taken_for_dollars(currency: str, expected: list[str]) -> None:
    assert rules(good_declaration(currency=currency, items=(good_item(currency=currency),) * 2)) == expected
    dear = good_item(currency=currency, unit_price=Decimal(50_000), total_price=Decimal(500_000))
    found = rules(good_declaration(currency=currency, items=(dear,)))
    assert found == (expected or ["odd_price_per_kg"])


# bounds of the form


def test_the_bounds_of_the_form_are_told_beside_the_field() -> None:
    shape = Declaration.model_json_schema()
    for name, bound in (("description", "255"), ("containers", "200"), ("bill_no", "35"), ("consignee", "100")):
        field = (shape["properties"] | shape["$defs"]["Item"]["properties"])[name]
        assert bound in field["description"], name
