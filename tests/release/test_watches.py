"""Does a watch on a bill or declarant hold the goods, whenever they are declared and under whatever reference?"""

from dataclasses import dataclass, field
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Message, RequestRefused
from schemas.phrases import quoted
from schemas.release import (
    ConsignmentHeld,
    LiftWatch,
    PlaceHold,
    PlaceWatch,
    ReleaseGranted,
)
from schemas.vocabulary import ControlKind
from services.console.readmodel.container_rows import is_watched
from services.release import decider
from services.release.settling import MOST_OFFICER_HOLDS
from services.release.watches import MOST_WATCHES, REMEMBERED_ENDS
from tests import facts
from tests.facts import (
    consignment_assessed,
    container_arrived,
    findings_retracted,
    inspection_failed,
    inspection_passed,
    withdrawal_requested,
)
from tests.release.answers import goods_called_back
from tests.release.requests import arrival, lift_hold, place_hold, retract_lift
from tests.release.standing import stands
from tests.voice import CONSIGNMENT, NOON, Story, after, keeps_its_promises, story

PARTITION = "watches/3"
WATCH = "officer/watch/"
TRADER = "91370200MA3CABCD1X"


def place_watch(watch_id: str = "w", bill_no: str = "", declarant: str = "", reason: str = "a tip") -> PlaceWatch:
    return PlaceWatch(
        partition_key=PARTITION,
        asked_by="o9",
        occurred_at=NOON,
        watch_id=watch_id,
        bill_no=bill_no,
        declarant=declarant,
        reason=reason,
    )


def lift_watch(watch_id: str = "w") -> LiftWatch:
    return LiftWatch(partition_key=PARTITION, asked_by="o8", occurred_at=NOON, watch_id=watch_id, reason="looked at")


def met(watch_id: str = "w") -> PlaceHold:
    """Returns the hold that the console sends because of a watch, for goods that were declared before the watch was
    placed."""
    return PlaceHold(consignment_id=CONSIGNMENT, asked_by="o9", occurred_at=NOON, reason="a tip", watch_id=watch_id)


def beside(watches: Story, *past: Message) -> Story:
    """Returns a desk in the partition of these watches, after it has read `past`."""
    desk = story(decider)
    desk.shared = watches.state
    for message in past:
        desk.when(message)
    return desk


def holds(desk: Story) -> list[str]:
    return [each.hold_id for each in desk.state.stated]


@pytest.mark.parametrize("typed", ["bl 1", "BL-1", "BL1"])
def test_goods_of_a_watched_bill_are_held_from_their_assessment_on(typed: str) -> None:
    watches = story(decider, place_watch(bill_no=typed, reason="cigarettes"))
    goods = beside(watches, arrival()).when(consignment_assessed())
    (held,) = [fact for fact in goods.answer if isinstance(fact, ConsignmentHeld)]
    (hold,) = held.holds
    assert (hold.hold_id, hold.owner, hold.reason, hold.lifted_by) == (f"{WATCH}w", "officer", "cigarettes", "LiftHold")


@pytest.mark.parametrize(
    ("watched", "declared", "matches"),
    [
        ("999-1234 5678", "999-12345678_HAWB7", True),
        ("hawb 7", "999-12345678_HAWB7", True),
        ("99912345678hawb7", "999-12345678_HAWB7", True),
        ("COSU640", "COSU640*H1", True),
        ("999-12345678_HAWB7", "999-12345678", False),
        ("999-12345678_HAWB7", "999-12345678_HAWB8", False),
        ("1234", "999-12345678_HAWB7", False),
        ("HAWB", "999-12345678_HAWB7", False),
    ],
)
def test_a_watch_on_a_master_or_a_house_bill_holds_goods_that_name_both(
    watched: str, declared: str, matches: bool
) -> None:
    """Otherwise a declarant could avoid the hold on a master waybill by declaring the goods under another house
    waybill."""
    desk = story(decider)
    desk.shared = story(decider, place_watch(bill_no=watched)).state
    desk.when(consignment_assessed().model_copy(update={"bill_no": declared}))
    assert (f"{WATCH}w" in [hold.hold_id for hold in desk.state.stated]) is matches
    assert is_watched(watched, "", declared, "") is matches


