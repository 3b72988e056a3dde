"""When does a worker answer at `/livez` that it stalls?"""

import socket
from collections.abc import Iterator

import pytest
from confluent_kafka import KafkaError, KafkaException

from deploy.kafka.broker import free_port
from services.shell.loop import Loop
from services.shell.settings import WorkerSettings
from services.shell.worker import health
from services.worker import desks
from tests.loops import finish

LONG = 1000.0


def loops_at(kafka: str) -> tuple[list[Loop], WorkerSettings]:
    """Returns two loops, of which the first has made no progress for a long time, and the settings of the worker."""
    settings = WorkerSettings(kafka=kafka)
    loops = [Loop(desk, settings) for desk in desks(["declaration", "quarantine"])]
    loops[0].liveness.progress -= LONG
    return loops, settings


@pytest.fixture
def broker() -> Iterator[str]:
    """The address of a port that accepts connections and sends nothing, as a broker does until it gets a request."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_a_loop_without_progress_stalls_while_there_is_a_broker(broker: str) -> None:
    status, stuck = finish(health(*loops_at(broker)))
    assert status == "stalled" and list(stuck) == ["declaration"] and stuck["declaration"] >= LONG


def test_without_a_broker_nobody_stalls_because_another_start_would_not_help() -> None:
    status, stuck = finish(health(*loops_at(f"127.0.0.1:{free_port()}")))
    assert status == "no broker" and list(stuck) == ["declaration"]


def test_loops_that_have_nothing_to_do_are_well(broker: str) -> None:
    loops, settings = loops_at(broker)
    loops[0].liveness.idle()
    assert finish(health(loops, settings)) == ("ok", {})
    loops[0].liveness.progress -= LONG
    loops[0].liveness.lag = 1
    loops[0].liveness.idle()
    assert finish(health(loops, settings))[0] == "stalled", "messages wait, and none is read"


def test_a_call_that_is_repeated_is_no_stall_because_the_number_of_attempts_is_limited(broker: str) -> None:
    """For example, a loop that starts repeats a call while the transaction coordinator of the cluster is still loading
    its data."""
    loops, settings = loops_at(broker)
    statuses: list[str] = []

    def call() -> None:
        statuses.append(finish(health(loops, settings))[0])
        if len(statuses) == 1:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    loops[0].calls.retrying(call, "init_transactions")
    assert statuses == ["stalled", "ok"]
