"""Do the pages show what the rows say, also to a client without JavaScript, and do forms refuse requests from other
sites?"""

import csv
import dataclasses
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import orjson
import pytest

from deploy.kafka.broker import free_port
from schemas.inspection import CorrectFindings, FindingsResult, RetractFindings
from schemas.quarantine import DecideTreatment, RecordTreatment
from schemas.topics import FACTS_AND_REQUESTS
from schemas.vocabulary import WATCHES, ControlKind, GoodsClass, TreatmentMethod, consignment_id
from services.console.pages import board_and_goods
from services.console.pages.rendering import FOLDER
from services.shell.clock import now
from tests.console.border import DECLARANT, NOON, Border, PublishedMessage, green, publish, red
from tests.console.conftest import Running
from tests.console.test_api import requests_under
from tests.people import admit, headers_of
from tests.waiting import wait

BROWSER = {"accept": "text/html,application/xhtml+xml", "accept-language": "en-GB,en;q=0.9"}
EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"


def get(console: Running, path: str, **how: Any) -> httpx2.Response:
    """Gets a page without cookies, with the API key of an account that may do everything."""
    return httpx2.get(console.address + path, timeout=30, **_signed(how))


def post(console: Running, path: str, **how: Any) -> httpx2.Response:
    return httpx2.post(console.address + path, timeout=30, **_signed(how))


def _signed(how: dict[str, Any]) -> dict[str, Any]:
    return {**how, "headers": headers_of() | how.get("headers", {})}


def page(console: Running, path: str, status: int = 200, **more: str) -> str:
    """The text of a page, as a browser asks for it."""
    answer = get(console, path, headers={**BROWSER, **more})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    return text_of(answer)


def text_of(answer: httpx2.Response) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def request_id_of(answer: httpx2.Response) -> str:
    """The id of the request that was made from a form."""
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"]).partition("asked=")[2]


# problems


def test_what_is_not_there_is_a_page_for_a_browser_and_a_problem_for_a_program(console: Running) -> None:
    assert "404 No such address GET /nowhere" in page(console, "/nowhere", 404)
    assert "没有这个地址" in page(console, "/nowhere", 404, **{"accept-language": "zh"})
    nobody = consignment_id(DECLARANT, "NOBODY")
    console.catch_up()
    assert "No such consignment" in page(console, f"/consignments/{nobody}", 404)
    assert "No such request" in page(console, f"/requests/{nobody}", 404)
    for path in (f"/api/v1/consignments/{nobody}", "/api/v1/nowhere"):
        answer = get(console, path, headers=BROWSER)
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("application/problem+json")
    assert get(console, "/nowhere").headers["content-type"].startswith("application/problem+json")


def test_an_address_with_a_wrong_part_says_which(console: Running) -> None:
    assert "/query/stage" in page(console, "/consignments?stage=lost", 422)
    assert "/query/cursor" in page(console, "/consignments?cursor=-1", 422)
    wrong = post(console, "/consignments", headers=BROWSER)
    assert wrong.status_code == 405
    assert "does not take that method" in text_of(wrong)
    assert post(console, "/consignments/x/act/sing", data={"actor": "x"}, headers=BROWSER).status_code == 404


def test_every_page_tells_the_browser_what_it_may_do(console: Running) -> None:
    for path in ("/", "/consignments", "/consignments.csv", "/lodge", "/docs", "/parked", "/nowhere"):
        headers = get(console, path, headers=BROWSER).headers
        assert headers["content-security-policy"].startswith("default-src 'self';"), path
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


def test_vendored_files_are_the_ones_that_were_checked() -> None:
    for line in FOLDER.joinpath("static", "SHA256SUMS").read_text().splitlines():
        digest, name = line.split()
        assert sha256(FOLDER.joinpath("static", name).read_bytes()).hexdigest() == digest
    vendored = [file.name for file in FOLDER.joinpath("static").glob("*.min.*")]
    assert sorted(vendored) == sorted(re.findall(r"\S+\.min\.\S+", FOLDER.joinpath("static", "SHA256SUMS").read_text()))


