"""Which connections does each address hold, and which address holds the most? Each method takes the same time, however
many connections there are.

A client may open new connections faster than a loop over all connections runs, so no method loops over all of them.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Held = TypeVar("Held", bound=Hashable)


class ByAddress(Generic[Held]):
    """Connections by address. The connections of one address are in groups, and each group is in the order in which its
    connections were put there.

    `OrderedDict` is used because it finds its first key in constant time. A `dict` does not, after keys were deleted
    from its beginning.
    """

    def __init__(self, groups: int = 1) -> None:
        self._groups = groups
        self._group_of: dict[Held, tuple[str, int]] = {}
        """Connection → its address and the number of its group."""
        self._held: dict[str, list[OrderedDict[Held, None]]] = {}
        """Address → its groups."""
        self._counts: dict[str, int] = {}
        """Address → how many connections it has; only addresses that have some."""
        self._with_count: dict[int, OrderedDict[str, None]] = {}
        """Number of connections → the addresses that have this number. The addresses are in the order in which a
        connection of theirs was last put or removed, the longest ago first."""
        self._largest = 0
        """The largest number of connections of one address."""

    def put(self, one: Held, address: str, group: int = 0) -> None:
        """Puts the connection at the end of this group, and removes it from where it was."""
        if self._group_of.get(one) == (address, group):
            self._held[address][group].move_to_end(one)
            self._with_count[self._counts[address]].move_to_end(address)
            return
        self.remove(one)
        groups = self._held.setdefault(address, [])
        groups += [OrderedDict() for _ in range(self._groups - len(groups))]
        groups[group][one] = None
        self._group_of[one] = address, group
        self._change(address, 1)

    def remove(self, one: Held) -> None:
        """Removes the connection, if it is here."""
        if (found := self._group_of.pop(one, None)) is not None:
            address, group = found
            del self._held[address][group][one]
            self._change(address, -1)

    def _change(self, address: str, by: int) -> None:
        before = self._counts.get(address, 0)
        after = before + by
        if before:
            del self._with_count[before][address]
            if not self._with_count[before]:
                del self._with_count[before]
        if after:
            self._counts[address] = after
            self._with_count.setdefault(after, OrderedDict())[address] = None
        else:
            del self._counts[address], self._held[address]
        if after > self._largest or self._largest not in self._with_count:
            self._largest = after

    def count(self, address: str) -> int:
        """Returns how many connections this address has."""
        return self._counts.get(address, 0)

    def most(self) -> tuple[str, int]:
        """Returns the address that has the most connections, and how many it has; an empty address and 0 if there are no connections."""
        return (next(iter(self._with_count[self._largest])), self._largest) if self._largest else ("", 0)

    def first(self, address: str) -> Held:
        """Returns the first connection in the first group of this address that is not empty. Raises LookupError if the
        address has no connections."""
        for group in self._held[address]:
            if group:
                return next(iter(group))
        raise LookupError(address)
