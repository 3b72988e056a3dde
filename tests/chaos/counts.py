"""Do rows and metrics agree with the topics? The rows are read with SQLite's own driver, and the metrics from the
workers' pages, so that the comparison uses as little code of the project as possible."""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

from schemas.topics import ROLES
from services.cli.ledger import Ledger
from services.cli.log import LoggedMessage
from services.console.readmodel.consignment import UNMATCHED
from services.shell.loopback import open_page

FACTS_PUBLISHED = re.compile(r'^customs_loop_said_total\{desk="(\w+)",kind="(\w+)"\} (\S+)$', re.MULTILINE)
MEANT = "id NOT LIKE '%/customs-%'"
"""SQL that selects the rows of real messages. The table also has rows of poison messages, whose ids contain the name
of a topic."""
LEFT = "stage = 'left_unreleased'"
"""SQL that selects goods that left unreleased. They have reached an end, although the release desk holds them."""
FactCounts = Counter[tuple[str, str]]
"""(desk, kind of fact) → how many facts of this kind the desk published."""


def said_by_metrics(page: str) -> FactCounts:
    """Returns how many facts of each kind one worker has counted since it started. Raises OSError if it does not
    answer."""
    with open_page(f"{page}/metrics", 5) as answer:
        text = answer.read().decode()
    return Counter({(desk, kind): int(float(count)) for desk, kind, count in FACTS_PUBLISHED.findall(text)})


def lags_of(page: str) -> list[int]:
    """Returns the lag of each desk of a worker, in messages. Raises OSError while the worker is not ready."""
    with open_page(f"{page}/readyz", 5) as answer:
        return list(json.load(answer)["lag"].values())


def said_by_topics(entries: Iterable[LoggedMessage]) -> FactCounts:
    """Returns how many facts of each kind the topics have from each desk."""
    return Counter(
        (entry.desk, entry.kind)
        for entry in entries
        if entry.headers.get("ce_source", "").startswith("/desks/") and ROLES[entry.topic] != "parked"
    )


def differences(left: FactCounts, right: FactCounts) -> list[str]:
    """Returns one line for each kind of fact whose two counts differ."""
    return [
        f"{desk} {kind}: {left[desk, kind]} and {right[desk, kind]}"
        for desk, kind in sorted(left | right)
        if left[desk, kind] != right[desk, kind]
    ]


def rows_against(database: Path, ledger: Ledger, entries: Iterable[LoggedMessage]) -> list[str]:
    """Returns one line for each number that differs between rows and topics, or between two tables. Compared are the
    numbers of consignments by end and by stage, of messages by kind, of releases in the feed for ports, of consignments
    with open holds, and of messages that are still parked."""
    ends, timeline, found = dict(ledger.ends), _timeline(entries), []
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as rows:

        def counted(sql: str) -> dict[str, int]:
            return dict(rows.execute(sql).fetchall())

        there = counted(
            f"SELECT CASE WHEN {LEFT} THEN 'left unreleased' WHEN stage = 'partly_released' THEN 'waiting' "
            "WHEN word IN ('released', 'refused', 'withdrawn') THEN word WHEN declared = 'rejected' "
            "THEN declared ELSE 'waiting' END, count(*) FROM consignments WHERE consignment_id NOT LIKE 'stranger-%' GROUP BY 1"
        )
        found += _compare("consignments by end", there, ends)
        found += _compare(
            "messages by kind", counted(f"SELECT kind, count(*) FROM facts WHERE {MEANT} GROUP BY 1"), timeline
        )
        stages = counted("SELECT stage, count(*) FROM consignments GROUP BY 1")
        # The board does not count goods without a declaration. In this run only poison messages name such goods.
        stages.pop(UNMATCHED, None)
        board = counted("SELECT stage, consignments FROM stage_counts WHERE consignments <> 0")
        found += _compare("the board's counts by stage", board, stages)
        releases = {"releases": timeline.get("ReleaseGranted", 0) + timeline.get("ReleaseRevoked", 0)}
        found += _compare("the feed", counted("SELECT 'releases', count(*) FROM releases"), releases)
        waiting = f"SELECT 'open', count(DISTINCT consignment_id) FROM holds JOIN consignments USING (consignment_id) WHERE NOT {LEFT}"
        found += _compare("holds", counted(waiting), {"open": ends.get("waiting", 0)})
        parked = "SELECT 'parked', count(*) FROM parked WHERE status = 'parked' AND service <> 'console'"
        found += _compare("parking", counted(parked), {"parked": 0})
    return found


def _timeline(entries: Iterable[LoggedMessage]) -> dict[str, int]:
    """Returns kind → the number of facts and requests of this kind."""
    meant = [e for e in entries if ROLES[e.topic] != "parked" and "/customs-" not in e.id]
    return dict(Counter(entry.kind for entry in meant))


def _compare(what: str, rows: Mapping[str, int], topics: Mapping[str, int]) -> list[str]:
    names = sorted(rows.keys() | topics.keys())
    return [
        f"{what}: {name}: rows say {rows.get(name, 0)}, topics {topics.get(name, 0)}"
        for name in names
        if rows.get(name, 0) != topics.get(name, 0)
    ]