# forms


def test_forms_from_other_sites_are_refused_and_send_nothing(console: Running) -> None:
    goods = consignment_id(DECLARANT, "PAGE-X")
    address, typed = f"/consignments/{goods}/act/hold", {"reason": "a tip", "key": "x"}
    publish(console.settings.kafka, Border("PAGE-X").lodged().messages)
    for origin in (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
    ):
        answer = post(console, address, data=typed, headers={**BROWSER, **origin})
        assert answer.status_code == 403
        assert "Forms are taken from this console's own pages only" in text_of(answer)
    assert console.app.state.context.asker.about(goods) is None
    own = {"origin": console.address}
    for origin in ({"sec-fetch-site": "same-origin"}, own, {}):
        assert post(console, address, data=typed, headers={**BROWSER, **origin}).status_code == 303


def test_a_form_sent_twice_is_one_request_and_a_later_one_is_another(console: Running) -> None:
    publish(console.settings.kafka, Border("PAGE-2").lodged().accepted().messages)
    console.catch_up()
    address = f"/consignments/{consignment_id(DECLARANT, 'PAGE-2')}"

    def key() -> str:
        found = re.search(r'name="key" value="([^"]+/hold)"', get(console, address, headers=BROWSER).text)
        assert found
        return found[1]

    first = {"reason": "a tip", "key": key()}
    twice = [request_id_of(post(console, f"{address}/act/hold", data=first)) for _ in range(2)]
    later = request_id_of(post(console, f"{address}/act/hold", data={**first, "key": key()}))
    assert twice[0] == twice[1] != later


def test_a_treatment_is_typed_with_its_start_in_beijing_time_and_its_sampling_places(console: Running) -> None:
    goods = consignment_id(DECLARANT, "PAGE-TREAT")
    consignment = Border("PAGE-TREAT").lodged().accepted().assessed(ControlKind.INSPECTION)
    publish(console.settings.kafka, consignment.pest().treatment_ordered().messages)
    console.catch_up()
    shown = page(console, f"/consignments/{goods}")
    assert "wood and solid wood packaging" in shown and "Started at (Beijing time)" in shown
    typed = {
        "order": "inspection/1",
        "method": "MB",
        "unit_class": "B",
        "dose_g_m3": "48",
        "residue_ppm": "2",
        "started_at": "2026-11-24T08:00:00",
        "readings": "0, 21, 48, line 1\n0，21，47，line 2\n2, 21\n",
    }
    request_id_of(post(console, f"/consignments/{goods}/act/treatment", data=typed))
    (message,) = requests_under(console.settings.kafka, "customs-quarantine-requests", goods)
    record = RecordTreatment.model_validate_json(message.value())
    assert record.started_at == datetime(2026, 11, 24, tzinfo=UTC)
    assert [(r.place, r.concentration_g_m3) for r in record.readings] == [("line 1", 48), ("line 2", 47), ("1", None)]
    nonsense = post(
        console, f"/consignments/{goods}/act/treatment", data={**typed, "started_at": "noon"}, headers=BROWSER
    )
    assert nonsense.status_code == 422 and "/started_at" in text_of(nonsense)


