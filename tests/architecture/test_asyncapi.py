"""Does the document of the topics say what the catalogue says?"""

import json

from schemas.asyncapi import FILE, text
from schemas.topics import CATALOGUE, FOR_THE_PORTS, KINDS


def test_asyncapi_is_the_committed_document() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "run: make asyncapi"


def test_every_reference_leads_somewhere_and_every_kind_is_on_its_topic() -> None:
    document = json.loads(FILE.read_text(encoding="utf-8"))

    def follow(reference: str) -> None:
        node = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]

    def walk(node: object) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                follow(node["$ref"])
            for child in node.values():
                walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)

    walk(document)
    kinds = {name: set(channel["messages"]) for name, channel in document["channels"].items()}
    assert kinds == {
        topic.name: {message.kind for message in topic.carries} for topic in CATALOGUE if topic.role != "state"
    }
    redacted = {form.__name__ for form in FOR_THE_PORTS.carries}
    assert set(document["components"]["messages"]) == {*KINDS, *redacted}
    granted = document["components"]["schemas"]["ReleaseGrantedToAPort"]["properties"]
    assert "containers" in granted and not {"lane", "answers"} & set(granted)
