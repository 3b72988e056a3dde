"""How does a reader learn the API? A page made from the application's own document; nothing is fetched from elsewhere."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.console.rendering import render

router = APIRouter(include_in_schema=False)
Schema = dict[str, Any]


@router.get("/docs")
def docs(request: Request) -> Response:
    """Every operation by who needs it, with parameters, body and answers."""
    document = request.app.openapi()
    groups: dict[str, list[Schema]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for tag in operation["tags"]:
                groups.setdefault(tag, []).append(_operation(document, path, method, operation))
    return render(
        request, "docs.html", groups=groups, title=document["info"]["title"], text=document["info"]["description"]
    )


def _operation(document: Schema, path: str, method: str, operation: Schema) -> Schema:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    return {
        "id": f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}",
        "method": method.upper(),
        "path": path,
        "summary": operation.get("summary", ""),
        "description": operation.get("description", ""),
        "parameters": [_parameter(each) for each in operation.get("parameters", ())],
        "fields": _fields(document, body) if body else [],
        "answers": [(code, each.get("description", "")) for code, each in operation["responses"].items()],
    }


def _parameter(said: Schema) -> Schema:
    return {
        "name": said["name"],
        "place": said["in"],
        "required": said.get("required", False),
        "description": said.get("description", ""),
        "shape": shape(said["schema"]),
    }


def _fields(document: Schema, schema: Schema) -> list[Schema]:
    """The fields of a body, those of the objects in it indented behind them."""
    found = _resolve(document, schema)
    rows = []
    for name, said in found.get("properties", {}).items():
        required = name in found.get("required", ())
        rows.append(
            {"name": name, "shape": shape(said), "required": required, "description": said.get("description", "")}
        )
        inner = said.get("items", said)
        if "$ref" in inner and "properties" in _resolve(document, inner):
            many = "[]" if "items" in said else ""
            rows += [{**row, "name": f"{name}{many}.{row['name']}"} for row in _fields(document, inner)]
    return rows


def _resolve(document: Schema, schema: Schema) -> Schema:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Schema = document["components"]["schemas"][name] if name else schema
    return found


def shape(schema: Schema) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys([shape(each) for each in schema["anyOf"]]))
    if "enum" in schema:
        return " | ".join([str(value) for value in schema["enum"]])
    if schema.get("type") == "array":
        return f"[{shape(schema.get('items', {}))}]"
    return str(schema.get("format") or schema.get("const") or schema.get("type", ""))
