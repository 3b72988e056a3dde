"""How much CPU do rights cost? `make rights-cost` measures it.

A console takes in declarations over HTTP, with its rights and without any: each request then comes from one account that
has all roles, and no key or right is checked. Then a broker carries consignments to their ends
for programs with rights of their own, and for programs for which it looks at no ACL. Both ways are measured alternately,
in rounds, and the median of the rounds counts. The exit code is 2 if a limit is exceeded.

Both ways are measured in one process. Two processes that do the same differ by several percent as long as they run: two
brokers without any rights differed by 3 percent in the median of four rounds (5.6, 5.5, 1.6 and -0.6).
"""

import argparse
import asyncio
import http.client
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median

from fastapi import Request
from rich.console import Console

from deploy.kafka.broker import Broker, free_port
from deploy.kafka.progress import ticks_of
from deploy.kafka.topics import provision
from schemas.rights import PROVISION
from services.cli.bench.crowd import Crowd
from services.cli.bench.quick import machine, versions
from services.cli.bench.rig import Rig, cost
from services.cli.settings import UpSettings
from services.console import app as console
from services.console.access.rights import EVERY_COMPANY, EVERY_OFFICE, Role, Who
from services.console.api.authentication import prove
from services.console.main import Server, await_tables, config_of, prepare, spare
from services.console.settings import ConsoleSettings
from services.shell.access import file_of
from services.simulator.day import Day
from tests.bench.door import post
from tests.bench.note import table
from tests.hostile.console import serving
from tests.people import TESTER

PARTITIONS = 8
WARM, WARM_CARRIED = 300, 24_000
"""How many declarations over HTTP, and how many consignments at the broker, are processed before anything is measured.
The broker's JVM uses its optimising compiler, as under `dtg up`. So the first consignments cost four times as much CPU
as later ones; after `WARM_CARRIED` consignments the cost changes little."""
RATE = 100
"""How many consignments a second come to the broker in the rounds at an even rate. If they come as fast as the desks
take them, the batches and so the cost differ from round to round; at an even rate they hardly do."""
COMPILERS = ("C1 ", "C2 ")
"""How the names of the JVM's compiler threads begin. A broker that runs for hours has compiled its code, so the CPU time
of these threads does not count. After `WARM_CARRIED` consignments they still take a tenth of the broker's CPU time."""
DAY = Day(11, 200_000, datetime(2026, 11, 23, tzinfo=UTC))
CONSOLE_SHARE, BROKER_SHARE = 0.10, 0.05
"""By which share a consignment may cost more CPU with rights than without them: at the console, and at the broker."""
EVIDENCE = Path("docs/evidence/rights-cost.md")
TEXT = """# What rights cost

Made by `make rights-cost ARGS=--write`, {day}. {where}; the load average at the end was {load}; client and servers share the machine.
CPU of the process in microseconds a consignment, median of the rounds, which were measured by turns in one process. Without
rights, the console checks no key and no right, and the broker no ACL. The CPU of the broker is without that of the JVM's compiler threads, which have little to do after some hours.

{table}"""
screen = Console(highlight=False, width=110)
ALL = Who(TESTER, frozenset(Role), EVERY_COMPANY, EVERY_OFFICE)


WITH, WITHOUT = signal.SIGUSR1, signal.SIGUSR2


class Door:
    """Stands in place of `prove` in a console. As long as `rights` is true it does what `prove` does; otherwise each request
    comes from one account that has all roles, and no key or right is checked. WITH and WITHOUT are the signals that set
    it."""

    def __init__(self) -> None:
        self.rights = True
        for number in (WITH, WITHOUT):
            signal.signal(number, self._set)

    async def prove(self, request: Request) -> None:
        if self.rights:
            await prove(request)
        else:
            request.scope["who"] = ALL

    def _set(self, number: int, frame: object) -> None:
        self.rights = number == WITH


def serve() -> None:
    """Runs the console with its settings, as `dtg console` does, but with a `Door`. Ends upon SIGTERM."""
    settings = ConsoleSettings()
    prepare(settings)
    await_tables(settings.database_url)
    # FastAPI's `dependency_overrides` would analyse each dependency again at every request. That costs more than the
    # rights, so the dependency is replaced in the module.
    vars(console)["prove"] = Door().prove
    app = console.create_app(settings)
    spare()
    asyncio.run(Server(config_of(settings, app), app).serve())


