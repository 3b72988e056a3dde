"""How does a line of goods in a message of the Single Window become an `Item`, and back, so that nothing is lost?

Such a line is a `DecList` of a `DecMessage` (GACC 2018 No. 67, names of V4.0). It has no element for the net mass. If one of its
two legal units is a mass, the net mass is the legal quantity in kilograms; otherwise the line has none. No service calls this
module. It is for programs that have lines of the form, and its test proves that `Item` has a field for each element.
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
"""Element → field of `Item`."""
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
"""Element → field of `FormLine`."""
NUMBER: Final = "GNo"
"""The element with the number of the line, which is its place in `items`, from 1."""


class UnknownElement(ValueError):
    """Raised for an element that does not exist in a line of the form. The text names it."""


def item_of(line: Mapping[str, str]) -> Item:
    """Returns the line of goods with these elements. `line`: name of each element → its text; an empty text counts as a missing
    element.

    Raises UnknownElement if `line` has an element that a `DecList` does not have, and pydantic's ValidationError if a
    field does not accept a text.
    """
    unknown = line.keys() - OF_THE_ITEM.keys() - OF_THE_FORM.keys() - {NUMBER}
    if unknown:
        raise UnknownElement(f"{', '.join(sorted(unknown))}: no element of DecList. 不是表体字段")
    fields: dict[str, Any] = {OF_THE_ITEM[name]: text for name, text in line.items() if name in OF_THE_ITEM and text}
    rest = {OF_THE_FORM[name]: text for name, text in line.items() if name in OF_THE_FORM and text}
    item = Item.model_validate({**fields, "net_mass_kg": Decimal(0), "form": rest or None})
    return item.model_copy(update={"net_mass_kg": legal_mass(item) or Decimal(0)})


def legal_mass(item: Item) -> Decimal | None:
    """Returns the mass of a line in kilograms, calculated from its legal quantities; None if neither legal unit is a mass."""
    for quantity, unit in ((item.first_quantity, item.first_unit), (item.second_quantity, item.second_unit)):
        if quantity is not None and unit in KILOGRAMS:
            return (quantity * KILOGRAMS[unit]).quantize(Decimal("0.00001"))
    return None


def elements_of(item: Item, number: int) -> dict[str, str]:
    """Returns the elements of this line: name → text. Empty elements are left out. `number`: the place of the line in its
    declaration, from 1."""
    form = item.form or FormLine()
    texts = {name: getattr(item, field) for name, field in OF_THE_ITEM.items()}
    texts |= {name: getattr(form, field) for name, field in OF_THE_FORM.items()}
    return {NUMBER: str(number)} | {
        name: format(text, "f") if isinstance(text, Decimal) else text
        for name, text in texts.items()
        if text not in ("", None)
    }
