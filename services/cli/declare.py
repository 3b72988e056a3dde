"""How do declarations get from files to the API?

Every file is read to its end before the first declaration is sent, so that nothing is lodged if a file cannot be read.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from services.cli.files import NotLodged, Paper, read
from services.cli.outcomes import BAD, PATIENCE_SECONDS, DeclarationOutcome, End, taken, wait
from services.cli.screen import errors
from services.cli.terminal import no_answer
from services.shell.fresh import fresh_key
from services.shell.loopback import is_loopback

BATCH = 500
"""The most declarations that are lodged by one call of the API."""
TRIES = 5
JSON = {"Content-Type": "application/json"}


LODGED_BEFORE = "{0} of {1} were lodged before that 此前已申报其中 {0} 份; the same files again lodge nothing twice 重新申报同一文件不会重复."


@dataclass
class LodgingResult:
    """The result of `dtg declare`: how many declarations came to which end, and the seconds that it took."""

    ends: Counter[End] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def refused(self) -> bool:
        """Returns whether a declaration was sent back, rejected or parked."""
        return any(self.ends[end] for end in BAD)


def lodge(
    files: list[Path],
    format: str,
    address: str,
    key: str,
    tell: Callable[[DeclarationOutcome], Any],
    *,
    waits: bool,
) -> LodgingResult:
    """Lodges all declarations of the files at the API at `address`, with the API key `key`, and returns the result.

    `tell` is called once for each declaration with its outcome. If `waits` is true and the API has taken a declaration,
    `tell` is called for it only after a desk has answered, or after `PATIENCE_SECONDS` without a new answer of a desk.
    Raises NotLodged if a file cannot be used, or if the API does not accept the remaining declarations.
    """
    done, started, open_ones, lodged = LodgingResult(), time.monotonic(), list[DeclarationOutcome](), 0
    papers = [
        (file, number, paper) for file in files for number, paper in enumerate(read(file, format, errors.line), 1)
    ]

    def count_and_tell(outcome: DeclarationOutcome) -> None:
        done.ends[outcome.end] += 1
        tell(outcome)

    with _api(address, key) as api:
        with errors.progress("lodging 申报") as advance:
            for first in range(0, len(papers), BATCH):
                batch = papers[first : first + BATCH]
                try:
                    answers = _post(api, [paper for _, _, paper in batch])
                except NotLodged as error:
                    raise NotLodged(
                        f"{error} {LODGED_BEFORE.format(lodged, len(papers))}" if lodged else str(error)
                    ) from error
                for (file, number, paper), answer in zip(batch, answers, strict=True):
                    outcome = taken(address, answer, str(paper.fields.get("reference", "")) or f"{file}, {number}")
                    lodged += outcome.end is End.TAKEN
                    if waits and outcome.end is End.TAKEN:
                        open_ones.append(outcome)
                    else:
                        count_and_tell(outcome)
                advance(len(batch))
        with errors.progress("waiting for the desk 等待岗位答复", len(open_ones)) as advance:
            wait(api, open_ones, count_and_tell, advance, PATIENCE_SECONDS)
    done.seconds = time.monotonic() - started
    return done


def _api(address: str, key: str) -> httpx2.Client:
    headers = {**JSON, **({"Authorization": f"Bearer {key}"} if key else {})}
    try:
        return httpx2.Client(
            base_url=f"{address}/api/v1", headers=headers, timeout=60, trust_env=not is_loopback(address)
        )
    except httpx2.InvalidURL as error:
        raise _no_address(address, error) from error


def _no_address(address: object, error: Exception) -> NotLodged:
    return NotLodged(f"{address} is no address of an API. 接口地址有误 ({error})")


def _post(api: httpx2.Client, batch: list[Paper]) -> list[dict[str, Any]]:
    """Lodges a batch by one call and returns the result of each declaration. If the API cannot be reached or answers
    503, the call is repeated with the same idempotency key, so that nothing is lodged twice. Raises NotLodged after
    TRIES such calls, and at once if the API answers with another error."""
    key = {"Idempotency-Key": fresh_key()}
    content = b'{"declarations":[' + b",".join([paper.content for paper in batch]) + b"]}"
    for attempt in range(TRIES):
        try:
            answer = api.post("/declarations/batch", content=content, headers=key)
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            raise _no_address(api.base_url, error) from error
        except httpx2.TransportError as error:
            if attempt == TRIES - 1:
                raise NotLodged(no_answer(api.base_url, error)) from error
        else:
            if answer.status_code in (200, 202, 207):
                return _results(answer, len(batch))
            if answer.status_code == 401:
                raise NotLodged(
                    f"The API at {api.base_url} does not know who asks. 接口要求出示密钥。 Name the file with your API key in "
                    f"DTG_API_KEY_FILE (`dtg key add` makes one). {answer.text[:300]}"
                )
            if answer.status_code != 503 or attempt == TRIES - 1:
                raise NotLodged(f"The API answered {answer.status_code}. 接口未受理: {answer.text[:500]}")
        time.sleep(0.5 * 2**attempt)
    raise AssertionError("the loop returns or raises")


def _results(answer: httpx2.Response, count: int) -> list[dict[str, Any]]:
    try:
        results = answer.json()["results"]
    except (ValueError, LookupError, TypeError, RecursionError):
        results = None
    if not isinstance(results, list) or len(results) != count or not all(isinstance(each, dict) for each in results):
        raise NotLodged(f"What answers at {answer.url} is no API of ours. 应答方不是本系统: {answer.text[:500]}")
    return results
