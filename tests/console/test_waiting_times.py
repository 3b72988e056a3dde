"""Since when have the goods at a stage waited, at each percentile of their waiting times?"""

import pytest
from sqlalchemy import insert

from schemas.vocabulary import Stage
from services.console.readmodel.database import open_engine
from services.console.readmodel.queries import ReadModelQueries
from services.console.readmodel.tables import CONSIGNMENTS


@pytest.mark.parametrize("size", [1, 2, 100])
def test_every_percentile_has_a_time_also_the_lowest_and_the_highest(url: str, size: int) -> None:
    engine = open_engine(url, writes=True)
    with engine.begin() as connection:
        for number in range(1, size + 1):
            row = {"consignment_id": f"c{number}", "stage": Stage.ACCEPTED, "waiting_since_us": number}
            connection.execute(insert(CONSIGNMENTS), row)
    found = ReadModelQueries(engine).waiting_since([Stage.ACCEPTED, Stage.LODGED], 0, 50, 100)
    engine.dispose()
    assert found == {Stage.ACCEPTED: [size, size // 2 + 1, 1]}, "nothing waits at the other stage, which is left out"
