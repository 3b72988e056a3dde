"""Can the body of a request be read? Its size, its type, its JSON, duplicate keys and then its shape are checked; each check has a problem of
its own."""

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import Any, NoReturn, TypeVar

import msgspec
from annotated_types import MaxLen
from fastapi import Request
from pydantic import BaseModel, ValidationError

from schemas.bounds import WhenMade
from schemas.codes.bilingual import Bilingual
from schemas.codes.formats import FORMATS, Format
from services.console.api.context import context_of
from services.console.api.exact_numbers import exact
from services.console.api.nulls import validated
from services.console.api.problems import SHOWN_ERRORS, FieldError, Problem, encodable, faults_of, field_error
from services.console.language.words import both
from services.shell.formats import BOM, recognise

M = TypeVar("M", bound=BaseModel)
SEPARATORS = b",:{["
"""The characters that separate parts of JSON. Each value, key and level of nesting comes with one of them, so a limit of their number limits
the work of a parser."""
_PIECE = re.compile(rb'(?:[^"\\]++|\\.){1,5000}+', re.DOTALL)
"""Matches a piece of a JSON string: at most 5000 parts, each of which is an escape or a run of other characters. The
number of parts is bounded, because Python's interpreter lock is held while a pattern is matched, and all other threads
wait meanwhile."""
_LIST_ONLY = re.compile(rb'[ \t\n\r]*(?:\{[ \t\n\r]*"declarations"[ \t\n\r]*:[ \t\n\r]*)?(?=\[)')
_SPACE = b" \t\n\r"


@asynccontextmanager
async def json_body(request: Request, limit: int) -> AsyncIterator[bytes]:
    """Yields the body of a JSON request, as bytes. Raises Problem 415 for another media type, 413 for more than `limit` bytes, and 429 or 503
    if too many large bodies are being handled."""
    kind = media_type(request)
    if kind != "application/json" and not kind.endswith("+json"):
        raise Problem(415, "not_json_type", seen=kind[:100] or "—")
    async with body(request, limit) as data:
        yield data


def media_type(request: Request) -> str:
    """Returns the media type of the body, in lower case and without parameters; an empty text if there is no `Content-Type`."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


@asynccontextmanager
async def body(request: Request, limit: int) -> AsyncIterator[bytes]:
    """Yields the body of a request of any media type. Raises Problem 413 as soon as the body has more than `limit` bytes, and 429 or 503 if
    too many large bodies are being handled."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and (len(length) > 18 or int(length) > limit):
        raise _too_large(limit)
    with context_of(request).intake.reserve(client_of(request)) as reservation:
        data, size, room = bytearray(), 0, True
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            room = room and reservation.has_room(size)
            if room:
                data += chunk
            else:
                # The rest is read and thrown away. If we closed the connection while the client still sends, the client might never read the
                # answer.
                data.clear()
        if not room:
            raise reservation.refusal()
        yield bytes(data)


def client_of(request: Request) -> str:
    """Returns the address from which a request comes, for limits that count by client; an empty text if the server does not know it. For IPv6
    this is the /64 network, because one client usually has all addresses of such a network, and could otherwise pass for many clients."""
    return counted_as(request.client.host) if request.client else ""


