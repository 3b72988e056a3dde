"""How are workers killed, frozen, stopped, added, and given a wrong clock?"""

import signal
import time
from contextlib import suppress
from datetime import timedelta

from kafka import KafkaAdminClient
from kafka.admin import MemberToRemove
from kafka.errors import KafkaError

from services.shell.access import Access, NoAccess
from services.shell.clock import Clock
from tests.chaos.counts import said_by_metrics
from tests.chaos.strike import ABORTED, ASSIGNED, BITE_SECONDS, ENDED, EVIDENCE_SECONDS, HUNG, REVOKED, Strike
from tests.chaos.theatre import SESSION_SECONDS, Log
from tests.waiting import leave, wait_by


def kill(strike: Strike) -> None:
    """Kills all victims at the same moment with SIGKILL, and starts them again."""
    children = [strike.child(name) for name in strike.victims]
    with strike.hold():
        for child in children:
            child.signal(signal.SIGKILL)
        strike.hit()
        for child in children:
            child.kill()
        codes = [child.code for child in children]
        for child in children:
            strike.theatre.start(child)
        strike.heal()
    strike.evidence = f"died: {codes}" if all(code == -signal.SIGKILL for code in codes) else ""


def forget_offsets(strike: Strike) -> None:
    """Kills twins, and deletes the read positions of their consumer groups before the twins start again.

    A broker deletes them itself if a group has had no member for `offsets.retention.minutes`. Here its administrator
    deletes them.
    """
    children = [strike.child(name) for name in strike.victims]
    groups = sorted({f"customs-{desk}" for desk in strike.desks})
    with strike.hold():
        for child in children:
            child.signal(signal.SIGKILL)
        moment = time.time()
        for child in children:
            child.kill()
        try:
            forgotten = [group for group in groups if _forget(strike.theatre.broker.access, group)]
        finally:
            for child in children:
                strike.theatre.start(child)
        if forgotten:
            strike.hit(moment)
        strike.heal()
    strike.evidence = f"no read positions: {', '.join(forgotten)}" if forgotten else ""


def _forget(access: Access, group: str, seconds: float = 10) -> bool:
    """Deletes the group with its offsets, and returns whether that worked. It does not work if the
    group has members again at each attempt within `seconds`, or if the broker cannot be reached."""
    deadline = time.monotonic() + seconds
    try:
        admin = KafkaAdminClient(**access.kafka_python(), request_timeout_ms=5_000)
    except (KafkaError, NoAccess):
        # Another fault keeps the broker unreachable at this moment. If no broker listens at all, `kafka_python`
        # raises NoAccess, so that the administrator's password is not sent to another program.
        return False
    try:
        while time.monotonic() < deadline:
            members = [m["member_id"] for m in admin.describe_groups([group])[group]["members"]]
            if members:
                admin.remove_group_members(group, [MemberToRemove(member_id=one) for one in members])
            if admin.delete_groups([group])[group] == "OK":
                return True
            time.sleep(0.3)
        return False
    except KafkaError:
        return False
    finally:
        admin.close()


def zombie(strike: Strike, seconds: float) -> None:
    """Stops workers (SIGSTOP) for this many seconds, which is longer than their session lasts, so that their twins
    take over. Then lets them continue."""
    children = [strike.child(name) for name in strike.victims]
    try:
        with strike.hold():
            for child in children:
                child.signal(signal.SIGSTOP)
            strike.hit()
        time.sleep(seconds)
        strike.listen()
    finally:
        for child in children:
            child.signal(signal.SIGCONT)
        strike.heal()
    strike.evidence = strike.first_logged(EVIDENCE_SECONDS, ABORTED, ENDED, HUNG, REVOKED)


def short_zombie(strike: Strike) -> None:
    """Stops a worker as `zombie` does, for less time than a transaction may last."""
    zombie(strike, SESSION_SECONDS + 0.5 + 2 * strike.dice.random())


def long_zombie(strike: Strike) -> None:
    """Stops a worker as `zombie` does, for more time than a transaction may last. So the transaction coordinator of
    Kafka aborts the worker's transaction meanwhile."""
    zombie(strike, 11.5)


def leave_and_return(strike: Strike) -> None:
    """Ends a worker with SIGTERM and starts it again."""
    name = strike.victims[0]
    with strike.hold():
        child = strike.child(name)
        strike.hit()
        code = leave(child)
        time.sleep(strike.dice.random())
        strike.theatre.start(child)
        strike.heal()
    # A worker can exit with code 0 only if it reaches the broker. If another fault makes the broker unreachable, this
    # fault has no evidence.
    strike.evidence = "left with code 0" if code == 0 else ""


def join_and_leave(strike: Strike) -> None:
    """Starts and ends a third worker of the same desks, which causes two rebalances."""
    desks = ",".join(strike.theatre.desks[strike.victims[0]])
    name = strike.theatre.hire(desks, f"extra{strike.salt}")
    # The worker may already have logged its assignment, so the log is read from the beginning. No earlier worker had
    # this name, so the log has only this worker's assignments.
    log = Log(strike.child(name), whole=True)
    try:
        log.wait(ASSIGNED)
        strike.hit()
        time.sleep(1 + strike.dice.random())
        numbers = [e["partitions"] for e in log.events() if e["event"] == ASSIGNED]
    finally:
        strike.theatre.dismiss(name)
    strike.heal()
    strike.evidence = f"partitions {numbers}" if any(numbers) else ""


def step_clock(strike: Strike) -> None:
    """Restarts one worker with a clock that is wrong by days. When the worker has published facts, or after
    BITE_SECONDS, restarts it with the right clock."""
    name = strike.victims[0]
    days = strike.dice.choice((-7, -4, -2, 2, 3, 4))
    strike.skew = timedelta(days=days).total_seconds()
    child = strike.child(name)
    clock, moment = strike.theatre.clock, time.time()
    wrong = Clock(moment, clock.at(moment).timestamp() + strike.skew, clock.speed).environment()
    right = dict(child.env)
    try:
        with strike.hold():
            _restart(strike, {**right, **wrong})
            strike.hit()
        if _says_facts(strike):
            # At the end of the run, `play` in `__main__.py` appends how many facts were published with the wrong time. If
            # there were none, it empties this text.
            strike.evidence = f"{days:+} d"
    finally:
        with strike.theatre.hands_off(name):
            _restart(strike, right)
        strike.heal()


def _restart(strike: Strike, env: dict[str, str]) -> None:
    """Kills the victim and starts it again with these environment variables."""
    child = strike.child(strike.victims[0])
    child.kill()
    child.env = env
    strike.theatre.start(child)


def _says_facts(strike: Strike) -> bool:
    """Returns whether the victim, which was just started, publishes facts within BITE_SECONDS. Its metrics count
    only committed facts."""
    name = strike.victims[0]

    def count_of_facts() -> int:
        with suppress(OSError):  # the worker's metrics page may not answer yet
            return sum(said_by_metrics(strike.theatre.pages[name]).values())
        return 0

    progress = strike.theatre.progress(f"facts of {name}", name, still=BITE_SECONDS, most=BITE_SECONDS)
    with suppress(TimeoutError):
        return wait_by(count_of_facts, progress, 0.2) > 0
    return False
