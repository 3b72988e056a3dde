"""Does every field of a published message say who outside may see it, and does no masked value get out?

A field is masked for an audience that its mark does not name. The test writes a secret text into every masked field of
every kind, and looks for the text in every byte that goes out.
"""

from typing import Annotated, Any, get_args

import pytest
from pydantic_core import from_json

from schemas.envelope import AboutConsignment, Fact, Message
from schemas.marks import INSIDE, OUTSIDE, TO_DECLARANT, Audience
from schemas.outside import Unmarked, hidden, mark_of, outside_form, redacted_body, to_outside
from schemas.release import ConsignmentHeld, Hold, ReleaseGranted
from schemas.risk import ConsignmentAssessed, Draw
from schemas.topics import FACTS_AND_REQUESTS, FOR_PORTS, PORT_FORMS
from schemas.vocabulary import ActorId, Reason, Version
from tests.architecture.golden import EXAMPLES

SECRET = "SECRET-WORDS"
PORT_KINDS = tuple(kind for kinds in FOR_PORTS.values() for kind in kinds)
KINDS = tuple({kind: None for topic in FACTS_AND_REQUESTS for kind in topic.carries})
FORMS = [(kind, audience) for kind in KINDS for audience in Audience]
OF_PORTS = [message for message in EXAMPLES if message.kind in PORT_FORMS]


def messages_in(annotation: Any) -> list[type[Message]]:
    if isinstance(annotation, type) and issubclass(annotation, Message):
        return [annotation]
    return [found for each in get_args(annotation) for found in messages_in(each)]


def fields_of(kind: type[Message]) -> list[tuple[type[Message], str]]:
    """Every field that could be published with this kind, as (class, name of the field): its own fields, and those of
    nested messages in fields that somebody outside sees."""
    found: list[tuple[type[Message], str]] = []
    for name, field in kind.model_fields.items():
        found.append((kind, name))
        if mark_of(kind, name).audiences:
            found += [each for listed in messages_in(field.annotation) for each in fields_of(listed)]
    return found


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_every_field_of_what_somebody_outside_can_get_says_who_may_see_it(kind: type[Message]) -> None:
    assert {mark_of(*field) for field in fields_of(kind)} <= {INSIDE, OUTSIDE, TO_DECLARANT}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_nobody_outside_sees_by_which_rule_something_was_decided(kind: type[Message]) -> None:
    rules = [field for field in fields_of(kind) if field[1] in ("rule", "rules", "rule_set")]
    assert {mark_of(*field) for field in rules} <= {INSIDE}


def test_a_field_that_nobody_marked_is_seen_when_the_program_starts() -> None:
    """The redacted forms are made when `schemas.topics` is imported. So a program with an unmarked field does not
    start."""

    class Careless(AboutConsignment, Fact):
        version: Annotated[Version, OUTSIDE]
        officer: ActorId

    class Listing(AboutConsignment, Fact):
        listed: Annotated[tuple[Careless, ...], OUTSIDE]

    class Nested(AboutConsignment, Fact):
        inner: Annotated[dict[str, tuple[Hold, ...]], OUTSIDE]

    class Twice(AboutConsignment, Fact):
        reason: Annotated[Reason, INSIDE, OUTSIDE]

    for kind, message in (
        (Careless, "Careless.officer"),
        (Listing, "Careless.officer"),
        (Nested, "Hold"),
        (Twice, "2 marks"),
    ):
        with pytest.raises(Unmarked, match=message):
            outside_form(kind, Audience.PORT)


def test_no_port_sees_words_of_a_person_nor_lane_nor_answers() -> None:
    fields = {
        name
        for kind in PORT_KINDS
        for owner, name in fields_of(kind)
        if Audience.PORT in mark_of(owner, name).audiences
    }
    assert not fields & {
        "reason",
        "remarks",
        "lane",
        "answers",
        "controls",
        "cause",
        "hold_id",
        "lifted_by",
        "reported_by",
        "retracted_by",
    }
    assert {"version", "containers", "holds", "waiting_for", "permitted", "visit", "how", "blocks", "code"} <= fields


def test_a_decision_from_outside_has_lane_and_what_is_asked_and_neither_rules_nor_draw_nor_grade() -> None:
    fields = set(outside_form(ConsignmentAssessed, Audience.DECLARANT).model_fields)
    assert {"lane", "controls", "declaration_no"} <= fields
    assert not fields & {"rules", "rule_set", "draw", "credit_grade"}
    holds = set(hidden(ReleaseGranted, Audience.DECLARANT)["holds"]["__all__"])
    assert holds == {"reason", "why", "values", "quoted"}, "what is asked of whom stays, the words of an officer do not"


def secretive(message: Message, audience: Audience) -> Message:
    """The message with the secret text in every field that this audience does not see, even if the field is not a
    text."""
    return message.model_copy(update=_planted(message, audience))


