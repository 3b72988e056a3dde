"""How is a simulated day played on a cluster? Lodgements and other requests are sent when they are due, and the facts that are read cause
more requests.

The player stores nothing. After a restart it reads the topics from the beginning and sends only the requests that are not there yet.
"""

import heapq
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition
from pydantic import ValidationError

from schemas.declaration import LodgeDeclaration
from schemas.envelope import Request, request_id
from schemas.gate import ConsignmentLeftUnreleased, DepartureRetracted, RecordEquipmentEvent
from schemas.release import ReleaseGranted, ReleaseRevoked
from schemas.topics import FACTS_AND_REQUESTS, topic_of
from services.shell import clients
from services.shell.advance import Advance, unreported
from services.shell.clock import CLOCK, Clock, stopwatch
from services.shell.codec import encode, headers_of, request_headers
from services.simulator.acts import Act, acts_as_sent
from services.simulator.day import Day, Plan
from services.simulator.ends import ConsignmentEnds
from services.simulator.exits import Exits
from services.simulator.owned import Owned, as_simulated
from services.simulator.people import FACTS_ACTED_ON, People
from services.simulator.returning import Returning
from services.simulator.settings import SimulatorSettings
from services.simulator.stillness import Stillness

NAMED = 10
"""How many consignments without an end, and how many requests, `Played.awaited` lists at most."""
LOOK_SECONDS = 0.3
"""How many seconds lie between two checks whether a day is over."""
DEAD = 5
"""If no fact comes for this many times `idle_seconds`, the player assumes that the desks which have not read everything have ended."""
SILENT = 60
"""If every consignment has its end and no fact comes for this many seconds, the day is over, even if desks have not read everything."""
LEAST_SPEED = 3600.0
"""The lowest speed of the sandbox clock in a play that is not paced. Such a play waits for treatments, which take up to
seven days of that clock."""
SENDER = "/simulator"
FACTS = tuple([t.name for t in FACTS_AND_REQUESTS if t.role == "facts"])
REQUESTS = tuple([t.name for t in FACTS_AND_REQUESTS if t.role == "requests"])
KINDS = {kind.kind: kind for kind in (*FACTS_ACTED_ON, ReleaseRevoked, ConsignmentLeftUnreleased, DepartureRetracted)}
"""The kinds of facts that are decoded: those on which people act, those that say whether a container may leave, and those that say whether
goods have left unreleased."""
log = structlog.get_logger()


class ClockTooSlow(Exception):
    """Raised if a play is not paced and its clock is so slow that treatments would take hours. The text says what to do."""


@dataclass
class Played:
    """The result of a play: how many consignments were lodged, how many requests were sent, and how many consignments have each end. The end
    "kept" means that the goods are released, but other goods keep their container inside."""

    lodged: int = 0
    requests: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    finished: bool = False
    awaited: list[str] = field(default_factory=list)
    """What the play waited for, if it is not finished: goods without an end, requests that are due later, and desks that have not read
    everything."""


