"""The clearance service on the loop: reads every desk's facts, says nothing, keeps the timelines and the metrics."""

from services.clearance import timeline
from services.clearance.metrics import Watch
from services.shell.desk import Desk

DESK = Desk.of("clearance", timeline, Watch())
