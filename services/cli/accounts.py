"""Who may sign in, and which programs have keys? The commands `dtg account` and `dtg key` change this. They work on the database of the read
model, so whoever may use this machine may use them."""

import getpass
import re
import shlex
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.home import clock_of, of_command
from services.cli.screen import AsJson, Table, errors, screen, styled, text
from services.cli.settings import UpSettings
from services.shell.clock import world_us
from services.shell.private_file import NotPrivate, read_private, write_private

if TYPE_CHECKING:
    from services.console.access.accounts import Account, Accounts, Shown

account_app = typer.Typer(no_args_is_help=True, help="People and programs: add, change, close, authorise. 账户")
key_app = typer.Typer(no_args_is_help=True, help="API keys of programs: add, rotate, revoke. 密钥")
COMPANY = "USCC, or a carrier's or terminal's name 统一社会信用代码，或承运人、码头的名称"
OFFICE = "customs office, four digits; 00 at the end: the district 海关机构四位代码；末尾为 00 表示整个关区"
Named = Annotated[str, typer.Argument(parser=text, help="name of the account 账户名称")]
KeyId = Annotated[str, typer.Argument(parser=text, help="id of the key, as in the list 密钥编号，见列表")]
Into = Annotated[
    Path | None,
    typer.Option(
        "--file", help="private file to write the key to, instead of the screen 将密钥写入私有文件，不在屏幕显示"
    ),
]
Roles = Annotated[list[str], typer.Option("--role", help="may be given several times 可多次给出")]
DAY_US = 86_400_000_000
_A_KEY = re.compile("[!-~]+")
"""Matches what may be a key: one or more printable ASCII characters without blanks. Other texts cannot be sent in the header
`Authorization`."""
NO_API_KEY = (
    "Name the file with the key in DTG_API_KEY_FILE; `dtg key add <account> --file <file>` makes one. "
    "请在 DTG_API_KEY_FILE 中指明密钥文件。"
)


@contextmanager
def people(settings: UpSettings) -> Iterator["Accounts"]:
    """Yields the accounts in the database of these settings. If a change is refused inside the `with` block, prints the reason and ends the
    command with exit code 1. Raises NoDatabase if the database cannot be opened or written."""
    from services.console.access.accounts import Accounts, NotGranted
    from services.console.readmodel.database import migrate, open_engine, reached
    from services.console.readmodel.generation import Generation, file_of

    url = settings.read_model()
    migrate(url)
    engine = open_engine(url, writes=True)
    generation = Generation(engine, file_of(url, settings.home))
    try:
        try:
            with reached(url):
                generation.look()
        except OSError as error:
            errors.line(
                styled(
                    f"{file_of(url, settings.home)} cannot be written: {error.strerror}. 无法写入权限变更记录文件。",
                    "red",
                )
            )
            raise typer.Exit(1) from None
        with reached(url):
            yield Accounts(engine, generation=generation, one_time_hours=settings.one_time_hours)
    except NotGranted as error:
        errors.line(styled(str(error), "red"))
        raise typer.Exit(1) from None
    finally:
        engine.dispose()


def _here() -> UpSettings:
    return of_command(UpSettings())


def by_whom() -> str:
    """Returns the user of this machine who runs the command, as user@host, at most 64 characters."""
    return f"{getpass.getuser()}@{socket.gethostname()}"[:64]


def _day(us: int | None) -> str:
    return "" if us is None else datetime.fromtimestamp(us / 1e6, UTC).isoformat(timespec="minutes")


@account_app.command("add")
def add(
    name: Named,
    role: Roles,
    company: Annotated[str, typer.Option(help=COMPANY)] = "",
    office: Annotated[str, typer.Option(help=OFFICE)] = "",
    program: Annotated[bool, typer.Option("--program", help="no password: it has keys only 无口令，只有密钥")] = False,
) -> None:
    """Make an account; a person's one-time password is shown once. 新增账户"""
    from services.console.access.accounts import Account
    from services.shell.fresh import fresh_password

    password = None if program else fresh_password()
    sandbox = clock_of(UpSettings()).is_sandbox
    with people(_here()) as accounts:
        made = Account(name, " ".join(role), company, office, must_change=True)
        accounts.make(made, by=by_whom(), at=world_us(), password=password, sandbox=sandbox)
    screen.line(f"Account {name} was made. 已新增账户。" + (f" {_one_time(password)}" if password else ""))


def _one_time(password: str) -> str:
    """Returns the sentence with a one-time password and the time for which it is valid."""
    hours = UpSettings().one_time_hours
    return f"One-time password 一次性密码: {password} (good for {hours} hours 有效 {hours} 小时)"


