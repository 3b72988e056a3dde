"""What does the release desk say of goods now, in tests?"""

from services.release.goods import Revoked
from tests.voice import Story


def stands(story: Story) -> str:
    """What is said of the goods now. Whether goods that are held had been released before depends on the order of messages."""
    return "held" if isinstance(story.state, Revoked) else str(story.state.state)
