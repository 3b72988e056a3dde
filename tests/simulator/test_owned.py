"""Do simulated people act only on their own goods, and is each of their requests marked as simulated?"""

from datetime import UTC, datetime

import pytest

from schemas.declaration import Declaration, LodgeDeclaration, WithdrawDeclaration
from schemas.envelope import Fact, Request, RequestRefused, request_id
from schemas.gate import ContainerGatedOut, ContainerMayLeave, GateAlarmRaised, RecordGateOut
from schemas.inspection import FindingsResult, InspectionOrdered, RecordFindings
from schemas.release import ReportArrival
from schemas.vocabulary import ControlKind, consignment_id
from services.shell.codec import encode
from services.simulator.day import Day
from services.simulator.owned import Owned, as_simulated
from tests.console.border import declaration

AT = datetime(2026, 11, 23, tzinfo=UTC)
OURS: Declaration = next(
    plan.declaration for plan in map(Day(1, 100, AT).plan, range(100)) if plan.declaration.containers
)
OUR_BOX = OURS.containers[0].container_no
THEIRS = declaration("REAL-1", ("CSQU3054383",))
GOODS, FOREIGN = (consignment_id(paper.declarant, paper.reference) for paper in (OURS, THEIRS))


def lodging(paper: Declaration) -> LodgeDeclaration:
    key = consignment_id(paper.declarant, paper.reference)
    return LodgeDeclaration(consignment_id=key, asked_by=paper.declarant, occurred_at=AT, declaration=paper)


def owned(*, others: bool = False) -> Owned:
    made = Owned(others=others)
    made.lodged(lodging(OURS))
    return made


def ordered(goods: str) -> InspectionOrdered:
    return InspectionOrdered(
        consignment_id=goods, occurred_at=AT, control=ControlKind.DOCUMENTS, customs_office="4218", due=AT
    )


def may_leave(box: str, *goods: str) -> ContainerMayLeave:
    return ContainerMayLeave(container_no=box, occurred_at=AT, version=1, consignments=goods)


def alarm(box: str, *goods: str) -> GateAlarmRaised:
    return GateAlarmRaised(container_no=box, occurred_at=AT, gate="G1", waiting_for=goods, reason="x", blocks=True)


def refused(subject: str) -> RequestRefused:
    message_id = request_id("test", subject)
    return RequestRefused(
        subject=subject,
        occurred_at=AT,
        request_id=message_id,
        request_kind="RecordTreatment",
        code="already_answered",
        reason="x",
    )


def gone(box: str, *goods: str) -> ContainerGatedOut:
    return ContainerGatedOut(container_no=box, occurred_at=AT, gate="G1", consignments=goods)


OF_OURS = (
    ordered(GOODS),
    may_leave(OUR_BOX, GOODS),
    gone(OUR_BOX, GOODS),
    gone(OUR_BOX),
    alarm(OUR_BOX),
    refused(GOODS),
)
OF_THEIRS = (
    ordered(FOREIGN),
    may_leave("CSQU3054383", FOREIGN),
    may_leave(OUR_BOX, GOODS, FOREIGN),
    may_leave("CSQU3054383", GOODS),
    gone("CSQU3054383"),
    alarm(OUR_BOX, FOREIGN),
    alarm("CSQU3054383"),
    refused(FOREIGN),
    refused("CSQU3054383"),
)


@pytest.mark.parametrize("fact", OF_OURS, ids=lambda fact: fact.kind)
def test_what_is_said_of_simulated_goods_makes_simulated_people_act(fact: Fact) -> None:
    assert owned().concerns(fact)


@pytest.mark.parametrize("fact", OF_THEIRS, ids=lambda fact: fact.kind)
def test_what_is_said_of_goods_of_others_concerns_them_only_where_they_were_told_to(fact: Fact) -> None:
    assert not owned().concerns(fact)
    assert owned(others=True).concerns(fact)


def test_what_is_lodged_again_after_a_withdrawal_is_theirs_too() -> None:
    made, later = owned(), consignment_id(OURS.declarant, OURS.reference, 2)
    assert not made.concerns(ordered(later))
    made.lodged(lodging(OURS))
    assert made.concerns(ordered(later))


def test_a_player_that_takes_over_reads_whose_goods_they_are() -> None:
    made = Owned()
    made.read(encode(lodging(OURS)))
    assert made.concerns(ordered(GOODS)) and made.concerns(may_leave(OUR_BOX, GOODS))
    made.read(b"{")
    assert not made.concerns(ordered(FOREIGN))


@pytest.mark.parametrize(
    "original",
    [
        lodging(OURS),
        WithdrawDeclaration(consignment_id=GOODS, asked_by=OURS.declarant, occurred_at=AT, reason="x"),
        ReportArrival(consignment_id=GOODS, asked_by="carrier", occurred_at=AT, place="x"),
        RecordGateOut(container_no=OUR_BOX, asked_by="terminal-qqct", occurred_at=AT, gate="G1"),
        RecordFindings(
            consignment_id=GOODS,
            asked_by="officer-liu",
            occurred_at=AT,
            control=ControlKind.DOCUMENTS,
            result=FindingsResult.CONFORM,
            remarks="x",
        ),
    ],
    ids=lambda original: original.kind,
)
def test_each_request_says_that_nobody_real_asked_it_and_counts_for_whom_it_did(original: Request) -> None:
    sent = as_simulated(original)
    assert sent.asked_by == f"simulated/{original.asked_by}"
    assert as_simulated(sent) == sent
    if isinstance(original, RecordFindings):
        assert sent.on_behalf_of is None
    else:
        assert sent.principal == original.principal
    assert sent.model_copy(update={"asked_by": original.asked_by, "on_behalf_of": None}) == original
