"""Does the API accept correct requests, refuse wrong ones with a pointer, and say truly where goods stand?"""

import dataclasses
import json
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from confluent_kafka import Consumer, TopicPartition
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from deploy.kafka.broker import free_port
from schemas.declaration import LodgeDeclaration
from schemas.envelope import RequestRefused, fact_id, request_id
from schemas.inspection import RecordFindings
from schemas.quarantine import MOST_READINGS
from schemas.vocabulary import ControlKind, consignment_id
from services.cli.parked import waiting
from services.console.api.request_producer import Asker, RequestRow, digest
from services.console.openapi import FILE, text
from services.console.readmodel.consignment import plain
from services.console.readmodel.database import migrate, open_engine
from services.console.readmodel.messages import origin
from services.console.readmodel.tables import ASKED_HOLDS, FACTS, LODGEMENTS, PARKED
from services.console.settings import ConsoleSettings
from services.shell.clock import now
from services.shell.codec import decode, raw
from tests.conftest import PARTITIONS
from tests.console.border import DECLARANT, Border, declaration, green, publish, red
from tests.console.conftest import Running, pages
from tests.people import LINE, admit, headers_of
from tests.waiting import wait

JSON = {"content-type": "application/json"}


def paper(reference: str, **changed: Any) -> dict[str, Any]:
    made: dict[str, Any] = declaration(reference, **changed).model_dump(mode="json")
    return made


def errors_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The errors of an answer without the warnings: `paper` has a USCC that breaks its standard, which is a warning."""
    return [fault for fault in body["errors"] if fault["severity"] == "error"]


def requests_under(bootstrap: str, topic: str, key: str) -> list[Any]:
    """What was written to a request topic under this key, in order."""
    reader = Consumer(
        {"log_level": 0, "bootstrap.servers": bootstrap, "group.id": "tests", "enable.partition.eof": True}
    )
    reader.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])
    found, ends = [], 0
    while ends < PARTITIONS:
        for message in reader.consume(1000, 1.0):
            if message.error() is not None:
                ends += 1
            elif message.key() == key.encode():
                found.append(message)
    reader.close()
    return found


def problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """Checks that the answer is this problem in both languages; returns its body."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    details: dict[str, Any] = answer.json()
    assert details["type"] == f"/problems/{code}"
    for field in ("title", "title_zh", "detail", "detail_zh"):
        assert details[field]
    assert details["title"] != details["title_zh"]
    return details


# lodging


def test_a_lodged_declaration_is_on_its_topic_and_found_at_once(console: Running) -> None:
    answer = console.api("POST", "/declarations", json=paper("API-1"), headers=console.acting_as("broker-9"))
    assert answer.status_code == 202
    receipt = answer.json()
    goods = consignment_id(DECLARANT, "API-1")
    assert receipt["consignment_id"] == goods
    assert answer.headers["location"] == receipt["status"] == f"/api/v1/consignments/{goods}"
    now_there = console.http.get(receipt["status"])
    assert now_there.status_code in (200, 202)
    assert now_there.json()["consignment"]["stage"] == "lodged"
    assert now_there.json()["consignment"]["waiting"]["owner"] == "declaration"
    (message,) = requests_under(console.settings.kafka, "customs-declaration-requests", goods)
    raw_message = raw(message)
    lodged = decode(LodgeDeclaration, raw_message)
    assert isinstance(lodged, LodgeDeclaration)
    assert lodged.declaration == declaration("API-1") and lodged.asked_by == "broker-9"
    assert raw_message.text("ce_id") == receipt["request_id"]
    console.catch_up()
    assert console.http.get(receipt["status"]).status_code == 200


def test_without_a_key_each_request_is_new_and_with_one_the_same_is_the_same(console: Running) -> None:
    key = {"Idempotency-Key": "API-2"}
    posts = [
        console.api("POST", "/declarations", json=paper("API-2"), headers=headers) for headers in ({}, {}, key, key)
    ]
    ids = [post.json()["request_id"] for post in posts]
    assert {post.status_code for post in posts} == {202} and len(set(ids)) == 3 and ids[2] == ids[3]
    sent = requests_under(console.settings.kafka, "customs-declaration-requests", posts[0].json()["consignment_id"])
    assert [raw(m).text("ce_id") for m in sent] == ids[:3]


def test_an_officers_second_hold_with_the_same_words_is_a_second_hold(console: Running) -> None:
    goods = consignment_id(DECLARANT, "API-H")
    posts = [console.api("POST", f"/consignments/{goods}/holds", json={"reason": "check seals"}) for _ in range(2)]
    ids = [post.json()["request_id"] for post in posts]
    sent = requests_under(console.settings.kafka, "customs-release-requests", goods)
    assert [raw(m).text("ce_id") for m in sent] == ids and ids[0] != ids[1]


def test_the_same_asked_many_times_at_once_under_one_key_is_one_request(console: Running) -> None:
    batch, key = {"declarations": [paper("API-T1"), paper("API-T2")]}, {"Idempotency-Key": "API-T"}
    answers = [console.api("POST", "/declarations/batch", json=batch, headers=key).json() for _ in range(2)]
    assert answers[0] == answers[1]
    with ThreadPoolExecutor(8) as pool:
        posts = [
            pool.submit(console.api, "POST", "/declarations", json=paper("API-T3"), headers=key) for _ in range(40)
        ]
    assert {post.result().status_code for post in posts} == {202}
    for reference in ("API-T1", "API-T2", "API-T3"):
        goods = consignment_id(DECLARANT, reference)
        assert len(requests_under(console.settings.kafka, "customs-declaration-requests", goods)) == 1, reference


