"""Does the reader of effects find what is there to find? A clean day, with one fault planted at a time."""

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid5

import orjson
import pytest

from schemas.parking import Origin
from services.cli.effects import FACTS, Effects, examine
from services.cli.ledger import judge
from services.cli.log import Entry

Chosen = Callable[[Entry], bool]


def first(entries: list[Entry], kind: str, chosen: Chosen = lambda entry: True) -> Entry:
    return next(e for e in entries if e.kind == kind and chosen(e))


def instead(entries: list[Entry], old: Entry, *new: Entry) -> list[Entry]:
    """The entries with other ones in the place of one."""
    return [each for entry in entries for each in (new if entry is old else (entry,))]


def told(entry: Entry, **headers: str) -> Entry:
    return replace(entry, headers=entry.headers | headers)


def about(lines: list[str], key: str, words: str) -> bool:
    return any(key in line and words in line for line in lines)


def test_a_fact_missing_in_the_middle_is_lost(calm_entries: list[Entry]) -> None:
    arrived = first(calm_entries, "ArrivalRecorded", lambda e: e.headers["sequence"] != "1")
    assert about(judge(instead(calm_entries, arrived)).lost, arrived.key, "are missing")


def test_a_statement_to_the_gate_is_counted_with_the_consignment_that_it_is_about(calm_entries: list[Entry]) -> None:
    freed = first(calm_entries, "ContainerHeld")
    assert about(judge(instead(calm_entries, freed)).lost, freed.body["consignment_id"], "are missing")


def test_a_number_given_twice_is_doubled_even_under_ids_of_its_own(calm_entries: list[Entry]) -> None:
    order = first(calm_entries, "InspectionOrdered")
    again = told(order, ce_id="another")
    ledger = judge(instead(calm_entries, order, order, again))
    assert about(ledger.doubled, order.key, "more than once") and about(ledger.doubled, order.key, "ordered 2 times")


def test_an_effect_that_overtook_an_earlier_cause_is_reordered(calm_entries: list[Entry]) -> None:
    def lifted(key: str) -> list[Entry]:
        return [e for e in calm_entries if e.key == key and e.kind == "ConsignmentHeld"]

    placed = next(e for e in calm_entries if e.kind == "LiftHold")
    held = lifted(placed.key)
    one, other = held[-2], held[-1]
    swapped = instead(
        instead(calm_entries, one, told(one, causationid=other.headers["causationid"])),
        other,
        told(other, causationid=one.headers["causationid"]),
    )
    assert about(judge(swapped).reordered, placed.key, "after")


@pytest.mark.parametrize(
    ("answered", "parked", "in_order"),
    [
        ([("LiftHold", 5), ("PlaceHold", 7)], (), True),
        ([("PlaceHold", 7), ("LiftHold", 5)], (5,), True),  # what holds goods overtakes what is parked
        ([("PlaceHold", 7), ("LiftHold", 5)], (), False),  # and nothing else
        ([("PlaceHold", 7), ("LiftHold", 5)], (7,), False),
        ([("LiftHold", 7), ("LiftHold", 5)], (5,), False),  # and only what holds goods overtakes
        ([("WithdrawalRequested", 7), ("LiftHold", 5)], (5,), False),
        ([("LiftHold", 7), ("PlaceHold", 5)], (), False),  # a hold that came too late
        ([("LiftHold", 7), ("PlaceHold", 5)], (5,), False),
        ([("PlaceHold", 7), ("LiftHold", 5), ("PlaceHold", 6)], (5,), False),
        ([("PlaceHold", 7), ("LiftHold", 5), ("LiftHold", 6)], (5, 6), True),
        ([("PlaceHold", 7), ("LiftHold", 6), ("LiftHold", 5)], (5, 6), False),
    ],
)
def test_only_what_holds_goods_overtakes_and_only_what_was_parked(
    answered: list[tuple[str, int]], parked: tuple[int, ...], in_order: bool
) -> None:
    topic = "customs-release-requests"
    causes = [
        Entry(topic, 0, offset, "A", {"ce_id": f"c{offset}", "ce_type": kind}, b"{}") for kind, offset in answered
    ]
    facts = []
    for number, cause in enumerate(causes, 1):
        headers = {
            "ce_id": str(uuid5(FACTS, f"release/{cause.id}/0")),
            "causationid": cause.id,
            "sequence": str(number),
        }
        facts.append(Entry("customs-release-facts", 0, number, "A", headers | {"ce_type": "ConsignmentHeld"}, b"{}"))
    effects = Effects()
    examine(effects, causes, facts, {"release": {Origin(topic, 0, offset) for offset in parked}})
    assert effects.reordered == [] if in_order else len(effects.reordered) == 1
    assert not (effects.lost or effects.doubled or effects.causeless or effects.forged)


