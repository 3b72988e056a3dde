"""Is a line of the Single Window's message converted to a line of a declaration and back without loss, and are the
legal quantities checked?"""

from decimal import Decimal
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from schemas.declaration import LINES_READ, MOST_LINES, Declaration, Item
from schemas.form import FormLine
from schemas.papers import checks
from schemas.single_window import NUMBER, OF_THE_FORM, OF_THE_ITEM, UnknownElement, elements_of, item_of
from services.declaration.decider import paper, paper_as_written
from tests.declaration.good import good_declaration, good_item
from tests.voice import NOON

TODAY = NOON.date()
ELEMENTS = [
    "ClassMark",
    "CodeTS",
    "ContrItem",
    "DeclPrice",
    "DeclTotal",
    "DutyMode",
    "ExgNo",
    "ExgVersion",
    "Factor",
    "FirstQty",
    "FirstUnit",
    "GModel",
    "GName",
    "GNo",
    "GQty",
    "GUnit",
    "OriginCountry",
    "SecondQty",
    "SecondUnit",
    "TradeCurr",
    "UseTo",
    "WorkUsd",
    "DestinationCountry",
    "CiqCode",
    "CiqName",
    "DeclGoodsEname",
    "OrigPlaceCode",
    "Purpose",
    "ProdValidDt",
    "ProdQgp",
    "GoodsAttr",
    "Stuff",
    "Uncode",
    "DangName",
    "DangPackType",
    "DangPackSpec",
    "EngManEntCnm",
    "NoDangFlag",
    "DestCode",
    "GoodsSpec",
    "GoodsModel",
    "GoodsBrand",
    "ProduceDate",
    "ProdBatchNo",
    "DistrictCode",
    "MnufctrRegNo",
    "MnufctrRegName",
]
"""The names of the elements of a DecList in version V4.0 of the message."""
WINE = {
    "GNo": "1",
    "CodeTS": "2204210000",
    "CiqCode": "103",
    "CiqName": "葡萄酒(其他小包装的鲜葡萄酿造的酒)",
    "GName": "干红葡萄酒",
    "GModel": "0|0|酿造|13.5%vol|2019|波尔多|750ml*12瓶/箱|CHATEAU EXEMPLE|无",
    "GQty": "1200",
    "GUnit": "142",
    "DeclPrice": "6.5",
    "DeclTotal": "7800",
    "TradeCurr": "EUR",
    "FirstQty": "900",
    "FirstUnit": "095",
    "SecondQty": "912.5",
    "SecondUnit": "035",
    "OriginCountry": "FRA",
    "OrigPlaceCode": "250000",
    "DestinationCountry": "CHN",
    "DutyMode": "1",
    "DistrictCode": "37029",
    "DestCode": "370211",
    "Purpose": "18",
    "GoodsAttr": "11,14,18",
    "Stuff": "葡萄汁 grape juice",
    "ProdBatchNo": "L19",
    "ProduceDate": "2020-05-01",
    "ProdQgp": "3650",
    "GoodsSpec": "葡萄汁;;3650;波尔多酒庄;750ml;;CHATEAU EXEMPLE;2020-05-01;L19",
    "EngManEntCnm": "CHATEAU EXEMPLE SA",
    "NoDangFlag": "1",
}


def test_every_element_of_the_line_has_its_field_and_every_field_its_element() -> None:
    assert {NUMBER, *OF_THE_ITEM, *OF_THE_FORM} == set(ELEMENTS)
    assert set(OF_THE_FORM.values()) == set(FormLine.model_fields)
    assert set(OF_THE_ITEM.values()) | {"net_mass_kg", "form"} == set(Item.model_fields)


def test_a_line_comes_back_as_it_was() -> None:
    item = item_of(WINE)
    assert elements_of(item, 1) == WINE
    assert (item.net_mass_kg, item.first_quantity, item.second_unit) == (Decimal("912.5"), Decimal(900), "035")
    again = Item.model_validate_json(item.model_dump_json())
    assert again == item and elements_of(again, 1) == WINE


