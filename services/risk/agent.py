"""The risk desk on the loop: reads `customs-declaration-facts`, alone writes `customs-risk-facts`."""

from services.risk import decider
from services.shell.desk import Desk

DESK = Desk.of("risk", decider)
