"""Which errors can keep the broker from running?"""


class BrokerError(Exception):
    """Raised if the broker cannot run. The text says what to do about it."""


class Interrupted(Exception):
    """Raised if `stop` returned true during a wait. Processes that were started are ended, and files that were
    fetched are kept."""


def never() -> bool:
    """Returns False. This is the default for `stop`, with which a wait is never interrupted."""
    return False
