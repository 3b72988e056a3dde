"""If an older copy of the console's database was put back, is everybody refused until the user of the machine has
confirmed the rights?"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import httpx2
import pytest
from sqlalchemy import delete, select

from services.console.access.accounts import (
    DAY,
    HOUR,
    SECOND,
    Account,
    Accounts,
    Granted,
    Shown,
    SignInRefused,
    written,
)
from services.console.readmodel import tables as t
from services.console.readmodel.database import open_engine
from services.console.readmodel.generation import Generation, file_of
from services.shell.clock import world_us
from tests.cli.test_accounts import Person, person
from tests.console.quiet import quiet
from tests.waiting import wait

__all__ = ["person"]
AT = 1_795_000_000 * SECOND
COMPANY, OTHER = "91370200163562681G", "91310115MA1H7L0T3Q"
ROWS = (*t.OF_PEOPLE, t.INSTALLATION)


class Installation:
    """A database with its rights file, and copies of its rows."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.engine = open_engine(url, writes=True)
        self.file = folder / "rights.json"
        self.people = self.opened()

    def opened(self, file: Path | None = None) -> Accounts:
        """The accounts as a program that starts now sees them."""
        generation = Generation(self.engine, file or self.file)
        generation.look()
        return Accounts(self.engine, generation=generation)

    def held(self) -> str:
        return self.opened().generation.held

    def copy(self) -> list[Any]:
        with self.engine.begin() as connection:
            return [[row._asdict() for row in connection.execute(select(table))] for table in ROWS]

    def put_back(self, copy: list[Any]) -> None:
        with self.engine.begin() as connection:
            for table, rows in zip(ROWS, copy, strict=True):
                connection.execute(delete(table))
                if rows:
                    connection.execute(table.insert(), rows)


@pytest.fixture
def here(url: str, tmp_path: Path) -> Iterator[Installation]:
    made = Installation(url, tmp_path)
    made.people.make(Account("clerk", "declarant", COMPANY), by="admin", at=AT, password="correct horse battery")
    made.people.make(Account("admin", "administrator"), by="first start", at=AT)
    made.people.authorise(COMPANY, OTHER, by="admin", at=AT, from_us=AT, until_us=None)
    yield made
    made.engine.dispose()


def _stolen(people: Accounts, cookie: str, key: Shown) -> None:
    with pytest.raises(SignInRefused, match="session_other_host"):
        people.session(cookie, "there:1", AT)


TAKEN: dict[str, Callable[[Accounts, str, Shown], object]] = {
    "revoked": lambda people, cookie, key: people.revoke(key.key_id, by="admin", at=AT),
    "rotated": lambda people, cookie, key: people.rotate(key.key_id, by="admin", at=AT, overlap_us=DAY),
    "another-role": lambda people, cookie, key: people.change("clerk", by="admin", at=AT, roles="auditor"),
    "closed": lambda people, cookie, key: people.change("clerk", by="admin", at=AT, closed=True),
    "another-password": lambda people, cookie, key: people.set_password("clerk", "another password", by="clerk", at=AT),
    "sessions-ended": lambda people, cookie, key: people.end_sessions("clerk", by="admin", at=AT),
    "signed-out": lambda people, cookie, key: people.end_sessions("clerk"),
    "one-session-ended": lambda people, cookie, key: people.end_session(cookie),
    "stolen-cookie": _stolen,
    "no-agent-any-more": lambda people, cookie, key: people.end_authorisation(COMPANY, OTHER, by="admin", at=AT + 1),
}


@pytest.mark.parametrize("taken", TAKEN)
def test_after_whatever_was_taken_a_copy_from_before_is_held(here: Installation, taken: str) -> None:
    cookie, key = (
        here.people.open_session("clerk", "here:1", "10.0.0.1", AT),
        here.people.make_key("clerk", by="admin", at=AT),
    )
    before = here.copy()
    TAKEN[taken](here.people, cookie, key)
    assert here.held() == ""
    here.put_back(before)
    assert here.held() == "older"
    here.people.generation.look_again()
    assert here.people.generation.held == "older", "also where it is put back under a program that runs"