def test_goods_of_a_watched_declarant_are_held_and_those_of_others_are_not() -> None:
    watches = story(decider, place_watch(declarant=TRADER))
    assert holds(beside(watches, consignment_assessed(declarant=TRADER), arrival())) == [f"{WATCH}w"]
    assert beside(watches, consignment_assessed(declarant=TRADER[:-1] + "2"), arrival()).state.state == "released"
    assert beside(watches, consignment_assessed(), arrival()).state.state == "released", (
        "an older software version did not name the declarant"
    )


def test_goods_without_a_bill_match_no_watch_on_a_bill() -> None:
    watches = story(decider, place_watch(bill_no="BL1"))
    assert beside(watches, consignment_assessed(bill_no=""), arrival()).state.state == "released"


def test_a_watched_declaration_is_not_withdrawn_so_that_its_goods_go_under_another() -> None:
    watches = story(decider, place_watch(bill_no="BL1"))
    first = beside(watches, consignment_assessed(), withdrawal_requested())
    assert first.state.state == "held"
    first.then()
    again = beside(watches, consignment_assessed(), arrival())
    assert holds(again) == [f"{WATCH}w"]


def test_goods_known_before_the_watch_meet_it_at_their_next_message() -> None:
    goods = story(decider, consignment_assessed())
    goods.shared = story(decider, place_watch(bill_no="BL1")).state
    goods.when(arrival())
    assert goods.state.state == "held" and holds(goods) == [f"{WATCH}w"]


def test_the_door_calls_goods_back_that_were_released_before_the_watch() -> None:
    goods = story(decider, consignment_assessed(), arrival())
    assert goods.state.state == "released"
    goods.shared = story(decider, place_watch(bill_no="BL1")).state
    goods.when(met()).then(
        *goods_called_back(3, after(3), quoted("a tip"), facts.officers_hold("watch/w", since=after(3)))
    )


def test_the_doors_hold_needs_no_watch_beside_it_and_makes_no_second_one() -> None:
    goods = story(decider, met())
    goods.shared = story(decider, place_watch(bill_no="BL1")).state
    goods.when(consignment_assessed()).when(arrival())
    assert holds(goods) == [f"{WATCH}w"]
    goods.when(met(), message_id="another").then_refused("already_held")


def test_an_officer_lets_goods_go_and_the_watch_does_not_hold_them_again() -> None:
    watches = story(decider, place_watch(bill_no="BL1"))
    goods = beside(watches, consignment_assessed(), arrival()).when(lift_hold(f"{WATCH}w"), message_id="lift")
    assert goods.state.state == "released"
    goods.when(met(), message_id="late").then_refused("watch_lifted")
    goods.when(retract_lift("lift"))
    assert holds(goods) == [f"{WATCH}w"], "the lifting was wrong"


def test_a_lifted_watch_holds_nothing_new_whichever_came_first() -> None:
    for order in ([place_watch(bill_no="BL1"), lift_watch()], [lift_watch(), place_watch(bill_no="BL1")]):
        watches = story(decider, *order)
        goods = beside(watches, consignment_assessed(), arrival())
        assert goods.state.state == "released"
        goods.when(met()).then_refused("watch_lifted")


def test_a_refusal_that_is_taken_back_leaves_the_goods_with_the_watch() -> None:
    watches = story(decider, place_watch(bill_no="BL1"))
    look = ControlKind.INSPECTION
    goods = beside(watches, consignment_assessed(look), arrival(), inspection_failed(look))
    assert goods.state.state == "refused"
    goods.when(findings_retracted(look)).when(inspection_passed(look, revision=2))
    assert holds(goods) == [f"{WATCH}w"]


def refused(desk: Story, request: PlaceWatch | LiftWatch, message_id: str) -> tuple[str, str]:
    """The code and the reason for which this request is refused."""
    [refusal] = desk.when(request, message_id=message_id).answer
    assert isinstance(refusal, RequestRefused), refusal
    return refusal.code, refusal.reason


@pytest.mark.parametrize("again", ["first", "another"], ids=["under the same id", "under another id"])
def test_a_repeated_request_for_a_watch_is_answered_by_a_fact_that_names_the_first_one(again: str) -> None:
    desk = story(decider).when(place_watch(bill_no="BL1"), message_id="first")
    placed = ("already_answered", "the watch was placed by request first")
    assert refused(desk, place_watch(bill_no="BL1"), again) == placed
    desk.when(lift_watch(), message_id="lift").then(facts.watch_lifted(PARTITION, "w", at=desk.at))
    lifted = ("watch_lifted", "the watch was lifted by request lift")
    assert refused(desk, lift_watch(), again.replace("first", "lift")) == lifted
    assert refused(desk, place_watch(bill_no="BL1"), again) == lifted, "also the copy that comes late"


