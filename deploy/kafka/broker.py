"""How is a Kafka broker started, stopped and killed on this machine, if nothing but Python is installed?"""

import base64
import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.kafka.archive import Archive
from deploy.kafka.errors import BrokerError, Interrupted, never
from deploy.kafka.jars import class_path, fetch_jars
from deploy.kafka.java import java
from deploy.kafka.places import refuse
from deploy.kafka.progress import WaitLimit, signs_of
from deploy.kafka.spawn import spawn, tail
from services.shell import clients
from services.shell.access import Access, NoAccess
from services.shell.listeners import listeners
from services.shell.private_file import write_private

FOLDER = Path(__file__).parent.resolve()
JAVA_LOCALE = {"LC_ALL": "C.UTF-8"} if sys.getfilesystemencoding() == "utf-8" else {}
"""Environment variables with which Java uses UTF-8 for file names, as Python does. With the locale `C`, Java could not open a folder with a
Chinese name."""
NEEDED_BYTES = 1 << 30
LOG = "broker.log"
STOP_SECONDS = 12
CLIENTS, CONTROLLER = "CLIENTS", "CONTROLLER"
"""The names of the broker's listeners."""
ACTIVE, FENCED = "Performing controller activation", "Fencing broker 1"
"""The texts that the controller logs when it is active, and when it has fenced the broker of the last run."""
HASTY = {
    "broker.session.timeout.ms": "500",
    "broker.heartbeat.interval.ms": "200",
    "metadata.max.idle.interval.ms": "100",
}
NEWER = ("Tried to apply FeatureLevelRecord", "Unknown metadata id")
"""Texts that Kafka logs before it exits, if the metadata have a version that it does not know."""
FENCE_NOTES = 50
"""How often the metadata may grow (ten times a second) after ACTIVE was logged. If FENCED is not logged by then, it will never be logged,
because the last run ended before its broker was registered. The limit is not in seconds, because a limit in seconds would also pass while the
controller gets no CPU time."""
NOTED = 3
"""How often the metadata must grow again before they certainly contain everything that the controller has logged. The
controller writes the metadata in the same order as its log."""


def free_port() -> int:
    """Returns a loopback port on which no program listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_taken(port: int) -> bool:
    """Returns whether a program listens on this loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _cluster_id() -> str:
    """Returns a random id in Kafka's format. It never begins with a dash, because Kafka's program would read that as an option of the command
    line."""
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return text


def _quoted(value: str) -> str:
    """Returns the value escaped for a quoted string in a JAAS entry."""
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _escaped(value: str) -> str:
    """Returns the value escaped for a .properties file, which Java reads as Latin-1."""
    units = value.encode("utf-16-be").hex()
    codes = [units[n : n + 4] for n in range(0, len(units), 4)]
    return "".join(
        chr(int(code, 16)) if 0x20 <= int(code, 16) < 0x7F and code != "005c" else f"\\u{code}" for code in codes
    )


