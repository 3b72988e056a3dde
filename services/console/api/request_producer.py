"""How is a request written to its topic, and when is it answered 202? It is answered as soon as the broker has acknowledged the message."""

import asyncio
import contextlib
import hmac
from collections import OrderedDict
from collections.abc import Collection, Coroutine, Iterable
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
from services.console.readmodel.gate_answer import COUNTS_WHEN_ASKED
from services.console.readmodel.tables import ASKED_HOLDS, INSTALLATION, LODGEMENTS
from services.console.readmodel.write_behind import Unwritten
from services.console.settings import ConsoleSettings
from services.shell.access import Access, NoAccess, try_access
from services.shell.clients import intake_settings
from services.shell.clock import now
from services.shell.codec import Headers, encode, request_headers
from services.shell.ending import end_with_task
from services.shell.fresh import fresh_key

ACKNOWLEDGED = Counter("customs_console_asked", "Requests that the broker acknowledged", ["kind"])
NOT_TAKEN = Counter("customs_console_not_taken", "Requests that the broker did not acknowledge in time")
RETRY_SECONDS = 2
REFUSED_SECONDS = 5.0
"""Seconds that the producer waits after the cluster refused its credential. The wait is long, because an operator has
to change something before the credential is accepted."""
REMEMBERED = 100_000
"""The most requests that this process keeps in memory, in addition to `tables.LODGEMENTS`."""
SLICE_BYTES = 50_000
"""After this many bytes of messages, other tasks of the event loop get a turn."""
REQUEST_BYTES = 2_000
"""Bytes that each message counts for `SLICE_BYTES`, in addition to its value."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SOURCE = "/console"
OF_REQUESTS = "request"
"""Name of the row of `INSTALLATION` that has the secret from which ids of requests are derived."""
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request of any kind, as a row of `tables.LODGEMENTS`. `digest`: a hash of its content, which shows whether a
    later request with the same id has other content. `asked_us`: when the console took the request in, in microseconds
    since 1970 UTC."""

    request_id: str
    idempotency_key: str
    sender: str
    kind: str
    subject: str
    digest: str
    asked_us: int


