"""What does a program print if the cluster refuses its credential, or if it lacks a right? It must say so in both
languages, soon, and without its password."""

import json
import os
import subprocess
import sys
import time
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deploy.kafka.broker import free_port
from deploy.kafka.rights import give_rights, rights_of_users
from schemas.topics import facts_topic, parked_topic, requests_topic
from services.cli.bench.load import Phase, lodgements, offer, sender
from services.cli.bench.quick import DAY
from services.cli.log import read, reader
from services.cli.processes import Child, read_model, rehearsal, worker
from services.ports.notebook import Notebook
from services.ports.notice import Away
from services.ports.topic import TopicPort
from services.shell.access import Access, Credential, NoAccess, read_credential, try_access
from services.shell.layout import REFUSED_CODE
from services.shell.loopback import open_page
from services.shell.private_file import write_private
from services.simulator.day import Day
from tests.rights.conftest import RIGHTS, Secured
from tests.waiting import leave, wait

WRONG = "0" * 64


def is_chinese(text: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


@pytest.fixture
def forged(secured: Secured, tmp_path: Path) -> Path:
    """A folder with all credential files, all with wrong passwords."""
    folder = tmp_path / "forged"
    folder.mkdir(mode=0o700)
    for file in secured.credentials.iterdir():
        held = read_credential(file)
        write_private(folder / file.name, Credential(held.username, WRONG, held.mechanism).written())
    return folder


def refused(child: Child) -> str:
    """Waits until the worker has ended with the exit code of a refusal. Returns the error in its last log line about
    the refusal."""
    wait(lambda: child.code is not None, f"the end of {child.name}")
    assert child.code == REFUSED_CODE, child.tail(30)
    [refusal] = [line for line in child.tail(30).splitlines() if '"refused"' in line][-1:]
    return str(json.loads(refusal[refusal.index("{") :])["error"])


@contextmanager
def working(child: Child) -> Iterator[Child]:
    child.restarts = False
    child.start()
    try:
        yield child
    finally:
        child.kill()


@pytest.mark.parametrize("name", ["auditor", "port", "door", "gate", "provision"])
def test_a_wrong_password_is_said_soon_and_in_both_languages(secured: Secured, forged: Path, name: str) -> None:
    began = time.monotonic()
    with pytest.raises(NoAccess) as error:
        try_access(Access(secured.broker.bootstrap, "SASL_PLAINTEXT", forged / f"{name}.json"), 60)
    text = str(error.value)
    assert "does not let this program in" in text and is_chinese(text) and WRONG not in text
    assert time.monotonic() - began < 30


def test_who_does_not_sign_in_is_told_so(secured: Secured) -> None:
    with pytest.raises(NoAccess, match="does not sign in") as error:
        reader(secured.broker.bootstrap)
    assert is_chinese(str(error.value)) and "DTG_KAFKA_SECURITY" in str(error.value)


def test_a_command_ends_with_one_sentence(secured: Secured, forged: Path) -> None:
    env = secured.env(DTG_KAFKA_CREDENTIALS=str(forged), COLUMNS="400")
    for arguments in (["audit"], ["parked", "list"], ["topics"], ["simulate"]):
        program = [sys.executable, "-m", "services.cli.main", *arguments]
        ended = subprocess.run(
            program, check=False, env=os.environ | env, capture_output=True, text=True, encoding="utf-8", timeout=120
        )
        assert ended.returncode == 1 and "does not let this program in" in ended.stderr, ended
        assert is_chinese(ended.stderr) and "Traceback" not in ended.stderr and WRONG not in ended.stdout + ended.stderr


def test_a_port_that_is_not_let_in_lets_nothing_out(secured: Secured, forged: Path, tmp_path: Path) -> None:
    access = Access(secured.broker.bootstrap, "SASL_PLAINTEXT", forged / "port.json")
    with pytest.raises(Away, match="does not let this program in"):
        TopicPort(access, Notebook(tmp_path / "port.db"))


@pytest.mark.parametrize("missing", ["worker", "clearance"])
def test_a_worker_with_a_wrong_or_without_a_password_refuses(
    secured: Secured, forged: Path, tmp_path: Path, missing: str
) -> None:
    for name in {"worker", "clearance"} - {missing}:  # the credential that is not missing is valid
        write_private(forged / f"{name}.json", secured.access(name).credential().written())
    wrong = secured.env(**rehearsal()) | {"DTG_KAFKA_CREDENTIALS": str(forged)}
    with working(worker("clearance", free_port(), tmp_path, wrong, "wrong")) as child:
        text = refused(child)
    assert "does not let this program in" in text and is_chinese(text) and WRONG not in child.tail(200)
    (forged / f"{missing}.json").unlink()
    with working(worker("clearance", free_port(), tmp_path, wrong, "missing")) as child:
        text = refused(child)
    assert is_chinese(text) and "is missing" in text


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[Secured]:
    """A broker of its own, without bad messages of other tests."""
    made = Secured(tmp_path)
    made.start()
    yield made
    made.broker.stop()


def test_a_desk_that_lacks_a_right_refuses_and_parks_nothing(quiet: Secured, tmp_path: Path) -> None:
    secured = quiet
    desk, topic = RIGHTS["declaration"], facts_topic("declaration")
    fewer = RIGHTS | {"declaration": replace(desk, writes=desk.writes - {topic})}
    auditor = secured.access("auditor")
    give_rights(secured.broker.access, rights_of_users(secured.credentials, fewer))
    try:
        offer(sender(secured.access("bench")), lodgements(Day(3, 10, DAY), 0, 3), 0, Phase())
        with working(worker("declaration", free_port(), tmp_path, secured.env(**rehearsal()), "a")) as child:
            text = refused(child)
        assert "refuses a right" in text and is_chinese(text)
    finally:
        secured.give()
    with working(worker("declaration", free_port(), tmp_path, secured.env(**rehearsal()), "a")) as child:
        wait(lambda: len(list(read(auditor, [topic]))) >= 3, "the facts of three declarations", child)
        assert leave(child) == 0
    assert list(read(auditor, [parked_topic("declaration")])) == []


def test_door_and_projector_say_why_they_wait(secured: Secured, forged: Path, tmp_path: Path) -> None:
    ports = free_port(), free_port()
    env = secured.env(
        DTG_KAFKA_CREDENTIALS=str(forged), DTG_DATABASE_URL=f"sqlite:///{tmp_path}/console.db", **rehearsal()
    )
    console, projector = read_model(*ports, tmp_path, env)
    with working(console), working(projector):
        status: dict[str, Any] = wait(lambda: waits(ports[1]), "the projector to say why it waits", projector)
        assert "does not let this program in" in json.dumps(status), status
        wait(lambda: "the producer is not let in" in console.tail(50), "the door to say why it waits", console)
    for child in (console, projector):
        assert WRONG not in child.log.read_text(encoding="utf-8")


def waits(port: int) -> dict[str, Any]:
    """The content of a program's readiness page if the program is not ready and the page names a problem of its access;
    otherwise {}."""
    try:
        open_page(f"http://127.0.0.1:{port}/readyz", 5).close()
    except urllib.error.HTTPError as answer:
        with answer:
            status: dict[str, Any] = json.load(answer)
            return status if "access" in json.dumps(status) else {}
    except OSError:
        return {}
    return {}


def test_no_log_and_no_setting_of_the_broker_that_others_may_read_holds_a_password(secured: Secured) -> None:
    passwords = [read_credential(file).password for file in secured.credentials.iterdir()]
    for file in secured.broker.folder.rglob("*"):
        if file.is_file() and (file.suffix == ".log" and file.parent == secured.broker.folder):
            text = file.read_text(encoding="utf-8", errors="replace")
            assert not [password for password in passwords if password in text], file
    assert (secured.broker.folder / "server.properties").stat().st_mode & 0o777 == 0o600
    assert requests_topic("gate") in RIGHTS["door"].writes
