"""How do workers die, freeze, leave, come and lose the time?"""

import signal
import time
from datetime import UTC, datetime, timedelta

from tests.chaos.strike import ABORTED, ASSIGNED, ENDED, EVIDENCE_SECONDS, HUNG, READY_SECONDS, REVOKED, Strike
from tests.chaos.theatre import SESSION_SECONDS, Log, leave


def kill(strike: Strike) -> None:
    """SIGKILL, all victims at one moment; the supervisor starts them again."""
    children = [strike.child(name) for name in strike.victims]
    with strike.theatre.hands_off(*strike.victims):
        for child in children:
            child.signal(signal.SIGKILL)
        strike.hit()
        for child in children:
            child.kill()
        codes = [child.code for child in children]
        for child in children:
            strike.theatre.start(child)
        strike.heal()
    strike.seen = f"died: {codes}" if all(code == -signal.SIGKILL for code in codes) else ""


def zombie(strike: Strike, seconds: float) -> None:
    """SIGSTOP for longer than the session lasts: the twin takes over, then the stopped one wakes and goes on."""
    for name in strike.victims:
        strike.child(name).signal(signal.SIGSTOP)
    strike.hit()
    time.sleep(seconds)
    strike.listen()
    for name in strike.victims:
        strike.child(name).signal(signal.SIGCONT)
    strike.heal()
    strike.seen = strike.heard(EVIDENCE_SECONDS, ABORTED, ENDED, HUNG, REVOKED)


def short_zombie(strike: Strike) -> None:
    """Shorter than a transaction may last."""
    zombie(strike, SESSION_SECONDS + 0.5 + 2 * strike.dice.random())


def long_zombie(strike: Strike) -> None:
    """Longer than a transaction may last: the coordinator has aborted it meanwhile."""
    zombie(strike, 11.5)


def leave_and_return(strike: Strike) -> None:
    """A worker is taken away in order, and comes back."""
    name = strike.victims[0]
    with strike.theatre.hands_off(name):
        child = strike.child(name)
        strike.hit()
        code = leave(child)
        time.sleep(strike.dice.random())
        strike.theatre.start(child)
        strike.heal()
    strike.seen = "left with code 0" if code == 0 else ""  # without a broker it cannot leave in order


def join_and_leave(strike: Strike) -> None:
    """A third worker of the same desks comes and goes: two rebalances."""
    desks = ",".join(strike.theatre.desks[strike.victims[0]])
    name = strike.theatre.hire(desks, f"extra{strike.salt}")
    child = strike.child(name)
    log = Log(child)
    log.wait(READY_SECONDS, ASSIGNED)
    strike.hit()
    time.sleep(1 + strike.dice.random())
    numbers = [e["partitions"] for e in log.events() if e["event"] == ASSIGNED]
    strike.theatre.dismiss(name)
    strike.heal()
    strike.seen = f"partitions {numbers}" if any(numbers) else ""


def step_clock(strike: Strike) -> None:
    """One worker comes back with a clock that is hours wrong, and later with the right one."""
    name = strike.victims[0]
    hours = strike.dice.choice((-30, -7, -1, 1, 7, 30))
    child = strike.child(name)
    moment = datetime.now(UTC)
    wrong = {
        "DTG_CLOCK_ANCHOR": moment.isoformat(),
        "DTG_CLOCK_START": (moment + timedelta(hours=hours)).isoformat(),
    }
    right = dict(child.env)
    for env in ({**right, **wrong}, right):
        with strike.theatre.hands_off(name):
            child.kill()
            child.env = env
            log = Log(child)
            strike.theatre.start(child)
        if env is right:
            strike.heal()
        else:
            strike.hit()
            log.wait(READY_SECONDS, ASSIGNED)
            time.sleep(2)
    strike.seen = f"{hours:+} h"  # the ledger counts the facts that carry the wrong time
