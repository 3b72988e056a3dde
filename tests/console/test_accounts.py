"""Are people, sessions and keys stored, shown only once, ended when they must end, and recorded?"""

from collections.abc import Iterator
from typing import get_args

import pytest
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import select

from schemas.declaration import WithdrawDeclaration
from schemas.release import ReportArrival
from services.cli.settings import UpSettings
from services.console.access.accounts import (
    DAY,
    FREE_FAILURES,
    HASHER,
    HOUR,
    IDLE_MINUTES,
    LONGEST_WAIT,
    MINUTE,
    NOBODY,
    ONE_TIME_HOURS,
    SECOND,
    SESSION_HOURS,
    Account,
    Accounts,
    Granted,
    NotGranted,
    Shown,
    SignInRefused,
    is_right,
    written,
)
from services.console.access.rights import Role, Scope, Who, covers
from services.console.readmodel import tables as t
from services.console.readmodel.database import migrate, open_engine
from services.console.readmodel.rebuild import empty
from services.console.settings import ConsoleSettings
from services.shell.clock import Forward, world_us
from tests.console.test_feed import downgraded

AT = 1_795_000_000 * SECOND
COMPANY, OTHER = "91370200163562681G", "91310115MA1H7L0T3Q"
CLERK = Account("clerk", "declarant", COMPANY)
OFFICER = Account("officer/1", "inspector release", "", "4218")


@pytest.fixture
def people(url: str) -> Iterator[Accounts]:
    engine = open_engine(url, writes=True)
    made = Accounts(engine)
    made.make(CLERK, by="admin", at=AT, password="correct horse battery")
    made.make(OFFICER, by="admin", at=AT)
    yield made
    engine.dispose()


def why(people: Accounts, cookie: str, host: str = "here:1", at: int = AT) -> str:
    with pytest.raises(SignInRefused) as refused:
        people.session(cookie, host, at)
    return refused.value.code


def why_not(people: Accounts, key: str, at: int = AT) -> str:
    with pytest.raises(SignInRefused) as refused:
        people.key(key, at)
    return refused.value.code


def test_the_hash_for_unknown_accounts_takes_as_long_as_others_and_fits_no_password() -> None:
    assert not HASHER.check_needs_rehash(NOBODY)
    with pytest.raises(VerifyMismatchError):
        HASHER.verify(NOBODY, "")


def test_what_is_stored_of_a_password_a_session_and_a_key_is_no_use_to_who_reads_it(people: Accounts) -> None:
    cookie = people.open_session("clerk", "here:1", "10.0.0.1", AT)
    key = written(people.make_key("clerk", by="admin", at=AT))
    engine = people._engine
    with engine.begin() as connection:
        rows = [str(tuple(row)) for table in t.OF_PEOPLE for row in connection.execute(select(table))]
    assert all(secret not in row for row in rows for secret in (cookie, key, "correct horse battery"))
    stored = people.account("clerk")
    assert stored and stored.password.startswith("$argon2id$")
    assert is_right(stored.password, "correct horse battery") and not is_right(stored.password, "correct horse")
    assert not is_right("", "nobody has this password")


def test_a_session_is_its_accounts_until_it_ends(people: Accounts) -> None:
    cookie = people.open_session("clerk", "here:1", "10.0.0.1", AT)
    who = people.session(cookie, "here:1", AT + MINUTE)
    assert (who.actor, who.company) == ("clerk", COMPANY) and who.roles == {Role.DECLARANT} and len(who.csrf) == 64
    last = AT
    while last < AT + SESSION_HOURS * HOUR - 50 * MINUTE:
        # The session is used every 50 minutes, so it never ends for want of use. It ends only after SESSION_HOURS.
        last += 50 * MINUTE
        people.session(cookie, "here:1", last)
    assert why(people, cookie, at=AT + SESSION_HOURS * HOUR) == "session_ended"
    assert why(people, cookie, at=AT) == "session_unknown", "an ended session is gone"


