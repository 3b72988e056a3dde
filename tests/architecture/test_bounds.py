"""Is every new message bounded, and are messages that were stored before there were bounds still read?"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from typing import Annotated, Any

import orjson
import pytest
from pydantic import Field, StringConstraints, ValidationError

from schemas.bounds import DECIMAL_SIGNS, LINE, LINES, MOST_PARTS, WhenMade, parts, shown, too_many_parts
from schemas.declaration import LodgeDeclaration
from schemas.envelope import Message, Request
from schemas.inspection import PestIntercepted, RecordFindings
from schemas.parking import read_parking
from schemas.quarantine import RecordTreatment
from schemas.release import ConsignmentHeld, PlaceHold
from schemas.topics import FACTS_AND_REQUESTS, KINDS
from schemas.vocabulary import ControlKind
from services.console.readmodel.batch import readable
from services.console.readmodel.messages import Unreadable
from services.shell.codec import LARGEST_VALUE, Raw, Undecodable, decode, encode
from services.shell.parking import decode_order
from tests.architecture.fullest import Unbounded, fullest
from tests.architecture.golden import EXAMPLES, GOODS, LODGED, OFFICER, payload

LARGEST_MADE = LARGEST_VALUE // 2
"""The most bytes that a new message may have: half of the limit for a message that a desk reads. So another message,
for example `MessageParked`, has room for the new message in base64 beside other fields."""
BY_NAME = {message.kind: message for message in EXAMPLES}
SIGNS = ("\0", "\t", "\x1b", "\x7f", "\x85", "\u2028", "\u202e")


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_largest_message_that_can_be_made_fits_on_a_topic_with_room_to_spare(kind: type[Message]) -> None:
    made: Message = kind.__pydantic_validator__.validate_json(orjson.dumps(fullest(kind)))
    assert len(encode(made)) < LARGEST_MADE


class Loose(Message):
    """Has one field for each way in which a field can lack a bound."""

    text: str
    signs: Annotated[str, StringConstraints(max_length=10)]
    number: int
    wide: Annotated[int, Field(ge=0, le=2**64)]
    amount: Decimal
    idle_zeros: Annotated[Decimal, Field(max_digits=9, decimal_places=2)]
    moment: Annotated[datetime, WhenMade(ge=datetime(1, 1, 1, tzinfo=UTC))]
    texts: tuple[Annotated[str, WhenMade(max_length=1, pattern=LINE)], ...]
    texts_by_name: dict[str, bool]
    anything: object


@pytest.mark.parametrize("name", Loose.model_fields)
def test_a_field_without_a_bound_is_found_wherever_it_stands(name: str) -> None:
    planted = type("Planted", (Message,), {"__annotations__": {name: Loose.__annotations__[name]}})
    inner: Any = planted
    nested = type(
        "Nested", (Message,), {"__annotations__": {"inner": Annotated[tuple[inner, ...], WhenMade(max_length=2)]}}
    )
    for kind in (planted, nested):
        with pytest.raises(Unbounded, match=name):
            fullest(kind)


def texts(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every text in the node: yields the object or list that contains the text, and the key or index of the text in
    it."""
    for name, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
        if isinstance(value, dict | list):
            yield from texts(value)
        elif isinstance(value, str):
            yield node, name


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: message.kind)
def test_no_text_of_a_message_that_is_made_holds_a_control_character(message: Message) -> None:
    kind = type(message)
    for sign in SIGNS:
        body = orjson.loads(payload(message))
        for holder, name in list(texts(body)):
            before = holder[name]
            for spoilt in (before[:-1] + sign, sign + before[1:]):
                holder[name] = spoilt
                for make in (partial(kind.model_validate_json, orjson.dumps(body)), partial(kind.model_validate, body)):
                    try:
                        made = encode(make())
                    except ValidationError:
                        continue
                    assert sign.isspace() and sign.encode() not in made, "blanks around a number are no part of it"
            holder[name] = before


def pest(text: str) -> bytes:
    """The fact `PestIntercepted` with this pest, as a desk of an older version wrote it, in which texts had no
    bound."""
    return orjson.dumps({**orjson.loads(payload(BY_NAME["PestIntercepted"])), "pest": text})


@pytest.mark.parametrize("text", ["\0" * 1000, "x" * 100_000, "a\nb", "\u202eb"])
def test_a_stored_fact_keeps_its_former_shape(text: str) -> None:
    value = pest(text)
    with pytest.raises(ValidationError):
        PestIntercepted.model_validate_json(value)
    headers = {"ce_type": b"PestIntercepted", "ce_id": b"1"}
    fact = decode(PestIntercepted, Raw("customs-inspection-facts", 0, 0, GOODS.encode(), value, headers))
    assert isinstance(fact, PestIntercepted) and fact.pest == text
    assert encode(fact) == value, "and goes on as it was stored"


