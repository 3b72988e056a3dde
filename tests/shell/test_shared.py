"""Does a desk have the shared record of the partition before it decides any message of the partition?"""

from datetime import timedelta

import msgspec
import pytest

from schemas.envelope import Message
from schemas.release import LiftHold, PlaceWatch
from schemas.topics import topic_of
from schemas.vocabulary import WATCHES
from services.release.watches import MOST_WATCHES
from services.shell.codec import LARGEST_MESSAGE, Raw, encode
from services.shell.partition import key_in, partition_of
from services.shell.store import PartitionStore, Record, decode_record, encode_record
from services.shell.turn import Turn
from services.worker import desks
from tests.facts import consignment_assessed
from tests.release.requests import arrival, place_hold
from tests.release.test_watches import lift_watch, place_watch
from tests.shell.test_turn import Worker, kinds, raw
from tests.voice import CONSIGNMENT, NOON

[DESK] = desks(["release"])
HERE = key_in(WATCHES, 0, 1)


def watch(message: Message, **changes: object) -> Raw:
    copy = message.model_copy(update={"partition_key": HERE})
    return raw(copy, "customs-release-watches", key=HERE.encode(), **changes)


def goods(message: Message) -> Raw:
    return raw(message, "customs-risk-facts" if message.kind == "ConsignmentAssessed" else "customs-release-requests")


def bill() -> PlaceWatch:
    return place_watch(bill_no="BL1")


@pytest.mark.parametrize("partitions", [1, 2, 8, 48, 199])
def test_each_partition_has_a_key_that_lies_in_it(partitions: int) -> None:
    keys = [key_in(WATCHES, number, partitions) for number in range(partitions)]
    assert [partition_of(key.encode(), partitions) for key in keys] == list(range(partitions)) and len(
        {*keys}
    ) == partitions
    assert max(map(len, keys)) <= 17
    with pytest.raises(ValueError, match="partitions"):
        key_in(WATCHES, partitions, partitions)


def test_goods_meet_a_watch_of_the_same_batch_of_an_earlier_one_and_after_a_restore() -> None:
    together = Worker(DESK).turn(watch(bill()), goods(consignment_assessed()), goods(arrival()))
    assert kinds(together)[0] == "WatchPlaced"
    assert "ReleaseGranted" not in kinds(together)

    earlier = Worker(DESK)
    earlier.turn(watch(bill()))
    restored = Worker(DESK)
    restored.store.restored(dict(earlier.store.records))
    for worker in (earlier, restored):
        assert "ReleaseGranted" not in kinds(worker.turn(goods(consignment_assessed()), goods(arrival())))
        assert "ReleaseGranted" in kinds(worker.turn(goods_lift())), "an officer lets these goods go"


def goods_lift() -> Raw:
    request = LiftHold(
        consignment_id=CONSIGNMENT, asked_by="o9", occurred_at=NOON, hold_id="officer/watch/w", reason="checked"
    )
    return raw(request, "customs-release-requests")


def test_a_batch_that_is_computed_again_has_the_watches_of_its_own_messages() -> None:
    worker = Worker(DESK)
    turn = Turn(DESK, 1, NOON, timedelta(days=90), worker.memory)
    for message in (watch(bill()), goods(consignment_assessed()), goods(arrival())):
        turn.handle(worker.store, message)
    before = kinds(turn)
    turn._compute_again()
    assert kinds(turn) == before and "ReleaseGranted" not in before


def test_a_watch_of_another_partition_is_parked_and_holds_nothing() -> None:
    worker = Worker(DESK)
    watch_elsewhere = bill().model_copy(update={"partition_key": "watches/1"})
    turn = Turn(DESK, 8, NOON, timedelta(days=90), worker.memory)
    partition = partition_of(b"watches/1", 8)
    turn.handle(
        worker.store,
        raw(watch_elsewhere, "customs-release-watches", key=b"watches/1")._replace(partition=(partition + 1) % 8),
    )
    assert turn.outcome.parked == {"wrong_partition": 1}


def test_while_the_record_of_the_partition_cannot_be_read_goods_wait_and_holds_act() -> None:
    worker = Worker(DESK)
    worker.store.records[HERE] = encode_record(Record(n=1, state=msgspec.Raw(b'"not watches"')))
    turn = worker.turn(goods(consignment_assessed()))
    assert turn.outcome.parked == {"record_unreadable": 1}
    turn = worker.turn(goods(place_hold()))
    assert "ConsignmentHeld" in kinds(turn) and not turn.outcome.parked


def test_a_watch_is_read_however_badly_its_words_are_written_and_is_not_parked_behind_others() -> None:
    worker = Worker(DESK)
    worker.turn(raw(b"{}", "customs-release-watches", key=HERE.encode(), headers={"ce_type": b"LiftWatch"}))
    assert decode_record(worker.store.records[HERE]).waiting is not None
    body = encode(bill().model_copy(update={"partition_key": HERE, "reason": ""}))
    turn = worker.turn(raw(body, "customs-release-watches", key=HERE.encode(), headers={"ce_type": b"PlaceWatch"}))
    assert kinds(turn) == ["WatchPlaced"]
    assert worker.turn(watch(lift_watch())).outcome.parked == {"behind_parked": 1}
    for body in (b"[]", b'{"watch_id":7}', b'{"watch_id":"w","bill_no":"B","partition_key":"watches/4711"}'):
        turn = worker.turn(raw(body, "customs-release-watches", key=HERE.encode(), headers={"ce_type": b"PlaceWatch"}))
        assert turn.outcome.parked, "it cannot be known what is watched"


def test_a_copy_that_comes_twice_is_one_and_the_most_watches_fit_into_their_record() -> None:
    worker = Worker(DESK)
    first = watch(bill())
    assert kinds(worker.turn(first)) == ["WatchPlaced"]
    assert worker.turn(first).outcome.duplicates == 1
    for number in range(MOST_WATCHES):
        request = place_watch(f"{number:03}".ljust(200, "w"), bill_no="𝄞" * 20, declarant="𝄞" * 20, reason="𝄞" * 500)
        worker.turn(watch(request))
    assert len(worker.store.records[HERE]) < LARGEST_MESSAGE
    assert topic_of("anyone", PlaceWatch) == "customs-release-watches"


def test_the_record_of_the_partition_is_decoded_once_and_not_written_by_messages_about_goods() -> None:
    worker = Worker(DESK)
    worker.turn(watch(bill()))
    fresh = PartitionStore()
    fresh.restored(dict(worker.store.records))
    worker.store = fresh
    data = fresh.records[HERE]
    worker.turn(goods(consignment_assessed()))
    kept = fresh.state_of(HERE, data)
    assert kept is not None and fresh.records[HERE] is data
    worker.turn(goods(arrival()))
    assert fresh.state_of(HERE, data) is kept
