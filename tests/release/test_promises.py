"""What else does the release desk guarantee, besides releasing nothing while a hold is open?

That guarantee is tested in `test_every_interleaving.py` and `test_everything_in_any_order.py`.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Message
from services.release import decider
from tests.release.requests import retract_arrival, retract_lift
from tests.release.test_every_interleaving import stories
from tests.voice import keeps_its_promises


@st.composite
def messages(draw: st.DrawFn) -> list[tuple[str, Message]]:
    """The messages about one consignment, with reports and liftings that are retracted, each with its message id."""
    known = [(name, message) for name, message in draw(stories()) if message is not None]
    for number, (name, _) in enumerate(draw(st.lists(st.sampled_from(known), max_size=3))):
        known.append((f"back{number}", draw(st.sampled_from([retract_arrival(name), retract_lift(name)]))))
    return draw(st.permutations(known))


@settings(max_examples=200, deadline=None)
@given(messages())
def test_a_message_that_is_read_twice_adds_nothing_and_a_refused_request_changes_nothing(
    read: list[tuple[str, Message]],
) -> None:
    keeps_its_promises(decider, read)
