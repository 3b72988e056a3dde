"""Do answers and their corrections lead to the same end in whatever order they are read?

The oracle does not use the desk's code: it keeps the messages, and for each hold the fact with the highest revision.
"""

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Message
from schemas.inspection import InspectionFailed, InspectionPassed, PestIntercepted
from schemas.quarantine import (
    QuarantineRefused,
    TreatmentAbandoned,
    TreatmentRetracted,
    TreatmentVerified,
    TreatmentWaived,
)
from schemas.release import (
    ConsignmentHeld,
    RefusalRevoked,
    ReleaseGranted,
    ReleaseRefused,
    ReleaseRevoked,
    ReportArrival,
)
from schemas.risk import ConsignmentAssessed
from schemas.vocabulary import ControlKind
from services.release import decider
from tests.facts import (
    consignment_assessed,
    findings_retracted,
    inspection_failed,
    inspection_passed,
    pest_intercepted,
    quarantine_refused,
    rectification_requested,
    treatment_abandoned,
    treatment_retracted,
    treatment_verified,
    treatment_waived,
)
from tests.release.requests import arrival
from tests.release.standing import stands
from tests.voice import Story, story

DOCUMENTS, INSPECTION, QUARANTINE = ControlKind.DOCUMENTS, ControlKind.INSPECTION, ControlKind.QUARANTINE
TREATMENTS = (TreatmentVerified, TreatmentWaived, TreatmentAbandoned, QuarantineRefused, TreatmentRetracted)


def standing_look(messages: list[Message], control: ControlKind) -> Message | None:
    """Returns the fact of the highest revision about this control."""
    about = [m for m in messages if getattr(m, "control", None) is control]
    return max(about, key=lambda m: int(m.model_dump()["revision"]), default=None)


def owes(messages: list[Message]) -> bool:
    """Returns whether anything holds the goods, or refuses them."""
    terms = next((m for m in messages if isinstance(m, ConsignmentAssessed)), None)
    if terms is None or not any(isinstance(m, ReportArrival) for m in messages):
        return True
    for control in terms.controls:
        look = standing_look(messages, control)
        if control is QUARANTINE:
            if not treated(messages, "risk", 0):
                return True
        elif isinstance(look, PestIntercepted):
            if not treated(messages, control.value, look.revision):
                return True
        elif not isinstance(look, InspectionPassed):
            return True
    return refused(messages)


def treated(messages: list[Message], origin: str, finding: int) -> bool:
    answers = [m for m in messages if isinstance(m, TREATMENTS) and m.origin == origin]
    last = max(answers, key=lambda m: (m.finding, m.revision), default=None)
    return isinstance(last, TreatmentVerified | TreatmentWaived) and last.finding == finding


def refused(messages: list[Message]) -> bool:
    """Returns whether a control or a treatment failed, and no later fact about the control is known."""
    if any(isinstance(standing_look(messages, control), InspectionFailed) for control in ControlKind):
        return True
    treatments = [m for m in messages if isinstance(m, TREATMENTS)]
    for origin in {m.origin for m in treatments}:
        last = max([m for m in treatments if m.origin == origin], key=lambda m: (m.finding, m.revision))
        look = next((standing_look(messages, c) for c in ControlKind if c.value == origin), None)
        later = look is not None and look.model_dump()["revision"] > last.finding
        if isinstance(last, TreatmentAbandoned | QuarantineRefused) and not later:
            return True
    return False


