"""Does the simulator's `Player` know whether goods can reach their ends only after the clock has gone on? A season of
faults (`make chaos`) does not count such a wait as a standstill."""

from datetime import UTC, datetime

from services.simulator.acts import arrival
from services.simulator.day import Day
from services.simulator.player import Player
from services.simulator.settings import SimulatorSettings

AT = datetime(2026, 11, 23, tzinfo=UTC)


def test_only_goods_of_which_each_waits_for_a_later_request_wait_for_the_clock() -> None:
    day = Day(1, 3, AT)
    player = Player(SimulatorSettings(), day, 0, 3, paced=True, idle_seconds=1)
    treated, other, ended = (day.plan(index).consignment_id for index in range(3))
    player._expected.update((treated, other, ended))
    player._ends.state("ReleaseGranted", ended)
    player._remember(arrival(treated, AT))
    assert not player.awaits_clock(), "nothing is to be sent about one of the two"
    player._ends.state("ReleaseRefused", other)
    assert player.awaits_clock()
    player._ends.state("ReleaseGranted", treated)
    assert not player.awaits_clock(), "all have their end"
