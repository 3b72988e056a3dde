"""Does the table of rights allow each fact topic only its one writer, and each credential only its own topics?"""

import itertools

from schemas.flow import heard_topics
from schemas.rights import PROVISION, SANDBOX, Right, Rights, table, user_of
from schemas.topics import (
    CATALOGUE,
    FACTS_AND_REQUESTS,
    SERVICES,
    orders_topic,
    parked_topic,
    state_topic,
)
from services.console.readmodel.messages import TOPICS as PROJECTED
from services.ports.notice import TOPIC as OF_PORTS

PLAIN, SANDBOXED = table(sandbox=False), table(sandbox=True)


OTHERS = ("worker", "door", "projector", "port", "auditor", "operations", "supervisor")
"""The credentials besides those of the services; docs/kafka.md says who has each."""


def writers(topic: str, rights: dict[str, Rights]) -> set[str]:
    return {name for name, held in rights.items() if held.permits("topic", topic, "write")}


def test_every_credential_of_the_house_is_in_the_table_and_the_administrator_is_not() -> None:
    assert list(PLAIN) == [*SERVICES, *OTHERS]
    assert list(SANDBOXED) == [*SERVICES, *OTHERS, *SANDBOX]
    assert PROVISION not in SANDBOXED


def test_every_topic_that_a_service_writes_is_written_by_no_other_credential() -> None:
    for topic in CATALOGUE:
        if topic.writer in SERVICES:
            assert writers(topic.name, SANDBOXED) == set(topic.writers), topic.name


def test_only_the_door_writes_requests_and_where_the_clock_is_a_sandbox_simulated_people_do() -> None:
    for topic in FACTS_AND_REQUESTS:
        if topic.role == "requests":
            assert writers(topic.name, PLAIN) == {"door"}
            assert writers(topic.name, SANDBOXED) == {"door", *SANDBOX}


def test_only_operations_orders_about_parked_messages() -> None:
    for service in SERVICES:
        assert writers(orders_topic(service), SANDBOXED) == {"operations"}


def test_a_service_reads_what_it_hears_and_what_it_keeps_and_nothing_else() -> None:
    for service in SERVICES:
        own = {state_topic(service), parked_topic(service), orders_topic(service)}
        assert PLAIN[service].reads == {*heard_topics(service), *own}


def test_states_are_read_by_their_service_and_the_auditor_alone() -> None:
    for service in SERVICES:
        readers = {name for name, held in SANDBOXED.items() if held.permits("topic", state_topic(service), "read")}
        assert readers == {service, "auditor"}


def test_who_only_looks_writes_nothing() -> None:
    for name in ("worker", "projector", "port", "auditor", "supervisor"):
        assert PLAIN[name].writes == frozenset() and PLAIN[name].transactions == ""


def test_a_port_reads_its_topic_and_the_projector_what_it_projects() -> None:
    assert PLAIN["port"].all() == {Right("topic", OF_PORTS, "read")}
    assert PLAIN["projector"].reads == set(PROJECTED)


def test_groups_and_transactions_of_two_services_never_meet() -> None:
    for one, other in itertools.permutations(SERVICES, 2):
        for name in (f"customs-{one}", f"customs-{one}-a", f"customs-{one}-restore"):
            assert not PLAIN[other].permits("group", name, "read"), (one, other)
            assert not PLAIN[other].permits("transactional id", name, "write"), (one, other)


def test_to_describe_comes_with_reading_and_writing() -> None:
    held = Rights(reads=frozenset(["a"]), writes=frozenset(["b"]), describes=frozenset(["a", "c"]))
    assert held.all() == {Right("topic", "a", "read"), Right("topic", "b", "write"), Right("topic", "c", "describe")}
    assert [held.permits("topic", name, "describe") for name in "abcd"] == [True, True, True, False]
    assert [held.permits("topic", name, "read") for name in "abcd"] == [True, False, False, False]


def test_each_credential_signs_in_under_a_name_of_its_own() -> None:
    assert len({user_of(name) for name in (*SANDBOXED, PROVISION)}) == len(SANDBOXED) + 1
