"""What does each field of the API mean, what are its bounds and its list of codes, and what is an example of it?

The texts are in `reference.toml`. They are added to the OpenAPI document, so that programs and the API's page show the
same texts.
"""

import json
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from schemas.codes import hs
from schemas.codes.bilingual import NAMELESS, Bilingual
from schemas.codes.checks import CHECKS
from schemas.codes.countries import NAMES as COUNTRIES
from schemas.codes.currencies import CURRENCIES
from schemas.codes.offices import OFFICES
from schemas.codes.refusals import REFUSALS
from schemas.codes.tables import CodeTable, tables
from schemas.codes.trade import PACKAGE_KINDS, TRADE_MODES
from schemas.codes.units import UNITS
from schemas.topics import CATALOGUE, SERVICES
from schemas.vocabulary import Stage, StageName, StayCode, TransportMode, day_in_china
from services.console.language.code_names import country, currency
from services.console.language.words import TEXTS
from services.console.readmodel.consignment import AwaitedCode, Mover
from services.shell.clock import now

Schema = dict[str, Any]
ZH, SUMMARY_ZH = "x-description-zh", "x-summary-zh"
CODES = "x-codes"
"""An extension of the OpenAPI document: the address of the page that lists the codes of this field."""


class Field(NamedTuple):
    """The documentation of a field. `zh`, `en`: its description in both languages; `codes`: the name of its table of codes, empty if it has
    none."""

    zh: str
    en: str
    example: Any
    codes: str


_ROWS: Final = tomllib.loads(Path(__file__).with_name("reference.toml").read_text(encoding="utf-8"))


def _load(group: str) -> Mapping[str, Field]:
    rows = _ROWS[group]
    return MappingProxyType({name: Field(row[0], row[1], json.loads(row[2]), row[3]) for name, row in rows.items()})


FIELDS: Final = _load("fields")
"""The documentation of the fields of request bodies, by name."""
FIELDS_OF_ANSWERS: Final = _load("fields_of_answers")
PARAMETERS: Final = _load("parameters")
OPERATIONS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {name: (summary, description) for name, (summary, description) in _ROWS["operations"].items()}
)
"""Summary and description of each operation in Chinese, by `operation_name`. The summary and the description of the
whole document have an empty name."""
ANSWERS: Final[Mapping[str, str]] = MappingProxyType(_ROWS["answers"])
"""English description of an answer → the Chinese description."""


def _of(group: str, codes: Iterable[str] = (), row: str = "") -> Callable[[], Mapping[str, Bilingual]]:
    """Returns a function that returns these codes (by default all codes of the group) with their texts in words.toml. `row`: for a group
    that has several rows for each code, the suffix of the row's name after the code."""
    named = list(codes) or [key.partition(".")[2] for key in TEXTS if key.startswith(f"{group}.")]
    return lambda: {code: TEXTS[f"{group}.{code}{row}"] for code in map(str, named)}


TABLES: Final[Mapping[str, Callable[[], Mapping[str, Bilingual]]]] = MappingProxyType(
    {
        "hs": lambda: _hs_names(),
        "offices": lambda: OFFICES,
        "trade_modes": lambda: TRADE_MODES,
        "transport_modes": _of("modes", TransportMode),
        "units": lambda: UNITS,
        "package_kinds": lambda: PACKAGE_KINDS,
        "countries": lambda: {code: country(code) for code in COUNTRIES},
        "currencies": lambda: {code: currency(code) for code in sorted(CURRENCIES)},
        "stages": _of("stages", Stage),
        "stage_names": lambda: {name.value: TEXTS[f"stages.{name.stage.value}"] for name in StageName},
        "waits": _of("waiting", (*AwaitedCode, "declaration")),
        "owners": _of("owners", Mover),
        "directions": _of("directions"),
        "lanes": _of("lanes"),
        "controls": _of("controls"),
        "grades": _of("grades"),
        "kinds": _of("kinds"),
        "checks": lambda: CHECKS,
        "severities": _of("severities"),
        "outcomes": _of("requests"),
        "refusals": lambda: REFUSALS,
        "gate_reasons": _of("gate"),
        "stay_codes": _of("stay_codes", StayCode),
        "alarm_kinds": _of("alarm_kinds"),
        "visit_ends": _of("visit_ends"),
        "events": _of("events"),
        "classifiers": _of("classifiers"),
        "report_standings": _of("report_standings"),
        "watch_states": _of("watch_states"),
        "spans": _of("spans"),
        "services": _of("owners", (*SERVICES, "console")),
        "topics": lambda: dict.fromkeys([topic.name for topic in CATALOGUE], NAMELESS),
        "park_reasons": _of("park_reasons"),
        "troubles": _of("troubles"),
        "roles": _of("roles"),
        "scopes": _of("scopes"),
        "problems": lambda: _of("problems", FAULTS, ".title")(),
        "faults": _of("fields"),
    }
)
"""Name of a list of codes → a function that returns the codes, each with its name; `NAMELESS` if the codes have no names."""


