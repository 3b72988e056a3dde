"""Which facts do the desks publish that do not occur on a simulated day? Each story ends with facts whose codes do not
occur on that day."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from schemas.declaration import MOST_OF_A_REFERENCE
from schemas.envelope import DeadlinePassed, Fact, RequestRefused
from schemas.gate import ContainerArrivalRetracted, GoodsTransferred, RecordEquipmentEvent
from schemas.phrases import UNREADABLE_REASON
from schemas.release import PlaceHold, ReportArrival
from schemas.vocabulary import (
    ControlKind,
    CreditGrade,
    Direction,
    EquipmentEvent,
    ExitGround,
    GoodsClass,
    TreatmentDecision,
    UnitClass,
)
from services.declaration import decider as declaration
from services.gate import decider as gate
from services.gate.reports import MOST_REPORTS
from services.inspection import decider as inspection
from services.quarantine import decider as quarantine
from services.release import decider as release
from services.release.arrivals import MOST_LANDINGS
from services.release.watches import MOST_WATCHES, Watching
from services.shell.desk import Desk
from services.shell.requests import MOST_REMEMBERED
from tests import facts
from tests.declaration import test_declaration_desk as papers
from tests.declaration.good import BOX, good_item, lodge
from tests.gate import boxes
from tests.inspection import test_corrections as corrections
from tests.inspection import test_inspection_desk as findings
from tests.quarantine import test_corrections as treatments
from tests.quarantine.records import BROMIDE, FLUORIDE, GOOD, HEAT, PHOSPHINE, treatment
from tests.quarantine.test_corrected_findings import given_up
from tests.quarantine.test_methods import GRAIN, LIVING, decision, found, referred
from tests.quarantine.test_quarantine_desk import TIMBER, bad, good, pest
from tests.quarantine.test_what_proves_nothing import record
from tests.release import requests
from tests.release.test_watches import lift_watch, place_watch
from tests.risk import test_risk_desk as risk
from tests.risk.freight import DECIDER, accepted, line, of_grade
from tests.shell import test_turn as turns
from tests.voice import CONSIGNMENT, NOON, Story, story

INSPECTION, DOCUMENTS, SAMPLING = ControlKind.INSPECTION, ControlKind.DOCUMENTS, ControlKind.SAMPLING
QUARANTINE = ControlKind.QUARANTINE
RETRACTED_ARRIVAL = ContainerArrivalRetracted(
    consignment_id=CONSIGNMENT, occurred_at=NOON, container_no=BOX, visit="v1"
)


def lapsed(desk: Story) -> Story:
    """Lets the next deadline of this desk pass."""
    due = desk.deadlines()[0]
    return desk.when(DeadlinePassed(subject=CONSIGNMENT, name=due.name, due=due.due), at=due.due)


def said_by_declaration() -> Iterator[Story]:
    desk = declaration
    for _, _, changes in (*papers.WRONG, *papers.WORTH_A_WARNING):
        yield story(desk, lodge(**changes))
    yield story(desk, lodge(items=(good_item(currency="EUR"),)))
    yield story(desk, lodge(customs_office="4299"), lodge(trade_mode="9999"))
    yield story(desk, lodge(gross_mass_kg=Decimal(31000)))
    yield story(desk, lodge(transport_mode="6", bill_no="P-1"))
    wrong = lodge()
    yield story(desk, wrong.model_copy(update={"consignment_id": CONSIGNMENT[::-1]}))
    yield story(desk, lodge(), lodge(packages=3))
    yield story(desk, papers.withdraw())
    yield story(desk, lodge(items=()), papers.withdraw())
    yield story(desk, lodge(), papers.withdraw(by="somebody"))
    yield story(desk, lodge(), *[papers.withdraw() for _ in range(desk.MOST_WITHDRAWALS + 1)])
    yield story(desk, lodge(), papers.withdraw(), papers.withdrawn(), papers.withdraw())
    spent = story(desk, papers.again(MOST_OF_A_REFERENCE), papers.withdrawn())
    yield spent.when(papers.again(MOST_OF_A_REFERENCE, request_id="r-8"))


def said_by_risk() -> Iterator[Story]:
    for message in (
        accepted(departure="US", wood_packaging=True),
        accepted(departure="US", package_kind="93"),
        accepted(line("8483409000", origin="US"), departure="US", package_kind="93"),
        accepted(line("8483409000", kg="1", price="90000000")),
        accepted(line("8483409000", price="0")),
        accepted(line("6109100000", origin="BD"), departure="AE"),
        accepted(consignee=of_grade(CreditGrade.SERIOUSLY_DISCREDITED)),
    ):
        yield story(DECIDER, message)
    free = accepted()
    free = free.model_copy(update={"declaration": free.declaration.model_copy(update={"invoice_total": Decimal(0)})})
    yield story(DECIDER, free)
    export = accepted(direction=Direction.EXPORT, consignee="ACME GMBH")
    party = {"declarant": of_grade(CreditGrade.SERIOUSLY_DISCREDITED)}
    yield story(DECIDER, export.model_copy(update={"declaration": export.declaration.model_copy(update=party)}))
    odd = accepted(line("8483409000").model_copy(update={"currency": "XCG"}))
    yield story(DECIDER, odd)
    bare = accepted(line("8483409000", kg="0", price="90000000"))
    bare_paper = {"net_mass_kg": Decimal(10), "invoice_total": Decimal(90_000_000), "currency": "EUR"}
    yield story(DECIDER, bare.model_copy(update={"declaration": bare.declaration.model_copy(update=bare_paper)}))
    for code in ("trade_mode_unlisted", "net_mass_differs"):
        yield story(DECIDER, accepted().model_copy(update={"warnings": (risk.warning("/trade_mode", code),)}))


def said_by_inspection() -> Iterator[Story]:
    desk = inspection
    yield story(desk, facts.consignment_assessed(INSPECTION), findings.found(QUARANTINE))
    yield story(desk, findings.found(INSPECTION))
    yield story(desk, facts.consignment_assessed(INSPECTION), findings.found(INSPECTION), findings.found(INSPECTION))
    for result, name in ((findings.CONFORM, "beetle"), (findings.PEST, "")):
        yield story(desk, facts.consignment_assessed(INSPECTION), findings.found(INSPECTION, result, pest=name))
    yield story(
        desk, facts.consignment_assessed(INSPECTION), findings.found(INSPECTION), corrections.retract(INSPECTION, "m9")
    )
    yield story(desk, facts.consignment_assessed(INSPECTION), corrections.retract(INSPECTION, "m9"))
    yield story(desk, facts.consignment_assessed(INSPECTION), facts.declaration_withdrawn(), findings.found(INSPECTION))
    late = story(
        desk, facts.consignment_assessed(INSPECTION), findings.found(INSPECTION), corrections.retract(INSPECTION, "m2")
    )
    yield late.when(findings.found(INSPECTION))
    for remarks in ("", "封志破损 the seal is broken"):
        yield story(
            desk,
            facts.consignment_assessed(DOCUMENTS),
            findings.found(DOCUMENTS, findings.NOT_CONFORM, remarks=remarks),
        )


def said_by_quarantine() -> Iterator[Story]:
    desk = quarantine
    yield given_up().when(good("inspection", 4))
    yield given_up().when(treatments.retract("m9"))
    yield given_up().when(decision(TreatmentDecision.CLEAR))
    yield story(desk, good())
    yield referred().when(good("inspection"))
    yield story(desk, TIMBER, good(attempt=2))
    yield story(desk, TIMBER, good(), good())
    yield story(desk, TIMBER, facts.declaration_withdrawn(), good())
    yield story(desk, TIMBER, treatments.retract("m9"))
    yield story(desk, TIMBER, bad(), treatments.retract("m9"))
    yield story(desk, TIMBER, bad(), treatments.correct(good(attempt=2), "m2"))
    back = story(desk, TIMBER, good(), treatments.retract("m2"))
    yield back.when(good(), recorded=good().occurred_at)
    yield referred().when(treatments.retract_decision("m9"))
    yield story(desk, decision(TreatmentDecision.CLEAR))
    yield referred().when(decision(TreatmentDecision.CLEAR, revision=1))
    yield referred().when(decision(TreatmentDecision.TREAT))
    yield referred().when(decision(TreatmentDecision.TREAT, goods=LIVING, methods=(BROMIDE,)))
    wood = pest()
    for made in _records():
        yield story(desk, wood, made)
    weevil = found("Sitophilus oryzae", GRAIN)
    yield story(desk, weevil, record(PHOSPHINE, ("0", "26", "1"), ("24", "26", "1")))
    yield story(desk, weevil, record(PHOSPHINE, ("0", "26", "1"), ("240", "26", "1")))
    moth = found("Cydia pomonella", GoodsClass.CHERRIES)
    yield story(desk, moth, record(BROMIDE, ("0", "21", "48"), ("1", "22", "36")))


def _records() -> Iterator[Any]:
    """Treatment records of wood that prove nothing, or not enough."""
    yield record(HEAT, started_at=None)
    yield record(HEAT, started_at=NOON - timedelta(days=1))
    yield record(HEAT, occurred_at=NOON)
    yield record(BROMIDE, *GOOD[BROMIDE], ("2", "22", "97"))
    yield record(HEAT, *GOOD[HEAT], ("2.75", "100"))
    yield record(BROMIDE, *GOOD[BROMIDE], ("2.1", "22", "200.001"))
    yield record(BROMIDE, *GOOD[BROMIDE], ("2.1", "22", "199"))
    yield record(BROMIDE, dose_g_m3=Decimal("200.001"))
    yield record(HEAT, unit_class=UnitClass.OTHER)
    yield record(PHOSPHINE)
    yield treatment(CONSIGNMENT, "inspection", 1, HEAT, (), residue=None, dose=None)
    yield record(HEAT, *[(hour, "57") for hour in ("0", "5")])
    yield record(HEAT, *[("1", "20", None, f"sensor {number}") for number in range(40)])
    yield record(BROMIDE, ("0", "9.99", "48"), ("2", "12", "36"), ("24", "12", "24"))
    yield record(BROMIDE, *GOOD[BROMIDE], dose_g_m3=None)
    yield record(BROMIDE, *GOOD[BROMIDE], dose_g_m3=Decimal(1))
    yield record(BROMIDE, *GOOD[BROMIDE], residue_ppm=None)
    yield record(BROMIDE, *GOOD[BROMIDE], residue_ppm=Decimal(9))
    yield record(BROMIDE, ("0", "21", "48"), ("2", "22", "30"), ("20", "21", "24"))
    yield record(FLUORIDE, ("0", "20", "115"), ("24", "20", "28.9"), ("47", "20", "28.9"))
    yield record(FLUORIDE, ("0", "20", "115"), ("24", "20", "0"), ("48", "20", "29"))


def said_by_release() -> Iterator[Story]:
    desk = release
    boxes_of_two = facts.consignment_assessed(containers=requests.BOXES)
    yield story(desk, requests.arrival())
    yield story(desk, boxes_of_two, requests.arrival(containers=("TSTU0000013",)))
    yield story(desk, boxes_of_two, requests.arrival(pieces=3))
    yield story(desk, boxes_of_two, requests.arrival(containers=(BOX,)))
    yield story(desk, facts.consignment_assessed(containers=(), packages=9), requests.arrival(pieces=3))
    yield story(desk, facts.consignment_assessed(containers=(), packages=0), requests.arrival(pieces=3))
    yield story(desk, facts.consignment_assessed(), requests.arrival(), requests.arrival())
    yield story(desk, facts.consignment_assessed(), facts.inspection_failed(INSPECTION), facts.withdrawal_requested())
    yield story(desk, facts.withdrawal_requested(), facts.consignment_assessed(INSPECTION))
    many = story(desk, requests.arrival(containers=("B1",)))
    landings = many.state.dossier.landings * MOST_LANDINGS
    many.state = replace(many.state, dossier=many.state.dossier._replace(landings=landings))
    yield many.when(requests.arrival(containers=("B2",)))
    yield story(
        desk,
        facts.consignment_assessed(),
        requests.arrival(),
        requests.retract_arrival("m2"),
        requests.retract_arrival("m2"),
    )
    yield story(desk, facts.consignment_assessed(), requests.retract_arrival("m9"))
    yield story(desk, facts.consignment_assessed(), requests.arrival(), requests.retract_arrival("m2", by="somebody"))
    yield story(
        desk,
        facts.consignment_assessed(),
        requests.arrival(),
        facts.consignment_gated_out(),
        requests.retract_arrival("m2"),
    )
    taken = story(desk, facts.consignment_assessed(), requests.arrival(), requests.retract_arrival("m2"))
    dossier = taken.state.dossier
    taken.state = replace(taken.state, dossier=dossier._replace(retractions=dossier.retractions * MOST_LANDINGS))
    yield taken.when(requests.arrival(), message_id="last").when(requests.retract_arrival("last"))
    settled = story(
        desk, boxes_of_two, requests.arrival(containers=(BOX,)), requests.arrival(containers=(requests.OTHER_BOX,))
    )
    yield settled.when(requests.retract_arrival("m3"))
    yield story(desk, boxes_of_two, facts.container_arrived(), RETRACTED_ARRIVAL)
    lapse = lapsed(story(desk, facts.consignment_assessed(), requests.arrival()))
    yield lapse
    met = PlaceHold(consignment_id=CONSIGNMENT, asked_by="o9", occurred_at=NOON, reason="a tip", watch_id="w")
    yield story(desk, facts.consignment_assessed(), met, met)
    yield story(desk, facts.consignment_assessed(), met.model_copy(update={"reason": UNREADABLE_REASON}))
    over = story(desk, facts.consignment_assessed())
    over.shared = story(desk, place_watch(bill_no="B"), lift_watch()).state
    yield over.when(met)
    yield story(desk, facts.consignment_assessed(), *[requests.place_hold() for _ in range(65)])
    yield story(desk, facts.consignment_assessed(), facts.withdrawal_requested(), requests.place_hold())
    yield story(
        desk,
        facts.consignment_assessed(),
        requests.lift_hold("arrival"),
        requests.lift_hold("officer/none"),
        requests.retract_lift("m9"),
    )
    yield story(
        desk,
        facts.consignment_assessed(),
        requests.arrival(),
        requests.place_hold(),
        requests.lift_hold("officer/m3"),
        requests.retract_lift("m4"),
    )
    yield story(desk, facts.consignment_assessed(), facts.withdrawal_requested(), facts.withdrawal_requested("w2"))
    yield story(desk, facts.consignment_assessed(), requests.arrival(), facts.withdrawal_requested())
    yield story(
        desk, facts.consignment_assessed(), requests.arrival(), requests.place_hold(), facts.withdrawal_requested()
    )
    export = facts.consignment_assessed(direction=Direction.EXPORT)
    yield story(desk, export, requests.arrival(), facts.withdrawal_requested())
    yield story(desk, export, requests.arrival(), requests.place_hold(), facts.withdrawal_requested())
    yield story(desk, *[facts.withdrawal_requested(f"w{number}") for number in range(66)])
    yield story(
        desk,
        facts.consignment_assessed(INSPECTION),
        facts.inspection_failed(INSPECTION),
        facts.findings_retracted(INSPECTION),
    )
    yield story(desk, facts.consignment_assessed(QUARANTINE), facts.treatment_abandoned("risk"))
    yield story(
        desk,
        facts.consignment_assessed(INSPECTION),
        facts.pest_intercepted(INSPECTION),
        facts.treatment_retracted("inspection"),
    )
    yield story(desk, facts.consignment_assessed(QUARANTINE), facts.treatment_retracted("risk"))
    yield story(
        desk,
        facts.consignment_assessed(INSPECTION),
        facts.findings_retracted(INSPECTION),
        facts.rectification_requested(),
    )
    moved = GoodsTransferred(
        consignment_id=CONSIGNMENT,
        occurred_at=NOON,
        container_no=BOX,
        visit="v1",
        targets=(requests.OTHER_BOX,),
        lots=1,
        report_id="r1",
    )
    yield story(desk, facts.consignment_assessed(INSPECTION), requests.arrival(), moved)
    yield story(desk, facts.consignment_assessed(), moved.model_copy(update={"kept": True}))
    unsaid = facts.rectification_requested().model_copy(update={"reason": "documents: not in order, no remarks"})
    yield story(desk, facts.consignment_assessed(DOCUMENTS), unsaid)
    yield story(desk, facts.consignment_assessed(), facts.consignment_left_unreleased())
    yield story(desk, facts.consignment_assessed(), facts.consignment_gated_out(released=False))
    yield story(desk, boxes_of_two, facts.container_arrived(), facts.consignment_gated_out())
    yield story(
        desk, place_watch(bill_no="B"), place_watch(bill_no="B"), lift_watch(), lift_watch(), place_watch(bill_no="B")
    )
    yield story(desk, place_watch())
    full = story(desk, place_watch(bill_no="B"))
    watch = full.state.watches["w"]
    older = story(desk)
    older.state = Watching(watches={"w": watch._replace(request="")}, ended=("x",))
    yield older.when(place_watch(bill_no="B")).when(lift_watch("x")).when(place_watch("x", bill_no="B"))
    full.state = replace(full.state, watches={f"w{number}": watch for number in range(MOST_WATCHES)})
    yield full.when(place_watch("another", bill_no="B"))


def said_by_gate() -> Iterator[Story]:
    desk, at = gate, boxes.at
    odd = RecordEquipmentEvent(
        container_no="?", asked_by="t", occurred_at=NOON, event=EquipmentEvent.GATED_IN, place="G"
    )
    yield story(desk, odd)
    full = story(desk, boxes.event(EquipmentEvent.GATED_IN, 0))
    full.state = replace(full.state, reports=full.state.reports * MOST_REPORTS)
    yield full.when(boxes.event(EquipmentEvent.GATED_IN, 1))
    yield story(desk, boxes.retracted("nothing"))
    yield story(
        desk, boxes.discharged(0), boxes.retracted("m1", sender="another"), boxes.retracted("m1"), boxes.retracted("m1")
    )
    yield story(desk, boxes.held(), boxes.struck(boxes.A), boxes.struck(boxes.A))
    yield story(desk, boxes.held(version=4), boxes.permitted(boxes.A, ExitGround.RETURN, version=3))
    yield story(desk, *[boxes.box_held() for _ in range(65)], boxes.box_let_go("nothing"))
    yes = [boxes.discharged(0), boxes.freed(boxes.A, arrived=0)]
    yield story(desk, *yes, boxes.box_held())
    yield story(desk, *yes, boxes.held(boxes.A, version=3))
    yield story(desk, *yes, boxes.held(boxes.B, arrived=0, when=5))
    yield story(
        desk, boxes.discharged(0), boxes.freed(boxes.A, bill="B", arrived=0), boxes.freed(boxes.B, bill="B", arrived=0)
    )
    yield story(desk, *yes, boxes.freed(boxes.A, version=3, shared_by=2, arrived=0))
    yield story(desk, *yes, boxes.freed(boxes.A, version=3, released=False))
    yield story(desk, *yes, boxes.freed(boxes.A, version=3, direction=Direction.EXPORT))
    yield story(desk, *yes, boxes.event(EquipmentEvent.STRIPPED, 20))
    yield story(desk, *yes, boxes.event(EquipmentEvent.STUFFED, 20))
    yield story(desk, *yes, boxes.struck(boxes.A))
    again = story(desk, boxes.freed(boxes.A, arrived=0), boxes.struck(boxes.A)).when(boxes.out(60), at=at(60))
    yield again.when(boxes.held(boxes.A, version=3, arrived=boxes.DAY, when=boxes.DAY), at=at(boxes.DAY))
    arrived = boxes.held(boxes.A, version=3).model_copy(update={"arrival_retracted": True})
    yield story(desk, boxes.freed(boxes.A, arrived=0), arrived)
    late = story(desk, boxes.discharged(0)).when(boxes.discharged(2 * boxes.DAY), at=at(2 * boxes.DAY))
    late.when(boxes.freed(boxes.A, arrived=2 * boxes.DAY), at=at(2 * boxes.DAY))
    yield late.when(boxes.out(boxes.DAY), at=at(2 * boxes.DAY))
    for known in ({"overfull": True}, {"waiting": True}):
        box = story(desk, *yes)
        box.state = replace(box.state, **known)
        yield box.when(boxes.held(boxes.B, arrived=0, when=5))
    old = story(desk, *yes)
    old.state = replace(old.state, forgotten=at(10))
    yield old.when(boxes.event(EquipmentEvent.GATED_IN, 5))
    loaded, export = EquipmentEvent.LOADED, Direction.EXPORT
    yield story(desk, boxes.discharged(0), boxes.held(arrived=0), boxes.event(loaded, 60))
    ship = boxes.freed(ship="EVER/012E", arrived=0, direction=export)
    yield story(desk, boxes.discharged(0), ship, boxes.event(loaded, 60, ship="HMM 001W"))
    yield story(
        desk, boxes.discharged(0), boxes.held(arrived=0), boxes.event(EquipmentEvent.GATED_OUT, 60, laden=False)
    )
    left = story(desk, *yes, boxes.out(60))
    yield left.when(boxes.held(boxes.A, version=3, arrived=0, when=90), at=at(90))
    yield story(desk, *yes, boxes.box_held()).when(boxes.out(60), at=at(60))
    unknown = story(desk, boxes.discharged(0)).when(boxes.out(60), at=at(60))
    yield unknown.when(boxes.held(boxes.A, arrived=5, when=180), at=at(180))
    wrong = story(desk, boxes.discharged(0), boxes.held(arrived=0)).when(boxes.out(60), message_id="out", at=at(60))
    yield wrong.when(boxes.retracted("out"), at=at(70))
    stuffed = boxes.event(EquipmentEvent.STUFFED, 20).model_copy(update={"sources": (requests.OTHER_BOX,)})
    yield story(desk, *yes, stuffed)
    yield story(desk, boxes.freed(ship="COSCO 017E", arrived=30, when=40), boxes.discharged(0, "OTHER/9"))
    stripped = boxes.freed(boxes.B, arrived=0).model_copy(update={"source": requests.OTHER_BOX})
    yield story(desk, *yes, stripped)
    again = story(desk, boxes.discharged(0), boxes.held(arrived=0)).when(
        boxes.discharged(5 * boxes.DAY), at=at(5 * boxes.DAY)
    )
    again.when(boxes.found("inside", 5 * boxes.DAY + 1), at=at(5 * boxes.DAY + 1))
    again.when(boxes.freed(arrived=0, when=5 * boxes.DAY + 2), at=at(5 * boxes.DAY + 2))
    again.when(boxes.found("inside", 5 * boxes.DAY + 3, lots=1), message_id="count", at=at(5 * boxes.DAY + 3))
    yield again.when(boxes.finding_retracted("count"), at=at(5 * boxes.DAY + 4))
    earlier = story(desk, *yes)
    yield earlier.when(boxes.held(boxes.A, version=3).model_copy(update={"reason": "held"}))


def refused_by_loop() -> Iterator[Fact]:
    """Refusals that the loop publishes before the decider gets the request."""
    ahead = ReportArrival(consignment_id=CONSIGNMENT, asked_by="t", occurred_at=NOON + timedelta(hours=1), place="yard")
    messages = (
        *[turns.arrived(berth, ce_id=b"guessed") for berth in ("yard", "berth")],
        turns.raw(ahead, "customs-release-requests", headers={"ce_time": NOON.isoformat().encode()}),
        *[turns.arrived("yard") for _ in range(MOST_REMEMBERED + 1)],
    )
    for refusal in turns.refusals(turns.Worker(Desk.of("release", release)).turn(*messages)):
        yield RequestRefused(**refusal)


DESKS: tuple[Callable[[], Iterator[Story]], ...] = (
    said_by_declaration,
    said_by_risk,
    said_by_inspection,
    said_by_quarantine,
    said_by_release,
    said_by_gate,
)


def all_facts() -> Iterator[Fact]:
    """Yields every fact of the stories in this file."""
    for desk in DESKS:
        for desk_story in desk():
            yield from desk_story.facts
    yield from refused_by_loop()
