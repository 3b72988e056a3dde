"""What do officers, carriers, yards and terminals do because of a fact? `People` takes facts and returns acts.

What a person finds depends only on the seed and the consignment. If an act needs a second fact, it is returned only
after that fact was read, too. So the same seed leads to the same results, even if processes are killed meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from schemas.codes.refusals import RefusalCode
from schemas.declaration import DeclaredContainer, LodgeDeclaration, WithdrawDeclaration
from schemas.envelope import Fact, RequestRefused
from schemas.gate import (
    ContainerGatedOut,
    ContainerMayLeave,
    ContainerMustStay,
    EquipmentEventRetracted,
    GateAlarmRaised,
    RecordContainerFinding,
    RecordGateOut,
)
from schemas.hold_ids import is_for_an_officer, is_of_lapse
from schemas.inspection import FindingsResult, InspectionOrdered, RecordFindings, RectificationRequested
from schemas.quarantine import DecideTreatment, RecordTreatment, TreatmentOrdered, TreatmentReferred
from schemas.release import (
    ArrivalRetracted,
    ConsignmentHeld,
    DeclarationWithdrawn,
    LiftHold,
    PlaceHold,
    ReleaseGranted,
)
from schemas.risk import ConsignmentAssessed
from schemas.vocabulary import (
    ControlKind,
    Direction,
    EquipmentEvent,
    GoodsClass,
    Lane,
    TreatmentDecision,
    consignment_id,
)
from services.simulator.acts import QUAY, TERMINAL, Act, arrival, equipment_event
from services.simulator.day import Day, index_of
from services.simulator.dice import between, pick, throw
from services.simulator.mistakes import EARLY, EMPTY_SHARE, Mistakes
from services.simulator.treatments import OF_WOOD, carried_out

HOUR = 3600.0
LOOKING = {
    "documents": (0.1 * HOUR, 4 * HOUR),
    "inspection": (0.5 * HOUR, 12 * HOUR),
    "sampling": (6 * HOUR, 40 * HOUR),
}
"""Control → the shortest and the longest time in seconds from the order to the findings."""
ISOLATION = (12 * HOUR, 72 * HOUR)
"""The shortest and the longest time in seconds until an officer decides about goods for which no treatment is known. It counts from the
referral."""
RECTIFYING = (2 * HOUR, 72 * HOUR)
"""The shortest and the longest time in seconds until an officer looks at corrected papers. It counts from the request to correct them."""
REFUSED_PAPERS_SHARE = 0.3
"""Of the papers that a declarant is asked to correct, the share that is not corrected. The goods are then refused."""
NOT_CONFORM_SHARE, PEST_SHARE, SHORT_TREATMENT_SHARE, SICK_SHARE = 0.03, 0.1, 0.12, 0.15
BY_TERMINAL_SHARE = 0.3
"""The share of the containers for which the terminal's report of the discharge or the gate-in also counts as the report
that the goods have arrived. For the other containers, the carrier reports the arrival."""
TOLD_AS_EVER, TOLD_ONCE, TOLD_LATE, TOLD_TWICE = 0.4, 0.7, 0.8, 0.9
"""A pseudo-random number from 0 to 1 chooses how a departure is reported. These are the limits between the ways. Below
the first limit, the departure is reported by the older request (`RecordGateOut`); below the second, as an equipment
event; below the third, late; below the fourth, twice. From the fourth limit on, the report is corrected later."""
LATE = (2.0, 8.0)
"""The shortest and the longest time in hours from a departure to a late report or to a correction."""
LOADED_SHARE, LOADING = 0.33, (20.0, 30.0)
"""The share of the exports whose loading is reported, and the shortest and the longest time in hours from their release to the loading."""
STAYING = ("rejected", "refused", "withdrawn")
"""The ends of goods that are not released."""
PESTS = ("Bursaphelenchus xylophilus", "Anoplophora glabripennis", "Solenopsis invicta", "Bactrocera dorsalis")
OFFICERS = ("officer-liu", "officer-wang", "officer-zhao", "officer-sun", "officer-kong")
YARDS = ("yard-huangdao", "yard-qianwan", "yard-dagang")
FACTS_ACTED_ON = (
    ConsignmentAssessed,
    ConsignmentHeld,
    InspectionOrdered,
    RectificationRequested,
    TreatmentOrdered,
    TreatmentReferred,
    ReleaseGranted,
    ArrivalRetracted,
    ContainerMayLeave,
    ContainerMustStay,
    ContainerGatedOut,
    EquipmentEventRetracted,
    GateAlarmRaised,
    RequestRefused,
    DeclarationWithdrawn,
)
"""The kinds of facts on which simulated people act."""


@dataclass
class People:
    """All people at the border. They send all requests except the first lodgements of declarations.

    `lifting`: consignments whose hold an officer will soon lift. `waiting_to_arrive`: consignment with such a hold →
    the seconds from the end of the hold to its arrival. `called_off`: consignment → its assessment, for goods that are
    declared again as soon as their withdrawal is read. `withdrawn`: consignment → the time of its withdrawal, if that
    was read before the assessment.

    `ends`: the end of each consignment so far; the caller, who reads all facts, keeps it up to date. `sharing`:
    released goods that share a container → their index. `kept`: goods that cannot leave, because the other goods in
    their container must stay.

    `treated`: consignment → origin of the treatment → the act that reports the latest treatment. `events`: whether
    terminals report equipment events; if not, carriers report every arrival, and terminals report each departure once
    and nothing else.
    """

    day: Day
    events: bool = True
    lifting: set[str] = field(default_factory=set)
    waiting_to_arrive: dict[str, float] = field(default_factory=dict)
    treated: dict[str, dict[str, Act]] = field(default_factory=dict)
    called_off: dict[str, ConsignmentAssessed] = field(default_factory=dict)
    withdrawn: dict[str, datetime] = field(default_factory=dict)
    ends: Mapping[str, str] = field(default_factory=dict)
    sharing: dict[str, int] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    mistakes: Mistakes = field(init=False)

    def __post_init__(self) -> None:
        self.mistakes = Mistakes(self.day)

    def react(self, fact: Fact) -> list[Act]:
        """Returns the acts that follow from this fact; none for a fact on which nobody acts."""
        match fact:
            case ConsignmentAssessed():
                return self._assessed(fact)
            case ConsignmentHeld():
                return self._held(fact)
            case InspectionOrdered():
                return [self._look(fact)]
            case RectificationRequested():
                return [self._look_again(fact)]
            case TreatmentOrdered():
                return self._treat(fact)
            case TreatmentReferred():
                return [self._decide(fact)]
            case ReleaseGranted():
                return self._released(fact)
            case ArrivalRetracted():
                return self.mistakes.arrives_after_all(fact)
            case ContainerMayLeave():
                return self._drive_out(fact)
            case ContainerMustStay():
                self.mistakes.stays(fact)
                return []
            case ContainerGatedOut():
                return self._return_empty(fact)
            case EquipmentEventRetracted():
                return self._drive_out_after_all(fact)
            case GateAlarmRaised():
                return [self._find(fact)] if fact.blocks else []
            case RequestRefused():
                return self._send_again(fact)
            case DeclarationWithdrawn():
                return self._called_off(fact)
            case _:
                return []

    def _assessed(self, fact: ConsignmentAssessed) -> list[Act]:
        index = index_of(fact.bill_no, self.day.seed)
        key, at, green = fact.consignment_id, fact.occurred_at, fact.lane is Lane.GREEN
        if index is None:
            after = between(0.2 * HOUR, 3 * HOUR, self._dice(key, "arrival"))
            return [arrival(key, at + timedelta(seconds=after))]
        intent = self.day.intent(index)
        first = consignment_id(intent.declarant, fact.bill_no) == key
        if green and intent.withdraws and first:
            wish = WithdrawDeclaration(
                consignment_id=key, asked_by=intent.declarant, occurred_at=at, reason="合同取消 the sale was called off"
            )
            acts = [Act(at + timedelta(minutes=10), f"{key}/withdrawal", wish)]
            if intent.again and key in self.withdrawn:
                acts.append(self._lodge_again(fact, self.withdrawn.pop(key)))
            elif intent.again:
                self.called_off[key] = fact
            return acts
        if green and intent.held:
            self.waiting_to_arrive[key] = intent.arrives_after
            officer = pick(OFFICERS, self._dice(key, "officer"))
            hold = PlaceHold(consignment_id=key, asked_by=officer, occurred_at=at, reason="举报线索 a tip to look into")
            return [Act(at + timedelta(minutes=5), f"{key}/hold", hold)]
        if self.events and (box := self._told_by_terminal(fact, index)):
            second = box == self._box_before(index)
            return [self._discharge(fact, box, "2" if second else "1", intent.arrives_after)]
        early = self.events and self.mistakes.is_early(index)
        return [arrival(key, at + timedelta(seconds=intent.arrives_after), EARLY if early else "arrival")]

    def _called_off(self, fact: DeclarationWithdrawn) -> list[Act]:
        """Returns the act of a declarant who lodges the declaration of withdrawn goods again, for another buyer."""
        assessed = self.called_off.pop(fact.consignment_id, None)
        # the assessment is on another topic and may be read later than the withdrawal
        if assessed is None:
            self.withdrawn[fact.consignment_id] = fact.occurred_at
            return []
        return [self._lodge_again(assessed, fact.occurred_at)]

    def _lodge_again(self, assessed: ConsignmentAssessed, at: datetime) -> Act:
        key, plan = assessed.consignment_id, self.day.plan(index_of(assessed.bill_no, self.day.seed) or 0)
        boxes = tuple(
            [
                DeclaredContainer(container_no=each.container_no, shared_by=each.shared_by)
                for each in assessed.containers
            ]
        )
        lodged = LodgeDeclaration(
            consignment_id=key,
            asked_by=plan.declaration.declarant,
            occurred_at=at,
            declaration=plan.declaration.model_copy(update={"containers": boxes}),
        )
        return Act(at + timedelta(minutes=20), f"{key}/lodge after withdrawal", lodged)

    def _box_before(self, index: int) -> str:
        before = self.day.before(index)
        return "" if before is None else self.day.box(before)

    def _told_by_terminal(self, fact: ConsignmentAssessed, index: int) -> str:
        """Returns the container of these goods if the terminal's report of its discharge or gate-in also reports their
        arrival; empty if the carrier reports the arrival.

        The terminal's report is about all goods in the container. So it is used only if none of these goods will be
        held or withdrawn.
        """
        if len(fact.containers) != 1:
            return ""
        box = fact.containers[0].container_no
        lots = (index, index ^ 1) if self.day.shares(index) else (index,)
        if any(intent.held or intent.withdraws for intent in map(self.day.intent, lots)) or self.mistakes.is_early(
            index
        ):
            return ""
        return box if box == self._box_before(index) or self._dice(box, "in") < BY_TERMINAL_SHARE else ""

    def _discharge(self, fact: ConsignmentAssessed, box: str, visit: str, after: float) -> Act:
        at = fact.occurred_at + timedelta(seconds=after)
        imported = fact.direction is Direction.IMPORT
        event = EquipmentEvent.DISCHARGED if imported else EquipmentEvent.GATED_IN
        report = equipment_event(box, event, at, QUAY, laden=True, conveyance=fact.conveyance)
        return Act(at, f"{box}/in/{visit}", report, stamped=True)

    def _held(self, fact: ConsignmentHeld) -> list[Act]:
        """Returns what officers and carriers do about a hold. If the release has lapsed, an officer lifts the hold of
        the lapse, so that the goods are released again. An officer who placed a hold lifts it after a while. The
        carrier reports the arrival of these goods only after that, so that the order of events is certain."""
        key = fact.consignment_id
        lapsed = next((h for h in fact.holds if is_of_lapse(h.hold_id)), None)
        if lapsed is not None:
            if self._never_leaves(key):
                self.kept.add(key)
                return []
            return [self._give_again(fact, lapsed.hold_id)]
        placed = next((h for h in fact.holds if is_for_an_officer(h.hold_id)), None)
        if placed is not None and key in self.waiting_to_arrive:
            self.lifting.add(key)
            lift = self._lift(fact, placed.hold_id, "核查无异常 nothing was found")
            after = between(0.5 * HOUR, 5 * HOUR, self._dice(key, "lift"))
            return [Act(fact.occurred_at + timedelta(seconds=after), f"{key}/lift", lift)]
        if placed is None and key in self.lifting:
            self.lifting.discard(key)
            return [arrival(key, fact.occurred_at + timedelta(seconds=self.waiting_to_arrive.pop(key)))]
        return []

    def is_in_vain(self, act: Act) -> bool:
        """Returns whether the act lifts the hold of a lapse in vain. This is so if the other goods in the same
        container must stay, because the container then cannot leave. That the other goods must stay may become known
        only after the act was planned. If the act is in vain, its goods are added to `kept`."""
        key = act.request.key
        if not (isinstance(act.request, LiftHold) and is_of_lapse(act.request.hold_id) and self._never_leaves(key)):
            return False
        self.kept.add(key)
        return True

    def _never_leaves(self, key: str) -> bool:
        """Returns whether the other goods in the same container were rejected, refused, or withdrawn for good. The
        container then stays until those goods are stripped from it. Nobody strips them in the simulation, so every new
        release would lapse again."""
        index = self.sharing.get(key)
        if index is None:
            return False
        other = index ^ 1
        end = self.ends.get(self.day.plan(other).consignment_id)
        return end in STAYING and not (end == "withdrawn" and self.day.intent(other).again)

    def _give_again(self, fact: ConsignmentHeld, hold_id: str) -> Act:
        """Returns the act of an officer who lifts the hold of a lapse. The release lapsed because nobody fetched the goods in time, or
        because nobody reported their departure."""
        lift = self._lift(fact, hold_id, "货物仍在场 the goods are still there")
        return Act(fact.occurred_at + timedelta(hours=1), f"{fact.consignment_id}/lift/{hold_id}", lift)

    def _lift(self, fact: ConsignmentHeld, hold_id: str, reason: str) -> LiftHold:
        return LiftHold(
            consignment_id=fact.consignment_id,
            asked_by=pick(OFFICERS, self._dice(fact.consignment_id, "officer")),
            occurred_at=fact.occurred_at,
            hold_id=hold_id,
            reason=reason,
        )

    def _look(self, fact: InspectionOrdered) -> Act:
        key, control = fact.consignment_id, fact.control
        share = self._dice(key, control, "result")
        result, pest, remarks = FindingsResult.CONFORM, "", "单货相符 goods and papers agree"
        if share < NOT_CONFORM_SHARE:
            result, remarks = FindingsResult.NOT_CONFORM, "货物与申报不符 goods are not as declared"
            if control is ControlKind.DOCUMENTS:
                remarks = "单证不齐 papers are missing"
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

    def _look_again(self, fact: RectificationRequested) -> Act:
        """Returns the act of the officer who reads the corrected papers. If the declarant could not correct them, the officer refuses the
        goods."""
        key, control = fact.consignment_id, fact.control
        result, remarks = FindingsResult.CONFORM, "单证已补齐 the papers were put right"
        if self._dice(key, control, fact.revision, "rectified") < REFUSED_PAPERS_SHARE:
            result, remarks = FindingsResult.REFUSE, "逾期未补正 the papers were not put right"
        found = RecordFindings(
            consignment_id=key,
            asked_by=pick(OFFICERS, self._dice(key, control, "officer")),
            occurred_at=fact.occurred_at,
            control=control,
            result=result,
            remarks=remarks,
            revision=fact.revision + 1,
        )
        after = between(*RECTIFYING, self._dice(key, control, fact.revision, "rectifying"))
        return Act(fact.occurred_at + timedelta(seconds=after), f"{key}/{control.value}/again/{fact.revision}", found)

    def _decide(self, fact: TreatmentReferred) -> Act:
        """Returns the officer's decision. Live goods are watched in isolation and pass if they are healthy; other goods
        get the treatment for wood. A share of all these goods (`SICK_SHARE`) is refused."""
        key, origin = fact.consignment_id, fact.origin
        sick = self._dice(key, origin, "sick") < SICK_SHARE
        decision: dict[str, Any] = {
            "decision": TreatmentDecision.CLEAR,
            "reason": "隔离检疫合格 healthy after isolation",
        }
        if sick:
            decision = {"decision": TreatmentDecision.REFUSE, "reason": "无有效处理方法 no treatment is known"}
        elif GoodsClass.LIVE not in fact.goods:
            decision = {"decision": TreatmentDecision.TREAT, "goods": GoodsClass.WOOD, "methods": OF_WOOD}
            decision["reason"] = "按木质包装处理 treated as wood packaging"
        decided = DecideTreatment(
            consignment_id=key,
            asked_by=pick(OFFICERS, self._dice(key, origin, "officer")),
            occurred_at=fact.occurred_at,
            origin=origin,
            finding=fact.finding,
            **decision,
        )
        after = between(*ISOLATION, self._dice(key, origin, "isolation"))
        return Act(fact.occurred_at + timedelta(seconds=after), f"{key}/{origin}/decision", decided)

    def _treat(self, fact: TreatmentOrdered) -> list[Act]:
        """Returns the acts of the yard. Some time after the order, the yard treats the goods, airs the room, and then
        sends its record. If no yard can do what is ordered, there is no act."""
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
        """Returns acts that send the treatment records of the goods again. This is necessary if a desk whose clock was
        slow refused a record, because the time in the record seemed to be in the future. If the desk has already
        answered a record, it refuses the repetition of that record."""
        if fact.request_kind != RecordTreatment.kind or fact.code != RefusalCode.IN_FUTURE:
            return []
        later = fact.occurred_at + timedelta(days=1)
        return [
            Act(later, f"{act.name}/again/{fact.request_id}", act.request, not_before=max(later, act.at))
            for act in self.treated.get(fact.subject, {}).values()
        ]

    def _drive_out(self, fact: ContainerMayLeave) -> list[Act]:
        """Returns the departure of a container. The container leaves once, even if the gate desk says several times
        that it may leave. If there was a wrong report about the container, it leaves after the correction."""
        if self.events and (acts := self.mistakes.instead_of_leaving(fact)) is not None:
            return acts
        acts = self._leave(fact.container_no, min(fact.consignments, default=""), fact.occurred_at)
        return [replace(act, lets_out=fact.container_no) for act in acts]

    def _drive_out_after_all(self, fact: EquipmentEventRetracted) -> list[Act]:
        allowed = self.mistakes.leaves_after_all(fact)
        return [] if allowed is None else self._drive_out(allowed)

    def _released(self, fact: ReleaseGranted) -> list[Act]:
        if not self.events:
            return []
        index = index_of(fact.bill_no, self.day.seed)
        if index is not None and self.day.shares(index):
            self.sharing[fact.consignment_id] = index
        if box := self.mistakes.leaves_unstripped(fact):
            return self._leave(box, fact.consignment_id, fact.occurred_at)
        return [*self.mistakes.moved(fact), *self._load(fact)]

    def _leave(self, box: str, goods: str, at: datetime) -> list[Act]:
        """Returns the report of a departure. It is sent in time, late, twice, or with a correction later."""
        name, number = f"{box}/out/{goods}", int(self._dice(box) * 6)
        left = at + timedelta(seconds=between(0.2 * HOUR, 20 * HOUR, self._dice(box, goods, "out")))
        way = self._dice(box, goods, "told") if self.events else 0.0
        if way < TOLD_AS_EVER:
            gate_out = RecordGateOut(container_no=box, asked_by=TERMINAL, occurred_at=left, gate=f"G{1 + number}")
            return [Act(left, name, gate_out, stamped=True)]
        event = equipment_event(box, EquipmentEvent.GATED_OUT, left, f"G{1 + number}", laden=True)
        once = Act(left, name, event, stamped=True)
        if way < TOLD_ONCE:
            return [once]
        later = timedelta(hours=between(*LATE, self._dice(box, goods, "late")))
        if way < TOLD_LATE:
            return [replace(once, at=left + later, not_before=at + later)]
        if way < TOLD_TWICE:
            return [once, replace(once, at=left + timedelta(minutes=10), name=f"{name}/again")]
        right = event.model_copy(update={"place": f"G{1 + (number + 1) % 6}"})
        return [once, Act(left + later, f"{name}/corrected", right, stamped=True, replaces=name)]

    def _load(self, fact: ReleaseGranted) -> list[Act]:
        """Returns the acts that load some of the exports, about a day after their release. Goods that share a container are not loaded,
        because the other goods may be held."""
        index = index_of(fact.bill_no, self.day.seed)
        if index is None or fact.direction is not Direction.EXPORT or self.day.shares(index):
            return []
        acts = []
        for box in fact.containers:
            if self._dice(box, "loaded") < LOADED_SHARE:
                at = fact.occurred_at + timedelta(hours=between(*LOADING, self._dice(box, "load")))
                ship = self.day.intent(index).conveyance
                report = equipment_event(box, EquipmentEvent.LOADED, at, QUAY, laden=True, conveyance=ship)
                acts.append(Act(at, f"{box}/load", report, stamped=True, at_end=True))
        return acts

    def _return_empty(self, fact: ContainerGatedOut) -> list[Act]:
        """Returns the acts by which the container comes back empty and is fetched. Only a share of all containers
        (`EMPTY_SHARE`) comes back empty, and none that will come back with other goods."""
        box = fact.container_no
        index = self.day.index_of_box(box)
        if not self.events or index is None or self.day.after(index) is not None:
            return []
        if self._dice(box, "empty") >= EMPTY_SHARE:
            return []
        came, gone = (fact.occurred_at + timedelta(hours=hours) for hours in (2, 5))
        back = equipment_event(box, EquipmentEvent.GATED_IN, came, "G1", laden=False)
        out = equipment_event(box, EquipmentEvent.GATED_OUT, gone, "G2", laden=False)
        return [Act(came, f"{box}/empty/in", back, stamped=True), Act(gone, f"{box}/empty/out", out, stamped=True)]

    def _find(self, fact: GateAlarmRaised) -> Act:
        """Returns the officer's finding after an alarm. The terminals of the simulator report what really happened, so the officer finds
        that the container is outside."""
        box, at = fact.container_no, fact.occurred_at + timedelta(hours=1)
        found = RecordContainerFinding(
            container_no=box,
            asked_by=pick(OFFICERS, self._dice(box, "finding")),
            occurred_at=at,
            found="outside",
            reason="核查已离场 it was seen outside",
        )
        return Act(at, f"{box}/finding/{fact.alarm}/{fact.report_id or fact.visit}", found, stamped=True)

    def _dice(self, *names: object) -> float:
        return throw(self.day.seed, *names)
