"""How does a request get onto its topic, and when may we say that it was taken in? When the broker has acknowledged it."""

import asyncio
import contextlib
import hmac
from collections import OrderedDict
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, NamedTuple

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from prometheus_client import Counter
from sqlalchemy import Engine, Table, Update, select

from schemas.envelope import Request, request_id
from schemas.topics import topic_of
from services.console.api.problems import Problem
from services.console.readmodel.database import DATABASE_ERRORS, insert_into, refuses_values
from services.console.readmodel.gate_answer import HOLDS
from services.console.readmodel.tables import ASKED_HOLDS, INSTALLATION, LODGEMENTS
from services.console.readmodel.write_behind import Unwritten
from services.console.settings import ConsoleSettings
from services.shell.access import Access, NoAccess, knock
from services.shell.clients import intake_settings
from services.shell.clock import now
from services.shell.codec import Headers, encode, request_headers
from services.shell.ending import end_with_task
from services.shell.fresh import fresh_key

ASKED = Counter("customs_console_asked", "Requests that the broker acknowledged", ["kind"])
NOT_TAKEN = Counter("customs_console_not_taken", "Requests that the broker did not acknowledge")
RETRY_SECONDS = 2
ACCESS_SECONDS = 5.0
"""How long the door waits after the cluster did not let it in: somebody has to mend something first."""
REMEMBERED = 100_000
"""Requests that this process remembers, beside the notebook in SQL."""
SLICE_BYTES = 50_000
"""Of the messages of a batch that are sent in one turn of the event loop, which others wait for meanwhile."""
REQUEST_BYTES = 2_000
"""What a message costs beside its content."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SOURCE = "/console"
OF_REQUESTS = "request"
"""Name of the row of `INSTALLATION` with the secret that ids of requests are made with."""
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


class RequestKey(NamedTuple):
    """Under which name a request is asked. `told`: its sender's idempotency key, empty where there is none; `hidden`: what its
    id is derived from, which nobody outside of this installation can compute; `events`: a secret of this sender's, from which the
    ids of reports of equipment events without a key are derived."""

    told: str
    hidden: str
    events: str = ""

    def part(self, index: int) -> "RequestKey":
        """The key of one request of a batch."""
        return RequestKey(f"{self.told}/{index}" if self.told else "", f"{self.hidden}/{index}")

    def of_event(self, *identity: str) -> "RequestKey":
        """The key of a report of an equipment event: without the sender's key it is the same by what identifies the event."""
        if self.told or not self.events:
            return self
        return RequestKey("", hmac.digest(self.events.encode(), "\0".join(identity).encode(), "sha256").hex())


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request as the message that goes to the broker, with what is remembered of it; nothing is left to be built."""

    asked: Asked
    topic: str
    value: bytes
    headers: Headers
    again: bool = False
    """It may have been asked before: the notebook is asked, too."""
    declarant: str = ""
    boxes: tuple[str, ...] = ()
    """Of a declaration: whose it is, and the containers that it names."""
    lot: str = ""
    """Of a request about a container: the consignment in it that it names, empty where it names none."""


def digest(content: bytes) -> str:
    """Tells one content from another."""
    return blake2b(content, digest_size=16).hexdigest()


def prepare(request: Request, key: RequestKey, content: bytes | None = None, again: bool = False) -> Prepared:
    """The message of a request under this key. `content`: what counts as the same, by default all but the time; `again`: it may
    have been asked before without a key."""
    moment = now()
    asked = Asked(
        request_id(request.asked_by, key.hidden),
        key.told,
        request.asked_by,
        request.kind,
        request.key,
        digest(encode(request.model_copy(update={"occurred_at": EPOCH})) if content is None else content),
        int(moment.timestamp() * 1_000_000),
    )
    time = moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
    told = request_headers(request, asked.request_id, SOURCE, time)
    value, topic = encode(request), topic_of("anyone", type(request))
    return Prepared(asked, topic, value, told, again or bool(key.told))


class Asker:
    """The console's producer and its notebook of what it was asked."""

    def __init__(self, settings: ConsoleSettings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine
        self._producer: AIOKafkaProducer | None = None
        self._remembered: OrderedDict[str, Asked] = OrderedDict()
        self._subjects: dict[str, str] = {}
        self._under_way: dict[str, tuple[Asked, asyncio.Task[None]]] = {}
        self._unwritten = Unwritten(self._insert, _not_written)
        self._tasks: list[asyncio.Task[None]] = []
        self._secret = b""

    @property
    def ready(self) -> bool:
        """Whether the producer has reached the cluster."""
        return self._producer is not None

    async def start(self) -> None:
        """Returns at once; the cluster is awaited in the background."""
        self._secret = await asyncio.to_thread(self._read_secret)
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
            await asyncio.to_thread(self._unwritten.write)

    def key(self, sender: str, told: str) -> RequestKey:
        """The key of a request by this sender: the same for the same words of its; a new one where it gave none.

        An id that could be foreseen could be used up by others before the request is made.
        """
        if not told:
            events = hmac.digest(self._secret, f"{sender}\0\0events".encode(), "sha256").hex()
            return RequestKey("", fresh_key(), events)
        return RequestKey(told, hmac.digest(self._secret, f"{sender}\0{told}".encode(), "sha256").hex())

    def own_key(self, *identity: str) -> RequestKey:
        """The key of a request that consoles send by themselves, the same in all of them; no sender's words make such a one."""
        return RequestKey("", hmac.digest(self._secret, "\0\0".join(("", *identity)).encode(), "sha256").hex())

    async def ask(self, message: Prepared) -> Asked:
        """Sends one request. Problem 503 when it was not acknowledged, 422 when its key was used for other content."""
        return (await self.ask_all([message]))[0]

    async def ask_all(self, messages: Iterable[Prepared]) -> list[Asked]:
        """All of them or Problem 503; those that were acknowledged before a failure are safe to send again."""
        producer = self._producer
        if producer is None:
            raise self._not_taken()
        messages = list(messages)
        await self._note_holds([m.asked for m in messages if m.asked.kind in HOLDS and not self._known(m.asked)])
        taken: list[Asked] = []
        acknowledgements: list[asyncio.Future[None]] = []
        turn = 0
        try:
            async with asyncio.timeout(self._settings.produce_timeout_seconds):
                for message in messages:
                    taken.append(message.asked)
                    turn += REQUEST_BYTES + len(message.value)
                    if turn > SLICE_BYTES:
                        turn = 0
                        await asyncio.sleep(0)
                    if not self._known(message.asked):
                        acknowledgements.append(asyncio.shield(self._sent(producer, message)))
                await asyncio.gather(*acknowledgements)
        except (KafkaError, TimeoutError) as error:
            log.warning("not taken in", error=f"{type(error).__name__}: {error}")
            if isinstance(error, KafkaError) and not getattr(error, "retriable", False):
                self._replace(producer)
            raise self._not_taken() from error
        return taken

    async def _note_holds(self, holds: list[Asked]) -> None:
        """Writes them down for every console's gate answer, before they are sent; Problem 503 where the database does not."""
        if not holds:
            return
        rows = [{"request_id": h.request_id, "consignment_id": h.subject, "asked_us": h.asked_us} for h in holds]
        await self.note(ASKED_HOLDS, rows)

    async def note(self, table: Table, rows: list[dict[str, Any]], *changes: Update) -> None:
        """Writes rows of the consoles' own tables that are not there yet, then changes some; Problem 503 where the database does
        not."""
        try:
            await asyncio.to_thread(self._insert_rows, table, rows, *changes)
        except Exception as error:
            if not isinstance(error, DATABASE_ERRORS) and not refuses_values(error):
                raise
            log.warning("a hold or watch cannot be noted", error=str(getattr(error, "orig", None) or error)[:300])
            raise self._not_taken() from error

    def _sent(self, producer: AIOKafkaProducer, message: Prepared) -> asyncio.Future[None]:
        """Done when the broker has it: sent once, however many ask the same at the same time, and remembered however late."""
        asked = message.asked

        async def send() -> None:
            try:
                key = asked.subject.encode()
                await (await producer.send(message.topic, message.value, key, headers=message.headers))
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

    def _known(self, asked: Asked) -> bool:
        before = self._remembered.get(asked.request_id)
        under_way = self._under_way.get(asked.request_id)
        first = before or (under_way[0] if under_way else None)
        if first is not None and (first.digest != asked.digest or first.kind != asked.kind):
            raise _reused(asked)
        return before is not None

    async def before(self, asked: Asked) -> Asked | None:
        """The same request as the notebook has it, for a key that the sender chose. Problem 422 where its content was another.

        The notebook outlives this process. Ids that an older version gave were derived from sender and key alone.
        """
        if self._known(asked):
            return asked
        before = await asyncio.to_thread(self._read, asked.request_id, request_id(asked.sender, asked.idempotency_key))
        if before is not None and (before.digest != asked.digest or before.kind != asked.kind):
            raise _reused(asked)
        return before

    def _not_taken(self) -> Problem:
        NOT_TAKEN.inc()
        return Problem(503, "not_taken", headers={"Retry-After": str(RETRY_SECONDS)})

    def _remember(self, asked: Asked) -> None:
        ASKED.labels(asked.kind).inc()
        self._unwritten.note(asked)
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
        access = self._settings.access("door")
        while self._producer is None:
            try:
                producer = self._producer_of(access)
            except NoAccess as error:
                log.error("the producer has no credential", error=str(error))
                await asyncio.sleep(ACCESS_SECONDS)
                continue
            try:
                await asyncio.wait_for(producer.start(), 10)
                self._producer = producer
            except (KafkaError, TimeoutError, OSError) as error:
                log.warning("the producer waits for Kafka", error=f"{type(error).__name__}: {error}")
                await producer.stop()
                if access.signs_in:
                    try:  # its own log alone says that it is not let in
                        await asyncio.to_thread(knock, access, 5)
                    except NoAccess as refused:
                        log.error("the producer is not let in", error=str(refused))
                        await asyncio.sleep(ACCESS_SECONDS)
                await asyncio.sleep(1)

    @staticmethod
    def _producer_of(access: Access) -> AIOKafkaProducer:
        return AIOKafkaProducer(**intake_settings(access))

    async def _write_notebook(self) -> None:
        while True:
            await asyncio.sleep(0.2)
            if self._unwritten:
                try:
                    await asyncio.to_thread(self._unwritten.write)
                except DATABASE_ERRORS as error:
                    log.warning("the notebook waits", error=str(getattr(error, "orig", None) or error))

    def _insert(self, taken: list[Asked]) -> None:
        self._insert_rows(LODGEMENTS, [{name: getattr(asked, name) for name in Asked.__slots__} for asked in taken])

    def _insert_rows(self, table: Table, rows: list[dict[str, Any]], *changes: Update) -> None:
        with self._engine.begin() as connection:
            if rows:
                connection.execute(insert_into(connection, table).on_conflict_do_nothing(), rows)
            for change in changes:
                connection.execute(change)

    def _read(self, *requests: str) -> Asked | None:
        with self._engine.begin() as connection:
            row = connection.execute(select(LODGEMENTS).where(LODGEMENTS.c.request_id.in_(requests))).first()
        return None if row is None else Asked(*row)

    def _read_secret(self) -> bytes:
        """Made by the first console of the installation that asks for it."""
        self._insert_rows(INSTALLATION, [{"name": OF_REQUESTS, "value": fresh_key() + fresh_key()}])
        with self._engine.begin() as connection:
            value = connection.execute(select(INSTALLATION.c.value).where(INSTALLATION.c.name == OF_REQUESTS))
            return bytes.fromhex(value.scalar_one())


def _not_written(asked: Asked, error: Exception) -> None:
    """Its request is on the topic all the same."""
    log.warning("not written into the notebook", request=asked.request_id, error=str(error)[:300])


def _reused(asked: Asked) -> Problem:
    if asked.idempotency_key:
        return Problem(422, "key_reused", seen=asked.idempotency_key)
    return Problem(422, "event_reused")


def _lasting(work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
    """Without it the console would take requests in and forget half of what belongs to that."""
    task = asyncio.create_task(work)
    task.add_done_callback(end_with_task)
    return task


async def _close(producer: AIOKafkaProducer) -> None:
    with contextlib.suppress(KafkaError, TimeoutError):  # it is broken; its sockets are all that is to be given back
        await asyncio.wait_for(producer.stop(), 5)
