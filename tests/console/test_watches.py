"""Does a watch reach every partition and every known consignment before the console answers 202, and does it keep goods
from then on?"""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from deploy.kafka.broker import free_port
from schemas.release import WatchLifted, WatchPlaced
from schemas.topics import requests_topic
from schemas.vocabulary import WATCHES
from services.console.readmodel.database import migrate, open_engine
from services.console.readmodel.queries import ReadModelQueries
from services.console.settings import ConsoleSettings
from services.shell.partition import key_in, partition_of
from tests.conftest import PARTITIONS
from tests.console.border import Border, publish
from tests.console.conftest import Running, projecting
from tests.console.test_api import problem, requests_under
from tests.waiting import wait

TOPIC = "customs-release-watches"
KEYS = tuple(key_in(WATCHES, partition, PARTITIONS) for partition in range(PARTITIONS))


@pytest.fixture(scope="module")
def own(bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A console that only the tests of this module use, so that it has no watches of other tests."""
    url = f"sqlite:///{tmp_path_factory.mktemp('watches')}/console.db"
    migrate(url)
    running = Running(
        ConsoleSettings(kafka=bootstrap, partitions=PARTITIONS, database_url=url, console_port=free_port())
    )
    running.start()
    yield running
    running.stop()


def place_watch(console: Running, **fields: str) -> httpx2.Response:
    key = fields.pop("key", "")
    headers = {**console.acting_as("officer-7", roles="targeting"), **({"Idempotency-Key": key} if key else {})}
    return console.api("POST", "/watches", json={"reason": "a tip", **fields}, headers=headers)


def lift(console: Running, watch_id: str) -> httpx2.Response:
    officer = console.acting_as("o8", roles="release")
    return console.api("POST", f"/watches/{watch_id}/lift", json={"reason": "looked at"}, headers=officer)


def released(reference: str, number: str, bill: str) -> Border:
    consignment = Border(reference, (number,)).lodged(bill_no=bill).accepted().assessed()
    return consignment.held("arrival").arrived().released().may_leave()


def gate(console: Running, number: str) -> tuple[bool, str]:
    answer = console.api("GET", f"/containers/{number}").json()
    return answer["may_leave"], answer["reason"]


def watch(console: Running, watch_id: str) -> dict[str, Any]:
    found = console.api("GET", "/watches").json()["watches"]
    return next(one for one in found if one["watch_id"] == watch_id)


def said_by_desk(bootstrap: str, watch_id: str, bill: str, *, lifted: bool = False) -> None:
    """Publishes the facts by which every partition of the release desk answers that the watch was placed, or lifted if
    `lifted`."""
    consignment = Border(f"{watch_id[:28]}-{lifted}")
    for key in KEYS:
        if lifted:
            fact: Any = WatchLifted(
                partition_key=key, occurred_at=consignment.at, watch_id=watch_id, reason="looked at", lifted_by="o8"
            )
        else:
            fact = WatchPlaced(
                partition_key=key,
                occurred_at=consignment.at,
                watch_id=watch_id,
                bill_no=bill,
                declarant="",
                reason="a tip",
                placed_by="officer-7",
            )
        consignment._say("release", fact)
    publish(bootstrap, consignment.messages)


def holds_asked(bootstrap: str, consignment: Border) -> list[bytes]:
    found = requests_under(bootstrap, requests_topic("release"), consignment.id)
    return [dict(message.headers())["ce_type"] for message in found]


def test_a_watch_is_on_every_partition_before_its_202_and_a_second_time_is_the_same(
    own: Running, bootstrap: str
) -> None:
    first = place_watch(own, bill_no="WATCH-1", key="one")
    assert first.status_code == 202, first.text
    receipt = first.json()
    assert (receipt["partitions"], receipt["consignments"]) == (PARTITIONS, 0)
    copies = [copy for key in KEYS for copy in requests_under(bootstrap, TOPIC, key)]
    mine = [copy for copy in copies if receipt["watch_id"].encode() in copy.value()]
    assert sorted([copy.partition() for copy in mine]) == list(range(PARTITIONS))
    assert all(partition_of(copy.key(), PARTITIONS) == copy.partition() for copy in mine)
    assert len({dict(copy.headers())["ce_id"] for copy in mine}) == PARTITIONS, "each has an id of its own"
    assert place_watch(own, bill_no="WATCH-1", key="one").json()["watch_id"] == receipt["watch_id"]
    problem(place_watch(own, bill_no="WATCH-2", key="one"), 422, "key_reused")
    assert place_watch(own, bill_no="WATCH-1").json()["watch_id"] != receipt["watch_id"], (
        "without a key it is another one"
    )


@pytest.mark.parametrize(
    "fields", [{}, {"bill_no": "B", "declarant": "D"}, {"bill_no": "--"}, {"bill_no": "B" * 36}, {"bill_no": "B\n"}]
)
def test_a_watch_names_a_bill_or_a_declarant(own: Running, fields: dict[str, str]) -> None:
    details = problem(place_watch(own, **fields), 422, "invalid")
    assert details["errors"][0]["pointer"] == "/bill_no"
    problem(own.api("POST", "/watches", json={"bill_no": "B", "why": "x"}), 422, "invalid")


def test_from_its_202_on_goods_that_match_stay_and_each_known_consignment_has_a_hold(
    own: Running, bootstrap: str
) -> None:
    known, other = released("W-1", "TSTU0001001", "WATCH-3"), released("W-2", "TSTU0001002", "WATCH-4")
    publish(bootstrap, [*known.messages, *other.messages])
    own.catch_up()
    assert gate(own, "TSTU0001001") == gate(own, "TSTU0001002") == (True, "released")
    receipt = place_watch(own, bill_no="watch 3").json()
    assert receipt["consignments"] == 1
    assert gate(own, "TSTU0001001") == (False, "hold_asked")
    assert gate(own, "TSTU0001002") == (True, "released")
    assert holds_asked(bootstrap, known)[-1] == b"PlaceHold" and b"PlaceHold" not in holds_asked(bootstrap, other)
    (hold,) = [
        one for one in requests_under(bootstrap, requests_topic("release"), known.id) if b"watch_id" in one.value()
    ]
    assert receipt["watch_id"].encode() in hold.value() and b"officer-7" in hold.value()
    late = released("W-3", "TSTU0001003", "WaTcH.3")
    publish(bootstrap, late.messages)
    own.catch_up()
    assert gate(own, "TSTU0001003") == (False, "hold_asked"), "no partition has said that it keeps the watch"
    assert watch(own, receipt["watch_id"])["state"] == "incomplete"


def test_what_became_known_while_the_watch_was_placed_has_a_hold_once_every_partition_keeps_it(
    own: Running, bootstrap: str
) -> None:
    receipt = place_watch(own, bill_no="WATCH-5").json()
    early = released("W-4", "TSTU0001004", "WATCH-5")
    publish(bootstrap, early.messages)
    said_by_desk(bootstrap, receipt["watch_id"], "WATCH-5")
    wait(lambda: b"PlaceHold" in holds_asked(bootstrap, early), "the second look")
    assert watch(own, receipt["watch_id"])["state"] == "open"
    assert gate(own, "TSTU0001004") == (False, "hold_asked"), "its hold was asked and is not answered"

    def met() -> bool:
        late = released("W-5", "TSTU0001005", "WATCH-5")
        publish(bootstrap, late.messages)
        own.catch_up()
        return gate(own, "TSTU0001005") == (True, "released")

    wait(met, "the desk's word to count for goods that it released although it keeps the watch: an officer let them go")


def test_a_declarant_is_watched_by_its_code(own: Running, bootstrap: str) -> None:
    consignment = (
        Border("W-6", ("TSTU0001006",)).lodged(bill_no="OF-ANOTHER", declarant="91370200MA3CABCD1X").accepted()
    )
    publish(bootstrap, consignment.messages)
    own.catch_up()
    receipt = place_watch(own, declarant="91370200ma3cabcd1x").json()
    assert receipt["consignments"] == 1 and holds_asked(bootstrap, consignment) == [b"PlaceHold"]


def test_a_lifted_watch_lets_its_goods_go_and_holds_nothing_more(own: Running, bootstrap: str) -> None:
    watch_id = place_watch(own, bill_no="WATCH-7").json()["watch_id"]
    hold = f"officer/watch/{watch_id}"
    held = Border("W-7", ("TSTU0001007",)).lodged(bill_no="WATCH-7").accepted().assessed().held(hold)
    publish(bootstrap, held.messages)
    own.catch_up()
    shown = own.api("GET", f"/consignments/{held.id}").json()["consignment"]
    assert [one["hold_id"] for one in shown["holds"]] == [hold], "the hold names its watch"
    answer = lift(own, watch_id)
    assert answer.status_code == 202 and answer.json()["consignments"] == 1, answer.text
    assert holds_asked(bootstrap, held)[-1] == b"LiftHold"
    copies = [one.value() for key in KEYS for one in requests_under(bootstrap, TOPIC, key)]
    assert len([one for one in copies if watch_id.encode() in one and b"looked at" in one]) == PARTITIONS
    late = released("W-8", "TSTU0001008", "WATCH-7")
    publish(bootstrap, late.messages)
    own.catch_up()
    assert gate(own, "TSTU0001008") == (True, "released")
    found = watch(own, watch_id)
    assert (found["state"], found["lifted_by"], found["lift_reason"]) == ("lifted", "o8", "looked at")
    later = Border("W-9", ("TSTU0001009",)).lodged(bill_no="WATCH-7").accepted().assessed().held(hold)
    publish(bootstrap, later.messages)
    said_by_desk(bootstrap, watch_id, "WATCH-7", lifted=True)
    wait(lambda: b"LiftHold" in holds_asked(bootstrap, later), "what it held while it was lifted")
    problem(lift(own, "nobody's"), 404, "unknown_watch")


def test_a_console_that_does_not_reach_the_broker_says_so_and_the_same_again_completes_it(
    own: Running, bootstrap: str
) -> None:
    """A second console on the same database, `away`, does not reach the broker, because nothing listens at its Kafka
    address."""
    consignment = released("W-10", "TSTU0001010", "WATCH-8")
    publish(bootstrap, consignment.messages)
    own.catch_up()
    away = Running(
        own.settings.model_copy(
            update={"kafka": f"127.0.0.1:{free_port()}", "console_port": free_port(), "projector": "own"}
        )
    )
    away.thread.start()
    wait(lambda: away.server.started, "the server to start")
    try:
        answer = problem(place_watch(away, bill_no="WATCH-8", key="again"), 503, "watch_incomplete")
        assert f"0 of {PARTITIONS}" in answer["detail"]
    finally:
        away.stop()
    assert gate(own, "TSTU0001010") == (False, "hold_asked"), "it was asked"
    (row,) = [one for one in own.api("GET", "/watches").json()["watches"] if one["bill_no"] == "WATCH-8"]
    assert (row["state"], row["placed_in"]) == ("incomplete", 0)
    answer = place_watch(own, bill_no="WATCH-8", key="again").json()
    assert answer["watch_id"] == row["watch_id"] and answer["consignments"] == 1


def test_watches_of_a_lost_database_are_read_from_the_facts_and_can_be_lifted(
    bootstrap: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    said_by_desk(bootstrap, "of-before", "WATCH-9")
    url = f"sqlite:///{tmp_path_factory.mktemp('lost')}/console.db"
    migrate(url)
    again = Running(ConsoleSettings(kafka=bootstrap, partitions=PARTITIONS, database_url=url, console_port=free_port()))
    again.start()
    try:
        again.catch_up()
        found = watch(again, "of-before")
        assert (found["state"], found["bill_no"], found["placed_by"]) == ("open", "WATCH-9", "officer-7")
        assert lift(again, "of-before").status_code == 202
        assert watch(again, "of-before")["state"] == "lifted"
    finally:
        again.stop()


def test_the_rows_are_the_same_on_both_databases(settings: ConsoleSettings, bootstrap: str) -> None:
    consignment = Border("W-11", ("TSTU0001011",)).lodged(bill_no="Wat/ch_1 0").accepted()
    publish(bootstrap, consignment.messages)
    said_by_desk(bootstrap, "on-both", "WATCH-10")
    said_by_desk(bootstrap, "on-both", "WATCH-10", lifted=True)
    with projecting(settings) as running:
        running.catch_up()
        engine = open_engine(settings.database_url)
        rows = ReadModelQueries(engine)
        assert rows.matching("WATCH-10", "", "", 10) == [consignment.id]
        assert rows.matching("", consignment.declaration.declarant.lower(), "", 100_000).count(consignment.id) == 1
        assert rows.matching("WATCH-1", "", "", 10).count(consignment.id) == 0
        (row,) = rows.watches(10, "on-both")
        assert (row.placed, row.lifted, row.lifted_by, row.reason) == (PARTITIONS, PARTITIONS, "o8", "a tip")
        engine.dispose()


def test_the_page_places_and_lifts_a_watch_in_both_languages(own: Running) -> None:
    page = own.http.get("/watches?lang=zh").text
    assert "布控" in page and 'action="/watches/act/place"' in page
    typed = {"bill_no": "WATCH-11", "declarant": "", "reason": "情报", "key": "page/1/place"}
    done = own.http.post("/watches/act/place", data=typed, follow_redirects=False)
    assert (done.status_code, done.headers["location"]) == (303, "/watches")
    page = own.http.get("/watches?lang=en").text
    assert "WATCH-11" in page and "情报" in page and "not complete" in page
    (row,) = [one for one in own.api("GET", "/watches").json()["watches"] if one["bill_no"] == "WATCH-11"]
    wrong = own.http.post("/watches/act/lift", data={"watch_id": row["watch_id"], "reason": ""})
    assert wrong.status_code == 422 and 'id="problem"' in wrong.text
    wrong = own.http.post("/watches/act/place", data={"bill_no": "A", "declarant": "B", "reason": "x"})
    assert wrong.status_code == 422 and 'value="A"' in wrong.text
    done = own.http.post(
        "/watches/act/lift", data={"watch_id": row["watch_id"], "reason": "done"}, follow_redirects=False
    )
    assert done.status_code == 303 and watch(own, row["watch_id"])["state"] == "lifted"
