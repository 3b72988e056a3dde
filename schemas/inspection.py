"""What is ordered from officers, and what do they find?"""

from enum import StrEnum

from schemas.declaration import Code
from schemas.envelope import AboutConsignment, Fact, Request
from schemas.risk import GoodsClasses
from schemas.vocabulary import ActorId, ControlKind, Moment, Pest, Reason, Remarks


class FindingsResult(StrEnum):
    """What an officer found: in order, not in order, or a living pest."""

    CONFORM = "conform"
    NOT_CONFORM = "not_conform"
    PEST = "pest"


class RecordFindings(AboutConsignment, Request):
    """An officer answers one ordered control (`documents`, `inspection` or `sampling`). `pest`: scientific name, when found."""

    control: ControlKind
    result: FindingsResult
    pest: Pest = ""
    remarks: Remarks = ""


class InspectionOrdered(AboutConsignment, Fact):
    """An officer must answer this control by `due`."""

    control: ControlKind
    customs_office: Code
    due: Moment


class InspectionPassed(AboutConsignment, Fact):
    """The control was answered: in order."""

    control: ControlKind
    officer: ActorId
    remarks: Remarks = ""


class InspectionFailed(AboutConsignment, Fact):
    """The control was answered: not in order; the goods are refused."""

    control: ControlKind
    officer: ActorId
    reason: Reason


class PestIntercepted(AboutConsignment, Fact):
    """The control was answered: a living pest; the goods need treatment. `goods`: what they are, by the assessment."""

    control: ControlKind
    officer: ActorId
    pest: Pest
    goods: GoodsClasses = ()


class InspectionOverdue(AboutConsignment, Fact):
    """Nobody answered the control in time; it stays open and holds the goods."""

    control: ControlKind
    since: Moment
    due: Moment


class InspectionCancelled(AboutConsignment, Fact):
    """The order fell away, because the declaration was withdrawn."""

    control: ControlKind
