"""Does a number keep all its digits on its way through the parser?

Pydantic's parser reads a JSON number with a point or an exponent as a floating-point number, which has room for 15
decimal digits. A number with more digits could be changed without notice: 99999999999999.99 kg would become
99999999999999.98 kg. A text keeps all its digits, so such a number is passed on as a text."""

import json
import re
from collections.abc import Callable

import msgspec

EXACT_DIGITS = 15
"""A number of at most this many decimal digits does not change if it is converted to floating point (IEEE 754,
binary64) and back."""
_LONG = re.compile(rb"[0-9.]{%d}" % (EXACT_DIGITS + 1))


def exact(data: bytes) -> bytes:
    """Returns the JSON of `data` with a text in place of each long number. A number is long if it has a point or an
    exponent, and more than EXACT_DIGITS digits before the exponent. `data`: JSON that Python's parser accepts."""
    if _LONG.search(data) is None:
        return data
    long: list[str] = []
    try:
        body = json.loads(data, parse_float=_text_if_long(long), parse_int=_raw)
        return msgspec.json.encode(body) if long else data
    except UnicodeEncodeError:  # a text has a lone surrogate, which the next parser reports
        return data


def _text_if_long(long: list[str]) -> Callable[[str], str | msgspec.Raw]:
    """Returns a function that the parser calls for each number with a point or an exponent. The function returns a long
    number as a text and adds it to `long`. It returns any other number unchanged."""

    def text_or_number(number: str) -> str | msgspec.Raw:
        digits = re.split("[eE]", number)[0]
        if sum(map(str.isdigit, digits)) <= EXACT_DIGITS:
            return _raw(number)
        long.append(number)
        return number

    return text_or_number


def _raw(number: str) -> msgspec.Raw:
    return msgspec.Raw(number.encode())
