"""Does the declaration desk accept correct declarations and point at errors, and does it give the same answer to the
same request?"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from schemas.codes.checks import CHECKS, CONTRADICTIONS, CheckCode
from schemas.declaration import (
    MOST_OF_A_REFERENCE,
    DeclarationAccepted,
    DeclarationLodgedAgain,
    DeclarationRejected,
    DeclarationRepeated,
    DeclaredContainer,
    WithdrawalRequested,
    WithdrawDeclaration,
)
from schemas.envelope import RequestRefused
from schemas.form import FormLine
from schemas.papers import checks
from schemas.papers.pointing import error
from schemas.phrases import phrase
from schemas.release import DeclarationWithdrawn
from schemas.vocabulary import ControlKind, Direction, Severity, consignment_id
from services.declaration import decider
from tests import facts
from tests.declaration.good import BOX, CONSIGNEE, DECLARANT, good_declaration, good_item, lodge
from tests.voice import CONSIGNMENT, NOON, Story, keeps_its_promises, story

TODAY = NOON.date()


def withdraw(by: str = DECLARANT, consignment: str = "") -> WithdrawDeclaration:
    return WithdrawDeclaration(
        consignment_id=consignment or lodge().consignment_id, asked_by=by, occurred_at=NOON, reason="sold to another"
    )


def line(**changes: Any) -> dict[str, Any]:
    return {"items": (good_item(), good_item(**changes))}


WRONG: list[tuple[str, str, dict[str, Any]]] = [
    ("/declarant", "declarant_invalid", {"declarant": "91350100M000200Y43"}),
    ("/consignee", "party_is_person", {"consignee": "370202199003074012"}),
    ("/declarant", "declarant_invalid", {"declarant": ""}),
    ("/consignee", "consignee_invalid", {"consignee": "91350100M000100Y4I"}),
    ("/customs_office", "office_unknown", {"customs_office": "0000"}),
    *[("/trade_mode", "trade_mode_unknown", {"trade_mode": mode}) for mode in ("", "110", "01100", "99A9", "０１１０")],
    ("/transport_mode", "transport_mode_unknown", {"transport_mode": "A"}),
    *[("/customs_office", "office_unknown", {"customs_office": code}) for code in ("4 01", "5000", "9000", "3301")],
    ("/bill_no", "bill_missing", {"bill_no": ""}),
    ("/departure_country", "departure_missing", {"departure_country": ""}),
    ("/departure_country", "country_unknown", {"departure_country": "XX"}),
    ("/destination_country", "destination_missing", {"direction": Direction.EXPORT}),
    ("/conveyance_entry_date", "entry_date_out_of_range", {"conveyance_entry_date": date(2100, 12, 31)}),
    ("/packages", "packages_negative", {"packages": -1}),
    ("/packages", "packages_missing", {"packages": 0}),
    ("/packages", "packages_too_many", {"packages": 10_000_000}),
    ("/trade_mode", "trade_mode_of_other_direction", {"trade_mode": "9710"}),
    ("/destination_country", "import_destined_abroad", {"destination_country": "JP"}),
    ("/departure_country", "export_departing_abroad", {"direction": Direction.EXPORT, "destination_country": "JP"}),
    ("/conveyance", "conveyance_missing", {"conveyance": " "}),
    ("/containers/0/container_no", "sea_container_by_air", {"transport_mode": "5"}),
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
    *[("/items/1/hs_code", "hs_malformed", line(hs_code="8471300000"[:digits])) for digits in range(6, 10)],
    ("/items/1/hs_code", "hs_malformed", line(hs_code="84713000000")),
    ("/items/1/hs_code", "hs_chapter_unknown", line(hs_code="7701000000")),
    ("/items/1/hs_code", "hs_chapter_unknown", line(hs_code="9999990000")),
    ("/items/1/hs_code", "hs_code_unknown", line(hs_code="8473100000")),
    ("/items/1/hs_code", "hs_code_unknown", line(hs_code="8517120000")),  # HS 2022 split this code of HS 2017
    *[("/items/1/description", "description_missing", line(description=text)) for text in (" ", "-", "..")],
    ("/items/1/origin_country", "country_unknown", line(origin_country="kr")),
    ("/items/1/unit", "unit_unknown", line(unit="999")),
    ("/items/1/quantity", "quantity_not_positive", line(quantity=Decimal(0))),
    ("/items/1/first_quantity", "legal_quantity_incomplete", line(first_unit="001")),
    ("/items/1/net_mass_kg", "mass_not_positive", line(net_mass_kg=Decimal(-20))),
    ("/items/1/currency", "currency_unknown", line(currency="")),
    ("/items/1/currency", "currency_differs", line(currency="EUR")),
    ("/items/1/unit_price", "price_negative", line(unit_price=Decimal(-500))),
    ("/items/1/total_price", "price_negative", line(total_price=Decimal(-5000))),
    ("/items/1/total_price", "line_total_differs", line(unit_price=Decimal(400))),
    ("/items/1/net_mass_kg", "line_above_gross", line(net_mass_kg=Decimal(46))),
    ("/gross_mass_kg", "lines_above_gross", line(net_mass_kg=Decimal(26))),
    ("/items/1/quantity", "quantity_above_gross", line(unit="070")),
    ("/items/1/quantity", "quantity_not_whole", line(quantity=Decimal("10.5"))),
    ("/containers", "container_overloaded", {"gross_mass_kg": Decimal(900_000)}),
    ("/gross_mass_kg", "gross_above_conveyance", {"gross_mass_kg": Decimal(1_000_000_001)}),
    ("/items/1/total_price", "amount_too_fine", line(total_price=Decimal("5000.001"))),
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
    desk = story(decider, lodge(**changes))
    rejected = desk.facts[0]
    assert isinstance(rejected, DeclarationRejected)
    assert (pointer, code) in [(f.pointer, f.code) for f in rejected.findings if f.severity is Severity.ERROR]


def test_a_code_that_is_in_no_table_is_answered_with_the_nearest_ones() -> None:
    (found,) = checks.findings(good_declaration(items=(good_item(), good_item(hs_code="8471310000"))), TODAY)
    assert (found.code, found.seen) == ("hs_code_unknown", "8471310000")
    assert found.nearest[0] == "847130" and len(found.nearest) <= 3
    assert "nearest" not in error("/items", CheckCode.ITEMS_MISSING, 0).model_dump(), (
        "where there are none, none are named"
    )


def test_a_code_that_an_incomplete_table_lacks_is_a_finding_that_says_how_much_the_table_holds() -> None:
    office, mode = checks.findings(good_declaration(customs_office="5304", trade_mode="1120"), TODAY)
    assert (office.severity, office.seen) == (Severity.WARNING, "5304: the table holds 139 of 1006 offices")
    assert office.nearest == (), "nine of ten offices are missing, so that neighbours say nothing"
    assert (mode.severity, mode.seen) == (Severity.WARNING, "1120: the table holds 100 modes, as of 2020-07-01")
    assert "1210" in mode.nearest
    for changes in ({"customs_office": "0000"}, {"customs_office": "5000"}, {"trade_mode": "110"}):
        (unknown,) = checks.findings(good_declaration(**changes), TODAY)
        assert unknown.severity is Severity.ERROR and unknown.nearest


def test_numbers_are_shown_as_people_write_them() -> None:
    """An older version showed large numbers as `1E+14`, and masses with zeros at their ends, as `20000.0 kg`."""
    huge, pounds = Decimal("1E+14"), {"unit": "076", "quantity": Decimal("1e1")}
    assert [found.seen for found in checks.findings(good_declaration(invoice_total=huge), TODAY)] == [
        "head 100000000000000, lines 10000"
    ]
    assert [found.seen for found in checks.findings(good_declaration(**line(**pounds)), TODAY)] == [
        "4.5359237 kg, net mass 20 kg"
    ]
    negative = checks.findings(good_declaration(**line(quantity=Decimal("-1E+2"))), TODAY)
    assert [found.seen for found in negative] == ["-100", "-100 x 500 is not 5000"]
    assert [found.seen for found in checks.findings(good_declaration(net_mass_kg=Decimal("1E+2")), TODAY)] == [
        "100 > 45",
        "head 100, lines 40",
    ]


def test_six_digits_are_enough_at_the_offices_of_the_sandbox_only() -> None:
    items = (good_item(), good_item(hs_code="847130"))
    assert checks.findings(good_declaration(customs_office="9001", items=items), TODAY) == ()
    assert [f.code for f in checks.findings(good_declaration(items=items), TODAY)] == ["hs_malformed"]
    unknown = checks.findings(
        good_declaration(customs_office="9001", items=(good_item(), good_item(hs_code="847313"))), TODAY
    )
    assert [f.code for f in unknown] == ["hs_code_unknown"]


WORTH_A_WARNING: list[tuple[str, str, dict[str, Any]]] = [
    (
        "/containers/0/container_no",
        "container_check_digit",
        {"containers": (DeclaredContainer(container_no="CSQU3054384"),)},
    ),
    ("/customs_office", "office_unlisted", {"customs_office": "5304"}),
    ("/trade_mode", "trade_mode_unlisted", {"trade_mode": "9999"}),
    ("/departure_country", "country_left_open", {"departure_country": "ZZZ"}),
    ("/items/1/origin_country", "country_left_open", line(origin_country="ZAS")),
    ("/destination_country", "route_without_journey", {"departure_country": "CHN", "destination_country": "CN"}),
    ("/declarant", "declarant_breaks_standard", {"declarant": "91350100M000100Y44", "consignee": DECLARANT}),
    ("/consignee", "consignee_breaks_standard", {"consignee": CONSIGNEE}),
    ("/consignee", "party_is_person", {"consignee": "131002197001010644"}),
    ("/net_mass_kg", "net_mass_differs", {"net_mass_kg": Decimal(30)}),
    ("/wood_packaging", "wood_not_named", {"package_kind": "23"}),
    ("/wood_packaging", "wood_not_named", {"package_kind": "33"}),
    ("/wood_packaging", "wood_not_named", {"package_kind": "98"}),
    ("/destination_country", "route_without_journey", {"departure_country": "CN", "destination_country": "CN"}),
    *[("/containers", "container_not_carried", {"transport_mode": mode}) for mode in "6GL"],
    ("/departure_country", "route_without_journey", {"departure_country": "CHN"}),
    ("/items/1/form/destination_country", "line_destined_abroad", line(form=FormLine(destination_country="USA"))),
    ("/items/1/quantity", "quantity_differs_from_mass", line(unit="035")),
    ("/items/1/first_quantity", "legal_quantity_differs", line(first_quantity=Decimal(11), first_unit="001")),
    ("/items/1/quantity", "quantity_differs_from_mass", line(unit="036")),
    (
        "/items/1/quantity",
        "quantity_differs_from_mass",
        line(unit="070", quantity=Decimal("0.03"), unit_price=Decimal("166666.6667")),
    ),
    (
        "/net_mass_kg",
        "mass_below_one",
        {
            "net_mass_kg": Decimal("0.4"),
            "invoice_total": Decimal(5000),
            "items": (good_item(net_mass_kg=Decimal("0.4")),),
        },
    ),
    ("/containers", "container_heavy", {"gross_mass_kg": Decimal(36_001)}),
    (
        "/gross_mass_kg",
        "gross_above_conveyance",
        {"gross_mass_kg": Decimal(300_001), "transport_mode": "5", "containers": ()},
    ),
    ("/items/1/total_price", "line_total_rounded", line(quantity=Decimal(3000), unit_price=Decimal("1.67"))),
    ("/invoice_total", "invoice_total_rounded", line(unit_price=Decimal("499.97"), total_price=Decimal("4999.70"))),
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
        {"package_kind": "92"},  # reprocessed wood is not solid wood
        {"destination_country": "CN"},
        {"destination_country": "CHN", "departure_country": "KOR"},
        line(origin_country="KOR"),
        line(form=FormLine(destination_country="CHN")),
        # Goods that come out of a bonded area cross no border, so their country of departure is China, too.
        *[{"departure_country": "CHN", "destination_country": end, "transport_mode": "7"} for end in ("", "CN")],
        *[{"departure_country": "CN", "transport_mode": mode, "bill_no": ""} for mode in "0178HTWXYZ"],
        # At a sandbox office QZ counts as home, too (`SANDBOX`). So the goods may go from China to QZ.
        {"departure_country": "CN", "customs_office": "9040"},
        {"direction": Direction.EXPORT, "departure_country": "", "destination_country": "KR"},
        {"transport_mode": "G", "containers": ()},
        line(unit="015"),
        line(unit="047", quantity=Decimal("0.2"), unit_price=Decimal(25_000)),
        {"currency": "XCG", "items": (good_item(currency="XCG"), good_item(currency="XCG"))},
        {"trade_mode": "1300", "customs_office": "2248"},
        {"transport_mode": "5", "containers": ()},
        {"transport_mode": "4"},
        line(unit="035", quantity=Decimal(20), unit_price=Decimal(250)),
        # The quantity differs from the net mass by less than a hundredth. Rounding explains this difference.
        line(unit="035", quantity=Decimal("20.19"), unit_price=Decimal("247.6474")),
        line(unit="036", quantity=Decimal(20_000), unit_price=Decimal("0.25")),
        line(unit="070", quantity=Decimal("0.02"), unit_price=Decimal(250_000)),
    ],
)
def test_fields_that_go_together_are_no_contradiction(changes: dict[str, Any]) -> None:
    assert checks.findings(good_declaration(**changes), TODAY) == ()


def test_a_contradiction_has_words_and_an_error_needs_nobody_to_read_it() -> None:
    assert set(CHECKS) > CONTRADICTIONS
    unread = {"container_check_digit", "mass_below_one", "office_unlisted", "trade_mode_unlisted", "country_left_open"}
    assert {code for _, code, _ in WORTH_A_WARNING} - unread == CONTRADICTIONS


def test_every_check_has_its_words_and_every_word_its_check() -> None:
    tested = {code for _, code, _ in (*WRONG, *WORTH_A_WARNING)}
    assert tested == set(CHECKS)


def test_a_price_of_zero_is_not_the_declaration_desks_business() -> None:
    free = good_item(unit_price=Decimal(0), total_price=Decimal(0))
    assert (
        checks.findings(good_declaration(items=(free,), invoice_total=Decimal(0), net_mass_kg=Decimal(20)), TODAY) == ()
    )


def test_a_good_declaration_is_accepted_under_a_number_of_18_digits() -> None:
    desk = story(decider, lodge())
    accepted = desk.facts[0]
    assert isinstance(accepted, DeclarationAccepted) and accepted.warnings == ()
    assert accepted.declaration_no == "420120261000000001"
    export = story(decider, lodge(direction=Direction.EXPORT, departure_country="CN", destination_country="KR")).facts[
        0
    ]
    assert isinstance(export, DeclarationAccepted) and export.declaration_no == "420120260000000001"


def test_the_year_of_the_number_is_that_of_china() -> None:
    new_year = NOON.replace(month=12, day=31, hour=16, minute=30)
    accepted = Story(decider, decider.INITIAL).when(lodge(), at=new_year).answer[0]
    assert isinstance(accepted, DeclarationAccepted) and accepted.declaration_no[4:8] == "2027"


def test_the_same_declaration_lodged_again_is_answered_with_the_first_request_and_another_one_is_sent_back() -> None:
    desk = story(decider, lodge())
    desk.when(lodge(), message_id="m1").then()
    desk.when(lodge())
    repeated = facts.declaration_repeated("m3", "m1", desk.at)
    desk.then(repeated)
    desk.when(lodge(invoice_total=Decimal(10_001))).then_refused("reference_used")


def test_what_an_older_version_accepted_is_repeated_without_the_name_of_its_request() -> None:
    accepted = decider.STATE.dump_python(story(decider, lodge()).state, exclude={"lodged_by"})
    again = Story(decider, decider.STATE.validate_python(accepted)).when(lodge()).answer[0]
    assert isinstance(again, DeclarationRepeated) and again.first_request_id == ""


def test_after_a_rejection_the_same_reference_is_judged_again() -> None:
    desk = story(decider, lodge(items=()))
    assert isinstance(desk.answer[0], DeclarationRejected)
    desk.when(lodge(items=()), message_id="m1").then()
    assert isinstance(desk.when(lodge(items=())).answer[0], DeclarationRejected), (
        "a new request has an answer of its own"
    )
    assert isinstance(desk.when(lodge()).answer[0], DeclarationAccepted)
    assert not decider.closed(desk.state), "its record is kept: the numbers of its facts go on"


def test_a_consignment_id_of_somebody_else_is_sent_back() -> None:
    wrong = lodge().model_copy(update={"consignment_id": lodge(reference="R-2").consignment_id})
    story(decider, wrong).then_refused("consignment_id_mismatch")


def test_a_withdrawal_goes_to_the_release_desk_and_only_for_the_declarant() -> None:
    desk = story(decider, lodge()).when(withdraw("somebody"))
    desk.then_refused("wrong_declarant")
    desk.when(withdraw(), message_id="w1")
    assert [(type(f), f.model_dump()["request_id"]) for f in desk.answer] == [(WithdrawalRequested, "w1")]


@pytest.mark.parametrize(
    ("past", "code"),
    [(lambda: story(decider), "not_lodged"), (lambda: story(decider, lodge(items=())), "not_accepted")],
)
def test_what_does_not_stand_is_not_withdrawn(past: Callable[[], Story], code: str) -> None:
    past().when(withdraw()).then_refused(code)


def test_hearing_it_twice_adds_nothing() -> None:
    keeps_its_promises(decider, [lodge(), withdraw(), lodge(packages=3)])
    keeps_its_promises(decider, [withdraw(), lodge(items=()), withdraw()])
    keeps_its_promises(decider, [lodge(items=()), lodge(), lodge(), lodge(packages=3)])
    keeps_its_promises(decider, [lodge(), withdraw(), lodge(), lodge(), withdrawn(), lodge(), withdraw()])
    keeps_its_promises(decider, [lodge(), withdraw(), lodge(), not_withdrawn("once-1"), lodge()])
    keeps_its_promises(decider, [again(), again(request_id="r-8"), withdraw(consignment=later_id())])


# lodgements after a withdrawal


def withdrawn(consignment: str = CONSIGNMENT) -> DeclarationWithdrawn:
    """The release desk's fact that grants a withdrawal."""
    return facts.declaration_withdrawn(consignment_id=consignment)


