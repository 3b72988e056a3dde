"""Can a page of another site change anything at the console? A real browser opens a page that tries every way."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from playwright.sync_api import Browser

from schemas.vocabulary import consignment_id
from tests.console.conftest import Running
from tests.waiting import wait

PAGE = """<!doctype html><title>elsewhere</title>
<form method="post" target="frame" action="{form}"><input name="reason" value="forged"></form>
<form method="post" target="frame" enctype="text/plain" action="{holds}"><input name='{{"reason":"forged' value='"}}'></form>
<iframe name="frame"></iframe>
<script>
const body = JSON.stringify({{reason: "forged"}});
const post = (data, more) => fetch("{holds}", {{method: "POST", body: data, ...more}}).then(() => 1, () => 0);
const json = {{headers: {{"Content-Type": "application/json"}}}};
(async () => {{
  await post(new Blob([body]), {{mode: "no-cors"}});
  await post(body, {{mode: "no-cors"}});
  await post(new Blob([body], {{type: "application/json"}}), {{mode: "no-cors"}});
  await post(body, json);
  await post(new Blob([body]), {{mode: "no-cors", credentials: "include"}});
  navigator.sendBeacon("{holds}", body);
  navigator.sendBeacon("{holds}", new Blob([body]));
  for (const form of document.forms) {{
    await new Promise((done) => {{ document.querySelector("iframe").onload = done; form.submit(); }});
  }}
  document.title = "done";
}})();
</script>"""


@contextmanager
def elsewhere(page: str) -> Iterator[str]:
    """Serves this page as another site, on another port and under another host name. Yields the address of the site."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def refused(desk: Running) -> int:
    """How many POSTs the console has refused with 403."""
    found = re.findall(
        r'customs_console_http_total\{method="POST",route="none",status="403"\} (\d+)', desk.http.get("/metrics").text
    )
    return sum([int(count) for count in found])


def test_a_page_of_another_site_holds_no_goods(chromium: Browser, desk: Running) -> None:
    goods = consignment_id("elsewhere", "1")
    holds = f"{desk.address}/api/v1/consignments/{goods}/holds"
    form = f"{desk.address}/consignments/{goods}/act/hold"
    with elsewhere(PAGE.format(holds=holds, form=form)) as address:
        context = chromium.new_context()
        page = context.new_page()
        before = refused(desk)
        page.goto(address)
        page.wait_for_function("document.title === 'done'")
        wait(lambda: refused(desk) >= before + 7, "all ways but those that the browser itself forbids")
        context.close()
    assert desk.app.state.context.asker.about(goods) is None
    assert desk.api("POST", f"/consignments/{goods}/holds", json={"reason": "an officer's own"}).status_code == 202
