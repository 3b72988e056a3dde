"""The inspection desk on the loop.

Reads `customs-risk-facts`, `customs-inspection-requests` and `customs-release-facts`, alone writes
`customs-inspection-facts`.
"""

from services.inspection import decider
from services.shell.desk import Desk

DESK = Desk.of("inspection", decider)