def test_a_key_of_the_sender_names_one_content_only(console: Running) -> None:
    headers = {"Idempotency-Key": "my-key", **console.acting_as("broker-3")}
    first = console.api("POST", "/declarations", json=paper("API-3"), headers=headers)
    assert first.json()["request_id"] != request_id("broker-3", "my-key"), "nobody outside can compute it"
    assert console.api("POST", "/declarations", json=paper("API-3"), headers=headers).json() == first.json()
    problem(console.api("POST", "/declarations", json=paper("API-3b"), headers=headers), 422, "key_reused")
    office = console.app.state.context
    wait(lambda: office.rows.lodgement(first.json()["request_id"]) is not None, "the notebook to be written")
    # `fresh` has no requests in memory. So it reads the rows, as another process would.
    fresh = Asker(console.settings, office.asker._engine)
    assert fresh._read(first.json()["request_id"]).digest == digest(declaration("API-3").model_dump_json().encode())  # type: ignore[union-attr]


def test_a_request_of_an_older_version_is_known_by_its_former_id(console: Running) -> None:
    headers, content = (
        {"Idempotency-Key": "older", **console.acting_as("broker-4")},
        declaration("API-OLD").model_dump_json(),
    )
    former = RequestRow(
        request_id("broker-4", "older"),
        "older",
        "broker-4",
        "LodgeDeclaration",
        (goods := consignment_id(DECLARANT, "API-OLD")),
        digest(content.encode()),
        1,
    )
    with console.app.state.context.asker._engine.begin() as connection:
        connection.execute(insert(LODGEMENTS), {name: getattr(former, name) for name in RequestRow.__slots__})
    again = console.api("POST", "/declarations", json=paper("API-OLD"), headers=headers)
    assert again.status_code == 202 and again.json()["request_id"] == former.request_id
    assert requests_under(console.settings.kafka, "customs-declaration-requests", goods) == []
    problem(console.api("POST", "/declarations", json=paper("API-OLD-2"), headers=headers), 422, "key_reused")


def test_all_consoles_of_an_installation_give_the_same_ids_and_others_give_others(
    console: Running, tmp_path: Path
) -> None:
    engine = console.app.state.context.asker._engine
    migrate(url := f"sqlite:///{tmp_path}/other.db")
    others = [Asker(console.settings, engine), Asker(console.settings, open_engine(url, writes=True))]
    for asker in others:
        asker._secret = asker._read_secret()
    assert others[0].key("o", "k") == console.app.state.context.asker.key("o", "k") != others[1].key("o", "k")
    assert others[0].key("o", "") != others[0].key("o", "")


def test_somebody_elses_message_under_the_same_id_does_not_make_an_answer_a_refusal(console: Running) -> None:
    request = console.api("POST", "/declarations", json=paper("API-ID")).json()
    consignment = Border("API-ID").accepted()
    refused = RequestRefused(
        occurred_at=consignment.at,
        subject=consignment.id,
        request_id=request["request_id"],
        request_kind="LodgeDeclaration",
        code="key_reused",
        reason="x",
    )
    consignment._say("declaration", refused)
    ids = (fact_id("declaration", request["request_id"], index) for index in range(2))
    publish(
        console.settings.kafka,
        [
            dataclasses.replace(message, id=name, cause=request["request_id"])
            for message, name in zip(consignment.messages, ids, strict=True)
        ],
    )
    console.catch_up()
    became = console.api("GET", f"/requests/{request['request_id']}").json()
    assert became["outcome"] == "answered" and [a["kind"] for a in became["answers"]] == ["DeclarationAccepted"]


@pytest.mark.parametrize("waited", [False, True])
def test_a_request_that_is_lodged_after_a_withdrawal_is_answered_under_the_next_consignment(
    console: Running, waited: bool
) -> None:
    reference = f"API-W{waited:d}"
    request = console.api("POST", "/declarations", json=paper(reference)).json()["request_id"]
    consignment = Border(reference).lodged().accepted().assessed().held("arrival")
    # the declaration desk read the lodgement before the release desk answered the withdrawal
    if waited:
        consignment.waits(request)
        consignment.messages[-1] = dataclasses.replace(consignment.messages[-1], cause=request)
        consignment.withdrawn().lodged_again(request).accepted()
    else:
        consignment.withdrawn().lodged_again(request)
        consignment.messages[-2:] = [
            dataclasses.replace(message, cause=request) for message in consignment.messages[-2:]
        ]
        consignment.accepted()
    assert consignment.messages[-1].cause == consignment.messages[-2].id, "it answers what was handed on"
    publish(console.settings.kafka, consignment.messages)
    console.catch_up()
    became = console.api("GET", f"/requests/{request}").json()
    kinds = [answer["kind"] for answer in became["answers"]]
    assert became["outcome"] == "answered"
    assert kinds == [*["DeclarationWaits"] * waited, "DeclarationPassedOn", "DeclarationAccepted"]
    first = console.http.get(f"/api/v1/consignments/{consignment.earlier}").json()["consignment"]
    second = console.http.get(f"/api/v1/consignments/{consignment.id}").json()["consignment"]
    assert (first["later"], second["earlier"]) == (consignment.id, consignment.earlier)
    for page, other in ((consignment.earlier, consignment.id), (consignment.id, consignment.earlier)):
        shown = console.http.get(f"/consignments/{page}", headers={"accept": "text/html"}).text
        assert f'href="/consignments/{other}"' in shown


