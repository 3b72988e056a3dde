"""What does a treatment unit report? Records that meet their schedule exactly, and records that fall short."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from schemas.quarantine import Reading, RecordTreatment
from schemas.vocabulary import TreatmentMethod, UnitClass
from tests.voice import NOON

HEAT, BROMIDE = TreatmentMethod.HEAT, TreatmentMethod.METHYL_BROMIDE
FLUORIDE, PHOSPHINE = TreatmentMethod.SULPHURYL_FLUORIDE, TreatmentMethod.PHOSPHINE

Row = tuple[str, str] | tuple[str, str, str]
"""Hours, Celsius and, where gas is read, g/m3."""

GOOD: dict[TreatmentMethod, tuple[Row, ...]] = {
    HEAT: (("0", "20"), ("2", "56"), ("2.25", "57.5"), ("2.5", "56")),
    BROMIDE: (("0", "21", "48"), ("2", "22", "36"), ("4", "22", "31"), ("24", "21", "24")),
    FLUORIDE: (("0", "20", "115"), ("24", "21", "58"), ("48", "20", "29")),
    PHOSPHINE: (("0", "15", "2"), ("120", "18", "1.5"), ("240", "16", "1")),
}
"""Readings that meet the schedule of their method, most of them just so."""

RESIDUE: dict[TreatmentMethod, str | None] = {HEAT: None, BROMIDE: "5", FLUORIDE: "5", PHOSPHINE: "0.3"}


def readings(rows: Iterable[Row]) -> tuple[Reading, ...]:
    """Readings from rows of text."""
    return tuple(
        Reading(
            hours=Decimal(row[0]),
            temperature_c=Decimal(row[1]),
            concentration_g_m3=Decimal(row[2]) if len(row) == 3 else None,
        )
        for row in rows
    )


def treatment(
    consignment_id: str,
    origin: str,
    attempt: int,
    method: TreatmentMethod,
    rows: Iterable[Row],
    *,
    residue: str | None,
    unit_class: UnitClass | None = None,
    asked_by: str = "unit-3",
    at: datetime = NOON,
) -> RecordTreatment:
    """A record with these readings; without a wish, by a unit of the class that the method needs."""
    fitting = UnitClass.HEAT if method is HEAT else UnitClass.FUMIGATION
    return RecordTreatment(
        consignment_id=consignment_id,
        asked_by=asked_by,
        occurred_at=at,
        origin=origin,
        attempt=attempt,
        method=method,
        unit_class=unit_class or fitting,
        residue_ppm=None if residue is None else Decimal(residue),
        readings=readings(rows),
    )


def good_treatment(
    consignment_id: str,
    origin: str,
    attempt: int,
    method: TreatmentMethod = HEAT,
    asked_by: str = "unit-3",
    at: datetime = NOON,
) -> RecordTreatment:
    """A record that meets its schedule."""
    return treatment(
        consignment_id,
        origin,
        attempt,
        method,
        GOOD[method],
        residue=RESIDUE[method],
        asked_by=asked_by,
        at=at,
    )


def bad_treatment(
    consignment_id: str,
    origin: str,
    attempt: int,
    method: TreatmentMethod = HEAT,
    asked_by: str = "unit-3",
    at: datetime = NOON,
) -> RecordTreatment:
    """A record whose last reading was never taken: too short under every schedule."""
    return treatment(
        consignment_id,
        origin,
        attempt,
        method,
        GOOD[method][:-1],
        residue=RESIDUE[method],
        asked_by=asked_by,
        at=at,
    )
