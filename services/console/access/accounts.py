"""Which people and programs have accounts, who is signed in, and who granted which right? These are the console's own rows, which a
rebuild keeps.

Passwords are hashed by argon2id (RFC 9106) and checked in a thread. API keys and sessions are long random secrets; only
their SHA-256 is stored, so checking them takes microseconds. All times are microseconds since 1970 UTC, in real time,
even in a sandbox, whose clock may run faster.
"""

import hmac
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal, NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Engine, delete, func, or_, select, update

from schemas.bounds import LINE
from services.console.access.rights import CUSTOMS, EVERY_COMPANY, EVERY_OFFICE, OUTSIDE, Role, Scope, Who, misnamed
from services.console.readmodel import tables as t
from services.console.readmodel.database import insert_into
from services.console.readmodel.generation import Generation
from services.shell.fresh import fresh_key, fresh_password, fresh_secret

SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
SESSION_HOURS = 12
"""A session ends this many hours after its sign-in, even while it is being used."""
IDLE_MINUTES = 60
"""A session also ends if it was not used for this many minutes."""
USED_EVERY = MINUTE
"""Interval at which the time of the last use of a session is written."""
SKEW = 5 * MINUTE
"""If a session or key was made more than this time in the future, the clock was set back since; the session or key is refused."""
ONE_TIME_HOURS = 72
"""For how many hours a one-time password is valid (default of DTG_ONE_TIME_HOURS). An administrator or the first start
of the console makes such a password."""
FREE_FAILURES = 5
"""How many sign-ins with one name from one address may fail before the next one has to wait."""
LONGEST_WAIT = 60 * SECOND
"""The longest time that a sign-in has to wait. The time doubles with each further failed sign-in, up to this limit."""
REMEMBERED = HOUR
"""If no sign-in with a name from an address has failed for this time, the earlier failures no longer count."""
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 200
LONGEST_NAME = 64
NAME = re.compile(r"[\x20-\x7e\u4e00-\u9fff]+")
"""Matches the name of a new account: printable ASCII characters and Chinese characters. Many other characters are
invisible or look like one of these."""
KEY = re.compile(r"dtg_([a-z0-9-]{4,40})_([A-Za-z0-9_-]{16,100})")
"""Matches an API key: the prefix, the public id of the key, and its secret."""
Granted = Literal[
    "account made",
    "account changed",
    "password set",
    "sessions ended",
    "key made",
    "key rotated",
    "key revoked",
    "authorised",
    "authorisation ended",
    "copy confirmed",
]
"""The kinds of entries in the record of grants. They are stored in the database, so they must not be renamed."""
HASHER = PasswordHasher()
NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$rkibIJlrofmJdUR9cmpC8Q$4hFcptRaTUJYT+MC8YLzbqUQn8DPI8lmXv6x2gpGN3E"
"""The hash with which a password is compared if there is no account of the given name, so that the answer takes as long as
for an account. It has the parameters of `HASHER`. It is not computed here, because that would cost each process that
imports this file a quarter of a second."""
COOKIE_SIGNS = re.compile(r"[A-Za-z0-9_-]{43}")


class NotGranted(Exception):
    """An account, right or key cannot be granted as requested. The text says why, in Chinese and English."""


class Account(NamedTuple):
    """A row of `tables.ACCOUNTS`. `roles`: values of `Role`, separated by spaces; `password`: the hash of the
    password, empty if there is none. `must_change`: the password is a one-time password, which is valid until
    `password_until_us`."""

    account: str
    roles: str
    company: str = ""
    office: str = ""
    password: str = ""
    must_change: bool = False
    closed: bool = False
    made_us: int = 0
    password_until_us: int | None = None

    def is_over(self, at: int) -> bool:
        """Returns whether the account has a one-time password that was not changed in time."""
        return self.must_change and self.password_until_us is not None and at >= self.password_until_us

    def who(self, clients: Iterable[str] = (), **more: Any) -> Who:
        """Returns the authenticated person or program of this account. `clients`: the companies that authorise it; `more`: further fields of
        `Who`."""
        roles = frozenset([Role(role) for role in self.roles.split() if role in _ROLES])
        return Who(self.account, roles, self.company, self.office, frozenset(clients), **more)


_ROLES = {role.value for role in Role}
_SCOPES = {scope.value for scope in Scope}


class Shown(NamedTuple):
    """A new API key with its secret, which is shown only once."""

    key_id: str
    secret: str


