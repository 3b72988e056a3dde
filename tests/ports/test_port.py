"""Does a port act on each release once, even if a process dies or a message is published twice, and does it take only a
clear yes for a yes?"""

import contextlib
import dataclasses
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.kafka.broker import free_port
from schemas.envelope import fact_id
from schemas.gate import ContainerMayLeave
from services.console.readmodel.database import migrate
from services.console.settings import ConsoleSettings
from services.ports.feed import FeedPort
from services.ports.notebook import Notebook
from services.ports.notice import HANDED_OVER, TOPIC, Away
from services.ports.topic import TopicPort
from services.shell import clients
from services.shell.access import access_to
from services.shell.codec import encode
from tests.conftest import PARTITIONS
from tests.console.border import NOON, Border, PublishedMessage, copies, publish
from tests.console.conftest import Running
from tests.people import headers_of
from tests.ports.gatehouse import Gatehouse, acts

ROOT = Path(__file__).parents[2]


def released(reference: str, box: str) -> Border:
    """The story of released goods whose container may leave."""
    return Border(reference, (box,)).lodged().accepted().assessed().held("arrival").arrived().released().may_leave()


def handed(messages: list[PublishedMessage]) -> list[str]:
    return [one.id for one in messages if one.kind in HANDED_OVER]


def followed(bootstrap: str, notebook: Notebook) -> Gatehouse:
    house = Gatehouse(notebook)
    with TopicPort(bootstrap, notebook) as port:
        port.catch_up(house, 30)
    return house


def answer_of(bootstrap: str, notebook: Notebook, box: str) -> tuple[bool, str]:
    with TopicPort(bootstrap, notebook) as port:
        answer = port.ask(box, Gatehouse(notebook))
    return answer.may_leave, answer.reason


def test_what_is_said_twice_is_handed_over_once(wire: str, notebook: Notebook) -> None:
    messages = released("PORT-TWICE", "PORT0000001").revoked().messages
    publish(wire, [*messages, *messages])
    ids = [n.id for n in followed(wire, notebook).heard_of if n.subject in {one.key for one in messages}]
    assert sorted(ids) == sorted(handed(messages)) and len(ids) == 3
    assert notebook.counts()["known"] >= 4, "each statement that a port reads came twice"
    assert not followed(wire, notebook).heard_of, "and not again after a restart"


def test_killed_between_an_effect_and_its_place_each_effect_is_there_once(wire: str, tmp_path: Path) -> None:
    messages = [one for n in range(8) for one in released(f"PORT-KILL-{n}", f"PORT001000{n}").messages]
    publish(wire, messages)
    file = tmp_path / "killed.db"
    ends = []
    for dies_at in (1, 4, 3, 6, 0):
        command = [sys.executable, "-m", "tests.ports.gatehouse", wire, str(file), str(dies_at)]
        ends.append(subprocess.run(command, cwd=ROOT, check=False, timeout=250).returncode)
    assert ends == [-9, -9, -9, -9, 0]
    ours = {one.key for one in messages}
    assert sorted([done for done, subject in acts(file) if subject in ours]) == sorted(handed(messages))


@pytest.mark.parametrize("undone", [False, True], ids=["", "and undid the transaction, as a full disk does"])
def test_an_effect_that_raises_is_undone_and_comes_again(wire: str, notebook: Notebook, undone: bool) -> None:
    box = f"PORT000003{int(undone)}"
    messages = released(f"PORT-RAISE-{undone}", box).messages
    publish(wire, messages)

    class Jammed(Gatehouse):
        def heard(self, notice: Any, notebook: Any) -> None:
            super().heard(notice, notebook)
            if notice.subject == box:
                if undone:
                    notebook.execute("ROLLBACK")
                raise RuntimeError("the barrier does not move")

    with TopicPort(wire, notebook) as port:
        with pytest.raises(RuntimeError, match="barrier"):
            port.catch_up(Jammed(notebook), 30)
        assert notebook.ask(box).reason == "unknown"
        port.catch_up(Gatehouse(notebook), 30)
    done = [each for each, _ in acts(Path(notebook.file))]
    assert set(handed(messages)) <= set(done) and len(done) == len(set(done))
    assert notebook.ask(box).may_leave


@pytest.mark.parametrize("turned", [False, True], ids=["in order", "revocation first"])
def test_a_revocation_beats_an_older_release_in_either_order(wire: str, notebook: Notebook, turned: bool) -> None:
    box = f"PORT000000{4 + turned}"
    consignment = released(f"PORT-REVOKED-{turned}", box).revoked()
    publish(wire, consignment.messages[:-1] if not turned else [consignment.messages[-1], *consignment.messages[:-1]])
    if not turned:
        assert answer_of(wire, notebook, box) == (True, "released")
        publish(wire, consignment.messages[-1:])
    assert answer_of(wire, notebook, box) == (False, "not_released"), (
        "although the gate has not taken its word back yet"
    )
    again = consignment.released()
    publish(wire, again.messages[-2:])
    assert answer_of(wire, notebook, box) == (True, "released")


