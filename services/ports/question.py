"""What does a console answer to the gate question? Its answers are believed only where they say yes in so many words, and of now."""

import json
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx2
from pydantic import AwareDatetime, BaseModel, ValidationError

from services.ports.notebook import Answer
from services.ports.notice import Away
from services.shell.loopback import is_loopback

STALE_SECONDS = 30.0
"""Older answers of the console, and answers older than one that was read before, are no answers."""
UNCACHED = {"Cache-Control": "no-cache, no-store", "Pragma": "no-cache"}


class AskedConsole:
    """One console at `address`, asked with a terminal's API key; Away where that is no address. `options` go to httpx2.Client: verify, cert,
    headers, proxy."""

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

    def ask(self, container_no: str) -> tuple[Answer, list[str]]:
        """Its answer, and the consignments that it says are released, without those that an officer permits to leave; Away when it
        does not answer."""
        status, body = self.get(f"/api/v1/containers/{quote(container_no, safe='')}", 0)
        try:
            said = _Gate.model_validate_json(json.dumps(body), strict=True)  # strict, and times are texts
        except ValidationError as error:
            return Answer(False, "unread", f"status {status}: {error.error_count()} faults in the answer"), []
        if status != 200 or said.container_no != container_no:
            return Answer(False, "unread", f"status {status}, about {said.container_no!r}"), []
        if not said.may_leave:
            return Answer(False, said.reason, said.detail), []
        if age := self._out_of_date(said):
            return Answer(False, "stale", age), []
        if not said.consignments:
            return Answer(False, "not_released", "the console names no consignment that was released"), []
        return Answer(True, said.reason, said.detail), [n for n in said.consignments if n not in said.permitted]

    def _out_of_date(self, said: "_Gate") -> str:
        """Why this answer is not of now; empty when nothing speaks against it. No clock of this machine is asked."""
        if said.as_of is None or said.lag_seconds is None:
            return "the console does not know up to when it has read"
        if not 0 <= said.lag_seconds <= STALE_SECONDS:  # NaN is in no bounds
            return f"the console is {said.lag_seconds:.0f} s behind"
        if self._newest is not None and (self._newest - said.as_of).total_seconds() > STALE_SECONDS:
            return f"as of {said.as_of.isoformat()}, older than an answer before"
        self._newest = max(said.as_of, self._newest or said.as_of)
        return ""

    def get(self, path: str, wait_seconds: float, **query: Any) -> tuple[int, Any]:
        """Status and JSON body; Away when there is no answer, when it comes from a cache, or is not JSON."""
        try:
            answer = self._http.get(path, params=query, timeout=wait_seconds + 15, headers=UNCACHED)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Away(f"the console does not answer: {type(error).__name__} {error}") from error
        if answer.headers.get("age", "0").strip() != "0":
            raise Away("the answer comes from a cache on the way, not from the console")
        try:
            return answer.status_code, answer.json()
        except (ValueError, RecursionError):  # RecursionError: nested deeper than Python reads
            raise Away(f"the console's answer {answer.status_code} is not JSON") from None


class _Gate(BaseModel):
    """What is needed of the console's answer."""

    container_no: str
    may_leave: bool
    reason: str
    detail: str
    consignments: list[str]
    permitted: list[str] = []
    as_of: AwareDatetime | None
    lag_seconds: float | None
