"""Which format and which encoding does a file have that a user hands in? Both are recognised from its bytes. Nothing in the file is
executed or unpacked."""

import re
from typing import NamedTuple

from schemas.codes.formats import Format

UTF_8 = "UTF-8"
BOM = b"\xef\xbb\xbf"
LOOKED_AT = 65_536
"""How many bytes from the beginning of the file are examined."""
_MAGIC = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Format.XLS),
    (b"%PDF-", Format.PDF),
    (b"\x89PNG", Format.PICTURE),
    (b"\xff\xd8\xff", Format.PICTURE),
    (b"GIF8", Format.PICTURE),
    (b"II*\x00", Format.PICTURE),
    (b"MM\x00*", Format.PICTURE),
    (b"Rar!", Format.ARCHIVE),
    (b"7z\xbc\xaf", Format.ARCHIVE),
    (b"\x1f\x8b", Format.ARCHIVE),
)
_ROOT = re.compile(r"<(?![?!])(?:[\w.-]+:)?([\w.-]+)")
_ROOTS = {
    "decmessage": Format.DEC_MESSAGE,
    "spscertificate": Format.SPS_CERTIFICATE,
    "sad": Format.SAD,
    "singleadministrativedocument": Format.SAD,
    "asycuda": Format.SAD,
    "html": Format.HTML,
}
MOSTLY = 0.9
"""If at least this share of the characters that are not ASCII are Hangul, a text may be Korean."""
_INTERCHANGE = re.compile(r"UNA.{6}\s*UNB|UNB[+:?']")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")


class Handed(NamedTuple):
    """The format of a file. `text`: its text without a byte order mark; `encoding`: the name of its encoding. Both are empty if the
    file is not a text."""

    format: Format
    text: str = ""
    encoding: str = ""


def recognise(data: bytes) -> Handed:
    """Returns the format of a file with these bytes. The format is JSON if they begin like JSON, even if they are not valid JSON."""
    if data.startswith(b"PK\x03\x04"):
        return Handed(Format.XLSX if b"xl/" in data[:LOOKED_AT] or b"xl/workbook.xml" in data else Format.ARCHIVE)
    for magic, found in _MAGIC:
        if data.startswith(magic):
            return Handed(found)
    read = _text_of(data)
    if read is None:
        return Handed(Format.BINARY if b"\x00" in data[:LOOKED_AT] else Format.UNKNOWN_ENCODING)
    return Handed(_of_text(read[0]), *read)


def _of_text(text: str) -> Format:
    head = text[:LOOKED_AT].strip()
    if not head:
        return Format.EMPTY
    if head[0] in "{[":
        return Format.JSON
    if head[0] == "<":
        root = _ROOT.search(_without_comments(head))
        return _ROOTS.get(root[1].lower(), Format.XML) if root else Format.XML
    if "\x00" in head:
        return Format.BINARY
    if _INTERCHANGE.match(head):
        return Format.EDIFACT
    return Format.CSV if _is_table(head.splitlines()[:20]) else Format.TEXT


def _without_comments(text: str) -> str:
    """Returns the XML without its comments. No regular expression is used here, because for each comment without an end
    a regular expression would read to the end of the text."""
    kept, at = list[str](), 0
    while (begins := text.find("<!--", at)) >= 0 and (ends := text.find("-->", begins + 4)) >= 0:
        kept.append(text[at:begins])
        at = ends + 3
    return "".join([*kept, text[at:]])


def _is_table(lines: list[str]) -> bool:
    """Returns whether the lines look like those of a table: the first line has the same separator two or more times,
    and each other line has it at least as often. The last of several lines is ignored, because it may be cut off."""
    return any(
        lines[0].count(separator) >= 2
        and all(line.count(separator) >= lines[0].count(separator) for line in lines[:-1] or lines)
        for separator in (",", ";", "\t", "|")
    )


def _text_of(data: bytes) -> tuple[str, str] | None:
    """Returns the text and the name of its encoding; None if the encoding is not certain."""
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16"), "UTF-16"
        if (order := _JSON_IN_UTF_16.get(data[:2])) is not None:
            return data.decode(order), "UTF-16"
        return data.removeprefix(BOM).decode("utf-8"), UTF_8
    except UnicodeDecodeError:
        return _gbk(data)


_JSON_IN_UTF_16 = {sign.encode(order): order for sign in "{[<" for order in ("utf-16-le", "utf-16-be")}
"""First two bytes of a JSON or XML text in UTF-16 → the name of its encoding. Both formats begin with an ASCII character (RFC 4627,
section 3), of which one byte is zero in UTF-16."""


def _gbk(data: bytes) -> tuple[str, str] | None:
    """Returns the text if it is Chinese in GB 2312, as nearly all GBK texts are; None if that is not certain.

    Texts in Latin, Big5 or Shift JIS are hardly ever valid GB 2312, but Korean texts in EUC-KR often are valid GB 2312.
    So if the bytes, read as EUC-KR, are mostly Hangul, the encoding is not certain.
    """
    try:
        text = data.decode("gb2312")
    except UnicodeDecodeError:
        return None
    signs = [sign for sign in text if not sign.isascii()]
    try:
        korean = [sign for sign in data.decode("euc-kr") if not sign.isascii()]
    except UnicodeDecodeError:
        return text, "GBK"
    hangul = sum([_HANGUL.match(sign) is not None for sign in korean])
    return None if not signs or hangul >= len(korean) * MOSTLY else (text, "GBK")