def test_a_container_that_left_or_was_never_heard_of_stays(wire: str, notebook: Notebook) -> None:
    consignment = released("PORT-LEFT", "PORT0000006")
    publish(wire, consignment.messages)
    assert answer_of(wire, notebook, "port 000000-6") == (True, "released")
    before = len(consignment.messages)
    publish(wire, consignment.gated_out().messages[before:])
    assert answer_of(wire, notebook, "PORT0000006") == (False, "left")
    assert answer_of(wire, notebook, "PORT9999999") == (False, "unknown")


YES = ContainerMayLeave(container_no="BOX", occurred_at=NOON, version=9, consignments=())
WITH: dict[str, bytes | None] = {"ce_type": b"ContainerMayLeave", "ce_id": b"r-1"}
RUBBISH: dict[str, tuple[str, dict[str, bytes | None], bytes | None]] = {
    "no headers": ("missing_kind", {}, b'{"may_leave":true}'),
    "null type": ("missing_kind", {**WITH, "ce_type": None}, b"{}"),
    "of another topic": ("kind_not_on_topic", {**WITH, "ce_type": b"ContainerFreed"}, b"{}"),
    "no id": ("missing_id", {"ce_type": b"ContainerMayLeave"}, b"{}"),
    "null value": ("null_value", WITH, None),
    "random bytes": ("contract", WITH, b"\x00\xff\x13\x37" * 99),
    "half of it": ("contract", WITH, encode(YES)[:-9]),
    "a field less": ("contract", WITH, b'{"container_no":"BOX","version":9,"consignments":[]}'),
    "of another container": ("key_mismatch", WITH, encode(YES)),
}


def lay(bootstrap: str, topic: str, key: bytes, value: bytes | None, headers: dict[str, bytes | None]) -> str:
    """Writes a message with any content to a topic. Returns its position, as `<topic>/<partition>/<offset>`."""
    positions: list[str] = []
    producer = clients.producer(access_to(bootstrap), {})
    producer.produce(
        topic,
        key=key,
        value=value,
        headers=list(headers.items()),
        on_delivery=lambda _, m: positions.append(f"{m.topic()}/{m.partition()}/{m.offset()}"),
    )
    assert producer.flush(30) == 0
    return positions[0]


@pytest.mark.parametrize("name", RUBBISH)
def test_rubbish_on_the_topic_is_not_a_yes_and_is_told(wire: str, notebook: Notebook, name: str) -> None:
    reason, headers, value = RUBBISH[name]
    box = f"RUBB{list(RUBBISH).index(name):07}"
    consignment = released(f"PORT-RUBBISH-{name}", box)
    publish(wire, consignment.messages)
    assert answer_of(wire, notebook, box) == (True, "released")
    where = lay(wire, TOPIC, box.encode(), value, headers)
    house = followed(wire, notebook)
    assert [(u.reason, box in u.subjects) for u in house.unread_messages if u.where == where] == [(reason, True)]
    assert notebook.counts()[f"unread/{reason}"] >= 1
    assert answer_of(wire, notebook, box) == (False, "unread")
    publish(wire, [_again(consignment.messages[-1], version=2)])
    assert answer_of(wire, notebook, box) == (True, "released"), "a newer word that can be read is the word"


def test_rubbish_about_a_consignment_keeps_its_container(wire: str, notebook: Notebook) -> None:
    consignment = released("PORT-RUBBISH-GOODS", "PORT0000007")
    publish(wire, consignment.messages)
    assert answer_of(wire, notebook, "PORT0000007") == (True, "released")
    value = b'{"consignment_id":"%s","sealed":false}' % consignment.id.encode()
    publish(
        wire, [dataclasses.replace(consignment.messages[-3], kind="ReleaseRevoked", id="s-1", key="other", value=value)]
    )
    assert answer_of(wire, notebook, "PORT0000007") == (False, "unread")


def test_what_was_aborted_or_is_not_committed_yet_is_not_seen(wire: str, notebook: Notebook) -> None:
    aborted, later = released("PORT-ABORT", "PORT0000008").messages, released("PORT-LATER", "PORT0000009").messages
    producer = clients.producer(
        access_to(wire),
        {
            "transactional.id": "port-test",
            "transaction.timeout.ms": 10_000,
        },
    )
    producer.init_transactions(30)
    producer.begin_transaction()
    for one in copies(aborted):
        producer.produce(one.topic, key=one.key, value=one.value, headers=one.headers())
    producer.flush(30)
    producer.abort_transaction(30)
    producer.begin_transaction()
    for one in copies(later):
        producer.produce(one.topic, key=one.key, value=one.value, headers=one.headers())
    producer.flush(30)
    house = Gatehouse(notebook)
    with TopicPort(wire, notebook) as port, pytest.raises(Away, match="a transaction is open on customs-"):
        port.catch_up(house, 1)
    assert not {n.subject for n in house.heard_of} & {one.key for one in [*aborted, *later]}
    producer.commit_transaction(30)
    ids = {n.id for n in followed(wire, notebook).heard_of}
    assert set(handed(later)) <= ids and not ids & set(handed(aborted))
    assert answer_of(wire, notebook, "PORT0000008") == (False, "unknown")
    assert answer_of(wire, notebook, "PORT0000009") == (True, "released")