def not_withdrawn(request_id: str = "w1", kind: str = "WithdrawDeclaration") -> RequestRefused:
    """The release desk's refusal of a withdrawal."""
    why = phrase("controls_ordered", controls=(ControlKind.INSPECTION,))
    return facts.request_refused(request_id, kind, "controls_ordered", why)


def later_id(number: int = 2) -> str:
    return consignment_id(DECLARANT, "R-1", number)


def again(number: int = 2, request_id: str = "r-7", **changes: Any) -> DeclarationLodgedAgain:
    """The fact that passes a lodgement on to the consignment `number` of the reference."""
    declaration, earlier, later = good_declaration(**changes), later_id(number - 1), later_id(number)
    return facts.declaration_lodged_again(request_id, declaration, earlier, later, number)


def test_the_id_of_the_first_consignment_is_what_it_ever_was_and_each_further_one_has_its_own() -> None:
    assert consignment_id("91350100M000100Y43", "R-1") == "c48c22a3-fda0-5a77-9389-9a729b617a8a"
    assert len({later_id(number) for number in range(1, 65)}) == 64
    assert consignment_id("A", "2/B", 2) != consignment_id("A", "B", 2) != consignment_id("2", "A/B")


def test_what_is_lodged_after_a_withdrawal_is_the_next_consignment() -> None:
    desk = story(decider, lodge(), withdraw(), withdrawn()).when(lodge(packages=3), message_id="r-7")
    passed = facts.declaration_passed_on("r-7", later_id(1), later_id(), desk.at)
    handed = again(packages=3).model_copy(update={"occurred_at": desk.at, "serial": 4})
    desk.then(passed, handed)
    assert handed.key == later_id()

    then = story(decider, handed)
    accepted = then.answer[0]
    assert isinstance(accepted, DeclarationAccepted)
    assert (accepted.consignment_id, accepted.earlier, accepted.number) == (later_id(), later_id(1), 2)
    assert accepted.request_id == "r-7" and accepted.declaration_no.endswith("000000004"), "the serial of its request"


