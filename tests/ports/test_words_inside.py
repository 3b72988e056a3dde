"""Can a port get a text that an officer wrote, or the name of an officer? Every request has a secret word, and the test
looks for it in every byte that a port can get: topic, feed, stream, gate answers, and the output of `dtg port`."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from deploy.kafka.broker import free_port
from schemas.declaration import DeclaredContainer, WithdrawDeclaration
from schemas.envelope import Request
from schemas.gate import (
    LiftContainerHold,
    PlaceContainerHold,
    RecordContainerFinding,
    RecordEquipmentEvent,
    RecordGateOut,
    RetractEquipmentEvent,
)
from schemas.inspection import FindingsResult, RecordFindings
from schemas.marks import Audience
from schemas.outside import to_outside
from schemas.release import LiftHold, PlaceHold, ReportArrival
from schemas.topics import FOR_PORTS, KINDS, PORT_FACTS, PORT_FORMS, REPORTS, facts_topic
from schemas.vocabulary import Classifier, ControlKind, EquipmentEvent
from services.cli.log import LoggedMessage, read
from services.console.access.accounts import written
from services.console.readmodel.database import migrate
from services.console.settings import ConsoleSettings
from services.shell.private_file import write_private
from tests.conftest import PARTITIONS
from tests.console.conftest import Running
from tests.declaration.good import good_item, lodge
from tests.kafka.border import Border
from tests.people import key_of

SECRET = "SECRET-WORDS"
BOX, GONE, RED = "SECU1000005", "SECU2000000", "SECU3000006"
ROOT = Path(__file__).parents[2]


class Story:
    """Goods and containers about which officers send requests. Every text in these requests contains the secret
    word."""

    def __init__(self, border: Border) -> None:
        self.border = border
        self.keys: list[str] = [BOX, GONE, RED]

    def ask(self, kind: type[Request], **about: Any) -> str:
        texts = {"reason": SECRET, "remarks": SECRET}
        own_texts = {name: text for name, text in texts.items() if name in kind.model_fields}
        fields = {"asked_by": f"o7-{SECRET}", "occurred_at": self.border.clock.now(), **own_texts, **about}
        return self.border.ask(kind.model_validate(fields))

    def until_published(self, key: str, kind: str, count: int = 1) -> None:
        """Waits until there are at least `count` facts of this kind with this key."""
        self.border.eventually(lambda: len([e for e in self.border.facts(key) if e.kind == kind]) >= count)

    def goods(self, reference: str, box: str, **changed: Any) -> str:
        lodged = lodge(
            reference=reference, bill_no=reference, containers=(DeclaredContainer(container_no=box),), **changed
        )
        self.keys.append(lodged.key)
        self.border.ask(lodged)
        self.border.ask(
            ReportArrival(consignment_id=lodged.key, asked_by="c", occurred_at=lodged.occurred_at, place="7")
        )
        return lodged.key

    def play(self) -> None:
        held, gone, red = (
            self.goods("secret-held", BOX),
            self.goods("secret-gone", GONE),
            self.goods("secret-red", RED, items=(good_item(hs_code="4407110000"), good_item())),
        )
        for box in (BOX, GONE):
            self.until_published(box, "ContainerMayLeave")
        hold = self.ask(PlaceHold, consignment_id=held)
        self.until_published(BOX, "ContainerMustStay")
        self.ask(LiftHold, consignment_id=held, hold_id=f"officer/{hold}")
        self.until_published(BOX, "ContainerMayLeave", 2)
        on_box = self.ask(PlaceContainerHold, container_no=BOX)
        self.until_published(BOX, "ContainerMustStay", 2)
        self.ask(LiftContainerHold, container_no=BOX, hold_id=on_box)
        self.until_published(BOX, "ContainerMayLeave", 3)
        event = {"event": EquipmentEvent.DISCHARGED, "classifier": Classifier.ESTIMATED, "place": "yard"}
        wrong = self.ask(RecordEquipmentEvent, container_no=BOX, **event)
        self.ask(RetractEquipmentEvent, container_no=BOX, report_id=wrong)
        self.ask(RetractEquipmentEvent, container_no=BOX, report_id="never told")
        self.until_published(BOX, "RequestRefused")
        self.ask(PlaceHold, consignment_id=held)
        self.ask(PlaceContainerHold, container_no=BOX)
        self.until_published(BOX, "ContainerHoldPlaced", 2)
        self.ask(PlaceHold, consignment_id=gone)
        self.until_published(GONE, "ContainerMustStay")
        self.ask(RecordGateOut, container_no=GONE, gate="G3")
        self.until_published(GONE, "GateAlarmRaised")
        self.ask(RecordContainerFinding, container_no=GONE, found="outside")
        self.until_published(GONE, "ContainerFindingRecorded")
        self.until_published(red, "InspectionOrdered")
        self.ask(RecordFindings, consignment_id=red, control=ControlKind.INSPECTION, result=FindingsResult.NOT_CONFORM)
        self.until_published(red, "ReleaseRefused")
        lodged = lodge(reference="secret-withdrawn", containers=())
        self.keys.append(lodged.key)
        self.border.ask(lodged)
        self.ask(WithdrawDeclaration, consignment_id=lodged.key, asked_by=lodged.asked_by)
        self.until_published(lodged.key, "DeclarationWithdrawn")


@pytest.fixture(scope="module")
def story(border: Border) -> Story:
    made = Story(border)
    made.play()
    return made


@pytest.fixture(scope="module")
def console(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    url = f"sqlite:///{tmp_path_factory.mktemp('words')}/console.db"
    migrate(url)
    settings = ConsoleSettings(
        kafka=story.border.bootstrap, partitions=PARTITIONS, database_url=url, console_port=free_port()
    )
    running = Running(settings)
    running.start()
    running.catch_up()
    yield running
    running.stop()


def on(story: Story, *topics: str) -> list[LoggedMessage]:
    return [entry for entry in read(story.border.bootstrap, list(topics)) if entry.key in story.keys]


def test_a_port_gets_each_fact_that_is_for_it_once_and_without_the_words(story: Story) -> None:
    """The release desk and the gate desk write a fact and its copy in one transaction, so neither of the two messages
    is there alone."""
    whole = {
        (entry.id, entry.key): entry
        for desk, kinds in FOR_PORTS.items()
        for entry in on(story, facts_topic(desk))
        if entry.kind in {kind.kind for kind in kinds}
        and (entry.kind != "RequestRefused" or entry.body["request_kind"] in REPORTS)
        and entry.desk == desk
    }
    copies = on(story, PORT_FACTS)
    assert {"RequestRefused", "EquipmentEventRetracted"} <= {entry.kind for entry in copies}
    refused = [entry.id for entry in on(story, facts_topic("release")) if entry.kind == "RequestRefused"]
    assert not set(refused) & {entry.id for entry in copies}, "of the release desk none is for ports"
    assert Counter((entry.id, entry.key) for entry in copies) == Counter(whole.keys())
    for copy in copies:
        fact = whole[copy.id, copy.key]
        assert copy.headers == fact.headers
        assert copy.value == to_outside(KINDS[fact.kind].read_stored(fact.value or b""), Audience.PORT)
    secret = {entry.kind for entry in whole.values() if SECRET in (entry.value or b"").decode()}
    assert {
        "ReleaseRevoked",
        "ConsignmentHeld",
        "ContainerMustStay",
        "ReleaseRefused",
        "DeclarationWithdrawn",
    } <= secret
    assert {"EquipmentEventRecorded", "EquipmentEventRetracted"} <= secret, "else nothing was planted"
    assert {entry.kind for entry in copies} >= set(PORT_FORMS) - {"VisitOpened", "ContainerGatedOut"}
    for copy in copies:
        assert SECRET not in f"{copy.key} {copy.headers} {(copy.value or b'').decode()}", copy.kind


def test_nothing_that_the_console_tells_a_port_has_the_words(story: Story, console: Running) -> None:
    terminal = console.acting_as("terminal-words", roles="terminal")
    feed = console.api("GET", "/releases?limit=1000", headers=terminal)
    kinds = {line["kind"] for line in feed.json()["releases"] if line["consignment_id"] in story.keys}
    assert kinds == {"ReleaseGranted", "ReleaseRevoked"} and SECRET not in feed.text
    streamed = b""
    stream = f"{console.address}/api/v1/releases/stream"
    with httpx2.Client(timeout=60, headers=terminal) as http, http.stream("GET", stream) as answer:
        for piece in answer.iter_bytes():
            streamed += piece
            if all(line["id"].encode() in streamed for line in feed.json()["releases"]):
                break
    assert SECRET.encode() not in streamed
    for box, reason in ((BOX, "box_held"), (GONE, "left_unreleased"), (RED, "held")):
        answer = console.api("GET", f"/containers/{box}", headers=terminal)
        assert (answer.json()["may_leave"], answer.json()["reason"]) == (False, reason), answer.json()
        assert SECRET not in answer.text
        for path in (f"/containers/{box}", f"/containers/{box}/live", f"/api/v1/containers/{box}/events"):
            response = console.http.get(path, headers=terminal)
            assert response.status_code == 200 and SECRET not in response.text, path
        for entry in on(story, facts_topic("gate")):
            message = console.api("GET", f"/messages/{entry.key}/{entry.id}", headers=terminal)
            assert message.status_code == 404 and SECRET not in message.text
        page = console.http.get(f"/containers/{box}").text
        assert SECRET in page or box == RED, "officers read the words on their page: they are in the rows"
    held = console.api("GET", f"/containers/{BOX}", headers=terminal).json()
    assert len(held["holds"]) == 1 and held["holds"][0]["hold_id"] and held["lots"] == 1, "codes and counts stay"


@pytest.mark.parametrize("way", ["kafka", "http"])
def test_nothing_that_dtg_port_prints_has_the_words(
    story: Story, console: Running, tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    console.acting_as("terminal-words", roles="terminal")
    write_private(tmp_path / "terminal.key", written(key_of("terminal-words")))
    monkeypatch.setenv("DTG_API_KEY_FILE", str(tmp_path / "terminal.key"))
    monkeypatch.setenv("DTG_KAFKA_SECURITY", "PLAINTEXT")  # the broker of the test session has no authentication
    where = story.border.bootstrap if way == "kafka" else console.address

    def dtg(*arguments: str) -> str:
        command = [sys.executable, "-m", "services.cli.main", "port", *arguments, f"--{way}", "--where", where]
        command += ["--notebook", str(tmp_path / "port.db")]
        return subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False, timeout=250).stdout

    followed = dtg("follow", "--once")
    assert "REVOKED 撤销放行" in followed and SECRET not in followed
    for box in (BOX, GONE, RED):
        output = dtg("ask", box)
        assert "must stay" in output and SECRET not in output
    if way == "kafka":
        followed = dtg("follow", "--once", "--former")
        assert SECRET not in followed, "of whole facts no more is taken than of redacted ones"
    for file in tmp_path.iterdir():
        assert SECRET.encode() not in file.read_bytes(), file.name
