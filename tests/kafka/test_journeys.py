"""Does a consignment pass through every desk on a real broker, from lodgement to the gate?"""

from typing import Any

import pytest

from schemas.declaration import WithdrawDeclaration
from schemas.envelope import Request
from schemas.gate import RecordGateOut
from schemas.inspection import CorrectFindings, FindingsResult, RecordFindings, RetractFindings
from schemas.release import LiftHold, PlaceHold, ReportArrival
from schemas.vocabulary import ControlKind
from services.cli.ledger import audit
from tests.declaration.good import DECLARANT, good_item, lodge
from tests.kafka.border import Border, bodies
from tests.voice import NOON

BOXES = ("CSQU3054383", "MSKU0000003")


def arrival(key: str) -> ReportArrival:
    return ReportArrival(consignment_id=key, asked_by="carrier", occurred_at=NOON, place="berth 7")


def findings(key: str, result: FindingsResult, pest: str = "") -> Request:
    return RecordFindings(
        consignment_id=key, asked_by="o1", occurred_at=NOON, control=ControlKind.INSPECTION, result=result, pest=pest
    )


def test_a_green_consignment_goes_from_lodgement_to_the_gate(border: Border) -> None:
    lodged = lodge(reference="green")
    request = border.ask(lodged)
    border.ask(arrival(lodged.key))
    facts = border.until(lodged.key, "ReleaseGranted")
    assert facts["ConsignmentAssessed"]["lane"] == "green" and facts["ConsignmentAssessed"]["draw"]["selected"] is False
    border.until(BOXES[0], "ContainerMayLeave")
    out = RecordGateOut(container_no=BOXES[0], asked_by="terminal", occurred_at=border.clock.now(), gate="G1")
    border.ask(out)
    assert border.until(lodged.key, "ConsignmentGatedOut")["ConsignmentGatedOut"]["released"] is True
    accepted = next(e for e in border.facts(lodged.key) if e.kind == "DeclarationAccepted")
    assert accepted.headers["causationid"] == request and accepted.headers["correlationid"] == request
    granted = next(e for e in border.facts(lodged.key) if e.kind == "ReleaseGranted")
    assert granted.headers["ce_specversion"] == "1.0" and granted.headers["ce_subject"] == lodged.key


def test_a_red_consignment_waits_for_the_officer_and_a_refused_one_stays(border: Border) -> None:
    for reference, result, end in (
        ("red-good", FindingsResult.CONFORM, "ReleaseGranted"),
        ("red-bad", FindingsResult.NOT_CONFORM, "ReleaseRefused"),
    ):
        lodged = lodge(reference=reference, items=(good_item(hs_code="4407110000"), good_item()), containers=())
        border.ask(lodged)
        border.ask(arrival(lodged.key))
        facts = border.until(lodged.key, "InspectionOrdered", "ConsignmentHeld")
        assert facts["ConsignmentAssessed"]["lane"] == "red" and "ReleaseGranted" not in facts
        border.ask(findings(lodged.key, result))
        border.until(lodged.key, end)


def test_a_pest_is_treated_or_the_goods_wait(border: Border) -> None:
    lodged = lodge(reference="pest", items=(good_item(hs_code="4407110000"), good_item()), containers=())
    border.ask(lodged)
    border.ask(arrival(lodged.key))
    border.until(lodged.key, "InspectionOrdered")
    border.ask(findings(lodged.key, FindingsResult.PEST, "Bursaphelenchus xylophilus"))
    facts = border.until(lodged.key, "TreatmentOrdered", "PestIntercepted")
    assert facts["TreatmentOrdered"]["origin"] == "inspection"
    held = border.eventually(
        lambda: [b for b in bodies(border.facts(lodged.key), "ConsignmentHeld") if len(b["holds"]) == 1][-1:]
    )
    assert held[0]["holds"][0]["hold_id"] == "quarantine/inspection" and held[0]["holds"][0]["owner"] == "quarantine"


