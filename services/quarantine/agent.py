"""The quarantine desk on the loop.

Reads `customs-risk-facts`, `customs-inspection-facts`, `customs-quarantine-requests` and
`customs-release-facts`, alone writes `customs-quarantine-facts`.
"""

from services.quarantine import decider
from services.shell.desk import Desk

DESK = Desk.of("quarantine", decider)
