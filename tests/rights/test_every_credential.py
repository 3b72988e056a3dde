"""Does the broker allow each credential exactly what the table says? Every credential tries everything."""

from dataclasses import replace

import pytest

from deploy.kafka.rights import give_rights, give_users, rights_of_users
from schemas.rights import PROVISION, SANDBOX, Resource, Rights, table, user_of
from schemas.topics import facts_topic, orders_topic, requests_topic
from services.shell.access import NoAccess, try_access
from tests.rights.conftest import RIGHTS, Secured
from tests.rights.walk import CLUSTER, GROUPS, TOPICS, TRANSACTIONS, Granted, walk

TRIED: dict[Resource, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "topic": (TOPICS, ("read", "write", "describe")),
    "group": (GROUPS, ("read", "describe")),
    "transactional id": (TRANSACTIONS, ("write",)),
}


def expected(rights: Rights) -> set[Granted]:
    """The operations of TRIED that these rights allow."""
    return {
        Granted(resource, name, operation)
        for resource, (names, operations) in TRIED.items()
        for name in names
        for operation in operations
        if rights.permits(resource, name, operation)  # type: ignore[arg-type]
    }


@pytest.mark.parametrize("name", list(RIGHTS))
def test_a_credential_can_do_what_its_rights_say_and_nothing_else(secured: Secured, name: str) -> None:
    found = walk(secured.access(name))
    assert found == expected(RIGHTS[name])


def test_the_administrator_can_do_everything(secured: Secured) -> None:
    everything = {
        Granted(resource, name, operation)
        for resource, (names, operations) in TRIED.items()
        for name in names
        for operation in operations
    }
    assert walk(secured.broker.access) == everything | {Granted("cluster", name, "alter") for name in CLUSTER}
    assert PROVISION not in RIGHTS


def changed(secured: Secured, name: str, rights: Rights) -> set[Granted]:
    """The operations in which the cluster's answers differ from the table if this credential has these rights
    instead."""
    try:
        give_rights(secured.broker.access, rights_of_users(secured.credentials, RIGHTS | {name: rights}))
        return walk(secured.access(name)) ^ expected(RIGHTS[name])
    finally:
        secured.give()


def test_one_right_too_many_is_seen(secured: Secured) -> None:
    port = RIGHTS["port"]
    forging = replace(port, writes=frozenset([facts_topic("gate")]))
    won = {Granted("topic", facts_topic("gate"), operation) for operation in ("write", "describe")}
    assert changed(secured, "port", forging) == won


def test_one_right_too_few_is_seen(secured: Secured) -> None:
    gate = RIGHTS["gate"]
    deaf = replace(gate, reads=gate.reads - {orders_topic("gate")})
    lost = {Granted("topic", orders_topic("gate"), operation) for operation in ("read", "describe")}
    assert changed(secured, "gate", deaf) == lost


def test_rights_that_are_there_already_are_not_given_again(secured: Secured) -> None:
    secured.give()
    assert secured.give() == (0, 0)


def test_without_a_sandbox_simulated_people_have_neither_password_nor_rights(secured: Secured) -> None:
    plain = table(sandbox=False)
    try_access(secured.access("simulator"), 30)
    try:
        give_users(secured.broker.access, secured.credentials, plain)
        give_rights(secured.broker.access, rights_of_users(secured.credentials, plain))
        for name in SANDBOX:
            with pytest.raises(NoAccess, match="does not let this program in"):
                try_access(secured.access(name), 30)
        door = walk(secured.access("door"))
        assert Granted("topic", requests_topic("release"), "write") in door and user_of("door") == "customs-door"
    finally:
        give_users(secured.broker.access, secured.credentials, RIGHTS)
        secured.give()
