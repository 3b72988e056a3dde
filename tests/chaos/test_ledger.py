"""Is nothing lost, doubled, reordered or wrongly released in a short season with every kind of fault? `make chaos` runs
a long season."""

import subprocess
import sys

import pytest

from tests.chaos.faults import KINDS

CONSIGNMENTS, SECONDS = 1400, 70


@pytest.mark.alone
# A busy machine may need so long. Each wait in the test has a shorter limit of its own.
@pytest.mark.timeout(1200)
def test_fourteen_hundred_consignments_come_through_every_kind_of_fault() -> None:
    arguments = ["--consignments", CONSIGNMENTS, "--faults", len(KINDS), "--seconds", SECONDS]
    command = [sys.executable, "-m", "tests.chaos", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-6000:] + done.stdout[-6000:]
    rows = {line.split(" | ")[0].strip("| *"): line for line in done.stdout.splitlines() if line.startswith("| ")}
    for promise in ("lost", "doubled", "reordered", "released with an open hold", "left by mistake", "kept by mistake"):
        assert rows[promise].endswith("| 0 |")
    assert not rows["copies for ports"].endswith("| 0 |")
    assert "came back and left" in rows["visits of containers, as the simulator knows them"]
    struck = {kind: int(rows[kind].split(" | ")[1]) for kind in KINDS}
    assert all(struck.values()), struck
