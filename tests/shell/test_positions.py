"""From where does a partition go on, and when does it refuse to?"""

import pytest

from services.shell.layout import Refused
from services.shell.positions import BEGINNING, END, MARK, Found, Noted, ReadPositions, decode, encode, resume
from services.shell.store import decode_record

INPUTS = ("customs-risk-facts", "customs-release-requests")
RISK, REQUESTS = INPUTS


def found(
    stored: dict[str, int] | None = None, first: int = 0, records: int = 0, cut: int = 0, **noted: Noted
) -> Found:
    names = {"risk": RISK, "requests": REQUESTS}
    record = None if stored is None else ReadPositions(positions=stored, cut=cut)
    return Found(3, {names[name]: each for name, each in noted.items()}, record, first, records)


def test_a_desk_that_never_read_begins_at_the_first_message() -> None:
    assert resume("release", INPUTS, found(), False) == {RISK: BEGINNING, REQUESTS: BEGINNING}


def test_a_topic_that_the_catalogue_gives_from_its_end_begins_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.shell.positions.BEGINS_AT_THE_END", frozenset([REQUESTS]))
    stored = found({RISK: 7}, records=1)
    assert resume("release", INPUTS, stored, False) == {RISK: 7, REQUESTS: END}


def test_the_further_of_both_positions_counts() -> None:
    both = found({RISK: 7, REQUESTS: 9}, risk=Noted(8, MARK), requests=Noted(5, MARK))
    assert resume("release", INPUTS, both, False) == {RISK: 8, REQUESTS: 9}


def test_what_the_group_has_forgotten_stands_in_the_state_topic() -> None:
    assert resume("release", INPUTS, found({RISK: 7, REQUESTS: 9}, records=5), False) == {RISK: 7, REQUESTS: 9}


def test_states_of_the_release_before_go_on_from_the_positions_of_the_group() -> None:
    former = found(records=5, risk=Noted(8), requests=Noted(2))
    assert resume("release", INPUTS, former, False) == {RISK: 8, REQUESTS: 2}


def test_an_input_that_is_new_to_the_desk_begins_at_its_first_message() -> None:
    assert resume("release", INPUTS, found({RISK: 7}, records=5, risk=Noted(7, MARK)), False)[REQUESTS] == BEGINNING


@pytest.mark.parametrize(
    ("lost", "why"),
    [
        (found({RISK: 7}, first=12, records=5), "begins at offset 12"),
        (found(first=12, records=5, risk=Noted(7)), "begins at offset 12"),
        (found(risk=Noted(7, MARK)), "has no records"),
        (found(records=5), "no read positions are known"),
    ],
)
def test_what_is_lost_is_not_decided_from_nothing(lost: Found, why: str) -> None:
    with pytest.raises(Refused, match=why):
        resume("release", INPUTS, lost, False)


def test_an_operator_can_agree_to_a_cut_and_then_the_positions_of_the_group_count() -> None:
    cut = found({RISK: 7, REQUESTS: 9}, first=12, risk=Noted(3), requests=Noted(4))
    assert resume("release", INPUTS, cut, True) == {RISK: 3, REQUESTS: 4}
    assert resume("release", INPUTS, found({RISK: 7, REQUESTS: 9}, first=12, cut=12), False) == {RISK: 7, REQUESTS: 9}


def test_records_without_any_position_are_refused_whoever_agrees() -> None:
    with pytest.raises(Refused):
        resume("release", INPUTS, found(records=5), True)


def test_a_release_that_does_not_know_the_record_of_positions_reads_it_as_a_record_that_waits_for_nothing() -> None:
    data = encode({RISK: 7}, 4)
    assert decode(data) == ReadPositions(positions={RISK: 7}, cut=4)
    assert data.startswith(b'{"due":null,')
    assert decode_record(data).due is None
