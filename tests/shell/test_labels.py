"""Can messages of foreign programs on a parked topic create an unlimited number of metric series?"""

import orjson
import pytest

from services.shell.worker import ANNOUNCED, LONGEST, announced


def test_an_announcement_whose_kind_is_null_is_counted() -> None:
    announced({"ce_type": None}, b"{}")  # type: ignore[dict-item]
    announced({}, b"[" * 100_000)


@pytest.mark.parametrize("forged", ["service", "reason", "ce_type"])
def test_forged_announcements_share_one_series(forged: str) -> None:
    def series() -> int:
        return sum(len(family.samples) for family in ANNOUNCED.collect())

    def announce_forged(number: int) -> None:
        body = {"service": "risk", "reason": "contract"}
        kind = "MessageParked" if forged != "ce_type" else f"Forged{number}"
        announced({"ce_type": kind.encode()}, orjson.dumps(body | {forged: f"forged {number}"}))

    for number in range(60):
        announce_forged(number)
    full = series()
    for number in range(60, 160):
        announce_forged(number)
    assert series() == full


@pytest.mark.parametrize("name", ["service", "reason", "subject", "key"])
@pytest.mark.parametrize("odd", ["[" * 1000 + "]" * 1000, '"' + "x" * 1_000_000 + '"', "[]", "7", "null", '"\\u0000"'])
def test_no_word_on_a_parked_topic_fails_or_stays_whole(
    name: str, odd: str, capsys: pytest.CaptureFixture[str]
) -> None:
    announced({"ce_type": b"MessageParked"}, b'{"service":"risk","%s":%s}' % (name.encode(), odd.encode()))
    labels = [label for family in ANNOUNCED.collect() for one in family.samples for label in one.labels.values()]
    assert max(map(len, labels)) <= LONGEST and len(capsys.readouterr().out) < 2000
