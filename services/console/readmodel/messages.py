"""How does the projector read one Kafka message? Headers and key are decoded here; the value is decoded later, if a row needs it."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from schemas.topics import FACTS_AND_REQUESTS, PARKED, ROLES
from services.shell.codec import CARRIED, headers_of, moment_of, sequence_of

TOPIC_NUMBERS: dict[str, int] = {
    "customs-declaration-requests": 1,
    "customs-declaration-facts": 2,
    "customs-risk-facts": 3,
    "customs-inspection-requests": 4,
    "customs-inspection-facts": 5,
    "customs-quarantine-requests": 6,
    "customs-quarantine-facts": 7,
    "customs-release-requests": 8,
    "customs-release-facts": 9,
    "customs-release-containers": 10,
    "customs-gate-requests": 11,
    "customs-gate-facts": 12,
    "customs-gate-departures": 13,
    "customs-declaration-successors": 21,
    "customs-release-watches": 22,
}
"""Topic → its number. The numbers are part of every packed position in the database, so a number is given once and never changes."""
PARKED_NUMBERS: dict[str, int] = {
    "customs-declaration-parked": 14,
    "customs-risk-parked": 15,
    "customs-inspection-parked": 16,
    "customs-quarantine-parked": 17,
    "customs-release-parked": 18,
    "customs-gate-parked": 19,
    "customs-clearance-parked": 20,
}
"""Topic → its number, for the parked topics. Their messages have no rows in `tables.FACTS`. But if such a message
cannot be projected, its packed position identifies the alarm about it."""
_NUMBERS = TOPIC_NUMBERS | PARKED_NUMBERS
TOPIC_NAMES = {number: name for name, number in _NUMBERS.items()}
TOPICS: tuple[str, ...] = (*(t.name for t in FACTS_AND_REQUESTS), *(t.name for t in PARKED))
"""The topics that the projector reads."""
OFFSET_BITS = 43
"""How many bits the offset has in a packed position. Topic and partition are in the higher bits."""
OFFSET_MASK = (1 << OFFSET_BITS) - 1
LONGEST_KEY = 200
LONGEST_REQUEST = 4_000_000
"""The most bytes that the value of a request may have. Anybody may write to a request topic. A longer request gets no row, because its
desk parks it."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_US = (datetime(2000, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_LAST_US = (datetime(2101, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1) - 1


class TopicMessage(NamedTuple):
    """One message of a fact or request topic. `position`: its packed position; `recorded_us`: microseconds since 1970 UTC; `value`: the
    bytes of the value, not decoded."""

    position: int
    topic: str
    kind: str
    key: str
    id: str
    cause: str
    sequence: int
    recorded_us: int
    value: bytes


class Unreadable(Exception):
    """The message cannot be made into a row; the text says why."""


def packed_position(topic: str, partition: int, offset: int) -> int:
    """Returns the position of a message as one number of 63 bits: 6 for the topic, 14 for the partition, 43 for the offset."""
    return _NUMBERS[topic] << OFFSET_BITS + 14 | partition << OFFSET_BITS | offset


def origin(number: int) -> tuple[str, int, int]:
    """Returns topic, partition and offset of a packed position. If the topic's number is unknown, the topic is called `topic <number>`."""
    topic = number >> OFFSET_BITS + 14
    return TOPIC_NAMES.get(topic, f"topic {topic}"), number >> OFFSET_BITS & 0x3FFF, number & (1 << OFFSET_BITS) - 1


def read_message(message: Any) -> TopicMessage:
    """Returns the content of a confluent-kafka message, which must not be an error event. Raises Unreadable if headers, key or value are
    not those of a message of its topic."""
    topic = message.topic()
    value, key = message.value(), message.key()
    try:
        headers = headers_of(message)
        kind = headers["ce_type"].decode()
        is_request = ROLES[topic] == "requests"
        if not value or not key or kind not in CARRIED[topic]:
            raise Unreadable(f"{kind!r} without key or value, or not on {topic}")
        if not is_request and (len(key) > LONGEST_KEY or b"\0" in key or b"\0" in value):
            raise Unreadable(f"{kind} with a key of {len(key)} bytes, or with a NUL")
        if is_request and (len(key) > LONGEST_KEY or len(value) > LONGEST_REQUEST or b"\0" in key + value):
            raise Unreadable(f"{kind} is no request of ours: {len(key)} bytes of key, {len(value)} of value, or a NUL")
        return TopicMessage(
            packed_position(topic, message.partition(), message.offset()),
            topic,
            kind,
            key.decode(),
            _id(headers["ce_id"]),
            _id(headers.get("causationid", b"")),
            0 if is_request else sequence_of(headers.get("sequence")),
            _recorded(headers["ce_time"].decode()),
            value,
        )
    except (KeyError, AttributeError, TypeError, ValueError, OverflowError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from None


def _id(header: bytes) -> str:
    text = header[:LONGEST_KEY].decode()
    return text.replace("\0", "") if "\0" in text else text


@lru_cache(maxsize=8192)  # the facts of one turn of a desk have the same time
def _recorded(moment: str) -> int:
    return (moment_of(moment) - _EPOCH) // timedelta(microseconds=1)


@lru_cache(maxsize=8192)
def micros(moment: str) -> int:
    """Returns the microseconds since 1970 UTC of a time in RFC 3339 form. Raises ValueError if the text is not such a time, has no time
    zone, or is not within the years 2000 to 2100."""
    parsed = datetime.fromisoformat(moment)
    if parsed.tzinfo is None:
        raise ValueError(f"{moment!r} has no zone")
    found = (parsed - _EPOCH) // timedelta(microseconds=1)
    if found != bounded(found):
        raise ValueError(f"{moment!r} is not between the years 2000 and 2100")
    return found


def bounded(us: int) -> int:
    """Returns this time (microseconds since 1970 UTC) if it is within the years 2000 to 2100, else the nearest time within them. Times of
    these years can be stored in every column of the database, and be shown on every page in any time zone."""
    return min(max(us, _FIRST_US), _LAST_US)


def text(value: Any) -> str:
    """Returns the value if it is a text. Raises ValueError if it is not, because PostgreSQL's `unnest` would split a list and shift the
    values of other rows."""
    if type(value) is not str:
        raise ValueError("not a text")
    return value


def whole(number: Any) -> int:
    """Returns the number if it is an integer from 0 to 2**63 - 1, which a column can hold. Raises ValueError if it is not."""
    if type(number) is not int or not 0 <= number < 1 << 63:
        raise ValueError("not a whole number of 63 bits")
    return number


def moment(us: int) -> datetime:
    """Returns these microseconds since 1970 UTC as a datetime in UTC. A time outside of the years 2000 to 2100 becomes
    the nearest time within them, because older software versions stored any time."""
    return _EPOCH + timedelta(microseconds=bounded(us))
