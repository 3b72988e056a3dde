"""How do tests get a real PostgreSQL? A server is started for the test session, on a free loopback port; it ends with
the session and leaves no files."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from deploy.kafka.broker import free_port

BIN = Path("/usr/lib/postgresql/15/bin")


class Postgres:
    """The server. `url`: the URL of its database `postgres`; `start` returns when the server answers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        data = self.folder / "data"
        self._run("initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder} -c fsync=off -c max_connections=50"
        self._run("pg_ctl", "-D", str(data), "-o", options, "-w", "-l", str(self.folder / "log"), "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")

    def database(self, name: str) -> str:
        """The URL of a new, empty database."""
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", name)
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    def drop(self, name: str) -> None:
        """Drops a database, even if it is in use."""
        self._run("dropdb", "--force", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", name)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(BIN / program), *arguments]
        if os.geteuid() == 0:
            command = [shutil.which("runuser") or "runuser", "-u", "postgres", "--", *command]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, cwd="/", text=True, check=False)
        assert done.returncode == 0, f"{program}: {done.stdout[-500:]}{done.stderr[-500:]}"