def test_the_same_paper_after_a_withdrawal_is_the_next_consignment_too() -> None:
    desk = story(decider, lodge(), withdraw(), withdrawn()).when(lodge(), message_id="r-7")
    passed = facts.declaration_passed_on("r-7", later_id(1), later_id(), desk.at)
    desk.then(passed, again().model_copy(update={"occurred_at": desk.at, "serial": 4}))


def test_what_is_lodged_while_a_withdrawal_is_not_answered_waits_for_the_answer() -> None:
    """The release desk may already have granted the withdrawal, in a fact that the declaration desk has not read yet.
    The result must be the same whether this desk reads the lodgement or the answer first."""
    desk = story(decider, lodge()).when(withdraw(), message_id="w1").when(lodge(packages=3), message_id="r-7")
    desk.then(facts.declaration_waits("r-7", good_declaration(packages=3), "w1", 3, desk.at))

    granted = Story(decider, desk.state, count=3).when(withdrawn())
    passed = facts.declaration_passed_on("r-7", later_id(1), later_id(), granted.at)
    granted.then(passed, again(packages=3).model_copy(update={"occurred_at": granted.at, "serial": 3}))

    refused = Story(decider, desk.state, count=3).when(not_withdrawn())
    refused.then_refused("reference_used")
    assert refused.answer[0].model_dump()["request_id"] == "r-7"
    # no lodgement waits any more
    refused.when(lodge(), message_id="r-8").then(facts.declaration_repeated("r-8", "m1", refused.at))


