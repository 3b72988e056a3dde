"""How does the API answer an error? It answers with RFC 9457 problem details, which have texts in both languages and a
pointer to each fault."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from schemas.codes.bilingual import Bilingual
from schemas.declaration import Finding
from schemas.vocabulary import Severity
from services.console.api.views import Text
from services.console.language.desk_sentences import in_words_of
from services.console.language.words import TEXTS, both, check

MEDIA_TYPE = "application/problem+json"
SHOWN_ERRORS = 100
"""The most faults that one answer lists."""
LISTED_ERRORS = 10_000
"""If pydantic finds more faults than this in a body, none of them is listed, because pydantic lists either all faults
or none, and each listed fault takes time."""
SHOWN_POINTER = 200


REFERENCE = {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}


def documented(*answers: tuple[int, str]) -> dict[int | str, dict[str, Any]]:
    """Returns the entries of `responses` by which a route documents the problems that it may answer. `answers`: status and description
    of each."""
    return {status: {"description": description, "content": {MEDIA_TYPE: REFERENCE}} for status, description in answers}


class FieldError(BaseModel):
    """One fault. `pointer`: where it is in the body that was sent (RFC 6901); `seen`: the faulty value, shortened. `seen_text`: if
    `seen` is a sentence and not a value, the sentence in both languages; `nearest`: codes of the table that may have been meant."""

    pointer: str
    code: str
    severity: Severity = Severity.ERROR
    seen: str = ""
    seen_text: Text | None = None
    nearest: list[str] = []
    message_en: str
    message_zh: str


class ProblemDetails(BaseModel):
    """Problem details as in RFC 9457, with the Chinese texts beside the English ones."""

    type: str
    status: int
    title: str
    title_zh: str
    detail: str
    detail_zh: str
    errors: list[FieldError] = []


class Problem(Exception):
    """An error that is answered to the client. `status`: the HTTP status; `code`: a row of `[problems]` in words.toml; `values` fill
    the gaps of its sentence. `errors`: the faults in the body; `headers`: further headers of the answer."""

    def __init__(
        self,
        status: int,
        code: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **values: object,
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.errors, self.values = status, code, list(errors), values
        self.headers = dict(headers or {})

    def __reduce__(self) -> tuple[Any, ...]:
        """Makes the problem picklable. This is needed because large bodies are parsed in another process, which sends its problem back
        by pickle."""
        return _remade, (self.status, self.code, self.errors, self.headers, self.values)

    def within(self, prefix: str) -> "Problem":
        """Returns the problem of a part of the body as a problem of the whole body: the pointer of each error then
        begins with `prefix`, the pointer to the part."""
        errors = [
            error.model_copy(update={"pointer": f"{prefix}{error.pointer}"[:SHOWN_POINTER]}) for error in self.errors
        ]
        return Problem(self.status, self.code, errors=errors, headers=self.headers, **self.values)

    def details(self) -> ProblemDetails:
        title, detail = both(f"problems.{self.code}.title"), both(f"problems.{self.code}.detail", **self.values)
        return ProblemDetails(
            type=f"/problems/{self.code}",
            status=self.status,
            title=title.en,
            title_zh=title.zh,
            detail=detail.en,
            detail_zh=detail.zh,
            errors=self.errors[:SHOWN_ERRORS],
        )


def _remade(
    status: int, code: str, errors: list[FieldError], headers: dict[str, str], values: dict[str, object]
) -> Problem:
    return Problem(status, code, errors=errors, headers=headers, **values)


def respond(problem: Problem) -> Response:
    """Returns the problem as an HTTP answer."""
    return JSONResponse(problem.details().model_dump(), problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


def wants_page(request: Request) -> bool:
    """Returns whether the answer should be a page, because a browser asks for an address outside the API."""
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def by_status(status: int, requested: str, headers: Mapping[str, str] | None = None) -> Problem:
    """Returns the problem for a status that the framework chose, for example because of an unknown path or a wrong
    method. `requested`: the method and the path; `headers`: the headers that belong to the status, for example `Allow`
    to 405."""
    code = {404: "no_such_path", 405: "wrong_method"}.get(status, "other")
    return Problem(status, code, headers=headers, seen=requested if code != "other" else f"HTTP {status}")


def invalid(error: ValidationError) -> Problem:
    """Returns the Problem 422 for a failed validation, with the first faults and the number of all faults."""
    return Problem(422, "invalid", errors=faults_of(error), count=error.error_count())


def one_fault(pointer: str, code: str, value: object = "", **values: object) -> Problem:
    """Returns the Problem 422 for one fault that was not found by pydantic. The arguments are those of `field_error`."""
    return Problem(422, "invalid", errors=[field_error(pointer, code, value, **values)], count=1)


def faults_of(error: ValidationError, prefix: str = "", shown: int = SHOWN_ERRORS) -> list[FieldError]:
    """Returns the first `shown` faults of a failed validation; none if it has more than LISTED_ERRORS. `prefix`: the beginning of all
    pointers."""
    if not shown or error.error_count() > LISTED_ERRORS:
        return []
    return field_errors(error.errors(include_url=False), prefix, shown)


def field_errors(errors: Sequence[ErrorDetails], prefix: str = "", shown: int = SHOWN_ERRORS) -> list[FieldError]:
    """Turns the first `shown` errors of pydantic into faults. `prefix`: the beginning of all pointers."""
    return [_field_error(error, prefix) for error in errors[:shown]]


def field_error(pointer: str, code: str, value: object = "", **values: object) -> FieldError:
    """Returns a fault that was not found by pydantic. `pointer`: where it is; `code`: a row of `[fields]` in words.toml; `value`: the
    faulty value; `values` fill the gaps of the sentence."""
    message = both(f"fields.{code}", **values)
    return FieldError(pointer=pointer, code=code, seen=_short(value), message_en=message.en, message_zh=message.zh)


def finding_error(finding: Finding, prefix: str = "") -> FieldError:
    """Returns a finding of a check of the declaration desk as a fault of the body. `prefix`: the pointer to the declaration in the
    body."""
    message = check(finding.code)
    sentence = in_words_of([finding.phrase]) if finding.phrase is not None else None
    return FieldError(
        pointer=prefix + finding.pointer,
        code=finding.code,
        severity=finding.severity,
        seen=finding.seen,
        seen_text=Text(zh=sentence.zh, en=sentence.en) if sentence else None,
        nearest=list(finding.nearest),
        message_en=message.en,
        message_zh=message.zh,
    )


def _field_error(error: ErrorDetails, prefix: str) -> FieldError:
    code, context = error["type"], error.get("ctx", {})
    known = _SAME.get(code, code)
    if f"fields.{known}" in TEXTS:
        message = both(f"fields.{known}", **{**_BLANK, **context, **_choice(context)})
    else:
        message = Bilingual(f"不符合要求（{code}）", error["msg"][:200])
    loc = [str(part)[:SHOWN_POINTER].replace("~", "~0").replace("/", "~1") for part in error["loc"]]
    pointer = encodable(prefix + "".join([f"/{part}" for part in loc]))[:SHOWN_POINTER]
    value = error.get("input", "")
    shown = "" if code == "missing" or isinstance(value, dict | list) else _short(value)
    return FieldError(pointer=pointer, code=code, seen=shown, message_en=message.en, message_zh=message.zh)


def _choice(context: Mapping[str, Any]) -> dict[str, Bilingual]:
    """Returns the values that are allowed, in both languages. Each language has its own separators; pydantic lists the
    values in English ("'A', 'B' or 'C'")."""
    listed = context.get("expected")
    if not isinstance(listed, str):
        return {}
    return {"expected": Bilingual(listed.replace("', '", "'、'").replace("' or '", "' 或 '"), listed)}


def encodable(text: str) -> str:
    """Returns the text with a question mark in place of each lone surrogate. Python's JSON parser accepts lone
    surrogates, but no answer can carry them, because UTF-8 has no bytes for them."""
    return text.encode(errors="replace").decode()


def _short(value: object) -> str:
    if isinstance(value, int) and value.bit_length() > 400:
        # Python refuses to convert very long integers to decimal text, so they are shown in hexadecimal
        return hex(value)[:117] + "…"
    text = encodable(value if isinstance(value, str) else str(value))
    return text if len(text) <= 120 else text[:117] + "…"


_BLANK: dict[str, Any] = dict.fromkeys(
    (
        *("min_length", "max_length", "ge", "gt", "le", "lt", "expected", "pattern", "max_digits", "decimal_places"),
        "whole_digits",
    ),
    "",
)
_SAME = {
    "int_from_float": "int_type",
    "int_parsing": "int_type",
    "bool_parsing": "bool_type",
    "decimal_type": "decimal_parsing",
    "float_type": "decimal_parsing",
    "date_type": "date_parsing",
    "date_from_datetime_parsing": "date_parsing",
    "date_from_datetime_inexact": "date_parsing",
    "datetime_type": "datetime_parsing",
    "datetime_from_date_parsing": "datetime_parsing",
    "timezone_aware": "datetime_parsing",
    "model_type": "object_type",
    "model_attributes_type": "object_type",
    "dict_type": "object_type",
    "tuple_type": "list_type",
    "literal_error": "enum",
    "greater_than": "greater_than_equal",
    "finite_number": "not_finite",
}
