"""Are the topics of a running desk still those that it had when it took its partitions over?"""

import math
import time

import structlog
from confluent_kafka import KafkaException

from services.shell.clients import desk_admin
from services.shell.layout import ask, check_partitions, found, ids, topics_of
from services.shell.positions import refuse_replaced
from services.shell.settings import WorkerSettings

SECONDS, LIMIT = 5.0, 2.0
"""The seconds between two requests for the descriptions of the topics, and the most seconds that one request may take."""

log = structlog.get_logger()


class DeskTopics:
    """The topics of one desk. Their ids are compared with the ids at the time when the partitions were taken over.
    Call `connect` first."""

    def __init__(self, desk: str, settings: WorkerSettings) -> None:
        self.ids: dict[str, str] = {}
        """Topic → its id at the time when the partitions were taken over."""
        self._desk, self._settings = desk, settings
        self._asked_at = -math.inf

    def connect(self) -> None:
        """Makes the admin client."""
        self._admin = desk_admin(self._desk, self._settings)

    def describe(self) -> dict[str, str]:
        """Returns topic → its present id. Raises CannotContinue if the number of partitions of a topic has changed, and
        KafkaException if no answer comes in time."""
        self._asked_at = time.monotonic()
        there = found(ask(self._admin, topics_of(self._desk), LIMIT))
        check_partitions(there, self._settings.partitions)
        return ids(there)

    def compare(self) -> None:
        """Compares the topics with `ids`, if the last comparison is at least `SECONDS` ago. Call this often. Raises
        CannotContinue if a topic was deleted or made again. If the broker does not answer, a later call tries again."""
        if time.monotonic() - self._asked_at < SECONDS:
            return
        try:
            now_there = self.describe()
        except KafkaException as problem:
            if problem.args[0].fatal():
                raise
            log.warning("topics not compared", desk=self._desk, error=str(problem.args[0]))
            return
        refuse_replaced(self._desk, self.ids, now_there)
