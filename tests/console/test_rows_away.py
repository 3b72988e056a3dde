"""What does the API answer while the read model does not answer? Each answer has a form that the OpenAPI document names."""

from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from schemas.vocabulary import consignment_id
from services.console.readmodel.database import open_engine
from services.console.readmodel.queries import ReadModelQueries
from tests.console.still import Still
from tests.declaration.good import BOX, DECLARANT

GOODS, REQUEST = consignment_id(DECLARANT, "ROWS-AWAY"), "0d8fcf6e-9f0a-4b6c-8f0e-6c0f7d2b9a11"
VALUES = {"container_no": BOX, "consignment_id": GOODS, "key": GOODS, "message_id": REQUEST, "request_id": REQUEST}
NO_ROWS = {"/api/v1/me", "/livez", "/readyz"}
"""Addresses that are answered without the read model."""


def test_while_the_read_model_does_not_answer_each_answer_has_a_documented_form(tmp_path: Path) -> None:
    away = Still(tmp_path)
    document = away.app.openapi()
    context = away.app.state.context
    context.rows = context.gate_rows = ReadModelQueries(open_engine(f"sqlite:///{tmp_path}/no/such/folder/console.db"))
    forms = {}
    for path, methods in document["paths"].items():
        if "get" not in methods or path in NO_ROWS:
            continue
        answer = away.get(path.format(**VALUES), headers={"accept": "application/json"})
        assert answer.status_code == 503, path
        media_type = answer.headers["content-type"].partition(";")[0]
        documented: dict[str, Any] = methods["get"]["responses"]["503"]["content"]
        assert media_type in documented, path
        schema = {**documented[media_type]["schema"], "components": document["components"]}
        Draft202012Validator(schema).validate(answer.json())
        forms[path] = media_type
    assert len(forms) >= 10
    assert [path for path, form in forms.items() if form == "application/json"] == ["/api/v1/containers/{container_no}"]
    gate = away.get(f"/api/v1/containers/{BOX}").json()
    assert (gate["may_leave"], gate["reason"], gate["container_no"]) == (False, "away", BOX)
