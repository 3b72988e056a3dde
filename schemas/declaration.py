"""What does a declarant say about goods, and what does the declaration desk answer?

Field meanings follow the GACC single declaration (2018 No. 67, `DecHead`/`DecList`); shapes are loose on purpose where
the desk itself checks them, so that a wrong code is a pointed refusal and not an undecodable message.
"""

from typing import Annotated

from pydantic import Field, StringConstraints

from schemas.bounds import LINE, NO_SLASH, WhenMade
from schemas.envelope import AboutConsignment, Fact, Message, Request
from schemas.vocabulary import (
    ContainerNo,
    Day,
    DeclarationNo,
    Direction,
    Mass,
    MessageId,
    Money,
    Pointer,
    Quantity,
    Reason,
    Severity,
)

MOST_CONTAINERS, MOST_SHARERS = 200, 100
"""Containers of one declaration; consignments that a manifest puts into one container."""
Code = Annotated[str, StringConstraints(max_length=20), WhenMade(pattern=LINE)]
Declarant = Annotated[str, StringConstraints(max_length=20), WhenMade(pattern=NO_SLASH)]
"""USCC of who declares. Without a slash, `declarant/reference` names one declarant and one reference only; consignment ids are
derived from that."""
Text = Annotated[str, StringConstraints(max_length=255), WhenMade(pattern=LINE)]


class Item(Message):
    """One line of goods. `hs_code` 6 to 10 digits, `origin_country` ISO 3166-1 alpha-2, `net_mass_kg` kilograms."""

    hs_code: Code = ""
    description: Text = ""
    origin_country: Code = ""
    quantity: Quantity
    unit: Code = ""
    net_mass_kg: Mass
    unit_price: Money
    total_price: Money
    currency: Code = ""


class DeclaredContainer(Message):
    """A container that carries (a part of) the goods; `shared_by`: how many consignments the manifest puts into it."""

    container_no: ContainerNo
    seal_no: Code = ""
    shared_by: int = Field(default=1, ge=1, le=MOST_SHARERS)


class Declaration(Message):
    """The paper about one consignment, as the declarant lodged it."""

    reference: Annotated[str, StringConstraints(min_length=1, max_length=35), WhenMade(pattern=LINE)]
    declarant: Declarant
    consignee: Code
    direction: Direction
    customs_office: Code = ""
    trade_mode: Code = ""
    transport_mode: Code = ""
    conveyance: Text = ""
    bill_no: Code = ""
    departure_country: Code = ""
    destination_country: Code = ""
    goods_place: Text = ""
    conveyance_entry_date: Day | None = None
    packages: Annotated[int, WhenMade(ge=-999_999_999, le=999_999_999)] = 0
    package_kind: Code = ""
    wood_packaging: bool = False
    gross_mass_kg: Mass
    net_mass_kg: Mass
    invoice_total: Money
    currency: Code = ""
    containers: tuple[DeclaredContainer, ...] = Field(default=(), max_length=MOST_CONTAINERS)
    items: tuple[Item, ...] = Field(max_length=1000)


class LodgeDeclaration(AboutConsignment, Request):
    """A declarant lodges a declaration. `consignment_id` must be the one derived from declarant and reference."""

    declaration: Declaration


class WithdrawDeclaration(AboutConsignment, Request):
    """A declarant takes a declaration back; possible until controls were ordered or the goods released."""

    reason: Reason


class Finding(Message):
    """What a check saw: `code` is a row of `schemas.codes.checks` (texts in zh and en), `seen` the value found."""

    pointer: Pointer
    code: Annotated[str, StringConstraints(max_length=40), WhenMade(pattern=LINE)]
    severity: Severity
    seen: Annotated[str, StringConstraints(max_length=120), WhenMade(pattern=LINE)]


Findings = Annotated[tuple[Finding, ...], WhenMade(max_length=100)]


class DeclarationAccepted(AboutConsignment, Fact):
    """The declaration stands, under this number; the warnings travel with it."""

    declaration_no: DeclarationNo
    declaration: Declaration
    warnings: Findings = ()


class DeclarationRejected(AboutConsignment, Fact):
    """The declaration does not stand; every error is pointed at. A corrected one may be lodged under the same reference."""

    declaration: Declaration
    findings: Findings


class DeclarationRepeated(AboutConsignment, Fact):
    """The declaration that stands was lodged again, word for word: `request_id` asked, and nothing changed.

    `first_request_id`: the request whose declaration stands; empty where an older version accepted it.
    """

    request_id: MessageId
    first_request_id: Annotated[str, WhenMade(max_length=200, pattern=LINE)] = ""


class WithdrawalRequested(AboutConsignment, Fact):
    """The declarant of an accepted declaration asks to take it back; the release desk answers."""

    request_id: MessageId
    reason: Reason
