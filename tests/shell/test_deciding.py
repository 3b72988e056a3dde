"""Are all messages decided in the same way? Is a desk kept from publishing a kind of fact that the flow (`FLOW`) does
not name?"""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from schemas.envelope import Hearing
from schemas.inspection import InspectionOrdered, InspectionPassed
from schemas.vocabulary import ControlKind
from services.inspection import decider
from services.shell.deciding import decide_message
from services.shell.desk import Decider, Desk
from tests.facts import consignment_assessed
from tests.voice import CONSIGNMENT, NOON

ROOT = Path(__file__).parents[2]
AT_NOON = Hearing(NOON, "m1", 1)
ORDER = consignment_assessed(ControlKind.INSPECTION)


def test_the_state_has_heard_the_message_and_every_fact() -> None:
    desk = Desk.of("inspection", decider)
    facts, state = decide_message(desk.decider, decider.INITIAL, ORDER, AT_NOON, desk.name)
    assert [type(fact) for fact in facts] == [InspectionOrdered]
    assert decider.deadlines(state), "the order is in the state: its time limit runs"


def test_a_fact_that_the_flow_does_not_name_is_refused_and_a_test_without_a_flow_may_use_any() -> None:
    passed = InspectionPassed(
        consignment_id=CONSIGNMENT, occurred_at=NOON, control=ControlKind.INSPECTION, officer="o1"
    )

    def decide(state: Any, message: Any, hearing: Hearing) -> tuple[Any, ...]:
        return (passed,)

    def evolve(state: Any, message: Any, hearing: Hearing) -> Any:
        return state

    forger = cast(Decider, SimpleNamespace(decide=decide, evolve=evolve))
    with pytest.raises(TypeError, match="inspection may not say InspectionPassed upon ConsignmentAssessed"):
        decide_message(forger, None, ORDER, AT_NOON, "inspection")
    assert decide_message(forger, None, ORDER, AT_NOON).facts == (passed,)


def test_no_other_file_of_the_services_calls_a_decider() -> None:
    calls = re.compile(r"\.(decide|evolve)\(")
    callers = [path.name for path in (ROOT / "services").rglob("*.py") if calls.search(path.read_text())]
    assert callers == ["deciding.py"]
