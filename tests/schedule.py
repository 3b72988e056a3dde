"""Which worker runs which test files, and in which order? Files that share a broker, a console or a browser run on one
worker, and long files come first."""

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

GROUPS = {
    "a border": (
        "tests/bench/test_quick.py",
        "tests/chaos/test_kill.py",
        "tests/chaos/test_links.py",
        "tests/cli/test_draws.py",
        "tests/cli/test_effects.py",
        "tests/cli/test_ledger.py",
        "tests/cli/test_mistakes.py",
        "tests/docs/test_commands.py",
        "tests/journeys/test_goods_of_others.py",
        "tests/journeys/test_korea_to_the_end.py",
        "tests/kafka/test_broker.py",
        "tests/kafka/test_journeys.py",
    ),
    "a console": ("tests/console/",),
    "a browser": ("tests/browser/",),
    "rights at a broker": ("tests/rights/",),
    "places": ("tests/cli/test_places.py",),
    "a port": ("tests/ports/",),
}
"""Group → its files and folders, which one worker runs. The groups begin in this order, the longest first.

A worker that leaves a group stops its brokers, consoles and browsers (`tests/conftest.py`). If single files were
distributed, each worker would start all of these processes and keep them running to the end; a broker with idle desks
takes a tenth of a core. Besides, pytest-xdist begins with the files that have the most tests. The longest files have
few tests, so they would all run at the end.
"""


def group_of(file: str) -> str:
    """Returns the group whose files and folders include this file. If there is none, returns the file, which is then a
    group by itself."""
    return next((name for name, members in GROUPS.items() if file.startswith(members)), file)


class Grouped(LoadFileScheduling):  # type: ignore[misc]  # pytest-xdist is published without types
    """Gives each group to one worker. The groups of GROUPS come first, and then the files that belong to none of
    them."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(super()._split_scope(nodeid))

    def _assign_work_unit(self, node: WorkerController) -> None:
        waiting = [name for name in GROUPS if name in self.workqueue]
        if waiting:
            self.workqueue.move_to_end(waiting[0], last=False)
        super()._assign_work_unit(node)
