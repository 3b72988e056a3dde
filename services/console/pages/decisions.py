"""What was decided about these goods, and why? The summary is made from their timeline for the page of a consignment."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

import orjson
from pydantic import ValidationError

from schemas import gate as g
from schemas import inspection as i
from schemas import quarantine as q
from schemas import release as r
from schemas.declaration import DeclarationAccepted, DeclarationRejected
from schemas.envelope import Message, RequestRefused
from schemas.marks import Audience
from schemas.outside import outside_form
from schemas.risk import ConsignmentAssessed
from services.console.api.documents import content
from services.console.api.views import Entry

F_co = TypeVar("F_co", bound=Message, covariant=True)
_KINDS: dict[str, type[Message]] = {
    kind.kind: kind
    for kind in (
        *(DeclarationAccepted, DeclarationRejected, ConsignmentAssessed, RequestRefused),
        *(i.InspectionOrdered, i.InspectionPassed, i.InspectionFailed, i.PestIntercepted),
        *(i.InspectionCancelled, i.InspectionOverdue),
        *(i.RectificationRequested, i.RectificationOverdue, i.FindingsRetracted),
        *(q.TreatmentOrdered, q.TreatmentVerified, q.TreatmentFailed, q.TreatmentAbandoned),
        *(q.TreatmentCancelled, q.TreatmentOverdue),
        *(q.TreatmentReferred, q.TreatmentWaived, q.QuarantineRefused),
        *(q.TreatmentRetracted, q.TreatmentDecisionRetracted),
        *(r.ReleaseGranted, r.ReleaseRefused, r.ReleaseRevoked, r.RefusalRevoked, r.DeclarationWithdrawn),
        *(r.LiftHold, r.LiftRetracted),
        *(r.ReportArrival, r.ArrivalRetracted),
    )
}
LONGEST_TEXT = 500
LONGEST_LIST = 200
DECIDING = frozenset(_KINDS)
"""The kinds of messages from which a summary is made."""


@dataclass(frozen=True)
class TimelineFact(Generic[F_co]):
    """A message (most messages are facts) with its entry in the timeline, which has its id, topic, offset and time."""

    entry: Entry
    fact: F_co


@dataclass
class Control:
    """A control that was ordered, and its answer, which is None while the control is open. `again`: the message that opened it again, which is
    a request for rectification or a retraction of findings; None if there is none."""

    order: TimelineFact[i.InspectionOrdered]
    answer: TimelineFact[Message] | None = None
    overdue: bool = False
    again: TimelineFact[i.RectificationRequested | i.FindingsRetracted] | None = None

    @property
    def next_revision(self) -> int:
        """The revision that the next findings about this control must have; see `RecordFindings`."""
        return self.again.fact.revision + 1 if self.again else 0


@dataclass
class Treatment:
    """A treatment that was ordered, and its answer. `again` is always None, because a further treatment has an order of its own."""

    order: TimelineFact[q.TreatmentOrdered]
    answer: TimelineFact[Message] | None = None
    overdue: bool = False
    again: None = None


@dataclass
class Referral:
    """A referral to an officer because no treatment is known, and the decision, which is None while there is none. `again`: the retraction of
    an earlier decision; None if there is none."""

    order: TimelineFact[q.TreatmentReferred]
    answer: TimelineFact[Message] | None = None
    overdue: bool = False
    again: TimelineFact[q.TreatmentDecisionRetracted] | None = None

    @property
    def next_revision(self) -> int:
        """The revision that the next decision must have, see `DecideTreatment`."""
        return self.again.fact.revision + 1 if self.again else 0


@dataclass
class DecisionSummary:
    """What was decided about a consignment: the declaration desk's answer, the assessment, the controls, the treatments, and the release desk's
    decisions. `lines`, `boxes`: how many lines of goods and how many containers the declaration has."""

    declared: TimelineFact[Message] | None = None
    lines: int = 0
    boxes: int = 0
    assessed: TimelineFact[ConsignmentAssessed] | None = None
    controls: list[Control] = field(default_factory=list)
    treatments: list[Treatment] = field(default_factory=list)
    referrals: list[Referral] = field(default_factory=list)
    decisions: list[TimelineFact[Message]] = field(default_factory=list)
    refused: list[TimelineFact[RequestRefused]] = field(default_factory=list)
    lifts: list[TimelineFact[r.LiftHold]] = field(default_factory=list)
    arrivals: list[TimelineFact[r.ReportArrival]] = field(default_factory=list)

    def open_controls(self) -> list[Control]:
        """Returns the controls that an officer may answer now."""
        return [control for control in self.controls if control.answer is None]

    def answered_controls(self) -> list[Control]:
        """Returns the controls whose findings can be corrected or retracted."""
        found = ("InspectionPassed", "InspectionFailed", "PestIntercepted")
        return [each for each in self.controls if each.answer is not None and each.answer.entry.kind in found]

    def judged_treatments(self) -> list[Treatment]:
        """Returns for each origin the treatment whose record was judged last. That record can be corrected or retracted."""
        verdicts = (q.TreatmentVerified, q.TreatmentFailed)
        judged = [each for each in self.treatments if each.answer and isinstance(each.answer.fact, verdicts)]
        return list({each.order.fact.origin: each for each in judged}.values())

    def decided_referrals(self) -> list[Referral]:
        """Returns the referrals whose decision can be retracted."""
        decisions = (q.TreatmentOrdered, q.TreatmentWaived, q.QuarantineRefused)
        return [each for each in self.referrals if each.answer and isinstance(each.answer.fact, decisions)]

    def lifted_holds(self) -> list[TimelineFact[r.LiftHold]]:
        """Returns the requests to lift officers' holds that were neither refused nor retracted. They can be retracted."""
        refused = {refusal.fact.request_id for refusal in self.refused}
        return [lift for lift in self.lifts if lift.entry.id not in refused]

    def reported_arrivals(self) -> list[TimelineFact[r.ReportArrival]]:
        """Returns the reports of arrivals that were neither refused nor retracted. Their sender can retract them."""
        refused = {refusal.fact.request_id for refusal in self.refused}
        return [arrival for arrival in self.arrivals if arrival.entry.id not in refused]

    def open_treatments(self) -> list[Treatment]:
        """Returns the treatments for which a treatment unit may send a record now."""
        return [treatment for treatment in self.treatments if treatment.answer is None]

    def open_referrals(self) -> list[Referral]:
        """Returns the referrals about which an officer may decide now."""
        return [referral for referral in self.referrals if referral.answer is None]


