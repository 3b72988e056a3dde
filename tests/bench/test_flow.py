"""`make bench-peers` runs a flow with only some of the desks (`tests/bench/peers/flow.py`) in other stream-processing
libraries, the peers. Does this flow have the same result as the deciders of the product?"""

from services.cli.bench.load import Packet
from services.risk.keys import PUBLISHED
from services.shell.codec import Headers
from tests.bench.peers.flow import DECIDERS, InputMessage, Kept, Work, expected
from tests.bench.peers.run import load
from tests.bench.peers.tables import tables


def offered(packets: list[Packet]) -> list[tuple[str, str, bytes, Headers]]:
    return [(p.subject, p.topic, p.value, p.headers) for p in packets]


def test_green_goods_that_arrived_are_released_and_nothing_else_is() -> None:
    work = load(7, 0, 60, 10, 0)
    assert 40 < len(work.released) < 60
    without_arrivals = [p for p in work.full if p.topic == "customs-declaration-requests"]
    assert expected(offered(without_arrivals))[0] == set()


def test_hearing_it_twice_releases_nothing_twice() -> None:
    packets = load(7, 0, 20, 10, 0).full
    once, decided = expected(offered(packets))
    again, more = expected(offered([*packets, *packets]))
    assert again == once
    # The desks decide each repeated request, too. But they publish nothing about it that a desk reads.
    assert more == decided + len(packets)


def test_a_state_survives_its_bytes() -> None:
    work = Work("release", 8)
    packet = next(p for p in load(7, 0, 1, 10, 0).full if p.topic == "customs-release-requests")
    kept, outputs = work.hear(None, InputMessage(3, 5, packet.value, dict(packet.headers)))
    assert [dict(one.headers)["ce_type"] for one in outputs] == [b"ArrivalRecorded", b"ConsignmentHeld"]
    assert work.unpack(work.pack(kept)) == kept == Kept(2, kept.state)
    assert work.unpack(None) is None


def test_the_java_program_is_told_every_table_that_the_rules_read() -> None:
    rules = tables()
    assert all(rules.values())
    drawn = PUBLISHED.keys[0]
    assert (bytes.fromhex(rules["draw_key"]), rules["draw_key_id"]) == (drawn.secret, drawn.key_id)
    assert set(DECIDERS) == {"declaration", "risk", "release", "clearance"}
