"""How does `dtg up` start everything, keep it running, and stop it?"""

import contextlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.kafka.broker import Broker, port_is_taken
from deploy.kafka.errors import Interrupted, never
from deploy.kafka.logs import turn_over, turn_over_ended
from deploy.kafka.places import refuse
from deploy.kafka.progress import MOST_SECONDS, WaitLimit, signs_of
from deploy.kafka.rights import make_credentials, prepare, write_tools
from deploy.kafka.topics import cautions, provision
from schemas.rights import PROVISION, table
from schemas.vocabulary import day_in_china
from services.cli.hangs import HangWatch, Patience
from services.cli.home import CLOCK, in_use, make_folder, of_demo, read_clock, refuse_foreign
from services.cli.membership import Hosted, Leaver
from services.cli.processes import Child, Supervisor, ThreadEnded, kafka_environment, read_model, stop_all, worker
from services.cli.scraping import CONFIGURATION, KEY, MetricsPage, files
from services.cli.screen import LastingScreen, Table, styled
from services.cli.settings import UpSettings
from services.risk.keys import PUBLISHED_ID, SECRET_BYTES, DrawKeys, new_key, written
from services.shell.access import file_of
from services.shell.advance import Advance, unreported
from services.shell.clock import Clock, world_us
from services.shell.loopback import open_page
from services.shell.private_file import write_private
from services.shell.signals import FAUST_SECONDS, LOOP_SECONDS

if TYPE_CHECKING:
    from services.console.access.accounts import Accounts

OPEN_FILES = 65_536
KEY_MADE = "draw-keys.made"
"""Name of the file which says that the key of the inspection draw was made in this folder. Its text is the id of the key."""
LOGS_SECONDS = 5.0
"""Seconds between two checks whether a log has become long."""
ANSWER_SECONDS = 3.0
"""Seconds that a page may take to answer. On a busy machine even a healthy process answers late."""
WORKER_STOP_SECONDS, OTHERS_STOP_SECONDS = LOOP_SECONDS + FAUST_SECONDS + 1.0, 3.0
"""Seconds that a worker, and any other process, has to end after SIGTERM."""
SCRAPER = "prometheus"
"""The name of the account of Prometheus. The key of this account is in the folder of `dtg up`."""
screen = LastingScreen()


class CannotStart(Exception):
    """Raised if `dtg up` cannot start. The text says why and what to do."""


