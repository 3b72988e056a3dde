"""Does the risk desk choose the right lane for each consignment, only once, and with its reasons?"""

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codes.checks import CONTRADICTIONS
from schemas.declaration import DeclarationAccepted, Finding
from schemas.phrases import phrase
from schemas.risk import ConsignmentAssessed, FiredRule
from schemas.vocabulary import ControlKind, CreditGrade, Direction, GoodsClass, Lane, Severity
from services.risk import rules
from services.risk.draw import draw
from services.risk.keys import PUBLISHED
from tests import facts
from tests.risk.freight import DECIDER, DRAWN, NOT_DRAWN, REGULAR, accepted, bill, line, of_grade
from tests.voice import Story, keeps_its_promises, story

DOCUMENTS, INSPECTION = ControlKind.DOCUMENTS, ControlKind.INSPECTION
SAMPLING, QUARANTINE = ControlKind.SAMPLING, ControlKind.QUARANTINE


def assessed(declaration: DeclarationAccepted) -> ConsignmentAssessed:
    (fact,) = story(DECIDER).when(declaration).answer
    assert isinstance(fact, ConsignmentAssessed)
    return fact


def warning(pointer: str, code: str) -> Finding:
    return Finding(pointer=pointer, code=code, severity=Severity.WARNING, seen="seen")


def fired_for(declaration: DeclarationAccepted) -> dict[str, str]:
    return {rule.rule: rule.seen for rule in assessed(declaration).rules}


def test_machine_parts_of_a_regular_trader_take_the_green_lane() -> None:
    declaration = accepted(bill=NOT_DRAWN)
    paper = declaration.declaration.model_copy(update={"conveyance": "EVER GOOD 012E"})
    desk = story(DECIDER).when(declaration.model_copy(update={"declaration": paper}))
    desk.then(
        facts.consignment_assessed(
            shared_by=2,
            packages=10,
            bill_no=NOT_DRAWN,
            declarant=REGULAR,
            draw=draw(PUBLISHED.keys[0], f"I/bill/{NOT_DRAWN}/CSQU3054383", Decimal("0.0244")),
            goods=(GoodsClass.OTHER,),
            at=desk.at,
        )
    )
    assert DECIDER.closed(desk.state) and desk.deadlines() == ()


def test_an_assessment_says_what_the_goods_are_as_far_as_a_treatment_depends_on_it() -> None:
    fish = accepted(line("0301990000"), line("1001990000"), line("8483409000"))
    assert assessed(fish).goods == (GoodsClass.GRAIN, GoodsClass.LIVE, GoodsClass.OTHER)
    assert assessed(accepted(line("8483409000"), wood_packaging=True)).goods == (GoodsClass.WOOD, GoodsClass.OTHER)


def test_a_declaration_heard_again_is_not_assessed_again() -> None:
    desk = story(DECIDER, accepted())
    before = desk.state
    desk.when(accepted()).then()
    assert desk.state is before


def test_goods_that_are_drawn_go_red_although_no_rule_fired() -> None:
    fact = assessed(accepted(bill=DRAWN))
    assert (fact.lane, fact.controls, fact.rules, fact.draw.selected) == (Lane.RED, (INSPECTION,), (), True)


