"""What does the console answer to requests that its own API document allows, or forbids? `make fuzz` runs schemathesis
against a real console.

First schemathesis uses an account that may do everything, then an account of each role. The requests of a role name
goods, a container and a request that belong to its account. No role may get an answer that the table of rights forbids,
or read a masked field (`fuzz_rights.py`).

Meanwhile the most costly bodies (`bodies.py`) are sent one after the other, and the gate question is asked again and
again. No answer may be an error of the console, and each gate question must be answered.
"""

import argparse
import contextlib
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, count
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple

from sqlalchemy import update

from deploy.kafka.broker import Broker, free_port
from deploy.kafka.topics import provision
from services.console.access.rights import ROUTES, Open, Role, Scope, Who
from services.console.readmodel.database import open_engine
from services.console.readmodel.tables import LODGEMENTS
from tests.console.border import DECLARANT
from tests.console.planting import BOX, GOODS, LODGED, OFFICE, planted
from tests.hostile.bodies import BATCH_BYTES, worst
from tests.hostile.console import serving
from tests.people import LINE, admit, headers_of

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ENVIRONMENT = ROOT / ".run" / "fuzz" / "env"
"""The virtual environment of schemathesis, which needs packages that the product does not have."""
GATE = "/api/v1/containers/CSQU3054383"
PAUSE_SECONDS = 0.05
LEFT_OUT = "positive_data_acceptance"
"""A check that is left out, because many requests that fit the JSON schema are refused for good reasons: a wrong check
digit, a key that was used before, a cursor of another feed."""
HUNG_UP = 1
"""Stands for a missing answer: the console closed the connection because a body was too large. It is no HTTP status."""
TIMED_OUT = 2
"""Stands for an answer that did not come in time. It is no HTTP status, and never allowed."""
WITHOUT = {0: "no answer", HUNG_UP: "hung up", TIMED_OUT: "no answer in time"}
QUESTION = "gate question"
RIGHT = {
    "blanks",
    "as many lines of goods as there may be",
    "a batch of good ones",
    "a batch of large ones",
}
"""The names of those worst bodies that hold correct declarations. Only these may be accepted with 202."""
NAMED = {
    "path.consignment_id": GOODS,
    "path.container_no": BOX,
    "path.key": GOODS,
    "path.request_id": LODGED,
}
"""Name of a parameter → its value in the requests of each role. The account that may do everything uses random
values."""
Answers = Counter[tuple[str, int]]
"""(name of the request, HTTP status or a key of `WITHOUT`) → how often this was the answer."""


def prepare() -> None:
    """Makes the environment of schemathesis if it does not exist or was made with other requirements."""
    wanted, made = HERE / "requirements.txt", ENVIRONMENT / "requirements.txt"
    if not made.exists() or made.read_text() != wanted.read_text():
        uv, python = ROOT / ".tools" / "bin" / "uv", ENVIRONMENT / "bin" / "python"
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, ENVIRONMENT], check=True)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", python, "--no-deps", "-r", wanted], check=True)
        shutil.copy(wanted, made)


