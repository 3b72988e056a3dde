"""Do our own checks reach the same bootstrap servers as Kafka's clients?"""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.kafka.broker import free_port
from services.cli.port import port_app
from services.ports.notebook import Notebook
from services.ports.notice import Away
from services.ports.topic import TopicPort
from services.shell import servers as module
from services.shell.access import Access, accepts, file_of, make_credential, try_access
from services.shell.servers import NotServers, addresses
from services.shell.worker import broker_accepts
from tests.loops import finish

FORMS = " broker-1 , [::1]:9093,10.0.0.5:1,[2001:db8::5],海关.example"
WRONG = (
    "",
    "a,",
    "::1",
    "[::1",
    "broker:0",
    "broker:65536",
    "broker:kafka",
    "broker:９０９２",
    "a b",
    "x://a",
    "u@b",
    "b#c:1",
)


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A port that accepts connections and sends nothing. It is the default port during the test."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setattr(module, "DEFAULT_PORT", port)
        yield port


def test_a_server_without_a_port_has_the_default_port_in_every_library() -> None:
    assert addresses(FORMS) == (
        *(("broker-1", 9092), ("::1", 9093), ("10.0.0.5", 1), ("2001:db8::5", 9092)),
        ("海关.example", 9092),
    )
    access, written = Access(FORMS), "broker-1:9092,[::1]:9093,10.0.0.5:1,[2001:db8::5]:9092,海关.example:9092"
    assert access.confluent() == {"bootstrap.servers": written}
    assert access.aiokafka() == {"bootstrap_servers": written}
    assert access.kafka_python() == {"bootstrap_servers": written.split(",")}


@pytest.mark.parametrize("text", WRONG)
def test_a_text_that_is_no_list_of_servers_is_refused_wherever_it_is_read(text: str) -> None:
    access = Access(text)
    for reading in (
        *(access.confluent, access.kafka_python, access.aiokafka),
        *(lambda: accepts(text), lambda: finish(broker_accepts(text))),
    ):
        with pytest.raises(NotServers, match=r"is no host:port.*地址有误"):
            reading()


@pytest.mark.parametrize("server", ["127.0.0.1", "localhost", "127.0.0.1:{free},localhost", "a..b:9092,127.0.0.1"])
def test_a_broker_at_the_default_port_is_found(server: str, listening: int) -> None:
    server = server.format(free=free_port())
    assert finish(broker_accepts(server)) and accepts(server)
    assert not finish(broker_accepts("a..b")) and not accepts("a..b"), "no name of a host"


def test_whether_a_program_is_accepted_stays_open_while_no_broker_answers(tmp_path: Path) -> None:
    """If no broker answers, `try_access` raises nothing and the caller continues. The next request of the caller waits
    for the broker, or fails."""
    try_access(Access(f"127.0.0.1:{free_port()}"), 600)
    make_credential(tmp_path, "gate")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        for access in (Access(address), Access(address, "SASL_PLAINTEXT", file_of(tmp_path, "gate"))):
            try_access(access, 1.5)


def test_a_port_client_says_which_address_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DTG_HOME", str(tmp_path))
    notebook = Notebook(tmp_path / "port.db")
    with pytest.raises(Away, match="'a:b' is no host:port"):
        TopicPort("a:b", notebook)
    notebook.close()
    result = CliRunner().invoke(
        port_app, ["follow", "--once", "--where", "a:b", "--notebook", str(tmp_path / "port.db")]
    )
    assert result.exit_code == 1 and "'a:b' is no host:port" in " ".join(result.output.split()), result.output
