"""What does each word of the border mean here? The glossary, as types."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID, uuid5

from pydantic import AwareDatetime, Field, StringConstraints

CONSIGNMENTS = UUID("6f1d9b1e-5f0e-5c53-9a39-3c1f6b9f0a01")
"""Namespace of consignment ids."""


def _text(low: int, high: int, pattern: str | None = None) -> StringConstraints:
    return StringConstraints(min_length=low, max_length=high, pattern=pattern)


ConsignmentId = Annotated[str, _text(36, 36, r"^[0-9a-f-]{36}$")]
"""The goods that move under one declaration; derived, so that lodging twice names the same goods (see `consignment_id`)."""
DeclarationNo = Annotated[str, _text(18, 18, r"^[0-9]{18}$")]
"""Customs declaration number: 4 office + 4 year + 1 flag (1 import, 0 export) + 9 serial (GACC 2018 No. 67)."""
ContainerNo = Annotated[str, _text(1, 17)]
"""ISO 6346 container number as somebody wrote it; whether its check digit holds is for the desks to say."""
Reason = Annotated[str, _text(1, 500)]
"""Why a person did it, in that person's words."""
ActorId = Annotated[str, _text(1, 64)]
"""Who acts: an officer, a treatment unit, a terminal, a declarant's system."""
Pointer = Annotated[str, _text(0, 200)]
"""RFC 6901 JSON pointer into the declaration, e.g. `/items/3/hs_code`."""
Moment = AwareDatetime
"""A point in time that knows its zone."""
Money = Annotated[Decimal, Field(max_digits=19, decimal_places=4)]
"""Amount in the currency named beside it."""
Mass = Annotated[Decimal, Field(max_digits=19, decimal_places=5)]
"""Kilograms."""
Quantity = Annotated[Decimal, Field(max_digits=19, decimal_places=5)]
"""Count or measure in the unit named beside it."""


def consignment_id(declarant: str, reference: str) -> str:
    """The consignment that `declarant` (USCC) calls `reference`: the same two words always name the same goods."""
    return str(uuid5(CONSIGNMENTS, f"{declarant}/{reference}"))


class Direction(StrEnum):
    """Which way the goods cross the border (IEFlag)."""

    IMPORT = "I"
    EXPORT = "E"


class TransportMode(StrEnum):
    """How the goods travel (TrafMode of the declaration)."""

    WATER = "2"
    RAIL = "3"
    ROAD = "4"
    AIR = "5"
    POST = "6"
    OTHER = "9"


class CreditGrade(StrEnum):
    """Credit grade of an enterprise (GACC Order 282, from 2026-04-01): both certified grades are AEO."""

    ADVANCED_CERTIFIED = "advanced_certified"
    CERTIFIED = "certified"
    REGULAR = "regular"
    DISCREDITED = "discredited"
    SERIOUSLY_DISCREDITED = "seriously_discredited"


class Lane(StrEnum):
    """How closely customs looks: green nothing, yellow the papers, red the goods."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class ControlKind(StrEnum):
    """What must be answered before the goods may go."""

    DOCUMENTS = "documents"
    INSPECTION = "inspection"
    SAMPLING = "sampling"
    QUARANTINE = "quarantine"


class TreatmentMethod(StrEnum):
    """Quarantine treatment (IPPC ISPM 15 and 28 names)."""

    HEAT = "HT"
    METHYL_BROMIDE = "MB"
    SULPHURYL_FLUORIDE = "SF"
    PHOSPHINE = "PH3"


class UnitClass(StrEnum):
    """What a treatment unit is approved for (AQSIQ Order 181)."""

    SHIP_FUMIGATION = "A"
    FUMIGATION = "B"
    DISINFECTION = "C"
    VECTOR_CONTROL = "D"
    HEAT = "E"
    IRRADIATION = "F"
    OTHER = "G"


class Owner(StrEnum):
    """Whose move it is while a hold is open."""

    DECLARATION = "declaration"
    RISK = "risk"
    INSPECTION = "inspection"
    QUARANTINE = "quarantine"
    CARRIER = "carrier"
    OFFICER = "officer"


class Severity(StrEnum):
    """An error stops the declaration; a warning travels with it."""

    ERROR = "error"
    WARNING = "warning"


class Stage(StrEnum):
    """Where a consignment stands, for boards and people."""

    LODGED = "lodged"
    ACCEPTED = "accepted"
    CONTROLLED = "controlled"
    TREATED = "treated"
    AWAITING_ARRIVAL = "awaiting_arrival"
    HELD = "held"
    RELEASED = "released"
    GATED_OUT = "gated_out"
    REJECTED = "rejected"
    REFUSED = "refused"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"
    PARKED = "parked"