def test_a_batch_answers_for_each_declaration(console: Running) -> None:
    bad = paper("API-B2")
    bad["items"][1]["quantity"] = "many"
    answer = console.api(
        "POST", "/declarations/batch", json={"declarations": [paper("API-B1"), bad, 7, paper("API-B3")]}
    )
    assert answer.status_code == 207
    results = answer.json()
    assert [item["status_code"] for item in results["results"]] == [202, 422, 422, 202]
    assert (results["accepted"], results["refused"]) == (2, 2)
    (fault,) = errors_of(results["results"][1])
    assert fault["pointer"] == "/declarations/1/items/1/quantity" and fault["seen"] == "many"
    assert results["results"][0]["consignment_id"] == consignment_id(DECLARANT, "API-B1")
    assert console.api("POST", "/declarations/batch", json=[paper("API-B4")]).status_code == 202
    many: dict[str, Any] = {"declarations": [{}] * (console.settings.batch_limit + 1)}
    problem(console.api("POST", "/declarations/batch", json=many), 422, "too_many")
    assert console.api("POST", "/declarations/batch", json={"declarations": []}).json()["results"] == []
    faults = problem(console.api("POST", "/declarations/batch", json={"declared": []}), 422, "invalid")["errors"]
    assert faults[0]["pointer"] == "/declarations"


@pytest.mark.parametrize("odd", [b'"\\ud800"', b'"\xed\xa0\x80"', b"[" * 300 + b"]" * 300])
def test_a_batch_that_only_some_parsers_take_is_refused(console: Running, odd: bytes) -> None:
    body = b'{"declarations":[{"reference":%s}]}' % odd
    problem(console.api("POST", "/declarations/batch", content=body, headers=JSON), 400, "not_json")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "not_json"),
        (b"{", 400, "not_json"),
        (b"\xff\xfe\x00", 400, "not_json"),
        (b"[" * 20_000, 400, "not_json"),
        (b"[" * 100_000, 413, "too_many_parts"),
        (b'{"reference":"a","reference":"b"}', 400, "duplicate_key"),
        (b'{"items":[{"unit":"1","unit":"1"}]}', 400, "duplicate_key"),
        (b'{"net_mass_kg":NaN}', 400, "not_json"),
        (b'{"net_mass_kg":1e999}', 422, "invalid"),
        (b'{"containers":[{"shared_by":1' + b"0" * 4000 + b"}]}", 422, "invalid"),
        (b"[]", 422, "invalid"),
        (b"null", 422, "invalid"),
        (b'"text"', 422, "invalid"),
        (json.dumps({**paper("E"), "surprise": 1}).encode(), 422, "invalid"),
        (json.dumps({**paper("E"), "items": paper("E")["items"] * 400}).encode(), 422, "invalid"),
        (json.dumps(paper("E")).encode("utf-16"), 400, "not_json"),
        (json.dumps({**paper("E"), "bill_no": "x" * 2_000_000}).encode(), 413, "too_large"),
    ],
    ids=lambda value: value[:24].decode("latin-1") if isinstance(value, bytes) else None,
)
def test_a_body_that_cannot_be_used_is_refused_with_a_reason(
    console: Running, body: bytes, status: int, code: str
) -> None:
    problem(console.api("POST", "/declarations", content=body, headers=JSON), status, code)


def test_a_treatment_read_every_minute_at_three_places_is_taken(console: Running) -> None:
    goods = consignment_id(DECLARANT, "API-MINUTES")
    readings = [
        {
            "hours": f"{number / 60:.6f}",
            "temperature_c": "21.50",
            "concentration_g_m3": "36.125",
            "place": f"line {line}",
        }
        for line in range(3)
        for number in range(24 * 60 + 1)
    ]
    readings += readings[: MOST_READINGS - len(readings)]
    record = {"origin": "risk", "attempt": 1, "method": "MB", "unit_class": "B", "started_at": "2026-11-23T12:00:00Z"}
    whole = console.api("POST", f"/consignments/{goods}/treatments", json={**record, "readings": readings})
    assert whole.status_code == 202, whole.text
    more = {**record, "readings": [*readings, readings[0]]}
    problem(console.api("POST", f"/consignments/{goods}/treatments", json=more), 422, "invalid")


def test_a_number_of_an_order_that_is_none_is_refused(console: Running) -> None:
    goods = consignment_id(DECLARANT, "API-1")
    record = {"origin": "risk", "attempt": 10**40, "method": "HT", "unit_class": "E", "readings": []}
    answer = console.api("POST", f"/consignments/{goods}/treatments", json=record)
    (fault,) = problem(answer, 422, "invalid")["errors"]
    assert (fault["pointer"], fault["seen"]) == ("/attempt", str(10**40))


def test_each_fault_has_its_pointer_and_words(console: Running) -> None:
    bad = paper("E-2")
    del bad["gross_mass_kg"]
    bad["items"][0]["quantity"] = "a dozen"
    bad["containers"][0]["shared_by"] = 0
    bad["conveyance_entry_date"] = "9999-99-99"
    bad["direction"] = "sideways"
    bad["net_mass_kg"] = float("1e30")
    faults = errors_of(problem(console.api("POST", "/declarations", json=bad), 422, "invalid"))
    by_pointer = {fault["pointer"]: fault for fault in faults}
    assert set(by_pointer) == {
        "/gross_mass_kg",
        "/items/0/quantity",
        "/containers/0/shared_by",
        "/conveyance_entry_date",
        "/direction",
        "/net_mass_kg",
    }
    assert by_pointer["/items/0/quantity"]["seen"] == "a dozen"
    assert by_pointer["/gross_mass_kg"]["message_zh"] == "缺少该项"
    assert all(fault["message_en"] and fault["message_zh"] for fault in faults)