def test_a_watch_that_was_lifted_before_it_began_names_what_lifted_it() -> None:
    desk = story(decider).when(lift_watch(), message_id="lift")
    lifted = ("watch_lifted", "the watch was lifted by request lift")
    assert refused(desk, place_watch(bill_no="BL1"), "late") == lifted


def test_a_record_of_watches_of_the_software_version_before_is_read() -> None:
    """A record of the previous version does not say which requests placed and lifted its watches. So a refusal cannot
    name these requests."""
    stored = b'{"watches":{"w":["BL1","","a tip","2026-11-23T12:01:00Z"]},"ended":["x"],"state":"watching"}'
    desk = story(decider)
    desk.state = decider.STATE.validate_json(stored)
    assert refused(desk, place_watch(bill_no="BL1"), "a") == ("already_answered", "the watch is kept already")
    assert refused(desk, lift_watch("x"), "b") == ("watch_lifted", "the watch was lifted by an earlier request")
    late = ("watch_lifted", "the watch was lifted before it began here")
    assert refused(desk, place_watch("x", bill_no="BL1"), "c") == late
    assert holds(beside(desk, consignment_assessed(), arrival())) == [f"{WATCH}w"]


def test_what_lifted_a_watch_is_remembered_as_long_as_the_watch_itself() -> None:
    desk = story(decider, *[lift_watch(f"w{number}") for number in range(REMEMBERED_ENDS + 1)])
    assert tuple(desk.state.lifted_by) == desk.state.ended and len(desk.state.ended) == REMEMBERED_ENDS


def test_a_watch_is_answered_once_and_each_later_word_is_refused() -> None:
    desk = story(decider).when(place_watch(bill_no="bl-1", reason="a tip"))
    desk.then(facts.watch_placed(PARTITION, "w", bill_no="bl-1", at=desk.at))
    desk.when(place_watch(bill_no="bl-1")).then_refused("already_answered")
    desk.when(place_watch("x", bill_no="--")).then_refused("watch_malformed")
    desk.when(lift_watch()).then(facts.watch_lifted(PARTITION, "w", at=desk.at))
    desk.when(lift_watch()).then_refused("watch_lifted")
    desk.when(place_watch()).then_refused("watch_lifted")
    keeps_its_promises(
        decider, [place_watch(bill_no="B"), place_watch("x", declarant=TRADER), lift_watch(), lift_watch("y")]
    )


def test_watches_are_bounded_and_a_further_one_is_refused_aloud() -> None:
    desk = story(decider, *[place_watch(f"w{number}", bill_no=f"B{number}") for number in range(MOST_WATCHES)])
    desk.when(place_watch("one more", bill_no="BL1")).then_refused("too_many_watches")
    desk.when(lift_watch("w7")).when(place_watch("one more", bill_no="BL1")).then(
        facts.watch_placed(PARTITION, "one more", bill_no="BL1", at=desk.at)
    )
    assert len(desk.state.watches) == MOST_WATCHES
    for number in range(REMEMBERED_ENDS + 1):
        desk.when(lift_watch(f"never placed {number}"))
    assert len(desk.state.ended) == REMEMBERED_ENDS


def test_as_many_watches_as_there_may_be_on_one_bill_hold_goods_with_as_many_holds_as_one_consignment_may_have() -> (
    None
):
    watches = story(decider, *[place_watch(f"w{number}", bill_no="BL1") for number in range(100)])
    goods = beside(watches, consignment_assessed(), arrival())
    assert len(holds(goods)) == MOST_OFFICER_HOLDS
    for hold_id in holds(goods):
        goods.when(lift_hold(hold_id))
    assert goods.state.state == "held", "the others hold them now"


def test_a_message_of_goods_under_the_key_of_watches_is_a_bug_and_the_other_way_round() -> None:
    for state, message in (
        (story(decider, place_watch(bill_no="B")), consignment_assessed()),
        (story(decider, consignment_assessed()), lift_watch()),
    ):
        with pytest.raises(TypeError):
            state.when(message)


