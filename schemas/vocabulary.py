"""What does each word of the border mean in this project? The glossary, as types."""

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
"""The namespace of consignment ids."""
_CONSIGNMENTS = CONSIGNMENTS.bytes
_LODGED_AGAIN = UUID("b8a1f0c4-3d52-5e7b-8c16-9e4f2a7d5b02").bytes
"""The namespace of the ids of the second and further consignments of one reference."""


def _text(low: int, high: int, pattern: str | None = None) -> StringConstraints:
    return StringConstraints(min_length=low, max_length=high, pattern=pattern)


CONSIGNMENT_ID = r"^[0-9a-f-]{36}$"
_ID = re.compile(CONSIGNMENT_ID)
ConsignmentId = Annotated[str, _text(36, 36, CONSIGNMENT_ID)]
"""The id of the goods that move under one declaration. It is derived from declarant and reference, so a declaration that is lodged twice
has the same id (see `consignment_id`)."""
DeclarationNo = Annotated[str, _text(18, 18, r"^[0-9]{18}$")]
"""A customs declaration number: 4 digits of the office, 4 of the year, 1 flag (1 import, 0 export), 9 of the serial (GACC 2018 No.
67)."""
ContainerNo = Annotated[str, _text(1, 17), WhenMade(pattern=LINE)]
"""An ISO 6346 container number as a person or program wrote it. Desks check its check digit."""
ContainerName = Annotated[str, WhenMade(min_length=1, max_length=17, pattern=LINE)]
"""A container number as the desks write it in their facts. Older software versions did not bound it."""
WATCHES = "watches"
"""The prefix of the keys under which the release desk keeps the watches of a partition."""
PARTITION_KEY = rf"^{WATCHES}/[0-9]{{1,9}}$"
PartitionKey = Annotated[str, _text(1, 17, PARTITION_KEY)]
"""The key under which messages go to one partition: the first of `watches/0`, `watches/1`, … that Kafka's partitioner
assigns to that partition."""
Reason = Annotated[str, _text(1, 500), WhenMade(pattern=LINES)]
"""The reason for an action, in the words of the person who took it."""
Remarks = Annotated[str, WhenMade(max_length=2000, pattern=LINES)]
"""What a person adds in free words."""
ActorId = Annotated[str, _text(1, 64), WhenMade(pattern=LINE)]
"""The name of who acts: an officer, a treatment unit, a terminal, or a declarant's system."""
Pointer = Annotated[str, _text(0, 200), WhenMade(pattern=LINE)]
"""An RFC 6901 JSON pointer into the declaration, for example `/items/3/hs_code`."""
MessageId = Annotated[str, WhenMade(min_length=1, max_length=200, pattern=LINE)]
"""The id of a message, as in its header `ce_id`."""
OptionalId = Annotated[str, WhenMade(max_length=200, pattern=LINE)]
"""The id of a message; empty if there is none."""
Name = Annotated[str, WhenMade(max_length=64, pattern=LINE)]
"""The name of a kind, a code, a rule or a schedule, as it stands in one of our tables."""
Label = Annotated[str, WhenMade(max_length=100, pattern=LINE)]
"""The name by which people call a place or a gate."""
Pest = Annotated[str, WhenMade(max_length=200, pattern=LINE)]
"""The scientific name of a pest; empty if none was found."""
Moment = Annotated[AwareDatetime, WhenMade(ge=FIRST, le=LAST)]
"""A point in time with its time zone."""
Day = Annotated[date, WhenMade(ge=FIRST_DAY, le=LAST_DAY)]
"""A day of the calendar."""
Money = Annotated[Decimal, Field(max_digits=19, decimal_places=4), WhenMade()]
"""An amount in the currency that another field names."""
Mass = Annotated[Decimal, Field(max_digits=19, decimal_places=5), WhenMade()]
"""A mass in kilograms."""
Quantity = Annotated[Decimal, Field(max_digits=19, decimal_places=5), WhenMade()]
"""A count or a measure in the unit that another field names."""
Revision = Annotated[int, Field(ge=0, le=LARGEST_INTEGER)]
"""The number of a fact among those of one desk about one answer, from 0. The fact with the highest number is the valid one. Facts of
older software versions have no revision, which counts as 0."""
Version = Annotated[int, Field(ge=0, le=LARGEST_INTEGER)]
"""The number of a statement; the highest is the latest. The bounds also apply to stored numbers, because no desk has ever written another
value."""


