"""What does the declaration desk guarantee, whatever people lodge and withdraw, and in whatever order?"""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.declaration import (
    DeclarationAccepted,
    DeclarationLodgedAgain,
    DeclarationPassedOn,
    DeclarationRejected,
    DeclarationRepeated,
    DeclarationWaits,
    LodgeDeclaration,
)
from schemas.envelope import Fact, Message, RequestRefused
from schemas.vocabulary import Severity
from services.declaration import decider
from tests.declaration.good import lodge
from tests.declaration.test_declaration_desk import not_withdrawn, withdraw, withdrawn
from tests.voice import Story, keeps_its_promises

FAULTLESS, AMENDED, FAULTY = lodge(), lodge(packages=3), lodge(items=())
EVERYTHING: list[tuple[str, Message]] = [
    *[("lodged-1", FAULTLESS), ("lodged-2", FAULTLESS), ("lodged-3", AMENDED), ("lodged-4", FAULTY)],
    *[("wish-1", withdraw()), ("wish-2", withdraw()), ("of somebody else", withdraw("somebody else"))],
    *[("refusal-1", not_withdrawn("wish-1")), ("refusal-2", not_withdrawn("wish-2")), ("grant", withdrawn())],
]
"""Lodgements, withdrawals, and the release desk's answers to withdrawals, each with its message id."""
MESSAGES = st.tuples(st.permutations([*EVERYTHING, *EVERYTHING[:6]]), st.integers(1, 16)).map(
    lambda drawn: drawn[0][: drawn[1]]
)
"""Some messages of EVERYTHING in any order. A message that comes twice has the same id, so it is one message that is
read again."""


@settings(max_examples=200, deadline=None)
@given(MESSAGES)
def test_a_message_that_is_read_twice_adds_nothing(messages: list[tuple[str, Message]]) -> None:
    keeps_its_promises(decider, messages)


@settings(max_examples=200, deadline=None)
@given(MESSAGES)
def test_one_declaration_of_a_consignment_is_accepted_at_most_and_it_has_no_error(
    messages: list[tuple[str, Message]],
) -> None:
    accepted = [fact for fact in facts_upon(messages) if isinstance(fact, DeclarationAccepted)]
    assert len(accepted) <= 1
    assert all(finding.severity is Severity.WARNING for fact in accepted for finding in fact.warnings)
    assert all(fact.declaration != FAULTY.declaration for fact in accepted)


@settings(max_examples=200, deadline=None)
@given(MESSAGES)
def test_every_lodgement_is_answered_once_or_waits_for_the_answer_to_a_withdrawal(
    messages: list[tuple[str, Message]],
) -> None:
    story, answered, read_once = Story(decider, decider.INITIAL), list[str](), dict(messages)
    for message_id, message in read_once.items():
        story.when(message, message_id=message_id)
        answered += [name for fact in story.answer if (name := answer_to(fact, message_id)) is not None]
    lodged = {name for name, message in read_once.items() if isinstance(message, LodgeDeclaration)}
    waiting = getattr(story.state, "waiting", None)
    assert sorted([*answered, *([waiting.request_id] if waiting else [])]) == sorted(lodged)


def answer_to(fact: Fact, request_id: str) -> str | None:
    """The id of the lodgement that this fact answers; None if it answers none. `request_id`: the id of the message for
    which the fact was published."""
    match fact:
        case DeclarationAccepted() | DeclarationRejected():
            return fact.request_id or request_id
        case DeclarationRepeated() | DeclarationPassedOn():
            return fact.request_id
        case RequestRefused() if fact.request_kind == LodgeDeclaration.kind:
            return fact.request_id
        case DeclarationWaits() | DeclarationLodgedAgain() | _:
            return None


def facts_upon(messages: list[tuple[str, Message]]) -> tuple[Fact, ...]:
    story = Story(decider, decider.INITIAL)
    for message_id, message in messages:
        story.when(message, message_id=message_id)
    return story.facts
