"""Which treatment kills which pest in which goods, and what must a treatment record show? Each row of the table has its source.

If the treatment of some goods changes, a new row with its date is added. A treatment is judged by the rows of the day
on which it was ordered. Goods that no row names (berries, live animals, plants for planting) have no treatment here, so
an officer decides.

Sources, by the mark at each row:

| mark | source |
|---|---|
| ISPM 15 | IPPC ISPM 15, Annex 1: heat, methyl bromide (from 2006-10-01), sulphuryl fluoride; doses are those of its example schedules |
| ISPM 28-24 | IPPC ISPM 28, PT 24: cold treatment for Ceratitis capitata on Citrus sinensis |
| BICON | Australia, BICON, methyl bromide schedules for cherries from the United States, effective 2019-10-01 |
| NAC | Nevada Administrative Code 554.410: methyl bromide for cut flowers (pounds per 1,000 cubic feet and °F, in g/m3 and °C) |
| BMSB | Australia and New Zealand, seasonal measures for Halyomorpha halys: treatment rates for vehicles and machinery |
| GRDC | Australia, Grains Research and Development Corporation: 7 days over 25 °C at 300 ppm, 10 days at 15 to 25 °C at 200 ppm |

These values are taken as generally published, not from the text of the source: the minima, doses and products of methyl bromide
and the dose of sulphuryl fluoride in ISPM 15, all of ISPM 28-24 and BMSB, and the concentrations and the dose of GRDC. Compare
them with the originals before anybody relies on them.

The limits of the gas that may be left before a room is opened are from SN/T 3401-2012. The classes of treatment units
are from AQSIQ Order 181. If a source does not say how far apart readings may lie, the row has a limit of our own. The
treatment unit is responsible for debarking, thickness and moisture of wood, and for the load of a chamber, because the
record does not show them.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from schemas.vocabulary import GoodsClass, TreatmentMethod, UnitClass

READING_GRACE_HOURS = Decimal("0.25")
"""By how many hours a reading may be late if it is required at a certain hour. An earlier reading proves nothing about that hour."""
GAS_UNITS = frozenset({UnitClass.SHIP_FUMIGATION, UnitClass.FUMIGATION})
HEAT_UNITS = frozenset({UnitClass.HEAT})
OTHER_UNITS = frozenset({UnitClass.OTHER})
_DAY = Decimal(24)


@dataclass(frozen=True, slots=True)
class Exposure:
    """A fumigation: the gas acts from hour 0 to hour `hours`. No temperature reading of that time may be below `lowest_c` (°C).

    The other fields are minima. `dose_g_m3`: gas put in; `minima`: (hour, g/m3), the concentration at that hour; `floor_g_m3`: the
    concentration at every reading; `ct`: the product of concentration and time, in g·h/m3.
    """

    lowest_c: Decimal
    hours: Decimal
    dose_g_m3: Decimal
    minima: tuple[tuple[Decimal, Decimal], ...] = ()
    floor_g_m3: Decimal = Decimal(0)
    ct: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class HeldTemperature:
    """A temperature that the goods must have for `hours` without a break: at least `limit_c` (°C); with `below`, at most `limit_c`; with
    `above`, more than `limit_c`.

    `floor_g_m3`: the least gas concentration during these hours; `dose_g_m3`: the least amount of gas to put in. Both are 0 if no gas is
    needed.
    """

    limit_c: Decimal
    hours: Decimal
    below: bool = False
    above: bool = False
    floor_g_m3: Decimal = Decimal(0)
    dose_g_m3: Decimal = Decimal(0)

    def reached(self, celsius: Decimal) -> bool:
        """Returns whether this temperature is within the limit."""
        if self.below:
            return celsius <= self.limit_c
        return celsius > self.limit_c if self.above else celsius >= self.limit_c


Step = Exposure | HeldTemperature


@dataclass(frozen=True, slots=True)
class Plausible:
    """The limits of plausible readings, in °C and g/m3. A value outside them was written in another unit of measure, or is a typing
    error."""

    lowest_c: Decimal
    highest_c: Decimal
    most_g_m3: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: how `goods` are treated by `method` against `pests`, from `effective_from` on. `pests`: genera; empty for
    any pest. `source`: the mark in the table of sources above.

    A record must meet one of `steps` at each of its sampling places. `apart_hours`: the longest time between two readings of one place
    within the exposure. `residue_ppm`: the most gas that may be left before the room is opened; None if there is no gas. `measured`: the
    thing whose temperature is taken.
    """

    schedule: str
    goods: GoodsClass
    method: TreatmentMethod
    effective_from: date
    source: str
    units: frozenset[UnitClass]
    steps: tuple[Step, ...]
    apart_hours: Decimal
    plausible: Plausible
    residue_ppm: Decimal | None = None
    pests: frozenset[str] = frozenset()
    measured: str = "air"


