"""Do the picture, the flow, the catalogue, the examples and the deciders agree?"""

import inspect
import re
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import pytest

from schemas.envelope import DeadlinePassed, Fact, Message, Request, RequestRefused
from schemas.flow import FLOW, HOLDING, REFUSALS, heard_topics
from schemas.topics import (
    CATALOGUE,
    DESKS,
    FACTS_AND_REQUESTS,
    FOR_PORTS,
    FOR_THE_PORTS,
    KINDS,
    PORT_FACTS,
    PORT_FORMS,
    SERVICES,
    facts_topic,
    orders_topic,
    parked_topic,
    requests_topic,
    state_topic,
    topic_of,
)
from services.cli.settings import UpSettings
from services.risk.keys import PUBLISHED
from services.shell.layout import topics_of
from services.worker import desks
from tests.architecture.golden import EXAMPLES, FOLDER, OUTSIDE, payload, published, redacted

ROOT = Path(__file__).parents[2]


def decider_of(service: str) -> Any:
    """The module of this service's decider, which `services/worker.py` gives to the loop."""
    [desk] = desks([service], PUBLISHED)
    return desk.decider if isinstance(desk.decider, ModuleType) else inspect.getmodule(type(desk.decider))


def members(union: Any) -> set[type[Message]]:
    """The classes of `A | B`, or of a lone `A`."""
    return set(get_args(union) or [union])


def said_by(service: str) -> set[type[Message]]:
    return {kind for facts in FLOW[service].values() for kind in facts}


def test_every_service_has_its_row_in_the_flow() -> None:
    assert set(FLOW) == set(SERVICES)


def test_every_service_runs_where_no_layout_is_set() -> None:
    layout = UpSettings.model_fields["layout"].default
    assert sorted(re.split("[,;]", layout)) == sorted(SERVICES)


@pytest.mark.parametrize("service", SERVICES)
def test_a_desk_hears_and_says_what_the_flow_says(service: str) -> None:
    decider = decider_of(service)
    assert members(decider.Input) == set(FLOW[service])
    assert (members(decider.Output) if hasattr(decider, "Output") else set()) == said_by(service)


@pytest.mark.parametrize("service", SERVICES)
def test_what_a_desk_says_has_a_topic_of_its_own_and_what_it_hears_is_read(service: str) -> None:
    for kind in said_by(service):
        topic = next(t for t in FACTS_AND_REQUESTS if t.name == topic_of(service, kind))
        assert topic.writer == service
    read = {kind for t in FACTS_AND_REQUESTS if t.name in heard_topics(service) for kind in t.carries}
    assert set(FLOW[service]) - {DeadlinePassed} <= read


def test_a_desk_reads_of_refusals_those_of_the_named_desks_only() -> None:
    for service in SERVICES:
        reads_refusals = RequestRefused in FLOW[service]
        assert reads_refusals == (service in REFUSALS), service
        kinds = set(FLOW[service]) - {RequestRefused}
        only = {t.writer for t in FACTS_AND_REQUESTS if t.name in heard_topics(service) and not kinds & set(t.carries)}
        assert only <= set(REFUSALS.get(service, ())), service


def test_each_topic_has_one_writer_and_each_fact_one_topic() -> None:
    assert {n for n, count in Counter(t.name for t in CATALOGUE).items() if count > 1} == set()
    homes = Counter(kind for t in FACTS_AND_REQUESTS for kind in t.carries)
    assert {kind for kind, count in homes.items() if count > 1} <= {RequestRefused}
    assert {t.writer for t in CATALOGUE} <= {*SERVICES, "anyone"}
    assert [t.name for t in CATALOGUE if t.second] == [PORT_FACTS], "two principals: the broker's rights name both"