def test_too_large_a_body_is_refused_before_it_was_read(console: Running) -> None:
    host, port = "127.0.0.1", console.settings.console_port
    for head in (b"Content-Length: 900000000\r\n", b"Transfer-Encoding: chunked\r\n"):
        with socket.create_connection((host, port), 10) as line:
            line.sendall(
                b"POST /api/v1/declarations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + f"{LINE}\r\n".encode()
                + head
                + b"\r\n"
            )
            if b"chunked" in head:
                piece = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
                for _ in range(40):
                    try:
                        line.sendall(piece)
                    except OSError:
                        break
            assert b" 413 " in line.recv(4096)


def test_other_types_paths_methods_and_headers_are_problems_too(console: Running) -> None:
    answer = console.api("POST", "/declarations", content=b"<xml/>", headers={"content-type": "text/xml"})
    problem(answer, 415, "not_json_type")
    problem(console.api("GET", "/nothing/here"), 404, "no_such_path")
    answer = console.api("DELETE", "/declarations")
    problem(answer, 405, "wrong_method")
    assert answer.headers["allow"] == "POST"
    assert console.api("DELETE", "/watches").headers["allow"] == "GET, POST"
    problem(console.api("GET", "/consignments/not-an-id"), 422, "invalid")
    odd = {"Idempotency-Key": "a\tb"}
    problem(console.api("POST", "/declarations", json=paper("H"), headers=odd), 400, "bad_header")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda c: st.lists(c) | st.dictionaries(st.sampled_from(["declarations", "items", "reference", "x"]), c),
    )
)
def test_no_json_whatever_makes_the_api_fail(console: Running, body: Any) -> None:
    for path in ("/declarations", "/declarations/batch", f"/consignments/{consignment_id('a', 'b')}/treatments"):
        answer = console.api("POST", path, content=json.dumps(body).encode(), headers=JSON)
        assert answer.status_code in (202, 207, 400, 422), answer.text


def test_without_a_broker_nothing_is_claimed(tmp_path: Path) -> None:
    away = ConsoleSettings(
        kafka=f"127.0.0.1:{free_port()}", database_url=f"sqlite:///{tmp_path}/c.db", console_port=free_port()
    )
    migrate(away.database_url)
    running = Running(away)
    admit(away.database_url)
    running.thread.start()
    wait(lambda: running.server.started, "the server to start")
    answer = running.api("POST", "/declarations", json=paper("away"))
    problem(answer, 503, "not_taken")
    assert answer.headers["retry-after"] == "2"
    ready = running.http.get("/readyz")
    assert ready.status_code == 503 and "kafka" in ready.json()["waiting"]
    assert running.http.get("/livez").status_code == 200
    gate = running.api("GET", "/containers/CSQU3054383").json()
    assert gate["may_leave"] is False
    goods = running.api("GET", f"/consignments/{consignment_id(DECLARANT, 'away')}")
    # The rows are not complete. So the console cannot say that nobody lodged these goods.
    assert goods.status_code == 202
    running.stop()


# answers


def test_the_status_says_what_is_awaited_and_whose_move_it_is(console: Running) -> None:
    consignment = Border("S-1").lodged().accepted().assessed(ControlKind.INSPECTION)
    consignment.held("arrival", "inspection/inspection")
    publish(console.settings.kafka, consignment.messages)
    console.catch_up()
    status = console.api("GET", f"/consignments/{consignment.id}").json()
    goods = status["consignment"]
    assert (goods["stage"], goods["lane"], goods["controls"]) == ("controlled", "red", ["inspection"])
    assert goods["waiting"]["waiting_for"] == "inspection/inspection" and goods["waiting"]["owner"] == "inspection"
    assert (
        "findings of the inspection" in goods["waiting"]["text"]["en"] and "查验结果" in goods["waiting"]["text"]["zh"]
    )
    assert [hold["hold_id"] for hold in goods["holds"]] == ["inspection/inspection", "arrival"]
    assert goods["declaration_no"] == consignment.number and status["projection"]["as_of"]
    lines = console.api("GET", f"/consignments/{consignment.id}/timeline").json()["entries"]
    assert [line["kind"] for line in lines] == [
        status.kind for status in consignment.messages if status.key == consignment.id
    ]
    assert lines[1]["body"]["declaration_no"] == consignment.number and lines[0]["body"] is None
    assert lines[1]["cause"] == lines[0]["id"]
    only = console.api("GET", f"/consignments/{consignment.id}/timeline?only=problems").json()["entries"]
    assert only == []


def test_goods_are_found_by_every_name_they_have(console: Running) -> None:
    consignment = green("S-2/ü", ("TEMU9876540",))
    publish(console.settings.kafka, [*consignment.messages, *Border("S-2b").lodged().messages])
    console.catch_up()
    for name in (consignment.id, consignment.number, "S-2/ü", "TEMU9876540", "temu 987654-0"):
        found = console.api("GET", "/consignments", params={"q": f" {name} "}).json()
        assert [goods["consignment_id"] for goods in found["consignments"]] == [consignment.id], name
    page = console.api("GET", "/consignments", params={"q": DECLARANT, "limit": 1}).json()
    assert len(page["consignments"]) == 1 and page["next"]
    after = console.http.get(page["next"]).json()["consignments"][0]["consignment_id"]
    assert after != page["consignments"][0]["consignment_id"]
    for q in ("%", "' OR 1=1 --", "nobody"):
        assert console.api("GET", "/consignments", params={"q": q}).json()["consignments"] == []
    assert console.api("GET", "/consignments", params={"q": ""}).json()["consignments"], "nothing typed is everything"


def test_what_was_never_lodged_is_404_once_everything_is_read(console: Running) -> None:
    console.catch_up()
    problem(console.api("GET", f"/consignments/{consignment_id('no', 'body')}"), 404, "unknown_consignment")
    problem(console.api("GET", f"/requests/{consignment_id('no', 'body')}"), 404, "unknown_request")


