"""Which facts does the release desk publish together about goods in one container, for everybody and for the gate desk?

Each function returns these facts in the order of publication. `at`: when the desk decided.
"""

from datetime import datetime

from schemas.envelope import Fact
from schemas.phrases import Phrase, phrase
from schemas.release import Hold
from schemas.vocabulary import Lane
from tests import facts
from tests.voice import NOON

NOT_RELEASED_YET = phrase("not_released_yet")
PASSED = {"inspection/inspection": "InspectionPassed"}
PEST_TREATED = {"inspection/inspection": "PestIntercepted", "quarantine/inspection": "TreatmentVerified"}


def goods_held(
    version: int,
    at: datetime,
    *holds: Hold,
    why: Phrase = NOT_RELEASED_YET,
    arrived_at: datetime | None = NOON,
    arrival_retracted: bool = False,
) -> tuple[Fact, ...]:
    """Returns the facts if the goods are held. `why`: the reason that the gate desk gets."""
    return (
        facts.consignment_held(version, *holds, at=at),
        facts.container_held(version, why, arrived_at=arrived_at, arrival_retracted=arrival_retracted, at=at),
    )


def goods_released(
    version: int,
    at: datetime,
    *,
    lane: Lane = Lane.GREEN,
    arrived_at: datetime = NOON,
    answers: dict[str, str] | None = None,
    revisions: dict[str, tuple[int, int]] | None = None,
) -> tuple[Fact, ...]:
    granted = facts.release_granted(
        version, lane=lane, arrived_at=arrived_at, answers=answers, revisions=revisions, at=at
    )
    return granted, facts.container_freed(version, arrived_at=arrived_at, at=at)


def goods_refused(
    version: int,
    at: datetime,
    cause: str,
    why: Phrase,
    *,
    holds: tuple[Hold, ...] = (),
    arrived_at: datetime | None = NOON,
) -> tuple[Fact, ...]:
    return (
        facts.release_refused(version, cause, why, holds=holds, at=at),
        facts.container_held(version, phrase("refused_for"), why, arrived_at=arrived_at, refused=True, at=at),
    )


def goods_called_back(version: int, at: datetime, why: Phrase, *holds: Hold) -> tuple[Fact, ...]:
    """Returns the facts if a release is revoked. `version`: of the revocation; the statement that the goods are held
    has the next version."""
    return facts.release_revoked(version, why, at=at), *goods_held(version + 1, at, *holds, why=why)


def goods_called_back_to_arrive(version: int, at: datetime, since: datetime) -> tuple[Fact, ...]:
    """Returns the facts if a release is revoked because the goods have not arrived after all. `since`: the
    time since which they wait for their arrival."""
    why, waits = phrase("not_arrived"), facts.not_arrived(since)
    held = goods_held(version + 1, at, waits, why=why, arrived_at=None, arrival_retracted=True)
    return facts.release_revoked(version, why, at=at), *held


def goods_no_longer_refused(
    version: int, at: datetime, cause: str, *holds: Hold, arrived_at: datetime | None = NOON
) -> tuple[Fact, ...]:
    """Returns the facts if goods that were refused are no longer refused. `version`: of the revocation; the statement
    that the goods are held has the next version."""
    gone = facts.refusal_revoked(version, phrase("failure_gone", hold=cause), at=at)
    return gone, *goods_held(version + 1, at, *holds, arrived_at=arrived_at)


def goods_withdrawn(version: int, at: datetime) -> tuple[Fact, ...]:
    """Returns the facts if the declaration was withdrawn before the goods arrived. The request has the id
    `w1`."""
    freed = facts.container_freed(version, released=False, arrived_at=None, at=at)
    return facts.declaration_withdrawn(version, at=at), freed
