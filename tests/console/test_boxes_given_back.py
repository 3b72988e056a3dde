"""Do containers of a declaration that was not taken in count in the limit of the day?"""

from pathlib import Path
from typing import Any

from services.console.api.container_limit import Boxes
from tests.console.still import Still
from tests.console.test_api import paper


def test_containers_of_declarations_that_were_not_taken_in_do_not_count(tmp_path: Path) -> None:
    still = Still(tmp_path)
    still.app.state.context.boxes = Boxes(lambda declarant, since, most: (), 2)

    def lodge(path: str, body: Any) -> int:
        headers = {"accept": "application/json"}
        return still.get(f"/api/v1/declarations{path}", method="POST", json=body, headers=headers).status_code

    for number in range(3):
        boxes = (f"TSTU{number}000011", f"TSTU{number}000012")
        assert lodge("", paper(f"BACK-{number}", containers=boxes)) == 503, "there is no broker"
        assert lodge("/batch", [paper(f"BACK-{number}", containers=boxes)]) == 503
    assert lodge("", paper("BACK", containers=("TSTU0000011", "TSTU0000012", "TSTU0000013"))) == 429
    still.stop()
