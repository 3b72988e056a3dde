"""Does a port that changes from the desks' topics to `customs-port-facts` lose no release, and act on none twice?"""

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.gate import ContainerGatedOut, ContainerMayLeave
from services.ports.notebook import Notebook
from services.ports.notice import FORMER, TOPIC
from services.ports.topic import TopicPort
from tests.console.border import Border, copies, publish
from tests.ports.gatehouse import Gatehouse, acts
from tests.ports.test_lack_of_news import make, remove
from tests.ports.test_port import ROOT, answer_of, handed, released

BEFORE = {
    "port_known": ["id", "reading"],
    "port_statements": ["subject", "kind", "version", "others", "reason", "source", "permitted"],
    "port_places": ["source", "partition", "next"],
    "port_sources": ["source", "identity", "reading"],
}
"""Table → its columns, in a notebook that the previous software version wrote."""


def of_the_software_version_before(bootstrap: str, file: Path) -> Gatehouse:
    """Makes a notebook as the previous software version leaves it after it has read everything. The previous version
    reads only the topics of the desks. Returns the handler that got the notices."""
    notes = Notebook(file)
    house = Gatehouse(notes)
    with TopicPort(bootstrap, notes, former=True) as port:
        port.catch_up(house, 30)
    notes.close()
    with contextlib.closing(sqlite3.connect(file)) as sql, sql:
        mine = {row[0] for row in sql.execute("SELECT DISTINCT source FROM port_known")}
        assert mine <= set(FORMER), "nothing of what it read was told to ports yet"
        for table in ("port_places", "port_sources"):
            sql.execute(f"DELETE FROM {table} WHERE source = ?", (TOPIC,))
        sql.execute("ALTER TABLE port_known DROP COLUMN source")
        sql.execute("UPDATE port_statements SET reason = 'words of an officer' WHERE kind = 'ReleaseRevoked'")
        for table, columns in BEFORE.items():
            assert [row[1] for row in sql.execute(f"PRAGMA table_info({table})")] == columns
    return house


def statements(file: Path) -> list[tuple[str, str, str]]:
    with contextlib.closing(sqlite3.connect(file)) as sql:
        return list(sql.execute("SELECT subject, kind, reason FROM port_statements"))


@pytest.fixture
def anew(wire: str) -> str:
    """The bootstrap servers of a broker on which the topic for ports and the topics of the desks are empty."""
    for topic in (TOPIC, *FORMER):
        remove(wire, topic)
        make(wire, topic)
    return wire


def handed_over(house: Gatehouse, *borders: Border) -> list[tuple[str, str]]:
    """(subject, kind) of each notice about these goods and their containers that was handed over."""
    ours = {name for each in borders for name in (each.id, *each.containers)}
    return [(notice.subject, notice.kind) for notice in house.heard_of if notice.subject in ours]


def test_a_notebook_of_the_software_version_before_loses_nothing_and_does_nothing_twice(
    anew: str, tmp_path: Path
) -> None:
    file = tmp_path / "port.db"
    first, back, missed = (released(f"MOVE-{n}", f"MOVE000000{n}") for n in range(3))
    publish(anew, [*first.messages, *back.messages, *back.revoked().messages[-1:]], former=True)
    of_the_software_version_before(anew, file)
    before = acts(file)
    # While the port is off, desks of the previous version publish more facts. Then desks of the present version take
    # over.
    publish(anew, missed.messages, former=True)
    later, gone = released("MOVE-3", "MOVE0000003"), released("MOVE-4", "MOVE0000004")
    publish(anew, [*later.messages, *gone.messages])
    notes = Notebook(file)
    house = Gatehouse(notes)
    with TopicPort(anew, notes) as port:
        assert port.topics == (TOPIC, *FORMER)
        port.catch_up(house, 30)
        assert handed_over(house, first, back) == [], "done before"
        for each in (missed, later, gone):
            assert sorted(handed_over(house, each)) == sorted(
                [(each.id, "ReleaseGranted"), (each.containers[0], "ContainerMayLeave")]
            )
        answers = {n: port.ask(f"MOVE000000{n}", house).may_leave for n in range(5)}
        assert answers == {0: True, 1: False, 2: True, 3: True, 4: True}
        # One worker of the previous version still runs. It publishes only on the topic of its desk.
        publish(anew, later.revoked().messages[-1:], former=True)
        assert port.ask("MOVE0000003", house).reason == "not_released"
        published = len(gone.messages)
        publish(anew, gone.gated_out().messages[published:], former=True)
        assert port.ask("MOVE0000004", house).reason == "left"
        port.leave_former(house, 30)
        again = later.released()
        publish(anew, again.messages[-2:])
        assert port.ask("MOVE0000003", house).may_leave
    notes.close()
    notes = Notebook(file)
    with TopicPort(anew, notes, former=True) as port:
        assert port.topics == (TOPIC,), "what was left is not begun again"
        assert {n: port.ask(f"MOVE000000{n}", house).may_leave for n in range(5)} == {
            0: True, 1: False, 2: True, 3: True, 4: False
        }  # fmt: skip
    notes.close()
    done = [each for each, _ in acts(file)]
    everything = handed([*first.messages, *back.messages, *missed.messages, *later.messages, *gone.messages])
    assert (
        sorted(done) == sorted(everything)
        and len(done) == len(set(done))
        and done[: len(before)] == [i for i, _ in before]
    )
    assert {row[2] for row in statements(file)} == {""}, "words of officers that it was told are forgotten"


