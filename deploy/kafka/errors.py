"""What can stop the broker from running?"""


class BrokerError(Exception):
    """The broker cannot run; the text says what to do about it."""


class Interrupted(Exception):
    """Asked to stop while it waited; what was begun is ended, and what was fetched is kept."""


def never() -> bool:
    """Nobody asks to stop."""
    return False
