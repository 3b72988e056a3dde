"""Which country counts as home, and which trade modes exist for one direction only? The direction of a mode follows from the
GACC announcement (监管方式) or from the name that stands beside the mode. Names are quoted from the official list, if the table
has only their short form."""

from types import MappingProxyType
from typing import Final

from schemas.codes.offices import is_sandbox
from schemas.vocabulary import Direction

HOME: Final = "CN"
"""The country to which imports go and from which exports come. Hong Kong, Macao and Taiwan are customs territories of their
own."""
SANDBOX: Final = "QZ"
"""The country that counts as home at the sandbox offices. Data sets from abroad are declared there as if their country
were home. The code is one of those that ISO 3166-1 leaves to users."""
ONE_WAY: Final = MappingProxyType(
    {
        # 内销 in the name means sold at home
        **dict.fromkeys(("0245", "0446", "0644", "0844", "0845"), Direction.IMPORT),
        # 复出 in the name means re-exported
        **dict.fromkeys(("0265", "0664", "0864", "0865"), Direction.EXPORT),
        # for the next codes, the full name shows the direction: 进口, 运回 and 购买运回国 mean import; 退运出境 and 退运境外 mean export
        "0314": Direction.IMPORT,  # 国营贸易企业代理来料加工企业进口柴油
        "0320": Direction.IMPORT,  # 加工贸易外商提供的不作价进口设备
        "0420": Direction.IMPORT,  # 加工贸易项下外商提供的进口设备
        "0466": Direction.EXPORT,  # 加工贸易免税进口设备退运出境
        "2025": Direction.IMPORT,  # 合资合作企业作为投资进口设备物品
        "2225": Direction.IMPORT,  # 外资企业作为投资进口的设备物品
        "2439": Direction.IMPORT,  # 外国常驻机构进口办公用品
        "2939": Direction.IMPORT,  # 驻华商业机构不复运出口的进口陈列样品
        "4200": Direction.IMPORT,  # 我驻外机构运回旧公用物品
        "4239": Direction.IMPORT,  # 我驻外机构境外购买运回国的公务用品
        # The full name of 5033 is 加工区内仓储企业从境外进口的货物, which means imports alone. For related modes whose goods go both
        # ways, the names in the same list (a public copy of April 2018) mention both directions (5010 与境外之间进出的研发货物,
        # 5015 从境外进口料件及加工出口成品, 6033 与境外之间进出仓储货物). Stored goods that go abroad again are declared under 5034; a public
        # example of a list of such goods (出境备案清单) shows this. So an export that is refused under 5033 can be declared
        # under another mode. No text of the GACC about 5033 itself was found.
        "5033": Direction.IMPORT,
        "5335": Direction.IMPORT,  # 加工区内企业从境外进口的设备物资
        "5361": Direction.EXPORT,  # 加工区内设备退运境外
        "1039": Direction.EXPORT,  # market procurement, GACC 2014 No. 54
        "1239": Direction.IMPORT,  # bonded e-commerce A, GACC 2016 No. 75
        "3410": Direction.IMPORT,  # the name is 承包工程进口 (进口: import)
        "3422": Direction.EXPORT,  # the name is 对外承包出口 (出口: export)
        "4539": Direction.IMPORT,  # the name is 进口溢误卸 (进口: import)
        "9710": Direction.EXPORT,  # e-commerce B2B direct export, GACC 2020 No. 75
        "9810": Direction.EXPORT,  # e-commerce to overseas warehouses, GACC 2020 No. 75
    }
)
"""Trade mode → the only direction that its goods may have."""


def homes(office: str) -> frozenset[str]:
    """Returns the countries that count as home at a customs office: imports go to them, and exports come from them."""
    return _SANDBOX_HOMES if is_sandbox(office) else _HOMES


_HOMES = frozenset({HOME})
_SANDBOX_HOMES = frozenset({HOME, SANDBOX})
