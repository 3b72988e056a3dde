"""Where are measured figures stored, together with the machine, versions and code on which they were measured? They are
stored in `docs/performance/measured.json`."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from services.cli.bench.quick import machine, versions

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "performance"
FILE = FOLDER / "measured.json"


def figures(file: Path = FILE) -> dict[str, Any]:
    """Returns part → its figures, for every part that has been measured."""
    return dict(orjson.loads(file.read_bytes())) if file.exists() else {}


def keep(part: str, measured: dict[str, Any], file: Path = FILE) -> None:
    """Stores the figures of this part in place of earlier ones."""
    known = figures(file) | {part: {"taken": taken(), **measured}}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(orjson.dumps(known, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n")


def taken() -> str:
    """Returns the date, the machine, the versions and the commit of the measurement, as one text. The commit ends with
    `-changed` if the code in the folder differs from the code of the commit; pages do not count as code."""
    commit = _git("describe", "--always") or "unknown"
    changed = "-changed" if _git("status", "--porcelain", "--", ".", ":!docs", ":!README.md", ":!CHANGELOG.md") else ""
    return f"{datetime.now(UTC):%Y-%m-%d}, {machine()}, {versions()}, code {commit}{changed}"


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
