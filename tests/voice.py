"""How are tests of deciders written? `story(decider, past, ...).when(message).then(fact, ...)`; the desk must
publish exactly these facts, in this order."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.envelope import AboutPartition, Deadline, Fact, Hearing, Message, Request, RequestRefused
from schemas.vocabulary import consignment_id
from services.shell.deciding import decide_message

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CONSIGNMENT = consignment_id("91350100M000100Y43", "R-1")
"""The id of the goods in the declaration of `tests.declaration.good`."""


def after(minutes: float) -> datetime:
    """When a story reads message number `minutes`, unless the event time of the message is later."""
    return NOON + timedelta(minutes=minutes)


@dataclass
class Story:
    """A desk that has read some messages. Message number n has the id `m<n>`. It is read n minutes after noon, or at
    its event time if that is later. `at`: when the last message was read.

    Every test also fails if the desk changes the state object that it was given, or if a refused request changes the
    state.
    """

    decider: Any
    state: Any
    count: int = 0
    facts: tuple[Fact, ...] = ()
    answer: tuple[Fact, ...] = ()
    at: datetime = NOON
    shared: object = None
    """The state of the record that the desk keeps for the whole partition."""

    def when(
        self,
        message: Message,
        *,
        message_id: str | None = None,
        at: datetime | None = None,
        recorded: datetime | None = None,
    ) -> "Story":
        """Lets the desk read `message`; `answer` then has the facts of this message. `at`: when the desk reads it;
        `recorded`: the recorded time in its header, if it has one."""
        self.count += 1
        self.at = at or max(NOON + timedelta(minutes=self.count), getattr(message, "occurred_at", NOON))
        hearing = Hearing(self.at, message_id or f"m{self.count}", self.count, recorded, self.shared)
        dump, before = self.decider.STATE.dump_json, self.state
        written = dump(before)
        self.answer, self.state = decide_message(self.decider, before, message, hearing)
        assert dump(before) == written, "deciding leaves the state alone that it was given"
        if isinstance(message, Request) and [type(fact) for fact in self.answer] == [RequestRefused]:
            assert self.state == before, "a refused request changes nothing"
        assert self.decider.STATE.validate_json(dump(self.state)) == self.state, "the state must survive its own JSON"
        self.facts += self.answer
        return self

    def then(self, *expected: Fact) -> "Story":
        """Checks that the answer is exactly these facts, in this order."""
        assert self.answer == expected
        return self

    def then_refused(self, code: str) -> "Story":
        """Checks that the last message was refused with this code, without any other fact."""
        [refusal] = self.answer
        assert isinstance(refusal, RequestRefused), refusal
        assert refusal.code == code
        return self

    def deadlines(self) -> tuple[Deadline, ...]:
        result: tuple[Deadline, ...] = self.decider.deadlines(self.state)
        return result


def story(decider: Any, *past: Message) -> Story:
    """A desk that has read `past`."""
    desk = Story(decider, decider.INITIAL)
    for message in past:
        desk.when(message)
    return desk


def keeps_its_promises(decider: Any, messages: Iterable[Message | tuple[str, Message]]) -> Story:
    """Checks what every desk guarantees for every message: if the same message is read again at once, there is no fact
    and no change. Two kinds of messages may be refused when they are read again: a request that was refused the first
    time, and a request about a watch, because the watch is then placed or lifted already. `Story.when` checks the other
    guarantees. An item of `messages` is a message, or a pair of message id and message."""
    story = Story(decider, decider.INITIAL)
    for number, each in enumerate(messages):
        message_id, message = each if isinstance(each, tuple) else (f"once-{number}", each)
        story.when(message, message_id=message_id)
        first, before = story.answer, story.state
        story.when(message, message_id=message_id)
        was_refused = isinstance(message, AboutPartition) or any(isinstance(fact, RequestRefused) for fact in first)
        assert story.answer == () or was_refused, (message, story.answer)
        assert all(isinstance(fact, RequestRefused) for fact in story.answer), (message, story.answer)
        assert story.state == before
    return story
