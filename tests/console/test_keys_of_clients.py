"""Does each of the project's clients send an Idempotency-Key, so that a second click or attempt is the same
request?"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from schemas.vocabulary import ControlKind
from services.cli.declare import lodge
from services.cli.terminal import post
from tests.console.border import NOON, Border, red
from tests.console.still import Still


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Still]:
    made = Still(tmp_path)
    yield made
    made.stop()


def keys(page: str) -> list[str]:
    """The idempotency key in each form of the page that sends a request; an empty text for a form without a key."""
    forms = re.findall(r'<form[^>]*method="post" action="([^"]*)"(.*?)</form>', page, re.DOTALL)
    asking = [content for action, content in forms if "/act/" in action or action == "/lodge"]
    return [(re.findall(r'name="key" value="([^"]*)"', content) or [""])[0] for content in asking]


def test_each_form_has_a_key_of_its_own_and_each_page_others(still: Still) -> None:
    consignment = red("KEYS", ("TGHU1234562",)).held("officer/1")
    waits = Border("KEYS-2", ("MSKU6011672",), start=NOON + timedelta(days=1)).lodged().accepted()
    waits.assessed(ControlKind.INSPECTION).ordered().held("inspection/inspection", "arrival").opened()
    still.tell([*consignment.messages, *waits.messages])
    goods, box = f"/consignments/{waits.id}", "/containers/MSKU6011672"
    for path, least in ((goods, 4), (box, 5), ("/watches", 1), ("/lodge", 1), (f"/consignments/{consignment.id}", 2)):
        first, second = keys(still.page(path)), keys(still.page(path))
        assert len(first) >= least and all(first), path
        assert len({*first, *second}) == 2 * len(first), f"{path}: a form of a later page is another request"


@contextmanager
def unwilling(results: object) -> Iterator[tuple[str, list[str]]]:
    """Yields the address of an API that answers 503 once and then accepts everything, and a list of the keys that were
    sent to it."""
    sent: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            sent.append(self.headers.get("Idempotency-Key", ""))
            data = json.dumps(results).encode()
            self.send_response(202 if len(sent) > 1 else 503)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", sent
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_terminal_that_tries_again_sends_the_same_key_and_another_time_another_one() -> None:
    with unwilling({"request_id": "r"}) as (address, sent):
        for _ in range(2):
            post(address, "/containers/CSQU3054383/events", {"event": "GTOT"}, "")
    assert sent[0] == sent[1] != sent[2] and all(sent)


def test_papers_that_are_lodged_from_the_command_line_have_a_key(tmp_path: Path) -> None:
    (file := tmp_path / "paper.json").write_text('{"reference": "R-1"}')
    with unwilling({"results": [{"status_code": 202, "request_id": "r"}]}) as (address, sent):
        for _ in range(2):
            lodge([file], "json", address, "", lambda *_: None, waits=False)
    assert sent[0] == sent[1] != sent[2] and all(sent)
