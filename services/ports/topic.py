"""How does a port follow the topics? kafka-python, committed messages only, the place kept by the port itself."""

from types import TracebackType
from typing import Any, Self

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from services.ports.notebook import Answer, Entry, Notebook
from services.ports.notice import TOPICS, Away, Handler, Notice, Unread, from_topic
from services.shell.clock import stopwatch
from services.shell.codec import Raw


class TopicPort:
    """Reads every partition of the two topics; no consumer group, so nothing is kept on the broker."""

    def __init__(self, bootstrap: str, notebook: Notebook, **options: Any) -> None:
        """`options` go to kafka-python: security_protocol, sasl_mechanism and the like."""
        self.notebook = notebook
        try:
            self._consumer = KafkaConsumer(
                bootstrap_servers=bootstrap.split(","),
                isolation_level="read_committed",
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                **options,
            )
            self._places = [
                TopicPartition(topic, number)
                for topic in TOPICS
                for number in sorted(self._consumer.partitions_for_topic(topic) or ())
            ]
            if {place.topic for place in self._places} != set(TOPICS):
                raise Away(f"{bootstrap} does not have the topics {', '.join(TOPICS)}")
            self._consumer.assign(self._places)
            self._go_on()
        except KafkaError as error:
            raise Away(f"no Kafka cluster answers at {bootstrap}: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._consumer.close()

    def read(self, handler: Handler, wait_seconds: float) -> int:
        """Hands over what came within `wait_seconds`; how many. Whatever the handler raises undoes the reading of that topic."""
        try:
            came = self._consumer.poll(timeout_ms=int(wait_seconds * 1000))
            return sum([self._take(topic, came, handler) for topic in TOPICS])
        except (KafkaError, UnicodeDecodeError) as error:  # the name of a header may be rubbish too
            self._go_on()
            raise Away(f"the topics cannot be read: {error}") from error
        except BaseException:
            self._go_on()
            raise

    def catch_up(self, handler: Handler, seconds: float) -> None:
        """Reads until everything committed before this call was taken; Away when it does not get there in time."""
        deadline = stopwatch() + seconds
        try:
            ends = self._consumer.end_offsets(self._places)
        except KafkaError as error:
            raise Away(f"the ends of the topics are not known: {error}") from error
        while any(self._consumer.position(place) < end for place, end in ends.items()):
            if stopwatch() > deadline:
                raise Away(f"not up to date within {seconds:g} s")
            self.read(handler, 0.2)

    def ask(self, container_no: str, handler: Handler, seconds: float = 10) -> Answer:
        """May it leave, now? First everything that was said until now is taken, as `read` would."""
        try:
            self.catch_up(handler, seconds)
        except Away as error:
            return Answer(False, "stale", str(error))
        return self.notebook.ask(container_no)

    def _take(self, topic: str, came: dict[Any, list[Any]], handler: Handler) -> int:
        entries = [entry(m) for place, messages in came.items() if place.topic == topic for m in messages]
        return self.notebook.take(topic, entries, handler) if entries else 0

    def _go_on(self) -> None:
        """From where the notebook says."""
        known = {topic: self.notebook.places(topic) for topic in TOPICS}
        for place in self._places:
            if (wanted := known[place.topic].get(place.partition)) is None:
                self._consumer.seek_to_beginning(place)
            else:
                self._consumer.seek(place, wanted)


def entry(m: Any) -> Entry:
    """A message of kafka-python as an entry."""
    headers = {name: value or b"" for name, value in m.headers}
    said: Notice | Unread | None = from_topic(Raw(m.topic, m.partition, m.offset, m.key, m.value, headers))
    return Entry(m.partition, m.offset, m.offset + 1, said)
