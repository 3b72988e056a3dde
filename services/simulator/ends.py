"""Which end has each consignment reached so far? The topics are read in any order, so the statements of the release desk
and the departures are stored separately."""

from collections.abc import Mapping
from types import MappingProxyType

STATED = {
    "DeclarationRejected": "rejected",
    "ReleaseGranted": "released",
    "ReleaseRefused": "refused",
    "DeclarationWithdrawn": "withdrawn",
}
"""Kind of fact → the end of the consignment that the fact states."""
REVOKED = frozenset({"ReleaseRevoked", "RefusalRevoked"})
LEFT_UNRELEASED = "left unreleased"
KEPT = "kept"
"""The end of released goods whose container must stay because of other goods in it."""


class ConsignmentEnds:
    """The ends of all consignments. If goods left without release, that is their end until the departure is taken back,
    whatever the release desk states."""

    def __init__(self) -> None:
        self._of: dict[str, str] = {}
        self._stated: dict[str, str] = {}
        self._left: dict[str, set[str]] = {}
        self.of: Mapping[str, str] = MappingProxyType(self._of)
        """Consignment → its end. Consignments without an end are not in it."""

    def state(self, kind: str, key: str) -> None:
        """Notes a fact about a consignment: stores the end that its kind states, or removes the end if a release or
        refusal was revoked. Other kinds change nothing. `key`: the id of the consignment."""
        if kind in STATED:
            self._set(key, STATED[kind])
        elif kind in REVOKED:
            self.reopen(key)

    def reopen(self, key: str) -> None:
        """Removes the stated end of the consignment, because its release or refusal was revoked, or because only a part
        of the goods is released."""
        self._stated.pop(key, None)
        self._settle(key)

    def keep(self, key: str) -> None:
        """Notes that the goods are or were released but cannot leave."""
        self._set(key, KEPT)

    def leave(self, key: str, container_no: str) -> None:
        """Notes that the goods left in this container without a release."""
        self._left.setdefault(key, set()).add(container_no)
        self._settle(key)

    def come_back(self, key: str, container_no: str) -> None:
        """Notes that the goods did not leave in this container after all."""
        self._left.get(key, set()).discard(container_no)
        self._settle(key)

    def _set(self, key: str, end: str) -> None:
        self._stated[key] = end
        self._settle(key)

    def _settle(self, key: str) -> None:
        end = LEFT_UNRELEASED if self._left.get(key) else self._stated.get(key)
        if end is None:
            self._of.pop(key, None)
        else:
            self._of[key] = end
