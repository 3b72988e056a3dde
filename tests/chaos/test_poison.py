"""If there is nonsense on the topics, can people still read facts, and operators read parked
messages?"""

from pathlib import Path

from confluent_kafka import Producer

from deploy.kafka.progress import WaitLimit
from services.cli.parked import waiting
from services.shell.clock import Clock
from services.simulator.player import LEAST_SPEED, Player
from services.simulator.settings import SimulatorSettings
from services.simulator.stillness import Stillness
from tests.chaos.days import day
from tests.chaos.poison import TOPICS, poison
from tests.conftest import provisioned
from tests.waiting import wait

REQUESTS = "customs-quarantine-requests"
SHORT = {"transaction.timeout.ms": 10_000, "log_level": 0}


def what_was_taken_back_lies_before_nobody(bootstrap: str) -> None:
    """Checks that aborted messages at the end of a topic do not count as messages to read, and that committed messages
    do. No consumer gets an aborted message, so the committed offset of its group stays before such messages."""
    stranger = Producer({"bootstrap.servers": bootstrap, "transactional.id": "stranger", **SHORT})
    stranger.init_transactions(30)
    stillness = Stillness(bootstrap, [(REQUESTS, 0)], [])
    for end, nothing_to_read in ((stranger.abort_transaction, True), (stranger.commit_transaction, False)):
        stranger.begin_transaction()
        stranger.produce(REQUESTS, key="nobody's", value=b"{}", partition=0)
        assert stranger.flush(30) == 0
        end(30)
        if nothing_to_read:
            wait(lambda: stillness.still({}, {}), "the cluster to tell that nothing is left to read")
        else:
            assert not stillness.still({}, {})
    stillness.close()


def test_people_and_operators_read_on_past_what_no_desk_wrote(tmp_path: Path) -> None:
    with provisioned(tmp_path, 1) as broker:
        what_was_taken_back_lies_before_nobody(broker.bootstrap)
        # The shape of a message depends on the length of the salt. With these four lengths each topic gets all four
        # shapes.
        for salt in ("a", "bb", "ccc", "dddd"):
            dose = poison(
                broker.access,
                {"consignment": "nobody's", "container": "nobody's box"},
                1,
                salt,
                WaitLimit("the broker", {}),
            )
            assert len(dose.offsets) == len(TOPICS)
        settings = SimulatorSettings(kafka=broker.bootstrap, partitions=1)
        clock = Clock.sandbox(LEAST_SPEED)
        player = Player(settings, day(1, 10), 0, 0, paced=False, idle_seconds=1, clock=clock)
        assert player.run().finished and player.ended() == 0
        assert waiting(broker.bootstrap) == []
