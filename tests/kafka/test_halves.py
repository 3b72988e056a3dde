"""Which message is parked if a batch cannot be written? The tests use the real loop and broker. Only the message that
causes the failure is parked. If the broker refuses every message, none is parked."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from schemas.envelope import Deadline, DeadlinePassed, Fact, Hearing, Message
from schemas.inspection import FindingsResult, RecordFindings
from schemas.vocabulary import ControlKind
from services.cli.log import LoggedMessage, read
from services.cli.parked import order_of, send_orders, waiting
from services.inspection import decider
from services.shell.codec import encode
from services.shell.desk import Decider, Desk
from services.shell.partition import partition_of
from tests.conftest import provisioned
from tests.declaration.good import good_item, lodge
from tests.facts import consignment_assessed
from tests.kafka.border import Border, running
from tests.voice import NOON

PARTITIONS = 2
FACTS, PARKED = "customs-declaration-facts", "customs-declaration-parked"
LODGED = "customs-declaration-requests"


@pytest.fixture(scope="module")
def quay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Border]:
    """Yields a border with a broker whose topics these tests change."""
    with provisioned(tmp_path_factory.mktemp("halves"), PARTITIONS) as broker:
        border = Border(broker.bootstrap, PARTITIONS)
        yield border
        border.close()


def take_at_most(border: Border, topic: str, size: int) -> None:
    """Makes the broker refuse batches on this topic that are larger than `size` bytes."""
    admin = AdminClient({"log_level": 0, "bootstrap.servers": border.bootstrap})
    entry = ConfigEntry("max.message.bytes", str(size), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result(30)
    border.eventually(
        lambda: admin.describe_configs([resource])[resource].result(30)["max.message.bytes"].value == str(size)
    )


def lodged(border: Border, reference: str, lines: int = 1) -> str:
    """Sends a lodgement without waiting for its answer, and returns the key of its goods."""
    sums = {
        "net_mass_kg": Decimal(20 * lines),
        "gross_mass_kg": Decimal(21 * lines),
        "invoice_total": Decimal(5000 * lines),
    }
    request = lodge(reference=reference, containers=(), items=(good_item(),) * lines, **sums)
    border.send(LODGED, request.key, encode(request), request.kind, f"{reference}/{lines}")
    return request.key


def entries(border: Border, topic: str, kind: str) -> list[LoggedMessage]:
    return [entry for entry in read(border.bootstrap, [topic]) if entry.kind == kind]


def test_a_fact_that_only_the_broker_refuses_parks_its_message_and_all_others_flow_in_order(quay: Border) -> None:
    take_at_most(quay, FACTS, 6000)
    before = [lodged(quay, f"before {n}") for n in range(20)]
    large = lodged(quay, "large", 40)
    lodged(quay, "large", 1)
    after = [lodged(quay, f"after {n}") for n in range(20)]
    second = lodged(quay, "second", 41)
    quay.flush()
    good = [*before, *after]
    own = {*good, large, second}

    def accepted() -> list[str]:
        return [entry.key for entry in entries(quay, FACTS, "DeclarationAccepted") if entry.key in own]

    with running(quay.bootstrap, PARTITIONS, names=("declaration",)):
        quay.eventually(lambda: set(good) <= set(accepted()))
        quay.eventually(lambda: len(entries(quay, PARKED, "MessageParked")) == 3)
        for partition in range(PARTITIONS):
            here = [key for key in good if partition_of(key.encode(), PARTITIONS) == partition]
            assert [key for key in accepted() if key in set(here)] == here, "each once, in the order of the requests"
        parked = {(e.key, e.body["reason"]): e.body for e in entries(quay, PARKED, "MessageParked")}
        assert set(parked) == {(large, "too_large"), (large, "behind_parked"), (second, "too_large")}
        assert FACTS in parked[large, "too_large"]["error"] and "too large" in parked[large, "too_large"]["error"]
        first = next(one for one in waiting(quay.bootstrap) if one.key == large)
        send_orders(quay.bootstrap, [(first, order_of(first, "replay", "op"))], PARTITIONS)
        quay.eventually(lambda: len(entries(quay, PARKED, "MessageParked")) == 4)
        take_at_most(quay, FACTS, 8 << 20)
        send_orders(quay.bootstrap, [(first, order_of(first, "replay", "op"))], PARTITIONS)
        quay.until(large, "DeclarationAccepted", "ParkedReplayed")
        assert Counter(accepted()) == Counter([*good, large])


def test_a_topic_that_takes_nothing_parks_nothing_and_the_desk_goes_on_when_it_is_mended(quay: Border) -> None:
    before = len(entries(quay, PARKED, "MessageParked"))
    with running(quay.bootstrap, PARTITIONS, names=("declaration",)) as [desk]:
        take_at_most(quay, FACTS, 200)
        keys = [lodged(quay, f"refused {n}") for n in range(5)]
        quay.flush()
        quay.eventually(lambda: desk.retries.failures >= 4)
        assert len(entries(quay, PARKED, "MessageParked")) == before
        take_at_most(quay, FACTS, 8 << 20)
        for key in keys:
            quay.until(key, "DeclarationAccepted")
        assert len(entries(quay, PARKED, "MessageParked")) == before
        assert desk.retries.failures == 0


# a desk with a defect


class Odd(int):
    """A message key that the Kafka client does not accept."""

    def encode(self) -> bytes:
        return b"odd"


def key_of(name: str) -> str:
    return lodge(reference=name).key


EARLY = timedelta(days=8)
BAD_FINDINGS, BAD_LIMIT = key_of("odd findings"), key_of("odd limit")


def decide(state: Any, message: Any, hearing: Hearing) -> tuple[Fact, ...]:
    if isinstance(message, DeadlinePassed) and "sampling" in message.name:
        facts = decider.decide(state, message.model_copy(update={"due": message.due + EARLY}), hearing)
    else:
        facts = decider.decide(state, message, hearing)
    spoilt = {BAD_FINDINGS: RecordFindings, BAD_LIMIT: DeadlinePassed}.get(message.key)
    if spoilt is None or not isinstance(message, spoilt):
        return facts
    return tuple(fact.model_copy(update={"consignment_id": Odd(7)}) for fact in facts)


def deadlines(state: Any) -> tuple[Deadline, ...]:
    """Returns the deadlines of the inspection desk, changed so that every sampling is overdue at once."""
    open_ = decider.deadlines(state)
    return tuple(Deadline(d.name, d.due - EARLY) if "sampling" in d.name else d for d in open_)


def evolve(state: Any, message: Any, hearing: Hearing) -> Any:
    return decider.evolve(state, message, hearing)


SPOILT = Desk(
    "inspection",
    cast(
        Decider,
        SimpleNamespace(
            INITIAL=decider.INITIAL,
            STATE=decider.STATE,
            decide=decide,
            evolve=evolve,
            deadlines=deadlines,
            closed=decider.closed,
        ),
    ),
)


def with_key(message: Message, key: str) -> Message:
    return message.model_copy(update={"consignment_id": key})


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_fact_that_the_client_cannot_take_parks_its_message_or_time_limit_and_all_others_flow(quay: Border) -> None:
    answered = [key_of(f"answered {n}") for n in range(12)]
    overdue = [key_of(f"overdue {n}") for n in range(8)]
    answered.insert(5, BAD_FINDINGS)
    overdue.insert(3, BAD_LIMIT)
    for control, keys in ((ControlKind.INSPECTION, answered), (ControlKind.SAMPLING, overdue)):
        for key in keys:
            message = with_key(consignment_assessed(control), key)
            quay.send("customs-risk-facts", key, encode(message), message.kind, f"assessed {key}")
    quay.flush()
    topic, parked = "customs-inspection-facts", "customs-inspection-parked"
    with running(quay.bootstrap, PARTITIONS, "odd", own=(SPOILT,)):
        quay.eventually(lambda: len(entries(quay, topic, "InspectionOrdered")) == len(answered) + len(overdue))
        found = RecordFindings(
            consignment_id=BAD_LIMIT,
            asked_by="o1",
            occurred_at=NOON,
            control=ControlKind.INSPECTION,
            result=FindingsResult.CONFORM,
        )
        for key in (*answered, BAD_FINDINGS):
            quay.send(
                "customs-inspection-requests", key, encode(with_key(found, key)), found.kind, f"found {len(key)} {key}"
            )
        quay.flush()

        def under(kind: str) -> Counter[str]:
            return Counter(entry.key for entry in entries(quay, topic, kind))

        good = Counter(key for key in answered if key != BAD_FINDINGS)
        late = Counter(key for key in overdue if key != BAD_LIMIT)
        quay.eventually(lambda: (under("InspectionPassed"), under("InspectionOverdue")) == (good, late))
        quay.eventually(lambda: len(entries(quay, parked, "MessageParked")) == 3)
        why = [(e.key, e.body["reason"]) for e in entries(quay, parked, "MessageParked")]
        assert sorted(why) == sorted(
            [
                (BAD_FINDINGS, "cannot_be_written"),
                (BAD_FINDINGS, "behind_parked"),
                (BAD_LIMIT, "cannot_be_written"),
            ]
        )
        bodies = {e.key: e.body for e in entries(quay, parked, "MessageParked")}
        assert bodies[BAD_LIMIT]["topic"].startswith("deadline/") and "TypeError" in bodies[BAD_LIMIT]["error"]
        assert (under("InspectionPassed"), under("InspectionOverdue")) == (good, late)
