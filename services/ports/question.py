"""What does the console answer to the question whether a container may leave? Only an explicit and current yes counts as a yes."""

import json
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx2
from pydantic import AwareDatetime, BaseModel, ValidationError

from services.ports.notebook import PortAnswer
from services.ports.notice import Away
from services.shell.loopback import is_loopback

STALE_SECONDS = 30.0
"""How many seconds old the rows of an answer may be. An older answer does not count, and neither does an answer whose rows are more
than this many seconds older than those of an earlier answer."""
UNCACHED = {"Cache-Control": "no-cache, no-store", "Pragma": "no-cache"}


class AskedConsole:
    """A client of the console at `address`, with a terminal's API key. Raises Away if `address` is not a valid URL.
    `options` go to httpx2.Client: verify, cert, headers, proxy."""

    def __init__(self, address: str, *, key: str = "", **options: Any) -> None:
        if key:
            options = {**options, "headers": {**options.get("headers", {}), "Authorization": f"Bearer {key}"}}
        self.address = address
        self._newest: datetime | None = None
        try:
            self._http = httpx2.Client(base_url=address, **{"trust_env": not is_loopback(address), **options})
        except httpx2.InvalidURL as error:
            raise Away(f"{address!r} is no address of a console: {error}") from error

    def close(self) -> None:
        self._http.close()

    def ask(self, container_no: str) -> tuple[PortAnswer, list[str]]:
        """Returns the console's answer, and the consignments that it names as released. Those that an officer permits to leave are not
        among them. Raises Away if the console does not answer."""
        status, body = self.get(f"/api/v1/containers/{quote(container_no, safe='')}", 0)
        try:
            # the body is passed as JSON text, because strict mode accepts times as text only in JSON
            answer = _Gate.model_validate_json(json.dumps(body), strict=True)
        except ValidationError as error:
            return PortAnswer(False, "unread", f"status {status}: {error.error_count()} faults in the answer"), []
        if status != 200 or answer.container_no != container_no:
            return PortAnswer(False, "unread", f"status {status}, about {answer.container_no!r}"), []
        if not answer.may_leave:
            return PortAnswer(False, answer.reason, answer.detail), []
        if age := self._out_of_date(answer):
            return PortAnswer(False, "stale", age), []
        if not answer.consignments:
            return PortAnswer(False, "not_released", "the console names no consignment that was released"), []
        return PortAnswer(True, answer.reason, answer.detail), [
            n for n in answer.consignments if n not in answer.permitted
        ]

    def _out_of_date(self, answer: "_Gate") -> str:
        """Returns why this answer is out of date; an empty text if it is current. This machine's clock is not used, because it may be
        wrong."""
        if answer.as_of is None or answer.lag_seconds is None:
            return "the console does not know up to when it has read"
        if not 0 <= answer.lag_seconds <= STALE_SECONDS:  # this form also refuses NaN
            return f"the console is {answer.lag_seconds:.0f} s behind"
        if self._newest is not None and (self._newest - answer.as_of).total_seconds() > STALE_SECONDS:
            return f"as of {answer.as_of.isoformat()}, older than an answer before"
        self._newest = max(answer.as_of, self._newest or answer.as_of)
        return ""

    def get(self, path: str, wait_seconds: float, **query: Any) -> tuple[int, Any]:
        """Returns status and JSON body. Raises Away if there is no answer, if it comes from a cache, or if it is not JSON."""
        try:
            answer = self._http.get(path, params=query, timeout=wait_seconds + 15, headers=UNCACHED)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Away(f"the console does not answer: {type(error).__name__} {error}") from error
        if answer.headers.get("age", "0").strip() != "0":
            raise Away("the answer comes from a cache on the way, not from the console")
        try:
            return answer.status_code, answer.json()
        except (ValueError, RecursionError):  # RecursionError: the JSON is nested deeper than Python can read
            raise Away(f"the console's answer {answer.status_code} is not JSON") from None


class _Gate(BaseModel):
    """The fields of the console's answer that a port uses."""

    container_no: str
    may_leave: bool
    reason: str
    detail: str
    consignments: list[str]
    permitted: list[str] = []
    as_of: AwareDatetime | None
    lag_seconds: float | None
