"""How does a supervisor behave whose many small children end and are started again all the time? `python -m
tests.cli.supervised FOLDER` runs such a supervisor."""

import itertools
import sys
from pathlib import Path

from services.cli.processes import Child, Supervisor, stop_all

CHILDREN = 6


def main(folder: Path) -> None:
    supervisor = Supervisor(watch_seconds=0)
    children = [
        Child(f"child-{n}", ["sleep", f"0.0{n}" if n % 2 else "600"], folder / f"{n}.log") for n in range(CHILDREN)
    ]

    def start() -> None:
        for child in children:
            child.start()
        print("started", flush=True)

    turns = itertools.cycle(children)

    def watch() -> None:
        """Watches only one child in each round, so that the supervisor spends most of its time in the wait between two
        rounds. A signal during this wait is the hardest case."""
        child = next(turns)
        child.deaths = 0
        child.watch()

    supervisor.run(start, watch, lambda: stop_all(children, 5))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