def test_a_copy_does_not_catch_up_by_changes_that_are_made_while_it_is_held(here: Installation) -> None:
    before = here.copy()
    for _ in range(3):
        here.people.revoke(here.people.make_key("clerk", by="admin", at=AT).key_id, by="admin", at=AT)
    here.put_back(before)
    late = here.opened()
    for number in range(20):
        late.change("clerk", by="somebody@machine", at=AT, closed=number % 2 == 0)
    assert late.generation.held == here.held() == "older"


def test_what_the_copy_lacks_is_shown_and_once_confirmed_keys_are_good_and_every_session_has_ended(
    here: Installation,
) -> None:
    cookie, key = (
        here.people.open_session("clerk", "here:1", "10.0.0.1", AT),
        here.people.make_key("clerk", by="admin", at=AT),
    )
    before = here.copy()
    here.people.revoke(key.key_id, by="admin", at=AT + HOUR)
    here.put_back(before)
    late = here.opened()
    assert [(each.what, each.detail, each.at_us) for each in late.generation.lacking()] == [
        ("key revoked", key.key_id, AT + HOUR)
    ]
    assert "dtg account confirm" in late.generation.sentence()
    late.revoke(key.key_id, by="somebody@machine", at=AT + DAY)
    late.generation.confirm(by="somebody@machine", at=AT + DAY)
    assert late.generation.held == here.held() == "" and late.generation.lacking() == []
    with pytest.raises(SignInRefused, match="session_unknown"):
        late.session(cookie, "here:1", AT)
    with pytest.raises(SignInRefused, match="key_revoked"):
        late.key(written(key), AT + DAY)
    assert late.grants()[0][2:5] == ("somebody@machine", "somebody@machine", "copy confirmed")
    assert {row.what for row in late.grants()} <= set(get_args(Granted))
    here.put_back(before)
    assert here.held() == "older", "the same copy once more"


def test_an_installation_of_the_software_version_before_starts_as_it_is(url: str, tmp_path: Path) -> None:
    engine = open_engine(url, writes=True)
    former = Accounts(engine)
    former.make(Account("clerk", "declarant", COMPANY), by="admin", at=AT, password="correct horse battery")
    key = former.make_key("clerk", by="admin", at=AT)
    here = Installation(url, tmp_path)
    assert here.held() == "" and here.people.key(written(key), AT).who.actor == "clerk"
    assert here.file.stat().st_mode & 0o777 == 0o600
    of_the_former_release = here.copy()
    here.people.revoke(key.key_id, by="admin", at=AT)
    # The previous software version did not count changes of rights. So the count is removed from the copy.
    of_the_former_release[-1] = []
    here.put_back(of_the_former_release)
    assert here.held() == "older"
    engine.dispose()
    here.engine.dispose()


def test_a_file_that_is_gone_or_cannot_be_read_is_as_unknown_as_an_older_copy(here: Installation) -> None:
    kept = here.file.read_text()
    for broken in ("", "{}", '{"changes": "x", "grants": []}', '{"changes": 1, "grants": [1]}', "[]"):
        here.file.write_text(broken)
        assert here.held() == "unreadable", broken
    here.file.unlink()
    assert here.held() == "missing"
    here.file.write_text(kept)
    assert here.held() == ""
    here.file.unlink()
    late = here.opened()
    late.generation.confirm(by="somebody@machine", at=AT)
    assert late.generation.held == here.held() == ""


def test_a_database_that_begins_with_nobody_in_it_revives_nothing(here: Installation) -> None:
    here.put_back([[] for _ in ROWS])
    late = here.opened()
    assert late.generation.held == "" and late.first("admin", AT)
    assert here.held() == ""


def test_a_change_that_could_not_be_noted_is_noted_by_whoever_looks_next(here: Installation) -> None:
    before, key = here.copy(), here.people.make_key("clerk", by="admin", at=AT)
    kept = here.file.read_text()
    here.people.revoke(key.key_id, by="admin", at=AT)
    # this simulates a process that was killed after the change, but before it wrote the change to the file
    here.file.write_text(kept)
    assert here.held() == "" and here.file.read_text() != kept
    here.put_back(before)
    assert here.held() == "older"


