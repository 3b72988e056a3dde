"""Which worker runs which test files, and in which order? Files that share a broker, a console or a browser run together, and long files first."""

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
"""Files and folders of one worker each, in the order in which they begin: the longest first.

A worker that leaves a group stops its brokers, consoles and browsers (`tests/conftest.py`). If single files were distributed, each worker would start
all of them, and keep them running to the end: a broker with desks that wait takes a tenth of a core. And pytest-xdist begins with the files of the
most tests, so that the longest, which have few, would all run at the end and wait for each other.
"""


def group_of(file: str) -> str:
    """The group of a file; a file without a group is a group of its own."""
    return next((name for name, members in GROUPS.items() if file.startswith(members)), file)


class Grouped(LoadFileScheduling):  # type: ignore[misc]  # pytest-xdist is published without types
    """Gives each group to one worker, the groups before the files that are in none."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(super()._split_scope(nodeid))

    def _assign_work_unit(self, node: WorkerController) -> None:
        waiting = [name for name in GROUPS if name in self.workqueue]
        if waiting:
            self.workqueue.move_to_end(waiting[0], last=False)
        super()._assign_work_unit(node)
