"""Does the declaration desk accept what is right, point at what is wrong, and answer the same twice?"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from schemas.codes.checks import CHECKS, CONTRADICTIONS
from schemas.codes.refusals import REFUSALS
from schemas.declaration import (
    DeclarationAccepted,
    DeclarationRejected,
    DeclarationRepeated,
    DeclaredContainer,
    WithdrawalRequested,
    WithdrawDeclaration,
)
from schemas.vocabulary import Direction, Severity
from services.declaration import checks, decider
from tests.declaration.good import BOX, DECLARANT, good_declaration, good_item, lodge
from tests.voice import NOON, Story, adds_nothing_twice, story

TODAY = NOON.date()


def withdraw(by: str = DECLARANT) -> WithdrawDeclaration:
    return WithdrawDeclaration(
        consignment_id=lodge().consignment_id, asked_by=by, occurred_at=NOON, reason="sold to another"
    )


def line(**changes: Any) -> dict[str, Any]:
    return {"items": (good_item(), good_item(**changes))}


WRONG: list[tuple[str, str, dict[str, Any]]] = [
    ("/declarant", "declarant_invalid", {"declarant": "91350100M000100Y44"}),
    ("/declarant", "declarant_invalid", {"declarant": ""}),
    ("/consignee", "consignee_invalid", {"consignee": "91350100M000100Y4I"}),
    ("/customs_office", "office_unknown", {"customs_office": "0000"}),
    ("/trade_mode", "trade_mode_unknown", {"trade_mode": "9999"}),
    ("/transport_mode", "transport_mode_unknown", {"transport_mode": "7"}),
    ("/bill_no", "bill_missing", {"bill_no": ""}),
    ("/departure_country", "departure_missing", {"departure_country": ""}),
    ("/departure_country", "country_unknown", {"departure_country": "XX"}),
    ("/destination_country", "destination_missing", {"direction": Direction.EXPORT}),
    ("/conveyance_entry_date", "entry_date_out_of_range", {"conveyance_entry_date": date(2100, 12, 31)}),
    ("/packages", "packages_negative", {"packages": -1}),
    ("/package_kind", "package_kind_unknown", {"package_kind": "77"}),
    ("/containers/1/container_no", "container_twice", {"containers": (DeclaredContainer(container_no=BOX),) * 2}),
    ("/gross_mass_kg", "mass_not_positive", {"gross_mass_kg": Decimal(0), "net_mass_kg": Decimal(0)}),
    ("/net_mass_kg", "net_above_gross", {"gross_mass_kg": Decimal("39.9")}),
    ("/currency", "currency_unknown", {"currency": "XXX"}),
    ("/invoice_total", "price_negative", {"invoice_total": Decimal(-1)}),
    ("/invoice_total", "invoice_total_differs", {"invoice_total": Decimal(10_200)}),
    ("/items", "items_missing", {"items": ()}),
    ("/items", "items_too_many", {"items": (good_item(),) * 51}),
    ("/items/1/hs_code", "hs_malformed", line(hs_code="84713")),
    ("/items/1/hs_code", "hs_malformed", line(hs_code="８４７１３０")),
    ("/items/1/hs_code", "hs_chapter_unknown", line(hs_code="77010000")),
    ("/items/1/description", "description_missing", line(description=" ")),
    ("/items/1/origin_country", "country_unknown", line(origin_country="kr")),
    ("/items/1/unit", "unit_unknown", line(unit="999")),
    ("/items/1/quantity", "quantity_not_positive", line(quantity=Decimal(0))),
    ("/items/1/net_mass_kg", "mass_not_positive", line(net_mass_kg=Decimal(-20))),
    ("/items/1/currency", "currency_unknown", line(currency="")),
    ("/items/1/currency", "currency_differs", line(currency="EUR")),
    ("/items/1/unit_price", "price_negative", line(unit_price=Decimal(-500))),
    ("/items/1/total_price", "price_negative", line(total_price=Decimal(-5000))),
    ("/items/1/total_price", "line_total_differs", line(unit_price=Decimal(400))),
    ("/wood_packaging", "wood_denied", {"package_kind": "93"}),
    *[
        ("/containers/0/container_no", "container_malformed", {"containers": (DeclaredContainer(container_no=number),)})
        for number in (
            "CSQU305438",
            "CSQU30543833",
            "ＣＳＱＵ３０５４３８３",
            "1SQU3054383",
            "B2",
            "AKE1234",
            "集装箱",
            "NONE",
        )
    ],
    (
        "/containers/1/container_no",
        "container_twice",
        {"containers": tuple([DeclaredContainer(container_no=n) for n in ("CSQU3054383", "csqu 305438-3")])},
    ),
]


@pytest.mark.parametrize(("pointer", "code", "changes"), WRONG)
def test_what_is_wrong_is_pointed_at(pointer: str, code: str, changes: dict[str, Any]) -> None:
    told = story(decider, lodge(**changes))
    rejected = told.facts[0]
    assert isinstance(rejected, DeclarationRejected)
    assert (pointer, code) in [(f.pointer, f.code) for f in rejected.findings if f.severity is Severity.ERROR]


WORTH_A_WARNING = [
    (
        "/containers/0/container_no",
        "container_check_digit",
        {"containers": (DeclaredContainer(container_no="CSQU3054384"),)},
    ),
    ("/net_mass_kg", "net_mass_differs", {"net_mass_kg": Decimal(30)}),
    ("/wood_packaging", "wood_not_named", {"package_kind": "23"}),
    ("/wood_packaging", "wood_not_named", {"package_kind": "33"}),
    ("/wood_packaging", "wood_not_named", {"package_kind": "98"}),
    ("/destination_country", "route_without_journey", {"destination_country": "KR"}),
    ("/containers", "container_not_carried", {"transport_mode": "5"}),
    ("/containers", "container_not_carried", {"transport_mode": "6"}),
    ("/items/1/quantity", "quantity_differs_from_mass", line(unit="035")),
    ("/items/1/quantity", "quantity_differs_from_mass", line(unit="036")),
    ("/items/1/quantity", "quantity_differs_from_mass", line(unit="070")),
]


@pytest.mark.parametrize(("pointer", "code", "changes"), WORTH_A_WARNING)
def test_a_warning_travels_with_the_accepted_declaration(pointer: str, code: str, changes: dict[str, Any]) -> None:
    accepted = story(decider, lodge(**changes)).facts[0]
    assert isinstance(accepted, DeclarationAccepted)
    assert [(f.pointer, f.code) for f in accepted.warnings] == [(pointer, code)]


@pytest.mark.parametrize(
    "changes",
    [
        {"package_kind": "93", "wood_packaging": True},
        {"package_kind": "23", "wood_packaging": True},
        {"package_kind": "22", "wood_packaging": True},  # cartons that stand on a pallet
        {"package_kind": "92"},  # reprocessed wood is no solid wood
        {"destination_country": "CN"},
        {"transport_mode": "5", "containers": ()},
        {"transport_mode": "4"},
        line(unit="035", quantity=Decimal(20), unit_price=Decimal(250)),
        line(unit="035", quantity=Decimal("20.19"), unit_price=Decimal("247.65")),  # within a hundredth
        line(unit="036", quantity=Decimal(20_000), unit_price=Decimal("0.25")),
        line(unit="070", quantity=Decimal("0.02"), unit_price=Decimal(250_000)),
    ],
)
def test_fields_that_go_together_are_no_contradiction(changes: dict[str, Any]) -> None:
    assert checks.findings(good_declaration(**changes), TODAY) == ()


def test_a_contradiction_has_words_and_an_error_needs_nobody_to_read_it() -> None:
    assert set(CHECKS) > CONTRADICTIONS
    assert {code for _, code, _ in WORTH_A_WARNING} - {"container_check_digit"} == CONTRADICTIONS


def test_every_check_has_its_words_and_every_word_its_check() -> None:
    tested = {code for _, code, _ in (*WRONG, *WORTH_A_WARNING)}
    assert tested == set(CHECKS)
    assert all(words.zh and words.en for words in (*CHECKS.values(), *REFUSALS.values()))


def test_a_price_of_zero_is_not_the_declaration_desks_business() -> None:
    free = good_item(unit_price=Decimal(0), total_price=Decimal(0))
    assert (
        checks.findings(good_declaration(items=(free,), invoice_total=Decimal(0), net_mass_kg=Decimal(20)), TODAY) == ()
    )


def test_a_good_declaration_is_accepted_under_a_number_of_18_digits() -> None:
    told = story(decider, lodge())
    accepted = told.facts[0]
    assert isinstance(accepted, DeclarationAccepted) and accepted.warnings == ()
    assert accepted.declaration_no == "420120261000000001"
    export = story(decider, lodge(direction=Direction.EXPORT, destination_country="KR")).facts[0]
    assert isinstance(export, DeclarationAccepted) and export.declaration_no == "420120260000000001"


def test_the_year_of_the_number_is_that_of_china() -> None:
    new_year = NOON.replace(month=12, day=31, hour=16, minute=30)
    accepted = Story(decider, decider.INITIAL).when(lodge(), at=new_year).said[0]
    assert isinstance(accepted, DeclarationAccepted) and accepted.declaration_no[4:8] == "2027"


def test_the_same_declaration_lodged_again_is_answered_with_the_first_request_and_another_one_is_sent_back() -> None:
    told = story(decider, lodge())
    told.when(lodge(), message_id="m1").then()
    told.when(lodge())
    repeated = DeclarationRepeated(
        consignment_id=lodge().consignment_id, occurred_at=told.at, request_id="m3", first_request_id="m1"
    )
    told.then(repeated)
    assert told.when(lodge(invoice_total=Decimal(10_001))).said[0].model_dump()["code"] == "reference_used"


def test_what_an_older_version_accepted_is_repeated_without_the_name_of_its_request() -> None:
    accepted = story(decider, lodge()).state.model_dump(exclude={"lodged_by"})
    again = Story(decider, decider.STATE.validate_python(accepted)).when(lodge()).said[0]
    assert isinstance(again, DeclarationRepeated) and again.first_request_id == ""


def test_after_a_rejection_the_same_reference_is_judged_again() -> None:
    told = story(decider, lodge(items=()))
    assert isinstance(told.said[0], DeclarationRejected)
    told.when(lodge(items=()), message_id="m1").then()
    assert isinstance(told.when(lodge(items=())).said[0], DeclarationRejected), "a new request has an answer of its own"
    assert isinstance(told.when(lodge()).said[0], DeclarationAccepted)
    assert not decider.closed(told.state), "its record is kept: the numbers of its facts go on"


def test_a_consignment_id_of_somebody_else_is_sent_back() -> None:
    wrong = lodge().model_copy(update={"consignment_id": lodge(reference="R-2").consignment_id})
    assert story(decider, wrong).facts[0].model_dump()["code"] == "consignment_id_mismatch"


def test_a_withdrawal_goes_to_the_release_desk_and_only_for_the_declarant() -> None:
    told = story(decider, lodge()).when(withdraw("somebody"))
    assert told.said[0].model_dump()["code"] == "wrong_declarant"
    told.when(withdraw(), message_id="w1")
    assert [(type(f), f.model_dump()["request_id"]) for f in told.said] == [(WithdrawalRequested, "w1")]


@pytest.mark.parametrize(
    ("past", "code"),
    [(lambda: story(decider), "not_lodged"), (lambda: story(decider, lodge(items=())), "not_accepted")],
)
def test_what_does_not_stand_is_not_withdrawn(past: Callable[[], Story], code: str) -> None:
    assert past().when(withdraw()).said[0].model_dump()["code"] == code


def test_hearing_it_twice_adds_nothing() -> None:
    adds_nothing_twice(decider, [lodge(), withdraw(), lodge(packages=3)])
    adds_nothing_twice(decider, [withdraw(), lodge(items=()), withdraw()])
