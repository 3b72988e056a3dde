"""How do simulated people decide? They use pseudo-random numbers that depend only on the seed and on names."""

from collections.abc import Sequence
from hashlib import sha256
from typing import TypeVar

T = TypeVar("T")


def throw(seed: int, *names: object) -> float:
    """Returns a number in [0, 1) that depends only on the seed and these names. So it is the same after a restart, and in
    whatever order messages are read."""
    digest = sha256(f"{seed}/{'/'.join(map(str, names))}".encode()).digest()
    return int.from_bytes(digest[:7]) / (1 << 56)


def between(low: float, high: float, share: float) -> float:
    return low + (high - low) * share


def pick(options: Sequence[T], share: float) -> T:
    return options[int(share * len(options))]
