"""Whom does nonsense on a topic stop? Neither the people who read facts nor the operator who reads what was set aside."""

from pathlib import Path

from deploy.kafka.broker import Broker, free_port
from deploy.kafka.progress import Progress
from deploy.kafka.topics import provision
from services.cli.parked import waiting
from services.simulator.player import Player
from services.simulator.settings import SimulatorSettings
from tests.chaos.days import day
from tests.chaos.poison import TOPICS, poison


def test_people_and_operators_read_on_past_what_no_desk_wrote(tmp_path: Path) -> None:
    broker = Broker(tmp_path, free_port())
    broker.start()
    try:
        provision(broker.bootstrap, 1)
        for salt in ("a", "bb", "ccc", "dddd"):  # each topic gets each shape of nonsense
            dose = poison(
                broker.bootstrap,
                {"consignment": "nobody's", "container": "nobody's box"},
                1,
                salt,
                Progress("the broker", {}),
            )
            assert len(dose.places) == len(TOPICS)
        settings = SimulatorSettings(kafka=broker.bootstrap, partitions=1)
        player = Player(settings, day(1, 10), 0, 0, paced=False, idle_seconds=1)
        assert player.run().finished and player.ended() == 0
        assert waiting(broker.bootstrap) == []
    finally:
        broker.stop()
