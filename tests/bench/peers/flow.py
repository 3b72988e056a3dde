"""What is the flow that every peer runs? It has three desks and the timelines, with the deciders of the product. Its
inputs and outputs are bytes.

Lodgements and arrivals go in. Facts come out: accepted or rejected, assessed, held or released. Goods that need a
control stay held, because inspection and quarantine are left out. A peer provides only the log, the store of states
and its guarantee.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from schemas.envelope import Hearing
from schemas.flow import FLOW
from schemas.topics import KINDS, topic_of
from services.clearance import timeline
from services.declaration import decider as declaration
from services.release import decider as release
from services.risk.decider import RiskDecider
from services.risk.keys import PUBLISHED
from services.shell.codec import Headers, encode
from services.shell.deciding import decide_message
from services.shell.desk import Decider
from services.shell.outcome import Cause, fact_headers

DECIDERS: dict[str, Decider] = {
    "declaration": declaration,
    "risk": RiskDecider(PUBLISHED),
    "release": release,
    "clearance": timeline,
}
READS: dict[str, tuple[str, ...]] = {
    "declaration": ("customs-declaration-requests",),
    "risk": ("customs-declaration-facts",),
    "release": ("customs-risk-facts", "customs-release-requests"),
    "clearance": ("customs-declaration-facts", "customs-risk-facts", "customs-release-facts"),
}
"""The topics that each desk reads here. The product's desks also read topics that have no messages in this flow."""
WRITES: dict[str, tuple[str, ...]] = {
    "declaration": ("customs-declaration-facts",),
    "risk": ("customs-risk-facts",),
    "release": ("customs-release-facts", "customs-release-containers"),
}
HEARS = {desk: frozenset(kind.kind for kind in FLOW[desk]) for desk in DECIDERS}


class Kept(NamedTuple):
    """The value that a peer stores for a key: how many facts the desk has published, and the decider's state."""

    published: int
    state: Any


class InputMessage(NamedTuple):
    """A message that a peer read."""

    partition: int
    offset: int
    value: bytes
    headers: dict[str, bytes]

    @property
    def kind(self) -> str:
        return self.headers["ce_type"].decode()


class OutputMessage(NamedTuple):
    """A message that a peer has to write."""

    topic: str
    key: str
    value: bytes
    headers: Headers


class Work:
    """The part of the flow that one desk does."""

    def __init__(self, desk: str, partitions: int) -> None:
        self.desk, self.partitions = desk, partitions
        self.decider = DECIDERS[desk]
        self.hears = HEARS[desk]
        self.nothing = Kept(0, self.decider.INITIAL)

    def hear(self, kept: Kept | None, source: InputMessage) -> tuple[Kept, list[OutputMessage]]:
        """Decides one message. Returns the new value for the key of the message, and the messages that must be written.
        If nothing changed, the value is `kept`, or `nothing` if `kept` is None."""
        known = kept or self.nothing
        message = KINDS[source.kind].__pydantic_validator__.validate_json(source.value)
        cause = source.headers["ce_id"].decode()
        at = datetime.now(UTC)
        hearing = Hearing(at, cause, source.offset * self.partitions + source.partition)
        facts, state = decide_message(self.decider, known.state, message, hearing, self.desk)
        outputs = [self._output(known.published, fact, cause, at, source, index) for index, fact in enumerate(facts)]
        if state is known.state and not outputs:
            return known, []
        return Kept(known.published + len(outputs), state), outputs

    def _output(
        self, before: int, fact: Any, cause: str, at: datetime, source: InputMessage, index: int
    ) -> OutputMessage:
        correlation = source.headers.get("correlationid", b"").decode() or cause
        time = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
        drawn_from = Cause(cause, correlation, source.headers.get("traceparent", b""))
        told_on = fact_headers(self.desk, fact, index, before + index + 1, drawn_from, time)
        return OutputMessage(topic_of(self.desk, type(fact)), fact.key, encode(fact), told_on)

    def pack(self, kept: Kept) -> bytes:
        """Returns the state as bytes, for a store or a changelog."""
        return b"%d %s" % (kept.published, self.decider.STATE.dump_json(kept.state))

    def unpack(self, data: bytes | None) -> Kept | None:
        if data is None:
            return None
        published, _, state = data.partition(b" ")
        return Kept(int(published), self.decider.STATE.validate_json(state))


def expected(packets: Iterable[tuple[str, str, bytes, Headers]]) -> tuple[set[str], int]:
    """Returns which consignments are released, and how many messages the desks decide; a message that two desks read
    counts twice. Both are computed in memory by the deciders alone.

    `packets`: (consignment, topic, value, headers) in the order in which they are sent.
    """
    works = {desk: Work(desk, 1) for desk in DECIDERS}
    kept: dict[tuple[str, str], Kept] = {}
    released: set[str] = set()
    waiting = [OutputMessage(topic, key, value, headers) for key, topic, value, headers in packets]
    waiting.reverse()
    decided = 0
    while waiting:
        message = waiting.pop()
        source = InputMessage(0, decided, message.value, dict(message.headers))
        if source.kind == "ReleaseGranted":
            released.add(message.key)
        outputs: list[OutputMessage] = []
        for desk, work in works.items():
            if message.topic not in READS[desk] or source.kind not in work.hears:
                continue
            decided += 1
            kept[desk, message.key], facts = work.hear(kept.get((desk, message.key)), source)
            outputs += facts
        waiting += reversed(outputs)
    return released, decided
