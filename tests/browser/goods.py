"""Which goods do the tests lodge? Papers whose way through the border is known beforehand."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

from schemas.codes.iso6346 import check_digit
from schemas.codes.uscc import check_sign
from schemas.vocabulary import CreditGrade, consignment_id
from services.console.rendering import FOLDER
from services.risk.rules import credit_grade, draw

_numbers: Iterator[int] = count(1)
GREEN = {"hs_code": "8471300000", "description": "portable computers", "unit": "001"}


def paper(*, red: bool = False) -> dict[str, Any]:
    """A fresh paper from a firm and in a container of its own. Green: computers that are not drawn; red: pine, to be inspected."""
    example: dict[str, Any] = json.loads((FOLDER / "example.json").read_text(encoding="utf-8"))
    for number in _numbers:
        body = f"91370200MA9{number:06}"
        firm = body + check_sign(body)
        box = f"TSTU{number:06}"
        name = f"B-{number}"
        goods = consignment_id(firm, name)
        if credit_grade(firm) is not CreditGrade.REGULAR or draw(goods, CreditGrade.REGULAR).selected:
            continue
        said = {**example, "reference": name, "declarant": firm, "consignee": firm, "bill_no": f"BILL{number:06}"}
        said["containers"] = [{"container_no": box + check_digit(box), "seal_no": "CN88213"}]
        if not red:
            said["items"] = [{**example["items"][0], **GREEN}]
        return said
    raise AssertionError("numbers do not end")


def id_of(said: dict[str, Any]) -> str:
    return consignment_id(said["declarant"], said["reference"])