def test_what_ports_get_is_said_by_one_of_the_two_desks_that_write_their_topic() -> None:
    assert FOR_THE_PORTS.writers == tuple(FOR_PORTS) == ("release", "gate")
    homes = Counter(kind for kinds in FOR_PORTS.values() for kind in kinds)
    assert set(homes.values()) == {1}, "the kind says which desk wrote a message"
    for desk, kinds in FOR_PORTS.items():
        assert set(kinds) <= said_by(desk)
        assert PORT_FACTS in topics_of(desk), "it looks whether the topic is there, and the same as before"
    assert {form.kind for form in FOR_THE_PORTS.carries} == {kind.kind for kind in homes}


def test_facts_travel_with_facts_and_requests_with_requests() -> None:
    for topic in FACTS_AND_REQUESTS:
        wanted = Request if topic.writer == "anyone" else Fact
        assert all(issubclass(kind, wanted) for kind in topic.carries), topic.name
        assert (topic.role == "requests") is (wanted is Request), topic.name


def test_what_holds_goods_is_named_for_every_desk_and_nothing_else_is() -> None:
    """A message of a kind in HOLDING overtakes parked messages. So the desk must read every kind that HOLDING names for
    it, and a message of this kind must have no other effect than to hold goods or to call them back."""
    assert set(HOLDING) == set(SERVICES)
    for desk, kinds in HOLDING.items():
        assert set(kinds) <= set(FLOW[desk])
    holding = {(desk, kind.kind) for desk, kinds in HOLDING.items() for kind in kinds}
    assert holding == {
        ("release", "PlaceHold"),
        ("release", "PlaceWatch"),
        ("release", "InspectionFailed"),
        ("release", "PestIntercepted"),
        ("release", "ConsignmentLeftUnreleased"),
        ("release", "FindingsRetracted"),
        ("release", "RetractLift"),
        ("release", "RetractArrival"),
        ("release", "TreatmentRetracted"),
        ("release", "TreatmentDecisionRetracted"),
        ("gate", "ContainerHeld"),
        ("gate", "PlaceContainerHold"),
    }
    for desk in DESKS:
        for kind in FLOW[desk]:
            if issubclass(kind, Request) and kind.holds_goods:
                assert kind in HOLDING[desk], f"{kind.kind} holds goods and would be parked behind others"


def test_each_topic_is_named_after_its_service_and_role() -> None:
    """Functions such as `facts_topic` return the name of a service's topic. A service may have further topics of facts,
    and topics whose keys are partitions, with other endings."""
    names = {"facts": facts_topic, "requests": requests_topic, "state": state_topic, "parked": parked_topic}
    endings = {
        "facts": ("-facts", "-containers", "-departures", "-successors"),
        "requests": ("-requests", "-watches"),
        "orders": ("-resumed",),
    }
    for topic in CATALOGUE:
        if topic.role == "port":
            assert topic.name == PORT_FACTS
            continue
        assert topic.name.endswith(endings.get(topic.role, (f"-{topic.role}",))), topic.name
        service = topic.name.split("-")[1]
        assert service in SERVICES and (topic.role in ("requests", "orders") or service == topic.writer)
        name = (names | {"orders": orders_topic})[topic.role](service)
        assert topic.name == name or topic.role == "facts" or topic.key == "partition"


def test_nothing_in_the_catalogue_is_said_by_nobody_and_each_request_is_heard_by_one_desk() -> None:
    for topic in FACTS_AND_REQUESTS:
        if topic.writer != "anyone":
            assert set(topic.carries) <= said_by(topic.writer), topic.name
        for kind in topic.carries:
            if issubclass(kind, Request):
                assert len([desk for desk in DESKS if kind in FLOW[desk]]) == 1, kind.kind


