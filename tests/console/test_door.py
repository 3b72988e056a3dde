"""Does every client get its answer, however large or odd the requests of another client are?"""

import asyncio
import json
import os
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from anyio import to_thread
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.declaration import MOST_LINES
from services.console.api.bodies import bounded, declarations_of, strict_json
from services.console.api.problems import SHOWN_ERRORS, Problem
from tests.console.conftest import Running
from tests.console.test_api import JSON, problem
from tests.hostile.bodies import BATCH_SEPARATORS, SEPARATORS, keys, paper, worst
from tests.people import LINE
from tests.waiting import wait

GATE = "/containers/CSQU3054383"


def post(console: Running, path: str, body: bytes) -> Any:
    return console.api("POST", path, content=body, headers=JSON)


# bodies


def test_keys_are_counted_before_they_are_read_and_compared_in_linear_time(console: Running) -> None:
    problem(post(console, "/declarations", keys(60_000, "k0")), 413, "too_many_parts")
    problem(post(console, "/declarations", keys(12_000, "k0")), 400, "duplicate_key")
    with pytest.raises(Problem, match="duplicate_key"):
        strict_json(keys(200_000, "k199990"), 10**6)
    half = b'{"\\ud800":1,"\\ud800":2}'
    problem(post(console, "/declarations", half), 400, "duplicate_key")


def test_signs_in_texts_are_not_separators(console: Running) -> None:
    items = paper()["items"]
    written = {
        "description": ",:{[" * 63,
        "form": dict.fromkeys(("model", "brand", "specification", "produced"), ",:{[" * 63),
    }
    described = [{**items[0], **written}] * MOST_LINES
    body = json.dumps(paper("DOOR-1", items=described)).encode()
    assert len(body) - len(body.translate(None, b",:{[")) > SEPARATORS
    assert post(console, "/declarations", body).status_code == 202


def test_a_large_batch_with_one_bad_character_is_told_its_place_and_not_a_count(console: Running) -> None:
    goods = {**paper()["items"][0], "description": ",:{[" * 63}
    one = json.dumps(paper("DOOR-2", items=[goods] * MOST_LINES)).encode()
    count = 2 * BATCH_SEPARATORS // (one.count(b",:{[") * 4) + 1
    broken = b"[" + one.replace(b'"', b'""', 1) + b"," + b",".join([one] * count) + b"]"
    at = broken.index(b'""') + len(b'""')
    details = problem(post(console, "/declarations/batch", broken), 400, "not_json")
    assert f"line 1 column {at + 1} " in details["detail"], details
    assert f"第 1 行第 {at + 1} 列" in details["detail_zh"], details


@settings(max_examples=50, deadline=None)
@given(text=st.text(',:{["\\\\x\n', max_size=40), times=st.sampled_from([1, 300]), cut=st.booleans())
def test_separators_are_counted_outside_texts_of_any_length(text: str, times: int, cut: bool) -> None:
    body = json.dumps({"a": text * times, text: ["b", ","]}).encode()
    bounded(body, 6)
    with pytest.raises(Problem, match="too_many_parts"):
        bounded(body, 5)
    if cut:
        bounded(body[: body.index(b":") + 2 + len(text)], 6)


def test_a_list_that_is_too_long_is_one_fault_however_long_and_its_rest_is_not_looked_at(console: Running) -> None:
    goods = paper()["items"][0]
    long = paper(items=[goods] * MOST_LINES + [{}] * 5000, consignee=paper()["declarant"])
    details = problem(post(console, "/declarations", json.dumps(long).encode()), 422, "invalid")
    assert [(fault["pointer"], fault["code"]) for fault in details["errors"]] == [("/items", "too_long")]
    empty = problem(post(console, "/declarations", json.dumps(paper(items=[{}] * 5000)).encode()), 422, "invalid")
    assert (empty["errors"][0]["pointer"], len(empty["errors"])) == ("/items", SHOWN_ERRORS)
    assert not [each for each in empty["errors"] if f"/items/{MOST_LINES}" in each["pointer"]]
    answer = post(console, "/declarations/batch", json.dumps([paper("DOOR-4"), long]).encode())
    good, bad = answer.json()["results"]
    assert (good["status_code"], bad["status_code"], bad["faults"]) == (202, 422, 1)
    assert bad["errors"][0]["pointer"] == "/declarations/1/items"


