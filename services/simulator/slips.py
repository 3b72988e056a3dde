"""Which wrong reports about a container do simulated people send and later correct? They depend only on the seed and the
container."""

from enum import StrEnum

EARLY_SHARE, TAKEN_BACK_SHARE, CORRECTED_SHARE = 0.06, 0.05, 0.05
"""The shares of the containers that may have each kind of wrong report (see `Day.slip`)."""


class Slip(StrEnum):
    """The kind of a wrong report about a container.

    NONE: there is no wrong report. EARLY: the report says that the goods have arrived, although they have not; the
    carrier takes it back when the container is to be fetched. NOT_STRIPPED: the report says that the goods were
    stripped into another container, although they were not stripped; it is taken back. STRIPPED: the goods were
    stripped, but the report names a wrong container into which they were stripped; it is corrected.
    """

    NONE = ""
    EARLY = "early"
    NOT_STRIPPED = "not stripped"
    STRIPPED = "stripped"


def slip_of(share: float) -> Slip:
    """Returns which wrong report about a container is sent, for this pseudo-random number from 0 to 1."""
    for slip, limit in _LIMITS:
        if share < limit:
            return slip
    return Slip.NONE


_LIMITS = (
    (Slip.EARLY, EARLY_SHARE),
    (Slip.NOT_STRIPPED, EARLY_SHARE + TAKEN_BACK_SHARE),
    (Slip.STRIPPED, EARLY_SHARE + TAKEN_BACK_SHARE + CORRECTED_SHARE),
)
