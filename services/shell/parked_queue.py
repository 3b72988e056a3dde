"""How does a turn park a message? It publishes `MessageParked`, and counts the message in the record of its key.

The messages themselves are in the parked topic. The record of a key has only the origins of the first and the last
parked message and their count. `services/shell/replay.py` decides the messages again.
"""

from datetime import datetime

from schemas.parking import Origin, Parking
from services.shell.codec import Raw
from services.shell.outcome import Outcome, Output
from services.shell.overlay import OverlayEntry
from services.shell.parking import ParkedReader, Trouble, parked_fact, parking_headers, topic_and_value
from services.shell.store import WaitingMessages


class ParkedQueue:
    """Parks messages of one service in one turn. `time`: the value of `at` as the text of a header."""

    def __init__(self, service: str, at: datetime, time: str, reader: ParkedReader, outcome: Outcome) -> None:
        self._service, self._at, self._time, self._reader, self._outcome = service, at, time, reader, outcome

    def park(self, entry: OverlayEntry, key: str, message: Raw, trouble: Trouble) -> None:
        """Parks the message behind those messages of its key that are already parked."""
        origin = Origin(message.topic, message.partition, message.offset)
        record = entry.record
        waiting = record.waiting
        if waiting is None:
            waiting = record.waiting = WaitingMessages(self._reader.end(message.partition), 0, origin, origin)
        waiting.count, waiting.last = waiting.count + 1, origin
        entry.parked_now += 1
        self.park_again(entry, key, message, trouble, message.partition, 1)

    def park_again(
        self, entry: OverlayEntry, key: str, message: Raw, trouble: Trouble, partition: int, attempt: int
    ) -> None:
        """Publishes why a message is parked. `attempt`: how often the message has failed. The message is counted only at the first
        attempt, because at later ones it is already parked."""
        entry.dirty = True
        if attempt == 1:
            self._outcome.count_parked(trouble.reason)
        self.announce(parked_fact(self._service, key, message, trouble, self._at, attempt), partition, attempt)

    def announce(self, fact: Parking, partition: int, attempt: int = 1) -> None:
        """Publishes a parking fact. `attempt`: how often the parked message has failed."""
        topic, value = topic_and_value(fact)
        headers = parking_headers(fact, self._time, attempt)
        self._outcome.outputs.append(Output(topic, fact.subject, value, headers, partition))
