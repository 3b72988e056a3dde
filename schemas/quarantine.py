"""Which treatment is ordered against pests, and was it carried out as its schedule demands?"""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from schemas.bounds import LARGEST_INTEGER, LINE, WhenMade
from schemas.envelope import AboutConsignment, Fact, Message, Request
from schemas.vocabulary import ActorId, Moment, Name, Pest, Reason, TreatmentMethod, UnitClass

Origin = Annotated[str, WhenMade(max_length=40, pattern=LINE)]
"""What made the treatment necessary: `risk`, or the control that found the pest (`inspection`, `sampling`, `documents`)."""
Attempt = Annotated[int, Field(ge=1, le=LARGEST_INTEGER)]
"""Counts the treatments that were ordered for one origin, from 1."""


class Reading(Message):
    """A reading in the treatment room: `hours` since start; wood core or air temperature in Celsius; gas in g/m3."""

    hours: Annotated[Decimal, Field(ge=0, le=1000, decimal_places=3), WhenMade()]
    temperature_c: Annotated[Decimal, Field(ge=-60, le=200, decimal_places=2), WhenMade()]
    concentration_g_m3: Annotated[Decimal, Field(ge=0, le=1000, decimal_places=3), WhenMade()] | None = None


class RecordTreatment(AboutConsignment, Request):
    """A treatment unit reports a treatment that it carried out. `dose_g_m3`: gas put in; `residue_ppm`: before opening."""

    origin: Origin
    attempt: Annotated[int, Field(ge=1, le=10_000)]
    method: TreatmentMethod
    unit_class: UnitClass
    dose_g_m3: Annotated[Decimal, Field(ge=0, le=1000, decimal_places=3), WhenMade()] | None = None
    residue_ppm: Annotated[Decimal, Field(ge=0, le=100000, decimal_places=3), WhenMade()] | None = None
    readings: tuple[Reading, ...] = Field(max_length=500)


class TreatmentOrdered(AboutConsignment, Fact):
    """Treat by one of `methods` before `due`; `attempt` counts from 1; `pest` is empty where risk ordered it."""

    origin: Origin
    attempt: Attempt
    methods: Annotated[tuple[TreatmentMethod, ...], WhenMade(max_length=len(TreatmentMethod))]
    pest: Pest
    due: Moment


class TreatmentVerified(AboutConsignment, Fact):
    """The record meets its schedule row; this origin no longer holds the goods."""

    origin: Origin
    attempt: Attempt
    method: TreatmentMethod
    schedule: Name
    unit: ActorId


class TreatmentFailed(AboutConsignment, Fact):
    """The record does not meet its schedule; each shortfall is named. A new order or `TreatmentAbandoned` follows."""

    origin: Origin
    attempt: Attempt
    method: TreatmentMethod
    schedule: Name
    shortfalls: Annotated[tuple[Reason, ...], WhenMade(max_length=20)]
    unit: ActorId


class TreatmentAbandoned(AboutConsignment, Fact):
    """The last allowed attempt failed: the goods are to be refused (destroyed or returned)."""

    origin: Origin
    attempts: Attempt


class TreatmentOverdue(AboutConsignment, Fact):
    """No treatment was recorded in time; it stays open and holds the goods."""

    origin: Origin
    attempt: Attempt
    since: Moment
    due: Moment


class TreatmentCancelled(AboutConsignment, Fact):
    """The order fell away, because the declaration was withdrawn."""

    origin: Origin
