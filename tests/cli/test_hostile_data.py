"""Can any data make a command crash, or control the terminal? Every command that reads runs on a broker full of
hostile messages."""

import base64
import json
import os
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from kafka import KafkaProducer
from sqlalchemy import select
from typer.testing import CliRunner, Result

from deploy.kafka.broker import free_port
from schemas.envelope import fact_id
from schemas.topics import FACTS_AND_REQUESTS, FOR_THE_PORTS, PARKED
from services.cli.accounts import by_whom
from services.cli.log import partition_of
from services.cli.main import app
from services.cli.screen import errors, screen
from services.console.readmodel.database import migrate, open_engine
from services.console.readmodel.tables import READINGS
from tests.conftest import provisioned

PARTITIONS = 2
KEY = "c0ffee00-0000-5000-8000-000000000000"
EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"
HOSTILE = (
    *("[/evil]", "[link=http://x]y[/]", "[bold", "[@click=x]", "\\[/x]", ":smiley:", "{0}", "%s"),
    *("\x1b]0;owned\x07\x1b[2J", "a\rb\x08", "\x00", "\x9b31m", "\t", "\n released 放行 X", "\u2028"),
    *("\u202egnp", "\u2066x\u2069", "\u200b\ufeff", "\u00ad", "\U000e0041", "\ue000", "\uffff", "\u3164"),
    *("", "x" * 5_000, "大" * 3_000),
)
LONE = "\ud800 \udcff"
"""Lone surrogates. JSON can contain them, and UTF-8 cannot."""
VALUES = (
    *(None, b"", b"\xff\xfe", b"\x00" * 99, b"[" * 20_000, b'{"a":' * 900 + b"1" + b"}" * 900, b'[{"a":' * 5_000),
    *(
        b'{"n":' + b"9" * 5_000 + b"}",
        b'{"n":' + b"9" * 4_000 + b"}",
        b'{"n":1e9999}',
        b"NaN",
        b'"\\ud800"',
        b"7",
        b"[]",
    ),
)


class Bytes(str):
    """The name of a header. It is written as bytes that are not UTF-8."""

    __slots__ = ()

    def encode(self, *_: Any) -> bytes:
        return b"\xff\xfe"


def example(kind: str, **changes: Any) -> bytes:
    golden: dict[str, Any] = json.loads(EXAMPLES.joinpath(f"{kind}.json").read_text().splitlines()[0])
    return json.dumps(golden.get("value", golden) | changes).encode()


