"""How is a day at the border played from the command line?"""

from datetime import datetime, timedelta

from services.shell.advance import Advance, unreported
from services.shell.clock import CLOCK, Clock
from services.shell.signals import on_stop
from services.shell.worker import configure_logs
from services.simulator.day import Day
from services.simulator.player import Played, Player, endless_start
from services.simulator.settings import SimulatorSettings


def simulate(
    *,
    seed: int,
    consignments: int,
    paced: bool,
    endless: bool,
    idle_seconds: float,
    settings: SimulatorSettings,
    start: datetime | None = None,
    clock: Clock = CLOCK,
    others: bool = False,
    advance: Advance = unreported,
) -> Played:
    """Plays one day with this many `consignments` (0: people act, but nothing is lodged), or days without end, on the
    cluster that `settings` names. Returns the result at the end of the day, or when a signal to stop arrives.

    `paced`: whether requests are sent when they are due by the border's clock. Otherwise they are sent as fast as the
    desks decide, and ClockTooSlow is raised if the border's clock is too slow for that. The play also ends if nothing
    happens for `idle_seconds`. `others`: whether people also act on goods of real declarants. `advance` is called with
    the number of consignments that reached their end since its last call.
    """
    configure_logs("INFO")
    if endless:
        day, first = endless_start(seed, consignments, clock)
        player = Player(settings, day, first, None, paced=True, idle_seconds=idle_seconds, clock=clock, others=others)
    else:
        midnight = (clock.now() + timedelta(hours=8)).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(
            hours=8
        )
        day = Day(seed, max(1, consignments), start or midnight)
        player = Player(
            settings, day, 0, consignments, paced=paced, idle_seconds=idle_seconds, clock=clock, others=others
        )
    on_stop(player.stop)
    return player.run(advance)
