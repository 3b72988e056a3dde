"""Who sends a request? An API key or a session cookie is checked before any route runs. A route that has no row in the table of rights is closed to
everybody."""

import hmac
from collections import OrderedDict
from typing import Any, NamedTuple
from urllib.parse import urlencode

import structlog
from anyio import CapacityLimiter, to_thread
from fastapi import Request
from prometheus_client import Counter
from starlette.routing import compile_path

from schemas.codes.bilingual import Bilingual
from services.console.access.accounts import Accounts, KnownKey, SignInRefused
from services.console.access.demo_accounts import is_demo, is_published
from services.console.access.rights import ROUTES, AccessRule, Open, Role, Who
from services.console.api.admission import READING
from services.console.api.problems import Problem, wants_page
from services.console.language.words import both
from services.console.readmodel.database import DATABASE_ERRORS
from services.console.settings import ConsoleSettings
from services.shell.clock import CLOCK, stopwatch, world_us

SESSION_COOKIE = "dtg_session"
SECURE_COOKIE = f"__Host-{SESSION_COOKIE}"
"""The name of the cookie over TLS. Browsers accept a cookie with the prefix `__Host-` only from this host, so no
neighbouring host can set it."""
CSRF_HEADER = "x-csrf-token"
BEARER = "bearer "
REMEMBERED_KEYS = 2000
"""The most valid API keys that a process caches, and also the most keys that are not valid. Each is read again from the rows after
`key_seconds`."""
PROVING_THREADS = 4
"""How many threads look up keys and sessions. Pages have other threads and database connections, so that slow pages do not delay the gate's
questions."""
LONGEST_AWAY = 60.0
"""While the database does not answer, a key that was valid is accepted for this many seconds after it was last read."""
OF_PASSWORD = ("/password", "/sign-out", "/api/v1/me")
"""The only paths, besides routes that are `Open`, that a person may use who has not yet changed the one-time
password."""
OF_PERSON = ("/password", "/sign-out")
"""The paths of forms that only people who have signed in may send. If keys were accepted, a key with any scope could
end the sessions of its account or try passwords, because these paths need no scope."""
REFUSED = Counter(
    "customs_console_refused", "Requests of nobody, or of somebody without the right, by what was wrong", ["why"]
)
FORBIDDEN_WITHOUT_TOKEN = "form_of_another"  # noqa: S105 - a code of a problem
RIGHTS_HELD = "rights_held"
"""The code of the problem that is answered while the database may be an older copy; see
`services.console.readmodel.generation`."""
LATER = {"Retry-After": "30"}
ADDRESSES = {path: compile_path(path)[0] for _, path in ROUTES}
"""Path of each route → the regular expression that its addresses match."""
log = structlog.get_logger()
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="datongguan"'}


class _Known(NamedTuple):
    key: KnownKey | SignInRefused
    at: float


class Authenticator:
    """Looks up the API keys and sessions of requests to one console, and keeps keys in a cache."""

    def __init__(self, settings: ConsoleSettings, accounts: Accounts) -> None:
        self._seconds = settings.key_seconds
        self.accounts = accounts
        self._valid: OrderedDict[str, _Known] = OrderedDict()
        # Anybody can send any number of keys that are not valid, so they have a cache of their own, which displaces no valid key.
        self._refused: OrderedDict[str, _Known] = OrderedDict()
        self._threads = CapacityLimiter(PROVING_THREADS)

    async def of_key(self, written: str, *, cached: bool = True) -> Who:
        """Returns the account of this key. The account comes from the cache for up to `key_seconds` (not at all unless
        `cached`), and for up to LONGEST_AWAY seconds while the database does not answer. Raises SignInRefused if the key
        is not valid."""
        at, known = stopwatch(), self._valid.get(written) or self._refused.get(written)
        if known is None or not cached or at - known.at > self._seconds:
            known = await self._read(written, known, at)
        if isinstance(known.key, SignInRefused):
            raise known.key
        if known.key.ends_us is not None and world_us() >= known.key.ends_us:
            raise SignInRefused("key_expired", seen=written.split("_")[1])
        return _refuse_demo(known.key.who)

    async def _read(self, written: str, before: _Known | None, at: float) -> _Known:
        found: KnownKey | SignInRefused
        if is_published(written) and not CLOCK.is_sandbox:
            return _Known(SignInRefused("key_unknown"), at)
        try:
            found = await to_thread.run_sync(self.accounts.key, written, world_us(), limiter=self._threads)
        except SignInRefused as refused:
            found = refused
        except DATABASE_ERRORS as error:
            if before is None or isinstance(before.key, SignInRefused) or at - before.at > LONGEST_AWAY:
                raise
            log.warning("a key is believed as it was", error=str(error).splitlines()[0][:200])
            return before
        known = _Known(found, at)
        kept, other = (self._refused, self._valid) if isinstance(found, SignInRefused) else (self._valid, self._refused)
        other.pop(written, None)
        kept[written] = known
        kept.move_to_end(written)
        while len(kept) > REMEMBERED_KEYS:
            kept.popitem(last=False)
        return known

    async def of_cookie(self, cookie: str, host: str) -> Who:
        """Returns the account that signed in with this cookie. `host`: the host name in the request. The account is read from the rows each time. So
        a sign-out or a change of roles takes effect at once, even if it was made through another console. Raises SignInRefused if the session is not
        valid."""
        who = await to_thread.run_sync(self.accounts.session, cookie, host, world_us(), limiter=self._threads)
        return _refuse_demo(who)


def _refuse_demo(who: Who) -> Who:
    """Returns the account. Raises SignInRefused if it is a demo account and this is not a sandbox, even if its session or key is valid."""
    if is_demo(who.actor) and not CLOCK.is_sandbox:
        raise SignInRefused("account_closed")
    return who


