"""Do the inspection, quarantine and release desks agree if officers and treatment units correct and retract their
messages, in parallel, twice or too late?

The three desks read each other's facts from topics that have no order between them. Once everything is read, the state
of the goods must agree with the last answers of inspection and quarantine, and no desk may wait for an answer that no
desk has ordered.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Fact, Hearing, Message
from schemas.inspection import (
    CorrectFindings,
    FindingsResult,
    FindingsRetracted,
    InspectionFailed,
    InspectionPassed,
    PestIntercepted,
    RecordFindings,
    RetractFindings,
)
from schemas.quarantine import (
    CorrectTreatment,
    DecideTreatment,
    RecordTreatment,
    RetractTreatment,
    RetractTreatmentDecision,
)
from schemas.topics import topic_of
from schemas.vocabulary import ControlKind, GoodsClass, TreatmentDecision
from services.inspection import decider as inspection
from services.quarantine import decider as quarantine
from services.quarantine.needs import Abandoned, Withdrawn, needs_of
from services.release import decider as release
from services.shell.deciding import decide_message
from tests.facts import withdrawal_requested
from tests.quarantine.records import HEAT, good_treatment
from tests.quarantine.test_quarantine_desk import BEETLE, assessed
from tests.release.requests import arrival
from tests.voice import CONSIGNMENT, NOON

CONTROLS = (ControlKind.DOCUMENTS, ControlKind.INSPECTION)
DESKS: dict[str, Any] = {"inspection": inspection, "quarantine": quarantine, "release": release}
HEARS: dict[str, tuple[type, ...]] = {name: desk.Input.__args__ for name, desk in DESKS.items()}
UNKNOWN_TO_SCIENCE = "Drosophila suzukii"
"""A pest of fruit. No treatment of wood against it is known."""


@dataclass
class Border:
    """Three desks, their topics, and the people who send requests to them."""

    dice: Random
    states: dict[str, Any] = field(default_factory=lambda: {name: desk.INITIAL for name, desk in DESKS.items()})
    topics: dict[tuple[str, str], deque[tuple[str, Message]]] = field(default_factory=dict)
    at: datetime = NOON
    requests: list[tuple[str, Message]] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    count: int = 0

    def say(self, topic: str, message_id: str, message: Message) -> None:
        for name, kinds in HEARS.items():
            if isinstance(message, kinds):
                self.topics.setdefault((name, topic), deque()).append((message_id, message))

    def ask(self, message: Message) -> None:
        self.count += 1
        name = f"r{self.count}"
        self.requests.append((name, message))
        self.say("requests", name, message)

    def hear_one(self) -> bool:
        waiting = [key for key, queue in sorted(self.topics.items()) if queue]
        if not waiting:
            return False
        name, topic = self.dice.choice(waiting)
        message_id, message = self.topics[name, topic].popleft()
        self.at = max(self.at + timedelta(minutes=1), message.occurred_at if "requests" in topic else self.at)  # type: ignore[attr-defined]
        hearing = Hearing(self.at, message_id, self.count)
        facts, self.states[name] = decide_message(DESKS[name], self.states[name], message, hearing, name)
        for number, fact in enumerate(facts):
            self.facts.append(fact)
            self.say(topic_of(name, type(fact)), f"{name}/{message_id}/{number}", fact)
        return True

    # requests of people

    def act(self) -> None:
        dice = self.dice
        what = dice.choice(
            (
                self._find,
                self._find,
                self._correct,
                self._correct,
                self._treat,
                self._treat,
                self._again,
                self._decide,
                self._undo,
            )
        )
        what()

    def _control(self) -> ControlKind:
        return self.dice.choice(CONTROLS)

    def _result(self) -> dict[str, Any]:
        result = self.dice.choice((*FindingsResult, FindingsResult.CONFORM, FindingsResult.PEST))
        pest = self.dice.choice((BEETLE, BEETLE, UNKNOWN_TO_SCIENCE)) if result is FindingsResult.PEST else ""
        return {"result": result, "pest": pest}

    def _wrong(self) -> str:
        """The id of the request that is to be corrected or retracted. Mostly it is the id of an earlier request of any
        kind, otherwise an id that no request has."""
        names = [name for name, _ in self.requests] or ["nobody"]
        return self.dice.choice((*names[-6:], "another-consignments"))

    def _from(self, who: str, **fields: Any) -> dict[str, Any]:
        return {"consignment_id": CONSIGNMENT, "asked_by": who, "occurred_at": self.at, **fields}

    def _find(self) -> None:
        """Sends findings. Mostly their revision is the one that the inspection desk expects now, otherwise a random one
        from 0 to 3."""
        control = self._control()
        order = next((o for o in getattr(self.states["inspection"], "orders", ()) if o.control is control), None)
        revision = order.next_revision if order and self.dice.random() < 0.8 else self.dice.randint(0, 3)
        self.ask(RecordFindings(**self._from("officer-1", control=control, revision=revision, **self._result())))

    def _correct(self) -> None:
        control, wrong = self._control(), self._wrong()
        answered = [o for o in getattr(self.states["inspection"], "orders", ()) if o.answered_by]
        if answered and self.dice.random() < 0.7:
            order = self.dice.choice(answered)
            control, wrong = order.control, order.answered_by
        fields = self._from("officer-2", control=control, wrong=wrong, reason="wrong line")
        if self.dice.random() < 0.5:
            self.ask(RetractFindings(**fields))
        else:
            self.ask(CorrectFindings(**fields, **self._result()))

    def _origin(self) -> str:
        return self.dice.choice(("risk", "inspection", "inspection", "documents"))

    def _record(self) -> dict[str, Any]:
        origin = self._origin()
        need = next((n for n in getattr(self.states["quarantine"], "needs", ()) if n.origin == origin), None)
        attempt = need.attempt if need and self.dice.random() < 0.8 else self.dice.randint(1, 4)
        record = good_treatment(CONSIGNMENT, origin, attempt, HEAT, "unit-3")
        began = self.at + timedelta(minutes=self.dice.choice((1, 10)))
        readings = record.readings if self.dice.random() < 0.35 else record.readings[:-1]
        fields = {name: getattr(record, name) for name in RecordTreatment.model_fields}
        return {**fields, "started_at": began, "occurred_at": began + timedelta(hours=3), "readings": readings}

    def _treat(self) -> None:
        self.ask(RecordTreatment(**self._record()))

    def _again(self) -> None:
        needs = [n for n in getattr(self.states["quarantine"], "needs", ()) if n.last]
        if needs and self.dice.random() < 0.7:
            need = self.dice.choice(needs)
            origin, wrong, attempt = need.origin, need.last.request, need.last.attempt
        else:
            origin, wrong, attempt = self._origin(), self._wrong(), 1
        if self.dice.random() < 0.5:
            self.ask(RetractTreatment(**self._from("unit-3", origin=origin, wrong=wrong, reason="another chamber")))
        else:
            self.ask(
                CorrectTreatment(
                    **{**self._record(), "origin": origin, "attempt": attempt}, wrong=wrong, reason="typed"
                )
            )

    def _decide(self) -> None:
        decision = self.dice.choice(tuple(TreatmentDecision))
        treat: dict[str, Any] = (
            {"goods": GoodsClass.WOOD, "methods": (HEAT,)} if decision is TreatmentDecision.TREAT else {}
        )
        origin = self._origin()
        need = next((n for n in getattr(self.states["quarantine"], "needs", ()) if n.origin == origin), None)
        if need and self.dice.random() < 0.8:
            treat |= {"finding": need.finding, "revision": need.revision}
        fields = self._from("officer-9", origin=origin, decision=decision, reason="seen", **treat)
        self.ask(DecideTreatment(**fields))

    def _undo(self) -> None:
        decided = [n.decided for n in getattr(self.states["quarantine"], "needs", ()) if n.decided]
        wrong = self.dice.choice(decided) if decided else self._wrong()
        self.ask(
            RetractTreatmentDecision(**self._from("officer-9", origin=self._origin(), wrong=wrong, reason="seen again"))
        )

    # the check after all messages were read

    def agrees(self) -> None:
        released, treating = self.states["release"], self.states["quarantine"]
        if released.state == "withdrawn":
            assert isinstance(treating, Withdrawn), "nothing is treated for a declaration that was withdrawn"
            return
        looks: dict[ControlKind, Fact] = {}
        for fact in self.facts:
            if isinstance(fact, InspectionPassed | InspectionFailed | PestIntercepted | FindingsRetracted) or (
                fact.kind == "RectificationRequested"
            ):
                looks[fact.control] = fact  # type: ignore[attr-defined]
        failed = any(isinstance(look, InspectionFailed) for look in looks.values()) or isinstance(treating, Abandoned)
        assert (released.state == "refused") == failed, (released.state, looks, treating)
        needs = {need.origin: need for need in getattr(treating, "needs", ())}
        owed = [need for need in needs.values() if not need.settled]
        owed_looks = [c for c in CONTROLS if not isinstance(looks.get(c), InspectionPassed | PestIntercepted)]
        if not failed:
            assert (released.state == "released") == (not owed and not owed_looks), (released, needs, looks)
        for control, look in looks.items():
            if isinstance(look, PestIntercepted) and not isinstance(treating, Abandoned):
                need = needs[control.value]
                assert (need.finding, need.standing != "cancelled") == (look.revision, True), "somebody can treat it"
        if not isinstance(treating, Abandoned):
            assert needs["risk"].standing != "cancelled"
        waiting = {deadline.name.partition("/")[2] for deadline in quarantine.deadlines(treating)}
        assert waiting == {need.origin for need in needs_of(treating) if need.standing == "open"}


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32), acts=st.integers(1, 25))
def test_desks_agree_whatever_is_corrected_and_taken_back(seed: int, acts: int) -> None:
    dice = Random(seed)
    border = Border(dice)
    border.say("risk", "assessment", assessed(*CONTROLS, ControlKind.QUARANTINE))
    border.ask(arrival())
    for _ in range(acts):
        border.act()
        if dice.random() < 0.05:
            border.say("wishes", f"w{border.count}", withdrawal_requested(f"w{border.count}"))
        if dice.random() < 0.1 and border.requests:
            border.say("requests", *dice.choice(border.requests))
        while dice.random() < 0.75 and border.hear_one():
            pass
        if dice.random() < 0.3:
            while border.hear_one():
                pass
            border.agrees()
    while border.hear_one():
        pass
    border.agrees()
