"""Does a supervisor remove only members of ended processes from a consumer group?"""

from typing import Any

import pytest

from services.cli import membership
from services.cli.membership import Hosted, Leaver, Member, stale
from tests.waiting import wait

LIVING = Hosted(("release", "gate"), "0", 41, "http://127.0.0.1:1")
DEAD = Hosted(("risk",), "0", None, "http://127.0.0.1:2")


def member(desk: str, pid: int, slot: str = "0", id: str = "a") -> Member:
    return Member(f"customs-{desk}", f"customs-{desk}-{slot}-{pid}-{id}", f"customs-{desk}-{slot}-{pid}")


def named(worker: Hosted) -> dict[str, str]:
    return {"customs-release": member("release", 41).member_id, "customs-gate": ""} if worker is LIVING else {}


def test_a_member_whose_process_is_gone_is_dead() -> None:
    members = [member("release", 40), member("release", 41), member("risk", 7)]
    assert stale(members, [LIVING, DEAD], named) == ([members[0], members[2]], [])


def test_members_of_other_slots_and_of_other_supervisors_stay() -> None:
    members = [member("release", 40, slot="01"), member("release", 40, slot="1"), member("declaration", 40)]
    members += [member("release", 40, slot="0-b")]
    assert stale(members, [LIVING, DEAD], named) == ([], [])


def test_a_living_worker_that_names_another_id_has_left_the_former_one_behind() -> None:
    former = member("release", 41, id="former")
    assert stale([former, member("release", 41)], [LIVING], named) == ([], [former])


def test_a_living_worker_that_names_none_or_does_not_answer_keeps_what_it_has() -> None:
    members = [member("gate", 41, id="any"), member("release", 41, id="former")]
    assert stale(members[:1], [LIVING], named) == ([], [])
    assert stale(members, [LIVING], lambda worker: {}) == ([], [])


class Failing:
    """A client whose broker is down: every call of it fails, even `close`."""

    made = 0

    def __init__(self, **how: Any) -> None:
        type(self).made += 1

    def describe_groups(self, groups: list[str]) -> dict[str, Any]:
        raise LookupError("half an answer")

    def close(self) -> None:
        raise RuntimeError("the selector is closed already")


def test_a_client_that_fails_even_while_it_closes_is_told_of_and_groups_are_looked_after_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once the thread ended without a message, and after every later kill of a worker the others waited for its
    session."""
    monkeypatch.setattr(membership, "KafkaAdminClient", Failing)
    told: list[str] = []
    leaver = Leaver("127.0.0.1:1", lambda: [DEAD], told.append)
    try:
        leaver.look()
        wait(lambda: Failing.made >= 3, "the groups to be looked after again")
    finally:
        leaver.stop()
    assert any("the selector is closed already" in line for line in told) and any(
        "half an answer" in line for line in told
    )
