"""Is this a container number, and how is it written? ISO 6346: owner code and category (U, J, Z), serial number, check digit.

Swap bodies and semi-trailers have an ILU code of the same form and check digit with another fourth letter (EN 13044-1),
air containers a code of their own (IATA ULD technical manual: type, number, owner).
"""

import re

LONGEST = 17
"""The most characters of a number in a message."""
_SHAPE = re.compile(r"[A-Z]{4}[0-9]{7}")
_AIR = re.compile(r"[A-Z]{3}[0-9]{4,5}[A-Z0-9]{2}")
_LETTERS = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", (n for n in range(10, 39) if n % 11), strict=True))


def check_digit(body: str) -> str:
    """The check digit of owner code, category and serial number (10 characters)."""
    total = sum([(_LETTERS.get(sign) or int(sign)) << place for place, sign in enumerate(body)])
    return str(total % 11 % 10)


def plain(number: str) -> str:
    """The number as desks, gate, ports and search compare it: capitals and digits only, so `csqu 305438-3` becomes
    CSQU3054383."""
    return "".join([sign for sign in number.upper() if sign.isalnum()])[:LONGEST] or number[:LONGEST]


def is_well_formed(number: str) -> bool:
    """Whether a plain number has the form of a unit that carries goods; its check digit may be wrong."""
    return _SHAPE.fullmatch(number) is not None or _AIR.fullmatch(number) is not None


def is_of_freight(number: str) -> bool:
    """Whether a plain number is that of a freight container, swap body or semi-trailer, which no aircraft takes."""
    return _SHAPE.fullmatch(number) is not None


def is_valid(number: str) -> bool:
    """Whether a plain number is well-formed and its check digit is right. Air containers have no check digit."""
    if _SHAPE.fullmatch(number) is None:
        return _AIR.fullmatch(number) is not None
    return check_digit(number[:10]) == number[10]
