"""How does a long operation report its progress to a caller that may want to show it?"""

from collections.abc import Callable

Advance = Callable[[int], None]
"""Called during a long operation with the number of items done since the last call; with 0 while it waits."""


def unreported(more: int) -> None:
    """An `Advance` that ignores the progress."""
