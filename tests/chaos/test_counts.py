"""Do the rows of every stage agree with the ends in the ledger? Is a row found that does not agree?"""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from schemas.vocabulary import Stage
from services.cli.ledger import Ledger
from services.console.readmodel.database import open_engine
from services.console.readmodel.tables import CONSIGNMENTS, HOLDS, METADATA, STAGE_COUNTS
from tests.chaos.counts import rows_against

ROWS: dict[Stage, tuple[str, str, str, bool]] = {
    Stage.UNDER_CONTROL: ("accepted", "held", "waiting", True),
    Stage.UNDER_TREATMENT: ("accepted", "held", "waiting", True),
    Stage.AWAITING_ARRIVAL: ("accepted", "held", "waiting", True),
    Stage.HELD: ("accepted", "held", "waiting", True),
    Stage.REVOKED: ("accepted", "revoked", "waiting", True),
    Stage.PARTLY_RELEASED: ("accepted", "released", "waiting", True),
    Stage.RELEASED: ("accepted", "released", "released", False),
    Stage.GATED_OUT: ("accepted", "released", "released", False),
    Stage.REJECTED: ("rejected", "", "rejected", False),
    Stage.REFUSED: ("accepted", "refused", "refused", False),
    Stage.WITHDRAWN: ("accepted", "withdrawn", "withdrawn", False),
    Stage.LEFT_UNRELEASED: ("accepted", "revoked", "left unreleased", True),
}
"""Stage → `declared` and `word` of the row, the end in the ledger, and whether the row has an open hold.
Stages at which the release desk publishes no statement are left out, because the ledger counts their goods
as lost."""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Returns the path of a database with one consignment at each stage."""
    file = tmp_path / "console.db"
    engine = open_engine(f"sqlite:///{file}", writes=True)
    METADATA.create_all(engine)
    with engine.begin() as connection:
        for stage, (declared, statement, _, held) in ROWS.items():
            row: dict[str, Any] = {
                "consignment_id": f"at-{stage}",
                "stage": stage,
                "declared": declared,
                "word": statement,
            }
            connection.execute(insert(CONSIGNMENTS), row)
            connection.execute(insert(STAGE_COUNTS), {"stage": stage, "consignments": 1})
            if held:
                hold = {"hold_id": "inspection/documents", "owner": "officer", "reason": "", "since_us": 1}
                connection.execute(insert(HOLDS), {"consignment_id": f"at-{stage}", **hold})
    engine.dispose()
    return file


def ends() -> Counter[str]:
    return Counter(end for _, _, end, _ in ROWS.values())


def test_the_rows_of_every_stage_agree_with_the_ledger(database: Path) -> None:
    assert rows_against(database, Ledger(ends=ends()), ()) == []


@pytest.mark.parametrize("end", sorted(ends()))
def test_an_end_that_the_rows_do_not_have_is_found(database: Path, end: str) -> None:
    found = rows_against(database, Ledger(ends=ends() + Counter([end])), ())
    assert f"consignments by end: {end}: rows say {ends()[end]}, topics {ends()[end] + 1}" in found
