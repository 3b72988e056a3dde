"""How does a test type the commands of the documents as a reader does? Each command works on a running border that
serves only this test."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from deploy.kafka.broker import free_port
from schemas.envelope import request_id
from services.cli.parked import waiting
from services.console.access.demo_accounts import SECRET
from services.shell.access import Access, file_of
from tests.cli.stops import until_line
from tests.docs.lines import ROOT
from tests.docs.listed import ENDLESS, SHORT_TARGETS, WHOLE
from tests.kafka.border import Border
from tests.waiting import wait

UP = "dtg up --demo --speed 1"
"""The command of the README that starts the border on which all other commands are typed."""
EXAMPLE = json.loads(
    (ROOT / "schemas" / "examples" / "LodgeDeclaration.json").read_text(encoding="utf-8").splitlines()[0]
)
PARTITIONS = 2
PORTS = ("DTG_KAFKA_PORT", "DTG_CONSOLE_PORT", "DTG_WORKER_PORT", "DTG_PROJECTOR_PORT")
MAKES = ("MAKE", "MFLAGS", "ARGS")
"""If a `make` runs the tests, it passes its arguments to another `make` in these environment variables."""


def demo_line(role: str) -> str:
    """The header with the key of this role, as the README has it."""
    return f"Authorization: Bearer dtg_demo-{role}_{SECRET}"


@dataclass
class Reader:
    """The reader's folder, ports and lodged goods."""

    folder: Path
    ports: dict[str, int] = field(default_factory=dict)
    goods: str = ""
    parked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ports = {name: free_port() for name in PORTS}
        self.console = f"http://127.0.0.1:{self.ports['DTG_CONSOLE_PORT']}"
        usual = {name: value for name, value in os.environ.items() if not name.startswith(("DTG_", *MAKES))}
        self.env = {
            **usual,
            **{name: str(port) for name, port in self.ports.items()},
            "DTG_HOME": str(self.folder / "home"),
            "DTG_PARTITIONS": str(PARTITIONS),
            "DTG_LAYOUT": "declaration,risk,inspection,quarantine,release,gate,clearance",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "COLUMNS": "200",
        }

    def start(self) -> subprocess.Popen[bytes]:
        """Starts the border, and returns its process when the border is ready."""
        process = subprocess.Popen(
            ["bash", "-c", f"exec {UP}"], cwd=ROOT, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        lines = until_line(process, "Up in")
        assert "Up in" in lines, lines
        return process

    def access(self, name: str) -> Access:
        """How to connect to the broker of the border with the credential of this name."""
        servers = f"127.0.0.1:{self.ports['DTG_KAFKA_PORT']}"
        return Access(servers, "SASL_PLAINTEXT", file_of(self.folder / "home-demo" / "credentials", name))

    def set_two_aside(self) -> None:
        """Writes two lodgements that no desk can read, and waits until they are parked. `parked` then has their names:
        first that of the message that can be replayed with a corrected value."""
        border = Border(self.access("simulator"), PARTITIONS)
        for number in (1, 2):
            key = EXAMPLE["consignment_id"] if number == 1 else request_id("docs", "nobody")
            border.send("customs-declaration-requests", key, b"{", "LodgeDeclaration", request_id("docs", str(number)))
        border.flush()
        border.close()
        operations = self.access("operations")
        wait(lambda: len(waiting(operations)) == 2, "two parked messages")
        by_key = {each.key: each.name for each in waiting(operations)}
        right = by_key.pop(EXAMPLE["consignment_id"])
        self.parked = [right, *by_key.values()]
        (self.folder / "corrected.json").write_text(json.dumps(EXAMPLE), encoding="utf-8")

    def types(self, line: str) -> subprocess.CompletedProcess[str]:
        """Fills in the line of a document, runs it, and returns its result when it has ended. A command of ENDLESS is
        stopped. A `make` command that is neither in LISTED nor in SHORT_TARGETS is not run: its result is an error."""
        command = self.filled_in(line)
        if line.startswith("make ") and line not in SHORT_TARGETS:
            return subprocess.CompletedProcess(["bash", "-c", command], 1, "neither listed nor run", "")
        if line in ENDLESS:
            return self._first_lines(command, ENDLESS[line])
        done = subprocess.run(
            ["bash", "-c", command], cwd=ROOT, env=self.env, capture_output=True, encoding="utf-8", check=False
        )
        if line.startswith("curl") and "/declarations " in line and not done.returncode:
            self.goods = json.loads(done.stdout)["consignment_id"]
        if "/arrival" in line and not done.returncode:
            wait(self._released, "the release")
        return done

    def filled_in(self, line: str) -> str:
        """The line with the reader's own values instead of the document's placeholders."""
        line = WHOLE.get(line, line)
        if line.startswith(("GET /", "POST /")):
            method, rest = line.split(" ", 1)
            path, _, more = rest.partition(" ")
            role = "auditor" if method == "GET" else "terminal"
            line = f"curl -sN -X {method} -H '{demo_line(role)}' '{self.console}{path}' {more}"
        for placeholder, own in self.own_values(line).items():
            line = line.replace(placeholder, own)
        return line

    def own_values(self, line: str) -> dict[str, str]:
        """Placeholder of the documents → the reader's own value."""
        replayed, discarded = self.parked or ("", "")
        return {
            "curl ": "curl --fail-with-body ",
            "http://127.0.0.1:8080": self.console,
            "127.0.0.1:<port>": f"127.0.0.1:{self.ports['DTG_WORKER_PORT']}",
            "CONSIGNMENT": self.goods,
            "<consignment>": self.goods,
            "<message>": replayed if "replay" in line else discarded,
            "<you>": "reader",
            "<account>": "demo-agent",
            "<day>": "2099-01-01",
            "{no}": "CSQU3054383",
            "corrected.json": str(self.folder / "corrected.json"),
            "e1c5d09a7b3f2.41": "0",
        }

    def _released(self) -> bool:
        done = subprocess.run(
            ["curl", "-s", "-H", demo_line("auditor"), f"{self.console}/api/v1/consignments/{self.goods}"],
            capture_output=True,
            check=True,
        )
        consignment = json.loads(done.stdout)["consignment"]
        return bool(consignment) and consignment["stage"] == "released"

    def _first_lines(self, command: str, text: str) -> subprocess.CompletedProcess[str]:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"], cwd=ROOT, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        printed = until_line(process, text)
        process.send_signal(signal.SIGINT)
        rest = process.communicate()[0].decode()
        code = 0 if text in printed and process.returncode in (0, 130, -signal.SIGINT) else process.returncode or 1
        return subprocess.CompletedProcess(command, code, printed + rest, "")