def test_the_same_paper_that_waited_is_a_repeat_of_the_one_that_stands_once_the_withdrawal_is_refused() -> None:
    desk = story(decider, lodge()).when(withdraw(), message_id="w1").when(lodge(), message_id="r-7")
    desk.when(not_withdrawn()).then(facts.declaration_repeated("r-7", "m1", desk.at))


def test_a_paper_that_waits_is_named_to_who_lodges_it_again_and_another_one_is_sent_back() -> None:
    desk = story(decider, lodge()).when(withdraw(), message_id="w1").when(lodge(packages=3), message_id="r-7")
    desk.when(lodge(packages=3), message_id="r-8").then(facts.declaration_repeated("r-8", "r-7", desk.at))
    desk.when(lodge()).then_refused("reference_used")
    assert [fact.model_dump().get("request_id") for fact in desk.when(withdrawn()).answer] == ["r-7", "r-7"]


def test_a_paper_waits_until_each_request_to_withdraw_is_answered() -> None:
    desk = story(decider, lodge()).when(withdraw(), message_id="w1").when(withdraw(), message_id="w2")
    desk.when(lodge(packages=3), message_id="r-7")
    desk.when(not_withdrawn("w1")).then()
    # this refusal is about a hold, so it does not answer the withdrawal
    desk.when(not_withdrawn("p1", "PlaceHold")).then()
    desk.when(not_withdrawn("w2")).then_refused("reference_used")


