"""What do officers, carriers, yards and terminals do when they hear a fact? Pure: fact in, requests out.

What somebody finds depends on seed and consignment alone, and who depends on what was said before waits until it was
said: so the same seed comes to the same ends, whatever dies in between.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from schemas.declaration import WithdrawDeclaration
from schemas.envelope import Fact, Request, RequestRefused
from schemas.gate import ContainerMayLeave, RecordGateOut
from schemas.inspection import FindingsResult, InspectionOrdered, RecordFindings
from schemas.quarantine import DecideTreatment, RecordTreatment, TreatmentOrdered, TreatmentReferred
from schemas.release import ConsignmentHeld, LiftHold, PlaceHold, ReportArrival
from schemas.risk import ConsignmentAssessed
from schemas.vocabulary import GoodsClass, Lane, TreatmentDecision
from services.simulator.day import Day, index_of
from services.simulator.dice import between, pick, throw
from services.simulator.treatments import OF_WOOD, carried_out

HOUR = 3600.0
LOOKING = {
    "documents": (0.1 * HOUR, 4 * HOUR),
    "inspection": (0.5 * HOUR, 12 * HOUR),
    "sampling": (6 * HOUR, 40 * HOUR),
}
"""Seconds from order to findings, by control: shortest and longest."""
ISOLATION = (12 * HOUR, 72 * HOUR)
"""Seconds from the question to the officer's decision about goods that no treatment is known for."""
NOT_CONFORM_SHARE, PEST_SHARE, SHORT_TREATMENT_SHARE, SICK_SHARE = 0.03, 0.1, 0.12, 0.15
PESTS = ("Bursaphelenchus xylophilus", "Anoplophora glabripennis", "Solenopsis invicta", "Bactrocera dorsalis")
OFFICERS = ("officer-liu", "officer-wang", "officer-zhao", "officer-sun", "officer-kong")
YARDS = ("yard-huangdao", "yard-qianwan", "yard-dagang")
HEARD = (
    ConsignmentAssessed,
    ConsignmentHeld,
    InspectionOrdered,
    TreatmentOrdered,
    TreatmentReferred,
    ContainerMayLeave,
    RequestRefused,
)
"""The facts that make somebody act; nothing else needs decoding."""


@dataclass(frozen=True, slots=True)
class Act:
    """A request that somebody will make at `at`; `name` is its idempotency key.

    `not_before`: it speaks of what takes this long, so that not even a play without pace may send it earlier.
    """

    at: datetime
    name: str
    request: Request
    not_before: datetime | None = None


