"""Can a program of another user get the administrator's password, which PLAIN sends unencrypted?"""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from deploy.kafka.broker import Broker, free_port
from deploy.kafka.errors import BrokerError, Interrupted
from services.shell import listeners as module
from services.shell.access import Access, NoAccess, file_of, make_credential
from services.shell.layout import CannotContinue
from services.shell.listeners import listeners, reaches_loopback

OURS, STRANGER = frozenset([os.getuid()]), 4242
HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def table(tmp_path: Path, *sockets: tuple[str, int, str, int]) -> Path:
    """Writes a table of sockets in the kernel's format, and returns its path. `sockets`: address, port, state
    and user of each."""
    lines = [
        f"   0: {address}:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  {user}        0 1 1\n"
        for address, port, state, user in sockets
    ]
    made = tmp_path / "tcp"
    made.write_text(HEAD + "".join(lines))
    return made


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[socket.socket]:
    """Yields a socket of this user that listens on a loopback port."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def access(folder: Path, port: int, mechanism: str = "PLAIN", host: str = "127.0.0.1") -> Access:
    make_credential(folder, mechanism, "PLAIN" if mechanism == "PLAIN" else "SCRAM-SHA-512")
    return Access(f"{host}:{port}", "SASL_PLAINTEXT", file_of(folder, mechanism))


def test_the_kernel_tells_whose_program_listens(ours: socket.socket) -> None:
    assert listeners(ours.getsockname()[1]) == OURS
    assert listeners(free_port()) == frozenset()
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as other:
        assert listeners(other.getsockname()[1]) == OURS
    # This socket listens on all addresses. So clients that connect to a loopback address reach it, too.
    with socket.create_server(("0.0.0.0", 0)) as everywhere:
        assert listeners(everywhere.getsockname()[1]) == OURS


def test_only_sockets_that_listen_where_a_client_of_the_loopback_comes_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = (
        ("0100007F", 9092, "01", 1),  # a connection
        ("0100007F", 9093, "0A", 2),  # another port
        ("0500000A", 9092, "0A", 3),  # 10.0.0.5
        ("0000000000000000FFFF00000100007F", 9092, "0A", 4),  # ::ffff:127.0.0.1
        ("00000000", 9092, "0A", 5),
    )
    monkeypatch.setattr(module, "TABLES", (table(tmp_path, *rows),))
    assert listeners(9092) == frozenset([4, 5])
    monkeypatch.setattr(module, "TABLES", (tmp_path / "none",))
    assert listeners(9092) is None, "a system without these tables"


@pytest.mark.parametrize(
    ("host", "is_reached"),
    [
        *[(host, True) for host in ("127.0.0.9", "::1", "::ffff:127.0.0.1", "LOCALHOST", "kafka.localhost")],
        *[(host, True) for host in ("127.1", "2130706433", "0", "0.0.0.0", "::")],
        *[(host, False) for host in ("10.0.0.5", "2001:db8::5", "kafka-1.example", "a" * 64, "a..b")],
    ],
)
def test_every_host_name_that_leads_to_the_loopback_is_known(host: str, is_reached: bool) -> None:
    """On Linux, a client that connects to the unspecified address reaches the loopback."""
    assert reaches_loopback(host) == is_reached


def test_a_name_of_this_machine_leads_to_the_loopback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian's /etc/hosts has the machine's own name with the address 127.0.1.1."""
    names = tmp_path / "hosts"
    names.write_text(
        "# names\nnonsense x\n\n127.0.1.1 Desk.example desk # ours\n192.0.2.7 broker\n::1\tip6-localhost\n"
    )
    monkeypatch.setattr(module, "HOSTS", names)
    assert [
        host for host in ("desk", "DESK.example", "ip6-localhost", "broker", "x", "ours") if reaches_loopback(host)
    ] == [
        *("desk", "DESK.example", "ip6-localhost"),
    ]
    assert reaches_loopback(socket.gethostname())
    monkeypatch.setattr(module, "HOSTS", tmp_path / "none")
    assert not reaches_loopback("desk")


def test_a_password_that_is_sent_as_it_is_goes_to_no_program_of_another_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ours: socket.socket
) -> None:
    port = ours.getsockname()[1]
    plain = access(tmp_path, port)
    assert plain.confluent()["sasl.mechanism"] == "PLAIN" and plain.kafka_python()["sasl_plain_password"]
    for user, why in ((STRANGER, "another user"), (None, "No broker")):
        rows = () if user is None else (("0100007F", port, "0A", user),)
        monkeypatch.setattr(module, "TABLES", (table(tmp_path, *rows),))
        for connecting in (plain.confluent, plain.kafka_python, plain.aiokafka, plain.faust):
            with pytest.raises(NoAccess, match=why):
                connecting()
        assert access(tmp_path, port, "SCRAM").confluent(), "SCRAM sends no password"
        assert access(tmp_path, port, host="kafka-1.example").confluent(), "the administrator of a cluster decides"
    monkeypatch.setattr(module, "TABLES", (table(tmp_path, ("0100007F", port, "0A", 0)),))
    assert plain.confluent(), "root reads the file anyway"


@pytest.mark.parametrize(
    "servers",
    ["localhost", "kafka-1.example:9092,localhost", "[::1]", "127.0.0.1", "127.1:9092", "0.0.0.0", " localhost "],
)
def test_an_address_without_a_port_is_checked_at_the_default_port(
    servers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka's clients use the port 9092 if the address has none. A program of another user could listen there."""
    monkeypatch.setattr(module, "TABLES", (table(tmp_path, ("00000000", 9092, "0A", STRANGER)),))
    make_credential(tmp_path, "PLAIN", "PLAIN")
    plain = Access(servers, "SASL_PLAINTEXT", file_of(tmp_path, "PLAIN"))
    for connecting in (plain.confluent, plain.kafka_python, plain.aiokafka, plain.faust):
        with pytest.raises(NoAccess, match="another user"):
            connecting()


@pytest.mark.parametrize("servers", ["", "::1", "localhost:kafka", "[::1", "localhost:９０９２"])
def test_a_password_is_sent_to_no_address_that_cannot_be_read(servers: str, tmp_path: Path) -> None:
    make_credential(tmp_path, "PLAIN", "PLAIN")
    plain = Access(servers, "SASL_PLAINTEXT", file_of(tmp_path, "PLAIN"))
    for connecting in (plain.confluent, plain.kafka_python, plain.aiokafka, plain.faust):
        with pytest.raises(CannotContinue, match=r"is no host:port.*地址有误"):
            connecting()


@pytest.mark.parametrize("user", [None, STRANGER])
def test_while_the_broker_starts_nobody_else_gets_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ours: socket.socket, user: int | None
) -> None:
    """The broker needs some seconds until it listens. The password must not be sent to a program that listens on the
    port before that."""
    port = ours.getsockname()[1]
    rows = () if user is None else (("0100007F", port, "0A", user),)
    monkeypatch.setattr(module, "TABLES", (table(tmp_path, *rows),))
    make_credential(tmp_path, "provision", "PLAIN")
    (tmp_path / "broker.log").touch()
    broker = Broker(tmp_path, port, owner=file_of(tmp_path, "provision"))
    request = iter(range(40))
    broker.process = subprocess.Popen(["sleep", "60"])
    try:
        with pytest.raises(Interrupted if user is None else BrokerError):
            broker._wait(broker.process, lambda: next(request, None) is None)
    finally:
        broker.kill()
    ours.settimeout(0.5)
    with suppress(TimeoutError):
        ours.accept()
        pytest.fail("somebody else was asked, with the password")
