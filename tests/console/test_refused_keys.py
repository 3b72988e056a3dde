"""Do keys that are not valid displace valid keys from the console's cache?"""

from pathlib import Path

import pytest

from services.console.access.accounts import Accounts, SignInRefused, written
from services.console.api import authentication
from services.console.api.authentication import Authenticator
from services.console.readmodel.database import migrate, open_engine
from services.console.settings import ConsoleSettings
from services.shell.clock import world_us
from tests.loops import finish
from tests.people import TESTER, admit, key_of


def test_made_up_keys_displace_no_valid_key_and_a_revoked_key_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authentication, "REMEMBERED_KEYS", 3)
    url = f"sqlite:///{tmp_path}/console.db"
    settings = ConsoleSettings(kafka="127.0.0.1:1", database_url=url, key_seconds=0)
    migrate(url)
    admit(url)
    engine = open_engine(url, writes=True)
    accounts, valid = Accounts(engine), written(key_of(TESTER))
    authenticator = Authenticator(settings, accounts)

    async def ask() -> None:
        assert (await authenticator.of_key(valid)).actor == TESTER
        for number in range(10):
            with pytest.raises(SignInRefused, match="key_unknown"):
                await authenticator.of_key(f"{valid}{number}")
        away = tmp_path / "away.db"
        (tmp_path / "console.db").rename(away)
        engine.dispose()
        assert (await authenticator.of_key(valid)).actor == TESTER, "the cache has it while the database is away"
        engine.dispose()
        away.replace(tmp_path / "console.db")
        accounts.revoke(key_of(TESTER).key_id, by="the tests", at=world_us())
        for _ in range(2):
            with pytest.raises(SignInRefused, match="key_revoked"):
                await authenticator.of_key(valid)

    finish(ask())
    engine.dispose()


def test_a_stream_is_checked_against_the_rows_and_not_against_the_cache(tmp_path: Path) -> None:
    """An open stream is checked again every `key_seconds`. If this check could be answered from the cache, a revoked key
    could read on for twice as long."""
    url = f"sqlite:///{tmp_path}/console.db"
    migrate(url)
    admit(url)
    engine = open_engine(url, writes=True)
    accounts, valid = Accounts(engine), written(key_of(TESTER))
    authenticator = Authenticator(ConsoleSettings(kafka="127.0.0.1:1", database_url=url, key_seconds=60), accounts)

    async def ask() -> None:
        assert (await authenticator.of_key(valid)).actor == TESTER
        accounts.revoke(key_of(TESTER).key_id, by="the tests", at=world_us())
        assert (await authenticator.of_key(valid)).actor == TESTER, "the cache has it for `key_seconds`"
        with pytest.raises(SignInRefused, match="key_revoked"):
            await authenticator.of_key(valid, cached=False)

    finish(ask())
    engine.dispose()
