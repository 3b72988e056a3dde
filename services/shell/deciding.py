"""With which facts does a decider answer one message, and which state follows?

The services call `decide` and `evolve` of a decider only in `decide_message`. The loop, the tests of the desks, the
tests of whole journeys and the other stream processors of the benchmark (`tests/bench/peers`) all use this function. So
all of them apply messages and facts in the same order. The function is pure: it reads nothing but its arguments, and
changes nothing.
"""

from typing import Any, NamedTuple

from schemas.envelope import Fact, Hearing, Message
from schemas.flow import FLOW
from services.shell.desk import Decider


class Decision(NamedTuple):
    """The facts in their order, and the state that the decider gets with the next message of the same key."""

    facts: tuple[Fact, ...]
    state: Any


def decide_message(decider: Decider, state: Any, message: Message, hearing: Hearing, desk: str = "") -> Decision:
    """Decides the message with the state before it, then applies the message and each of the facts to the state.

    `desk`: the desk's name. Raises TypeError if the desk answers with a fact that `schemas/flow.py` does not allow for this message.
    With an empty name, every fact is allowed. Exceptions of the decider are not caught.
    """
    facts = decider.decide(state, message, hearing)
    allowed = FLOW[desk][type(message)] if desk else None
    state = decider.evolve(state, message, hearing)
    for fact in facts:
        if allowed is not None and type(fact) not in allowed:
            raise TypeError(f"{desk} may not say {fact.kind} upon {message.kind}")
        state = decider.evolve(state, fact, hearing)
    return Decision(facts, state)
