"""Are the files that run first still there? One that was renamed would run last, beside all the others that take minutes."""

from pathlib import Path

from tests.schedule import LONG


def test_every_long_file_is_there() -> None:
    root = Path(__file__).parents[1]
    assert sorted(file for file in LONG if not (root / file).is_file()) == []
