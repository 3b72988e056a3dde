"""How is the network between a worker and the broker made slow, silent or cut? A TCP proxy stands between the two."""

import asyncio
import threading
from collections.abc import Callable

CHUNK = 1 << 16
PRODUCE, TXN_OFFSET_COMMIT, END_TXN = 0, 28, 26
"""The numbers of three requests in Kafka's protocol (API keys)."""


class Proxy:
    """A TCP proxy: clients connect to `port`, and it connects to the broker, which listens on `inner`. Its methods may
    be called in any thread."""

    def __init__(self, inner: int) -> None:
        self.inner = inner
        self.port = 0
        self.cuts = 0
        self.delayed = 0
        self.swallowed = 0
        """`cuts`: connections that were cut or refused; `delayed`: chunks that were delayed; `swallowed`: replies that
        were held back."""
        self._delay = 0.0
        self._open = True
        self._trap: int | None = None
        self._talking = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._up = threading.Event()
        self._thread.start()
        self._up.wait()

    def slow(self, seconds: float) -> None:
        """Delays every chunk of data by this many seconds, in both directions."""
        self._do(lambda: setattr(self, "_delay", seconds))

    def mute(self, at: int | None = None) -> None:
        """Holds back the broker's replies. Requests still reach the broker, so the client does not know whether they
        succeeded.

        `at`: an API key. If it is given, replies are held back only from the next request with this API key on.
        """
        self._do(self._talking.clear if at is None else lambda: setattr(self, "_trap", at))

    @property
    def muted(self) -> bool:
        return not self._talking.is_set()

    def cut(self) -> None:
        """Closes every connection, and refuses new ones."""
        self._do(self._cut)

    def heal(self) -> None:
        """Ends the fault. A reply that was held back arrives now, if its connection is still open."""
        self._do(self._heal)

    def close(self) -> None:
        self._do(self._cut)
        self._do(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _do(self, act: Callable[[], None]) -> None:
        done = threading.Event()

        def run() -> None:
            act()
            done.set()

        self._loop.call_soon_threadsafe(run)
        done.wait(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())
        self._up.set()
        self._loop.run_forever()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    async def _listen(self) -> None:
        self._talking.set()
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0, limit=CHUNK)
        self.port = self._server.sockets[0].getsockname()[1]

    def _cut(self) -> None:
        self._open = False
        self.cuts += len(self._writers) // 2
        for writer in self._writers:
            writer.transport.abort()

    def _heal(self) -> None:
        self._open, self._delay, self._trap = True, 0.0, None
        self._talking.set()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not self._open:
                self.cuts += 1
                raise ConnectionRefusedError
            behind, ahead = await asyncio.open_connection("127.0.0.1", self.inner, limit=CHUNK)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, ahead}
        pumps = [asyncio.ensure_future(p) for p in (self._pump(reader, ahead, False), self._pump(behind, writer, True))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            for each in (writer, ahead):
                each.transport.abort()
                self._writers.discard(each)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, replies: bool) -> None:
        frames = _Frames()
        try:
            while data := await reader.read(CHUNK):
                if not replies and self._trap in frames.numbers(data):
                    self._trap = None
                    self._talking.clear()
                if self._delay:
                    self.delayed += 1
                    await asyncio.sleep(self._delay)
                if replies and not self._talking.is_set():
                    self.swallowed += 1
                    await self._talking.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            # One side has closed its connection. `_connect` closes the connection to the other side.
            return


class _Frames:
    """Finds the API keys of the requests in a stream of Kafka's frames. Each frame begins with its length (four bytes)
    and the API key (two bytes)."""

    def __init__(self) -> None:
        self._head = b""
        self._skip = 0

    def numbers(self, data: bytes) -> set[int]:
        found: set[int] = set()
        while data:
            taken = min(self._skip, len(data))
            self._skip, data = self._skip - taken, data[taken:]
            need = 6 - len(self._head)
            if data:
                self._head, data = self._head + data[:need], data[need:]
            if len(self._head) == 6:
                found.add(int.from_bytes(self._head[4:], "big"))
                self._skip, self._head = int.from_bytes(self._head[:4], "big") - 2, b""
        return found
