"""Does a role get an answer that the table of rights forbids? Schemathesis loads this module as one of its checks, in
its own virtual environment.

`DTG_FUZZ_RIGHTS` names a JSON file. `may`: address → whether the role may request it. `hidden`: words in the fields
that the role may not read.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import schemathesis  # type: ignore[import-not-found]

RIGHTS = json.loads(Path(os.environ["DTG_FUZZ_RIGHTS"]).read_text(encoding="utf-8"))
HIDDEN = frozenset(RIGHTS["hidden"])
BEFORE_ANY_ROUTE = (400, 405, 408, 414, 431)
"""Statuses of requests that are refused before the console knows who sends them."""
NO_RIGHT = "/problems/no_right"


@schemathesis.check  # type: ignore[untyped-decorator]
def rights_of_the_role(ctx: Any, response: Any, case: Any) -> None:
    """Checks three things: a request without the right is refused, a request with the right is not refused because of
    rights, and no answer contains a word of `hidden`."""
    text = response.text
    if leaked := sorted(HIDDEN & set(re.findall(r"zq\d+x", text))):
        raise AssertionError(f"what this role may not read is in the answer: {leaked[:5]}")
    may = RIGHTS["may"].get(f"{case.method.upper()} {case.operation.path}")
    no_right = response.status_code == 403 and NO_RIGHT in text
    if may is False and not no_right and response.status_code not in BEFORE_ANY_ROUTE:
        raise AssertionError(f"answered {response.status_code}, and its role may not ask that")
    if may is True and no_right:
        raise AssertionError("refused, and its role may ask that")
