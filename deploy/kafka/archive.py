"""How does a broker start in two thirds of the usual time? It uses an archive with Kafka's classes in the internal form
of the JVM, so that the JVM need not parse and verify them again.

Java calls this application class data sharing (JEP 350): a JVM that exits normally writes the file, and later ones map
it into memory. If the file is missing or belongs to another Java, a start only takes longer.
`python -m deploy.kafka.archive` makes the file at set-up.
"""

import hashlib
import os
import sys
import tempfile
from pathlib import Path

from deploy.kafka.jars import JARS, class_path


class Archive:
    """The class data archive (CDS) of the JVM for this Java and this class path. `program`: the path of `java`. `owner`: the
    broker's port, which is in the name of the unfinished file."""

    def __init__(self, program: str, owner: int) -> None:
        found = Path(program).resolve()
        known = f"{found} {found.stat().st_mtime_ns} {class_path()}".encode("utf-8", "surrogateescape")
        self.path = JARS / f"classes-{hashlib.sha256(known).hexdigest()[:16]}.jsa"
        self._unfinished = self.path.with_suffix(f".{owner}-{os.getpid()}")

    def read(self) -> list[str]:
        """Returns the JVM options for a start with the archive; an empty list if there is no archive, or only an empty
        file (`keep`)."""
        there = self.path.exists() and self.path.stat().st_size
        return [f"-XX:SharedArchiveFile={self.path}"] if there else []

    def write(self) -> list[str]:
        """Returns the JVM options for writing the archive at exit; an empty list if there is an archive already."""
        _remove_unfinished()
        return [] if self.path.exists() else [f"-XX:ArchiveClassesAtExit={self._unfinished}"]

    def keep(self) -> None:
        """Gives the finished file its final name. From then on other brokers may use the file, so call this only after a normal
        exit of the JVM.

        If Java wrote no file, this makes an empty one. An empty file means that this Java cannot write archives.
        """
        if self.path.exists():
            self.drop()
            return
        if not self._unfinished.exists():
            self._unfinished.touch()
        self._unfinished.replace(self.path)

    def drop(self) -> None:
        """Deletes the unfinished file. Call this if the JVM did not exit normally."""
        self._unfinished.unlink(missing_ok=True)


def _remove_unfinished() -> None:
    """Deletes the unfinished files of processes that have ended. The name of such a file ends with the id of its
    process. The file is left over if the process was killed before it could rename the file."""
    for file in JARS.glob("classes-*.*-*"):
        try:
            os.kill(int(file.name.rpartition("-")[2]), 0)
        except ProcessLookupError:
            file.unlink(missing_ok=True)
        except PermissionError:
            continue  # the process of this file still runs, but under another user


def main() -> None:
    """Starts a broker in a temporary folder and stops it normally, so that Java writes the archive. Does nothing if there is an
    archive already."""
    from deploy.kafka.broker import Broker, free_port  # noqa: PLC0415 (that module imports this one)
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
