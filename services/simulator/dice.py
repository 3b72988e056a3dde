"""How do simulated people decide? By pseudo-random numbers that depend on the seed and on names alone."""

from collections.abc import Sequence
from hashlib import sha256
from typing import TypeVar

T = TypeVar("T")


def throw(seed: int, *names: object) -> float:
    """A number in [0, 1) that depends only on the seed and these names, so that neither a restart nor the order of messages changes
    it."""
    digest = sha256(f"{seed}/{'/'.join(map(str, names))}".encode()).digest()
    return int.from_bytes(digest[:7]) / (1 << 56)


def between(low: float, high: float, share: float) -> float:
    return low + (high - low) * share


def pick(options: Sequence[T], share: float) -> T:
    return options[int(share * len(options))]
