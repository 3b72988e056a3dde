"""The clearance service on the loop: reads every desk's facts, says nothing, keeps the timelines and the metrics."""

from services.clearance import timeline
from services.clearance.metrics import OpenConsignments
from services.shell.desk import Desk

DESK = Desk.of("clearance", timeline, OpenConsignments())
