"""Do the rows know which alarms wait for an officer's finding, as the gate desk itself computes it?

The gate desk gets random messages, and each fact that it publishes about the container is folded into the row.
"""

import os
from random import Random
from unittest import mock

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Fact, Message
from schemas.gate import ContainerMustStay
from services.console.readmodel.container import Container, tell_container
from services.console.readmodel.messages import TopicMessage, micros
from services.gate import decider, keeping
from services.gate.box import as_box
from services.gate.departures import unsettled
from services.gate.may_leave import answer
from services.gate.visits import look
from tests.declaration.good import BOX
from tests.gate.boxes import DAY, at
from tests.gate.test_visits_chaos import decision, report, statement
from tests.voice import Story

EXAMPLES = int(os.environ.get("DTG_VISITS_EXAMPLES", "150"))


def folded(row: Container, fact: Fact) -> None:
    number, body = row.seq + 1, orjson.loads(fact.model_dump_json())
    happened = micros(body["occurred_at"])
    tell_container(row, TopicMessage(0, "", fact.kind, fact.key, f"f{number}", "", number, happened, b""), body)


@settings(max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES <= 1000)
@given(seed=st.integers(0, 2**32), kept=st.sampled_from((0, 1, 20)))
def test_no_alarm_that_waits_is_missing_in_the_row_and_none_is_left_when_the_container_waits_for_none(
    seed: int, kept: int
) -> None:
    """`kept`: how many closed visits the gate desk stores. While other alarms wait, the row may have an alarm that has ended without a finding, because no fact says so. It
    loses that alarm when an officer looks, or when no alarm waits."""
    dice, desk, now, ids, row = Random(seed), Story(decider, decider.INITIAL), 5.0 * DAY, list[str](), Container(BOX)
    for number in range(dice.randint(3, 25)):
        now += dice.choice((0, 1, 5, 60, 1000, 30 * DAY if dice.random() < 0.1 else 3))
        kind = dice.random()
        message: Message = statement(dice, now, dice.randint(1, 12)) if kind < 0.45 else report(dice, now)
        message = decision(dice, now, ids) if kind >= 0.75 else message
        with mock.patch.object(keeping, "KEPT_VISITS", kept):
            desk.when(message, message_id=f"c{number}", at=at(now))
        ids.append(f"c{number}")
        for fact in desk.answer:
            if fact.key == BOX:
                folded(row, fact)
        box = as_box(desk.state)
        truth = look(box)
        waiting = {alarm.report for alarm in unsettled(box, truth)}
        listed = {line.partition("\t")[0] for line in row.blocking.splitlines()}
        assert waiting <= listed, (message, desk.answer)
        no = [fact.code for fact in desk.answer if isinstance(fact, ContainerMustStay)]
        assert no in ([], ["alarm"]) or not (waiting or box.waiting), (message, desk.answer)
        if message.kind == "RecordContainerFinding" and message.model_dump()["found"] == "outside":
            assert waiting == listed, (message, desk.answer)
        if any(fact.kind in ("ContainerMayLeave", "ContainerMustStay") for fact in desk.answer):
            assert answer(box, truth).code == "alarm" or not listed, (message, desk.answer)