@contextmanager
def console_with_door(folder: Path) -> Iterator[tuple[int, int]]:
    """Yields port and process id of a console with a `Door`."""
    with ExitStack() as stack:
        broker = Broker(folder / "kafka", free_port())
        broker.start()
        stack.callback(broker.stop)
        provision(broker.bootstrap, PARTITIONS)
        command = [sys.executable, "-m", "tests.bench.rights_cost", "--serve"]
        # In a measurement, some companies name more containers than they may in a day. So the limit is raised.
        yield stack.enter_context(serving(broker.bootstrap, PARTITIONS, folder, command, DTG_BOXES_A_DAY="1000000"))


def lodged(port: int, pid: int, bodies: list[bytes]) -> float:
    """Lodges these declarations one after the other. Returns the CPU microseconds that the console takes for
    each declaration on average. Raises ValueError if a declaration is not accepted."""
    line, before = http.client.HTTPConnection("127.0.0.1", port, timeout=60), cost(pid).cpu
    for body in bodies:
        if (status := post(line, "/declarations", body)) != 202:
            raise ValueError(f"a declaration was answered {status}")
    line.close()
    return (cost(pid).cpu - before) / len(bodies) * 1e6


def cost_at_console(rounds: int, each: int) -> list[tuple[float, float]]:
    """Returns the CPU microseconds of the console for a declaration, with and without rights, for each round."""
    numbers = count()

    def bodies(most: int) -> list[bytes]:
        return [DAY.plan(next(numbers)).declaration.model_dump_json().encode() for _ in range(most)]

    with tempfile.TemporaryDirectory(prefix="dtg-rights-") as folder, console_with_door(Path(folder)) as (port, pid):

        def lodged_as(rights: bool, most: int) -> float:
            os.kill(pid, WITH if rights else WITHOUT)
            return lodged(port, pid, bodies(most))

        for rights in (True, False):
            lodged_as(rights, WARM)
        measured = [partial(lodged_as, rights, each) for rights in (True, False)]
        return [_round(measured) for _ in range(rounds)]