@pytest.mark.parametrize(
    ("hs_code", "rule", "controls", "evidence"),
    [
        ("0102290000", "live_goods", (INSPECTION, QUARANTINE), "headings 0102"),
        ("0301110000", "live_goods", (INSPECTION, SAMPLING, QUARANTINE), "headings 0301"),
        ("0602909900", "live_goods", (INSPECTION, QUARANTINE), "headings 0602"),
        ("0805100000", "plants_and_wood", (INSPECTION,), "chapters 08"),
        ("4403210000", "plants_and_wood", (INSPECTION,), "chapters 44"),
        ("0201300000", "meat_and_dairy", (SAMPLING,), "chapters 02"),
        ("0402210000", "meat_and_dairy", (SAMPLING,), "chapters 04"),
        ("0303110000", "fish", (SAMPLING,), "chapters 03"),
        ("2905110000", "dangerous_chemicals", (INSPECTION,), "chapters 29"),
        ("3604100000", "dangerous_chemicals", (INSPECTION,), "chapters 36"),
        ("3915100000", "imported_waste", (INSPECTION,), "headings 3915"),
        ("4707100000", "imported_waste", (INSPECTION,), "headings 4707"),
        ("9022120000", "dual_use_and_precision", (SAMPLING,), "headings 9022"),
    ],
)
def test_the_tariff_line_decides_who_looks(
    hs_code: str, rule: str, controls: tuple[ControlKind, ...], evidence: str
) -> None:
    fact = assessed(accepted(line(hs_code), bill=NOT_DRAWN))
    assert {each.rule: each.seen for each in fact.rules}[rule] == evidence
    assert fact.controls == controls
    assert fact.lane is Lane.RED


def test_one_risky_line_among_many_is_enough() -> None:
    assert fired_for(accepted(line("8483409000"), line("0805100000"), line("8483409000"))) == {
        "plants_and_wood": "chapters 08"
    }


def test_two_rules_that_want_the_same_control_ask_for_it_once() -> None:
    fact = assessed(accepted(line("4407110000"), departure="CA", wood_packaging=True, bill=NOT_DRAWN))
    assert [rule.rule for rule in fact.rules] == ["plants_and_wood", "wood_packaging"]
    assert fact.controls == (INSPECTION,)


@pytest.mark.parametrize(
    ("departure", "wood", "direction", "looked_at"),
    [
        ("US", True, Direction.IMPORT, True),
        ("US", False, Direction.IMPORT, False),
        ("DE", True, Direction.IMPORT, False),
        ("US", True, Direction.EXPORT, False),
    ],
)
def test_only_solid_wood_that_comes_from_nematode_countries_is_looked_at(
    departure: str, wood: bool, direction: Direction, looked_at: bool
) -> None:
    declaration = accepted(departure=departure, wood_packaging=wood, direction=direction)
    assert ("wood_packaging" in fired_for(declaration)) is looked_at


@pytest.mark.parametrize(
    ("origins", "departure", "evidence"),
    [
        (("US",), "HK", "solid wood packaging, departure HK, origin US"),
        (("DE", "KR", "US"), "HK", "solid wood packaging, departure HK, origin KR, US"),
        (("DE",), "US", "solid wood packaging, departure US"),
        (("US",), "US", "solid wood packaging, departure US, origin US"),
        (("DE",), "HK", None),
    ],
)
def test_solid_wood_with_goods_of_a_nematode_country_is_looked_at_whatever_port_it_departed_from(
    origins: tuple[str, ...], departure: str, evidence: str | None
) -> None:
    lines = [line("8483409000", origin=origin) for origin in origins]
    assert fired_for(accepted(*lines, departure=departure, wood_packaging=True)).get("wood_packaging") == evidence


def test_a_pallet_of_natural_wood_is_solid_wood_whatever_the_paper_says_beside_it() -> None:
    """The declaration desk now rejects such a declaration. If an older version accepted it, the goods are still
    inspected."""
    declaration = accepted(departure="US", package_kind="93", wood_packaging=False)
    assert fired_for(declaration) == {"wood_packaging": "solid wood packaging (package kind 93), departure US"}


@pytest.mark.parametrize("code", sorted(CONTRADICTIONS))
def test_a_paper_whose_fields_contradict_each_other_is_read(code: str) -> None:
    found = (warning("/net_mass_kg", code), warning("/packages", "container_malformed"))
    declaration = accepted(bill=NOT_DRAWN).model_copy(update={"warnings": found})
    fact = assessed(declaration)
    assert fact.rules == (
        FiredRule(
            rule="contradicting_fields",
            controls=(DOCUMENTS,),
            seen=f"{code} at /net_mass_kg",
            phrase=phrase("contradictions", findings=(f"{code} at /net_mass_kg",)),
        ),
    )
    assert (fact.lane, fact.controls) == (Lane.YELLOW, (DOCUMENTS,))