def test_faults_are_counted_and_a_part_of_them_is_shown(console: Running) -> None:
    details = problem(post(console, "/declarations", keys(9_000)), 422, "invalid")
    assert len(details["errors"]) == SHOWN_ERRORS and "9008" in details["detail"]
    details = problem(post(console, "/declarations", keys(12_000)), 422, "invalid")
    assert details["errors"] == [] and "12008" in details["detail"]
    answer = post(console, "/declarations/batch", b"[" + b",".join([keys(150)] * 900) + b"]")
    assert answer.status_code == 207 and len(answer.content) < 1_000_000
    results = answer.json()["results"]
    assert {one["faults"] for one in results} == {158}
    assert sum(len(one["errors"]) for one in results) == 1000
    long = problem(post(console, "/declarations", b'{"%s":1}' % (b"k" * 1_000_000)), 422, "invalid")
    assert all(len(fault["pointer"]) <= 200 for fault in long["errors"])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c)
)


@settings(max_examples=50, deadline=None)
@given(items=st.lists(json_values), pad=st.text(" \t\r\n", max_size=3), bare=st.booleans())
def test_the_parts_of_a_batch_are_what_a_parser_makes_of_it(items: list[Any], pad: str, bare: bool) -> None:
    text = json.dumps(items) if bare else f'{{{pad}"declarations"{pad}:{pad}{json.dumps(items)}{pad}}}'
    parts = declarations_of(f"{pad}{text}{pad}".encode(), 10**6)
    assert parts is not None and [json.loads(part) for part in parts] == items


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"declarations":[],"declarations":[]}', 400, "duplicate_key"),
        (b'{"declarations":[{"a":1,"a":2}]}', 400, "duplicate_key"),
        (b'{"declarations":[],"more":1}', 422, "invalid"),
        (b'{"declarations":[]', 400, "not_json"),
        (b'{"declarations":[]}}', 400, "not_json"),
        (b'{"declarations":[1 2]}', 400, "not_json"),
        (b'{"declarations":[{]}', 400, "not_json"),
        (b"[]]", 400, "not_json"),
        (b"[1,2", 400, "not_json"),
        (b"", 400, "not_json"),
        (b'{"\\u0064eclarations":[]}', 400, "not_json"),
        (b'["\\ud800"]', 400, "not_json"),
        (b'{"declarations":{}}', 422, "invalid"),
        (b"7", 422, "invalid"),
        (b"[" * 100_000, 413, "too_many_parts"),
        (b'{"declarations":' + b"[" * 20_000, 400, "not_json"),
    ],
)
def test_a_batch_that_is_no_list_of_declarations_is_refused(
    console: Running, body: bytes, status: int, code: str
) -> None:
    problem(post(console, "/declarations/batch", body), status, code)


@contextmanager
def half_sent(console: Running, size: int, source: str = "127.0.0.1") -> Iterator[socket.socket]:
    """A connection from this address on which all bytes of a declaration but one have been sent."""
    head = f"POST /api/v1/declarations HTTP/1.1\r\nHost: 127.0.0.1:{console.settings.console_port}\r\n"
    head += f"{LINE}\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", console.settings.console_port), 30, (source, 0)) as line:
        line.sendall(head.encode() + b" " * (size - 1))
        yield line


def test_one_address_holds_a_share_of_the_places_for_large_bodies(console: Running) -> None:
    large, share = json.dumps(paper("DOOR-1")).encode() + b" " * 200_000, console.settings.client_large_bodies
    office = console.app.state.context
    with ExitStack() as stack:
        lines = [stack.enter_context(half_sent(console, 300_000)) for _ in range(share)]
        wait(lambda: office.intake.free == office.settings.large_bodies - share, "the places to be taken")
        answer = post(console, "/declarations", large)
        problem(answer, 429, "client_bodies_busy")
        assert answer.headers["retry-after"] == "1"
        with half_sent(console, 300_000, "127.0.0.2") as line:  # another address has its own share
            line.sendall(b" ")
            assert b" 400 " in line.recv(4096)
        for line in lines:
            line.sendall(b" ")
            assert b" 400 " in line.recv(4096)
    assert post(console, "/declarations", large).status_code == 202


