"""Is a fact for ports found that has no copy on the ports' topic?"""

from dataclasses import replace

import pytest

from schemas.envelope import Fact
from schemas.phrases import phrase
from schemas.topics import PORT_FACTS
from services.cli.copies import without_copy
from services.cli.ledger import judge
from services.cli.log import LoggedMessage
from services.shell.outcome import Cause, fact_output
from tests import facts
from tests.voice import NOON

FREE, LEAVE = facts.release_granted(1), facts.container_may_leave(1, "V1")
REFUSED = facts.request_refused("r1", "RecordGateOut", "visit_too_old", phrase("no_visit"))
INSIDE = facts.request_refused("r2", "PlaceContainerHold", "too_many_holds", phrase("no_visit"))


def written(desk: str, *published: Fact) -> list[tuple[LoggedMessage, LoggedMessage | None]]:
    """Returns these facts as their desk writes them, each with its copy for ports, None if ports get none."""
    pairs: list[tuple[LoggedMessage, LoggedMessage | None]] = []
    for number, fact in enumerate(published):
        made = fact_output(desk, fact, 0, number, Cause(f"cause-{number}", "", b""), NOON.isoformat())
        headers = {name: value.decode() for name, value in dict(made.headers).items()}
        entry = LoggedMessage(made.topic, 0, number, made.key, headers, made.value)
        copy = replace(entry, topic=PORT_FACTS, value=made.for_ports) if made.for_ports is not None else None
        pairs.append((entry, copy))
    return pairs


@pytest.mark.parametrize(("desk", "fact"), [("release", FREE), ("gate", LEAVE), ("gate", REFUSED)])
def test_a_fact_whose_copy_is_lost_is_named(desk: str, fact: Fact) -> None:
    (first, of_first), (second, of_second), (third, of_third) = written(desk, fact, fact, fact)
    assert of_first and of_second and of_third
    entries = [first, second, third]
    assert judge(entries, copies=[of_first, of_second, of_third]).uncopied == []
    ledger = judge(entries, copies=[of_first, of_third])
    assert ledger.uncopied == [f"{fact.kind} {second.id} at {second.position} has no copy for ports"]
    assert not ledger.clean and ledger.copies == 2


def test_the_copies_of_a_ledger_without_the_ports_topic_are_not_missed() -> None:
    assert judge([entry for entry, _ in written("gate", LEAVE)]).uncopied == []


def test_facts_before_the_first_that_was_copied_are_of_an_older_version_unless_there_was_none() -> None:
    (old, _), (new, copy) = written("release", FREE, FREE)
    assert copy and without_copy([copy], [old, new]) == without_copy([], [old, new]) == []
    assert without_copy([copy], [replace(old, partition=1), new]) == []
    assert without_copy([copy], [old, new], from_the_first=True) == [old]


def test_what_is_not_for_ports_or_not_of_the_desk_needs_no_copy() -> None:
    ((inside, none),) = written("gate", INSIDE)
    ((leave, _),) = written("gate", LEAVE)
    strange = replace(leave, headers=leave.headers | {"ce_source": "/somebody"})
    made_up = replace(leave, headers=leave.headers | {"ce_id": "made-up"})
    request = replace(leave, topic="customs-gate-requests")
    assert none is None and without_copy([], [inside, strange, made_up, request], from_the_first=True) == []
    assert without_copy([], [leave], from_the_first=True) == [leave]
