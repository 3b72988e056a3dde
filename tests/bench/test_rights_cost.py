"""At which figures does `make rights-cost` report that a limit is exceeded? The median of the rounds counts, so one
disturbed round does not change the result."""

from tests.bench.rights_cost import compared


def test_the_median_of_the_rounds_has_a_limit() -> None:
    row, fault = compared("console", [(104.0, 100.0), (103.0, 100.0), (150.0, 100.0)], 0.10)
    assert row == ["console", "104", "100", "+4.0%", "10%", "+4.0%, +3.0%, +50.0%"] and fault == ""
    _, fault = compared("console", [(104.0, 100.0), (111.0, 100.0), (150.0, 100.0)], 0.10)
    assert fault == "console: +11.0%, more than 10%"
