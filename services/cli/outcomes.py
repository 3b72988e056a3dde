"""What became of the declarations that were lodged? The API is polled until a desk has answered; the result is shown in both languages."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import quote

import httpx2

from services.cli.screen import Part, styled
from services.shell.clock import stopwatch

AGAIN_SECONDS = 0.3
"""Seconds between two rounds of polling."""
PATIENCE_SECONDS = 60.0
"""Seconds without a new answer after which the command stops waiting."""
MOST_FINDINGS = 20
"""The most findings of one declaration that are listed. The others are only counted."""


class End(StrEnum):
    """The result of a declaration. `taken`: the API has accepted the request, and no desk has answered yet; `sent_back`: the API or a desk
    refused it; `parked`: its message was parked. The other values are answers of the declaration desk."""

    TAKEN = "taken"
    ACCEPTED = "accepted"
    REPEATED = "repeated"
    REJECTED = "rejected"
    SENT_BACK = "sent_back"
    PARKED = "parked"


TEXTS = {
    End.TAKEN: ("taken, not answered yet 已接收，待答复", "yellow"),
    End.ACCEPTED: ("accepted 已受理", "green"),
    End.REPEATED: ("lodged before, nothing changed 重复申报，以首次为准", "green"),
    End.REJECTED: ("rejected 退单", "red"),
    End.SENT_BACK: ("sent back 退回", "red"),
    End.PARKED: ("parked, operations must settle it 已搁置，待运维处置", "yellow"),
}
BAD = frozenset({End.REJECTED, End.SENT_BACK, End.PARKED})
"""Ends for which the exit code of the command is 1."""
_BY_KIND = {
    "DeclarationAccepted": End.ACCEPTED,
    "DeclarationRejected": End.REJECTED,
    "DeclarationRepeated": End.REPEATED,
}


@dataclass
class DeclarationOutcome:
    """The result of one declaration. `link`: the address of the page of its goods; `why`: findings or reasons, a line for each."""

    reference: str
    end: End
    consignment_id: str = ""
    link: str = ""
    request_id: str = ""
    declaration_no: str = ""
    why: list[str] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        """Returns the outcome as a JSON object, for programs."""
        return {**vars(self), "end": self.end.value}

    def lines(self) -> Iterator[list[Part]]:
        """Yields the lines of the outcome for people: first names, link and end, then a line for each reason."""
        sentence, style = TEXTS[self.end]
        named: list[Part] = [
            self.reference,
            self.consignment_id,
            self.link,
            styled(sentence, style),
            self.declaration_no,
        ]
        yield [each for each in named if each]
        for why in self.why:
            yield ["   ", why]


def taken(address: str, item: Mapping[str, Any], reference: str) -> DeclarationOutcome:
    """Returns the outcome for the API's answer about one declaration of a batch: accepted by the API, or sent back with its faults.
    `address`: the address of the console; `reference`: the name of the declaration for people."""
    goods = _text(item.get("consignment_id"))
    if item.get("status_code", 202) != 202:
        return DeclarationOutcome(reference, End.SENT_BACK, why=[*_faults(item)])
    link = f"{address}/consignments/{quote(goods)}" if goods else ""
    return DeclarationOutcome(reference, End.TAKEN, goods, link, _text(item.get("request_id")))


def _faults(item: Mapping[str, Any]) -> Iterator[str]:
    errors = _maps(item.get("errors"))
    for each in _errors_first(errors)[:MOST_FINDINGS]:
        yield _listed(each, (each.get("message_zh"), each.get("message_en")))
    if not errors:
        yield _joined(item.get("code"), item.get("title_zh"), item.get("title") or item.get("detail"))
    counted = item.get("faults")
    more = (counted if isinstance(counted, int) else len(errors)) - len(errors[:MOST_FINDINGS])
    if errors and more > 0:
        yield f"… {more:,} more 另有"


def answered(known: DeclarationOutcome, view: Mapping[str, Any]) -> DeclarationOutcome:
    """Returns the outcome for the API's answer about the request of a declaration. Returns `known` itself if no desk has decided yet."""
    named = view.get("outcome")
    if named == "refused":
        refusal = view.get("refusal")
        texts = refusal if isinstance(refusal, Mapping) else {}
        why = _joined(view.get("refusal_code"), texts.get("zh"), texts.get("en"), view.get("reason"))
        return _ended(known, End.SENT_BACK, [why])
    if named == "parked":
        return _ended(known, End.PARKED, [])
    answers = _maps(view.get("answers"))
    # The answers are read from the last to the first. If the declaration was passed on to the next consignment of its reference, the last
    # answer is the one about that consignment.
    for answer in reversed(answers):
        if (end := _BY_KIND.get(_text(answer.get("kind")))) is not None:
            body = answer.get("body")
            number = _text(body.get("declaration_no")) if isinstance(body, Mapping) else ""
            return _ended(known, end, [*_findings(answer)], number)
    return known


