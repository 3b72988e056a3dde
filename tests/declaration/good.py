"""A declaration without faults. Each test changes only what it needs."""

from decimal import Decimal
from typing import Any

from schemas.declaration import Declaration, DeclaredContainer, Item, LodgeDeclaration
from schemas.vocabulary import Direction, consignment_id
from tests.voice import NOON

DECLARANT = "91350100M000100Y43"
CONSIGNEE = "91370200MA3C0DEF1K"
BOX = "CSQU3054383"


def good_item(**changes: Any) -> Item:
    fields: dict[str, Any] = {
        "hs_code": "8471300000",
        "description": "portable computers",
        "origin_country": "KR",
        "quantity": Decimal(10),
        "unit": "001",
        "net_mass_kg": Decimal(20),
        "unit_price": Decimal(500),
        "total_price": Decimal(5000),
        "currency": "USD",
    }
    return Item(**fields | changes)


def good_declaration(**changes: Any) -> Declaration:
    fields: dict[str, Any] = {
        "reference": "R-1",
        "declarant": DECLARANT,
        "consignee": DECLARANT,
        "direction": Direction.IMPORT,
        "customs_office": "4201",
        "trade_mode": "0110",
        "transport_mode": "2",
        "conveyance": "EVER GOOD 012E",
        "bill_no": "BL-1",
        "departure_country": "KR",
        "goods_place": "Qianwan berth 7",
        "packages": 2,
        "package_kind": "22",
        "gross_mass_kg": Decimal(45),
        "net_mass_kg": Decimal(40),
        "invoice_total": Decimal(10000),
        "currency": "USD",
        "containers": (DeclaredContainer(container_no=BOX),),
        "items": (good_item(), good_item()),
    }
    return Declaration(**fields | changes)


def lodge(**changes: Any) -> LodgeDeclaration:
    declaration = good_declaration(**changes)
    return LodgeDeclaration(
        consignment_id=consignment_id(declaration.declarant, declaration.reference),
        asked_by=declaration.declarant or "somebody",
        occurred_at=NOON,
        declaration=declaration,
    )
