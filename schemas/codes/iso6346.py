"""Is this a container number? ISO 6346: owner code and category (U, J, Z), serial number, check digit."""

import re

_SHAPE = re.compile(r"[A-Z]{3}[UJZ][0-9]{7}")
_LETTERS = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", (n for n in range(10, 39) if n % 11), strict=True))


def check_digit(body: str) -> str:
    """The check digit of owner code, category and serial number (10 signs)."""
    total = sum([(_LETTERS.get(sign) or int(sign)) << place for place, sign in enumerate(body)])
    return str(total % 11 % 10)


def is_valid(number: str) -> bool:
    """Shape and check digit of the eleven signs, without blanks or dashes."""
    return _SHAPE.fullmatch(number) is not None and check_digit(number[:10]) == number[10]
