"""If the answer to a control was taken back, must the goods stay at the gate until the release desk has published what
follows from this? The release desk may be down, and there is no order between two topics."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, insert

from schemas.envelope import Fact, RequestRefused
from schemas.vocabulary import ControlKind
from services.console.readmodel.database import open_engine
from services.console.readmodel.gate_answer import takes_into_account
from services.console.readmodel.queries import ReadModelQueries
from services.console.readmodel.tables import ASKED_HOLDS, CONSIGNMENT_CONTAINERS, FACTS, METADATA
from services.release import decider
from services.shell.codec import encode
from tests.facts import (
    consignment_assessed,
    findings_retracted,
    inspection_passed,
    pest_intercepted,
    treatment_decision_retracted,
    treatment_retracted,
    treatment_verified,
    treatment_waived,
)
from tests.release.requests import arrival
from tests.voice import CONSIGNMENT, NOON, story

BOX = "CSQU3054383"
INSPECTION = ControlKind.INSPECTION
RELEASED = story(decider, consignment_assessed(INSPECTION), arrival(), inspection_passed(INSPECTION))
AGAIN = story(
    decider,
    consignment_assessed(INSPECTION),
    arrival(),
    inspection_passed(INSPECTION),
    findings_retracted(INSPECTION),
    inspection_passed(INSPECTION, 2),
)


def rows_of(file: Path) -> Engine:
    """A database in which released goods are in the container BOX, and an officer has asked to correct the
    findings about these goods."""
    made = open_engine(f"sqlite:///{file}", writes=True)
    METADATA.create_all(made)
    with made.begin() as connection:
        inside = {"container_no": BOX, "consignment_id": CONSIGNMENT, "word": "released", "version": 1}
        connection.execute(insert(CONSIGNMENT_CONTAINERS), inside)
        request = {"request_id": "wrong-findings", "consignment_id": CONSIGNMENT, "about": CONSIGNMENT, "asked_us": 1}
        connection.execute(insert(ASKED_HOLDS), request)
    return made


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = rows_of(tmp_path / "console.db")
    yield made
    made.dispose()


def read(engine: Engine, fact: Fact, cause: str, offset: int) -> None:
    row: dict[str, Any] = {"place": offset, "key": CONSIGNMENT, "kind": fact.kind, "id": f"f{offset}", "cause": cause}
    row |= {"sequence": offset, "recorded_us": offset, "body": encode(fact).decode()}
    with engine.begin() as connection:
        connection.execute(insert(FACTS), row)


def granted(desk: Any) -> list[Fact]:
    return [fact for fact in desk.facts if fact.kind == "ReleaseGranted"]


def kept(engine: Engine) -> bool:
    return CONSIGNMENT in [hold.subject for hold in ReadModelQueries(engine).container(BOX).unanswered]


def test_the_answer_of_the_desk_that_was_asked_does_not_let_the_goods_go_while_the_release_desk_is_dead(
    engine: Engine,
) -> None:
    read(engine, granted(RELEASED)[0], "arrival", 1)
    assert kept(engine), "it was asked, and nobody has answered"
    read(engine, findings_retracted(INSPECTION), "wrong-findings", 2)
    assert kept(engine), "the release desk has not heard of it"
    read(engine, inspection_passed(INSPECTION, 2), "right-findings", 3)
    assert kept(engine), "another answer does not speak for the release desk"
    read(engine, granted(AGAIN)[-1], "right-findings", 4)
    assert not kept(engine)


def test_in_whatever_order_the_facts_are_read_they_let_the_goods_go_at_the_end_and_never_before(tmp_path: Path) -> None:
    first, again = granted(RELEASED)[0], granted(AGAIN)[-1]
    facts = [(first, "arrival"), (findings_retracted(INSPECTION), "wrong-findings"), (again, "right-findings")]
    for number, order in enumerate(permutations(facts)):
        made = rows_of(tmp_path / f"{number}.db")
        for offset, (fact, cause) in enumerate(order):
            read(made, fact, cause, offset)
            known = [each for each, _ in order[: offset + 1]]
            spoken_of = again in known or first not in known
            answered = any(each.kind == "FindingsRetracted" for each in known)
            assert kept(made) == (not answered or not spoken_of)
        made.dispose()


def test_a_refusal_of_the_correction_ends_it(engine: Engine) -> None:
    read(engine, granted(RELEASED)[0], "arrival", 1)
    no = RequestRefused(
        occurred_at=NOON,
        subject=CONSIGNMENT,
        request_id="wrong-findings",
        request_kind="RetractFindings",
        code="not_the_latest",
        reason="another answer stands",
    )
    read(engine, no, "wrong-findings", 2)
    assert not kept(engine)


TREATED = story(
    decider, consignment_assessed(INSPECTION), arrival(), pest_intercepted(INSPECTION), treatment_verified("inspection")
)
WAIVED = story(
    decider, consignment_assessed(INSPECTION), arrival(), pest_intercepted(INSPECTION), treatment_waived("inspection")
)


@pytest.mark.parametrize(
    ("desk", "back"),
    [(TREATED, treatment_retracted("inspection")), (WAIVED, treatment_decision_retracted("inspection"))],
)
def test_a_treatment_and_a_decision_that_are_taken_back_are_spoken_of_by_a_release_that_knows_them(
    desk: Any, back: Fact
) -> None:
    before = granted(desk)[-1].model_dump(mode="json")
    assert not takes_into_account(before, back.kind, back.model_dump(mode="json"))
    desk.when(back).when(treatment_verified("inspection").model_copy(update={"revision": 2}))
    assert takes_into_account(granted(desk)[-1].model_dump(mode="json"), back.kind, back.model_dump(mode="json"))


def test_of_a_release_of_an_earlier_release_and_a_retraction_the_later_counts() -> None:
    back = (
        findings_retracted(INSPECTION)
        .model_copy(update={"occurred_at": NOON + timedelta(minutes=9)})
        .model_dump(mode="json")
    )
    for minutes, spoken_of in ((8, False), (9, True), (10, True)):
        fact = granted(RELEASED)[0].model_copy(update={"occurred_at": NOON + timedelta(minutes=minutes)})
        old = fact.model_dump(mode="json", exclude={"revisions"})
        assert takes_into_account(old, "FindingsRetracted", back) is spoken_of
    assert takes_into_account(None, "FindingsRetracted", back), "nothing was let go"


ODD: tuple[dict[str, Any], ...] = (
    {"version": "7"},
    {"version": None},
    {"version": {}, "revisions": []},
    {"revisions": {"inspection/inspection": 7}},
    {"revisions": {"inspection/inspection": ["x"]}},
    {"revisions": 7},
    {"revisions": None, "occurred_at": "yesterday"},
    {"revisions": None, "occurred_at": None},
)


@pytest.mark.parametrize("odd", [*ODD, None], ids=str)
def test_a_release_that_cannot_be_read_fails_no_question_and_lets_nothing_go(
    engine: Engine, odd: dict[str, Any] | None
) -> None:
    read(engine, granted(RELEASED)[0], "arrival", 1)
    read(engine, findings_retracted(INSPECTION), "wrong-findings", 2)
    body = orjson.dumps([] if odd is None else granted(AGAIN)[-1].model_dump(mode="json") | {"version": 9} | odd)
    row = {"place": 3, "key": CONSIGNMENT, "kind": "ReleaseGranted", "id": "f3", "cause": "x", "sequence": 3}
    with engine.begin() as connection:
        connection.execute(insert(FACTS), row | {"recorded_us": 3, "body": body.decode()})
    assert kept(engine)
