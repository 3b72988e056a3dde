"""Where are Kafka's classes kept as Java has loaded them, so that a broker starts in two thirds of the time?

Java calls it application class data sharing (JEP 350): a JVM that ends in order writes the file, later ones map it. One
that is missing, or of another Java, costs time and nothing else. `python -m deploy.kafka.archive` makes it at set-up.
"""

import hashlib
import os
import sys
import tempfile
from pathlib import Path

from deploy.kafka.jars import JARS, class_path


class Archive:
    """The archive of this Java with the broker's files at this place. `owner`: who writes it, a port of this process."""

    def __init__(self, program: str, owner: int) -> None:
        found = Path(program).resolve()
        known = f"{found} {found.stat().st_mtime_ns} {class_path()}".encode("utf-8", "surrogateescape")
        self.path = JARS / f"classes-{hashlib.sha256(known).hexdigest()[:16]}.jsa"
        self._unfinished = self.path.with_suffix(f".{owner}-{os.getpid()}")

    def read(self) -> list[str]:
        """What tells Java to start with it."""
        there = self.path.exists() and self.path.stat().st_size
        return [f"-XX:SharedArchiveFile={self.path}"] if there else []

    def write(self) -> list[str]:
        """What tells Java to write it when it ends; nothing where that was done."""
        _remove_unfinished()
        return [] if self.path.exists() else [f"-XX:ArchiveClassesAtExit={self._unfinished}"]

    def keep(self) -> None:
        """After an orderly end. It gets its name only now that it is whole: others may start with it at this moment.

        An empty one says that this Java cannot write any.
        """
        if self.path.exists():
            self.drop()
            return
        if not self._unfinished.exists():
            self._unfinished.touch()
        self._unfinished.replace(self.path)

    def drop(self) -> None:
        """After any other end."""
        self._unfinished.unlink(missing_ok=True)


def _remove_unfinished() -> None:
    """What brokers have written whose starters were killed, so that nobody has given it a name."""
    for file in JARS.glob("classes-*.*-*"):
        try:
            os.kill(int(file.name.rpartition("-")[2]), 0)
        except ProcessLookupError:
            file.unlink(missing_ok=True)
        except PermissionError:
            continue  # it runs, as another user


def main() -> None:
    """Starts a broker of nobody and ends it in order, where there is no archive yet."""
    from deploy.kafka.broker import Broker, free_port  # noqa: PLC0415 (the broker reads this module)
    from deploy.kafka.errors import BrokerError  # noqa: PLC0415
    from deploy.kafka.java import java  # noqa: PLC0415

    try:
        if Archive(java(), 0).path.exists():
            return
        print("Starting the Kafka broker once, so that later starts take less time 预热消息代理", file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            broker = Broker(Path(folder), free_port())
            broker.start()
            broker.stop()
    except BrokerError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