@dataclass
class People:
    """Everybody at the border but the declarants' lodging. `lifting`: consignments whose officer's hold is being lifted.

    `treated`: the latest record of each consignment and origin.
    """

    day: Day
    lifting: set[str] = field(default_factory=set)
    waiting_to_arrive: dict[str, float] = field(default_factory=dict)
    treated: dict[str, dict[str, Act]] = field(default_factory=dict)

    def react(self, fact: Fact) -> list[Act]:
        """What follows from this fact; facts of nobody's concern follow nothing."""
        match fact:
            case ConsignmentAssessed():
                return self._assessed(fact)
            case ConsignmentHeld():
                return self._held(fact)
            case InspectionOrdered():
                return [self._look(fact)]
            case TreatmentOrdered():
                return self._treat(fact)
            case TreatmentReferred():
                return [self._decide(fact)]
            case ContainerMayLeave():
                return [self._drive_out(fact)]
            case RequestRefused():
                return self._send_again(fact)
            case _:
                return []

    def _assessed(self, fact: ConsignmentAssessed) -> list[Act]:
        index = index_of(fact.bill_no, self.day.seed)
        key, at, green = fact.consignment_id, fact.occurred_at, fact.lane is Lane.GREEN
        if index is None:
            return [self._arrive(key, at, between(0.2 * HOUR, 3 * HOUR, self._dice(key, "arrival")))]
        intent = self.day.intent(index)
        if green and intent.withdraws:
            wish = WithdrawDeclaration(
                consignment_id=key, asked_by=intent.declarant, occurred_at=at, reason="合同取消 the sale was called off"
            )
            return [Act(at + timedelta(minutes=10), f"{key}/withdrawal", wish)]
        if green and intent.held:
            self.waiting_to_arrive[key] = intent.arrives_after
            officer = pick(OFFICERS, self._dice(key, "officer"))
            hold = PlaceHold(consignment_id=key, asked_by=officer, occurred_at=at, reason="举报线索 a tip to look into")
            return [Act(at + timedelta(minutes=5), f"{key}/hold", hold)]
        return [self._arrive(key, at, intent.arrives_after)]

    def _held(self, fact: ConsignmentHeld) -> list[Act]:
        """An officer lifts the hold in time; the carrier of such goods reports only when it is gone, so the order is sure."""
        key = fact.consignment_id
        placed = next((h for h in fact.holds if h.hold_id.startswith("officer/")), None)
        if placed is not None and key in self.waiting_to_arrive:
            self.lifting.add(key)
            officer = pick(OFFICERS, self._dice(key, "officer"))
            lift = LiftHold(
                consignment_id=key,
                asked_by=officer,
                occurred_at=fact.occurred_at,
                hold_id=placed.hold_id,
                reason="核查无异常 nothing was found",
            )
            after = between(0.5 * HOUR, 5 * HOUR, self._dice(key, "lift"))
            return [Act(fact.occurred_at + timedelta(seconds=after), f"{key}/lift", lift)]
        if placed is None and key in self.lifting:
            self.lifting.discard(key)
            return [self._arrive(key, fact.occurred_at, self.waiting_to_arrive.pop(key))]
        return []

    def _arrive(self, key: str, at: datetime, after: float) -> Act:
        report = ReportArrival(consignment_id=key, asked_by="carrier", occurred_at=at, place="前湾港 Qianwan")
        return Act(at + timedelta(seconds=after), f"{key}/arrival", report)

    def _look(self, fact: InspectionOrdered) -> Act:
        key, control = fact.consignment_id, fact.control
        share = self._dice(key, control, "result")
        result, pest, remarks = FindingsResult.CONFORM, "", "单货相符 goods and papers agree"
        if share < NOT_CONFORM_SHARE:
            result, remarks = FindingsResult.NOT_CONFORM, "货物与申报不符 goods are not as declared"
        elif share < NOT_CONFORM_SHARE + PEST_SHARE and control.value == "inspection":
            result, remarks = FindingsResult.PEST, "发现活体 living specimens"
            pest = pick(PESTS, self._dice(key, control, "pest"))
        found = RecordFindings(
            consignment_id=key,
            asked_by=pick(OFFICERS, self._dice(key, control, "officer")),
            occurred_at=fact.occurred_at,
            control=control,
            result=result,
            pest=pest,
            remarks=remarks,
        )
        after = between(*LOOKING[control.value], self._dice(key, control, "time"))
        return Act(fact.occurred_at + timedelta(seconds=after), f"{key}/{control.value}", found)

    def _decide(self, fact: TreatmentReferred) -> Act:
        """Live goods are watched in isolation, and pass when they are healthy; pests of other goods are treated as those of wood."""
        key, origin = fact.consignment_id, fact.origin
        sick = self._dice(key, origin, "sick") < SICK_SHARE
        told: dict[str, Any] = {"decision": TreatmentDecision.CLEAR, "reason": "隔离检疫合格 healthy after isolation"}
        if sick:
            told = {"decision": TreatmentDecision.REFUSE, "reason": "无有效处理方法 no treatment is known"}
        elif GoodsClass.LIVE not in fact.goods:
            told = {"decision": TreatmentDecision.TREAT, "goods": GoodsClass.WOOD, "methods": OF_WOOD}
            told["reason"] = "按木质包装处理 treated as wood packaging"
        decided = DecideTreatment(
            consignment_id=key,
            asked_by=pick(OFFICERS, self._dice(key, origin, "officer")),
            occurred_at=fact.occurred_at,
            origin=origin,
            **told,
        )
        after = between(*ISOLATION, self._dice(key, origin, "isolation"))
        return Act(fact.occurred_at + timedelta(seconds=after), f"{key}/{origin}/decision", decided)

    def _treat(self, fact: TreatmentOrdered) -> list[Act]:
        """The yard begins a while after the order, treats, airs the room, and reports when that is over."""
        key, origin, attempt = fact.consignment_id, fact.origin, fact.attempt
        treated = carried_out(
            fact.goods,
            fact.methods,
            self._dice(key, origin, attempt, "method"),
            short=self._dice(key, origin, attempt, "short") < SHORT_TREATMENT_SHARE,
        )
        if treated is None:
            return []
        began = fact.occurred_at + timedelta(hours=between(0.2, 4, self._dice(key, origin, attempt, "time")))
        over = began + timedelta(hours=float(treated["readings"][-1].hours) + 0.1)
        record = RecordTreatment(
            consignment_id=key,
            asked_by=pick(YARDS, self._dice(key, origin, "yard")),
            occurred_at=over,
            origin=origin,
            attempt=attempt,
            started_at=began,
            **treated,
        )
        act = Act(over, f"{key}/{origin}/{attempt}", record, not_before=over)
        self.treated.setdefault(key, {})[origin] = act
        return [act]

    def _send_again(self, fact: RequestRefused) -> list[Act]:
        """A desk whose clock was behind takes a record for one of the future; what was answered already is refused again."""
        if fact.request_kind != RecordTreatment.kind or fact.code != "in_future":
            return []
        later = fact.occurred_at + timedelta(days=1)
        return [
            Act(later, f"{act.name}/again/{fact.request_id}", act.request, not_before=max(later, act.at))
            for act in self.treated.get(fact.subject, {}).values()
        ]

    def _drive_out(self, fact: ContainerMayLeave) -> Act:
        box = fact.container_no
        gate = RecordGateOut(
            container_no=box,
            asked_by="terminal-qqct",
            occurred_at=fact.occurred_at,
            gate=f"G{1 + int(self._dice(box) * 6)}",
        )
        after = between(0.2 * HOUR, 20 * HOUR, self._dice(box, "out"))
        return Act(fact.occurred_at + timedelta(seconds=after), f"{box}/out/{fact.version}", gate)

    def _dice(self, *words: object) -> float:
        return throw(self.day.seed, *words)
