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
"""The revision of the `PestIntercepted` that made the treatment necessary; 0 if the risk desk made it necessary. An answer about an
earlier finding does not answer a later one."""

FIRST_PLACE = "1"
"""The sampling place of a reading that names none. Readings in records of older software versions name none."""
MOST_READINGS = 5000
"""How many readings one treatment record may have. This is enough for 24 hours at intervals of a minute at three places, or 48 hours at
one."""
Place = Annotated[str, WhenMade(min_length=1, max_length=20, pattern=LINE)]
"""The name that the treatment unit gives to a sampling place: a gas line or a temperature sensor."""


class Reading(Message):
    """A reading in the treatment room: `hours` since start; wood core, pulp or air temperature in Celsius; gas in g/m3.

    `place`: where it was taken. Six decimals of an hour: a minute is 0.016667 h.
    """

    fields_seen_by: ClassVar[SeenBy | None] = TO_DECLARANT
    hours: Annotated[Decimal, Field(ge=0, le=1000, decimal_places=6), WhenMade()]
    temperature_c: Annotated[Decimal, Field(ge=-60, le=200, decimal_places=2), WhenMade()]
    concentration_g_m3: Annotated[Decimal, Field(ge=0, le=1000, decimal_places=3), WhenMade()] | None = None
    place: Place = FIRST_PLACE


class TreatmentReport(AboutConsignment, Request):
    """What a treatment unit tells of one attempt. `dose_g_m3`: gas put in; `residue_ppm`: before opening.

    `started_at`: hour 0 of the readings. A record without it is read, and refused: it does not prove that the treatment
    followed its order. Records of older software versions have none.
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
    """A treatment unit reports a treatment that it carried out. `dose_g_m3`: gas put in; `residue_ppm`: before opening.

    `started_at`: hour 0 of the readings. A record without it is read, and refused: it does not prove that the treatment
    followed its order. Records of older software versions have none.
    """


class CorrectTreatment(TreatmentReport):
    """A treatment unit replaces a record that was wrong, whole. `wrong`: the id of the request that recorded it, or corrected it
    last; it must be the record of this origin that was judged last, and `attempt` its attempt. `reason`: why it was wrong.
    """

    calls_back: ClassVar[bool] = True
    wrong: Annotated[MessageId, TO_DECLARANT]
    reason: Annotated[Reason, INSIDE]


class RetractTreatment(AboutConsignment, Request):
    """A treatment unit or an officer takes a record back that was wrong: its attempt is in hand again, or does not count.

    `wrong`, `reason`: as in `CorrectTreatment`.
    """

    calls_back: ClassVar[bool] = True
    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    origin: Origin
    wrong: MessageId
    reason: Reason


class TreatmentOrdered(AboutConsignment, Fact):
    """Treat by one of `methods` before `due`; `attempt` counts from 1; `pest` is empty where risk ordered it.

    `goods`: what is treated, whose schedules hold. Orders of older software versions do not say; theirs are those of wood.
    """

    origin: Annotated[Origin, TO_DECLARANT]
    attempt: Annotated[Attempt, TO_DECLARANT]
    methods: Annotated[tuple[TreatmentMethod, ...], WhenMade(max_length=len(TreatmentMethod)), TO_DECLARANT]
    pest: Annotated[Pest, TO_DECLARANT]
    due: Annotated[Moment, TO_DECLARANT]
    goods: Annotated[GoodsClass, TO_DECLARANT] = GoodsClass.WOOD
    finding: Annotated[PestFinding, TO_DECLARANT] = 0


class DecideTreatment(AboutConsignment, Request):
    """An officer decides what becomes of goods for which no treatment is known. To treat, `goods` and `methods` are named.

    `finding`, `revision`: which question it answers. `finding` is that of the `TreatmentReferred`; `revision` is 0, or of a question
    that a `TreatmentDecisionRetracted` opened again, that fact's revision and one. Decisions of older software versions do not say it, and
    answer a first question.
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
    """An officer takes a decision back that was wrong: what becomes of the goods is asked again. `wrong`: the id of the
    `DecideTreatment`; of one to treat, no record must have been judged since. `reason`: why it was wrong.
    """

    calls_back: ClassVar[bool] = True
    fields_seen_by: ClassVar[SeenBy | None] = INSIDE
    origin: Origin
    wrong: MessageId
    reason: Reason


