"""When are goods declared that come in a container that was here before? Their declaration is lodged as soon as it is
known whether the container left. If the container did not leave, the goods get a container of their own.

The plans follow from the facts alone, so a player that is started again makes the same plans.
"""

from services.simulator.day import Day, Plan

OUTSIDE = frozenset({"ContainerGatedOut", "VisitClosed", "ContainerFindingRecorded"})
"""Kinds of facts after which a container is outside. In the simulation it is really outside then, even if the gate desk
had stated that it must stay."""
STAYS = frozenset({"DeclarationRejected", "ReleaseRefused", "DeclarationWithdrawn"})
"""Kinds of facts after which the goods never leave, so their container never leaves either."""


class Returning:
    """Follows the containers that come back. Consignments before the index `first` are not considered."""

    def __init__(self, day: Day, first: int) -> None:
        self._day, self._first = day, first
        self._subjects: set[str] = set()
        self._waiting: dict[str, Plan] = {}

    def due(self, plan: Plan) -> Plan | None:
        """Call this when `plan` is due. Returns the plan to lodge now: `plan`, or the same goods in the container that
        came back. Returns None if the plan must wait until it is known whether that container left."""
        before = self._day.before(plan.index)
        if before is None or before < self._first:
            return plan
        box, goods = self._day.box(before), self._day.plan(before).consignment_id
        if box in self._subjects:
            return plan.inside(box)
        if goods in self._subjects:
            return plan
        self._waiting[box] = plan.inside(box)
        self._waiting[goods] = plan
        return None

    def due_after(self, kind: str, key: str) -> Plan | None:
        """Returns the plan that waited for this fact about a container or about goods; None if there is none."""
        if kind not in OUTSIDE and kind not in STAYS:
            return None
        self._subjects.add(key)
        waits = self._waiting.pop(key, None)
        if waits is not None:
            self._waiting = {name: plan for name, plan in self._waiting.items() if plan.index != waits.index}
        return waits