def test_consoles_of_two_machines_each_note_what_the_other_has_changed(here: Installation, tmp_path: Path) -> None:
    there = tmp_path / "there.json"
    shutil.copy(here.file, there)
    other = here.opened(there)
    before = here.copy()
    here.people.end_sessions("clerk", by="admin", at=AT)
    other.generation.look_again()
    assert other.generation.held == ""
    here.put_back(before)
    other.generation.look_again()
    assert other.generation.held == "older"


def test_the_file_lies_beside_the_database_and_of_postgresql_in_the_folder_of_the_machine(tmp_path: Path) -> None:
    assert file_of(f"sqlite:///{tmp_path}/console.db", "elsewhere") == tmp_path / "console.db.rights.json"
    assert file_of("postgresql://a:b@db:1/border", str(tmp_path)) == tmp_path / "border.rights.json"
    assert file_of("sqlite://", str(tmp_path)) is None


def _copied(source: Path, target: Path) -> None:
    with sqlite3.connect(source) as there, sqlite3.connect(target) as here:
        there.backup(here)
    there.close()
    here.close()


def test_a_revoked_key_and_an_ended_session_do_not_come_back_with_a_copy_of_the_database(
    person: Person, tmp_path: Path
) -> None:
    made, copy = tmp_path / "console.db", tmp_path / "copy.db"
    assert person.types("account", "add", "gate", "--role", "terminal", "--company", "CNTAO-4", "--program").code == 0
    key = person.types("key", "add", "gate", "--scope", "gate").out.split()[-1]
    headers = {"Authorization": f"Bearer {key}"}

    def get_me(address: str) -> httpx2.Response:
        return httpx2.get(f"{address}/api/v1/me", headers=headers)

    with quiet(tmp_path) as console:
        cookie = console.app.state.authenticator.accounts.open_session(
            "gate", console.address[7:], "127.0.0.1", world_us()
        )
        assert get_me(console.address).status_code == 200
    _copied(made, copy)
    with quiet(tmp_path) as console:
        assert person.types("key", "revoke", key.split("_")[1]).code == 0
        assert get_me(console.address).status_code == 401
    for rest in ("-wal", "-shm", ""):
        Path(f"{made}{rest}").unlink(missing_ok=True)
    _copied(copy, made)
    with quiet(tmp_path) as console:
        held = get_me(console.address)
        assert (held.status_code, held.json()["type"]) == (503, "/problems/rights_held")
        assert httpx2.get(f"{console.address}/api/v1/me", cookies={"dtg_session": cookie}).status_code == 503
        page = httpx2.get(f"{console.address}/sign-in", headers={"accept": "text/html"})
        assert page.status_code == 503 and "dtg account confirm" in page.text
        assert httpx2.get(f"{console.address}/readyz").status_code in (200, 503)
        result = person.types("account", "confirm")
        assert result.code == 1 and "key revoked" in result.out and key.split("_")[1] in result.out, result
        assert person.types("key", "revoke", key.split("_")[1]).code == 0
        assert get_me(console.address).status_code == 503
        assert person.types("account", "confirm", "--yes").code == 0
        wait(lambda: get_me(console.address).status_code == 401, "the console to see that the copy was confirmed")
        assert get_me(console.address).json()["type"] == "/problems/key_revoked"
    assert person.types("account", "confirm").code == 0


def test_a_copy_does_not_catch_up_by_a_change_before_the_console_compares(here: Installation) -> None:
    """A console compares every two seconds. If one change was made after the copy, one sign-out in this time would
    raise the count of the copy to that in the file."""
    key = here.people.make_key("clerk", by="admin", at=AT)
    before = here.copy()
    here.people.revoke(key.key_id, by="admin", at=AT)
    here.put_back(before)
    here.people.end_sessions("clerk")
    assert here.people.generation.held == here.held() == "older"
