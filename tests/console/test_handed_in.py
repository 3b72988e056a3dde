"""If a body is not JSON, does the console say which format it has? Does the console read JSON with a byte order
mark?"""

from itertools import product
from pathlib import Path
from time import process_time

import pytest

from schemas.codes.formats import FORMATS, Format
from schemas.declaration import Declaration
from services.console.api.bodies import declarations_of, read
from services.console.api.large_bodies import LOOP_BYTES
from services.console.api.problems import Problem
from services.shell.formats import BOM, recognise

PAPER = (Path(__file__).parents[2] / "docs" / "declaration.json").read_bytes()
MANY = 100_000
"""How many separators a body may have."""
OTHER = [
    (b"reference,declarant,consignee\nR-1,91,91\n", Format.CSV),
    (b"PK\x03\x04 xl/workbook.xml", Format.XLSX),
    (b"<DecMessage><DecHead/></DecMessage>", Format.DEC_MESSAGE),
    (b"<rsm:SPSCertificate xmlns:rsm='urn:x'/>", Format.SPS_CERTIFICATE),
    (b"<SAD/>", Format.SAD),
    (b"UNB+UNOA:1+ME+YOU+261128:0900+1'UNH+1+CUSDEC:D:96B:UN'", Format.EDIFACT),
    (b"%PDF-1.7", Format.PDF),
]


@pytest.mark.parametrize(("body", "kind"), OTHER)
def test_a_document_of_another_kind_is_named_with_the_way_on(body: bytes, kind: Format) -> None:
    with pytest.raises(Problem) as refused:
        read(body, Declaration, MANY)
    details = refused.value.details()
    assert (details.status, details.type) == (400, "/problems/other_format")
    [named] = details.errors
    assert (named.code, named.message_zh, named.message_en) == (kind.value, *FORMATS[kind])


@pytest.mark.parametrize(
    "body", [b"", b"reference=R-1", b"{", PAPER[:-3], b"\xff\xfe\xff", PAPER.decode().encode("utf-16")]
)
def test_what_is_no_such_document_is_no_json_as_ever(body: bytes) -> None:
    with pytest.raises(Problem) as refused:
        read(body, Declaration, MANY)
    assert (refused.value.status, refused.value.code) == (400, "not_json")


def test_a_byte_order_mark_is_no_part_of_a_paper() -> None:
    assert read(BOM + PAPER, Declaration, MANY) == read(PAPER, Declaration, MANY)
    for many in (b"[" + PAPER + b"]", b'{"declarations": [' + PAPER + b"]}"):
        assert declarations_of(BOM + many, MANY) == declarations_of(many, MANY)
        assert declarations_of(many, MANY)


REPEATED = [
    "<!--",
    "<!-- -->",
    "<a",
    "<a:",
    "< ",
    "<?",
    "a",
    "{",
    "[",
    '"',
    ",",
    ";",
    "\n",
    " ",
    "UNA",
    "UNB",
    "-",
    "\uac00",
    "\u4e2d",
]
SECONDS = 1.0
"""Seconds of CPU time that a body may take. The slowest body takes 0.01 seconds. It took forty seconds in an older
version, which searched the body again for the end of each unclosed comment."""


def _encodable(sign: str, encoding: str) -> bool:
    try:
        sign.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


@pytest.mark.parametrize(
    ("sign", "encoding"),
    [pair for pair in product(REPEATED, ("utf-8", "utf-16", "gbk", "euc-kr")) if _encodable(*pair)],
)
def test_whatever_is_repeated_is_recognised_in_little_time(sign: str, encoding: str) -> None:
    """A body of this size is examined on the event loop, and gate questions wait meanwhile."""
    unit = sign.encode(encoding)
    for before in (b"", b"<", b"<!--", b"UNA", "\u4e2d".encode(encoding, "ignore")):
        body = before + unit * ((LOOP_BYTES - len(before)) // len(unit))
        began = process_time()
        recognise(body)
        assert process_time() - began < SECONDS


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (b"<?xml version='1.0'?><!-- a --><!-- <SAD/> -->\n<DecMessage/>", Format.DEC_MESSAGE),
        (b"<!----><SAD/>", Format.SAD),
        (b"<!-- it does not end <SAD/>", Format.SAD),
        (b"<!-- a -- b --><html/>", Format.HTML),
    ],
)
def test_a_document_is_named_by_its_root_and_not_by_what_its_comments_hold(text: bytes, kind: Format) -> None:
    assert recognise(text).format is kind