def test_a_stored_fact_keeps_its_former_contract_too() -> None:
    for wrong in (b'{"pest": 1}', pest("x").replace(b'"pest"', b'"pests"'), b"[]"):
        with pytest.raises(ValidationError):
            PestIntercepted.read_stored(wrong)
    assert PestIntercepted.read_stored(pest("x")[:-1] + b',"later":1}', extra="ignore").pest == "x"
    with pytest.raises(ValidationError):
        PestIntercepted.read_stored(pest("x")[:-1] + b',"later":1}')
    many = {"consignment_id": GOODS, "occurred_at": "0001-01-01T00:00:00Z", "version": 3, "holds": []}
    hold = orjson.loads(payload(BY_NAME["ConsignmentHeld"]))["holds"][0]
    held = ConsignmentHeld.read_stored(orjson.dumps({**many, "holds": [{**hold, "hold_id": "\0" * 300}] * 2000}))
    assert len(held.holds) == 2000 and held.occurred_at.year == 1
    with pytest.raises(ValidationError):
        ConsignmentHeld.read_stored(orjson.dumps({**many, "holds": [{**hold, "reason": "x" * 501}]}))


def request(kind: str, **changes: object) -> Raw:
    """The example of this request with changed fields, as any client may write it to the topic of the request."""
    body = {**orjson.loads(payload(BY_NAME[kind])), **changes}
    topic = next(t.name for t in FACTS_AND_REQUESTS if any(m.kind == kind for m in t.carries))
    return Raw(
        topic, 0, 0, BY_NAME[kind].key.encode(), json.dumps(body).encode(), {"ce_type": kind.encode(), "ce_id": b"1"}
    )


@pytest.mark.parametrize(
    ("kind", "pointer", "changes"),
    [
        ("RecordFindings", "/pest", {"pest": "\0" * 100_000}),
        ("RecordFindings", "/remarks", {"remarks": "x" * 2001}),
        ("RecordFindings", "/remarks", {"remarks": "overwritten\rby this"}),
        ("RecordFindings", "/asked_by", {"asked_by": "officer\x1b[2J"}),
        ("RecordFindings", "/occurred_at", {"occurred_at": "0001-01-01T00:00:00+23:59"}),
        ("RecordGateOut", "/gate", {"gate": "g" * 101}),
        ("LiftHold", "/hold_id", {"hold_id": "h" * 241}),
        ("RecordTreatment", "/attempt", {"attempt": 10**30}),
        ("RecordTreatment", "/dose_g_m3", {"dose_g_m3": "1." + "0" * 100}),
    ],
)
def test_a_request_that_is_not_bounded_is_parked_with_its_pointer(
    kind: str, pointer: str, changes: dict[str, object]
) -> None:
    with pytest.raises(Undecodable, match=f"at {pointer}:") as caught:
        decode(KINDS[kind], request(kind, **changes))
    assert caught.value.reason == "contract" and len(str(caught.value)) < 500


def test_a_hold_is_read_however_its_words_are_written_and_a_lift_is_not() -> None:
    assert decode(PlaceHold, request("PlaceHold", reason="smuggling\0\t")) is not None
    assert [kind.kind for kind in KINDS.values() if issubclass(kind, Request) and kind.holds_goods] == [
        "PlaceHold",
        "PlaceWatch",
        "PlaceContainerHold",
    ]


def test_remarks_and_reasons_have_line_breaks() -> None:
    findings = decode(RecordFindings, request("RecordFindings", remarks="one\ntwo\r\n三"))
    assert isinstance(findings, RecordFindings) and findings.remarks == "one\ntwo\r\n三"


@pytest.mark.parametrize("number", ["1." + "0" * DECIMAL_SIGNS, Decimal("1." + "0" * 100)])
def test_a_decimal_number_is_bounded_in_its_signs_however_it_is_given(number: object) -> None:
    body = {**BY_NAME["RecordTreatment"].model_dump(), "dose_g_m3": number}
    with pytest.raises(ValidationError, match=r"signs|characters"):
        RecordTreatment.model_validate(body)
    if isinstance(number, str):
        with pytest.raises(ValidationError, match="characters"):
            RecordTreatment.model_validate_json(orjson.dumps(body, default=str))


