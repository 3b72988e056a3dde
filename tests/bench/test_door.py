"""Does `make gate-latency` fail if a limit is exceeded, or if a gate question was answered with another
status than 200, and does it count every release that the streams send?"""

import socket
import struct
from collections import Counter
from threading import Event, Thread

import pytest

from tests.bench.door import Figures, Followers, stopping
from tests.waiting import wait

FAST = [1.0] * 98


def test_a_limit_is_of_a_share_of_the_answers() -> None:
    of_all, of_most = Figures("", "", 1, 50), Figures("", "", 0.99, 50)
    for figures in (of_all, of_most):
        figures.add("one slow", [*FAST, 50.0, 51.0], Counter({200: 100}), "")
        figures.add("two slow", [*FAST, 60.0, 61.0], Counter({200: 100}), "")
    assert of_all.faults == [
        "one slow: the longest 51.0 ms, more than 50",
        "two slow: the longest 61.0 ms, more than 50",
    ]
    assert of_most.faults == ["two slow: p99 60.0 ms, more than 50"]
    assert "| two slow | 100 | 1.0 | 1.0 | 60.0 | 61.0 | 200 × 100 |" in of_most.markdown()


def test_a_load_without_a_limit_still_needs_its_answers() -> None:
    figures = Figures("", "", 1, 50)
    figures.add("at once", [*FAST, 99.0], Counter({200: 99}), "", limited=False)
    assert figures.faults == []
    figures.add("refused", FAST, Counter({200: 96, 503: 1, 0: 1}), "", limited=False)
    assert figures.faults == ["refused: questions at the gate were answered none × 1, 200 × 96, 503 × 1"]


def test_a_stream_that_the_console_resets_is_closed_and_the_others_are_read_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as console:
        console.settimeout(10)
        streams: list[socket.socket] = []

        def accept() -> None:
            for _ in range(2):
                stream, _ = console.accept()
                stream.recv(65_536)
                stream.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                streams.append(stream)

        accepting = Thread(target=accept)
        accepting.start()
        followers = Followers(console.getsockname()[1], 2)
        accepting.join()
        reset, other = streams
        try:
            # with this option, closing a connection resets it
            reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            reset.close()
            wait(lambda: followers.closed == 1, "the reset stream")
            other.sendall(b"event: release\n")
            wait(lambda: followers.events == 1, "a release on the other stream")
        finally:
            other.close()
            followers.close()


def test_threads_beside_streams_end_if_the_questions_fail() -> None:
    ended = Event()
    working = Thread(target=ended.wait)

    def fail() -> None:
        with stopping(ended, working):
            assert working.is_alive()
            raise OSError("no console")

    with pytest.raises(OSError, match="no console"):
        fail()
    assert not working.is_alive()


def test_a_release_whose_line_is_divided_is_counted_and_a_closed_stream_is_noticed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as console:
        console.settimeout(10)
        port = console.getsockname()[1]
        ready: list[socket.socket] = []

        def accept() -> None:
            stream, _ = console.accept()
            stream.recv(65_536)
            stream.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            ready.append(stream)

        accepting = Thread(target=accept)
        accepting.start()
        followers = Followers(port, 1)
        accepting.join()
        (stream,) = ready
        try:
            stream.sendall(b"event: release\nid: 1\n\nevent: rel")
            wait(lambda: followers.events == 1, "the first release")
            stream.sendall(b"ease\nid: 2\n\n")
            wait(lambda: followers.events == 2, "the divided release")
            assert followers.closed == 0
            stream.close()
            wait(lambda: followers.closed == 1, "the end of the stream")
        finally:
            stream.close()
            followers.close()
