"""Did any container leave by mistake, or was one kept by mistake? What really happened to the containers, as the
simulator knows it, is compared with the facts about their goods.

No facts of the gate desk are used. A container has left if a terminal reported its departure. The container was allowed
to leave if the release desk had released all goods in it by then.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from services.cli.log import LoggedMessage

STATEMENTS = (
    "ConsignmentHeld",
    "ReleaseGranted",
    "ReleaseRefused",
    "ReleaseRevoked",
    "RefusalRevoked",
    "DeclarationWithdrawn",
)


WORLD = "/simulator"
"""The source (`ce_source`) of the requests that report what really happened: the simulator."""


class KnownVisit(Protocol):
    """One visit of a container, as the simulator knows it."""

    @property
    def lots(self) -> tuple[str, ...]:
        """Returns the ids of the consignments in the container."""

    @property
    def imported(self) -> bool:
        """Returns whether the goods are imports, which leave through the land gate when they are released."""


Stays = Mapping[str, Sequence[KnownVisit]]
"""Container → its visits, in order."""


@dataclass
class MistakenMoves:
    """The containers that left by mistake and those that were kept by mistake, a line with the evidence for each. `stays`:
    the way in which a visit ended → the number of such visits."""

    left_by_mistake: list[str] = field(default_factory=list)
    kept_by_mistake: list[str] = field(default_factory=list)
    stays: Counter[str] = field(default_factory=Counter)


RealTime = Callable[[datetime], float]
"""A function that returns the real time of an event time, in seconds since 1970 UTC."""


def look_for(
    mistakes: MistakenMoves, entries: Iterable[LoggedMessage], stays: Stays, real_time: RealTime | None = None
) -> None:
    """Looks for mistakes in the messages and adds them to `mistakes`. `stays`: the visits as the simulator knows them.

    The time at which a container left is the event time of its departure, even if the departure was reported late. Without
    `real_time`, the time of the first report of the departure is taken.
    """
    statements: dict[str, list[LoggedMessage]] = defaultdict(list)
    departures: dict[str, dict[str, float]] = defaultdict(dict)
    lodged: dict[tuple[str, str], int] = {}
    came: dict[str, float] = {}
    later: dict[str, str] = {}
    entries = list(entries)
    never = {e.body["report_id"] for e in entries if e.kind == "RetractEquipmentEvent" and _is_of_world(e)}
    too_early = {e.body["wrong"] for e in entries if e.kind == "RetractArrival" and _is_of_world(e)}
    for entry in entries:
        if entry.kind in STATEMENTS and entry.written_by_its_desk:
            statements[entry.key].append(entry)
        elif entry.kind == "DeclarationLodgedAgain" and entry.written_by_its_desk:
            later[entry.body["consignment_id"]] = entry.key
        elif not _is_of_world(entry) or entry.id in never:
            # Requests of other senders are not about the simulator's containers. A retracted report is about something that never happened.
            continue
        elif entry.kind == "LodgeDeclaration":
            for box in entry.body["declaration"]["containers"]:
                lodged.setdefault((box["container_no"], entry.key), entry.timestamp_ms)
        elif entry.kind == "ReportArrival" and entry.id in too_early:
            came.setdefault(entry.key, _NEVER)
        elif entry.kind == "ReportArrival":
            came[entry.key] = min(entry.timestamp_ms, came.get(entry.key, _NEVER))
        elif entry.key in stays and _departs(entry.kind, entry.body):
            # A departure may be reported several times, each time with the same event time. So it counts once for each event time. Without
            # `real_time`, its time is the moment of its first report.
            times = departures[entry.key]
            happened = entry.body["occurred_at"]
            moment = entry.timestamp_ms if real_time is None else real_time(datetime.fromisoformat(happened)) * 1000
            times[happened] = min(moment, times.get(happened, moment))
    # Goods that are declared again after a withdrawal get a new id. The simulator knows them by their first id, so all statements are collected
    # under that id.
    for first in list(later):
        name: str | None = first
        while (name := later.pop(name or "", None)) is not None:
            statements[first] += statements[name]
    for box, visits in stays.items():
        departed_at = sorted(departures[box].values())
        for number, stay in enumerate(visits):
            began = _began(box, visits, number, lodged)
            ends = _began(box, visits, number + 1, lodged)
            left = [moment for moment in departed_at if began <= moment < ends] if began is not _NEVER else []
            _judge(mistakes, box, stay, left, statements, came, number)


def _is_of_world(entry: LoggedMessage) -> bool:
    return entry.headers.get("ce_source") == WORLD


_NEVER = float("inf")


def _began(box: str, visits: Sequence[KnownVisit], number: int, lodged: Mapping[tuple[str, str], int]) -> float:
    """Returns the time (in milliseconds since 1970 UTC) before which no departure can belong to the visit with this
    number, counted from 0. For the first visit the time is 0. For a later visit it is the time at which its goods were
    lodged, because the container is outside at that time. If there is no visit with this number, or if its goods were
    not lodged, the time is `_NEVER`."""
    if number == 0:
        return 0.0
    return lodged.get((box, visits[number].lots[0]), _NEVER) if number < len(visits) else _NEVER


def _departs(kind: str, body: Any) -> bool:
    """Returns whether a request reports that goods left through the gate."""
    if kind == "RecordGateOut":
        return True
    actual = kind == "RecordEquipmentEvent" and body["event"] == "GTOT" and body["classifier"] == "ACT"
    return actual and body["laden"] is not False


def _judge(
    mistakes: MistakenMoves,
    box: str,
    stay: KnownVisit,
    left: list[float],
    statements: Mapping[str, list[LoggedMessage]],
    came: Mapping[str, float],
    number: int,
) -> None:
    """Adds the mistakes about one visit. `left`: the times of the departures during this visit. `came`: consignment →
    when the simulator correctly reported its arrival, `_NEVER` if it only made a wrong report. A consignment whose
    arrival the simulator did not report is not in `came`."""
    if not left:
        free = stay.imported and all(_released(statements.get(lot, []), box, _NEVER) for lot in stay.lots)
        mistakes.stays["never left"] += 1
        if free:
            mistakes.kept_by_mistake.append(f"{box}: {', '.join(stay.lots)} are released, and it was never let out")
        return
    mistakes.stays["came back and left" if number else "left"] += 1
    for moment in left:
        if absent := [lot for lot in stay.lots if moment < came.get(lot, 0)]:
            mistakes.left_by_mistake.append(f"{box}: left at {moment:.0f} with {', '.join(absent)}, which had not come")
            continue
        held = [lot for lot in stay.lots if not _released(statements.get(lot, []), box, moment)]
        if held or not stay.imported:
            why = f"with {', '.join(held)} unreleased" if held else "with an export"
            mistakes.left_by_mistake.append(f"{box}: left at {moment:.0f} {why}")


def _released(statements: list[LoggedMessage], box: str, moment: float) -> bool:
    """Returns whether the last statement of the release desk up to `moment` lets the goods go in this container."""
    known = [entry for entry in statements if entry.timestamp_ms <= moment]
    return bool(known) and known[-1].kind == "ReleaseGranted" and box in known[-1].body["containers"]