@pytest.mark.parametrize("number", ["86100.0000", 86100, 86100.5, "8.61e4", Decimal("86100.0000")])
def test_a_decimal_number_is_read_as_before(number: object) -> None:
    lodged = BY_NAME["LodgeDeclaration"]
    assert isinstance(lodged, LodgeDeclaration)
    body = {**lodged.declaration.model_dump(), "invoice_total": number}
    by_python = type(lodged.declaration).model_validate(body).invoice_total
    by_json = type(lodged.declaration).model_validate_json(orjson.dumps(body, default=str)).invoice_total
    assert by_python == by_json == Decimal(str(number)) and str(by_python) == str(by_json) == str(Decimal(str(number)))


@pytest.mark.parametrize("edge", ["2000-01-01T00:00:00+00:00", "2100-12-31T23:59:59.999999+00:00"])
def test_the_edges_of_time_survive_every_zone(edge: str) -> None:
    for hours in (-23, 0, 23):
        moment = datetime.fromisoformat(edge).astimezone(timezone(timedelta(hours=hours)))
        made = PlaceHold(consignment_id=GOODS, asked_by=OFFICER, occurred_at=moment, reason="r")
        read = PlaceHold.model_validate_json(encode(made))
        assert read.occurred_at.astimezone(UTC) == datetime.fromisoformat(edge)
    beyond = timedelta(microseconds=-1 if edge.startswith("2000") else 1)
    with pytest.raises(ValidationError):
        PlaceHold(consignment_id=GOODS, asked_by=OFFICER, occurred_at=datetime.fromisoformat(edge) + beyond, reason="r")


def test_words_of_a_stored_message_are_shown_as_a_new_one_may_carry_them() -> None:
    assert shown("plain 票　全角", 20) == "plain 票　全角"
    assert shown("a\0b\nc", 20) == "a b c" and shown("a\0b\r\nc\rd", 20, breaks=True) == "a b\r\nc d"
    for text in ("\r\n" * 300, "\0" * 600, "\u202e" * 501, "x" * 501, "\U0001f6a2" * 600):
        for breaks, pattern in ((False, LINE), (True, LINES)):
            carried = shown(text, breaks=breaks)
            assert len(carried) == 500 or len(text) == len(carried)
            line = type("Line", (Message,), {"__annotations__": {"it": Annotated[str, WhenMade(pattern=pattern)]}})
            assert line(it=carried)


def test_a_moment_that_is_made_by_a_desk_lies_within_the_years() -> None:
    with pytest.raises(ValidationError):
        PestIntercepted(
            consignment_id=GOODS,
            occurred_at=LODGED.replace(year=1999),
            control=ControlKind.INSPECTION,
            officer=OFFICER,
            pest="",
        )


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_fullest_message_has_far_fewer_parts_than_are_read(kind: type[Message]) -> None:
    data = orjson.dumps(fullest(kind))
    assert parts(data) < MOST_PARTS // 2


ODD_PARTS = {
    "items": b'{"declaration": {"items": [' + b"1," * 900_000 + b"1]}}",
    "fields": b'{"declaration": {' + b",".join([b'"k%d":1' % number for number in range(200_000)]) + b"}}",
    "one field again and again": b"{" + b'"k":1,' * 300_000 + b'"k":1}',
    "lists": b"[" * 300_000,
    "no JSON": b"," * 300_000,
    "not a number of JSON": b'{"declaration": {"items": [' + b"NaN," * 300_000 + b"1]}}",
}


@pytest.mark.parametrize("value", ODD_PARTS.values(), ids=ODD_PARTS)
def test_a_message_of_many_parts_is_parked_before_each_of_them_is_an_error(value: bytes) -> None:
    """In an older version, each wrong item of a message made an error. Two million of them stopped a desk for half a
    minute, and took two gigabytes of memory."""
    message = request("LodgeDeclaration")._replace(value=value)
    with pytest.raises(Undecodable, match="parts") as caught:
        decode(LodgeDeclaration, message)
    assert caught.value.reason == "too_large"
    with pytest.raises(Undecodable, match="parts"):
        decode_order(message, "declaration", "key", "2026-11-23T12:00:00Z")
    with pytest.raises(ValueError, match="parts"):
        read_parking("MessageParked", value)
    with pytest.raises(Unreadable, match="parts"):
        readable(value)


@pytest.mark.parametrize("text", [b"," * 1_000_000, b"[" * 1_000_000, b'\\"' * 1_000_000, b"\\\\" * 500_000])
def test_signs_in_a_text_are_no_parts(text: bytes) -> None:
    assert not too_many_parts(b'{"remarks": "' + text + b'"}')
    assert not too_many_parts(b'{"remarks": "' + text), "nor in one without an end"
