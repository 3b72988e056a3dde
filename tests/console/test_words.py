"""Does the catalogue have every sentence of the pages in both languages, and no sentence that is not used?"""

import re
from collections.abc import Iterable
from typing import get_args

from pydantic_core.core_schema import ErrorType

from schemas import hold_ids
from schemas.codes.refusals import REFUSALS
from schemas.codes.schedules import ROWS
from schemas.codes.uscc import CreditCodePart
from schemas.inspection import FindingsResult
from schemas.spans import BY_NAME as SPANS_BY_NAME
from schemas.topics import FACTS_AND_REQUESTS, SERVICES
from schemas.vocabulary import (
    Classifier,
    ControlKind,
    CreditGrade,
    Direction,
    EquipmentEvent,
    ExitGround,
    GoodsClass,
    Lane,
    Owner,
    Severity,
    Stage,
    StayCode,
    TransportMode,
    TreatmentDecision,
    TreatmentMethod,
    UnitClass,
)
from services.console.access.accounts import Granted
from services.console.access.rights import Reach, Role, Scope
from services.console.api.reference import TABLES
from services.console.language.words import TEXTS
from services.console.pages.formatting import GRANT_FIELDS, GRANT_WORDS
from services.console.pages.rendering import FOLDER
from services.console.readmodel.consignment import UNMATCHED
from services.risk.rules import RULES

NAMED_KEY = re.compile(r"""["']([a-z_]+(?:\.[a-z_0-9]+)+)["']""")
CALLED = re.compile(r"""\bt\(["']([a-z_]+(?:\.[a-z_0-9]+)+)["']""")
"""Matches where a template or a page looks up a text by its whole name, even if the group of the name does not
exist."""
PLACEHOLDER = re.compile(r"\{(\w*)\}")
ALARMS = ("left_unreleased", "departure_not_reported", "held_outside", "left_undeclared", "empty_left_laden")
"""The alarms, as `schemas.gate.GateAlarmRaised` names them."""
ENDS = ("gated_out", "loaded", "left_empty", "left_unreleased", "departure_not_reported", "finding")
"""The ways in which a visit may end: those of `schemas.gate.VisitClosed`, and `gated_out` for a lawful departure.
`visit_ends` below also has alarms, because a row may have the alarm with which a container left."""
TROUBLES = ("starting", "database", "kafka", "access", "projector", "overtaken", "log_replaced")
"""The troubles that stop the projector, as `projector`, `progress` and `observed_progress` of the read model name
them."""
CODES: dict[str, Iterable[str]] = {
    "severities": Severity,
    "troubles": TROUBLES,
    "events": EquipmentEvent,
    "classifiers": Classifier,
    "grounds": ExitGround,
    "found": ("inside", "outside"),
    "watch_states": ("open", "incomplete", "lifted"),
    "laden": ("true", "false"),
    "report_standings": ("retracted", "replaced"),
    "alarm_kinds": ALARMS,
    "stay_codes": StayCode,
    "visit_ends": {*ENDS, "left_undeclared", "empty_left_laden"},
    "stages": {*Stage, UNMATCHED},
    "stage_notes": Stage,
    "lanes": Lane,
    "controls": ControlKind,
    "results": FindingsResult,
    "grades": CreditGrade,
    "modes": TransportMode,
    "directions": Direction,
    "methods": TreatmentMethod,
    "goods_classes": GoodsClass,
    "treatment_decisions": TreatmentDecision,
    "unit_classes": UnitClass,
    "uscc_parts": {part.replace(" ", "_") for part in CreditCodePart},
    "measured": {row.measured.replace(" ", "_") for row in ROWS},
    "kinds": {kind.kind for topic in FACTS_AND_REQUESTS for kind in topic.carries} | {"FactNotProjected"},
    "owners": {*Owner, *SERVICES, "operations", "console"},
    "desks": ("inspection", "quarantine", "gate"),
    "rules": {rule.name for rule in RULES},
    "roles": Role,
    "scopes": Scope,
    "grants": {what.replace(" ", "_") for what in get_args(Granted)},
    "grant_details": {each.replace(" ", "_") for each in (*GRANT_FIELDS, *GRANT_WORDS)},
    "reaches": Reach,
    "spans": SPANS_BY_NAME,
    "codes": TABLES,
    "parameter_places": ("path", "query", "header"),
}
"""Group → exactly the codes that its rows must name."""
ORIGINS = ("risk", *[control for control in ControlKind if control is not ControlKind.QUARANTINE])
WAITS = {
    hold_ids.ASSESSMENT,
    hold_ids.ARRIVAL,
    *[hold_ids.of_control(control) for control in ORIGINS[1:]],
    *[hold_ids.of_treatment(origin) for origin in ORIGINS],
}
SHAPES = set(get_args(ErrorType))
"""pydantic's names for the faults of a field."""
BY_PART = (
    *("problems", "fields", "gate", "requests", "park_reasons", "waiting", "docs", "stamps", "timeline", "units"),
    "key_states",
)
"""Groups of texts whose whole names are computed, so that the sources do not contain them. The part of a name after the
group is a literal in the sources, or a member of SHAPES, WAITS or WRITTEN_BEFORE."""
READ_BACK = "written"
"""The group of the desks' sentences, which test_desk_sentences checks."""

