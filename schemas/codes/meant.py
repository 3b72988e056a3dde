"""If somebody writes a name, an abbreviation, or a code of another or of a former table, which code is meant?

These texts look like no code of our tables, so a search for typing errors does not find the code that is meant. The
texts are names that people use in Chinese and English; units of UN/ECE Recommendation 20 and packages of Recommendation
21; currencies and countries that no longer exist, with their successors (ISO 4217, ISO 3166-3); and codes of three
digits that the form had for currencies and countries until 2018.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from schemas.codes import countries, currencies, trade, units
from schemas.codes.bilingual import Bilingual

_CURRENCIES: Final = """
CNY RMB CNH 人民币 人民币元 元 142
USD US$ $ 美元 美金 502
EUR € 欧元 300 ATS BEF BGN CYP DEM EEK ESP FIM FRF GRD HRK IEP ITL LTL LUF LVL MTL NLG PTE SIT SKK
JPY 日元 116
HKD HK$ 港元 港币 110
GBP £ 英镑 303
KRW 韩元 133
TWD NTD NT$ 台币 新台币
SGD 新加坡元 132
CHF 瑞士法郎 331
CAD 加元 501
AUD 澳元 601
RUB RUR 卢布
XCG ANG
ZWG ZWL
VES VEF VEB
SLE SLL
STN STD
BYN BYR
MRU MRO
TRY TRL
RON ROL
AZN AZM
TMT TMM
ZMW ZMK
MZN MZM
GHS GHC
SDG SDD
SRD SRG
AFN AFA
CUP CUC
RSD CSD YUM
"""
_COUNTRIES: Final = """
CN CHINA 中国 142
US AMERICA 美国 502
JP JAPAN 日本 116
KR KOREA 韩国 133
HK 香港 中国香港 110
TW 台湾 中国台湾 143
MO 澳门 中国澳门 121
DE GERMANY 德国 304 DD
GB UK ENGLAND 英国 303
FR FRANCE 法国 305 FX
IT ITALY 意大利 307
RU RUSSIA 俄罗斯 344 SU
VN VIETNAM 越南 141
TH THAILAND 泰国 136
IN INDIA 印度 111
ID INDONESIA 印度尼西亚 印尼 112
MY MALAYSIA 马来西亚 122
SG SINGAPORE 新加坡 132
AU AUSTRALIA 澳大利亚 601
CA CANADA 加拿大 501
GR EL
CD ZR
MM BU
TL TP
RS YU CS
CW AN
SX AN
BQ AN
"""
_UNITS: Final = """
035 KGM KG KGS 公斤
036 GRM G
070 TNE T TON MT 公吨
076 LBR LB LBS
083 ONZ OZ
084 CTM
095 LTR L
096 MLT ML
030 MTR M
032 MTK M2
033 MTQ M3 立方
007 PCE PCS PC EA C62 H87 NMB
011 PCE PCS PC EA C62 H87 NMB
006 SET
025 PR PRS
062 KWH 度
061 KWT KW
127 DZN DOZ
"""
_PACKAGES: Final = """
22 CT CTN CARTON 纸箱
23 CS CASE 木箱
06 BG BAG 袋
39 DR DRUM 桶
93 PX PALLET 托盘 木托
92 PX PALLET 托盘
00 VR BULK 散货
"""
_WAYS: Final = """
2 SEA SHIP VESSEL 海运 水运
3 TRAIN 铁路 火车
4 TRUCK 公路 汽运 陆运
5 PLANE 航空 空运
6 MAIL 邮递 邮寄
"""
Codes = tuple[str, ...]


def _meant(text: str) -> Mapping[str, Codes]:
    """Returns name → the codes that it may mean. `text`: lines of words with blanks between them. The first word of a
    line is a code, and the others are the names that mean it."""
    found: dict[str, Codes] = {}
    for line in text.split("\n"):
        code, *texts = line.split() or [""]
        for each in texts:
            found[each] = (*found.get(each, ()), code)
    return MappingProxyType(found)


MEANT: Final[tuple[tuple[Mapping[str, Bilingual], Mapping[str, Codes]], ...]] = (
    (currencies.NAMES, _meant(_CURRENCIES)),
    (countries.NAMES, _meant(_COUNTRIES)),
    (units.UNITS, _meant(_UNITS)),
    (trade.PACKAGE_KINDS, _meant(_PACKAGES)),
    (trade.TRANSPORT_MODES, _meant(_WAYS)),
)
"""Pairs. The first part is a code table. The second part is: text in capitals → the codes of this table that the text
may mean, the likeliest first."""
