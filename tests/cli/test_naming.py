"""Does `dtg trace` find goods by every name that people use for them?"""

import json
from typing import Any

import pytest

from schemas.vocabulary import consignment_id
from services.cli.log import LoggedMessage
from services.cli.naming import candidates, followed, keys_of

USCC = "91370200163562681G"
GOODS, LATER, OTHER = (consignment_id(USCC, "R-1"), consignment_id(USCC, "R-1", 2), consignment_id(USCC, "R-2"))
BOX = "CSQU3054383"


def entry(kind: str, key: str, body: Any) -> LoggedMessage:
    value = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"ce_type": kind, "ce_id": "x", "ce_source": "/desks/declaration"}
    return LoggedMessage("customs-declaration-facts", 0, 0, key, headers, value)


def paper(reference: str, bill: str = "COSU 6282-910") -> dict[str, Any]:
    return {"declarant": USCC, "reference": reference, "bill_no": bill, "containers": [{"container_no": BOX}]}


ENTRIES = [
    entry("LodgeDeclaration", GOODS, {"declaration": paper("R-1")}),
    entry("DeclarationAccepted", GOODS, {"declaration_no": "421820261000000017", "declaration": paper("R-1")}),
    entry("DeclarationAccepted", OTHER, {"declaration_no": "421820261000000018", "declaration": paper("R-2")}),
    entry("DeclarationPassedOn", GOODS, {"later": LATER}),
    entry("DeclarationLodgedAgain", LATER, {"later": LATER, "declaration": paper("R-1", "ANOTHER")}),
]
ODD: list[Any] = [b"{", [], {"declaration": 7}, {"declaration_no": ["x"]}]
ENTRIES += [entry("DeclarationAccepted", OTHER, body) for body in ODD]


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("421820261000000017", [GOODS]),
        (" 421820261000000017 ", [GOODS]),
        ("COSU 6282-910", [GOODS, OTHER]),
        ("cosu6282910", [GOODS, OTHER]),
        (f"{USCC}/R-1", [GOODS, LATER]),
        ("ANOTHER", [LATER]),
        ("NOBODY", []),
        ("", []),
        ("--", []),
    ],
)
def test_a_number_a_bill_and_a_reference_name_their_consignments(name: str, keys: list[str]) -> None:
    assert keys_of(name, ENTRIES) == keys


@pytest.mark.parametrize(
    ("name", "key"),
    [(f"{USCC}/R-1", GOODS), (GOODS, GOODS), (GOODS.upper(), GOODS), (BOX, BOX), (" csqu 305438-3 ", BOX)],
)
def test_what_is_a_key_is_looked_for_at_once(name: str, key: str) -> None:
    assert key in candidates(name)


def test_what_was_lodged_after_a_withdrawal_follows_by_the_words_of_its_desk_only() -> None:
    forged = entry("DeclarationPassedOn", GOODS, {"later": OTHER})
    forged.headers["ce_source"] = "/anybody"
    assert list(followed([*ENTRIES, forged])) == [LATER]
