"""Which treatments are offered for these goods against this pest? If no row of the schedules fits, an officer decides.

The hosts of each genus are from the data sheets of the EPPO Global Database. The pests are from the list of quarantine pests of
China (Ministry of Agriculture, announcement 862 of 2007, and its additions).
"""

from collections.abc import Collection
from datetime import date
from typing import Final

from schemas.codes.schedules import rows_for
from schemas.vocabulary import GoodsClass, TreatmentMethod

_WOOD = frozenset({GoodsClass.WOOD})
_FRUIT = frozenset({GoodsClass.CHERRIES, GoodsClass.CITRUS, GoodsClass.FRUIT})
_GRAIN = frozenset({GoodsClass.GRAIN})
_FLOWERS = frozenset({GoodsClass.CUT_FLOWERS})
HOSTS: Final[dict[str, frozenset[GoodsClass]]] = {
    **dict.fromkeys(
        (
            *("Anoplophora", "Arhopalus", "Bursaphelenchus", "Dendroctonus", "Heterobostrychus", "Hylotrupes", "Ips"),
            *("Lyctus", "Monochamus", "Platypus", "Scolytus", "Sinoxylon", "Sirex", "Tetropium", "Xyleborus"),
        ),
        _WOOD,
    ),
    **dict.fromkeys(("Anastrepha", "Bactrocera", "Ceratitis", "Cydia", "Drosophila", "Rhagoletis"), _FRUIT),
    **dict.fromkeys(("Callosobruchus", "Rhyzopertha", "Sitophilus", "Tribolium", "Trogoderma"), _GRAIN),
    **dict.fromkeys(("Frankliniella", "Liriomyza", "Thrips"), _FLOWERS),
    "Halyomorpha": frozenset({GoodsClass.CONVEYANCE}),
}
"""Genus of a pest → the goods in which it lives or hides. A pest of wood may be in packaging that nobody declared."""


def methods_for(
    goods: Collection[GoodsClass], pest: str, on: date
) -> tuple[GoodsClass, tuple[TreatmentMethod, ...]] | None:
    """Returns the class of the goods that is treated, and the methods for it by the schedules of this day; None if an
    officer must decide.

    `goods`: the classes of goods in the consignment, empty if they are not known; `pest`: the scientific name of the
    pest, empty if no pest was found.
    """
    treated = _infested(goods, _genus(pest))
    if treated is None:
        return None
    methods = [row.method for row in rows_for(treated, on) if not row.pests or _genus(pest) in row.pests]
    return (treated, tuple(methods)) if methods else None


def _infested(goods: Collection[GoodsClass], genus: str) -> GoodsClass | None:
    """Returns the class of goods that is treated: wood for a pest of wood, otherwise the only class in `goods` that can
    carry the pest. Returns None if several classes can carry it or none can, or if some of the goods are alive."""
    if GoodsClass.LIVE in goods:
        return None  # a treatment against the pest would also kill the living goods, so an officer must decide
    hosts = HOSTS.get(genus)
    if hosts == _WOOD:
        return GoodsClass.WOOD
    found = {each for each in goods if each is not GoodsClass.OTHER and (hosts is None or each in hosts)}
    return next(iter(found)) if len(found) == 1 else None


def _genus(pest: str) -> str:
    return next(iter(pest[:200].split()), "").capitalize()