class Up:
    """Runs and supervises all processes: broker, workers, console, projector, and for a demo the simulated people."""

    def __init__(
        self, settings: UpSettings, *, demo: bool, speed: float, consignments: int, seed: int, others: bool = False
    ) -> None:
        settings = of_demo(settings) if demo else settings
        self.settings, self.demo, self.consignments, self.seed = settings, demo, consignments, seed
        self.others_too = others
        self.speed = speed if demo else 1.0
        self.home = Path(settings.home)
        self.signs_in = settings.security() != "PLAINTEXT"
        self.broker = None if settings.kafka else self._own_broker()
        self.workers: list[Child] = []
        self.others: list[Child] = []
        self._leaver: Leaver | None = None
        self._hang_watches: list[HangWatch] = []
        self._clock_lags = False
        self._logs_at, self._logs_grow = 0.0, False
        self._supervisor = Supervisor()

    def _own_broker(self) -> Broker:
        owner = file_of(self.settings.credentials(), PROVISION) if self.signs_in else None
        return Broker(self.home / "kafka", self.settings.kafka_port, lasting=True, owner=owner)

    def run(self) -> int:
        """Starts all processes, watches them until a signal to stop comes, and stops them. Returns the exit code."""
        if self.broker:
            refuse()
        if self.demo:
            self._tell_demos()
        refuse_foreign(self.home)
        make_folder(self.home)
        self.home.chmod(0o700)  # an older software version may have made the folder readable for everybody
        with in_use(self.home, self.settings.bootstrap()):
            for folder in (self.home / "logs", self.home / "faust", self.home / "kafka", self.settings.credentials()):
                # The folders of the broker and of the credentials are made together with their content, so here they
                # are only checked.
                if folder.name in ("logs", "faust") or os.path.lexists(folder):
                    make_folder(folder)
            _open_files()
            screen.journal = self.home / "logs" / "up.log"
            try:
                self._supervisor.run(self._start, self._watch, self._end)
            except ThreadEnded as error:
                screen.block(str(error), "red")
                return os.EX_SOFTWARE
        return 0

    def _stopping(self) -> bool:
        return self._supervisor.stopping

    def move_aside(self) -> None:
        """Renames the folder with its data, so that the next start begins without data. Raises InUse if a `dtg up` uses
        the folder, Spoiled if the folder has only files of other programs, CannotStart if it cannot be renamed."""
        if not self.home.exists():
            return
        refuse_foreign(self.home)
        aside = self.home.with_name(f"{self.home.name}-{datetime.now(UTC):%Y%m%dT%H%M%S}")
        with in_use(self.home, ""):
            try:
                self.home.rename(aside)
            except OSError as error:
                raise CannotStart(f"The folder {self.home} cannot be moved aside: {error}. 无法移开旧数据。") from error
        screen.line(f"The former data is kept in {aside}. 旧数据保留在此")

    def _start(self) -> None:
        started = time.monotonic()
        self._check_clock()
        self._make_draw_key()
        self._check_ports()
        self._make_credentials()
        if self.broker:
            screen.line("Starting the Kafka broker … 启动消息代理")
            with screen.progress("starting 启动"):
                self.broker.start(self._stopping)
        self._supervisor.call(self._provision)
        env = self._environment()
        for number, desks in enumerate(self.settings.workers()):
            self.workers.append(worker(desks, self.settings.worker_port + number, self.home, env))
        self.others += read_model(self.settings.console_port, self.settings.projector_port, self.home / "logs", env)
        for child in self.workers:
            child.start()
        if self.demo:
            self._make_demos()
        for child in self.others:
            child.start()
        self._wait_until_ready()
        first = self._make_people()
        self._leaver = Leaver(self.settings.access("supervisor"), self._hosted)
        self._watch_for_hangs()
        if self.demo:
            people = [
                *(sys.executable, "-m", "services.cli.main"),
                "simulate",
                "--endless",
                "--consignments",
                str(self.consignments),
                "--seed",
                str(self.seed),
                *(["--others"] if self.others_too else []),
            ]
            child = Child("border", people, self.home / "logs" / "border.log", env)
            self.others.append(child)
            child.start()
        self._write_targets()
        if first:
            screen.secret(f"Sign in as admin with the one-time password 一次性密码: {first}", "yellow")
            screen.line(
                f"The password of admin is shown once, stands in no log, and is good for {self.settings.one_time_hours} hours; `dtg account password admin` makes another one, `dtg account "
                "add` other accounts. 密码仅显示一次，须在期限内登录并更改"
            )
        self._tell(time.monotonic() - started)

    def _make_demos(self) -> None:
        """Makes the accounts of a demo before the console starts. Their keys are public, so somebody may use a key at
        once. If the console did not find the account of the key, it would cache this result, and refuse the key for
        some seconds."""
        from services.cli.accounts import people
        from services.console.access.demo_accounts import make_demos

        with people(self.settings) as accounts:
            make_demos(accounts, sandbox=True)

    def _make_people(self) -> str | None:
        """Makes an administrator if there is no account yet, and returns its one-time password; None if none was made. Also makes the account of
        Prometheus."""
        from services.cli.accounts import people

        with people(self.settings) as accounts:
            if accounts.generation.held:
                screen.block(accounts.generation.sentence(), "red")
                return None
            password = accounts.first("admin", world_us())
            self._make_scraper(accounts)
            return password

    def _make_scraper(self, accounts: "Accounts") -> None:
        """Makes the account and the key with which Prometheus reads the console's metrics, if they are missing. The key gives no access to data about
        goods."""
        from services.console.access.accounts import Account, written

        file, at = self.home / KEY, world_us()
        if file.exists():
            return
        if accounts.account(SCRAPER) is None:
            accounts.make(Account(SCRAPER, "operations"), by="dtg up", at=at)
        key = accounts.make_key(SCRAPER, by="dtg up", at=at, scopes=("operate",))
        write_private(file, f"{written(key)}\n")

    def _tell_demos(self) -> None:
        from services.console.access.accounts import written
        from services.console.access.demo_accounts import DEMOS, PASSWORD

        table = Table("sign in as 演示账户", "API key 密钥")
        for demo in DEMOS:
            table.add_row(demo.account, written(demo.key))
        screen.line(f"Sandbox: everybody has the password {PASSWORD}. 沙箱演示账户，密码均为 {PASSWORD}")
        screen.table(table)

    def _provision(self) -> None:
        access = self.broker.access if self.broker else self.settings.access(PROVISION)
        if self.settings.kafka and access.file and access.signs_in and not access.file.exists():
            screen.line(
                f"There is no {access.file}, so topics and rights of the cluster are taken as they are: `dtg provision` "
                "makes and compares them. 未提供管理凭据，主题与权限按现状使用。"
            )
            return
        partitions, replication = self.settings.partitions, self.settings.replication
        if self.broker and self.signs_in:
            made = prepare(access, self.settings.credentials(), partitions, table(sandbox=self.demo), replication)
        else:
            made = provision(access, partitions, replication)
        screen.line(
            f"{len(made)} topics made. 已创建主题。"
            if made
            else "Topics are there, the data is kept. 主题已存在，数据保留。"
        )
        if self.settings.kafka:
            for sentence in cautions(access):
                screen.line(sentence)

    def _make_credentials(self) -> None:
        """Makes the missing credentials of the embedded broker's users. If the data was made by a broker without credentials, prints what changes."""
        if self.broker is None:
            return
        if self.settings.security() == "SASL_SSL":
            raise CannotStart(
                "DTG_KAFKA_SECURITY=SASL_SSL: the broker that `dtg up` starts listens on loopback and has no TLS. "
                "自带消息代理不支持 TLS。 Leave it unset, or name a cluster: DTG_KAFKA"
            )
        folder, data = self.settings.credentials(), self.home / "kafka"
        if not self.signs_in:
            screen.line("DTG_KAFKA_SECURITY=PLAINTEXT: anybody on this machine can write any topic. 未启用权限控制。")
            return
        earlier = data.exists() and not file_of(folder, PROVISION).exists()
        made = make_credentials(folder, table(sandbox=self.demo), owner=PROVISION)
        write_tools(folder, PROVISION)
        if made:
            screen.line(f"{len(made)} credentials for Kafka made in {folder}. 已生成 Kafka 凭据。")
        if earlier:
            screen.line(
                "From now on the broker asks everybody who he is; the data is kept. 消息代理现已启用身份验证与权限控制，数据保留。 "
                "Once: give programs of yours that read or write topics DTG_KAFKA_SECURITY=SASL_PLAINTEXT and a credential: "
                "docs/kafka.md. `dtg` takes its own from this folder."
            )

    def _make_draw_key(self) -> None:
        """Makes the secret of the inspection draw at the first start on a machine that hosts the risk desk. The secret
        is never shown.

        Does nothing for a demo, because a demo draws with the published key. Also does nothing if DTG_DRAW_KEYS names a
        file, because somebody else maintains that file.
        """
        file = self.settings.draw_key_file()
        hosted = [name.strip() for desks in self.settings.workers() for name in desks.split(",")]
        if self.demo or self.settings.draw_keys or "risk" not in hosted or file.exists():
            return
        made = self.home / KEY_MADE
        if made.exists():
            # No new key is made in place of a lost one. Otherwise nobody would notice that earlier draws cannot be
            # repeated any more.
            raise CannotStart(
                f"The key of the inspection draw {_text_of(made)} was made once, and its file "
                f"{file} is gone. 抽查密钥文件丢失。 Put back the copy. Only if there is none: remove {made}, and another "
                "key is made; the draws of the lost one cannot be repeated then."
            )
        key = new_key(os.urandom(SECRET_BYTES), day_in_china(datetime.now(UTC)))
        try:
            write_private(file, written(DrawKeys((key,))), fresh=True)
            write_private(made, f"{key.key_id}\n")
        except OSError as error:
            raise CannotStart(f"The key file {file} cannot be written: {error} 无法写入抽查密钥文件") from error
        screen.line(
            f"A key for the inspection draw was made: {key.key_id} in {file}. 已生成抽查密钥，请备份。 Keep a copy of the file."
        )

    def _check_ports(self) -> None:
        wanted = {
            "DTG_CONSOLE_PORT": self.settings.console_port,
            "DTG_PROJECTOR_PORT": self.settings.projector_port,
        }
        for number in range(len(self.settings.workers())):
            wanted[f"DTG_WORKER_PORT (+{number})"] = self.settings.worker_port + number
        owners = {self.settings.kafka_port: "DTG_KAFKA_PORT"} if self.broker else {}
        for name, port in wanted.items():
            if (owner := owners.setdefault(port, name)) != name:
                raise CannotStart(
                    f"{owner} and {name} are both port {port}. 端口 {port} 被重复指定。 Choose another for one of them; "
                    f"workers take one port each, from DTG_WORKER_PORT on"
                )
            if port_is_taken(port):
                raise CannotStart(
                    f"Port {port} is taken by another program. 端口 {port} 已被占用。 End it, or choose another: {name}"
                )

    def _environment(self) -> dict[str, str]:
        env = {
            **kafka_environment(self.settings.access(PROVISION)),
            "DTG_PARTITIONS": str(self.settings.partitions),
            "DTG_HOME": str(self.home),
            "DTG_DATABASE_URL": self.settings.read_model(),
            "DTG_DRAW_KEYS": PUBLISHED_ID if self.demo else str(self.settings.draw_key_file()),
        }
        clock = self.home / CLOCK
        if self.demo:
            anchor = datetime.now(UTC)
            start = anchor
            if clock.exists():
                # The demo's day continues at the time at which it stopped, so that new data has later times than the present data.
                start = max(anchor, self._saved_clock())
            env |= Clock(anchor.timestamp(), start.timestamp(), self.speed).environment()
            self._clock = (anchor, start, clock)
        return env

    def _check_clock(self) -> None:
        """Raises CannotStart if the kept data has later times than the clock of this start, or if the clock of that data cannot be read."""
        clock = self.home / CLOCK
        if not clock.exists():
            return
        if self.demo:
            # if the saved time cannot be read, this raises before anything is started
            self._saved_clock()
            return
        if self._saved_clock() > datetime.now(UTC):
            raise CannotStart(
                f"The data in {self.home} comes from a sandbox clock that is ahead of the world. 沙箱时钟超前。 "
                "Go on with `dtg up --demo`, or begin afresh and keep the old data beside the new: "
                "`dtg up --afresh`   重新开始并保留旧数据"
            )

    def _saved_clock(self) -> datetime:
        """Returns the time at which the sandbox clock of the kept data stopped. Raises CannotStart if it cannot be read."""
        clock = self.home / CLOCK
        try:
            return read_clock(clock).now
        except (OSError, ValueError) as error:
            raise CannotStart(
                f"The sandbox clock of the data in {self.home} cannot be read ({clock}: {error}). 沙箱时钟无法读取。 "
                "Begin afresh and keep the old data beside the new: `dtg up --demo --afresh`   重新开始并保留旧数据"
            ) from None

    def _wait_until_ready(self) -> None:
        waiting = {
            f"http://127.0.0.1:{self.settings.worker_port + number}/readyz": child
            for number, child in enumerate(self.workers)
        }
        ports = (self.settings.console_port, self.settings.projector_port)
        waiting |= {f"http://127.0.0.1:{port}/readyz": child for port, child in zip(ports, self.others, strict=True)}
        with screen.progress("workers and consoles that are ready 已就绪的进程", len(waiting)) as advance:
            wait_for(waiting, self._stopping, advance=advance)

    def _watch_for_hangs(self) -> None:
        """Begins to ask the workers, the console and the projector whether they live."""
        workers = Patience(self.settings.stall_seconds, WORKER_STOP_SECONDS)
        others = Patience(self.settings.console_stall_seconds, OTHERS_STOP_SECONDS)
        watched = [(child, self.settings.worker_port + number, workers) for number, child in enumerate(self.workers)]
        ports = (self.settings.console_port, self.settings.projector_port)
        watched += [(child, port, others) for port, child in zip(ports, self.others, strict=True)]
        for child, port, patience in watched:
            self._hang_watches.append(HangWatch(child, f"http://127.0.0.1:{port}/livez", patience))
            self._hang_watches[-1].start()

    def _watch(self) -> None:
        for watch in self._hang_watches:
            if notice := watch.end_if_hung():
                screen.block(notice, "red")
        # the processes are started again before the broker, so that they load their modules while the broker starts
        for child in (*self.workers, *self.others):
            try:
                notice = child.watch()
            except OSError as error:
                # The machine has no process or memory left at the moment. The other processes must still be supervised.
                screen.block(f"{child.name} cannot be started now: {error} 暂时无法启动", "red")
                self._supervisor.wait(2)
                continue
            if notice:
                screen.line(notice)
                self._look_after_groups()
        if self.broker and self.broker.process and self.broker.process.poll() is not None:
            screen.line("The broker ended; starting it again. 消息代理已退出，正在重启")
            try:
                self.broker.start(self._stopping)
                self._look_after_groups()
            except Interrupted:
                raise
            except Exception as error:  # noqa: BLE001 (for example a lost file, or no thread left; all else is still supervised)
                screen.block(str(error) or type(error).__name__, "red")
                self._supervisor.wait(2)
        self._save_clock()
        if time.monotonic() >= self._logs_at:
            self._turn_logs_over()

    def _turn_logs_over(self) -> None:
        """Rotates the logs of all processes, which go on writing to them, and the log of this process."""
        self._logs_at = time.monotonic() + LOGS_SECONDS
        logs = [child.log for child in (*self.workers, *self.others)]
        try:
            for log in [*logs, *([self.broker.log] if self.broker else [])]:
                turn_over(log)
            if screen.journal is not None:
                turn_over_ended(screen.journal)
        except OSError as error:
            # The error is not raised, because the processes must still be supervised. Its only effect is that the logs
            # keep growing.
            if not self._logs_grow:
                screen.block(f"A log cannot be turned over: {error} 日志无法轮转", "red")
            self._logs_grow = True
        else:
            self._logs_grow = False

    def _look_after_groups(self) -> None:
        if self._leaver is not None:
            self._leaver.look()

    def _hosted(self) -> list[Hosted]:
        return [
            Hosted(
                tuple(child.env["DTG_DESKS"].split(",")),
                child.env["DTG_SLOT"],
                child.pid if child.alive else None,
                f"http://127.0.0.1:{self.settings.worker_port + number}",
            )
            for number, child in enumerate(self.workers)
        ]

    def _save_clock(self) -> None:
        if not self.demo:
            return
        anchor, start, path = self._clock
        passed = (datetime.now(UTC) - anchor).total_seconds() * self.speed
        try:
            stands = {"now": (start + timedelta(seconds=passed)).isoformat()}
            runs = {"anchor": anchor.isoformat(), "start": start.isoformat(), "speed": self.speed}
            write_private(path, json.dumps(stands | runs))
        except OSError as error:
            # Only the next start needs the file: its clock then goes on from the time that was saved last, and its first facts may
            # have earlier times than stored ones. So the demo need not end here; the operator is told once.
            if not self._clock_lags:
                screen.block(f"The demo's clock cannot be saved: {error} 演示时钟无法保存", "red")
            self._clock_lags = True
        else:
            self._clock_lags = False

    def _end(self) -> None:
        """Stops everything in reverse order: people, projector, console, workers, broker."""
        screen.line("Stopping … 正在停止")
        if self._leaver is not None:
            self._leaver.stop()
        for watch in self._hang_watches:
            watch.stop()
        stop_all(list(reversed(self.others)), OTHERS_STOP_SECONDS)
        stop_all(list(reversed(self.workers)), WORKER_STOP_SECONDS)
        if self.broker:
            self.broker.stop()
        if self.demo and hasattr(self, "_clock"):
            self._save_clock()
        screen.line("Stopped. 已停止")

    def _write_targets(self) -> None:
        """Writes the configuration of Prometheus for this run, with the addresses of all metrics."""
        workers = [MetricsPage(child.name, self.settings.worker_port + n) for n, child in enumerate(self.workers)]
        pages = (*workers, MetricsPage("projector", self.settings.projector_port))
        console = MetricsPage("console", self.settings.console_port)
        for name, text in files(self.home, pages, console, self.settings.alertmanager).items():
            (self.home / name).write_text(text, encoding="utf-8")

    def _tell(self, seconds: float) -> None:
        table = Table(show_header=False, box=None, pad_edge=False)
        base = f"http://127.0.0.1:{self.settings.console_port}"
        table.add_row("console 控制台", f"{base}/")
        table.add_row("API", f"{base}/api/v1/  (docs {base}/docs)")
        for number, child in enumerate(self.workers):
            table.add_row(child.name, f"http://127.0.0.1:{self.settings.worker_port + number}/metrics")
        table.add_row("projector 投影", f"http://127.0.0.1:{self.settings.projector_port}/metrics")
        table.add_row("Kafka", self.settings.bootstrap())
        table.add_row("logs, data 日志与数据", str(self.home))
        table.add_row("Prometheus", f"prometheus --config.file={self.home / CONFIGURATION}")
        screen.table(table)
        if self.demo:
            screen.line(f"Sandbox clock: {self.speed:g} s a second. 沙箱时钟")
        screen.line(styled(f"Up in {seconds:.0f} s. Ctrl-C stops everything. 已启动，按 Ctrl-C 停止", "green"))


