"""What does a declarant say about goods, and what does the declaration desk answer?

The meaning of the fields follows the GACC single declaration (2018 No. 67, `DecHead`/`DecList`). Fields that the desk itself checks accept any
text on purpose, so that a wrong code is answered with a finding that points to it, and not as a message that cannot be decoded.
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
"""How many lines of goods a new declaration may have, and how many are read of a declaration that an older software version wrote. The form
has room for 50 lines; a declaration with more is rejected with a finding."""
MOST_PACKAGES = 999_999_999
"""How many packages one declaration may state."""
MOST_OF_A_REFERENCE = 64
"""How many consignments, one after the other, may have the same declarant and reference. Each of them but the last was withdrawn. A further
one needs another reference."""
Code = Annotated[str, StringConstraints(max_length=20), WhenMade(pattern=PRINTABLE)]
Declarant = Annotated[str, StringConstraints(max_length=20), WhenMade(pattern=PRINTABLE_NO_SLASH)]
"""The USCC of the declarant. It may have no slash, because the ids of consignments are derived from `declarant/reference`, and this text must
name only one declarant and reference."""
Party = Annotated[str, StringConstraints(max_length=100), WhenMade(pattern=PRINTABLE)]
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
    """One line of goods. `hs_code`: ten digits (`CodeTS`), six at a sandbox office; `origin_country`: ISO 3166-1, two letters or three;
    `net_mass_kg`: kilograms, none where the goods have none, and where the legal units are given and neither is a mass.

    `first_quantity` and `second_quantity` are the legal ones, in the units that the tariff names for the code; which units these are
    is not known here.
    """

    fields_seen_by: ClassVar[SeenBy | None] = TO_DECLARANT
    hs_code: Code = ""
    description: Annotated[
        Text,
        Field(description="name of the goods (`GName`); the form has room for 255 characters, and so has this field"),
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
    """A container that carries (a part of) the goods; `shared_by`: how many consignments the manifest puts into it."""

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
            description="USCC of who gets the goods, or of who sends them; of an export it may be the name of a foreign party, "
            "at most 100 characters"
        ),
    ]
    direction: Direction
    customs_office: Code = ""
    trade_mode: Code = ""
    transport_mode: Code = ""
    conveyance: Text = ""
    bill_no: Annotated[
        BillNo,
        Field(description=f"at most {LONGEST_BILL} characters; by air the master and the house waybill, joined by `_`"),
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
        description=f"at most {MOST_CONTAINERS}; a lot in more containers is declared in parts, each under a reference of its own",
    )
    items: Annotated[tuple[Item, ...], Field(max_length=LINES_READ), WhenMade(max_length=MOST_LINES)]


class OfDeclarant(AboutConsignment, Request):
    """A request that a declarant makes, who sees who asked for it."""

    asked_by: Annotated[ActorId, TO_DECLARANT]
    on_behalf_of: Annotated[ActorId | None, Field(exclude_if=is_none), TO_DECLARANT] = None


class LodgeDeclaration(OfDeclarant):
    """A declarant lodges a declaration. `consignment_id` must be the one derived from declarant and reference."""

    declaration: Annotated[Declaration, TO_DECLARANT]


class WithdrawDeclaration(OfDeclarant):
    """A declarant takes a declaration back; possible until controls were ordered or the goods released."""

    reason: Annotated[Reason, TO_DECLARANT]


class Finding(Message):
    """What a check saw: `code` is a row of `schemas.codes.checks` (texts in zh and en), `seen` the value found.

    `nearest`: where a code is in no table, the codes of that table that may have been meant, the likeliest first. `phrase`: what `seen`
    says in words, by code and values; None where it is a value alone, and in facts of older software versions.
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
"""The number of this consignment among those of the same declarant and reference, from 1. All before it were withdrawn."""
Serial = Annotated[int, Field(ge=0, le=LARGEST_INTEGER)]
MaybeConsignmentId = Annotated[str, WhenMade(max_length=36, pattern=LINE)]
MaybeMessageId = Annotated[str, WhenMade(max_length=200, pattern=LINE)]


class DeclarationAccepted(AboutConsignment, Fact):
    """The declaration stands, under this number; the warnings travel with it.

    `number`: it is the n-th consignment of its declarant and reference; `earlier`: the one before, which was withdrawn (empty of the
    first). `request_id`: the request that lodged it, where that is not the cause of this fact: `DeclarationLodgedAgain` handed it on.
    """

    declaration_no: Annotated[DeclarationNo, TO_DECLARANT]
    declaration: Annotated[Declaration, TO_DECLARANT]
    warnings: Annotated[Findings, TO_DECLARANT] = ()
    number: Annotated[Number, TO_DECLARANT] = 1
    earlier: Annotated[MaybeConsignmentId, TO_DECLARANT] = ""
    request_id: Annotated[MaybeMessageId, TO_DECLARANT] = ""


class DeclarationRejected(AboutConsignment, Fact):
    """The declaration does not stand; every error is pointed at. A corrected one may be lodged under the same reference.

    `number`, `earlier`, `request_id`: as of `DeclarationAccepted`.
    """

    declaration: Annotated[Declaration, TO_DECLARANT]
    findings: Annotated[Findings, TO_DECLARANT]
    number: Annotated[Number, TO_DECLARANT] = 1
    earlier: Annotated[MaybeConsignmentId, TO_DECLARANT] = ""
    request_id: Annotated[MaybeMessageId, TO_DECLARANT] = ""


class DeclarationRepeated(AboutConsignment, Fact):
    """The declaration that stands, or that waits, was lodged again, word for word: `request_id` asked, and nothing changed.

    `first_request_id`: the request whose declaration stands or waits; empty where an older version accepted it.
    """

    request_id: Annotated[MessageId, TO_DECLARANT]
    first_request_id: Annotated[MaybeMessageId, TO_DECLARANT] = ""


class DeclarationWaits(AboutConsignment, Fact):
    """Lodged while the declarant's request to take the standing declaration back was not answered: `request_id` waits for that answer.

    `withdrawal`: the request to take it back, the latest where there are several. `serial`: as of `DeclarationLodgedAgain`.
    """

    request_id: Annotated[MessageId, TO_DECLARANT]
    declaration: Annotated[Declaration, TO_DECLARANT]
    withdrawal: Annotated[MessageId, TO_DECLARANT]
    serial: Annotated[Serial, TO_DECLARANT]


class DeclarationPassedOn(AboutConsignment, Fact):
    """The declaration of this consignment was withdrawn, so what `request_id` lodges is another consignment: `later`."""

    request_id: Annotated[MessageId, TO_DECLARANT]
    later: Annotated[ConsignmentId, TO_DECLARANT]


class DeclarationLodgedAgain(Fact):
    """What `request_id` lodges is the consignment `later`, the `number`-th of its declarant and reference, and is decided under that
    key. `consignment_id`: the one before, which was withdrawn.

    `serial`: the place of the request among all that were lodged, from which the declaration number is made.
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
    """The declarant of an accepted declaration asks to take it back; the release desk answers."""

    request_id: Annotated[MessageId, TO_DECLARANT]
    reason: Annotated[Reason, TO_DECLARANT]
