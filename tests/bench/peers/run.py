"""How do the peers compare? `make bench-peers` runs the same flow with each of them. They are measured in rounds. Each
measurement of a peer has a fresh broker.

Each run warms up, lodges everything at once, and then lodges at an even rate. An independent reader records the
releases. At the end, kafka-python reads the whole log. Exactly those consignments must be released that the deciders
alone release. Facts that were published twice are counted.
"""

import argparse
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from deploy.kafka.broker import Broker, free_port
from deploy.kafka.topics import provision
from schemas.release import ReportArrival
from services.cli.bench.load import Packet, Phase, lodgements, offer, packed, percentile, sender, wait_until
from services.cli.bench.rig import cost
from services.cli.log import read
from services.cli.processes import Child, stop_all
from services.simulator.day import Day
from tests.bench import notebook
from tests.bench.note import write
from tests.bench.peers.field import PEERS, Peer, PeerSetup, prepare
from tests.bench.peers.flow import WRITES, expected

DAY = datetime(2026, 11, 23, tzinfo=UTC)
SEED = 7
PARTITIONS = 8
FULL: dict[str, Any] = {"warm": 3000, "count": 6000, "rate": 150, "seconds": 5}
SMALL: dict[str, Any] = {"warm": 100, "count": 200, "rate": 50, "seconds": 2}
FACTS = [topic for topics in WRITES.values() for topic in topics]


@dataclass(frozen=True)
class Load:
    """The load, which is the same for every peer: three parts of one day, and the expected releases."""

    warm: list[Packet]
    full: list[Packet]
    even: list[Packet]
    rate: float
    released: set[str]
    decided: float
    """The average number of messages that all desks together decide for one consignment."""


def load(seed: int, warm: int, count: int, rate: float, seconds: float) -> Load:
    """Returns the load. Each lodgement is followed by the report that its goods have arrived."""
    even = int(rate * seconds)
    day = Day(seed, warm + count + even, DAY)
    lodged = lodgements(day, 0, warm + count + even)
    packets = [packet for one in lodged for packet in (one, _arrival(one.subject))]
    released, decided = expected((p.subject, p.topic, p.value, p.headers) for p in packets)
    cut, end = 2 * warm, 2 * (warm + count)
    return Load(packets[:cut], packets[cut:end], packets[end:], rate, released, decided / len(lodged))


def _arrival(consignment: str) -> Packet:
    report = ReportArrival(consignment_id=consignment, asked_by="carrier", occurred_at=DAY, place="前湾港 Qianwan")
    return packed(f"{consignment}/arrival", report)


class Reader(threading.Thread):
    """A port that reads committed releases, and notes when it first read each of them."""

    def __init__(self, bootstrap: str, partitions: int) -> None:
        super().__init__(daemon=True)
        self.phase = Phase()
        self._servers, self._partitions = bootstrap, partitions
        self._over = threading.Event()

    def run(self) -> None:
        consumer = Consumer(
            {
                "bootstrap.servers": self._servers,
                "group.id": "peers-port",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "log_level": 2,
            }
        )
        consumer.assign([TopicPartition("customs-release-facts", p, OFFSET_BEGINNING) for p in range(self._partitions)])
        while not self._over.is_set():
            for message in consumer.consume(2000, 0.02):
                if message.error() is None and dict(message.headers())["ce_type"] == b"ReleaseGranted":
                    key = message.key().decode()
                    if key in self.phase.due:
                        self.phase.ended.setdefault(key, time.monotonic())
        consumer.close()

    def stop(self) -> None:
        self._over.set()
        self.join(30)


def measure(peer: Peer, work: Load, partitions: int) -> dict[str, Any]:
    """Measures one peer once, and returns the figures. Raises RuntimeError if releases are missing and none has come
    for `QUIET_SECONDS` of `load.py`."""
    with tempfile.TemporaryDirectory(prefix="dtg-peers-") as folder:
        home = Path(folder)
        broker = Broker(home / "kafka", free_port())
        children: list[Child] = []
        reader: Reader | None = None
        try:
            broker.start()
            provision(broker.bootstrap, partitions)
            _provision_more(broker.bootstrap, peer.changelogs, partitions)
            children = peer.processes(PeerSetup(home, broker.bootstrap, partitions))
            for child in children:
                child.start()
            reader = Reader(broker.bootstrap, partitions)
            reader.start()
            _ready(broker.bootstrap, children)
            _play(reader, broker.bootstrap, work.warm, 0, work)
            _settled(broker, children)
            before = _costs(broker, children)
            full = _play(reader, broker.bootstrap, work.full, 0, work)
            after = _settled(broker, children)
            even = _play(reader, broker.bootstrap, work.even, 2 * work.rate, work)
            waits = even.latencies(work.released)
            spent = {name: after[name][0] - before[name][0] for name in after}
            count = len(work.full) // 2
            ours = sum(spent.values()) - spent["broker"]
            return {
                "name": peer.name,
                "per_second": count / (max(full.ended.values()) - full.began),
                "cpu_us": ours / count * 1e6,
                "cpu_us_event": ours / count / work.decided * 1e6,
                "broker_cpu_us": spent["broker"] / count * 1e6,
                "resident_mb": sum(memory for name, (_, memory) in after.items() if name != "broker"),
                **{f"p{share}_ms": percentile(waits, share / 100) * 1000 for share in (50, 95, 99)},
                **_audit(broker.bootstrap, work.released),
            }
        except BaseException:
            for child in children:
                print(f"--- {child.name}: {child.code}\n{child.tail(15)}")
            raise
        finally:
            if reader:
                reader.stop()
            stop_all(children, 10)
            broker.stop()


