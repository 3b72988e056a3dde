"""Who answers the desks during a measurement, and who notes when each consignment ended?"""

import heapq
import threading
import time

from confluent_kafka import OFFSET_BEGINNING, Message, TopicPartition

from schemas.topics import FACTS_AND_REQUESTS
from services.cli.bench.load import SENDER, Packet, Phase, lodgements, offer, packed, sender, wait_until
from services.cli.screen import errors
from services.shell import clients
from services.shell.access import Access, access_to
from services.shell.clock import Clock
from services.shell.codec import headers_of
from services.simulator.acts import request_of
from services.simulator.day import Day
from services.simulator.ends import STATED
from services.simulator.people import FACTS_ACTED_ON, People

KINDS = {kind.kind: kind for kind in FACTS_ACTED_ON}
FACTS = [t.name for t in FACTS_AND_REQUESTS if not t.name.endswith(("-requests", "-departures", "-containers"))]


class Crowd(threading.Thread):
    """Reads the facts that ports and the simulated people read. Sends at once the requests of simulated people that
    follow from each fact, and notes when each consignment reached its end.

    Only the report of a treatment is sent later, when the hours of the treatment have passed by `clock`. `clock` must
    be the clock of the desks. `new_facts_only`: whether it leaves out the facts that are on the topics already; wait for
    `ready` then before goods are declared.
    """

    def __init__(
        self, kafka: Access | str, day: Day, partitions: int, clock: Clock, *, new_facts_only: bool = False
    ) -> None:
        super().__init__(daemon=True)
        self.day = day
        self.people = People(day, events=False)
        self.clock = clock
        self.phase = Phase()
        self._later: list[tuple[float, int, Packet]] = []
        self._count = 0
        self.immediate: set[str] = set()
        """Consignments that were released without an inspection or a treatment."""
        self._access, self._partitions = access_to(kafka), partitions
        self._new_facts_only = new_facts_only
        self.ready = threading.Event()
        """It is set when every fact that is published from now on will be read."""
        self._over = threading.Event()
        self._answers = sender(kafka)
        self._lodges = sender(kafka)

    def play(self, first: int, count: int, rate: float, lines: int = 0, *, treatments: bool = True) -> Phase:
        """Lodges `count` consignments, beginning with index `first`, at `rate` a second (0: all at once), and waits until each has
        reached its end. `lines`: as in `lodgements`; `treatments`: whether to wait also for goods whose treatment was ordered.
        That wait takes minutes."""
        packets = lodgements(self.day, first, count, lines)
        self.phase = phase = Phase()
        with errors.progress("consignments at their end 已办结", count) as advance:
            offer(self._lodges, packets, rate, phase)
            ended = (lambda: len(phase.ended)) if treatments else (lambda: len(phase.ended.keys() | phase.treated))
            wait_until(ended, count, advance)
        return phase

    def run(self) -> None:
        consumer = clients.consumer(self._access, {"group.id": "customs-bench", "isolation.level": "read_committed"})
        parts = [TopicPartition(t, p, OFFSET_BEGINNING) for t in FACTS for p in range(self._partitions)]
        if self._new_facts_only:
            for part in parts:
                part.offset = consumer.get_watermark_offsets(part, 60)[1]
        consumer.assign(parts)
        self.ready.set()
        while not self._over.is_set():
            for message in consumer.consume(2000, 0.02):
                if message.error() is None:
                    self._hear(message)
            self._send_what_is_over()
            self._answers.poll(0)
        self._answers.flush(10)
        consumer.close()

    def stop(self) -> None:
        self._over.set()
        if self.is_alive():
            self.join(30)

    def _hear(self, message: Message) -> None:
        name = headers_of(message)["ce_type"].decode()
        if name in STATED:
            key = message.key().decode()
            if key in self.phase.due:
                self.phase.ended.setdefault(key, time.monotonic())
            if name == "ReleaseGranted" and not self.people.waiting_to_arrive.get(key):
                self.immediate.add(key)
        kind = KINDS.get(name)
        if kind is None or (name == "ConsignmentHeld" and message.key().decode() not in self.people.waiting_to_arrive):
            return
        fact = kind.read_stored(message.value())
        if name in ("InspectionOrdered", "TreatmentOrdered", "TreatmentReferred"):
            self.immediate.discard(message.key().decode())
        if name == "TreatmentOrdered":
            self.phase.treated.add(message.key().decode())
        received_at = self.clock.now()
        for act in self.people.react(fact):
            packet = packed(act.name, request_of(act, SENDER, received_at))
            if act.not_before is None:
                self._ask(packet)
            else:
                self._count += 1
                heapq.heappush(self._later, (act.not_before.timestamp(), self._count, packet))

    def _send_what_is_over(self) -> None:
        moment = self.clock.now().timestamp()
        while self._later and self._later[0][0] <= moment:
            self._ask(heapq.heappop(self._later)[-1])

    def _ask(self, packet: Packet) -> None:
        self._answers.produce(packet.topic, key=packet.subject, value=packet.value, headers=packet.headers)
