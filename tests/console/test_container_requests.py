"""Are reports, findings and holds about containers accepted correctly, and does a hold keep its container at the gate
as soon as the console has answered 202?"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from deploy.kafka.broker import free_port
from schemas.codes import uscc
from schemas.codes.refusals import RefusalCode
from schemas.envelope import RequestRefused, fact_id
from schemas.gate import ContainerHoldPlaced, RecordEquipmentEvent, RetractEquipmentEvent
from schemas.topics import requests_topic
from services.cli.port import port_app
from services.console.access.accounts import written
from services.console.readmodel.database import migrate
from services.console.settings import ConsoleSettings
from services.shell.clock import now
from services.shell.codec import decode, raw
from services.shell.private_file import write_private
from tests.conftest import PARTITIONS
from tests.console.border import Border, publish
from tests.console.conftest import Running
from tests.console.test_api import paper, problem, requests_under
from tests.people import key_of

EVENT = {"event": "DISC", "place": "Qianwan 3", "laden": True, "occurred_at": "2026-11-25T12:00:00+08:00"}


def post(console: Running, path: str, body: dict[str, Any], **headers: str) -> Any:
    return console.api("POST", path, json=body, headers=headers)


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/events", EVENT, "RecordEquipmentEvent"),
        ("/events/report-1/retraction", {"reason": "another box"}, "RetractEquipmentEvent"),
        ("/findings", {"found": "inside", "lots": 2, "reason": "seen in row 4"}, "RecordContainerFinding"),
        ("/findings/retraction", {"wrong": "finding-1", "reason": "another box"}, "RetractContainerFinding"),
        ("/strikes", {"consignment_id": "0" * 36, "reason": "not in it"}, "StrikeLot"),
        ("/strikes/retraction", {"consignment_id": "0" * 36, "reason": "it is in it"}, "RetractStrike"),
        (
            "/permits",
            {"consignment_id": "0" * 36, "ground": "export_cancelled", "reason": "cancelled"},
            "PermitExit",
        ),
        ("/holds", {"reason": "seal broken"}, "PlaceContainerHold"),
        ("/holds/hold-1/lift", {"reason": "looked at"}, "LiftContainerHold"),
    ],
)
def test_each_request_about_a_container_is_on_the_topic_before_its_202(
    console: Running, bootstrap: str, path: str, body: dict[str, Any], kind: str
) -> None:
    number = f"TSTU{abs(hash(kind)) % 10**7:07}"
    answer = post(console, f"/containers/{number}{path}", body)
    assert answer.status_code == 202, answer.text
    receipt = answer.json()
    assert (receipt["container_no"], receipt["status"]) == (number, f"/api/v1/containers/{number}")
    (sent,) = requests_under(bootstrap, requests_topic("gate"), number)
    assert dict(sent.headers())["ce_type"] == kind.encode()
    assert console.api("GET", receipt["request"].removeprefix("/api/v1")).status_code == 200


def test_an_event_without_its_time_or_with_a_number_for_one_is_422(console: Running) -> None:
    for at, code in ((None, "missing"), (46351.33, "datetime_parsing"), ("20261125080000", "datetime_parsing")):
        body = {name: value for name, value in {**EVENT, "occurred_at": at}.items() if value is not None}
        details = problem(post(console, "/containers/TSTU0000001/events", body), 422, "invalid")
        assert [(fault["pointer"], fault["code"]) for fault in details["errors"]] == [("/occurred_at", code)], at
    naive = problem(
        post(console, "/containers/TSTU0000001/events", {**EVENT, "occurred_at": "2026-11-25T12:00:00"}), 422, "invalid"
    )
    assert naive["errors"][0]["pointer"] == "/occurred_at"
    ahead = (now() + timedelta(days=2)).isoformat()
    details = problem(post(console, "/containers/TSTU0000001/events", {**EVENT, "occurred_at": ahead}), 422, "invalid")
    assert details["errors"][0]["code"] == "in_future"
    details = problem(
        post(console, f"/consignments/{'0' * 36}/arrival", {"place": "x", "occurred_at": 46351.33}), 422, "invalid"
    )
    assert details["errors"][0]["pointer"] == "/occurred_at", "the same for every request that tells a time"


def test_an_event_is_the_same_by_sender_container_kind_and_time_where_no_key_is_given(console: Running) -> None:
    def request_id_of(**changed: Any) -> str:
        who = str(changed.pop("who", "terminal-1"))
        answer = post(console, "/containers/TSTU0000002/events", {**EVENT, **changed}, **console.acting_as(who))
        assert answer.status_code == 202, answer.text
        return str(answer.json()["request_id"])

    first = request_id_of()
    assert (
        request_id_of() == first == request_id_of(classifier="ACT") == request_id_of(occurred_at="2026-11-25T04:00:00Z")
    )
    others = {
        request_id_of(event="GTOT"),
        request_id_of(classifier="EST"),
        request_id_of(occurred_at="2026-11-25T12:00:01+08:00"),
        request_id_of(who="terminal-2"),
        request_id_of(replaces=first, place="Qianwan 4"),
    }
    assert len({first, *others}) == 6
    wrong = post(
        console, "/containers/TSTU0000002/events", {**EVENT, "place": "Qianwan 4"}, **console.acting_as("terminal-1")
    )
    problem(wrong, 422, "event_reused")
    keyed = post(
        console, "/containers/TSTU0000002/events", EVENT, **console.acting_as("terminal-1"), **{"Idempotency-Key": "k"}
    )
    assert keyed.json()["request_id"] not in {first, *others}


REPORTS: dict[str, dict[str, Any]] = {
    "/events": {**EVENT, "event": "GTOT"},
    "/events/report-1/retraction": {"reason": "another box"},
    "/gate-outs": {"gate": "G3"},
    "/findings": {"found": "outside", "reason": "seen on the road"},
}


@pytest.fixture
def second(console: Running) -> Iterator[Running]:
    """Another console on the same database; only the first console writes the rows."""
    running = Running(console.settings.model_copy(update={"console_port": free_port(), "projector": "own"}))
    running.start()
    yield running
    running.stop()


def test_a_report_about_a_container_counts_at_every_console_from_its_202_on(
    console: Running, second: Running, bootstrap: str
) -> None:
    """No gate desk runs here. The consoles must not repeat the gate desk's last yes, because the visit may have ended,
    and the container may be back with other goods."""
    for number, (path, body) in enumerate(REPORTS.items()):
        box = f"TSTU000005{number}"
        story = Border(f"CR-{number}", (box,)).lodged().accepted().assessed().held("arrival").arrived().released()
        publish(bootstrap, story.may_leave().messages)
        console.catch_up()

        def answers(box: str = box) -> set[tuple[bool, str]]:
            found = [each.api("GET", f"/containers/{box}").json() for each in (console, second)]
            return {(answer["may_leave"], answer["reason"]) for answer in found}

        assert answers() == {(True, "released")}
        sent = post(console, f"/containers/{box}{path}", body, **console.acting_as("terminal-1"))
        assert sent.status_code == 202, sent.text
        assert answers() == {(False, "hold_asked")}, path
        console.catch_up()
        assert answers() == {(False, "hold_asked")}, f"{path}: its message was read, and no desk has answered"
        (request,) = requests_under(bootstrap, requests_topic("gate"), box)
        kind, id_ = dict(request.headers())["ce_type"].decode(), sent.json()["request_id"]
        refused = RequestRefused(
            occurred_at=story.at,
            subject=box,
            request_id=id_,
            request_kind=kind,
            code=RefusalCode.REPORT_UNKNOWN,
            reason="x",
        )
        publish(bootstrap, [replace(story._say("gate", refused), id=fact_id("gate", id_, 0), cause=id_)])
        console.catch_up()
        assert answers() == {(True, "released")}, f"{path}: it changed nothing"


def test_a_stripping_counts_for_the_boxes_into_which_the_goods_went(
    console: Running, second: Running, bootstrap: str
) -> None:
    box, other = "TSTU0000061", "TSTU0000062"
    story = Border("CR-STRP", (other,)).lodged().accepted().assessed().held("arrival").arrived().released()
    publish(bootstrap, story.may_leave().messages)
    console.catch_up()

    def answers() -> set[tuple[bool, str]]:
        found = [each.api("GET", f"/containers/{other}").json() for each in (console, second)]
        return {(answer["may_leave"], answer["reason"]) for answer in found}

    assert answers() == {(True, "released")}
    body = {**EVENT, "event": "STRP", "targets": [other.lower()]}
    sent = post(console, f"/containers/{box}/events", body, **console.acting_as("terminal-1"))
    assert sent.status_code == 202, sent.text
    assert answers() == {(False, "hold_asked")}
    console.catch_up()
    assert answers() == {(False, "hold_asked")}, "its message was read, and no desk has answered"
    id_ = sent.json()["request_id"]
    refused = RequestRefused(
        occurred_at=story.at,
        subject=box,
        request_id=id_,
        request_kind="RecordEquipmentEvent",
        code=RefusalCode.TOO_MANY_REPORTS,
        reason="x",
    )
    publish(bootstrap, [replace(story._say("gate", refused), id=fact_id("gate", id_, 0), cause=id_)])
    console.catch_up()
    assert answers() == {(True, "released")}


def test_a_hold_on_a_container_keeps_it_from_its_202_on(console: Running, bootstrap: str) -> None:
    number = "TSTU0000003"
    consignment = (
        Border("CH-1", (number,)).lodged().accepted().assessed().held("arrival").arrived().released().may_leave()
    )
    publish(bootstrap, consignment.messages)
    console.catch_up()

    def container() -> dict[str, Any]:
        answer: dict[str, Any] = console.api("GET", f"/containers/{number}").json()
        return answer

    assert container()["may_leave"] is True
    receipt = post(
        console, f"/containers/{number}/holds", {"reason": "seal broken"}, **console.acting_as("officer-7")
    ).json()
    assert (container()["may_leave"], container()["reason"]) == (False, "hold_asked")
    console.catch_up()
    assert container()["reason"] == "hold_asked", "its message was read, and the gate desk has not answered"
    consignment.gate_says(
        ContainerHoldPlaced, hold_id=receipt["request_id"], reason="seal broken", placed_by="officer-7"
    )
    consignment.messages[-1] = consignment.messages[-1].__class__(
        **{**consignment.messages[-1].__dict__, "cause": receipt["request_id"]}
    )
    publish(bootstrap, consignment.messages[-1:])
    console.catch_up()
    answer = container()
    assert (answer["may_leave"], answer["reason"], answer["detail"]) == (False, "box_held", "seal broken")
    for role in ("terminal", "carrier", "declarant", "treatment"):
        key = console.acting_as(f"outside-{role}", roles=role)
        told_outside = console.api("GET", f"/containers/{number}", headers=key)
        page = console.http.get(f"/containers/{number}", headers=key)
        assert told_outside.json()["reason"] == "box_held" and page.status_code == 200
        for text in (told_outside.text, page.text):
            assert "seal broken" not in text and "officer-7" not in text, "the words stay inside"
    assert [hold["hold_id"] for hold in answer["holds"]] == [receipt["request_id"]]


def test_an_arrival_names_boxes_and_pieces(console: Running, bootstrap: str) -> None:
    consignment = Border("CH-2", ("TSTU0000004", "TSTU0000005"))
    body = {"place": "Qianwan 3", "containers": ["TSTU0000004"], "pieces": 4}
    assert post(console, f"/consignments/{consignment.id}/arrival", body).status_code == 202
    (sent,) = requests_under(bootstrap, requests_topic("release"), consignment.id)
    assert b'"containers":["TSTU0000004"]' in sent.value() and b'"pieces":4' in sent.value()


@pytest.fixture(scope="module")
def strict(bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Running]]:
    """Two consoles on one database that allow a declarant three containers a day."""
    url = f"sqlite:///{tmp_path_factory.mktemp('strict')}/console.db"
    migrate(url)
    made = [
        Running(
            ConsoleSettings(
                kafka=bootstrap,
                partitions=PARTITIONS,
                database_url=url,
                console_port=free_port(),
                boxes_a_day=3,
                projector="inside" if number == 0 else "own",
            )
        )
        for number in range(2)
    ]
    for running in made:
        running.start()
    yield made[0], made[1]
    for running in made:
        running.stop()


def test_a_declarant_names_so_many_containers_a_day_at_most(strict: tuple[Running, Running]) -> None:
    first, second = strict
    # All tests use the same topics. So this test uses declarants that no other test uses.
    mine, other = [body + uscc.check_sign(body) for body in ("91370200999990001", "91370200999990002")]

    def lodge(console: Running, reference: str, *boxes: str, declarant: str = mine) -> Any:
        return console.api(
            "POST", "/declarations", json=paper(reference, containers=boxes, declarant=declarant, consignee=declarant)
        )

    same = [lodge(first, f"BOX-1-{number}", "TSTU0000011") for number in range(5)]
    assert {each.status_code for each in same} == {202}, "the same box again counts nothing more"
    assert lodge(first, "BOX-2", "TSTU0000011", "TSTU0000012").status_code == 202
    refused = lodge(first, "BOX-3", "TSTU0000013", "TSTU0000014")
    details = problem(refused, 429, "too_many_boxes")
    assert "3" in details["detail"] and "3" in details["detail_zh"] and int(refused.headers["Retry-After"]) > 0
    first.catch_up()
    problem(lodge(second, "BOX-4", "TSTU0000015", "TSTU0000016"), 429, "too_many_boxes")
    assert lodge(second, "BOX-5", "TSTU0000015").status_code == 202, "the third one"
    assert lodge(second, "BOX-6", "TSTU0000016", "TSTU0000017", declarant=other).status_code == 202
    batch = [
        paper(f"BOX-{number}", containers=boxes, declarant=mine, consignee=mine)
        for number, boxes in ((7, ("TSTU0000011",)), (8, ("TSTU0000018", "TSTU0000019")))
    ]
    answer = second.api("POST", "/declarations/batch", json={"declarations": batch})
    assert answer.status_code == 207
    assert [one["status_code"] for one in answer.json()["results"]] == [202, 429]
    assert answer.json()["results"][1]["code"] == "too_many_boxes" and answer.json()["accepted"] == 1


def test_a_terminal_tells_and_retracts_from_the_command_line(
    console: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, file = "TGHU1234562", tmp_path / "terminal.key"
    console.acting_as("terminal-9", roles="terminal", company="Qianwan")
    write_private(file, written(key_of("terminal-9")))

    def dtg(*arguments: str) -> Result:
        return CliRunner().invoke(port_app, [*arguments, "--where", console.address])

    when = ("--place", "Qianwan 3", "--at", "2026-11-25T08:00:00+08:00")
    monkeypatch.setenv("DTG_HOME", str(tmp_path))
    unknown = dtg("tell", box, "DISC", *when)
    assert unknown.exit_code == 1 and "DTG_API_KEY_FILE" in unknown.output, unknown.output
    monkeypatch.setenv("DTG_API_KEY_FILE", str(file))
    result = dtg("tell", box, "DISC", *when, "--laden", "--conveyance", "EVER 041E", "--key", "cli-1")
    assert result.exit_code == 0, result.output
    report = result.output.split()[2]
    assert (
        dtg("tell", box, "DISC", *when, "--laden", "--conveyance", "EVER 041E", "--key", "cli-1").output
        == result.output
    )
    (message,) = requests_under(console.settings.kafka, "customs-gate-requests", box)
    recorded = decode(RecordEquipmentEvent, raw(message))
    assert isinstance(recorded, RecordEquipmentEvent) and raw(message).text("ce_id") == report
    assert (recorded.event, recorded.laden, recorded.conveyance) == ("DISC", True, "EVER 041E")
    assert (recorded.asked_by, recorded.on_behalf_of) == ("terminal-9", "Qianwan")
    back = dtg("retract", box, report, "--reason", "another box")
    assert back.exit_code == 0, back.output
    other = decode(RetractEquipmentEvent, raw(requests_under(console.settings.kafka, "customs-gate-requests", box)[1]))
    assert isinstance(other, RetractEquipmentEvent) and other.report_id == report
    wrong = dtg("tell", box, "DISC", "--place", "Qianwan 3", "--at", "yesterday")
    assert wrong.exit_code == 1 and "/occurred_at" in wrong.output and "not taken" in wrong.output
    nobody = CliRunner().invoke(port_app, ["tell", box, "DISC", *when, "--where", f"http://127.0.0.1:{free_port()}"])
    assert nobody.exit_code == 1 and "does not answer" in nobody.output
