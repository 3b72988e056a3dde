"""What does the console answer to a flood of bad requests? It must never answer 5xx because of a bug. The requests that
it answers with 202 must be the requests on the broker, each once."""

import http.client
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from deploy.kafka.broker import free_port
from schemas.topics import FACTS_AND_REQUESTS
from services.cli.processes import read_model, stop_all
from services.cli.up import wait_for
from tests.hostile.asks import Ask, Asks
from tests.people import admit, headers_of

THREADS = 4
REQUESTS = [t.name for t in FACTS_AND_REQUESTS if t.role == "requests"]
TEXTS = ("title", "title_zh", "detail", "detail_zh")


@dataclass
class Answers:
    """`outcomes`: (kind of hostility, status, `closed` or `late`) → how many answers; `taken`: the ids of the requests
    that were accepted; `faults`: a text for each answer that the console should not have given."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    taken: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def add(self, other: "Answers") -> None:
        self.outcomes += other.outcomes
        self.taken |= other.taken
        self.faults += other.faults


@contextmanager
def serving(
    bootstrap: str, partitions: int, folder: Path, command: Sequence[str] = (), **more: str
) -> Iterator[tuple[int, int]]:
    """Runs the console and its projector as `dtg up` does. Yields the console's port and process id. `command`:
    the program that runs in place of the console; `more`: further settings."""
    ports = free_port(), free_port()
    settings = {
        "DTG_KAFKA": bootstrap,
        "DTG_PARTITIONS": str(partitions),
        "DTG_DATABASE_URL": f"sqlite:///{folder}/console.db",
        "DTG_HOME": str(folder),
        **more,
    }
    console, projector = children = read_model(*ports, folder, settings)
    console.command = list(command) or console.command
    pages = {f"http://127.0.0.1:{port}/readyz": child for port, child in zip(ports, children, strict=True)}
    try:
        for child in children:
            child.start()
        wait_for(pages)
        admit(settings["DTG_DATABASE_URL"])
        assert console.pid is not None
        yield ports[0], console.pid
        # this call raises an exception if the console or the projector has ended or does not become ready
        wait_for(pages)
    finally:
        stop_all([console, projector], 30)


def run(count: int, seed: str, port: int) -> Answers:
    """Sends `count` requests over several connections at once."""
    total = Answers()

    def work(number: int) -> Answers:
        answers, line = Answers(), http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for name, ask in islice(Asks(f"{seed}/{number}").asks(), len(range(number, count, THREADS))):
            put(line, name, ask, answers)
        line.close()
        return answers

    with ThreadPoolExecutor(THREADS) as pool:
        for part in pool.map(work, range(THREADS)):
            total.add(part)
    assert sum(total.outcomes.values()) == count, "every request has one answer"
    return total


def written(bootstrap: str, partitions: int) -> Counter[str]:
    """Returns request id → how often it is on the request topics. Raises KafkaException if a topic cannot be read to
    its end."""
    reader = Consumer(
        {"log_level": 0, "bootstrap.servers": bootstrap, "group.id": "hostile", "enable.partition.eof": True}
    )
    from_start = [TopicPartition(topic, number, 0) for topic in REQUESTS for number in range(partitions)]
    reader.assign(from_start)
    found, ends = Counter[str](), 0
    while ends < len(from_start):
        for message in reader.consume(1000, 1.0):
            error = message.error()
            if error is None:
                found[dict(message.headers())["ce_id"].decode()] += 1
            elif error.code() == KafkaError._PARTITION_EOF:
                ends += 1
            else:
                raise KafkaException(error)
    reader.close()
    return found


def put(line: http.client.HTTPConnection, name: str, ask: Ask, answers: Answers) -> None:
    """Sends the request. Stores its status, and everything in the answer that breaks the rules."""
    try:
        texts = headers_of() | ask.headers
        headers = {name: value.encode("latin-1") for name, value in texts.items()}
        line.request(ask.method, ask.path, ask.body, headers)
        answer = line.getresponse()
        status, data, kind = answer.status, answer.read(), answer.headers.get("content-type", "")
    except (http.client.HTTPException, OSError) as error:
        # The connection may be closed only if the body is too large. The console then refuses the body before all of it
        # is sent. An answer that does not come in time is always a fault.
        line.close()
        late = isinstance(error, TimeoutError)
        answers.outcomes[name, "late" if late else "closed"] += 1
        if late or len(ask.body or b"") < 500_000:
            answers.faults.append(f"{name}: {ask.method} {ask.path[:200]}: {type(error).__name__} {error}")
        return
    answers.outcomes[name, str(status)] += 1
    fault = _fault(ask, status, data, kind, answers)
    if fault:
        answers.faults.append(f"{name}: {ask.method} {ask.path[:200]} {status} {fault}: {data[:200]!r}")


def _fault(ask: Ask, status: int, data: bytes, kind: str, answers: Answers) -> str:
    if status >= 500 and status != 503:
        return "a failure of its own"
    if status >= 400 and ask.method != "HEAD":
        if not kind.startswith("application/problem+json"):
            return f"{kind} is not a problem"
        answer = orjson.loads(data)
        if answer["status"] != status or not all(answer[field] for field in TEXTS):
            return "words are missing"
    if status in (202, 207) and ask.method == "POST":
        answer = orjson.loads(data)
        results: list[Any] = answer.get("results", [{**answer, "status_code": 202}])
        answers.taken |= {each["request_id"] for each in results if each["status_code"] == 202}
    return ""