class RequestKey(NamedTuple):
    """The values from which the id of a request is derived. `idempotency_key`: the key that the sender gave, empty if
    none; `hidden`: a value that nobody outside this installation can compute. `events`: a secret for this sender. If
    the sender reports an equipment event without an idempotency key, the id of the report is derived from this
    secret."""

    idempotency_key: str
    hidden: str
    events: str = ""

    def part(self, index: int) -> "RequestKey":
        """Returns the key of one of several requests that are sent together under this key, for example of one
        of several declarations in one body. `index`: the number of the request among them, from 0."""
        return RequestKey(f"{self.idempotency_key}/{index}" if self.idempotency_key else "", f"{self.hidden}/{index}")

    def of_event(self, *identity: str) -> "RequestKey":
        """Returns the key of a report of an equipment event. If the sender gave no idempotency key, the key of the report is derived from the fields
        that identify the event (`identity`)."""
        if self.idempotency_key or not self.events:
            return self
        return RequestKey("", hmac.digest(self.events.encode(), "\0".join(identity).encode(), "sha256").hex())


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request as the encoded message for the broker, with its row for `tables.LODGEMENTS`."""

    request: RequestRow
    topic: str
    value: bytes
    headers: Headers
    again: bool = False
    """True if the request may have been sent before, so that `tables.LODGEMENTS` is searched for it."""
    declarant: str = ""
    boxes: tuple[str, ...] = ()
    """For a declaration: the numbers of the containers that it names. `declarant`: its declarant."""
    named: str = ""
    """For a request about a container: the consignment that the request names, empty if it names none."""
    others_kept: tuple[str, ...] = ()
    """The keys, beside that of the request, for which the gate's answer is no from now on; see
    `Request.others_kept`."""


def digest(content: bytes) -> str:
    """Returns a hash of the content, by which it is compared with the content of other requests."""
    return blake2b(content, digest_size=16).hexdigest()


def prepare(request: Request, key: RequestKey, content: bytes | None = None, again: bool = False) -> Prepared:
    """Makes the message of a request under this key. `content`: the bytes by which the request is compared with an earlier one; by default the
    request without its time, which the console has set. `again`: the request may have been sent before even if it has no idempotency key."""
    moment = now()
    row = RequestRow(
        request_id(request.asked_by, key.hidden),
        key.idempotency_key,
        request.asked_by,
        request.kind,
        request.key,
        digest(encode(request.model_copy(update={"occurred_at": EPOCH})) if content is None else content),
        int(moment.timestamp() * 1_000_000),
    )
    time = moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
    headers = request_headers(request, row.request_id, SOURCE, time)
    value, topic = encode(request), topic_of("anyone", type(request))
    again = again or bool(key.idempotency_key)
    return Prepared(row, topic, value, headers, again, others_kept=request.others_kept)


class Asker:
    """The console's Kafka producer. It also writes the requests that it took in to `tables.LODGEMENTS`."""

    def __init__(self, settings: ConsoleSettings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine
        self._producer: AIOKafkaProducer | None = None
        self._remembered: OrderedDict[str, RequestRow] = OrderedDict()
        self._subjects: dict[str, str] = {}
        self._under_way: dict[str, tuple[RequestRow, asyncio.Task[None]]] = {}
        self._unwritten = Unwritten(self._insert, _not_written)
        self._tasks: list[asyncio.Task[None]] = []
        self._secret = b""

    @property
    def ready(self) -> bool:
        """Returns whether the producer has reached the cluster."""
        return self._producer is not None

    async def start(self) -> None:
        """Reads the secret of the installation, and starts the background tasks that connect to the cluster and write `tables.LODGEMENTS`."""
        self._secret = await asyncio.to_thread(self._read_secret)
        self._tasks = [_lasting(self._connect()), _lasting(self._write_notebook())]

    async def stop(self) -> None:
        """Stops the tasks, waits a short time for the messages that the producer still has to send, and writes the rows that `tables.LODGEMENTS`
        still lacks."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._producer is not None:
            # requests without acknowledgement are given up, because they were not answered 202
            with contextlib.suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(self._producer.stop(), 1.5)
        # A row that cannot be written is given up. Its request is on the topic, but no console can answer later what
        # became of the request.
        with contextlib.suppress(*DATABASE_ERRORS):
            await asyncio.to_thread(self._unwritten.write)

    def key(self, sender: str, idempotency_key: str) -> RequestKey:
        """Returns the key of a request by this sender. It is always the same for the same idempotency key, and random if the sender gave none.

        The key is derived with a secret, because anybody who can predict the id of a request could send another request under it first.
        """
        if not idempotency_key:
            events = hmac.digest(self._secret, f"{sender}\0\0events".encode(), "sha256").hex()
            return RequestKey("", fresh_key(), events)
        return RequestKey(
            idempotency_key, hmac.digest(self._secret, f"{sender}\0{idempotency_key}".encode(), "sha256").hex()
        )

    def own_key(self, *identity: str) -> RequestKey:
        """Returns the key of a request that consoles send by themselves, derived from `identity`. All consoles derive the same key, and no
        idempotency key of a sender leads to it."""
        return RequestKey("", hmac.digest(self._secret, "\0\0".join(("", *identity)).encode(), "sha256").hex())

    async def ask(self, message: Prepared) -> RequestRow:
        """Sends one request and returns its row. Raises Problem 503 if it was not acknowledged, 422 if its key was used for other content."""
        return (await self.ask_all([message]))[0]

    async def ask_all(self, messages: Iterable[Prepared]) -> list[RequestRow]:
        """Sends all requests and returns their rows. Raises the problems of `ask`. After such a problem some requests
        may have been sent, or may still be sent. If the caller then sends all requests again, no request has a second
        effect."""
        producer = self._producer
        if producer is None:
            raise self._not_taken()
        messages = list(messages)
        await self._note_holds(
            [m for m in messages if m.request.kind in COUNTS_WHEN_ASKED and not self._known(m.request)]
        )
        taken: list[RequestRow] = []
        acknowledgements: list[asyncio.Future[None]] = []
        turn = 0
        try:
            async with asyncio.timeout(self._settings.produce_timeout_seconds):
                for message in messages:
                    taken.append(message.request)
                    turn += REQUEST_BYTES + len(message.value)
                    if turn > SLICE_BYTES:
                        turn = 0
                        await asyncio.sleep(0)
                    if not self._known(message.request):
                        acknowledgements.append(asyncio.shield(self._sent(producer, message)))
                await asyncio.gather(*acknowledgements)
        except (KafkaError, TimeoutError) as error:
            log.warning("not taken in", error=f"{type(error).__name__}: {error}")
            if isinstance(error, KafkaError) and not getattr(error, "retriable", False):
                self._replace(producer)
            raise self._not_taken() from error
        return taken

    async def _note_holds(self, holds: list[Prepared]) -> None:
        """Stores the requests that keep goods inside (`COUNTS_WHEN_ASKED`) before they are sent, so that the gate answers of all consoles count them.
        Raises Problem 503 if that fails."""
        if not holds:
            return
        rows = [
            {"request_id": r.request_id, "consignment_id": kept, "about": r.subject, "asked_us": r.asked_us}
            for r, others in [(hold.request, hold.others_kept) for hold in holds]
            for kept in (r.subject, *others)
        ]
        # If an earlier attempt to send one of these holds failed, its row exists already. Such a row gets the time of
        # this attempt.
        await self.note(ASKED_HOLDS, rows, renewed=("asked_us",))

    async def note(
        self, table: Table, rows: list[dict[str, Any]], *changes: Update, renewed: Collection[str] = ()
    ) -> None:
        """Inserts the rows that do not exist yet into `table`, a table that only consoles write; then runs the SQL
        updates `changes`. `renewed`: the columns that get the new values in rows that exist already. Raises Problem 503
        if the database does not answer or refuses a row."""
        try:
            await asyncio.to_thread(self._insert_rows, table, rows, *changes, renewed=renewed)
        except Exception as error:
            if not isinstance(error, DATABASE_ERRORS) and not refuses_values(error):
                raise
            log.warning("a hold or watch cannot be noted", error=str(getattr(error, "orig", None) or error)[:300])
            raise self._not_taken() from error

    def _sent(self, producer: AIOKafkaProducer, message: Prepared) -> asyncio.Future[None]:
        """Returns a future that is done when the broker has acknowledged the message. Equal requests at the same time are sent once. The request is
        remembered even if the acknowledgement comes after its sender has stopped waiting."""
        request = message.request

        async def send() -> None:
            try:
                key = request.subject.encode()
                await (await producer.send(message.topic, message.value, key, headers=message.headers))
                self._remember(request)
            finally:
                del self._under_way[request.request_id]

        if request.request_id not in self._under_way:
            self._under_way[request.request_id] = request, asyncio.create_task(send())
        return self._under_way[request.request_id][1]

    def about(self, subject: str) -> RequestRow | None:
        """Returns the first request about this consignment or container that this process took in; None if it remembers none. Call this for a request
        that the rows may not have yet."""
        found = self._subjects.get(subject)
        return None if found is None else self._remembered.get(found)

    def request(self, request_id: str) -> RequestRow | None:
        """Returns the request with this id if this process remembers it, else None."""
        return self._remembered.get(request_id)

    def _known(self, request: RequestRow) -> bool:
        before = self._remembered.get(request.request_id)
        under_way = self._under_way.get(request.request_id)
        first = before or (under_way[0] if under_way else None)
        if first is not None and (first.digest != request.digest or first.kind != request.kind):
            raise _reused(request)
        return before is not None

    async def before(self, request: RequestRow) -> RequestRow | None:
        """Returns the row of this request from memory or from `tables.LODGEMENTS` if the request was sent before, else
        None. Raises Problem 422 if it was sent before with other content.

        The table also has requests from before a restart, and requests of an older software version, which derived ids
        from sender and idempotency key alone.
        """
        if self._known(request):
            return request
        before = await asyncio.to_thread(
            self._read, request.request_id, request_id(request.sender, request.idempotency_key)
        )
        if before is not None and (before.digest != request.digest or before.kind != request.kind):
            raise _reused(request)
        return before

    def _not_taken(self) -> Problem:
        NOT_TAKEN.inc()
        return Problem(503, "not_taken", headers={"Retry-After": str(RETRY_SECONDS)})

    def _remember(self, request: RequestRow) -> None:
        ACKNOWLEDGED.labels(request.kind).inc()
        self._unwritten.note(request)
        self._remembered[request.request_id] = request
        self._subjects.setdefault(request.subject, request.request_id)
        while len(self._remembered) > REMEMBERED:
            old = self._remembered.popitem(last=False)[1]
            if self._subjects.get(old.subject) == old.request_id:
                del self._subjects[old.subject]

    # in the background

    def _replace(self, broken: AIOKafkaProducer) -> None:
        """Replaces an idempotent producer that had a fatal error and cannot send any more."""
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
                await asyncio.sleep(REFUSED_SECONDS)
                continue
            try:
                await asyncio.wait_for(producer.start(), 10)
                self._producer = producer
            except (KafkaError, TimeoutError, OSError) as error:
                log.warning("the producer waits for Kafka", error=f"{type(error).__name__}: {error}")
                await producer.stop()
                if access.signs_in:
                    try:
                        # aiokafka only logs that a sign-in was refused. So `try_access` tries a sign-in, and raises an error if that is refused.
                        await asyncio.to_thread(try_access, access, 5)
                    except NoAccess as refused:
                        log.error("the producer is not let in", error=str(refused))
                        await asyncio.sleep(REFUSED_SECONDS)
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

    def _insert(self, taken: list[RequestRow]) -> None:
        self._insert_rows(LODGEMENTS, [{name: getattr(row, name) for name in RequestRow.__slots__} for row in taken])

    def _insert_rows(
        self, table: Table, rows: list[dict[str, Any]], *changes: Update, renewed: Collection[str] = ()
    ) -> None:
        with self._engine.begin() as connection:
            if rows:
                insert = insert_into(connection, table)
                new = {name: insert.excluded[name] for name in renewed}
                key = list(table.primary_key)
                upsert = (
                    insert.on_conflict_do_update(index_elements=key, set_=new)
                    if new
                    else insert.on_conflict_do_nothing()
                )
                connection.execute(upsert, rows)
            for change in changes:
                connection.execute(change)

    def _read(self, *requests: str) -> RequestRow | None:
        with self._engine.begin() as connection:
            row = connection.execute(select(LODGEMENTS).where(LODGEMENTS.c.request_id.in_(requests))).first()
        return None if row is None else RequestRow(*row)

    def _read_secret(self) -> bytes:
        """Returns the secret of the installation. Makes the secret first if no console has made it yet."""
        self._insert_rows(INSTALLATION, [{"name": OF_REQUESTS, "value": fresh_key() + fresh_key()}])
        with self._engine.begin() as connection:
            value = connection.execute(select(INSTALLATION.c.value).where(INSTALLATION.c.name == OF_REQUESTS))
            return bytes.fromhex(value.scalar_one())


def _not_written(request: RequestRow, error: Exception) -> None:
    """Logs that the row of a request is lost. The request itself is on its topic."""
    log.warning("not written into the notebook", request=request.request_id, error=str(error)[:300])


def _reused(request: RequestRow) -> Problem:
    if request.idempotency_key:
        return Problem(422, "key_reused", seen=request.idempotency_key)
    return Problem(422, "event_reused")


def _lasting(work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
    """Starts a task and returns it. If the task fails, the process ends, because without the task the console would
    take requests in and not complete them."""
    task = asyncio.create_task(work)
    task.add_done_callback(end_with_task)
    return task


async def _close(producer: AIOKafkaProducer) -> None:
    # the producer is broken, so this only closes its sockets
    with contextlib.suppress(KafkaError, TimeoutError):
        await asyncio.wait_for(producer.stop(), 5)
