"""What can stop the broker from running?"""


class BrokerError(Exception):
    """The broker cannot run; the text says what to do about it."""


class Interrupted(Exception):
    """`stop` became true during a wait; processes that were started are ended, and files that were fetched are kept."""


def never() -> bool:
    """The default for `stop`: never."""
    return False
