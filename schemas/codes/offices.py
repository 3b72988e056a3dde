"""Which customs offices are known? The rows are from the table of customs offices (关区代码表): two digits of the district, two of
the office.

Source: pages of 365area.com and 360docs.net that copy the table of the General Administration of Customs, as of about 2018. They
name no licence. The table has 1,006 codes (365area.com), but only the codes below could be read. So an office that is not here
may well exist. If its district is here, the finding is a warning and no error. Hefei is in no list that could be read, so its
offices are unknown.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from schemas.codes.bilingual import Bilingual
from schemas.codes.rows import rows

DISTRICTS: Final[Mapping[str, Bilingual]] = rows(
    """
    01 北京 Beijing
    02 天津 Tianjin
    04 石家庄 Shijiazhuang
    05 太原 Taiyuan
    06 满洲里 Manzhouli
    07 呼和浩特 Hohhot
    08 沈阳 Shenyang
    09 大连 Dalian
    15 长春 Changchun
    19 哈尔滨 Harbin
    22 上海 Shanghai
    23 南京 Nanjing
    29 杭州 Hangzhou
    31 宁波 Ningbo
    35 福州 Fuzhou
    37 厦门 Xiamen
    40 南昌 Nanchang
    42 青岛 Qingdao
    43 济南 Jinan
    46 郑州 Zhengzhou
    47 武汉 Wuhan
    49 长沙 Changsha
    51 广州 Guangzhou
    52 黄埔 Huangpu
    53 深圳 Shenzhen
    57 拱北 Gongbei
    60 汕头 Shantou
    64 海口 Haikou
    67 湛江 Zhanjiang
    68 江门 Jiangmen
    72 南宁 Nanning
    79 成都 Chengdu
    80 重庆 Chongqing
    83 贵阳 Guiyang
    86 昆明 Kunming
    88 拉萨 Lhasa
    """
)
"""District → its names. The five districts from 90 on are left out, because in this project their codes belong to the
sandbox."""
_LISTED: Final = rows(
    """
    0101 机场货管
    0102 京监管处
    0103 京关展览
    0104 京关保税
    0105 京涉外处
    0106 京关关税
    0107 机场库区
    0109 机场旅检
    0110 平谷海关
    0112 京邮办处
    0113 京中关村
    0114 京国际局
    0115 京东郊站
    0116 机场货二
    0117 京开发区
    0118 十八里店
    0119 旅检征税
    0201 天津海关
    0202 新港海关
    0203 津开发区
    0204 东港海关
    0205 津塘沽办
    0206 津驻邮办
    0207 津机场办
    0208 津保税区
    0209 蓟县海关
    0210 武清海关
    0401 石家庄关
    0402 秦皇岛关
    0403 唐山海关
    0801 沈阳海关
    0802 锦州海关
    0803 沈驻邮办
    0804 沈驻抚顺
    0805 沈开发区
    0806 沈驻辽阳
    0807 沈机场办
    0808 沈综保区
    0809 沈快件
    0810 葫芦岛关
    0811 辽沈加区
    0812 沈张出加
    0813 沈阳物流
    0901 大连港湾
    0902 大连机场
    0903 连开发区
    0904 连加工区
    0905 窑北良办
    0906 连保税区
    2201 浦江海关
    2240 漕河泾加
    2241 沪业一处
    2242 沪业二处
    2243 沪业三处
    2244 上海快件
    2245 沪金桥办
    2246 保税物流
    2247 沪化工区
    2248 洋山港区
    2249 洋山保税
    2901 杭州海关
    2921 义乌海关
    2922 金关永办
    2928 杭关电商
    2931 温关邮办
    2932 温经开关
    2933 温关机办
    2934 温关鳌办
    2935 温关瑞办
    2936 温关乐办
    2941 舟关嵊办
    2942 舟关金塘
    2943 舟关综保
    2951 台关临办
    2952 台关温办
    2953 台关玉办
    2961 绍关虞办
    2962 绍关诸办
    2963 绍关新办
    2981 嘉关乍办
    2982 嘉关善办
    4201 烟台海关 Yantai
    4218 黄岛海关 Huangdao
    4227 前湾海关 Qianwan
    4238 威海快件 Weihai express
    4239 潍诸城办 Zhucheng
    4240 青岛快件 Qingdao express
    4241 烟台出口加工区 Yantai EPZ
    4242 威海出口加工区 Weihai EPZ
    4243 济曲阜办 Qufu
    4244 滨州海关 Binzhou
    4245 烟台邮办 Yantai post
    4246 青岛出口加工区 Qingdao EPZ
    4247 威海机场 Weihai airport
    4248 青莱芜办 Laiwu
    4249 潍坊出口加工区 Weifang EPZ
    4250 青岛西海岸出口加工区 Qingdao West Coast EPZ
    4251 淄博物流 Zibo logistics
    4253 日照物流 Rizhao logistics
    4254 青岛物流 Qingdao logistics
    4255 潍寿光办 Shouguang
    4258 前湾保税港 Qianwan bonded port
    4301 济南现场业务 Jinan
    """
)
_REAL: Final = {
    **{f"{district}00": Bilingual(f"{name.zh}海关", name.en) for district, name in DISTRICTS.items()},
    **_LISTED,
}
HELD: Final = len(_REAL)
"""How many real offices this table has, including those that have the code of their district."""
IN_THE_COUNTRY: Final = 1006
"""How many real offices the complete table has (365area.com)."""
OFFICES: Final[Mapping[str, Bilingual]] = MappingProxyType(
    {**_REAL, **{f"9{number:03}": Bilingual("沙箱海关", f"sandbox office {number}") for number in range(1, 1000)}}
)
"""Office → its names. 9001 to 9999 belong to the sandbox, for the office ids of foreign data sets. The real offices of the
districts from 90 on have the same codes, so they cannot be told apart from those of the sandbox."""


def is_sandbox(office: str) -> bool:
    """Returns whether the office is one of the sandbox."""
    return office.startswith("9") and office in OFFICES


def is_of_district(office: str) -> bool:
    """Returns whether the text has the form of an office (four digits) in a known district. The office itself may be unknown."""
    return len(office) == 4 and office.isascii() and office.isdigit() and office[:2] in DISTRICTS