def test_over_http_a_terminal_hears_the_same_and_gets_the_same_answers(wire: str, tmp_path: Path) -> None:
    boxes = [f"PORT002000{n}" for n in range(4)]
    free, back, gone = (released(f"PORT-HTTP-{n}", boxes[n]) for n in range(3))
    publish(wire, [*free.messages, *back.revoked().messages, *gone.gated_out().messages, *free.messages])
    url = f"sqlite:///{tmp_path}/console.db"
    migrate(url)
    console = Running(ConsoleSettings(kafka=wire, partitions=PARTITIONS, database_url=url, console_port=free_port()))
    console.start()
    by_topic, by_http = Notebook(tmp_path / "topic.db"), Notebook(tmp_path / "http.db")
    try:
        console.catch_up()
        house = Gatehouse(by_http)
        with FeedPort(console.address, by_http, headers=headers_of()) as feed, TopicPort(wire, by_topic) as topic:
            feed.catch_up(house, 30)
            topic_house = Gatehouse(by_topic)
            topic.catch_up(topic_house, 30)
            ours = {free.id, back.id, gone.id}
            notices = [
                sorted((n.id, n.kind, n.subject, n.version, n.others) for n in h.heard_of if n.subject in ours)
                for h in (house, topic_house)
            ]
            assert notices[0] == notices[1] and len(notices[0]) == 4
            for box, may in zip(boxes, (True, False, False, False), strict=True):
                assert feed.ask(box, house).may_leave is topic.ask(box, topic_house).may_leave is may, box
            assert feed.ask(boxes[1], house).reason == "not_released"
            assert not feed.read(house, 0), "the place is kept"
            publish(wire, back.released().messages[-2:])
            assert feed.read(house, 20) == 1, "a long poll answers as soon as there is something"
            before = acts(tmp_path / "http.db")
            with contextlib.closing(sqlite3.connect(by_http.file)) as sql, sql:
                # a cursor of another epoch simulates a feed that was made anew
                sql.execute("UPDATE port_cursors SET cursor = 'eanother.7'")
            assert feed.read(house, 0) == 0 and by_http.cursor("http") == "0"
            feed.catch_up(house, 30)
            assert acts(tmp_path / "http.db") == before and by_http.cursor("http") != "0"
    finally:
        console.stop()
    with FeedPort(console.address, by_http, headers=headers_of()) as feed:
        assert feed.ask(boxes[0], house).reason == "stale"
        with pytest.raises(Away):
            feed.read(house, 0)


def test_the_command_line_answers_by_exit_code_and_follows_each_once(
    wire: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DTG_KAFKA_SECURITY", "PLAINTEXT")  # the broker of the test session has no authentication
    publish(wire, released("PORT-CLI", "PORT0030000").messages)

    def dtg(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "services.cli.main", "port", *arguments]
        return subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False, timeout=250)

    common = ("--where", wire, "--notebook", str(tmp_path / "cli.db"))
    first, again = dtg("follow", "--once", *common), dtg("follow", "--once", *common)
    assert (first.returncode, again.returncode) == (0, 0), first.stderr
    assert "may leave 可以出闸" in first.stdout and "PORT0030000" in first.stdout and not again.stdout
    yes, no = dtg("ask", "PORT0030000", *common), dtg("ask", "PORT0030001", *common)
    assert (yes.returncode, no.returncode) == (0, 3) and "unknown" in no.stdout
    away = dtg("ask", "PORT0030000", "--http", "--where", f"http://127.0.0.1:{free_port()}", *common[2:])
    assert away.returncode == 3 and "stale" in away.stdout
    both = dtg("ask", "PORT0030000", "--console", f"http://127.0.0.1:{free_port()}", *common)
    assert both.returncode == 3 and "stale" in both.stdout, "a yes of the topics needs the console's where one is named"


def _again(one: PublishedMessage, **changed: Any) -> PublishedMessage:
    """The gate desk's statement again, with these fields changed and a new id."""
    value = encode(ContainerMayLeave.model_validate_json(one.value).model_copy(update=changed))
    return dataclasses.replace(one, id=fact_id("gate", one.id, 0), cause=one.id, value=value)
