"""The release desk on the loop.

Reads the facts of declaration, risk, inspection and quarantine, what the gate tells of arrivals and departures, and
`customs-release-requests` and `customs-release-watches`; alone writes `customs-release-facts` and, for the gate, `customs-release-containers`.
"""

from schemas.vocabulary import WATCHES
from services.release import decider
from services.shell.desk import Desk

DESK = Desk.of("release", decider, shared=WATCHES)
