"""Which faults of the broker, disks, database and network are there, and how is nonsense written onto the topics?"""

import signal
import sqlite3
import time
from contextlib import closing

from confluent_kafka import KafkaException, Producer
from kafka import KafkaConsumer
from kafka import TopicPartition as KafkaPartition

from deploy.kafka.errors import BrokerError
from schemas.topics import FACTS_AND_REQUESTS
from services.console.readmodel.database import LOCK_SECONDS
from tests.chaos import poison
from tests.chaos.proxy import END_TXN, PRODUCE, TXN_OFFSET_COMMIT
from tests.chaos.strike import (
    ABORTED,
    BITE_SECONDS,
    ENDED,
    EVIDENCE_SECONDS,
    HUNG,
    READY_SECONDS,
    REVOKED,
    THERE_SECONDS,
    WAITS,
    Strike,
)
from tests.chaos.theatre import BROKER, PROJECTOR, SESSION_SECONDS, Theatre
from tests.waiting import wait, wait_by

OPEN_SECONDS = 10
"""The transaction timeout in seconds that a foreign program asks for. The embedded broker allows little more."""
CATCH_SECONDS = 10
"""A fault of a link waits at most this many seconds for the first connection that is cut, or for the first chunk that
is delayed. A worker sends data every second."""

# faults of the broker


def kill_broker(strike: Strike) -> None:
    """Kills the broker with SIGKILL and starts it again at once."""
    with strike.hold(broker=True):
        broker = strike.theatre.broker
        broker.kill()
        strike.hit()
        strike.evidence = f"died: {broker.process.returncode}" if broker.process else ""
        _start_broker(strike.theatre)
        strike.heal()


def freeze_broker(strike: Strike) -> None:
    """Stops the broker (SIGSTOP) for longer than the sessions of the workers last, and then lets it continue
    (SIGCONT)."""
    with strike.hold(broker=True):
        process = strike.theatre.broker.process
        assert process is not None
        process.send_signal(signal.SIGSTOP)
        strike.hit()
    try:
        time.sleep(SESSION_SECONDS + 0.5 + 9 * strike.dice.random())
        strike.victims = tuple(strike.theatre.proxies)
        # Another fault may have caused the log records until now. So only later records are evidence.
        strike.listen()
    finally:
        process.send_signal(signal.SIGCONT)
        strike.heal()
    strike.evidence = strike.first_logged(
        EVIDENCE_SECONDS, ABORTED, ENDED, HUNG, REVOKED, "retrying", "positions not committed"
    )


def _start_broker(theatre: Theatre, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            theatre.start_broker()
        except BrokerError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


def fill_broker_disk(strike: Strike) -> None:
    """Fills the disk of the broker, so that Kafka gives up its folder and halts. When there is space again, the
    supervisor starts the broker."""
    theatre, disk = strike.theatre, strike.disks[BROKER]
    process, deaths = theatre.broker.process, theatre.broker_deaths
    try:
        disk.fill()
        strike.hit()
        deadline = time.monotonic() + 10
        while process is not None and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1)
    finally:
        disk.free()
        strike.heal()
    died = process is not None and process.poll() is not None
    if not died:
        return

    def back() -> bool:
        return theatre.broker_deaths > deaths and theatre.works((), broker=True)

    wait_by(back, theatre.progress("the broker to come back", most=THERE_SECONDS), 0.1)
    strike.evidence = f"broker ended with code {process.returncode}; {disk.how}" if process else ""


def leave_transaction_open(strike: Strike) -> None:
    """Begins a transaction on a topic as a foreign program, and ends without closing it, so that readers wait at its
    first message.

    The messages of the transaction are never committed. The broker aborts the transaction after the timeout for which
    the program asked.
    """
    theatre, topic = strike.theatre, strike.dice.choice(FACTS_AND_REQUESTS)
    producer = Producer(
        {
            # only the administrator's credential may write to this topic in a transaction with this id
            **theatre.broker.access.confluent(),
            "transactional.id": f"stranger-{strike.salt}",
            "transaction.timeout.ms": OPEN_SECONDS * 1000,
            "log_level": 0,
        }
    )
    progress = theatre.progress("the broker to say what is open", most=THERE_SECONDS)

    def unreadable() -> int:
        # Another fault may make the broker unreachable. So the request is repeated until the broker answers.
        return poison.patiently(lambda: _unreadable(theatre, topic.name), progress)

    _begin(producer)
    for partition in range(theatre.partitions):
        producer.produce(topic.name, key=f"stranger-{strike.salt}", value=b"{}", partition=partition)
    left = producer.flush(20)
    held = 0 if left else unreadable()
    if held:
        strike.hit()
    # the producer ends without a commit or an abort, as if its process was killed
    del producer
    deadline = time.monotonic() + READY_SECONDS
    while held and unreadable() and time.monotonic() < deadline:
        time.sleep(0.5)
    strike.heal()
    strike.evidence = f"{held} messages on {topic.name} waited for its end" if held else ""


def _begin(producer: Producer) -> None:
    """Begins a transaction. If the broker has just come back, tries again until its coordinator is ready."""

    def known() -> bool:
        try:
            producer.init_transactions(30)
        except KafkaException as problem:
            if not problem.args[0].retriable():
                raise
            return False
        return True

    wait(known, "the coordinator of a foreign transaction", still=READY_SECONDS, most=READY_SECONDS)
    producer.begin_transaction()