def test_an_officer_decides_on_the_page_about_goods_that_no_treatment_is_known_for(console: Running) -> None:
    goods = consignment_id(DECLARANT, "PAGE-FISH")
    consignment = Border("PAGE-FISH").lodged().accepted().assessed(ControlKind.QUARANTINE).treatment_referred()
    publish(console.settings.kafka, consignment.messages)
    console.catch_up()
    shown = page(console, f"/consignments/{goods}")
    assert "An officer decides on the treatment" in shown and "live animals and plants, other goods" in shown
    typed = {
        "origin": "risk",
        "reason": "healthy after isolation",
        "goods": "wood",
        "method": "MB",
    }
    for decision in ("treat", "clear"):
        request_id_of(
            post(console, f"/consignments/{goods}/act/treatment-decision", data={**typed, "decision": decision})
        )
    sent = [
        DecideTreatment.model_validate_json(message.value())
        for message in requests_under(console.settings.kafka, "customs-quarantine-requests", goods)
    ]
    assert [(each.decision.value, each.goods, [*each.methods]) for each in sent] == [
        ("treat", GoodsClass.WOOD, [TreatmentMethod.METHYL_BROMIDE]),
        ("clear", None, []),
    ]
    consignment.messages.clear()
    publish(console.settings.kafka, consignment.treatment_waived().messages)
    console.catch_up()
    shown = page(console, f"/consignments/{goods}")
    assert "Passed without treatment" in shown and "Decide on the treatment" not in shown


def test_an_officer_corrects_findings_on_the_page_of_goods_that_were_refused(console: Running) -> None:
    goods = consignment_id(DECLARANT, "PAGE-WRONG")
    consignment = Border("PAGE-WRONG").lodged().accepted().assessed(ControlKind.INSPECTION, ControlKind.DOCUMENTS)
    consignment.ordered(ControlKind.DOCUMENTS).ordered().to_be_put_right().failed()
    wrong = consignment.messages[-1].cause
    publish(console.settings.kafka, consignment.refused().messages)
    console.catch_up()
    shown = page(console, f"/consignments/{goods}")
    assert "Papers to be put right" in shown and "the invoice is missing" in shown
    assert "Correct the findings" in shown and "Take the findings back" in shown and "Place a hold" in shown
    assert wrong in get(console, f"/consignments/{goods}", headers=BROWSER).text
    typed = {"control": "inspection", "wrong": wrong, "reason": "another lot was opened"}
    request_id_of(post(console, f"/consignments/{goods}/act/correct-findings", data={**typed, "result": "conform"}))
    request_id_of(post(console, f"/consignments/{goods}/act/retract-findings", data=typed))
    sent = requests_under(console.settings.kafka, "customs-inspection-requests", goods)
    correction = CorrectFindings.model_validate_json(sent[0].value())
    retraction = RetractFindings.model_validate_json(sent[1].value())
    assert correction.wrong == retraction.wrong == wrong and correction.result is FindingsResult.CONFORM
    consignment.messages.clear()
    consignment.retracted().refusal_revoked().held("inspection/inspection", "inspection/documents")
    publish(console.settings.kafka, consignment.messages)
    console.catch_up()
    shown = page(console, f"/consignments/{goods}")
    assert "Findings taken back" in shown and "Refusal taken back" in shown and "Correct the findings" not in shown


def test_who_acts_is_who_has_signed_in_and_no_field_of_a_form(console: Running) -> None:
    publish(console.settings.kafka, Border("PAGE-3").lodged().accepted().messages)
    console.catch_up()
    goods = consignment_id(DECLARANT, "PAGE-3")
    who = console.acting_as("王 关员")
    assert "Signed in as: 王 关员" in text_of(get(console, f"/consignments/{goods}", headers=who | BROWSER))
    request_id_of(post(console, f"/consignments/{goods}/act/hold", data={"reason": "a tip", "actor": "x"}, headers=who))
    (sent,) = requests_under(console.settings.kafka, "customs-release-requests", goods)
    assert json.loads(sent.value())["asked_by"] == "王 关员"


def test_a_form_larger_than_any_paper_is_refused(console: Running) -> None:
    answer = post(console, "/lodge", data={"body": "x" * 2_000_001}, headers=BROWSER)
    assert answer.status_code == 413
    assert "The limit is 2000000 bytes." in text_of(answer)


# lists


