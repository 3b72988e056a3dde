"""The risk desk on the loop: reads `customs-declaration-facts`, alone writes `customs-risk-facts`."""

from services.risk.decider import RiskDecider
from services.risk.keys import DrawKeys
from services.shell.desk import Desk


def desk(keys: DrawKeys) -> Desk:
    """The desk, drawing with these keys."""
    return Desk("risk", RiskDecider(keys))