class SignInRefused(Exception):
    """The sender is not authenticated. `code`: the name of a row of `[problems]` in words.toml; `values` fill the gaps
    of its sentence."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self.code, self.values = code, values


class KnownKey(NamedTuple):
    """A valid API key, as it is cached for some seconds: the account to which the key belongs, and when the key ends (microseconds since 1970
    UTC)."""

    who: Who
    ends_us: int | None


def digest(secret: str) -> str:
    """Returns the SHA-256 of `secret`, which is the cookie of a session or a whole API key. A session is found by this
    digest. A key is found by its public id, and this digest proves its secret."""
    return sha256(secret.encode()).hexdigest()


def csrf_of(cookie: str) -> str:
    """Returns the CSRF token that the forms of this session contain. It is derived from the cookie, so no page of another session can contain
    it."""
    return hmac.digest(cookie.encode(), b"form", "sha256").hex()


class Accounts:
    """Reads and writes the accounts of people and programs. `engine` is for writing; each call writes in one
    transaction. `reading` is for the reads that every request needs; if it is another engine than `engine`, these reads
    do not wait for the projector's writes. `generation` counts the changes of rights and the sessions that were ended.
    `one_time_hours`: for how many hours a one-time password is valid.

    In all methods, `at` is the present time in microseconds since 1970 UTC, and `by` the account that makes the change.
    """

    def __init__(
        self,
        engine: Engine,
        reading: Engine | None = None,
        generation: Generation | None = None,
        one_time_hours: int = ONE_TIME_HOURS,
    ) -> None:
        self._engine, self._reading, self.one_time_hours = engine, reading or engine, one_time_hours
        self.generation = generation or Generation(engine, None)

    @contextmanager
    def _changing(self) -> Iterator[Connection]:
        """Opens a transaction that changes rights, keys or sessions, and counts the change in `generation`."""
        with self._engine.begin() as connection:
            yield connection
            self.generation.advance(connection)
        self.generation.look_again()

    # accounts

    def make(
        self,
        account: Account,
        *,
        by: str,
        at: int,
        password: str | None = None,
        sandbox: bool = False,
    ) -> None:
        """Makes an account. Raises NotGranted if its name, roles, company or office is not allowed, or if the name is taken."""
        _check_new(account, sandbox)
        until = at + self.one_time_hours * HOUR if password and account.must_change else None
        row = account._replace(password=hashed(password) if password else "", made_us=at, password_until_us=until)
        with self._changing() as connection:
            _make(connection, row, by, at)

    def publish(
        self, account: Account, key: Shown, *, by: str, at: int, password: str | None, client: str = ""
    ) -> None:
        """Makes an account of a sandbox, its published key and, for an agent, the authorisation by `client`, in one
        transaction. If one of them exists, for example because an earlier start failed halfway, only the others are
        made. What exists stays unchanged, even if it was closed, revoked or ended. A closed account gets no key."""
        _check_new(account, sandbox=True)
        made = self.account(account.account) is None
        row = account._replace(password=hashed(password) if made and password else "", made_us=at)
        with self._changing() as connection:
            there = _account(connection, account.account)
            if there is None:
                _make(connection, row, by, at)
                there = row
            if not there.closed:
                _make_key(connection, there.account, key, sorted(_SCOPES), by, at)
            a = t.AUTHORISATIONS.c
            known = select(a.agent).where(a.company == client, a.agent == account.company).limit(1)
            if client and connection.execute(known).first() is None:
                _authorise(connection, client, account.company, by, at, at, None)

    def account(self, name: str) -> Account | None:
        with self._reading.begin() as connection:
            return _account(connection, name)

    def accounts(self) -> list[Account]:
        with self._reading.begin() as connection:
            rows = connection.execute(select(t.ACCOUNTS).order_by(t.ACCOUNTS.c.account)).all()
        return [Account(*row) for row in rows]

    def change(
        self,
        name: str,
        *,
        by: str,
        at: int,
        sandbox: bool = False,
        shown: Mapping[str, str] | None = None,
        **columns: Any,
    ) -> None:
        """Changes roles, company or office of an account, or closes or reopens it. For a session, the change takes
        effect with the next request. A console that has a key of the account in its cache may use the old values for
        some more seconds.

        `shown`: values of columns that the person who makes the change has seen. Raises NotGranted if one of these values has changed since,
        because the person would otherwise undo another person's change without having seen it. Also raises NotGranted if no administrator
        would be left.
        """
        with self._changing() as connection:
            before = _account(connection, name)
            if before is None:
                raise NotGranted(f"There is no account {name}. 没有该账户")
            if any(getattr(before, column) != value for column, value in (shown or {}).items()):
                raise NotGranted(f"{name} was changed meanwhile: look at it again. 账户已被他人变更，请重新查看")
            after = before._replace(**columns)
            _check(after, sandbox)
            if _administers(before) and not _administers(after) and not _others_administer(connection, name):
                raise NotGranted(f"{name} is the last administrator: make another one first. 须先另设一名管理员")
            if after.company != before.company:
                _check_companies(connection, after)
            connection.execute(update(t.ACCOUNTS).where(t.ACCOUNTS.c.account == name).values(**columns))
            if after.closed:
                connection.execute(delete(t.SESSIONS).where(t.SESSIONS.c.account == name))
            detail = " ".join(
                [f"{column}={value} (was {getattr(before, column)})" for column, value in columns.items()]
            )
            _granted(connection, by, name, "account changed", detail, at)

    def first(self, name: str, at: int) -> str | None:
        """Makes the first administrator and returns its one-time password. Returns None if there is an account already."""
        with self._engine.begin() as connection:
            if connection.execute(select(func.count()).select_from(t.ACCOUNTS)).scalar_one():
                return None
        password = fresh_password()
        row = Account(name, Role.ADMINISTRATOR.value, must_change=True)
        try:
            self.make(row, by="first start", at=at, password=password)
        except NotGranted:  # another process has made an account meanwhile
            return None
        return password

    def set_password(
        self, name: str, password: str, *, by: str, at: int, keep: str = "", proved: str | None = None
    ) -> None:
        """Sets a new password and ends every session of the account except the one with the digest `keep`. If `by` is not the account itself,
        the password must be changed within `one_time_hours`. `proved`: as in `open_session`. Raises NotGranted if the password is too short or
        too long."""
        check_password(password)
        made, one_time = hashed(password), by != name
        until = at + self.one_time_hours * HOUR if one_time else None
        with self._changing() as connection:
            _check_proved(connection, name, proved)
            here = t.ACCOUNTS.c.account == name
            changed = connection.execute(
                update(t.ACCOUNTS).where(here).values(password=made, must_change=one_time, password_until_us=until)
            ).rowcount
            if not changed:
                raise NotGranted(f"There is no account {name}. 没有该账户")
            connection.execute(delete(t.SESSIONS).where(t.SESSIONS.c.account == name, t.SESSIONS.c.digest != keep))
            _granted(connection, by, name, "password set", "", at)

    # sessions

    def wait_us(self, name: str, address: str, at: int) -> int:
        """Returns for how many microseconds a sign-in with this name from this address has to wait. Sign-ins with other names or from other
        addresses are not affected."""
        s = t.SIGN_INS.c
        with self._reading.begin() as connection:
            row = connection.execute(
                select(s.failures, s.last_us).where(s.account == name, s.address == address)
            ).first()
        if row is None or row.failures < FREE_FAILURES or at - row.last_us > REMEMBERED:
            return 0
        failures, last = int(row.failures), int(row.last_us)
        wait = min(LONGEST_WAIT, SECOND << min(failures - FREE_FAILURES, 10))
        return min(wait, max(0, last + wait - at))  # even if the clock was set back, nobody waits longer than `wait`

    def failed(self, name: str, address: str, at: int) -> int:
        """Counts a failed sign-in with this name from this address, and returns how many have failed in a row."""
        s = t.SIGN_INS.c
        with self._engine.begin() as connection:
            connection.execute(delete(t.SIGN_INS).where(s.last_us < at - REMEMBERED))
            row = {"account": name, "address": address, "failures": 1, "last_us": at}
            made = insert_into(connection, t.SIGN_INS).values(row)
            again = {"failures": s.failures + 1, "last_us": at}
            connection.execute(made.on_conflict_do_update(index_elements=["account", "address"], set_=again))
            here = select(s.failures).where(s.account == name, s.address == address)
            return int(connection.execute(here).scalar_one())

    def open_session(self, name: str, host: str, address: str, at: int, *, proved: str | None = None) -> str:
        """Opens a session of this account and returns its cookie. `proved`: the hash with which the password was compared. The comparison
        takes time, so the account may have changed meanwhile. Raises SignInRefused if the account now has another hash or is closed."""
        cookie = fresh_secret()
        row = {"digest": digest(cookie), "account": name, "host": host, "made_us": at, "used_us": at}
        with self._engine.begin() as connection:
            _check_proved(connection, name, proved)
            connection.execute(delete(t.SESSIONS).where(t.SESSIONS.c.ends_us < at))
            connection.execute(t.SESSIONS.insert().values(**row, ends_us=at + SESSION_HOURS * HOUR))
            s = t.SIGN_INS.c
            connection.execute(delete(t.SIGN_INS).where(s.account == name, s.address == address))
        return cookie

    def end_sessions(self, name: str, *, by: str = "", at: int = 0) -> None:
        """Ends all sessions of this account, in every browser. `by`: the name of another account, if that account ends
        the sessions. In this case the end is recorded, and NotGranted is raised if there is no account `name`."""
        with self._changing() as connection:
            if by and _account(connection, name) is None:
                raise NotGranted(f"There is no account {name}. 没有该账户")
            connection.execute(delete(t.SESSIONS).where(t.SESSIONS.c.account == name))
            if by:
                _granted(connection, by, name, "sessions ended", "", at)

    def session(self, cookie: str, host: str, at: int) -> Who:
        """Returns who has this session. Raises SignInRefused if the session never existed, has ended, or is used at
        another host name, if its account is closed, or if the clock was set back.

        A browser sends the cookie only to the host name that set it. If the cookie comes to another host name, somebody
        has copied it, so its session is ended.
        """
        if not COOKIE_SIGNS.fullmatch(cookie):
            raise SignInRefused("session_unknown")
        s, named = t.SESSIONS.c, digest(cookie)
        with self._reading.begin() as connection:
            row = connection.execute(select(t.SESSIONS).where(s.digest == named)).first()
            if row is None:
                raise SignInRefused("session_unknown")
            account = _account(connection, row.account)
            clients = _clients(connection, account.company, at) if account else ()
        why = _why_not(row, account, host, at)
        if why == "session_other_host":
            self._end(named)
        elif why and why != "clock_set_back":
            with self._engine.begin() as connection:
                connection.execute(delete(t.SESSIONS).where(s.digest == named))
        if why or account is None:
            raise SignInRefused(why)
        if at > row.used_us + USED_EVERY:
            with self._engine.begin() as connection:
                connection.execute(update(t.SESSIONS).where(s.digest == named).values(used_us=at))
        return account.who(clients, csrf=csrf_of(cookie), session=named, must_change=account.must_change)

    def end_session(self, cookie: str) -> None:
        """Ends the session with this cookie."""
        self._end(digest(cookie))

    def _end(self, named: str) -> None:
        with self._changing() as connection:
            connection.execute(delete(t.SESSIONS).where(t.SESSIONS.c.digest == named))

    # keys of programs

    def make_key(
        self,
        name: str,
        *,
        by: str,
        at: int,
        ends_us: int | None = None,
        scopes: Iterable[str] = tuple(_SCOPES),
    ) -> Shown:
        """Makes a key of this account. Its secret is shown only once. `ends_us`: when the key ends; None if it does not end. Raises NotGranted
        if the scopes or the account are not valid."""
        wanted = sorted(set(scopes))
        if not wanted or not set(wanted) <= _SCOPES:
            raise NotGranted(f"Scopes are {', '.join(sorted(_SCOPES))}, not {' '.join(wanted)}. 权限范围有误")
        shown = Shown(fresh_key()[:12], fresh_secret())
        with self._changing() as connection:
            _make_key(connection, name, shown, wanted, by, at, ends_us)
        return shown

    def rotate(self, key_id: str, *, by: str, at: int, overlap_us: int, ends_us: int | None = None) -> Shown:
        """Makes a new key with the account and the scopes of the key `key_id`. `ends_us`: when the new key ends; None
        if it does not end. The old key ends after `overlap_us` microseconds, or earlier if it would have ended earlier
        anyway. Raises NotGranted if the old key is not in force."""
        shown = Shown(fresh_key()[:12], fresh_secret())
        with self._changing() as connection:
            k = t.API_KEYS.c
            row = connection.execute(select(t.API_KEYS).where(k.key_id == key_id)).first()
            if row is None or row.revoked_us is not None or (row.ends_us is not None and row.ends_us <= at):
                raise NotGranted(f"There is no key {key_id} in force. 没有有效的密钥")
            until = at + overlap_us if row.ends_us is None else min(row.ends_us, at + overlap_us)
            connection.execute(update(t.API_KEYS).where(k.key_id == key_id).values(ends_us=until))
            _granted(connection, by, row.account, "key rotated", f"{key_id} until {_moment_text(until)}", at)
            _make_key(connection, row.account, shown, row.scopes.split(), by, at, ends_us)
        return shown

    def revoke(self, key_id: str, *, by: str, at: int) -> None:
        """Revokes the key. A console that has the key in its cache may accept it for some more seconds."""
        with self._changing() as connection:
            k = t.API_KEYS.c
            row = connection.execute(select(t.API_KEYS).where(k.key_id == key_id)).first()
            if row is None:
                raise NotGranted(f"There is no key {key_id}. 没有该密钥")
            connection.execute(
                update(t.API_KEYS).where(k.key_id == key_id, k.revoked_us.is_(None)).values(revoked_us=at)
            )
            _granted(connection, by, row.account, "key revoked", key_id, at)

    def key(self, written_key: str, at: int) -> KnownKey:
        """Returns the account of this key. Raises SignInRefused if the key is unknown, has expired or was revoked, or if its account is
        closed."""
        match = KEY.fullmatch(written_key)
        if match is None:
            raise SignInRefused("key_unknown")
        k, named = t.API_KEYS.c, digest(written_key)
        with self._reading.begin() as connection:
            row = connection.execute(select(t.API_KEYS).where(k.key_id == match[1])).first()
            if row is None or not hmac.compare_digest(row.digest, named):
                raise SignInRefused("key_unknown")
            account = _account(connection, row.account)
            clients = _clients(connection, account.company, at) if account else ()
        why = why_no_key(row, account, at)
        if why or account is None:
            raise SignInRefused(why, seen=row.key_id)
        scopes = frozenset([Scope(scope) for scope in row.scopes.split() if scope in _SCOPES])
        return KnownKey(account.who(clients, scopes=scopes), row.ends_us)

    def listed_keys(self) -> list[Any]:
        """Returns all keys, without their digests."""
        k = t.API_KEYS.c
        columns = (k.key_id, k.account, k.scopes, k.made_us, k.ends_us, k.revoked_us)
        with self._engine.begin() as connection:
            return list(connection.execute(select(*columns).order_by(k.account, k.made_us)))

    # authorisations of agents

    def authorise(self, company: str, agent: str, *, by: str, at: int, from_us: int, until_us: int | None) -> None:
        """Lets the agent declare for the company and see its goods from `from_us` until `until_us` (None: without end).
        Raises NotGranted if `until_us` is not later than `from_us`, or if `company` is not 1 to 64 visible characters.
        The name `*`, which stands for all companies, is refused, because each company authorises only for itself."""
        if (
            company == EVERY_COMPANY
            or not company.strip()
            or not re.match(LINE, company)
            or len(company) > LONGEST_NAME
        ):
            raise NotGranted("A company is named by 1 to 64 visible characters, and by its own. 企业代码有误")
        if until_us is not None and until_us <= from_us:
            raise NotGranted("The authorisation would end before it begins. 授权的终止早于起始")
        with self._changing() as connection:
            _authorise(connection, company, agent, by, at, from_us, until_us)

    def end_authorisation(self, company: str, agent: str, *, by: str, at: int) -> None:
        """Ends the company's authorisation of the agent now, even if it has not begun yet. Raises NotGranted if there
        is none, or if it has ended already."""
        with self._changing() as connection:
            a = t.AUTHORISATIONS.c
            open_now = (a.company == company, a.agent == agent, or_(a.until_us.is_(None), a.until_us > at))
            ended = connection.execute(update(t.AUTHORISATIONS).where(*open_now).values(until_us=at)).rowcount
            if not ended:
                raise NotGranted(f"{company} has not authorised {agent}. 没有有效授权")
            _granted(connection, by, agent, "authorisation ended", company, at)

    def grants(self, limit: int = 1000) -> list[Any]:
        """Returns the latest grants, at most `limit`, the newest first."""
        with self._engine.begin() as connection:
            return list(connection.execute(select(t.GRANTS).order_by(t.GRANTS.c.number.desc()).limit(limit)))


def written(key: Shown) -> str:
    """Returns the key in the form in which a program sends it."""
    return f"dtg_{key.key_id}_{key.secret}"


def hashed(password: str) -> str:
    """Returns the argon2id hash of a password. This takes tens of milliseconds and 64 MiB."""
    return HASHER.hash(unicodedata.normalize("NFC", password))


def is_right(stored: str, password: str) -> bool:
    """Returns whether the password has the hash `stored`. If there is no account, `stored` is empty. The check then takes as long as with a
    hash, so the time does not show that there is no account."""
    try:
        HASHER.verify(stored or NOBODY, unicodedata.normalize("NFC", password))
    except (VerificationError, InvalidHashError):
        return False
    return bool(stored)


def check_password(password: str) -> None:
    """Raises NotGranted for a password that is too short or too long."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise NotGranted(
            f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters. "
            f"密码须为 {SHORTEST_PASSWORD} 至 {LONGEST_PASSWORD} 个字符"
        )


