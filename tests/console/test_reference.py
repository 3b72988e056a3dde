"""Does the reference of the API say what every field means and when every problem occurs, with an example that causes
it?"""

import json
import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import BaseModel, TypeAdapter

from schemas.vocabulary import consignment_id
from services.console.access.accounts import HOUR, ONE_TIME_HOURS, Account
from services.console.api import problems, views
from services.console.api.authentication import SESSION_COOKIE
from services.console.api.context import FeedPage
from services.console.api.feed import refuse_rebuilding
from services.console.api.me import Me
from services.console.api.problems import MEDIA_TYPE, Problem
from services.console.api.reference import (
    ANSWERS,
    CODES,
    FAULTS,
    FIELDS,
    FIELDS_OF_ANSWERS,
    OPERATIONS,
    PARAMETERS,
    SUMMARY_ZH,
    TABLES,
    ZH,
    operation_name,
    operations,
)
from services.console.language.words import TEXTS
from services.console.pages import sign_in as sign_in_pages
from services.console.pages.api_docs import CODE_ROWS
from services.console.pages.sign_in import FORM_COOKIE
from services.console.readmodel.database import open_engine
from services.console.readmodel.queries import ReadModelQueries
from services.shell.clock import world_us
from tests.console.border import DECLARANT, Border
from tests.console.still import Still
from tests.people import admit

TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Still]:
    made = Still(tmp_path_factory.mktemp("reference"))
    admit(made.url, "declarant", roles="declarant", company=DECLARANT, office="")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def document(still: Still) -> dict[str, Any]:
    made: dict[str, Any] = still.app.openapi()
    return made


def fields(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """`<object>.<field>` → the schema of the field, for every field of every body of a request."""
    found: dict[str, dict[str, Any]] = {}

    def walk(model: str, schema: dict[str, Any]) -> None:
        for name in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(schema)):
            if not any(key.startswith(f"{name}.") for key in found):
                walk(name, document["components"]["schemas"][name])
        for name, field in schema.get("properties", {}).items():
            found[f"{model}.{name}"] = field

    for operation in operations(document):
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        if body:
            walk(operation["summary"], body)
    return found


def answered(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """`<object>.<field>` → the schema of the field, for every field of every object in an answer."""
    schemas, found = document["components"]["schemas"], dict[str, dict[str, Any]]()
    waiting = [operation["responses"] for operation in operations(document)]
    reached = set[str]()
    while waiting:
        for name in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(waiting.pop())):
            if name not in reached:
                reached.add(name)
                waiting.append(schemas[name])
                found |= {f"{name}.{field}": schema for field, schema in schemas[name].get("properties", {}).items()}
    return found


CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_every_operation_and_every_answer_is_told_in_both_languages(document: dict[str, Any]) -> None:
    named = {operation_name(method, path) for path, methods in document["paths"].items() for method in methods}
    assert set(OPERATIONS) - {""} == named, "each has its row, and no row has lost its operation"
    answers = set()
    for described in (document["info"], *operations(document)):
        assert CHINESE.search(described[SUMMARY_ZH]) and CHINESE.search(described[ZH]), described
        for answer in described.get("responses", {}).values():
            assert CHINESE.search(answer[ZH]), answer
            answers.add(answer["description"])
    assert set(ANSWERS) == answers


def test_the_page_of_the_api_is_in_the_readers_language(still: Still) -> None:
    """On the Chinese page only names, codes and examples are not Chinese. On the English page the sentences are marked
    with `lang`."""
    chinese, english = [still.page("/docs", language).partition("<main")[2] for language in ("zh", "en")]
    assert 'lang="en"' not in chinese and 'lang="en"' in english
    for summary in re.findall(r'<span class="faint">(.*?)</span>\s*</summary>', chinese):
        assert CHINESE.search(summary), summary
    assert not re.search(r"[a-z]{3,} [a-z]{2,} [a-z]{2,}", re.sub(r"<code>.*?</code>|<[^>]+>", "|", chinese)), (
        "a sentence"
    )


def test_every_field_of_a_body_has_words_in_both_languages_and_an_example(document: dict[str, Any]) -> None:
    found = fields(document)
    assert len(found) > 100
    for name, field in found.items():
        assert field.get("description") and field.get(ZH) and "examples" in field, name
        if "country" in name or name.rpartition(".")[2] in ("unit", "currency", "customs_office", "package_kind"):
            assert field[CODES].rpartition("/")[2] in TABLES, name
    names = {name.rpartition(".")[2] for name in found} | {name for name in found if name in FIELDS}
    names |= {f"required.{name}" for name in names}
    assert set(FIELDS) - names == set(), "no row has lost its field"


