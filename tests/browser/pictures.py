"""How does the console look on a busy day? This program plays such a day on a real border, and writes the pictures of
the README."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import httpx2
from playwright.sync_api import Browser, sync_playwright

from deploy.kafka.broker import free_port
from services.console.access.demo_accounts import SECRET
from tests.browser.conftest import ARGUMENTS, CHROMIUM, LOCALES

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
HEADERS = {"Authorization": f"Bearer dtg_demo-auditor_{SECRET}"}
DAY = ["--demo", "--speed", "240", "--consignments", "4000", "--seed", "7"]
DAWN, AFTERNOON = 6, 14
"""Hours in Beijing at which the day begins and at which the pictures are taken."""
LARGEST_BYTES = 400_000


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pictures-") as folder:
        home, port = Path(folder), free_port()
        dawn = (datetime.now(UTC) + timedelta(days=1)).replace(hour=0, minute=0) - timedelta(hours=8 - DAWN)
        home.joinpath("clock.json").write_text(json.dumps({"now": dawn.isoformat()}))
        environment = {
            **os.environ,
            "DTG_HOME": folder,
            "DTG_KAFKA_PORT": str(free_port()),
            "DTG_PROJECTOR_PORT": str(free_port()),
            "DTG_WORKER_PORT": str(free_port()),
            "DTG_CONSOLE_PORT": str(port),
        }
        with subprocess.Popen([sys.executable, "-m", "services.cli.main", "up", *DAY], env=environment) as border:
            try:
                address = f"http://127.0.0.1:{port}"
                _play(border, address, dawn + timedelta(hours=AFTERNOON - DAWN))
                _take(address)
            finally:
                border.send_signal(signal.SIGINT)


def _play(border: "subprocess.Popen[bytes]", address: str, until: datetime) -> None:
    """Returns when the demo's clock has reached `until`. Ends this program if the border ends before."""
    while border.poll() is None:
        Event().wait(1)
        try:
            now = clock_of(httpx2.get(f"{address}/api/v1/stages", headers=HEADERS))
        except httpx2.TransportError:
            continue  # the console does not answer yet
        if now is not None and now > until:
            return
    sys.exit("the border ended before the afternoon")


def clock_of(answer: httpx2.Response) -> datetime | None:
    """Returns the time of the demo's clock in this answer; None if the console has no board yet."""
    if answer.status_code != httpx2.codes.OK:
        return None
    board: dict[str, Any] = answer.json()
    return datetime.fromisoformat(board["now"])


def _take(address: str) -> None:
    goods = _worth_a_look(address)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        _picture(browser, "zh", address, "board.png", 1010)
        _picture(browser, "en", f"{address}/consignments/{goods}", "consignment.png", 1010)
        browser.close()


def _worth_a_look(address: str) -> str:
    """The id of those goods under treatment that have the most controls, because their page shows the most."""
    found = httpx2.get(f"{address}/api/v1/consignments?stage=treated&limit=200", headers=HEADERS).json()["consignments"]
    best = max(found, key=lambda one: (len(one["controls"]), len(one["containers"]), one["arrived_at"] is not None))
    return str(best["consignment_id"])


def _picture(browser: Browser, language: str, address: str, name: str, height: int) -> None:
    page = browser.new_page(
        locale=LOCALES[language],
        viewport={"width": 1366, "height": height},
        device_scale_factor=1.25,
        extra_http_headers=HEADERS,
    )
    page.goto(address)
    page.screenshot(path=FOLDER / name)
    page.close()
    size = FOLDER.joinpath(name).stat().st_size
    print(f"{FOLDER / name}: {size:,} bytes")
    assert size < LARGEST_BYTES


if __name__ == "__main__":
    main()
