"""What does the console answer to whatever its own document allows, and forbids? `make fuzz`: schemathesis against a real one.

Meanwhile the largest bodies come without pause and terminals ask: no answer is a failure of the console's own, and each
question at the gate is answered.
"""

import argparse
import contextlib
import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from threading import Event, Thread

from deploy.kafka.broker import Broker, free_port
from deploy.kafka.topics import provision
from tests.hostile.bodies import BATCH_BYTES, worst
from tests.hostile.console import serving
from tests.people import LINE, headers_of

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ENVIRONMENT = ROOT / ".run" / "fuzz" / "env"
"""schemathesis brings packages that the product does not have: it gets an environment of its own."""
GATE = "/api/v1/containers/CSQU3054383"
PAUSE_SECONDS = 0.05
LEFT_OUT = "positive_data_acceptance"
"""Much that a JSON schema lets through is refused for a reason: a check digit, a key used before, a cursor of another feed."""
HUNG_UP = 1
"""Not a status of HTTP: the console hung up on a body that is too large, and its answer was lost on the way."""
WITHOUT = {0: "no answer", HUNG_UP: "hung up"}
Answers = Counter[tuple[str, int]]
"""How often a name was answered with a status, or with what WITHOUT names."""


def prepare() -> None:
    """Makes schemathesis' environment; quick when it is there."""
    wanted, made = HERE / "requirements.txt", ENVIRONMENT / "requirements.txt"
    if not made.exists() or made.read_text() != wanted.read_text():
        uv, python = ROOT / ".tools" / "bin" / "uv", ENVIRONMENT / "bin" / "python"
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, ENVIRONMENT], check=True)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", python, "--no-deps", "-r", wanted], check=True)
        shutil.copy(wanted, made)


def status(port: int, method: str, path: str, body: bytes | None = None) -> int:
    """The status of one answer, on a connection of its own; without one HUNG_UP after a body that is too large, else 0."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # an answer may come before all was sent
            line.request(method, path, body, {"Content-Type": "application/json"} | headers_of())
        answer = line.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException):
        # refused unread: the sender may see no more than the end
        return HUNG_UP if len(body or b"") > BATCH_BYTES else 0
    finally:
        line.close()


def send_worst(port: int, ended: Event, answers: Answers) -> None:
    """The worst bodies, one after the other, until `ended`."""
    while not ended.is_set():
        for name, (path, body) in worst().items():
            answers[name, status(port, "POST", f"/api/v1{path}", body)] += 1
            if ended.wait(PAUSE_SECONDS):
                return


def ask_gate(port: int, ended: Event, answers: Answers) -> None:
    """The gate question, again and again, until `ended`."""
    while not ended.wait(PAUSE_SECONDS):
        answers["gate question", status(port, "GET", GATE)] += 1


def schemathesis(port: int, seconds: int, examples: int, seed: int) -> int:
    """Its exit code; it prints what it finds."""
    command = [ENVIRONMENT / "bin" / "schemathesis", "--config-file", HERE / "fuzz.toml", "run"]
    command += [
        f"http://127.0.0.1:{port}/openapi.json",
        "--exclude-checks",
        LEFT_OUT,
        "--phases",
        "coverage,fuzzing,stateful",
    ]
    command += ["--max-examples", str(examples), "--max-time", str(seconds), "--seed", str(seed), "--workers", "2"]
    command += ["--no-shrink", "--header", LINE]
    env = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return subprocess.run([str(part) for part in command], cwd=ENVIRONMENT.parent, env=env, check=False).returncode


def fuzz(seconds: int, examples: int, seed: int) -> tuple[int, Answers]:
    """schemathesis' exit code and the answers to everything else, on a broker and console of their own."""
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
                try:
                    code = schemathesis(port, seconds, examples, seed)
                finally:
                    ended.set()
                    for other in others:
                        other.join()
        finally:
            broker.stop()
    return code, answers


def faults(answers: Answers) -> list[str]:
    """Answers that may not be."""
    allowed = {HUNG_UP, 202, 207, 400, 413, 415, 422, 503}
    return [
        f"{name}: {code}, {count} times"
        for (name, code), count in answers.items()
        if (code != 200 if name == "gate question" else code not in allowed)
    ]


def main() -> int:
    """1 when there was an answer that may not be."""
    parser = argparse.ArgumentParser(description="Fuzz the console's HTTP API")
    parser.add_argument("--seconds", type=int, default=180)
    parser.add_argument("--examples", type=int, default=30, help="of each operation and phase")
    parser.add_argument("--seed", type=int, default=9)
    options = parser.parse_args()
    prepare()
    began = time.monotonic()
    code, answers = fuzz(options.seconds, options.examples, options.seed)
    print(f"\nBodies at every limit and gate questions during {time.monotonic() - began:.0f} s:")
    for (name, answered), count in sorted(answers.items()):
        print(f"{count:6} × {WITHOUT.get(answered, answered)}  {name}")
    found = faults(answers)
    print("\n".join(["", *found]) if found else "Each is an answer that the document names.")
    return int(bool(code or found))


if __name__ == "__main__":
    sys.exit(main())