MODELS = {
    name: model
    for name, model in {**vars(views), **vars(problems), "Me": Me}.items()
    if isinstance(model, type) and issubclass(model, BaseModel)
}
"""The objects of answers, by name."""
NO_CODES = frozenset(
    {
        *("account", "alarms", "arrived_containers", "bill", "bill_no", "body_link", "cause", "clients", "company"),
        *("consignee", "consignment_id", "consignments", "container_no", "containers", "conveyance", "csrf", "cursor"),
        *("declarant", "declaration_no", "detail", "detail_zh", "earlier", "en", "error", "hold_id", "id", "key"),
        *("later", "left_containers", "lift_reason", "message_en", "message_zh", "nearest", "next"),
        *("oldest_consignment_id", "permitted", "place", "placed_by", "pointer", "reference", "released_containers"),
        *("replaces", "report_id", "reported_by", "reports", "request", "request_id", "retells", "rule_set", "seen"),
        *(
            "source",
            "status",
            "subject",
            "text",
            "timeline",
            "title",
            "title_zh",
            "to",
            "type",
            "unreleased_containers",
        ),
        *("visit", "watch_id", "zh", "AlarmLine.reason", "AlarmView.reason", "BlockView.reason", "BoxHoldView.reason"),
        *("GateView.waiting_for", "HoldView.reason", "ReleaseView.reason", "RequestView.reason", "Watch.lifted_by"),
        "Watch.reason",
    }
)
"""Text fields of answers that are not codes: ids, numbers, links, and texts of people. Each is named by its field, or
by object and field if a field of the same name elsewhere is a code."""


def of_text(schema: dict[str, Any]) -> bool:
    """Whether the field is a text or a list of texts; a time does not count as a text."""
    kinds = [each for each in (schema, *schema.get("anyOf", ())) if each.get("type") in ("string", "array")]
    kinds = [each.get("items", {}) if each["type"] == "array" else each for each in kinds]
    return any(each.get("type") == "string" and "format" not in each for each in kinds)


def test_every_field_of_an_answer_has_words_in_both_languages_and_an_example(document: dict[str, Any]) -> None:
    found = answered(document)
    assert len(found) > 290
    lacking = [
        name for name, schema in found.items() if not (schema.get("description") and CHINESE.search(schema.get(ZH, "")))
    ]
    assert lacking == []
    for name, schema in found.items():
        model, _, field = name.partition(".")
        (example,) = schema["examples"]
        annotation: Any = MODELS[model].model_fields[field].annotation
        TypeAdapter(annotation).validate_json(json.dumps(example), strict=True)
    rows = {name if name in FIELDS_OF_ANSWERS else name.rpartition(".")[2] for name in found}
    assert set(FIELDS_OF_ANSWERS) == rows, "no row has lost its field"


def test_a_field_of_an_answer_that_holds_codes_names_their_list(document: dict[str, Any]) -> None:
    found = answered(document)
    without = {name for name, schema in found.items() if of_text(schema) and CODES not in schema}
    named = {name if name in NO_CODES else name.rpartition(".")[2] for name in without}
    assert named == NO_CODES
    assert not [
        name for name, schema in found.items() if CODES in schema and {name, name.rpartition(".")[2]} & NO_CODES
    ]
    for name, schema in found.items():
        if CODES not in schema:
            assert '/Stage"' not in json.dumps(schema), name
            continue
        table = TABLES[schema[CODES].rpartition("/")[2]]()
        (example,) = schema["examples"]
        assert set(example if isinstance(example, list) else [example]) <= set(table), name


