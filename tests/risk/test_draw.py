"""Is the draw for inspection unpredictable, does it depend only on the goods, and can an auditor repeat it?"""

import hmac
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.declaration import Declaration, DeclarationAccepted
from schemas.risk import ConsignmentAssessed, Draw
from schemas.vocabulary import Direction, consignment_id
from services.risk.decider import RiskDecider
from services.risk.draw import drawn_goods, spelled
from services.risk.keys import PUBLISHED, DrawKeys, new_key
from tests.architecture.golden import published
from tests.risk.freight import REGULAR, accepted, line
from tests.voice import NOON, story

FIRST = new_key(b"f" * 32, date(2026, 11, 1))
NEXT = new_key(b"n" * 32, date(2026, 12, 1))
KEYS = DrawKeys((FIRST, NEXT))


def drawn(declaration: DeclarationAccepted, keys: DrawKeys = KEYS, at: datetime | None = None) -> Draw:
    (fact,) = story(RiskDecider(keys)).when(declaration, at=at).answer
    assert isinstance(fact, ConsignmentAssessed)
    return fact.draw


def lodged(reference: str, **changes: Any) -> DeclarationAccepted:
    return accepted(consignment_id=consignment_id(REGULAR, reference), reference=reference, **changes)


def changed(declaration: DeclarationAccepted, **changes: Any) -> DeclarationAccepted:
    return declaration.model_copy(update={"declaration": declaration.declaration.model_copy(update=changes)})


def test_a_declarant_who_looks_for_a_reference_that_is_not_drawn_finds_none() -> None:
    """Everybody can compute a hash of the rule set and the consignment id, as this test does. The hash must not predict
    the draw."""
    for number in range(50):
        declaration = lodged(f"TRY-{number}")
        digest = sha256(f"2026-11-01/{declaration.consignment_id}".encode()).digest()
        foreseen = Decimal(int.from_bytes(digest[:8])) / Decimal(2**64)
        assert abs(drawn(declaration).value - foreseen) > Decimal("0.000001")


def test_two_installations_draw_the_same_lot_each_by_its_own_secret() -> None:
    others = DrawKeys((new_key(b"o" * 32, date(2026, 11, 1)),))
    assert drawn(accepted()).value != drawn(accepted(), others).value


def test_lodging_one_lot_under_another_reference_does_not_draw_again() -> None:
    assert len({drawn(lodged(f"R-{number}")) for number in range(20)}) == 1


@pytest.mark.parametrize(
    "again",
    [
        accepted(line("0805100000"), line("8483409000")),
        accepted(line("8483409000", kg="7", price="1")),
        accepted(departure="HK"),
        accepted(bill=" cosu 640-0001"),
        accepted(bill="ＣＯＳＵ６４００００１"),
        accepted(containers=("CSQU 305438-3", "csqu3054383")),
        changed(accepted(), conveyance="another voyage", conveyance_entry_date=date(2026, 11, 30), packages=3),
    ],
    ids=[
        "other goods",
        "other mass",
        "other departure",
        "spelled",
        "full width",
        "box spelled and twice",
        "later ship",
    ],
)
def test_a_paper_that_was_amended_draws_nothing_new_for_its_goods(again: DeclarationAccepted) -> None:
    assert drawn(again).value == drawn(accepted()).value


AMENDED = {
    "reference": st.text("ABC-0123", min_size=1, max_size=35),
    "declarant": st.sampled_from([REGULAR, "91310000000000000X"]),
    "customs_office": st.sampled_from(["4201", "2248"]),
    "trade_mode": st.sampled_from(["0110", "3010"]),
    "transport_mode": st.sampled_from("234569"),
    "conveyance": st.text(max_size=20),
    "departure_country": st.sampled_from(["DE", "US", "HK"]),
    "destination_country": st.sampled_from(["CN", ""]),
    "goods_place": st.text(max_size=20),
    "conveyance_entry_date": st.none() | st.dates(date(2026, 1, 1), date(2027, 1, 1)),
    "packages": st.integers(0, 999),
    "package_kind": st.sampled_from(["22", "93"]),
    "wood_packaging": st.booleans(),
    "gross_mass_kg": st.decimals(1, 9999, places=2),
    "net_mass_kg": st.decimals(1, 9999, places=2),
    "invoice_total": st.decimals(1, 9999, places=2),
    "currency": st.sampled_from(["EUR", "USD"]),
    "items": st.lists(st.sampled_from([line("8483409000"), line("0805100000", kg="3")]), min_size=1).map(tuple),
}
"""Fields that a declarant may change in declarations of the same goods."""


@settings(max_examples=200, deadline=None)
@given(changes=st.fixed_dictionaries({}, optional=AMENDED), other=st.integers(0, 10**6))
def test_no_amendment_of_anything_but_bill_and_containers_draws_again(changes: dict[str, Any], other: int) -> None:
    again = changed(lodged(f"R-{other}"), **changes)
    assert drawn(again).value == drawn(accepted()).value