@lru_cache(maxsize=4096)
def counted_as(host: str) -> str:
    """Returns the address or network under which requests of this host are counted, see `client_of`."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:  # the host is not an IP address but a Unix socket
        return host
    if isinstance(address, IPv4Address) or address.is_loopback:
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((address, 64), strict=False))


def _too_large(limit: int) -> Problem:
    return Problem(413, "too_large", limit=limit, headers={"Connection": "close"})


def bounded(data: bytes, limit: int) -> None:
    """Raises Problem 413 if a JSON text has more than `limit` separators outside of strings, or Problem 400 if such a text
    is not JSON. Call it before the text is parsed."""
    count = len(data) - len(data.translate(None, SEPARATORS))
    if count <= limit:
        return
    for text in _strings(data):
        count -= len(text) - len(text.translate(None, SEPARATORS))
    if count > limit:
        raise _malformed(data) or Problem(413, "too_many_parts", limit=limit, count=count)


def _malformed(data: bytes) -> Problem | None:
    """Returns the Problem 400 for a text that is not JSON, although it may have any number of parts: msgspec checks the
    syntax without making objects. A quotation mark that is missing or too much turns strings inside out, so that their
    separators are counted, and the place of the error helps the sender more than the count. Returns None for JSON, and
    for JSON that is nested too deeply for the check."""
    data = data.removeprefix(BOM)
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except RecursionError:
        return None
    except msgspec.DecodeError as error:
        reason, _, rest = str(error).partition(" (byte ")
        before = data[: int(rest.rstrip(")"))] if rest else data
        text = before.decode("utf-8", "replace")
        return other_format(data) or not_json(str(json.JSONDecodeError(reason, text, len(text))))
    return None


def _strings(data: bytes) -> Iterator[bytes]:
    """Yields the contents of the strings in a JSON text, in pieces."""
    at = data.find(b'"')
    while at >= 0:
        at += 1
        while (piece := _PIECE.match(data, at)) is not None:
            yield piece[0]
            at = piece.end()
        at = data.find(b'"', at + 1)


def strict_json(data: bytes, separators: int) -> Any:
    """Returns the parsed JSON, with numbers as texts. Raises Problem 400 if the text is not JSON, and also if it has duplicate keys, NaN or
    very deep nesting, which parsers often accept. Raises Problem 413 if the text has more than `separators` separators.

    Models are not made from this result, in which numbers and texts look alike, but from the bytes: pydantic's own
    parser distinguishes numbers from texts. Pydantic's parser cannot replace this function, because it accepts two
    equal keys and takes the last one.
    """
    bounded(data, separators)
    try:
        return json.loads(data, object_pairs_hook=_once, parse_constant=_no_constant, parse_float=str, parse_int=str)
    except _Twice as twice:
        name = encodable(str(twice))
        raise Problem(400, "duplicate_key", seen=name, errors=[field_error("", "duplicate_key", name)]) from None
    except (ValueError, RecursionError) as error:
        raise other_format(data) or not_json(
            f"{error}" if isinstance(error, ValueError) else both("unparsed.deep").en
        ) from None


def declarations_of(data: bytes, separators: int) -> list[bytes] | None:
    """Returns the JSON text of each declaration of a batch, not parsed yet. Returns None if the body is neither a list nor an object whose
    only field is `declarations`. Raises Problem 413 if it has more than `separators` separators."""
    bounded(data, separators)
    data = data.removeprefix(BOM)
    start = _LIST_ONLY.match(data)
    if start is None:
        return None
    end = data.rstrip(_SPACE)
    if b"{" in start[0]:
        if not end.endswith(b"}"):
            return None
        end = end[:-1]
    try:
        items = msgspec.json.decode(memoryview(end)[start.end() :], type=list[msgspec.Raw])
    except (msgspec.DecodeError, RecursionError):
        return None
    return [bytes(item) for item in items]


def read(data: bytes, model: type[M], separators: int) -> M:
    """Returns the body as `model`. Raises Problem 400 if it is not JSON, 413 if it has too many separators, and 422 with pointers if it does
    not fit the model."""
    data = data.removeprefix(BOM)
    made = shaped(model, data, strict_json(data, separators))
    if isinstance(made, FaultyBody):
        raise made.problem()
    return made


@dataclass(frozen=True)
class FaultyBody:
    """A body that does not fit its model. `faults`: the faults that are shown; `count`: how many there are in all. `unended`: the names of
    the lists that are longer than allowed. `data`: the JSON of the body, without the optional fields that are null, and with only the first
    entries of the lists in `unended`."""

    faults: list[FieldError]
    count: int
    data: bytes
    unended: frozenset[str]

    def problem(self) -> Problem:
        return Problem(422, "invalid", errors=self.faults, count=self.count)


def shaped(model: type[M], data: bytes, parsed: Any, where: str = "", shown: int = SHOWN_ERRORS) -> M | FaultyBody:
    """Returns the body as `model`, or what is wrong with its shape. A list that is longer than allowed counts as one fault, and only as many
    of its entries as are allowed are validated. So a long list neither hides other faults nor takes much time.

    `parsed`: the result of `strict_json`; `where`: prefix of the pointers; `shown`: the most faults that are shown. Raises Problem 400 if
    Python's parser accepted the body as JSON but pydantic's parser does not.
    """
    data, long = exact(data), long_lists(parsed, model)
    made, error, data = validated(model, _without_rest(data, long) if long else data)
    faults = [
        field_error(f"{where}/{name}", "too_long", len(parsed[name]), max_length=longest)
        for name, longest in long.items()
    ]
    count = len(faults)
    if error is not None:
        refuse_not_json(error, f" ({where})" if where else "")
        count += error.error_count()
        faults += faults_of(error, where, max(0, shown - len(faults)))
    elif made is not None and not long:
        return made
    return FaultyBody(faults[:shown], count, data, frozenset(long))


def _without_rest(data: bytes, longest: Mapping[str, int]) -> bytes:
    """Returns the same JSON with only the first entries of these lists (name → number of entries). Everything else stays as it is written. If
    the parser used here does not accept the text as JSON, the text is returned unchanged, because the next parser reports the error."""
    try:
        body = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        for name, most in longest.items():
            entries = msgspec.json.decode(body[name], type=list[msgspec.Raw])
            body[name] = msgspec.Raw(msgspec.json.encode(entries[:most]))
    except msgspec.DecodeError:
        return data
    return msgspec.json.encode(body)


def long_lists(parsed: Any, model: type[BaseModel]) -> dict[str, int]:
    """Returns the names of the lists that are longer than the model allows, each with the number of entries that are allowed. Call it before
    pydantic, which would validate every entry and report each fault before it reports the length."""
    long: dict[str, int] = {}
    for name, field in model.model_fields.items() if isinstance(parsed, dict) else ():
        value = parsed.get(name)
        bounds = [each.max_length for each in field.metadata if isinstance(each, MaxLen)]
        bounds += [
            each.constraints["max_length"]
            for each in field.metadata
            if isinstance(each, WhenMade) and "max_length" in each.constraints
        ]
        longest = min(bounds, default=None)
        if longest is not None and isinstance(value, list) and len(value) > longest:
            long[name] = longest
    return long


def other_format(data: bytes) -> Problem | None:
    """Returns the Problem 400 for a document of another known format. The problem says what to do. Returns None if the format is not
    known."""
    found = recognise(data).format
    if found in (Format.JSON, Format.EMPTY, Format.TEXT, Format.UNKNOWN_ENCODING, Format.BINARY):
        return None
    sentence = FORMATS[found]
    named = FieldError(pointer="", code=found.value, message_en=sentence.en, message_zh=sentence.zh)
    return Problem(400, "other_format", errors=[named])


def refuse_not_json(error: ValidationError, where: str = "") -> None:
    """Raises Problem 400 if pydantic's parser did not accept the body as JSON. Python's parser may have accepted it, for example if it is
    UTF-16 or has a lone surrogate. `where`: added to the reason."""
    if error.error_count() == 1:
        (fault,) = error.errors(include_url=False, include_input=False)
        if fault["type"] == "json_invalid":
            raise not_json(fault["msg"] + where) from None


def not_json(why: str) -> Problem:
    """Returns the Problem 400 for a text that is not JSON. `why`: the message of the parser."""
    return Problem(400, "not_json", seen=Bilingual(_in_chinese(why), why[:200]))


def _in_chinese(why: str) -> str:
    """Returns the message of a JSON parser in Chinese. Parsers write in English. If words.toml does not have the
    message, only the place of the error is returned in Chinese."""
    known = (both(key) for key in _PARSER_MESSAGES)
    found = next((sentence.zh for sentence in known if why.startswith(sentence.en)), both("unparsed.other").zh)
    found_at = _LINE_AND_COLUMN.search(why)
    return found + (both("unparsed.place", line=found_at[1], column=found_at[2]).zh if found_at else "")


_LINE_AND_COLUMN = re.compile(r"line (\d+) column (\d+)")
_PARSER_MESSAGES = (
    *("unparsed.value", "unparsed.name", "unparsed.colon", "unparsed.comma", "unparsed.after_last", "unparsed.extra"),
    *("unparsed.string", "unparsed.control", "unparsed.escape", "unparsed.deep", "unparsed.half", "unparsed.encoding"),
)
"""Sentences of words.toml. The English text of each is the beginning of a message of Python's JSON parser, or a whole message of
`strict_json`."""


class _Twice(Exception):
    """An object in the JSON has the same key twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        known = set[str]()
        for name, _ in pairs:
            if name in known:
                raise _Twice(name[:100])
            known.add(name)
    return made


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