CHINA = timezone(timedelta(hours=8))
"""China Standard Time. It has no summer time."""


def day_in_china(moment: datetime) -> date:
    """Returns the day in China at this moment. The year in a declaration number, the code tables, the treatment
    schedules and the draw key depend on this day."""
    return moment.astimezone(CHINA).date()


def consignment_id(declarant: str, reference: str, number: int = 1) -> str:
    """Returns the id of the consignment that `declarant` (USCC) calls `reference`. `number`: 1 for the first
    consignment of these two texts. If the declaration of consignment 1 is withdrawn, the next declaration under the
    same texts is for consignment 2, and so on."""
    if number > 1:  # neither number nor declarant has a slash, so this name stands for one declarant and reference only
        return derived_id(_LODGED_AGAIN, f"{number}/{declarant}/{reference}")
    return derived_id(_CONSIGNMENTS, f"{declarant}/{reference}")


def is_consignment_id(key: str) -> bool:
    """Returns whether this can be the id of a consignment. Desks decide about a consignment only under such a key."""
    return _ID.fullmatch(key) is not None


@lru_cache(4096)
def plain_word(text: str) -> str:
    """Returns the letters and digits of the name of a bill or a conveyance, in upper case. Names are compared in this form, so it does
    not matter how they were typed."""
    return "".join([sign for sign in identifier(text).upper() if sign.isalnum()])


def same_word(one: str, other: str) -> bool | None:
    """Returns whether two names mean the same bill or the same conveyance; None if one of the names is not known."""
    left, right = plain_word(one), plain_word(other)
    return None if not left or not right else left == right


def bill_words(bill: str) -> frozenset[str]:
    """Returns the forms (`plain_word`) by which goods of this bill may be looked for. One form is of the whole number.
    If the number names a master and a house bill (`master_house` by air, `master*house` by sea), each of these two has
    a form of its own."""
    return frozenset([plain_word(each) for each in (bill, *re.split(r"[_*]", bill))]) - {""}