WRITTEN_BEFORE = {"parking_full"}
"""Reasons that only facts of older software versions have."""


def sources() -> str:
    """The text of all sources that may name a sentence, without the catalogue."""
    console = FOLDER.parent
    code = [*console.glob("*.py"), *console.glob("*/*.py"), *console.parent.glob("shell/*.py")]
    files = [*code, *FOLDER.glob("templates/*.html")]
    return "\n".join([file.read_text(encoding="utf-8") for file in files])


def groups() -> dict[str, set[str]]:
    made: dict[str, set[str]] = {}
    for key in TEXTS:
        group, _, name = key.partition(".")
        made.setdefault(group, set()).add(name)
    return made


def test_every_code_has_its_words_and_no_word_has_lost_its_code() -> None:
    there = groups()
    assert {group: there[group] for group in CODES} == {
        group: {str(code) for code in codes} for group, codes in CODES.items()
    }


def test_every_sentence_that_is_said_is_there_and_every_one_that_is_there_is_said() -> None:
    text, there = sources(), groups()
    named = {key for key in NAMED_KEY.findall(text) if key.split(".")[0] in there and not key.endswith(".html")}
    named |= set(CALLED.findall(text))
    assert {key for key in named if key not in TEXTS} == set()
    plain = {key for key in TEXTS if key.split(".")[0] not in (*CODES, *BY_PART, READ_BACK)}
    assert plain - named == set()
    for group in BY_PART:
        looked_up = {name.partition(".")[0] for name in there[group] if f"{group}.{name}" not in named}
        elsewhere = looked_up - SHAPES - WAITS - WRITTEN_BEFORE
        assert {name for name in elsewhere if not re.search(f"[\"']{name}[\"']", text)} == set(), group
    assert there["waiting"] >= WAITS


def test_both_languages_say_everything_with_the_same_places() -> None:
    for key, texts in TEXTS.items():
        assert texts.zh.strip() and texts.en.strip(), key
        assert sorted(set(PLACEHOLDER.findall(texts.zh))) == sorted(set(PLACEHOLDER.findall(texts.en))), key
    same = {key for key, texts in TEXTS.items() if texts.zh == texts.en and not PLACEHOLDER.search(texts.zh)}
    assert same == set()


def test_the_reasons_of_rules_are_those_of_the_risk_desk() -> None:
    for rule in RULES:
        assert TEXTS[f"rules.{rule.name}"] == (rule.why_zh, rule.why_en)


def test_refusals_are_in_both_languages() -> None:
    assert all(texts.zh and texts.en for texts in REFUSALS.values())