def test_a_session_that_nobody_uses_ends(people: Accounts) -> None:
    cookie = people.open_session("clerk", "here:1", "10.0.0.1", AT)
    people.session(cookie, "here:1", AT + (IDLE_MINUTES - 1) * MINUTE)
    assert why(people, cookie, at=AT + (2 * IDLE_MINUTES - 1) * MINUTE) == "session_ended"


def test_a_cookie_that_is_shown_under_another_host_name_ends_its_session(people: Accounts) -> None:
    cookie = people.open_session("clerk", "here:1", "10.0.0.1", AT)
    assert why(people, cookie, host="there:1") == "session_other_host"
    assert why(people, cookie) == "session_unknown"


def test_a_guessed_session_and_one_that_is_no_session_are_unknown(people: Accounts) -> None:
    assert why(people, "A" * 43) == "session_unknown"
    assert why(people, "é" * 43) == "session_unknown"
    assert why(people, "") == "session_unknown"


def test_signing_out_ends_every_session_of_the_account_and_no_other(people: Accounts) -> None:
    first, second = [people.open_session("clerk", "here:1", f"10.0.0.{n}", AT) for n in (1, 2)]
    other = people.open_session("officer/1", "here:1", "10.0.0.1", AT)
    people.end_sessions("clerk")
    assert [why(people, each) for each in (first, second)] == ["session_unknown"] * 2
    assert people.session(other, "here:1", AT).actor == "officer/1"


def test_a_changed_role_and_a_closed_account_hold_from_the_next_request_on(people: Accounts) -> None:
    cookie = people.open_session("officer/1", "here:1", "10.0.0.1", AT)
    assert people.session(cookie, "here:1", AT).may_ask(ReportArrival) is False
    people.change("officer/1", by="admin", at=AT, roles="terminal", company="CNTAO-4")
    assert people.session(cookie, "here:1", AT).may_ask(ReportArrival) is True
    key = written(people.make_key("officer/1", by="admin", at=AT))
    people.change("officer/1", by="admin", at=AT, closed=True)
    assert why(people, cookie) == "session_unknown" and why_not(people, key) == "account_closed"


def test_a_clock_that_was_set_back_gives_nobody_more_time(people: Accounts) -> None:
    cookie = people.open_session("clerk", "here:1", "10.0.0.1", AT)
    key = written(people.make_key("clerk", by="admin", at=AT))
    assert why(people, cookie, at=AT - HOUR) == "clock_set_back" == why_not(people, key, AT - HOUR)
    assert people.session(cookie, "here:1", AT).actor == "clerk", "it was not ended: the clock may be mended"
    wall, ticks = [1000.0], [5.0]
    clock = Forward(lambda: wall[0], lambda: ticks[0])
    wall[0], ticks[0] = 400.0, 6.0
    assert clock.micros() == 1001 * SECOND
    wall[0], ticks[0] = 2000.0, 7.0
    assert clock.micros() == 2000 * SECOND
    wall[0], ticks[0] = 900.0, 8.0
    assert clock.micros() == 2001 * SECOND


def test_a_key_is_good_for_its_scopes_until_it_expires_or_is_revoked(people: Accounts) -> None:
    key = people.make_key("clerk", by="admin", at=AT, ends_us=AT + DAY, scopes=("lodge",))
    found = people.key(written(key), AT)
    assert found.who.scopes == {Scope.LODGE} and found.ends_us == AT + DAY
    assert found.who.csrf == "" and found.who.session == ""
    assert why_not(people, written(key), AT + DAY) == "key_expired"
    people.revoke(key.key_id, by="admin", at=AT + HOUR)
    assert why_not(people, written(key), AT + HOUR) == "key_revoked"
    assert why_not(people, written(Shown(key.key_id, "x" * 43))) == "key_unknown"
    assert why_not(people, "dtg_nobody_" + "x" * 43) == "key_unknown" == why_not(people, "Bearer é")