def _planted(message: Message, audience: Audience) -> dict[str, Any]:
    planted: dict[str, Any] = {}
    for name, field in type(message).model_fields.items():
        value = getattr(message, name)
        if audience not in mark_of(type(message), name).audiences:
            planted[name] = (
                {SECRET: SECRET} if isinstance(value, dict) else (SECRET,) if isinstance(value, tuple) else SECRET
            )
        elif isinstance(value, Message):
            planted[name] = value.model_copy(update=_planted(value, audience))
        elif value is not None and (inner := messages_in(field.annotation)):
            listed = value or ((_some_hold(),) if inner == [Hold] else ())
            planted[name] = tuple([each.model_copy(update=_planted(each, audience)) for each in listed])
    return planted


def _some_hold() -> Hold:
    return next(hold for message in EXAMPLES if isinstance(message, ConsignmentHeld) for hold in message.holds)


def seen_from_outside(fact: Message, audience: Audience) -> Message:
    """The fact as this audience reads it."""
    return outside_form(type(fact), audience).read_stored(to_outside(fact, audience))


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.parametrize(
    ("message", "audience"),
    [(m, audience) for m in EXAMPLES for kind, audience in FORMS if type(m) is kind],
    ids=lambda one: one.kind if isinstance(one, Message) else str(one),
)
def test_words_in_masked_fields_are_in_no_byte_that_goes_out(message: Message, audience: Audience) -> None:
    planted = secretive(message, audience)
    whole = planted.__pydantic_serializer__.to_json(planted, warnings=False)
    masked = any(audience not in mark_of(*field).audiences for field in fields_of(type(message)))
    assert masked is (SECRET.encode() in whole), "else nothing is planted, and nothing would be found"
    assert SECRET.encode() not in to_outside(planted, audience)
    assert SECRET not in repr(redacted_body(type(message), from_json(whole), audience))
    assert SECRET not in repr(seen_from_outside(planted, audience))


@pytest.mark.parametrize("message", OF_PORTS, ids=lambda message: message.kind)
def test_what_goes_out_is_the_fact_and_nothing_else(message: Message) -> None:
    outside = from_json(to_outside(message, Audience.PORT))
    whole = from_json(message.__pydantic_serializer__.to_json(message))
    assert outside.keys() <= whole.keys()
    for name in outside.keys() - {"holds"}:
        assert outside[name] == whole[name]
    form = seen_from_outside(message, Audience.PORT)
    assert type(form) is PORT_FORMS[message.kind] and (form.kind, form.key) == (message.kind, message.key)
    assert form.__pydantic_serializer__.to_json(form) == to_outside(message, Audience.PORT)


@pytest.mark.parametrize("message", OF_PORTS, ids=lambda message: message.kind)
def test_a_whole_fact_is_read_as_what_a_port_may_know_of_it(message: Message) -> None:
    """A port that still reads the desks' own topics must not take more from a fact than the redacted copy has."""
    whole = message.__pydantic_serializer__.to_json(message)
    assert PORT_FORMS[message.kind].read_stored(whole, extra="ignore") == seen_from_outside(message, Audience.PORT)


class Perhaps(AboutConsignment, Fact):
    """Has a field that contains a message or None."""

    hold: Annotated[Hold | None, OUTSIDE] = None


def test_a_message_that_may_be_missing_is_redacted_like_one_that_is_there() -> None:
    hold = next(each for each in EXAMPLES if isinstance(each, ConsignmentHeld)).holds[0]
    goods = next(each for each in EXAMPLES if isinstance(each, ConsignmentHeld)).consignment_id
    for held in (hold.model_copy(update={"reason": SECRET}), None):
        fact = Perhaps(consignment_id=goods, occurred_at=hold.since, hold=held)
        assert SECRET.encode() not in to_outside(fact, Audience.PORT)
        redacted = from_json(to_outside(fact, Audience.PORT))["hold"]
        assert redacted is None if held is None else redacted["owner"] == held.owner
        assert SECRET not in str(redacted_body(Perhaps, from_json(fact.model_dump_json()), Audience.PORT))
        assert SECRET not in repr(seen_from_outside(fact, Audience.PORT))


def test_what_a_field_inside_holds_needs_no_mark() -> None:
    """The fields `rules` and `draw` of an assessment are marked as inside. So the fields of the rules and of the draw
    need no marks."""
    with pytest.raises(Unmarked, match=r"Draw\.value"):
        outside_form(Draw, Audience.DECLARANT)


@pytest.mark.parametrize("audience", Audience)
@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: message.kind)
def test_what_is_stored_is_told_as_what_is_said_and_no_field_of_nobodys_contract(
    message: Message, audience: Audience
) -> None:
    if type(message) not in KINDS:
        return
    stored = from_json(message.__pydantic_serializer__.to_json(message))
    redacted = from_json(to_outside(message, audience))
    assert redacted_body(type(message), stored | {"officers_note": SECRET}, audience) == redacted
    for inner in ("holds", "declaration", "warnings"):
        for shape in (SECRET, [SECRET], {"officers_note": SECRET}, [{"officers_note": SECRET}], None):
            unknown_shape = redacted_body(type(message), stored | {inner: shape}, audience)
            assert SECRET not in repr(unknown_shape), "where a message belongs, nothing else is told"
