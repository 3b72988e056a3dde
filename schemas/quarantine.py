"""Which treatment is ordered against pests, and was it carried out as its schedule requires?"""

from decimal import Decimal
from operator import not_
from typing import Annotated, ClassVar

from pydantic import Field

from schemas.bounds import LARGEST_INTEGER, LINE, WhenMade
from schemas.envelope import AboutConsignment, Fact, Message, Request
from schemas.marks import INSIDE, TO_DECLARANT, SeenBy
from schemas.phrases import Phrase
from schemas.risk import GoodsClasses
from schemas.vocabulary import (
    ActorId,
    GoodsClass,
    MessageId,
    Moment,
    Name,
    Pest,
    Reason,
    Revision,
    TreatmentDecision,
    TreatmentMethod,
    UnitClass,
)

Origin = Annotated[str, WhenMade(max_length=40, pattern=LINE)]
"""What made the treatment necessary: `risk` (the risk desk), or the control that found the pest (`inspection`, `sampling`,
`documents`)."""
Attempt = Annotated[int, Field(ge=1, le=LARGEST_INTEGER)]
"""The number of a treatment among those that were ordered for one origin, from 1."""
PestFinding = Revision
"""The revision of the `PestIntercepted` that made the treatment necessary; 0 if the risk desk made it necessary. An answer to an earlier
finding does not answer a later one."""

FIRST_PLACE = "1"
"""The sampling place of a reading that names none. Readings in records of older software versions name none."""
MOST_READINGS = 5000
"""How many readings one treatment record may have. This is enough for 24 hours at intervals of a minute at three places, or 48 hours at
one."""
SamplingPlace = Annotated[str, WhenMade(min_length=1, max_length=20, pattern=LINE)]
"""The name that the treatment unit gives to a sampling place: a gas line or a temperature sensor."""


class Reading(Message):
    """A reading in the treatment room.

    `hours`: hours since the start, with up to six decimals (a minute is 0.016667). `temperature_c`: the temperature of the wood core, the
    pulp or the air, in degrees Celsius. `concentration_g_m3`: the concentration of the gas, in g/m3; null if no gas is used. `place`: the
    sampling place, a gas line or a sensor, by the name that the treatment unit gives it.
    """

    fields_seen_by: ClassVar[SeenBy | None] = TO_DECLARANT
    hours: Annotated[Decimal, Field(ge=0, le=1000, decimal_places=6), WhenMade()]
    temperature_c: Annotated[Decimal, Field(ge=-60, le=200, decimal_places=2), WhenMade()]
    concentration_g_m3: Annotated[Decimal, Field(ge=0, le=1000, decimal_places=3), WhenMade()] | None = None
    place: SamplingPlace = FIRST_PLACE


class TreatmentReport(AboutConsignment, Request):
    """A treatment unit's record of one attempt.

    `origin`, `attempt`: the order that was carried out. `dose_g_m3`: the gas that was put in, in g/m3; `residue_ppm`: the gas that was left
    before the room was opened, in ppm. `started_at`: the time of hour 0 of the readings. A record without it is refused, because it does
    not prove that the treatment came after its order. Stored records of older software versions have none.
    """

    origin: Annotated[Origin, TO_DECLARANT]
    attempt: Annotated[int, Field(ge=1, le=10_000), TO_DECLARANT]
    method: Annotated[TreatmentMethod, TO_DECLARANT]
    unit_class: Annotated[UnitClass, TO_DECLARANT]
    dose_g_m3: Annotated[
        Annotated[Decimal, Field(ge=0, le=1000, decimal_places=3), WhenMade()] | None, TO_DECLARANT
    ] = None
    residue_ppm: Annotated[
        Annotated[Decimal, Field(ge=0, le=100000, decimal_places=3), WhenMade()] | None, TO_DECLARANT
    ] = None
    started_at: Annotated[Moment | None, TO_DECLARANT] = None
    readings: Annotated[tuple[Reading, ...], TO_DECLARANT] = Field(max_length=MOST_READINGS)


class RecordTreatment(TreatmentReport):
    """A treatment unit reports a treatment that it carried out.

    `origin`, `attempt`: the order that was carried out. `dose_g_m3`: the gas that was put in, in g/m3; `residue_ppm`: the gas that was left
    before the room was opened, in ppm. `started_at`: the time of hour 0 of the readings. A record without it is refused, because it does
    not prove that the treatment came after its order. Stored records of older software versions have none.
    """


