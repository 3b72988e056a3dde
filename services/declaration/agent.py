"""The declaration desk on the loop: reads `customs-declaration-requests`, alone writes `customs-declaration-facts`."""

from services.declaration import decider
from services.shell.desk import Desk

DESK = Desk.of("declaration", decider)