def _text_of(file: Path) -> str:
    """Returns the content of a file of `dtg up`; a question mark if it cannot be read, for example because somebody damaged it."""
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return "?"


def _open_files() -> None:
    """Raises the limit of open files as far as the machine allows, for this process and its children. A shell's limit
    may be 256, and each partition needs four files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def wait_for(
    waiting: dict[str, Child],
    stop: Callable[[], bool] = never,
    most: float = MOST_SECONDS,
    advance: Advance = unreported,
) -> None:
    """Waits until each URL in `waiting` (URL → its process) answers 200. Raises CannotStart if a process ends, makes no progress, or is not ready
    after `most` seconds. Raises Interrupted if `stop` returns true. `advance` is called with 1 for each URL that answers."""
    left = dict(waiting)
    progress = {url: _progress(child, most) for url, child in waiting.items()}
    while left:
        if stop():
            raise Interrupted
        for url, child in list(left.items()):
            if not child.alive:
                raise CannotStart(
                    f"{child.name} ended while starting (code {child.code}). 启动时退出。\n{child.tail()}"
                )
            if answers(url):
                del left[url]
                advance(1)
            elif not progress[url].goes_on():
                raise CannotStart(f"{progress[url].in_vain()}\n{child.tail()}")
        time.sleep(0.1)


def _progress(child: Child, most: float) -> WaitLimit:
    return WaitLimit(f"{child.name} to be ready 就绪", signs_of(lambda: child.pid, child.log), most=most)


def answers(url: str) -> bool:
    """Returns whether this page answers with status 200 now."""
    with contextlib.suppress(HTTPException, OSError), open_page(url, ANSWER_SECONDS) as answer:
        return bool(answer.status == 200)
    return False
