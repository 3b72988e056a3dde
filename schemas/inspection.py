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
    """What an officer found: that the goods or papers are in order, or are not, that there is a living pest, or that the goods are refused.

    Papers that are not in order must be rectified, and the officer looks again. Goods that are not in order are refused.
    """

    CONFORM = "conform"
    NOT_CONFORM = "not_conform"
    PEST = "pest"
    REFUSE = "refuse"


class RecordFindings(AboutConsignment, Request):
    """An officer answers one ordered control (`documents`, `inspection` or `sampling`).

    `pest`: the scientific name of the pest, if one was found. `revision`: which answer of this control it is. 0 is the
    first answer; after a `FindingsRetracted` or a `RectificationRequested` it is the revision of that fact plus one. So
    findings that were sent before a control was opened again do not answer it. Requests of older software versions have
    no revision, which counts as 0.
    """

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    control: ControlKind
    result: FindingsResult
    pest: Pest = ""
    remarks: Remarks = ""
    revision: Revision = 0


class CorrectFindings(AboutConsignment, Request):
    """An officer replaces wrong findings.

    `wrong`: the id of the request that recorded these findings, or that corrected them last; `reason`: why they were wrong. The other
    fields are those of `RecordFindings`.
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
    """An officer takes wrong findings back, so that the control is open again. `wrong`, `reason`: as in `CorrectFindings`."""

    calls_back: ClassVar[bool] = True
    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    control: ControlKind
    wrong: MessageId
    reason: Reason


class InspectionOrdered(AboutConsignment, Fact):
    """A control was ordered, because the assessment requires it. An officer must answer it by `due`."""

    control: Annotated[ControlKind, TO_DECLARANT]
    customs_office: Annotated[Code, TO_DECLARANT]
    due: Annotated[Moment, TO_DECLARANT]


class InspectionPassed(AboutConsignment, Fact):
    """An officer answered the control and found the goods or papers in order."""

    control: Annotated[ControlKind, TO_DECLARANT]
    officer: Annotated[ActorId, INSIDE]
    remarks: Annotated[Remarks, INSIDE] = ""
    revision: Annotated[Revision, TO_DECLARANT] = 0


class InspectionFailed(AboutConsignment, Fact):
    """An officer answered the control, and the goods are refused: they are not in order, or the officer refuses them."""

    control: Annotated[ControlKind, TO_DECLARANT]
    officer: Annotated[ActorId, INSIDE]
    reason: Annotated[Reason, INSIDE]
    revision: Annotated[Revision, TO_DECLARANT] = 0
    phrases: Annotated[Phrases, INSIDE] = ()


class RectificationRequested(AboutConsignment, Fact):
    """An officer found the papers not in order. The declarant must rectify them by `due`, and the officer looks again.

    The goods stay held until the officer finds the papers in order.
    """

    control: Annotated[ControlKind, TO_DECLARANT]
    officer: Annotated[ActorId, INSIDE]
    reason: Annotated[Reason, TO_DECLARANT]
    due: Annotated[Moment, TO_DECLARANT]
    revision: Annotated[Revision, TO_DECLARANT] = 0
    phrases: Annotated[Phrases, TO_DECLARANT] = ()


class RectificationOverdue(AboutConsignment, Fact):
    """The papers were not rectified in time, or the officer has not looked at them again. The goods stay held.

    `since`: when the rectification was requested; `due`: when its time limit ended.
    """

    control: Annotated[ControlKind, TO_DECLARANT]
    since: Annotated[Moment, TO_DECLARANT]
    due: Annotated[Moment, TO_DECLARANT]


class FindingsRetracted(AboutConsignment, Fact):
    """Findings were wrong and no longer stand. The control is open again, with `due` as its new time limit.

    `wrong`: the id of the request that had recorded the findings. If they are corrected, the new answer follows, with the next revision.
    """

    control: Annotated[ControlKind, TO_DECLARANT]
    wrong: Annotated[MessageId, TO_DECLARANT]
    officer: Annotated[ActorId, INSIDE]
    reason: Annotated[Reason, INSIDE]
    due: Annotated[Moment, TO_DECLARANT]
    revision: Annotated[Revision, TO_DECLARANT]


class PestIntercepted(AboutConsignment, Fact):
    """An officer answered the control and found a living pest, so the goods need treatment.

    `pest`: its scientific name. `goods`: the classes of the goods, as the assessment states them.
    """

    control: Annotated[ControlKind, TO_DECLARANT]
    officer: Annotated[ActorId, INSIDE]
    pest: Annotated[Pest, TO_DECLARANT]
    goods: Annotated[GoodsClasses, TO_DECLARANT] = ()
    revision: Annotated[Revision, TO_DECLARANT] = 0


class InspectionOverdue(AboutConsignment, Fact):
    """The control was not answered in time. It stays open and holds the goods.

    `since`: when the control was ordered or last opened again; `due`: when its time limit ended.
    """

    control: Annotated[ControlKind, TO_DECLARANT]
    since: Annotated[Moment, TO_DECLARANT]
    due: Annotated[Moment, TO_DECLARANT]


class InspectionCancelled(AboutConsignment, Fact):
    """The order of this control was cancelled, because the declaration was withdrawn."""

    control: Annotated[ControlKind, TO_DECLARANT]