def status(port: int, method: str, path: str, body: bytes | None = None, seconds: float = 60) -> int:
    """Returns the status of the answer to one request, over a connection of its own. If there is no answer, returns
    TIMED_OUT after `seconds`. If the connection was closed, returns HUNG_UP for a body that is too large, otherwise 0."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # an answer may come before all was sent
            line.request(method, path, body, {"Content-Type": "application/json"} | headers_of())
        answer = line.getresponse()
        answer.read()
        return answer.status
    except TimeoutError:
        return TIMED_OUT
    except (OSError, http.client.HTTPException):
        # The console may refuse a large body before it has read it. The sender then sees only that the connection was
        # closed.
        return HUNG_UP if len(body or b"") > BATCH_BYTES else 0
    finally:
        line.close()


def send_worst(port: int, ended: Event, answers: Answers) -> None:
    """Sends the worst bodies, one after the other, until `ended` is set. Sends each of them at least once."""
    bodies = worst()
    for number in count():
        for name, (path, body) in bodies.items():
            if number and ended.is_set():
                return
            answers[name, status(port, "POST", f"/api/v1{path}", body)] += 1
            ended.wait(PAUSE_SECONDS)


def ask_gate(port: int, ended: Event, answers: Answers) -> None:
    """Asks the gate question again and again, until `ended` is set."""
    while not ended.wait(PAUSE_SECONDS):
        answers[QUESTION, status(port, "GET", GATE)] += 1


class Asking(NamedTuple):
    """Who sends requests, and for how long. `line`: the header with the account's key; `examples`: how many requests
    schemathesis makes at most for each operation and phase; `named`: the values of parameters in the addresses;
    `rights`: the content of the file for `fuzz_rights.py`."""

    who: str
    line: str
    seconds: int
    examples: int
    named: Mapping[str, str]
    rights: Mapping[str, Any]


def schemathesis(port: int, asking: Asking, seed: int) -> int:
    """Runs schemathesis, which prints what it finds. Returns its exit code."""
    print(f"\n=== {asking.who}", flush=True)
    with tempfile.TemporaryDirectory(prefix="dtg-fuzz-role-") as folder:
        config, rights = Path(folder, "fuzz.toml"), Path(folder, "rights.json")
        named = "".join([f"{json.dumps(name)} = {json.dumps(value)}\n" for name, value in asking.named.items()])
        settings = (HERE / "fuzz.toml").read_text(encoding="utf-8")
        config.write_text(f"{settings}\n[parameters]\n{named}", encoding="utf-8")
        rights.write_text(json.dumps(asking.rights), encoding="utf-8")
        command = [ENVIRONMENT / "bin" / "schemathesis", "--config-file", config, "run"]
        command += [f"http://127.0.0.1:{port}/openapi.json", "--exclude-checks", LEFT_OUT]
        command += ["--phases", "coverage,fuzzing,stateful", "--max-examples", asking.examples]
        # There is only one worker. In Python 3.11, two threads that parse source at the same time disturb each other
        # (CPython issue 106905).
        command += ["--max-time", asking.seconds, "--seed", seed, "--workers", 1]
        command += ["--no-shrink", "--header", asking.line]
        env = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        env |= {"SCHEMATHESIS_HOOKS": str(HERE / "fuzz_rights.py"), "DTG_FUZZ_RIGHTS": str(rights)}
        return subprocess.run([str(part) for part in command], cwd=ENVIRONMENT.parent, env=env, check=False).returncode


def rights_of(who: Who) -> dict[str, bool]:
    """Returns address → whether this account may request it, according to the table of rights."""
    return {f"{method} {path}": isinstance(right, Open) or who.may(right) for (method, path), right in ROUTES.items()}


def roles(url: str, some: Sequence[Role], seconds: int, examples: int) -> Iterator[Asking]:
    """Yields an account of each role in turn. While an account is used, the planted goods and requests belong to it.
    Each text field of these goods and requests contains a word of its own. An answer that contains this word shows the
    field."""
    planted_rows, engine = planted(), open_engine(url, writes=True)
    with engine.begin() as connection:
        for statement in planted_rows.statements:
            connection.execute(statement)
    for role in some:
        name, who = f"fuzz-{role}", Who("x", frozenset({role}), scopes=frozenset(Scope))
        headers = admit(url, name, roles=role.value, company=DECLARANT, office=OFFICE)
        with engine.begin() as connection:
            connection.execute(update(LODGEMENTS).values(sender=name))
        audience = who.audience()
        # An administrator may read parked messages about any goods. So no word is hidden from this role.
        hidden = sorted(planted_rows.hidden(audience)) if audience and role is not Role.ADMINISTRATOR else []
        line = f"Authorization: {headers['Authorization']}"
        yield Asking(role.value, line, seconds, examples, NAMED, {"may": rights_of(who), "hidden": hidden})
    engine.dispose()


def fuzz(options: argparse.Namespace) -> tuple[int, Answers]:
    """Runs everything on a broker and a console of their own. Returns how many runs of schemathesis found something,
    and the answers to all other requests."""
    some = [Role(name) for name in options.roles]
    with tempfile.TemporaryDirectory(prefix="dtg-fuzz-") as folder:
        broker = Broker(Path(folder, "kafka"), free_port())
        broker.start()
        try:
            provision(broker.bootstrap, 4)
            with serving(broker.bootstrap, 4, Path(folder), DTG_WAIT_LIMIT_SECONDS="0.2") as (port, _):
                ended, answers = Event(), Answers()
                others = [Thread(target=work, args=(port, ended, answers)) for work in (send_worst, ask_gate)]
                for other in others:
                    other.start()
                url, found = f"sqlite:///{folder}/console.db", 0
                nothing: dict[str, Any] = {"may": {}, "hidden": []}
                first = [Asking("everybody", LINE, options.seconds, options.examples, {}, nothing)]
                try:
                    for asking in chain(
                        first[: options.seconds], roles(url, some, options.role_seconds, options.role_examples)
                    ):
                        found += bool(schemathesis(port, asking, options.seed))
                finally:
                    ended.set()
                    for other in others:
                        other.join()
        finally:
            broker.stop()
    return found, answers


def faults(answers: Answers) -> list[str]:
    """Returns the answers that are not allowed, and what was never sent. A body that was wrongly accepted as a whole is
    among them."""
    refused = {HUNG_UP, 207, 400, 413, 415, 422, 503}
    sent = {name for name, _ in answers}
    return [
        f"{name}: {WITHOUT.get(code, code)}, {times} times"
        for (name, code), times in answers.items()
        if code not in ({200} if name == QUESTION else refused | {202} if name in RIGHT else refused)
    ] + [f"{name}: never sent" for name in (QUESTION, *worst()) if name not in sent]


def main() -> int:
    """Runs the program. Returns 1 if schemathesis found something, or if another answer is not allowed; otherwise 0."""
    parser = argparse.ArgumentParser(description="Fuzz the console's HTTP API")
    parser.add_argument("--seconds", type=int, default=180, help="for somebody who may everything; 0: nobody")
    parser.add_argument("--examples", type=int, default=30, help="of each operation and phase")
    parser.add_argument("--roles", nargs="*", default=list(Role), choices=list(Role), metavar="ROLE")
    parser.add_argument("--role-seconds", type=int, default=40, help="for each of these roles")
    parser.add_argument("--role-examples", type=int, default=5)
    parser.add_argument("--seed", type=int, default=9)
    options = parser.parse_args()
    prepare()
    began = time.monotonic()
    code, answers = fuzz(options)
    print(f"\nBodies at every limit and gate questions during {time.monotonic() - began:.0f} s:")
    for (name, answered), times in sorted(answers.items()):
        print(f"{times:6} × {WITHOUT.get(answered, answered)}  {name}")
    found = faults(answers)
    print("\n".join(["", *found]) if found else "Each is an answer that the document names.")
    return int(bool(code or found))


if __name__ == "__main__":
    sys.exit(main())
