"""What does a colour mean? `good`: goods may go, or were found in order. `bad`: goods or a request are stopped because of a fault.
`warn`: goods wait for something out of the ordinary, or a time limit ran out. `plain`: none of these."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal

from schemas.vocabulary import Stage

Tone = Literal["good", "warn", "bad", "plain"]
STAGES: Final[Mapping[str, Tone]] = MappingProxyType(
    {
        Stage.LODGED: "plain",
        Stage.ACCEPTED: "plain",
        Stage.UNDER_CONTROL: "plain",
        Stage.AWAITING_ARRIVAL: "plain",
        Stage.WITHDRAWN: "plain",
        Stage.UNDER_TREATMENT: "warn",
        Stage.HELD: "warn",
        Stage.PARTLY_RELEASED: "warn",
        Stage.RELEASED: "good",
        Stage.GATED_OUT: "good",
        Stage.REJECTED: "bad",
        Stage.REFUSED: "bad",
        Stage.REVOKED: "bad",
        Stage.LEFT_UNRELEASED: "bad",
        Stage.PARKED: "bad",
    }
)
_CHOSEN: Final[tuple[tuple[Tone, tuple[str, ...]], ...]] = (
    (
        "good",
        (
            *("DeclarationAccepted", "InspectionPassed", "TreatmentVerified", "TreatmentWaived", "ReleaseGranted"),
            *("ContainerFreed", "ContainerMayLeave"),
        ),
    ),
    (
        "bad",
        (
            *("DeclarationRejected", "RequestRefused", "InspectionFailed", "PestIntercepted", "QuarantineRefused"),
            *("TreatmentFailed", "TreatmentAbandoned", "ReleaseRefused", "ReleaseRevoked", "FactNotProjected"),
            *("ConsignmentLeftUnreleased", "GateAlarmRaised"),
        ),
    ),
    (
        "warn",
        (
            *("DeclarationWaits", "RectificationRequested", "FindingsRetracted", "TreatmentReferred"),
            *("TreatmentRetracted", "TreatmentDecisionRetracted", "InspectionOverdue", "RectificationOverdue"),
            *(
                "TreatmentOverdue",
                "ConsignmentHeld",
                "LiftRetracted",
                "ArrivalRetracted",
                "ContainerHeld",
                "ContainerMustStay",
            ),
            *("ContainerHoldPlaced", "WatchPlaced", "SameGoodsDeclared"),
        ),
    ),
)
KINDS: Final[Mapping[str, Tone]] = MappingProxyType({kind: tone for tone, kinds in _CHOSEN for kind in kinds})
"""Kind of fact → its colour. All other facts, and all requests, are plain."""
BOXES: Final[Mapping[str, Tone]] = MappingProxyType(
    {
        "released": "good",
        "gated_out": "plain",
        "closed": "plain",
        "alarm": "bad",
        **dict.fromkeys(("left_unreleased", "left_undeclared", "empty_left_laden", "departure_not_reported"), "bad"),
    }
)
"""Reason of the gate's answer → its colour. With any other reason the container waits (`warn`)."""
OUTCOMES: Final[Mapping[str, Tone]] = MappingProxyType({"refused": "bad", "parked": "warn"})
_ORDER: Final[tuple[Tone, ...]] = ("bad", "warn", "good")


def of_kind(kind: str, part: bool = False) -> Tone:
    """Returns the colour of a kind of message. `part`: the message is about some of the goods only, and the rest of the goods still
    waits."""
    tone = KINDS.get(kind, "plain")
    return "warn" if part and tone == "good" else tone


def of_box(reason: str) -> Tone:
    return BOXES.get(reason, "warn")


def of_request(outcome: str, answers: Iterable[str]) -> Tone:
    """Returns the colour of a request's outcome. `outcome`: as the API names it; `answers`: the kinds of the facts that answered the
    request. If they have different colours, the worst is returned, because a rejection is an answer, too."""
    if outcome != "answered":
        return OUTCOMES.get(outcome, "plain")
    tones = {of_kind(kind) for kind in answers}
    return next((tone for tone in _ORDER if tone in tones), "plain")
