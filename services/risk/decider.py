"""Which lane does an accepted declaration take, and which controls must be answered? This is decided once per consignment.

The draw needs a secret, so this decider is an object that is made with the keys of the draw. Its functions are pure.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, assert_never

from pydantic import Field, TypeAdapter

from schemas.bounds import shown, state_adapter
from schemas.codes.goods import goods_classes
from schemas.codes.trade import NATURAL_WOOD_PACKAGES
from schemas.declaration import MOST_PACKAGES, DeclarationAccepted
from schemas.envelope import Deadline, Fact, Hearing
from schemas.head import bounded
from schemas.risk import BoundContainer, ConsignmentAssessed
from schemas.vocabulary import day_in_china
from services.risk.draw import draw, drawn_goods
from services.risk.keys import DrawKeys
from services.risk.rules import RATES, RULE_SET, Goods, credit_grade, fired, graded_party, lane, required


@dataclass(frozen=True, slots=True, kw_only=True)
class Unassessed:
    """No declaration was read yet."""

    state: Literal["unassessed"] = "unassessed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """The assessment was published. It is never published again."""

    state: Literal["assessed"] = "assessed"


State = Unassessed | Assessed
Input = DeclarationAccepted
Output = ConsignmentAssessed

INITIAL: State = Unassessed()
STATE: TypeAdapter[State] = state_adapter(Annotated[State, Field(discriminator="state")])
_ASSESSED = Assessed()


@dataclass(frozen=True)
class RiskDecider:
    """The decider of the risk desk. It calls the functions below with the keys of the draw."""

    keys: DrawKeys

    @property
    def INITIAL(self) -> State:  # noqa: N802  (the names of a decider)
        return INITIAL

    @property
    def STATE(self) -> TypeAdapter[State]:  # noqa: N802
        return STATE

    def decide(self, state: State, message: Input, hearing: Hearing) -> tuple[Fact, ...]:
        return decide(state, message, hearing, self.keys)

    def evolve(self, state: State, message: Input | Output, hearing: Hearing) -> State:
        return evolve(state, message, hearing)

    def deadlines(self, state: State) -> tuple[Deadline, ...]:
        return deadlines(state)

    def closed(self, state: State) -> bool:
        return closed(state)


def decide(state: State, message: Input, hearing: Hearing, keys: DrawKeys) -> tuple[Fact, ...]:
    """Returns one assessment for the first declaration that is read, and nothing for a declaration that is read again."""
    match state:
        case Unassessed():
            return (assess(message, hearing, keys),)
        case Assessed():
            return ()
        case _:
            assert_never(state)


def assess(accepted: DeclarationAccepted, hearing: Hearing, keys: DrawKeys) -> ConsignmentAssessed:
    """Returns the assessment that follows from the rules that fire and from the draw, whose rate depends on the credit
    grade. The assessment names these rules, the draw and the version of the rule table.

    The draw is made with the key that is in force on the day of the decision, in China. The value of the draw depends
    only on this key and on `drawn_goods`, so another declaration of the same goods gets the same value.
    """
    declaration = accepted.declaration
    grade = credit_grade(graded_party(declaration))
    rules = fired(Goods(declaration, grade, accepted.warnings))
    day = day_in_china(hearing.at)
    drawn = draw(keys.in_force(day), drawn_goods(declaration, day), RATES[grade])
    controls = required(rules, drawn)
    head = bounded(
        declaration_no=accepted.declaration_no,
        direction=declaration.direction,
        customs_office=declaration.customs_office,
        transport_mode=declaration.transport_mode,
        bill_no=declaration.bill_no,
        lane=lane(controls),
    )
    return ConsignmentAssessed(
        **head,
        consignment_id=accepted.consignment_id,
        occurred_at=hearing.at,
        containers=tuple(
            [
                BoundContainer(container_no=shown(c.container_no, 17), shared_by=c.shared_by)
                for c in declaration.containers
            ]
        ),
        controls=controls,
        credit_grade=grade,
        rule_set=RULE_SET,
        rules=rules,
        draw=drawn,
        goods=goods_classes(
            [item.hs_code for item in declaration.items],
            declaration.wood_packaging or declaration.package_kind in NATURAL_WOOD_PACKAGES,
        ),
        conveyance=shown(declaration.conveyance, 100),
        packages=min(max(0, declaration.packages), MOST_PACKAGES),
        declarant=shown(declaration.declarant, 20),
    )


def evolve(state: State, message: Input | Output, hearing: Hearing) -> State:
    """Returns the state after the message. Only the assessment itself changes the state."""
    match message:
        case DeclarationAccepted():
            return state
        case ConsignmentAssessed():
            return _ASSESSED
        case _:
            assert_never(message)


def deadlines(state: State) -> tuple[Deadline, ...]:
    """Returns no time limits, because the desk answers at once."""
    return ()


def closed(state: State) -> bool:
    """Returns whether the assessment was published."""
    return isinstance(state, Assessed)