def _check(account: Account, sandbox: bool) -> None:
    name, roles = account.account, account.roles.split()
    if not name or len(name) > LONGEST_NAME or not re.match(LINE, name) or name != name.strip():
        raise NotGranted(f"A name has 1 to {LONGEST_NAME} visible characters. 名称须为可见字符")
    if misnamed(name, account.company):
        raise NotGranted(f"{name} is the code of another company. 名称是其他企业的信用代码")
    if not roles or not set(roles) <= _ROLES:
        raise NotGranted(f"Roles are {', '.join(sorted(_ROLES))}, not {account.roles!r}. 角色有误")
    if not sandbox and CUSTOMS & set(roles) and OUTSIDE & set(roles):
        raise NotGranted(
            "One account is not of customs and of those who deal with it: give two. 同一账户不得兼有海关与企业角色，请分设账户"
        )
    if account.company == EVERY_COMPANY and not sandbox:
        raise NotGranted("An account for every company is of a sandbox only. 仅沙箱可设全部企业")
    if account.company and not re.match(LINE, account.company) or len(account.company) > LONGEST_NAME:
        raise NotGranted("A company is named by 1 to 64 visible characters. 企业代码有误")
    if {"declarant", "agent"} & set(roles) and not account.company:
        raise NotGranted("A declarant or agent has a company (USCC). 申报人和代理须有企业代码")
    if {"targeting", "inspector", "release", "treatment"} & set(roles) and not re.fullmatch(
        r"[0-9]{4}", account.office
    ):
        raise NotGranted(
            f"An officer or treatment unit has an office of four digits, {EVERY_OFFICE} for all. 须有四位关区代码"
        )


