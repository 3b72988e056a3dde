"""Which lane does an accepted declaration take, and which controls must be answered? Said once per consignment."""

from typing import Annotated, Literal, assert_never

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from schemas.bounds import shown, state_adapter
from schemas.codes.goods import NATURAL_WOOD_PACKAGES, goods_classes
from schemas.declaration import DeclarationAccepted
from schemas.envelope import Deadline, Fact, Hearing
from schemas.risk import BoundContainer, ConsignmentAssessed
from services.risk.rules import RULE_SET, Goods, credit_grade, draw, fired, lane, required


class Unassessed(BaseModel):
    """Nothing was heard yet."""

    model_config = ConfigDict(frozen=True)
    state: Literal["unassessed"] = "unassessed"


class Assessed(BaseModel):
    """The assessment was said; it is never said again."""

    model_config = ConfigDict(frozen=True)
    state: Literal["assessed"] = "assessed"


State = Unassessed | Assessed
Heard = DeclarationAccepted
Said = ConsignmentAssessed

INITIAL: State = Unassessed()
STATE: TypeAdapter[State] = state_adapter(Annotated[State, Field(discriminator="state")])
_ASSESSED = Assessed()


def decide(state: State, message: Heard, hearing: Hearing) -> tuple[Fact, ...]:
    """One assessment for the first hearing; a declaration heard again is a duplicate and gets no second one."""
    match state:
        case Unassessed():
            return (assess(message, hearing),)
        case Assessed():
            return ()
        case _:
            assert_never(state)


def assess(accepted: DeclarationAccepted, hearing: Hearing) -> ConsignmentAssessed:
    """Mandatory rules, or the draw at the grade's rate: both are written down, with the version of the table."""
    declaration = accepted.declaration
    grade = credit_grade(declaration.consignee)
    rules = fired(Goods(declaration, grade))
    drawn = draw(accepted.consignment_id, grade)
    controls = required(rules, drawn)
    return ConsignmentAssessed(
        consignment_id=accepted.consignment_id,
        occurred_at=hearing.at,
        declaration_no=accepted.declaration_no,
        direction=declaration.direction,
        customs_office=shown(declaration.customs_office, 20),
        transport_mode=shown(declaration.transport_mode, 20),
        bill_no=shown(declaration.bill_no, 20),
        containers=tuple(
            [
                BoundContainer(container_no=shown(c.container_no, 17), shared_by=c.shared_by)
                for c in declaration.containers
            ]
        ),
        lane=lane(controls),
        controls=controls,
        credit_grade=grade,
        rule_set=RULE_SET,
        rules=rules,
        draw=drawn,
        goods=goods_classes(
            [item.hs_code for item in declaration.items],
            declaration.wood_packaging or declaration.package_kind in NATURAL_WOOD_PACKAGES,
        ),
    )


def evolve(state: State, message: Heard | Said, hearing: Hearing) -> State:
    """Only the assessment itself moves the state."""
    match message:
        case DeclarationAccepted():
            return state
        case ConsignmentAssessed():
            return _ASSESSED
        case _:
            assert_never(message)


def deadlines(state: State) -> tuple[Deadline, ...]:
    """None: the desk answers at once."""
    return ()


def closed(state: State) -> bool:
    """After the one assessment."""
    return isinstance(state, Assessed)
