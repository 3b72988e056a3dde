"""What does each word of the border mean here? The glossary, as types."""

import re
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from hashlib import sha1
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from schemas.bounds import FIRST, FIRST_DAY, LARGEST_INTEGER, LAST, LAST_DAY, LINE, LINES, WhenMade, identifier

CONSIGNMENTS = UUID("6f1d9b1e-5f0e-5c53-9a39-3c1f6b9f0a01")
"""Namespace of consignment ids."""
_CONSIGNMENTS = CONSIGNMENTS.bytes
_LODGED_AGAIN = UUID("b8a1f0c4-3d52-5e7b-8c16-9e4f2a7d5b02").bytes
"""Namespace of the ids of the second and further consignments of one reference."""


def _text(low: int, high: int, pattern: str | None = None) -> StringConstraints:
    return StringConstraints(min_length=low, max_length=high, pattern=pattern)


CONSIGNMENT_ID = r"^[0-9a-f-]{36}$"
_ID = re.compile(CONSIGNMENT_ID)
ConsignmentId = Annotated[str, _text(36, 36, CONSIGNMENT_ID)]
"""The goods that move under one declaration; derived, so that lodging twice names the same goods (see `consignment_id`)."""
DeclarationNo = Annotated[str, _text(18, 18, r"^[0-9]{18}$")]
"""Customs declaration number: 4 office + 4 year + 1 flag (1 import, 0 export) + 9 serial (GACC 2018 No. 67)."""
ContainerNo = Annotated[str, _text(1, 17), WhenMade(pattern=LINE)]
"""An ISO 6346 container number as somebody wrote it; desks check its check digit."""
ContainerName = Annotated[str, WhenMade(min_length=1, max_length=17, pattern=LINE)]
"""The same, as the desks name a container to each other; older software versions did not bound it."""
WATCHES = "watches"
"""The prefix of the keys under which the release desk keeps the watches of a partition."""
PARTITION_KEY = rf"^{WATCHES}/[0-9]{{1,9}}$"
PartitionKey = Annotated[str, _text(1, 17, PARTITION_KEY)]
"""A key that lies in a certain partition: the first of `watches/0`, `watches/1`, … that does."""
Reason = Annotated[str, _text(1, 500), WhenMade(pattern=LINES)]
"""Why a person did it, in that person's words."""
Remarks = Annotated[str, WhenMade(max_length=2000, pattern=LINES)]
"""What a person adds."""
ActorId = Annotated[str, _text(1, 64), WhenMade(pattern=LINE)]
"""Who acts: an officer, a treatment unit, a terminal, a declarant's system."""
Pointer = Annotated[str, _text(0, 200), WhenMade(pattern=LINE)]
"""RFC 6901 JSON pointer into the declaration, e.g. `/items/3/hs_code`."""
MessageId = Annotated[str, WhenMade(min_length=1, max_length=200, pattern=LINE)]
"""The id of a message, as in its header `ce_id`."""
OptionalId = Annotated[str, WhenMade(max_length=200, pattern=LINE)]
"""The id of a message; empty for none."""
Name = Annotated[str, WhenMade(max_length=64, pattern=LINE)]
"""The name of a kind, a code, a rule or a schedule: a row of one of our tables."""
Label = Annotated[str, WhenMade(max_length=100, pattern=LINE)]
"""The name that people give to a place or a gate."""
Pest = Annotated[str, WhenMade(max_length=200, pattern=LINE)]
"""Scientific name of a pest; empty if none was found."""
Moment = Annotated[AwareDatetime, WhenMade(ge=FIRST, le=LAST)]
"""A point in time with its zone."""
Day = Annotated[date, WhenMade(ge=FIRST_DAY, le=LAST_DAY)]
"""A day of the calendar."""
Money = Annotated[Decimal, Field(max_digits=19, decimal_places=4), WhenMade()]
"""Amount in the currency named beside it."""
Mass = Annotated[Decimal, Field(max_digits=19, decimal_places=5), WhenMade()]
"""Kilograms."""
Quantity = Annotated[Decimal, Field(max_digits=19, decimal_places=5), WhenMade()]
"""Count or measure in the unit named beside it."""
Revision = Annotated[int, Field(ge=0, le=LARGEST_INTEGER)]
"""Counts a desk's facts about one answer, from 0; the highest stands. Facts of older software versions have no revision, which
counts as 0."""
Version = Annotated[int, Field(ge=0, le=LARGEST_INTEGER)]
"""Counts statements; the highest is the latest. The bounds also hold for stored ones, because no desk has ever written another
value."""


CHINA = timezone(timedelta(hours=8))
"""China Standard Time, without summer time."""


def day_in_china(moment: datetime) -> date:
    """The day in China at this moment; years, rule tables, schedules and keys go by it."""
    return moment.astimezone(CHINA).date()