def _check_new(account: Account, sandbox: bool) -> None:
    _check(account, sandbox)
    if not NAME.fullmatch(account.account):
        raise NotGranted(
            "A name is of letters, digits and signs of ASCII and of Chinese characters: others look like these. "
            "名称只能使用 ASCII 字符和汉字"
        )


def _make(connection: Connection, account: Account, by: str, at: int) -> None:
    _check_alike(connection, account)
    if not _insert(connection, t.ACCOUNTS, account._asdict()):
        raise NotGranted(f"There is an account {account.account}. 账户已存在")
    detail = f"{account.roles} company={account.company} office={account.office}"
    _granted(connection, by, account.account, "account made", detail, at)


def _make_key(
    connection: Connection,
    name: str,
    shown: Shown,
    scopes: Iterable[str],
    by: str,
    at: int,
    ends_us: int | None = None,
) -> None:
    """Inserts the key and records the grant. Does nothing if the id exists already. Raises NotGranted if the account is closed or does not
    exist."""
    account, listed = _account(connection, name), " ".join(scopes)
    if account is None or account.closed:
        raise NotGranted(f"There is no account {name}. 没有该账户")
    row = {
        "key_id": shown.key_id,
        "account": name,
        "digest": digest(written(shown)),
        "scopes": listed,
        "made_us": at,
        "ends_us": ends_us,
        "revoked_us": None,
    }
    if _insert(connection, t.API_KEYS, row):
        until = "" if ends_us is None else f" until {_moment_text(ends_us)}"
        _granted(connection, by, name, "key made", f"{shown.key_id} {listed}{until}", at)


