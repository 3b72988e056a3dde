"""In which order is a timeline told, however its messages name each other, and at what cost?"""

from collections.abc import Iterator
from dataclasses import dataclass

from services.console.telling import in_order

MESSAGES = 10_000
"""As many as a timeline reads."""
LOOKS = 20
"""How often the cause of a message may be looked at, on average: a few times, and not once for each other message."""


@dataclass
class Row:
    """A message of a timeline, which counts how often its cause is asked for."""

    place: int
    id: str
    named: str
    recorded_us: int = 0
    sequence: int = 0
    looks: int = 0

    @property
    def cause(self) -> str:
        self.looks += 1
        return self.named


def chain(*last: str) -> Iterator[Row]:
    """Each is caused by the one before, and was recorded earlier than that one."""
    names = [str(number) for number in range(MESSAGES)]
    for number, name in enumerate(names):
        yield Row(number, name, names[number - 1] if number else "".join(last), recorded_us=MESSAGES - number)


class Counted(str):
    """A name that counts how often it is compared or looked up."""

    __slots__ = ()
    lookups = 0

    def __hash__(self) -> int:
        Counted.lookups += 1
        return super().__hash__()


def lookups(rows: list[Row]) -> int:
    for row in rows:
        row.id, row.named = Counted(row.id), Counted(row.named)
    Counted.lookups = 0
    assert len(in_order(rows)) == len(rows)
    return Counted.lookups


def test_no_answer_stands_before_what_it_answers_and_each_chain_is_followed_once() -> None:
    rows = list(chain())
    assert [row.id for row in in_order(reversed(rows))] == [row.id for row in rows]
    assert lookups(rows) < LOOKS * MESSAGES


def test_messages_that_name_each_other_in_a_circle_cost_no_more() -> None:
    circle = [Row(0, "0", "1"), Row(1, "1", "0"), *[Row(n, str(n), "0", recorded_us=n) for n in range(2, MESSAGES)]]
    assert lookups(circle) < LOOKS * MESSAGES
    assert lookups(list(chain(str(MESSAGES - 1)))) < LOOKS * MESSAGES
