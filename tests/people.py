"""Which accounts do tests use? One account that may do everything, and other accounts by name, each with a known
key."""

from hashlib import sha256

from services.console.access.accounts import Account, Accounts, Shown, written
from services.console.access.rights import EVERY_COMPANY, EVERY_OFFICE, Role
from services.console.readmodel.database import open_engine
from services.shell.clock import world_us

TESTER = "tester"
EVERYTHING = " ".join(Role)
SECRET = "known-to-every-test"


def key_of(name: str) -> Shown:
    """The key of the account of this name."""
    return Shown(f"t-{sha256(name.encode()).hexdigest()[:12]}", SECRET)


def headers_of(name: str = TESTER) -> dict[str, str]:
    """The headers for a request of this account."""
    return {"Authorization": f"Bearer {written(key_of(name))}"}


LINE = f"Authorization: {headers_of()['Authorization']}"
"""The authorization header of the account TESTER, as a line of HTTP."""


def admit(
    url: str,
    name: str = TESTER,
    roles: str = EVERYTHING,
    company: str = EVERY_COMPANY,
    office: str = EVERY_OFFICE,
    password: str | None = None,
) -> dict[str, str]:
    """Makes the account and its key if they do not exist. Returns the headers for requests of the account."""
    engine = open_engine(url, writes=True)
    try:
        accounts, at = Accounts(engine), world_us()
        row = Account(name, roles, company, office)
        accounts.publish(row, key_of(name), by="the tests", at=at, password=password)
    finally:
        engine.dispose()
    return headers_of(name)