def test_an_act_is_a_request_and_its_outcome_is_told(console: Running) -> None:
    consignment = (
        Border("S-3").lodged().accepted().assessed(ControlKind.INSPECTION).held("inspection/inspection").ordered()
    )
    publish(console.settings.kafka, consignment.messages)
    sent = console.api(
        "POST",
        f"/consignments/{consignment.id}/findings",
        json={"control": "inspection", "result": "conform", "remarks": "seal intact"},
        headers=console.acting_as("officer-7"),
    )
    assert sent.status_code == 202
    (message,) = requests_under(console.settings.kafka, "customs-inspection-requests", consignment.id)
    request = decode(RecordFindings, raw(message))
    assert isinstance(request, RecordFindings) and request.asked_by == "officer-7" and request.remarks == "seal intact"
    console.catch_up()
    assert console.http.get(sent.json()["request"]).json()["outcome"] == "pending"
    consignment.messages.clear()
    consignment.refused_request(code="already_answered")
    fact = consignment.messages[0]
    refusal = json.loads(fact.value) | {"request_id": sent.json()["request_id"]}
    consignment.messages[0] = type(fact)(
        **{**fact.__dict__, "value": json.dumps(refusal).encode(), "cause": sent.json()["request_id"]}
    )
    publish(console.settings.kafka, consignment.messages)
    console.catch_up()
    outcome = console.http.get(sent.json()["request"]).json()
    assert (outcome["outcome"], outcome["refusal_code"]) == ("refused", "already_answered")
    assert outcome["refusal"]["zh"] == "已由先前的请求答复"


@pytest.mark.parametrize(
    ("path", "body", "topic"),
    [
        ("withdrawal", {"reason": "sold"}, "customs-declaration-requests"),
        (
            "treatments",
            {
                "origin": "risk",
                "attempt": 1,
                "method": "HT",
                "unit_class": "E",
                "readings": [{"hours": "0", "temperature_c": "56"}],
            },
            "customs-quarantine-requests",
        ),
        (
            "treatment-decisions",
            {"origin": "risk", "decision": "treat", "goods": "wood", "methods": ["HT"], "reason": "as I see it"},
            "customs-quarantine-requests",
        ),
        (
            "findings/correction",
            {"control": "inspection", "wrong": "r1", "reason": "another lot", "result": "conform"},
            "customs-inspection-requests",
        ),
        (
            "findings/retraction",
            {"control": "inspection", "wrong": "r1", "reason": "another lot"},
            "customs-inspection-requests",
        ),
        (
            "treatments/correction",
            {
                "origin": "risk",
                "attempt": 1,
                "method": "HT",
                "unit_class": "E",
                "readings": [{"hours": "0", "temperature_c": "56"}],
                "wrong": "r1",
                "reason": "another chamber",
            },
            "customs-quarantine-requests",
        ),
        (
            "treatments/retraction",
            {"origin": "risk", "wrong": "r1", "reason": "another chamber"},
            "customs-quarantine-requests",
        ),
        (
            "treatment-decisions/retraction",
            {"origin": "risk", "wrong": "r1", "reason": "not seen"},
            "customs-quarantine-requests",
        ),
        ("holds/lift/retraction", {"wrong": "r1", "reason": "the wrong goods"}, "customs-release-requests"),
        ("arrival", {"place": "yard 3", "occurred_at": "2026-11-23T12:00:00+08:00"}, "customs-release-requests"),
        ("holds", {"reason": "seal differs"}, "customs-release-requests"),
        ("holds/lift", {"hold_id": "officer/1", "reason": "seal explained"}, "customs-release-requests"),
    ],
)
def test_every_act_reaches_its_topic_and_refuses_what_is_no_act(
    console: Running, path: str, body: Any, topic: str
) -> None:
    goods = consignment_id("acts", path)
    sent = console.api("POST", f"/consignments/{goods}/{path}", json=body)
    assert sent.status_code == 202, sent.text
    (message,) = requests_under(console.settings.kafka, topic, goods)
    assert json.loads(message.value())["asked_by"] == "tester"
    faults = problem(
        console.api("POST", f"/consignments/{goods}/{path}", json={"asked_by": "somebody else"}), 422, "invalid"
    )
    assert "/asked_by" in [fault["pointer"] for fault in faults["errors"]]


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("findings", {"control": "inspection", "result": "pest", "pest": "\0" * 300_000}, "/pest"),
        ("findings", {"control": "inspection", "result": "pest", "pest": "beetle\x85"}, "/pest"),
        ("findings", {"control": "inspection", "result": "not_conform", "remarks": "x" * 2001}, "/remarks"),
        ("holds", {"reason": "\0" * 500}, "/reason"),
        ("holds", {"reason": "held", "occurred_at": "0001-01-01T00:00:00Z"}, "/occurred_at"),
        ("holds", {"reason": "held", "occurred_at": "9999-12-31T23:59:59-23:59"}, "/occurred_at"),
        ("holds/lift", {"hold_id": "h" * 241, "reason": "r"}, "/hold_id"),
        ("arrival", {"place": "yard\u202e3"}, "/place"),
        ("withdrawal", {"reason": "sold\x1b[2J"}, "/reason"),
    ],
)
def test_words_and_times_without_bounds_are_refused_at_the_door(
    console: Running, path: str, body: Any, pointer: str
) -> None:
    goods = consignment_id("bounds", path)
    (fault,) = problem(console.api("POST", f"/consignments/{goods}/{path}", json=body), 422, "invalid")["errors"]
    assert fault["pointer"] == pointer and len(fault["seen"]) <= 120


