"""What do people at this border tell wrongly of a box, and put right later? Drawn by dice that know the box alone."""

from enum import StrEnum

EARLY_SHARE, TAKEN_BACK_SHARE, CORRECTED_SHARE = 0.06, 0.05, 0.05
"""Of the boxes of which something may be told wrongly, see `Day.slip`."""


class Slip(StrEnum):
    """What is told wrongly: nothing; that the goods have arrived, which the carrier takes back when the box is to be fetched; that
    they were stripped into another box, which is taken back; or that they were stripped into one box, when it was another.
    """

    NONE = ""
    EARLY = "early"
    NOT_STRIPPED = "not stripped"
    STRIPPED = "stripped"


def slip_of(share: float) -> Slip:
    """The slip of a box with this number from 0 to 1."""
    for slip, limit in _LIMITS:
        if share < limit:
            return slip
    return Slip.NONE


_LIMITS = (
    (Slip.EARLY, EARLY_SHARE),
    (Slip.NOT_STRIPPED, EARLY_SHARE + TAKEN_BACK_SHARE),
    (Slip.STRIPPED, EARLY_SHARE + TAKEN_BACK_SHARE + CORRECTED_SHARE),
)