def test_a_few_large_bodies_are_held_at_once_and_the_next_is_told_to_come_again(console: Running) -> None:
    large, small = json.dumps(paper("DOOR-2")).encode() + b" " * 200_000, json.dumps(paper("DOOR-3")).encode()
    with ExitStack() as stack:
        sources = [f"127.0.0.{2 + number}" for number in range(console.settings.large_bodies)]
        lines = [stack.enter_context(half_sent(console, 300_000, source)) for source in sources]
        wait(lambda: console.app.state.context.intake.free == 0, "the places to be taken")
        answer = post(console, "/declarations", large)
        problem(answer, 503, "bodies_busy")
        assert answer.headers["retry-after"] == "1"
        assert post(console, "/declarations", small).status_code == 202
        assert console.api("GET", GATE).status_code == 200
        for line in lines:
            line.sendall(b" ")
            assert b" 400 " in line.recv(4096)
    assert post(console, "/declarations", large).status_code == 202


def parsers() -> set[int]:
    """The ids of the processes in which consoles of this process parse large bodies."""
    children = {int(pid) for file in Path("/proc/self/task").glob("*/children") for pid in file.read_text().split()}
    return {pid for pid in children if b"anyio.to_process" in Path(f"/proc/{pid}/cmdline").read_bytes()}


def test_when_the_parser_of_a_large_body_ends_its_sender_is_told_and_the_next_one_is_parsed(console: Running) -> None:
    large = json.dumps(paper("DOOR-4")).encode() + b" " * 200_000
    assert post(console, "/declarations", b" " * 200_000).status_code == 400
    before = parsers()
    intake = console.app.state.context.intake
    with ThreadPoolExecutor(1) as pool:
        for pid in before:
            os.kill(pid, signal.SIGSTOP)
        sent = pool.submit(post, console, "/declarations", large)
        wait(lambda: intake._parser.borrowed_tokens == 1, "the body to be handed over")
        assert post(console, "/declarations", json.dumps(paper("DOOR-5")).encode()).status_code == 202
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        problem(sent.result(), 503, "parser_ended")
    assert post(console, "/declarations", large).status_code == 202
    assert not before & parsers()


OF_THE_WORST = {
    "a duplicate key among 60,000": 413,
    "a duplicate key among as many as allowed": 400,
    "unknown keys": 422,
    "lines full of codes that are in no table": 422,
    "a batch of lines full of codes that are in no table": 207,
    "empty lines of goods": 422,
    "numbers for lines of goods": 422,
    "a whole number of two million digits": 400,
    "a mass of two million digits": 400,
    "a mass as text of two million digits": 422,
    "a text of two million signs": 422,
    "strings full of separators": 422,
    "many short strings": 400,
    "blanks": 202,
    "nested": 400,
    "as many lines of goods as there may be": 202,
    "a batch of good ones": 202,
    "a batch of large ones": 202,
    "a batch of unknown keys": 207,
    "a batch of few with many unknown keys": 207,
    "a batch of empty lines of goods": 207,
    "a batch of nothing": 422,
    "a batch of one long text": 207,
    "a batch of half escapes": 207,
    "more than a batch": 413,
}
"""Body → the status of its answer: each body is read as far as necessary, and not refused earlier for another
reason."""


def test_the_gate_answers_every_question_while_the_worst_bodies_come(console: Running) -> None:
    with ThreadPoolExecutor(2) as pool:
        bodies = worst()
        sent = pool.submit(
            lambda: {name: post(console, path, body).status_code for name, (path, body) in bodies.items()}
        )
        gate = Counter[int]()
        while not sent.done() or gate.total() < 20:
            gate[console.api("GET", GATE).status_code] += 1
        assert set(gate) == {200}
        assert sent.result() == OF_THE_WORST


def test_the_gate_waits_for_no_page_that_takes_long(console: Running) -> None:
    context = console.app.state.context
    release = asyncio.Event()

    async def take_all_threads() -> None:
        limiter = to_thread.current_default_thread_limiter()
        for number in range(int(limiter.total_tokens)):
            await limiter.acquire_on_behalf_of(number)
        taken.set()
        await release.wait()
        for number in range(int(limiter.total_tokens)):
            limiter.release_on_behalf_of(number)

    # after this line the console must read the owner of the key from the database again
    console.app.state.authenticator._valid.clear()
    with ExitStack() as stack:
        for _ in range(15):
            stack.enter_context(context.rows._engine.connect())
        taken = Event()
        loop = context.bell._loop
        held = asyncio.run_coroutine_threadsafe(take_all_threads(), loop)
        assert taken.wait(30)
        try:
            assert [console.api("GET", GATE).status_code for _ in range(5)] == [200] * 5
        finally:
            loop.call_soon_threadsafe(release.set)
            held.result(30)
