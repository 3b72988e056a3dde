"""What does each desk do with a flood of bad messages? Each message must have exactly one of the named outcomes, and
the counts must add up."""

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import Any

import orjson

from schemas.topics import ROLES, SERVICES
from services.risk.keys import PUBLISHED
from services.shell.codec import CARRIED, Raw, decode, kind_of
from services.shell.desk import Desk
from services.shell.outcome import Output
from services.shell.store import PartitionStore, decode_record, encode_record, parked_in
from services.shell.turn import INPUT_KINDS, Turn
from services.worker import desks
from tests.hostile.messages import Flood
from tests.shell.parking import Memory
from tests.voice import NOON

PARTITIONS = 4
BATCH = 500
WATCH = 10_000
"""The number of messages after which a desk starts again with an empty state. In this file a watch is such a run of
messages at one desk; it is not a watch of the release desk."""
LARGEST = 8 << 20
"""`max.message.bytes` of every topic. If a desk had to write a larger message, it could not continue."""
REFUSALS = frozenset({"RequestRefused", "DeclarationRejected"})


@dataclass
class Tally:
    """What happened in one or more watches. `outcomes`: (kind of hostility, outcome) → how many messages; `parked`:
    reason → how many parked messages; `raised`: exception of a decider → how often; `messages`: how many messages the
    desk read; `records`: how many records were stored; `largest`: the bytes of the largest message."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    parked: Counter[str] = field(default_factory=Counter)
    raised: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    records: int = 0
    largest: int = 0

    def add(self, other: "Tally") -> None:
        self.outcomes += other.outcomes
        self.parked += other.parked
        self.raised += other.raised
        self.messages += other.messages
        self.records += other.records
        self.largest = max(self.largest, other.largest)


def watches(count: int) -> list[tuple[str, int, int]]:
    """Divides `count` messages among the desks, and the messages of each desk into watches of at most WATCH messages.
    Returns (desk, number of the watch at this desk, number of messages) for each watch."""
    share, rest = divmod(count, len(SERVICES))
    shares = {name: share + (number < rest) for number, name in enumerate(SERVICES)}
    return [
        (name, watch, min(WATCH, own - watch * WATCH))
        for name, own in shares.items()
        for watch in range(-(-own // WATCH))
    ]


def stand(name: str, watch: int, count: int, seed: str) -> Tally:
    """Runs one watch at the desk of this name. Raises AssertionError if a guarantee is broken."""
    (desk,) = desks((name,), PUBLISHED)
    return one_watch(desk, Flood(name, f"{seed}/{watch}", PARTITIONS), count)


def run(count: int, seed: str, processes: int = 1) -> Tally:
    """Runs all watches, in `processes` processes."""
    total, work = Tally(), watches(count)
    if processes == 1:
        done: Iterable[Tally] = [stand(*each, seed) for each in work]
    else:
        with ProcessPoolExecutor(processes) as pool:
            done = list(pool.map(partial(_stand, seed), work))
    for tally in done:
        total.add(tally)
    assert total.messages == count == sum(total.outcomes.values()), "every message has one outcome"
    return total


def _stand(seed: str, watch: tuple[str, int, int]) -> Tally:
    return stand(*watch, seed)


def one_watch(desk: Desk, flood: Flood, count: int) -> Tally:
    """Lets a desk with empty state decide `count` messages in batches, as the loop would."""
    tally, stores, memory = Tally(), {p: PartitionStore() for p in range(PARTITIONS)}, Memory()
    coming, at, waiting = islice(flood, count), NOON, 0
    while batch := list(islice(coming, BATCH)):
        turn = Turn(desk, PARTITIONS, at, timedelta(days=90), memory)
        for name, message in batch:
            tally.outcomes[name, _outcome(turn, stores[message.partition], message, flood)] += 1
        tally.messages += len(batch)
        for partition, store in stores.items():
            turn.handle_deadlines(store, partition, store.due(at, BATCH))
        _keep(desk, turn, stores, tally)
        tally.parked += Counter(turn.outcome.parked)
        memory.commit(turn.outcome.outputs)
        waiting += sum(turn.outcome.parked.values()) - turn.outcome.settled
        at += timedelta(hours=flood.dice.choice((0, 0, 1, 30, 900)))
    counted = sum([parked_in(data) for store in stores.values() for data in store.records.values()])
    assert counted == waiting, "each record counts what waits under its key, each once"
    return tally


def _outcome(turn: Turn, store: PartitionStore, message: Raw, flood: Flood) -> str:
    """Decides the message and returns its outcome."""
    outcome = turn.outcome
    decided, duplicates, settled = outcome.decided, outcome.duplicates, outcome.settled
    parked, outputs = sum(outcome.parked.values()), len(outcome.outputs)
    turn.handle(store, message)
    parked = sum(outcome.parked.values()) - parked
    published = [_kind(output) for output in outcome.outputs[outputs:]]
    if ROLES[message.topic] == "orders":
        return "order carried out" if outcome.settled > settled else "parked" if parked else "order of nothing"
    happened = (outcome.decided - decided, outcome.duplicates - duplicates, parked)
    if happened == (0, 0, 0):
        name = (message.headers.get("ce_type") or b"").decode("utf-8", "replace")
        assert name in CARRIED[message.topic] and name not in INPUT_KINDS[turn.desk.name], f"{name} was passed over"
        assert not published
        return "passed over"
    assert sum(happened) == 1, happened
    if parked:
        flood.waiting = [*flood.waiting, message][-20:]
        assert published == ["MessageParked"]
        return "parked"
    if outcome.duplicates > duplicates:
        return "known"
    return "refused" if REFUSALS & set(published) else "answered" if published else "heard"


def _keep(desk: Desk, turn: Turn, stores: dict[int, PartitionStore], tally: Tally) -> None:
    """Stores the records as the loop does after a commit. Checks that every message is small enough to be written, and
    that facts and records can be read again."""
    for output in turn.outcome.outputs:
        size = _size(output)
        tally.largest = max(tally.largest, size)
        if ROLES[output.topic] == "parked":
            published = orjson.loads(output.value or b"")
            if published.get("reason") == "decide_raised":
                tally.raised[f"{desk.name}: {published['error'][:150]}"] += 1
            continue
        lain = Raw(output.topic, 0, 0, output.key.encode(), output.value, dict(output.headers))
        decode(kind_of(lain), lain)
    validate, dump = desk.decider.STATE.validate_json, desk.decider.STATE.dump_json
    for partition, key, entry, data in turn.encode_changes():
        tally.records += 1
        if data is not None:
            tally.largest = max(tally.largest, len(data) + len(key.encode()))
            record = decode_record(data)
            assert encode_record(record) == data
            read = validate(bytes(record.state))
            assert dump(read) == bytes(record.state)
            assert entry.unreadable or entry.state == read, "the state in memory is the one that a restart would read"
        stores[partition].put(key, data, entry.record.due, entry.state)
    assert tally.largest < LARGEST, f"a message of {tally.largest} bytes cannot be written"


def _kind(output: Output) -> str:
    return dict(output.headers)["ce_type"].decode()


def _size(output: Output) -> int:
    carried: list[Any] = [output.key.encode(), output.value, *[value for _, value in output.headers]]
    return sum([len(part or b"") for part in carried])
