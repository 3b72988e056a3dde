"""What does each check of the declaration desk say to people?"""

from types import MappingProxyType
from typing import Final, NamedTuple


class Words(NamedTuple):
    """The same sentence in both languages."""

    zh: str
    en: str


CHECKS: Final = MappingProxyType(
    {
        "consignee_invalid": Words(
            "收货人统一社会信用代码有误", "the consignee's unified social credit code is none (GB 32100)"
        ),
        "declarant_invalid": Words(
            "申报单位统一社会信用代码有误", "the declarant's unified social credit code is none (GB 32100)"
        ),
        "party_is_person": Words(
            "这是公民身份号码，不是统一社会信用代码",
            "this is the number of an identity card, not a unified social credit code",
        ),
        "declarant_breaks_standard": Words(
            "申报单位统一社会信用代码有一处不合标准", "one part of the declarant's code breaks the standard (GB 32100)"
        ),
        "consignee_breaks_standard": Words(
            "收货人统一社会信用代码有一处不合标准", "one part of the consignee's code breaks the standard (GB 32100)"
        ),
        "office_unknown": Words("申报地海关代码不存在", "the customs office is not in the table"),
        "office_unlisted": Words(
            "申报地海关不在本系统代码表中，其直属关区存在", "the customs office is not in our table, its district is"
        ),
        "trade_mode_unlisted": Words(
            "监管方式不在本系统代码表中，可能是以后公告新增的",
            "the trade mode is not in our table; it may have been announced later",
        ),
        "trade_mode_unknown": Words("监管方式代码不存在", "the trade mode is not in the table"),
        "transport_mode_unknown": Words("运输方式代码不存在", "the transport mode is not in the table"),
        "country_unknown": Words(
            "国家（地区）代码不存在", "the country is neither in ISO 3166-1 nor in the form's table"
        ),
        "country_left_open": Words("国别（地区）不详或仅报大洲", "the declaration leaves open which country it is"),
        "currency_unknown": Words("币制代码不存在", "the currency is not in ISO 4217"),
        "currency_differs": Words("商品币制与表头不一致", "the line's currency differs from the head's"),
        "unit_unknown": Words("计量单位代码不存在", "the unit is not in the table"),
        "package_kind_unknown": Words("包装种类代码不存在", "the kind of package is not in the table"),
        "hs_malformed": Words(
            "商品编号须为10位数字（沙箱海关6至10位）", "an HS code has 10 digits (6 to 10 at a sandbox office)"
        ),
        "hs_chapter_unknown": Words("商品编号的章不存在", "the HS chapter does not exist"),
        "hs_code_unknown": Words(
            "商品编号前六位不在现行协调制度中", "the first six digits are no code of the Harmonized System in force"
        ),
        "description_missing": Words("商品名称为空", "the description of the goods is missing"),
        "items_missing": Words("没有商品项", "there is no line of goods"),
        "items_too_many": Words("商品项超过50项", "there are more than 50 lines of goods"),
        "quantity_not_positive": Words("数量须大于零", "the quantity must be above zero"),
        "mass_not_positive": Words("重量须大于零", "the mass must be above zero"),
        "net_above_gross": Words("净重大于毛重", "the net mass is above the gross mass"),
        "net_mass_differs": Words("表体净重合计与表头不符", "the lines' net masses do not add up to the head's"),
        "price_negative": Words("价格为负", "a price is negative"),
        "line_total_differs": Words("总价不等于数量乘单价", "the line's total is not quantity times unit price"),
        "invoice_total_differs": Words(
            "表体总价合计与发票总额不符", "the lines' totals do not add up to the invoice total"
        ),
        "packages_missing": Words(
            "件数为零（散装、裸装填1）", "the number of packages is zero; bulk and unpacked goods have 1"
        ),
        "packages_too_many": Words("件数超过9999999", "there are more than 9,999,999 packages"),
        "trade_mode_of_other_direction": Words(
            "该监管方式不适用于此进出口方向", "the trade mode exists for the other direction only"
        ),
        "import_destined_abroad": Words("进口货物的运抵国不是中国", "an import goes to another country than China"),
        "export_departing_abroad": Words(
            "出口货物的启运国不是中国", "an export departs from another country than China"
        ),
        "conveyance_missing": Words("水路运输缺运输工具名称", "goods by water have the name of a ship and its voyage"),
        "sea_container_by_air": Words("航空运输不载海运集装箱", "no aircraft takes a freight container"),
        "mass_below_one": Words("重量不足1千克，表头应填报1", "below 1 kg: the form says 1"),
        "line_above_gross": Words("商品净重大于表头毛重", "the line is heavier than the gross mass of the head"),
        "lines_above_gross": Words("表体净重合计大于毛重", "the lines' net masses add up to more than the gross mass"),
        "quantity_above_gross": Words(
            "以重量计的数量大于表头毛重",
            "the quantity is in a unit of mass and is more than the gross mass of the head",
        ),
        "quantity_not_whole": Words("该计量单位的数量须为整数", "the quantity is in a unit that counts whole things"),
        "container_overloaded": Words("集装箱装不下这样的重量", "no container carries so much"),
        "container_heavy": Words(
            "每箱毛重超过36吨", "more than 36 t gross in each container, which is what they are rated for (ISO 668)"
        ),
        "line_total_rounded": Words(
            "总价与数量乘单价之差超出四位小数的舍入，仅在单价所写末位的舍入之内",
            "the line's total is quantity times unit price only if the price is rounded to the places in which it is written",
        ),
        "invoice_total_rounded": Words(
            "发票总额与表体合计之差仅在其所写末位的舍入之内",
            "the lines' totals add up to the invoice total only if that is rounded to the places in which it is written",
        ),
        "amount_too_fine": Words("金额的小数位多于该币制的最小单位", "the amount has more decimals than its currency"),
        "entry_date_out_of_range": Words(
            "进出境日期早于一年前或晚于60天后", "the entry date is more than a year ago or more than 60 days ahead"
        ),
        "packages_negative": Words("件数为负", "the number of packages is negative"),
        "departure_missing": Words("进口申报缺启运国", "an import names where it departed"),
        "destination_missing": Words("出口申报缺运抵国", "an export names where it goes"),
        "container_twice": Words("集装箱号重复", "the container is named twice"),
        "container_malformed": Words(
            "不是集装箱号", "this is no number of a container (ISO 6346, EN 13044, or an air container's)"
        ),
        "container_check_digit": Words(
            "集装箱号校验码不符", "the check digit of the container number does not fit (ISO 6346)"
        ),
        "bill_missing": Words("缺提运单号", "the bill of lading is missing"),
        "wood_denied": Words(
            "包装种类为天然木托，却申报无实木包装",
            "the package is a natural wood pallet, and solid wood packaging is denied",
        ),
        "wood_not_named": Words(
            "包装种类可能为实木，却申报无实木包装",
            "the package may be of solid wood, and solid wood packaging is not named",
        ),
        "route_without_journey": Words("启运国与运抵国相同", "the goods depart from the country that they go to"),
        "legal_quantity_incomplete": Words(
            "法定数量与法定单位须同时填写，第二法定数量须在第一之后",
            "a legal quantity goes with its unit, and a second one with a first one",
        ),
        "legal_quantity_differs": Words(
            "法定数量与成交数量或净重不符",
            "a legal quantity differs from the quantity in the same unit, or from the net mass",
        ),
        "container_not_carried": Words("邮递运输不载集装箱", "goods by post do not travel in a freight container"),
        "quantity_differs_from_mass": Words(
            "以重量计的数量与净重不符", "the quantity is in a unit of mass and differs from the net mass"
        ),
    }
)
CONTRADICTIONS: Final = frozenset(
    {
        "net_mass_differs",
        "wood_not_named",
        "route_without_journey",
        "container_not_carried",
        "quantity_differs_from_mass",
        "legal_quantity_differs",
        "declarant_breaks_standard",
        "consignee_breaks_standard",
        "container_heavy",
        "line_total_rounded",
        "invoice_total_rounded",
    }
)
"""Warnings that two fields cannot both be right: the declaration stands, and somebody reads the papers."""