def cost_at_broker(rounds: int, each: int) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Returns the CPU microseconds of the broker for a consignment, with and without rights, for each round: first if the
    consignments come as fast as the desks take them, then if they come at `RATE` a second. Before the first round,
    `WARM_CARRIED` consignments are carried, because a new broker spends most of its CPU time on compiling its code."""
    with carrier() as border:
        fast = [partial(border.carried, rights, each) for rights in (True, False)]
        for _ in range(WARM_CARRIED // (4 * each)):
            _round(fast)
        even = [partial(border.carried, rights, each * 2 // 3, RATE) for rights in (True, False)]
        return [_round(fast) for _ in range(rounds)], [_round(even) for _ in range((rounds + 1) // 2)]


@contextmanager
def carrier() -> Iterator["Carrier"]:
    usual = UpSettings()
    with (
        tempfile.TemporaryDirectory(prefix="dtg-rights-") as folder,
        Rig(Path(folder), PARTITIONS, usual.layout, read_model=False, lasting=True) as rig,
    ):
        border = Carrier(rig)
        try:
            yield border
        finally:
            border.stop()


class Carrier:
    """One border that carries consignments with rights or without. With rights, each program has its own credential;
    without, all programs have the credential of the broker's administrator, for whom the broker does not look at any
    ACL.

    A client takes part in a sign-in only when it connects, which is before the measurement begins.
    """

    def __init__(self, rig: Rig) -> None:
        self._rig, self._rights, self._played = rig, True, 0
        self._folder = rig.home / "credentials"
        self._own = {file: file.read_bytes() for file in self._folder.iterdir()}
        self._crowd = self._new_crowd()

    def carried(self, rights: bool, most: int, rate: float = 0) -> float:
        """Lets this many further consignments come to their ends, and returns the CPU microseconds of the broker for each of
        them. `rate`: how many come in a second; 0: as fast as the desks take them."""
        if rights != self._rights:
            self._change(rights)
        assert self._rig.broker.process is not None
        broker = self._rig.broker.process.pid
        before, compiled = cost(broker).cpu, compiling(broker)
        self._crowd.play(self._played, most, rate, treatments=False)
        self._played += most
        after = compiling(broker)
        compiling_since = sum(seconds - compiled.get(thread, 0.0) for thread, seconds in after.items())
        return (cost(broker).cpu - before - compiling_since) / most * 1e6

    def stop(self) -> None:
        self._crowd.stop()

    def _change(self, rights: bool) -> None:
        """Starts all programs again, with these credentials."""
        self.stop()
        self._rig.stop()
        administrator = self._own[file_of(self._folder, PROVISION)]
        for file, own in self._own.items():
            file.write_bytes(own if rights else administrator)
        self._rights = rights
        self._rig.start()
        self._crowd = self._new_crowd()

    def _new_crowd(self) -> Crowd:
        crowd = Crowd(self._rig.access(), DAY, PARTITIONS, self._rig.clock, new_facts_only=True)
        crowd.start()
        if not crowd.ready.wait(120):
            raise TimeoutError("the topics cannot be read")
        return crowd


def compiling(pid: int) -> dict[str, float]:
    """Returns thread id → CPU seconds that this compiler thread of a JVM has used, for the compiler threads that run
    now."""
    found = {}
    for thread in Path(f"/proc/{pid}/task").iterdir():
        # a thread may end while the folder is read
        with suppress(FileNotFoundError, ProcessLookupError):
            if (thread / "comm").read_text().startswith(COMPILERS):
                found[thread.name] = ticks_of(thread / "stat") / os.sysconf("SC_CLK_TCK")
    return found


def _round(measured: Sequence[Callable[[], float]]) -> tuple[float, float]:
    """Measures one round. Calls each of the two functions twice, and returns the mean result of each. The first
    function is called at the beginning and at the end of the round, and the second function twice in between, because a
    program that was idle costs more at first."""
    first, other = measured
    begun, between, ended = first(), (other() + other()) / 2, first()
    return (begun + ended) / 2, between


def compared(name: str, rounds: list[tuple[float, float]], most: float) -> tuple[list[str], str]:
    """Returns the row of the table, and a sentence if the limit is exceeded (otherwise an empty text)."""
    with_rights, without = median(a for a, _ in rounds), median(b for _, b in rounds)
    more = median(a / b for a, b in rounds) - 1
    shown = ", ".join(f"{a / b - 1:+.1%}" for a, b in rounds)
    fault = f"{name}: {more:+.1%}, more than {most:.0%}" if more > most else ""
    return [name, f"{with_rights:,.0f}", f"{without:,.0f}", f"{more:+.1%}", f"{most:.0%}", shown], fault


def main() -> int:
    """Measures everything and prints the table. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Measure what rights cost at the console and at the broker")
    parser.add_argument(
        "--serve", action="store_true", help="run a console with a `Door`, with the settings of the environment"
    )
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--lodged", type=int, default=1000, help="declarations over HTTP each time; four times a round")
    parser.add_argument(
        "--broker-rounds", type=int, default=6, help="as fast as possible; half as many at an even rate"
    )
    parser.add_argument(
        "--carried", type=int, default=3000, help="consignments at the broker each time; four times a round"
    )
    parser.add_argument("--write", action="store_true", help=f"write {EVIDENCE.name}")
    options = parser.parse_args()
    if options.serve:
        serve()
        return 0
    rows: list[list[str]] = []
    faults: list[str] = []
    at_console = cost_at_console(options.rounds, options.lodged)
    fast, even = cost_at_broker(options.broker_rounds, options.carried)
    for name, found, most in (
        ("console, lodging over HTTP", at_console, CONSOLE_SHARE),
        ("broker, as fast as the desks take them", fast, BROKER_SHARE),
        (f"broker, {RATE} a second", even, BROKER_SHARE),
    ):
        row, fault = compared(name, found, most)
        rows.append(row)
        faults += [fault] * bool(fault)
    head = ["what", "with rights", "without", "more", "limit", "each round"]
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    text = TEXT.format(
        day=f"{datetime.now(UTC):%Y-%m-%d}", where=f"{machine()}, {versions()}", load=load, table=table(head, rows)
    )
    screen.print(text)
    screen.print(*faults, sep="\n")
    if options.write:
        EVIDENCE.write_text(text)
    return 2 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
