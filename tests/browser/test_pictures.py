"""Does the program that takes the pictures wait while the console has no board?"""

from datetime import UTC, datetime

import httpx2
import pytest

from tests.browser.pictures import clock_of

NOW = "2026-11-23T06:00:00+00:00"


@pytest.mark.parametrize(
    ("answer", "clock"),
    [
        (httpx2.Response(200, json={"now": NOW}), datetime(2026, 11, 23, 6, tzinfo=UTC)),
        (httpx2.Response(503, json={"status": 503, "title": "not ready"}), None),
        (httpx2.Response(502, text="no JSON"), None),
    ],
)
def test_a_problem_of_the_console_is_no_clock(answer: httpx2.Response, clock: datetime | None) -> None:
    assert clock_of(answer) == clock
