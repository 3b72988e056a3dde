"""How do tests build the requests of people to the release desk about one consignment?"""

from datetime import datetime

from schemas.release import LiftHold, PlaceHold, ReportArrival, RetractArrival, RetractLift
from tests.declaration.good import BOX
from tests.voice import CONSIGNMENT, NOON

OTHER_BOX = "MSKU9070323"
BOXES = (BOX, OTHER_BOX)


def arrival(
    by: str = "carrier", *, containers: tuple[str, ...] = (), pieces: int | None = None, at: datetime = NOON
) -> ReportArrival:
    return ReportArrival(
        consignment_id=CONSIGNMENT,
        asked_by=by,
        occurred_at=at,
        place="Qianwan berth 7",
        containers=containers,
        pieces=pieces,
    )


def retract_arrival(wrong: str, by: str = "carrier") -> RetractArrival:
    return RetractArrival(
        consignment_id=CONSIGNMENT, asked_by=by, occurred_at=NOON, wrong=wrong, reason="another vessel's list"
    )


def place_hold(reason: str = "a tip") -> PlaceHold:
    return PlaceHold(consignment_id=CONSIGNMENT, asked_by="o9", occurred_at=NOON, reason=reason)


def lift_hold(hold_id: str) -> LiftHold:
    return LiftHold(consignment_id=CONSIGNMENT, asked_by="o9", occurred_at=NOON, hold_id=hold_id, reason="checked")


def retract_lift(wrong: str) -> RetractLift:
    return RetractLift(
        consignment_id=CONSIGNMENT, asked_by="o9", occurred_at=NOON, wrong=wrong, reason="the wrong consignment"
    )