def test_a_fact_that_nothing_caused_is_found(calm_entries: list[Entry]) -> None:
    fact = first(calm_entries, "ConsignmentAssessed")
    assert about(
        judge(instead(calm_entries, fact, told(fact, causationid="nobody"))).causeless, fact.id, "no topic holds"
    )


def test_a_gate_out_that_was_answered_twice_is_doubled(calm_entries: list[Entry]) -> None:
    out = first(calm_entries, "ContainerGatedOut")
    ledger = judge(instead(calm_entries, out, out, told(out, ce_id="another", sequence="99")))
    assert about(ledger.doubled, out.headers["causationid"], "answered 2 times")


def test_a_container_of_goods_that_were_never_released_is_wrongly_released(calm_entries: list[Entry]) -> None:
    leave = first(calm_entries, "ContainerMayLeave")
    key = leave.body["consignments"][0]
    granted = first(calm_entries, "ReleaseGranted", lambda e: e.key == key)
    assert about(judge(instead(calm_entries, granted)).wrongly_released, leave.key, "never released")


def test_a_control_that_was_never_ordered_is_lost(calm_entries: list[Entry]) -> None:
    order = first(calm_entries, "InspectionOrdered")
    assert about(judge(instead(calm_entries, order)).lost, order.key, "never ordered")


def test_goods_that_quarantine_gave_up_owe_no_other_treatment(calm_entries: list[Entry]) -> None:
    asked = {e.key for e in calm_entries if e.kind == "TreatmentReferred"}
    order = first(calm_entries, "TreatmentOrdered", lambda e: e.body["attempt"] == 1 and e.key not in asked)
    assert about(judge(instead(calm_entries, order)).lost, order.key, "never ordered")
    refusal = replace(told(first(calm_entries, "QuarantineRefused"), ce_id="another"), key=order.key)
    assert not about(judge([*instead(calm_entries, order), refusal]).lost, order.key, "never ordered")


def test_each_pest_finding_owes_a_treatment_unless_it_was_taken_back(calm_entries: list[Entry]) -> None:
    def of(entry: Entry, kind: str, revision: int) -> Entry:
        value = orjson.dumps({**entry.body, "revision": revision})
        return replace(told(entry, ce_type=kind, ce_id=f"{kind} {revision}"), value=value)

    given_up = {e.key for e in calm_entries if e.kind in ("TreatmentAbandoned", "QuarantineRefused")}
    pest = first(calm_entries, "PestIntercepted", lambda e: e.key not in given_up)
    again = [*calm_entries, of(pest, "FindingsRetracted", 1), of(pest, "PestIntercepted", 2)]
    assert not about(judge(calm_entries).lost, pest.key, "never ordered")
    assert about(judge(again).lost, pest.key, "inspection/2 never ordered")
    assert not about(judge([*again, of(pest, "FindingsRetracted", 3)]).lost, pest.key, "never ordered")


def test_a_released_container_of_which_the_gate_never_spoke_is_lost(calm_entries: list[Entry]) -> None:
    box = first(calm_entries, "ContainerMayLeave").key
    silent = [e for e in calm_entries if e.topic != "customs-gate-facts" or e.key != box]
    assert about(judge(silent).lost, box, "never said that it may leave")


def test_what_no_desk_wrote_is_counted_and_proves_nothing(calm_entries: list[Entry]) -> None:
    fact = first(calm_entries, "ReleaseGranted", lambda e: e.body["containers"])  # the gate is told after it
    ledger = judge([*calm_entries, told(fact, ce_source="/somebody", ce_id="another")])
    assert ledger.clean and ledger.foreign == 1
    ledger = judge(instead(calm_entries, fact, told(fact, ce_source="/somebody")))
    assert about(ledger.lost, fact.key, "are missing")