def test_a_declaration_is_bounded_at_the_door(console: Running) -> None:
    bad = {**paper("BOUNDS-1"), "bill_no": "C\tD"}
    bad["conveyance_entry_date"] = "0001-01-01"
    bad["packages"] = 10**30
    bad["items"][0]["unit_price"] = "1." + "0" * 100_000
    bad["items"][1]["description"] = "steel\0"
    faults = problem(console.api("POST", "/declarations", content=json.dumps(bad), headers=JSON), 422, "invalid")
    assert {fault["pointer"] for fault in errors_of(faults)} == {
        "/bill_no",
        "/conveyance_entry_date",
        "/packages",
        "/items/0/unit_price",
        "/items/1/description",
    }


@pytest.mark.parametrize(
    "moment",
    [46351.33, 1764000000, "46351.33", "20261125080000", "2026-11-25", "2026-11-25T08:00:00", "2026-11-25 08:00:00Z"],
)
def test_a_time_is_written_as_rfc_3339_writes_it_with_its_offset(console: Running, moment: object) -> None:
    """An older version read serial numbers of spreadsheets and compact time stamps as seconds since 1970."""
    goods, body = consignment_id(DECLARANT, "API-TIME"), {"place": "berth 1", "occurred_at": moment}
    (fault,) = problem(console.api("POST", f"/consignments/{goods}/arrival", json=body), 422, "invalid")["errors"]
    assert fault["pointer"] == "/occurred_at" and "2026-11-23T08:00:00+08:00" in fault["message_en"]
    paper_with_serial = paper("API-TIME") | {"conveyance_entry_date": 46351}
    (fault,) = errors_of(problem(console.api("POST", "/declarations", json=paper_with_serial), 422, "invalid"))
    assert fault["pointer"] == "/conveyance_entry_date"


def test_an_event_of_the_future_is_an_estimate_and_none_that_happened(console: Running) -> None:
    goods, body = consignment_id(DECLARANT, "API-FUTURE"), {"place": "berth 1"}
    ahead = {"occurred_at": (now() + timedelta(days=2)).isoformat()}
    (fault,) = problem(console.api("POST", f"/consignments/{goods}/arrival", json=body | ahead), 422, "invalid")[
        "errors"
    ]
    assert (fault["pointer"], fault["code"]) == ("/occurred_at", "in_future")
    late = {"occurred_at": (now() - timedelta(days=2)).isoformat()}
    assert console.api("POST", f"/consignments/{goods}/arrival", json=body | late).status_code == 202


def test_a_declarant_has_no_slash_so_that_its_name_and_reference_name_one_consignment(console: Running) -> None:
    assert consignment_id("X/A", "B") == consignment_id("X", "A/B"), "the two were one consignment"
    bad = paper("B") | {"declarant": "X/A"}
    faults = problem(console.api("POST", "/declarations", json=bad), 422, "invalid")["errors"]
    assert [(each["pointer"], each["severity"]) for each in faults] == [
        ("/declarant", "error"),
        ("/consignee", "warning"),
    ]
    assert console.api("POST", "/declarations", json=paper("A/B")).status_code == 202


def test_a_request_about_a_subject_of_any_signs_has_its_links(console: Running) -> None:
    for number in ("集装箱1", "ſ", "箱 1?#%", "\U0008d5f6"):
        answer = console.api("POST", f"/containers/{quote(number, safe='')}/gate-outs", json={"gate": "G"})
        assert answer.status_code == 202, "it was taken in, and so it has to be said"
        link = answer.headers["location"]
        assert answer.json()["status"] == link
        assert console.http.get(link).json()["container_no"] == plain(number)


def test_a_gate_out_is_bounded_at_the_door(console: Running) -> None:
    for body in ({"gate": "G\0"}, {"gate": "g" * 101}):
        (fault,) = problem(console.api("POST", "/containers/MSKU9070323/gate-outs", json=body), 422, "invalid")[
            "errors"
        ]
        assert fault["pointer"] == "/gate"
    assert console.api("POST", "/containers/%00%01/gate-outs", json={"gate": "G"}).status_code in (400, 404, 422)


# ports


def test_the_gate_says_no_until_everything_says_yes(console: Running) -> None:
    box = "BMOU4012345"
    # After this call the read model is not stale. So the answer is `unknown`, because no message names this container.
    console.catch_up()
    unknown = console.api("GET", f"/containers/{box}").json()
    assert (unknown["may_leave"], unknown["reason"]) == (False, "unknown")
    consignment = Border("G-1", (box,)).lodged().accepted().assessed().held("arrival")
    publish(console.settings.kafka, consignment.messages)
    console.catch_up()
    held = console.api("GET", f"/containers/{box.lower()}").json()
    assert (held["may_leave"], held["reason"], held["waiting_for"]) == (False, "held", [consignment.id])
    consignment.messages.clear()
    publish(console.settings.kafka, consignment.arrived().released().may_leave().messages)
    console.catch_up()
    free = console.api("GET", f"/containers/{box}").json()
    assert (free["may_leave"], free["reason"], free["consignments"]) == (True, "released", [consignment.id])
    assert free["as_of"] and free["lag_seconds"] < 10
    sent = console.api(
        "POST", f"/containers/{box}/gate-outs", json={"gate": "G2"}, headers=console.acting_as("terminal-1")
    )
    assert sent.status_code == 202 and sent.json()["status"] == f"/api/v1/containers/{box}"
    assert len(requests_under(console.settings.kafka, "customs-gate-requests", box)) == 1