def test_every_field_of_a_declaration_names_the_lot_or_may_be_amended_without_another_draw() -> None:
    names = {"direction", "bill_no", "containers"}
    assert set(Declaration.model_fields) == names | set(AMENDED) | {"consignee"}, "the consignee's grade sets the rate"


def test_the_order_of_the_containers_draws_nothing_new() -> None:
    boxes = ("CSQU3054383", "TEMU1234567", "MSKU0000017")
    assert drawn(accepted(containers=boxes)) == drawn(accepted(containers=boxes[::-1]))


def test_a_consignee_of_another_grade_changes_the_rate_and_not_the_value() -> None:
    values = {drawn(accepted(consignee=f"91310000{number:010d}")).value for number in range(200)}
    rates = {drawn(accepted(consignee=f"91310000{number:010d}")).rate for number in range(200)}
    assert len(values) == 1 and len(rates) > 1


@pytest.mark.parametrize(
    "other",
    [
        accepted(bill="COSU6400002"),
        accepted(containers=("TEMU1234567",)),
        accepted(containers=("CSQU3054383", "TEMU1234567")),
        accepted(direction=Direction.EXPORT),
    ],
    ids=["bill", "box", "one box more", "direction"],
)
def test_another_lot_is_another_draw(other: DeclarationAccepted) -> None:
    assert drawn(other).value != drawn(accepted()).value


def test_a_trial_paper_without_the_real_container_tells_nothing_of_the_real_one() -> None:
    """Declarations that name the real container are drawn as one lot. Declarations with another container or without
    one are other lots."""
    trial = drawn(accepted(containers=("TEMU1234567",)))
    assert trial.value not in {drawn(accepted()).value, drawn(accepted(containers=())).value}


def test_goods_without_a_bill_are_drawn_by_consignee_conveyance_and_day_of_the_journey() -> None:
    truck = changed(accepted(bill="", containers=()), transport_mode="4", conveyance="鲁B 12345")
    same = changed(lodged("AGAIN", bill="", containers=()), transport_mode="4", conveyance="鲁b12345")
    assert drawn(truck).value == drawn(same).value
    tomorrow = changed(truck, conveyance_entry_date=NOON.date() + timedelta(days=1))
    assert drawn(truck).value != drawn(tomorrow).value, "a truck that comes daily is drawn daily"
    assert drawn(truck, at=NOON + timedelta(days=1)).value == drawn(tomorrow).value, (
        "undated, the day of the hearing counts"
    )
    assert drawn(truck).value != drawn(changed(truck, conveyance="京B12345")).value
    assert drawn(truck).value != drawn(changed(truck, consignee="91310000000000000X")).value


def test_no_text_imitates_another_lot_across_the_separators() -> None:
    one = accepted(bill="A/B", containers=("C",))
    assert drawn_goods(one.declaration, NOON.date()) == "I/bill/AB/C"
    assert drawn_goods(accepted(bill="A", containers=("B/C",)).declaration, NOON.date()) == "I/bill/A/BC"
    assert drawn_goods(accepted(bill="-/ ", containers=("X+Y",)).declaration, date(2026, 11, 23)).startswith(
        "I/journey/"
    )


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_a_spelled_code_has_letters_and_digits_and_is_spelled_already(text: str) -> None:
    assert spelled(text).isalnum() or not spelled(text)
    assert spelled(spelled(text)) == spelled(text)


def test_an_auditor_with_the_key_repeats_the_draw() -> None:
    digest = hmac.new(b"f" * 32, b"inspection-draw/I/bill/COSU6400001/CSQU3054383", "sha256").digest()
    share = Decimal(int.from_bytes(digest[:8], "big")) / Decimal(2**64)
    assert drawn(accepted()) == Draw(
        value=Decimal(str(share)[:8]),
        rate=Decimal("0.0244"),
        selected=share < Decimal("0.0244"),
        key_id=FIRST.key_id,
    )


def test_a_draw_names_its_key_and_the_key_changes_with_the_day_in_china() -> None:
    eve = datetime(2026, 11, 30, 15, 59, tzinfo=UTC)
    assert drawn(accepted(), at=eve).key_id == FIRST.key_id
    assert drawn(accepted(), at=eve + timedelta(minutes=1)).key_id == NEXT.key_id
    assert drawn(accepted(), at=datetime(2020, 1, 1, tzinfo=UTC)).key_id == FIRST.key_id
    assert drawn(accepted(), PUBLISHED).key_id == "published"


def test_a_draw_of_the_software_version_before_is_read_as_one_without_a_key() -> None:
    fact = ConsignmentAssessed.read_stored(published("ConsignmentAssessed")[0])
    assert fact.draw.key_id == "" and fact.rule_set == "2026-11-01"