class StandingFinding(NamedTuple):
    """A finding on a container that can be retracted. `request`: the id of the request that recorded it."""

    request: str
    found: str
    seen_at: str
    found_by: str


CONTAINER_FINDINGS = frozenset({g.ContainerFindingRecorded.kind, g.ContainerFindingRetracted.kind})


def standing_findings(rows: Iterable[Any]) -> list[StandingFinding]:
    """Returns the findings in these rows that were not retracted. Each row has the kind, cause and content of a fact whose kind is in
    `CONTAINER_FINDINGS`."""
    found: list[StandingFinding] = []
    retracted: set[str] = set()
    for row in rows:
        body = content(row.body) or {}
        if row.kind == g.ContainerFindingRetracted.kind:
            retracted.add(str(body.get("wrong", "")))
        else:
            fields = [str(body.get(name, ""))[:LONGEST_TEXT] for name in ("found", "occurred_at", "found_by")]
            found.append(StandingFinding(row.cause, *fields))
    return [each for each in found if each.request not in retracted]


def decision_summary(entries: Iterable[Entry], audience: Audience | None = None) -> DecisionSummary:
    """Makes the summary of a timeline as this audience may see it. The entries must be in order. Messages that do not have the shape of their
    kind are left out; the timeline shows them. Masked fields are missing in the facts, so a template must test whether a field is defined."""
    made = DecisionSummary()
    for entry in entries:
        fact = _read(entry, audience)
        if fact is not None:
            _note(made, entry, fact)
    return made


def _read(entry: Entry, audience: Audience | None) -> Message | None:
    kind = _KINDS.get(entry.kind)
    if kind is None or entry.body is None:
        return None
    try:
        read = orjson.dumps(_short(entry.body))
        if audience is None:
            return kind.read_stored(read, extra="ignore")
        return kind.model_construct(**dict(outside_form(kind, audience).read_stored(read, extra="ignore")))
    except ValidationError:
        # The content does not have the shape of its kind. The summary leaves such a message out, but the timeline shows
        # it.
        return None


def _short(value: Any) -> Any:
    """Returns the content with its texts, lists and objects cut to the lengths that a page can show."""
    match value:
        case str():
            return value[:LONGEST_TEXT]
        case dict():
            return {key: _short(each) for key, each in list(value.items())[:LONGEST_LIST]}
        case list():
            return [_short(each) for each in value[:LONGEST_LIST]]
        case _:
            return value


