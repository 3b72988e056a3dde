"""Which units count whole things? They are the units of the GACC table (计量单位代码) of which nobody
declares a half.

Dozens, gross, reams and bolts are not here, because they may be split. Units of mass, length, area and
volume are not here, because they measure and do not count.
"""

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
