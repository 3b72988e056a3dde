"""The gate desk on the loop, keyed by container.

Reads `customs-release-containers` and `customs-gate-requests`; alone writes `customs-gate-facts` and, for the timelines
of the consignments, `customs-gate-departures`.
"""

from services.gate import decider
from services.shell.desk import Desk

DESK = Desk.of("gate", decider)
