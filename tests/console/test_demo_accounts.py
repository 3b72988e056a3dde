"""Has each account of a demo its published key, even if an earlier start was killed at any point, and is there always a
next key when a key is rotated?"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event

from services.console.access import demo_accounts as under_test
from services.console.access.accounts import DAY, SECOND, Account, Accounts, SignInRefused, written
from services.console.access.demo_accounts import AGENT, COMPANY, DEMOS, PASSWORD, Demo, make_demos
from services.console.access.rights import Role
from services.console.readmodel.database import open_engine

AT = 1_795_000_000 * SECOND
A_FEW = tuple([demo for demo in DEMOS if demo.role in (Role.DECLARANT, Role.AGENT)])
OF_AGENT = A_FEW[1]


class Killed(BaseException):
    """Stands for the end of the process when it is killed."""


@pytest.fixture
def engine(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(under_test, "DEMOS", A_FEW)
    monkeypatch.setattr(under_test, "world_us", lambda: AT)
    made = open_engine(url, writes=True)
    yield made
    made.dispose()


@contextmanager
def killed_at(engine: Engine, statement: int) -> Iterator[list[int]]:
    """Raises Killed before the writing statement with this number, counted from 1. Yields a list with the numbers of
    the writing statements so far."""
    statements: list[int] = []

    def before(connection: object, cursor: object, text: str, *more: object) -> None:
        if not text.startswith("SELECT"):
            statements.append(len(statements) + 1)
            if len(statements) == statement:
                raise Killed

    event.listen(engine, "before_cursor_execute", before)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", before)


def whole(accounts: Accounts, demo: Demo) -> bool:
    """Whether the account exists with its key, and, if the account is an agent's, with its authorisation."""
    try:
        who = accounts.key(written(demo.key), AT).who
    except SignInRefused:
        return False
    return who.actor == demo.account and (demo.role is not Role.AGENT or who.clients == {COMPANY})


def test_a_start_that_is_killed_leaves_no_account_without_its_key_and_the_next_one_makes_the_rest(
    engine: Engine,
) -> None:
    accounts = Accounts(engine)
    for statement in range(1, 100):
        with killed_at(engine, statement) as statements:
            try:
                make_demos(accounts, sandbox=True)
            except Killed:
                there = {account.account for account in accounts.accounts()}
                halves = [demo.account for demo in A_FEW if demo.account in there and not whole(accounts, demo)]
                assert not halves, f"killed before statement {statement}"
            else:
                assert not statements[statement:]
                break
        # Each round begins with empty tables. The start is killed one statement later than in the round before.
        with engine.begin() as connection:
            for table in ("accounts", "api_keys", "authorisations", "grants"):
                connection.exec_driver_sql(f"DELETE FROM {table}")
    else:
        pytest.fail("a start does not come to its end")
    assert all(whole(accounts, demo) for demo in A_FEW)


def test_an_account_that_a_start_of_an_older_software_version_left_without_key_gets_it_at_the_next_start(
    engine: Engine,
) -> None:
    accounts = Accounts(engine)
    row = Account(OF_AGENT.account, OF_AGENT.role.value, OF_AGENT.company, OF_AGENT.office)
    accounts.make(row, by="dtg up --demo", at=AT, password=PASSWORD)
    make_demos(accounts, sandbox=True)
    assert whole(accounts, OF_AGENT)


def test_what_was_taken_from_a_demo_account_stays_taken(engine: Engine) -> None:
    accounts = Accounts(engine)
    make_demos(accounts, sandbox=True)
    accounts.revoke(OF_AGENT.key.key_id, by="admin", at=AT + 1)
    accounts.end_authorisation(COMPANY, AGENT, by="admin", at=AT + 1)
    accounts.change(A_FEW[0].account, by="admin", at=AT + 1, closed=True)
    before = accounts.grants()
    make_demos(accounts, sandbox=True)
    assert accounts.grants() == before
    with pytest.raises(SignInRefused, match="key_revoked"):
        accounts.key(written(OF_AGENT.key), AT + 2)


def test_a_closed_account_without_key_does_not_keep_a_demo_from_starting(engine: Engine) -> None:
    accounts = Accounts(engine)
    row = Account(OF_AGENT.account, OF_AGENT.role.value, OF_AGENT.company, OF_AGENT.office)
    accounts.make(row, by="dtg up --demo", at=AT, password=PASSWORD)
    accounts.change(OF_AGENT.account, by="admin", at=AT, closed=True)
    make_demos(accounts, sandbox=True)
    assert whole(accounts, A_FEW[0]) and not whole(accounts, OF_AGENT)


def test_a_rotation_that_is_killed_leaves_the_old_key_as_it_was(engine: Engine) -> None:
    accounts = Accounts(engine)
    make_demos(accounts, sandbox=True)
    key = accounts.make_key(OF_AGENT.account, by="admin", at=AT)
    for statement in range(1, 100):
        with killed_at(engine, statement) as statements:
            try:
                accounts.rotate(key.key_id, by="admin", at=AT, overlap_us=DAY)
            except Killed:
                assert accounts.key(written(key), AT).ends_us is None, f"killed before statement {statement}"
            else:
                assert not statements[statement:]
                break
    assert accounts.key(written(key), AT).ends_us == AT + DAY
