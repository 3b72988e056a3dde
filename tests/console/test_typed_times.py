"""Which times may be typed into a form?"""

import pytest

from services.console.api.problems import Problem
from services.console.pages.forms import moment


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("2026-11-25T08:00", "2026-11-25T08:00:00+08:00"),
        ("2026-11-25 08:00:30", "2026-11-25T08:00:30+08:00"),
        ("2026-11-25T08:00:00.500", "2026-11-25T08:00:00.500000+08:00"),
        ("2026-11-25T00:00:00Z", "2026-11-25T00:00:00+00:00"),
        ("2026-11-25T08:00-05:00", "2026-11-25T08:00:00-05:00"),
        ("", None),
    ],
)
def test_a_time_is_read_as_beijing_time_unless_it_has_an_offset(typed: str, read: str | None) -> None:
    assert moment("occurred_at", typed) == read


@pytest.mark.parametrize(
    "typed",
    [
        *("2026-11-25", "20261125T080000", "202611250080000", "20261125080000", "2026-W48-3T08:00", "2026-11-25x08:00"),
        *("2026-11-25T08", "46351.33", "1764000000", "２０２６-11-25T08:00", "2026-02-30T08:00", "noon"),
    ],
)
def test_what_could_be_read_as_another_time_is_refused(typed: str) -> None:
    with pytest.raises(Problem) as refused:
        moment("occurred_at", typed)
    assert (refused.value.status, refused.value.errors[0].pointer) == (422, "/occurred_at")
