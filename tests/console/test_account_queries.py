"""Are people, grants and requests found by name, goods and day, page by page, and is nothing shown from which a secret
could be derived?"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, update

from services.console.access.account_queries import AccountQueries, InForce, accounts, grants, readings, requests
from services.console.access.accounts import (
    DAY,
    HOUR,
    IDLE_MINUTES,
    MINUTE,
    SECOND,
    Account,
    Accounts,
    SignInRefused,
    why_no_key,
    written,
)
from services.console.access.readings import AGAIN_SECONDS, GIVEN_UP, Readings
from services.console.readmodel import tables as t
from services.console.readmodel.database import open_engine
from services.console.readmodel.lists import ListPart, ListPosition

AT = 1_795_000_000 * SECOND
COMPANY, OTHER = "91370200163562681G", "91310115MA1H7L0T3Q"


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    made = open_engine(url, writes=True)
    people = Accounts(made)
    for number in range(5):
        people.make(Account(f"clerk_{number}", "declarant", COMPANY), by="admin", at=AT)
    people.make(Account("clerk%", "agent", OTHER), by="admin", at=AT)
    people.make(Account("officer/1", "inspector release", "", "4218"), by="chief", at=AT)
    yield made
    made.dispose()


def names(
    engine: Engine, parts: Sequence[ListPart], column: str, after: ListPosition | None = None, limit: int = 50
) -> list[Any]:
    return [getattr(row, column) for _, row in AccountQueries(engine).page(parts, after, limit)]


def test_accounts_are_found_by_the_beginning_of_their_name_company_office_and_role(engine: Engine) -> None:
    assert names(engine, accounts("clerk%"), "account") == ["clerk%"], "no sign is a pattern"
    assert names(engine, accounts("officer"), "account") == ["officer/1"] == names(engine, accounts("4218"), "account")
    assert names(engine, accounts("release"), "account") == ["officer/1"]
    assert names(engine, accounts("rel"), "account") == [], "a part of a role is none"
    assert len(names(engine, accounts(COMPANY), "account")) == 5
    assert len(names(engine, accounts(""), "account")) == 7


def test_a_list_of_accounts_comes_in_pages_and_every_account_in_one_of_them(engine: Engine) -> None:
    found, last = list[str](), None
    while rows := AccountQueries(engine).page(accounts(""), last, 3):
        found += [row.account for _, row in rows]
        last = rows[-1][0]
    assert len(found) == len(set(found)) == 7


def test_what_was_given_is_found_by_who_gave_it_and_by_who_got_it(engine: Engine) -> None:
    people = Accounts(engine)
    people.make_key("officer/1", by="admin", at=AT)
    people.set_password("officer/1", "my own password", by="officer/1", at=AT)
    assert names(engine, grants("officer/1"), "what") == ["password set", "key made", "account made"]
    assert names(engine, grants("chief"), "account") == ["officer/1"]
    assert len(names(engine, grants(""), "what")) == 9
    assert names(engine, grants("nobody"), "what") == []


def test_sessions_and_keys_that_are_good_no_more_are_not_counted(engine: Engine) -> None:
    people, record = Accounts(engine), AccountQueries(engine)
    people.open_session("clerk_0", "here:1", "10.0.0.1", AT)
    people.open_session("clerk_0", "here:1", "10.0.0.1", AT + IDLE_MINUTES * MINUTE)
    people.make_key("clerk_0", by="admin", at=AT, ends_us=AT + HOUR)
    people.make_key("clerk_0", by="admin", at=AT)
    people.revoke(people.make_key("clerk_0", by="admin", at=AT).key_id, by="admin", at=AT)
    later = AT + IDLE_MINUTES * MINUTE
    assert record.in_force(["clerk_0", "clerk_1"], later - MINUTE)["clerk_0"] == InForce(2, later, 2)
    assert record.in_force(["clerk_0", "clerk_1"], later) == {"clerk_0": InForce(1, later, 1), "clerk_1": InForce()}
    listed = record.keys_of("clerk_0")
    assert len(listed) == 3 and not any("digest" in row._mapping for row in listed)


@pytest.mark.parametrize("at", [AT, AT - 10 * MINUTE, AT - 4 * MINUTE, AT + HOUR, AT + DAY])
@pytest.mark.parametrize("closed", [False, True])
def test_what_is_counted_is_what_is_accepted(engine: Engine, at: int, closed: bool) -> None:
    """The clock may be set back after a session or key was made. The columns of a closed account are changed here directly, because
    `change` also ends its sessions."""
    people, record = Accounts(engine), AccountQueries(engine)
    cookies = [people.open_session("clerk_0", "here:1", "10.0.0.1", made) for made in (AT - HOUR, AT, AT)]
    keys = [written(people.make_key("clerk_0", by="admin", at=AT, ends_us=ends)) for ends in (None, AT + HOUR)]
    people.session(cookies[1], "here:1", AT + 30 * MINUTE)  # the session was used then
    with engine.begin() as connection:
        connection.execute(update(t.ACCOUNTS).where(t.ACCOUNTS.c.account == "clerk_0").values(closed=closed))
    counted = record.in_force(["clerk_0"], at)["clerk_0"]

    def accepted(ask: Callable[[], object]) -> bool:
        try:
            ask()
        except SignInRefused:
            return False
        return True

    states = [why_no_key(row, people.account("clerk_0"), at) for row in record.keys_of("clerk_0")]
    good_keys = [accepted(partial(people.key, key, at)) for key in keys]
    good_sessions = [accepted(partial(people.session, cookie, "here:1", at)) for cookie in cookies]
    assert (counted.sessions, counted.keys) == (sum(good_sessions), sum(good_keys))
    assert states.count("") == counted.keys


def test_the_companies_of_an_agent_are_listed_with_their_times(engine: Engine) -> None:
    people, record = Accounts(engine), AccountQueries(engine)
    people.authorise(COMPANY, OTHER, by="admin", at=AT, from_us=AT, until_us=AT + DAY)
    assert [(row.company, row.until_us) for row in record.clients_of(OTHER)] == [(COMPANY, AT + DAY)]
    assert record.clients_of(COMPANY) == [] == record.clients_of("")


def test_who_did_what_is_found_by_person_goods_and_day(engine: Engine) -> None:
    def row(number: int, sender: str, kind: str, subject: str, at: int) -> dict[str, Any]:
        names = {"idempotency_key": "", "digest": "", "sender": sender, "kind": kind, "subject": subject}
        return {**names, "request_id": f"r{number}", "asked_us": at}

    rows = [
        row(1, "clerk_0", "LodgeDeclaration", "c-1", AT),
        row(2, "officer/1", "PlaceHold", "c-1", AT + HOUR),
        row(3, "officer/1", "PlaceContainerHold", "CSQU3054383", AT + DAY),
        row(4, "officer/2", "LiftHold", "c-1", AT + DAY),
    ]
    with engine.begin() as connection:
        connection.execute(t.LODGEMENTS.insert(), rows)
    assert names(engine, requests("", "", None, None), "request_id") == ["r4", "r3", "r2", "r1"]
    assert names(engine, requests("officer/1", "", None, None), "request_id") == ["r3", "r2"]
    assert names(engine, requests("", "c-1", None, None), "request_id") == ["r4", "r2", "r1"]
    assert names(engine, requests("", "csqu 305438-3", None, None), "request_id") == ["r3"]
    assert names(engine, requests("", "", AT + DAY, AT + 2 * DAY), "request_id") == ["r4", "r3"]
    assert names(engine, requests("officer/1", "c-1", AT, AT + DAY), "kind") == ["PlaceHold"]


def test_who_read_what_is_on_record_once_an_hour_and_a_row_that_cannot_be_keeps_no_other_one_out(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("services.console.access.readings.stopwatch", lambda: clock[0])
    noted, before = Readings(engine), GIVEN_UP._value.get()
    for reader, subject in (("officer/1", "c-1"), ("officer/1", "c-1"), ("officer/2", "c-1"), ("officer/1", "x" * 900)):
        noted.note(reader, subject)
    noted.write()
    assert sorted(names(engine, readings("", "c-1", None, None), "reader")) == ["officer/1", "officer/2"]
    assert len(names(engine, readings("officer/1", "", None, None), "subject")) == 2
    clock[0] = AGAIN_SECONDS
    noted.note("officer/1", "c-1")
    if engine.dialect.name == "postgresql":
        noted.note("officer/1", "\0")
    noted.write()
    noted.write()
    assert len(names(engine, readings("officer/1", "c-1", None, None), "subject")) == 2
    assert GIVEN_UP._value.get() - before == (engine.dialect.name == "postgresql")