def _note(made: DecisionSummary, entry: Entry, fact: Message) -> None:
    match fact:
        case DeclarationAccepted() | DeclarationRejected():
            made.declared = TimelineFact(entry, fact)
            # lines and containers are counted in `entry`, because `fact` has only the first LONGEST_LIST elements of both lists
            paper = (entry.body or {}).get("declaration", {})
            made.lines, made.boxes = len(paper.get("items", ())), len(paper.get("containers", ()))
        case ConsignmentAssessed():
            made.assessed = TimelineFact(entry, fact)
        case i.InspectionOrdered():
            made.controls.append(Control(TimelineFact(entry, fact)))
        case i.InspectionPassed() | i.InspectionFailed() | i.PestIntercepted() | i.InspectionCancelled():
            for control in _ordered(made, fact.control):
                control.answer, control.again = TimelineFact(entry, fact), None
        case i.RectificationRequested() | i.FindingsRetracted():
            for control in _ordered(made, fact.control):
                control.answer, control.again, control.overdue = None, TimelineFact(entry, fact), False
        case i.InspectionOverdue() | i.RectificationOverdue() | q.TreatmentOverdue():
            _late(made, fact)
        case (
            r.ReleaseGranted() | r.ReleaseRefused() | r.ReleaseRevoked() | r.RefusalRevoked() | r.DeclarationWithdrawn()
        ):
            made.decisions.append(TimelineFact(entry, fact))
        case r.LiftHold():
            made.lifts.append(TimelineFact(entry, fact))
        case r.LiftRetracted():
            made.lifts = [lift for lift in made.lifts if lift.entry.id != fact.wrong]
        case r.ReportArrival():
            made.arrivals.append(TimelineFact(entry, fact))
        case r.ArrivalRetracted():
            made.arrivals = [arrival for arrival in made.arrivals if arrival.entry.id != fact.wrong]
        case RequestRefused():
            made.refused.append(TimelineFact(entry, fact))
        case _:
            _note_treatment(made, entry, fact)


def _note_treatment(made: DecisionSummary, entry: Entry, fact: Message) -> None:
    match fact:
        case q.TreatmentOrdered():
            _decided(made, fact.origin, TimelineFact(entry, fact))
            made.treatments.append(Treatment(TimelineFact(entry, fact)))
        case q.TreatmentReferred():
            made.referrals.append(Referral(TimelineFact(entry, fact)))
        case q.TreatmentWaived() | q.QuarantineRefused():
            _decided(made, fact.origin, TimelineFact(entry, fact))
        case q.TreatmentVerified() | q.TreatmentFailed():
            for treatment in _of_origin(made, fact.origin, fact.attempt):
                treatment.answer = TimelineFact(entry, fact)
        case q.TreatmentRetracted():
            later = any(each.order.fact.attempt > fact.attempt for each in _of_origin(made, fact.origin, None))
            for treatment in _of_origin(made, fact.origin, fact.attempt):
                treatment.answer, treatment.overdue = TimelineFact(entry, fact) if later else None, False
        case q.TreatmentDecisionRetracted():
            for treatment in _of_origin(made, fact.origin, None):
                treatment.answer = treatment.answer or TimelineFact(entry, fact)
            for referral in [each for each in made.referrals if each.order.fact.origin == fact.origin][-1:]:
                referral.answer, referral.overdue, referral.again = None, False, TimelineFact(entry, fact)
        case q.TreatmentAbandoned() | q.TreatmentCancelled():
            _decided(made, fact.origin, TimelineFact(entry, fact))
            for treatment in _of_origin(made, fact.origin, None):
                treatment.answer = treatment.answer or TimelineFact(entry, fact)
        case _:
            raise AssertionError(f"{entry.kind} is read but not noted")


def _late(made: DecisionSummary, fact: i.InspectionOverdue | i.RectificationOverdue | q.TreatmentOverdue) -> None:
    if isinstance(fact, i.InspectionOverdue | i.RectificationOverdue):
        for control in _ordered(made, fact.control):
            control.overdue = True
    else:
        for treatment in _of_origin(made, fact.origin, fact.attempt):
            treatment.overdue = True
        for referral in made.referrals:
            if referral.order.fact.origin == fact.origin and referral.answer is None:
                referral.overdue = True


def _decided(made: DecisionSummary, origin: str, answer: TimelineFact[Message]) -> None:
    for referral in made.referrals:
        if referral.order.fact.origin == origin:
            referral.answer = referral.answer or answer


def _ordered(made: DecisionSummary, control: str) -> list[Control]:
    return [each for each in made.controls if each.order.fact.control == control]


def _of_origin(made: DecisionSummary, origin: str, attempt: int | None) -> list[Treatment]:
    return [
        each
        for each in made.treatments
        if each.order.fact.origin == origin and attempt in (None, each.order.fact.attempt)
    ]
