"""How does a long operation report its progress to a caller that may want to show it?"""

from collections.abc import Callable

Advance = Callable[[int], None]
"""The type of a function that a long operation calls with the number of items done since the last call, and
with 0 while it waits."""


def unreported(more: int) -> None:
    """Does nothing. This is the `Advance` of callers that do not show the progress."""