def consignment_id(declarant: str, reference: str, number: int = 1) -> str:
    """The id of the consignment that `declarant` (USCC) calls `reference`. The same two texts always give the same id, until the
    declaration is withdrawn. `number`: after a withdrawal, what is lodged under the same texts is the second consignment, and so on."""
    if number > 1:  # neither number nor declarant has a slash, so no other texts can make this name
        return derived_id(_LODGED_AGAIN, f"{number}/{declarant}/{reference}")
    return derived_id(_CONSIGNMENTS, f"{declarant}/{reference}")


def is_consignment_id(key: str) -> bool:
    """Whether this can be the id of a consignment. Desks decide about a consignment only under such a key."""
    return _ID.fullmatch(key) is not None


@lru_cache(4096)
def plain_word(text: str) -> str:
    """The letters and digits of the name of a bill or a conveyance, in upper case. Names are compared in this form, so it does not matter
    how they were typed."""
    return "".join([sign for sign in identifier(text).upper() if sign.isalnum()])


def same_word(one: str, other: str) -> bool | None:
    """Whether two names of a bill or a conveyance mean the same one; None if one of the names is not known."""
    left, right = plain_word(one), plain_word(other)
    return None if not left or not right else left == right


def derived_id(namespace: bytes, name: str) -> str:
    """The text of `uuid.uuid5` (RFC 9562), made in half the time, because one is made for every fact."""
    digest = bytearray(sha1(namespace + name.encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class Direction(StrEnum):
    """Which way the goods cross the border (IEFlag)."""

    IMPORT = "I"
    EXPORT = "E"


class TransportMode(StrEnum):
    """How the goods travel, or from which kind of place they come where they cross no border (TrafMode of the declaration)."""

    WATER = "2"
    RAIL = "3"
    ROAD = "4"
    AIR = "5"
    POST = "6"
    OTHER = "9"
    FIXED_INSTALLATION = "G"
    CARRIED_BY_TRAVELLER = "L"
    NOT_FROM_BONDED_AREA = "0"
    SUPERVISED_WAREHOUSE = "1"
    BONDED_AREA = "7"
    BONDED_WAREHOUSE = "8"
    SPECIAL_BORDER_AREA = "H"
    PILOT_AREA = "T"
    LOGISTICS_CENTRE = "W"
    LOGISTICS_PARK = "X"
    BONDED_PORT_AREA = "Y"
    EXPORT_PROCESSING_ZONE = "Z"


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
    COLD = "COLD"


class GoodsClass(StrEnum):
    """What may carry a pest, as far as the choice of a treatment depends on it (`schemas.codes.goods`).

    Wood is also the solid wood packaging of other goods. Fruit is fresh fruit but cherries and citrus, which have schedules of their own.
    """

    WOOD = "wood"
    CHERRIES = "cherries"
    CITRUS = "citrus"
    FRUIT = "fruit"
    GRAIN = "grain"
    CUT_FLOWERS = "cut_flowers"
    LIVE = "live"
    CONVEYANCE = "conveyance"
    OTHER = "other"


class TreatmentDecision(StrEnum):
    """What an officer decides where no treatment is known: treat after all, let the goods pass (as after isolation), or refuse them."""

    TREAT = "treat"
    CLEAR = "clear"
    REFUSE = "refuse"


class EquipmentEvent(StrEnum):
    """What happened to a container (DCSA track and trace 3.0, equipmentEventTypeCode; MOVE within the controlled area is ours)."""

    DISCHARGED = "DISC"
    GATED_IN = "GTIN"
    GATED_OUT = "GTOT"
    LOADED = "LOAD"
    STRIPPED = "STRP"
    STUFFED = "STUF"
    MOVED = "MOVE"


class Classifier(StrEnum):
    """Whether an event happened, or is expected to (DCSA eventClassifierCode). Only actual events move goods."""

    ACTUAL = "ACT"
    ESTIMATED = "EST"
    PLANNED = "PLN"


class ExitGround(StrEnum):
    """Why an officer lets goods through the land gate that no import release lets out."""

    EXPORT_CANCELLED = "export_cancelled"
    RETURN = "return"
    DESTROY = "destroy"


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
    DECLARANT = "declarant"


class Severity(StrEnum):
    """An error stops the declaration; a warning travels with it."""

    ERROR = "error"
    WARNING = "warning"


class Stage(StrEnum):
    """Where a consignment stands, for boards and people. `controlled` and `treated` are older spellings in rows and answers: the goods
    wait for the answer to a control, or for their treatment."""

    LODGED = "lodged"
    ACCEPTED = "accepted"
    UNDER_CONTROL = "controlled"
    UNDER_TREATMENT = "treated"
    AWAITING_ARRIVAL = "awaiting_arrival"
    HELD = "held"
    PARTLY_RELEASED = "partly_released"
    RELEASED = "released"
    GATED_OUT = "gated_out"
    REJECTED = "rejected"
    REFUSED = "refused"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"
    LEFT_UNRELEASED = "left_unreleased"
    PARKED = "parked"
