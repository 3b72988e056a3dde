"""Which reports and retractions of a terminal does the gate desk refuse?"""

from schemas.vocabulary import EquipmentEvent
from services.gate import decider
from services.gate.reports import MOST_REPORTS
from tests.gate.boxes import DAY, at, discharged, event, freed, retracted
from tests.voice import story


def test_a_report_that_nobody_made_cannot_be_taken_back_or_corrected() -> None:
    desk = story(decider, freed()).when(retracted("m9"))
    desk.then_refused("report_unknown")
    desk.when(event(EquipmentEvent.GATED_IN, 5, replaces="m9")).then_refused("report_unknown")


def test_a_box_of_which_more_is_told_than_is_kept_takes_no_further_report() -> None:
    """To make room for a new report, the desk drops a move within the area, an estimate or a plan, but no report that
    opens or ends a visit."""
    desk = story(decider)
    for number in range(MOST_REPORTS):
        desk.when(discharged(number / 100), at=at(number / 100))
    desk.when(discharged(DAY), at=at(DAY)).then_refused("too_many_reports")