def test_every_parameter_has_words_in_both_languages_and_an_example(document: dict[str, Any]) -> None:
    named = set[str]()
    for operation in operations(document):
        for parameter in operation.get("parameters", ()):
            assert parameter.get("description") and parameter.get(ZH) and "example" in parameter, parameter
            named.add(parameter["name"])
    assert set(PARAMETERS) == named


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_of_the_api_shows_words_bounds_codes_and_examples(still: Still, language: str) -> None:
    page = still.page("/docs", language)
    row = page.split("<code>reference</code>")[1].split("</tr>")[0]
    assert "1–35" in row and "README-1" in row
    assert ("企业自编的单证编号" if language == "zh" else "the declarant&#39;s own number") in row
    assert "conform | not_conform | pest | refuse" in page and 'href="/docs/codes/units"' in page
    granted = page.split('id="object-ReleaseView"')[1].split("</table>")[0]
    row = granted.split("<code>kind</code>")[1].split("</tr>")[0]
    assert "Unreadable" in row and 'href="/docs/codes/kinds"' in row
    for name in {name.partition(".")[0] for name in answered(still.app.openapi())}:
        assert page.count(f'id="object-{name}"') == 1 and f'href="#object-{name}"' in page, name
    for table in TABLES:
        assert still.page(f"/docs/codes/{table}", language).count("<tr>") > min(len(TABLES[table]()), CODE_ROWS)
    assert still.get("/docs/codes/nothing").status_code == 404


# problems


def codes() -> list[str]:
    return sorted({key.split(".")[1] for key in TEXTS if key.startswith("problems.")})


def test_every_problem_has_an_address_that_says_what_it_means(still: Still) -> None:
    assert sorted(FAULTS) == codes()
    for code, fault in FAULTS.items():
        for language in ("zh", "en"):
            page = unescape(still.page(f"/problems/{code}", language))
            when = (fault.zh if language == "zh" else fault.en).replace("`", "")
            assert f"<code>{code}</code>" in page and when in re.sub(r"<[^>]+>", "", page)
        answer = still.get(f"/problems/{code}", headers={"accept": "application/json"}).json()
        assert answer["type"] == f"/problems/{code}" and answer["status"] == fault.status
        assert not re.search(r"\{\w+\}", answer["detail"] + answer["detail_zh"]), "a gap without its value"
    listed = still.page("/problems")
    assert all(f'href="/problems/{code}"' in listed for code in codes())
    assert still.get("/problems/nothing").status_code == 404


def ask(still: Still, who: str, request: str) -> httpx2.Response:
    """Sends a request as the reference writes it."""
    head, _, body = request.partition("\n\n")
    first, *lines = head.splitlines()
    method, path = first.split(" ")
    headers = {"accept": "application/json", **dict([line.split(": ", 1) for line in lines])}
    return still.get(path, name=who, headers=headers, method=method, content=body)


@pytest.mark.parametrize("code", [code for code, fault in FAULTS.items() if fault.request])
def test_the_example_of_a_problem_reaches_it(still: Still, code: str) -> None:
    fault = FAULTS[code]
    answer = ask(still, fault.who, fault.request)
    assert answer.headers["content-type"] == MEDIA_TYPE, answer.text
    assert (answer.status_code, answer.json()["type"]) == (fault.status, f"/problems/{code}"), answer.text


HERE = frozenset(
    {
        *("sign_in_wrong", "one_time_over", "sign_in_slowed", "sign_ins_busy", "form_of_another", "password_length"),
        *("passwords_differ", "password_same", "rows_away", "not_known_yet", "no_reach", "feed_rebuilding"),
    }
)
"""Problems for which the reference has no example request. Tests below cause each of them."""
NEW = "a new password, long enough"


def is_told(answer: httpx2.Response, code: str) -> None:
    """Checks that the answer is this problem, as JSON or on the page of a form."""
    assert answer.status_code == FAULTS[code].status, answer.text
    assert f"/problems/{code}" in answer.text or unescape(answer.text).count(TEXTS[f"problems.{code}.title"].en), code


def sign_in(still: Still, name: str, password: str, token: str = "t") -> httpx2.Response:
    typed = {"form": token, "account": name, "password": password}
    return still.get("/sign-in", name="-", method="POST", data=typed, headers={"cookie": f"{FORM_COOKIE}=t"})


def test_signing_in_goes_wrong_in_each_of_its_ways(still: Still, monkeypatch: pytest.MonkeyPatch) -> None:
    is_told(sign_in(still, "nobody", "nothing"), "sign_in_wrong")
    is_told(sign_in(still, "nobody", "nothing", token="another"), "form_of_another")
    late = Account("late", "auditor", must_change=True)
    long_ago = world_us() - ONE_TIME_HOURS * HOUR
    still.app.state.authenticator.accounts.make(late, by="admin", at=long_ago, password=NEW)
    is_told(sign_in(still, "late", NEW), "one_time_over")
    is_told(sign_in(still, "late", "another password"), "sign_in_wrong")
    answers = [sign_in(still, "nobody", "nothing") for _ in range(12)]
    is_told(answers[-1], "sign_in_slowed")
    monkeypatch.setattr(sign_in_pages, "WAITING", 0)
    is_told(sign_in(still, "somebody else", "nothing"), "sign_ins_busy")


