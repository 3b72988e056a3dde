"""Which peers run the same flow, with which settings, and which guarantees does each of them not give?"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson

from deploy.kafka.broker import free_port
from deploy.kafka.errors import BrokerError
from deploy.kafka.java import java
from services.cli.processes import Child, rehearsal, worker
from tests.bench.peers.flow import DECIDERS, READS
from tests.bench.peers.tables import tables

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
STREAMS = HERE.parent / "streams"
ENVIRONMENT = ROOT / ".run" / "bench" / "quix"
"""The virtual environment of Quix Streams, which needs an older pydantic and another version of confluent-kafka than
the product."""


@dataclass(frozen=True, slots=True)
class PeerSetup:
    """The surroundings in which a peer runs: its folder, the broker, the number of partitions of every topic."""

    home: Path
    bootstrap: str
    partitions: int


@dataclass(frozen=True, slots=True)
class Peer:
    """Another system that runs the same flow. `settings` and `lacks` are printed, and are written into the page."""

    name: str
    guarantee: str
    settings: str
    lacks: str
    processes: Callable[[PeerSetup], list[Child]]
    changelogs: tuple[str, ...] = ()
    """Topics that the peer would make itself. They are made before it starts, because the peer does not wait until the
    broker knows them."""


def prepare() -> None:
    """Makes what only the peers need: Quix Streams' environment and the Java program. This takes little time if both
    exist already."""
    wanted = HERE / "requirements.txt"
    made = ENVIRONMENT / "requirements.txt"
    if not made.exists() or made.read_text() != wanted.read_text():
        uv = ROOT / ".tools" / "bin" / "uv"
        python = ENVIRONMENT / "bin" / "python"
        _do(uv, "venv", "--quiet", "--clear", "--python", sys.executable, ENVIRONMENT)
        _do(uv, "pip", "install", "--quiet", "--python", python, "--no-deps", "-r", wanted)
        shutil.copy(wanted, made)
    if shutil.which("mvn") is None:
        raise BrokerError(
            "Maven is missing; it builds the Kafka Streams program. Install it: sudo apt-get install maven"
        )
    _do("mvn", "-q", "-B", "-f", STREAMS / "pom.xml", "package")


def _do(*command: object) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BrokerError(f"{command[0]} failed:\n{(done.stdout + done.stderr)[-2000:]}")


def _child(setup: PeerSetup, name: str, command: list[str], env: dict[str, str] | None = None) -> Child:
    return Child(name, command, setup.home / "logs" / f"{name}.log", {"PYTHONPATH": str(ROOT), **(env or {})})


def _ours(setup: PeerSetup) -> list[Child]:
    env = {"DTG_KAFKA": setup.bootstrap, "DTG_PARTITIONS": str(setup.partitions), **rehearsal()}
    return [worker(desk, free_port(), setup.home, env) for desk in DECIDERS]


def _aiokafka(setup: PeerSetup) -> list[Child]:
    program = [sys.executable, "-m", "tests.bench.peers.on_aiokafka"]
    arguments = [setup.bootstrap, str(setup.partitions)]
    return [_child(setup, desk, [*program, desk, *arguments]) for desk in DECIDERS]


def _faust(setup: PeerSetup) -> list[Child]:
    program = [sys.executable, "-m", "faust", "-A", "tests.bench.peers.on_faust", "worker", "--without-web"]
    env = {"KAFKA": setup.bootstrap, "PARTITIONS": str(setup.partitions), "FOLDER": str(setup.home / "faust")}
    return [_child(setup, desk, [*program, "--loglevel", "warn"], {**env, "DESK": desk}) for desk in DECIDERS]


def _quix(setup: PeerSetup) -> list[Child]:
    program = [str(ENVIRONMENT / "bin" / "python"), "-W", "ignore", "-m", "tests.bench.peers.on_quix"]
    arguments = [setup.bootstrap, str(setup.partitions)]
    return [_child(setup, desk, [*program, desk, *arguments, str(setup.home / "quix" / desk)]) for desk in DECIDERS]


def _streams(setup: PeerSetup) -> list[Child]:
    known = setup.home / "tables.json"
    known.write_bytes(orjson.dumps(tables()))
    jars = f"{STREAMS / 'target' / 'streams.jar'}:{STREAMS / 'target' / 'dependency' / '*'}"
    memory = ["-Xmx1g", "-XX:+UseParallelGC"]
    arguments = [setup.bootstrap, str(setup.partitions), str(setup.home / "streams"), str(known)]
    return [_child(setup, "streams", [java(), *memory, "-cp", jars, "datongguan.Streams", *arguments])]


PEERS = (
    Peer(
        "Datongguan",
        "exactly once",
        "the workers of the product, one process a desk, default settings: batch 1000, pace 50 ms, linger 5 ms, "
        "acks all; reads also the topics that carry nothing in this flow; no console",
        "a consumer must read committed; what a desk says to the world outside Kafka is the console's and the ports' to repeat",
        _ours,
    ),
    Peer(
        "Kafka Streams 4.3.1",
        "exactly once",
        "exactly_once_v2, one JVM with 2 stream threads for all desks, -Xmx1g, ParallelGC, in-memory stores with changelog, "
        "commit.interval.ms 100 (its default under exactly once), Jackson; the checks, rules and draw rewritten in Java",
        "no parking of messages that cannot be decided, no deadlines and no derived ids of its own: the program adds the ids",
        _streams,
    ),
    Peer(
        "Quix Streams 3.28",
        "exactly once",
        "processing_guarantee exactly-once, commit_interval 0.25 s, linger 5 ms, RocksDB, pydantic 2.13 because it refuses "
        "newer ones; topics of one desk concatenated to share their state, which turns its time alignment on",
        "no parking, no deadlines, no derived ids of its own: the flow adds the ids",
        _quix,
        tuple(f"changelog__peer-{desk}--{'--'.join(sorted(topics))}--default" for desk, topics in READS.items()),
    ),
    Peer(
        "aiokafka 0.14, transactions",
        "exactly once while nobody is rebalanced",
        "batches of up to 1000, 50 ms between transactions, linger 1 ms, states in memory and on the state topic",
        "its transaction requests carry no consumer group generation: a worker that lost its partitions may still commit; "
        "restoring states, parking, deadlines and retries would have to be written",
        _aiokafka,
    ),
    Peer(
        "Faust 0.15.3, agents and tables",
        "at least once",
        "one agent and one in-memory table a desk, objects in the table, changelog on, stream buffer 16,384, linger 5 ms, "
        "2,000 records a poll, stream_wait_empty off, leader topic off",
        "facts, table and positions are written apart: duplicates after a death, and losses where a position is committed "
        "past a message that failed",
        _faust,
        tuple(f"peer-{desk}-states-changelog" for desk in DECIDERS),
    ),
)