def test_a_spreadsheet_takes_no_name_for_a_formula(console: Running) -> None:
    publish(console.settings.kafka, Border("=1+1").lodged().accepted().messages)
    console.catch_up()
    answer = get(console, f"/consignments.csv?q={quote('=1+1')}", headers=BROWSER)
    assert answer.text.startswith("\ufeff")
    (row,) = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert row["reference"] == "'=1+1"
    assert row["stage"] == "Accepted" and row["waiting_for"] == "assessment" and row["owner"] == "risk"


def test_the_page_names_the_key_of_a_draw_and_shows_one_without_a_key(console: Running) -> None:
    keyed = Border("DRAW-1").lodged().accepted().assessed(draw_key="2026-11-28-0011223344556677")
    older = Border("DRAW-2").lodged().accepted().assessed()
    publish(console.settings.kafka, [*keyed.messages, *older.messages])
    console.catch_up()
    pages = [get(console, f"/consignments/{each.id}", headers=BROWSER).text for each in (keyed, older)]
    assert all("0.731" in page for page in pages)
    assert ["Key 2026-11-28-0011223344556677" in page for page in pages] == [True, False]


def test_a_long_spreadsheet_comes_in_files_that_name_the_next_one(
    console: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"SHEET-{number:03}" for number in range(25)]
    publish(
        console.settings.kafka, [message for name in names for message in Border(name).lodged(bill_no="SHEET").messages]
    )
    console.catch_up()
    for limit, most, files in (("CSV_ROWS", 10, 3), ("CSV_BYTES", 1000, 4), ("CSV_BYTES", 1, 25)):
        with monkeypatch.context() as smaller:
            smaller.setattr(board_and_goods, limit, most)
            found, path, read = [], "/consignments.csv?q=SHEET", 0
            while path:
                answer, read = get(console, path, headers=BROWSER), read + 1
                rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
                path = answer.links["next"]["url"].removeprefix(console.address) if "next" in answer.links else ""
                if path:
                    assert answer.links["next"]["url"] in rows.pop()["consignment_id"]
                found += [row["reference"] for row in rows]
            assert sorted(found) == names and read == files, limit


def every_page(console: Running, path: str) -> Iterator[str]:
    """Yields the HTML of each page of a list: begins at `path` and follows the links `Next`. Other tests of the session
    may have filled the first pages."""
    following: str | None = path
    while following:
        text = get(console, following, headers=BROWSER).text
        yield text
        later = re.search(r'href="([^"]+)">Next<', text)
        following = unescape(later[1]) if later else None


def test_a_long_list_is_read_page_by_page(console: Running) -> None:
    names = [f"LONG-{number:03}" for number in range(120)]
    publish(
        console.settings.kafka,
        [message for name in names for message in Border(name).lodged(bill_no="LONGBILL").messages],
    )
    console.catch_up()
    read = [
        re.findall(r'href="/consignments/([0-9a-f-]{36})"', text)
        for text in every_page(console, "/consignments?q=LONGBILL")
    ]
    assert [len(here) for here in read] == [50, 50, 20]
    assert sorted(each for here in read for each in here) == sorted(consignment_id(DECLARANT, name) for name in names)


# what the pages show


def test_the_pages_of_goods_tell_every_end(console: Running) -> None:
    stories = {
        "gone": (green("END-1", ("TCLU4265771",)), "Left after release", "all containers are out"),
        "treated": (red("END-2", ("TCLU4265792",)), "Released", "Treatment verified"),
        "called back": (
            green("END-3", ("TCLU4265808",)).revoked().held("officer/9"),
            "Called back",
            "seal number differs",
        ),
        "refused": (red("END-4", ("TCLU4265813",)).refused(), "Refused", "undeclared goods"),
        "rejected": (Border("END-5").lodged().rejected(), "Rejected", "/items/0/hs_code"),
        "parked": (
            Border("END-6").lodged().accepted().parked(offset=66),
            "Parked",
            "deciding failed",
        ),
        "sent back": (
            Border("END-7").lodged().accepted().refused_request(),
            "Accepted",
            "nothing of the kind is ordered",
        ),
    }
    for story, _, _ in stories.values():
        publish(console.settings.kafka, story.messages)
    console.catch_up()
    for name, (story, stage, why) in stories.items():
        shown = page(console, f"/consignments/{story.id}")
        assert stage in shown and why in shown, name
        assert page(console, f"/consignments/{story.id}/live").startswith(f"Goods / {story.id}")
    [aside] = [text for text in every_page(console, "/parked") if stories["parked"][0].id in text]
    assert "deciding failed" in aside and "ValueError: bad" in aside
    assert "May leave" in page(console, "/containers/TCLU4265792")
    assert "Gone" in page(console, "/containers/tclu 426577 1")
    assert "nothing is known that would let it leave" in page(console, "/containers/NOBODY")


