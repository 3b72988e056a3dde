"""What can stop the broker from running?"""


class BrokerError(Exception):
    """The broker cannot run; the text says what to do about it."""


class Interrupted(Exception):
    """`stop` returned true during a wait. Processes that were started are ended, and files that were fetched are
    kept."""


def never() -> bool:
    """The default for `stop`, which never ends a wait."""
    return False
