"""What does each check of the declaration desk say to people?"""

from types import MappingProxyType
from typing import Final

from schemas.codes.bilingual import BilingualCode


class CheckCode(BilingualCode):
    """The code of a finding of a check, with its sentence in both languages. The code travels in `Finding.code`."""

    CONSIGNEE_INVALID = (
        "consignee_invalid",
        "收货人统一社会信用代码有误",
        "the consignee's unified social credit code is not valid (GB 32100)",
    )
    DECLARANT_INVALID = (
        "declarant_invalid",
        "申报单位统一社会信用代码有误",
        "the declarant's unified social credit code is not valid (GB 32100)",
    )
    PARTY_IS_PERSON = (
        "party_is_person",
        "这是公民身份号码，不是统一社会信用代码",
        "this is the number of an identity card, not a unified social credit code",
    )
    DECLARANT_BREAKS_STANDARD = (
        "declarant_breaks_standard",
        "申报单位统一社会信用代码有一处不合标准",
        "one part of the declarant's code breaks the standard (GB 32100)",
    )
    CONSIGNEE_BREAKS_STANDARD = (
        "consignee_breaks_standard",
        "收货人统一社会信用代码有一处不合标准",
        "one part of the consignee's code breaks the standard (GB 32100)",
    )
    OFFICE_UNKNOWN = ("office_unknown", "申报地海关代码不存在", "the customs office is not in the table")
    OFFICE_UNLISTED = (
        "office_unlisted",
        "申报地海关不在本系统代码表中，其直属关区存在",
        "the customs office is not in our table, its district is",
    )
    TRADE_MODE_UNLISTED = (
        "trade_mode_unlisted",
        "监管方式不在本系统代码表中，可能是以后公告新增的",
        "the trade mode is not in our table; it may have been announced later",
    )
    TRADE_MODE_UNKNOWN = ("trade_mode_unknown", "监管方式代码不存在", "the trade mode is not in the table")
    TRANSPORT_MODE_UNKNOWN = ("transport_mode_unknown", "运输方式代码不存在", "the transport mode is not in the table")
    COUNTRY_UNKNOWN = (
        "country_unknown",
        "国家（地区）代码不存在",
        "the country is neither in ISO 3166-1 nor in the form's table",
    )
    COUNTRY_LEFT_OPEN = (
        "country_left_open",
        "国别（地区）不详或仅报大洲",
        "the declaration leaves open which country it is",
    )
    CURRENCY_UNKNOWN = ("currency_unknown", "币制代码不存在", "the currency is not in ISO 4217")
    CURRENCY_DIFFERS = ("currency_differs", "商品币制与表头不一致", "the line's currency differs from the head's")
    UNIT_UNKNOWN = ("unit_unknown", "计量单位代码不存在", "the unit is not in the table")
    PACKAGE_KIND_UNKNOWN = ("package_kind_unknown", "包装种类代码不存在", "the kind of package is not in the table")
    HS_MALFORMED = (
        "hs_malformed",
        "商品编号须为10位数字（沙箱海关6至10位）",
        "an HS code has 10 digits (6 to 10 at a sandbox office)",
    )
    HS_CHAPTER_UNKNOWN = ("hs_chapter_unknown", "商品编号的章不存在", "the HS chapter does not exist")
    HS_CODE_UNKNOWN = (
        "hs_code_unknown",
        "商品编号前六位不在现行协调制度中",
        "the first six digits are no code of the Harmonized System in force",
    )
    DESCRIPTION_MISSING = ("description_missing", "商品名称为空", "the description of the goods is missing")
    ITEMS_MISSING = ("items_missing", "没有商品项", "there is no line of goods")
    ITEMS_TOO_MANY = ("items_too_many", "商品项超过50项", "there are more than 50 lines of goods")
    QUANTITY_NOT_POSITIVE = ("quantity_not_positive", "数量须大于零", "the quantity must be above zero")
    MASS_NOT_POSITIVE = ("mass_not_positive", "重量须大于零", "the mass must be above zero")
    NET_ABOVE_GROSS = ("net_above_gross", "净重大于毛重", "the net mass is above the gross mass")
    NET_MASS_DIFFERS = (
        "net_mass_differs",
        "表体净重合计与表头不符",
        "the lines' net masses do not add up to the head's",
    )
    PRICE_NEGATIVE = ("price_negative", "价格为负", "a price is negative")
    LINE_TOTAL_DIFFERS = (
        "line_total_differs",
        "总价不等于数量乘单价",
        "the line's total is not quantity times unit price",
    )
    INVOICE_TOTAL_DIFFERS = (
        "invoice_total_differs",
        "表体总价合计与发票总额不符",
        "the lines' totals do not add up to the invoice total",
    )
    PACKAGES_MISSING = (
        "packages_missing",
        "件数为零（散装、裸装填1）",
        "the number of packages is zero; bulk and unpacked goods have 1",
    )
    PACKAGES_TOO_MANY = ("packages_too_many", "件数超过9999999", "there are more than 9,999,999 packages")
    TRADE_MODE_OF_OTHER_DIRECTION = (
        "trade_mode_of_other_direction",
        "该监管方式不适用于此进出口方向",
        "the trade mode exists for the other direction only",
    )
    IMPORT_DESTINED_ABROAD = (
        "import_destined_abroad",
        "进口货物的运抵国不是中国",
        "an import goes to another country than China",
    )
    LINE_DESTINED_ABROAD = (
        "line_destined_abroad",
        "进口商品的最终目的国不是中国",
        "a line of an import has another final destination than China",
    )
    EXPORT_DEPARTING_ABROAD = (
        "export_departing_abroad",
        "出口货物的启运国不是中国",
        "an export departs from another country than China",
    )
    CONVEYANCE_MISSING = (
        "conveyance_missing",
        "水路运输缺运输工具名称",
        "goods by water have the name of a ship and its voyage",
    )
    SEA_CONTAINER_BY_AIR = ("sea_container_by_air", "航空运输不载海运集装箱", "no aircraft takes a freight container")
    MASS_BELOW_ONE = ("mass_below_one", "重量不足1千克，表头应填报1", "below 1 kg: the form says 1")
    LINE_ABOVE_GROSS = (
        "line_above_gross",
        "商品净重大于表头毛重",
        "the line is heavier than the gross mass of the head",
    )
    LINES_ABOVE_GROSS = (
        "lines_above_gross",
        "表体净重合计大于毛重",
        "the lines' net masses add up to more than the gross mass",
    )
    QUANTITY_ABOVE_GROSS = (
        "quantity_above_gross",
        "以重量计的数量大于表头毛重",
        "the quantity is in a unit of mass and is more than the gross mass of the head",
    )
    QUANTITY_NOT_WHOLE = (
        "quantity_not_whole",
        "该计量单位的数量须为整数",
        "the quantity is in a unit that counts whole things",
    )
    CONTAINER_OVERLOADED = ("container_overloaded", "集装箱装不下这样的重量", "no container carries so much")
    GROSS_ABOVE_CONVEYANCE = (
        "gross_above_conveyance",
        "该运输方式的任何运输工具都装不下这样的重量",
        "no conveyance of this mode of transport carries so much",
    )
    CONTAINER_HEAVY = (
        "container_heavy",
        "每箱毛重超过36吨",
        "more than 36 t gross in each container, which is what they are rated for (ISO 668)",
    )
    LINE_TOTAL_ROUNDED = (
        "line_total_rounded",
        "总价与数量乘单价之差超出四位小数的舍入，仅在单价所写末位的舍入之内",
        "the line's total is quantity times unit price only if the price is rounded to the places in which it is written",
    )
    INVOICE_TOTAL_ROUNDED = (
        "invoice_total_rounded",
        "发票总额与表体合计之差仅在其所写末位的舍入之内",
        "the lines' totals add up to the invoice total only if that is rounded to the places in which it is written",
    )
    AMOUNT_TOO_FINE = (
        "amount_too_fine",
        "金额的小数位多于该币制的最小单位",
        "the amount has more decimals than its currency",
    )
    ENTRY_DATE_OUT_OF_RANGE = (
        "entry_date_out_of_range",
        "进出境日期早于一年前或晚于60天后",
        "the entry date is more than a year ago or more than 60 days ahead",
    )
    PACKAGES_NEGATIVE = ("packages_negative", "件数为负", "the number of packages is negative")
    DEPARTURE_MISSING = ("departure_missing", "进口申报缺启运国", "an import names where it departed")
    DESTINATION_MISSING = ("destination_missing", "出口申报缺运抵国", "an export names where it goes")
    CONTAINER_TWICE = ("container_twice", "集装箱号重复", "the container is named twice")
    CONTAINER_MALFORMED = (
        "container_malformed",
        "不是集装箱号",
        "this is no number of a container (ISO 6346, EN 13044, or an air container's)",
    )
    CONTAINER_CHECK_DIGIT = (
        "container_check_digit",
        "集装箱号校验码不符",
        "the check digit of the container number does not fit (ISO 6346)",
    )
    BILL_MISSING = ("bill_missing", "缺提运单号", "the bill of lading is missing")
    WOOD_DENIED = (
        "wood_denied",
        "包装种类为天然木托，却申报无实木包装",
        "the package is a natural wood pallet, and solid wood packaging is denied",
    )
    WOOD_NOT_NAMED = (
        "wood_not_named",
        "包装种类可能为实木，却申报无实木包装",
        "the package may be of solid wood, and solid wood packaging is not named",
    )
    ROUTE_WITHOUT_JOURNEY = (
        "route_without_journey",
        "启运国与运抵国相同",
        "the goods depart from the country that they go to",
    )
    LEGAL_QUANTITY_INCOMPLETE = (
        "legal_quantity_incomplete",
        "法定数量与法定单位须同时填写，第二法定数量须在第一之后",
        "a legal quantity goes with its unit, and a second one with a first one",
    )
    LEGAL_QUANTITY_DIFFERS = (
        "legal_quantity_differs",
        "法定数量与成交数量或净重不符",
        "a legal quantity differs from the quantity in the same unit, or from the net mass",
    )
    CONTAINER_NOT_CARRIED = (
        "container_not_carried",
        "该运输方式不载集装箱",
        "goods by this mode of transport do not travel in a freight container",
    )
    QUANTITY_DIFFERS_FROM_MASS = (
        "quantity_differs_from_mass",
        "以重量计的数量与净重不符",
        "the quantity is in a unit of mass and differs from the net mass",
    )


CHECKS: Final = MappingProxyType({code.value: code.text for code in CheckCode})
"""Code of a finding → its sentence in both languages. A fact of a newer software version may have a code that is not
here."""
CONTRADICTIONS: Final = frozenset(
    {
        CheckCode.NET_MASS_DIFFERS,
        CheckCode.WOOD_NOT_NAMED,
        CheckCode.ROUTE_WITHOUT_JOURNEY,
        CheckCode.LINE_DESTINED_ABROAD,
        CheckCode.CONTAINER_NOT_CARRIED,
        CheckCode.QUANTITY_DIFFERS_FROM_MASS,
        CheckCode.LEGAL_QUANTITY_DIFFERS,
        CheckCode.DECLARANT_BREAKS_STANDARD,
        CheckCode.PARTY_IS_PERSON,
        CheckCode.CONSIGNEE_BREAKS_STANDARD,
        CheckCode.CONTAINER_HEAVY,
        CheckCode.GROSS_ABOVE_CONVEYANCE,
        CheckCode.LINE_TOTAL_ROUNDED,
        CheckCode.INVOICE_TOTAL_ROUNDED,
    }
)
"""The codes of warnings because of which an officer reads the papers of an accepted declaration. Most of them say that
two statements of the declaration cannot both be right."""
