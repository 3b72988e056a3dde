"""Can an auditor who has the keys repeat every draw? Is each draw listed whose repetition has
another result than the assessment?"""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer import Exit

from deploy.kafka.broker import Broker
from schemas.declaration import DeclarationAccepted, DeclaredContainer
from schemas.envelope import Fact
from schemas.vocabulary import Direction
from services.cli.draws import add_key, keys, repeat
from services.cli.log import LoggedMessage
from services.cli.redraw import PUBLISHED, Redrawn, SecretKey, keys_in, redraw
from services.risk.decider import RiskDecider
from services.risk.keys import PUBLISHED as PUBLISHED_KEYS
from services.risk.keys import DrawKeys, new_key, read, written
from services.shell.codec import encode
from tests.architecture.golden import published
from tests.chaos.days import CONSIGNMENTS
from tests.conftest import PARTITIONS
from tests.risk.freight import accepted
from tests.voice import NOON, story

FIRST, NEXT = new_key(b"f" * 32, date(2026, 11, 1)), new_key(b"n" * 32, date(2026, 12, 1))
KEYS = DrawKeys((FIRST, NEXT))
AUDITORS = keys_in(written(KEYS))


def entry(fact: Fact, **changes: Any) -> LoggedMessage:
    desk = "declaration" if isinstance(fact, DeclarationAccepted) else "risk"
    value = json.dumps(json.loads(encode(fact)) | changes).encode()
    headers = {"ce_type": fact.kind, "ce_id": f"{fact.kind}-1", "ce_source": f"/desks/{desk}"}
    return LoggedMessage(f"customs-{desk}-facts", 0, 0, fact.key, headers, value)


def story_of(
    declared: DeclarationAccepted | None = None, at: datetime = NOON, drawing: DrawKeys = KEYS, **changes: Any
) -> list[LoggedMessage]:
    """Returns a declaration and its assessment as they are on the topics. `changes`: fields of the draw in the
    assessment that get other values; a field with None is left out."""
    message = declared or accepted()
    (fact,) = story(RiskDecider(drawing)).when(message, at=at).answer
    drawn = json.loads(encode(fact))["draw"]
    return [
        entry(message),
        entry(fact, draw={name: each for name, each in (drawn | changes).items() if each is not None}),
    ]


def keyless(rule_set: str = "2026-11-01", at: str = "2026-11-01T04:00:00Z", **changes: Any) -> list[LoggedMessage]:
    """Returns a declaration and its assessment as the previous software version wrote them: the draw has no key id, and
    anybody can repeat the draw."""
    message = accepted()
    digest = sha256(f"{rule_set}/{message.consignment_id}".encode()).digest()
    value = Decimal(int.from_bytes(digest[:8])) / Decimal(2**64)
    drawn = {"value": str(value)[:8], "rate": "0.0244", "selected": value < Decimal("0.0244")} | changes
    (fact,) = story(RiskDecider(KEYS)).when(message).answer
    return [entry(message), entry(fact, draw=drawn, rule_set=rule_set, occurred_at=at)]


def wrong(entries: list[LoggedMessage], known: dict[str, SecretKey] = AUDITORS) -> str:
    (line,) = redraw(entries, known).wrong
    return line


def test_every_draw_comes_out_again_by_the_key_that_it_names() -> None:
    december = datetime(2026, 12, 5, tzinfo=UTC)
    done = redraw([*story_of(), *story_of(at=december), *story_of(drawing=PUBLISHED_KEYS), *keyless()], AUDITORS)
    assert done.wrong == []
    assert done.repeated == {FIRST.key_id: 1, NEXT.key_id: 1, PUBLISHED: 1, "": 1}


def test_the_golden_copy_of_the_software_version_before_comes_out_by_the_rule_of_that_release() -> None:
    old = published("ConsignmentAssessed")[0]
    headers = {"ce_type": "ConsignmentAssessed", "ce_source": "/desks/risk"}
    goods = json.loads(old)["consignment_id"]
    assert redraw([LoggedMessage("customs-risk-facts", 0, 0, goods, headers, old)], {}).repeated == {"": 1}


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        (story_of(value="0.000001", selected=True), "comes out as"),
        (story_of(selected=True), "below"),
        (story_of(key_id="2026-11-01-0000000000000000"), "no key of this id"),
        (story_of(key_id=NEXT.key_id), f"{FIRST.key_id} was in force"),
        (story_of(drawing=DrawKeys((NEXT,))), f"{FIRST.key_id} was in force"),
        (story_of(key_id=None), "without a key"),
        (keyless(value="0.5"), "comes out as"),
        (keyless(at="2026-11-03T04:00:00Z"), "without a key"),
        (story_of()[1:], "no accepted declaration"),
        (story_of(value="x"), "cannot be read"),
        (story_of(value={}), "cannot be read"),
    ],
    ids=range(11),
)
def test_a_draw_that_does_not_come_out_is_named(entries: list[LoggedMessage], problem: str) -> None:
    line = wrong(entries)
    assert problem in line and entries[-1].key in line


