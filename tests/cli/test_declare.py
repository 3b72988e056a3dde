"""Does `dtg declare` print for each declaration its id, the page of its goods, and the answer of customs?"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from deploy.kafka.broker import free_port
from services.cli.main import app
from services.cli.outcomes import MOST_FINDINGS
from services.cli.screen import errors, screen

GOODS = "969933d5-ca49-5369-8778-4408be916a{:02}"
ROWS = {"as_of": "2026-11-25T09:00:00Z", "lag_seconds": 0.1, "behind": 0, "trouble": ""}


def view(number: int, outcome: str, *answers: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Returns the API's answer about a request, in the form of `RequestView`."""
    about = {"kind": "LodgeDeclaration", "subject": GOODS.format(number), "asked_at": "2026-11-25T09:00:00Z"}
    texts = {"outcome_text": {"zh": "x", "en": "x"}, "refusal_code": None, "refusal": None, "reason": None}
    status = {"request_id": f"r-{number}", **about, "outcome": outcome, **texts, "answers": list(answers), **more}
    return {**status, "projection": ROWS}


def fact(kind: str, body: dict[str, Any] | None = None, findings: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"kind": kind, "body": body, "findings": list(findings)}


FINDING = {
    "pointer": "/items/0/hs_code",
    "code": "hs_code_unknown",
    "severity": "error",
    "seen": "4407129",
    "text": {"zh": "编码不存在", "en": "there is no such code"},
}
ACCEPTED = view(0, "answered", fact("DeclarationAccepted", {"declaration_no": "421820261000000017"}))
REJECTED = view(1, "answered", fact("DeclarationRejected", None, (FINDING,)))
REFUSED = view(
    2, "refused", refusal_code="reference_used", refusal={"zh": "编号已用", "en": "the reference is used"}, reason="R-2"
)
REPEATED = view(3, "answered", fact("DeclarationRepeated", {"request_id": "r-0"}))
PARKED = view(4, "parked")
PENDING = view(5, "pending")
SENT_BACK = {
    "index": 0,
    "status_code": 422,
    "code": "invalid",
    "faults": 2,
    "errors": [
        {
            "pointer": "/packages",
            "code": "int_type",
            "seen": "two",
            "message_zh": "须为整数",
            "message_en": "whole number",
        },
        {"pointer": "/items", "code": "missing", "seen": "", "message_zh": "缺少该项", "message_en": "this is missing"},
    ],
}


class Api:
    """An API that accepts every batch. For each request it returns the prepared answers in order, and then the last one
    again and again."""

    def __init__(self, answers: dict[str, list[Any]], sent_back: dict[str, dict[str, Any]] | None = None) -> None:
        self.answers, self.sent_back = answers, sent_back or {}
        self.polls = Counter[str]()

    def lodged(self, body: dict[str, Any]) -> dict[str, Any]:
        references = [each["reference"] for each in body["declarations"]]
        results = [
            self.sent_back.get(name)
            or {"status_code": 202, "consignment_id": GOODS.format(int(name[2:])), "request_id": f"r-{name[2:]}"}
            for name in references
        ]
        return {"results": results}

    def answer_of(self, request_id: str) -> Any:
        self.polls[request_id] += 1
        left = self.answers[request_id]
        return left.pop(0) if len(left) > 1 else left[0]


@contextmanager
def serving(api: Api) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._say(api.lodged(json.loads(self.rfile.read(int(self.headers["Content-Length"])))), 202)

        def do_GET(self) -> None:
            answer = api.answer_of(self.path.rpartition("/")[2])
            self._say(answer, 503 if answer is None else 200)

        def _say(self, body: Any, status: int) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def declare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("DTG_HOME", str(tmp_path))
    for each in (screen, errors):
        monkeypatch.setattr(each._console, "_width", 80)

    def run(api: Api, *references: str, options: tuple[str, ...] = ("--wait",)) -> Result:
        file = tmp_path / "papers.json"
        file.write_text("\n".join([json.dumps({"reference": name}) for name in references]))
        with serving(api) as address:
            return CliRunner().invoke(app, ["declare", str(file), "--url", address, *options])

    return run


@pytest.mark.parametrize(
    ("seen_text", "sentence"),
    [
        ({"zh": "净重 9 kg", "en": "net mass 9 kg"}, "编码不存在 there is no such code 净重 9 kg net mass 9 kg"),
        ({"zh": "4407129", "en": "4407129"}, "编码不存在 there is no such code 4407129"),
        (None, "编码不存在 there is no such code 4407129"),
    ],
    ids=["in words", "a value", "by a console of an older software version"],
)
def test_what_a_check_saw_is_told_in_both_languages(declare: Any, seen_text: Any, sentence: str) -> None:
    finding = FINDING if seen_text is None else FINDING | {"seen_text": seen_text}
    rejected = view(0, "answered", fact("DeclarationRejected", None, (finding,)))
    done = declare(Api({"r-0": [rejected]}), "R-0")
    assert f"/items/0/hs_code hs_code_unknown {sentence}\n" in done.stdout


def test_what_must_be_corrected_stands_before_the_warnings_and_the_nearest_codes_are_named(declare: Any) -> None:
    warning = {"pointer": "/trade_mode", "code": "trade_mode_unlisted", "severity": "warning", "seen": "0999"}
    error = FINDING | {"pointer": "/currency", "code": "currency_unknown", "seen": "USX", "nearest": ["USD", "UGX"]}
    message = {"zh": "不在表中", "en": "not in the table"}
    desk = [each | {"text": message} for each in (warning, error)]
    door = [each | {"message_zh": message["zh"], "message_en": message["en"]} for each in (warning, error)]
    rejected = view(0, "answered", fact("DeclarationRejected", None, (*desk,)))
    done = declare(Api({"r-0": [rejected]}, {"R-9": SENT_BACK | {"errors": door}}), "R-0", "R-9")
    assert (
        done.stdout.count("/currency currency_unknown 不在表中 not in the table USX 相近代码 nearest codes: USD UGX\n")
        == 2
    )
    assert done.stdout.count("/trade_mode trade_mode_unlisted 提示 warning 不在表中 not in the table 0999\n") == 2
    lines = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("    /")]
    assert lines == ["/currency", "/trade_mode"] * 2, done.stdout


