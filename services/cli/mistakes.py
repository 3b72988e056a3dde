"""Did anything leave, or was anything kept, by mistake? What the world knows of its boxes, against what was said of their goods.

Nothing that the gate said is believed here: a box left when a terminal told so, and might leave when the release desk had said
so of all goods that were in it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from services.cli.log import Entry

STATEMENTS = (
    "ConsignmentHeld",
    "ReleaseGranted",
    "ReleaseRefused",
    "ReleaseRevoked",
    "RefusalRevoked",
    "DeclarationWithdrawn",
)


WORLD = "/simulator"
"""Who tells what really happens."""


class Stay(Protocol):
    """One visit of a container, as the world knows it."""

    @property
    def lots(self) -> tuple[str, ...]:
        """The consignments in it."""

    @property
    def imported(self) -> bool:
        """They leave through the land gate when they are released."""


Stays = Mapping[str, Sequence[Stay]]
"""Container → its visits, in order."""


@dataclass
class Mistakes:
    """Each line names its evidence. `stays`: how visits ended."""

    left_by_mistake: list[str] = field(default_factory=list)
    kept_by_mistake: list[str] = field(default_factory=list)
    stays: Counter[str] = field(default_factory=Counter)


def look_for(mistakes: Mistakes, entries: Iterable[Entry], stays: Stays) -> None:
    """Adds what it finds."""
    statements: dict[str, list[Entry]] = defaultdict(list)
    departures: dict[str, dict[str, int]] = defaultdict(dict)
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
            continue  # a stranger's request tells of no real box, and what was told by mistake never happened
        elif entry.kind == "LodgeDeclaration":
            for box in entry.body["declaration"]["containers"]:
                lodged.setdefault((box["container_no"], entry.key), entry.timestamp_ms)
        elif entry.kind == "ReportArrival" and entry.id in too_early:
            came.setdefault(entry.key, _NEVER)
        elif entry.kind == "ReportArrival":
            came[entry.key] = min(entry.timestamp_ms, came.get(entry.key, _NEVER))
        elif entry.key in stays and _departs(entry.kind, entry.body):
            times = departures[entry.key]  # told twice or corrected, it has the same time
            happened = entry.body["occurred_at"]
            times[happened] = min(entry.timestamp_ms, times.get(happened, entry.timestamp_ms))
    for first in list(later):  # the world knows goods by the id under which they were lodged first
        name: str | None = first
        while (name := later.pop(name or "", None)) is not None:
            statements[first] += statements[name]
    for box, visits in stays.items():
        told = sorted(departures[box].values())
        for number, stay in enumerate(visits):
            began = _began(box, visits, number, lodged)
            ends = _began(box, visits, number + 1, lodged)
            left = [moment for moment in told if began <= moment < ends] if began is not _NEVER else []
            _judge(mistakes, box, stay, left, statements, came, number)


def _is_of_world(entry: Entry) -> bool:
    return entry.headers.get("ce_source") == WORLD


_NEVER = float("inf")


def _began(box: str, visits: Sequence[Stay], number: int, lodged: Mapping[tuple[str, str], int]) -> float:
    """When a visit began, at the latest: the first one always was, the goods of a later one are lodged when the box is outside."""
    if number == 0:
        return 0.0
    return lodged.get((box, visits[number].lots[0]), _NEVER) if number < len(visits) else _NEVER


def _departs(kind: str, body: Any) -> bool:
    """Whether a request tells that goods left through the gate."""
    if kind == "RecordGateOut":
        return True
    actual = kind == "RecordEquipmentEvent" and body["event"] == "GTOT" and body["classifier"] == "ACT"
    return actual and body["laden"] is not False


def _judge(
    mistakes: Mistakes,
    box: str,
    stay: Stay,
    left: list[int],
    statements: Mapping[str, list[Entry]],
    came: Mapping[str, float],
    number: int,
) -> None:
    """`came`: when the world told really that goods had arrived; of those whose arrival nobody told by itself, nothing."""
    if not left:
        free = stay.imported and all(_released(statements.get(lot, []), box, _NEVER) for lot in stay.lots)
        mistakes.stays["never left"] += 1
        if free:
            mistakes.kept_by_mistake.append(f"{box}: {', '.join(stay.lots)} are released, and it was never let out")
        return
    mistakes.stays["came back and left" if number else "left"] += 1
    for moment in left:
        if absent := [lot for lot in stay.lots if moment < came.get(lot, 0)]:
            mistakes.left_by_mistake.append(f"{box}: left at {moment} with {', '.join(absent)}, which had not come")
            continue
        held = [lot for lot in stay.lots if not _released(statements.get(lot, []), box, moment)]
        if held or not stay.imported:
            why = f"with {', '.join(held)} unreleased" if held else "with an export"
            mistakes.left_by_mistake.append(f"{box}: left at {moment} {why}")


def _released(said: list[Entry], box: str, moment: float) -> bool:
    """Whether the release desk's last statement by then lets the goods go in this container."""
    known = [entry for entry in said if entry.timestamp_ms <= moment]
    return bool(known) and known[-1].kind == "ReleaseGranted" and box in known[-1].body["containers"]