async def prove(request: Request) -> None:
    """A dependency of every route: checks who sends the request and stores the account in `request.scope["who"]`.
    Raises Problem 401 if the sender is not authenticated, 403 if the sender lacks the right for the route, and 503
    while the database may be an older copy (see RIGHTS_HELD). On routes that are `Open`, it raises none of these."""
    route = request.scope["route"].path
    right = ROUTES.get((request.method, route))
    if isinstance(right, Open) and not right.page:
        return
    authenticator: Authenticator = request.app.state.authenticator
    if authenticator.accounts.generation.held:
        if isinstance(right, Open):
            return
        raise _refused(503, RIGHTS_HELD, headers=dict(LATER))
    try:
        who = await _proved(request)
    except SignInRefused as refused:
        if isinstance(right, Open):
            return
        raise _not_proved(request, refused.code, **refused.values) from None
    if who is None:
        if isinstance(right, Open):
            return
        raise _not_proved(request, "not_signed_in")
    request.scope["who"] = who
    if isinstance(right, Open):
        return
    if who.must_change and route not in OF_PASSWORD:
        raise _moved(request, "/password") if wants_page(request) else _refused(403, "password_to_change")
    if route in OF_PERSON and not who.session and request.method not in READING:
        raise _refused(403, "not_by_key")
    if right is None or not who.may(right):
        problem = no_right(who, right)
        REFUSED.labels(problem.code).inc()
        raise problem
    if who.session and request.method not in READING and route.startswith("/api/"):
        check_form(who, request.headers.get(CSRF_HEADER, ""))


async def still_may(request: Request) -> bool:
    """Returns whether the sender may go on reading an event stream. Checks the key or session and the right again, as for
    a new request, but never from the cache: a stream is checked every `key_seconds`, so with a key that was cached just
    before it was revoked, the stream would go on for twice as long."""
    right = ROUTES.get((request.method, request.scope["route"].path))
    authenticator: Authenticator = request.app.state.authenticator
    if authenticator.accounts.generation.held:
        return False
    try:
        who = await _proved(request, cached=False)
    except SignInRefused:
        return False
    return isinstance(right, AccessRule) and who is not None and not who.must_change and who.may(right)


def cookie_name(request: Request) -> str:
    """Returns the name that the session cookie has for this request: `SECURE_COOKIE` over TLS, else `SESSION_COOKIE`."""
    return SECURE_COOKIE if request.url.scheme == "https" else SESSION_COOKIE


async def _proved(request: Request, *, cached: bool = True) -> Who | None:
    """Returns the account of the request's key or session; None if the request has neither. If it has both, the key
    counts. `cached`: as in `Authenticator.of_key`."""
    authenticator: Authenticator = request.app.state.authenticator
    shown = request.headers.get("authorization", "")
    if shown:
        if shown[: len(BEARER)].lower() != BEARER:
            raise SignInRefused("key_unknown")
        return await authenticator.of_key(shown[len(BEARER) :].strip(), cached=cached)
    name = cookie_name(request)
    names = [each.partition("=")[0].strip() for each in request.headers.get("cookie", "").split(";")]
    if names.count(name) > 1:  # another host has set one of the cookies with this name, so none is used
        raise SignInRefused("session_unknown")
    cookie = request.cookies.get(name)
    return await authenticator.of_cookie(cookie, request.headers.get("host", "").lower()) if cookie else None


def check_form(who: Who, token: str) -> None:
    """Raises Problem 403 if `token` is not the CSRF token of the sender's session. A form or request with another token
    was made in another session, or by another site. A request with a key needs no token."""
    if who.csrf and not hmac.compare_digest(token.encode(), who.csrf.encode()):
        raise _refused(403, FORBIDDEN_WITHOUT_TOKEN)


def no_right(who: Who, right: AccessRule | None) -> Problem:
    """Returns the Problem 403 for an account that lacks a right. It names the roles that have the right, or the scope that the key lacks. `right`:
    None if nobody has it."""
    if right is None or (right.roles and right.roles.isdisjoint(who.roles)):
        roles = [both(f"roles.{role}") for role in Role if right is not None and role in right.roles]
        zh, en = "、".join([role.zh for role in roles]), ", ".join([role.en for role in roles])
        return Problem(403, "no_right", may=Bilingual(zh or "无", en or "nobody"))
    return Problem(403, "no_scope", scope=both(f"scopes.{right.scope}"))


def _refused(status: int, code: str, **values: Any) -> Problem:
    REFUSED.labels(code).inc()
    return Problem(status, code, **values)


def _not_proved(request: Request, code: str, **values: Any) -> Problem:
    """Returns the Problem 401. For a page in a browser, returns a redirect to the sign-in page, which leads back to the page."""
    if request.method == "GET" and wants_page(request) and "hx-request" not in request.headers:
        REFUSED.labels(code).inc()
        return _moved(request, "/sign-in")
    problem = _refused(401, code, **values)
    problem.headers.update(CHALLENGE)
    return problem


class Elsewhere(Problem):
    """Redirects the browser to another address with status 303."""

    def __init__(self, address: str) -> None:
        super().__init__(303, "not_signed_in", headers={"Location": address})


def _moved(request: Request, address: str) -> Elsewhere:
    address_asked_for = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return Elsewhere(f"{address}?{urlencode({'next': address_asked_for})}" if address == "/sign-in" else address)


def methods_at(address: str) -> list[str]:
    """Returns the methods of all routes with this address, in alphabetical order; none if there is no such route."""
    return sorted({method for method, path in ROUTES if ADDRESSES[path].match(address)})
