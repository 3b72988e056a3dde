"""If a problem in the kill ledger names messages, are these messages kept in the order in which they were produced?"""

import json
from pathlib import Path

from services.cli.log import LoggedMessage
from tests.chaos.evidence import keep

GOODS, BOX = "509d7dd4-9179-5031-ae6b-b59e6e84029f", "MAAU0028687"


def _message(offset: int, key: str, at: int, **body: object) -> LoggedMessage:
    return LoggedMessage("customs-release-facts", 0, offset, key, {"ce_type": "X"}, json.dumps(body).encode(), at)


def test_what_a_problem_names_is_kept_and_nothing_else(tmp_path: Path) -> None:
    entries = [
        _message(0, GOODS, 3),
        _message(1, "another", 2),
        _message(2, "a third", 1, containers=[BOX]),
        _message(3, BOX, 2),
    ]
    problem = f"left_by_mistake: {BOX}: left at 1795970998117 with {GOODS} unreleased"
    keep(tmp_path / "season" / "kept.jsonl", [problem], entries)
    first, *lines = map(json.loads, (tmp_path / "season" / "kept.jsonl").read_text(encoding="utf-8").splitlines())
    assert first == {"problem": problem}
    assert [line["position"] for line in lines] == [f"customs-release-facts/0/{offset}" for offset in (2, 3, 0)]
    assert lines[0]["body"] == {"containers": [BOX]}
