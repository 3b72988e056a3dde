"""How does a terminal report to the gate from the command line? It sends one request over HTTP. If it gets no answer, it sends the
request again with the same idempotency key."""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx2

from services.shell.fresh import fresh_key
from services.shell.loopback import is_loopback

TRIES = 5


class NotTold(Exception):
    """Raised if the console did not accept the request. The text says why; it is in Chinese and English if it comes from the
    console."""


class NotAcknowledged(NotTold):
    """Raised if the request was not acknowledged but may still take effect. The text says how to send the same request again."""

    def __init__(self, why: str, once: str) -> None:
        super().__init__(
            f"{why} The request may still take effect. 请求仍可能生效。 Send the same again, it is the same request: --key {once}"
        )


def post(address: str, path: str, body: Mapping[str, object], key: str, once: str = "") -> dict[str, Any]:
    """Sends a request to the console at `address` and returns its answer 202: the request's id, and where its outcome can be read.

    `path`: as `about` returns it; `key`: the terminal's API key; `once`: an idempotency key, so that a report counts once even if it
    is sent several times. Raises NotTold if the request is refused, NotAcknowledged if the console or the broker does not answer.
    """
    once = once or fresh_key()
    headers = {"Idempotency-Key": once, **({"Authorization": f"Bearer {key}"} if key else {})}
    try:
        with httpx2.Client(base_url=f"{address}/api/v1", timeout=60, trust_env=not is_loopback(address)) as api:
            for attempt in range(TRIES):
                try:
                    answer = api.post(path, json=dict(body), headers=headers)
                except httpx2.TransportError as error:
                    if attempt == TRIES - 1:
                        raise NotAcknowledged(no_answer(address, error), once) from error
                else:
                    if answer.status_code != 503 or attempt == TRIES - 1:
                        return _taken(answer, once)
                time.sleep(0.5 * 2**attempt)
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
        raise NotTold(f"{address} is no address of an API. 接口地址有误 ({error})") from error
    raise AssertionError("the loop returns or raises")


def no_answer(address: object, error: Exception) -> str:
    """Returns the sentence for a console at `address` that cannot be reached. It also says what the operator should check."""
    return f"The API at {address} does not answer. 接口无法连接。 Is `dtg up` running, and at this port (DTG_CONSOLE_PORT)? ({error})"


def about(container_no: str, *rest: str) -> str:
    """Returns the path of the API for requests about this container, followed by `rest`."""
    return "/containers/" + "/".join(quote(each, safe="") for each in (container_no, *rest))


def _taken(answer: httpx2.Response, once: str) -> dict[str, Any]:
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise NotTold(f"What answers at {answer.url} is no API of ours. 应答方不是本系统: {answer.text[:500]}")
    if answer.status_code == 202:
        return body
    if answer.status_code == 401:
        raise NotTold(
            f"The API at {answer.url} does not know who asks. 接口要求出示密钥。 Name the file with your API key in DTG_API_KEY_FILE "
            f"(`dtg key add` makes one). {answer.text[:300]}"
        )
    why = " ".join([str(body.get(name, "")) for name in ("title_zh", "title", "detail")])
    faults = [
        f"{e.get('pointer', '')} {e.get('message_zh', '')} {e.get('message_en', '')}" for e in body.get("errors") or ()
    ]
    problem = "; ".join([f"{answer.status_code} {why}".strip(), *faults])
    if answer.status_code >= httpx2.codes.INTERNAL_SERVER_ERROR:
        raise NotAcknowledged(problem, once)
    raise NotTold(problem)