def _hs_names() -> Mapping[str, Bilingual]:
    """Returns code → name, for the edition of the HS that is in force today. The names are English in both languages, because the source
    has no others."""
    in_force = hs.edition(day_in_china(now()))
    return in_force.names if in_force else {}


def origin_of(table: str) -> CodeTable | None:
    """Returns the code table behind the list `table` of `TABLES`, with its source, its day and what it lacks. Returns
    None if the codes of the list are the software's own."""
    return tables(day_in_china(now())).get(table.replace("_", "-"))


def operation_name(method: str, path: str) -> str:
    """Returns the name of an operation in `OPERATIONS`: its method, and its path without `/api/v1`."""
    return f"{method.upper()} {path.removeprefix('/api/v1')}"


def with_words(made: Schema) -> Schema:
    """Adds the descriptions of fields and parameters to the OpenAPI document, and Chinese texts to operations and answers. Changes the
    document in place and returns it."""
    made["info"][SUMMARY_ZH], made["info"][ZH] = OPERATIONS[""]
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            operation[SUMMARY_ZH], operation[ZH] = OPERATIONS.get(operation_name(method, path), ("", ""))
            for answer in operation["responses"].values():
                answer[ZH] = ANSWERS.get(answer["description"], "")
    for name, schema in made["components"]["schemas"].items():
        _tell(name, schema, FIELDS if name in _BODIES else FIELDS_OF_ANSWERS)
    for operation in operations(made):
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        if body:
            _tell("", body, FIELDS)
        for parameter in operation.get("parameters", ()):
            description = PARAMETERS.get(parameter["name"])
            if description is not None:
                parameter[ZH], parameter["example"] = description.zh, description.example
                parameter["description"] = description.en or parameter.get("description", "")
    return made


_BODIES = frozenset({"Declaration", "DeclaredContainer", "FormLine", "Item", "Reading"})
"""The objects that occur in bodies of requests. All others occur in answers."""


def operations(document: Schema) -> Iterator[Schema]:
    """Yields every operation of the document."""
    for methods in document["paths"].values():
        yield from methods.values()


def _tell(model: str, schema: Schema, rows: Mapping[str, Field]) -> None:
    for name, field in schema.get("properties", {}).items():
        required = rows.get(f"required.{name}") if name in schema.get("required", ()) else None
        description = rows.get(f"{model}.{name}") or required or rows.get(name)
        if description is None:
            continue
        field["description"], field[ZH], field["examples"] = description.en, description.zh, [description.example]
        if description.codes:
            field[CODES] = f"/docs/codes/{description.codes}"


def bounds(schema: Schema) -> str:
    """Returns the bounds of a field as a short text, for example `len 1–35`, `≥ 0` or `items ≤ 200`; an empty text if it has none."""
    if "anyOf" in schema:
        found = [bounds(each) for each in schema["anyOf"] if each.get("type") in ("number", "integer", "array")]
        return next((each for each in found if each), "")
    for low, high, sign in (
        ("minLength", "maxLength", "len"),
        ("minimum", "maximum", ""),
        ("minItems", "maxItems", "items"),
    ):
        least, most = schema.get(low), schema.get(high)
        if least is None and most is None:
            continue
        interval = f"{_number(least)}–{_number(most)}" if least is not None and most is not None else ""
        interval = interval or (f"≤ {_number(most)}" if most is not None else f"≥ {_number(least)}")
        return f"{sign} {interval}".strip()
    return ""


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


class DocumentedProblem(NamedTuple):
    """The documentation of a kind of problem. `request`: an HTTP request that leads to the problem, empty if no single
    request does. `who`: the account that sends that request. "" stands for any account with the right, and "-" for a
    sender who is not authenticated. `zh`, `en`: when the problem occurs."""

    status: int
    who: str
    request: str
    zh: str
    en: str


FAULTS: Final[Mapping[str, DocumentedProblem]] = MappingProxyType(
    {code: DocumentedProblem(*row) for code, row in _ROWS["problems"].items()}
)
"""Code → documentation, for every problem that an answer may name."""
