"""Which trade modes, units, kinds of package and chapters of goods are known? GACC code tables, a first set."""

from decimal import Decimal
from types import MappingProxyType
from typing import Final

TRADE_MODES: Final = MappingProxyType(
    {
        "0110": "一般贸易 general trade",
        "0214": "来料加工 processing with supplied materials",
        "0615": "进料对口 processing with imported materials",
        "1210": "保税电商 bonded e-commerce",
        "1233": "保税仓库货物 bonded warehouse",
        "1239": "保税电商A bonded e-commerce A",
        "2600": "暂时进出货物 temporary",
        "3010": "货样广告品 samples",
        "9610": "跨境电商 e-commerce",
        "9710": "跨境电商B2B直接出口 e-commerce B2B export",
        "9810": "跨境电商出口海外仓 e-commerce to overseas warehouse",
    }
)
UNITS: Final = MappingProxyType(
    {
        "001": "台 set",
        "003": "辆 vehicle",
        "007": "个 piece",
        "008": "只 piece",
        "011": "件 article",
        "012": "支 stick",
        "015": "份 share",
        "030": "米 metre",
        "032": "平方米 square metre",
        "033": "立方米 cubic metre",
        "035": "千克 kilogram",
        "036": "克 gram",
        "054": "千个 thousand",
        "070": "吨 tonne",
        "095": "升 litre",
        "120": "箱 case",
        "125": "包 bale",
    }
)
PACKAGE_KINDS: Final = MappingProxyType(
    {
        "00": "散装 bulk",
        "01": "裸装 unpacked",
        "04": "球状罐类 flask",
        "06": "包/袋 bag",
        "22": "纸制或纤维板制盒/箱 carton",
        "23": "木制或竹藤等植物性材料制盒/箱 wooden case",
        "29": "其他材料制盒/箱 other case",
        "32": "纸制或纤维板制桶 fibre drum",
        "33": "木制桶 wooden drum",
        "39": "其他材料制桶 other drum",
        "92": "再生木托 reprocessed wood pallet",
        "93": "天然木托 natural wood pallet",
        "98": "植物性铺垫材料 dunnage",
        "99": "其他包装 other",
    }
)
SOLID_WOOD_KINDS: Final = frozenset({"93"})
"""Kinds of package that are solid wood. Reprocessed wood (92: plywood, particle board) is none (ISPM 15:2018, section 2.1)."""
MAYBE_WOOD_KINDS: Final = frozenset({"23", "33", "98"})
"""Kinds of package of wood or of another plant: solid wood or not, the kind alone does not say."""
NATURAL_WOOD_PACKAGES: Final = frozenset({"23", "33", "93"})
"""Kinds of package that are treated as wood where a treatment is chosen: cases, drums and pallets."""
KILOGRAMS: Final = MappingProxyType({"035": Decimal(1), "036": Decimal("0.001"), "070": Decimal(1000)})
"""Units that are a mass, in kilograms."""
CHAPTERS: Final = frozenset([f"{number:02}" for number in range(1, 98) if number != 77] + ["98"])
"""HS 2022 chapters; 77 is reserved, 98 is national use."""