def _authorise(
    connection: Connection, company: str, agent: str, by: str, at: int, from_us: int, until_us: int | None
) -> None:
    row = {"company": company, "agent": agent, "from_us": from_us, "until_us": until_us}
    if _insert(connection, t.AUTHORISATIONS, row):
        detail = f"{company} from {_moment_text(from_us)} until {_moment_text(until_us)}"
        _granted(connection, by, agent, "authorised", detail, at)


def _insert(connection: Connection, table: Any, row: dict[str, Any]) -> bool:
    """Inserts the row and returns whether it was new. RETURNING is used because PostgreSQL's driver does not count inserted rows."""
    made = insert_into(connection, table).values(row).on_conflict_do_nothing()
    return connection.execute(made.returning(*table.primary_key.columns)).first() is not None


def _administers(account: Account) -> bool:
    return not account.closed and Role.ADMINISTRATOR.value in account.roles.split()


def _others_administer(connection: Connection, name: str) -> bool:
    a = t.ACCOUNTS.c
    some = a.roles.contains(Role.ADMINISTRATOR.value)
    rows = connection.execute(select(t.ACCOUNTS).where(a.account != name, a.closed.is_(False), some))
    return any(_administers(Account(*row)) for row in rows)


def _check_proved(connection: Connection, name: str, proved: str | None) -> None:
    account = None if proved is None else _account(connection, name)
    if proved is not None and (account is None or account.closed or account.password != proved):
        raise SignInRefused("session_unknown")


