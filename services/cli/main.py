"""What can be done from the command line? `dtg --help` lists all commands."""

import io
import json
import os
import sys
import threading
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer
from kafka.errors import KafkaError
from pydantic import ValidationError

from deploy.kafka.errors import BrokerError
from schemas.topics import CATALOGUE
from schemas.vocabulary import consignment_id
from services.cli.accounts import NoApiKey, account_app, by_whom, key_app, own_key
from services.cli.codes import codes
from services.cli.draws import draws_app
from services.cli.home import Spoiled, access_of_command, clock_of, of_command
from services.cli.parked import Parked
from services.cli.port import port_app
from services.cli.screen import AsJson, Table, errors, progress_below, screen, styled, text, visible
from services.cli.settings import UpSettings
from services.console.readmodel.errors import NewerDatabase, NoDatabase
from services.shell.clock import ClockOutOfRange
from services.shell.settings import unusable

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Datongguan 大通关")
parked_app = typer.Typer(no_args_is_help=True, help="Messages set aside: list, show, replay, discard. 搁置的消息")
app.add_typer(parked_app, name="parked")
app.add_typer(port_app, name="port")
app.add_typer(draws_app, name="draws")
app.add_typer(account_app, name="account")
app.add_typer(key_app, name="key")
NO_SIMULATOR = (
    "There is no credential for simulated people: it is made where the clock is a sandbox, by `dtg up --demo`, or on another "
    "cluster by `dtg provision --sandbox`. 没有模拟凭据：仅在沙箱时钟下存在。"
)
Others = Annotated[
    bool,
    typer.Option("--others", help="simulated people act on goods of real people, too 模拟人员也处理真实用户的货物"),
]
WAIT_SECONDS = 10.0
Wait = Annotated[
    float,
    typer.Option(min=0, help="seconds to wait for what becomes of it; 0: not at all 等待结果的秒数；0 表示不等待"),
]
NO_ANSWER = 3
"""The exit code of a command that waits, if a desk has not answered yet."""
WRONGLY_TYPED = 2
"""The exit code with which Typer ends a command that was typed wrongly, after it has printed what is wrong, in English only."""
PRIVATE = 0o077
"""The umask of this process and of the processes that it starts. Only the owner of a file that they make may read or
write it."""


class DeclarationFormat(StrEnum):
    """The format of the files of `dtg declare`."""

    JSON = "json"
    KOREA = "korea"


def run() -> None:
    """Runs the `dtg` program. An error that a user can correct is printed as one sentence, with exit code 1."""
    from services.cli.up import CannotStart
    from services.shell.access import NoAccess

    threading.excepthook = _thread_ended
    os.umask(PRIVATE)
    for stream in (sys.stdout, sys.stderr):
        # A character that the terminal cannot show is replaced by a question mark. Otherwise an encoding error would end the program.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        app()
    except SystemExit as end:
        if end.code == WRONGLY_TYPED:
            errors.line(
                "The command is wrong or not complete, see above. 命令有误或不完整，用法见上；加 --help 查看说明。"
            )
        raise
    except (BrokerError, CannotStart, ClockOutOfRange, NewerDatabase, NoAccess, NoApiKey, NoDatabase, Spoiled) as error:
        errors.block(str(error), "red")
        sys.exit(1)
    except PermissionError as error:  # for example because the file belongs to another user of the machine
        what = f"{error.filename}: {error.strerror}. 权限不足。"
        errors.line(styled(f"{what} This is for the user under whom `dtg up` runs 请以该用户运行", "red"))
        sys.exit(1)
    except OSError as error:  # for example a folder in place of a file, a full disk, or links that form a circle
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error) or type(error).__name__
        errors.line(styled(f"{what}. 文件或系统出错。 See what is there, and whether the disk has room", "red"))
        sys.exit(1)
    except ValidationError as error:
        if not error.title.endswith("Settings"):
            raise
        errors.block(unusable(error), "red")
        sys.exit(1)
    except KafkaError as error:
        errors.line(
            styled(f"The cluster does not do what it should. Kafka 出错。 {type(error).__name__}: {error}", "red")
        )
        sys.exit(1)


def _thread_ended(args: threading.ExceptHookArgs) -> None:
    """Ends the process if an exception ends one of its threads. Otherwise the command would wait for that thread for ever."""
    try:
        threading.__excepthook__(args)
    finally:
        os._exit(os.EX_SOFTWARE)