def test_the_order_of_the_topics_does_not_count_and_one_consignment_can_be_asked_for() -> None:
    there = [*story_of(), *story_of(accepted(consignment_id="0" * 36, bill="OTHER"))]
    assert redraw(there[::-1], AUDITORS) == redraw(there, AUDITORS)
    assert redraw(there, AUDITORS, "0" * 36).repeated.total() == 1


def test_what_nobody_of_the_desks_wrote_is_passed_over() -> None:
    forged = [replace(each, headers=each.headers | {"ce_source": "/somebody"}) for each in story_of(value="0.1")]
    assert redraw(forged, AUDITORS) == Redrawn()


@settings(max_examples=300, deadline=None)
@given(
    bill=st.text(max_size=20) | st.sampled_from(["", "COSU 640", "-", "ßı", "①Ⅷ", "ﬁ"]),
    boxes=st.lists(st.text(min_size=1, max_size=17), max_size=4),
    conveyance=st.text(max_size=20),
    day=st.none() | st.dates(date(2026, 1, 1), date(2027, 1, 1)),
    direction=st.sampled_from(Direction),
    hours=st.integers(-1500, 1500),
)
def test_the_auditors_rule_written_down_once_more_is_that_of_the_desk(
    bill: str, boxes: list[str], conveyance: str, day: date | None, direction: Direction, hours: int
) -> None:
    message = accepted()
    containers = tuple([DeclaredContainer.model_construct(container_no=box, seal_no="", shared_by=1) for box in boxes])
    paper = message.declaration.model_copy(
        update={
            "bill_no": bill,
            "containers": containers,
            "conveyance": conveyance,
            "conveyance_entry_date": day,
            "direction": direction,
        }
    )
    done = redraw(story_of(message.model_copy(update={"declaration": paper}), NOON + timedelta(hours=hours)), AUDITORS)
    assert done.wrong == [] and done.repeated.total() == 1


def test_every_draw_of_a_simulated_day_comes_out_again(calm_entries: list[LoggedMessage]) -> None:
    done = redraw(calm_entries, {})
    assert done.wrong == [] and set(done.repeated) == {PUBLISHED}
    assert done.repeated.total() > CONSIGNMENTS * 0.9 and done.selected.total() > 0


@pytest.fixture
def installation(tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Returns the folder of an installation with one key, which is in force since yesterday."""
    monkeypatch.setenv("DTG_HOME", str(tmp_path))
    monkeypatch.setenv("DTG_KAFKA", broker.bootstrap)  # the broker of the test session has no authentication
    monkeypatch.setenv("DTG_PARTITIONS", str(PARTITIONS))
    file = tmp_path / "draw-keys.json"
    file.write_text(written(DrawKeys((new_key(b"y" * 32, yesterday()),))))
    file.chmod(0o600)
    return file


def yesterday() -> date:
    return datetime.now(UTC).date() - timedelta(days=1)


def test_the_commands_show_ids_and_days_and_no_secret(
    installation: Path, calm_entries: list[LoggedMessage], capsys: pytest.CaptureFixture[str]
) -> None:
    keys()
    repeat()
    shown = capsys.readouterr().out
    assert f"{yesterday()}" in shown and "published" in shown
    assert (b"y" * 32).hex() not in shown
    assert calm_entries


def test_a_key_from_a_day_to_come_is_added_and_the_former_one_stays(
    installation: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soon = yesterday() + timedelta(days=30)
    add_key(datetime.combine(soon, datetime.min.time()))
    [former, fresh] = read(installation.read_text()).keys
    assert former.secret == b"y" * 32 and fresh.effective_from == soon and len(fresh.secret) == 32
    assert installation.stat().st_mode & 0o777 == 0o600
    shown = capsys.readouterr().out
    assert fresh.key_id in shown and fresh.secret.hex() not in shown


def test_where_there_is_no_file_the_first_key_is_made_from_any_day_on(installation: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "cluster.json"
    add_key(datetime.combine(yesterday(), datetime.min.time()), elsewhere)
    [key] = read(elsewhere.read_text()).keys
    assert key.effective_from == yesterday() and elsewhere.stat().st_mode & 0o777 == 0o600
    assert installation.exists()


def test_nothing_is_said_of_keys_where_there_are_none(installation: Path, capsys: pytest.CaptureFixture[str]) -> None:
    installation.unlink()
    with pytest.raises(Exit) as ended:
        keys()
    assert ended.value.exit_code == 1 and "is missing" in capsys.readouterr().err


@pytest.mark.parametrize("days", [-400, 0, 1])
def test_no_key_is_added_for_a_day_that_has_come(installation: Path, days: int) -> None:
    before = installation.read_text()
    with pytest.raises(Exit) as ended:
        add_key(datetime.combine(yesterday() + timedelta(days=days), datetime.min.time()))
    assert ended.value.exit_code == 1 and installation.read_text() == before
