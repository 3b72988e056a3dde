"""If the broker has not acknowledged a request, does the answer say that the request may still take effect? A broker
that was frozen may store it later."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from services.console.api.problems import Problem
from services.console.language.words import both
from services.console.pages.rendering import _environment

OPENAPI = Path(__file__).parents[2] / "services" / "console" / "openapi.json"
MAY = {"en": "may still take effect", "zh": "仍可能生效"}


def notice(lang: str, code: str) -> str:
    names = {"lang": lang, "t": lambda name: getattr(both(name), lang), "s": SimpleNamespace(times=str)}
    module = _environment.get_template("_words.html").make_module(names)
    return str(vars(module)["problem_notice"](Problem(503, code, acknowledged=1, partitions=2, limit=1).details()))


def test_the_problem_says_that_the_request_may_take_effect_and_how_to_send_it_again() -> None:
    details = Problem(503, "not_taken").details()
    assert MAY["en"] in details.detail and MAY["zh"] in details.detail_zh
    for each in (details.title, details.title_zh, details.detail, details.detail_zh):
        assert "taken in" not in each and "受理" not in each
    for each in (details.detail, details.detail_zh):
        assert "Idempotency-Key" in each
    assert "equipment event" in details.detail and "箱动态" in details.detail_zh


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_page_does_not_call_it_not_taken_in(lang: str) -> None:
    refused = {"en": "Not taken in", "zh": "没有受理"}[lang]
    for code in ("not_taken", "watch_incomplete"):
        assert refused not in notice(lang, code)
    assert refused in notice(lang, "bodies_busy")


def test_the_reference_says_it_of_every_request() -> None:
    api = json.loads(OPENAPI.read_text(encoding="utf-8"))
    descriptions = [
        route["post"]["responses"]["503"]["description"]
        for route in api["paths"].values()
        if "503" in route.get("post", {}).get("responses", {})
    ]
    of_the_broker = [each for each in descriptions if "broker" in each]
    assert len(of_the_broker) > 10 and all(MAY["en"] in each for each in of_the_broker)
