"""Is it a fault if the console does not answer in time, accepts a wrong body, or was never asked?"""

import http.client
import socket
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.hostile import fuzz
from tests.hostile.asks import Ask
from tests.hostile.bodies import BATCH_BYTES, worst
from tests.hostile.console import Answers, put

LARGE = b"x" * (BATCH_BYTES + 1)


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a console that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        yield mute.getsockname()[1]


def usual() -> fuzz.Answers:
    """An allowed answer to everything that is sent."""
    return Counter({(fuzz.QUESTION, 200): 1} | {(name, 202 if name in fuzz.RIGHT else 422): 1 for name in worst()})


@pytest.mark.parametrize("body", [None, LARGE])
def test_an_answer_that_does_not_come_in_time_is_a_fault_of_the_fuzz_however_large_the_body(
    body: bytes | None, port: int
) -> None:
    code = fuzz.status(port, "POST", "/", body, 0.2)
    assert code == fuzz.TIMED_OUT
    name = "more than a batch"
    assert fuzz.faults(usual() + Counter({(name, code): 2})) == [f"{name}: no answer in time, 2 times"]


@pytest.mark.parametrize("body", [b"", LARGE])
def test_an_answer_that_does_not_come_in_time_is_a_fault_of_the_flood(body: bytes, port: int) -> None:
    answers, line = Answers(), http.client.HTTPConnection("127.0.0.1", port, timeout=0.2)
    put(line, "large", Ask("POST", "/", body, {}), answers)
    assert [fault.startswith("large: POST /: TimeoutError") for fault in answers.faults] == [True]
    assert answers.outcomes == Counter({("large", "late"): 1})


def test_a_wrong_body_that_is_accepted_is_a_fault_and_a_right_one_is_none() -> None:
    assert set(worst()) > fuzz.RIGHT and fuzz.faults(usual()) == []
    assert fuzz.faults(usual() + Counter({("nested", 202): 3})) == ["nested: 202, 3 times"]


@pytest.mark.parametrize("name", [fuzz.QUESTION, "nested"])
def test_what_was_never_sent_is_a_fault(name: str) -> None:
    some = Counter({key: count for key, count in usual().items() if key[0] != name})
    assert fuzz.faults(some) == [f"{name}: never sent"]
