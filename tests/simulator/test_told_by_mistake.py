"""If a departure was reported by mistake, does the container leave once in the end, and does the ledger know that it
had not left before?

Only the gate desk and the simulator's people take part; each side reads the messages of the other.
"""

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from schemas.envelope import Fact, Hearing, Request, fact_id, request_id
from schemas.release import ContainerFreed
from schemas.topics import topic_of
from services.cli.log import LoggedMessage
from services.cli.mistakes import MistakenMoves, look_for
from services.gate import decider
from services.gate.box import as_box
from services.shell.codec import encode
from services.shell.deciding import decide_message
from services.shell.desk import Desk
from services.simulator.acts import acts_as_sent
from services.simulator.day import Day, Stay
from services.simulator.mistakes import Mistakes
from services.simulator.people import People
from services.simulator.player import KINDS, SENDER

GATE = Desk.of("gate", decider)
START = datetime(2026, 11, 23, tzinfo=UTC)
DAY = Day(1, 2000, START)
GOODS = [DAY.plan(index) for index in range(2000) if DAY.plan(index).declaration.containers]
MISTAKEN = [
    plan for plan in GOODS if plan.declaration.direction.value == "I" and Mistakes(DAY).is_mistaken(DAY.box(plan.index))
]


@dataclass
class SentMessage:
    """A message, its id, and when it was sent."""

    id: str
    message: Fact | Request
    at: datetime


def play(box: str, consignment: str, gap: timedelta) -> list[SentMessage]:
    """All messages about a container since its release. Each message comes `gap` after its cause."""
    people, state, at = People(DAY), decider.INITIAL, START
    freed = ContainerFreed(
        container_no=box,
        occurred_at=START,
        consignment_id=consignment,
        shared_by=1,
        version=2,
        released=True,
        arrived_at=START,
    )
    queue, messages, sent = deque([SentMessage("release", freed, START)]), list[SentMessage](), set[str]()
    while queue:
        message = queue.popleft()
        messages.append(message)
        at = max(at, message.at) + gap
        hearing = Hearing(at, message.id, len(messages), message.at)
        facts, state = decide_message(GATE.decider, state, message.message, hearing, GATE.name)
        for number, fact in enumerate(facts):
            messages.append(SentMessage(fact_id("gate", message.id, number), fact, at))
            if fact.kind not in KINDS:
                continue
            for act in acts_as_sent(people.react(fact), SENDER, {}, at + gap):
                name = request_id(SENDER, act.name)
                if name not in sent:
                    sent.add(name)
                    queue.append(SentMessage(name, act.request, at + gap))
    assert as_box(state).published == "gone"
    return messages


@pytest.mark.parametrize("gap", [timedelta(milliseconds=5), timedelta(minutes=20)])
@pytest.mark.parametrize("plan", MISTAKEN, ids=lambda plan: str(plan.index))
def test_it_leaves_once_after_the_mistake_was_taken_back(plan: object, gap: timedelta) -> None:
    index: int = plan.index  # type: ignore[attr-defined]
    box, consignment = DAY.box(index), DAY.plan(index).consignment_id
    messages = play(box, consignment, gap)
    kinds = [each.message.kind for each in messages if each.message.key == consignment]
    assert kinds[:3] == ["ConsignmentGatedOut", "DepartureRetracted", "ConsignmentGatedOut"]
    assert set(kinds[3:]) <= {"ConsignmentGatedOut"}, "a correction is told again"
    assert not [each for each in messages if each.message.kind in ("GateAlarmRaised", "RequestRefused")]
    stays = {box: [Stay((consignment,), imported=True)]}
    mistakes = MistakenMoves()
    look_for(mistakes, entries(messages, consignment), stays)
    assert (mistakes.left_by_mistake, mistakes.kept_by_mistake) == ([], []) and mistakes.stays["left"] == 1
    only_by_mistake = [e for e in entries(messages, consignment) if not _leaves(e) or e.body.get("place") == "G7"]
    kept = MistakenMoves()
    look_for(kept, only_by_mistake, stays)
    assert len(kept.kept_by_mistake) == 1, "what was told by mistake is no departure"


def test_the_day_has_a_few_of_them() -> None:
    assert 5 < len(MISTAKEN) < 60


def _leaves(entry: LoggedMessage) -> bool:
    return entry.kind == "RecordGateOut" or (entry.kind == "RecordEquipmentEvent" and entry.body["event"] == "GTOT")


def entries(messages: list[SentMessage], consignment: str) -> list[LoggedMessage]:
    """The release, and the requests among these messages, as log entries."""
    found = [
        LoggedMessage(
            "customs-release-facts",
            0,
            0,
            consignment,
            {"ce_source": "/desks/release", "ce_type": "ReleaseGranted", "ce_id": "granted"},
            b'{"containers": ["%s"]}' % messages[0].message.key.encode(),
            1,
        )
    ]
    for number, each in enumerate(messages, start=2):
        if isinstance(each.message, Request):
            headers = {"ce_source": SENDER, "ce_type": each.message.kind, "ce_id": each.id}
            topic = topic_of("anyone", type(each.message))
            found.append(LoggedMessage(topic, 0, number, each.message.key, headers, encode(each.message), number))
    return found
