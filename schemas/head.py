"""Which fields does the release desk copy from the assessment of a consignment into its own facts, so that nobody has to read
the declaration?

The containers are no part of these fields: the assessment lists those of the declaration, and a release lists those that may
leave.
"""

from typing import Protocol, TypedDict, Unpack

from schemas.bounds import shown
from schemas.declaration import LONGEST_BILL
from schemas.vocabulary import Direction, Lane


class ConsignmentHead(TypedDict):
    """The head of a consignment, as keyword arguments for `ConsignmentAssessed`, `ReleaseGranted` and the records of desks."""

    declaration_no: str
    direction: Direction
    customs_office: str
    transport_mode: str
    bill_no: str
    lane: Lane


class HasHead(Protocol):
    """A fact or a record that has the fields of `ConsignmentHead`."""

    @property
    def declaration_no(self) -> str: ...
    @property
    def direction(self) -> Direction: ...
    @property
    def customs_office(self) -> str: ...
    @property
    def transport_mode(self) -> str: ...
    @property
    def bill_no(self) -> str: ...
    @property
    def lane(self) -> Lane: ...


def head_of(source: HasHead) -> ConsignmentHead:
    """Returns the head of `source`. Texts that a new message could not carry are changed (`bounded`)."""
    return bounded(
        declaration_no=source.declaration_no,
        direction=source.direction,
        customs_office=source.customs_office,
        transport_mode=source.transport_mode,
        bill_no=source.bill_no,
        lane=source.lane,
    )


def bounded(**head: Unpack[ConsignmentHead]) -> ConsignmentHead:
    """Returns the head in a form that a new message may carry. Its texts may have been stored before texts had bounds, so they
    may be too long."""
    head["customs_office"] = shown(head["customs_office"], 20)
    head["transport_mode"] = shown(head["transport_mode"], 20)
    head["bill_no"] = shown(head["bill_no"], LONGEST_BILL)
    return head