def derived_id(namespace: bytes, name: str) -> str:
    """Returns the same text as `uuid.uuid5` (RFC 9562). This function takes half the time of `uuid5`. That matters because an id is made
    for every fact."""
    digest = bytearray(sha1(namespace + name.encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class Direction(StrEnum):
    """Which way the goods cross the border: I import, E export. The customs form has this in its element IEFlag."""

    IMPORT = "I"
    EXPORT = "E"


class TransportMode(StrEnum):
    """How the goods travel; if they cross no border, the kind of place from which they come. The customs form
    has this in its element TrafMode."""

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
    """The credit grade of an enterprise (GACC Order 282, from 2026-04-01). An enterprise of one of the two
    certified grades is an authorised economic operator (AEO)."""

    ADVANCED_CERTIFIED = "advanced_certified"
    CERTIFIED = "certified"
    REGULAR = "regular"
    DISCREDITED = "discredited"
    SERIOUSLY_DISCREDITED = "seriously_discredited"


class Lane(StrEnum):
    """What customs looks at: nothing (green), the papers (yellow), or the goods (red)."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class ControlKind(StrEnum):
    """A control that must be answered before the goods may go."""

    DOCUMENTS = "documents"
    INSPECTION = "inspection"
    SAMPLING = "sampling"
    QUARANTINE = "quarantine"


class TreatmentMethod(StrEnum):
    """A quarantine treatment, by the names of IPPC ISPM 15 and 28."""

    HEAT = "HT"
    METHYL_BROMIDE = "MB"
    SULPHURYL_FLUORIDE = "SF"
    PHOSPHINE = "PH3"
    COLD = "COLD"


class GoodsClass(StrEnum):
    """The class of goods that may carry a pest. The choice of a treatment depends on it (`schemas.codes.goods`).

    `wood` includes the solid wood packaging of other goods. `fruit` is fresh fruit except cherries and citrus, which have schedules of
    their own.
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
    """What an officer decides if no treatment is known: to treat after all, to let the goods pass (for example after isolation), or to
    refuse them."""

    TREAT = "treat"
    CLEAR = "clear"
    REFUSE = "refuse"


class EquipmentEvent(StrEnum):
    """What happened to a container (DCSA track and trace 3.0, equipmentEventTypeCode). `MOVE`, a move within the controlled area, is our
    own."""

    DISCHARGED = "DISC"
    GATED_IN = "GTIN"
    GATED_OUT = "GTOT"
    LOADED = "LOAD"
    STRIPPED = "STRP"
    STUFFED = "STUF"
    MOVED = "MOVE"


class Classifier(StrEnum):
    """Whether an event happened, or is estimated or planned (DCSA eventClassifierCode). Only events that happened change visits."""

    ACTUAL = "ACT"
    ESTIMATED = "EST"
    PLANNED = "PLN"


class ExitGround(StrEnum):
    """Why an officer lets goods leave through the land gate without an import release."""

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
    """Who has to act while a hold is open."""

    DECLARATION = "declaration"
    RISK = "risk"
    INSPECTION = "inspection"
    QUARANTINE = "quarantine"
    CARRIER = "carrier"
    OFFICER = "officer"
    DECLARANT = "declarant"


class StayCode(StrEnum):
    """What a container that must stay waits for. Some of these codes are also codes of the console's answer to *may it
    leave?*, with the same meaning."""

    ALARM = "alarm"
    BOX_HELD = "box_held"
    TO_BE_COUNTED = "to_be_counted"
    NO_VISIT = "no_visit"
    STRIPPED = "stripped"
    NOT_STUFFED = "not_stuffed"
    UNDECLARED = "undeclared"
    NOT_RELEASED = "not_released"

    @property
    def owner(self) -> Owner | None:
        """Returns who has to act. Returns None for the two codes with which the container itself waits for nobody. With
        NOT_RELEASED, each hold on the goods has its own owner. With STRIPPED, the goods were taken out of the
        container, and leave without it."""
        match self:
            case StayCode.ALARM | StayCode.BOX_HELD | StayCode.TO_BE_COUNTED:
                return Owner.OFFICER
            case StayCode.NO_VISIT | StayCode.NOT_STUFFED:
                return Owner.CARRIER
            case StayCode.UNDECLARED:
                return Owner.DECLARANT
            case StayCode.STRIPPED | StayCode.NOT_RELEASED:
                return None


class Severity(StrEnum):
    """How grave a finding is. A declaration with an error is rejected; a declaration that has only warnings is
    accepted."""

    ERROR = "error"
    WARNING = "warning"


class Stage(StrEnum):
    """The state of a consignment, as boards and people see it. The values are stored in rows, so the older spellings
    `controlled` and `treated` stay. `StageName` has clearer names for them."""

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

    @property
    def plain(self) -> "StageName":
        return StageName[self.name]


class StageName(StrEnum):
    """The stage of a consignment by its plain name, for users of the API. The names differ from those of `Stage` where
    an older spelling misleads: goods under control wait for the answer to a control, and goods under treatment for
    their treatment. `StageName(value)` also reads the values of `Stage`."""

    LODGED = "lodged"
    ACCEPTED = "accepted"
    UNDER_CONTROL = "under_control"
    UNDER_TREATMENT = "under_treatment"
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

    @property
    def stage(self) -> Stage:
        return Stage[self.name]

    @classmethod
    def _missing_(cls, value: object) -> "StageName | None":
        return next((stage.plain for stage in Stage if stage.value == value), None)
