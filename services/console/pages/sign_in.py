"""How do people sign in and out, change a password, and see their rights? They use these pages; a program gets its rights from the route
`/api/v1/me`."""

import hmac
from collections import Counter as Counted
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import structlog
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from prometheus_client import Counter

from services.console.access.accounts import (
    LONGEST_NAME,
    LONGEST_PASSWORD,
    SECOND,
    SESSION_HOURS,
    SHORTEST_PASSWORD,
    Account,
    NotGranted,
    SignInRefused,
    check_password,
    is_right,
)
from services.console.access.demo_accounts import PASSWORD, is_demo, is_published, shown
from services.console.access.rights import ASKS, REACH, ROUTES, Open, Role
from services.console.api.authentication import LATER, RIGHTS_HELD, Authenticator, cookie_name
from services.console.api.bodies import client_of
from services.console.api.context import visitor, who_of
from services.console.api.problems import Problem
from services.console.pages.forms import Form, Typed
from services.console.pages.rendering import render
from services.shell.clock import CLOCK, world_us
from services.shell.fresh import fresh_secret

pages = APIRouter(include_in_schema=False)
FORM_COOKIE = "dtg_form"
HASHED_AT_ONCE = 2
"""How many passwords are compared at the same time. Each comparison takes 64 MiB and a whole processor."""
WAITING, OF_ADDRESS = 200, 8
"""The most sign-ins that may wait for a comparison, in all and from one address. Because of the second limit, one
address cannot keep all others from signing in."""
ALARMING = 20
"""Each time that this many further sign-ins in a row have failed with one name from one address, a warning is
logged."""
SIGN_INS = Counter("customs_console_sign_ins", "Sign-ins by outcome: right, wrong, slowed, busy, over", ["outcome"])
log = structlog.get_logger()


class Signing:
    """The sign-ins that one console is checking at present."""

    def __init__(self) -> None:
        self.hashing = CapacityLimiter(HASHED_AT_ONCE)
        self.in_hand: set[tuple[str, str]] = set()
        self._waiting = Counted[str]()

    async def compare(self, stored: str, password: str, address: str) -> bool:
        """Returns whether this is the password with the hash `stored`. The two are compared in a thread. Raises Problem 503 if too many
        comparisons wait, in all or from this address."""
        if self._waiting[address] >= OF_ADDRESS or self._waiting.total() >= WAITING:
            SIGN_INS.labels("busy").inc()
            raise Problem(503, "sign_ins_busy", headers={"Retry-After": "5"})
        self._waiting[address] += 1
        try:
            return await to_thread.run_sync(is_right, stored, password[: LONGEST_PASSWORD + 1], limiter=self.hashing)
        finally:
            self._waiting[address] -= 1
            if not self._waiting[address]:
                del self._waiting[address]


@pages.get("/sign-in")
def sign_in_page(request: Request, next: str = "") -> Response:
    held = authenticator_of(request).accounts.generation.held
    return _sign_in(request, next, Problem(503, RIGHTS_HELD, headers=dict(LATER)) if held else None)


def _sign_in(request: Request, after: str, problem: Problem | None = None, name: str = "") -> Response:
    token, authenticator = fresh_secret(), authenticator_of(request)
    page = render(
        request,
        "sign_in.html",
        problem.status if problem else 200,
        here="/sign-in" if problem else "",
        token=token,
        after=after,
        name=name,
        demos=shown(authenticator.accounts),
        demo_password=PASSWORD,
        problem=problem.details() if problem else None,
    )
    page.headers.update(problem.headers if problem else {})
    secure = request.url.scheme == "https"
    page.set_cookie(FORM_COOKIE, token, path="/sign-in", samesite="strict", httponly=True, secure=secure)
    return page


@pages.post("/sign-in")
async def sign_in(request: Request, typed: Form) -> Response:
    """Checks a name and a password and signs the person in. After `FREE_FAILURES` failures, sign-ins with this name
    from this address have to wait, and longer after each further failure; other sign-ins do not wait."""
    loaded = request.cookies.get(FORM_COOKIE, "")
    if not loaded or not hmac.compare_digest(typed.get("form", "").encode(), loaded.encode()):
        raise Problem(403, "form_of_another")
    name, after = typed.get("account", "")[:LONGEST_NAME], typed.get("next", "")
    try:
        account = await _prove(request, name, typed.get("password", ""))
    except Problem as problem:
        return await run_in_threadpool(_sign_in, request, after, problem, name)
    host, address = request.headers.get("host", "").lower(), client_of(request)
    accounts = authenticator_of(request).accounts
    kept = cookie_name(request)
    if before := request.cookies.get(kept):
        await run_in_threadpool(accounts.end_session, before)
    try:
        cookie = await run_in_threadpool(
            lambda: accounts.open_session(account.account, host, address, world_us(), proved=account.password)
        )
    except SignInRefused:
        return await run_in_threadpool(_sign_in, request, after, Problem(401, "sign_in_wrong"), name)
    SIGN_INS.labels("right").inc()
    answer = RedirectResponse("/password" if account.must_change else _within(after), 303)
    secure = request.url.scheme == "https"
    hours = SESSION_HOURS * 3600
    answer.set_cookie(kept, cookie, max_age=hours, samesite="lax", httponly=True, secure=secure)
    answer.delete_cookie(FORM_COOKIE, path="/sign-in")
    return answer


