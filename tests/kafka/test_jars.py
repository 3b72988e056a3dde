"""Are all files of the broker fetched completely from any mirror, even after an interruption? The tests use a
server on the loopback address."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.kafka.errors import BrokerError, Interrupted
from deploy.kafka.jars import JARS, class_path, fetch_jars, wanted

CONTENT = {f"org/kafka/{name}/1/{name}-1.jar": name.encode() * 40_000 for name in ("clients", "metadata", "storage")}


class Mirror(ThreadingHTTPServer):
    """A repository that can cut connections, send wrong content, or not answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.files = dict(CONTENT)
        self.most: int | None = None
        self.ranges: list[str | None] = []
        self.silent = threading.Event()
        self.silent.set()
        self.asked_for = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/maven2"


class Page(BaseHTTPRequestHandler):
    """Answers one request for a file of the repository."""

    server: Mirror

    def do_GET(self) -> None:
        self.server.asked_for.set()
        self.server.silent.wait()
        content = self.server.files.get(self.path.removeprefix("/maven2/"))
        if content is None:
            self.send_error(404)
            return
        wanted_range = self.headers.get("Range")
        self.server.ranges.append(wanted_range)
        start = int(wanted_range.removeprefix("bytes=").rstrip("-")) if wanted_range else 0
        if start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start:][: self.server.most])

    def log_message(self, format: str, *args: object) -> None:
        """Prints nothing, because the requests are not of interest."""


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    server = Mirror()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("DTG_MAVEN", server.address)
    yield server
    server.silent.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    lines = [f"{hashlib.sha256(content).hexdigest()}  {path}\n" for path, content in CONTENT.items()]
    file = tmp_path / "jars.sha256"
    file.write_text("# 1 MB in all\n" + "".join(lines))
    return file


def content_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.glob("*.jar*")}


WHOLE = {path.rpartition("/")[2]: content for path, content in CONTENT.items()}


def test_an_interrupted_fetch_goes_on_where_it_ended(mirror: Mirror, listed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "jars"
    mirror.most = 60_000
    # The mirror cuts every connection. The next connection requests only the missing bytes.
    fetch_jars(listed=listed, folder=folder)
    assert content_of(folder) == WHOLE
    assert {each for each in mirror.ranges if each} >= {"bytes=60000-", "bytes=120000-", "bytes=180000-"}
    mirror.ranges.clear()
    fetch_jars(listed=listed, folder=folder)
    assert mirror.ranges == [], "what is here is not fetched again"


def test_a_part_of_an_earlier_run_is_continued_and_a_wrong_one_begun_anew(
    mirror: Mirror, listed: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "jars"
    folder.mkdir()
    (folder / "clients-1.jar.part").write_bytes(WHOLE["clients-1.jar"][:1000])
    (folder / "metadata-1.jar.part").write_bytes(b"something else")
    (folder / "storage-1.jar.part").write_bytes(WHOLE["storage-1.jar"] + b"more")
    fetch_jars(listed=listed, folder=folder)
    assert content_of(folder) == WHOLE
    assert "bytes=1000-" in mirror.ranges


def _cut(folder: Path) -> None:
    (folder / "clients-1.jar").write_bytes(WHOLE["clients-1.jar"][:1000])


def _emptied(folder: Path) -> None:
    (folder / "clients-1.jar").write_bytes(b"")


def _marked_by_no_text(folder: Path) -> None:
    (folder / ".complete").write_bytes(b"\xff\x00")
    _cut(folder)


@pytest.mark.parametrize("spoil", [_cut, _emptied, _marked_by_no_text])
def test_a_file_that_a_full_disk_or_a_power_cut_has_shortened_is_fetched_again(
    mirror: Mirror, listed: Path, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    folder = tmp_path / "jars"
    fetch_jars(listed=listed, folder=folder)
    spoil(folder)
    fetch_jars(listed=listed, folder=folder)
    assert content_of(folder) == WHOLE


def test_another_content_than_the_list_says_is_never_used(mirror: Mirror, listed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "jars"
    path = "org/kafka/clients/1/clients-1.jar"
    mirror.files[path] = b"x" * len(CONTENT[path])
    with pytest.raises(BrokerError, match=r"clients-1.jar cannot be fetched .* not the one of the list"):
        fetch_jars(listed=listed, folder=folder)
    assert not (folder / "clients-1.jar").exists()


def test_what_a_mirror_lacks_is_named_with_the_way_to_choose_another(
    mirror: Mirror, listed: Path, tmp_path: Path
) -> None:
    del mirror.files["org/kafka/storage/1/storage-1.jar"]
    with pytest.raises(BrokerError, match=r"storage-1.jar cannot be fetched .* 404 .*DTG_MAVEN"):
        fetch_jars(listed=listed, folder=tmp_path / "jars")


def test_a_stop_does_not_wait_for_a_server_that_says_nothing(mirror: Mirror, listed: Path, tmp_path: Path) -> None:
    mirror.silent.clear()
    with pytest.raises(Interrupted):
        fetch_jars(mirror.asked_for.is_set, listed, tmp_path / "jars")


def test_the_class_path_is_the_list_and_nothing_else_that_lies_there() -> None:
    fetch_jars()
    stray = JARS / "stray-1.jar"
    stray.write_bytes(b"")
    try:
        assert "stray" not in class_path() and class_path().count(".jar") == len(wanted())
    finally:
        stray.unlink()
