"""Does what strangers write on a parked topic make no series without end?"""

import orjson
import pytest

from services.shell.worker import ANNOUNCED, announced


def test_an_announcement_whose_kind_is_null_is_counted() -> None:
    announced({"ce_type": None}, b"{}")  # type: ignore[dict-item]
    announced({}, b"[" * 100_000)


@pytest.mark.parametrize("forged", ["service", "reason", "ce_type"])
def test_forged_announcements_share_one_series(forged: str) -> None:
    def series() -> int:
        return sum(len(family.samples) for family in ANNOUNCED.collect())

    def heard(number: int) -> None:
        body = {"service": "risk", "reason": "contract"}
        kind = "MessageParked" if forged != "ce_type" else f"Forged{number}"
        announced({"ce_type": kind.encode()}, orjson.dumps(body | {forged: f"forged {number}"}))

    for number in range(60):
        heard(number)
    full = series()
    for number in range(60, 160):
        heard(number)
    assert series() == full