def test_while_a_key_is_rotated_both_are_good(people: Accounts) -> None:
    old = people.make_key("clerk", by="admin", at=AT, scopes=("lodge", "read"))
    new = people.rotate(old.key_id, by="clerk", at=AT, overlap_us=DAY)
    assert people.key(written(old), AT + HOUR).who == people.key(written(new), AT + HOUR).who
    assert why_not(people, written(old), AT + DAY) == "key_expired"
    assert people.key(written(new), AT + DAY).who.actor == "clerk"
    with pytest.raises(NotGranted):
        people.rotate(old.key_id, by="clerk", at=AT + DAY, overlap_us=DAY)


def test_failed_sign_ins_make_that_name_wait_at_that_address_and_nobody_else(people: Accounts) -> None:
    at, tried, waited = AT, 0, 0
    while tried < 60:
        wait = people.wait_us("clerk", "10.0.0.66", at)
        waited += wait
        at += wait
        tried = people.failed("clerk", "10.0.0.66", at)
    assert waited > 40 * LONGEST_WAIT
    assert 0 < people.wait_us("clerk", "10.0.0.66", at) <= LONGEST_WAIT
    assert people.wait_us("clerk", "10.0.0.1", at) == 0 == people.wait_us("officer/1", "10.0.0.66", at)
    assert people.wait_us("clerk", "10.0.0.66", at - DAY) <= LONGEST_WAIT, "also when the clock is set back"
    people.open_session("clerk", "here:1", "10.0.0.66", at)
    assert people.wait_us("clerk", "10.0.0.66", at) == 0
    assert [people.failed("clerk", "10.0.0.9", at) for _ in range(FREE_FAILURES)][-1] == FREE_FAILURES
    assert people.wait_us("clerk", "10.0.0.9", at) == SECOND


def test_the_first_administrator_has_a_password_for_one_time_and_there_is_one_first_only(url: str) -> None:
    engine = open_engine(url, writes=True)
    people = Accounts(engine)
    password = people.first("admin", AT)
    admin = people.account("admin")
    assert password and admin and admin.must_change and is_right(admin.password, password)
    assert people.first("other", AT) is None
    cookie = people.open_session("admin", "here:1", "10.0.0.1", AT)
    assert people.session(cookie, "here:1", AT).must_change
    own = people.session(cookie, "here:1", AT).session
    people.set_password("admin", "a password of my own", by="admin", at=AT, keep=own)
    assert not people.session(cookie, "here:1", AT).must_change
    with pytest.raises(NotGranted):
        people.set_password("admin", "short", by="admin", at=AT)
    engine.dispose()


def test_a_password_that_somebody_else_made_is_good_for_some_days_and_another_one_is_made(people: Accounts) -> None:
    people.make(Account("late", "auditor", must_change=True), by="admin", at=AT, password="made by the administrator")
    until = AT + people.one_time_hours * HOUR

    def over(at: int) -> bool:
        late = people.account("late")
        assert late is not None
        return late.is_over(at)

    assert (over(until - 1), over(until), over(AT - DAY)) == (False, True, False)
    people.set_password("late", "made by the administrator again", by="admin", at=until)
    assert (over(until), over(until + people.one_time_hours * HOUR)) == (False, True)
    people.set_password("late", "a password of my own", by="late", at=until)
    assert not over(until + 1000 * DAY), "one's own has no such end"


def test_how_long_such_a_password_is_good_is_a_setting(people: Accounts) -> None:
    hasty = Accounts(people._engine, one_time_hours=1)
    hasty.make(Account("hasty", "auditor", must_change=True), by="admin", at=AT, password="made by the administrator")
    made = people.account("hasty")
    assert made is not None and made.is_over(AT + HOUR) and not made.is_over(AT + HOUR - 1)
    assert (UpSettings().one_time_hours, ConsoleSettings().one_time_hours) == (ONE_TIME_HOURS, ONE_TIME_HOURS)


def test_programs_and_published_accounts_have_no_such_end(people: Accounts) -> None:
    people.make(Account("program", "operations", must_change=True), by="admin", at=AT)
    people.publish(
        Account("demo", "auditor"), Shown("demo-key", "d" * 43), by="demo", at=AT, password="published to everybody"
    )
    assert [people.account(name).password_until_us for name in ("program", "demo")] == [None, None]  # type: ignore[union-attr]


