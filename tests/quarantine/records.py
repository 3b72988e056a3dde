"""Which records do treatment units send in tests? Records that just meet their schedule, and records that do not meet
it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from schemas.quarantine import FIRST_PLACE, Reading, RecordTreatment
from schemas.vocabulary import TreatmentMethod, UnitClass
from tests.voice import NOON

HEAT, BROMIDE = TreatmentMethod.HEAT, TreatmentMethod.METHYL_BROMIDE
FLUORIDE, PHOSPHINE = TreatmentMethod.SULPHURYL_FLUORIDE, TreatmentMethod.PHOSPHINE
COLD = TreatmentMethod.COLD

Row = tuple[str, str] | tuple[str, str, str | None] | tuple[str, str, str | None, str]
"""Hours, degrees Celsius, g/m3 (None or left out without gas), and the sampling place (left out for the first
place)."""

_DAYS = tuple([str(24 * day) for day in range(11)])
GOOD: dict[TreatmentMethod, tuple[Row, ...]] = {
    HEAT: (("0", "20"), ("2", "56"), ("2.25", "57.5"), ("2.5", "56")),
    BROMIDE: (("0", "21", "48"), ("2", "22", "36"), ("4", "22", "31"), ("24", "21", "24")),
    FLUORIDE: (("0", "20", "115"), ("24", "21", "58"), ("48", "20", "29")),
    PHOSPHINE: tuple([(hours, "15", "0.28") for hours in _DAYS]),
    COLD: tuple([(str(hour), "2", None) for hour in range(16 * 24 + 1)]),
}
"""Method → readings that meet its schedule for wood, grain or citrus. Most of them only just meet it."""

RESIDUE: dict[TreatmentMethod, str | None] = {HEAT: None, BROMIDE: "5", FLUORIDE: "5", PHOSPHINE: "0.3", COLD: None}
DOSE: dict[TreatmentMethod, str | None] = {HEAT: None, BROMIDE: "48", FLUORIDE: "120", PHOSPHINE: "1.5", COLD: None}
UNIT: dict[TreatmentMethod, UnitClass] = {HEAT: UnitClass.HEAT, COLD: UnitClass.OTHER}
LONGEST = timedelta(days=30)
"""The time between the starts of two successive attempts."""


def start_of(attempt: int) -> datetime:
    """When this attempt starts. It is later than all orders and records of the earlier attempts."""
    return NOON + LONGEST * attempt


def readings(rows: Iterable[Row]) -> tuple[Reading, ...]:
    """Readings from rows of text."""
    return tuple(
        [
            Reading(
                hours=Decimal(row[0]),
                temperature_c=Decimal(row[1]),
                concentration_g_m3=Decimal(row[2]) if len(row) > 2 and row[2] is not None else None,
                place=row[3] if len(row) > 3 else FIRST_PLACE,
            )
            for row in rows
        ]
    )


def treatment(
    consignment_id: str,
    origin: str,
    attempt: int,
    method: TreatmentMethod,
    rows: Iterable[Row],
    *,
    residue: str | None,
    dose: str | None,
    unit_class: UnitClass | None = None,
    asked_by: str = "unit-3",
    started_at: datetime | None = None,
) -> RecordTreatment:
    """A record with these readings, sent an hour after the last reading. By default the treatment unit has the class
    that the method needs."""
    read = readings(rows)
    began = started_at or start_of(attempt)
    ended = began + timedelta(hours=float(max([each.hours for each in read], default=Decimal(0))))
    return RecordTreatment(
        consignment_id=consignment_id,
        asked_by=asked_by,
        occurred_at=ended + timedelta(hours=1),
        origin=origin,
        attempt=attempt,
        method=method,
        unit_class=unit_class or UNIT.get(method, UnitClass.FUMIGATION),
        dose_g_m3=None if dose is None else Decimal(dose),
        residue_ppm=None if residue is None else Decimal(residue),
        started_at=began,
        readings=read,
    )


def good_treatment(
    consignment_id: str,
    origin: str,
    attempt: int,
    method: TreatmentMethod = HEAT,
    asked_by: str = "unit-3",
    started_at: datetime | None = None,
) -> RecordTreatment:
    """A record that meets its schedule."""
    return treatment(
        consignment_id,
        origin,
        attempt,
        method,
        GOOD[method],
        residue=RESIDUE[method],
        dose=DOSE[method],
        asked_by=asked_by,
        started_at=started_at,
    )


def bad_treatment(
    consignment_id: str, origin: str, attempt: int, method: TreatmentMethod = HEAT, asked_by: str = "unit-3"
) -> RecordTreatment:
    """A record without the last reading. The exposure is therefore too short for every schedule."""
    return treatment(
        consignment_id,
        origin,
        attempt,
        method,
        GOOD[method][:-1],
        residue=RESIDUE[method],
        dose=DOSE[method],
        asked_by=asked_by,
    )
