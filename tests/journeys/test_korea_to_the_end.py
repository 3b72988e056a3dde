"""Does every Korean declaration reach a named end, and are the counts of the simulated people equal to those of the
ledger?"""

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.declaration import LodgeDeclaration
from schemas.envelope import request_id
from schemas.vocabulary import consignment_id
from services.cli.ledger import judge
from services.cli.log import LoggedMessage
from services.cli.log import read as read_topics
from services.shell.codec import encode
from services.simulator.day import Day
from services.simulator.korea import read
from services.simulator.player import LEAST_SPEED, Player
from services.simulator.settings import SimulatorSettings
from tests.bench.note import number, table
from tests.conftest import PARTITIONS, provisioned
from tests.kafka.border import TOPICS, Border, Leaping, running
from tests.simulator.test_korea import EXCERPT, SOURCES, excerpt

FACTS_WITH_CAUSES = frozenset({"DeclarationAccepted", "DeclarationRejected", "ConsignmentAssessed"})
EVIDENCE = Path("docs/evidence/korea.md")
TEXT = """# What became of the Korean declarations

Written by `make korea`, {day}. {count} declarations of a public Korean source are lodged, and simulated people answer every control. The
source (Seondong/Customs-Declaration-Datasets, MIT) is synthetic, derived from inspected declarations of 2021, and lacks some fields, which
[`services/simulator/korea.py`](../../services/simulator/korea.py) fills in.

{ends}
Why declarations were rejected; one may have several causes:

{errors}
Findings that reject nothing:

{warnings}
Risk rules that applied:

{rules}"""


@pytest.fixture(scope="module")
def clock() -> Leaping:
    """The clock of the desks and people of this file."""
    return Leaping.sandbox(LEAST_SPEED)


@pytest.fixture(scope="module")
def border(tmp_path_factory: pytest.TempPathFactory, clock: Leaping) -> Iterator[Border]:
    """A border that only the tests of this file use, because they set the clock of its desks forward."""
    with provisioned(tmp_path_factory.mktemp("korea")) as broker, running(broker.bootstrap, PARTITIONS, clock=clock):
        border = Border(broker.bootstrap, PARTITIONS, clock)
        yield border
        border.close()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("source", [None, *[pytest.param(source, marks=pytest.mark.long) for source in SOURCES]])
def test_every_declaration_reaches_a_named_end(
    source: Path | None, border: Border, clock: Leaping, tmp_path: Path
) -> None:
    keys = set()
    for declaration in read(source or excerpt(tmp_path, *EXCERPT)):
        key = consignment_id(declaration.declarant, declaration.reference)
        keys.add(key)
        request = LodgeDeclaration(
            consignment_id=key,
            asked_by=declaration.declarant,
            occurred_at=clock.now(),
            declaration=declaration,
        )
        lodged_at = request.occurred_at.isoformat()
        border.send(
            "customs-declaration-requests", key, encode(request), request.kind, request_id("test", key), lodged_at
        )
    border.flush()
    settings = SimulatorSettings(kafka=border.bootstrap, partitions=PARTITIONS)
    day = Day(1, 1, datetime(2026, 11, 23, tzinfo=UTC))
    player = Player(settings, day, 0, 0, paced=False, idle_seconds=15, clock=clock, others=True)
    with ThreadPoolExecutor(1, "people") as thread:
        played = thread.submit(player.run)
        ended = -1
        # A treatment of two weeks takes long even on this fast clock. So the clock leaps by a day whenever no goods
        # have reached their end for 5 s.
        while wait([played], 5).not_done:
            if ended == (ended := player.ended()):
                clock.leaps.append(timedelta(days=1))
        played.result()
    entries = [e for e in read_topics(border.bootstrap, TOPICS) if e.key in keys]
    ledger = judge(entries)
    assert ledger.clean, (ledger.lost[:3], ledger.doubled[:3], ledger.reordered[:3], ledger.wrongly_released[:3])
    assert ledger.lodged == len(keys) == sum(ledger.ends.values())
    assert set(ledger.ends) <= {"released", "refused", "withdrawn", "rejected"}, ledger.waits
    assert ledger.ends["rejected"] == (407 if source else 2), "by cause: tests/simulator/test_korea.py"
    if source:
        EVIDENCE.write_text(_evidence(len(keys), ledger.ends, entries))


def _evidence(count: int, ends: Counter[str], entries: Iterable[LoggedMessage]) -> str:
    """Returns the page about the ends, findings and rules. Each finding and rule counts at most once for a
    declaration."""
    found: dict[str, Counter[str]] = {"error": Counter(), "warning": Counter(), "rule": Counter()}
    for body in [entry.body or {} for entry in entries if entry.kind in FACTS_WITH_CAUSES]:
        findings = [*body.get("findings", ()), *body.get("warnings", ())]
        for severity, code in {(each["severity"], each["code"]) for each in findings}:
            found[severity][code] += 1
        found["rule"].update({each["rule"] for each in body.get("rules", ())})
    errors, warnings, rules = [
        table((what, "declarations"), [(f"`{code}`", number(n)) for code, n in found[kind].most_common()])
        for kind, what in (("error", "error"), ("warning", "finding"), ("rule", "rule"))
    ]
    rows = table(("end", "declarations"), [(end, number(n)) for end, n in ends.most_common()])
    day = datetime.now(UTC).date()
    return TEXT.format(day=day, count=number(count), ends=rows, errors=errors, warnings=warnings, rules=rules)
