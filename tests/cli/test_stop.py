"""Does everything end when it is asked to, whatever it does at that moment? The long form: `make stops`."""

from pathlib import Path

import pytest

from tests.cli.stops import Stop, plan, small, up

WHILE_IT_STARTS = plan(seed=7, count=5, longest=7.0)


@pytest.mark.parametrize("stop", plan(seed=11, count=12, longest=0.3), ids=str)
def test_a_supervisor_ends_when_asked_and_leaves_no_child(stop: Stop, tmp_path: Path) -> None:
    assert small(tmp_path, stop) == ""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Kept from stop to stop: each start finds what the former one left."""
    return tmp_path_factory.mktemp("up") / "home"


@pytest.mark.parametrize("stop", WHILE_IT_STARTS, ids=str)
def test_dtg_up_ends_when_asked_also_while_it_starts(stop: Stop, home: Path) -> None:
    assert up(home, stop, "clearance") == ""
