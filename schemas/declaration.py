"""What does a declarant say about goods, and what does the declaration desk answer?

The meaning of the fields follows the single declaration of the GACC (2018 No. 67): its head (the element `DecHead`) and
its lines of goods (`DecList`). A field that the desk itself checks accepts any text. So a wrong code is answered with a
finding that points to the field, and not treated as a message that cannot be decoded.
"""

from operator import not_
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from schemas.bounds import (
    LARGEST_INTEGER,
    LINE,
    PRINTABLE,
    PRINTABLE_NO_SLASH,
    Tidied,
    WhenMade,
    identifier,
    line_of_text,
)
from schemas.envelope import AboutConsignment, Fact, Message, Request, is_none
from schemas.form import UNWRITTEN, FormLine
from schemas.marks import TO_DECLARANT, SeenBy
from schemas.phrases import SeenPhrase
from schemas.vocabulary import (
    ActorId,
    ConsignmentId,
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
"""How many containers one declaration may have, and how many consignments one manifest may put into a container."""
MOST_LINES, LINES_READ = 100, 1000
"""`MOST_LINES`: a declaration with more lines of goods cannot be made. The form has room for 50 lines, so the
declaration desk rejects a declaration with 51 to 100 lines and gives a finding. `LINES_READ`: how many lines a stored
declaration of an older software version may have."""
MOST_PACKAGES = 999_999_999
"""How many packages one declaration may state."""
MOST_OF_A_REFERENCE = 64
"""How many consignments, one after the other, may have the same declarant and reference. The declarations of all of
them except the last were withdrawn. A further consignment needs another reference."""
Code = Annotated[str, StringConstraints(max_length=20), WhenMade(pattern=PRINTABLE)]
Declarant = Annotated[str, StringConstraints(max_length=20), WhenMade(pattern=PRINTABLE_NO_SLASH)]
"""The USCC of the declarant. It may have no slash, because the ids of consignments are derived from `declarant/reference`, and this text must
name only one declarant and reference."""
Party = Annotated[str, StringConstraints(max_length=100), WhenMade(pattern=PRINTABLE), Tidied(line_of_text)]
"""The USCC of a party, or the name of a foreign party."""
Text = Annotated[str, StringConstraints(max_length=255), WhenMade(pattern=PRINTABLE), Tidied(line_of_text)]
Reference = Annotated[
    str, StringConstraints(min_length=1, max_length=35), WhenMade(pattern=PRINTABLE), Tidied(identifier)
]
"""The name that the declarant gives to the goods. References with the same characters name the same goods, however they were typed."""
LONGEST_BILL = 35
BillNo = Annotated[str, StringConstraints(max_length=LONGEST_BILL), WhenMade(pattern=PRINTABLE), Tidied(identifier)]
"""The number of a bill of lading or waybill as it stands in the manifest; for air cargo, the numbers of master and house waybill as
`master_house`."""


class Item(Message):
    """One line of goods.

    `hs_code`: ten digits; at a sandbox office, six to ten. `origin_country`: ISO 3166-1, two or three letters.
    `net_mass_kg`: kilograms; 0 if the goods have no mass, or if the legal units are given and neither is a mass.

    `first_quantity` and `second_quantity` are the legal quantities, in the units that the tariff names for the code. There is no table of
    these units here, so it is not checked whether they are the right ones.
    """

    fields_seen_by: ClassVar[SeenBy | None] = TO_DECLARANT
    hs_code: Code = ""
    description: Annotated[
        Text,
        Field(description="the name of the goods (`GName`), at most 255 characters, as on the form"),
    ] = ""
    origin_country: Code = ""
    quantity: Quantity
    unit: Code = ""
    net_mass_kg: Mass
    unit_price: Money
    total_price: Money
    currency: Code = ""
    first_quantity: Annotated[Quantity | None, Field(exclude_if=is_none)] = None
    first_unit: Annotated[Code, UNWRITTEN] = ""
    second_quantity: Annotated[Quantity | None, Field(exclude_if=is_none)] = None
    second_unit: Annotated[Code, UNWRITTEN] = ""
    form: Annotated[FormLine | None, Field(exclude_if=is_none)] = None


class DeclaredContainer(Message):
    """A container that carries the goods or a part of them. `shared_by`: how many consignments the manifest puts into it."""

    fields_seen_by: ClassVar[SeenBy | None] = TO_DECLARANT
    container_no: Annotated[str, StringConstraints(min_length=1, max_length=17), WhenMade(pattern=PRINTABLE)]
    seal_no: Code = ""
    shared_by: int = Field(default=1, ge=1, le=MOST_SHARERS)


class Declaration(Message):
    """The paper about one consignment, as the declarant lodged it."""

    fields_seen_by: ClassVar[SeenBy | None] = TO_DECLARANT
    reference: Reference
    declarant: Declarant
    consignee: Annotated[
        Party,
        Field(
            description="the USCC of the consignee or, for an export, of the consignor; for an export, the name of a foreign party "
            "is accepted too, at most 100 characters"
        ),
    ]
    direction: Direction
    customs_office: Code = ""
    trade_mode: Code = ""
    transport_mode: Code = ""
    conveyance: Text = ""
    bill_no: Annotated[
        BillNo,
        Field(
            description=f"at most {LONGEST_BILL} characters; for air cargo, the numbers of the master and the house waybill, joined by `_`"
        ),
    ] = ""
    departure_country: Code = ""
    destination_country: Code = ""
    goods_place: Text = ""
    conveyance_entry_date: Day | None = None
    packages: Annotated[int, WhenMade(ge=-MOST_PACKAGES, le=MOST_PACKAGES)] = 0
    package_kind: Code = ""
    wood_packaging: bool = False
    gross_mass_kg: Mass
    net_mass_kg: Mass
    invoice_total: Money
    currency: Code = ""
    containers: tuple[DeclaredContainer, ...] = Field(
        default=(),
        max_length=MOST_CONTAINERS,
        description=f"at most {MOST_CONTAINERS} containers; a lot in more containers is declared in parts, each under its own reference",
    )
    items: Annotated[tuple[Item, ...], Field(max_length=LINES_READ), WhenMade(max_length=MOST_LINES)]


class OfDeclarant(AboutConsignment, Request):
    """A request of a declarant. The declarant sees who sent it."""

    asked_by: Annotated[ActorId, TO_DECLARANT]
    on_behalf_of: Annotated[ActorId | None, Field(exclude_if=is_none), TO_DECLARANT] = None


class LodgeDeclaration(OfDeclarant):
    """A declarant lodges a declaration. `consignment_id` must be the id that is derived from declarant and reference."""

    declaration: Annotated[Declaration, TO_DECLARANT]


class WithdrawDeclaration(OfDeclarant):
    """A declarant asks to withdraw a declaration.

    This is possible until controls are ordered. It is possible again while the declarant has to rectify the papers, if
    no living pest was found. It is never possible after the goods were released or refused.
    """

    reason: Annotated[Reason, TO_DECLARANT]


class Finding(Message):
    """What a check found wrong in a declaration.

    `pointer`: where it is in the declaration (RFC 6901). `code`: a row of `schemas.codes.checks`, which has its text in
    Chinese and English. `severity`: a declaration with an error is rejected. `seen`: the value that was found.
    `nearest`: if `seen` is a code that is in no table, up to three codes of that table that may have been meant, the
    likeliest one first. `phrase`: if `seen` is a sentence, that sentence as a code and values; null if `seen` is only a
    value, and in facts of older software versions.
    """

    fields_seen_by: ClassVar[SeenBy | None] = TO_DECLARANT
    pointer: Pointer
    code: Annotated[str, StringConstraints(max_length=40), WhenMade(pattern=LINE)]
    severity: Severity
    seen: Annotated[str, StringConstraints(max_length=120), WhenMade(pattern=LINE)]
    nearest: Annotated[tuple[Code, ...], Field(max_length=3, exclude_if=not_)] = ()
    phrase: Annotated[SeenPhrase | None, Field(exclude_if=is_none)] = None


Findings = Annotated[tuple[Finding, ...], WhenMade(max_length=100)]


Number = Annotated[int, Field(ge=1, le=MOST_OF_A_REFERENCE)]
"""The number of this consignment among those of the same declarant and reference, from 1. All earlier ones were withdrawn."""
Serial = Annotated[int, Field(ge=0, le=LARGEST_INTEGER)]
MaybeConsignmentId = Annotated[str, WhenMade(max_length=36, pattern=LINE)]
MaybeMessageId = Annotated[str, WhenMade(max_length=200, pattern=LINE)]


class DeclarationAccepted(AboutConsignment, Fact):
    """The declaration desk accepted the declaration and gave it a declaration number.

    `warnings`: the findings with which the declaration is accepted nevertheless. `number`: the number of this
    consignment among those of its declarant and reference, from 1. `earlier`: the id of the consignment before it,
    which was withdrawn; empty if `number` is 1. `request_id`: the request that lodged the declaration, if a
    `DeclarationLodgedAgain` passed it on. Otherwise it is empty, because the header `causationid` of this fact already
    names that request.
    """

    declaration_no: Annotated[DeclarationNo, TO_DECLARANT]
    declaration: Annotated[Declaration, TO_DECLARANT]
    warnings: Annotated[Findings, TO_DECLARANT] = ()
    number: Annotated[Number, TO_DECLARANT] = 1
    earlier: Annotated[MaybeConsignmentId, TO_DECLARANT] = ""
    request_id: Annotated[MaybeMessageId, TO_DECLARANT] = ""


class DeclarationRejected(AboutConsignment, Fact):
    """The declaration was rejected because of errors. A corrected declaration may be lodged under the same reference.

    `findings`: the errors and warnings. `number`, `earlier`, `request_id`: as in `DeclarationAccepted`.
    """

    declaration: Annotated[Declaration, TO_DECLARANT]
    findings: Annotated[Findings, TO_DECLARANT]
    number: Annotated[Number, TO_DECLARANT] = 1
    earlier: Annotated[MaybeConsignmentId, TO_DECLARANT] = ""
    request_id: Annotated[MaybeMessageId, TO_DECLARANT] = ""


class DeclarationRepeated(AboutConsignment, Fact):
    """A declaration that is accepted, or that waits, was lodged again without any difference, so nothing else changed.

    `request_id`: the request that repeats it. `first_request_id`: the request that first lodged it; empty if an older software version
    accepted it.
    """

    request_id: Annotated[MessageId, TO_DECLARANT]
    first_request_id: Annotated[MaybeMessageId, TO_DECLARANT] = ""


class DeclarationWaits(AboutConsignment, Fact):
    """A declaration waits, because a request to withdraw the accepted declaration is not answered yet.

    `request_id`: the request that lodged it. `withdrawal`: the request to withdraw the accepted declaration; the latest if there are
    several. `serial`: as in `DeclarationLodgedAgain`.
    """

    request_id: Annotated[MessageId, TO_DECLARANT]
    declaration: Annotated[Declaration, TO_DECLARANT]
    withdrawal: Annotated[MessageId, TO_DECLARANT]
    serial: Annotated[Serial, TO_DECLARANT]


class DeclarationPassedOn(AboutConsignment, Fact):
    """The declaration of this consignment was withdrawn, so `request_id` lodged the declaration of another consignment (`later`).

    A `DeclarationLodgedAgain` with that declaration is published too.
    """

    request_id: Annotated[MessageId, TO_DECLARANT]
    later: Annotated[ConsignmentId, TO_DECLARANT]


class DeclarationLodgedAgain(Fact):
    """The declaration desk passes a declaration on to the key of a new consignment (`later`), and decides it there.

    The desk does so if the declaration of the previous consignment (`consignment_id`) was withdrawn. `number`: the
    number of the new consignment among those of its declarant and reference. `request_id`: the request that lodged the
    declaration. `serial`: offset × number of partitions + partition of that request; the declaration number is made
    from it.
    """

    consignment_id: Annotated[ConsignmentId, TO_DECLARANT]
    later: Annotated[ConsignmentId, TO_DECLARANT]
    number: Annotated[int, Field(ge=2, le=MOST_OF_A_REFERENCE), TO_DECLARANT]
    request_id: Annotated[MessageId, TO_DECLARANT]
    serial: Annotated[Serial, TO_DECLARANT]
    declaration: Annotated[Declaration, TO_DECLARANT]

    @property
    def key(self) -> str:
        return self.later


class WithdrawalRequested(AboutConsignment, Fact):
    """The declarant of an accepted declaration asks to withdraw it. The release desk grants or refuses it.

    `request_id`: the declarant's request.
    """

    request_id: Annotated[MessageId, TO_DECLARANT]
    reason: Annotated[Reason, TO_DECLARANT]
