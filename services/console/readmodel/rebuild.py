"""How are the rows made anew from the topics? They are deleted in one transaction, then projected from the first message on."""

import threading

import structlog
from sqlalchemy import delete, update

from services.console.readmodel import tables as t
from services.console.readmodel.database import migrate, open_engine, reached
from services.console.readmodel.progress import Progress
from services.console.readmodel.projector import Projector
from services.console.settings import ConsoleSettings
from services.shell.advance import Advance, unreported
from services.shell.clock import now

log = structlog.get_logger()


def rebuild(settings: ConsoleSettings, advance: Advance = unreported) -> int:
    """Deletes every projected row, projects the topics from their beginning, and returns how many messages were read.
    Raises NoDatabase if the database cannot be reached when the rows are deleted. After that, waits while Kafka or SQL
    is unavailable. `advance` is called a few times a second with the number of messages that were read since the call
    before.

    The rows of the tables in `tables.KEPT` are kept, for example the feed for ports with its cursors. If a console runs
    meanwhile, its projector begins again, too.
    """
    migrate(settings.database_url)
    empty(settings.database_url)
    started, progress, done = now(), Progress(), threading.Event()
    projector = Projector(settings, progress)
    thread = threading.Thread(target=projector.run, name="rebuild", daemon=True)
    thread.start()
    try:
        projected = 0
        while not done.wait(0.2):
            projected, before = progress.projected, projected
            advance(projected - before)
            as_of = progress.state().as_of
            if as_of is not None and as_of > started:
                break
            if not thread.is_alive():
                raise RuntimeError("the projector ended while rebuilding; its log says why")
    finally:
        projector.stop()
        thread.join()
    log.info("rebuilt", messages=progress.projected)
    return progress.projected


def empty(url: str) -> None:
    """Deletes every projected row and sets the offsets back to the first message. Raises NoDatabase if the database cannot be
    reached or written."""
    engine = open_engine(url, writes=True)
    try:
        with reached(url), engine.begin() as connection:
            # The changed count of turns shows a running projector that its rows were replaced. The projector locks
            # this row first, so it is locked first here, too. With another order, the two transactions could deadlock.
            connection.execute(update(t.TURNS).values(turn=t.TURNS.c.turn + 1))
            for table in t.PROJECTED:
                if table is t.STAGE_COUNTS:
                    connection.execute(update(table).values(consignments=0))
                else:
                    connection.execute(delete(table))
    finally:
        engine.dispose()