class Crowd:
    """Puts hostile messages on topics."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", max_request_size=8 << 20)

    def send(self, topic: str, key: str | bytes | None, value: bytes | None, *more: Any, **headers: str) -> None:
        raw = key.encode() if isinstance(key, str) else key
        given = [(name, text.encode()) for name, text in headers.items()]
        partition = partition_of(key, PARTITIONS) if isinstance(key, str) else 0
        self._producer.send(topic, key=raw, value=value, headers=[*given, *more], partition=partition)

    def everything(self) -> None:
        for topic in (*FACTS_AND_REQUESTS, FOR_THE_PORTS, *PARKED):
            desk = topic.name.split("-")[1] if topic is not FOR_THE_PORTS else topic.writer
            kinds = [kind.kind for kind in topic.carries] or ["MessageParked"]
            for value in VALUES:
                for source in (f"/desks/{desk}", "/test"):
                    self.send(topic.name, KEY, value, ce_type=kinds[0], ce_id="x", ce_source=source, sequence="1")
            odd = [(Bytes("x"), b"\xff"), ("ce_type", b"\xff"), ("ce_time", b"\xff\x1b")]
            self.send(topic.name, KEY, b"{}", *odd)
            for key in (None, b"\xff", *HOSTILE):
                self.send(topic.name, key, b"{}", ce_type=kinds[0], ce_source=f"/desks/{desk}")
        for number, text in enumerate((*HOSTILE, LONE)):
            header = text.encode(errors="replace").decode()
            named = {"ce_id": header, "ce_time": header, "ce_source": f"/desks/{header}", "causationid": header}
            body = json.dumps({"asked_by": text, text: text, "reason": [text, {text: {"code": {text: text}}}]})
            for kind in ("LodgeDeclaration", "RequestRefused", header):
                self.send("customs-declaration-requests", KEY, body.encode(), ce_type=kind, **named, **{header: header})
            self.parked(number, text, header)
            self.forged(number, text)

    def parked(self, number: int, text: str, header: str) -> None:
        """Writes a parking fact as its service would write it."""
        raw = text.encode(errors="surrogatepass")
        fact = {
            "service": "release",
            "subject": header,
            "topic": "customs-release-requests",
            "partition": 0,
            "offset": number,
            "reason": header,
            "error": header,
            "headers": {header: header, "ce_id": header},
            "value_base64": base64.b64encode(raw).decode() if number else "no base64 \x1b",
        }
        value = example("MessageParked", **fact)
        self.send(
            "customs-release-parked", header, value, ce_type="MessageParked", ce_source="/desks/release", ce_id=header
        )

    def forged(self, number: int, text: str) -> None:
        """Writes a forged fact that has the headers of its desk."""
        for kind, changes in (("ReleaseRevoked", {"reason": text}), ("ReleaseGranted", {"answers": {text: text}})):
            body = example(kind, consignment_id=KEY, version=number + 1, **changes)
            cause = f"cause {number}"
            for sequence in (str(number + 1), "9" * 18, "9" * 30):
                self.send(
                    "customs-release-facts",
                    KEY,
                    body,
                    ce_type=kind,
                    ce_id=fact_id("release", cause, len(sequence)),
                    causationid=cause,
                    sequence=sequence,
                    ce_source="/desks/release",
                )

    def done(self) -> None:
        self._producer.flush(60)
        self._producer.close()


def compressed(bootstrap: str) -> None:
    """Sends compressed messages with each codec of Kafka. Any client may use a codec that a reader lacks."""
    for codec in ("gzip", "snappy", "lz4", "zstd"):
        producer = Producer({"log_level": 0, "bootstrap.servers": bootstrap, "compression.type": codec})
        for topic in ("customs-gate-requests", "customs-release-facts", "customs-release-parked"):
            producer.produce(topic, key=KEY, value=b'{"asked_by":"' + b"x" * 5_000 + b'"}')
        assert producer.flush(30) == 0


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Returns the address of a broker full of hostile messages, which no other test reads."""
    with provisioned(tmp_path_factory.mktemp("hostile") / "kafka", PARTITIONS) as broker:
        crowd = Crowd(broker.bootstrap)
        crowd.everything()
        crowd.done()
        compressed(broker.bootstrap)
        yield broker.bootstrap