def test_a_paper_under_a_trade_mode_that_the_code_table_lacks_is_read() -> None:
    found = (warning("/trade_mode", "trade_mode_unlisted"),)
    fact = assessed(accepted(bill=NOT_DRAWN).model_copy(update={"warnings": found}))
    assert fact.rules == (
        FiredRule(
            rule="unlisted_trade_mode",
            controls=(DOCUMENTS,),
            seen="trade mode 0110",
            phrase=phrase("trade_mode", mode="0110"),
        ),
    )
    assert (fact.lane, fact.controls) == (Lane.YELLOW, (DOCUMENTS,))


def test_a_warning_that_is_no_contradiction_changes_no_lane() -> None:
    declaration = accepted(bill=NOT_DRAWN).model_copy(
        update={"warnings": (warning("/containers/0", "container_malformed"),)}
    )
    assert assessed(declaration).lane is Lane.GREEN


def test_waste_that_leaves_the_country_is_not_imported_waste() -> None:
    assert fired_for(accepted(line("3915100000"), direction=Direction.EXPORT)) == {}


def test_a_gift_at_price_zero_takes_the_yellow_lane() -> None:
    fact = assessed(accepted(line("9503008900"), line("9503008900", price="0"), bill=NOT_DRAWN))
    assert fact.rules == (
        FiredRule(
            rule="free_of_charge",
            controls=(DOCUMENTS,),
            seen="lines at price zero: 2",
            phrase=phrase("lines_at_zero", lines=("2",)),
        ),
    )
    assert (fact.lane, fact.controls) == (Lane.YELLOW, (DOCUMENTS,))


@pytest.mark.parametrize(
    ("price", "hs_code", "odd"),
    [
        ("9090.90", "8542310000", False),  # the price is 9,999.99 USD per kilogram
        ("9090.92", "8542310000", True),  # the price is 10,000.01 USD per kilogram
        ("0.02", "8483409000", False),  # the price is 0.022 USD per kilogram
        ("0.018", "8483409000", True),  # the price is 0.0198 USD per kilogram
        ("0.018", "2505100000", False),  # sand may be this cheap
    ],
)
def test_a_kilogram_that_is_too_dear_or_too_cheap_has_its_papers_read(price: str, hs_code: str, odd: bool) -> None:
    assert ("odd_price_per_kg" in fired_for(accepted(line(hs_code, kg="1", price=price)))) is odd


@pytest.mark.parametrize(
    ("hs_code", "departure", "papers"),
    [("6109100000", "DE", True), ("6109100000", "VN", False), ("8483409000", "DE", False)],
)
def test_clothing_that_came_by_a_detour_has_its_papers_read(hs_code: str, departure: str, papers: bool) -> None:
    rules_fired = fired_for(accepted(line(hs_code, origin="VN"), departure=departure))
    assert rules_fired == ({"detoured_clothing": "origin VN, departure DE"} if papers else {})


def test_a_seriously_discredited_consignee_is_always_looked_at() -> None:
    consignee = of_grade(CreditGrade.SERIOUSLY_DISCREDITED)
    fact = assessed(accepted(consignee=consignee))
    assert fact.credit_grade is CreditGrade.SERIOUSLY_DISCREDITED
    assert fact.draw.rate == Decimal("0.8476")
    assert {DOCUMENTS, INSPECTION} <= set(fact.controls)
    assert [rule.seen for rule in fact.rules] == [f"consignee {consignee} is seriously_discredited"]


