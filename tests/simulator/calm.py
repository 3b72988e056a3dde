"""How do tests play a simulated day with the real desks, without a broker? People do only what the simulator plans."""

from datetime import datetime

from schemas.envelope import Request
from services.cli.log import LoggedMessage
from services.simulator.acts import acts_as_sent
from services.simulator.exits import Exits
from services.simulator.player import KINDS, SENDER
from tests.console.simulated import Simulated


class Calm(Simulated):
    """A simulated day. `entries`: all messages in order. If `paced` is true, people act after the time that they need.
    Otherwise people act at once, and events happen when the fact that causes them is read."""

    def __init__(self, consignments: int, seed: int, *, paced: bool) -> None:
        self.paced = paced
        self.entries: list[LoggedMessage] = []
        self._sent: set[str] = set()
        self._exits = Exits()
        super().__init__(consignments, seed)

    def ask(self, name: str, request: Request, at: datetime) -> None:
        if name not in self._sent:
            self._sent.add(name)
            super().ask(name, request, at)

    def write(self, topic: str, key: str, value: bytes | None, headers: dict[str, bytes], at: datetime) -> None:
        super().write(topic, key, value, headers, at)
        read_headers = {name: text.decode() for name, text in headers.items()}
        offset, moment = len(self.topics[topic]) - 1, len(self.entries)
        self.entries.append(LoggedMessage(topic, 0, offset, key, read_headers, value, moment))

    def _react(self, kind: str, key: str, value: bytes | None, at: datetime) -> None:
        if (plan := self._returning.due_after(kind, key)) is not None:
            self._lodge(plan, at)
        if kind in KINDS:
            fact = KINDS[kind].read_stored(value or b"")
            reactions = self._people.react(fact)
            caused = [reactions] if self.paced else self._exits.caused(fact, reactions)
            for acts in caused:
                for act in acts_as_sent(acts, SENDER, {}, None if self.paced else at):
                    early = act.at if self.paced else at
                    self._put(max(early, act.not_before or early, at), act.name, act.request)
