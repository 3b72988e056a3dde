"""Does a lodgement after a granted withdrawal always become the next consignment of its reference, in whatever order
the declaration desk and the release desk read their messages?

The declaration desk and the release desk have topics in memory. Each desk reads the messages of one topic and key in
the order in which they were written; all other orders are possible.
"""

from collections import defaultdict, deque
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.declaration import DeclarationAccepted, WithdrawDeclaration
from schemas.envelope import Message, RequestRefused, fact_id
from schemas.flow import FLOW, REFUSALS
from schemas.release import LiftHold, PlaceHold
from schemas.topics import topic_of
from schemas.vocabulary import ControlKind, consignment_id
from services.declaration import decider as declaration
from services.release import decider as release
from tests.declaration.good import DECLARANT, lodge
from tests.facts import consignment_assessed
from tests.voice import NOON, Story

DESKS: dict[str, Any] = {"declaration": declaration, "release": release}
FIRST, SECOND, THIRD = (consignment_id(DECLARANT, "R-1", number) for number in (1, 2, 3))


class Topics:
    """The declaration desk and the release desk, the messages that they have not read, and all their facts. `controls`:
    what the risk desk orders."""

    def __init__(self, *controls: ControlKind) -> None:
        self.controls = controls
        self.unheard: dict[tuple[str, str, str], deque[tuple[str, Message, int]]] = defaultdict(deque)
        self.stories: dict[tuple[str, str], Story] = {}
        self.facts: list[Message] = []
        self.written = 0

    def ask(self, desk: str, message: Message, message_id: str) -> None:
        self._write(desk, f"{desk}-requests", message_id, message)

    def _write(self, desk: str, topic: str, message_id: str, message: Message) -> None:
        self.written += 1
        self.unheard[desk, topic, message.key].append((message_id, message, self.written))

    def hear(self, topic: tuple[str, str, str]) -> None:
        """Lets the desk that `topic` names read its next message of this topic and key. `topic`: desk, topic, key."""
        desk, _, key = topic
        message_id, message, serial = self.unheard[topic].popleft()
        if not self.unheard[topic]:
            del self.unheard[topic]
        story = self.stories.setdefault((desk, key), Story(DESKS[desk], DESKS[desk].INITIAL))
        story.count = serial - 1
        story.when(message, message_id=message_id)
        for index, fact in enumerate(story.answer):
            self.facts.append(fact)
            name = fact_id(desk, message_id, index)
            for hearer in DESKS:
                refused = isinstance(fact, RequestRefused) and desk not in REFUSALS.get(hearer, ())
                if type(fact) in FLOW[hearer] and not refused:
                    self._write(hearer, topic_of(desk, type(fact)), name, fact)
            if isinstance(fact, DeclarationAccepted):
                terms = consignment_assessed(*self.controls).model_copy(update={"consignment_id": fact.consignment_id})
                self._write("release", "risk-facts", fact_id("risk", name, 0), terms)

    def run(self, choose: Any) -> None:
        """Lets the desks read until no message is left; `choose` picks the next topic and key."""
        while self.unheard:
            self.hear(choose(sorted(self.unheard)))

    def answers(self) -> dict[str, list[str]]:
        """Consignment → the kinds of the facts about it whose names begin with `Declaration`, in order, except
        `DeclarationWaits` and `DeclarationWithdrawn`."""
        found: dict[str, list[str]] = defaultdict(list)
        for fact in self.facts:
            if fact.kind.startswith("Declaration") and fact.kind not in ("DeclarationWaits", "DeclarationWithdrawn"):
                found[str(fact.model_dump()["consignment_id"])].append(fact.kind)
        return dict(found)


def withdraw(key: str = FIRST) -> WithdrawDeclaration:
    return WithdrawDeclaration(consignment_id=key, asked_by=DECLARANT, occurred_at=NOON, reason="sold")


ACCEPTED, HANDED_ON = "DeclarationAccepted", ["DeclarationPassedOn", "DeclarationLodgedAgain"]