@st.composite
def looks(draw: st.DrawFn, control: ControlKind) -> list[Message]:
    """The facts of the inspection desk about one control, and the facts of the quarantine desk about the pests that
    were found in it. Some answers are retracted and replaced."""
    facts: list[Message] = []
    revision = 0
    for _ in range(draw(st.integers(0, 3))):
        kind = draw(st.sampled_from(["passed", "failed", "pest", "rectification"]))
        if kind == "passed":
            facts.append(inspection_passed(control, revision))
        elif kind == "failed":
            facts.append(inspection_failed(control, revision))
        elif kind == "rectification":
            facts.append(rectification_requested(revision, control=control))
        else:
            facts.append(pest_intercepted(control, revision))
            answer = draw(st.sampled_from(["none", "verified", "waived", "abandoned", "refused"]))
            answers: dict[str, list[Message]] = {
                "none": [],
                "verified": [treatment_verified(control.value, revision)],
                "waived": [treatment_waived(control.value).model_copy(update={"finding": revision})],
                "abandoned": [treatment_abandoned(control.value, revision)],
                "refused": [quarantine_refused(control.value).model_copy(update={"finding": revision})],
            }
            facts += answers[answer]
            if answer != "none" and draw(st.booleans()):
                facts.append(treatment_retracted(control.value, revision))
                if draw(st.booleans()):
                    facts.append(treatment_verified(control.value, revision).model_copy(update={"revision": 2}))
        revision += 1
        if kind != "rectification" and draw(st.booleans()):
            facts.append(findings_retracted(control, revision))
            revision += 1
        elif kind != "rectification":
            break
    return facts


@st.composite
def goods(draw: st.DrawFn) -> list[Message]:
    controls = draw(st.lists(st.sampled_from([DOCUMENTS, INSPECTION, QUARANTINE]), unique=True))
    facts: list[Message] = [consignment_assessed(*controls), arrival()]
    for control in controls:
        if control is QUARANTINE:
            facts += draw(
                st.sampled_from(
                    [
                        [],
                        [treatment_verified("risk")],
                        [treatment_abandoned("risk")],
                        [treatment_abandoned("risk"), treatment_retracted("risk")],
                    ]
                )
            )
        else:
            facts += draw(looks(control))
    return facts


def play(messages: list[Message]) -> Story:
    """Lets the desk read the messages. After each message, checks that the goods are released exactly if nothing holds
    or refuses them, and refused exactly if something failed."""
    desk = story(decider)
    read: list[Message] = []
    for message in messages:
        read.append(message)
        desk.when(message)
        assert (desk.state.state == "released") == (not owes(read))
        assert (desk.state.state == "refused") == refused(read)
    statements = [f for f in desk.facts if isinstance(f, STATEMENTS)]
    # A statement that only the gate desk gets also takes the next version number, and it is not in this list. So the
    # versions in the list may have gaps.
    versions = [f.model_dump()["version"] for f in statements]
    assert versions == sorted(set(versions))
    return desk


STATEMENTS = (ConsignmentHeld, ReleaseGranted, ReleaseRefused, ReleaseRevoked, RefusalRevoked)


def came_to(desk: Story) -> tuple[str, str, frozenset[tuple[str, str, str]], dict[str, object]]:
    """Returns the state of the goods, the kind of the last statement, the open holds with owner and reason, and
    everything that the desk knows about the goods except their arrivals."""
    last = [f for f in desk.facts if isinstance(f, STATEMENTS)][-1]
    holds = frozenset((h.hold_id, h.owner.value, h.reason) for h in desk.state.stated)
    known = desk.state.dossier._asdict()
    return stands(desk), last.kind, holds, {k: v for k, v in known.items() if not k.startswith("arriv")}


@settings(max_examples=400, deadline=None)
@given(messages=goods(), data=st.data())
def test_every_interleaving_of_originals_and_corrections_comes_to_the_same(
    messages: list[Message], data: st.DataObject
) -> None:
    doubled = data.draw(st.lists(st.sampled_from(messages), max_size=3))
    again = [m for m in doubled if not isinstance(m, ReportArrival)]
    one = came_to(play(data.draw(st.permutations([*messages, *again]))))
    assert came_to(play(messages)) == one


def test_all_720_orders_of_goods_refused_for_a_wrong_pest_end_in_the_same_release() -> None:
    messages: list[Message] = [
        consignment_assessed(INSPECTION),
        pest_intercepted(INSPECTION),
        treatment_abandoned("inspection"),
        findings_retracted(INSPECTION),
        pest_intercepted(INSPECTION, 2),
        treatment_verified("inspection", 2),
    ]
    ends = {str(came_to(play([arrival(), *order]))[:3]) for order in permutations(messages)}
    assert ends == {str(("released", "ReleaseGranted", frozenset[object]()))}