class CorrectTreatment(TreatmentReport):
    """A treatment unit replaces a wrong record as a whole.

    `wrong`: the id of the request with the wrong record, or of its last correction. Only the record of this origin that
    was judged last can be corrected. `attempt`: the attempt of that record. `reason`: why the record was wrong. The
    other fields are those of `RecordTreatment`.
    """

    calls_back: ClassVar[bool] = True
    wrong: Annotated[MessageId, TO_DECLARANT]
    reason: Annotated[Reason, INSIDE]


class RetractTreatment(AboutConsignment, Request):
    """A treatment unit or an officer takes a wrong record back, so that its attempt is open again.

    If the next attempt was ordered meanwhile, that one stays open instead. `wrong`, `reason`: as in `CorrectTreatment`.
    """

    calls_back: ClassVar[bool] = True
    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    origin: Origin
    wrong: MessageId
    reason: Reason


class TreatmentOrdered(AboutConsignment, Fact):
    """The goods must be treated by one of `methods` before `due`.

    `origin`: what made the treatment necessary. `attempt`: the number of this attempt, from 1. `pest`: the scientific name of the pest;
    empty if the risk desk made the treatment necessary. `goods`: the class of the goods, whose schedules apply. Orders of older software
    versions have no class, so the schedules of wood apply. `finding`: the revision of the `PestIntercepted`; 0 if there is none.
    """

    origin: Annotated[Origin, TO_DECLARANT]
    attempt: Annotated[Attempt, TO_DECLARANT]
    methods: Annotated[tuple[TreatmentMethod, ...], WhenMade(max_length=len(TreatmentMethod)), TO_DECLARANT]
    pest: Annotated[Pest, TO_DECLARANT]
    due: Annotated[Moment, TO_DECLARANT]
    goods: Annotated[GoodsClass, TO_DECLARANT] = GoodsClass.WOOD
    finding: Annotated[PestFinding, TO_DECLARANT] = 0


class DecideTreatment(AboutConsignment, Request):
    """An officer decides what happens to goods for which no treatment is known. To order a treatment, `goods` and `methods` are given.

    `finding`, `revision`: the question that is answered. `finding` is that of the `TreatmentReferred`. `revision` is 0; if a
    `TreatmentDecisionRetracted` asked the question again, it is the revision of that fact plus one. Requests of older software versions
    have neither, so both count as 0.
    """

    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    origin: Origin
    decision: TreatmentDecision
    goods: GoodsClass | None = None
    methods: Annotated[tuple[TreatmentMethod, ...], Field(max_length=len(TreatmentMethod))] = ()
    reason: Reason
    finding: PestFinding = 0
    revision: Revision = 0


class RetractTreatmentDecision(AboutConsignment, Request):
    """An officer takes a wrong decision back, so that an officer must decide again.

    `wrong`: the id of the `DecideTreatment`; `reason`: why it was wrong. If a treatment was decided and its record was judged, the request
    is refused.
    """

    calls_back: ClassVar[bool] = True
    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    origin: Origin
    wrong: MessageId
    reason: Reason


class TreatmentReferred(AboutConsignment, Fact):
    """No treatment is known for these goods against this pest, so an officer must decide by `due`. The goods stay held until then."""

    origin: Annotated[Origin, TO_DECLARANT]
    goods: Annotated[GoodsClasses, TO_DECLARANT]
    pest: Annotated[Pest, TO_DECLARANT]
    due: Annotated[Moment, TO_DECLARANT]
    finding: Annotated[PestFinding, TO_DECLARANT] = 0


class TreatmentWaived(AboutConsignment, Fact):
    """An officer let goods pass for which no treatment is known, for example after isolation. This origin no longer holds them."""

    origin: Annotated[Origin, TO_DECLARANT]
    officer: Annotated[ActorId, INSIDE]
    reason: Annotated[Reason, INSIDE]
    finding: Annotated[PestFinding, TO_DECLARANT] = 0
    revision: Annotated[Revision, TO_DECLARANT] = 0


class QuarantineRefused(AboutConsignment, Fact):
    """An officer refused goods for which no treatment is known, so they must be returned or destroyed."""

    origin: Annotated[Origin, TO_DECLARANT]
    officer: Annotated[ActorId, INSIDE]
    reason: Annotated[Reason, INSIDE]
    finding: Annotated[PestFinding, TO_DECLARANT] = 0
    revision: Annotated[Revision, TO_DECLARANT] = 0


