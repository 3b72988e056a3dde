"""Is this a unified social credit code (USCC)? By GB 32100-2015 with its amendment, a code has 18 characters: one for
the registering authority, one for the kind of entity that it registers, six for the area, nine for the organisation
code, and a check sign.

The organisation code has its own check sign (GB 11714-1997). Some codes that were really issued break the standard in one part, so
an officer decides about one broken part. A code with two broken parts was mistyped or made up.
"""

import re
from datetime import date
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final
from unicodedata import normalize

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The characters that a code may have: digits, and capital letters except I, O, Z, S and V."""
WEIGHTS = tuple(pow(3, index, 31) for index in range(17))
_VALUE = {sign: value for value, sign in enumerate(ALPHABET)}
CATEGORIES: Final = MappingProxyType(
    {
        "1": "1239",
        "2": "19",
        "3": "123459",
        "4": "19",
        "5": "1239",
        "6": "129",
        "7": "129",
        "8": "19",
        "9": "123",
        "A": "19",
        "N": "1239",
        "Y": "1",
    }
)
"""Registering authority → the kinds of entities that it registers, one character each (table 1 of the standard). For
example, authority 9 is market regulation, and registers enterprises (1), individual businesses (2) and farmers'
cooperatives (3). Authority 1 is for public institutions, and 5 is civil affairs."""
AREAS: Final = frozenset(
    [
        "10",
        "11",
        "12",
        "13",
        "14",
        "15",
        "21",
        "22",
        "23",
        "31",
        "32",
        "33",
        "34",
        "35",
        "36",
        "37",
        "41",
        "42",
        "43",
        "44",
        "45",
        "46",
        "50",
        "51",
        "52",
        "53",
        "54",
        "61",
        "62",
        "63",
        "64",
        "65",
        "71",
        "81",
        "82",
    ]
)
"""The first two digits of all areas: those of the provinces (GB/T 2260), and 10 for registrations by the State."""
SANDBOX_AREA: Final = "99"
"""The area of codes for the sandbox offices. No real area begins with it, so such a code belongs to nobody."""
_TOKEN = re.compile(r"\w+")
_OF_ORGANISATION = (3, 7, 9, 10, 5, 8, 4, 2)
_OF_PERSON = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


class CreditCodePart(StrEnum):
    """A part of a code that can break the standard."""

    CATEGORY = "category"
    AREA = "area"
    ORGANISATION = "organisation code"
    CHECK_SIGN = "check sign"


def check_sign(body: str) -> str:
    """Returns the check sign for the first 17 characters of a code. Raises ValueError if GB 32100 does not allow one of
    these characters."""
    try:
        total = sum([_VALUE[sign] * weight for sign, weight in zip(body, WEIGHTS, strict=True)])
    except KeyError as error:
        raise ValueError(f"{error.args[0]!r} is not a sign of the code") from None
    return ALPHABET[(31 - total % 31) % 31]


def is_name(party: str) -> bool:
    """Returns whether the text can be the name of a party: it has a letter, no blanks at its edges, and does not look
    like a mistyped code. A text with many digits is still a name if one of its words has three letters and no digit
    (`12345678 CANADA INC.`), or if it has a letter that is not an ASCII letter."""
    plain = normalize("NFKC", party)
    signs = [sign for sign in plain if sign.isalnum()]
    is_short = len(signs) <= 20 and sum(sign.isdigit() for sign in signs) >= 8
    has_word = any(len(token) >= 3 and token.isalpha() for token in _TOKEN.findall(plain))
    has_other_letter = any(sign.isalpha() and not sign.isascii() for sign in signs)
    is_like_a_code = is_short and not has_word and not has_other_letter
    return not is_like_a_code and party == party.strip() and any(sign.isalpha() for sign in signs)


def organisation_check_sign(body: str) -> str:
    """Returns the check sign for the first 8 characters of an organisation code (GB 11714-1997): 0 to 9 or X."""
    total = sum([int(sign, 36) * weight for sign, weight in zip(body, _OF_ORGANISATION, strict=True)])
    return "0123456789X0"[11 - total % 11]


def with_check_signs(start: str, organisation: str) -> str:
    """Returns the code that begins with the 8 characters `start`, followed by the organisation code that begins with the 8
    characters `organisation`. Raises ValueError if GB 32100 does not allow one of these characters."""
    body = f"{start}{organisation}{organisation_check_sign(organisation)}"
    return body + check_sign(body)


@lru_cache(8192)  # the codes of the same companies are checked again and again
def is_well_formed(code: str) -> bool:
    """Returns whether the code has 18 characters, all of them digits or letters that GB 32100 allows, and an organisation
    code that is not all zeros."""
    return len(code) == 18 and all(sign in _VALUE for sign in code) and code[8:17].strip("0") != ""


@lru_cache(8192)
def broken_parts(code: str) -> tuple[CreditCodePart, ...]:
    """Returns the parts of a well-formed code that break the standard, in their order. The area of the sandbox counts as
    right."""
    area = code[2:8]
    right = {
        CreditCodePart.CATEGORY: code[1] in CATEGORIES.get(code[0], ""),
        CreditCodePart.AREA: area.isdigit() and area[:2] in AREAS | {SANDBOX_AREA},
        CreditCodePart.ORGANISATION: organisation_check_sign(code[8:16]) == code[16],
        CreditCodePart.CHECK_SIGN: check_sign(code[:17]) == code[17],
    }
    return tuple([part for part in CreditCodePart if not right[part]])


def is_of_sandbox(code: str) -> bool:
    """Returns whether the code has the area of the sandbox. Such a code belongs to nobody."""
    return code[2:4] == SANDBOX_AREA


def is_of_person(code: str) -> bool:
    """Returns whether this is the number of an identity card (GB 11643-1999): area, day of birth, serial number, check sign."""
    if len(code) != 18 or not code.isascii() or not code[:17].isdigit() or code[:2] not in AREAS:
        return False
    try:
        born = date(int(code[6:10]), int(code[10:12]), int(code[12:14]))
    except ValueError:
        return False
    total = sum([int(sign) * weight for sign, weight in zip(code, _OF_PERSON, strict=False)])
    return born.year >= 1850 and "10X98765432"[total % 11] == code[17].upper()


@lru_cache(8192)
def is_valid(code: str) -> bool:
    """Returns whether the code has 18 characters, all of them digits or letters that GB 32100 allows, and the right check
    sign."""
    if len(code) != 18 or any(sign not in _VALUE for sign in code):
        return False
    return check_sign(code[:17]) == code[17]
