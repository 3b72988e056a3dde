"""What can stop the broker from running?"""


class BrokerError(Exception):
    """The broker cannot run; the text says what to do about it."""
