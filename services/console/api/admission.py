"""Which requests are admitted? They must be sent to a host name of this console and must have no header of `ONCE`
twice. A request with another method than those of `READING` must not be made by another web site."""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.console.api.problems import Problem
from services.console.settings import ConsoleSettings

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  addresses to listen on, by which no client names the console
READING = ("GET", "HEAD", "OPTIONS")
ONCE = frozenset(
    {b"host", b"content-length", b"content-type", b"transfer-encoding", b"origin", b"sec-fetch-site"}
    | {b"cookie", b"x-csrf-token"}
    | {b"idempotency-key", b"last-event-id", b"authorization"}
)
"""Headers that a request may have only once. If there were two, a proxy might read the first and the console the last, so such a request is
refused."""
ALWAYS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Headers that `Admission` adds to answers which do not set them. Static files do not get `Cache-Control`."""
STATIC = "/static/"


class Admission:
    """ASGI middleware that refuses requests before they reach a route, and adds the headers of `ALWAYS` to the answers.
    `show`: makes the HTTP answer for a problem."""

    def __init__(self, app: ASGIApp, settings: ConsoleSettings, show: Callable[[Request, Problem], Response]) -> None:
        self._app = app
        self._show = show
        self._names = names(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        problem = self._refused(scope)
        app = self._app if problem is None else self._show(Request(scope), problem)

        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                complete(MutableHeaders(scope=message), scope["path"])
            await send(message)

        await app(scope, receive, completed)

    def _refused(self, scope: Scope) -> Problem | None:
        if "\x00" in scope["path"] or any(nul in scope["query_string"] for nul in (b"%00", b"\x00")):
            return Problem(400, "nul_in_address")  # PostgreSQL cannot store NUL in a text, so no query may contain it
        found = [name for name, _ in scope["headers"] if name in ONCE]
        if len(found) != len(set(found)):
            twice = next(name for name in found if found.count(name) > 1)
            return Problem(400, "header_twice", header=twice.decode())
        headers = Headers(scope=scope)
        host = headers.get("host", "").lower()
        if not host:
            return Problem(400, "no_host")
        if host not in self._names and host.rpartition(":")[0] + ":" not in self._names:
            return Problem(421, "wrong_host", seen=host[:100])
        if scope["method"] not in READING and not _is_ours(headers, host, scope.get("scheme", "http")):
            return Problem(403, "cross_site")
        return None


def names(settings: ConsoleSettings) -> frozenset[str]:
    """Returns the values of the header `Host` that the console accepts: `name`, `name:port`, or `name:`, which stands for the name with any
    port."""
    own = [*LOOPBACK, *([] if settings.console_host in EVERYWHERE else [_bracketed(settings.console_host)])]
    ours = {each for name in own for each in (name.lower(), f"{name.lower()}:{settings.console_port}")}
    for listed in settings.allowed_hosts.lower().split(","):
        name = _bracketed(listed.strip())
        if name:
            has_port = name.rpartition(":")[2].isdecimal() and not name.endswith("]")
            ours |= {name} if has_port else {name, f"{name}:"}
    return frozenset(ours)


def _bracketed(name: str) -> str:
    return f"[{name}]" if name.count(":") > 1 and not name.startswith("[") else name


def _is_ours(headers: Headers, host: str, scheme: str) -> bool:
    """Returns whether the request was not made by another web site. Browsers send `Sec-Fetch-Site`, older ones only
    `Origin`; programs send neither and are accepted. If the request came over TLS, a page of the same host name that
    came without TLS counts as another site, because anybody on the network may have written that page."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site in ("same-origin", "none")
    if origin is None:
        return True
    try:
        page = urlsplit(origin)
    except ValueError:  # this is not an origin that a browser sends
        return False
    return page.netloc.lower() == host and (scheme != "https" or page.scheme == "https")


def complete(headers: MutableHeaders, path: str) -> None:
    """Adds the headers of `ALWAYS` that the answer to a request for this path does not set."""
    for name, value in ALWAYS.items():
        # the addresses of static files change with their content, so these files may be cached
        if name == "Cache-Control" and path.startswith(STATIC):
            continue
        headers.setdefault(name, value)
