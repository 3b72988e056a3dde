"""Under which trade modes, by which transport and in which packages do goods come? The code tables of the form (GACC 2018 No.
67).

Source: public copies of these tables of the General Administration of Customs, which name no licence; `schemas.codes.tables` says
which copies, and of which day. The modes of transport and the kinds of package are complete as of that day. New trade modes come
with single announcements, and no public list of all of them was found. So a mode that is not here may well exist, and gives a
warning and no error.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final

from schemas.codes.bilingual import Bilingual
from schemas.codes.rows import rows

TRADE_MODES: Final[Mapping[str, Bilingual]] = rows(
    """
    0110 一般贸易 general trade
    0130 易货贸易 barter trade
    0200 料件销毁 materials destroyed
    0214 来料加工 processing with supplied materials
    0245 来料料件内销 supplied materials sold at home
    0255 来料深加工 supplied materials, further processing
    0258 来料余料结转 supplied materials carried over
    0265 来料料件复出 supplied materials re-exported
    0300 来料料件退换 supplied materials exchanged
    0314 加工专用油 oil for processing
    0320 不作价设备 equipment without price
    0345 来料成品减免 products of supplied materials, duty relief
    0400 边角料销毁 scrap destroyed
    0420 加工贸易设备 equipment for processing trade
    0444 保区进料成品 bonded area, products of imported materials
    0445 保区来料成品 bonded area, products of supplied materials
    0446 加工设备内销 processing equipment sold at home
    0456 加工设备结转 processing equipment carried over
    0466 加工设备退运 processing equipment returned
    0500 减免设备结转 duty-relieved equipment carried over
    0513 补偿贸易 compensation trade
    0544 保区进料料件 bonded area, imported materials
    0545 保区来料料件 bonded area, supplied materials
    0615 进料对口 processing with imported materials
    0642 进料以产顶进 products of imported materials in place of imports
    0644 进料料件内销 imported materials sold at home
    0654 进料深加工 imported materials, further processing
    0657 进料余料结转 imported materials carried over
    0664 进料料件复出 imported materials re-exported
    0700 进料料件退换 imported materials exchanged
    0715 进料非对口 imported materials without a matched contract
    0744 进料成品减免 products of imported materials, duty relief
    0815 低值辅料 auxiliary materials of low value
    0844 进料边角料内销 scrap of imported materials sold at home
    0845 来料边角料内销 scrap of supplied materials sold at home
    0864 进料边角料复出 scrap of imported materials re-exported
    0865 来料边角料复出 scrap of supplied materials re-exported
    1039 市场采购 market procurement
    1139 国轮油物料 oil and stores of Chinese ships
    1200 保税间货物 between bonded places
    1210 保税电商 bonded e-commerce
    1215 保税工厂 bonded factory
    1233 保税仓库货物 bonded warehouse
    1234 保税区仓储转口 bonded area, storage and transit
    1239 保税电商A bonded e-commerce A
    1300 修理物品 goods for repair
    1371 保税维修 bonded repair
    1427 出料加工 outward processing
    1500 租赁不满一年 leased for less than a year
    1523 租赁贸易 leased for a year or more
    1616 寄售代销 consignment sale
    1741 免税品 duty-free goods
    1831 外汇商品 goods sold for foreign exchange
    2025 合资合作设备 equipment of joint ventures
    2210 对外投资 investment abroad
    2225 外资设备物品 equipment of foreign-owned enterprises
    2439 常驻机构公用 for the use of resident offices
    2600 暂时进出货物 temporary
    2700 展览品 exhibits
    2939 陈列样品 display samples
    3010 货样广告品 samples
    3100 无代价抵偿 replacement free of charge
    3339 其他进出口免费 other goods free of charge
    3410 承包工程进口 imports of contracted works
    3422 对外承包出口 exports for works abroad
    3511 援助物资 aid
    3611 无偿军援 military aid
    3612 捐赠物资 donations
    3910 军事装备 military equipment
    4019 边境小额 small border trade
    4039 对台小额 small trade with Taiwan
    4139 对台小额商品交易市场 market for small trade with Taiwan
    4200 驻外机构运回 returned by offices abroad
    4239 驻外机构购进 bought by offices abroad
    4400 来料成品退换 products of supplied materials exchanged
    4500 直接退运 returned directly
    4539 进口溢误卸 overlanded or landed by mistake
    4561 退运货物 returned goods
    4600 进料成品退换 products of imported materials exchanged
    5000 料件进出区 materials into or out of a zone
    5010 特殊区域研发货物 research goods of special areas
    5014 区内来料加工 processing with supplied materials in a zone
    5015 区内进料加工货物 processing with imported materials in a zone
    5033 区内仓储货物 stored in a zone
    5034 区内物流货物 logistics goods of a zone
    5100 成品进出区 products into or out of a zone
    5300 设备进出区 equipment into or out of a zone
    5335 境外设备进区 equipment from abroad into a zone
    5361 区内设备退运 equipment of a zone returned
    6033 物流中心进出境货物 logistics centre, into or out of the country
    9600 内贸货物跨境运输 domestic goods carried across the border
    9610 跨境电商 e-commerce
    9639 海关处理货物 goods disposed of by customs
    9700 后续补税 later payment of duty
    9710 跨境电商B2B直接出口 e-commerce B2B export
    9739 其他贸易 other trade
    9800 租赁征税 duty on lease
    9810 跨境电商出口海外仓 e-commerce to overseas warehouse
    9839 留赠转卖物品 left, given or resold articles
    9900 其他 other
    """
)
MODES_AS_OF: Final = date(2020, 7, 1)
"""The day of the table of trade modes. Modes that were announced later are not in it."""


def is_like_mode(code: str) -> bool:
    """Returns whether the text has the form of a trade mode: four digits."""
    return len(code) == 4 and code.isascii() and code.isdigit()


TRANSPORT_MODES: Final[Mapping[str, Bilingual]] = rows(
    """
    0 非保税区 not from a bonded area
    1 监管仓库 supervised warehouse
    2 水路运输 water
    3 铁路运输 rail
    4 公路运输 road
    5 航空运输 air
    6 邮件运输 post
    7 保税区 bonded area
    8 保税仓库 bonded warehouse
    9 其他方式运输 other
    G 固定设施运输 fixed installation
    H 边境特殊海关作业区 special border area
    L 旅客携带 carried by a traveller
    T 综合试验区 comprehensive pilot area
    W 物流中心 logistics centre
    X 物流园区 logistics park
    Y 保税港区 bonded port area
    Z 出口加工区 export processing zone
    """
)
"""Mode of transport → its names. `TransportMode` has the same codes."""
PACKAGE_KINDS: Final[Mapping[str, Bilingual]] = rows(
    """
    00 散装 bulk
    01 裸装 unpacked
    04 球状罐类 flask
    06 包/袋 bag
    22 纸制或纤维板制盒/箱 carton
    23 木制或竹藤等植物性材料制盒/箱 wooden case
    29 其他材料制盒/箱 other case
    32 纸制或纤维板制桶 fibre drum
    33 木制或竹藤等植物性材料制桶 wooden drum
    39 其他材料制桶 other drum
    92 再生木托 reprocessed wood pallet
    93 天然木托 natural wood pallet
    98 植物性铺垫材料 dunnage
    99 其他包装 other
    """
)
SOLID_WOOD_KINDS: Final = frozenset({"93"})
"""Kinds of package that are solid wood. Reprocessed wood (92: plywood, particle board) is not one of them (ISPM 15:2018, section
2.1)."""
MAYBE_WOOD_KINDS: Final = frozenset({"23", "33", "98"})
"""Kinds of package that are made of wood or of another plant, so it is not certain that they are solid wood."""
NATURAL_WOOD_PACKAGES: Final = frozenset({"23", "33", "93"})
"""Kinds of package that count as wood if a treatment is to be chosen: cases, drums and pallets."""
