"""How does a reader learn the API? There are pages about it, made from the OpenAPI document. They load nothing from other
servers."""

import json
import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from schemas.codes.bilingual import Bilingual
from services.console.api.problems import Problem, wants_page
from services.console.api.reference import CODES, FAULTS, SUMMARY_ZH, TABLES, ZH, bounds, origin_of
from services.console.language.words import TEXTS
from services.console.pages.rendering import render

router = APIRouter(include_in_schema=False)
Schema = dict[str, Any]
CODE_ROWS = 2000
"""The most codes on one page. Only the table of the HS has more."""


@router.get("/docs")
def docs(request: Request) -> Response:
    """Shows the page with every operation, grouped by who needs it, with its parameters, body and answers; and with every
    object that an answer has."""
    document = request.app.openapi()
    groups: dict[str, list[Schema]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for tag in operation["tags"]:
                groups.setdefault(tag, []).append(_operation(document, path, method, operation))
    info = document["info"]
    objects = {name: _rows(document, document["components"]["schemas"][name]) for name in _objects(document)}
    return render(request, "docs.html", groups=groups, objects=objects, text=info["description"], zh=info[ZH])


@router.get("/docs/codes/{table}")
def codes(request: Request, table: str, find: Annotated[str, Query(max_length=100)] = "") -> Response:
    """Shows the page with one list of codes that a field may hold, at most `CODE_ROWS` of them. `find`: how a code begins, or a part of its name."""
    if table not in TABLES:
        raise Problem(404, "no_such_path", seen=request.url.path)
    wanted = find.strip().casefold()
    rows = TABLES[table]()
    found = {code: name for code, name in rows.items() if _is_meant(wanted, code, name)} if wanted else rows
    return render(
        request,
        "codes.html",
        table=table,
        find=find.strip(),
        rows=dict(list(found.items())[:CODE_ROWS]),
        count=len(found),
        origin=origin_of(table),
        tables=list(TABLES),
    )


def _is_meant(wanted: str, code: str, name: Bilingual) -> bool:
    return code.casefold().startswith(wanted) or wanted in name.joined.casefold()


@router.get("/problems")
def faults(request: Request) -> Response:
    """Shows the page with every problem that an answer may name."""
    return render(request, "faults.html", faults=FAULTS)


@router.get("/problems/{code}")
def fault(request: Request, code: str) -> Response:
    """Shows the page to which the `type` of a problem leads. It says what the problem means. Programs get the same as JSON."""
    if code not in FAULTS:
        raise Problem(404, "no_such_path", seen=request.url.path)
    problem, title = FAULTS[code], TEXTS[f"problems.{code}.title"]
    # each answer fills the gaps with its own values
    detail = Bilingual(*[_GAP.sub("…", each) for each in TEXTS[f"problems.{code}.detail"]])
    if wants_page(request):
        return render(request, "fault.html", code=code, entry=problem, title=title, detail=detail)
    return JSONResponse(
        {
            "type": f"/problems/{code}",
            "status": problem.status,
            "title": title.en,
            "title_zh": title.zh,
            "detail": detail.en,
            "detail_zh": detail.zh,
            "when": problem.en,
            "when_zh": problem.zh,
            "example": problem.request or None,
        }
    )


_GAP = re.compile(r"\{\w+\}")


def _operation(document: Schema, path: str, method: str, operation: Schema) -> Schema:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    return {
        "id": f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}",
        "method": method.upper(),
        "path": path,
        "summary": operation.get("summary", ""),
        "summary_zh": operation[SUMMARY_ZH],
        "description": operation.get("description", ""),
        "zh": operation[ZH],
        "parameters": [_parameter(document, each) for each in operation.get("parameters", ())],
        "fields": _fields(document, body) if body else [],
        "answers": [
            (code, each.get("description", ""), each[ZH], _object_of(each))
            for code, each in operation["responses"].items()
        ],
    }


def _object_of(answer: Schema) -> str:
    """Returns the name of the object that the answer contains; an empty text if the answer is not an object."""
    schemas = [content.get("schema", {}) for content in answer.get("content", {}).values()]
    return next((schema["$ref"].rpartition("/")[2] for schema in schemas if "$ref" in schema), "")


def _objects(document: Schema) -> list[str]:
    """Returns the names of all objects that answers have, including objects within other objects."""
    found = set[str]()
    unread: list[Any] = [each["responses"] for methods in document["paths"].values() for each in methods.values()]
    while unread:
        named = set(_REFERENCE.findall(json.dumps(unread.pop()))) - found
        found |= named
        unread += [document["components"]["schemas"][name] for name in named]
    return sorted([name for name in found if _has_fields(document, name)])


def _has_fields(document: Schema, name: str) -> bool:
    return "properties" in document["components"]["schemas"][name]


_REFERENCE = re.compile(r'"#/components/schemas/(\w+)"')


def _parameter(document: Schema, parameter: Schema) -> Schema:
    schema = parameter["schema"]
    return {
        "name": parameter["name"],
        "place": parameter["in"],
        "required": parameter.get("required", False),
        "description": parameter.get("description", ""),
        "zh": parameter.get(ZH, ""),
        "example": _example(parameter.get("example")),
        "shape": shape(schema, document),
        "bounds": bounds(schema),
        "codes": "",
    }


def _fields(document: Schema, schema: Schema) -> list[Schema]:
    """Returns the rows for the fields of a body. The fields of an object within the body follow the row of that object, with
    its name as prefix."""
    found = _resolve(document, schema)
    rows = []
    for row, field in zip(_rows(document, found), found.get("properties", {}).values(), strict=True):
        rows.append(row)
        inner = field.get("items", field)
        if "$ref" in inner and "properties" in _resolve(document, inner):
            prefix = f"{row['name']}{'[]' if 'items' in field else ''}"
            rows += [{**each, "name": f"{prefix}.{each['name']}"} for each in _fields(document, inner)]
    return rows


def _rows(document: Schema, schema: Schema) -> list[Schema]:
    """Returns the rows for the fields of an object. The fields of objects within it are not among them. The key
    `objects` of a row has the names of these objects."""
    return [
        {
            "name": name,
            "shape": shape(field, document),
            "objects": [each for each in _REFERENCE.findall(json.dumps(field)) if _has_fields(document, each)],
            "required": name in schema.get("required", ()),
            "description": field.get("description", ""),
            "zh": field.get(ZH, ""),
            "example": _example(next(iter(field.get("examples", ())), None)),
            "bounds": bounds(field),
            "codes": field.get(CODES, ""),
        }
        for name, field in schema.get("properties", {}).items()
    ]


def _example(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _resolve(document: Schema, schema: Schema) -> Schema:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Schema = document["components"]["schemas"][name] if name else schema
    return found


def shape(schema: Schema, document: Schema) -> str:
    """Returns a schema as a short text: its type or format, or the values that it allows."""
    if "$ref" in schema:
        named = _resolve(document, schema)
        return shape(named, document) if "enum" in named else str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys([shape(each, document) for each in schema["anyOf"]]))
    if "enum" in schema:
        return " | ".join([str(value) for value in schema["enum"]])
    if schema.get("type") == "array":
        return f"[{shape(schema.get('items', {}), document)}]"
    return str(schema.get("format") or schema.get("const") or schema.get("type", ""))
