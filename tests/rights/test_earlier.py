"""Does a folder of an older software version, whose broker had no authentication, start with its data? And does no
listener then accept anybody without authentication?"""

import signal
import socket
import struct
from pathlib import Path

import pytest
from confluent_kafka import Producer

from deploy.kafka.broker import Broker
from schemas.topics import requests_topic
from services.cli.log import read
from services.cli.settings import UpSettings
from services.cli.up import CannotStart, Up
from services.shell.access import Access, NoAccess, Security, file_of, try_access
from tests.cli.test_places import dtg, surroundings, up
from tests.conftest import provisioned
from tests.rights.conftest import Secured

TOPIC = requests_topic("release")
DESCRIBE_CLUSTER = 60


def earlier(home: Path) -> None:
    """Makes a folder as `dtg up` of the previous software version left it, with one message."""
    with provisioned(home / "kafka", 2) as broker:
        producer = Producer({"log_level": 0, "bootstrap.servers": broker.bootstrap})
        producer.produce(TOPIC, key=b"k", value=b"kept")
        assert producer.flush(60) == 0


def test_a_folder_of_the_software_version_before_starts_with_its_data_and_says_once_what_to_do(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    earlier(home)
    env = surroundings(home, COLUMNS="1000")
    logs = []
    for _ in range(2):
        running = up(env)
        try:
            topics = dtg({**env, "COLUMNS": "200"}, "topics")
            assert topics.returncode == 0, topics.stdout + topics.stderr
            counts = [line for line in topics.stdout.splitlines() if TOPIC in line]
            assert counts and counts[0].split("│")[-2].strip() == "1", topics.stdout
            servers = f"127.0.0.1:{env['DTG_KAFKA_PORT']}"
            with pytest.raises(NoAccess):
                try_access(Access(servers), 30)
            auditor = Access(servers, "SASL_PLAINTEXT", file_of(home / "credentials", "auditor"))
            assert [entry.value for entry in read(auditor, [TOPIC])] == [b"kept"]
        finally:
            running.send_signal(signal.SIGTERM)
            running.communicate()
        assert running.returncode == 0
        logs.append((home / "logs" / "up.log").read_text(encoding="utf-8"))
    assert logs[0].count("From now on the broker asks everybody") == 1
    assert logs[1].count("From now on the broker asks everybody") == 1, "the second start says nothing of it"
    for file in (home / "credentials").iterdir():
        assert file.stat().st_mode & 0o777 == 0o600


def answers_anybody(port: int) -> bool:
    """Whether the listener describes its cluster to a client that has not signed in."""
    question = struct.pack(">hhih", DESCRIBE_CLUSTER, 1, 7, -1) + b"\0" + b"\0" + b"\2" + b"\0"
    with socket.create_connection(("127.0.0.1", port), 10) as wire:
        wire.sendall(struct.pack(">i", len(question)) + question)
        wire.settimeout(20)
        try:
            return len(wire.recv(8)) == 8
        except ConnectionResetError:
            return False


def controller_of(broker: Broker) -> int:
    lines = (broker.folder / "server.properties").read_text(encoding="ascii").splitlines()
    [voters] = [line for line in lines if line.startswith("controller.quorum.voters=")]
    return int(voters.rpartition(":")[2])


def test_the_controller_answers_nobody_who_has_not_signed_in(secured: Secured, broker: Broker) -> None:
    assert answers_anybody(controller_of(broker)), "a plain one does, so the question is a right one"
    assert not answers_anybody(controller_of(secured.broker))
    assert not answers_anybody(secured.broker.port)


def started(home: Path, security: Security) -> Up:
    settings = UpSettings(home=str(home), kafka_security=security)
    return Up(settings, demo=False, speed=1, consignments=1, seed=1)


def test_rights_can_be_left_off_and_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = started(tmp_path, "PLAINTEXT")
    plain._make_credentials()
    assert plain.broker is not None and plain.broker.owner is None
    assert "anybody on this machine can write any topic" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_the_broker_of_dtg_up_has_no_tls(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"DTG_KAFKA_SECURITY=SASL_SSL.*TLS"):
        started(tmp_path, "SASL_SSL")._make_credentials()