@pytest.mark.timeout(900)
def test_a_wrong_click_does_not_end_goods(border: Border) -> None:
    lodged = lodge(reference="wrong click", items=(good_item(hs_code="4407110000"), good_item()), containers=())
    border.ask(lodged)
    border.ask(arrival(lodged.key))
    border.until(lodged.key, "InspectionOrdered")
    wrong = border.ask(findings(lodged.key, FindingsResult.NOT_CONFORM))
    border.until(lodged.key, "ReleaseRefused")
    about: dict[str, Any] = {
        "consignment_id": lodged.key,
        "asked_by": "o2",
        "occurred_at": NOON,
        "control": ControlKind.INSPECTION,
    }
    right = border.ask(CorrectFindings(**about, wrong=wrong, reason="another lot", result=FindingsResult.CONFORM))
    facts = border.until(lodged.key, "RefusalRevoked", "ReleaseGranted")
    assert facts["FindingsRetracted"]["wrong"] == wrong and facts["InspectionPassed"]["revision"] == 2
    border.ask(RetractFindings(**about, wrong=right, reason="it was the first lot after all"))
    border.until(lodged.key, "ReleaseRevoked")
    opened = border.eventually(lambda: bodies(border.facts(lodged.key), "FindingsRetracted")[1:])[0]["revision"]
    border.ask(findings(lodged.key, FindingsResult.REFUSE).model_copy(update={"revision": opened + 1}))
    border.eventually(lambda: len(bodies(border.facts(lodged.key), "ReleaseRefused")) == 2)


def test_an_officers_hold_calls_released_goods_back(border: Border) -> None:
    lodged = lodge(reference="called back", containers=())
    border.ask(lodged)
    border.ask(arrival(lodged.key))
    border.until(lodged.key, "ReleaseGranted")
    hold = border.ask(PlaceHold(consignment_id=lodged.key, asked_by="o2", occurred_at=NOON, reason="a tip"))
    border.until(lodged.key, "ReleaseRevoked")
    border.ask(
        LiftHold(consignment_id=lodged.key, asked_by="o2", occurred_at=NOON, hold_id=f"officer/{hold}", reason="clean")
    )
    border.eventually(lambda: len(bodies(border.facts(lodged.key), "ReleaseGranted")) == 2)


def test_a_withdrawn_declaration_is_answered_by_the_release_desk(border: Border) -> None:
    lodged = lodge(reference="withdrawn", containers=())
    border.ask(lodged)
    border.ask(
        WithdrawDeclaration(consignment_id=lodged.key, asked_by=DECLARANT, occurred_at=NOON, reason="sold to another")
    )
    border.until(lodged.key, "DeclarationWithdrawn")


def test_a_wrong_declaration_is_rejected_and_goes_nowhere(border: Border) -> None:
    lodged = lodge(reference="wrong", items=())
    border.ask(lodged)
    facts = border.until(lodged.key, "DeclarationRejected")
    assert [f["pointer"] for f in facts["DeclarationRejected"]["findings"]] == ["/items"]


def test_the_same_request_from_any_client_at_any_time_has_one_effect(border: Border) -> None:
    lodged = lodge(reference="thrice", containers=())
    for name in ("a", "a", "b"):
        border.ask(lodged, f"thrice {name}")
    border.ask(arrival(lodged.key))
    border.until(lodged.key, "ReleaseGranted")
    assert len(bodies(border.facts(lodged.key), "DeclarationAccepted")) == 1


def test_nothing_was_lost_doubled_or_wrongly_released(border: Border) -> None:
    lodged = lodge(reference="audited", containers=())
    border.ask(lodged)
    border.ask(arrival(lodged.key))
    border.until(lodged.key, "ReleaseGranted")
    ledger = audit(border.bootstrap)
    assert ledger.ends["released"] >= 1
    assert ledger.doubled == [] and ledger.reordered == [] and ledger.wrongly_released == []