def test_copies_of_what_was_read_before_do_not_end_a_newer_yes(anew: str, tmp_path: Path) -> None:
    """Desks of the present version already wrote copies for ports while the port still ran the previous version. After
    its update, the port reads the copies from the beginning."""
    file = tmp_path / "port.db"
    box = "MOVE0000010"
    first = released("MOVE-10", box)
    first.gate_says(ContainerGatedOut, gate="G3", consignments=(first.id,))
    first.gate_says(ContainerMayLeave, version=2, consignments=(first.id,))
    publish(anew, first.messages, former=True)
    of_the_software_version_before(anew, file)
    publish(anew, [each for each in copies(first.messages) if each.topic == TOPIC], former=True)
    notes = Notebook(file)
    house = Gatehouse(notes)
    with TopicPort(anew, notes) as port:
        assert port.ask(box, house).may_leave
        assert not house.heard_of
        port.leave_former(house, 30)
        assert port.ask(box, house).may_leave
    notes.close()


def test_a_topic_for_ports_made_anew_after_the_move_is_read_again(anew: str, tmp_path: Path) -> None:
    file = tmp_path / "port.db"
    first, second = released("MOVE-20", "MOVE0000020"), released("MOVE-21", "MOVE0000021")
    publish(anew, first.messages, former=True)
    of_the_software_version_before(anew, file)
    publish(anew, second.messages)
    notes = Notebook(file)
    house = Gatehouse(notes)
    with TopicPort(anew, notes) as port:
        port.leave_former(house, 30)
        remove(anew, TOPIC)
        make(anew, TOPIC)
        assert port.ask("MOVE0000021", house).reason == "unknown"
        publish(anew, second.messages)
        assert port.ask("MOVE0000021", house).may_leave and port.ask("MOVE0000020", house).may_leave
    notes.close()
    done = [each for each, _ in acts(file)]
    assert len(done) == len(set(done)) == 4


def test_the_command_line_moves_a_notebook(anew: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DTG_KAFKA_SECURITY", "PLAINTEXT")  # the broker of the test session has no authentication
    file = tmp_path / "port.db"
    first = released("MOVE-30", "MOVE0000030")
    publish(anew, first.messages, former=True)
    of_the_software_version_before(anew, file)

    def dtg(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-m",
            "services.cli.main",
            "port",
            *arguments,
            "--where",
            anew,
            "--notebook",
            str(file),
        ]
        return subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False, timeout=250)

    moved = dtg("move")
    assert moved.returncode == 0 and f"reads 改读 {TOPIC}" in moved.stdout.replace("\n", " "), moved.stdout
    assert dtg("ask", "MOVE0000030").returncode == 0
    notes = Notebook(file)
    assert [notes.follows(topic) for topic in (TOPIC, *FORMER)] == [True, False, False]
    notes.close()


def test_a_new_notebook_reads_the_topic_for_ports_alone(anew: str, notebook: Notebook) -> None:
    publish(anew, released("MOVE-40", "MOVE0000040").messages, former=True)
    assert answer_of(anew, notebook, "MOVE0000040") == (False, "unknown"), "it was released before there were copies"
    with TopicPort(anew, notebook, former=True) as port:
        assert port.ask("MOVE0000040", Gatehouse(notebook)).may_leave
