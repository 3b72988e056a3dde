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
        """Watches one child at a time. So most of the time the supervisor waits, which is the worst moment for a
        signal."""
        child = next(turns)
        child.deaths = 0
        child.watch()

    supervisor.run(start, watch, lambda: stop_all(children, 5))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
