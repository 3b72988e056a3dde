"""Which wrong reports about a container do simulated people send, and how do they correct them? The functions take a
fact and return acts (`acts.py`).

If the departure of a container was reported by mistake, the container leaves after the report was retracted. If the
arrival of its goods was reported too early, the container leaves after the goods have arrived. If the container was
reported to be stripped but was not, it leaves after the release desk has again released the goods in this container.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from schemas.gate import ContainerMayLeave, ContainerMustStay, EquipmentEventRetracted, RetractEquipmentEvent
from schemas.release import ArrivalRetracted, ReleaseGranted, RetractArrival
from schemas.vocabulary import EquipmentEvent
from services.simulator.acts import CARRIER, TERMINAL, Act, arrival, equipment_event
from services.simulator.day import Day, index_of
from services.simulator.dice import between, throw
from services.simulator.slips import Slip

MISTAKEN_SHARE = 0.08
"""The share of the containers whose departure is reported by mistake, because another container left. The report is
taken back, and then the container leaves. A container that several consignments share, or that will come back, is never
reported by mistake."""
EMPTY_SHARE = 0.15
"""The share of the containers that come back empty after they left."""
SHED = "拆箱库 shed 4"
EARLY = "arrival/too early"


@dataclass
class Mistakes:
    """The mistakes that were reported so far.

    `mistaken`: container → the gate desk's last yes, if its departure was reported by mistake; `put_right`: containers for which that
    report was taken back. `missed`: containers that were to be fetched but had not arrived; `called_back`: those of `missed` about
    which the gate desk then said no. `stripped`: goods that the release desk assumed to be in the wrong container.
    """

    day: Day
    mistaken: dict[str, ContainerMayLeave] = field(default_factory=dict)
    put_right: set[str] = field(default_factory=set)
    missed: set[str] = field(default_factory=set)
    called_back: set[str] = field(default_factory=set)
    stripped: set[str] = field(default_factory=set)

    def instead_of_leaving(self, fact: ContainerMayLeave) -> list[Act] | None:
        """Returns the reports that are sent instead of the departure of a container that may leave: wrong ones, or the
        retraction of a wrong arrival. The list is empty for a container that is named only by a wrong report, because
        such a container cannot leave. Returns None if the container really leaves."""
        box = fact.container_no
        if self.day.is_wrong_target(box):
            return []
        match self._slip(fact):
            case Slip.EARLY:
                return None if box in self.called_back else [self._not_here(fact)]
            case Slip.STRIPPED | Slip.NOT_STRIPPED:
                return [self._strip(fact)]
            case Slip.NONE:
                return None if box in self.put_right or not self.is_mistaken(box) else self._left_by_mistake(fact)

    def _slip(self, fact: ContainerMayLeave) -> Slip:
        """Returns the wrong report about these goods. It is NONE for the goods of the second visit of a container."""
        index = self.day.index_of_box(fact.container_no)
        slip = Slip.NONE if index is None else self.day.slip(index)
        if index is None or slip is Slip.NONE or self.day.plan(index).consignment_id not in fact.consignments:
            return Slip.NONE
        return slip

    # mistakes about departures

    def _left_by_mistake(self, fact: ContainerMayLeave) -> list[Act]:
        box = fact.container_no
        self.mistaken[box] = fact
        name, at = f"{box}/out/{min(fact.consignments, default='')}/mistaken", fact.occurred_at
        wrong = equipment_event(box, EquipmentEvent.GATED_OUT, at + timedelta(minutes=5), "G7", laden=True)
        back = self._taken_back(box, name, "箱号录错 the number of another box", fact)
        return [Act(wrong.occurred_at, name, wrong, stamped=True), back]

    def is_mistaken(self, box: str) -> bool:
        """Returns whether a departure of this container is reported by mistake. If the container comes back or is
        shared, no departure is reported by mistake, because its other goods would be declared as if the container were
        outside."""
        index = self.day.index_of_box(box)
        if index is None or self.day.after(index) is not None or self.day.shares(index):
            return False
        return self._dice(box, "empty") >= EMPTY_SHARE and self._dice(box, "mistaken") < MISTAKEN_SHARE

    def leaves_after_all(self, fact: EquipmentEventRetracted) -> ContainerMayLeave | None:
        """Returns the gate desk's yes with which the container leaves now, after the wrong report of its departure was taken back.
        Returns None if there was no such report."""
        allowed = self.mistaken.pop(fact.container_no, None)
        if allowed is None:
            return None
        self.put_right.add(fact.container_no)
        return allowed.model_copy(update={"occurred_at": fact.occurred_at})

    # mistakes about arrivals

    def is_early(self, index: int) -> bool:
        """Returns whether the carrier reports too early that these goods have arrived."""
        return self.day.slip(index) is Slip.EARLY

    def _not_here(self, fact: ContainerMayLeave) -> Act:
        """Returns the retraction of an arrival. The carrier sends it because the driver who comes for the goods does not find them."""
        self.missed.add(fact.container_no)
        key, later = min(fact.consignments), fact.occurred_at + timedelta(minutes=15)
        back = RetractArrival(
            consignment_id=key,
            asked_by=CARRIER,
            occurred_at=later,
            wrong=EARLY,
            reason="货物尚未到港 the goods are still at sea",
        )
        return Act(later, f"{key}/{EARLY}/taken back", back, stamped=True, replaces=f"{key}/{EARLY}")

    def stays(self, fact: ContainerMustStay) -> None:
        """Notes that this container must stay. If the container is in `missed`, it really leaves after the next yes of
        the gate desk."""
        if fact.container_no in self.missed:
            self.called_back.add(fact.container_no)

    def arrives_after_all(self, fact: ArrivalRetracted) -> list[Act]:
        """Returns the report of the real arrival, some hours later. Returns no report if the gate desk retracted the arrival, because
        then the terminal itself reports the arrival again."""
        if fact.retracted_by == "gate":
            return []
        after = timedelta(hours=between(1, 6, self._dice(fact.consignment_id, "arrives after all")))
        return [arrival(fact.consignment_id, fact.occurred_at + after)]

    # mistakes about strippings

    def _strip(self, fact: ContainerMayLeave) -> Act:
        """Returns the wrong report that the goods were stripped into another container."""
        box, at = fact.container_no, fact.occurred_at + timedelta(hours=1)
        wrong, _ = self.day.targets(self.day.index_of_box(box) or 0)
        stripped = equipment_event(box, EquipmentEvent.STRIPPED, at, SHED, laden=False, targets=(wrong,))
        return Act(at, f"{box}/stripped", stripped, stamped=True)

    def moved(self, fact: ReleaseGranted) -> list[Act]:
        """Returns the terminal's correction, if the release desk assumes the goods to be in the wrong container."""
        index = index_of(fact.bill_no, self.day.seed)
        slip = Slip.NONE if index is None else self.day.slip(index)
        if index is None or slip not in (Slip.STRIPPED, Slip.NOT_STRIPPED):
            return []
        box, (wrong, right) = self.day.box(index), self.day.targets(index)
        if wrong not in fact.containers:
            return []
        self.stripped.add(fact.consignment_id)
        if slip is Slip.NOT_STRIPPED:
            return [self._taken_back(box, f"{box}/stripped", "未拆箱 it was not stripped", fact)]
        at = fact.occurred_at + timedelta(hours=1)
        stripped = equipment_event(box, EquipmentEvent.STRIPPED, at, SHED, laden=False, targets=(right,))
        stuffed = equipment_event(right, EquipmentEvent.STUFFED, at, SHED, laden=True, sources=(box,))
        gone = equipment_event(box, EquipmentEvent.GATED_OUT, at + timedelta(hours=3), "G2", laden=False)
        return [
            Act(at, f"{box}/stripped/corrected", stripped, stamped=True, replaces=f"{box}/stripped"),
            Act(at, f"{right}/stuffed", stuffed, stamped=True),
            Act(gone.occurred_at, f"{box}/out/stripped", gone, stamped=True),
        ]

    def leaves_unstripped(self, fact: ReleaseGranted) -> str:
        """Returns the container of these goods, if a report said by mistake that they were stripped from it, and the
        release desk has learned of the mistake and has released the goods in this container again. Otherwise returns an
        empty text."""
        index = index_of(fact.bill_no, self.day.seed)
        if index is None or fact.consignment_id not in self.stripped or self.day.slip(index) is not Slip.NOT_STRIPPED:
            return ""
        box = self.day.box(index)
        return box if box in fact.containers else ""

    def _taken_back(self, box: str, name: str, reason: str, fact: ContainerMayLeave | ReleaseGranted) -> Act:
        later = fact.occurred_at + timedelta(minutes=15)
        back = RetractEquipmentEvent(
            container_no=box, asked_by=TERMINAL, occurred_at=fact.occurred_at, report_id=name, reason=reason
        )
        return Act(later, f"{name}/taken back", back, stamped=True, replaces=name)

    def _dice(self, *names: object) -> float:
        return throw(self.day.seed, *names)
