"""If a later message takes back, contradicts or changes what a desk answered to a request, does the API name this
message as the one that has overtaken the answer?"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from schemas.envelope import Fact, Message
from schemas.gate import (
    ContainerFindingRecorded,
    ContainerFindingRetracted,
    ContainerHoldLifted,
    ContainerHoldPlaced,
    EquipmentEventRecorded,
    EquipmentEventRetracted,
    LotStruck,
    StrikeRetracted,
)
from schemas.topics import KINDS
from schemas.vocabulary import consignment_id
from services.console.api.answers import CONTRADICTS, MATTERS, TAKES_BACK
from services.console.readmodel import tables as t
from services.shell.clock import world_us
from tests.console.border import DECLARANT, Border, PublishedMessage
from tests.console.still import Still
from tests.people import admit


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Still]:
    made = Still(tmp_path)
    yield made
    made.stop()


def stored_request(still: Still, message: PublishedMessage, sender: str = "tester") -> str:
    """Stores this message as a request that this console accepted; returns its id."""
    row = {
        "request_id": message.id,
        "idempotency_key": message.id,
        "sender": sender,
        "kind": message.kind,
        "subject": message.key,
    }
    with still.store.engine.begin() as connection:
        connection.execute(t.LODGEMENTS.insert().values(digest="", asked_us=world_us(), **row))
    return message.id


def answering(consignment: Border, request: str) -> Border:
    """Makes this request the cause of the last fact of the story; returns the story."""
    consignment.messages[-1] = replace(consignment.messages[-1], cause=request)
    return consignment


def overtaken(still: Still, request: str, name: str = "") -> str:
    """Returns the kind of the message that has overtaken the answers to this request; an empty text if there is
    none."""
    view: dict[str, Any] = still.get(
        f"/api/v1/requests/{request}", name=name, headers={"accept": "application/json"}
    ).json()
    assert view.get("outcome") == "answered", view
    later = view["overtaken_by"]
    return str(later["kind"]) if later else ""


def test_an_accepted_paper_is_overtaken_by_its_withdrawal_and_not_by_what_follows_from_it(still: Still) -> None:
    consignment = Border("OVER-1").lodged()
    request = stored_request(still, consignment.messages[0])
    answering(consignment.accepted(), request)
    still.tell([*consignment.messages, *consignment.assessed().held("arrival").messages[-2:]])
    assert overtaken(still, request) == ""
    still.tell(consignment.withdrawn().messages[-1:])
    assert overtaken(still, request) == "DeclarationWithdrawn"
    for language, text in (("zh", "此后情况已变：<b>撤单"), ("en", "It no longer stands; said since: <b>")):
        assert text in still.page(f"/consignments/{consignment.id}?asked={request}", language)


def test_a_release_is_overtaken_by_its_revocation_and_that_by_the_next_release(still: Still) -> None:
    consignment = Border("OVER-2", ()).lodged().accepted().assessed().held("arrival").arrival_reported()
    report = stored_request(still, next(message for message in consignment.messages if message.kind == "ReportArrival"))
    answering(consignment.released(), report)
    still.tell(consignment.messages)
    assert overtaken(still, report) == ""
    still.tell(consignment.revoked().messages[-1:])
    assert overtaken(still, report) == "ReleaseRevoked"
    still.tell(consignment.released().messages[-1:])
    assert overtaken(still, report) == "ReleaseGranted"
    still.tell(consignment.refused_request("LiftHold", "hold_unknown", "release").messages[-1:])
    assert overtaken(still, report) == "ReleaseGranted", "a refusal is no other word on the release"


def test_an_arrival_that_was_taken_back_is_told_to_who_told_it_whatever_else_may_be_read(still: Still) -> None:
    consignment = Border("OVER-3").lodged().accepted().assessed().held("arrival").arrival_reported()
    [report] = [message for message in consignment.messages if message.kind == "ReportArrival"]
    stored_request(still, report, "carrier-1")
    admit(still.url, "carrier-1", roles="carrier", company="COSCO", office="")
    still.tell(consignment.messages)
    assert overtaken(still, report.id, "carrier-1") == ""
    still.tell(consignment.released().revoked().messages[-2:])
    assert overtaken(still, report.id, "carrier-1") == "", "what else is said of the goods is not for every sender"
    still.tell(consignment.arrival_retracted(report.id).messages[-1:])
    assert overtaken(still, report.id, "carrier-1") == "ArrivalRetracted"


@pytest.mark.parametrize("how", ["retracted", "replaced"])
def test_a_report_of_a_terminal_is_overtaken_by_what_takes_it_back_or_its_place(still: Still, how: str) -> None:
    consignment = Border(f"OVER-{how}").lodged()
    consignment.reported("DISC")
    request = replace(consignment.messages[-1], id=consignment.id[:-1] + "0")
    stored_request(still, request)
    answering(consignment, request.id)
    still.tell(consignment.messages)
    assert overtaken(still, request.id) == ""
    if how == "retracted":
        consignment.gate_says(EquipmentEventRetracted, report_id=request.id, reason="another box", retracted_by="t")
    else:
        consignment.reported("DISC", replaces=request.id)
    still.tell(consignment.messages[-1:])
    kind = EquipmentEventRetracted if how == "retracted" else EquipmentEventRecorded
    assert overtaken(still, request.id) == kind.kind


def gate_answer(goods: Border, request: str, kind: type[Message], **fields: Any) -> str:
    """Adds the fact of the gate desk that answers this request; returns the request's id."""
    goods.gate_says(kind, **fields)
    answering(goods, request)
    return request


