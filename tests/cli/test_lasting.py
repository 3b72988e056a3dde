"""Does every command that may take longer than two seconds show on a terminal that it is working, even while
it makes no progress?"""

import inspect
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.cli import declare, log, main, port, up
from services.cli.bench import crowd
from services.cli.screen import Screen, progress_below
from tests.cli.test_json import COMMANDS
from tests.waiting import wait

LASTING: dict[str, tuple[Callable[..., Any], ...]] = {
    "up": (up.Up._start, up.Up._wait_until_ready),
    "provision": (main.provision,),
    "rebuild": (main.rebuild,),
    "simulate": (main.simulate,),
    "bench": (crowd.Crowd.play,),
    "topics": (main.topics,),
    "declare": (declare.lodge,),
    "port follow": (port.follow, progress_below),
    "port ask": (port.ask, progress_below),
    "port move": (port.move, progress_below),
    "port tell": (port._send,),
    "port retract": (port._send,),
    "parked replay": (main._order,),
    "parked release": (main._order,),
    "parked discard": (main._order,),
    **dict.fromkeys(("trace", "audit", "parked list", "parked show", "draws repeat"), (log.read,)),
}
"""Command → the functions of the command that may take long."""
SERVING = ("console", "projector")
"""Commands that run until they are stopped."""
QUICK = (
    *("account list", "account grants", "account add", "account change", "account password", "account authorise"),
    *("account confirm", "codes"),
    *("key list", "key add", "key rotate", "key revoke", "draws keys", "draws add-key"),
)
"""Commands that only read or write a few rows of the console's database or one file, or print code tables."""


def test_each_command_is_known_to_last_to_serve_or_to_be_quick() -> None:
    assert sorted([*LASTING, *SERVING, *QUICK]) == sorted(COMMANDS)


@pytest.mark.parametrize("name", LASTING)
def test_a_command_that_lasts_shows_how_far_it_is(name: str) -> None:
    for function in LASTING[name]:
        source = inspect.getsource(function)
        assert ".progress(" in source or "progress_below(" in source, function.__qualname__


def test_what_gets_nowhere_is_shown_after_its_time_too() -> None:
    file = io.StringIO()
    with Screen(file=file, terminal=True, width=80).progress("waiting for an answer", after=0.01):
        wait(lambda: "waiting for an answer" in file.getvalue(), "the bar to be shown")


def test_what_ends_sooner_is_never_shown() -> None:
    file = io.StringIO()
    with Screen(file=file, terminal=True, width=80).progress("quick", 3, after=60.0) as advance:
        advance(1)
    assert file.getvalue() == ""


class Closed(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(5, "Input/output error")


def test_a_terminal_that_was_closed_stops_nothing() -> None:
    with Screen(file=Closed(), terminal=True, width=80).progress("waiting", 2, after=0.0) as advance:
        advance(1)
        advance(1)


def test_nothing_is_shown_where_no_person_looks(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as file, Screen(file=file).progress("waiting", 2, after=0.0) as advance:
        advance(2)
    assert (tmp_path / "out").read_text() == ""