@pytest.mark.parametrize(
    ("grade", "rate"),
    [
        (CreditGrade.ADVANCED_CERTIFIED, "0.0057"),
        (CreditGrade.CERTIFIED, "0.0169"),
        (CreditGrade.REGULAR, "0.0244"),
        (CreditGrade.DISCREDITED, "0.8476"),
    ],
)
def test_each_grade_is_drawn_at_its_own_rate(grade: CreditGrade, rate: str) -> None:
    assert assessed(accepted(consignee=of_grade(grade))).draw.rate == Decimal(rate)
    drawn = sum(draw(PUBLISHED.keys[0], bill(number), Decimal(rate)).selected for number in range(20_000))
    assert abs(Decimal(drawn) / 20_000 - Decimal(rate)) < Decimal("0.008")


def test_few_enterprises_are_certified_and_fewer_discredited() -> None:
    grades = Counter(rules.credit_grade(f"9131000{number:011d}") for number in range(40_000))
    certified = grades[CreditGrade.ADVANCED_CERTIFIED] + grades[CreditGrade.CERTIFIED]
    discredited = grades[CreditGrade.DISCREDITED] + grades[CreditGrade.SERIOUSLY_DISCREDITED]
    assert 0.11 < certified / 40_000 < 0.13
    assert 0.003 < discredited / 40_000 < 0.007


def test_most_ordinary_freight_is_left_alone() -> None:
    """The chapters of the HS are as frequent as in national trade. A third of the goods is packed in wood, and a fifth
    comes from North America."""
    mix = "84 " * 16 + "85 " * 20 + "39 " * 8 + "61 62 " * 3 + "73 " * 5 + "87 " * 5 + "90 94 " * 5 + "40 48 72 " * 3
    mix += "64 76 69 70 42 95 " * 2 + "29 28 29 08 44 07 03 02 12 33 27 10 04 "
    chapters = mix.split()
    lanes: Counter[Lane] = Counter()
    for number in range(3000):
        chapter = chapters[number % len(chapters)]
        declaration = accepted(
            line(f"{chapter}85000000"),
            bill=bill(number),
            consignee=f"91310000{number % 900:010d}",
            departure=("US", "DE", "VN", "BR", "AU")[number // 7 % 5],
            wood_packaging=number // 5 % 3 == 0,
            direction=Direction.IMPORT if number % 2 else Direction.EXPORT,
        )
        lanes[assessed(declaration).lane] += 1
    assert 0.70 <= lanes[Lane.GREEN] / 3000 <= 0.85, lanes


def test_every_rule_is_dated_named_once_and_explained_in_both_languages() -> None:
    assert len({rule.name for rule in rules.RULES}) == len(rules.RULES)
    assert all(rule.why_zh and rule.why_en and rule.controls for rule in rules.RULES)
    assert rules.IN_FORCE == rules.RULES


@settings(max_examples=60, deadline=None)
@given(
    chapters=st.lists(st.sampled_from(["01", "03", "06", "08", "28", "61", "84", "90"]), min_size=1, max_size=4),
    price=st.sampled_from(["0", "0.01", "2000", "90000000"]),
    number=st.integers(0, 10**9),
)
def test_hearing_a_declaration_twice_adds_nothing_and_the_lane_follows_from_the_controls(
    chapters: list[str], price: str, number: int
) -> None:
    declaration = accepted(*[line(f"{c}01100000", price=price) for c in chapters], bill=bill(number))
    keeps_its_promises(DECIDER, [declaration])
    fact = assessed(declaration)
    assert fact == assessed(declaration)
    wanted = {control for rule in fact.rules for control in rule.controls}
    assert set(fact.controls) == wanted | ({INSPECTION} if fact.draw.selected else set())
    assert len(set(fact.controls)) == len(fact.controls)
    looked_at = bool(set(fact.controls) - {DOCUMENTS})
    assert fact.lane is (Lane.RED if looked_at else Lane.YELLOW if fact.controls else Lane.GREEN)


def test_the_assessment_is_the_same_on_every_reading_of_the_log() -> None:
    first = Story(DECIDER, DECIDER.INITIAL).when(accepted(consignee=REGULAR)).answer
    second = Story(DECIDER, DECIDER.INITIAL).when(accepted(consignee=REGULAR)).answer
    assert first == second
