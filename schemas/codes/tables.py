"""Which code tables are there, as of which day, from which source, and are they complete? `dtg codes` shows the answers.

The tables of the form are official lists of the General Administration of Customs. The codes and their Chinese names
are from public copies, which name no licence; the English names are ours. A code was taken if two copies agree on it,
or if only one copy has it because the other copy was made before the code was announced. `lacks` names the codes that
are missing in a table. A code that is not in its table but may well exist gives a warning and no error.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final, NamedTuple

from schemas.codes import countries, currencies, hs, offices, trade, units
from schemas.codes.bilingual import Bilingual

NO_LICENCE: Final = "no licence named"
NO_LICENCE_ZH: Final = "未注明许可"
_COPIES: Final = "GACC code tables of the form (2018 No. 67), by public copies"
_COPIES_ZH: Final = "海关总署公告 2018 年第 67 号代码表，据公开副本"
_FREE: Final = "codes are free to use (ISO)"
_FREE_ZH: Final = "代码可自由使用（ISO）"


class CodeTable(NamedTuple):
    """One table. `names`: code → its name. The name is `NAMELESS` for countries and currencies, whose names come from CLDR.

    `as_of`: the day of the list. `source`, `licence` and `lacks` (what is known to be missing; empty if the table is complete) are in
    English; the fields with `_zh` are the same in Chinese.
    """

    name: str
    title: Bilingual
    names: Mapping[str, Bilingual]
    as_of: date
    source: str
    source_zh: str
    licence: str
    licence_zh: str
    lacks: str = ""
    lacks_zh: str = ""


def tables(day: date) -> Mapping[str, CodeTable]:
    """Returns name → table, for every table in force on this day. If the day is before the first known edition of the HS, there is no table of
    HS codes."""
    edition = hs.edition(day)
    codes_of_goods = edition and CodeTable(
        "hs",
        Bilingual("商品编号（六位）", "HS codes, six digits"),
        edition.names,
        edition.effective_from,
        "github.com/datasets/harmonized-system, commit 905e5a0fa29f",
        "github.com/datasets/harmonized-system，提交 905e5a0fa29f",
        "PDDL 1.0",
        "PDDL 1.0",
        "the national digits (7 to 10) and chapter 98",
        "国内子目（第 7 至 10 位）和第 98 章",
    )
    found = (
        CodeTable(
            "units",
            Bilingual("计量单位", "units of measure"),
            units.UNITS,
            date(2018, 8, 1),
            f"{_COPIES}: github.com/ryanrong95/HXT, github.com/jin123456bat/weigou",
            f"{_COPIES_ZH}：github.com/ryanrong95/HXT、github.com/jin123456bat/weigou",
            NO_LICENCE,
            NO_LICENCE_ZH,
        ),
        CodeTable(
            "trade-modes",
            Bilingual("监管方式", "trade modes"),
            trade.TRADE_MODES,
            trade.MODES_AS_OF,
            f"{_COPIES}: github.com/ryanrong95/HXT, 606212.com; 9710 and 9810: GACC 2020 No. 75",
            f"{_COPIES_ZH}：github.com/ryanrong95/HXT、606212.com；9710 和 9810 据海关总署公告 2020 年第 75 号",
            NO_LICENCE,
            NO_LICENCE_ZH,
            "modes of later announcements; no public list of all of them was found",
            "以后公告新增的监管方式（没有找到完整的公开清单）",
        ),
        CodeTable(
            "transport-modes",
            Bilingual("运输方式", "transport modes"),
            trade.TRANSPORT_MODES,
            date(2018, 8, 1),
            f"{_COPIES}: github.com/ryanrong95/HXT, xhfzs.cn",
            f"{_COPIES_ZH}：github.com/ryanrong95/HXT、xhfzs.cn",
            NO_LICENCE,
            NO_LICENCE_ZH,
        ),
        CodeTable(
            "package-kinds",
            Bilingual("包装种类", "kinds of package"),
            trade.PACKAGE_KINDS,
            date(2018, 8, 1),
            f"{_COPIES}: github.com/ryanrong95/HXT; 98: GACC 2018 No. 67",
            f"{_COPIES_ZH}：github.com/ryanrong95/HXT；98 据海关总署公告 2018 年第 67 号",
            NO_LICENCE,
            NO_LICENCE_ZH,
        ),
        CodeTable(
            "offices",
            Bilingual("关区", "customs offices"),
            offices.OFFICES,
            date(2018, 8, 1),
            "pages of 365area.com and 360docs.net that copy the GACC table",
            "365area.com 和 360docs.net 转载的海关总署关区代码表",
            NO_LICENCE,
            NO_LICENCE_ZH,
            f"{offices.IN_THE_COUNTRY - offices.HELD} of the {offices.IN_THE_COUNTRY:,} offices of the country, among them those of Hefei and "
            "every one from 9000 on; 9001 to 9999 are the sandbox's",
            f"全国 {offices.IN_THE_COUNTRY:,} 个海关中的 {offices.IN_THE_COUNTRY - offices.HELD} 个，其中有合肥关区和 9000 起的全部海关；"
            "9001 至 9999 供沙箱使用",
        ),
        CodeTable(
            "districts",
            Bilingual("直属关区", "customs districts"),
            offices.DISTRICTS,
            date(2018, 8, 1),
            "as of the offices",
            "同关区代码表",
            NO_LICENCE,
            NO_LICENCE_ZH,
            "Hefei, and the five districts from 90 on",
            "合肥，以及 90 起的五个直属关区",
        ),
        CodeTable(
            "countries",
            Bilingual("国别（地区）", "countries and regions"),
            countries.NAMES,
            date(2026, 1, 1),
            f"ISO 3166-1; the form's own codes: {_COPIES}: github.com/ryanrong95/HXT",
            f"ISO 3166-1；填制规范另有的代码：{_COPIES_ZH}：github.com/ryanrong95/HXT",
            _FREE,
            _FREE_ZH,
        ),
        CodeTable(
            "currencies",
            Bilingual("币制", "currencies"),
            currencies.NAMES,
            date(2026, 1, 1),
            "ISO 4217, alphabetic codes of currencies in use",
            "ISO 4217 现行币制的字母代码",
            _FREE,
            _FREE_ZH,
        ),
    )
    return {each.name: each for each in (codes_of_goods, *found) if each}
