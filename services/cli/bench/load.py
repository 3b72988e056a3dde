"""How are lodgements sent so that the measured latency is true?

The generator is an open loop: each lodgement is sent when it is due, even if the desks do not keep up. A latency counts from the
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
"""If no consignment reaches its end for this many real seconds, the consignments without an end count as lost. Three
attempts of the longest treatment take less time, because the clock of a benchmark runs faster (`rig.SPEED`)."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One request, which is encoded before the measurement begins. `subject`: the id of the consignment."""

    subject: str
    topic: str
    value: bytes
    headers: list[tuple[str, bytes]]


@dataclass
class Phase:
    """The times of one run, in seconds of the monotonic clock. `due`: consignment → when its lodgement was due; `ended`: consignment
    → when the benchmark read that it had reached its end; `began`: when the run began.

    `treated`: consignments that had to wait for a treatment. A treatment takes its hours even if the desks are fast.
    """

    due: dict[str, float] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)
    treated: set[str] = field(default_factory=set)
    began: float = 0.0
    late: float = 0.0
    """The most seconds by which the generator itself was late with a lodgement."""

    def rate(self) -> float:
        """Returns how many consignments ended per second, from the first lodgement to the last end. Consignments that
        were treated do not count."""
        ends = [end for key, end in self.ended.items() if key not in self.treated]
        return len(ends) / (max(ends) - self.began)

    def latencies(self, of: set[str]) -> list[float]:
        """Returns the seconds from the due time to the end of each of these consignments, the shortest first."""
        return sorted(self.ended[key] - self.due[key] for key in self.ended if key in of)


def due_times(began: float, count: int, rate: float) -> Iterator[float]:
    """Yields the time at which each of `count` lodgements is due: `rate` a second in equal intervals from `began` on; with rate 0,
    all at `began`."""
    for number in range(count):
        yield began + (number / rate if rate else 0.0)


def percentile(ordered: Sequence[float], share: float) -> float:
    """Returns a percentile by nearest rank: the smallest of the ordered values for which at least this share (0 to 1) of the values
    is not larger. Returns NaN if there are no values."""
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def sender(kafka: Access | str) -> Producer:
    """Returns an idempotent producer with the same settings as that of a declarant."""
    return clients.sender(access_to(kafka), linger_ms=2, queued=1_000_000)


def packed(name: str, request: Request) -> Packet:
    """Encodes the request, with its headers. Its id is made from `name`."""
    id_ = request_id(SENDER, name)
    headers = request_headers(request, id_, SENDER, request.occurred_at.isoformat())
    return Packet(request.key, topic_of("anyone", type(request)), encode(request), headers)


MOST_OF_A_LINE_KG = Decimal(300)
"""The largest net mass of a line of goods. Fifty such lines, and fifty of another consignment, fit into one container."""


def lodgements(day: Day, first: int, count: int, lines: int = 0) -> list[Packet]:
    """Returns the encoded lodgements of `count` plans of the simulated day, from index `first` on. `lines`: how many lines of goods
    each has; 0: as planned."""
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
    """Returns the declaration with `lines` lines of goods, each with one unit of its first line. The lines are light enough for the
    container, and the totals are corrected."""
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
    """Sends each packet when it is due, at `rate` a second, and notes its due time in `phase`. Returns when the broker
    has answered for every packet, or `QUIET_SECONDS` after the last packet was sent."""
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
    """Waits until `done` returns `count`. `advance` is called with the number by which the value of `done` has grown. Raises
    RuntimeError if the value does not change for QUIET_SECONDS."""
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
                f"{count - known} of {count} consignments have no end after {QUIET_SECONDS} quiet seconds. 仍有货物未办结"
            )
