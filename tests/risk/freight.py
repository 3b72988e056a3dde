"""Which goods do the tests of the risk desk use?"""

from datetime import timedelta
from decimal import Decimal

from schemas.declaration import Declaration, DeclarationAccepted, DeclaredContainer, Item
from schemas.vocabulary import CreditGrade, Direction
from services.risk.decider import RiskDecider
from services.risk.draw import draw, drawn_goods
from services.risk.keys import PUBLISHED
from services.risk.rules import RATES, credit_grade
from tests import facts
from tests.voice import CONSIGNMENT, NOON

DECIDER = RiskDecider(PUBLISHED)
"""The decider of these tests. It draws with the published key."""


def of_grade(grade: CreditGrade) -> str:
    """The code of a consignee that has this grade in the table."""
    return next(code for code in (f"91310000{n:010d}" for n in range(100_000)) if credit_grade(code) is grade)


REGULAR = of_grade(CreditGrade.REGULAR)


def line(hs_code: str, *, origin: str = "DE", kg: str = "100", price: str = "2000") -> Item:
    """One line of goods in EUR. By default the price is 20 EUR per kilogram."""
    return Item(
        hs_code=hs_code,
        description="goods",
        origin_country=origin,
        quantity=Decimal(1),
        unit="035",
        net_mass_kg=Decimal(kg),
        unit_price=Decimal(price),
        total_price=Decimal(price),
        currency="EUR",
    )


def accepted(
    *items: Item,
    consignment_id: str = CONSIGNMENT,
    reference: str = "PO-2026-17",
    bill: str = "COSU6400001",
    containers: tuple[str, ...] = ("CSQU3054383",),
    consignee: str = REGULAR,
    direction: Direction = Direction.IMPORT,
    departure: str = "DE",
    wood_packaging: bool = False,
    package_kind: str = "22",
) -> DeclarationAccepted:
    """An accepted declaration of these lines. By default the goods are machine parts from Germany in one container."""
    lines = items or (line("8483409000"),)
    mass = sum((item.net_mass_kg for item in lines), Decimal(0))
    declaration = Declaration(
        reference=reference,
        declarant=REGULAR,
        consignee=consignee,
        direction=direction,
        customs_office="4201",
        trade_mode="0110",
        transport_mode="2",
        bill_no=bill,
        departure_country=departure,
        destination_country="CN",
        packages=10,
        package_kind=package_kind,
        wood_packaging=wood_packaging,
        gross_mass_kg=mass + 10,
        net_mass_kg=mass,
        invoice_total=sum((item.total_price for item in lines), Decimal(0)),
        currency="EUR",
        containers=tuple([DeclaredContainer(container_no=number, shared_by=2) for number in containers]),
        items=lines,
    )
    lodged = NOON - timedelta(minutes=5)
    return facts.declaration_accepted(declaration, consignment_id=consignment_id, at=lodged)


def bill(number: int) -> str:
    """A bill of lading. Another `number` gives another bill, and so other goods."""
    return f"COSU{number:09d}"


def is_drawn(accepted_one: DeclarationAccepted, grade: CreditGrade = CreditGrade.REGULAR) -> bool:
    """Whether the draw with the published key selects these goods today, at the rate of the grade."""
    return draw(PUBLISHED.keys[0], drawn_goods(accepted_one.declaration, NOON.date()), RATES[grade]).selected


NOT_DRAWN = next(bill(n) for n in range(1000) if not is_drawn(accepted(bill=bill(n))))
DRAWN = next(bill(n) for n in range(1000) if is_drawn(accepted(bill=bill(n))))
