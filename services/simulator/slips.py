"""What do simulated people report wrongly about a container, and correct later? It depends on the seed and the container alone."""

from enum import StrEnum

EARLY_SHARE, TAKEN_BACK_SHARE, CORRECTED_SHARE = 0.06, 0.05, 0.05
"""Shares of the containers of which something may be reported wrongly (see `Day.slip`)."""


class Slip(StrEnum):
    """What is reported wrongly.

    NONE: nothing. EARLY: the goods have arrived; the carrier takes this back when the container is to be fetched. NOT_STRIPPED:
    the goods were stripped into another container; this is taken back. STRIPPED: the goods were stripped into one container, but
    it was another; this is corrected.
    """

    NONE = ""
    EARLY = "early"
    NOT_STRIPPED = "not stripped"
    STRIPPED = "stripped"


def slip_of(share: float) -> Slip:
    """The slip of a container for this pseudo-random number from 0 to 1."""
    for slip, limit in _LIMITS:
        if share < limit:
            return slip
    return Slip.NONE


_LIMITS = (
    (Slip.EARLY, EARLY_SHARE),
    (Slip.NOT_STRIPPED, EARLY_SHARE + TAKEN_BACK_SHARE),
    (Slip.STRIPPED, EARLY_SHARE + TAKEN_BACK_SHARE + CORRECTED_SHARE),
)
