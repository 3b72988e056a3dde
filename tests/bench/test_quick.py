"""Does `dtg bench` measure on a broker of its own, and prove that nothing was lost?"""

import re
import subprocess
import sys

import pytest

from services.cli.bench.quick import proof
from services.cli.ledger import Ledger

PROGRAM = [sys.executable, "-m", "services.cli.main", "bench", "--consignments", "300", "--partitions", "4"]


def test_three_hundred_consignments_are_measured_and_proved_clean() -> None:
    done = subprocess.run(PROGRAM, capture_output=True, text=True, check=False, timeout=280)
    output = " ".join(done.stdout.split())
    assert done.returncode == 0, done.stdout + done.stderr
    counts = ", ".join(f"{name.replace('_', ' ')} 0" for name in Ledger().faults)
    assert "lost 0, doubled 0" in counts and counts in output
    assert "4 partitions, with rights at the broker; seed 7" in output
    lodged = re.search(r"(\d+) lodged: .*released \d+", output)
    # The benchmark lodges 300 declarations to warm up and 300 at full rate, and then more at half of the measured
    # rate.
    assert lodged and int(lodged[1]) > 600


@pytest.mark.parametrize("fault", Ledger().faults)
def test_each_fault_that_fails_the_benchmark_is_in_its_proof(fault: str) -> None:
    ledger = Ledger()
    clean = proof(ledger)
    getattr(ledger, fault).append("one")
    assert not ledger.clean and proof(ledger) != clean
