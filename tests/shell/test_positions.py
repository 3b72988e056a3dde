"""From which offset does a desk continue to read a partition, and when does the desk refuse to continue?"""

from dataclasses import replace

import pytest

from services.shell.layout import CannotContinue
from services.shell.positions import (
    BEGINNING,
    IN_STATE_TOPIC,
    GroupOffset,
    ReadPositions,
    StoredPositions,
    decode,
    encode,
    resume,
)
from services.shell.store import PartitionStore, decode_record

INPUTS = ("customs-risk-facts", "customs-release-requests")
RISK, REQUESTS = INPUTS
IDS = {RISK: "a", REQUESTS: "b"}
NAMES = {"risk": RISK, "requests": REQUESTS}


def never(topic: str) -> int:
    raise AssertionError(f"the end of {topic} was asked for")


def found(
    stored: dict[str, int] | None = None, first: int = 0, records: int = 0, cut: int = 0, **noted: GroupOffset
) -> StoredPositions:
    record = None if stored is None else ReadPositions(positions=stored, cut=cut)
    return StoredPositions(3, {NAMES[name]: each for name, each in noted.items()}, record, first, records)


def test_a_desk_that_never_read_begins_at_the_first_message() -> None:
    assert resume("release", INPUTS, found(), False, never, IDS) == {RISK: BEGINNING, REQUESTS: BEGINNING}


def test_a_topic_that_the_catalogue_gives_from_its_end_begins_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.shell.positions.BEGINS_AT_THE_END", frozenset([REQUESTS]))
    stored = found({RISK: 7}, records=1)
    assert resume("release", INPUTS, stored, False, lambda topic: {REQUESTS: 11}[topic], IDS) == {RISK: 7, REQUESTS: 11}


def test_what_an_earlier_release_kept_in_place_of_an_end_is_no_position(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.shell.positions.BEGINS_AT_THE_END", frozenset([REQUESTS]))
    assert resume("release", INPUTS, found({RISK: 7, REQUESTS: -1}), False, lambda _: 11, IDS) == {
        RISK: 7,
        REQUESTS: 11,
    }
    assert resume("release", [RISK], found({RISK: BEGINNING}), False, never, IDS) == {RISK: BEGINNING}


def test_the_further_of_both_positions_counts() -> None:
    both = found({RISK: 7, REQUESTS: 9}, risk=GroupOffset(8, IN_STATE_TOPIC), requests=GroupOffset(5, IN_STATE_TOPIC))
    assert resume("release", INPUTS, both, False, never, IDS) == {RISK: 8, REQUESTS: 9}


def test_what_the_group_has_forgotten_stands_in_the_state_topic() -> None:
    assert resume("release", INPUTS, found({RISK: 7, REQUESTS: 9}, records=5), False, never, IDS) == {
        RISK: 7,
        REQUESTS: 9,
    }


def test_states_of_the_software_version_before_go_on_from_the_positions_of_the_group() -> None:
    former = found(records=5, risk=GroupOffset(8), requests=GroupOffset(2))
    assert resume("release", INPUTS, former, False, never, IDS) == {RISK: 8, REQUESTS: 2}


def test_an_input_that_is_new_to_the_desk_begins_at_its_first_message() -> None:
    assert (
        resume("release", INPUTS, found({RISK: 7}, records=5, risk=GroupOffset(7, IN_STATE_TOPIC)), False, never, IDS)[
            REQUESTS
        ]
        == BEGINNING
    )


@pytest.mark.parametrize(
    ("lost", "why"),
    [
        (found({RISK: 7}, first=12, records=5), "begins at offset 12"),
        (found(first=12, records=5, risk=GroupOffset(7)), "begins at offset 12"),
        (found(risk=GroupOffset(7, IN_STATE_TOPIC)), "has no records"),
        (found(records=5), "no read positions are known"),
    ],
)
def test_what_is_lost_is_not_decided_from_nothing(lost: StoredPositions, why: str) -> None:
    with pytest.raises(CannotContinue, match=why):
        resume("release", INPUTS, lost, False, never, IDS)


@pytest.mark.parametrize(
    "noted", [{}, {"risk": GroupOffset(7, IN_STATE_TOPIC)}, {"risk": GroupOffset(7), "requests": GroupOffset(9)}]
)
@pytest.mark.parametrize(
    "data", [b"garbage", b"[" * 100_000, b'{"positions":{"\xff":1}}', b'{"positions":{"a":1e999}}']
)
def test_read_positions_that_cannot_be_read_are_not_taken_for_none(noted: dict[str, GroupOffset], data: bytes) -> None:
    store = PartitionStore()
    store.take_positions(data)
    assert store.stored is None and store.unreadable
    spoilt = replace(found(), noted={NAMES[name]: each for name, each in noted.items()}, unreadable=store.unreadable)
    with pytest.raises(CannotContinue, match=r"cannot be read.*docs/runbooks/WorkerDown\.md"):
        resume("release", INPUTS, spoilt, False, never, IDS)


@pytest.mark.parametrize(
    ("ids", "why"), [({RISK: "another", REQUESTS: "b"}, "was made anew"), ({REQUESTS: "b"}, "not there")]
)
def test_a_topic_made_anew_is_not_read_from_where_the_former_one_was_left(ids: dict[str, str], why: str) -> None:
    known = replace(found(records=5), stored=ReadPositions(positions={RISK: 7, REQUESTS: 9}, ids=IDS))
    with pytest.raises(CannotContinue, match=f"{RISK} .*{why}"):
        resume("release", INPUTS, known, False, never, ids)
    assert resume("release", INPUTS, known, True, never, ids) == {RISK: BEGINNING, REQUESTS: 9}


def test_an_operator_can_agree_that_the_positions_of_the_group_count_in_place_of_unreadable_ones() -> None:
    spoilt = replace(found(records=5, risk=GroupOffset(3), requests=GroupOffset(4)), unreadable="garbage")
    assert resume("release", INPUTS, spoilt, True, never, IDS) == {RISK: 3, REQUESTS: 4}
    with pytest.raises(CannotContinue, match="read positions are known"):
        resume("release", INPUTS, replace(found(), unreadable="garbage"), True, never, IDS)


def test_an_operator_can_agree_to_a_cut_and_then_the_positions_of_the_group_count() -> None:
    cut = found({RISK: 7, REQUESTS: 9}, first=12, risk=GroupOffset(3), requests=GroupOffset(4))
    assert resume("release", INPUTS, cut, True, never, IDS) == {RISK: 3, REQUESTS: 4}
    assert resume("release", INPUTS, found({RISK: 7, REQUESTS: 9}, first=12, cut=12), False, never, IDS) == {
        RISK: 7,
        REQUESTS: 9,
    }


def test_records_without_any_position_are_refused_whoever_agrees() -> None:
    with pytest.raises(CannotContinue):
        resume("release", INPUTS, found(records=5), True, never, IDS)


def test_a_release_that_does_not_know_the_record_of_positions_reads_it_as_a_record_that_waits_for_nothing() -> None:
    data = encode({RISK: 7}, 4, IDS)
    assert decode(data) == ReadPositions(positions={RISK: 7}, cut=4, ids=IDS)
    assert data.startswith(b'{"due":null,')
    assert decode_record(data).due is None
