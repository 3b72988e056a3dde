"""Is there a form that the console cannot answer? Each form is sent with a NUL in every field, on each database. There
is no broker."""

import re
from pathlib import Path

import pytest

from deploy.kafka.broker import free_port
from services.console import pages
from services.console.pages.forms import FORM
from services.console.settings import ConsoleSettings
from tests.console.quiet import LONG_SECONDS, Quiet

SOURCES = "".join(file.read_text(encoding="utf-8") for file in Path(pages.__path__[0]).glob("*.py"))
FIELDS = sorted(set(re.findall(r'typed(?:\.get\(|\[)"(\w+)"', SOURCES)))


def test_a_nul_in_a_form_is_never_told_as_a_database_that_is_away(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL cannot store a NUL. If the console passed the NUL on, it would take the error for a database that is
    away, and would tell the sender to try again shortly."""
    monkeypatch.setenv("DTG_HOME", str(tmp_path))
    console = Quiet(
        ConsoleSettings(
            kafka=f"127.0.0.1:{free_port()}",
            database_url=url,
            console_port=free_port(),
            projector="own",
            gate_stale_seconds=LONG_SECONDS,
        )
    )
    console.start()
    wrong: list[tuple[str, int]] = []
    sent = 0
    try:
        for route in console.routes():
            path = re.sub(r"{[^}]*}", "x", route.path)
            if "POST" not in (route.methods or ()) or path.startswith("/api/"):
                continue
            body = "&".join(f"{name}=a%00b" for name in FIELDS).encode()
            answer = console.http.post(path, content=body, headers={"content-type": FORM, "accept": "application/json"})
            sent += 1
            if answer.status_code == 500 or "rows_away" in answer.text:
                wrong.append((path, answer.status_code))
    finally:
        console.stop()
    assert sent > 10 and "account" in FIELDS
    assert wrong == []
