"""Writes openapi.json from the routes: `python -m services.console.openapi`; a test compares the file with the routes."""

import json
from pathlib import Path

from services.console.app import create_app
from services.console.settings import ConsoleSettings

FILE = Path(__file__).with_name("openapi.json")


def text() -> str:
    """Returns the OpenAPI document as the text of openapi.json."""
    app = create_app(ConsoleSettings(database_url="sqlite://"))
    return json.dumps(app.openapi(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
