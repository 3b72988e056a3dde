"""Does the gate desk publish the arrival and the departure of each consignment, in whatever order it reads its
messages?

The release desk's statements are on one topic, and the reports of terminals on another. Each topic keeps its own order,
and terminals report events in any order.
"""

import os
from dataclasses import dataclass
from datetime import datetime
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Message
from schemas.release import ContainerFreed, ContainerHeld
from schemas.vocabulary import Direction, EquipmentEvent
from services.gate import decider
from tests.gate.boxes import A, B, at, discharged, event, freed, held, out
from tests.voice import Story

EXAMPLES = int(os.environ.get("DTG_VISITS_EXAMPLES", "150"))
ARRIVALS = ("ContainerArrived", "ContainerArrivalRetracted")
DEPARTURES = ("ConsignmentGatedOut", "ConsignmentLeftUnreleased", "DepartureRetracted")


@dataclass(frozen=True)
class Written:
    """A message, its id, and its recorded time."""

    id: str
    message: Message
    recorded: datetime


def hear(messages: list[Written], began: datetime) -> Story:
    """Returns the gate desk after it has read these messages in this order. `began`: the earliest time at which it
    reads."""
    box = Story(decider, decider.INITIAL)
    for number, each in enumerate(messages):
        read_at = max(began, each.recorded) if number == 0 else max(box.at, each.recorded)
        box.when(each.message, message_id=each.id, at=read_at, recorded=each.recorded)
    return box


def stands(box: Story, who: str) -> tuple[str, str]:
    """The kinds of the last facts about the arrival and about the departure of this consignment. A kind is empty if
    there is no such fact, or if it was retracted."""
    mine = [fact.kind for fact in box.facts if fact.key == who]
    arrival, departure = ([kind for kind in mine if kind in each][-1:] for each in (ARRIVALS, DEPARTURES))
    return "".join(arrival).replace(ARRIVALS[-1], ""), "".join(departure).replace(DEPARTURES[-1], "")


@pytest.mark.parametrize("order", list(permutations(("goods", "arrival", "departure"))), ids="-".join)
@pytest.mark.parametrize("released", [True, False], ids=["released", "refused"])
def test_arrival_and_departure_are_told_whatever_comes_first(order: tuple[str, ...], released: bool) -> None:
    goods = freed(A, 2, arrived=5, when=20) if released else held(A, 2, when=20, refused=True)
    messages = {
        "goods": Written("g", goods, at(20)),
        "arrival": Written("i", discharged(10, "EVER 012E"), at(25)),
        "departure": Written("o", out(60), at(60)),
    }
    box = hear([messages[each] for each in order], at(0))
    assert stands(box, A) == ("ContainerArrived", "ConsignmentGatedOut" if released else "ConsignmentLeftUnreleased")
    if order[-1] == "goods":
        mine = [fact.kind for fact in box.answer if fact.kind in (*ARRIVALS, *DEPARTURES)]
        assert mine[0] == "ContainerArrived", "the departure follows it"


def test_goods_that_were_stated_after_a_report_was_told_are_not_in_the_box_because_the_desk_was_slow() -> None:
    """The recorded time of a report is in its header, so it does not matter how long the report waited until the desk
    read it."""
    messages = [Written("i", discharged(10), at(12)), Written("g", held(A, when=20), at(20))]
    assert [stands(hear(order, at(0)), A)[0] for order in (messages, messages[::-1])] == ["", ""]


@st.composite
def of_one_visit(draw: st.DrawFn, called_back: bool) -> list[Written]:
    """The messages about one laden container that comes once and leaves once. It contains one or two consignments.
    `called_back`: whether their releases may be called back.

    If the first statement about a consignment comes after the terminal's first report or after the departure, the
    statements about this consignment name the conveyance. Otherwise they could also be meant for the next visit, and if
    the opening was reported twice, the result would depend on which report the desk read first.
    """
    ship = draw(st.sampled_from(("", "EVER 012E")))
    direction = draw(st.sampled_from((Direction.IMPORT, Direction.EXPORT)))
    came = 600.0
    left = came + draw(st.integers(60, 1000))
    first_told = came + draw(st.integers(0, 900))
    messages: list[Written] = []
    for who, bill in ((A, "1"), (B, "2"))[: draw(st.integers(1, 2))]:
        on = draw(st.sampled_from((ship, "EVER 012E", "")))
        stated = draw(st.integers(0, 1800 if on == ship != "" else int(min(left, first_told))))
        arrived = draw(st.sampled_from((None, came, came + 30)))
        ends = draw(st.sampled_from(("held", "released", "refused", "withdrawn", *(["called back"] * called_back))))
        later = stated + draw(st.integers(1, 600))
        known = (1, bill, on)
        statements: list[ContainerHeld | ContainerFreed] = [held(who, 1, *known, None, stated, direction)]
        landed = came + 30 if arrived is None else arrived  # goods are released only after their arrival
        match ends:
            case "released":
                statements.append(freed(who, 2, 1, True, bill, on, landed, max(later, landed), direction))
            case "called back":
                statements.append(freed(who, 2, 1, True, bill, on, landed, max(later, landed), direction))
                statements.append(held(who, 3, *known, landed, max(later, landed) + 30, direction))
            case "withdrawn":
                statements.append(freed(who, 2, 1, False, bill, on, arrived, max(later, came + 31), direction))
            case _:
                statements.append(held(who, 2, *known, arrived, later, direction, refused=ends == "refused"))
        messages += [
            Written(f"{bill}/{statement.version}", statement, statement.occurred_at) for statement in statements
        ]
    kind = EquipmentEvent.DISCHARGED if direction is Direction.IMPORT else EquipmentEvent.GATED_IN
    messages.append(Written("in", event(kind, came, laden=True, ship=ship), at(first_told)))
    if draw(st.booleans()):
        messages.append(
            Written("again", event(kind, came + 5, laden=True, ship=ship), at(first_told + draw(st.integers(5, 900))))
        )
    leaves = EquipmentEvent.GATED_OUT if draw(st.booleans()) else EquipmentEvent.LOADED
    messages.append(Written("out", event(leaves, left, "G1", laden=True), at(left + draw(st.integers(0, 900)))))
    return messages


@settings(max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES <= 1000)
@given(data=st.data(), late=st.booleans())
def test_what_stands_of_each_consignment_does_not_depend_on_the_order(data: st.DataObject, late: bool) -> None:
    """`late`: the desk reads all messages long after they were recorded. Releases are called back only if `late` is
    true. Otherwise the gate's answer may be yes before a release is called back, and goods that leave then have left
    lawfully."""
    messages = data.draw(of_one_visit(called_back=late))
    of_whom = {each.id: str(each.message.model_dump().get("consignment_id", "")) for each in messages}
    stated = {who: iter([each for each in messages if of_whom[each.id] == who]) for who in (A, B)}
    drawn: list[Written] = data.draw(st.permutations(messages))
    order = [next(stated[of_whom[each.id]]) if of_whom[each.id] else each for each in drawn]
    began = at(100_000 if late else 0)
    ends = [{who: stands(hear(each, began), who) for who in (A, B)} for each in (messages, order)]
    assert ends[0] == ends[1]
