"""Which goods do the browser tests lodge? They lodge goods whose controls are known before the risk desk assesses
them."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

from schemas.codes.iso6346 import check_digit
from schemas.codes.uscc import with_check_signs
from schemas.declaration import Declaration
from schemas.vocabulary import CreditGrade, consignment_id
from services.console.pages.rendering import FOLDER
from services.risk.draw import draw, drawn_goods
from services.risk.keys import PUBLISHED
from services.risk.rules import RATES, credit_grade
from tests.voice import NOON

_numbers: Iterator[int] = count(1)
GREEN = {"hs_code": "8471300000", "description": "portable computers", "unit": "001"}


def paper(*, red: bool = False) -> dict[str, Any]:
    """A new declaration of a new company, with goods in a new container that are not drawn for inspection. If `red`,
    the goods are pine, which is always inspected; otherwise they are computers, which get no control."""
    example: dict[str, Any] = json.loads((FOLDER / "example.json").read_text(encoding="utf-8"))
    for number in _numbers:
        firm = with_check_signs("91370200", f"MA9{number:05}")
        box = f"TSTU{number:06}"
        name = f"B-{number}"
        declaration = {
            **example,
            "reference": name,
            "declarant": firm,
            "consignee": firm,
            "bill_no": f"BILL{number:06}",
        }
        declaration["containers"] = [{"container_no": box + check_digit(box), "seal_no": "CN88213"}]
        if credit_grade(firm) is not CreditGrade.REGULAR or _is_drawn(declaration):
            continue
        if not red:
            declaration["items"] = [{**example["items"][0], **GREEN}]
        return declaration
    raise AssertionError("numbers do not end")


def _is_drawn(declaration: dict[str, Any]) -> bool:
    goods = drawn_goods(Declaration.model_validate(declaration), NOON.date())
    return draw(PUBLISHED.keys[0], goods, RATES[CreditGrade.REGULAR]).selected


def id_of(declaration: dict[str, Any]) -> str:
    return consignment_id(declaration["declarant"], declaration["reference"])
