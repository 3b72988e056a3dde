"""If a request is repeated with its idempotency key, must the time that its sender gives be the same as before? May a
time that the console adds be different?"""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.envelope import Request
from schemas.gate import RecordContainerFinding, RecordEquipmentEvent, RecordGateOut
from schemas.release import ReportArrival
from schemas.vocabulary import consignment_id
from services.console.access.rights import Who
from services.console.api.problems import Problem
from services.console.api.request_producer import Asker, Prepared
from services.console.api.requests import requested
from services.console.readmodel.database import migrate, open_engine
from services.console.settings import ConsoleSettings

BOX, GOODS = {"container_no": "CSQU3054383"}, {"consignment_id": consignment_id("91350100M000100Y43", "R-1")}
REPORTS: list[tuple[type[Request], dict[str, Any]]] = [
    (RecordGateOut, {**BOX, "gate": "G3"}),
    (RecordEquipmentEvent, {**BOX, "event": "GTOT", "place": "G3"}),
    (RecordContainerFinding, {**BOX, "found": "inside", "reason": "seen in row 4"}),
    (ReportArrival, {**GOODS, "place": "Qianwan 3"}),
]
FIRST, SAME, LATER = "2026-11-01T10:00:00+08:00", "2026-11-01T02:00:00Z", "2026-11-25T10:00:00+08:00"


@pytest.fixture
def asker(tmp_path: Path) -> Asker:
    migrate(url := f"sqlite:///{tmp_path}/console.db")
    made = Asker(ConsoleSettings(database_url=url), open_engine(url, writes=True))
    made._secret = made._read_secret()
    return made


def prepared(asker: Asker, kind: type[Request], fields: dict[str, Any], at: str | None) -> Prepared:
    moment = None if at is None else datetime.fromisoformat(at)
    who = Who("terminal-1", frozenset())
    return requested(kind, {**fields, "occurred_at": moment}, who, asker.key("terminal-1", "K"), "")


@pytest.mark.parametrize(("kind", "fields"), REPORTS)
def test_the_departure_of_the_next_visit_is_not_taken_for_the_first_one_under_its_key(
    asker: Asker, kind: type[Request], fields: dict[str, Any]
) -> None:
    """In an older version, the second report was answered 202 with the id of the first report, and was never sent."""
    first, later = prepared(asker, kind, fields, FIRST), prepared(asker, kind, fields, LATER)
    assert first.request.request_id == later.request.request_id, "one key"
    asker._remembered[first.request.request_id] = first.request
    with pytest.raises(Problem) as refused:
        asker._known(later.request)
    assert (refused.value.status, refused.value.code) == (422, "key_reused")
    assert asker._known(prepared(asker, kind, fields, SAME).request), "the same moment in another zone"


@pytest.mark.parametrize(("kind", "fields"), [each for each in REPORTS if each[0] is not RecordEquipmentEvent])
def test_a_request_whose_time_the_door_puts_in_is_the_same_whenever_it_is_sent_again(
    asker: Asker, kind: type[Request], fields: dict[str, Any]
) -> None:
    first, again = prepared(asker, kind, fields, None), prepared(asker, kind, fields, None)
    assert first.value != again.value, "the clock went on"
    asker._remembered[first.request.request_id] = first.request
    assert asker._known(again.request)
    with pytest.raises(Problem):
        asker._known(prepared(asker, kind, fields, LATER).request)


def test_the_same_departure_told_with_the_same_words_and_neither_key_nor_time_is_another_request(asker: Asker) -> None:
    """In an older version, `{"gate": "G3"}` for the next visit was taken for a repetition, and was not sent."""
    who = Who("terminal-1", frozenset())
    fields = {**BOX, "gate": "G3"}
    ids = {requested(RecordGateOut, fields, who, asker.key("terminal-1", ""), "").request.request_id for _ in range(3)}
    assert len(ids) == 3