def test_a_withdrawal_that_was_refused_before_holds_nothing_up() -> None:
    desk = story(decider, lodge()).when(withdraw(), message_id="w1").when(not_withdrawn())
    desk.when(lodge(), message_id="r-7").then(facts.declaration_repeated("r-7", "m1", desk.at))


def test_the_next_consignment_has_tries_repeats_and_a_withdrawal_of_its_own() -> None:
    desk = story(decider, again(items=()))
    assert isinstance(desk.answer[0], DeclarationRejected) and desk.answer[0].earlier == later_id(1)
    desk.when(again(items=())).then()
    assert isinstance(desk.when(again(request_id="r-8")).answer[0], DeclarationAccepted)
    # the desk reads r-7 again, which it rejected at the beginning
    desk.when(again(items=())).then()
    repeated = desk.when(again(request_id="r-9")).answer[0]
    assert isinstance(repeated, DeclarationRepeated) and repeated.first_request_id == "r-8"
    assert repeated.consignment_id == later_id()
    desk.when(withdraw(consignment=later_id()), message_id="w1").when(withdrawn(later_id()))
    handed = desk.when(again(request_id="r-10")).answer[1]
    assert isinstance(handed, DeclarationLodgedAgain)
    assert (handed.consignment_id, handed.later, handed.number) == (later_id(), later_id(3), 3)
    # The request r-8 lodged the consignment that is now withdrawn. When the desk reads r-8 again, r-8 must not lodge
    # the next consignment.
    desk.when(again(request_id="r-8")).then()


