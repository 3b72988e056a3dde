"""What does a desk do if the cluster has lost the desk's read positions, records or input? Real loops run on a broker
of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource
from kafka import KafkaAdminClient

from deploy.kafka.topics import provision
from schemas.topics import facts_topic, requests_topic, state_topic
from services.console.readmodel.progress import Progress
from services.console.readmodel.projector import Projector
from services.console.readmodel.rebuild import rebuild
from services.console.settings import ConsoleSettings
from services.shell.layout import CannotContinue
from services.shell.loop import Loop
from services.shell.metrics import DUPLICATES
from services.shell.settings import WorkerSettings
from services.worker import desks
from tests.conftest import provisioned
from tests.declaration.good import good_item, lodge
from tests.kafka.border import Border, Leaping, running
from tests.waiting import wait, wait_until_ended

PARTITIONS = 1
DESK = ("declaration",)
STATES, REQUESTS = state_topic("declaration"), requests_topic("declaration")


@pytest.fixture
def losing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Border]:
    """Yields a border where the declaration desk has accepted one declaration and was then stopped."""
    with provisioned(tmp_path_factory.mktemp("kafka"), PARTITIONS) as broker:
        border = Border(broker.bootstrap, PARTITIONS)
        with running(border.bootstrap, PARTITIONS, names=DESK):
            accepted(border, "first")
        yield border
        border.close()


def accepted(border: Border, name: str) -> None:
    request = lodge(reference=name, containers=())
    border.ask(request)
    border.until(request.key, "DeclarationAccepted")


def forget_group(border: Border) -> None:
    admin = KafkaAdminClient(bootstrap_servers=border.bootstrap)
    try:
        border.eventually(lambda: admin.delete_groups(["customs-declaration"])["customs-declaration"] == "OK")
    finally:
        admin.close()


def duplicates() -> float:
    return float(DUPLICATES.labels("declaration")._value.get())


def noted_by_the_group(border: Border, topic: str = REQUESTS, desk: str = "declaration") -> int:
    """Returns the offset that the desk's consumer group has committed for this topic; a negative number if there is
    none."""
    consumer = Consumer({"log_level": 0, "bootstrap.servers": border.bootstrap, "group.id": f"customs-{desk}"})
    try:
        [committed] = consumer.committed([TopicPartition(topic, 0)], timeout=30)
        return int(committed.offset)
    finally:
        consumer.close()


def end_of(border: Border, topic: str) -> int:
    consumer = Consumer({"log_level": 0, "bootstrap.servers": border.bootstrap, "group.id": "ends"})
    try:
        return int(consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=30)[1])
    finally:
        consumer.close()


def refusal(border: Border) -> str:
    """Returns the message of the error with which the desk refuses to start."""
    loop = Loop(desks(DESK)[0], WorkerSettings(kafka=border.bootstrap, partitions=PARTITIONS, slot="test"))
    with pytest.raises(CannotContinue) as refused:
        loop.run()
    return str(refused.value)


def delete_records(border: Border) -> None:
    """Deletes the records of the state topic. The cleanup policy is changed first, because Kafka deletes no records
    from a topic that is only compacted."""
    admin = AdminClient({"log_level": 0, "bootstrap.servers": border.bootstrap})
    entry = ConfigEntry("cleanup.policy", "compact,delete", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, STATES, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result(30)
    cut = TopicPartition(STATES, 0, end_of(border, STATES))

    def deleted() -> bool:
        try:
            admin.delete_records([cut])[cut].result(30)
        except KafkaException as refused:
            if refused.args[0].code() != KafkaError.POLICY_VIOLATION:
                raise
            # The broker still uses the old setting, because it applies a changed setting only after a moment.
            return False
        return True

    border.eventually(deleted)


def make_anew(border: Border, topic: str) -> None:
    admin = AdminClient({"log_level": 0, "bootstrap.servers": border.bootstrap})
    admin.delete_topics([topic])[topic].result(30)
    border.eventually(lambda: topic not in admin.list_topics(timeout=10).topics)
    provision(border.bootstrap, PARTITIONS)


def test_a_desk_whose_group_was_forgotten_goes_on_from_the_positions_in_its_state_topic(losing: Border) -> None:
    forget_group(losing)
    before = duplicates()
    with running(losing.bootstrap, PARTITIONS, names=DESK):
        accepted(losing, "second")
    assert duplicates() == before


def test_positions_that_the_group_forgot_stand_in_it_again_before_anything_new_comes(losing: Border) -> None:
    """If the group lacked the positions, a program that reads the group's lag would wait for messages that were read
    long ago."""
    assert noted_by_the_group(losing) > 0
    forget_group(losing)
    assert noted_by_the_group(losing) < 0
    with running(losing.bootstrap, PARTITIONS, names=DESK):
        assert noted_by_the_group(losing) > 0


def test_a_time_limit_moves_no_read_position_back(losing: Border) -> None:
    """A transaction for a time limit, in which no message was read, must contain the present read positions, not the
    read positions of the last transaction."""
    topic, clock, names = facts_topic("release"), Leaping(), ("declaration", "risk", "inspection")
    lodged = lodge(reference="overdue", items=(good_item(hs_code="4407110000"), good_item()), containers=())

    def passed_over(name: str) -> None:
        losing.say(topic, name, b"{}", "ReleaseGranted", name)
        losing.eventually(lambda: noted_by_the_group(losing, topic, "inspection") == end_of(losing, topic))

    with running(losing.bootstrap, PARTITIONS, names=names, clock=clock):
        passed_over("first")
        losing.ask(lodged)
        losing.until(lodged.key, "InspectionOrdered")
    with running(losing.bootstrap, PARTITIONS, names=names, clock=clock):
        passed_over("second")
        clock.leaps.append(timedelta(days=30))
        losing.until(lodged.key, "InspectionOverdue")
        assert noted_by_the_group(losing, topic, "inspection") == end_of(losing, topic)


def test_a_desk_whose_states_were_cut_off_does_not_start_from_nothing(losing: Border) -> None:
    delete_records(losing)
    assert "records were cut off" in refusal(losing)
    with running(losing.bootstrap, PARTITIONS, names=DESK, accept_lost_states="risk, declaration"):
        accepted(losing, "after an operator agreed")
    with running(losing.bootstrap, PARTITIONS, names=DESK):
        accepted(losing, "and nobody needs to agree again")


def test_a_desk_whose_state_topic_was_made_anew_does_not_start_from_nothing(losing: Border) -> None:
    make_anew(losing, STATES)
    assert "the state topic has no records" in refusal(losing)


def test_a_desk_whose_input_was_made_anew_does_not_take_other_messages_for_those_that_it_read(losing: Border) -> None:
    """In the new topic, a different message has the offset up to which the former topic was read."""
    make_anew(losing, REQUESTS)
    for number in range(5):
        losing.ask(lodge(reference=f"anew {number}", containers=()))
    assert f"{REQUESTS} was made anew" in refusal(losing)
    with running(losing.bootstrap, PARTITIONS, names=DESK, accept_lost_states="declaration"):
        accepted(losing, "after an operator agreed")
    with running(losing.bootstrap, PARTITIONS, names=DESK):
        accepted(losing, "and nobody needs to agree again")
    for number in range(5):
        losing.until(lodge(reference=f"anew {number}", containers=()).key, "DeclarationAccepted")


def test_a_desk_ends_when_its_states_are_made_anew_while_it_runs_and_does_not_start_again(losing: Border) -> None:
    loop = Loop(desks(DESK)[0], WorkerSettings(kafka=losing.bootstrap, partitions=PARTITIONS, slot="test"))
    ends: list[BaseException] = []

    def run() -> None:
        try:
            loop.run()
        except BaseException as end:  # `ends` passes the exception to the test
            ends.append(end)

    thread = Thread(target=run)
    thread.start()
    wait(loop.ready.is_set, "the desk to have its partitions")
    make_anew(losing, STATES)
    wait(lambda: not thread.is_alive(), "the desk to end")
    assert isinstance(ends[0], CannotContinue) and f"{STATES} was made anew" in str(ends[0])
    assert "the state topic has no records" in refusal(losing)


def test_rows_are_not_carried_on_from_a_topic_that_was_made_anew(losing: Border, tmp_path: Path) -> None:
    """The topic may be made anew before the projector starts or while it runs. The new topic may have more messages
    than the projector had read from the former topic."""
    settings = ConsoleSettings(
        kafka=losing.bootstrap, partitions=PARTITIONS, database_url=f"sqlite:///{tmp_path}/console.db"
    )
    assert rebuild(settings) > 0
    topic = facts_topic("declaration")

    def longer() -> None:
        make_anew(losing, topic)
        for number in range(9):
            losing.say(topic, f"anew {number}", b"{}", "Unheard", f"anew {number}")

    longer()
    with projecting(settings) as progress:
        wait(lambda: f"topic {topic} was made anew" in progress.state().trouble, "the projector to tell of it")
        assert progress.state().as_of is None
    assert rebuild(settings) >= 9
    with projecting(settings) as progress:
        wait(lambda: progress.state().as_of is not None, "the rows to be complete")
        longer()
        wait(lambda: f"topic {topic} was made anew" in progress.state().trouble, "the projector to tell of it")


@contextmanager
def projecting(settings: ConsoleSettings) -> Iterator[Progress]:
    progress = Progress()
    projector = Projector(settings, progress)
    thread = Thread(target=projector.run)
    thread.start()
    yield progress
    projector.stop()
    wait_until_ended(thread)


def test_an_input_that_begins_at_its_end_keeps_where_that_was_although_nothing_was_read(
    losing: Border, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = requests_topic("gate")
    monkeypatch.setattr("services.shell.positions.BEGINS_AT_THE_END", frozenset([topic]))
    losing.say(topic, "before", b"{", "RecordGateOut", "before")
    end = end_of(losing, topic)
    with running(losing.bootstrap, PARTITIONS, names=("gate",)):
        pass
    losing.say(topic, "while the desk was down", b"{", "RecordGateOut", "down")
    with running(losing.bootstrap, PARTITIONS, names=("gate",)) as [desk]:
        wait(
            lambda: desk.assignment.offsets.committed[0][topic] == end + 1,
            "the request that came while the desk was down",
        )
        assert desk.liveness.parked == 1, "not the one that stood there before the desk began"