def _check_alike(connection: Connection, account: Account) -> None:
    """Raises NotGranted if the name of another account differs from this name only in capitals, and for the reasons of
    `_check_companies`."""
    a, name = t.ACCOUNTS.c, account.account
    alike = connection.execute(
        select(a.account).where(func.lower(a.account) == name.lower(), a.account != name)
    ).scalar()
    if alike is not None:
        raise NotGranted(f"{name} reads like the account {alike}. 名称与已有账户相近")
    _check_companies(connection, account)


def _check_companies(connection: Connection, account: Account) -> None:
    """Raises NotGranted if requests of this account could be taken for requests of another company or account. A
    request names the company of its sender, or the account if the sender has no company. So this account is compared with
    each account of another company: its name must not be the company of that account, and its company must not be the name
    of that account. Upper and lower case count as the same."""
    a, name, company = t.ACCOUNTS.c, account.account, account.company
    others = a.company != company, a.account != name
    if connection.execute(select(a.account).where(func.lower(a.company) == name.lower(), *others)).first():
        raise NotGranted(f"{name} is the company of another account. 名称是其他账户的企业代码")
    if (
        company
        and connection.execute(select(a.account).where(func.lower(a.account) == company.lower(), *others)).first()
    ):
        raise NotGranted(f"The company {company} is the name of another account. 企业代码是其他账户的名称")


