"""How does an administrator give and take away rights? There are pages for accounts, API keys and grants. They use the functions of `dtg account`
and `dtg key`."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response

from schemas.bounds import LINE
from schemas.codes.bilingual import Bilingual
from services.console.access.account_queries import AccountQueries, accounts, grants
from services.console.access.accounts import (
    DAY,
    HOUR,
    LONGEST_NAME,
    Account,
    Accounts,
    NotGranted,
    Shown,
    why_no_key,
    written,
)
from services.console.access.rights import GIVING, Role, Scope
from services.console.api import paging
from services.console.api.answers import After
from services.console.api.context import who_of
from services.console.api.documents import when
from services.console.api.problems import Problem, one_fault
from services.console.language.words import TEXTS
from services.console.pages.board_and_goods import Name
from services.console.pages.forms import Form, Typed
from services.console.pages.rendering import render
from services.console.pages.sign_in import authenticator_of, hashing_of
from services.shell.clock import CLOCK, world_us
from services.shell.fresh import fresh_password

pages = APIRouter(include_in_schema=False)
PAGE = 50
LATEST = 20
"""How many grants the page of an account shows. The page of grants has all of them."""
LONGEST_LIFE_DAYS, LONGEST_OVERLAP_HOURS = 3650, 24 * 90
"""The longest life of a key and the longest time for which a rotated key stays valid, as in `dtg key`."""
USUAL_DAYS, USUAL_OVERLAP_HOURS = 365, 24 * 7


class Given(NamedTuple):
    """The result of a form: the account, and a secret that is shown only once. `kind`: `password` or `key`, empty if
    there is no secret; `key_id`: the id of the key."""

    account: str
    kind: str = ""
    secret: str = ""
    key_id: str = ""


class By(NamedTuple):
    """Who grants, and when. `at`: microseconds since 1970 UTC, in real time, even in a sandbox."""

    actor: str
    at: int


def _make(people: Accounts, typed: Typed, by: By) -> Given:
    name, program = _line(typed, "account"), typed.get("program") == "on"
    password = None if program else fresh_password()
    row = Account(name, _chosen(typed, Role), _line(typed, "company"), _line(typed, "office"), must_change=not program)
    people.make(row, by=by.actor, at=by.at, password=password, sandbox=CLOCK.is_sandbox)
    return Given(name, "password" if password else "", password or "")


def _change(people: Accounts, typed: Typed, by: By) -> Given:
    name = _line(typed, "account")
    wanted = {"roles": _chosen(typed, Role), **{column: _line(typed, column) for column in ("company", "office")}}
    shown = {column: _line(typed, f"was_{column}") for column in wanted}
    changed = {column: value for column, value in wanted.items() if set(value.split()) != set(shown[column].split())}
    if changed:
        people.change(name, by=by.actor, at=by.at, sandbox=CLOCK.is_sandbox, shown=shown, **changed)
    return Given(name)


def _closing(closed: bool) -> "Callable[[Accounts, Typed, By], Given]":
    def close(people: Accounts, typed: Typed, by: By) -> Given:
        name = _line(typed, "account")
        people.change(name, by=by.actor, at=by.at, sandbox=CLOCK.is_sandbox, closed=closed)
        return Given(name)

    return close


def _password(people: Accounts, typed: Typed, by: By) -> Given:
    name, password = _line(typed, "account"), fresh_password()
    people.set_password(name, password, by=by.actor, at=by.at)
    return Given(name, "password", password)


def _end_sessions(people: Accounts, typed: Typed, by: By) -> Given:
    name = _line(typed, "account")
    people.end_sessions(name, by=by.actor, at=by.at)
    return Given(name)


def _make_key(people: Accounts, typed: Typed, by: By) -> Given:
    name, ends_us = _line(typed, "account"), by.at + _number(typed, "days", 1, LONGEST_LIFE_DAYS) * DAY
    made = people.make_key(name, by=by.actor, at=by.at, ends_us=ends_us, scopes=_chosen(typed, Scope).split())
    return _key(name, made)


def _rotate_key(people: Accounts, typed: Typed, by: By) -> Given:
    key_id, ends_us = _line(typed, "key_id"), by.at + _number(typed, "days", 1, LONGEST_LIFE_DAYS) * DAY
    overlap = _number(typed, "overlap_hours", 0, LONGEST_OVERLAP_HOURS) * HOUR
    made = people.rotate(key_id, by=by.actor, at=by.at, overlap_us=overlap, ends_us=ends_us)
    return _key(_line(typed, "account"), made)


def _revoke_key(people: Accounts, typed: Typed, by: By) -> Given:
    people.revoke(_line(typed, "key_id"), by=by.actor, at=by.at)
    return Given(_line(typed, "account"))


def _authorise(people: Accounts, typed: Typed, by: By) -> Given:
    until_us = by.at + _number(typed, "days", 1, LONGEST_LIFE_DAYS) * DAY
    company, agent = _line(typed, "company"), _agent(people, typed)
    people.authorise(company, agent, by=by.actor, at=by.at, from_us=by.at, until_us=until_us)
    return Given(_line(typed, "account"))


def _end_authorisation(people: Accounts, typed: Typed, by: By) -> Given:
    people.end_authorisation(_line(typed, "company"), _agent(people, typed), by=by.actor, at=by.at)
    return Given(_line(typed, "account"))


ACTS: dict[str, Callable[[Accounts, Typed, By], Given]] = {
    "make": _make,
    "change": _change,
    "close": _closing(True),
    "open": _closing(False),
    "password": _password,
    "end-sessions": _end_sessions,
    "make-key": _make_key,
    "rotate-key": _rotate_key,
    "revoke-key": _revoke_key,
    "authorise": _authorise,
    "end-authorisation": _end_authorisation,
}
"""Name of a form on these pages → the function that does what the form requests."""


def _key(account: str, made: Shown) -> Given:
    return Given(account, "key", written(made), made.key_id)


def _agent(people: Accounts, typed: Typed) -> str:
    """Returns the company of the agent from whose page the form was sent. Raises NotGranted if the account has no company."""
    account = people.account(_line(typed, "account"))
    if account is None or not account.company:
        raise NotGranted("Only an agent with a company is authorised. 仅可授权有企业代码的代理")
    return account.company


def _line(typed: Typed, field: str) -> str:
    """Returns the text of a field. Raises Problem 422 if it is not a single line, or has characters that no name may have."""
    value = typed.get(field, "")
    if not re.match(LINE, value):
        raise one_fault(f"/{field}", "string_pattern_mismatch", value)
    return value


def _chosen(typed: Typed, choices: type[Role] | type[Scope]) -> str:
    """Returns the values of the checkboxes that are ticked, separated by blanks. In the form a checkbox is called `<group>_<value>`."""
    group = choices.__name__.lower()
    return " ".join([each.value for each in choices if typed.get(f"{group}_{each.value}") == "on"])


def _number(typed: Typed, field: str, least: int, most: int) -> int:
    value = typed.get(field, "")
    if not (value.isascii() and value.isdecimal() and len(value) <= len(str(most))):
        raise one_fault(f"/{field}", "int_type", value)
    number = int(value)
    if not least <= number <= most:
        code = "greater_than_equal" if number < least else "less_than_equal"
        raise one_fault(f"/{field}", code, value, ge=least, le=most)
    return number


# pages


@pages.get("/accounts")
def accounts_page(request: Request, q: Name = "", after: After = "") -> Response:
    """Shows the page with the accounts, sorted by name, each with the number of its sessions and keys that are in
    force, and with the form to make another account."""
    return _accounts(request, q.strip(), after)


def _called(search: str) -> list[Role]:
    """Returns the roles that have this name on the pages, in Chinese or in English."""
    return [role for role in Role if search.casefold() in [name.casefold() for name in TEXTS[f"roles.{role}"]]]


def _accounts(
    request: Request, search: str = "", after: str = "", problem: Problem | None = None, typed: Typed | None = None
) -> Response:
    record, parts = _record(request), accounts(search, _called(search))
    found = record.page(parts, paging.position_of(after, parts), PAGE + 1)
    rows = [row for _, row in found[:PAGE]]
    query, at = {"q": search} if search else {}, world_us()
    following = {**query, "after": paging.token(found[PAGE - 1][0])} if len(found) > PAGE else None
    return render(
        request,
        "accounts.html",
        problem.status if problem else 200,
        here="/accounts" if problem else "",
        page="/accounts",
        when=when,
        rows=rows,
        at=at,
        in_force=record.in_force([row.account for row in rows], at),
        asked=search,
        roles=list(Role),
        start=f"/accounts?{urlencode(query)}" if after else None,
        more=f"/accounts?{urlencode(following)}" if following else None,
        forms=who_of(request).forms("accounts"),
        problem=problem.details() if problem else None,
        typed=typed or {},
    )


@pages.get("/account")
def account_page(request: Request, name: Name) -> Response:
    """Shows the page of one account: its roles, its keys and sessions, and the latest grants to it or by it."""
    return _account(request, name)


def _days_of(key: Any) -> int:
    """Returns how many days the form offers for a key that takes the place of this one: as many as this one was made
    for."""
    return USUAL_DAYS if key.ends_us is None else max((key.ends_us - key.made_us) // DAY, 1)


def _account(request: Request, name: str, problem: Problem | None = None, typed: Typed | None = None) -> Response:
    record, at, account = _record(request), world_us(), authenticator_of(request).accounts.account(name)
    if account is None:
        raise problem or Problem(404, "unknown_account", seen=name[:LONGEST_NAME])
    given = record.page(grants(name), None, LATEST + 1)
    return render(
        request,
        "account.html",
        problem.status if problem else 200,
        here=_address(name) if problem else "",
        page="/accounts",
        when=when,
        account=account._replace(password="yes" if account.password else ""),
        at=at,
        in_force=record.in_force([name], at)[name],
        keys=[(key, why_no_key(key, account, at), _days_of(key)) for key in record.keys_of(name)],
        clients=record.clients_of(account.company),
        grants=[row for _, row in given[:LATEST]],
        more=f"/grants?{urlencode({'account': name})}" if len(given) > LATEST else None,
        roles=list(Role),
        scopes=list(Scope),
        usual_days=USUAL_DAYS,
        usual_overlap=USUAL_OVERLAP_HOURS,
        longest_days=LONGEST_LIFE_DAYS,
        longest_overlap=LONGEST_OVERLAP_HOURS,
        forms=who_of(request).forms("accounts"),
        problem=problem.details() if problem else None,
        typed=typed or {},
    )


@pages.get("/grants")
def grants_page(request: Request, account: Name = "", after: After = "") -> Response:
    """Shows the page with the grants: who gave which right to whom, or took it away, the latest first."""
    name, parts = account.strip(), grants(account.strip())
    found = _record(request).page(parts, paging.position_of(after, parts), PAGE + 1)
    query = {"account": name} if name else {}
    following = {**query, "after": paging.token(found[PAGE - 1][0])} if len(found) > PAGE else None
    return render(
        request,
        "grants.html",
        when=when,
        grants=[row for _, row in found[:PAGE]],
        account=name,
        start=f"/grants?{urlencode(query)}" if after else None,
        more=f"/grants?{urlencode(following)}" if following else None,
    )


async def act(request: Request, typed: Form) -> Response:
    """Does what the form requests. If that makes a secret, the answer is a page with the secret, which no other page shows. Otherwise redirects
    to the page of the account."""
    name = request.scope["route"].path.rpartition("/")[2]
    by = By(who_of(request).actor, world_us())
    try:
        given = await to_thread.run_sync(
            _give, ACTS[name], authenticator_of(request).accounts, typed, by, limiter=hashing_of(request)
        )
    except Problem as problem:
        again = {**typed, "act": name}
        if name == "make":
            return await run_in_threadpool(_accounts, request, problem=problem, typed=again)
        return await run_in_threadpool(_account, request, typed.get("account", ""), problem, again)
    if given.secret:
        address, hours = _address(given.account), authenticator_of(request).accounts.one_time_hours
        return render(request, "secret.html", here=address, given=given, address=address, hours=hours)
    return RedirectResponse(_address(given.account), 303)


def _give(one: Callable[[Accounts, Typed, By], Given], people: Accounts, typed: Typed, by: By) -> Given:
    """Calls `one` and returns its result. If it raises NotGranted, raises a Problem 422 with the sentence of that exception."""
    try:
        return one(people, typed, by)
    except NotGranted as error:
        en, _, zh = str(error).rpartition(". ")
        raise Problem(422, "not_granted", seen=Bilingual(zh, f"{en or zh}.")) from None


for each in GIVING:
    pages.add_api_route(f"/accounts/act/{each}", act, methods=["POST"])


def _address(account: str) -> str:
    return f"/account?name={quote(account, safe='')}"


def _record(request: Request) -> AccountQueries:
    record: AccountQueries = request.app.state.record
    return record