class Player:
    """Plays the consignments `first` to `last` (exclusive; None: without end) of a day: by the clock if `paced`,
    otherwise as fast as possible.

    `rate`: the most lodgements in a real second if the play is not paced; 0 means no limit. `clock`: the clock, which
    must also be the clock of the desks. If the play is not paced, the clock must be a sandbox clock with a speed of
    `LEAST_SPEED` or more, because a treatment is reported only after its hours have passed. Raises ClockTooSlow if the
    clock is slower. `others`: whether the simulated people also act on goods that no simulated declarant declared.
    """

    def __init__(
        self,
        settings: SimulatorSettings,
        day: Day,
        first: int,
        last: int | None,
        *,
        paced: bool,
        idle_seconds: float,
        rate: float = 0.0,
        clock: Clock = CLOCK,
        others: bool = False,
    ) -> None:
        if not paced and clock.speed < LEAST_SPEED:
            raise ClockTooSlow(
                f"A play without pace needs a sandbox clock of {LEAST_SPEED:.0f} s a second or more; this one has "
                f"{clock.speed:g}. 时钟过慢：检疫处理须等满时间。 Treatments are reported only after their hours: start "
                f"`dtg up --demo --speed {LEAST_SPEED:.0f}`, or play with --paced"
            )
        self.clock = clock
        self.settings, self.day, self.last, self.paced = settings, day, last, paced
        self.idle_seconds, self.rate = idle_seconds, rate
        self._owned = Owned(others=others)
        self._returning = Returning(day, first)
        self.played = Played()
        self.next = first
        """The index that is lodged next."""
        self._acts: list[tuple[float, float, int, Act]] = []
        self._at_end: list[Act] = []
        self._count = 0
        self._request_ids: set[str] = set()
        self._event_times: dict[str, datetime] = {}
        """Request id → event time, for the equipment events that were reported before this run."""
        self.acknowledged: set[str] = set()
        """Ids of the requests of this run that the broker has acknowledged."""
        self._ends = ConsignmentEnds()
        self.people, self._exits = People(day, ends=self._ends.of), Exits()
        self._expected: set[str] = set()
        self._last: dict[tuple[str, int], int] = {}
        self._read: dict[tuple[str, int], int] = {}
        self._caught_up = False
        """Whether the player has once reached the ends of all fact topics. Until then it sends only lodgements, and
        nothing that follows from a fact, because later facts may have made the fact out of date."""
        self._looked = 0.0
        self._stop = threading.Event()

    def ended(self) -> int:
        """Returns how many consignments have their end so far."""
        return len(self._ends.of)

    def awaits_clock(self) -> bool:
        """Returns whether each consignment without an end waits for a request that is due later by the clock, such as the record of a
        treatment. Returns False if every consignment has its end."""
        left = self._without_end()
        return bool(left) and left <= {act.request.key for *_, act in list(self._acts)}

    def _without_end(self) -> set[str]:
        return self._expected - self._ends.of.keys()

    def due(self, act: Act) -> float:
        """Returns the time from which on this act may be sent, by the clock, in seconds since 1970 UTC. 0 means at once."""
        if self.paced:
            return act.at.timestamp()
        return act.not_before.timestamp() if act.not_before else 0.0

    def stop(self) -> None:
        """Makes `run` return soon. Nothing is lost, because a new player continues where this one stopped."""
        self._stop.set()

    def run(self, advance: Advance = unreported) -> Played:
        """Plays until every expected consignment has its end and the desks have read everything, until nothing has happened for too long, or
        until `stop` is called. `advance` is called with the number of consignments that reached their end since its last call. The number is
        negative if releases were revoked."""
        self._began = stopwatch()
        self._read_own_requests()
        self._producer = clients.sender(self.settings.access(), linger_ms=5, queued=200_000)
        consumer = self._consumer(FACTS, OFFSET_BEGINNING, "read_committed")
        stillness = Stillness(self.settings.access(), self._partitions(REQUESTS), self._partitions(FACTS))
        quiet_since, counted = stopwatch(), 0
        try:
            while not self._stop.is_set():
                if (ended := len(self._ends.of)) != counted:
                    advance(ended - counted)
                    counted = ended
                self._lodge_what_is_due()
                busy = self._send_what_is_due()
                for message in consumer.consume(2000, 0.0 if busy else 0.05):
                    error = message.error()
                    if error is None:
                        busy = True
                        self._last[message.topic(), message.partition()] = message.offset()
                        self._hear(message)
                    elif error.code() == KafkaError._PARTITION_EOF:
                        self._read[message.topic(), message.partition()] = message.offset()
                        self._caught_up = self._caught_up or self._read.keys() >= set(self._partitions(FACTS))
                    elif error.fatal():
                        raise KafkaException(error)
                quiet_since = stopwatch() if busy or self._acts else quiet_since
                if not busy and self._is_over(stillness, stopwatch() - quiet_since):
                    self.played.finished = True
                    break
        finally:
            self._producer.flush(30)
            consumer.close()
            stillness.close()
        self.played.ends = Counter(self._ends.of.values())
        if not self.played.finished:
            self.played.awaited = self._awaited(stillness)
        self.played.seconds = stopwatch() - self._began
        return self.played

    def _awaited(self, stillness: Stillness) -> list[str]:
        without_end = sorted(self._without_end())
        due = [f"{act.name} at {act.at:%Y-%m-%d %H:%M}" for *_, act in sorted(self._acts)[:NAMED]]
        named = [f"{len(without_end)} without an end: {', '.join(without_end[:NAMED])}"] * bool(without_end)
        named += [f"{len(self._acts)} requests that are due later: {', '.join(due)}"] * bool(due)
        return named + [f"not read yet: {stillness.behind}"] * bool(stillness.behind)

    def _is_over(self, stillness: Stillness, quiet: float) -> bool:
        if self.last is None or self.next < self.last or self._acts or stopwatch() - self._looked < LOOK_SECONDS:
            return False
        all_ended = bool(self._expected) and self._expected <= self._ends.of.keys()
        if not all_ended and quiet <= self.idle_seconds:
            return False
        self._looked = stopwatch()
        if self._producer.flush(10) == 0 and stillness.still(self._last, self._read):
            for act in self._at_end:
                self._remember(act)
            self._at_end.clear()
            return not self._acts
        return quiet > (SILENT if all_ended else self.idle_seconds * DEAD)

    # requests that are sent

    def _lodge_what_is_due(self) -> None:
        moment = self.clock.now()
        allowed = int((stopwatch() - self._began) * self.rate) - self.played.lodged if self.rate else 500
        for _ in range(min(500, allowed)):
            if self.last is not None and self.next >= self.last:
                return
            if self.paced and self.day.lodged_at(self.next) > moment:
                return
            self._lodge(self.next)
            self.next += 1

    def _lodge(self, index: int) -> None:
        plan = self.day.plan(index)
        self._expected.add(plan.consignment_id)
        self.played.lodged += 1
        if (now := self._returning.due(plan)) is not None:
            self._lodge_now(now)

    def _lodge_now(self, plan: Plan) -> None:
        key = plan.consignment_id
        request = LodgeDeclaration(
            consignment_id=key,
            asked_by=plan.declaration.declarant,
            occurred_at=plan.lodged_at,
            declaration=plan.declaration,
        )
        self._ask(f"{key}/lodge", request)
        if plan.intent.repeated:
            self._ask(f"{key}/lodge again", request)

    def _send_what_is_due(self) -> bool:
        moment = self.clock.now().timestamp()
        sent = False
        if not self._caught_up:
            return False
        while self._acts and self._acts[0][0] <= moment and not self._stop.is_set():
            act = heapq.heappop(self._acts)[-1]
            if self.people.is_in_vain(act):
                self._note_kept()
                continue
            self._ask(act.name, act.request)
            sent = True
        self._producer.poll(0)
        return sent

    def _ask(self, name: str, request: Request) -> None:
        id_ = request_id(SENDER, name)
        if isinstance(request, LodgeDeclaration):
            self._owned.lodged(request)
        elif isinstance(request, RecordEquipmentEvent):
            self._owned.stripped(request)
        if id_ in self._request_ids:
            return
        self._request_ids.add(id_)
        self.played.requests += 1
        request = as_simulated(request)
        headers = request_headers(request, id_, SENDER, request.occurred_at.isoformat())

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is None:
                self.acknowledged.add(id_)

        topic, value = topic_of("anyone", type(request)), encode(request)
        while True:
            try:
                self._producer.produce(topic, key=request.key, value=value, headers=headers, on_delivery=delivered)
                return
            except BufferError:
                self._producer.poll(0.1)

    # facts that are read

    def _hear(self, message: Message) -> None:
        name = headers_of(message).get("ce_type", b"").decode()
        key = (message.key() or b"").decode("utf-8", "replace")
        self._ends.state(name, key)
        if (plan := self._returning.due_after(name, key)) is not None:
            self._lodge_now(plan)
        kind = KINDS.get(name)
        if kind is None:
            return
        try:
            fact = kind.read_stored(message.value() or b"")
        except ValidationError as error:
            # A desk writes only valid facts, so another program has written this fact. Nobody acts on it.
            log.warning("unreadable fact", kind=name, key=key, errors=error.error_count())
            return
        if not self._owned.concerns(fact):
            return
        if name == "ConsignmentAssessed":
            self._expected.add(key)
        elif isinstance(fact, ReleaseGranted) and fact.holds:
            # a release with open holds is a release of a part, because the rest has not arrived
            self._ends.reopen(key)
        elif isinstance(fact, ConsignmentLeftUnreleased):
            self._ends.leave(key, fact.container_no)
        elif isinstance(fact, DepartureRetracted):
            self._ends.come_back(key, fact.container_no)
        read_at = None if self.paced else self.clock.now()
        reactions = self.people.react(fact)
        # On a paced day, a departure is due hours after the release and the gate desk's yes. By then the player has
        # read both, so the departure need not wait for them.
        caused = [reactions] if self.paced else self._exits.caused(fact, reactions)
        self._note_kept()
        for acts in caused:
            for act in acts_as_sent(acts, SENDER, self._event_times, read_at):
                if act.at_end and not self.paced:
                    self._at_end.append(act)
                else:
                    self._remember(act)

    def _note_kept(self) -> None:
        for key in self.people.kept:
            self._ends.keep(key)
        self.people.kept.clear()

    def _remember(self, act: Act) -> None:
        self._count += 1
        heapq.heappush(self._acts, (self.due(act), act.at.timestamp(), self._count, act))

    # the requests of an earlier player

    def _read_own_requests(self) -> None:
        consumer = self._consumer(REQUESTS, OFFSET_BEGINNING, "read_uncommitted")
        try:
            left = set(self._partitions(REQUESTS))
            while left and not self._stop.is_set():
                for message in consumer.consume(5000, 0.1):
                    error = message.error()
                    if error is None:
                        headers = headers_of(message)
                        if headers.get("ce_source") == SENDER.encode():
                            id_ = headers["ce_id"].decode()
                            self._request_ids.add(id_)
                            if headers.get("ce_type") == LodgeDeclaration.kind.encode():
                                self._owned.read(message.value() or b"")
                            if headers.get("ce_type") == RecordEquipmentEvent.kind.encode():
                                event = RecordEquipmentEvent.read_stored(message.value() or b"")
                                self._event_times[id_] = event.occurred_at
                                self._owned.stripped(event)
                    elif error.code() == KafkaError._PARTITION_EOF:
                        left.discard((message.topic(), message.partition()))
        finally:
            consumer.close()

    def _consumer(self, topics: tuple[str, ...], start: int, isolation: str) -> Consumer:
        consumer = clients.simulator_consumer(self.settings.access(), isolation)
        consumer.assign([TopicPartition(t, p, start) for t, p in self._partitions(topics)])
        return consumer

    def _partitions(self, topics: tuple[str, ...]) -> list[tuple[str, int]]:
        return [(topic, number) for topic in topics for number in range(self.settings.partitions)]


def endless_start(seed: int, consignments: int, clock: Clock = CLOCK) -> tuple[Day, int]:
    """Returns a day for an endless play, and the index with which the play begins. That is the next index to lodge by the clock, so a player
    that is started again continues at the present time."""
    moment: datetime = clock.now()
    day = Day(seed, consignments, datetime(2026, 1, 1, tzinfo=moment.tzinfo) - timedelta(hours=8))
    return day, day.index_at(moment)
