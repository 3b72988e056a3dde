"""What can a port do from the command line? `dtg port follow` shows releases, `ask` asks about a container, `tell` and
`retract` send and retract reports, and `move` changes the topics that are read."""

import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.vocabulary import Classifier, EquipmentEvent
from services.cli.accounts import NoApiKey, own_key
from services.cli.home import of_command
from services.cli.screen import AsJson, errors, progress_below, screen, styled, text
from services.cli.settings import UpSettings

if TYPE_CHECKING:
    from services.ports.feed import FeedPort
    from services.ports.notebook import Notebook
    from services.ports.notice import Notice, Unread
    from services.ports.topic import TopicPort

MUST_STAY = 3
"""Exit code if a container must stay. It is also the exit code if the container is unknown, or the data cannot be read
or is out of date."""
AGAIN_SECONDS = 2.0
WAIT_SECONDS = 20.0

port_app = typer.Typer(no_args_is_help=True, help="The port's side: follow releases, ask about a container. 港口")
Kafka = Annotated[
    bool,
    typer.Option(
        "--kafka/--http", help="from the topics, or over HTTP from the console 从主题读取，或经 HTTP 从控制台读取"
    ),
]
Where = Annotated[
    str,
    typer.Option(
        help="bootstrap servers, or the console's URL; default: of this machine Kafka 引导地址，或控制台网址；默认为本机"
    ),
]
Kept = Annotated[Path | None, typer.Option(help="file in which the place read up to is kept 保存读取位点的文件")]
Former = Annotated[
    bool,
    typer.Option(
        "--former",
        help="the topics of the software version before, too: releases older than customs-port-facts 同时读取上一版本的主题：早于 customs-port-facts 的放行",
    ),
]


@port_app.command()
def follow(
    kafka: Kafka = True,
    where: Where = "",
    notebook: Kept = None,
    once: Annotated[bool, typer.Option(help="end at what is there now 读完现有内容即结束")] = False,
    former: Former = False,
    as_json: AsJson = False,
) -> None:
    """Print releases and revocations as they come, each once, even if the command is started again. 跟踪放行"""
    from services.ports.notice import Away

    try:
        with _port(kafka, where, notebook, "followed", former=former) as port:
            behind = True
            while True:
                try:
                    if behind:
                        with progress_below("reading 读取放行") as advance:
                            port.catch_up(_Screen(as_json), 3600, advance)
                        behind = False
                        if once:
                            return
                    port.read(_Screen(as_json), WAIT_SECONDS)
                except Away as error:
                    if once:
                        raise
                    errors.line(styled("away 无应答", "red"), str(error))
                    time.sleep(AGAIN_SECONDS)
    except Away as error:
        errors.line(styled("away 无应答", "red"), str(error))
        raise typer.Exit(1) from None
    except sqlite3.Error as error:
        errors.line(styled("ended: the notebook cannot be used 已停止：记事库不可用", "red"), str(error))
        raise typer.Exit(1) from None


