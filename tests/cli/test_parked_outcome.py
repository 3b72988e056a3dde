"""Is an operator told the result of an order about a parked message?"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from schemas.parking import MessageParked, ParkedDiscarded, ParkedReplayed, Parking
from services.cli.main import app
from services.cli.parked import Parked, outcome

AT = datetime(2026, 11, 25, tzinfo=UTC)
ORIGIN: dict[str, Any] = {"topic": "customs-release-requests", "partition": 0}


def parked(offset: int, key: str = "goods") -> Parked:
    return Parked("release", 1, key, "customs-release-requests", 0, offset, "contract", "", AT.isoformat(), b"{")


def fact(kind: type[Parking], **more: Any) -> Parking:
    fields = {"service": "release", "subject": "goods", "offset": 7, "occurred_at": AT, **ORIGIN, **more}
    return kind.model_validate(fields)


@pytest.mark.parametrize(
    ("parking", "text", "settled"),
    [
        (fact(ParkedReplayed, ordered_by="ops"), "dtg trace goods", True),
        (fact(ParkedDiscarded, ordered_by="ops"), "discarded", True),
        (
            fact(MessageParked, reason="contract", error="no such lane", attempt=2),
            "again 再次搁置: 内容不符合约定 the content breaks the contract: no such lane",
            False,
        ),
        (None, "is the worker of its desk running?", False),
    ],
)
def test_it_is_said_what_became_of_the_order(parking: Parking | None, text: str, settled: bool) -> None:
    sentence, done = outcome(parked(7), parking, [parked(7), parked(9, "others")])
    assert text in sentence and done is settled


def test_who_orders_what_waits_behind_another_message_is_told_which_one() -> None:
    sentence, settled = outcome(parked(9), None, [parked(3, "others"), parked(7), parked(9)])
    assert "behind release:customs-release-requests/0/7" in sentence and not settled


@pytest.mark.parametrize(
    "data", [b'{"a":', b"[]", b'\xef\xbb\xbf{"a": 1}', '{"a": "é"}'.encode("latin-1"), b"[" * 100_000]
)
@pytest.mark.parametrize("command", ["replay", "release"])
def test_a_file_that_no_desk_could_read_is_not_sent_as_a_corrected_message(
    command: str, data: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "corrected.json"
    file.write_bytes(data)
    done = CliRunner().invoke(app, ["parked", command, "release:x/0/7", "--actor", "ops", "--value", str(file)])
    assert done.exit_code == 1 and "Not ordered" in done.output and "未下达" in done.output, done.output