class TreatmentVerified(AboutConsignment, Fact):
    """The record of the treatment meets its schedule, so this origin no longer holds the goods.

    `schedule`: the name of the row of `schemas.codes.schedules`; `unit`: who sent the record.
    """

    origin: Annotated[Origin, TO_DECLARANT]
    attempt: Annotated[Attempt, TO_DECLARANT]
    method: Annotated[TreatmentMethod, TO_DECLARANT]
    schedule: Annotated[Name, TO_DECLARANT]
    unit: Annotated[ActorId, TO_DECLARANT]
    finding: Annotated[PestFinding, TO_DECLARANT] = 0
    revision: Annotated[Revision, TO_DECLARANT] = 0


MOST_SHORTFALLS = 20
Shortfalls = Annotated[tuple[Phrase, ...], WhenMade(max_length=2 * MOST_SHORTFALLS), Field(exclude_if=not_)]
"""The shortfalls of a treatment record. Each is one phrase, or two if the first one names the sampling place."""


class TreatmentFailed(AboutConsignment, Fact):
    """The record of the treatment does not meet its schedule.

    Another `TreatmentOrdered`, or `TreatmentAbandoned`, follows, unless the record corrects an earlier one and the next
    attempt was ordered already.

    `shortfalls`: the requirements that the record does not meet, as English sentences. `phrases`: the same shortfalls
    as codes and values, in the same order; if a shortfall is about one sampling place, a phrase that names the place
    comes before it.
    """

    origin: Annotated[Origin, TO_DECLARANT]
    attempt: Annotated[Attempt, TO_DECLARANT]
    method: Annotated[TreatmentMethod, TO_DECLARANT]
    schedule: Annotated[Name, TO_DECLARANT]
    shortfalls: Annotated[tuple[Reason, ...], WhenMade(max_length=MOST_SHORTFALLS), TO_DECLARANT]
    unit: Annotated[ActorId, TO_DECLARANT]
    phrases: Annotated[Shortfalls, TO_DECLARANT] = ()


class TreatmentRetracted(AboutConsignment, Fact):
    """A treatment record was wrong and no longer stands. This origin holds the goods again and awaits a record until `due`.

    `wrong`: the id of the request with that record. If the record was corrected, the new verdict follows, with the next
    revision.
    """

    origin: Annotated[Origin, TO_DECLARANT]
    attempt: Annotated[Attempt, TO_DECLARANT]
    wrong: Annotated[MessageId, TO_DECLARANT]
    retracted_by: Annotated[ActorId, INSIDE]
    reason: Annotated[Reason, INSIDE]
    due: Annotated[Moment, TO_DECLARANT]
    finding: Annotated[PestFinding, TO_DECLARANT] = 0
    revision: Annotated[Revision, TO_DECLARANT]


class TreatmentDecisionRetracted(AboutConsignment, Fact):
    """An officer's decision was wrong and no longer stands. An officer must decide again by `due`, and the goods are held.

    `wrong`: the id of the request with that decision.
    """

    origin: Annotated[Origin, TO_DECLARANT]
    wrong: Annotated[MessageId, TO_DECLARANT]
    officer: Annotated[ActorId, INSIDE]
    reason: Annotated[Reason, INSIDE]
    due: Annotated[Moment, TO_DECLARANT]
    finding: Annotated[PestFinding, TO_DECLARANT] = 0
    revision: Annotated[Revision, TO_DECLARANT]


class TreatmentAbandoned(AboutConsignment, Fact):
    """The last allowed attempt failed, so the goods must be destroyed or returned, unless its record is taken back.

    `attempts`: how many attempts were made.
    """

    origin: Annotated[Origin, TO_DECLARANT]
    attempts: Annotated[Attempt, TO_DECLARANT]
    finding: Annotated[PestFinding, TO_DECLARANT] = 0
    revision: Annotated[Revision, TO_DECLARANT] = 0


class TreatmentOverdue(AboutConsignment, Fact):
    """No treatment was recorded in time, or no officer decided about a `TreatmentReferred` in time.

    The goods stay held. `since`: when the treatment was ordered or the officer was asked; `due`: when the limit ended.
    """

    origin: Annotated[Origin, TO_DECLARANT]
    attempt: Annotated[Attempt, TO_DECLARANT]
    since: Annotated[Moment, TO_DECLARANT]
    due: Annotated[Moment, TO_DECLARANT]


class TreatmentCancelled(AboutConsignment, Fact):
    """The treatment was cancelled, because the declaration was withdrawn or the finding of the pest was retracted."""

    origin: Annotated[Origin, TO_DECLARANT]
