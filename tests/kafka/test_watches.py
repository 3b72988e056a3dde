"""Does a watch hold goods in every partition, even if a worker is killed meanwhile? The test uses the real
console, workers and broker."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from deploy.kafka.broker import free_port
from schemas.declaration import LodgeDeclaration, WithdrawDeclaration
from schemas.release import ReportArrival
from services.cli.ledger import audit
from services.cli.log import read
from services.cli.processes import Child, rehearsal, worker
from services.console.readmodel.database import migrate
from services.console.settings import ConsoleSettings
from services.shell.partition import partition_of
from tests.conftest import PARTITIONS, provisioned
from tests.console.conftest import Running
from tests.declaration.good import DECLARANT, lodge
from tests.kafka.border import Border
from tests.voice import NOON
from tests.waiting import leave

DESKS = "declaration,risk,inspection,quarantine,release,gate,clearance"


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Border]:
    """Yields a border with a broker that only the workers of this module use."""
    with provisioned(tmp_path_factory.mktemp("kafka")) as broker:
        border = Border(broker.bootstrap, PARTITIONS)
        yield border
        border.close()


@pytest.fixture(scope="module")
def console(quiet: Border, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Yields a console on the broker of `quiet`."""
    url = f"sqlite:///{tmp_path_factory.mktemp('console')}/console.db"
    migrate(url)
    running = Running(
        ConsoleSettings(kafka=quiet.bootstrap, partitions=PARTITIONS, database_url=url, console_port=free_port())
    )
    running.start()
    yield running
    running.stop()


def at_work(border: Border, folder: Path) -> Child:
    """Starts and returns a worker process with all desks."""
    settings = {"DTG_KAFKA": border.bootstrap, "DTG_PARTITIONS": str(PARTITIONS), "DTG_SESSION_TIMEOUT_MS": "2000"}
    settings |= rehearsal()
    child = worker(DESKS, free_port(), folder, settings, "1")
    child.restarts = False
    child.start()
    return child


def arrived(border: Border, lodged: LodgeDeclaration) -> None:
    border.ask(lodged)
    border.ask(ReportArrival(consignment_id=lodged.key, asked_by="carrier", occurred_at=NOON, place="berth 7"))


def held_by(border: Border, key: str, hold_id: str) -> bool:
    """Returns whether the hold with this id is open, according to the release desk's last statement about the
    goods."""
    last = [e for e in border.facts(key) if e.kind in ("ConsignmentHeld", "ReleaseGranted")][-1:]
    return bool(last) and last[0].kind == "ConsignmentHeld" and hold_id in str(last[0].body)


def partitions_with(border: Border, kind: str) -> list[int]:
    """Returns the partition of each fact of this kind of the release desk."""
    return sorted([e.partition for e in read(border.bootstrap, ["customs-release-facts"]) if e.kind == kind])


def in_every_partition() -> list[LodgeDeclaration]:
    """Returns lodgements of the same goods with different references, one for each partition."""
    found: dict[int, LodgeDeclaration] = {}
    number = 0
    while len(found) < PARTITIONS:
        number += 1
        lodged = lodge(reference=f"again {number}", bill_no="bl 1")
        found.setdefault(partition_of(lodged.key.encode(), PARTITIONS), lodged)
    return [found[partition] for partition in range(PARTITIONS)]


def test_a_watched_bill_holds_its_goods_under_every_reference_and_in_every_partition(
    quiet: Border, console: Running, tmp_path: Path
) -> None:
    officer, child = console.acting_as("officer-7", roles="targeting"), at_work(quiet, tmp_path)
    try:
        early = lodge(reference="before the watch", bill_no="BL-1")
        arrived(quiet, early)
        quiet.until(early.key, "ReleaseGranted")
        console.catch_up()
        child.kill()
        answer = console.api("POST", "/watches", json={"bill_no": "Bl1", "reason": "a tip"}, headers=officer)
        assert answer.status_code == 202 and answer.json()["consignments"] == 1, answer.text
        hold_id = f"officer/watch/{answer.json()['watch_id']}"
        boxes = [container.container_no for container in early.declaration.containers]
        assert console.api("GET", f"/containers/{boxes[0]}").json()["may_leave"] is False, "no desk is at work"

        child = at_work(quiet, tmp_path)
        quiet.eventually(lambda: held_by(quiet, early.key, hold_id), child)
        quiet.eventually(lambda: partitions_with(quiet, "WatchPlaced") == list(range(PARTITIONS)), child)

        again = in_every_partition()
        for lodged in again[:2]:
            arrived(quiet, lodged)
        withdrawal = WithdrawDeclaration(
            consignment_id=again[0].key, asked_by=DECLARANT, occurred_at=NOON, reason="sold to another"
        )
        quiet.ask(withdrawal)
        child.kill()
        for lodged in again[2:]:
            arrived(quiet, lodged)
        child = at_work(quiet, tmp_path)
        for lodged in again:
            quiet.eventually(partial(held_by, quiet, lodged.key, hold_id), child)
            kinds = {e.kind for e in quiet.facts(lodged.key)}
            assert not kinds & {"ReleaseGranted", "DeclarationWithdrawn", "MessageParked"}

        console.catch_up()
        watch_id = answer.json()["watch_id"]
        lifted = console.api("POST", f"/watches/{watch_id}/lift", json={"reason": "looked at"}, headers=officer)
        assert lifted.status_code == 202 and lifted.json()["consignments"] == 1 + PARTITIONS, lifted.text
        for lodged in (early, *again[1:]):
            quiet.eventually(lambda: not held_by(quiet, lodged.key, hold_id), child)  # noqa: B023 - it is awaited at once
        quiet.until(again[0].key, "DeclarationWithdrawn")
        later = lodge(reference="after the lifting", bill_no="BL-1")
        arrived(quiet, later)
        quiet.until(later.key, "ReleaseGranted")
        ledger = audit(quiet.bootstrap)
        assert ledger.parked == 0 and ledger.lost == [] and ledger.doubled == [] and ledger.reordered == []
        assert ledger.wrongly_released == [] and ledger.forged == [] and ledger.strangers == []
    finally:
        leave(child)
