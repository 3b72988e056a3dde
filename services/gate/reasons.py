"""Why does the gate desk raise an alarm, or say that goods left or did not? By a code; the words for people are the console's.

The sentences here travel beside the codes for readers of the release before, which know no code.
"""

from collections.abc import Mapping
from typing import Final

WHY: Final[Mapping[str, str]] = {
    "declared_after": "declared only after the container had left 离场后才申报",
    "departure_outside": "a departure was told while no visit was open 无在场期而报离场",
    "empty_laden": "reported empty, with unreleased goods in it 报空箱而货物未放行",
    "came_again": "came again, and its departure was never reported 再次进场而离场未报",
    "held_after": "held after it had left 离场后被扣留",
    "left_before": "left before release 先于放行离场",
    "left_unreleased": "left without release 未放行离场",
    "left_undeclared": "left, and no declaration is known for it 离场时无申报",
    "left_against_no": "left although the gate had said no 卡口未放行即离场",
    "loaded_unreleased": "loaded without release 未放行装运",
    "other_conveyance": "loaded on another conveyance than the release names 装船与放行的运输工具不符",
    "found_outside": "an officer found the container outside 经查箱已在外",
    "departure_wrong": "the departure was taken back or found wrong 离场报告已撤回或经查不实",
}