def _ended(known: DeclarationOutcome, end: End, why: list[str], number: str = "") -> DeclarationOutcome:
    return DeclarationOutcome(known.reference, end, known.consignment_id, known.link, known.request_id, number, why)


def _findings(answer: Mapping[str, Any]) -> Iterator[str]:
    found = _maps(answer.get("findings"))
    for each in _errors_first(found)[:MOST_FINDINGS]:
        yield _listed(each, _in_both(each.get("text")))
    if len(found) > MOST_FINDINGS:
        yield f"… {len(found) - MOST_FINDINGS:,} more 另有"


def _errors_first(found: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Returns the findings with the errors before the warnings. So if the list is cut off, no warning takes the place of an error."""
    return sorted(found, key=_is_warning)


def _is_warning(finding: Mapping[str, Any]) -> bool:
    return finding.get("severity") == "warning"


def _listed(finding: Mapping[str, Any], message: tuple[object, object]) -> str:
    """Returns the line of one finding of the API or of the declaration desk. `message`: its message in Chinese and English."""
    near = finding.get("nearest")
    codes = [code for code in near if isinstance(code, str)] if isinstance(near, list) else []
    return _joined(
        finding.get("pointer"),
        finding.get("code"),
        "提示 warning" if _is_warning(finding) else "",
        *message,
        *_value_in_words(finding),
        f"相近代码 nearest codes: {' '.join(codes)}" if codes else "",
    )


def _value_in_words(finding: Mapping[str, Any]) -> tuple[object, ...]:
    """Returns the declared value in words, in both languages if they differ. A console of an older software version has no words for it. In
    that case, returns the value that the desk wrote."""
    zh, en = _in_both(finding.get("seen_text"))
    return (zh, en) if zh != en else (en or finding.get("seen"),)


def _in_both(texts: object) -> tuple[object, object]:
    return (texts.get("zh"), texts.get("en")) if isinstance(texts, Mapping) else ("", "")


def _joined(*parts: object) -> str:
    return " ".join([text for part in parts if (text := _text(part))])


def _maps(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def wait(
    api: httpx2.Client,
    open_ones: list[DeclarationOutcome],
    tell: Callable[[DeclarationOutcome], None],
    advance: Callable[[int], None],
    patience: float = PATIENCE_SECONDS,
) -> None:
    """Polls the API for each declaration and calls `tell` as soon as its outcome is known. If there is no new outcome for `patience` seconds,
    stops polling, and calls `tell` with each of the remaining declarations as it is. `advance` is called with the number of new outcomes."""
    last_answer = stopwatch()
    while open_ones and stopwatch() - last_answer < patience:
        left = []
        advance(0)
        for one in open_ones:
            now = answered(one, _request_view(api, one.request_id))
            if now.end is End.TAKEN:
                left.append(one)
                continue
            last_answer = stopwatch()
            advance(1)
            tell(now)
        open_ones = left
        if left:
            time.sleep(AGAIN_SECONDS)
    for one in open_ones:
        tell(one)


def _request_view(api: httpx2.Client, request_id: str) -> Mapping[str, Any]:
    """Returns the API's answer about a request. It is empty if the API does not answer now. The caller then asks again."""
    try:
        answer = api.get(f"/requests/{quote(request_id, safe='')}")
        body = answer.json() if answer.status_code == 200 else None
    except (httpx2.TransportError, ValueError, RecursionError):
        return {}
    return body if isinstance(body, Mapping) else {}
