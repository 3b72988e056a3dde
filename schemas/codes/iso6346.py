"""Is this a container number, and how is it written? By ISO 6346, it has owner code and category (U, J, Z), serial number,
and check digit.

Swap bodies and semi-trailers have an ILU code. It has the same form and check digit, but another fourth letter (EN 13044-1).
Air containers have a code of another form (IATA ULD technical manual: type, number, owner).
"""

import re

LONGEST = 17
"""The most characters of a container number in a message."""
_SHAPE = re.compile(r"[A-Z]{4}[0-9]{7}")
_AIR = re.compile(r"[A-Z]{3}[0-9]{4,5}[A-Z0-9]{2}")
_LETTERS = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", (n for n in range(10, 39) if n % 11), strict=True))


def check_digit(body: str) -> str:
    """Returns the check digit for owner code, category and serial number. `body`: these 10 characters."""
    total = sum([(_LETTERS.get(sign) or int(sign)) << index for index, sign in enumerate(body)])
    return str(total % 11 % 10)


def plain(number: str) -> str:
    """Returns the number in the form in which desks, gate, ports and search compare it: capital letters and digits only. For
    example, `csqu 305438-3` becomes `CSQU3054383`. Letters and digits of every script stay, so that two malformed numbers
    that differ in them stay two containers. A text without letters and digits is returned unchanged. The result is cut to
    `LONGEST` characters."""
    return "".join([sign for sign in number.upper() if sign.isalnum()])[:LONGEST] or number[:LONGEST]


def is_well_formed(number: str) -> bool:
    """Returns whether a plain number has the form of the number of a container, swap body, semi-trailer or air container. Its
    check digit may be wrong."""
    return _SHAPE.fullmatch(number) is not None or _AIR.fullmatch(number) is not None


def is_of_freight(number: str) -> bool:
    """Returns whether a plain number has the form of the number of a freight container, swap body or semi-trailer. No
    aircraft takes these."""
    return _SHAPE.fullmatch(number) is not None


def is_valid(number: str) -> bool:
    """Returns whether a plain number is well-formed and its check digit is right. Air containers have no check digit."""
    if _SHAPE.fullmatch(number) is None:
        return _AIR.fullmatch(number) is not None
    return check_digit(number[:10]) == number[10]
