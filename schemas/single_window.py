"""How does a line of goods of the Single Window's message become one of ours, and back, so that nothing is lost?

`DecList` of a `DecMessage` (GACC 2018 No. 67, names of V4.0). It has no net mass of the line. If one of the two legal units is a
mass, the net mass is the legal quantity in kilograms, else the line has none. No service calls this module. It is for programs
that have lines of the form, and its test proves that `Item` has a field for each element.
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from schemas.codes.units import KILOGRAMS
from schemas.declaration import Item
from schemas.form import FormLine

OF_THE_ITEM: Final[Mapping[str, str]] = MappingProxyType(
    {
        "CodeTS": "hs_code",
        "GName": "description",
        "OriginCountry": "origin_country",
        "GQty": "quantity",
        "GUnit": "unit",
        "DeclPrice": "unit_price",
        "DeclTotal": "total_price",
        "TradeCurr": "currency",
        "FirstQty": "first_quantity",
        "FirstUnit": "first_unit",
        "SecondQty": "second_quantity",
        "SecondUnit": "second_unit",
    }
)
"""Elements that are fields of `Item`."""
OF_THE_FORM: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ContrItem": "contract_item",
        "ClassMark": "class_mark",
        "GModel": "model",
        "DeclGoodsEname": "english_name",
        "CiqCode": "ciq_code",
        "CiqName": "ciq_name",
        "DestinationCountry": "destination_country",
        "OrigPlaceCode": "origin_place",
        "DutyMode": "duty_mode",
        "DistrictCode": "district",
        "DestCode": "destination_place",
        "UseTo": "use_to",
        "ExgNo": "product_no",
        "ExgVersion": "product_version",
        "WorkUsd": "processing_fee",
        "Factor": "factor",
        "Purpose": "purpose",
        "GoodsAttr": "attributes",
        "Stuff": "ingredients",
        "GoodsSpec": "specification",
        "GoodsModel": "goods_model",
        "GoodsBrand": "brand",
        "ProdValidDt": "valid_until",
        "ProdQgp": "shelf_life",
        "ProduceDate": "produced",
        "ProdBatchNo": "batch_no",
        "Uncode": "un_no",
        "DangName": "dangerous_name",
        "DangPackType": "dangerous_package",
        "DangPackSpec": "dangerous_package_spec",
        "NoDangFlag": "not_dangerous",
        "EngManEntCnm": "foreign_maker",
        "MnufctrRegNo": "maker_no",
        "MnufctrRegName": "maker_name",
    }
)
"""Elements that are fields of `FormLine`."""
NUMBER: Final = "GNo"
"""The number of the line: its place in `items`, from 1."""


class UnknownElement(ValueError):
    """An element of the line does not exist in the form; the text names it."""


def item_of(line: Mapping[str, str]) -> Item:
    """The line whose elements have these texts; an empty text is an element that is not there.

    UnknownElement if an element would be lost, pydantic's ValidationError if a field does not take a text.
    """
    unknown = line.keys() - OF_THE_ITEM.keys() - OF_THE_FORM.keys() - {NUMBER}
    if unknown:
        raise UnknownElement(f"{', '.join(sorted(unknown))}: no element of DecList. 不是表体字段")
    fields: dict[str, Any] = {OF_THE_ITEM[name]: text for name, text in line.items() if name in OF_THE_ITEM and text}
    rest = {OF_THE_FORM[name]: text for name, text in line.items() if name in OF_THE_FORM and text}
    item = Item.model_validate({**fields, "net_mass_kg": Decimal(0), "form": rest or None})
    return item.model_copy(update={"net_mass_kg": legal_mass(item) or Decimal(0)})


def legal_mass(item: Item) -> Decimal | None:
    """Kilograms, by the legal quantities; None if neither legal unit is a mass."""
    for quantity, unit in ((item.first_quantity, item.first_unit), (item.second_quantity, item.second_unit)):
        if quantity is not None and unit in KILOGRAMS:
            return (quantity * KILOGRAMS[unit]).quantize(Decimal("0.00001"))
    return None


def elements_of(item: Item, number: int) -> dict[str, str]:
    """The elements of this line, the `number`-th from 1, with their texts; those that are empty are left out."""
    form = item.form or FormLine()
    texts = {name: getattr(item, field) for name, field in OF_THE_ITEM.items()}
    texts |= {name: getattr(form, field) for name, field in OF_THE_FORM.items()}
    return {NUMBER: str(number)} | {
        name: format(text, "f") if isinstance(text, Decimal) else text
        for name, text in texts.items()
        if text not in ("", None)
    }
