"""In which order do the files of tests run? Those that take minutes one after the other, from the beginning, beside the short ones."""

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

LONG = frozenset(
    {
        "tests/bench/test_quick.py",
        "tests/chaos/test_kill.py",
        "tests/chaos/test_links.py",
        "tests/cli/test_places.py",
        "tests/docs/test_commands.py",
        "tests/journeys/test_korea_to_the_end.py",
        "tests/kafka/test_broker.py",
        "tests/rights/test_earlier.py",
    }
)
"""pytest-xdist begins with the files of the most tests, so these, of few, would all run at the end, at once, and wait for each other."""


class LongestFirst(LoadFileScheduling):  # type: ignore[misc]  # published without types
    """Gives one worker all the long files, as the first that it gets."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "long" if file in LONG else file

    def _assign_work_unit(self, node: WorkerController) -> None:
        if "long" in self.workqueue:
            self.workqueue.move_to_end("long", last=False)
        super()._assign_work_unit(node)
