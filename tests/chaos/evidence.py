"""Which messages show the cause of a problem in the kill ledger? They are written to a file, because the
topics are deleted when a season ends."""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from services.cli.log import LoggedMessage

NAMES = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[A-Z]{4}[0-9]{7}")
"""Matches ids of consignments and messages, and container numbers."""


def about(problems: Sequence[str], entries: Iterable[LoggedMessage]) -> list[LoggedMessage]:
    """Returns the messages that contain an id or a container number of the problems, in the order in which
    they were produced."""
    names = frozenset(name for problem in problems for name in NAMES.findall(problem))
    found = [entry for entry in entries if names & _named_by(entry)]
    return sorted(found, key=lambda entry: (entry.timestamp_ms, entry.position))


def keep(path: Path, problems: Sequence[str], entries: Iterable[LoggedMessage]) -> None:
    """Writes the problems, and then each message as a line of JSON. Times are those of the machine's clock,
    in milliseconds since 1970."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for problem in problems:
            print(json.dumps({"problem": problem}, ensure_ascii=False), file=file)
        for entry in about(problems, entries):
            line = {
                "at": entry.timestamp_ms,
                "position": entry.position,
                "key": entry.key,
                "headers": entry.headers,
                "body": entry.body,
            }
            print(json.dumps(line, ensure_ascii=False), file=file)


def _named_by(entry: LoggedMessage) -> set[str]:
    text = (entry.value or b"").decode("utf-8", "replace")
    return {entry.key, entry.id, *NAMES.findall(text)}
