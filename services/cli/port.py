"""What does a port see and ask from the command line? `dtg port follow`, `dtg port ask`."""

import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.home import of_command
from services.cli.screen import screen, styled, text
from services.cli.settings import UpSettings

if TYPE_CHECKING:
    from services.ports.feed import FeedPort
    from services.ports.notice import Notice, Unread
    from services.ports.topic import TopicPort

MUST_STAY = 3
"""Exit code of a no. Unknown, unreadable and out of date are no, too."""
AGAIN_SECONDS = 2.0
WAIT_SECONDS = 20.0

port_app = typer.Typer(no_args_is_help=True, help="The port's side: follow releases, ask about a container. 港口")
Kafka = Annotated[bool, typer.Option("--kafka/--http", help="from the topics, or over HTTP from the console")]
Where = Annotated[str, typer.Option(help="bootstrap servers, or the console's URL; default: of this machine")]
Kept = Annotated[Path | None, typer.Option(help="file in which the place read up to is kept")]


@port_app.command()
def follow(
    kafka: Kafka = True,
    where: Where = "",
    notebook: Kept = None,
    once: Annotated[bool, typer.Option(help="end at what is there now")] = False,
) -> None:
    """Print releases and revocations as they come, each once, also over restarts. 跟踪放行"""
    from services.ports.notice import Away

    try:
        followed = _port(kafka, where, notebook, "followed")
    except Away as error:
        screen.line(styled("away 无应答", "red"), str(error))
        raise typer.Exit(1) from None
    with followed as port:
        while True:
            try:
                if once:
                    port.catch_up(_Screen(), 3600)
                    return
                port.read(_Screen(), WAIT_SECONDS)
            except Away as error:
                screen.line(styled("away 无应答", "red"), str(error))
                if once:
                    raise typer.Exit(1) from None
                time.sleep(AGAIN_SECONDS)


@port_app.command()
def ask(
    container: Annotated[str, typer.Argument(parser=text, help="container number")],
    kafka: Kafka = True,
    where: Where = "",
    notebook: Kept = None,
    console: Annotated[str, typer.Option(help="with --kafka: a console's URL that is asked, too, before a yes")] = "",
) -> None:
    """May this container leave? Exit code 0: yes; 3: no. What nobody knows of stays. 能否出闸"""
    from services.ports.notice import Away

    try:
        with _port(kafka, where, notebook, "asked", console) as port:
            said = port.ask(container, _Silence())
    except Away as error:
        screen.line(styled("must stay 不得出闸", "red"), "stale", str(error))
        raise typer.Exit(MUST_STAY) from None
    words = styled("may leave 可以出闸", "green") if said.may_leave else styled("must stay 不得出闸", "red")
    screen.line(words, *[each for each in (said.reason, said.detail) if each])
    raise typer.Exit(0 if said.may_leave else MUST_STAY)


class _Silence:
    """Takes note and says nothing."""

    def heard(self, notice: "Notice", notebook: sqlite3.Connection) -> None:
        pass

    def unread(self, message: "Unread", notebook: sqlite3.Connection) -> None:
        pass


class _Screen(_Silence):
    """One line an entry."""

    def heard(self, notice: "Notice", notebook: sqlite3.Connection) -> None:
        seen = (notice.occurred_at, notice.subject, *notice.others, notice.reason)
        screen.line(_WORDS[notice.kind], *[each for each in seen if each])

    def unread(self, message: "Unread", notebook: sqlite3.Connection) -> None:
        about = message.subjects or ("nobody that can be named",)
        screen.line(styled("cannot be read 无法读取", "yellow"), message.where, f"{message.reason}; stays:", *about)


_WORDS = {
    "ReleaseGranted": styled("released 放行", "green"),
    "ReleaseRevoked": styled("REVOKED 撤销放行", "red"),
    "ContainerMayLeave": styled("may leave 可以出闸", "green"),
    "ContainerMustStay": styled("MUST STAY 不得出闸", "red"),
}


def _port(kafka: bool, where: str, notebook: Path | None, name: str, console: str = "") -> "TopicPort | FeedPort":
    from services.ports.feed import FeedPort
    from services.ports.notebook import Notebook
    from services.ports.question import AskedConsole
    from services.ports.topic import TopicPort

    settings = of_command(UpSettings())
    way = "kafka" if kafka else "http"
    notes = Notebook(notebook or Path(settings.home) / f"port-{name}-{way}.db")
    if kafka:
        named = settings.model_copy(update={"kafka": where}) if where else settings
        access = (settings if where == settings.bootstrap() else named).access("port")
        return TopicPort(
            access,
            notes,
            console=AskedConsole(console) if console else None,
        )
    return FeedPort(where or f"http://127.0.0.1:{settings.console_port}", notes)
