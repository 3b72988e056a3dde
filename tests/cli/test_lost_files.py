"""Does a supervisor go on if one of its files is lost, or has grown for months?"""

import subprocess
from pathlib import Path

from deploy.kafka.broker import free_port
from deploy.kafka.spawn import TAIL_BYTES
from services.cli.processes import Child
from services.cli.settings import UpSettings
from services.cli.up import Up


def ended() -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(["true"])
    process.wait()
    return process


def test_a_broker_that_died_and_whose_credential_is_lost_does_not_end_the_supervisor(tmp_path: Path) -> None:
    settings = UpSettings(home=str(tmp_path), kafka_port=free_port(), kafka="")
    up = Up(settings, demo=False, speed=1, consignments=1, seed=1)
    assert up.broker is not None and up.signs_in
    up.broker.process = ended()
    other = Child("other", ["sleep", "60"], tmp_path / "other.log")
    up.others.append(other)
    other.start()
    try:
        up._watch()
        other.kill()
        up._watch()
        assert other.alive, "the others are started again"
    finally:
        other.kill()


def test_of_a_log_that_grew_for_months_the_end_is_read(tmp_path: Path) -> None:
    child = Child("child", ["true"], tmp_path / "child.log")
    assert child.tail() == ""
    with child.log.open("wb") as log:
        log.truncate(1 << 34)  # this makes a sparse file, which takes no space on the disk
        log.seek(0, 2)
        log.write("\nfirst 首\nsecond\n".encode())
    assert child.tail(2) == "first 首\nsecond"
    assert len(child.tail()) <= TAIL_BYTES
