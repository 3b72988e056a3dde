"""Which controls are ordered from officers, and what do the officers find?"""

from enum import StrEnum
from typing import Annotated, ClassVar

from schemas.declaration import Code
from schemas.envelope import AboutConsignment, Fact, Request
from schemas.marks import INSIDE, TO_DECLARANT, SeenBy
from schemas.phrases import Phrases
from schemas.risk import GoodsClasses
from schemas.vocabulary import ActorId, ControlKind, MessageId, Moment, Pest, Reason, Remarks, Revision


class FindingsResult(StrEnum):
    """What an officer found: in order, not in order, a living pest, or that the goods are refused.

    Papers that are not in order are to be put right, and the officer looks again; goods that are not in order are refused.
    """

    CONFORM = "conform"
    NOT_CONFORM = "not_conform"
    PEST = "pest"
    REFUSE = "refuse"


class RecordFindings(AboutConsignment, Request):
    """An officer answers one ordered control (`documents`, `inspection` or `sampling`). `pest`: scientific name, when found.

    `revision`: which answer of this control it is, so that findings about the goods as they were before do not answer a control that
    was opened again. 0 is the first answer; of a control that a `FindingsRetracted` or a `RectificationRequested` opened, it is that
    fact's revision and one. Findings of older software versions do not say it, and are first answers.
    """

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    control: ControlKind
    result: FindingsResult
    pest: Pest = ""
    remarks: Remarks = ""
    revision: Revision = 0


class CorrectFindings(AboutConsignment, Request):
    """An officer replaces findings that were wrong. `wrong`: the id of the request that recorded them, or corrected them last;
    `reason`: why they were wrong. The other fields as in `RecordFindings`.
    """

    calls_back: ClassVar[bool] = True
    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    control: ControlKind
    wrong: MessageId
    reason: Reason
    result: FindingsResult
    pest: Pest = ""
    remarks: Remarks = ""


class RetractFindings(AboutConsignment, Request):
    """An officer takes findings back that were wrong: the control is open again. `wrong`, `reason`: as in `CorrectFindings`."""

    calls_back: ClassVar[bool] = True
    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    control: ControlKind
    wrong: MessageId
    reason: Reason


class InspectionOrdered(AboutConsignment, Fact):
    """An officer must answer this control by `due`."""

    control: Annotated[ControlKind, TO_DECLARANT]
    customs_office: Annotated[Code, TO_DECLARANT]
    due: Annotated[Moment, TO_DECLARANT]


class InspectionPassed(AboutConsignment, Fact):
    """The control was answered: in order."""

    control: Annotated[ControlKind, TO_DECLARANT]
    officer: Annotated[ActorId, INSIDE]
    remarks: Annotated[Remarks, INSIDE] = ""
    revision: Annotated[Revision, TO_DECLARANT] = 0


class InspectionFailed(AboutConsignment, Fact):
    """The control was answered: not in order; the goods are refused."""

    control: Annotated[ControlKind, TO_DECLARANT]
    officer: Annotated[ActorId, INSIDE]
    reason: Annotated[Reason, INSIDE]
    revision: Annotated[Revision, TO_DECLARANT] = 0
    phrases: Annotated[Phrases, INSIDE] = ()


class RectificationRequested(AboutConsignment, Fact):
    """The papers are not in order: the declarant puts them right by `due`, and the officer looks again. The goods stay held."""

    control: Annotated[ControlKind, TO_DECLARANT]
    officer: Annotated[ActorId, INSIDE]
    reason: Annotated[Reason, TO_DECLARANT]
    due: Annotated[Moment, TO_DECLARANT]
    revision: Annotated[Revision, TO_DECLARANT] = 0
    phrases: Annotated[Phrases, TO_DECLARANT] = ()


class RectificationOverdue(AboutConsignment, Fact):
    """The papers were not put right, or not looked at again, in time; the goods stay held."""

    control: Annotated[ControlKind, TO_DECLARANT]
    since: Annotated[Moment, TO_DECLARANT]
    due: Annotated[Moment, TO_DECLARANT]


class FindingsRetracted(AboutConsignment, Fact):
    """Findings were wrong and no longer stand: the control is open again, with `due` as its new time limit.

    `wrong`: the request that had recorded them. Of a correction, the new answer follows with the next revision.
    """

    control: Annotated[ControlKind, TO_DECLARANT]
    wrong: Annotated[MessageId, TO_DECLARANT]
    officer: Annotated[ActorId, INSIDE]
    reason: Annotated[Reason, INSIDE]
    due: Annotated[Moment, TO_DECLARANT]
    revision: Annotated[Revision, TO_DECLARANT]


class PestIntercepted(AboutConsignment, Fact):
    """The control was answered: a living pest; the goods need treatment. `goods`: what they are, by the assessment."""

    control: Annotated[ControlKind, TO_DECLARANT]
    officer: Annotated[ActorId, INSIDE]
    pest: Annotated[Pest, TO_DECLARANT]
    goods: Annotated[GoodsClasses, TO_DECLARANT] = ()
    revision: Annotated[Revision, TO_DECLARANT] = 0


class InspectionOverdue(AboutConsignment, Fact):
    """Nobody answered the control in time; it stays open and holds the goods."""

    control: Annotated[ControlKind, TO_DECLARANT]
    since: Annotated[Moment, TO_DECLARANT]
    due: Annotated[Moment, TO_DECLARANT]


class InspectionCancelled(AboutConsignment, Fact):
    """The order fell away, because the declaration was withdrawn."""

    control: Annotated[ControlKind, TO_DECLARANT]
