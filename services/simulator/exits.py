"""Which containers does a simulated terminal let out now? `Exits` notes facts and returns departures.

The gate desk reads a revocation some time after the release desk has published it, and much later if processes fail
meanwhile. So a terminal lets a container out only if the last statements of both the release desk and the gate desk say
yes. The client of a port does the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from schemas.envelope import Fact
from schemas.gate import ContainerMayLeave, ContainerMustStay
from schemas.release import ReleaseGranted, ReleaseRevoked
from services.simulator.acts import Act


@dataclass
class Exits:
    """The containers that may leave, and the departures that wait. `released`: consignment → the containers in which it
    is released. `free`: container → the gate desk's last statement about it, if that was a yes. `waiting`: container →
    the departure that happens as soon as the release desk and the gate desk both let the container leave."""

    released: dict[str, frozenset[str]] = field(default_factory=dict)
    free: dict[str, ContainerMayLeave] = field(default_factory=dict)
    waiting: dict[str, Sequence[Act]] = field(default_factory=dict)

    def caused(self, fact: Fact, acts: Sequence[Act]) -> list[Sequence[Act]]:
        """Returns the acts that happen now. `acts`: the acts that follow from this fact. First come the departures that
        had to wait until now, one sequence for each container; then those of `acts` that need not wait."""
        return [*self.hear(fact), self.admit(acts)]

    def hear(self, fact: Fact) -> list[Sequence[Act]]:
        """Notes whether the fact lets a container leave or stay. Returns the departures that had to wait until now, one sequence for
        each container."""
        match fact:
            case ReleaseGranted():
                self.released[fact.consignment_id] = frozenset(fact.containers)
                return self._open(fact.containers)
            case ReleaseRevoked():
                self.released.pop(fact.consignment_id, None)
            case ContainerMayLeave():
                self.free[fact.container_no] = fact
                return self._open((fact.container_no,))
            case ContainerMustStay():
                self.free.pop(fact.container_no, None)
            case _:
                pass
        return []

    def admit(self, acts: Sequence[Act]) -> Sequence[Act]:
        """Returns the acts that happen now: all of `acts`, except the departure of a container that may not leave now. Such a departure
        waits."""
        box = next((act.lets_out for act in acts if act.lets_out), "")
        if not box or self._may_leave(box):
            return acts
        self.waiting[box] = [act for act in acts if act.lets_out]
        return [act for act in acts if not act.lets_out]

    def _open(self, boxes: Sequence[str]) -> list[Sequence[Act]]:
        return [self.waiting.pop(box) for box in boxes if box in self.waiting and self._may_leave(box)]

    def _may_leave(self, box: str) -> bool:
        yes = self.free.get(box)
        if yes is None:
            return False
        return all(box in self.released.get(key, ()) for key in yes.consignments if key not in yes.permitted)
