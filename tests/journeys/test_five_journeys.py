"""How does a consignment pass through all desks? Five stories list every fact that every desk publishes.

Green goods leave without a control; the papers of yellow goods are rectified; red goods are treated, because a pest is
found in them; other goods are refused; and released goods are called back. Each step is one request, or time that
passes, with the facts that follow from it at all desks.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from schemas.declaration import LodgeDeclaration
from schemas.inspection import FindingsResult
from schemas.phrases import phrase, quoted
from schemas.risk import ConsignmentAssessed, Draw, FiredRule
from schemas.vocabulary import ControlKind, EquipmentEvent, GoodsClass, Lane, Owner
from services.clearance.timeline import gate_seconds, span_seconds
from tests import facts
from tests.declaration.good import good_item, lodge
from tests.declaration.test_declaration_desk import withdraw
from tests.gate.boxes import discharged, out
from tests.inspection.test_inspection_desk import found
from tests.journeys.journey import Journey
from tests.quarantine.records import BROMIDE, FLUORIDE, HEAT, good_treatment
from tests.release.requests import arrival, lift_hold, place_hold
from tests.voice import CONSIGNMENT, NOON

DOCUMENTS, INSPECTION = ControlKind.DOCUMENTS, ControlKind.INSPECTION
HOUR = timedelta(hours=1)
LIMITS = {DOCUMENTS: 24 * HOUR, INSPECTION: 48 * HOUR}
"""Control → the time that an officer has for it."""
LODGED, ARRIVED, LOOKED_AT = NOON, NOON + HOUR, NOON + 2 * HOUR
DRAW = Draw(value=Decimal("0.060208"), rate=Decimal("0.0244"), selected=False, key_id="published")
"""The draw for this bill and container with the published key. It does not select the goods."""
UNDECLARED_VISIT = f"arrival/{CONSIGNMENT}"
"""The visit of a container for which no terminal reported an opening. Its id is made from the id of the consignment
that arrived."""
PINE = good_item(hs_code="4407110000", description="sawn pine")
NEMATODE = "Bursaphelenchus xylophilus"


def assessed(*rules: FiredRule, goods: GoodsClass = GoodsClass.OTHER) -> ConsignmentAssessed:
    controls = [control for rule in rules for control in rule.controls]
    return facts.consignment_assessed(*controls, rules=rules, draw=DRAW, goods=(goods,))


LOOKED_AT_AS_WOOD = FiredRule(
    rule="plants_and_wood", controls=(INSPECTION,), seen="chapters 44", phrase=phrase("chapters", codes="44")
)


def spans(journey: Journey) -> dict[str, float]:
    """Span → its hours, as the clearance service measures them. Spans without a time are left out."""
    timeline = journey.state("clearance", CONSIGNMENT)
    seconds: dict[str, float | None] = {**span_seconds(timeline), "gate": gate_seconds(timeline)}
    return {name: each / 3600 for name, each in seconds.items() if each is not None}


def lodged(declaration: LodgeDeclaration, assessment: ConsignmentAssessed) -> Journey:
    """A journey in which the declaration was accepted, the risk desk has published `assessment`, the controls that it
    names were ordered, and the goods and their container wait."""
    ordered = [facts.inspection_ordered(each, LODGED + LIMITS[each]) for each in assessment.controls]
    desks: dict[str, Any] = {"inspection": tuple(ordered)} if ordered else {}
    return (
        Journey()
        .when(declaration, "lodged")
        .then(
            declaration=(facts.declaration_accepted(declaration.declaration),),
            risk=(assessment,),
            **desks,
            release=(
                facts.consignment_held(
                    1, facts.not_arrived(), *[facts.control_required(each) for each in assessment.controls]
                ),
                facts.container_held(1, phrase("not_released_yet")),
            ),
        )
    )


def arrived_held(journey: Journey, control: ControlKind) -> Journey:
    """The journey after the carrier has reported the arrival, an hour after the lodgement. Now only the officer's
    control still holds the goods."""
    return journey.when(arrival(at=ARRIVED), "arrived").then(
        release=(
            facts.arrival_recorded(at=ARRIVED),
            facts.consignment_held(2, facts.control_required(control), at=ARRIVED),
            facts.container_held(2, phrase("not_released_yet"), arrived_at=ARRIVED, at=ARRIVED),
        )
    )


def leaves(journey: Journey, at: datetime, visit: str = UNDECLARED_VISIT) -> Journey:
    """The journey after the released container has passed the gate."""
    return journey.when(out((at - NOON) / timedelta(minutes=1)), "left").then(
        gate=(
            facts.equipment_event_recorded("left", EquipmentEvent.GATED_OUT, visit, where="G1", at=at),
            facts.container_gated_out(visit, "left", at=at),
            facts.consignment_gated_out(visit=visit, at=at),
        )
    )


def test_green_goods_are_released_when_their_container_is_discharged_and_leave() -> None:
    landed = NOON + 2 * HOUR
    journey = lodged(lodge(), assessed())
    journey.when(discharged(120), "discharged").then(
        gate=(
            facts.equipment_event_recorded(
                "discharged", EquipmentEvent.DISCHARGED, "discharged", laden=True, at=landed
            ),
            facts.visit_opened("discharged", laden=True, at=landed),
            facts.container_arrived(visit="discharged", at=landed),
            facts.container_may_leave(1, "discharged", at=landed),
        ),
        release=(
            facts.arrival_recorded("CSQU3054383", where="berth 1", by="gate", at=landed),
            facts.release_granted(2, arrived_at=landed, at=landed),
            facts.container_freed(2, arrived_at=landed, at=landed),
        ),
    )
    leaves(journey, NOON + 5 * HOUR, "discharged")
    assert spans(journey) == {"assessment": 0, "customs": 0, "customs_raw": 2, "overall": 0, "gate": 3}


def test_the_papers_of_yellow_goods_are_read_late_put_right_and_read_again() -> None:
    """T-shirts of Thai origin depart from Viet Nam, so an officer checks whether the certificate of origin is there."""
    shirts = good_item(hs_code="6109100000", description="T-shirts", origin_country="TH")
    detour = FiredRule(
        rule="detoured_clothing",
        controls=(DOCUMENTS,),
        seen="origin TH, departure VN",
        phrase=phrase("detour", origins=("TH",), departure="VN"),
    )
    journey = lodged(lodge(departure_country="VN", items=(shirts, shirts)), assessed(detour))
    arrived_held(journey, DOCUMENTS)

    next_noon = NOON + 24 * HOUR
    journey.when_time_passes(next_noon).then(inspection=(facts.inspection_overdue(DOCUMENTS, LODGED, next_noon),))
    journey.when_time_passes(next_noon + HOUR / 2).then()  # the officer is not reminded a second time

    read, missing = next_noon + HOUR, "the certificate of origin is missing"
    to_put_right = facts.open_hold(
        "inspection/documents",
        Owner.DECLARANT,
        phrase("put_right", words=missing),
        "InspectionPassed",
        quoted={"words": (17, 53)},
    )
    journey.when(found(DOCUMENTS, FindingsResult.NOT_CONFORM, remarks=missing), "read", after=HOUR / 2).then(
        inspection=(facts.rectification_requested(0, quoted(missing), due=read + timedelta(days=14), at=read),),
        release=(facts.consignment_held(3, to_put_right, at=read),),
    )

    read_again = read + 5 * HOUR
    journey.when(found(DOCUMENTS, revision=1), "read-again", after=5 * HOUR).then(
        inspection=(facts.inspection_passed(DOCUMENTS, 1, at=read_again),),
        release=(
            facts.release_granted(
                4,
                lane=Lane.YELLOW,
                arrived_at=ARRIVED,
                answers={"inspection/documents": "InspectionPassed"},
                revisions={"inspection/documents": (0, 1)},
                at=read_again,
            ),
            facts.container_freed(4, arrived_at=ARRIVED, at=read_again),
        ),
        gate=(facts.container_may_leave(1, UNDECLARED_VISIT, at=read_again),),
    )
    leaves(journey, read_again + HOUR)
    assert spans(journey) == {
        "assessment": 0,
        "control": 30,
        "customs": 29,
        "customs_raw": 30,
        "overall": 29,
        "gate": 1,
    }


def test_red_goods_with_a_pest_are_released_when_their_treatment_is_verified() -> None:
    journey = lodged(lodge(items=(PINE, PINE)), assessed(LOOKED_AT_AS_WOOD, goods=GoodsClass.WOOD))
    arrived_held(journey, INSPECTION)

    journey.when(found(INSPECTION, FindingsResult.PEST, pest=NEMATODE), "looked", after=HOUR).then(
        inspection=(facts.pest_intercepted(INSPECTION, goods=(GoodsClass.WOOD,), at=LOOKED_AT),),
        quarantine=(
            facts.treatment_ordered(
                "inspection",
                methods=(HEAT, BROMIDE, FLUORIDE),
                pest=NEMATODE,
                due=LOOKED_AT + timedelta(days=5),
                at=LOOKED_AT,
            ),
        ),
        release=(
            facts.consignment_held(3, facts.living_pest(INSPECTION, LOOKED_AT), at=LOOKED_AT),
            facts.container_held(3, phrase("not_released_yet"), arrived_at=ARRIVED, at=LOOKED_AT),
        ),
    )

    heated = LOOKED_AT + 4.5 * HOUR
    treatment = good_treatment(CONSIGNMENT, "inspection", 1, HEAT, started_at=LOOKED_AT + HOUR)
    journey.when(treatment, "treated").then(
        quarantine=(facts.treatment_verified("inspection", at=heated),),
        release=(
            facts.release_granted(
                4,
                lane=Lane.RED,
                arrived_at=ARRIVED,
                answers={"inspection/inspection": "PestIntercepted", "quarantine/inspection": "TreatmentVerified"},
                at=heated,
            ),
            facts.container_freed(4, arrived_at=ARRIVED, at=heated),
        ),
        gate=(facts.container_may_leave(1, UNDECLARED_VISIT, at=heated),),
    )
    leaves(journey, heated + HOUR)
    assert spans(journey) == {
        "assessment": 0,
        "control": 2,
        "treatment": 4.5,
        "customs": 5.5,
        "customs_raw": 6.5,
        "overall": 5.5,
        "gate": 1,
    }


def test_goods_that_an_officer_refuses_are_neither_withdrawn_nor_let_out() -> None:
    journey = lodged(lodge(items=(PINE, PINE)), assessed(LOOKED_AT_AS_WOOD, goods=GoodsClass.WOOD))
    arrived_held(journey, INSPECTION)

    ebony = quoted("not pine but ebony")
    findings = found(INSPECTION, FindingsResult.NOT_CONFORM, remarks="not pine but ebony")
    journey.when(findings, "looked", after=HOUR).then(
        inspection=(facts.inspection_failed(INSPECTION, 0, ebony, at=LOOKED_AT),),
        release=(
            facts.release_refused(3, "inspection/inspection", ebony, at=LOOKED_AT),
            facts.container_held(3, phrase("refused_for"), ebony, arrived_at=ARRIVED, refused=True, at=LOOKED_AT),
        ),
    )

    closed = phrase("refused")
    journey.when(withdraw(), "withdrawn").then(
        declaration=(facts.withdrawal_requested("withdrawn", at=LOOKED_AT),),
        release=(
            facts.request_refused("withdrawn", "WithdrawDeclaration", "consignment_closed", closed, at=LOOKED_AT),
        ),
    )

    stolen = NOON + 5 * HOUR
    journey.when(out(300), "left").then(
        gate=(
            facts.equipment_event_recorded("left", EquipmentEvent.GATED_OUT, UNDECLARED_VISIT, where="G1", at=stolen),
            facts.visit_closed(UNDECLARED_VISIT, "left_unreleased", "left", at=stolen),
            facts.gate_alarm_raised(UNDECLARED_VISIT, "left", at=stolen),
            facts.consignment_left_unreleased(visit=UNDECLARED_VISIT, at=stolen),
        )
    )
    assert spans(journey) == {"assessment": 0, "control": 2}
    assert journey.state("clearance", CONSIGNMENT).end == "left_unreleased"


def test_released_goods_that_an_officer_calls_back_stay_until_the_hold_is_lifted() -> None:
    journey = lodged(lodge(), assessed())
    journey.when(arrival(at=ARRIVED), "arrived").then(
        release=(
            facts.arrival_recorded(at=ARRIVED),
            facts.release_granted(2, arrived_at=ARRIVED, at=ARRIVED),
            facts.container_freed(2, arrived_at=ARRIVED, at=ARRIVED),
        ),
        gate=(facts.container_may_leave(1, UNDECLARED_VISIT, at=ARRIVED),),
    )

    tip = quoted("a tip")
    journey.when(place_hold("a tip"), "tip", after=HOUR).then(
        release=(
            facts.release_revoked(3, tip, at=LOOKED_AT),
            facts.consignment_held(4, facts.officers_hold("tip", since=LOOKED_AT), at=LOOKED_AT),
            facts.container_held(4, tip, arrived_at=ARRIVED, at=LOOKED_AT),
        ),
        gate=(
            facts.container_must_stay(
                2,
                UNDECLARED_VISIT,
                phrase("lots_released", count=0, all=1),
                phrase("bill_waits", bill="BL-1"),
                tip,
                at=LOOKED_AT,
            ),
        ),
    )

    lifted = LOOKED_AT + HOUR
    journey.when(lift_hold("officer/tip"), "lifted", after=HOUR).then(
        release=(
            facts.release_granted(5, arrived_at=ARRIVED, at=lifted),
            facts.container_freed(5, arrived_at=ARRIVED, at=lifted),
        ),
        gate=(facts.container_may_leave(3, UNDECLARED_VISIT, at=lifted),),
    )
    leaves(journey, NOON + 5 * HOUR)
    assert spans(journey) == {"assessment": 0, "customs": 0, "customs_raw": 1, "overall": 0, "gate": 4}
