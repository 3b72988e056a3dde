"""Which treatment is ordered against pests, and was it carried out as its schedule demands?"""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from schemas.envelope import AboutConsignment, Fact, Message, Request
from schemas.vocabulary import ActorId, Moment, Reason, TreatmentMethod, UnitClass

Origin = str
"""What made the treatment necessary: `risk`, or the control that found the pest (`inspection`, `sampling`, `documents`)."""


class Reading(Message):
    """A reading in the treatment room: `hours` since start; wood core or air temperature in Celsius; gas in g/m3."""

    hours: Annotated[Decimal, Field(ge=0, le=1000, decimal_places=3)]
    temperature_c: Annotated[Decimal, Field(ge=-60, le=200, decimal_places=2)]
    concentration_g_m3: Annotated[Decimal, Field(ge=0, le=1000, decimal_places=3)] | None = None


class RecordTreatment(AboutConsignment, Request):
    """A treatment unit reports a treatment that it carried out. `dose_g_m3`: gas put in; `residue_ppm`: before opening."""

    origin: Origin
    attempt: Annotated[int, Field(ge=1, le=10_000)]
    method: TreatmentMethod
    unit_class: UnitClass
    dose_g_m3: Annotated[Decimal, Field(ge=0, le=1000, decimal_places=3)] | None = None
    residue_ppm: Annotated[Decimal, Field(ge=0, le=100000, decimal_places=3)] | None = None
    readings: tuple[Reading, ...] = Field(max_length=500)


class TreatmentOrdered(AboutConsignment, Fact):
    """Treat by one of `methods` before `due`; `attempt` counts from 1; `pest` is empty where risk ordered it."""

    origin: Origin
    attempt: int
    methods: tuple[TreatmentMethod, ...]
    pest: str
    due: Moment


class TreatmentVerified(AboutConsignment, Fact):
    """The record meets its schedule row; this origin no longer holds the goods."""

    origin: Origin
    attempt: int
    method: TreatmentMethod
    schedule: str
    unit: ActorId


class TreatmentFailed(AboutConsignment, Fact):
    """The record does not meet its schedule; each shortfall is named. A new order or `TreatmentAbandoned` follows."""

    origin: Origin
    attempt: int
    method: TreatmentMethod
    schedule: str
    shortfalls: tuple[Reason, ...]
    unit: ActorId


class TreatmentAbandoned(AboutConsignment, Fact):
    """The last allowed attempt failed: the goods are to be refused (destroyed or returned)."""

    origin: Origin
    attempts: int


class TreatmentOverdue(AboutConsignment, Fact):
    """No treatment was recorded in time; it stays open and holds the goods."""

    origin: Origin
    attempt: int
    since: Moment
    due: Moment


class TreatmentCancelled(AboutConsignment, Fact):
    """The order fell away, because the declaration was withdrawn."""

    origin: Origin