def asked_of_box(still: Still, goods: Border, kind: str, last: str) -> str:
    row = replace(goods.messages[-1], id=goods.id[:-1] + last, kind=kind, key=goods.containers[0])
    return stored_request(still, row)


def test_a_finding_on_a_container_is_overtaken_by_its_retraction(still: Still) -> None:
    goods = Border("OVER-5").lodged()
    wrong, other = (asked_of_box(still, goods, "RecordContainerFinding", last) for last in "12")
    found: dict[str, Any] = {"found": "inside", "lots": None, "settled": (), "reason": "seen", "found_by": "officer-li"}
    for request in (wrong, other):
        gate_answer(goods, request, ContainerFindingRecorded, **found)
    back: dict[str, Any] = {"wrong": wrong, "lots": None, "reason": "another box", "retracted_by": "officer-li"}
    still.tell(goods.messages)
    assert (overtaken(still, wrong), overtaken(still, other)) == ("", "")
    still.tell(goods.gate_says(ContainerFindingRetracted, **back).messages[-1:])
    assert (overtaken(still, wrong), overtaken(still, other)) == ("ContainerFindingRetracted", "")


def test_a_hold_on_a_container_is_overtaken_by_its_lifting(still: Still) -> None:
    goods = Border("OVER-6").lodged()
    first, second = (asked_of_box(still, goods, "PlaceContainerHold", last) for last in "12")
    for request in (first, second):
        gate_answer(goods, request, ContainerHoldPlaced, hold_id=request, reason="a tip", placed_by="officer-li")
    still.tell(goods.gate_says(ContainerHoldLifted, hold_id=first, reason="looked at", lifted_by="officer-li").messages)
    assert (overtaken(still, first), overtaken(still, second)) == ("ContainerHoldLifted", "")


def test_a_strike_is_overtaken_by_its_retraction_and_that_by_the_next_strike_of_the_same_goods(still: Still) -> None:
    border, goods = Border("OVER-7").lodged(), {name: consignment_id(DECLARANT, name) for name in ("a", "b")}
    strikes = {name: asked_of_box(still, border, "StrikeLot", last) for name, last in (("a", "1"), ("b", "2"))}
    for name, request in strikes.items():
        gate_answer(border, request, LotStruck, consignment_id=goods[name], reason="not in it", struck_by="officer-li")
    still.tell(border.messages)
    assert [overtaken(still, request) for request in strikes.values()] == ["", ""]
    back = asked_of_box(still, border, "RetractStrike", "3")
    retracted = {"consignment_id": goods["a"], "reason": "it is in it", "retracted_by": "officer-li"}
    gate_answer(border, back, StrikeRetracted, **retracted)
    still.tell(border.messages[-1:])
    assert [overtaken(still, request) for request in (*strikes.values(), back)] == ["StrikeRetracted", "", ""]
    border.gate_says(LotStruck, consignment_id=goods["a"], reason="not in it", struck_by="officer-li")
    still.tell(border.messages[-1:])
    assert overtaken(still, back) == "LotStruck"


TAKE_NO_ANSWER_BACK = {
    "ContainerArrivalRetracted": "it is said of a consignment, and the report of the container of the container",
    "TransferRetracted": "it is said of a consignment, and the stripping of the container",
    "DepartureRetracted": "it is said of a consignment, and the departure of the container",
    "InspectionCancelled": "the order that fell away answers no request; the withdrawal counts",
    "TreatmentCancelled": "the order that fell away answers no request; the withdrawal counts",
    "WatchLifted": "it is said of a partition; the page of watches has both",
}


def test_each_fact_that_takes_something_back_is_known_here() -> None:
    """A new kind of fact that takes something back must be named in `TAKES_BACK`, `CONTRADICTS` or `MATTERS`. If it
    takes back no answer, it must be named in `TAKE_NO_ANSWER_BACK` with the reason."""
    ends, fields = ("Retracted", "Revoked", "Lifted", "Cancelled", "Withdrawn"), {"wrong", "replaces"}
    facts = {name: kind for name, kind in KINDS.items() if issubclass(kind, Fact)}
    taking = {name for name, kind in facts.items() if name.endswith(ends) or fields & set(kind.model_fields)}
    matters = frozenset[str]().union(*MATTERS)
    known = {*TAKES_BACK, *CONTRADICTS, *matters, *TAKE_NO_ANSWER_BACK}
    assert taking <= known, taking - known
    assert set(TAKE_NO_ANSWER_BACK) <= taking, "the others need no reason"
    for name, field in TAKES_BACK.items():
        assert field in facts[name].model_fields, name
    for name, (other, field) in CONTRADICTS.items():
        assert field in facts[name].model_fields and field in facts[other].model_fields, name
    assert matters <= set(facts)


def test_who_declares_is_told_of_the_own_goods(still: Still) -> None:
    admit(still.url, "owner", roles="declarant", company=DECLARANT, office="")
    consignment = Border("OVER-4").lodged()
    request = stored_request(still, consignment.messages[0], "owner")
    answering(consignment.accepted(), request)
    still.tell([*consignment.messages, *consignment.assessed().held("arrival").withdrawn().messages[-1:]])
    assert overtaken(still, request, "owner") == "DeclarationWithdrawn"
