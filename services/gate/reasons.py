"""Why does the gate desk raise an alarm, or say that goods left or did not? Each reason is a code; the console has the texts
for people.

The sentences here are sent beside the codes for readers of the software version before, which do not know the codes.
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
        "left_unreleased",
        "left_undeclared",
        "left_against_no",
        "loaded_unreleased",
        "other_conveyance",
        "found_outside",
        "departure_wrong",
    )
}
