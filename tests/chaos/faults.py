"""Which kinds of faults are there, which processes does each kind strike, and how often is it chosen?"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.on_processes import (
    forget_offsets,
    join_and_leave,
    kill,
    leave_and_return,
    long_zombie,
    short_zombie,
    step_clock,
)
from tests.chaos.on_surroundings import (
    cut_link,
    fill_broker_disk,
    fill_console_disk,
    freeze_broker,
    kill_broker,
    leave_transaction_open,
    lock_database,
    mute_link,
    poison_live,
    poison_strangers,
    slow_link,
)
from tests.chaos.strike import Strike
from tests.chaos.theatre import BROKER, CONSOLE, PROJECTOR


@dataclass(frozen=True)
class Kind:
    """A kind of fault. `workers`: how many workers it strikes. `twins`: whether they are the two workers of one
    pair. `others`: the other processes that it strikes. `weight`: how often it is chosen, relative to other
    kinds.

    `says`: it strikes only workers of a desk that publishes facts. `goods`: it needs goods that are still moving.
    """

    act: Callable[[Strike], None]
    workers: int = 0
    twins: bool = False
    others: tuple[str, ...] = ()
    weight: int = 1
    says: bool = False
    goods: bool = False

    @property
    def hinders(self) -> bool:
        """Returns whether goods may stop moving while the fault lasts. Goods need workers, broker and topics, but
        not the read model."""
        return self.workers > 0 or BROKER in self.others or not self.others


KINDS: dict[str, Kind] = {
    "worker killed": Kind(kill, 1, weight=14),
    "twins killed": Kind(kill, 2, twins=True, weight=4),
    "three workers and the console killed": Kind(kill, 3, others=(CONSOLE,), weight=2),
    "console killed": Kind(kill, others=(CONSOLE,), weight=3),
    "projector killed": Kind(kill, others=(PROJECTOR,), weight=3),
    "worker stopped past its session, woken": Kind(short_zombie, 1, weight=14),
    "worker stopped past its transaction, woken": Kind(long_zombie, 1, weight=3),
    "worker removed and added": Kind(leave_and_return, 1, weight=6),
    "third worker added and removed": Kind(join_and_leave, 1, weight=3),
    "clock of a worker stepped": Kind(step_clock, 1, weight=3, says=True, goods=True),
    "read positions of twins forgotten": Kind(forget_offsets, 2, twins=True, weight=2),
    "foreign transaction left open": Kind(leave_transaction_open, weight=1),
    "broker killed": Kind(kill_broker, others=(BROKER,), weight=1),
    "broker stopped past the sessions, woken": Kind(freeze_broker, others=(BROKER,), weight=1),
    "disk of the broker full": Kind(fill_broker_disk, others=(BROKER,), weight=1),
    "disk of the read model full": Kind(fill_console_disk, others=(PROJECTOR,), weight=3, goods=True),
    "database of the console locked": Kind(lock_database, others=(PROJECTOR,), weight=3, goods=True),
    "link slow": Kind(slow_link, 1, weight=10),
    "link cut": Kind(cut_link, 1, weight=14),
    "link mute": Kind(mute_link, 1, weight=14, goods=True),
    "poison on every topic": Kind(poison_strangers),
    "poison on the topics of live goods": Kind(poison_live, goods=True),
}