def test_a_desk_reads_topics_of_its_own_key_only() -> None:
    for service in SERVICES:
        keys = {t.key for t in CATALOGUE if t.name in heard_topics(service) or t.name == state_topic(service)}
        assert len(keys - {"partition"}) == 1, service


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: message.kind)
def test_the_example_is_what_goes_over_the_wire(message: Message) -> None:
    shown = published(message.kind)
    assert shown, f"schemas/examples/{message.kind}.json is missing: make examples"
    assert payload(message) == shown[-1], (
        "the wire form changed: an old example stays, `make examples` adds the new one"
    )
    assert payload(type(message).model_validate_json(shown[-1])) == shown[-1]
    for old in shown[:-1]:
        type(message).model_validate_json(old)


def test_every_kind_has_an_example_and_every_example_a_kind() -> None:
    assert sorted(m.kind for m in EXAMPLES) == sorted(KINDS)
    assert {path.name.partition(".")[0] for path in FOLDER.glob("*.json")} == set(KINDS)


@pytest.mark.parametrize("message", [m for m in EXAMPLES if m.kind in PORT_FORMS], ids=lambda message: message.kind)
def test_the_example_of_what_a_port_gets_is_what_goes_over_the_wire(message: Message) -> None:
    shown, form = published(message.kind, OUTSIDE), PORT_FORMS[message.kind]
    assert shown and redacted(message) == shown[-1], "make examples"
    for stored in shown:
        form.read_stored(stored)


def test_every_kind_that_ports_get_has_an_example_of_its_redacted_form() -> None:
    assert {path.name.partition(".")[0] for path in OUTSIDE.glob("*.json")} == set(PORT_FORMS)


def crossings() -> set[tuple[str, str, frozenset[str]]]:
    """For each two desks of which the second reads facts of the first: the first desk, the second desk, and the names
    of the kinds of these facts."""
    pairs = {(teller, hearer): said_by(teller) & set(FLOW[hearer]) for teller in DESKS for hearer in DESKS}
    for (teller, hearer), kinds in pairs.items():
        if teller not in REFUSALS.get(hearer, ()):
            kinds.discard(RequestRefused)
    return {
        (teller, hearer, frozenset(kind.kind for kind in kinds))
        for (teller, hearer), kinds in pairs.items()
        if teller != hearer and kinds
    }


def strangers(picture: str) -> set[str]:
    """The words in the picture that look like names of kinds of messages, but are none."""
    return set(re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b", picture)) - set(KINDS)


def gaps(picture: str) -> set[str]:
    """The services that the picture does not show, and each two desks for which the picture names none of the kinds of
    facts that the second desk reads from the first."""
    unseen = {service for service in SERVICES if service.upper() not in picture}
    return unseen | {
        f"{a} to {b}: {'/'.join(sorted(kinds))}" for a, b, kinds in crossings() if not any(k in picture for k in kinds)
    }


def test_the_picture_shows_every_desk_and_what_goes_between_them() -> None:
    found = re.search(r"```text\n(.*?)```", ROOT.joinpath("README.md").read_text(), re.DOTALL)
    assert found, "README.md opens with the picture of the flow, in a ```text block"
    assert strangers(found[1]) == set()
    assert gaps(found[1]) == set()


def test_a_picture_that_lies_or_leaves_out_is_seen() -> None:
    everything = " ".join([*KINDS, *(service.upper() for service in SERVICES)])
    assert strangers(everything) == gaps(everything) == set()
    assert strangers(everything + " GoodsTeleported") == {"GoodsTeleported"}
    assert gaps(everything.replace("QUARANTINE", "")) == {"quarantine"}
    without = everything.replace("PestIntercepted", "").replace("FindingsRetracted", "")
    assert gaps(without) == {"inspection to quarantine: FindingsRetracted/PestIntercepted"}


def test_the_page_about_kafka_names_the_topics_of_each_consumer_group() -> None:
    page = (ROOT / "docs" / "kafka.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `customs-(\w+)` \| (.*) \|$", page, re.MULTILINE))
    named = {service: set(re.findall(r"`([^`]+)`", row)) for service, row in rows.items()}
    assert named == {service: {*heard_topics(service), orders_topic(service)} for service in SERVICES}
