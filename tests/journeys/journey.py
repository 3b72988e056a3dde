"""Which facts follow from a request once every desk has read everything? All services run in memory and exchange their
messages there."""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from schemas.envelope import Deadline, DeadlinePassed, Fact, Hearing, Message, Request, RequestRefused, deadline_id
from schemas.envelope import fact_id as id_of
from schemas.flow import FLOW, REFUSALS
from schemas.topics import SERVICES, topic_of
from services.risk.keys import PUBLISHED
from services.shell.deciding import decide_message
from services.worker import desks
from tests.voice import NOON

DECIDERS: dict[str, Any] = {desk.name: desk.decider for desk in desks(SERVICES, PUBLISHED)}


@dataclass
class Journey:
    """One consignment on its way through all services, each with one state per key.

    In a step, `when` sends one request, or `when_time_passes` moves the clock. The desks then read until no message is
    unread, while the clock stands still. `then` compares all facts that the desks published in the step, desk by desk
    and in order. If the facts of a step were not compared, the next step fails.
    """

    at: datetime = NOON
    states: dict[tuple[str, str], Any] = field(default_factory=dict)
    unread: deque[tuple[str, str, Message]] = field(default_factory=deque)
    """Service, message id and message, in the order in which they were sent."""
    facts: dict[str, tuple[Fact, ...]] = field(default_factory=dict)
    """Desk → the facts that it published in the last step. Desks without facts are left out."""
    compared: bool = True

    def when(self, request: Request, request_id: str, *, after: timedelta = timedelta()) -> "Journey":
        """Sends `request`, `after` later than the last step, or at the request's own event time if that is later."""
        self.at = max(self.at + after, request.occurred_at)
        readers = [name for name in FLOW if type(request) in FLOW[name]]
        return self._step([(name, request_id, request) for name in readers])

    def when_time_passes(self, until: datetime) -> "Journey":
        """Sets the clock to `until`, and lets the desks decide all time limits that have passed by then."""
        self.at = until
        return self._step(
            [(desk, deadline_id(desk, key, each), self._passed(key, each)) for desk, key, each in self.limits(until)]
        )

    def limits(self, until: datetime) -> list[tuple[str, str, Deadline]]:
        """All time limits that pass by `until`, each with its desk and key, the earliest first."""
        found = [
            (desk, key, each)
            for (desk, key), state in self.states.items()
            for each in DECIDERS[desk].deadlines(state)
            if each.due <= until
        ]
        return sorted(found, key=lambda limit: limit[2].due)

    @staticmethod
    def _passed(key: str, limit: Deadline) -> DeadlinePassed:
        return DeadlinePassed(subject=key, name=limit.name, due=limit.due)

    def _step(self, messages: list[tuple[str, str, Message]]) -> "Journey":
        assert self.compared, f"the facts of the step before were not compared: {self.facts}"
        published: dict[str, list[Fact]] = defaultdict(list)
        self.unread.extend(messages)
        while self.unread:
            desk, message_id, message = self.unread.popleft()
            for index, fact in enumerate(self._decide(desk, message_id, message)):
                published[desk].append(fact)
                self._send(desk, id_of(desk, message_id, index), fact)
        self.facts, self.compared = {desk: tuple(facts) for desk, facts in published.items()}, False
        return self

    def _decide(self, desk: str, message_id: str, message: Message) -> tuple[Fact, ...]:
        decider, key = DECIDERS[desk], str(message.key)
        state = self.states.get((desk, key), decider.INITIAL)
        hearing = Hearing(self.at, message_id, 1, self.at)
        facts, state = decide_message(decider, state, message, hearing, desk)
        self.states[desk, key] = decider.STATE.validate_json(decider.STATE.dump_json(state))
        return facts

    def _send(self, desk: str, fact_id: str, fact: Fact) -> None:
        assert topic_of(desk, type(fact)), "it has a topic"
        for reader, causes in FLOW.items():
            if isinstance(fact, RequestRefused) and desk not in REFUSALS.get(reader, ()):
                continue
            if type(fact) in causes:
                self.unread.append((reader, fact_id, fact))

    def then(self, **facts: tuple[Fact, ...]) -> "Journey":
        """Checks that the desks published exactly these facts. The facts of each desk must have this order, and a desk
        that is not named must have published nothing."""
        assert self.facts == facts
        self.compared = True
        return self

    def state(self, desk: str, key: str) -> Any:
        return self.states[desk, key]
