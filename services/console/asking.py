"""How does a request get onto its topic, and when may we say that it was taken in? When the broker has acknowledged it."""

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from prometheus_client import Counter
from sqlalchemy import Engine, select
from sqlalchemy.dialects import postgresql, sqlite

from schemas.envelope import Request, request_id
from schemas.topics import topic_of
from services.console.database import DATABASE_ERRORS
from services.console.problems import Problem
from services.console.settings import ConsoleSettings
from services.console.tables import LODGEMENTS
from services.shell.clock import now
from services.shell.codec import encode, request_headers
from services.shell.ending import end_with_task

ASKED = Counter("customs_console_asked", "Requests that the broker acknowledged", ["kind"])
NOT_TAKEN = Counter("customs_console_not_taken", "Requests that the broker did not acknowledge")
RETRY_SECONDS = 2
REMEMBERED = 100_000
"""Requests that this process remembers, beside the notebook in SQL."""
SLICE_BYTES = 50_000
"""Of the requests of a batch that are encoded in one turn of the event loop, which others wait for meanwhile."""
REQUEST_BYTES = 2_000
"""What a request costs beside its content."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SOURCE = "/console"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was taken in, columns as in `tables.LODGEMENTS`; `digest` tells another content under the same key."""

    request_id: str
    idempotency_key: str
    sender: str
    kind: str
    subject: str
    digest: str
    asked_us: int


def digest(content: bytes) -> str:
    """Tells one content from another."""
    return blake2b(content, digest_size=16).hexdigest()