def test_a_hold_keeps_its_goods_at_the_gate_from_the_moment_it_is_asked_until_a_fact_names_it(console: Running) -> None:
    """No release desk runs here, so the test itself writes the facts that answer the hold."""
    consignment = red("H-1", (box := "HLBU1234567",))
    publish(console.settings.kafka, consignment.messages)
    console.catch_up()

    def answer() -> tuple[bool, str]:
        gate = console.api("GET", f"/containers/{box}").json()
        return gate["may_leave"], gate["reason"]

    assert answer() == (True, "released")
    request = console.api("POST", f"/consignments/{consignment.id}/holds", json={"reason": "seals"}).json()[
        "request_id"
    ]
    assert answer() == (False, "hold_asked")
    console.catch_up()
    assert answer() == (False, "hold_asked"), "its message was read, and nobody has answered it"
    engine = console.app.state.context.asker._engine
    refused = RequestRefused(
        occurred_at=consignment.at,
        subject=consignment.id,
        request_id=request,
        request_kind="PlaceHold",
        code="hold_unknown",
        reason="x",
    )
    consignment.messages.clear()
    message = consignment._say("release", refused)
    publish(console.settings.kafka, [dataclasses.replace(message, id=fact_id("release", request, 0), cause=request)])
    console.catch_up()
    assert answer() == (True, "released")
    never_sent = {
        "request_id": "never sent",
        "consignment_id": consignment.id,
        "about": consignment.id,
        "asked_us": asked_us(consignment.at + timedelta(days=9000)),
    }
    with engine.begin() as connection:
        connection.execute(insert(ASKED_HOLDS), never_sent)
    assert answer() == (False, "hold_asked"), "a console that asks may be about to send it"
    with engine.begin() as connection:
        connection.execute(update(ASKED_HOLDS).values(asked_us=asked_us(consignment.at - timedelta(days=1))))
    assert answer() == (True, "released"), "it is in none of the complete rows: it was never sent"
    goods = {"consignment_id": consignment.id, "about": consignment.id}
    old = [{"request_id": f"old {n}", **goods, "asked_us": n} for n in range(1500)]
    with engine.begin() as connection:
        connection.execute(insert(ASKED_HOLDS), old)
    again = console.api("POST", f"/consignments/{consignment.id}/holds", json={"reason": "seals"}).json()["request_id"]
    assert answer() == (False, "hold_asked"), "however many were never sent before it"
    console.catch_up()
    with engine.begin() as connection:
        sent = connection.execute(select(FACTS.c.place).where(FACTS.c.id == again)).scalar_one()
        topic, partition, offset = origin(sent)
        row = {"service": "release", "topic": topic, "partition": partition, "offset": offset, "key": consignment.id}
        connection.execute(insert(PARKED), row | {"kind": "PlaceHold", "status": "discarded"})
    assert answer() == (True, "released"), "an operator threw it away"


@pytest.mark.parametrize(
    ("box", "path", "body"),
    [
        ("TEMU1000001", "holds/lift/retraction", {"wrong": "l1", "reason": "the wrong goods"}),
        ("TEMU1000002", "findings/retraction", {"control": "inspection", "wrong": "f1", "reason": "the wrong goods"}),
        ("TEMU1000003", "treatments/retraction", {"origin": "risk", "wrong": "t1", "reason": "another chamber"}),
    ],
)
def test_what_an_officer_takes_back_keeps_its_goods_from_the_moment_it_is_asked(
    console: Running, box: str, path: str, body: dict[str, str]
) -> None:
    """No desk runs here. The officer takes back a lift, findings or a treatment record because of which the goods were
    released."""
    consignment = red(f"T-{box}", (box,))
    publish(console.settings.kafka, consignment.messages)
    console.catch_up()
    assert console.api("GET", f"/containers/{box}").json()["may_leave"] is True
    assert console.api("POST", f"/consignments/{consignment.id}/{path}", json=body).status_code == 202
    gate = console.api("GET", f"/containers/{box}").json()
    assert (gate["may_leave"], gate["reason"]) == (False, "hold_asked")


def asked_us(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)


def test_ports_follow_releases_by_cursor_long_poll_and_stream(console: Running) -> None:
    first = red("F-1", ("FSCU8012345",))
    publish(console.settings.kafka, first.messages)
    console.catch_up()
    end = console.api("GET", "/releases?limit=1000").json()
    while end["more"]:
        end = console.api("GET", f"/releases?limit=1000&after={end['cursor']}").json()
    assert first.id in [entry["consignment_id"] for entry in end["releases"]]
    numbers = [int(entry["cursor"].rpartition(".")[2]) for entry in end["releases"]]
    assert numbers == sorted(set(numbers))
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(console.api, "GET", f"/releases?after={end['cursor']}&wait=280", timeout=None)
        streamed = pool.submit(_first_event, f"{console.address}/api/v1/releases/stream?after={end['cursor']}")
        second = red("F-2", ("FSCU8012350",))
        publish(console.settings.kafka, second.messages)
        # the release ends the long poll before the 280 seconds are over
        came = waiting.result(200).json()
        assert [(e["kind"], e["consignment_id"]) for e in came["releases"]] == [("ReleaseGranted", second.id)]
        event = streamed.result()
    assert event["id"] == str(came["cursor"]) and json.loads(event["data"]) == came["releases"][0]
    second.messages.clear()
    publish(console.settings.kafka, second.revoked().messages)
    console.catch_up()
    revoked = console.api("GET", f"/releases?after={came['cursor']}").json()["releases"]
    assert [(e["kind"], e["reason"]) for e in revoked] == [("ReleaseRevoked", None)], (
        "what an officer wrote stays inside"
    )
    assert revoked[0]["version"] > came["releases"][0]["version"]
    assert console.api("GET", f"/releases?after={revoked[0]['cursor']}&wait=0.2").json()["releases"] == []
    problem(console.api("GET", "/releases?after=999999"), 410, "wrong_feed")