async def _prove(request: Request, name: str, password: str) -> Account:
    """Returns the account with this name and password. Raises Problem 429 while sign-ins with this name from this
    address have to wait, and while one of them is being checked; 401 if name or password is wrong, with the same text
    for both; 401 also if a one-time password was not changed in time; 503 while nobody can sign in; and the problem of
    `Signing.compare`."""
    signing, accounts, address = _signing(request), authenticator_of(request).accounts, client_of(request)
    one = name, address
    if accounts.generation.held:
        raise Problem(503, RIGHTS_HELD, headers=dict(LATER))
    wait = await run_in_threadpool(accounts.wait_us, name, address, world_us())
    if wait or one in signing.in_hand:
        SIGN_INS.labels("slowed").inc()
        seconds = max(1, -(-wait // SECOND))
        raise Problem(429, "sign_in_slowed", seconds=seconds, headers={"Retry-After": str(seconds)})
    signing.in_hand.add(one)
    try:
        account = await run_in_threadpool(accounts.account, name)
        right = await signing.compare(account.password if account else "", password, address)
        right = right and (CLOCK.is_sandbox or not (is_published(password) or is_demo(name)))
        if account is None or account.closed or not right:
            failures = await run_in_threadpool(accounts.failed, name, address, world_us())
            SIGN_INS.labels("wrong").inc()
            if failures % ALARMING == 0:
                # a name without an account is not logged, because it may be a password in the wrong field
                tried = name if account else "(none of this name)"
                log.warning("somebody tries passwords", account=tried, address=address, failures=failures)
            raise Problem(401, "sign_in_wrong")
        # The end of validity is checked last, so that only a person with the right password learns that the password is no longer valid.
        if account.is_over(world_us()):
            SIGN_INS.labels("over").inc()
            raise Problem(401, "one_time_over", account=name, hours=accounts.one_time_hours)
        return account
    finally:
        signing.in_hand.discard(one)


def _within(after: str) -> str:
    """Returns the address to which a sign-in redirects: `after` if it is an address of this console, else the start page."""
    own = after.startswith("/") and not after.startswith("//") and "\\" not in after and after.isprintable()
    return quote(after, safe="/?&=%:;,+@~.-_") if own else "/"


@pages.post("/sign-out")
async def sign_out(request: Request, _typed: Form) -> Response:
    """Ends every session of the account, in every browser."""
    await run_in_threadpool(authenticator_of(request).accounts.end_sessions, who_of(request).actor)
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(cookie_name(request), secure=request.url.scheme == "https", httponly=True)
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


@pages.get("/password")
def password_page(request: Request) -> Response:
    return _password(request)


def _password(request: Request, problem: Problem | None = None) -> Response:
    details = problem.details() if problem else None
    status, here = (problem.status, "/password") if problem else (200, "")
    return render(request, "password.html", status, here=here, problem=details, shortest=SHORTEST_PASSWORD)


@pages.post("/password")
async def set_password(request: Request, typed: Form) -> Response:
    """Sets a new password for the signed-in account. All its other sessions end."""
    who, accounts = who_of(request), authenticator_of(request).accounts
    try:
        proved = await _change(request, who.actor, typed)
        new_password = typed.get("new", "")
        at, keep = world_us(), who.session
        await to_thread.run_sync(
            lambda: accounts.set_password(
                who.actor, new_password, by=who.actor, at=at, keep=keep, proved=proved.password
            ),
            limiter=hashing_of(request),
        )
    except Problem as problem:
        return await run_in_threadpool(_password, request, problem)
    except SignInRefused:  # the password was changed, or the account was closed, after the old password was checked
        return await run_in_threadpool(_password, request, Problem(401, "sign_in_wrong"))
    return RedirectResponse("/", 303)


async def _change(request: Request, name: str, typed: Typed) -> Account:
    """Checks the old and the new password, but does not set the new one. Returns the account. Raises Problem 422 if the
    new password is not allowed, and the problems of `_prove`."""
    try:
        check_password(typed.get("new", ""))
    except NotGranted:
        raise Problem(422, "password_length", shortest=SHORTEST_PASSWORD, longest=LONGEST_PASSWORD) from None
    if typed.get("new") != typed.get("again"):
        raise Problem(422, "passwords_differ")
    if typed.get("new") == typed.get("password"):
        raise Problem(422, "password_same")
    return await _prove(request, name, typed.get("password", ""))


@pages.get("/rights")
def rights_page(request: Request) -> Response:
    """Shows the page with the table of rights, which is made from `ASKS` and `ROUTES`."""
    kinds: list[tuple[str, Sequence[bool]]] = [
        (kind.kind, [role in right.roles for role in Role]) for kind, right in ASKS.items()
    ]
    routes = [
        (method, path, isinstance(right, Open), [_is_open(right, role) for role in Role])
        for (method, path), right in ROUTES.items()
    ]
    mine = visitor(request)
    return render(request, "rights.html", roles=list(Role), reach=REACH, kinds=kinds, routes=routes, mine=mine)


def _is_open(right: Any, role: Role) -> bool:
    return not isinstance(right, Open) and (not right.roles or role in right.roles)


def authenticator_of(request: Request) -> Authenticator:
    """Returns the object that looks up keys and sessions; its `accounts` are the accounts of this console."""
    authenticator: Authenticator = request.app.state.authenticator
    return authenticator


def hashing_of(request: Request) -> CapacityLimiter:
    """Returns the limiter of the number of threads in which passwords are hashed."""
    return _signing(request).hashing


def _signing(request: Request) -> Signing:
    signing: Signing = request.app.state.signing
    return signing