@port_app.command()
def ask(
    container: Annotated[str, typer.Argument(parser=text, help="container number 集装箱号")],
    kafka: Kafka = True,
    where: Where = "",
    notebook: Kept = None,
    console: Annotated[
        str,
        typer.Option(
            help="with --kafka: a console's URL that is asked, too, before a yes 与 --kafka 同用：答可以提离之前另行询问的控制台网址"
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Ask whether a container may leave. Exit code 0: yes; 3: no. A container that is unknown must stay. 能否出闸"""
    from services.ports.notice import Away

    try:
        with _port(kafka, where, notebook, "asked", console) as port, progress_below("reading 读取放行") as advance:
            answer = port.ask(container, _Silence(), advance=advance)
    except (Away, NoApiKey, sqlite3.Error, OSError) as error:
        # If the notebook, the key or the answer of the console is missing, the latest facts are not known, so the answer is no.
        _answer(as_json, container, may_leave=False, reason="stale", detail=str(error))
        raise typer.Exit(MUST_STAY) from None
    _answer(as_json, container, may_leave=answer.may_leave, reason=answer.reason, detail=answer.detail)
    raise typer.Exit(0 if answer.may_leave else MUST_STAY)


def _answer(as_json: bool, container: str, *, may_leave: bool, reason: str, detail: str) -> None:
    if as_json:
        screen.tell(True, container_no=container, may_leave=may_leave, reason=reason, detail=detail)
        return
    verdict = styled("may leave 可以出闸", "green") if may_leave else styled("must stay 不得出闸", "red")
    screen.line(verdict, *[each for each in (reason, detail) if each])


Box = Annotated[str, typer.Argument(parser=text, help="container number 集装箱号")]
Console = Annotated[str, typer.Option(help="the console's URL; default: of this machine 控制台网址；默认为本机")]
Once = Annotated[
    str,
    typer.Option(
        parser=text,
        help="an idempotency key: sent again under it, it is the same request 幂等键：以同一键再次发送即为同一请求",
    ),
]


@port_app.command()
def tell(
    container: Box,
    event: Annotated[EquipmentEvent, typer.Argument(help="what happened 发生的动态")],
    location: Annotated[str, typer.Option("--place", parser=text, help="berth, yard or gate 泊位、堆场或卡口")],
    at: Annotated[
        str,
        typer.Option(
            parser=text, help="when, RFC 3339 with offset: 2026-11-25T08:10:00+08:00 时间，RFC 3339 格式并带时区"
        ),
    ],
    laden: Annotated[
        bool | None,
        typer.Option("--laden/--empty", help="whether goods are in it; default: not told 箱内是否有货；默认不说明"),
    ] = None,
    conveyance: Annotated[
        str, typer.Option(parser=text, help="vessel and voyage, train or vehicle 船名航次、车次或车辆")
    ] = "",
    replaces: Annotated[
        str, typer.Option(parser=text, help="id of your report that this one corrects 本报告所更正的原报告编号")
    ] = "",
    source: Annotated[
        list[str] | None,
        typer.Option(
            parser=text,
            help="STUF: a container out of which the goods came; may be given again STUF：货物来自的集装箱；可多次给出",
        ),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            parser=text,
            help="STRP: a container into which the goods went; may be given again STRP：货物装入的集装箱；可多次给出",
        ),
    ] = None,
    to: Annotated[
        str, typer.Option(parser=text, help="MOVE: the other place of the controlled area MOVE：监管区内的另一地点")
    ] = "",
    bill: Annotated[str, typer.Option(parser=text, help="number of a transport document 运输单证号")] = "",
    classifier: Annotated[
        Classifier | None,
        typer.Option(help="actual, estimated or planned; default: actual 实际、预计或计划；默认为实际"),
    ] = None,
    key: Once = "",
    where: Console = "",
) -> None:
    """Report what happened to a container; prints the id of the report. 报告箱动态"""
    optional = {
        "laden": laden,
        "conveyance": conveyance,
        "replaces": replaces,
        "to": to,
        "bill": bill,
        "sources": source,
        "targets": target,
        "classifier": classifier and classifier.value,
    }
    body = {
        "event": event.value,
        "place": location,
        "occurred_at": at,
        **{k: v for k, v in optional.items() if v not in (None, "", [])},
    }
    _send(where, container, ("events",), body, key)


@port_app.command()
def retract(
    container: Box,
    report: Annotated[str, typer.Argument(parser=text, help="id of your report 原报告编号")],
    reason: Annotated[str, typer.Option(parser=text, help="why it was wrong 有误的原因")],
    key: Once = "",
    where: Console = "",
) -> None:
    """Retract a report: what it reported did not happen. 撤回箱动态"""
    _send(where, container, ("events", report, "retraction"), {"reason": reason}, key)


def _send(where: str, container: str, path: tuple[str, ...], body: Mapping[str, object], once: str) -> None:
    from services.cli.terminal import NotAcknowledged, NotTold, about, post

    address = where or f"http://127.0.0.1:{UpSettings().console_port}"
    try:
        with errors.progress("waiting for an answer 等待答复"):
            taken = post(address, about(container, *path), body, own_key("terminal"), once)
    except NotAcknowledged as error:
        screen.line(styled("not acknowledged 未确认", "red"), str(error))
        raise typer.Exit(1) from None
    except NotTold as error:
        screen.line(styled("not taken 未受理", "red"), str(error))
        raise typer.Exit(1) from None
    screen.line(styled("taken 已受理", "green"), str(taken.get("request_id", "")), str(taken.get("request", "")))


@port_app.command()
def move(where: Where = "", notebook: Kept = None) -> None:
    """Read the desks' own topics up to their ends for the last time. Use it when no worker of the older version runs any
    more. 改读港口主题"""
    from services.ports.notice import Away

    for name in ("followed", "asked") if notebook is None else ("followed",):
        try:
            with _topic_port(where, notebook, name) as port:
                with progress_below("reading the former topics 读取旧主题") as advance:
                    port.leave_former(_Screen(), 3600, advance)
                read = ", ".join(port.topics)
                screen.line(styled("moved 已改读", "green"), str(port.notebook.file), f"reads 改读 {read}")
        except (Away, sqlite3.Error, OSError) as error:
            errors.line(styled("not moved 未改读", "red"), str(error))
            raise typer.Exit(1) from None


class _Silence:
    """A handler of notices that prints nothing."""

    def heard(self, notice: "Notice", notebook: sqlite3.Connection) -> None:
        pass

    def unread(self, message: "Unread", notebook: sqlite3.Connection) -> None:
        pass


class _Screen(_Silence):
    """A handler of notices that prints one line for each."""

    def __init__(self, as_json: bool = False) -> None:
        self._as_json = as_json

    def heard(self, notice: "Notice", notebook: sqlite3.Connection) -> None:
        if self._as_json:
            screen.tell(True, stream=True, **{name: getattr(notice, name) for name in notice.__slots__})
            return
        shown = (notice.occurred_at, notice.subject, *notice.others, notice.reason)
        screen.line(_TEXTS[notice.kind], *[each for each in shown if each])

    def unread(self, message: "Unread", notebook: sqlite3.Connection) -> None:
        if self._as_json:
            screen.tell(
                True, stream=True, kind="Unread", **{name: getattr(message, name) for name in message.__slots__}
            )
            return
        about = message.subjects or ("nobody that can be named 未知对象",)
        screen.line(
            styled("cannot be read 无法读取", "yellow"), message.where, f"{message.reason}; stays 不得出闸:", *about
        )


_TEXTS = {
    "ReleaseGranted": styled("released 放行", "green"),
    "ReleaseRevoked": styled("REVOKED 撤销放行", "red"),
    "ContainerMayLeave": styled("may leave 可以出闸", "green"),
    "ContainerMustStay": styled("MUST STAY 不得出闸", "red"),
}


def _port(
    kafka: bool, where: str, notebook: Path | None, name: str, console: str = "", former: bool = False
) -> "TopicPort | FeedPort":
    from services.ports.feed import FeedPort

    if kafka:
        return _topic_port(where, notebook, name, console, former)
    settings = of_command(UpSettings())
    return FeedPort(
        where or f"http://127.0.0.1:{settings.console_port}",
        _notebook(notebook, f"{name}-http"),
        key=own_key("terminal"),
    )


def _topic_port(where: str, notebook: Path | None, name: str, console: str = "", former: bool = False) -> "TopicPort":
    from services.ports.notice import FORMER
    from services.ports.question import AskedConsole
    from services.ports.topic import TopicPort

    settings, notes = of_command(UpSettings()), _notebook(notebook, f"{name}-kafka")
    # The credential `port` may read only the topic for ports. So the desks' topics are read with the credential
    # `auditor`, until the command `dtg port move` has made the notebook follow the topic for ports.
    credential = "auditor" if former or any(map(notes.follows, FORMER)) else "port"
    named = settings.model_copy(update={"kafka": where}) if where else settings
    access = (settings if where == settings.bootstrap() else named).access(credential)
    asked_console = AskedConsole(console, key=own_key("terminal")) if console else None
    return TopicPort(access, notes, console=asked_console, former=former)


def _notebook(file: Path | None, name: str) -> "Notebook":
    from services.ports.notebook import Notebook

    return Notebook(file or Path(of_command(UpSettings()).home) / f"port-{name}.db")