def _bromide_wood(lowest_c: int, dose: int, at_2: int, at_4: int, at_24: int, ct: int) -> Exposure:
    minima = ((Decimal(2), Decimal(at_2)), (Decimal(4), Decimal(at_4)), (_DAY, Decimal(at_24)))
    return Exposure(Decimal(lowest_c), _DAY, Decimal(dose), minima, ct=Decimal(ct))


def _bromide(lowest_c: str, hours: str, dose: int) -> Exposure:
    return Exposure(Decimal(lowest_c), Decimal(hours), Decimal(dose))


def _ending(lowest_c: int, hours: int, dose: int, last: int, ct: int = 0) -> Exposure:
    minima = ((Decimal(hours), Decimal(last)),)
    return Exposure(Decimal(lowest_c), Decimal(hours), Decimal(dose), minima, ct=Decimal(ct))


_WOOD_CORE = Plausible(Decimal(-40), Decimal("99.99"))
_PULP = Plausible(Decimal(-5), Decimal(45))
_BROMIDE_ROOM = Plausible(Decimal(-40), Decimal(60), Decimal(200))
_FLUORIDE_ROOM = Plausible(Decimal(-40), Decimal(60), Decimal(400))
_PHOSPHINE_ROOM = Plausible(Decimal(-40), Decimal(60), Decimal(10))
"""The limits of plausible readings of phosphine. 300 ppm are 0.42 g/m3, so a record of 300 g/m3 was written in ppm."""
_STINK_BUG = frozenset({"Halyomorpha"})
_MEDITERRANEAN_FRUIT_FLY = frozenset({"Ceratitis"})
_FIVE = Decimal(5)

