"""What has the release desk read about one consignment?"""

from dataclasses import dataclass
from typing import NamedTuple

from pydantic import AwareDatetime

from schemas.vocabulary import ControlKind, Direction, Lane


@dataclass(frozen=True, slots=True)
class Bound:
    """A container of the consignment, by its number without blanks and dashes."""

    container_no: str
    shared_by: int


@dataclass(frozen=True, slots=True)
class Terms:
    """The assessment of the risk desk: fields of the declaration, the lane, and the controls that must be answered."""

    declaration_no: str
    direction: Direction
    customs_office: str
    transport_mode: str
    bill_no: str
    containers: tuple[Bound, ...]
    lane: Lane
    controls: tuple[ControlKind, ...]
    conveyance: str = ""
    packages: int = 0
    declarant: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """The hold of a control that failed, and the reason."""

    hold_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A request to withdraw the declaration. It is kept, because it may have to wait for the assessment or for officers."""

    request_id: str
    reason: str


class Landing(NamedTuple):
    """A report that a part of the goods has arrived: these containers, or this many packages so far. `at`: event time.

    `by_gate`: whether the report comes from the gate desk. Such a report is not a request, so nobody waits for an
    answer to it. `sender`: who made the report; empty in records of older software versions.
    """

    message_id: str
    at: AwareDatetime
    containers: tuple[str, ...] = ()
    pieces: int | None = None
    by_gate: bool = False
    sender: str = ""


class Retraction(NamedTuple):
    """A retraction: the message `message_id` took back the arrival that the message `wrong` reported. `containers`: the
    containers that the wrong report named; empty if it named none. `at`: the time of arrival that it stated."""

    wrong: str
    message_id: str
    at: AwareDatetime
    containers: tuple[str, ...] = ()


class Departure(NamedTuple):
    """A departure of the goods in this container, `released` or not. `retraction`: the message that took the departure back; `why`: the reason as the
    gate's code, empty in records of older software versions."""

    container_no: str
    visit: str
    message_id: str
    at: AwareDatetime
    released: bool
    reason: str = ""
    retraction: str = ""
    why: str = ""


class Transfer(NamedTuple):
    """A report that the goods were stripped from the container `source` into the containers `targets`, at `at`. `lots`:
    how many lots there were in `source`; `void`: whether the report was taken back; `kept`: whether the container `source`
    itself had to stay."""

    report_id: str
    source: str
    targets: tuple[str, ...]
    lots: int
    at: AwareDatetime
    void: bool = False
    kept: bool = False


class Dossier(NamedTuple):
    """Everything that was read about one consignment, in any order. A record of it is a list in the order of
    the fields; a new field comes last.

    - `arrived_at`: when everything arrived, by a report about all goods. `arrival_request`, `arrival_sender`: the id
      of that report, and who made it, as in `Landing`.
    - `landings`: reports about parts of the goods. `retractions`: arrivals that were reported and taken back;
      `landings` and `arrived_at` do not contain them.
    - `answers`: hold id → kind of the fact with the highest revision about that hold, whatever its content.
      `revisions`: hold id → the revision of that fact, left out if it is 0. `reasons`: hold id → why the hold failed
      or is open again.
    - `findings`: hold id of a treatment → the revision of the pest finding that the fact in `answers` is about, left
      out if it is 0. `attempts`: hold id of a treatment → after how many attempts the goods were given up; not in
      records of older software versions.
    - `pests`: control that found a living pest → the name of the pest. Each opens a treatment hold of its own.
    - `referred`: the origins for which no treatment is known, so that an officer must decide.
    - `opened`: the containers whose arrival a terminal reported, in alphabetical order; for other containers,
      `landings` may have the arrival. `opened_at`: container → the time of arrival that the terminal reported, if it
      is known.
    - `failure`: only in records of older software versions, which stored only the first failure.

    No dict is ever changed in place.
    """

    terms: Terms | None = None
    arrived_at: AwareDatetime | None = None
    arrival_request: str = ""
    answers: dict[str, str] = {}  # noqa: RUF012  (never changed in place)
    pests: dict[str, str] = {}  # noqa: RUF012
    failure: Failure | None = None
    withdrawals: tuple[Withdrawal, ...] = ()
    referred: tuple[str, ...] = ()
    landings: tuple[Landing, ...] = ()
    departures: tuple[Departure, ...] = ()
    revisions: dict[str, int] = {}  # noqa: RUF012
    findings: dict[str, int] = {}  # noqa: RUF012
    reasons: dict[str, str] = {}  # noqa: RUF012
    opened: tuple[str, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    arrival_sender: str = ""
    opened_at: dict[str, AwareDatetime] = {}  # noqa: RUF012
    retractions: tuple[Retraction, ...] = ()
    attempts: dict[str, int] = {}  # noqa: RUF012