@account_app.command("change")
def change(
    name: Named,
    role: Annotated[list[str] | None, typer.Option("--role", help="all roles from now on 今后的全部角色")] = None,
    company: Annotated[str | None, typer.Option(help=COMPANY)] = None,
    office: Annotated[str | None, typer.Option(help=OFFICE)] = None,
    closed: Annotated[
        bool | None, typer.Option("--close/--open", help="nobody can sign in as it 任何人不能以该账户登录")
    ] = None,
) -> None:
    """Give an account other roles, another company or office, or close it. The change takes effect with the next request. 变更账户"""
    wanted = {"roles": " ".join(role) if role else None, "company": company, "office": office, "closed": closed}
    columns: dict[str, Any] = {column: value for column, value in wanted.items() if value is not None}
    with people(_here()) as accounts:
        accounts.change(name, by=by_whom(), at=world_us(), sandbox=clock_of(UpSettings()).is_sandbox, **columns)
    screen.line(f"Account {name} was changed. 已变更")


@account_app.command("password")
def password(name: Named) -> None:
    """Make another one-time password for an account; all its sessions end. 重置密码"""
    from services.shell.fresh import fresh_password

    made = fresh_password()
    with people(_here()) as accounts:
        accounts.set_password(name, made, by=by_whom(), at=world_us())
    screen.line(f"{name}: {_one_time(made)}")


@account_app.command("authorise")
def authorise(
    company: Annotated[str, typer.Argument(parser=text, help="USCC of the declarant 申报单位的统一社会信用代码")],
    agent: Annotated[str, typer.Argument(parser=text, help="USCC of the agent 代理单位的统一社会信用代码")],
    days: Annotated[int, typer.Option(min=1, max=3650, help="from now on 自现在起的天数")] = 365,
    end: Annotated[bool, typer.Option("--end", help="end it instead 改为终止委托")] = False,
) -> None:
    """Let an agent declare in a company's name for some days. 授权代理"""
    at = world_us()
    with people(_here()) as accounts:
        if end:
            accounts.end_authorisation(company, agent, by=by_whom(), at=at)
        else:
            accounts.authorise(company, agent, by=by_whom(), at=at, from_us=at, until_us=at + days * DAY_US)
    ended, made = (
        f"{agent} may no more declare for {company}. 已终止授权",
        f"{agent} may declare for {company}. 已登记授权",
    )
    screen.line(ended if end else made)


