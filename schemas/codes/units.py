"""In which units may quantities be declared? The units of measure of the form (计量单位代码表), three digits: 123 codes as of 2018-08-01.

Source: public copies of this table of the General Administration of Customs, which name no licence (`schemas.codes.tables` says which).
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from schemas.codes.bilingual import Bilingual
from schemas.codes.rows import rows

UNITS: Final[Mapping[str, Bilingual]] = rows(
    """
    001 台 set
    002 座 stand
    003 辆 vehicle
    004 艘 vessel
    005 架 aircraft
    006 套 suite
    007 个 piece
    008 只 unit
    009 头 head
    010 张 sheet
    011 件 article
    012 支 stick
    013 枝 branch
    014 根 rod
    015 条 strip
    016 把 handful
    017 块 block
    018 卷 roll
    019 副 matched set
    020 片 slice
    021 组 group
    022 份 share
    023 幅 picture
    025 双 pair
    026 对 couple
    027 棵 tree
    028 株 plant
    029 井 well
    030 米 metre
    031 盘 coil
    032 平方米 square metre
    033 立方米 cubic metre
    034 筒 tube
    035 千克 kilogram
    036 克 gram
    037 盆 pot
    038 万个 ten thousand pieces
    039 具 device
    040 百副 hundred matched sets
    041 百支 hundred sticks
    042 百把 hundred handfuls
    043 百个 hundred pieces
    044 百片 hundred slices
    045 刀 quire
    046 疋 bolt of cloth
    047 公担 quintal
    048 扇 leaf
    049 百枝 hundred branches
    050 千只 thousand units
    051 千块 thousand blocks
    052 千盒 thousand boxes
    053 千枝 thousand branches
    054 千个 thousand pieces
    055 亿支 hundred million sticks
    056 亿个 hundred million pieces
    057 万套 ten thousand suites
    058 千张 thousand sheets
    059 万张 ten thousand sheets
    060 千伏安 kilovolt-ampere
    061 千瓦 kilowatt
    062 千瓦时 kilowatt-hour
    063 千升 kilolitre
    067 英尺 foot
    070 吨 tonne
    071 长吨 long ton
    072 短吨 short ton
    073 司马担 picul
    074 司马斤 catty
    075 斤 jin
    076 磅 pound
    077 担 dan
    078 英担 hundredweight
    079 短担 short hundredweight
    080 两 liang
    081 市担 shidan
    083 盎司 ounce
    084 克拉 carat
    085 市尺 chi
    086 码 yard
    088 英寸 inch
    089 寸 cun
    095 升 litre
    096 毫升 millilitre
    097 英加仑 imperial gallon
    098 美加仑 US gallon
    099 立方英尺 cubic foot
    101 立方尺 cubic chi
    110 平方码 square yard
    111 平方英尺 square foot
    112 平方尺 square chi
    115 英制马力 imperial horsepower
    116 公制马力 metric horsepower
    118 令 ream
    120 箱 case
    121 批 lot
    122 罐 can
    123 桶 barrel
    124 扎 bunch
    125 包 bale
    126 箩 gross basket
    127 打 dozen
    128 筐 basket
    129 罗 gross
    130 匹 bolt
    131 册 volume
    132 本 book
    133 发 round
    134 枚 item
    135 捆 bundle
    136 袋 bag
    139 粒 grain
    140 盒 box
    141 合 he
    142 瓶 bottle
    143 千支 thousand sticks
    144 万双 ten thousand pairs
    145 万粒 ten thousand grains
    146 千粒 thousand grains
    147 千米 kilometre
    148 千英尺 thousand feet
    149 百万贝可 megabecquerel
    163 部 apparatus
    164 亿株 hundred million plants
    """
)
KILOGRAMS: Final[Mapping[str, Decimal]] = MappingProxyType(
    {
        "035": Decimal(1),
        "036": Decimal("0.001"),
        "047": Decimal(100),
        "070": Decimal(1000),
        "071": Decimal("1016.0469088"),
        "072": Decimal("907.18474"),
        "073": Decimal("60.478982"),
        "074": Decimal("0.60478982"),
        "075": Decimal("0.5"),
        "076": Decimal("0.45359237"),
        "078": Decimal("50.80234544"),
        "079": Decimal("45.359237"),
        "081": Decimal(50),
        "084": Decimal("0.0002"),
    }
)
"""Unit of mass → its kilograms. The pound is the international pound of 1959. The long hundredweight has 112 pounds,
the short one 100. The jin is half a kilogram (1959), and the shidan has 100 jin. Picul and catty (司马担, 司马斤) are those
of Hong Kong (Cap. 68). Units whose mass depends on the place or the goods (担, 两, 盎司) are left out."""
ENERGY: Final = frozenset({"061", "062"})
"""The units of power and energy. Goods that are counted in them have no mass (electricity, HS 2716)."""
