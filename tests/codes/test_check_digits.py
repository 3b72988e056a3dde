"""Are our check digits equal to those of an independent implementation (python-stdnum)?"""

from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso6346 as their_containers
from stdnum.cn import uscc as their_codes

from schemas.codes import iso6346, uscc


@given(st.text(uscc.ALPHABET, min_size=17, max_size=17), st.sampled_from(uscc.ALPHABET))
def test_credit_codes(body: str, sign: str) -> None:
    assert uscc.check_sign(body) == their_codes.calc_check_digit(body)
    assert uscc.is_valid(body + sign) == (their_codes.calc_check_digit(body) == sign)


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=3), st.sampled_from("UJZ"), st.integers(0, 999_999))
def test_container_numbers(owner: str, category: str, serial: int) -> None:
    body = f"{owner}{category}{serial:06}"
    number = body + iso6346.check_digit(body)
    assert iso6346.is_valid(number) and their_containers.is_valid(number)
    wrong = body + str((int(number[-1]) + 1) % 10)
    assert not iso6346.is_valid(wrong) and not their_containers.is_valid(wrong)


def test_known_numbers() -> None:
    assert uscc.is_valid("91350100M000100Y43") and not uscc.is_valid("91350100m000100y43") and not uscc.is_valid("")
    assert iso6346.is_valid("CSQU3054383") and not iso6346.is_valid("csqu3054383") and not iso6346.is_valid("")
