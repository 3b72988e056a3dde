"""How does what lasts tell how far it is, to a caller who may want to know?"""

from collections.abc import Callable

Advance = Callable[[int], None]
"""Is told how many more are done, while something lasts; 0 while it waits."""


def unreported(more: int) -> None:
    """An `Advance` for a caller who does not want to know."""
