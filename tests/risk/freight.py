"""Which goods do the risk stories talk about?"""

from datetime import timedelta
from decimal import Decimal

from schemas.declaration import Declaration, DeclarationAccepted, DeclaredContainer, Item
from schemas.vocabulary import CreditGrade, Direction
from services.risk.rules import credit_grade, draw
from tests.voice import CONSIGNMENT, NOON


def of_grade(grade: CreditGrade) -> str:
    """A consignee code that the table puts into this grade."""
    return next(code for code in (f"91310000{n:010d}" for n in range(100_000)) if credit_grade(code) is grade)


REGULAR = of_grade(CreditGrade.REGULAR)


def line(hs_code: str, *, origin: str = "DE", kg: str = "100", price: str = "2000") -> Item:
    """One line of goods in EUR; without a wish, 20 EUR per kilogram."""
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
    consignee: str = REGULAR,
    direction: Direction = Direction.IMPORT,
    departure: str = "DE",
    wood_packaging: bool = False,
) -> DeclarationAccepted:
    """An accepted declaration of these lines; without a wish, machine parts from Germany in one container."""
    lines = items or (line("8483409000"),)
    mass = sum((item.net_mass_kg for item in lines), Decimal(0))
    return DeclarationAccepted(
        consignment_id=consignment_id,
        occurred_at=NOON - timedelta(minutes=5),
        declaration_no="222920261000000017",
        declaration=Declaration(
            reference="PO-2026-17",
            declarant=REGULAR,
            consignee=consignee,
            direction=direction,
            customs_office="2229",
            trade_mode="0110",
            transport_mode="2",
            bill_no="COSU6400001",
            departure_country=departure,
            destination_country="CN",
            packages=10,
            wood_packaging=wood_packaging,
            gross_mass_kg=mass + 10,
            net_mass_kg=mass,
            invoice_total=sum((item.total_price for item in lines), Decimal(0)),
            currency="EUR",
            containers=(DeclaredContainer(container_no="CSQU3054383", shared_by=2),),
            items=lines,
        ),
    )


def consignment(number: int) -> str:
    """A consignment id for each number."""
    return f"00000000-0000-5000-8000-{number:012d}"


NOT_DRAWN = next(consignment(n) for n in range(1000) if draw(consignment(n), CreditGrade.REGULAR).selected is False)
DRAWN = next(consignment(n) for n in range(1000) if draw(consignment(n), CreditGrade.REGULAR).selected)
