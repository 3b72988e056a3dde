"""Does everything end when it gets a signal to stop, whatever it is doing? `make stops` tries each of two programs 200
times, with random stops.

The programs are a supervisor of small children, and `dtg up` with its broker, workers and console. `dtg up` starts with
an empty folder, or with the data of the run before. They are stopped during the first start, during provisioning and
while they work, by SIGTERM, SIGINT or SIGHUP, once or twice, with the terminal open or closed. Each must end with the
right exit code, and leave no process.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deploy.kafka.broker import free_port
from deploy.kafka.progress import WaitLimit
from services.shell.signals import SAME_SECONDS
from tests.waiting import wait

STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
GONE_SECONDS = 15
"""How many seconds a child may live after the process that started it has ended. An orderly end of a worker may take
ten."""


@dataclass(frozen=True)
class Stop:
    """One stop: after `after` seconds, the signals `numbers` are sent one after the other, with pauses of `apart`
    seconds. `closed`: whether the terminal is closed."""

    after: float
    numbers: tuple[signal.Signals, ...]
    closed: bool
    apart: float = 0.02

    @property
    def code(self) -> int:
        """Returns the expected exit code. If the same signal is sent several times in a short time, it counts as one
        stop, because two processes may have sent it."""
        twice = len(set(self.numbers)) > 1 or (len(self.numbers) > 1 and self.apart > SAME_SECONDS)
        return 128 + self.numbers[-1] if twice else 0


def plan(seed: int, count: int, longest: float) -> list[Stop]:
    """Returns `count` stops at random moments, one in each of `count` equal parts of the first `longest` seconds."""
    dice = random.Random(seed)
    moments = [(n + dice.random()) / count * longest for n in range(count)]
    dice.shuffle(moments)
    return [
        Stop(moment, tuple(dice.choices(STOPS, k=1 + (dice.random() < 0.25))), dice.random() < 0.3)
        for moment in moments
    ]


def stopped(command: list[str], env: dict[str, str], stop: Stop, ready: str) -> str:
    """Runs the command and stops it. Returns a description of what went wrong, or an empty text. The time
    `stop.after` begins when the command prints the line `ready`."""
    mark = f"{os.getpid()}-{time.monotonic_ns()}"
    with tempfile.TemporaryFile("w+b") as errors:
        process = subprocess.Popen(
            command,
            env={**os.environ, **env, "DTG_STOP_MARK": mark},
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
        until_line(process, ready)
        assert process.stdout is not None
        time.sleep(stop.after)
        if stop.closed:
            process.stdout.close()
        for number in stop.numbers:
            process.send_signal(number)
            wait(partial(_delivered, process.pid, number), f"{number.name} to be delivered")
            time.sleep(stop.apart)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
        if not stop.closed:
            process.stdout.close()
        process.wait()
        errors.seek(0)
        text = errors.read().decode(errors="replace")
    left = _left(mark)
    # The exit code 0 is always right, because the second signal may come after everything has ended.
    right = {stop.code, 0}
    if stop.code:
        # If the last signal comes while Python is ending, the signal kills the process.
        right.add(-stop.numbers[-1])
    if process.returncode in right and "Traceback" not in text and not left:
        return ""
    return f"{stop}: code {process.returncode} instead of {stop.code}; left behind: {left}\n{text}"


def _delivered(pid: int, number: signal.Signals) -> bool:
    """Returns whether this child of ours has taken the signal, or has ended. The next signal is sent only then, because
    if two signals are pending on a busy machine, Linux may deliver the later one first."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines())
    pending = int(status["ShdPnd"], 16) >> (number - 1) & 1
    return not pending or status["State"].strip().startswith("Z")


def until_line(process: subprocess.Popen[bytes], text: str) -> str:
    """Returns the output of the process up to the line with this text; the whole output if there is no such line."""
    lines: list[str] = []
    assert process.stdout is not None
    while text not in "".join(lines[-1:]) and (line := process.stdout.readline()):
        lines.append(line.decode("utf-8", "replace"))
    return "".join(lines)


def _left(mark: str) -> list[str]:
    progress = WaitLimit("children to be gone", {}, still=GONE_SECONDS)
    while (found := _marked(mark)) and progress.goes_on():
        time.sleep(0.05)
    for pid in found:
        os.kill(pid, signal.SIGKILL)
    return list(found.values())


def _marked(mark: str) -> dict[int, str]:
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if f"DTG_STOP_MARK={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:100]
            except (PermissionError, FileNotFoundError, ProcessLookupError):
                continue  # the process belongs to another user, or has ended meanwhile
    return found


def small(folder: Path, stop: Stop) -> str:
    """Runs the supervisor of small children and stops it. Returns what `stopped` returns."""
    return stopped([sys.executable, "-m", "tests.cli.supervised", str(folder)], {}, stop, "started")


def up(home: Path, stop: Stop, layout: str) -> str:
    """Runs `dtg up` on this folder and stops it. Returns what `stopped` returns."""
    env = {
        "DTG_HOME": str(home),
        "DTG_LAYOUT": layout,
        "DTG_PARTITIONS": "4",
        "DTG_KAFKA_PORT": str(free_port()),
        "DTG_CONSOLE_PORT": str(free_port()),
        "DTG_PROJECTOR_PORT": str(free_port()),
        "DTG_WORKER_PORT": str(free_port()),
    }
    return stopped([sys.executable, "-m", "services.cli.main", "up"], env, stop, "Starting the Kafka broker")


def main() -> int:
    """Stops each program `--count` times. Returns 1 if a stop went wrong, otherwise 0."""
    options = argparse.ArgumentParser()
    options.add_argument("--count", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, stop in enumerate(plan(chosen.seed, chosen.count, 0.3)):
            wrong += _went_wrong("small children", number, small(Path(folder), stop))
    home = Path(tempfile.mkdtemp())
    for number, stop in enumerate(plan(chosen.seed, chosen.count, 20.0)):
        # Every third run begins without files. The other runs begin with the files of the run before.
        if number % 3 == 0:
            shutil.rmtree(home)
        wrong += _went_wrong(
            "dtg up", number, up(home, stop, "declaration,risk;inspection,quarantine;release,gate;clearance")
        )
    shutil.rmtree(home)
    print(f"{2 * chosen.count} stops, {wrong} went wrong")
    return int(wrong > 0)


def _went_wrong(what: str, number: int, problem: str) -> bool:
    if problem or number % 20 == 19:
        print(f"{what} {number + 1}: {problem or 'well so far'}", flush=True)
    return bool(problem)


if __name__ == "__main__":
    sys.exit(main())