@account_app.command("confirm")
def confirm(
    yes: Annotated[
        bool,
        typer.Option(
            "--yes",
            help="the accounts and keys are right as they are in the database now 确认数据库中现有的账户和密钥无误",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Confirm a database that is an older copy and was put back; the changes that it lacks are shown first. 确认数据库副本"""
    with people(_here()) as accounts:
        generation = accounts.generation
        why, lacking = generation.sentence(), generation.lacking()
        if why and yes:
            generation.confirm(by=by_whom(), at=world_us())
    if not why:
        screen.line("The database is the one that was written last: nothing is held. 无需确认")
        return
    if yes:
        screen.line(
            "Confirmed. Keys are good and people can sign in again; all sessions have ended. 已确认，登录均须重新进行"
        )
        return
    shown = Table("at 时间", "by 授予人", "account 账户", "what 事项", "detail 详情")
    for each in lacking:
        shown.add_row(_day(each.at_us), each.granted_by, each.account, each.what, each.detail)
    errors.line(styled(why, "yellow"))
    if lacking:
        errors.line(
            "What the database lacks, the latest first. Do it again (`dtg key revoke`, `dtg account change`), then: dtg account confirm --yes "
            "数据库缺少以下变更，请先补办"
        )
    else:
        errors.line(
            "What it lacks is not known: compare `dtg account list` and `dtg key list` with your own lists, then: dtg account confirm "
            "--yes 请先核对账户与密钥"
        )
    screen.tell(as_json, lacking=shown)
    raise typer.Exit(1)


@account_app.command("list")
def list_accounts(as_json: AsJson = False) -> None:
    """List all accounts; for a one-time password, also until when it is valid, and what to do when that time is over. 清单"""
    shown = Table("account 账户", "roles 角色", "company 企业", "office 关区", "closed 停用", "password 密码")
    at = world_us()
    with people(_here()) as accounts:
        for each in accounts.accounts():
            closed = "closed 停用" if each.closed else ""
            shown.add_row(each.account, each.roles, each.company, each.office, closed, _password_state(each, at))
    screen.tell(as_json, accounts=shown)


def _password_state(account: "Account", at: int) -> str:
    """Returns the state of the password as a sentence; an empty text if its owner has chosen it."""
    if not account.password:
        return "none 无"
    if account.is_over(at):
        return f"over 已过期: dtg account password {shlex.quote(account.account)}"
    until = "" if account.password_until_us is None else f" until 至 {_day(account.password_until_us)}"
    return f"one-time 一次性{until}" if account.must_change else ""


@account_app.command("grants")
def grants(as_json: AsJson = False) -> None:
    """List who gave or took away which right, the latest first. 授予记录"""
    shown = Table("at 时间", "by 授予人", "account 账户", "what 事项", "detail 详情")
    with people(_here()) as accounts:
        for each in accounts.grants():
            shown.add_row(_day(each.at_us), each.granted_by, each.account, each.what, each.detail)
    screen.tell(as_json, grants=shown)


@key_app.command("add")
def add_key(
    account: Named,
    days: Annotated[int, typer.Option(min=1, max=3650, help="it is good for 有效天数")] = 365,
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="read, gate, lodge, report, decide, operate, grant 权限范围")
    ] = None,
    file: Into = None,
) -> None:
    """Make an API key; it is shown once. 新增密钥"""
    from services.console.access.rights import Scope

    at = world_us()
    with _reserved(file), people(_here()) as accounts:
        scopes = scope or [each.value for each in Scope]
        made = accounts.make_key(account, by=by_whom(), at=at, ends_us=at + days * DAY_US, scopes=scopes)
    _show(made, file)


@key_app.command("rotate")
def rotate(
    key_id: KeyId,
    days: Annotated[int, typer.Option(min=1, max=3650, help="the new one is good for 新密钥的有效天数")] = 365,
    overlap_hours: Annotated[
        int, typer.Option(min=0, max=24 * 90, help="the old one stays good for 旧密钥继续有效的小时数")
    ] = 24 * 7,
    file: Into = None,
) -> None:
    """Make another key with the same account and scopes; the old one stays valid for a while. 换发密钥"""
    at = world_us()
    overlap = timedelta(hours=overlap_hours) // timedelta(microseconds=1)
    with _reserved(file), people(_here()) as accounts:
        made = accounts.rotate(key_id, by=by_whom(), at=at, overlap_us=overlap, ends_us=at + days * DAY_US)
    _show(made, file)


@key_app.command("revoke")
def revoke(key_id: KeyId) -> None:
    """Revoke a key. Consoles refuse it after some seconds (DTG_KEY_SECONDS). 吊销密钥"""
    with people(_here()) as accounts:
        accounts.revoke(key_id, by=by_whom(), at=world_us())
    screen.line(f"Key {key_id} was revoked. 已吊销")


@key_app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List all keys, without their secrets. 清单"""
    shown = Table("key 密钥", "account 账户", "scopes 范围", "made 生成", "until 有效至", "revoked 吊销")
    with people(_here()) as accounts:
        for each in accounts.listed_keys():
            row = (each.key_id, each.account, each.scopes, _day(each.made_us), _day(each.ends_us))
            shown.add_row(*row, _day(each.revoked_us))
    screen.tell(as_json, keys=shown)


@contextmanager
def _reserved(file: Path | None) -> Iterator[None]:
    """Makes the empty file for a key before the key is made, so that no key is in force that nobody has. Ends the command if
    the file exists already or cannot be made. Deletes it again if no key is made."""
    if file is None:
        yield
        return
    _write(file, "", fresh=True)
    try:
        yield
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def _write(file: Path, text: str, *, fresh: bool = False) -> None:
    try:
        write_private(file, text, fresh=fresh)
    except OSError as error:
        errors.line(styled(f"{file} cannot be written: {error.strerror}. 无法写入密钥文件。", "red"))
        raise typer.Exit(1) from error


def _show(made: "Shown", file: Path | None) -> None:
    from services.console.access.accounts import written

    if file is None:
        screen.line(f"API key, shown once 密钥仅显示一次: {written(made)}")
        return
    _write(file, f"{written(made)}\n")
    screen.line(f"Key {made.key_id} is in {file}. 密钥已写入文件")


class NoApiKey(Exception):
    """Raised if the file that DTG_API_KEY_FILE names has no API key. The text says why and what to do, in Chinese and English."""


def own_key(demo_role: str) -> str:
    """Returns the API key that a command sends: the key in the file that DTG_API_KEY_FILE names. If that variable is not set, returns the
    published key of this role if a demo runs on this machine, otherwise an empty text. Raises NoApiKey if the file has no key."""
    settings = UpSettings()
    if settings.api_key_file:
        file = Path(settings.api_key_file)
        unusable = f"The API key file {file}, which DTG_API_KEY_FILE names, cannot be used. API 密钥文件不可用。"
        try:
            key = read_private(file, NO_API_KEY).strip()
        except NotPrivate as error:
            raise NoApiKey(
                f"{unusable} {error} {NO_API_KEY if NO_API_KEY not in str(error) else ''}".rstrip()
            ) from None
        if not _A_KEY.fullmatch(key):
            raise NoApiKey(f"{unusable} It holds no key. 文件中没有密钥。 {NO_API_KEY}")
        return key
    if not clock_of(settings).is_sandbox:
        return ""
    from services.console.access.accounts import written
    from services.console.access.demo_accounts import DEMOS

    return next(written(demo.key) for demo in DEMOS if demo.role == demo_role)
