"""How do other workers get the partitions of a dead worker at once? The supervisor removes the dead worker from the
consumer groups.

A consumer group waits for a silent member until the session of the member ends (`DTG_SESSION_TIMEOUT_MS`, 6 s), and a
new member has to wait as long. The supervisor knows earlier that a member is dead: either its process has ended, or its
process has got a new member id, because the broker was away. The supervisor removes the dead member's id from the group
(LeaveGroup, KIP-345). If a living member is removed by mistake, it joins again.
"""

import json
import threading
import time
import urllib.error
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import cast

from kafka import KafkaAdminClient
from kafka.admin import MemberToRemove
from kafka.errors import KafkaError, NoError, UnknownMemberIdError

from services.shell.access import Access, access_to
from services.shell.loopback import open_page

LOOKED_AFTER_SECONDS = 20.0
"""How many seconds the groups are checked after a process died. If a broker was killed, it needs some of that time to start
again."""
BETWEEN_SECONDS = 0.3
SURE_SECONDS = 0.5
"""How many seconds a living worker must report another member id before its earlier member id is removed. By
then the report is up to date, because a worker without partitions reads its own member id after each poll."""


@dataclass(frozen=True)
class Hosted:
    """A worker process as its supervisor knows it. `address`: that of the worker's pages; `pid`: its process id, None while
    it does not run."""

    desks: tuple[str, ...]
    slot: str
    pid: int | None
    address: str

    @property
    def groups(self) -> tuple[str, ...]:
        """Returns the consumer groups of the worker's desks."""
        return tuple([f"customs-{desk}" for desk in self.desks])


@dataclass(frozen=True)
class Member:
    """One member of a consumer group, as the broker describes it."""

    group: str
    member_id: str
    client_id: str


def stale(
    members: Iterable[Member], workers: Iterable[Hosted], current: Callable[[Hosted], dict[str, str]]
) -> tuple[list[Member], list[Member]]:
    """Returns two lists: the members whose process has ended, and the members that seem to belong to an earlier session of a
    living worker.

    `current`: returns the member ids of a living worker, by group. If a worker does not answer, or is in no group now, the
    members with its process id count as living.
    """
    listed = list(members)
    dead: list[Member] = []
    earlier: list[Member] = []
    for worker in workers:
        own = [m for m in listed if m.group in worker.groups and _is_of(m, worker.slot)]
        living = [m for m in own if m.client_id == f"{m.group}-{worker.slot}-{worker.pid}"]
        dead += [m for m in own if m not in living]
        names = current(worker) if living else {}
        earlier += [m for m in living if names.get(m.group) and names[m.group] != m.member_id]
    return dead, earlier


def _is_of(member: Member, slot: str) -> bool:
    """Returns whether the member belongs to a worker of this slot. The whole name is compared, because the name of another
    slot may begin with the same text."""
    name, _, process = member.client_id.rpartition("-")
    return name == f"{member.group}-{slot}" and process.isdigit()


class Leaver:
    """Removes dead members from the consumer groups of the workers, in a thread of its own. It checks the groups for
    `LOOKED_AFTER_SECONDS` after each call of `look`. `workers`: returns the present workers; `tell`: called with a sentence
    about each removal or failure."""

    def __init__(
        self, kafka: Access | str, workers: Callable[[], list[Hosted]], tell: Callable[[str], None] = lambda text: None
    ) -> None:
        self._access, self._workers, self._tell = access_to(kafka), workers, tell
        self._until = 0.0
        self._wake = threading.Condition()
        self._over = False
        self._suspected: dict[str, float] = {}
        self._thread = threading.Thread(target=self._run, name="leaver", daemon=True)
        self._thread.start()

    def look(self) -> None:
        """Makes the thread check the groups from now on, for `LOOKED_AFTER_SECONDS`. Call it when a process died or was
        started again."""
        with self._wake:
            self._until = time.monotonic() + LOOKED_AFTER_SECONDS
            self._wake.notify()

    def stop(self) -> None:
        """Makes the thread end after its present request. Returns at once."""
        with self._wake:
            self._over = True
            self._wake.notify()

    def _run(self) -> None:
        admin: KafkaAdminClient | None = None
        while self._is_due():
            try:
                admin = admin or KafkaAdminClient(
                    **self._access.kafka_python(), request_timeout_ms=2_000, reconnect_backoff_max_ms=200
                )
                self._leave(admin)
            except Exception as error:  # noqa: BLE001 (tried again until the time is over; an unforeseen error is reported)
                if not isinstance(error, KafkaError | OSError):
                    # KafkaError and OSError are not reported, because they only mean that there is no broker at the moment
                    self._tell(f"groups were not looked after 未能清理消费组: {type(error).__name__}: {error}")
                self._close(admin)
                admin = None
            with self._wake:
                if not self._over:
                    self._wake.wait(BETWEEN_SECONDS)
        self._close(admin)

    def _is_due(self) -> bool:
        """Waits until the groups must be checked, and returns True; returns False after `stop`."""
        with self._wake:
            while not self._over and time.monotonic() > self._until:
                self._wake.wait()
            return not self._over

    def _close(self, admin: KafkaAdminClient | None) -> None:
        """Closes the client. If its broker is gone, closing may raise an exception, which must not end this thread."""
        try:
            if admin is not None:
                admin.close()
        except Exception as error:  # noqa: BLE001 (reported; the next check makes another client)
            self._tell(f"a client was not closed 客户端未能关闭: {type(error).__name__}: {error}")

    def _leave(self, admin: KafkaAdminClient) -> None:
        workers = self._workers()
        groups = sorted({group for worker in workers for group in worker.groups})
        described = admin.describe_groups(groups)
        members = [
            Member(group, str(member["member_id"]), str(member["client_id"]))
            for group, description in described.items()
            for member in description["members"]
        ]
        dead, earlier = stale(members, workers, member_ids)
        moment = time.monotonic()
        self._suspected = {m.member_id: self._suspected.get(m.member_id, moment) for m in earlier}
        sure = [m for m in earlier if moment - self._suspected[m.member_id] >= SURE_SECONDS]
        gone: dict[str, list[str]] = {}
        for member in (*dead, *sure):
            gone.setdefault(member.group, []).append(member.member_id)
        for group, ids in gone.items():
            answers = admin.remove_group_members(group, [MemberToRemove(member_id=one) for one in ids])
            counts = Counter(answers.values())
            if left := counts.pop(NoError, 0):
                self._tell(f"left group {group} for {left} dead member(s). 已移除失效成员")
            counts.pop(UnknownMemberIdError, None)  # the member has left meanwhile
            for error, count in counts.items():
                self._tell(f"group {group} keeps {count} dead member(s) 失效成员未能移除: {error.__name__}")


def member_ids(worker: Hosted) -> dict[str, str]:
    """Returns the member ids of a living worker from its readiness page, by group. The result is empty if there is no
    answer, or if the answer does not come from a worker."""
    try:
        try:
            answer = open_page(f"{worker.address}/readyz", 1)
        except urllib.error.HTTPError as waiting:
            # a worker that is not ready answers 503 with the same body
            answer = cast(HTTPResponse, waiting)
        with answer:
            members = json.load(answer)["members"].items()
    except (OSError, HTTPException, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        # The worker is starting or hangs, or another program has its port. So the members with the worker's process id are kept.
        return {}
    return {f"customs-{desk}": member for desk, member in members if isinstance(member, str)}
