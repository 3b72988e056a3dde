"""Of which files does the broker consist, and how do they get here? They come from Maven Central, but Maven is not needed.

`jars.sha256` lists them in the format of `sha256sum`, by their path in the repository; `make jars` writes the list anew from pom.xml. A file
gets its name only if its content has the listed digest. An interrupted download is kept as `.part` and continued. DTG_MAVEN names a mirror.
"""

import contextlib
import fcntl
import hashlib
import http.client
import os
import shutil
import ssl
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

from deploy.kafka.errors import BrokerError, Interrupted, never

FOLDER = Path(__file__).parent
LIST, JARS = FOLDER / "jars.sha256", FOLDER / "jars"
CENTRAL = "https://repo1.maven.org/maven2"
AT_ONCE = 8
TRIES = 5
SILENCE_SECONDS = 30
"""For how many seconds a server may send nothing. There is no limit on how long a slow server may take."""
AGAIN_SECONDS = 0.5


def class_path() -> str:
    """Returns the argument of `java -cp`: only the files of the list, even if there are other files in the folder."""
    return os.pathsep.join(str(JARS / path.rpartition("/")[2]) for path in wanted())


def wanted(listed: Path = LIST) -> dict[str, str]:
    """Returns path in the repository → SHA-256, for each file of the list."""
    lines = [line.split() for line in listed.read_text(encoding="ascii").splitlines() if not line.startswith("#")]
    return {path: digest for digest, path in lines}


def fetch_jars(stop: Callable[[], bool] = never, listed: Path = LIST, folder: Path = JARS) -> None:
    """Fetches the files of the list that are missing. Raises BrokerError if that is impossible, and Interrupted if `stop` returns true."""
    mark, text = folder / ".complete", listed.read_text(encoding="ascii")
    files = wanted(listed)
    if _read(mark) == _marked(text, files, folder):
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as lock:
            # if two processes come here at the same time, one fetches the files, and the other waits for it
            while not _locked(lock.fileno()):
                if stop():
                    raise Interrupted
                time.sleep(0.1)
            _Fetch(files, folder, stop).run(text.partition("\n")[0].strip("# "))
            mark.write_text(_marked(text, files, folder), encoding="ascii")
    except OSError as error:
        raise BrokerError(f"The Kafka broker cannot be stored in {folder}: {error} 无法存放消息代理") from error


