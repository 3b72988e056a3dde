"""What does one message come to? The facts with which its decider answers, and the state after it.

The only place where a decider is called: the loop, the tests of the desks, the journeys and the peers of the bench decide by it, so that
none of them can do it in another order. Pure: nothing is read but the arguments, and nothing is changed.
"""

from typing import Any, NamedTuple

from schemas.envelope import Fact, Hearing, Message
from schemas.flow import FLOW
from services.shell.desk import Decider


class Decision(NamedTuple):
    """The facts in their order, and the state that the decider is given with the next message of the same key."""

    facts: tuple[Fact, ...]
    state: Any


def decide_message(decider: Decider, state: Any, message: Message, hearing: Hearing, desk: str = "") -> Decision:
    """Decides upon the state as it is, then takes the message and each of the facts into it.

    `desk`: its name; TypeError where it answers with a fact that `schemas/flow.py` does not allow upon this message. Without a name any
    fact may follow. What the decider raises is not caught.
    """
    facts = decider.decide(state, message, hearing)
    allowed = FLOW[desk][type(message)] if desk else None
    state = decider.evolve(state, message, hearing)
    for fact in facts:
        if allowed is not None and type(fact) not in allowed:
            raise TypeError(f"{desk} may not say {fact.kind} upon {message.kind}")
        state = decider.evolve(state, fact, hearing)
    return Decision(facts, state)