def test_a_lodgement_that_names_the_next_id_itself_is_sent_back() -> None:
    direct = lodge().model_copy(update={"consignment_id": later_id()})
    for past in ([], [again()], [again(), withdraw(consignment=later_id()), withdrawn(later_id())]):
        story(decider, *past).when(direct).then_refused("consignment_id_mismatch")


def test_a_reference_does_not_go_on_for_ever() -> None:
    last = story(decider, again(MOST_OF_A_REFERENCE), withdraw(consignment=later_id(64)), withdrawn(later_id(64)))
    last.when(again(MOST_OF_A_REFERENCE, "r-8")).then_refused("reference_spent")


def test_what_was_withdrawn_is_not_withdrawn_again() -> None:
    desk = story(decider, lodge()).when(withdraw(), message_id="w1").when(withdrawn())
    desk.when(withdraw(), message_id="w1").then()
    desk.when(withdraw("somebody")).then_refused("wrong_declarant")
    clerk = withdraw("clerk").model_copy(update={"on_behalf_of": DECLARANT})
    # The clerk acts for the declarant's company. So the refusal is not `wrong_declarant`.
    desk.when(clerk, message_id="w2").then_refused("already_withdrawn")
    desk.when(withdraw()).then_refused("already_withdrawn")
    by_agent = withdraw("agent-3").model_copy(update={"on_behalf_of": DECLARANT})
    desk.when(by_agent).then_refused("already_withdrawn")
    by_another = withdraw(DECLARANT).model_copy(update={"on_behalf_of": "91310115MA1H7L0T3Q"})
    desk.when(by_another).then_refused("wrong_declarant")


def test_a_record_of_the_software_version_before_knows_of_no_answered_withdrawal_until_it_hears_of_it() -> None:
    """The older version of the desk did not read the release desk's facts. The topic still has these facts, and the
    desk now reads the topic from the beginning."""
    desk = story(decider, lodge()).when(withdraw(), message_id="w1")
    before = decider.STATE.dump_python(desk.state, include={"state", "paper", "lodged_by", "declarant", "withdrawals"})
    desk = Story(decider, decider.STATE.validate_python(before), count=2)
    desk.when(lodge(), message_id="r-7").then(facts.declaration_waits("r-7", good_declaration(), "w1", 3, desk.at))
    desk.when(not_withdrawn()).then(facts.declaration_repeated("r-7", "m1", desk.at))