def test_one_time_passwords_of_the_software_version_before_are_good_for_some_days_from_the_upgrade_on(url: str) -> None:
    engine = open_engine(url, writes=True)
    people = Accounts(engine)
    for name, must_change in (("waiting", True), ("settled", False)):
        account = Account(name, "auditor", must_change=must_change)
        people.make(account, by="admin", at=AT, password="made by the administrator")
    with engine.begin() as connection:
        downgraded(connection, "0016")
    before = world_us()
    migrate(url)
    waiting, settled = people.account("waiting"), people.account("settled")
    assert waiting and settled and settled.password_until_us is None and waiting.password_until_us is not None
    assert before + ONE_TIME_HOURS * HOUR <= waiting.password_until_us <= world_us() + ONE_TIME_HOURS * HOUR
    engine.dispose()


def test_an_agent_declares_for_the_companies_that_authorised_it_while_that_lasts(people: Accounts) -> None:
    people.make(Account("agent", "agent", OTHER), by="admin", at=AT)
    key = written(people.make_key("agent", by="admin", at=AT))
    assert people.key(key, AT).who.companies() == {OTHER}
    people.authorise(COMPANY, OTHER, by="clerk", at=AT, from_us=AT + HOUR, until_us=AT + DAY)
    assert not people.key(key, AT).who.of_own_company(COMPANY)
    who = people.key(key, AT + HOUR).who
    assert who.of_own_company(COMPANY) and who.behalf(WithdrawDeclaration, COMPANY) == COMPANY
    assert not people.key(key, AT + DAY).who.of_own_company(COMPANY)
    people.end_authorisation(COMPANY, OTHER, by="clerk", at=AT + 2 * HOUR)
    assert not people.key(key, AT + 2 * HOUR).who.of_own_company(COMPANY)
    with pytest.raises(NotGranted):
        people.end_authorisation(COMPANY, OTHER, by="clerk", at=AT + 2 * HOUR)


def test_nobody_authorises_an_agent_for_all_companies(people: Accounts) -> None:
    people.make(Account("agent", "agent", OTHER), by="admin", at=AT)
    for company in ("*", "", " ", "a\nb"):
        with pytest.raises(NotGranted):
            people.authorise(company, OTHER, by="clerk", at=AT, from_us=AT, until_us=None)
    with people._engine.begin() as connection:
        # an older software version may have written this row
        row = {"company": "*", "agent": OTHER, "from_us": AT, "until_us": None}
        connection.execute(t.AUTHORISATIONS.insert().values(row))
    who = people.key(written(people.make_key("agent", by="admin", at=AT)), AT).who
    assert who.companies() == {OTHER} and not who.sees_everything() and not who.of_own_company(COMPANY)


def test_who_gave_what_is_on_record_and_a_rebuild_keeps_all_of_it(people: Accounts, url: str) -> None:
    cookie = people.open_session("clerk", "here:1", "10.0.0.1", AT)
    key = people.make_key("clerk", by="admin", at=AT)
    people.change("officer/1", by="chief", at=AT + 1, roles="auditor")
    empty(url)
    assert [(row.granted_by, row.account, row.what) for row in people.grants()] == [
        ("chief", "officer/1", "account changed"),
        ("admin", "clerk", "key made"),
        ("admin", "officer/1", "account made"),
        ("admin", "clerk", "account made"),
    ]
    assert people.session(cookie, "here:1", AT).actor == "clerk" == people.key(written(key), AT).who.actor


def test_the_last_administrator_stays_one(people: Accounts) -> None:
    people.make(Account("admin", "administrator"), by="first start", at=AT)
    people.make(Account("chief", "administrator auditor"), by="admin", at=AT)
    people.change("chief", by="admin", at=AT, closed=True)
    for change in ({"closed": True}, {"roles": "auditor"}):
        with pytest.raises(NotGranted, match="last administrator"):
            people.change("admin", by="admin", at=AT, **change)
    people.change("chief", by="admin", at=AT, closed=False)
    people.change("admin", by="chief", at=AT, roles="auditor")
    assert people.grants()[0].detail == "roles=auditor (was administrator)"


