"""To which class of goods does an HS code belong? The class says which pests the goods may carry, so the choice of a
treatment depends on it. Each row assigns codes of HS 2022 to a class of goods.

The class of wood is what ISPM 15 regulates: raw and sawn wood and solid wood packaging. Plywood, particle board, veneer
and worked wood of headings 4408, 4410 to 4414 and 4418 to 4421 are exempt (ISPM 15, 2.1), so they are in none of these
classes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from schemas.vocabulary import GoodsClass


@dataclass(frozen=True, slots=True)
class Codes:
    """A row of the table: HS codes that begin with one of `prefixes` are of the class `goods`. If prefixes of several
    rows match, the longest one decides. `effective_from`: the first day of the HS edition with these codes;
    `goods_class` does not use it."""

    goods: GoodsClass
    effective_from: date
    prefixes: tuple[str, ...]


_HS_2022 = date(2022, 1, 1)
TABLE: tuple[Codes, ...] = (
    Codes(GoodsClass.WOOD, _HS_2022, ("4401", "4403", "4404", "4406", "4407", "4409", "4415", "4416")),
    Codes(GoodsClass.CHERRIES, _HS_2022, ("080921", "080929")),
    Codes(GoodsClass.CITRUS, _HS_2022, ("0805",)),
    Codes(GoodsClass.FRUIT, _HS_2022, ("0803", "0804", "0806", "0807", "0808", "0809", "0810")),
    Codes(GoodsClass.GRAIN, _HS_2022, ("0713", "10", "1201", "1202", "1204", "1205", "1206", "1207")),
    Codes(GoodsClass.CUT_FLOWERS, _HS_2022, ("0603", "0604")),
    Codes(GoodsClass.LIVE, _HS_2022, ("01", "0301", "0601", "0602")),
    Codes(GoodsClass.CONVEYANCE, _HS_2022, ("86", "87", "88", "89")),
)


def goods_class(hs_code: str) -> GoodsClass:
    """Returns the class of goods of this HS code (6 to 10 digits). It is `GoodsClass.OTHER` if no row of the table
    matches."""
    known = [(len(prefix), row.goods) for row in TABLE for prefix in row.prefixes if hs_code.startswith(prefix)]
    return max(known, key=lambda each: each[0])[1] if known else GoodsClass.OTHER


def goods_classes(hs_codes: Iterable[str], wood_packaging: bool) -> tuple[GoodsClass, ...]:
    """Returns the classes of these HS codes, each class once, in the order of `GoodsClass`. With `wood_packaging`, wood is
    one of them."""
    found = {goods_class(code) for code in hs_codes}
    if wood_packaging:
        found.add(GoodsClass.WOOD)
    return tuple([each for each in GoodsClass if each in found])
