"""Which elements does the customs form have for a line of goods, beside the fields of `Item`? They are kept as the
declarant wrote them.

Their names follow the element `DecList`, a line of goods in a message of the Single Window (GACC 2018 No. 67; format
V4.0, 2018 No. 185). `schemas.single_window` says which element is which field. An empty field is left out of the JSON,
so a declaration without these elements has the same JSON as before these fields were added.
"""

from operator import not_
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from schemas.bounds import PRINTABLE, WhenMade
from schemas.envelope import Message
from schemas.marks import TO_DECLARANT, SeenBy

UNWRITTEN = Field(exclude_if=not_)
"""A text field that is left out of the JSON if it is empty."""
Text1 = Annotated[str, StringConstraints(max_length=1), WhenMade(pattern=PRINTABLE), UNWRITTEN]
Text3 = Annotated[str, StringConstraints(max_length=3), WhenMade(pattern=PRINTABLE), UNWRITTEN]
Text9 = Annotated[str, StringConstraints(max_length=9), WhenMade(pattern=PRINTABLE), UNWRITTEN]
Text20 = Annotated[str, StringConstraints(max_length=20), WhenMade(pattern=PRINTABLE), UNWRITTEN]
Text50 = Annotated[str, StringConstraints(max_length=50), WhenMade(pattern=PRINTABLE), UNWRITTEN]
Text100 = Annotated[str, StringConstraints(max_length=100), WhenMade(pattern=PRINTABLE), UNWRITTEN]
Text255 = Annotated[str, StringConstraints(max_length=255), WhenMade(pattern=PRINTABLE), UNWRITTEN]
Text400 = Annotated[str, StringConstraints(max_length=400), WhenMade(pattern=PRINTABLE), UNWRITTEN]


class FormLine(Message):
    """The elements of a line of the form that are no fields of `Item`. They are kept as the declarant wrote them.

    Only `destination_country` is checked, against the table of countries.
    """

    fields_seen_by: ClassVar[SeenBy | None] = TO_DECLARANT
    contract_item: Text9 = ""
    class_mark: Text1 = ""
    model: Text255 = ""
    english_name: Text255 = ""
    ciq_code: Text3 = ""
    ciq_name: Text50 = ""
    destination_country: Text3 = ""
    origin_place: Text9 = ""
    duty_mode: Text1 = ""
    district: Text9 = ""
    destination_place: Text9 = ""
    use_to: Text20 = ""
    product_no: Text50 = ""
    product_version: Text9 = ""
    processing_fee: Text20 = ""
    factor: Text20 = ""
    purpose: Text9 = ""
    attributes: Text50 = ""
    ingredients: Text400 = ""
    specification: Text255 = ""
    goods_model: Text255 = ""
    brand: Text255 = ""
    valid_until: Text20 = ""
    shelf_life: Text50 = ""
    produced: Text255 = ""
    batch_no: Text255 = ""
    un_no: Text20 = ""
    dangerous_name: Text100 = ""
    dangerous_package: Text9 = ""
    dangerous_package_spec: Text50 = ""
    not_dangerous: Text1 = ""
    foreign_maker: Text255 = ""
    maker_no: Text20 = ""
    maker_name: Text255 = ""