def test_warnings_take_no_place_of_an_error_in_a_list_that_is_cut_off(declare: Any) -> None:
    warnings = [FINDING | {"severity": "warning", "pointer": f"/items/{each}"} for each in range(MOST_FINDINGS)]
    rejected = view(0, "answered", fact("DeclarationRejected", None, (*warnings, FINDING)))
    done = declare(Api({"r-0": [rejected]}), "R-0")
    assert "/items/0/hs_code hs_code_unknown" in done.stdout and "… 1 more" in done.stdout


def test_where_nobody_answers_the_setting_of_the_port_is_named(tmp_path: Path) -> None:
    file = tmp_path / "paper.json"
    file.write_text(json.dumps({"reference": "R-0"}))
    done = CliRunner().invoke(app, ["declare", str(file), "--url", f"http://127.0.0.1:{free_port()}"])
    assert done.exit_code == 1 and "DTG_CONSOLE_PORT" in done.output


def test_of_each_its_consignment_link_and_end_are_told_whole_at_80_columns(declare: Any) -> None:
    done = declare(Api({"r-0": [None, view(0, "not_projected"), view(0, "pending"), ACCEPTED]}), "R-0")
    assert done.exit_code == 0, done.output
    [line, last] = done.stdout.splitlines()
    reference, goods, link, *_ = line.split()
    assert (reference, goods) == ("R-0", GOODS.format(0)) and link.endswith(f"/consignments/{goods}")
    assert "accepted 已受理" in line and "421820261000000017" in line and last.startswith("1 accepted, in ")


@pytest.mark.parametrize(
    ("number", "answer", "texts"),
    [
        (1, REJECTED, ("rejected 退单", "/items/0/hs_code hs_code_unknown 编码不存在 there is no such code 4407129")),
        (2, REFUSED, ("sent back 退回", "reference_used 编号已用 the reference is used R-2")),
        (4, PARKED, ("parked", "已搁置")),
    ],
)
def test_what_does_not_stand_is_told_with_its_reasons_and_exit_code_1(
    declare: Any, number: int, answer: dict[str, Any], texts: tuple[str, ...]
) -> None:
    done = declare(Api({"r-0": [ACCEPTED], f"r-{number}": [answer]}), "R-0", f"R-{number}")
    assert done.exit_code == 1 and all(each in done.stdout for each in texts), done.output
    assert "1 accepted" in done.stdout


def test_what_the_api_sends_back_is_told_with_every_fault(declare: Any) -> None:
    done = declare(Api({"r-0": [ACCEPTED]}, {"R-9": SENT_BACK}), "R-0", "R-9")
    assert done.exit_code == 1
    assert "/packages int_type 须为整数 whole number" in done.stdout and "/items missing" in done.stdout
    assert "1 accepted, 1 sent back" in done.stdout


def test_the_same_paper_again_is_right_and_said_so(declare: Any) -> None:
    done = declare(Api({"r-3": [REPEATED]}), "R-3")
    assert done.exit_code == 0 and "重复申报" in done.stdout


def test_without_waiting_nothing_is_asked_and_the_ids_are_told(declare: Any) -> None:
    # The output is not a terminal. So the command does not wait, even without `--no-wait`.
    for options in (("--no-wait",), ()):
        api = Api({"r-5": [PENDING]})
        done = declare(api, "R-5", options=options)
        assert done.exit_code == 0 and not api.polls and GOODS.format(5) in done.stdout and "dtg trace" in done.stdout


def test_what_has_no_answer_has_an_exit_code_of_its_own(declare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.cli.declare.PATIENCE_SECONDS", 0.5)
    done = declare(Api({"r-0": [ACCEPTED], "r-5": [PENDING]}), "R-0", "R-5")
    assert done.exit_code == 3 and "taken, not answered yet" in done.stdout and "1 accepted, 1 taken" in done.stdout


def test_programs_get_a_line_of_json_for_each(declare: Any) -> None:
    api = Api({"r-0": [ACCEPTED], "r-1": [REJECTED]}, {"R-9": SENT_BACK})
    done = declare(api, "R-0", "R-1", "R-9", options=("--wait", "--json"))
    results = {each["reference"]: each for each in map(json.loads, done.stdout.splitlines())}
    assert {name: each["end"] for name, each in results.items()} == {
        "R-0": "accepted",
        "R-1": "rejected",
        "R-9": "sent_back",
    }
    assert results["R-0"]["declaration_no"] == "421820261000000017" and len(results["R-9"]["why"]) == 2
    assert done.exit_code == 1


def test_an_api_that_answers_nonsense_ends_nothing(declare: Any) -> None:
    odd: list[Any] = [[], "x", {"answers": 7}, {"outcome": 7, "answers": [7, {"kind": []}]}]
    right = {"answers": [fact("DeclarationAccepted"), fact("DeclarationAccepted", {"declaration_no": 7})]}
    bad = {**SENT_BACK, "faults": "many", "errors": 7}
    done = declare(
        Api({"r-0": [*odd, right], "r-1": [{"outcome": "refused", "refusal": 7}]}, {"R-9": bad}), *["R-0", "R-1", "R-9"]
    )
    assert done.exit_code == 1 and "1 accepted, 2 sent back" in done.stdout, done.output