@dataclass
class World:
    """A partition of the release desk with its watches, and two consignments with the same bill. This class computes
    which holds must be open. It does not use the code of the desk."""

    watches: Story = field(default_factory=lambda: story(decider))
    goods: list[Story] = field(default_factory=lambda: [story(decider), story(decider)])
    open: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    let_go: set[tuple[int, str]] = field(default_factory=set)
    by_door: set[tuple[int, str]] = field(default_factory=set)
    number: int = 0

    def tell(self, partition: int | None, message: Message) -> None:
        """Sends a message to the consignment with the number `partition`. If `partition` is None, sends it to the
        record of the whole partition."""
        self.number += 1
        name = f"m{self.number}"
        match message:
            case PlaceWatch() if message.watch_id not in self.ended:
                self.open.add(message.watch_id)
            case PlaceHold() if partition is not None and message.watch_id not in self.ended:
                self.by_door.add((partition, message.watch_id))
            case LiftWatch():
                self.open.discard(message.watch_id)
                self.ended.add(message.watch_id)
        if partition is None:
            self.watches.when(message, message_id=name)
            return
        desk = self.goods[partition]
        desk.shared = self.watches.state
        before = holds(desk)
        desk.when(message, message_id=name)
        if message.kind == "LiftHold" and (hold_id := str(getattr(message, "hold_id", ""))) in before:
            self.let_go.add((partition, hold_id.removeprefix(WATCH)))
        if any(isinstance(fact, ReleaseGranted) for fact in desk.answer):
            owed = self.owed(partition)
            assert not owed, f"released while {owed} are open"

    def owed(self, partition: int) -> set[str]:
        """The watches that must hold these goods: those in the partition's record, and those whose holds the console
        has sent. Watches that ended, and those whose hold on these goods was lifted, are left out."""
        desk = self.open | {watch_id for goods, watch_id in self.by_door if goods == partition}
        return {watch_id for watch_id in desk - self.ended if (partition, watch_id) not in self.let_go}

    def end(self) -> list[str]:
        """Sends the hold of every open watch to both consignments, and lifts the holds of ended watches. Returns the
        present answer about each consignment."""
        for partition, desk in enumerate(self.goods):
            for watch_id in sorted(self.open):
                self.tell(partition, met(watch_id))
            for hold_id in holds(desk):
                if hold_id.removeprefix(WATCH) in self.ended:
                    self.tell(partition, lift_hold(hold_id))
        return [stands(desk) for desk in self.goods]


def acts() -> list[tuple[int | None, Message]]:
    first: list[tuple[int | None, Message]] = [
        (0, consignment_assessed(declarant=TRADER)),
        (0, arrival()),
        (0, container_arrived()),
        (0, withdrawal_requested()),
        (0, met("w")),
        (0, lift_hold(f"{WATCH}w")),
        (1, consignment_assessed(ControlKind.DOCUMENTS, declarant=TRADER)),
        (1, arrival()),
        (1, inspection_passed(ControlKind.DOCUMENTS)),
        (1, met("x")),
    ]
    whole: list[tuple[int | None, Message]] = [
        (None, place_watch("w", bill_no="bl 1")),
        (None, place_watch("x", declarant=TRADER.lower())),
        (None, lift_watch("w")),
        (None, lift_watch("x")),
    ]
    return [*first, *whole]


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_no_order_of_messages_releases_goods_that_match_an_open_watch(data: st.DataObject) -> None:
    some = data.draw(st.lists(st.sampled_from(range(len(acts()))), min_size=4, max_size=24))
    world = World()
    for number in some:
        world.tell(*acts()[number])
    for partition, state in enumerate(world.end()):
        open_now = {
            hold_id.removeprefix(WATCH) for hold_id in holds(world.goods[partition]) if hold_id.startswith(WATCH)
        }
        if state != "withdrawn":
            assert open_now == world.owed(partition)


def test_all_120_orders_of_a_watch_and_the_goods_that_it_is_for_end_alike() -> None:
    messages: list[tuple[int | None, Message]] = [
        (0, consignment_assessed()),
        (0, arrival()),
        (0, place_hold()),
        (None, place_watch("w", bill_no="BL1")),
        (None, place_watch("w", bill_no="BL1")),
    ]
    for order in permutations(messages):
        world = World()
        for partition, message in order:
            world.tell(partition, message)
        assert world.end()[0] == "held"
        assert f"{WATCH}w" in holds(world.goods[0])


def test_all_24_orders_of_a_lifted_watch_and_the_goods_end_in_their_release() -> None:
    messages = [
        (0, consignment_assessed()),
        (0, arrival()),
        (None, place_watch("w", bill_no="BL1")),
        (None, lift_watch("w")),
    ]
    for order in permutations(messages):
        world = World()
        for partition, message in order:
            world.tell(partition, message)
        assert world.end()[0] == "released"