@app.command()
def up(
    demo: Annotated[
        bool, typer.Option(help="let simulated people work, on a fast sandbox clock 由模拟人员操作，沙盒时钟加速运行")
    ] = False,
    speed: Annotated[
        float, typer.Option(help="sandbox seconds per real second, with --demo 每真实秒对应的沙盒秒数，与 --demo 同用")
    ] = 240.0,
    consignments: Annotated[
        int, typer.Option(help="consignments of a simulated day, with --demo 模拟一天的货物批数，与 --demo 同用")
    ] = 2400,
    seed: Annotated[
        int, typer.Option(help="seed of the simulated days, with --demo 模拟日的随机种子，与 --demo 同用")
    ] = 1,
    others: Others = False,
    afresh: Annotated[
        bool,
        typer.Option(
            "--afresh", help="begin from nothing; the former data is moved aside 从零开始；原有数据移到一旁保存"
        ),
    ] = False,
) -> None:
    """Start broker, desks and console; Ctrl-C stops everything. 全部启动"""
    from services.cli.up import Up

    all_of_it = Up(UpSettings(), demo=demo, speed=speed, consignments=consignments, seed=seed, others=others)
    if afresh:
        all_of_it.move_aside()
    raise typer.Exit(all_of_it.run())


@app.command()
def provision(
    sandbox: Annotated[
        bool,
        typer.Option(
            "--sandbox",
            help="also the credentials of simulated people, who write requests 同时建立模拟人员的凭据，其可写入请求",
        ),
    ] = False,
    users: Annotated[
        bool,
        typer.Option(
            help="give the cluster the passwords; off: somebody else makes its users 向集群写入口令；关闭时由他人建立用户"
        ),
    ] = True,
    show: Annotated[
        bool, typer.Option("--show", help="only show who may do what; no cluster is asked 只显示权限表，不连接集群")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make topics, users and rights on a cluster at which everybody must sign in (DTG_KAFKA, DTG_KAFKA_SECURITY). 授权"""
    from services.cli.rights import STEPS, give, rights_table

    if show:
        screen.tell(as_json, rights=rights_table(sandbox=sandbox))
        return
    with progress_below("giving topics and rights 建主题、授权", STEPS) as advance:
        for line in give(of_command(UpSettings()), sandbox=sandbox, users=users):
            advance(1)
            screen.line(line)


@app.command()
def console() -> None:
    """Run the API and the console alone (worker processes: `faust -A services.worker worker`). 控制台"""
    from services.console.main import serve
    from services.console.settings import ConsoleSettings

    serve(ConsoleSettings())


@app.command()
def projector() -> None:
    """Run the projector alone, for a console with DTG_PROJECTOR=own. 投影进程"""
    from services.console.projector_process import run as project
    from services.console.settings import ConsoleSettings

    project(ConsoleSettings())


@app.command()
def rebuild() -> None:
    """Delete the read model and project it again from the topics. 重建查询库"""
    from services.console.readmodel.rebuild import rebuild as again
    from services.console.settings import ConsoleSettings

    settings = of_command(UpSettings())
    console_settings = ConsoleSettings(
        kafka=settings.bootstrap(),
        database_url=settings.read_model(),
        kafka_security=settings.security(),
        kafka_credentials=str(settings.credentials()),
    )
    with errors.progress("projecting 投影") as advance:
        count = again(console_settings, advance)
    screen.line(f"{count} facts projected. 已重建")


@app.command()
def topics(as_json: AsJson = False) -> None:
    """List all topics: who writes each, which messages it carries, and how many it has. 主题目录"""
    from kafka import TopicPartition

    from services.cli.log import reader

    consumer = reader(access_of_command("auditor"))
    shown = Table("topic 主题", "written by 写者", "carries 内容", "key 键", "kept 保留", "messages 条数")
    with errors.progress("reading 读取", len(CATALOGUE)) as advance:
        for topic in CATALOGUE:
            topic_partitions = [TopicPartition(topic.name, p) for p in consumer.partitions_for_topic(topic.name) or ()]
            count = sum(consumer.end_offsets(topic_partitions).values()) if topic_partitions else 0
            kinds = [kind.kind for kind in topic.carries]
            shown.add_row(
                topic.name,
                list(topic.writers),
                kinds,
                topic.key,
                topic.retention,
                count if topic_partitions else "missing 缺少",
            )
            advance(1)
    consumer.close()
    screen.tell(as_json, topics=shown)


app.command()(codes)


@app.command()
def trace(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            parser=text,
            help="consignment id, USCC/reference, declaration number, bill, or container 货物编号、信用代码/报关参考号、报关单号、提单号或集装箱号",
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Show the life of a consignment or container, with the cause of each step; for a bill, the life of each of its consignments.
    货物全程"""
    from services.cli.trace import nothing_known, stories, table

    settings = UpSettings()
    declarant, slash, reference = name.partition("/")
    found = stories(access_of_command("auditor"), name, settings.partitions)
    if not found:
        errors.line(nothing_known(name, consignment_id(declarant, reference) if slash else name))
        raise typer.Exit(1)
    tables = {key: table(entries) for key, entries in found.items()}
    screen.tell(as_json, stories=tables if as_json or len(tables) > 1 else list(tables.values()))


@app.command()
def declare(
    files: Annotated[list[Path], typer.Argument(help="declarations; -: the standard input 报关单文件；-：标准输入")],
    format: Annotated[
        DeclarationFormat,
        typer.Option(
            help="json: one object, a list, or one a line; korea: the public CSV json：单个对象、数组，或每行一个；korea：公开的 CSV"
        ),
    ] = DeclarationFormat.JSON,
    url: Annotated[str, typer.Option(help="address of the API 接口地址")] = "",
    wait: Annotated[
        bool | None,
        typer.Option(
            "--wait/--no-wait",
            help="until customs has answered each; default: on a terminal 等待海关逐一答复；在终端上为默认",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Lodge the declarations of files through the API, with the key of DTG_API_KEY_FILE. Exit code 1: a declaration was sent back,
    rejected or set aside; 3: with --wait, a declaration has no answer yet. 申报"""
    from services.cli.declare import lodge
    from services.cli.files import NotLodged
    from services.cli.outcomes import DeclarationOutcome, End

    address = (url or f"http://127.0.0.1:{UpSettings().console_port}").rstrip("/")
    waits = screen.is_terminal if wait is None else wait

    def tell(outcome: DeclarationOutcome) -> None:
        if as_json:
            screen.tell(True, stream=True, **outcome.record())
            return
        for parts in outcome.lines():
            screen.line(*parts)

    try:
        done = lodge(files, format.value, address, own_key("declarant"), tell, waits=waits)
    except NotLodged as error:
        errors.block(str(error), "red")
        raise typer.Exit(1) from None
    counts = ", ".join([f"{count:,} {end.value.replace('_', ' ')}" for end, count in sorted(done.ends.items())])
    if not as_json:
        screen.line(f"{counts or 'nothing to lodge 没有可申报的内容'}, in {done.seconds:.1f} s 秒")
    if not as_json and done.ends[End.TAKEN]:
        screen.line("Whether a declaration stands: dtg trace <declarant>/<reference> 申报是否成立，请查询")
    raise typer.Exit(1 if done.refused else NO_ANSWER if waits and done.ends[End.TAKEN] else 0)


@app.command()
def simulate(
    consignments: Annotated[
        int, typer.Option(help="consignments of the day; 0: only people who answer 一天的货物批数；0 表示只有应答人员")
    ] = 2400,
    seed: Annotated[int, typer.Option(help="the same seed is the same day 种子相同则模拟日相同")] = 1,
    paced: Annotated[
        bool, typer.Option(help="by the border's clock, not as fast as possible 按口岸时钟推进，而非尽快")
    ] = False,
    endless: Annotated[bool, typer.Option(help="day after day, by the border's clock 按口岸时钟日复一日运行")] = False,
    idle: Annotated[float, typer.Option(help="seconds without movement after which it ends 无进展多少秒后结束")] = 20.0,
    others: Others = False,
) -> None:
    """Let simulated declarants, carriers, officers, yards and terminals work. 模拟"""
    from services.cli.log import reader
    from services.simulator.main import simulate as play
    from services.simulator.player import ClockTooSlow
    from services.simulator.settings import SimulatorSettings

    settings = UpSettings()
    here = of_command(settings)
    access = here.access("simulator")
    if access.signs_in and access.file and not access.file.exists():
        errors.block(NO_SIMULATOR, "red")
        raise typer.Exit(1)
    reader(access).close()  # raises at once if no cluster answers
    total = None if endless or not consignments else consignments
    try:
        with errors.progress("consignments at their end 已办结", total) as advance:
            done = play(
                seed=seed,
                consignments=consignments,
                paced=paced,
                endless=endless,
                idle_seconds=idle,
                settings=SimulatorSettings(
                    kafka=here.bootstrap(),
                    kafka_security=here.security(),
                    kafka_credentials=str(here.credentials()),
                ),
                clock=clock_of(settings),
                others=others,
                advance=advance,
            )
    except ClockTooSlow as problem:
        errors.block(str(problem), "red")
        raise typer.Exit(1) from None
    ends = ", ".join(f"{name} {count}" for name, count in sorted(done.ends.items()))
    screen.line(
        f"{done.lodged} lodged 申报, {done.requests} requests 请求, {done.seconds:.1f} s; {ends or 'no end yet 尚无结局'}"
    )
    raise typer.Exit(0 if done.finished or endless else 1)


@app.command()
def bench(
    consignments: Annotated[
        int, typer.Option(help="consignments of the run at full speed 全速运行的货物批数")
    ] = 30_000,
    seed: Annotated[int, typer.Option(help="seed of the consignments 货物的随机种子")] = 7,
    layout: Annotated[str, typer.Option(help="worker processes; see DTG_LAYOUT 工作进程布局，见 DTG_LAYOUT")] = "",
    read_model: Annotated[
        bool, typer.Option(help="with the SQL read model beside the desks 同时运行 SQL 读模型")
    ] = True,
    partitions: Annotated[
        int, typer.Option(help="partitions of every topic; see DTG_PARTITIONS 各主题的分区数，见 DTG_PARTITIONS")
    ] = 0,
    rights: Annotated[
        bool,
        typer.Option(help="everybody signs in at the broker, and has rights there 各程序登录消息代理并受其权限控制"),
    ] = True,
) -> None:
    """Measure throughput, latency and cost on a broker of its own, and prove that nothing was lost. 性能"""
    from services.cli.bench.quick import main as measure

    usual = UpSettings(layout=layout) if layout else UpSettings()
    raise typer.Exit(
        measure(
            consignments=consignments,
            seed=seed,
            layout=usual.layout,
            read_model=read_model,
            partitions=partitions or usual.partitions,
            rights=rights,
        )
    )


@app.command()
def audit(as_json: AsJson = False) -> None:
    """Read every fact and say whether anything was lost, doubled, reordered or wrongly released. 核对"""
    from services.cli.ledger import audit as read_all

    ledger = read_all(access_of_command("auditor"))
    ends = Table("end 结局", "consignments 票数")
    for name, count in sorted(ledger.ends.items()):
        ends.add_row(name, count)
    for name, count in sorted(ledger.waits.items()):
        ends.add_row(f"  waits for {name}", count)
    ends.add_row("lodged", ledger.lodged)
    proof = Table(
        *("lost 丢失", "doubled 重复", "reordered 乱序", "wrongly released 误放行"),
        *("causeless 无因", "forged 伪造", "without a copy for ports 缺港口副本", "of no desk 非本系统"),
    )
    faults = [ledger.lost, ledger.doubled, ledger.reordered, ledger.wrongly_released, ledger.causeless, ledger.forged]
    faults += [ledger.uncopied, ledger.strangers]
    proof.add_row(*[len(each) for each in faults])
    screen.tell(as_json, ends=ends, proof=proof, examples=[line for each in faults for line in each[:5]])
    raise typer.Exit(0 if ledger.clean else 1)


@parked_app.command("list")
def parked_list(as_json: AsJson = False) -> None:
    """List the messages that are set aside, the oldest first. The console records that you read them. 清单"""
    from services.cli.parked import in_words, waiting

    _note_reading("dtg parked list")

    shown = Table("message 消息", "key 键", "reason 原因", "in words 说明", "error 详情", "since 自")
    for each in waiting(access_of_command("operations")):
        shown.add_row(each.name, each.key, each.reason, in_words(each.reason), each.error, each.at)
    screen.tell(as_json, parked=shown)


@parked_app.command("show")
def parked_show(
    name: Annotated[str, typer.Argument(help="as in the list 名称见列表")], as_json: AsJson = False
) -> None:
    """Show one message with its whole content. The console records that you read it. 详情"""
    from services.cli.parked import in_words

    each = _parked(name)
    _note_reading(each.key)
    about = {"name": each.name, "key": each.key, "reason": each.reason}
    about |= {"in_words": in_words(each.reason), "error": each.error}
    value = _NO_VALUE[each.kept] if each.value is None else each.value.decode("utf-8", "backslashreplace")
    if as_json:
        whole = {**about, "headers": each.headers, "value": None if each.value is None else value}
        screen.tell(True, message=whole)
        return
    for fields in (about, each.headers):
        for field, value_text in fields.items():
            screen.line(f"{field}:", value_text)
        screen.line("")
    screen.block(value)


@parked_app.command("replay")
def parked_replay(
    name: Annotated[str, typer.Argument(help="as in the list 名称见列表")],
    actor: Annotated[str, typer.Option(help="who decides 决定人")],
    value: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="file with the corrected message 更正后报文的文件")
    ] = None,
    wait: Wait = WAIT_SECONDS,
) -> None:
    """Decide a message again, with --value in a corrected form, and then the messages that wait behind it. Prints what became of it;
    exit code 1: set aside again. 重放"""
    _order(name, "replay", actor, _corrected(value) if value else None, wait)


def _corrected(file: Path) -> bytes:
    """Returns the content of the file with a corrected message. If the content is not one JSON object in UTF-8, prints
    this and ends the command, because the desk could not read such content, and would only set the message aside
    again."""
    data = file.read_bytes()
    try:
        why = "" if isinstance(json.loads(data.decode("utf-8")), dict) else "another value 其他类型"
    except (ValueError, RecursionError) as error:
        why = str(error)
    if why:
        errors.block(
            f"Not ordered: {file} is not one JSON object in UTF-8 ({why}). 文件不是一个 UTF-8 的 JSON 对象，未下达。",
            "red",
        )
        raise typer.Exit(1)
    return data


@parked_app.command("release", hidden=True)
def parked_release(
    name: Annotated[str, typer.Argument(help="as in the list 名称见列表")],
    actor: Annotated[str, typer.Option(help="who decides 决定人")],
    value: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="file with the corrected message 更正后报文的文件")
    ] = None,
    wait: Wait = WAIT_SECONDS,
) -> None:
    """The older name of the command `replay`. 重放的旧名"""
    screen.line("`release` is now `dtg parked replay`: only goods are released. 消息用“重放”，放行只用于货物。")
    parked_replay(name, actor, value, wait)


@parked_app.command("discard")
def parked_discard(
    name: Annotated[str, typer.Argument(help="as in the list 名称见列表")],
    actor: Annotated[str, typer.Option(help="who decides 决定人")],
    wait: Wait = WAIT_SECONDS,
) -> None:
    """Give a message up for ever. It stays in the log. 丢弃"""
    _order(name, "discard", actor, None, wait)


_NO_VALUE = {True: "(null)", False: "(too large to travel along; it lies at its origin. 内容过大，存于来源位置)"}


def _note_reading(subject: str) -> None:
    """Records who reads parked messages by a command, because these messages and their reasons have text that the console masks. The
    console's pages record this, too."""
    from services.console.access.readings import note_at_machine

    settings = of_command(UpSettings())
    if why := note_at_machine(settings.read_model(), by_whom(), subject, clock_of(settings).now()):
        errors.line(styled(f"That you read this is not on record: {why}. 查阅未能记录", "yellow"))


def _parked(name: str) -> Parked:
    from services.cli.parked import waiting

    for each in waiting(access_of_command("operations")):
        if name in (each.name, visible(each.name)):  # `name` may be the stored name, or the name as the list shows it
            return each
    screen.line(f"{name} is not in parking (any more). 该消息不在搁置区")
    raise typer.Exit(1)


def _order(name: str, action: Literal["replay", "discard"], actor: str, value: bytes | None, wait: float) -> None:
    from schemas.parking import MessageParked
    from services.cli.parked import order_of, outcome, send_orders, waiting, watching

    settings, access = UpSettings(), access_of_command("operations")
    each, actor = _parked(name), f"{by_whom()[:30]}: {actor}"
    try:
        with watching(access, each) as next_statement:
            send_orders(access, [(each, order_of(each, action, actor, value))], settings.partitions)
            screen.line(f"ordered 已下达: {action} {name} by {actor}")
            with errors.progress("waiting for the desk 等待岗位答复") as advance:
                answer = next_statement(wait, advance) if wait else None
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        errors.line(styled(f"Not ordered: {wrong['loc'][0]}: {wrong['msg']}. 未下达：内容不合规", "red"))
        raise typer.Exit(1) from None
    if not wait:
        return
    sentence, settled = outcome(each, answer, waiting(access) if answer is None else [])
    screen.line(styled(sentence, "green" if settled else "yellow"))
    raise typer.Exit(1 if isinstance(answer, MessageParked) else 0 if settled else NO_ANSWER)


if __name__ == "__main__":
    run()
