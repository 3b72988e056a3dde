"""Does `dtg trace` say what it has searched for if it finds nothing?"""

from schemas.vocabulary import consignment_id
from services.cli.trace import nothing_known


def test_a_reference_of_which_nothing_is_known_is_named_as_it_was_asked() -> None:
    key = consignment_id("91370200163562681G", "NO-SUCH")
    sentence = nothing_known("91370200163562681G/NO-SUCH", key)
    assert "91370200163562681G/NO-SUCH" in sentence and key in sentence and "查无此票" in sentence
    assert nothing_known(key, key).count(key) == 1