def test_an_element_that_would_be_lost_is_refused() -> None:
    with pytest.raises(UnknownElement, match="GoodsColour"):
        item_of({**WINE, "GoodsColour": "red"})
    with pytest.raises(ValidationError):
        item_of({**WINE, "CiqCode": "1030"})


def test_such_a_line_is_accepted() -> None:
    head = {"currency": "EUR", "departure_country": "FRA", "destination_country": "CHN", "package_kind": "22"}
    mass = {"net_mass_kg": Decimal("912.5"), "gross_mass_kg": Decimal(1800)}
    quantities = good_declaration(items=(item_of(WINE),), invoice_total=Decimal(7800), **head, **mass)
    assert checks.findings(quantities, TODAY) == ()


def test_a_line_without_the_form_is_written_as_before() -> None:
    written = orjson.loads(good_item().model_dump_json())
    assert set(written) == {*OF_THE_ITEM.values(), "net_mass_kg"} - {
        "first_quantity",
        "first_unit",
        "second_quantity",
        "second_unit",
    }
    assert paper(good_declaration()) == paper_as_written(good_declaration()), (
        "and is the same paper to the software version before"
    )


def line(**changes: Any) -> list[tuple[str, str, str]]:
    quantities = good_declaration(items=(good_item(), good_item(**changes)))
    return [(f.pointer.removeprefix("/items/1"), f.code, f.severity.value) for f in checks.findings(quantities, TODAY)]


COMPLETE: dict[str, Any] = {
    "first_quantity": Decimal(10),
    "first_unit": "001",
    "second_quantity": Decimal(20),
    "second_unit": "035",
}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"second_quantity": None, "second_unit": ""}, []),
        ({"first_unit": "999"}, [("/first_unit", "unit_unknown", "error")]),
        ({"second_unit": "999"}, [("/second_unit", "unit_unknown", "error")]),
        ({"first_quantity": Decimal(0)}, [("/first_quantity", "quantity_not_positive", "error")]),
        ({"first_quantity": None}, [("/first_quantity", "legal_quantity_incomplete", "error")]),
        ({"second_unit": ""}, [("/second_unit", "legal_quantity_incomplete", "error")]),
        ({"first_quantity": None, "first_unit": ""}, [("/first_unit", "legal_quantity_incomplete", "error")]),
        ({"first_quantity": Decimal(11)}, [("/first_quantity", "legal_quantity_differs", "warning")]),
        ({"second_quantity": Decimal(30)}, [("/second_quantity", "legal_quantity_differs", "warning")]),
        ({"second_quantity": Decimal(20_100), "second_unit": "036"}, []),
        ({"form": FormLine(destination_country="XX")}, [("/form/destination_country", "country_unknown", "error")]),
    ],
)
def test_legal_quantities_are_complete_known_and_agree(
    changes: dict[str, Any], found: list[tuple[str, str, str]]
) -> None:
    assert line(**COMPLETE | changes) == found


def test_a_line_whose_legal_units_are_no_mass_needs_none() -> None:
    bare = {"net_mass_kg": Decimal(0), "first_quantity": Decimal(10), "first_unit": "001"}
    assert line(**bare) == [], "the sum of the lines says nothing of the head then"
    assert line(**bare | {"first_unit": "035", "first_quantity": Decimal(20)})[0][:2] == (
        "/net_mass_kg",
        "mass_not_positive",
    )
    assert line(net_mass_kg=Decimal(0))[0][:2] == ("/net_mass_kg", "mass_not_positive")


def test_more_lines_than_can_be_written_are_read_where_they_were_written_before() -> None:
    many = {
        **orjson.loads(good_declaration().model_dump_json()),
        "items": [orjson.loads(good_item().model_dump_json())] * LINES_READ,
    }
    with pytest.raises(ValidationError):
        Declaration.model_validate_json(orjson.dumps(many))
    assert len(Declaration.read_stored(orjson.dumps(many)).items) == LINES_READ
    good_declaration(items=(good_item(),) * MOST_LINES)