def why_no_key(row: Any, account: Account | None, at: int) -> str:
    """Returns the code of the reason why this key is refused at the time `at`; empty if it is valid. `account`: the account of the key."""
    if row.revoked_us is not None:
        return "key_revoked"
    if row.ends_us is not None and at >= row.ends_us:
        return "key_expired"
    if row.made_us > at + SKEW:
        return "clock_set_back"
    return "account_closed" if account is None or account.closed else ""


def _why_not(row: Any, account: Account | None, host: str, at: int) -> str:
    """Returns the code of the reason why this session is refused; empty if it is valid."""
    if row.host != host:
        return "session_other_host"
    if max(row.used_us, row.made_us) > at + SKEW:
        return "clock_set_back"
    if at >= row.ends_us or at >= row.used_us + IDLE_MINUTES * MINUTE:
        return "session_ended"
    return "account_closed" if account is None or account.closed else ""


def _account(connection: Connection, name: str) -> Account | None:
    row = connection.execute(select(t.ACCOUNTS).where(t.ACCOUNTS.c.account == name)).first()
    return None if row is None else Account(*row)


def _clients(connection: Connection, agent: str, at: int) -> list[str]:
    if not agent:
        return []
    a = t.AUTHORISATIONS.c
    now = (a.agent == agent, a.from_us <= at, or_(a.until_us.is_(None), a.until_us > at))
    return list(connection.execute(select(a.company).where(*now)).scalars())


def _granted(connection: Connection, by: str, account: str, what: Granted, detail: str, at: int) -> None:
    connection.execute(
        t.GRANTS.insert().values(at_us=at, granted_by=by, account=account, what=what, detail=detail[:500])
    )


def _moment_text(us: int | None) -> str:
    """Returns a time in the form that the record of grants has."""
    return "no end" if us is None else datetime.fromtimestamp(us / SECOND, UTC).isoformat(timespec="minutes")