def test_goods_that_nobody_lodged_have_a_page_with_what_was_told_of_them(console: Running) -> None:
    consignment = Border("NO PAPER <b>", start=now() - timedelta(days=20)).held("officer/1").arrived()
    consignment.messages[0] = dataclasses.replace(
        consignment.messages[0],
        value=consignment.messages[0].value.replace(b'"reason":"held"', b'"reason":"a tip about the seal"'),
    )
    publish(console.settings.kafka, consignment.messages)
    console.catch_up()

    def shown(days: int, language: str) -> str:
        return console.http.get(f"/unmatched?days={days}&lang={language}", headers={"accept": "text/html"}).text

    for language, heading in (("en", "Goods that nobody lodged"), ("zh", "无人申报的货物")):
        page = shown(10, language)
        assert f'href="/consignments/{consignment.id}"' in page and f"<h1>{heading}</h1>" in page
        assert page.count('aria-current="true"') == 1, "the chosen days are marked, whatever they are"
        assert f'href="/consignments/{consignment.id}"' not in shown(30, language)
    row = shown(10, "en").split(f"/consignments/{consignment.id}")[1].split("</tr>")[0]
    assert "arrived" in row and "20 d" in row and "a tip about the seal" in row
    assert 'href="/unmatched"' in console.http.get("/consignments", headers={"accept": "text/html"}).text
    assert console.http.get("/unmatched?days=-1", headers={"accept": "text/html"}).status_code == 422


def test_every_kind_of_message_that_was_ever_published_reads_on_a_page(console: Running) -> None:
    messages: list[PublishedMessage] = []
    for topic in FACTS_AND_REQUESTS:
        for kind in topic.carries:
            for file in sorted(EXAMPLES.glob(f"{kind.kind}*.json")):
                key = kind.model_validate_json(file.read_bytes()).key
                messages.append(_one(topic.name, key, kind.kind, file.read_bytes(), len(messages)))
    publish(console.settings.kafka, messages)
    console.catch_up()
    for key in {one.key for one in messages}:
        for language in ("zh", "en"):
            page(console, f"{_address(key)}?lang={language}")
    for one in messages:
        # Messages to and about a whole partition are in no timeline. So they have no page.
        if not one.key.startswith(f"{WATCHES}/"):
            page(console, f"{_address(one.key)}/messages/{one.id}")


def test_requests_of_any_shape_do_not_break_a_page(console: Running) -> None:
    story = Border("SHAPELESS").lodged().accepted()
    shapes = [b"{}", b"[]", b"7", b'"x"', b"null", b"not json", b'{"control": 7, "asked_by": {"a": []}}']
    more = [_one("customs-inspection-requests", story.id, "RecordFindings", shape, n) for n, shape in enumerate(shapes)]
    more += [_one("customs-risk-facts", story.id, "ConsignmentAssessed", b'{"lane": "blue", "rules": 3}', 99)]
    publish(console.settings.kafka, [*story.messages, *more])
    console.catch_up()
    assert "Findings sent" in page(console, f"/consignments/{story.id}")
    for one in more[:-1]:
        page(console, f"/consignments/{story.id}/messages/{one.id}")


