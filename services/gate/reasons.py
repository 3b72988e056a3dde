"""Why does the gate desk raise an alarm, or say that goods left or did not? By a code; the words for people are the console's.

The sentences here travel beside the codes for readers of the software version before, which know no code.
"""

from collections.abc import Mapping
from typing import Final

from schemas.codes.sentences import SENTENCES

WHY: Final[Mapping[str, str]] = {
    code: SENTENCES[code]
    for code in (
        "declared_after",
        "departure_outside",
        "empty_laden",
        "came_again",
        "held_after",
        "left_before",
        "told_earlier",
        "left_unreleased",
        "left_undeclared",
        "left_against_no",
        "loaded_unreleased",
        "other_conveyance",
        "found_outside",
        "departure_wrong",
    )
}
