"""Who may try a sandbox? Anybody may: a sandbox has one demo account of each role. The password and the keys of the demo
accounts are published, so these accounts and keys are refused outside a sandbox."""

from typing import NamedTuple

from services.console.access.accounts import Account, Accounts, NotGranted, Shown, written
from services.console.access.rights import EVERY_OFFICE, Role
from services.shell.clock import CLOCK, world_us

PASSWORD = "datongguan-demo"  # noqa: S105 - published, because a sandbox has no secrets
SECRET = "published-for-the-sandbox"  # noqa: S105
COMPANY, AGENT = "91370200163562681G", "91310115MA1H7L0T3Q"
"""The declarant of docs/declaration.json, and an agent that this declarant has authorised."""
BY = "dtg up --demo"


class Demo(NamedTuple):
    """An account of the sandbox."""

    role: Role
    company: str = ""
    office: str = ""

    @property
    def account(self) -> str:
        """The name of the account."""
        return f"demo-{self.role.value}"

    @property
    def key(self) -> Shown:
        """Returns the published key of the account."""
        return Shown(self.account, SECRET)


DEMOS: tuple[Demo, ...] = (
    Demo(Role.DECLARANT, COMPANY),
    Demo(Role.AGENT, AGENT),
    Demo(Role.CARRIER, "carrier"),
    Demo(Role.TERMINAL, "terminal"),
    Demo(Role.TARGETING, "", EVERY_OFFICE),
    Demo(Role.INSPECTOR, "", EVERY_OFFICE),
    Demo(Role.TREATMENT, "treatment-unit", EVERY_OFFICE),
    Demo(Role.RELEASE, "", EVERY_OFFICE),
    Demo(Role.OPERATIONS),
    Demo(Role.AUDITOR),
    Demo(Role.ADMINISTRATOR),
)


def make_demos(accounts: Accounts, *, sandbox: bool) -> None:
    """Makes each demo account that is missing, with its key, in one transaction for each account. Raises NotGranted outside a
    sandbox."""
    if not sandbox:
        raise NotGranted("Published passwords are for a sandbox. 演示账户仅限沙箱")
    at = world_us()
    for demo in DEMOS:
        row = Account(demo.account, demo.role.value, demo.company, demo.office)
        client = COMPANY if demo.role is Role.AGENT else ""
        accounts.publish(row, demo.key, by=BY, at=at, password=PASSWORD, client=client)


def is_published(secret: str) -> bool:
    """Returns whether this password or key is published, and therefore valid in a sandbox only."""
    return secret == PASSWORD or secret.endswith(f"_{SECRET}")


def is_demo(account: str) -> bool:
    """Returns whether this is the name of a demo account, which is valid in a sandbox only."""
    return any(demo.account == account for demo in DEMOS)


def shown(accounts: Accounts) -> list[tuple[Demo, str]]:
    """Returns the demo accounts that exist and are not closed, each with its key; an empty list outside a sandbox."""
    if not CLOCK.is_sandbox:
        return []
    there = {account.account for account in accounts.accounts() if not account.closed}
    return [(demo, written(demo.key)) for demo in DEMOS if demo.account in there]