class _Fetch:
    """Fetches the missing files of the list, several files at the same time.

    The threads are daemons, so that a thread which waits for a silent server does not keep the process from exiting.
    """

    def __init__(self, files: dict[str, str], folder: Path, stop: Callable[[], bool]) -> None:
        self._folder, self._asked_to_stop = folder, stop
        self._left = deque((p, d) for p, d in files.items() if _digest(folder / p.rpartition("/")[2]) != d)
        self._count = len(self._left)
        self._address = os.environ.get("DTG_MAVEN", "").rstrip("/") or CENTRAL
        self._opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=_trusted()))
        self._lock, self._over = threading.Lock(), False
        self._problem: Exception | None = None
        self._done = self._bytes = 0

    def run(self, size: str) -> None:
        if not self._left:
            return
        self._tell(f"Fetching the Kafka broker 下载消息代理: {self._count} files ({size}) from {self._address}")
        threads = [threading.Thread(target=self._work, name=f"jar-{n}", daemon=True) for n in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        try:
            while any(thread.is_alive() for thread in threads) and self._problem is None:
                if self._asked_to_stop():
                    raise Interrupted
                threads[0].join(0.1) if threads[0].is_alive() else time.sleep(0.1)
        finally:
            self._over = True
        if self._problem is not None:
            raise self._problem

    def _work(self) -> None:
        try:
            while not self._over:
                try:
                    path, digest = self._left.popleft()
                except IndexError:
                    return
                self._fetch(path, digest)
                with self._lock:
                    self._done += 1
                    self._tell(f"  {self._done} of {self._count}, {self._bytes / 1e6:.0f} MB", self._done < self._count)
        except Exception as problem:  # noqa: BLE001  (`run` raises it again)
            self._problem = self._problem or problem

    def _fetch(self, path: str, digest: str) -> None:
        whole = self._folder / path.rpartition("/")[2]
        part, problem, in_vain = whole.with_name(f"{whole.name}.part"), "", 0
        # only attempts in a row after which the part is no longer than before count
        while in_vain < TRIES:
            self._wait(AGAIN_SECONDS * in_vain)
            had = _size(part)
            try:
                if not self._append(path, part):
                    problem = "the connection ended early"
                elif _digest(part) == digest:
                    part.replace(whole)
                    return
                else:
                    part.unlink()
                    problem = "its content is not the one of the list (SHA-256)"
                    if not had:
                        # There was no part of the file here, so the server has sent the whole file. Another attempt would get the same
                        # content.
                        break
            except urllib.error.HTTPError as error:
                problem = f"{error.code} {error.reason}"
                if error.code == 416:  # our part is longer than the server's file, so our part is wrong
                    part.unlink()
                elif error.code < 500 and error.code not in (408, 429):
                    break
            except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
                problem = str(error)
            in_vain = 0 if _size(part) > had else in_vain + 1
        raise BrokerError(
            f"{path} cannot be fetched from {self._address}: {problem}. 无法下载。 "
            "Is the network up? A mirror of Maven Central can be named: DTG_MAVEN=https://…   Run it again: it goes on where it ended."
        )

    def _append(self, path: str, part: Path) -> bool:
        """Appends the rest of a file to its part. Returns whether the server sent everything that it announced."""
        have = _size(part)
        request = urllib.request.Request(f"{self._address}/{path}", headers={"User-Agent": "datongguan"})
        if have:
            request.add_header("Range", f"bytes={have}-")
        with self._opener.open(request, timeout=SILENCE_SECONDS) as answer:
            goes_on = answer.status == 206
            length = answer.headers.get("Content-Length")
            with part.open("ab" if goes_on else "wb") as out:
                while chunk := answer.read1(1 << 16):
                    self._wait(0)
                    out.write(chunk)
                    with self._lock:
                        self._bytes += len(chunk)
        return length is None or _size(part) == int(length) + (have if goes_on else 0)

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while True:
            if self._over:
                raise Interrupted
            if (left := until - time.monotonic()) <= 0:
                return
            time.sleep(min(0.1, left))

    def _tell(self, text: str, again: bool = False) -> None:
        """Prints the progress. On a terminal the count is one line that is overwritten. Elsewhere only the first and the last line are
        printed."""
        if sys.stderr.isatty():
            print(f"\r{text}", end="" if again else "\n", file=sys.stderr, flush=True)
        elif not again:
            print(text, file=sys.stderr, flush=True)


def _trusted() -> ssl.SSLContext:
    """Returns a TLS context with the machine's certificates. If the machine has none (a bare image), the context has
    the certificates of the Python package certifi."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile or paths.capath:
        return ssl.create_default_context()
    import certifi  # noqa: PLC0415

    return ssl.create_default_context(cafile=certifi.where())


def _digest(file: Path) -> str:
    if not file.exists():
        return ""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _locked(number: int) -> bool:
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _marked(text: str, files: Iterable[str], folder: Path) -> str:
    """Returns the text of the file that marks a complete folder: the list, and the size of each file. The sizes are included, because a full
    disk or a power cut can shorten a file that was complete."""
    names = [path.rpartition("/")[2] for path in files]
    return text + "".join([f"{_size(folder / name)} {name}\n" for name in names])


def _read(file: Path) -> str:
    return file.read_text(encoding="ascii", errors="replace") if file.exists() else ""


def list_jars(repository: Path) -> None:
    """Writes the list from a folder that Maven has filled. `repository`: that folder, in the layout of a Maven repository."""
    jars = sorted(repository.rglob("*.jar"), key=lambda each: each.relative_to(repository).as_posix())
    size = sum(each.stat().st_size for each in jars)
    lines = [f"{_digest(each)}  {each.relative_to(repository).as_posix()}\n" for each in jars]
    LIST.write_text(f"# {size / 1e6:.0f} MB in all\n{''.join(lines)}", encoding="ascii")
    shutil.rmtree(repository)


if __name__ == "__main__":
    try:
        list_jars(Path(sys.argv[1])) if len(sys.argv) > 1 else fetch_jars()
    except BrokerError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("\nInterrupted; the next run goes on from here. 已中断")