@pytest.fixture
def dtg(full: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Returns a function that runs `dtg` in this process on the hostile broker, and returns the output. It fails if the
    output has a character that controls the terminal, or if the exit code is not one of `codes`."""
    monkeypatch.setenv("DTG_KAFKA", full)
    monkeypatch.setenv("DTG_PARTITIONS", str(PARTITIONS))
    monkeypatch.setenv("DTG_HOME", str(tmp_path))
    monkeypatch.setenv("DTG_CONSOLE_PORT", str(free_port()))
    # `screen` and `errors` read the environment variable COLUMNS when they were created. So their width is set here.
    for each in (screen, errors):
        monkeypatch.setattr(each._console, "_width", 300)

    def run(*arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        done: Result = CliRunner().invoke(app, list(arguments))
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code in codes, done.output[-2_000:]
        acting = {
            c for c in done.output if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
        }
        assert not acting
        return done.stdout if "--json" in arguments else done.output

    return run


def test_what_is_traced_is_shown_as_it_is(dtg: Any) -> None:
    shown = dtg("trace", KEY)
    for text in (
        "[/evil]",
        "[bold",
        ":smiley:",
        "\\x1b]0;owned\\x07\\x1b[2J",
        "\\u202egnp",
        "\\ud800",
        "\\x00",
        "\\n released",
    ):
        assert text in shown, text
    for text in ("[/evil]", "\x1b]0;owned\x07\x1b[2J", "a/\udcff"):
        dtg("trace", text, codes=(0, 1))


def test_what_is_parked_is_listed_shown_and_discarded(dtg: Any) -> None:
    listed = dtg("parked", "list")
    assert "[/evil]" in listed and "\\x1b]0;owned" in listed
    for number in (0, HOSTILE.index("\x00"), len(HOSTILE)):
        dtg("parked", "show", f"release:customs-release-requests/0/{number}", codes=(0, 1))
    assert "[link=http://x]y[/]" in dtg("parked", "show", "release:customs-release-requests/0/1")
    name = "release:customs-release-requests/0/1"
    assert "Not ordered" in dtg("parked", "replay", name, "--actor", "\udcff", codes=(1,))
    assert "Not ordered" in dtg("parked", "discard", name, "--actor", "\x1b[2J", codes=(1,))
    ordered = dtg("parked", "discard", name, "--actor", "[/evil]", "--wait", "0")
    assert f"by {by_whom()[:30]}: [/evil]" in ordered, "who gave the order stands there as the machine knows them"
    dtg("parked", "replay", "[/evil]\x1b", "--actor", "o", codes=(1,))
    dtg("parked", "replay", "x", "--actor", "o", "--value", "/nowhere/[/evil]", codes=(2,))


def test_who_reads_parked_messages_at_the_machine_is_on_record_and_without_a_database_it_is_said(
    dtg: Any, tmp_path: Path
) -> None:
    name, database = "release:customs-release-requests/0/1", tmp_path / "console.db"
    assert "not on record" in dtg("parked", "show", name) and not database.exists()
    migrate(f"sqlite:///{database}")
    assert "not on record" not in dtg("parked", "list") + dtg("parked", "show", name)
    engine = open_engine(f"sqlite:///{database}")
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(select(READINGS.c.reader, READINGS.c.subject))]
    engine.dispose()
    [subject] = {subject for reader, subject in rows if reader == by_whom()} - {"dtg parked list"}
    assert len(rows) == 2 and subject in dtg("parked", "list")


def test_what_programs_read_is_json_whatever_was_sent(dtg: Any) -> None:
    trace = json.loads(dtg("trace", KEY, "--json"))
    assert any("[/evil]" in each["details"] for each in trace["stories"][KEY])
    parked = json.loads(dtg("parked", "list", "--json"))["parked"]
    assert any("\x1b]0;owned" in each["error"] for each in parked)
    assert len(json.loads(dtg("topics", "--json"))["topics"]) > 20
    assert json.loads(dtg("audit", "--json", codes=(1,)))["proof"][0]["reordered"] >= 0
    assert json.loads(dtg("port", "ask", "[/evil]", "--json", codes=(3,)))["may_leave"] is False
    for line in dtg("port", "follow", "--once", "--json").splitlines():
        assert json.loads(line)


def test_topics_and_audit_come_to_their_end(dtg: Any) -> None:
    assert "customs-release-facts" in dtg("topics")
    assert "999999999999999999" in dtg("audit", codes=(1,))


def test_a_port_follows_and_asks(dtg: Any) -> None:
    followed = dtg("port", "follow", "--once")
    assert "cannot be read" in followed
    for container in ("[/evil]", "\x1b[2J\udcff"):
        dtg("port", "ask", container, codes=(3,))
    dtg("port", "ask", "--http", "[/evil]\udcff", codes=(3,))
    dtg("port", "follow", "--http", "--once", codes=(1,))


def test_files_of_any_name_and_content_are_refused_with_a_sentence(dtg: Any, tmp_path: Path) -> None:
    for number, content in enumerate((b"[/evil]", b"\xff", b"[" * 99_999, b"[1, null]", b'{"reference":"[/evil]"}')):
        file = tmp_path / f"[evil]\x1b:smiley:{number}"
        file.write_bytes(content)
        # The files 3 and 4 are JSON. For them the command would need a console, and there is none.
        if number < 3:
            dtg("declare", str(file), codes=(1,))
        dtg("declare", str(file), "--format", "korea", codes=(1,))
        dtg("declare", str(file), "--url", "[/evil]", codes=(1,))
    dtg("declare", str(tmp_path / "[/nothing]"), codes=(1,))


def test_a_terminal_of_few_characters_shows_it_too(full: str, tmp_path: Path) -> None:
    few = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii:strict"}
    env = {**os.environ, **few, "DTG_KAFKA": full, "DTG_PARTITIONS": str(PARTITIONS), "DTG_HOME": str(tmp_path)}
    program = [sys.executable, "-m", "services.cli.main"]
    done = subprocess.run([*program, "trace", KEY], env=env, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"") and b"[/evil]" in done.stdout
