"""How are lodgements sent so that the measured latency is true?

The generator is an open loop: lodgements are sent when they are due, whether or not the desks keep up, and a latency counts from the
moment at which the lodgement was due (no coordinated omission).
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
QUIET_SECONDS = 300
"""After so many seconds in which no consignment comes to its end, those that are left count as lost. Three attempts of the longest
treatment take less by the clock of a benchmark (`rig.SPEED`)."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One request, encoded before the measurement begins. `subject`: the consignment."""

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
    ended: dict[str, float] = field(default_factory=dict)
    treated: set[str] = field(default_factory=set)
    began: float = 0.0
    late: float = 0.0
    """How far the generator itself was behind at worst, in seconds."""

    def rate(self) -> float:
        """Consignments a second from the first lodgement to the last end, without those that were treated."""
        ends = [end for key, end in self.ended.items() if key not in self.treated]
        return len(ends) / (max(ends) - self.began)

    def latencies(self, of: set[str]) -> list[float]:
        """Seconds from due to end of these consignments, shortest first."""
        return sorted(self.ended[key] - self.due[key] for key in self.ended if key in of)


def due_times(began: float, count: int, rate: float) -> Iterator[float]:
    """When each of `count` lodgements is due: `rate` a second, evenly; 0 is all at once."""
    for number in range(count):
        yield began + (number / rate if rate else 0.0)


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the ordered values does not exceed (nearest rank); NaN if there are no values."""
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def sender(kafka: Access | str) -> Producer:
    """An idempotent producer like a declarant's."""
    return clients.sender(access_to(kafka), linger_ms=2, queued=1_000_000)


def packed(name: str, request: Request) -> Packet:
    """The request with its headers; its id comes from `name`."""
    id_ = request_id(SENDER, name)
    headers = request_headers(request, id_, SENDER, request.occurred_at.isoformat())
    return Packet(request.key, topic_of("anyone", type(request)), encode(request), headers)


MOST_OF_A_LINE_KG = Decimal(300)
"""Largest net mass of a line, so that fifty lines, and as many of another consignment, fit into one container."""


def lodgements(day: Day, first: int, count: int, lines: int = 0) -> list[Packet]:
    """The lodgements of `count` plans from index `first` on; each with `lines` lines of goods, 0: as planned."""
    packets = []
    for index in range(first, first + count):
        plan = day.plan(index)
        declaration = with_lines(plan.declaration, lines) if lines else plan.declaration
        request = LodgeDeclaration(
            consignment_id=plan.consignment_id,
            asked_by=declaration.declarant,
            occurred_at=plan.lodged_at,
            declaration=declaration,
        )
        packets.append(packed(f"{plan.consignment_id}/lodge", request))
    return packets


def with_lines(declaration: Declaration, lines: int) -> Declaration:
    """The declaration with one unit of its first line repeated `lines` times, light enough for its container and with totals that
    agree."""
    of = declaration.items[0]
    mass = min(of.net_mass_kg / of.quantity, MOST_OF_A_LINE_KG).quantize(Decimal("0.01"))
    first = of.model_copy(update={"quantity": Decimal(1), "net_mass_kg": mass, "total_price": of.unit_price})
    net = first.net_mass_kg * lines
    return declaration.model_copy(
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
    """Waits until `done` returns `count`; RuntimeError if its value does not change for QUIET_SECONDS. `advance` is called with the
    number by which the value has grown."""
    quiet, known = time.monotonic(), done()
    advance(known)
    while known < count:
        time.sleep(0.02)
        now = done()
        if now != known:
            advance(now - known)
            quiet, known = time.monotonic(), now
        if time.monotonic() - quiet > QUIET_SECONDS:
            raise RuntimeError(
                f"{count - known} of {count} consignments have no end after {QUIET_SECONDS} quiet seconds"
            )
