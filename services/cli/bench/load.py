"""How are lodgements offered so that a latency can be believed?

An open-loop generator: lodgements leave when they are due, whether or not the desks keep up, and a latency counts from
the moment the lodgement was due (no coordinated omission).
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from confluent_kafka import Producer

from schemas.declaration import Declaration, LodgeDeclaration
from schemas.envelope import Request, request_id
from schemas.topics import topic_of
from services.shell import clients
from services.shell.access import Access, access_to
from services.shell.advance import Advance, unreported
from services.shell.codec import encode, request_headers
from services.simulator.day import Day

SENDER = "/bench"
QUIET_SECONDS = 120
"""After so long without any consignment coming to its end, those that are left count as lost."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One request, packed before the clock runs. `subject`: the consignment."""

    subject: str
    topic: str
    value: bytes
    headers: list[tuple[str, bytes]]


@dataclass
class Phase:
    """One run: when each consignment was due and when it was seen to end, in seconds of the monotonic clock.

    `treated`: consignments that had to wait for a treatment, which takes its hours however fast the desks are.
    """

    due: dict[str, float] = field(default_factory=dict)
    seen: dict[str, float] = field(default_factory=dict)
    treated: set[str] = field(default_factory=set)
    began: float = 0.0
    late: float = 0.0
    """How far the generator itself fell behind at worst, seconds."""

    def rate(self) -> float:
        """Consignments a second from the first lodgement to the last end, those that were treated left out."""
        ends = [end for key, end in self.seen.items() if key not in self.treated]
        return len(ends) / (max(ends) - self.began)

    def latencies(self, of: set[str]) -> list[float]:
        """Seconds from due to end of these consignments, shortest first."""
        return sorted(self.seen[key] - self.due[key] for key in self.seen if key in of)


def due_times(began: float, count: int, rate: float) -> Iterator[float]:
    """When each of `count` lodgements is due: `rate` a second, evenly; 0 is all at once."""
    for number in range(count):
        yield began + (number / rate if rate else 0.0)


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the ordered values does not exceed (nearest rank); NaN of nothing."""
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def sender(kafka: Access | str) -> Producer:
    """An idempotent producer like a declarant's."""
    return clients.sender(access_to(kafka), linger_ms=2, queued=1_000_000)


def packed(name: str, request: Request) -> Packet:
    """The request with its headers; its id comes from `name`."""
    asked = request_id(SENDER, name)
    told = request_headers(request, asked, SENDER, request.occurred_at.isoformat())
    return Packet(request.key, topic_of("anyone", type(request)), encode(request), told)


MOST_OF_A_LINE_KG = Decimal(300)
"""Fifty lines, and as many of a neighbour's, go into one container."""


def lodgements(day: Day, first: int, count: int, lines: int = 0) -> list[Packet]:
    """The lodgements of `count` plans from index `first` on; each with `lines` lines of goods, 0: as planned."""
    packets = []
    for index in range(first, first + count):
        plan = day.plan(index)
        said = with_lines(plan.declaration, lines) if lines else plan.declaration
        request = LodgeDeclaration(
            consignment_id=plan.consignment_id,
            asked_by=said.declarant,
            occurred_at=plan.lodged_at,
            declaration=said,
        )
        packets.append(packed(f"{plan.consignment_id}/lodge", request))
    return packets


def with_lines(said: Declaration, lines: int) -> Declaration:
    """The same paper with one unit of its first line written `lines` times, light enough for its container, its totals in agreement."""
    of = said.items[0]
    mass = min(of.net_mass_kg / of.quantity, MOST_OF_A_LINE_KG).quantize(Decimal("0.01"))
    first = of.model_copy(update={"quantity": Decimal(1), "net_mass_kg": mass, "total_price": of.unit_price})
    net = first.net_mass_kg * lines
    return said.model_copy(
        update={
            "items": (first,) * lines,
            "net_mass_kg": net,
            "gross_mass_kg": (net * Decimal("1.08")).quantize(Decimal("0.01")) + 1,
            "invoice_total": first.total_price * lines,
        }
    )


def offer(producer: Producer, packets: Sequence[Packet], rate: float, phase: Phase) -> None:
    """Sends each packet when it is due and notes that moment; returns when the broker has them all."""
    phase.began = time.monotonic()
    for number, due in enumerate(due_times(phase.began, len(packets), rate)):
        packet = packets[number]
        while (ahead := due - time.monotonic()) > 0:
            producer.poll(min(ahead, 0.01))
        phase.late = max(phase.late, -ahead) if rate else 0.0
        phase.due[packet.subject] = due
        producer.produce(packet.topic, key=packet.subject, value=packet.value, headers=packet.headers)
        if number % 100 == 0:
            producer.poll(0)
    producer.flush(QUIET_SECONDS)


def wait_until(done: Callable[[], int], count: int, advance: Advance = unreported) -> None:
    """Until `done` says `count`; RuntimeError when it has not moved for two minutes. `advance` is told how many more are done."""
    quiet, known = time.monotonic(), done()
    advance(known)
    while known < count:
        time.sleep(0.02)
        now = done()
        if now != known:
            advance(now - known)
            quiet, known = time.monotonic(), now
        if time.monotonic() - quiet > QUIET_SECONDS:
            raise RuntimeError(f"{count - known} of {count} consignments have no end after two quiet minutes")