def test_an_account_of_a_name_that_is_taken_is_not_made_again_and_nothing_of_it_is_on_record(people: Accounts) -> None:
    before = people.grants()
    with pytest.raises(NotGranted, match="There is an account clerk"):
        people.make(Account("clerk", "auditor"), by="admin", at=AT, password="correct horse battery")
    assert people.grants() == before
    stands = people.account("clerk")
    assert stands is not None and stands.roles == "declarant"


def test_a_change_that_was_thought_of_before_another_one_takes_nothing_back(people: Accounts) -> None:
    people.change("officer/1", by="admin", at=AT, roles="inspector", shown={"roles": "inspector release"})
    with pytest.raises(NotGranted, match="changed meanwhile"):
        people.change("officer/1", by="chief", at=AT, office="4219", shown={"roles": "inspector release"})
    stands = people.account("officer/1")
    assert stands is not None and (stands.roles, stands.office) == ("inspector", "4218")


def test_sessions_that_somebody_else_ends_are_on_record(people: Accounts) -> None:
    cookie = people.open_session("clerk", "here:1", "10.0.0.1", AT)
    before = len(people.grants())
    people.end_sessions("clerk")
    assert why(people, cookie) == "session_unknown" and len(people.grants()) == before, "a sign-out is no grant"
    people.end_sessions("clerk", by="admin", at=AT)
    assert people.grants()[0][2:5] == ("admin", "clerk", "sessions ended")
    with pytest.raises(NotGranted):
        people.end_sessions("nobody", by="admin", at=AT)


def test_what_the_record_of_grants_says_is_one_of_few_words(people: Accounts) -> None:
    key = people.make_key("clerk", by="admin", at=AT)
    people.rotate(key.key_id, by="admin", at=AT, overlap_us=DAY)
    people.revoke(key.key_id, by="admin", at=AT)
    people.set_password("clerk", "another password", by="admin", at=AT)
    people.end_sessions("clerk", by="admin", at=AT)
    people.change("clerk", by="admin", at=AT, closed=True)
    people.authorise(COMPANY, OTHER, by="admin", at=AT, from_us=AT, until_us=None)
    people.end_authorisation(COMPANY, OTHER, by="admin", at=AT + 1)
    assert {row.what for row in people.grants()} == set(get_args(Granted)) - {"copy confirmed"}, "see test_put_back.py"


@pytest.mark.parametrize(
    "account",
    [
        Account("", "auditor"),
        Account(" x", "auditor"),
        Account("x\ny", "auditor"),
        Account("x" * 65, "auditor"),
        Account(COMPANY, "auditor"),
        Account("x", ""),
        Account("x", "king"),
        Account("x", "declarant"),
        Account("x", "agent", "*"),
        Account("x", "inspector", "", "42"),
    ],
    ids=str,
)
def test_an_account_that_would_mislead_is_not_made(people: Accounts, account: Account) -> None:
    with pytest.raises(NotGranted):
        people.make(account, by="admin", at=AT)


@pytest.mark.parametrize(
    "name", ["Clerk", "clerk\u200b", "сlerk", "ｃlerk", "Officer/1", "a\0b", "кlerk", "clerk\u0301"]
)
def test_a_name_that_reads_like_another_one_is_not_given(people: Accounts, name: str) -> None:
    with pytest.raises(NotGranted):
        people.make(Account(name, "auditor"), by="admin", at=AT)


def test_nobody_is_called_as_the_company_of_somebody_else(people: Accounts) -> None:
    people.make(Account("gate-clerk", "terminal", "CNTAO-4"), by="admin", at=AT)
    for name in ("CNTAO-4", "cntao-4"):
        with pytest.raises(NotGranted, match="company"):
            people.make(Account(name, "terminal", "CNTAO-5"), by="admin", at=AT)
    with pytest.raises(NotGranted, match="company"):
        people.make(Account("other", "terminal", "officer/1"), by="admin", at=AT)
    people.make(Account("other", "terminal", "CNTAO-5"), by="admin", at=AT)
    with pytest.raises(NotGranted, match="company"):
        people.change("other", by="admin", at=AT, company="clerk")
    people.make(Account("CNTAO-4", "terminal", "CNTAO-4"), by="admin", at=AT)
    people.make(Account("王芳@4218", "inspector", "", "4218"), by="admin", at=AT)


