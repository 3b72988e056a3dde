"""Is this a unified social credit code? GB 32100-2015: 17 signs and a check sign, alphabet without I O Z S V."""

from functools import lru_cache

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_VALUE = {sign: value for value, sign in enumerate(ALPHABET)}


def check_sign(body: str) -> str:
    """The check sign of the first 17 signs; ValueError for a sign that is not in the alphabet."""
    try:
        total = sum([_VALUE[sign] * weight for sign, weight in zip(body, WEIGHTS, strict=True)])
    except KeyError as error:
        raise ValueError(f"{error.args[0]!r} is not a sign of the code") from None
    return ALPHABET[(31 - total % 31) % 31]


@lru_cache(8192)  # the same companies declare again and again
def is_valid(code: str) -> bool:
    """Length 18, alphabet and check sign."""
    if len(code) != 18 or any(sign not in _VALUE for sign in code):
        return False
    return check_sign(code[:17]) == code[17]
