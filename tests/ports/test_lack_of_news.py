"""Is the answer no in every case in which a port may lack messages? docs/ports.md lists these cases. The rows about
topics and the notebook are tested here, in `test_port.py` or in `test_notebook_gone.py`; the rows about HTTP in
`test_odd_consoles.py`."""

import contextlib
import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from deploy.kafka.broker import Broker
from schemas.envelope import fact_id
from schemas.gate import ContainerMayLeave
from services.ports.notebook import Notebook
from services.ports.notice import FORMER, TOPIC, Away, Notice, Unread, from_topic
from services.ports.topic import TopicPort
from services.shell import clients
from services.shell.access import access_to
from services.shell.codec import Raw, encode
from tests.conftest import PARTITIONS
from tests.console.border import NOON, Border, copies, publish
from tests.ports.gatehouse import Gatehouse
from tests.ports.test_port import answer_of, lay, released
from tests.waiting import wait


def remove(bootstrap: str, topic: str) -> None:
    admin = AdminClient({"log_level": 0, "bootstrap.servers": bootstrap})
    admin.delete_topics([topic])[topic].result(30)
    wait(lambda: topic not in admin.list_topics(timeout=10).topics, f"{topic} to be gone")


def make(bootstrap: str, topic: str) -> None:
    admin = AdminClient({"log_level": 0, "bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result(30)
    wait(lambda: partitions(admin, topic) == PARTITIONS, f"{topic} to be there")


def partitions(admin: AdminClient, topic: str) -> int:
    found = admin.list_topics(timeout=10).topics.get(topic)
    return 0 if found is None else len(found.partitions)


def stale(port: TopicPort, notebook: Notebook, box: str, because: str, seconds: float = 1) -> bool:
    """Returns whether the answer is no because messages may be missing. Fails if the answer does not have the text
    `because`."""
    answer = port.ask(box, Gatehouse(notebook), seconds)
    assert because in answer.detail, answer
    return (answer.may_leave, answer.reason) == (False, "stale")


# topics


@pytest.fixture
def replaceable(wire: str) -> Iterator[str]:
    """The bootstrap servers of the broker. If a test deletes the topic for ports or makes it with other partitions, the
    topic is made anew for the next test."""
    yield wire
    left = partitions(AdminClient({"log_level": 0, "bootstrap.servers": wire}), TOPIC)
    if left not in (0, PARTITIONS):
        remove(wire, TOPIC)
    if left != PARTITIONS:
        make(wire, TOPIC)


@pytest.mark.parametrize("more", [-1, 0, 3], ids=["fewer messages", "as many", "more messages"])
def test_a_topic_made_anew_is_read_again_before_anything_may_leave(
    replaceable: str, notebook: Notebook, more: int
) -> None:
    wire = replaceable
    name, box = f"PORT-ANEW-{more}", f"NEWS001000{more + 2}"
    old = released(name, box)
    publish(wire, old.messages)
    with TopicPort(wire, notebook) as port:
        house = Gatehouse(notebook)
        assert port.ask(box, house).may_leave
        lay = sum(one.key == old.id and one.topic == TOPIC for one in copies(old.messages))
        remove(wire, TOPIC)
        assert stale(port, notebook, box, "does not have the topics")
        make(wire, TOPIC)
        anew = Border(name, (box,), start=old.at)
        again = [one for one in copies(anew.revoked().may_leave().messages) if one.topic == TOPIC]
        publish(wire, [*again[:1] * (lay + more), *again[1:]], former=True)
        assert port.ask(box, house).reason == "not_released", "its version is lower than that of before"
        assert [n.kind for n in house.heard_of if n.subject == old.id] == ["ReleaseGranted", "ReleaseRevoked"]
    assert answer_of(wire, notebook, box) == (False, "not_released")


def test_a_place_beyond_the_end_of_a_topic_is_forgotten(wire: str, notebook: Notebook) -> None:
    """After a broker's disk was restored from a copy, the topic is the same but has fewer messages."""
    consignment = released("PORT-BEYOND", "NEWS0000002").revoked()
    publish(wire, consignment.messages[:-1])
    assert answer_of(wire, notebook, "NEWS0000002") == (True, "released")
    with contextlib.closing(sqlite3.connect(notebook.file)) as sql, sql:
        sql.execute("UPDATE port_places SET next = next + 1000 WHERE source = ?", (TOPIC,))
    publish(wire, consignment.messages[-1:])
    assert answer_of(wire, notebook, "NEWS0000002") == (False, "not_released")


def test_a_topic_that_is_cut_off_under_a_running_port_is_read_again(wire: str, notebook: Notebook) -> None:
    consignment = released("PORT-CUT", "NEWS0000003").revoked()
    publish(wire, consignment.messages[:-1])
    with TopicPort(wire, notebook) as port:
        assert port.ask("NEWS0000003", Gatehouse(notebook)).may_leave
        partitions = [p for p in port._consumer.assignment() if p.topic == TOPIC]
        for partition in partitions:
            port._consumer.seek(partition, port._consumer.position(partition) + 1000)
        publish(wire, consignment.messages[-1:])
        with pytest.raises(Away, match="read again from their beginning"):
            port.read(Gatehouse(notebook), 10)
        assert port.ask("NEWS0000003", Gatehouse(notebook)).reason == "not_released"


def test_more_partitions_are_a_no_until_somebody_begins_anew(replaceable: str, notebook: Notebook) -> None:
    publish(replaceable, released("PORT-RAISED", "NEWS0000004").messages)
    with TopicPort(replaceable, notebook) as port:
        assert port.ask("NEWS0000004", Gatehouse(notebook)).may_leave
        admin = AdminClient({"log_level": 0, "bootstrap.servers": replaceable})
        admin.create_partitions([NewPartitions(TOPIC, PARTITIONS + 2)])[TOPIC].result(30)
        wait(lambda: partitions(admin, TOPIC) > PARTITIONS, "more partitions")
        assert stale(port, notebook, "NEWS0000004", "number of partitions")
    with pytest.raises(Away, match="number of partitions"):
        TopicPort(replaceable, notebook)


def test_a_statement_in_a_partition_that_is_not_its_keys_is_not_believed(wire: str, notebook: Notebook) -> None:
    consignment = released("PORT-ELSEWHERE", "NEWS0000005")
    publish(wire, consignment.messages[:-1])
    producer = Producer({"log_level": 0, "bootstrap.servers": wire})
    yes = copies(consignment.messages)[-1]
    for partition in range(PARTITIONS):
        producer.produce(yes.topic, key=yes.key, value=yes.value, headers=yes.headers(), partition=partition)
    assert producer.flush(30) == 0
    house = Gatehouse(notebook)
    with TopicPort(wire, notebook) as port:
        port.catch_up(house, 30)
    assert [u.reason for u in house.unread_messages if u.subjects == ("NEWS0000005",)] == ["wrong_partition"] * (
        PARTITIONS - 1
    )


def test_an_open_transaction_is_a_no_until_it_ends(wire: str, notebook: Notebook) -> None:
    consignment = released("PORT-OPEN", "NEWS0000006").revoked()
    publish(wire, consignment.messages[:-1])
    hidden = copies(consignment.messages)[-1]
    producer = clients.producer(
        access_to(wire),
        {
            "transactional.id": "port-open",
            "transaction.timeout.ms": 10_000,
        },
    )
    producer.init_transactions(30)
    with TopicPort(wire, notebook) as port:
        assert port.ask("NEWS0000006", Gatehouse(notebook)).may_leave
        producer.begin_transaction()
        producer.produce(hidden.topic, key=hidden.key, value=hidden.value, headers=hidden.headers())
        assert producer.flush(30) == 0
        assert stale(port, notebook, "NEWS0000006", "a transaction is open")
        producer.commit_transaction(30)
        assert port.ask("NEWS0000006", Gatehouse(notebook)).reason == "not_released"


def test_an_answer_that_does_not_tell_the_end_of_each_partition_is_a_no(
    wire: str, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the broker's answer lacks a partition, the client library leaves the partition out, too. The messages of this
    partition would then not be read."""
    consignment = released("PORT-LEFT-OUT", "NEWS0000016").revoked()
    publish(wire, consignment.messages[:-1])
    with TopicPort(wire, notebook) as port:
        assert port.ask("NEWS0000016", Gatehouse(notebook)).may_leave
        publish(wire, consignment.messages[-1:])
        monkeypatch.setattr(port._admin, "list_partition_offsets", lambda *wanted, **how: {})
        assert stale(port, notebook, "NEWS0000016", "the ends of the topics are not known")


# the client and its notebook


def test_a_notebook_of_another_cluster_counts_for_nothing_here(wire: str, notebook: Notebook) -> None:
    publish(wire, released("PORT-OTHER", "NEWS0000007").revoked().messages)
    with contextlib.closing(sqlite3.connect(notebook.file)) as sql, sql:
        sql.execute("INSERT INTO port_sources VALUES (?, 'elsewhere/4', 1)", (TOPIC,))
        sql.executemany("INSERT INTO port_places VALUES (?, ?, 0)", [(TOPIC, n) for n in range(PARTITIONS)])
        yes = ("NEWS9000007", "ContainerMayLeave", 1, '["elsewhere"]', "", TOPIC)
        granted = ("elsewhere", "ReleaseGranted", 1, '["NEWS9000007"]', "", TOPIC)
        columns = "(subject, kind, version, others, reason, source)"
        sql.executemany(f"INSERT INTO port_statements {columns} VALUES (?, ?, ?, ?, ?, ?)", [yes, granted])
    assert notebook.ask("NEWS9000007").may_leave, "over there it may"
    assert answer_of(wire, notebook, "NEWS9000007") == (False, "unknown")
    assert answer_of(wire, notebook, "NEWS0000007") == (False, "not_released")


OLD_TABLES = """
CREATE TABLE port_places (source TEXT, partition INT, next INT NOT NULL, PRIMARY KEY (source, partition));
CREATE TABLE port_known (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE port_statements (
  subject TEXT PRIMARY KEY, kind TEXT NOT NULL, version INT NOT NULL, others TEXT NOT NULL, reason TEXT NOT NULL
) WITHOUT ROWID;
"""


def test_a_notebook_of_an_earlier_version_is_read_again_and_does_nothing_twice(wire: str, tmp_path: Path) -> None:
    """A notebook of an earlier version does not say from which topics it was filled."""
    consignment = released("PORT-OLD", "NEWS0000008").revoked()
    publish(wire, consignment.messages)
    with contextlib.closing(sqlite3.connect(tmp_path / "old.db")) as sql, sql:
        sql.executescript(OLD_TABLES)
        sql.executemany("INSERT INTO port_known VALUES (?)", [(one.id,) for one in consignment.messages[:-1]])
        sql.executemany(
            "INSERT INTO port_places VALUES (?, ?, ?)", [(t, n, 10**6) for t in FORMER for n in range(PARTITIONS)]
        )
        sql.execute(
            "INSERT INTO port_statements VALUES (?, 'ReleaseGranted', 9, ?, '')",
            (consignment.id, json.dumps(["NEWS0000008"])),
        )
    old = Notebook(tmp_path / "old.db")
    house = Gatehouse(old)
    with TopicPort(wire, old) as port:
        assert port.ask("NEWS0000008", house).reason == "not_released"
    assert [n.kind for n in house.heard_of if n.subject in (consignment.id, "NEWS0000008")] == ["ReleaseRevoked"]
    old.close()


@pytest.mark.parametrize("lost", ["one place", "everything"])
def test_lost_places_are_read_again(wire: str, notebook: Notebook, lost: str) -> None:
    box = f"NEWS002000{len(lost) % 9}"
    consignment = released(f"PORT-LOST-{lost}", box).revoked()
    publish(wire, consignment.messages[:-1])
    assert answer_of(wire, notebook, box) == (True, "released")
    publish(wire, consignment.messages[-1:])
    with contextlib.closing(sqlite3.connect(notebook.file)) as sql, sql:
        if lost == "one place":
            sql.execute("DELETE FROM port_places WHERE partition = 0 OR source = ?", (TOPIC,))
        else:
            sql.executescript("DELETE FROM port_places; DELETE FROM port_sources; DELETE FROM port_statements;")
    assert answer_of(wire, notebook, box) == (False, "not_released")


def test_a_notebook_or_a_reader_that_is_gone_is_a_no(wire: str, tmp_path: Path) -> None:
    consignment = released("PORT-DEAD", "NEWS0000010").revoked()
    publish(wire, consignment.messages[:-1])
    notes = Notebook(tmp_path / "gone.db")
    with TopicPort(wire, notes) as port:
        house = Gatehouse(notes)
        assert port.ask("NEWS0000010", house).may_leave
        port._consumer.close()
        publish(wire, consignment.messages[-1:])
        assert not port.ask("NEWS0000010", house, 1).may_leave
    with TopicPort(wire, notes) as port:
        notes.close()
        assert not port.ask("NEWS0000010", house, 1).may_leave


def test_a_broker_that_does_not_answer_is_a_no(wire: str, quiet_broker: Broker, notebook: Notebook) -> None:
    publish(wire, released("PORT-SILENT", "NEWS0000011").messages)
    with TopicPort(wire, notebook, request_timeout_ms=1000) as port:
        assert port.ask("NEWS0000011", Gatehouse(notebook)).may_leave
        with frozen(quiet_broker):
            assert stale(port, notebook, "NEWS0000011", "not known")
        assert port.ask("NEWS0000011", Gatehouse(notebook), 30).may_leave


@contextlib.contextmanager
def frozen(broker: Broker) -> Iterator[None]:
    assert broker.process is not None
    pid = broker.process.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        wait(lambda: set(states(pid)) == {"T"}, "each thread of the broker to stop")
        yield
    finally:
        os.kill(broker.process.pid, signal.SIGCONT)


def states(pid: int) -> list[str]:
    """The state of each thread of a process; `T`: the thread is stopped (proc(5))."""
    found = []
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        with contextlib.suppress(OSError):  # the thread ended meanwhile
            found.append(stat.read_text().rpartition(")")[2].split()[0])
    return found


# times, kinds and headers of messages


def test_times_order_nothing(wire: str, notebook: Notebook) -> None:
    """If a clock is set back between two statements, the answer does not change."""
    consignment = released("PORT-CLOCK", "NEWS0000012")
    publish(wire, consignment.messages)
    assert answer_of(wire, notebook, "NEWS0000012") == (True, "released")
    consignment.start = consignment.start.replace(year=2001)
    publish(wire, consignment.revoked().messages[-1:])
    assert answer_of(wire, notebook, "NEWS0000012") == (False, "not_released")


def test_kinds_and_fields_of_a_later_version_are_passed_over(wire: str, notebook: Notebook) -> None:
    consignment = released("PORT-LATER-VERSION", "NEWS0000013")
    newer: list[Any] = []
    for one in consignment.messages:
        value = {**json.loads(one.value), "added_later": {"x": [1]}} if one.topic in FORMER else json.loads(one.value)
        newer.append(type(one)(**{**vars(one), "value": json.dumps(value).encode()}))
    yes = newer[-1]
    newer.append(replace(yes, topic=TOPIC, of=yes.topic, kind="ContainerBlessed", id="b-1", value=b"\xff"))
    publish(wire, newer)
    assert answer_of(wire, notebook, "NEWS0000013") == (True, "released")


def forged(**changed: str) -> dict[str, bytes | None]:
    """Headers of a yes that was not written by the gate desk. They are all correct, except for those in `changed`."""
    headers = {
        "ce_type": "ContainerMayLeave",
        "ce_id": fact_id("gate", "cause", 0),
        "ce_source": "/desks/gate",
        "causationid": "cause",
        "sequence": "7",
    }
    return {name: value.encode() for name, value in {**headers, **changed}.items()}


@pytest.mark.parametrize(
    "changed",
    [{"ce_source": "/desks/release"}, {"ce_source": ""}, {"ce_id": "made-up"}, {"causationid": "another"}]
    + [{"sequence": number} for number in ("", "0", "-1", "x", "٣", "9" * 30)],
    ids=str,
)
def test_a_yes_with_headers_that_no_desk_gives_is_not_believed(changed: dict[str, str]) -> None:
    value = encode(ContainerMayLeave(container_no="BOX", occurred_at=NOON, version=9, consignments=("c",)))
    raw = {name: header or b"" for name, header in forged().items()}
    right = from_topic(Raw(TOPIC, 0, 5, b"BOX", value, raw), 1)
    assert isinstance(right, Notice) and right.kind == "ContainerMayLeave"
    wrong = from_topic(Raw(TOPIC, 0, 5, b"BOX", value, {**raw, **{n: v.encode() for n, v in changed.items()}}), 1)
    assert isinstance(wrong, Unread) and wrong.reason == "forged" and wrong.subjects == ("BOX",)


FORGED = ("nobody", "held goods", "goods in another box", "goods that nobody released")


@pytest.mark.parametrize(("number", "names"), list(enumerate(FORGED)), ids=FORGED)
def test_a_forged_yes_lets_nothing_leave_that_was_not_released(
    wire: str, notebook: Notebook, number: int, names: str
) -> None:
    """The forged yes has correct headers, which anybody can write who knows how ids are derived."""
    box = f"FORG000000{number}"
    held = Border(f"F-{names}", (box,)).lodged().accepted().assessed().held("arrival")
    other = released(f"O-{names}", f"OTHE000000{number}")
    publish(wire, [*held.messages, *other.messages])
    named = {"held goods": (held.id,), "goods in another box": (other.id,), "goods that nobody released": ("x",)}
    yes = ContainerMayLeave(container_no=box, occurred_at=NOON, version=99, consignments=named.get(names, ()))
    forged_id = fact_id("gate", names, 0)
    lay(wire, TOPIC, box.encode(), encode(yes), forged(causationid=names, ce_id=forged_id))
    house = Gatehouse(notebook)
    with TopicPort(wire, notebook) as port:
        answer = port.ask(box, house)
    assert not [u for u in house.unread_messages if box in u.subjects]
    assert [n.kind for n in house.heard_of if n.id == forged_id] == ["ContainerMayLeave"], (
        "it was read, and is the newest"
    )
    assert (answer.may_leave, answer.reason) == (False, "not_released")
