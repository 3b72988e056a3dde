"""Does the check of effects find each fault? The tests change one thing at a time in a correct day."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import combinations
from uuid import uuid5

import orjson
import pytest

from schemas.flow import HOLDING
from schemas.parking import Origin
from services.cli.effects import FACTS, Effects, examine
from services.cli.ledger import judge
from services.cli.log import LoggedMessage

Chosen = Callable[[LoggedMessage], bool]


def first(entries: list[LoggedMessage], kind: str, chosen: Chosen = lambda entry: True) -> LoggedMessage:
    return next(e for e in entries if e.kind == kind and chosen(e))


def instead(entries: list[LoggedMessage], old: LoggedMessage, *new: LoggedMessage) -> list[LoggedMessage]:
    """Returns the entries with `new` in place of `old`."""
    return [each for entry in entries for each in (new if entry is old else (entry,))]


def with_headers(entry: LoggedMessage, **headers: str) -> LoggedMessage:
    return replace(entry, headers=entry.headers | headers)


def about(lines: list[str], key: str, text: str) -> bool:
    return any(key in line and text in line for line in lines)


def test_a_fact_missing_in_the_middle_is_lost(calm_entries: list[LoggedMessage]) -> None:
    arrived = first(calm_entries, "ArrivalRecorded", lambda e: e.headers["sequence"] != "1")
    assert about(judge(instead(calm_entries, arrived)).lost, arrived.key, "are missing")


def test_a_statement_to_the_gate_is_counted_with_the_consignment_that_it_is_about(
    calm_entries: list[LoggedMessage],
) -> None:
    freed = first(calm_entries, "ContainerHeld")
    assert about(judge(instead(calm_entries, freed)).lost, freed.body["consignment_id"], "are missing")


def test_a_number_given_twice_is_doubled_even_under_ids_of_its_own(calm_entries: list[LoggedMessage]) -> None:
    order = first(calm_entries, "InspectionOrdered")
    again = with_headers(order, ce_id="another")
    ledger = judge(instead(calm_entries, order, order, again))
    assert about(ledger.doubled, order.key, "more than once") and about(ledger.doubled, order.key, "ordered 2 times")


def test_an_effect_that_overtook_an_earlier_cause_is_reordered(calm_entries: list[LoggedMessage]) -> None:
    causes = {entry.id: entry for entry in calm_entries}

    def source(fact: LoggedMessage) -> tuple[str, str]:
        """Returns the consignment of this fact and the topic of the message that caused it. Only messages of the same
        topic have an order."""
        return fact.key, causes[fact.headers["causationid"]].topic

    # The effect of a holding message may overtake the effect of a parked one, so facts that it caused are left out.
    holding = {kind.kind for kind in HOLDING["release"]}
    caused = [e for e in calm_entries if e.kind == "ConsignmentHeld" and e.headers["causationid"] in causes]
    held = [e for e in caused if causes[e.headers["causationid"]].kind not in holding]
    one, other = next(
        (one, other)
        for one, other in combinations(held, 2)
        if source(one) == source(other) and one.headers["causationid"] != other.headers["causationid"]
    )
    swapped = instead(
        instead(calm_entries, one, with_headers(one, causationid=other.headers["causationid"])),
        other,
        with_headers(other, causationid=one.headers["causationid"]),
    )
    assert about(judge(swapped).reordered, one.key, "after")


@pytest.mark.parametrize(
    ("answered", "parked", "in_order"),
    [
        ([("LiftHold", 5), ("PlaceHold", 7)], (), True),
        ([("PlaceHold", 7), ("LiftHold", 5)], (5,), True),  # a holding message may overtake a parked one
        # a holding message may not overtake one that is not parked
        ([("PlaceHold", 7), ("LiftHold", 5)], (), False),
        ([("PlaceHold", 7), ("LiftHold", 5)], (7,), False),
        ([("LiftHold", 7), ("LiftHold", 5)], (5,), False),  # other messages may not overtake a parked one
        ([("WithdrawalRequested", 7), ("LiftHold", 5)], (5,), False),
        ([("LiftHold", 7), ("PlaceHold", 5)], (), False),  # a holding message may not be overtaken
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
        LoggedMessage(topic, 0, offset, "A", {"ce_id": f"c{offset}", "ce_type": kind}, b"{}")
        for kind, offset in answered
    ]
    facts = []
    for number, cause in enumerate(causes, 1):
        headers = {
            "ce_id": str(uuid5(FACTS, f"release/{cause.id}/0")),
            "causationid": cause.id,
            "sequence": str(number),
        }
        facts.append(
            LoggedMessage("customs-release-facts", 0, number, "A", headers | {"ce_type": "ConsignmentHeld"}, b"{}")
        )
    effects = Effects()
    examine(effects, causes, facts, {"release": {Origin(topic, 0, offset) for offset in parked}})
    assert effects.reordered == [] if in_order else len(effects.reordered) == 1
    assert not (effects.lost or effects.doubled or effects.causeless or effects.forged)


def test_a_fact_that_nothing_caused_is_found(calm_entries: list[LoggedMessage]) -> None:
    fact = first(calm_entries, "ConsignmentAssessed")
    assert about(
        judge(instead(calm_entries, fact, with_headers(fact, causationid="nobody"))).causeless,
        fact.id,
        "no topic holds",
    )


@pytest.mark.parametrize("kind", ["EquipmentEventRecorded", "ContainerGatedOut", "VisitClosed"])
def test_a_report_that_was_answered_twice_is_doubled(calm_entries: list[LoggedMessage], kind: str) -> None:
    out = first(calm_entries, kind)
    ledger = judge(instead(calm_entries, out, out, with_headers(out, ce_id="another", sequence="99")))
    assert about(ledger.doubled, out.headers["causationid"], "2 times")


def test_a_strike_that_the_desk_itself_ended_answers_no_request(calm_entries: list[LoggedMessage]) -> None:
    recorded = first(calm_entries, "EquipmentEventRecorded")
    ended = with_headers(recorded, ce_id="another", ce_type="StrikeRetracted")
    for phrases, doubled in (([], True), ([{"code": "came_with_it", "values": {}}], False)):
        both = instead(
            calm_entries, recorded, recorded, replace(ended, value=json.dumps({"phrases": phrases}).encode())
        )
        assert about(judge(both).doubled, recorded.headers["causationid"], "answered 2 times") is doubled


def changed(entry: LoggedMessage, **fields: object) -> LoggedMessage:
    return replace(entry, value=json.dumps({**entry.body, **fields}).encode())


def test_a_report_that_no_fact_of_its_own_answers_is_lost(calm_entries: list[LoggedMessage]) -> None:
    """The fact that closes the visit does not count as an answer, because not every report closes a visit."""
    recorded = first(calm_entries, "EquipmentEventRecorded", lambda e: e.body["event"] == "GTOT")
    assert about(judge(instead(calm_entries, recorded)).lost, recorded.headers["causationid"], "no answer")


def test_a_departure_without_a_yes_of_its_visit_is_wrongly_released(calm_entries: list[LoggedMessage]) -> None:
    out = first(calm_entries, "ContainerGatedOut")
    yes = first(calm_entries, "ContainerMayLeave", lambda e: e.key == out.key)
    assert yes.body["visit"] == out.body["visit"]
    silent = judge(instead(calm_entries, yes))
    assert about(silent.wrongly_released, out.key, "no yes")
    of_another = changed(yes, visit="another", consignments=["another"])
    assert about(judge(instead(calm_entries, yes, of_another)).wrongly_released, out.key, "no yes")
    before = changed(out, occurred_at="2026-01-01T00:00:00Z")
    assert about(judge(instead(calm_entries, out, before)).wrongly_released, out.key, "no yes")


def test_a_departure_after_the_yes_was_taken_back_is_wrongly_released(calm_entries: list[LoggedMessage]) -> None:
    out = first(calm_entries, "ContainerGatedOut")
    yes = first(calm_entries, "ContainerMayLeave", lambda e: e.key == out.key)
    body = {**yes.body, "version": 2, "waiting_for": [], "reason": "held"}
    no = replace(
        with_headers(yes, ce_type="ContainerMustStay", ce_id="no", sequence=yes.headers["sequence"] + ".5"),
        value=json.dumps(body).encode(),
    )
    shifted = [
        with_headers(e, sequence=str(int(e.headers["sequence"]) + 1))
        if e.desk == "gate" and e.key == out.key and e is not yes
        else e
        for e in calm_entries
    ]
    no = with_headers(no, sequence=str(int(yes.headers["sequence"]) + 1))
    shifted = instead(shifted, yes, yes, no)
    assert about(judge(shifted).wrongly_released, out.key, "no yes")
    late = replace(no, value=json.dumps({**body, "occurred_at": "2100-01-01T00:00:00Z"}).encode())
    assert not about(judge(instead(shifted, no, late)).wrongly_released, out.key, "no yes"), "it left before that"


def test_goods_that_left_are_told_of_under_their_own_key_and_no_others(calm_entries: list[LoggedMessage]) -> None:
    # Goods leave a second time if the report of their departure was taken back. Such goods are not used here.
    times_gone = Counter(e.key for e in calm_entries if e.kind == "ConsignmentGatedOut")
    out = first(calm_entries, "ContainerGatedOut", lambda e: times_gone[e.body["consignments"][0]] == 1)
    goods = out.body["consignments"][0]
    gone = first(calm_entries, "ConsignmentGatedOut", lambda e: e.key == goods)
    assert about(judge(instead(calm_entries, gone)).lost, goods, "was not told")
    elsewhere = changed(gone, visit="another")
    assert about(judge(instead(calm_entries, gone, elsewhere)).wrongly_released, goods, "of no visit that ended")
    kind = with_headers(gone, ce_type="ConsignmentLeftUnreleased")
    assert not about(judge(instead(calm_entries, gone, kind)).wrongly_released, goods, "of no visit that ended")
    wrong = changed(kind, visit="another")
    assert about(judge(instead(calm_entries, gone, wrong)).wrongly_released, goods, "of no visit that ended")


def test_an_export_that_is_released_waits_for_no_yes_at_the_land_gate(calm_entries: list[LoggedMessage]) -> None:
    freed = first(calm_entries, "ContainerFreed", lambda e: (e.body["direction"], e.body["shared_by"]) == ("E", 1))
    assert not [e for e in calm_entries if e.kind == "ContainerMayLeave" and e.key == freed.key]
    parts = [e for e in calm_entries if e.key == freed.key and e.kind in ("ContainerFreed", "ContainerHeld")]
    imported = calm_entries
    for part in parts:
        imported = instead(imported, part, changed(part, direction="I"))
    assert about(judge(imported).lost, freed.key, "never said that it may leave")


def test_a_container_of_goods_that_were_never_released_is_wrongly_released(calm_entries: list[LoggedMessage]) -> None:
    releases = Counter(entry.key for entry in calm_entries if entry.kind == "ReleaseGranted")
    leave = first(calm_entries, "ContainerMayLeave", lambda e: releases[e.body["consignments"][0]] == 1)
    key = leave.body["consignments"][0]
    granted = first(calm_entries, "ReleaseGranted", lambda e: e.key == key)
    assert about(judge(instead(calm_entries, granted)).wrongly_released, leave.key, "never released")


def test_a_control_that_was_never_ordered_is_lost(calm_entries: list[LoggedMessage]) -> None:
    order = first(calm_entries, "InspectionOrdered")
    assert about(judge(instead(calm_entries, order)).lost, order.key, "never ordered")


def test_goods_that_quarantine_gave_up_owe_no_other_treatment(calm_entries: list[LoggedMessage]) -> None:
    referred = {e.key for e in calm_entries if e.kind == "TreatmentReferred"}
    order = first(calm_entries, "TreatmentOrdered", lambda e: e.body["attempt"] == 1 and e.key not in referred)
    assert about(judge(instead(calm_entries, order)).lost, order.key, "never ordered")
    refusal = replace(with_headers(first(calm_entries, "QuarantineRefused"), ce_id="another"), key=order.key)
    assert not about(judge([*instead(calm_entries, order), refusal]).lost, order.key, "never ordered")


def test_each_pest_finding_owes_a_treatment_unless_it_was_taken_back(calm_entries: list[LoggedMessage]) -> None:
    def of(entry: LoggedMessage, kind: str, revision: int) -> LoggedMessage:
        value = orjson.dumps({**entry.body, "revision": revision})
        return replace(with_headers(entry, ce_type=kind, ce_id=f"{kind} {revision}"), value=value)

    given_up = {e.key for e in calm_entries if e.kind in ("TreatmentAbandoned", "QuarantineRefused")}
    pest = first(calm_entries, "PestIntercepted", lambda e: e.key not in given_up)
    again = [*calm_entries, of(pest, "FindingsRetracted", 1), of(pest, "PestIntercepted", 2)]
    assert not about(judge(calm_entries).lost, pest.key, "never ordered")
    assert about(judge(again).lost, pest.key, "inspection/2 never ordered")
    assert not about(judge([*again, of(pest, "FindingsRetracted", 3)]).lost, pest.key, "never ordered")


def test_a_released_container_of_which_the_gate_never_spoke_is_lost(calm_entries: list[LoggedMessage]) -> None:
    box = first(calm_entries, "ContainerMayLeave").key
    silent = [e for e in calm_entries if e.topic != "customs-gate-facts" or e.key != box]
    assert about(judge(silent).lost, box, "never said that it may leave")


def test_what_no_desk_wrote_is_counted_and_proves_nothing(calm_entries: list[LoggedMessage]) -> None:
    # After the release of goods in containers, the release desk publishes further facts for the gate desk. So if the
    # release is missing, there is a gap in the sequence numbers of the release desk.
    fact = first(calm_entries, "ReleaseGranted", lambda e: e.body["containers"])
    ledger = judge([*calm_entries, with_headers(fact, ce_source="/somebody", ce_id="another")])
    assert ledger.clean and ledger.foreign == 1
    ledger = judge(instead(calm_entries, fact, with_headers(fact, ce_source="/somebody")))
    assert about(ledger.lost, fact.key, "are missing")


def test_what_the_time_limit_of_a_release_caused_has_a_cause(calm_entries: list[LoggedMessage]) -> None:
    """If nobody uses a release, a time limit revokes it. The time limit, which is the cause of the revocation, is on no
    topic, but its id can be computed."""
    granted = first(calm_entries, "ReleaseGranted", lambda e: bool(e.body["containers"]))
    due = (datetime.fromisoformat(granted.body["occurred_at"]) + timedelta(days=30)).isoformat()

    def causeless(limit: str) -> list[str]:
        cause = str(uuid5(FACTS, f"deadline/release/{granted.key}/lapse/{limit}"))
        lapsed = with_headers(granted, causationid=cause, ce_id=str(uuid5(FACTS, f"release/{cause}/0")), sequence="90")
        ledger = judge([*calm_entries, replace(lapsed, offset=10**6)])
        assert not about(ledger.forged, lapsed.id, "derives")
        return [line for line in ledger.causeless if lapsed.id in line]

    assert causeless(due) == [] and causeless(due.replace("T", " ")) != []


def test_a_yes_for_another_container_of_the_goods_than_the_released_one_is_found(
    calm_entries: list[LoggedMessage],
) -> None:
    may_leave = first(calm_entries, "ContainerMayLeave")
    released = [e for e in calm_entries if e.kind == "ReleaseGranted" and e.key in may_leave.body["consignments"]]
    entries = calm_entries
    for granted in released:
        other = replace(granted, value=json.dumps({**granted.body, "containers": ["TGHU1234567"]}).encode())
        entries = instead(entries, granted, other)
    assert about(judge(entries).wrongly_released, may_leave.key, "in other containers only")
