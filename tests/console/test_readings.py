"""Each time an account reads masked fields, a row is noted. Is each row written once, even if further rows are noted while
the database writes, or if the database fails?"""

import pytest
from sqlalchemy import Engine, event, select

from services.console.access import readings as under_test
from services.console.access.readings import Readings
from services.console.readmodel.database import open_engine
from services.console.readmodel.tables import READINGS


def subjects(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return sorted(connection.scalars(select(READINGS.c.subject)))


def test_what_is_noted_while_the_database_writes_is_written_next(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "WAITING", 2)
    engine = open_engine(url, writes=True)
    readings = Readings(engine)
    later = ["C", "D"]

    @event.listens_for(engine, "before_cursor_execute")
    def while_it_writes(*arguments: object) -> None:
        while later:
            readings.note("officer/1", later.pop(0))

    try:
        for subject in "AB":
            readings.note("officer/1", subject)
        readings.write()
        readings.write()
        assert subjects(engine) == ["A", "B", "C", "D"]
    finally:
        engine.dispose()


def test_what_the_database_did_not_take_is_written_when_it_does(url: str) -> None:
    engine = open_engine(url, writes=True)
    readings = Readings(engine)
    away = [True]

    @event.listens_for(engine, "before_cursor_execute")
    def while_it_is_away(*arguments: object) -> None:
        if away:
            away.pop()
            raise ConnectionError("the database went away")

    try:
        for subject in "AB":
            readings.note("officer/1", subject)
        with pytest.raises(ConnectionError):
            readings.write()
        assert subjects(engine) == []
        readings.write()
        assert subjects(engine) == ["A", "B"]
    finally:
        engine.dispose()