def test_a_password_cannot_be_changed_in_each_of_its_ways(still: Still) -> None:
    admit(still.url, "changing", password="the old password")
    cookie = still.app.state.authenticator.accounts.open_session("changing", "127.0.0.1:8080", "127.0.0.1", world_us())
    signed = {"cookie": f"{SESSION_COOKIE}={cookie}"}
    csrf = still.get("/api/v1/me", name="-", headers={**signed, "accept": "application/json"}).json()["csrf"]

    def change(new: str, again: str, token: str = csrf) -> httpx2.Response:
        typed = {"csrf": token, "password": "the old password", "new": new, "again": again}
        return still.get("/password", name="-", method="POST", data=typed, headers=signed)

    is_told(change("short", "short"), "password_length")
    is_told(change(NEW, f"{NEW}!"), "passwords_differ")
    is_told(change("the old password", "the old password"), "password_same")
    is_told(change(NEW, NEW, token="another"), "form_of_another")
    by_key = still.get("/sign-out", name="changing", method="POST", headers={"accept": "application/json"})
    is_told(by_key, "not_by_key")


def test_what_is_not_known_is_said_so_and_what_is_out_of_reach_too(tmp_path: Path) -> None:
    away = Still(tmp_path)
    admit(away.url, "declarant", roles="declarant", company=DECLARANT, office="")
    admit(away.url, "elsewhere", roles="targeting", company="", office="0100")
    consignment = Border("NO-REACH").lodged().accepted().assessed().held("arrival")
    away.tell(consignment.messages)
    options: dict[str, Any] = {"method": "POST", "json": {"reason": "a tip"}, "headers": {"accept": "application/json"}}
    is_told(away.get("/api/v1/containers/CSQU3054383/holds", name="elsewhere", **options), "no_reach")
    away.app.state.context.progress.measured(5)
    path = f"/api/v1/consignments/{consignment_id(DECLARANT, 'NOT-THERE')}/withdrawal"
    is_told(away.get(path, name="declarant", **options), "not_known_yet")
    away.app.state.context.rows = ReadModelQueries(open_engine(f"sqlite:///{tmp_path}/no/such/folder/console.db"))
    is_told(away.get("/api/v1/stages", headers={"accept": "application/json"}), "rows_away")


def test_a_feed_that_is_being_made_anew_says_so() -> None:
    with pytest.raises(Problem) as caught:
        refuse_rebuilding("aaaaaaaa.7", FeedPage([], more=True))
    assert (caught.value.code, caught.value.status) == ("feed_rebuilding", FAULTS["feed_rebuilding"].status)


@cache
def said_in_tests() -> str:
    files = [file for file in TESTS.rglob("test_*.py") if file.name != Path(__file__).name]
    return "\n".join([file.read_text(encoding="utf-8") for file in files])


@pytest.mark.parametrize("code", sorted({code for code, fault in FAULTS.items() if not fault.request} - HERE))
def test_a_problem_that_one_request_does_not_reach_has_a_test_of_its_own(code: str) -> None:
    sentences = [text for key in ("title", "detail") for text in TEXTS[f"problems.{code}.{key}"]]
    sources = said_in_tests()
    assert re.search(rf"""(problems/|["']){code}["']""", sources) or any(text in sources for text in sentences), code


def test_a_field_that_must_be_told_is_not_said_to_be_left_out(document: dict[str, Any]) -> None:
    fields = {
        path: (field["description"], name in body.get("required", ()))
        for path, methods in document["paths"].items()
        for body in [
            methods.get("post", {})
            .get("requestBody", {})
            .get("content", {})
            .get("application/json", {})
            .get("schema", {})
        ]
        for name, field in body.get("properties", {}).items()
        if name == "occurred_at"
    }
    assert fields["/api/v1/containers/{container_no}/events"][1], fields
    assert [path for path, (description, needed) in fields.items() if needed is ("left out" in description)] == []


def test_the_chinese_rows_of_timeline_and_parked_promise_no_more_than_the_english_ones(still: Still) -> None:
    document = still.app.openapi()
    timeline = document["paths"]["/api/v1/consignments/{consignment_id}/timeline"]["get"][ZH]
    parked = document["paths"]["/api/v1/parked"]["get"][ZH]
    assert "全部" not in timeline and "同一键" in parked