class TreatmentReferred(AboutConsignment, Fact):
    """No treatment is known for these goods against this pest: an officer decides by `due`; until then the goods are held."""

    origin: Annotated[Origin, TO_DECLARANT]
    goods: Annotated[GoodsClasses, TO_DECLARANT]
    pest: Annotated[Pest, TO_DECLARANT]
    due: Annotated[Moment, TO_DECLARANT]
    finding: Annotated[PestFinding, TO_DECLARANT] = 0


class TreatmentWaived(AboutConsignment, Fact):
    """An officer let goods pass for which no treatment is known, as after isolation; this origin no longer holds them."""

    origin: Annotated[Origin, TO_DECLARANT]
    officer: Annotated[ActorId, INSIDE]
    reason: Annotated[Reason, INSIDE]
    finding: Annotated[PestFinding, TO_DECLARANT] = 0
    revision: Annotated[Revision, TO_DECLARANT] = 0


class QuarantineRefused(AboutConsignment, Fact):
    """An officer refused goods for which no treatment is known: they are returned or destroyed."""

    origin: Annotated[Origin, TO_DECLARANT]
    officer: Annotated[ActorId, INSIDE]
    reason: Annotated[Reason, INSIDE]
    finding: Annotated[PestFinding, TO_DECLARANT] = 0
    revision: Annotated[Revision, TO_DECLARANT] = 0


class TreatmentVerified(AboutConsignment, Fact):
    """The record meets its schedule row; this origin no longer holds the goods."""

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
    """The record does not meet its schedule; each shortfall is named. A new order or `TreatmentAbandoned` follows.

    `phrases`: the shortfalls by code and values, one after the other; that of one sampling place follows the phrase which names the place.
    """

    origin: Annotated[Origin, TO_DECLARANT]
    attempt: Annotated[Attempt, TO_DECLARANT]
    method: Annotated[TreatmentMethod, TO_DECLARANT]
    schedule: Annotated[Name, TO_DECLARANT]
    shortfalls: Annotated[tuple[Reason, ...], WhenMade(max_length=MOST_SHORTFALLS), TO_DECLARANT]
    unit: Annotated[ActorId, TO_DECLARANT]
    phrases: Annotated[Shortfalls, TO_DECLARANT] = ()


class TreatmentRetracted(AboutConsignment, Fact):
    """A treatment record was wrong and no longer stands: this origin holds the goods again, until `due` a record is awaited.

    `wrong`: the request that had recorded it. Of a correction, the new verdict follows with the next revision.
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
    """An officer's decision was wrong and no longer stands: it is asked for again until `due`, and the goods are held.

    `wrong`: the request that had decided.
    """

    origin: Annotated[Origin, TO_DECLARANT]
    wrong: Annotated[MessageId, TO_DECLARANT]
    officer: Annotated[ActorId, INSIDE]
    reason: Annotated[Reason, INSIDE]
    due: Annotated[Moment, TO_DECLARANT]
    finding: Annotated[PestFinding, TO_DECLARANT] = 0
    revision: Annotated[Revision, TO_DECLARANT]


class TreatmentAbandoned(AboutConsignment, Fact):
    """The last allowed attempt failed: the goods are to be refused (destroyed or returned), unless its record is taken back."""

    origin: Annotated[Origin, TO_DECLARANT]
    attempts: Annotated[Attempt, TO_DECLARANT]
    finding: Annotated[PestFinding, TO_DECLARANT] = 0
    revision: Annotated[Revision, TO_DECLARANT] = 0


class TreatmentOverdue(AboutConsignment, Fact):
    """No treatment was recorded in time; it stays open and holds the goods."""

    origin: Annotated[Origin, TO_DECLARANT]
    attempt: Annotated[Attempt, TO_DECLARANT]
    since: Annotated[Moment, TO_DECLARANT]
    due: Annotated[Moment, TO_DECLARANT]


class TreatmentCancelled(AboutConsignment, Fact):
    """The order fell away, because the declaration was withdrawn or the pest was a wrong finding."""

    origin: Annotated[Origin, TO_DECLARANT]
