"""Is the console's answer never yes if the gate desk's answer is no, and are both answers the same once everything is
in the rows?

The real gate desk publishes the facts, in a world of containers that come and go (`tests.gate.world`).
"""

import os
from dataclasses import dataclass, field
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Fact
from schemas.release import ContainerFreed
from schemas.topics import topic_of
from services.console.api.documents import gate_text
from services.console.readmodel.container import GONE
from services.console.readmodel.gate_answer import GateAnswer, GoodsState, gate_answer
from services.shell.codec import encode
from tests.console.border import PublishedMessage
from tests.console.test_rows import Memory, read
from tests.declaration.good import BOX
from tests.gate.boxes import may_leave
from tests.gate.world import World

EXAMPLES = int(os.environ.get("DTG_VISITS_EXAMPLES", "150"))


@dataclass
class WorldOnConsole(World):
    """The world of `tests.gate.world`, with a console whose rows have all messages."""

    memory: Memory = field(default_factory=Memory)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    stated: int = 0
    yes: int = 0

    def nothing_leaves_by_mistake(self) -> None:
        super().nothing_leaves_by_mistake()
        statements = [paper.statement for stay in self.stays for paper in stay.papers if paper.statement is not None]
        facts = [("release", fact) for fact in statements] + [("gate", fact) for fact in self.desk.answer]
        read(self.memory, [(self._on_topic(writer, fact), number) for number, (writer, fact) in enumerate(facts)])
        answer = self.answer_now()
        gate = may_leave(self.desk)
        assert answer.may_leave == gate, (answer, self.memory.rows["containers"].get(BOX), self.desk.answer)
        self.yes += gate
        self.check_text(answer)

    def _on_topic(self, writer: str, fact: Fact) -> PublishedMessage:
        name = topic_of(writer, type(fact))
        number = self.counts[name, fact.key] = self.counts.get((name, fact.key), 0) + 1
        self.stated += 1
        return PublishedMessage(name, fact.key, encode(fact), f"f{self.stated}", fact.kind, "", number, self.desk.at)

    def answer_now(self) -> GateAnswer:
        goods: dict[str, GoodsState] = {}
        for stay in self.stays:
            for paper in stay.papers:
                if paper.statement is None:
                    continue
                freed = isinstance(paper.statement, ContainerFreed)
                statement = "withdrawn" if self._withdrawn(paper) else "released" if freed else "held"
                goods[paper.name] = GoodsState(
                    "accepted", statement, BOX if statement == "released" else "", bill_no=paper.bill
                )
        parts = [part for part in self.memory.rows["parts"].values() if part.container_no == BOX]
        return gate_answer(self.memory.rows["containers"].get(BOX), parts, goods, (), True)

    def check_text(self, answer: GateAnswer) -> None:
        """Checks that the text of the answer agrees with the rows about the container."""
        row = self.memory.rows["containers"].get(BOX)
        assert gate_text(answer, row).zh and gate_text(answer, row).en
        assert (answer.reason == "unknown") <= (row is None and not self.memory.rows["parts"])
        if answer.reason in GONE:
            assert answer.lots == 0, "it did not leave while goods are expected or inside"


@settings(max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES <= 1000)
@given(seed=st.integers(0, 2**32), visits=st.integers(1, 4))
def test_the_consoles_answer_is_the_word_of_the_gate_whatever_is_told(seed: int, visits: int) -> None:
    world = WorldOnConsole(Random(seed))
    world.play(visits)
    world.end()


def test_the_world_of_that_property_has_boxes_that_may_leave() -> None:
    worlds = [WorldOnConsole(Random(seed)) for seed in range(20)]
    for world in worlds:
        world.play(2)
    assert sum(world.yes for world in worlds) > 40
