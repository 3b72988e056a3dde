"""Which customs offices are known? GACC code table (国内口岸及海关代码), Qingdao and Jinan districts; 2 digits district, 2 office."""

from types import MappingProxyType
from typing import Final

EFFECTIVE: Final = "2026-01-01"
OFFICES: Final = MappingProxyType(
    {
        "4200": "青岛海关 Qingdao",
        "4201": "烟台海关 Yantai",
        "4218": "黄岛海关 Huangdao",
        "4227": "前湾海关 Qianwan",
        "4238": "威海快件 Weihai express",
        "4240": "青岛快件 Qingdao express",
        "4241": "烟台出口加工区 Yantai EPZ",
        "4244": "滨州海关 Binzhou",
        "4246": "青岛出口加工区 Qingdao EPZ",
        "4247": "威海机场 Weihai airport",
        "4250": "青岛西海岸出口加工区 Qingdao West Coast EPZ",
        "4253": "日照物流 Rizhao logistics",
        "4254": "青岛物流 Qingdao logistics",
        "4258": "前湾保税港 Qianwan bonded port",
        "4300": "济南海关 Jinan",
        **{f"9{number:03}": f"沙箱海关 sandbox office {number}" for number in range(1, 1000)},
    }
)
"""9001 to 9999 are no real offices: the sandbox uses them for the office ids of foreign data sets."""
