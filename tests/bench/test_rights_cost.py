"""At which figures does `make rights-cost` report that a limit is exceeded? The median of the rounds counts, so one
disturbed round does not change the result."""

from pathlib import Path

from deploy.kafka.broker import Broker, free_port
from services.cli.bench.rig import cost
from tests.bench.rights_cost import compared, compiling


def test_the_median_of_the_rounds_has_a_limit() -> None:
    row, fault = compared("console", [(104.0, 100.0), (103.0, 100.0), (150.0, 100.0)], 0.10)
    assert row == ["console", "104", "100", "+4.0%", "10%", "+4.0%, +3.0%, +50.0%"] and fault == ""
    _, fault = compared("console", [(104.0, 100.0), (111.0, 100.0), (150.0, 100.0)], 0.10)
    assert fault == "console: +11.0%, more than 10%"


def test_the_compiler_threads_of_a_process_are_found_by_their_names(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "kafka", free_port(), lasting=True)
    broker.start()
    try:
        assert broker.process is not None
        found = compiling(broker.process.pid)
        assert found, "a JVM that has just started has compiler threads"
        assert 0 < sum(found.values()) < cost(broker.process.pid).cpu
    finally:
        broker.stop()