def _provision_more(bootstrap: str, names: tuple[str, ...], partitions: int) -> None:
    """Makes compacted topics, and waits until the broker lists all their partitions. Raises RuntimeError if it does not
    within 30 seconds."""
    if not names:
        return
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 2})
    made = admin.create_topics([NewTopic(name, partitions, 1, config={"cleanup.policy": "compact"}) for name in names])
    for outcome in made.values():
        outcome.result(30)
    deadline = time.monotonic() + 30
    while not all(len(t.partitions) == partitions for name in names for t in [admin.list_topics(name).topics[name]]):
        if time.monotonic() > deadline:
            raise RuntimeError(f"the broker does not tell of {names}")
        time.sleep(0.1)


def _ready(bootstrap: str, children: list[Child], seconds: float = 90) -> None:
    """Waits until the consumer groups of all desks are stable at four successive checks, because the start is not
    measured. Raises RuntimeError if a process ends, or if the groups are not stable after `seconds`."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 2})
    deadline, calm = time.monotonic() + seconds, 0
    while calm < 4:
        groups = admin.list_consumer_groups(request_timeout=10).result().valid
        states = [group.state.name for group in groups if group.group_id.startswith(("peer-", "customs-"))]
        calm = calm + 1 if len(states) >= len(children) and all(state == "STABLE" for state in states) else 0
        gone = [child.name for child in children if not child.alive]
        if gone or time.monotonic() > deadline:
            raise RuntimeError(f"not ready: {states}, ended: {gone}")
        time.sleep(0.25)


def _play(reader: Reader, bootstrap: str, packets: list[Packet], rate: float, work: Load) -> Phase:
    reader.phase = phase = Phase()
    offer(sender(bootstrap), packets, rate, phase)
    wanted = sum(1 for key in phase.due if key in work.released)
    wait_until(lambda: len(phase.ended), wanted)
    return phase


def _settled(broker: Broker, children: list[Child]) -> dict[str, tuple[float, float]]:
    """Waits until no consumer group has committed new offsets for four seconds, because timelines come after releases.
    Returns the costs at the last progress: process → (CPU seconds, resident memory)."""
    admin = AdminClient({"bootstrap.servers": broker.bootstrap, "log_level": 2})
    groups = [g.group_id for g in admin.list_consumer_groups(request_timeout=10).result().valid]
    known: list[int] = []
    costs, moved = _costs(broker, children), time.monotonic()
    while time.monotonic() - moved < 4:
        offsets = [
            committed.offset
            for group in groups
            for committed in admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group]
            .result(10)
            .topic_partitions
        ]
        if offsets != known:
            known, costs, moved = offsets, _costs(broker, children), time.monotonic()
        time.sleep(0.25)
    return costs


def _costs(broker: Broker, children: list[Child]) -> dict[str, tuple[float, float]]:
    pids = {child.name: child.pid for child in children}
    pids["broker"] = broker.process.pid if broker.process else None
    return {name: (cost(pid).cpu, cost(pid).resident) for name, pid in pids.items() if pid is not None}


def _audit(bootstrap: str, released: set[str]) -> dict[str, int]:
    """Counts releases that are missing or wrong, facts that were published twice (with the same id), and consignments
    that were released twice."""
    ids: Counter[str] = Counter()
    releases: Counter[str] = Counter()
    for entry in read(bootstrap, FACTS):
        ids[entry.id] += 1
        if entry.kind == "ReleaseGranted":
            releases[entry.key] += 1
    return {
        "released": len(releases),
        "lost": len(released - set(releases)),
        "wrong": len(set(releases) - released),
        "doubled": sum(count - 1 for count in ids.values()),
        "released_twice": sum(1 for count in releases.values() if count > 1),
    }


def main(arguments: list[str]) -> int:
    """Runs the rounds, prints each figure as soon as it is known, stores the figures and writes the page."""
    parser = argparse.ArgumentParser(prog="make bench-peers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--add", action="store_true", help="to the rounds that are kept, instead of replacing them")
    parser.add_argument("--only", default="", help="comma-separated beginnings of names")
    parser.add_argument("--small", action="store_true", help="a few hundred consignments: does everybody run?")
    parser.add_argument("--into", type=Path, default=notebook.ROOT / "docs", help="folder of the notes")
    options = parser.parse_args(arguments)
    # Upon SIGTERM this handler raises SystemExit. So the processes are still ended and the folders removed.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    file = options.into / "performance" / "measured.json"
    prepare()
    size = SMALL if options.small else FULL
    work = load(SEED, size["warm"], size["count"], size["rate"], size["seconds"])
    peers = [p for p in PEERS if not options.only or p.name.startswith(tuple(options.only.split(",")))]
    print(f"{notebook.taken()}; seed {SEED}; {size}; {len(work.released):,} to be released", flush=True)
    for peer in peers:
        print(f"{peer.name}: {peer.settings}. Not guaranteed: {peer.lacks}.")
    rounds: list[dict[str, Any]] = notebook.figures(file).get("peers", {}).get("rounds", []) if options.add else []
    for _ in range(options.rounds):
        measured: dict[str, Any] = {}
        for peer in peers[(turn := len(rounds) % len(peers)) :] + peers[:turn]:
            measured[peer.name] = measure(peer, work, PARTITIONS)
            print({k: round(v, 1) if isinstance(v, float) else v for k, v in measured[peer.name].items()}, flush=True)
            if measured[peer.name]["lost"] or measured[peer.name]["wrong"]:
                raise RuntimeError(f"{peer.name} did not release what the deciders release")
        rounds.append(measured)
    described = [{"name": p.name, "guarantee": p.guarantee, "settings": p.settings, "lacks": p.lacks} for p in PEERS]
    notebook.keep(
        "peers", {"rounds": rounds, "peers": described, "heard": work.decided, "partitions": PARTITIONS, **size}, file
    )
    write(options.into)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