def _unreadable(theatre: Theatre, topic: str) -> int:
    """Returns how many messages of the topic, over all partitions, a reader of committed messages cannot read because
    a transaction is open."""
    ends = []
    for level in ("read_uncommitted", "read_committed"):
        consumer = KafkaConsumer(**theatre.access("auditor").kafka_python(), isolation_level=level)
        try:
            topic_partitions = [KafkaPartition(topic, number) for number in range(theatre.partitions)]
            ends.append(sum(consumer.end_offsets(topic_partitions).values()))
        finally:
            consumer.close()
    return int(max(0, ends[0] - ends[1]))


# faults of the read model


def fill_console_disk(strike: Strike) -> None:
    """Fills the disk of the database, so that the projector waits until there is space."""
    if not strike.theatre.goods_come():
        return
    strike.victims = (PROJECTOR,)
    strike.listen()
    try:
        strike.disks[PROJECTOR].fill()
        strike.hit()
        strike.evidence = strike.first_logged(BITE_SECONDS, WAITS)
    finally:
        strike.disks[PROJECTOR].free()
        strike.heal()
    if strike.evidence:
        strike.evidence += f"; {strike.disks[PROJECTOR].how}"


def lock_database(strike: Strike) -> None:
    """Takes the write lock of the database as another program, for longer than the projector waits for the lock."""
    if not strike.theatre.goods_come():
        return
    strike.victims = (PROJECTOR,)
    strike.listen()
    with closing(sqlite3.connect(strike.theatre.database, isolation_level=None, timeout=30)) as somebody:
        somebody.execute("BEGIN IMMEDIATE")
        try:
            strike.hit()
            strike.evidence = strike.first_logged(LOCK_SECONDS + BITE_SECONDS, WAITS)
        finally:
            somebody.execute("ROLLBACK")
            strike.heal()


# faults of the network


def slow_link(strike: Strike) -> None:
    """Delays all data between one worker and the broker."""
    proxy = strike.theatre.proxies[strike.victims[0]]
    before = proxy.delayed
    seconds = 0.05 + 0.4 * strike.dice.random(), 1 + 3 * strike.dice.random()
    try:
        proxy.slow(seconds[0])
        if strike.hit_once(lambda: proxy.delayed > before, CATCH_SECONDS):
            time.sleep(seconds[1])
    finally:
        proxy.heal()
        strike.heal()
    strike.evidence = f"{proxy.delayed - before} chunks delayed" if proxy.delayed > before else ""


def cut_link(strike: Strike) -> None:
    """Closes the connections of one worker, and refuses new ones for a while."""
    proxy = strike.theatre.proxies[strike.victims[0]]
    before = proxy.cuts
    try:
        proxy.cut()
        if strike.hit_once(lambda: proxy.cuts > before, CATCH_SECONDS):
            time.sleep(3 * strike.dice.random())
    finally:
        proxy.heal()
        strike.heal()
    strike.evidence = f"{proxy.cuts - before} connections cut" if proxy.cuts > before else ""


def mute_link(strike: Strike) -> None:
    """Lets the requests of one worker reach the broker, but loses or delays the replies. So the worker does not know
    whether a commit succeeded."""
    proxy = strike.theatre.proxies[strike.victims[0]]
    strike.listen()
    before = proxy.swallowed
    trap = strike.dice.choice((None, END_TXN, END_TXN, TXN_OFFSET_COMMIT, PRODUCE))
    seconds, cut = strike.dice.choice((0.5, 1.0, 2.0, 3.0, 11.5)), strike.dice.random() < 0.5
    try:
        proxy.mute(trap)
        # If `trap` is an API key, the fault begins at the first request with this key. If `trap` is None, the fault
        # begins at the first reply that is held back.
        if not strike.hit_once(lambda: proxy.muted if trap is not None else proxy.swallowed > before, BITE_SECONDS):
            return
        time.sleep(seconds)
        if cut:
            proxy.cut()
    finally:
        proxy.heal()
        strike.heal()
    logged = strike.first_logged(2, ABORTED, ENDED, HUNG, REVOKED, "retrying")
    strike.evidence = f"{proxy.swallowed - before} replies held; {logged}" if proxy.swallowed > before else ""


# poison messages


def poison_strangers(strike: Strike) -> None:
    """Writes nonsense onto every topic, with keys that no goods have. The nonsense must not affect any goods."""
    _poison(strike, {"consignment": f"stranger-{strike.salt}", "container": f"box-{strike.salt}"})


def poison_live(strike: Strike) -> None:
    """Writes nonsense onto every topic, with the keys of goods that will soon be lodged. The messages of the goods
    wait behind the parked message, and are decided after it is discarded."""
    keys = strike.live_keys()
    if keys:
        _poison(strike, keys)


def _poison(strike: Strike, keys: dict[str, str]) -> None:
    theatre = strike.theatre
    progress = theatre.progress("the broker to take the poison", most=THERE_SECONDS)
    dose = poison.poison(theatre.broker.access, keys, theatre.partitions, strike.salt, progress)
    strike.hit()
    # The fault ends here, although the poison is not discarded yet. While it waits to be discarded, all other goods must
    # keep moving, so a standstill counts as a failure from here on.
    strike.heal()
    wanted, aside, left = poison.await_settled(theatre, dose)
    strike.evidence = f"{aside} set aside, thrown away" if aside else ""
    if aside < wanted or left:
        strike.problem = f"{aside} of {wanted} poisons were set aside, {left} still wait"
