"""Does a lawful departure stay lawful, whatever holds the release desk places and lifts afterwards?"""

from schemas.envelope import Message
from schemas.gate import GateAlarmRaised
from schemas.vocabulary import Direction, EquipmentEvent, consignment_id
from services.gate import decider
from tests.facts import (
    consignment_gated_out,
    consignment_left_unreleased,
    container_arrived,
    container_may_leave,
    equipment_event_recorded,
    gate_alarm_raised,
    visit_closed,
)
from tests.gate.answers import arrival_of, goods_left, goods_wait
from tests.gate.boxes import DAY, A, at, discharged, event, freed, held, out
from tests.voice import Story, story

EXPORT = Direction.EXPORT
OTHER = consignment_id("91350100M000100Y43", "of the next visit")


def called_back(
    *until_departure: Message,
    direction: Direction = Direction.IMPORT,
    since: float = 200,
    alarm: GateAlarmRaised | None = None,
) -> Story:
    """Returns the desk after it has read `until_departure`, and then three pairs of a hold on the goods and their next
    release. `alarm`: the fact that follows each hold."""
    desk = story(decider, *until_departure)
    for turn in range(3):
        begin = since + 100 * turn
        desk.when(held(A, 3 + 2 * turn, arrived=0, when=begin, direction=direction))
        desk.then(*[alarm] if alarm else [])
        desk.when(freed(A, 4 + 2 * turn, arrived=0, when=begin + 50, direction=direction)).then()
    return desk


def held_outside(visit: str, when: float) -> GateAlarmRaised:
    """Returns the alarm for a hold on goods that have left. `when`: minutes after noon at which the goods left."""
    return gate_alarm_raised(
        visit,
        "",
        waiting_for=(A,),
        alarm="held_outside",
        why="held_after",
        blocks=False,
        gate="berth 1",
        at=at(when),
    )


def test_a_loaded_export_that_was_held_and_let_go_again_left_with_its_release() -> None:
    goods = [held(A, 1, arrived=0, when=1, direction=EXPORT), freed(A, 2, arrived=0, when=10, direction=EXPORT)]
    loaded = event(EquipmentEvent.LOADED, 100)
    called_back(*goods, loaded, direction=EXPORT, alarm=held_outside(arrival_of(A), 100))


def test_goods_whose_departure_nobody_told_left_with_their_release_and_keep_no_later_visit() -> None:
    goods = [discharged(0, "A"), held(A, 1, ship="A", arrived=0, when=1), freed(A, 2, ship="A", arrived=0, when=10)]
    again = discharged(5 * DAY, "B")
    desk = called_back(*goods, again, since=5 * DAY + 100, alarm=held_outside("m1", 5 * DAY))
    desk.when(held(OTHER, 1, ship="B", arrived=5 * DAY, when=6 * DAY)).then(
        container_arrived(visit="m4", consignment_id=OTHER, at=at(5 * DAY)),
        goods_wait(3, "m4", OTHER, released=0, at=desk.at),
    )
    desk.when(freed(OTHER, 2, ship="B", arrived=5 * DAY, when=6 * DAY + 10)).then(
        container_may_leave(4, "m4", OTHER, at=at(6 * DAY + 10))
    )


def test_a_departure_that_is_told_late_is_judged_by_the_release_of_its_time() -> None:
    """The goods were released, and then held and released again three times, before their departure was reported."""
    desk = story(decider, discharged(0), held(A, 1, arrived=0, when=1), freed(A, 2, arrived=0, when=10))
    for turn in range(3):
        begin = 200 + 100 * turn
        desk.when(held(A, 3 + 2 * turn, arrived=0, when=begin))
        desk.then(goods_wait(2 + 2 * turn, "m1", A, released=0, at=at(begin)))
        desk.when(freed(A, 4 + 2 * turn, arrived=0, when=begin + 50))
        desk.then(container_may_leave(3 + 2 * turn, "m1", A, at=at(begin + 50)))
    desk.when(out(100)).then(*goods_left("m10", "m1", A, at=at(100)))


def test_goods_that_left_while_they_were_held_between_two_releases_left_without_release() -> None:
    goods = [held(A, 1, arrived=0, when=1, direction=EXPORT), freed(A, 2, arrived=0, when=10, direction=EXPORT)]
    desk = called_back(*goods, direction=EXPORT)
    desk.when(event(EquipmentEvent.LOADED, 225)).then(
        equipment_event_recorded("m9", EquipmentEvent.LOADED, arrival_of(A), at=at(225)),
        visit_closed(arrival_of(A), "loaded", "m9", consignments=(A,), at=at(225)),
        gate_alarm_raised(arrival_of(A), "m9", waiting_for=(A,), why="loaded_unreleased", gate="berth 1", at=at(225)),
        consignment_left_unreleased(visit=arrival_of(A), why="loaded_unreleased", consignment_id=A, at=at(225)),
    )
    desk = called_back(*goods, direction=EXPORT)
    desk.when(event(EquipmentEvent.LOADED, 275)).then(
        equipment_event_recorded("m9", EquipmentEvent.LOADED, arrival_of(A), at=at(275)),
        visit_closed(arrival_of(A), "loaded", "m9", consignments=(A,), at=at(275)),
        consignment_gated_out(visit=arrival_of(A), consignment_id=A, at=at(275)),
    )