def _address(key: str) -> str:
    if key.startswith(f"{WATCHES}/"):
        return "/watches"
    return f"/{'consignments' if len(key) == 36 else 'containers'}/{key}"


def _one(topic: str, key: str, kind: str, value: bytes, number: int) -> PublishedMessage:
    id_ = f"00000000-0000-5000-8000-{abs(hash((topic, key, kind, number))) % 10**12:012}"
    return PublishedMessage(topic, key, value, id_, kind, "", number + 1, NOON)


def test_a_page_says_that_its_clock_is_a_sandbox_and_that_facts_are_missing(tmp_path: Path) -> None:
    port = free_port()
    environment = {
        "DTG_KAFKA": "127.0.0.1:1",
        "DTG_DATABASE_URL": f"sqlite:///{tmp_path}/console.db",
        "DTG_CONSOLE_PORT": str(port),
        "DTG_CLOCK_ANCHOR": "2026-11-23T00:00:00Z",
        "DTG_CLOCK_START": "2030-01-01T00:00:00Z",
        "DTG_CLOCK_SPEED": "60",
    }
    program = [sys.executable, "-m", "services.cli.main", "console"]
    with subprocess.Popen(program, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            wait(lambda: _answers(f"{address}/livez"), "the console to answer")
            admit(environment["DTG_DATABASE_URL"])
            known = headers_of() | BROWSER
            zh = text_of(httpx2.get(f"{address}/", headers={**known, "accept-language": "zh-CN"}))
            en = text_of(httpx2.get(f"{address}/?lang=en", headers=known))
        finally:
            process.terminate()
            wait(lambda: process.poll() is not None, "the console to end")
    assert "每秒走 60 秒。这里没有真实货物。" in zh and "正在读取事实，数据尚不完整" in zh
    assert "60 s a second. No real goods here." in en and "Still reading the facts" in en


def _answers(address: str) -> bool:
    try:
        return httpx2.get(address).status_code == 200
    except httpx2.TransportError:
        return False


@pytest.mark.parametrize(
    ("headers", "language"),
    [
        ({"accept-language": "fr, en;q=0.5"}, "en"),
        ({"accept-language": "zh-TW"}, "zh-CN"),
        ({"accept-language": "fr"}, "zh-CN"),
        ({"accept-language": "en", "cookie": "dtg_language=zh"}, "zh-CN"),
        ({"accept-language": "en", "cookie": "dtg_language=xx"}, "en"),
    ],
)
def test_the_language_is_the_chosen_one_else_the_browsers_else_chinese(
    console: Running, headers: dict[str, str], language: str
) -> None:
    assert f'<html lang="{language}">' in get(console, "/", headers=headers).text
    assert '<html lang="en">' in get(console, "/?lang=en", headers=headers).text


def test_a_part_that_refreshes_does_not_choose_the_language_for_other_pages(console: Running) -> None:
    assert "set-cookie" in get(console, "/board?lang=en").headers
    assert "set-cookie" not in get(console, "/board?lang=en", headers={"hx-request": "true"}).headers


def test_the_board_stands_while_it_is_not_known_what_called_goods_back(console: Running, bootstrap: str) -> None:
    """The release desk names the holds in its next message, which may not be in the same batch."""
    # These goods have waited longer than all others here. So the board names them.
    consignment = green("called-back", start=NOON - timedelta(days=900)).revoked()
    publish(bootstrap, consignment.messages)
    console.catch_up()
    shown = page(console, "/board")
    assert consignment.number in shown and "the release desk to name the holds" in shown
    publish(bootstrap, consignment.held("officer/seal").messages[-1:])
    console.catch_up()


def test_the_api_page_names_every_operation(console: Running) -> None:
    shown = page(console, "/docs")
    for path, methods in orjson.loads(get(console, "/openapi.json").content)["paths"].items():
        for method, operation in methods.items():
            assert f"{method.upper()} {path} {operation['summary']}" in shown
    assert "items[].hs_code" in shown and "Idempotency-Key" in shown