def _first_event(url: str) -> dict[str, str]:
    with httpx2.Client(timeout=200, headers=headers_of()) as http, http.stream("GET", url) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        event: dict[str, str] = {}
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if name in ("id", "data"):
                event[name] = value
            if len(event) == 2:
                return event
    raise AssertionError("the stream ended")


# operations


def test_the_board_counts_what_the_rows_say(console: Running) -> None:
    consignments = [Border("O-1").lodged().accepted().parked(offset=4711), Border("O-2").lodged().alarm()]
    publish(console.settings.kafka, [message for border in consignments for message in border.messages])
    console.catch_up()
    board = console.api("GET", "/stages").json()
    parked = next(stage for stage in board["stages"] if stage["stage"] == "parked")
    assert parked["consignments"] >= 1 and parked["oldest_owner"] == "operations" and board["parked_messages"] >= 1
    assert any(alarm["kind"] == "GateAlarmRaised" for alarm in board["alarms"])
    aside = [each for page in pages(console, "/api/v1/parked?limit=500") for each in page["parked"]]
    mine = next(each for each in aside if each["key"] == consignments[0].id)
    assert mine["reason_text"] == {"zh": "判定时出错", "en": "deciding failed"} and mine["service"] == "release"
    assert console.api("GET", f"/consignments/{consignments[0].id}").json()["consignment"]["stage"] == "parked"
    listed = [goods for page in pages(console, "/api/v1/consignments?stage=parked") for goods in page["consignments"]]
    assert consignments[0].id in [goods["consignment_id"] for goods in listed]
    metrics = console.http.get("/metrics").text
    assert 'customs_console_http_total{method="GET",route="/api/v1/stages",status="200"}' in metrics
    assert "customs_console_lag_seconds" in metrics


def test_each_time_limit_that_was_set_aside_is_told_by_console_and_command(console: Running) -> None:
    """Time limits have no position in a topic. In an older version, all parked time limits of one partition had the
    same name, so only one of them was listed."""
    goods = [Border(f"LIMITS-{n}").lodged().accepted().parked_limit("overdue") for n in range(2)]
    goods[0].parked_limit("answer")
    publish(console.settings.kafka, [message for border in goods for message in border.messages])
    console.catch_up()
    keys = sorted([goods[0].id, goods[0].id, goods[1].id])
    listed = [each for page in pages(console, "/api/v1/parked?limit=500") for each in page["parked"]]
    mine = [each for each in listed if each["key"] in keys]
    assert sorted(each["key"] for each in mine) == keys
    assert len({each["topic"] for each in mine}) == 3 and all(each["kind"] == "DeadlinePassed" for each in mine)
    parked = [each for each in waiting(console.settings.kafka) if each.key in keys]
    assert sorted(each.key for each in parked) == keys and len({each.name for each in parked}) == 3


def test_openapi_is_the_committed_document() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "run: make openapi"


def test_the_console_ends_soon_after_sigterm_even_with_open_streams(bootstrap: str, tmp_path: Path) -> None:
    port = free_port()
    env = {
        "DTG_KAFKA": bootstrap,
        "DTG_DATABASE_URL": f"sqlite:///{tmp_path}/c.db",
        "DTG_CONSOLE_PORT": str(port),
        "PATH": "/usr/bin",
    }
    code = "from services.console.main import serve; from services.console.settings import ConsoleSettings; serve(ConsoleSettings())"
    process = subprocess.Popen([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    http = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, headers=headers_of())

    def ready() -> bool:
        try:
            return http.get("/readyz").status_code == 200
        except httpx2.TransportError:
            return False

    try:
        wait(ready, "the console to be ready")
        admit(env["DTG_DATABASE_URL"])
        with http.stream("GET", "/api/v1/releases/stream?after=0") as open_stream:
            next(open_stream.iter_lines())
            files = list(tmp_path.iterdir())
            assert files and {file.stat().st_mode & 0o777 for file in files} == {0o600}
            process.send_signal(signal.SIGTERM)
            # the console must end although the client still reads its stream
            wait(lambda: process.poll() is not None, "the console to end")
            assert process.returncode == 0
    finally:
        process.kill()
        output = process.communicate()[0].decode()
        http.close()
    assert "Traceback" not in output, output


def test_what_was_told_of_goods_that_nobody_lodged_is_listed_apart_and_on_no_board(console: Running) -> None:
    """In an older version, the board counted goods that do not exist, if somebody had placed a hold on an id that was
    never declared."""

    def counted() -> dict[str, int]:
        return {each["stage"]: each["consignments"] for each in console.api("GET", "/stages").json()["stages"]}

    def listed(days: int) -> list[str]:
        found = console.api("GET", "/unmatched", params={"days": days, "limit": 200}).json()["consignments"]
        return [each["consignment_id"] for each in found]

    # The rows may still lack messages of other tests. They must be in the rows before the first count.
    console.catch_up()
    before, phantom = counted(), Border("NEVER LODGED", start=now() - timedelta(days=20)).held("officer/1")
    publish(console.settings.kafka, phantom.messages)
    console.catch_up()
    assert counted() == before
    assert phantom.id in listed(10) and phantom.id not in listed(30)
    [shown] = console.api("GET", "/consignments", params={"q": phantom.id}).json()["consignments"]
    assert shown["stage"] is None and shown["stage_text"]["en"] == "Not declared"
    publish(console.settings.kafka, phantom.lodged().messages[-1:])
    console.catch_up()
    assert phantom.id not in listed(0) and counted() != before