ROWS: tuple[Row, ...] = (
    Row(
        "HT-ISPM15-56C-30min",
        GoodsClass.WOOD,
        TreatmentMethod.HEAT,
        date(2002, 3, 1),
        "ISPM 15",
        HEAT_UNITS,
        (HeldTemperature(Decimal(56), Decimal("0.5")),),
        Decimal("0.25"),
        _WOOD_CORE,
        measured="wood core",
    ),
    Row(
        "MB-ISPM15-24h-2006-10-01",
        GoodsClass.WOOD,
        TreatmentMethod.METHYL_BROMIDE,
        date(2006, 10, 1),
        "ISPM 15",
        GAS_UNITS,
        (
            _bromide_wood(21, 48, 36, 31, 24, 650),
            _bromide_wood(16, 56, 42, 36, 28, 800),
            _bromide_wood(10, 64, 48, 42, 32, 900),
        ),
        # Readings are required at hour 4 and at hour 24, and none in between. The later one may come 15 min late, so two
        # readings may lie 20.25 h apart.
        Decimal("20.25"),
        _BROMIDE_ROOM,
        _FIVE,
    ),
    Row(
        "SF-ISPM15-48h-CT3000",
        GoodsClass.WOOD,
        TreatmentMethod.SULPHURYL_FLUORIDE,
        date(2018, 4, 1),
        "ISPM 15",
        GAS_UNITS,
        (
            Exposure(
                Decimal(20),
                Decimal(48),
                Decimal(120),
                ((Decimal(48), Decimal(29)),),
                floor_g_m3=Decimal(29),
                ct=Decimal(3000),
            ),
        ),
        Decimal("24.25"),
        _FLUORIDE_ROOM,
        _FIVE,
    ),
    Row(
        "MB-cherries-2h-BICON",
        GoodsClass.CHERRIES,
        TreatmentMethod.METHYL_BROMIDE,
        date(2019, 10, 1),
        "BICON",
        GAS_UNITS,
        (
            _bromide("13.9", "2", 48),
            _bromide("12.2", "2", 56),
            _bromide("10.6", "2", 64),
            _bromide("8.3", "2", 72),
        ),
        Decimal(1),
        _BROMIDE_ROOM,
        _FIVE,
        measured="pulp",
    ),
    Row(
        "COLD-ISPM28-PT24",
        GoodsClass.CITRUS,
        TreatmentMethod.COLD,
        date(2017, 4, 1),
        "ISPM 28-24",
        OTHER_UNITS,
        (HeldTemperature(Decimal(2), 16 * _DAY, below=True), HeldTemperature(Decimal(3), 20 * _DAY, below=True)),
        Decimal(1),
        _PULP,
        pests=_MEDITERRANEAN_FRUIT_FLY,
        measured="pulp",
    ),
    Row(
        "PH3-grain-7d-10d",
        GoodsClass.GRAIN,
        TreatmentMethod.PHOSPHINE,
        date(2002, 1, 1),
        "GRDC",
        GAS_UNITS,
        (
            HeldTemperature(Decimal(25), 7 * _DAY, above=True, floor_g_m3=Decimal("0.42"), dose_g_m3=Decimal("1.5")),
            HeldTemperature(Decimal(15), 10 * _DAY, floor_g_m3=Decimal("0.28"), dose_g_m3=Decimal("1.5")),
        ),
        _DAY,
        _PHOSPHINE_ROOM,
        Decimal("0.3"),
        measured="grain",
    ),
    Row(
        "MB-cut-flowers-NAC554.410",
        GoodsClass.CUT_FLOWERS,
        TreatmentMethod.METHYL_BROMIDE,
        date(1971, 4, 2),
        "NAC",
        GAS_UNITS,
        (
            _bromide("22.8", "2.5", 32),
            _bromide("19.5", "2.5", 40),
            _bromide("16.7", "3", 40),
            _bromide("14.5", "3.5", 40),
            _bromide("12.3", "4", 40),
            _bromide("10", "4", 48),
            _bromide("7.8", "4.5", 48),
            _bromide("5.6", "4.5", 56),
            _bromide("3.4", "5", 56),
        ),
        Decimal(1),
        _BROMIDE_ROOM,
        _FIVE,
    ),
    Row(
        "HT-vehicles-BMSB",
        GoodsClass.CONVEYANCE,
        TreatmentMethod.HEAT,
        date(2018, 9, 1),
        "BMSB",
        HEAT_UNITS,
        # 0.166666 h are 10 min, written with as many decimals as a record can have
        (HeldTemperature(Decimal(60), Decimal("0.166666")), HeldTemperature(Decimal(56), Decimal("0.5"))),
        Decimal("0.1"),
        _WOOD_CORE,
        pests=_STINK_BUG,
        measured="coldest surface",
    ),
    Row(
        "MB-vehicles-BMSB",
        GoodsClass.CONVEYANCE,
        TreatmentMethod.METHYL_BROMIDE,
        date(2018, 9, 1),
        "BMSB",
        GAS_UNITS,
        (_ending(10, 12, 24, 12), _ending(10, 24, 24, 8)),
        Decimal("12.25"),
        _BROMIDE_ROOM,
        _FIVE,
        pests=_STINK_BUG,
    ),
    Row(
        "SF-vehicles-BMSB",
        GoodsClass.CONVEYANCE,
        TreatmentMethod.SULPHURYL_FLUORIDE,
        date(2018, 9, 1),
        "BMSB",
        GAS_UNITS,
        (_ending(10, 12, 24, 12, 200), _ending(10, 24, 24, 8, 200)),
        Decimal("12.25"),
        _FLUORIDE_ROOM,
        _FIVE,
        pests=_STINK_BUG,
    ),
)


def rows_for(goods: GoodsClass, on: date) -> tuple[Row, ...]:
    """Returns the rows for these goods that are in force on the day `on`: the latest row for each method and set of pests."""
    latest: dict[tuple[TreatmentMethod, frozenset[str]], Row] = {}
    for row in sorted(ROWS, key=lambda row: row.effective_from):
        if row.goods is goods and row.effective_from <= on:
            latest[row.method, row.pests] = row
    return tuple([row for row in ROWS if row in latest.values()])


def row_for(goods: GoodsClass, method: TreatmentMethod, on: date) -> Row | None:
    """Returns the row by which a treatment record of this method is judged; None if the table has none."""
    return next((row for row in rows_for(goods, on) if row.method is method), None)
