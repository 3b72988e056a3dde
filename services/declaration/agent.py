"""The declaration desk on the loop: reads `customs-declaration-requests`, what it hands on itself by `customs-declaration-successors`,
and the release desk's answers to withdrawals; alone writes `customs-declaration-facts`."""

from services.declaration import decider
from services.shell.desk import Desk

DESK = Desk.of("declaration", decider)
