"""Is every part of a unified social credit code checked? If a code breaks the standard but is in use, is it
accepted?"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric as their_persons

from schemas.codes import uscc
from schemas.codes.checks import CONTRADICTIONS
from schemas.codes.uscc import CreditCodePart
from schemas.papers import checks
from schemas.vocabulary import Severity
from tests.declaration.good import DECLARANT, good_declaration
from tests.voice import NOON


def code(start: str = "91", area: str = "370200", organisation: str = "16356268") -> str:
    """A code with correct check characters, made from these parts."""
    body = f"{start}{area}{organisation}{uscc.organisation_check_sign(organisation)}"
    return body + uscc.check_sign(body)


def said_of(consignee: str, **changes: Any) -> list[tuple[str, str]]:
    found = checks.findings(good_declaration(consignee=consignee, **changes), NOON.date())
    return [(finding.severity.value, finding.code) for finding in found]


ERROR, WARNING = Severity.ERROR.value, Severity.WARNING.value
FINDING = [(WARNING, "consignee_breaks_standard")]
REAL = ["91370200163562681G", "91350100M000100Y43", "91370211264574251C", "91110000802100433B"]


@pytest.mark.parametrize("right", REAL)
def test_real_codes_break_nothing(right: str) -> None:
    assert uscc.is_well_formed(right) and uscc.broken_parts(right) == () and said_of(right) == []


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        (code("94"), CreditCodePart.CATEGORY),
        (code("00"), CreditCodePart.CATEGORY),
        (code("B1"), CreditCodePart.CATEGORY),
        (code(area="990101"), None),
        (code(area="000000"), CreditCodePart.AREA),
        (code(area="570000"), CreditCodePart.AREA),
        (code(area="3702A0"), CreditCodePart.AREA),
        ("91110000100003962T", CreditCodePart.CHECK_SIGN),
        ("91370200MA3C0DEF1K", CreditCodePart.ORGANISATION),
    ],
)
def test_one_broken_part_is_a_finding_that_an_officer_decides(wrong: str, part: CreditCodePart | None) -> None:
    assert uscc.broken_parts(wrong) == ((part,) if part else ())
    assert said_of(wrong) == FINDING


def test_a_code_of_the_sandbox_is_one_at_its_offices_only() -> None:
    assert said_of(code(area="990000"), customs_office="9040") == []
    assert said_of(code(area="990000")) == FINDING


@pytest.mark.parametrize(
    "wrong", ["", "0" * 18, "1" * 18, "9" * 18, "91370200000000000X", REAL[0][:-1], REAL[0].lower(), f"{REAL[0]}0"]
)
def test_zeros_and_other_forms_are_errors(wrong: str) -> None:
    assert said_of(wrong) == [(ERROR, "consignee_invalid")]


@given(st.sampled_from(REAL), st.integers(8, 15), st.sampled_from(uscc.ALPHABET))
def test_a_mistyped_organisation_code_is_an_error(right: str, index: int, sign: str) -> None:
    mistyped = right[:index] + sign + right[index + 1 :]
    broken = uscc.broken_parts(mistyped)
    assert broken == () if sign == right[index] else CreditCodePart.CHECK_SIGN in broken
    # The check character of GB 11714 has only eleven values. So it does not reveal every typing error.
    assert (said_of(mistyped)[0][0] == ERROR) == (len(broken) > 1) if broken else said_of(mistyped) == []


@pytest.mark.parametrize("number", ["370202199003074012", "11010519491231002X"])
def test_the_number_of_an_identity_card_is_named_as_one(number: str) -> None:
    assert uscc.is_of_person(number) and their_persons.is_valid(number)
    assert said_of(number) == [(ERROR, "party_is_person")]
    assert said_of(DECLARANT, declarant=number)[0] == (ERROR, "party_is_person")


@pytest.mark.parametrize("number", ["131002199801234565", "131002197712015409", "131002196408109481"])
def test_so_is_one_that_breaks_the_standard_of_codes_in_one_part_only(number: str) -> None:
    """In an older version, a tenth of the identity card numbers of some places (131002, 331001, 321102) counted as
    codes of which one part is broken."""
    assert uscc.is_of_person(number) and len(uscc.broken_parts(number)) == 1
    assert said_of(number) == [(ERROR, "party_is_person")] == said_of(DECLARANT, declarant=number)[:1]


def test_a_code_that_is_also_the_number_of_an_identity_card_is_for_an_officer() -> None:
    """A real company may have this code, so the declaration is not rejected."""
    for number in ("131002197001010644", "131002197002012844"):
        assert uscc.is_of_person(number) and uscc.broken_parts(number) == ()
        assert said_of(number) == [(WARNING, "party_is_person")] and "party_is_person" in CONTRADICTIONS


@given(st.from_regex(r"\A[1-6][1-5][0-9]{4}(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9])[0-9]{4}\Z"))
def test_identity_cards_are_checked_as_somebody_else_does(body: str) -> None:
    if uscc.is_of_person(body):
        assert their_persons.calc_check_digit(body) == body[17]