@settings(deadline=None)
@given(st.data())
def test_in_any_order_a_granted_withdrawal_makes_the_next_consignment(data: st.DataObject) -> None:
    topics = Topics()
    topics.ask("declaration", lodge(), "r-1")
    topics.ask("declaration", withdraw(), "w-1")
    topics.ask("declaration", lodge(packages=3), "r-2")
    topics.ask("declaration", lodge(packages=3), "r-3")
    topics.run(lambda topics_unread: data.draw(st.sampled_from(topics_unread)))
    answers = topics.answers()
    assert answers[SECOND][0] == ACCEPTED and answers[SECOND].count(ACCEPTED) == 1
    # r-3 repeats r-2. If the declaration desk reads r-3 while r-2 waits, its answer to r-3 has the key FIRST.
    # Otherwise the answer has the key SECOND.
    repeats = [kind for key in (FIRST, SECOND) for kind in answers[key]].count("DeclarationRepeated")
    assert (
        repeats == 1 and answers[FIRST][:1] == [ACCEPTED] and answers[FIRST][-1] in [*HANDED_ON, "DeclarationRepeated"]
    )
    accepted = [fact for fact in topics.facts if isinstance(fact, DeclarationAccepted)]
    assert [(fact.consignment_id, fact.earlier) for fact in accepted] == [(FIRST, ""), (SECOND, FIRST)]
    assert len({fact.declaration_no for fact in accepted}) == 2


@settings(deadline=None)
@given(st.data())
def test_in_any_order_a_refused_withdrawal_makes_none(data: st.DataObject) -> None:
    topics = Topics(ControlKind.INSPECTION)
    topics.ask("declaration", lodge(), "r-1")
    topics.ask("declaration", withdraw(), "w-1")
    topics.ask("declaration", lodge(), "r-2")
    topics.ask("declaration", lodge(packages=3), "r-3")
    topics.run(lambda topics_unread: data.draw(st.sampled_from(topics_unread)))
    assert topics.answers() == {FIRST: [ACCEPTED, "DeclarationRepeated"]}
    codes = {fact.request_id: fact.code for fact in topics.facts if isinstance(fact, RequestRefused)}
    assert codes == {"w-1": "controls_ordered", "r-3": "reference_used"}


@settings(deadline=None)
@given(st.data())
def test_in_any_order_a_withdrawal_that_waits_for_an_officer_keeps_what_is_lodged_after_it(data: st.DataObject) -> None:
    topics = Topics()
    topics.ask("release", PlaceHold(consignment_id=FIRST, asked_by="officer", occurred_at=NOON, reason="a tip"), "h-1")
    topics.hear(next(iter(topics.unheard)))
    topics.ask("declaration", lodge(), "r-1")
    topics.ask("declaration", withdraw(), "w-1")
    topics.ask("declaration", lodge(packages=3), "r-2")
    topics.run(lambda topics_unread: data.draw(st.sampled_from(topics_unread)))
    assert topics.answers() == {FIRST: [ACCEPTED]}
    assert [fact.kind for fact in topics.facts].count("DeclarationWaits") == 1
    lift = LiftHold(
        consignment_id=FIRST, asked_by="officer", occurred_at=NOON, hold_id="officer/h-1", reason="nothing was found"
    )
    topics.ask("release", lift, "l-1")
    topics.run(lambda topics_unread: data.draw(st.sampled_from(topics_unread)))
    assert topics.answers() == {FIRST: [ACCEPTED, *HANDED_ON], SECOND: [ACCEPTED]}


def test_each_further_withdrawal_makes_one_more() -> None:
    topics = Topics()
    for number, key in enumerate((FIRST, SECOND)):
        topics.ask("declaration", lodge(), f"r-{number}")
        topics.run(min)
        topics.ask("declaration", withdraw(key), f"w-{number}")
        topics.run(min)
    topics.ask("declaration", lodge(), "r-9")
    topics.run(min)
    accepted = [fact for fact in topics.facts if isinstance(fact, DeclarationAccepted)]
    assert [(f.consignment_id, f.number, f.earlier) for f in accepted] == [
        (FIRST, 1, ""),
        (SECOND, 2, FIRST),
        (THIRD, 3, SECOND),
    ]
    assert accepted[-1].request_id == "r-9"