def test_who_proved_a_password_that_is_another_one_by_now_gets_no_session_and_sets_none(people: Accounts) -> None:
    clerk = people.account("clerk")
    assert clerk
    people.set_password("clerk", "made by the administrator", by="admin", at=AT)
    with pytest.raises(SignInRefused, match="session_unknown"):
        people.open_session("clerk", "here:1", "10.0.0.1", AT, proved=clerk.password)
    with pytest.raises(SignInRefused, match="session_unknown"):
        people.set_password("clerk", "of the thief's own", by="clerk", at=AT, proved=clerk.password)
    after = people.account("clerk")
    assert after and after.must_change and is_right(after.password, "made by the administrator")
    assert people.open_session("clerk", "here:1", "10.0.0.1", AT, proved=after.password)
    people.change("clerk", by="admin", at=AT, closed=True)
    with pytest.raises(SignInRefused, match="session_unknown"):
        people.open_session("clerk", "here:1", "10.0.0.1", AT, proved=after.password)


def test_nobody_stands_on_both_sides_of_the_counter(people: Accounts) -> None:
    for roles in ("declarant inspector", "terminal auditor", "treatment release", "carrier operations"):
        with pytest.raises(NotGranted, match="customs"):
            people.make(Account("both", roles, COMPANY, "4218"), by="admin", at=AT)
    with pytest.raises(NotGranted, match="customs"):
        people.change("officer/1", by="admin", at=AT, roles="inspector terminal")
    people.make(Account("both", "declarant carrier", COMPANY), by="admin", at=AT)
    people.make(Account("chief", "inspector release auditor administrator", "", "4218"), by="admin", at=AT)


def test_an_account_with_a_name_of_an_older_software_version_can_still_be_closed(people: Accounts) -> None:
    with people._engine.begin() as connection:
        connection.execute(t.ACCOUNTS.insert().values(Account("сlerk", "auditor", made_us=AT)._asdict()))
    people.change("сlerk", by="admin", at=AT, closed=True)
    found = people.account("сlerk")
    assert found and found.closed


def test_offices_reach_their_own_goods_districts_theirs_and_the_administration_all() -> None:
    assert covers("4218", "4218") and not covers("4218", "4219")
    assert covers("4200", "4218") and not covers("4200", "2218") and not covers("4218", "4200")
    assert covers("0000", "2218") and covers("4218", "")


def test_goods_are_seen_by_their_declarant_their_office_and_those_who_watch_all() -> None:
    def who(role: Role) -> Who:
        return Who("x", frozenset({role}), COMPANY, "4218")

    visible = {role: (who(role).sees(COMPANY, "4218"), who(role).sees(OTHER, "2218")) for role in Role}
    assert visible == {
        **dict.fromkeys((Role.OPERATIONS, Role.AUDITOR), (True, True)),
        **dict.fromkeys((Role.CARRIER, Role.TERMINAL, Role.ADMINISTRATOR), (False, False)),
        **dict.fromkeys((Role.DECLARANT, Role.AGENT), (True, False)),
        **dict.fromkeys((Role.TARGETING, Role.INSPECTOR, Role.RELEASE, Role.TREATMENT), (True, False)),
    }


def test_one_role_lends_its_reach_to_no_other() -> None:
    who = Who("x", frozenset({Role.INSPECTOR, Role.AUDITOR}), "", "4218")
    inspector = frozenset({Role.INSPECTOR})
    assert who.sees_everything() and not who.sees_everything(inspector)
    assert who.sees(OTHER, "2218") and not who.sees(OTHER, "2218", inspector)
    assert not Who("x", frozenset({Role.INSPECTOR, Role.ADMINISTRATOR}), "", "4218").sees_everything()
    everywhere = Who("x", frozenset({Role.DECLARANT, Role.INSPECTOR}), "*", "4218")
    assert everywhere.sees_everything() and not everywhere.sees_everything(inspector)
