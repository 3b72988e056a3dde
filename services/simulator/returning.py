"""When are goods lodged that come in a box that was here before? Once it is known whether the box left; else they take their own.

What is known of a box is read from the facts, so a player that takes over comes to the same plans.
"""

from services.simulator.day import Day, Plan

OUTSIDE = frozenset({"ContainerGatedOut", "VisitClosed", "ContainerFindingRecorded"})
"""Facts after which the box is outside: people drove it out, whatever the gate thought of that."""
STAYS = frozenset({"DeclarationRejected", "ReleaseRefused", "DeclarationWithdrawn"})
"""Facts after which the goods never leave, nor does their box."""


class Returning:
    """Follows the boxes that come back, from the consignment `first` on."""

    def __init__(self, day: Day, first: int) -> None:
        self._day, self._first = day, first
        self._subjects: set[str] = set()
        self._waiting: dict[str, Plan] = {}

    def due(self, plan: Plan) -> Plan | None:
        """What is to be lodged now that it is time for this plan; None while its box is still here."""
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
        """What is to be lodged after this fact about a box or about goods."""
        if kind not in OUTSIDE and kind not in STAYS:
            return None
        self._subjects.add(key)
        waits = self._waiting.pop(key, None)
        if waits is not None:
            self._waiting = {name: plan for name, plan in self._waiting.items() if plan.index != waits.index}
        return waits