class Broker:
    """One KRaft node on the loopback address. Its data are in `folder`, and are kept when the node is stopped or killed and started again.

    `proxied`: port of a further listener → port of the proxy in front of it, which the node advertises to clients of that listener. `lasting`:
    whether the node will run for hours. If so, the JVM uses its optimising compiler. The compiler costs CPU time for two minutes, and
    afterwards the broker needs a third less CPU time. `settings`: server properties that replace ours. `owner`: the private file with the
    credential of the administrator, who may do everything. If `owner` is given, every client has to sign in, and has only the rights that were
    given to that client.
    """

    def __init__(
        self,
        folder: Path,
        port: int,
        heap: str = "512m",
        proxied: Mapping[int, int] | None = None,
        lasting: bool = False,
        settings: Mapping[str, str] | None = None,
        owner: Path | None = None,
    ) -> None:
        self.folder = folder
        self.port = port
        self.heap = heap
        self.proxied = dict(proxied or {})
        self.lasting = lasting
        self.settings = dict(settings or {})
        self.owner = owner
        self.process: subprocess.Popen[bytes] | None = None
        self._archive: Archive | None = None

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """Returns the path of the broker's log."""
        return self.folder / LOG

    @property
    def access(self) -> Access:
        """Returns how the broker's administrator connects. If no sign-in is required, the `Access` has no
        credential."""
        return Access(self.bootstrap, "SASL_PLAINTEXT", self.owner) if self.owner else Access(self.bootstrap)

    def start(self, stop: Callable[[], bool] = never) -> None:
        """Starts the broker, and returns when it answers. Raises BrokerError with the reason if it cannot run, and Interrupted if `stop`
        returns true."""
        refuse()
        if port_is_taken(self.port):
            raise BrokerError(
                f"Port {self.port} is taken by another program. 端口 {self.port} 已被占用。 "
                f"End it, or choose another: DTG_KAFKA_PORT={self.port + 100}"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self.folder).free < NEEDED_BYTES:
            raise BrokerError(
                f"The disk of {self.folder} has less than 1 GiB left. 磁盘空间不足。 Free some space first."
            )
        program = java()
        fetch_jars(stop)
        lines = self._properties()
        properties = self._write("server.properties", lines)
        if (self.folder / "log" / "meta.properties").exists():
            self._fence(program, lines, stop)
        else:
            self._format(program, properties, stop)
        optimised = ["-XX:TieredStopAtLevel=4"] if self.lasting else []
        self._archive = Archive(program, self.port)
        self.process = self._spawn(LOG, program, *optimised, *self._archive.write(), "kafka.Kafka", properties.name)
        self._wait(self.process, stop)

    def _wait(self, process: subprocess.Popen[bytes], stop: Callable[[], bool]) -> None:
        progress = self._progress("the Kafka broker to answer", process, LOG)
        patience = {
            "log_level": 0,
            "socket.timeout.ms": 10_000,
            # the broker is still starting, so the client tries often
            "reconnect.backoff.max.ms": 100,
        }
        admin: AdminClient | None = None
        while progress.goes_on():
            if stop():
                raise Interrupted
            if process.poll() is not None:
                raise BrokerError(f"The Kafka broker ended while starting. 消息代理启动时退出。\n{self._tail()}")
            if admin is None:
                # No program listens at the port yet. A client that was made now would send its password to the first program that listens there.
                if listeners(self.port) == frozenset():
                    time.sleep(0.05)
                    continue
                admin = self._administrator(patience)
            with contextlib.suppress(KafkaException):
                if admin.list_topics(timeout=2).brokers:
                    return
        self.kill()
        raise BrokerError(f"The Kafka broker does not answer. 消息代理没有响应。 {progress.in_vain()}\n{self._tail()}")

    def _administrator(self, settings: Mapping[str, object]) -> AdminClient:
        """Returns a client of the administrator. Raises BrokerError if a program of another user listens on the port."""
        try:
            return clients.admin(self.access, settings)
        except NoAccess as error:
            self.kill()
            raise BrokerError(str(error)) from error

    def _controller_ended(self, text: str) -> BrokerError:
        if any(newer in text for newer in NEWER):
            return BrokerError(
                f"The data in {self.folder} was written by a newer version of Kafka: run that version of this program, or "
                "begin afresh and keep the old data beside the new: `dtg up --afresh`. "
                "数据由更新版本写入：请运行该版本，或重新开始并保留旧数据。"
            )
        return BrokerError(f"The Kafka controller ended while starting. 控制器启动时退出。\n{text[-2000:]}")

    def _progress(self, what: str, process: subprocess.Popen[bytes], log: str) -> WaitLimit:
        return WaitLimit(what, signs_of(lambda: process.pid, self.folder / log))

    def stop(self) -> None:
        """Shuts the broker down in an orderly way. If that takes more than 12 s, kills the process. After a kill, the next start recovers the
        log."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        else:
            if self._archive:
                self._archive.keep()

    def kill(self) -> None:
        """Ends the process by SIGKILL. This simulates a fault."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        if self._archive:
            self._archive.drop()

    def _spawn(self, log: str, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        return spawn(self._command(program, *arguments), self.folder / log, JAVA_LOCALE, self.folder)

    def _command(self, program: str, *arguments: str) -> list[str]:
        return [
            program,
            f"-Xmx{self.heap}",
            "-XX:+UseSerialGC",
            # In a short run, the optimising compiler costs more time than it saves. A later option of the same name replaces this one.
            "-XX:TieredStopAtLevel=1",
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={(FOLDER / 'log4j2.xml').as_uri()}",
            *Archive(program, self.port).read(),
            "-cp",
            class_path(),
            *arguments,
        ]

    def _fence(self, program: str, lines: dict[str, str], stop: Callable[[], bool]) -> None:
        """Runs the controller alone until it has fenced the broker of the last run. The broker is started again only after that.

        Otherwise the broker and its transaction coordinator would start as the leaders that they were in the last run,
        and would lose the leadership when the controller registers the new run as another broker. Kafka 4.3 then treats
        every partition as deleted. If a transaction was decided but its markers are not written yet, they are never
        written to these partitions. So readers wait for this transaction for ever, and committed messages may be
        aborted with the next transaction (found by `make chaos`; tests/kafka/test_broker.py).
        """
        brokers_own = ("advertised.listeners", "inter.broker.listener.name")
        alone = {name: value for name, value in lines.items() if name not in brokers_own}
        alone |= {"process.roles": "controller", "listeners": lines["listeners"].rpartition(",")[2]}
        properties = self._write("fence.properties", alone | HASTY)
        log = self.folder / "fence.log"
        # the log is removed, because `_wait_until_fenced` would otherwise find the text of an earlier start in it
        log.unlink(missing_ok=True)
        controller = self._spawn("fence.log", program, "-Dcontroller.level=INFO", "kafka.Kafka", properties.name)
        try:
            self._wait_until_fenced(controller, log, stop)
        finally:
            controller.kill()
            controller.wait()

    def _wait_until_fenced(self, controller: subprocess.Popen[bytes], log: Path, stop: Callable[[], bool]) -> None:
        progress = self._progress("the controller to fence the last run", controller, log.name)
        notes = _Notes(self.folder / "log" / "__cluster_metadata-0")

        def wait(*texts: str, most: int | None) -> None:
            """Waits until one of the texts is in the log, or until the metadata log has grown `most` times since this
            call. With None, only the texts end the wait without an error."""
            enough = None if most is None else notes.count() + most
            while not any(text in log.read_text(encoding="utf-8", errors="replace") for text in texts):
                if enough is not None and notes.count() >= enough:
                    return
                if stop():
                    raise Interrupted
                if controller.poll() is not None:
                    raise self._controller_ended(log.read_text(encoding="utf-8", errors="replace"))
                if not progress.goes_on():
                    raise BrokerError(progress.in_vain())
                time.sleep(0.05)

        wait(ACTIVE, FENCED, most=None)
        wait(FENCED, most=FENCE_NOTES)
        wait(most=NOTED)

    def _format(self, program: str, properties: Path, stop: Callable[[], bool]) -> None:
        log = self.folder / "format.log"
        log.unlink(missing_ok=True)
        arguments = ("kafka.tools.StorageTool", "format", "-t", _cluster_id(), "-c", properties.name)
        process = self._spawn(log.name, program, *arguments)
        progress = self._progress("the storage folder to be made", process, log.name)
        try:
            while process.poll() is None and progress.goes_on():
                if stop():
                    raise Interrupted
                time.sleep(0.05)
        finally:
            process.kill()
            process.wait()
        if process.returncode != 0:
            text = log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise BrokerError(
                f"The Kafka storage folder could not be made. 无法创建存储。 {progress.in_vain()}\n{text}"
            )

    def _write(self, name: str, lines: Mapping[str, str]) -> Path:
        path = self.folder / name
        # the file is private, because one of its lines has a password
        write_private(path, "".join(f"{key}={_escaped(value)}\n" for key, value in lines.items()))
        return path

    def _properties(self) -> dict[str, str]:
        controller = free_port()
        inside = {CLIENTS: self.port} | {f"PROXIED{port}": port for port in self.proxied}
        outside = {CLIENTS: self.port} | {f"PROXIED{port}": advertised for port, advertised in self.proxied.items()}
        listeners = [f"{name}://127.0.0.1:{port}" for name, port in inside.items()]
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listeners": ",".join([*listeners, f"{CONTROLLER}://127.0.0.1:{controller}"]),
            "advertised.listeners": ",".join([f"{name}://127.0.0.1:{port}" for name, port in outside.items()]),
            "inter.broker.listener.name": CLIENTS,
            "controller.listener.names": CONTROLLER,
            "listener.security.protocol.map": ",".join(
                [f"{name}:{self.access.security}" for name in (*inside, CONTROLLER)]
            ),
            "log.dirs": "log",
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "4",
            "group.initial.rebalance.delay.ms": "0",
            "group.min.session.timeout.ms": "1000",
            # Readers of committed messages wait until every open transaction has ended, also one of a foreign program. So this limit is short. Our
            # own transactions last at most 10 s.
            "transaction.max.timeout.ms": "15000",
            # This is the longest time that Kafka accepts. A group whose offsets have expired would have to start from the beginning.
            "offsets.retention.minutes": str((1 << 31) - 1),
            "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
            "message.max.bytes": str(8 << 20),
            "compression.type": "uncompressed",  # for topics that an earlier software version made, see deploy.kafka.topics
            "num.network.threads": "2",
            "num.io.threads": "4",
            "log.cleaner.dedupe.buffer.size": str(32 << 20),
            "log.cleaner.threads": "1",
            "controlled.shutdown.enable": "false",
            # The broker is the only node. It must still be the leader after it was frozen or got no CPU time. So its session lasts long.
            "broker.session.timeout.ms": "40000",
            **(self._signing_in((*inside, CONTROLLER)) if self.owner else {}),
            **self.settings,
        }

    def _signing_in(self, listeners: Iterable[str]) -> dict[str, str]:
        """Returns the properties with which clients have to sign in on each of these listeners. Administrator, broker and controller use PLAIN
        with the password in their private file, because users of SCRAM are stored in the metadata, which do not exist yet. All other clients
        use SCRAM."""
        held = self.access.credential()
        login = f'username="{_quoted(held.username)}" password="{_quoted(held.password)}"'
        known = f'{login} user_{held.username}="{_quoted(held.password)}"'
        modules = {
            "plain": f"org.apache.kafka.common.security.plain.PlainLoginModule required {known};",
            "scram-sha-512": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
        }
        entries = {
            f"listener.name.{listener.lower()}.{mechanism}.sasl.jaas.config": module
            for listener in listeners
            for mechanism, module in modules.items()
        }
        return {
            **entries,
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "sasl.mechanism.controller.protocol": "PLAIN",
            f"listener.name.{CONTROLLER.lower()}.sasl.enabled.mechanisms": "PLAIN",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:{held.username}",
            "allow.everyone.if.no.acl.found": "false",
        }

    def _tail(self) -> str:
        return tail(self.log)


class _Notes:
    """Counts how often the metadata of a controller have grown. An idle controller writes ten times a second."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._count, self._size = folder, 0, -1

    def count(self) -> int:
        size = sum(file.stat().st_size for file in self._folder.glob("*.log"))
        self._count += size != self._size
        self._size = size
        return self._count
