"""Which units count whole things, and how many things is one unit? The units are those of the GACC table (计量单位代码).

Nobody declares half a piece, and so nobody declares 0.0001 hundred pieces, which is a hundredth of a piece. Dozens,
gross, reams and bolts are not here, because they may be split. Units of mass, length, area and volume are not here,
because they measure and do not count.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

COUNTED: Final = frozenset(
    [
        "001",
        "002",
        "003",
        "004",
        "005",
        "006",
        "007",
        "008",
        "009",
        "010",
        "011",
        "012",
        "013",
        "014",
        "015",
        "016",
        "017",
        "018",
        "019",
        "020",
        "021",
        "022",
        "023",
        "025",
        "026",
        "027",
        "028",
        "029",
        "031",
        "034",
        "037",
        "039",
        "048",
        "120",
        "121",
        "122",
        "123",
        "124",
        "125",
        "126",
        "128",
        "131",
        "132",
        "133",
        "134",
        "135",
        "136",
        "139",
        "140",
        "141",
        "142",
        "163",
    ]
)
"""The units that count single things."""
THINGS: Final[Mapping[str, int]] = MappingProxyType(
    {
        **dict.fromkeys(COUNTED, 1),
        **dict.fromkeys(("040", "041", "042", "043", "044", "049"), 100),
        **dict.fromkeys(("050", "051", "052", "053", "054", "058", "143", "146"), 1000),
        **dict.fromkeys(("038", "057", "059", "144", "145"), 10_000),
        **dict.fromkeys(("055", "056", "164"), 100_000_000),
    }
)
"""Unit → how many whole things it counts: 1 for a piece, 100 for a hundred pieces."""
