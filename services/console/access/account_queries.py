"""Who has which rights, who granted them, and who did what? The answers are read from the consoles' own tables, a page
at a time. The functions of this file return the parts of a list, which `AccountQueries.page` reads."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Engine, Row, and_, func, or_, select, true

from services.console.access.accounts import IDLE_MINUTES, MINUTE, SKEW
from services.console.readmodel import tables as t
from services.console.readmodel.consignment import plain
from services.console.readmodel.lists import ListPart, ListPosition, read

SETTLED = ("replayed", "released", "discarded")
"""Values of `status` in `tables.PARKED` for messages that are no longer set aside. `released` is the older word for `replayed`."""


class InForce(NamedTuple):
    """How many sessions and keys of an account are valid now, and when any of these sessions was last used (to the
    minute; microseconds since 1970 UTC; None if there are no sessions)."""

    sessions: int = 0
    used_us: int | None = None
    keys: int = 0


def accounts(search: str, roles: Iterable[str] = ()) -> list[ListPart]:
    """Returns the list of accounts, sorted by name. `search`: if not empty, only accounts whose name begins with this text, whose company,
    office or role is this text, or that have one of `roles`."""
    a = t.ACCOUNTS.c
    named = or_(
        a.account.startswith(search, autoescape=True),
        a.company == search,
        a.office == search,
        *[(" " + a.roles + " ").contains(f" {role} ", autoescape=True) for role in {search, *roles}],
    )
    return [ListPart(t.ACCOUNTS, (named if search else true(),), (a.account,))]


def grants(name: str) -> list[ListPart]:
    """Returns the list of grants, the latest first. `name`: if not empty, only grants to or by this account."""
    g = t.GRANTS.c
    wanted = (g.account == name, g.granted_by == name) if name else (true(),)
    return [ListPart(t.GRANTS, wanted, (g.number,), latest_first=True)]


def requests(
    person: str, subject: str, from_us: int | None, until_us: int | None, named: Collection[str] = ()
) -> list[ListPart]:
    """Returns the list of the requests that consoles took in, the latest first. `person`: if not empty, only requests
    by this account. `subject`: if not empty, only requests about these goods or this container. `named`: the ids of the
    consignments that have `subject` as their declaration number or reference; requests about these consignments are
    listed, too. `from_us`, `until_us`: if neither is None, only requests that were taken in at `from_us` or later and
    before `until_us` (microseconds since 1970 UTC)."""
    r = t.LODGEMENTS.c
    wanted: list[ColumnElement[bool]] = []
    if person:
        wanted.append(r.sender == person)
    if subject:
        wanted.append(_is_about(r.subject, subject, named))
    if from_us is not None and until_us is not None:
        wanted += [r.asked_us >= from_us, r.asked_us < until_us]
    columns = (r.request_id, r.sender, r.kind, r.subject, r.asked_us)
    condition = and_(true(), *wanted)
    return [ListPart(t.LODGEMENTS, (condition,), (r.asked_us, r.request_id), latest_first=True, columns=columns)]


def _is_about(column: ColumnElement[str], subject: str, named: Collection[str]) -> ColumnElement[bool]:
    """Returns the condition that the column names this container or these goods (as typed, or in the stored form), or one of the consignments
    `named`."""
    return column.in_(sorted({subject, plain(subject), *named}))


def readings(
    person: str, subject: str, from_us: int | None, until_us: int | None, named: Collection[str] = ()
) -> list[ListPart]:
    """Returns the list of the readings of fields that are masked outside customs, the latest first. `person`: the
    account that read the fields; the other arguments are as in `requests`."""
    r = t.READINGS.c
    wanted: list[ColumnElement[bool]] = []
    if person:
        wanted.append(r.reader == person)
    if subject:
        wanted.append(_is_about(r.subject, subject, named))
    if from_us is not None and until_us is not None:
        wanted += [r.at_us >= from_us, r.at_us < until_us]
    order = (r.at_us, r.reader, r.subject)
    return [ListPart(t.READINGS, (and_(true(), *wanted),), order, latest_first=True)]


def settled(
    person: str, subject: str, from_us: int | None, until_us: int | None, named: Collection[str] = ()
) -> list[ListPart]:
    """Returns the list of the messages that were set aside and later replayed or discarded, the latest settled first.
    `person`: the operator who settled the message; the other arguments are as in `requests`."""
    p = t.PARKED.c
    wanted: list[ColumnElement[bool]] = [p.status.in_(SETTLED), p.settled_us.is_not(None)]
    if person:
        wanted.append(p.actor == person)
    if subject:
        wanted.append(_is_about(p.key, subject, named))
    if from_us is not None and until_us is not None:
        wanted += [p.settled_us >= from_us, p.settled_us < until_us]
    order = (p.settled_us, p.service, p.topic, p.partition, p.offset)
    columns = (*order, p.key, p.status, p.actor)
    return [ListPart(t.PARKED, (and_(true(), *wanted),), order, latest_first=True, columns=columns)]


class AccountQueries:
    """Reads accounts, keys and the lists of this file from the database. `engine`: an engine for reading."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def page(
        self, parts: Sequence[ListPart], after: ListPosition | None, limit: int
    ) -> list[tuple[ListPosition, Row[Any]]]:
        """Returns the first `limit` rows of a list after the position `after`, each with its own position."""
        with self._engine.begin() as connection:
            return read(connection, parts, after, limit)

    def in_force(self, names: Iterable[str], at: int) -> dict[str, InForce]:
        """Returns account → how many of its sessions and keys are valid at the time `at` (microseconds since 1970 UTC),
        and when its sessions were last used. Valid are the sessions and keys that `Accounts.session` and `Accounts.key`
        accept; a closed account has none."""
        a, s, k = t.ACCOUNTS.c, t.SESSIONS.c, t.API_KEYS.c
        wanted, newest = list(names), at + SKEW
        good = and_(s.ends_us > at, s.used_us > at - IDLE_MINUTES * MINUTE, s.used_us <= newest, s.made_us <= newest)
        lasting = and_(k.revoked_us.is_(None), or_(k.ends_us.is_(None), k.ends_us > at), k.made_us <= newest)
        open_accounts = and_(a.account.in_(wanted), a.closed.is_(False))
        sessions = (
            select(s.account, func.count(), func.max(s.used_us))
            .join(t.ACCOUNTS, a.account == s.account)
            .where(open_accounts, good)
            .group_by(s.account)
        )
        keys = (
            select(k.account, func.count())
            .join(t.ACCOUNTS, a.account == k.account)
            .where(open_accounts, lasting)
            .group_by(k.account)
        )
        with self._engine.begin() as connection:
            signed_in = {row[0]: (row[1], row[2]) for row in connection.execute(sessions)}
            with_keys = {row[0]: row[1] for row in connection.execute(keys)}
        return {name: InForce(*signed_in.get(name, (0, None)), with_keys.get(name, 0)) for name in wanted}

    def keys_of(self, account: str) -> list[Row[Any]]:
        """Returns the keys of an account, the latest first, without their digests."""
        k = t.API_KEYS.c
        columns = (k.key_id, k.account, k.scopes, k.made_us, k.ends_us, k.revoked_us)
        query = select(*columns).where(k.account == account).order_by(k.made_us.desc(), k.key_id)
        with self._engine.begin() as connection:
            return list(connection.execute(query))

    def clients_of(self, agent: str) -> list[Row[Any]]:
        """Returns the authorisations that companies have given to an agent, the latest first, including the ended ones.
        `agent`: the code of the agent's own company. Returns an empty list if `agent` is empty."""
        a = t.AUTHORISATIONS.c
        query = select(t.AUTHORISATIONS).where(a.agent == agent).order_by(a.from_us.desc(), a.company)
        with self._engine.begin() as connection:
            return list(connection.execute(query)) if agent else []
