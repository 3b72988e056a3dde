"""Does a simulated terminal let a container out only if both the gate desk and the release desk have said yes?"""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.envelope import Fact
from schemas.gate import ContainerMayLeave, ContainerMustStay
from schemas.release import ReleaseGranted, ReleaseRevoked
from schemas.vocabulary import Direction, EquipmentEvent, Lane
from services.shell.clock import Clock
from services.simulator.acts import Act, equipment_event
from services.simulator.exits import Exits

AT = datetime(2026, 11, 23, tzinfo=UTC)
BOX, GOODS, OTHER = "MAAU0028687", "509d7dd4-9179-5031-ae6b-b59e6e84029f", "99ca7093-745f-5ea6-ba7c-305bdec54182"
EVENT = equipment_event(BOX, EquipmentEvent.GATED_OUT, AT, "G1", laden=True)
OUT = Act(AT, f"{BOX}/out/{GOODS}", EVENT, stamped=True, lets_out=BOX)
REVOKED = ReleaseRevoked(consignment_id=GOODS, occurred_at=AT, version=2, containers=(BOX,), reason="lapsed")
MUST_STAY = ContainerMustStay(container_no=BOX, occurred_at=AT, version=2, waiting_for=(GOODS,), reason="held")


def released(goods: str = GOODS, box: str = BOX) -> ReleaseGranted:
    return ReleaseGranted(
        consignment_id=goods,
        occurred_at=AT,
        version=1,
        declaration_no="422720261000000737",
        direction=Direction.IMPORT,
        customs_office="4227",
        transport_mode="2",
        bill_no="B1",
        containers=(box,),
        lane=Lane.GREEN,
        arrived_at=AT,
        answers={},
    )


def may_leave(*goods: str, permitted: tuple[str, ...] = ()) -> ContainerMayLeave:
    return ContainerMayLeave(container_no=BOX, occurred_at=AT, version=1, consignments=goods, permitted=permitted)


def after(*facts: Fact) -> Exits:
    exits = Exits()
    for fact in facts:
        exits.hear(fact)
    return exits


@pytest.mark.parametrize(
    "facts",
    [
        (may_leave(GOODS),),
        (released(), REVOKED, may_leave(GOODS)),
        (released(), may_leave(GOODS), REVOKED),
        (released(), may_leave(GOODS), MUST_STAY),
        (released(box="MAAU0028690"), may_leave(GOODS)),
        (released(), may_leave(GOODS, OTHER)),
    ],
    ids=["release not read", "gate behind", "revoked since", "gate says no", "in another box", "other goods in it"],
)
def test_a_departure_waits_while_one_of_the_two_does_not_say_yes(facts: tuple[Fact, ...]) -> None:
    assert after(*facts).admit([OUT]) == []


def test_it_happens_at_once_while_both_say_yes() -> None:
    assert after(released(), may_leave(GOODS)).admit([OUT]) == [OUT]
    assert after(may_leave(GOODS), released()).admit([OUT]) == [OUT]
    assert after(released(), may_leave(GOODS, OTHER, permitted=(OTHER,))).admit([OUT]) == [OUT]


def test_one_that_waited_happens_once_when_both_say_yes_again() -> None:
    exits = after(released(), REVOKED, may_leave(GOODS))
    assert exits.admit([OUT]) == []
    assert exits.hear(MUST_STAY) == [] and exits.hear(released()) == []
    assert exits.hear(may_leave(GOODS)) == [[OUT]]
    assert exits.hear(may_leave(GOODS)) == []


def test_other_acts_do_not_wait() -> None:
    other = Act(AT, "arrival", EVENT)
    assert Exits().admit([other]) == [other] and Exits().admit([OUT, other]) == [other]


@pytest.mark.parametrize(
    "clock", [Clock(), Clock(1_795_970_000.0, 1_795_970_000.0, 14400), Clock(1_795_900_000.0, 1_800_000_000.0, 60)]
)
def test_the_real_time_of_an_event_is_when_the_clock_showed_it(clock: Clock) -> None:
    for wall in (1_795_970_998.117, 1_795_971_998.5):
        assert abs(clock.wall(clock.at(wall)) - wall) < 1e-3
    assert clock.wall(clock.at(1_795_970_998.0) + timedelta(seconds=clock.speed)) == pytest.approx(1_795_970_999.0)
