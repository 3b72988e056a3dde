"""Writes asyncapi.json, the description of the topics for programs, if it is run as `python -m schemas.asyncapi`. A test
compares the file with the catalogue of topics.

AsyncAPI 3.0.0. An operation is described from the side of this system, which receives requests and sends facts.
"""

import json
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from schemas.envelope import Message
from schemas.topics import CATALOGUE, FOR_THE_PORTS, KINDS, Topic

CHANNELS = tuple(topic for topic in CATALOGUE if topic.carries)
"""All topics except the state topics. A state topic belongs to one service, so other programs need no description of
it."""
FILE = Path(__file__).with_name("asyncapi.json")
TEXT = {"type": "string"}
HEADERS = {
    "type": "object",
    "description": "CloudEvents 1.0 in Kafka's binary mode. causationid: the id of the message that led to this one",
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {
            **TEXT,
            "description": "the id of the message; a message that is sent twice has the same id both times",
        },
        "ce_type": {**TEXT, "description": "the kind of the message: a name in components/messages"},
        "ce_source": TEXT,
        "ce_time": {**TEXT, "format": "date-time"},
        "ce_subject": {**TEXT, "description": "the key of the message"},
        "causationid": TEXT,
        "correlationid": TEXT,
        "sequence": {
            **TEXT,
            "pattern": "^[0-9]+$",
            "description": "the number of this fact among those of its desk with the same key, from 1",
        },
        "traceparent": TEXT,
    },
    "required": ["ce_id", "ce_type"],
}


def text() -> str:
    """Returns the text of asyncapi.json."""
    document = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Datongguan",
            "version": "1",
            "description": "Requests to the desks of a border, and the facts that the desks publish, on Kafka topics. 海关通关的请求与事实",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in CHANNELS},
        "operations": {topic.name: _operation(topic) for topic in CHANNELS},
        "components": {
            "messages": {_name(message): _message(message) for message in (*KINDS.values(), *FOR_THE_PORTS.carries)},
            "schemas": {"Headers": HEADERS, **_schemas()},
        },
    }
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _channel(topic: Topic) -> dict[str, Any]:
    return {
        "address": topic.name,
        "description": f"Written by {' and '.join(topic.writers)}. Each key identifies a {topic.key}. Messages are kept {topic.retention}.",
        "messages": {m.kind: {"$ref": f"#/components/messages/{_name(m)}"} for m in topic.carries},
        "bindings": {"kafka": {"topic": topic.name, "bindingVersion": "0.5.0"}},
    }


def _operation(topic: Topic) -> dict[str, Any]:
    return {
        "action": "receive" if topic.writer == "anyone" else "send",
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "messages": [{"$ref": f"#/channels/{topic.name}/messages/{m.kind}"} for m in topic.carries],
    }


def _name(message: type[Message]) -> str:
    """Returns the name of the component. It is the kind of the message; for a redacted form it is the name of its class, because its kind
    is that of the original."""
    return message.__name__ if message in FOR_THE_PORTS.carries else message.kind


def _message(message: type[Message]) -> dict[str, Any]:
    return {
        "name": message.kind,
        "summary": (message.__doc__ or "").strip().splitlines()[0],
        "headers": {"$ref": "#/components/schemas/Headers"},
        "payload": {"$ref": f"#/components/schemas/{message.__name__}"},
    }


def _schemas() -> dict[str, Any]:
    models = [(model, "validation") for model in (*KINDS.values(), *FOR_THE_PORTS.carries)]
    _, definitions = models_json_schema(models, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    schemas: dict[str, Any] = definitions["$defs"]
    return schemas


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
