"""Does a supervisor remove only members of ended processes from a consumer group?"""

from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any

import pytest
from kafka.admin import MemberToRemove
from kafka.errors import GroupAuthorizationFailedError, KafkaError, NoError, UnknownMemberIdError

from services.cli import membership
from services.cli.membership import Hosted, Leaver, Member, member_ids, stale
from services.cli.up import answers
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
    """A client whose broker is down. Each of its methods raises an exception, even `close`."""

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
    """In an older version, the thread that removes members ended without a message. When a worker was killed later, the
    other workers had to wait until the session of the killed worker ended."""
    monkeypatch.setattr(membership, "KafkaAdminClient", Failing)
    reports: list[str] = []
    leaver = Leaver("127.0.0.1:1", lambda: [DEAD], reports.append)
    try:
        leaver.look()
        wait(lambda: Failing.made >= 3, "the groups to be looked after again")
    finally:
        leaver.stop()
    assert any("the selector is closed already" in line for line in reports) and any(
        "half an answer" in line for line in reports
    )


class Refusing:
    """A client whose broker removes some members and refuses to remove others."""

    def __init__(self, **how: Any) -> None: ...

    def describe_groups(self, groups: list[str]) -> dict[str, Any]:
        client = member("risk", 7).client_id
        members = [{"member_id": name, "client_id": client} for name in ("gone", "refused", "left already")]
        return {"customs-risk": {"members": members}}

    def remove_group_members(self, group: str, members: list[MemberToRemove]) -> dict[str, type[KafkaError]]:
        become = {"gone": NoError, "refused": GroupAuthorizationFailedError, "left already": UnknownMemberIdError}
        return {one.member_id: become[one.member_id] for one in members}

    def close(self) -> None: ...


def test_a_member_that_the_broker_did_not_remove_is_not_told_as_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(membership, "KafkaAdminClient", Refusing)
    reports: list[str] = []
    leaver = Leaver("127.0.0.1:1", lambda: [DEAD], reports.append)
    try:
        leaver.look()
        wait(lambda: len(reports) >= 2, "what became of the members")
    finally:
        leaver.stop()
    assert reports[:2] == [
        "left group customs-risk for 1 dead member(s). 已移除失效成员",
        "group customs-risk keeps 1 dead member(s) 失效成员未能移除: GroupAuthorizationFailedError",
    ]


ODD_PAGES = {
    "no page": b"SSH-2.0-OpenSSH_9.2\r\n",
    "a header without an end": b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000,
    "cut": b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{",
    "an error of the frame": b"HTTP/1.1 500 Error\r\n\r\n<html>",
    "a list": b"HTTP/1.1 200 OK\r\n\r\n[]",
    "members that are none": b'HTTP/1.1 503 Waiting\r\n\r\n{"members": 5}',
    "ids that are none": b'HTTP/1.1 503 Waiting\r\n\r\n{"members": {"risk": {}}}',
    "nested deeply": b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 100_000,
}


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """Yields the address of a program that sends these bytes to every program that connects."""

    class Odd(StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass
            self.wfile.write(answer)

    with ThreadingTCPServer(("127.0.0.1", 0), Odd) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("answer", ODD_PAGES.values(), ids=ODD_PAGES)
def test_a_worker_that_answers_oddly_keeps_nobody_from_leaving_and_no_supervisor_from_waiting(answer: bytes) -> None:
    with answering(answer) as address:
        worker = Hosted(("risk",), "0", 41, address)
        assert member_ids(worker) == {}
        if not answer.startswith(b"HTTP/1.1 200"):
            assert not answers(f"{address}/readyz")
