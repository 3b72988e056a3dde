"""Is every log record of a worker read, even if terminal output of Faust comes before it on the same line?"""

import sys
from pathlib import Path

from services.cli.processes import Child
from tests.chaos.strike import ASSIGNED, REVOKED
from tests.chaos.theatre import Log

LINES = b'| appdir | /x |\n\x1b[?25l{"event": "assigned", "partitions": [0]}\n\x1b[?25h OK ^\n{"event": "revoked"}\n{"event": "hal'


def test_an_event_behind_the_spinner_is_an_event(tmp_path: Path) -> None:
    child = Child("worker", [sys.executable, "-c", ""], tmp_path / "worker.log", {})
    from_the_start = Log(child)
    child.log.write_bytes(LINES)
    assert (
        from_the_start.logged(ASSIGNED, REVOKED)
        == [ASSIGNED, REVOKED]
        == Log(child, whole=True).logged(ASSIGNED, REVOKED)
    )
    assert Log(child).events() == []