class Asker:
    """The console's producer and its notebook of what it was asked."""

    def __init__(self, settings: ConsoleSettings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine
        self._producer: AIOKafkaProducer | None = None
        self._remembered: OrderedDict[str, Asked] = OrderedDict()
        self._subjects: dict[str, str] = {}
        self._under_way: dict[str, tuple[Asked, asyncio.Task[None]]] = {}
        self._unwritten: deque[Asked] = deque()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def ready(self) -> bool:
        """Whether the producer has reached the cluster."""
        return self._producer is not None

    async def start(self) -> None:
        """Returns at once; the cluster is awaited in the background."""
        self._tasks = [_lasting(self._connect()), _lasting(self._write_notebook())]

    async def stop(self) -> None:
        """Sends what is in hand and writes the notebook."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._producer is not None:
            with contextlib.suppress(KafkaError, TimeoutError):  # what was not acknowledged was not claimed either
                await asyncio.wait_for(self._producer.stop(), 1.5)
        with contextlib.suppress(
            *DATABASE_ERRORS
        ):  # the notebook is a courtesy to those who ask before the projector has read
            await asyncio.to_thread(self._write)

    async def ask(self, request: Request, key: str, content: bytes | None = None) -> Asked:
        """Sends one request under its sender's idempotency key. Problem 503 when it was not acknowledged, 422 when the key was
        used for other content. `content`: what counts as the same, by default all but the time.
        """
        return (await self.ask_all([(request, key, content)]))[0]

    async def ask_all(self, requests: Iterable[tuple[Request, str, bytes | None]]) -> list[Asked]:
        """All of them or Problem 503; those that were acknowledged before a failure are safe to send again."""
        producer = self._producer
        if producer is None:
            raise self._not_taken()
        taken: list[Asked] = []
        acknowledgements: list[asyncio.Future[None]] = []
        turn = 0
        try:
            async with asyncio.timeout(self._settings.produce_timeout_seconds):
                for request, key, content in requests:
                    asked = self._asked(request, key, content)
                    taken.append(asked)
                    turn += REQUEST_BYTES + len(content or b"")
                    if turn > SLICE_BYTES:
                        turn = 0
                        await asyncio.sleep(0)
                    if not self._known(asked):
                        acknowledgements.append(asyncio.shield(self._sent(producer, request, asked)))
                await asyncio.gather(*acknowledgements)
        except (KafkaError, TimeoutError) as error:
            log.warning("not taken in", error=f"{type(error).__name__}: {error}")
            if isinstance(error, KafkaError) and not getattr(error, "retriable", False):
                self._replace(producer)
            raise self._not_taken() from error
        return taken

    def _sent(self, producer: AIOKafkaProducer, request: Request, asked: Asked) -> asyncio.Future[None]:
        """Done when the broker has it: sent once, however many ask the same at the same time, and remembered however late."""

        async def send() -> None:
            try:
                await (await producer.send(**_message(request, asked)))
                self._remember(asked)
            finally:
                del self._under_way[asked.request_id]

        if asked.request_id not in self._under_way:
            self._under_way[asked.request_id] = asked, asyncio.create_task(send())
        return self._under_way[asked.request_id][1]

    def about(self, subject: str) -> Asked | None:
        """The first request about this consignment or container that this process took in; for those not projected yet."""
        found = self._subjects.get(subject)
        return None if found is None else self._remembered.get(found)

    def asked(self, request: str) -> Asked | None:
        """The request of this id, from memory."""
        return self._remembered.get(request)

    def _asked(self, request: Request, key: str, content: bytes | None) -> Asked:
        body = content if content is not None else encode(request.model_copy(update={"occurred_at": EPOCH}))
        return Asked(
            request_id(request.asked_by, key),
            key,
            request.asked_by,
            request.kind,
            request.key,
            digest(body),
            int(now().timestamp() * 1_000_000),
        )

    def _known(self, asked: Asked) -> bool:
        before = self._remembered.get(asked.request_id)
        under_way = self._under_way.get(asked.request_id)
        first = before or (under_way[0] if under_way else None)
        if first is not None and (first.digest != asked.digest or first.kind != asked.kind):
            raise Problem(422, "key_reused", seen=asked.idempotency_key)
        return before is not None

    async def refuse_reuse(self, request: Request, key: str, content: bytes | None = None) -> None:
        """For a key that the sender chose: compares with the notebook too, which outlives this process. Problem 422."""
        asked = self._asked(request, key, content)
        if self._known(asked):
            return
        before = await asyncio.to_thread(self._read, asked.request_id)
        if before is not None and (before.digest != asked.digest or before.kind != asked.kind):
            raise Problem(422, "key_reused", seen=asked.idempotency_key)

    def _not_taken(self) -> Problem:
        NOT_TAKEN.inc()
        return Problem(503, "not_taken", headers={"Retry-After": str(RETRY_SECONDS)})

    def _remember(self, asked: Asked) -> None:
        ASKED.labels(asked.kind).inc()
        self._unwritten.append(asked)
        self._remembered[asked.request_id] = asked
        self._subjects.setdefault(asked.subject, asked.request_id)
        while len(self._remembered) > REMEMBERED:
            old = self._remembered.popitem(last=False)[1]
            if self._subjects.get(old.subject) == old.request_id:
                del self._subjects[old.subject]

    # in the background

    def _replace(self, broken: AIOKafkaProducer) -> None:
        """An idempotent producer that met a final error says nothing any more: a fresh one takes its place."""
        if self._producer is broken:
            self._producer = None
            self._tasks = [task for task in self._tasks if not task.done()]
            self._tasks += [asyncio.create_task(_close(broken)), _lasting(self._connect())]

    async def _connect(self) -> None:
        while self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._settings.kafka,
                acks="all",
                enable_idempotence=True,
                linger_ms=2,
                max_request_size=8_000_000,
                max_batch_size=262_144,
                request_timeout_ms=10_000,
            )
            try:
                await asyncio.wait_for(producer.start(), 10)
                self._producer = producer
            except (KafkaError, TimeoutError, OSError) as error:
                log.warning("the producer waits for Kafka", error=f"{type(error).__name__}: {error}")
                await producer.stop()
                await asyncio.sleep(1)

    async def _write_notebook(self) -> None:
        while True:
            await asyncio.sleep(0.2)
            if self._unwritten:
                try:
                    await asyncio.to_thread(self._write)
                except DATABASE_ERRORS as error:
                    log.warning("the notebook waits", error=str(getattr(error, "orig", None) or error))

    def _write(self) -> None:
        taken = list(self._unwritten)
        if not taken:
            return
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        rows = [{name: getattr(asked, name) for name in Asked.__slots__} for asked in taken]
        with self._engine.begin() as connection:
            connection.execute(dialect.insert(LODGEMENTS).on_conflict_do_nothing(), rows)
        for _ in taken:
            self._unwritten.popleft()

    def _read(self, request: str) -> Asked | None:
        with self._engine.begin() as connection:
            row = connection.execute(select(LODGEMENTS).where(LODGEMENTS.c.request_id == request)).one_or_none()
        return None if row is None else Asked(*row)


def _lasting(work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
    """Without it the console would take requests in and forget half of what belongs to that."""
    task = asyncio.create_task(work)
    task.add_done_callback(end_with_task)
    return task


async def _close(producer: AIOKafkaProducer) -> None:
    with contextlib.suppress(KafkaError, TimeoutError):  # it is broken; its sockets are all that is to be given back
        await asyncio.wait_for(producer.stop(), 5)


def _message(request: Request, asked: Asked) -> dict[str, Any]:
    time = now().isoformat(timespec="microseconds").replace("+00:00", "Z")
    return {
        "topic": topic_of("anyone", type(request)),
        "key": request.key.encode(),
        "value": encode(request),
        "headers": request_headers(request, asked.request_id, SOURCE, time),
    }
