"""Which format and which encoding does a file have that a user hands in? Both are recognised from its bytes. Nothing in the file is
executed or unpacked."""

import re
from typing import NamedTuple

from schemas.codes.formats import Format

UTF_8 = "UTF-8"
BOM = b"\xef\xbb\xbf"
LOOKED_AT = 65_536
"""How many bytes at the beginning of a file, or characters of its text, are searched for signs of its format. Only the
name `xl/workbook.xml` is searched for in the whole file."""
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
    (b"BZh", Format.ARCHIVE),
    (b"\xfd7zXZ\x00", Format.ARCHIVE),
    (b"\x28\xb5\x2f\xfd", Format.ARCHIVE),
    (b"PK\x05\x06", Format.ARCHIVE),
    (b"{\\rtf", Format.DOCUMENT),
)
_LATER_MAGIC = (
    (8, b"WEBP", Format.PICTURE),
    (4, b"ftypheic", Format.PICTURE),
    (4, b"ftypheix", Format.PICTURE),
    (4, b"ftypmif1", Format.PICTURE),
    (4, b"ftypavif", Format.PICTURE),
    (257, b"ustar", Format.ARCHIVE),
)
"""Position in the file, bytes that stand there, and the format."""
_DOCUMENTS = (b"word/", b"ppt/", b"content.xml", b"OFD.xml")
"""Names in the archives of text documents and presentations: of Microsoft, of OpenDocument, and of GB/T 33190 (OFD)."""
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
_INTERCHANGE = re.compile(r"UNA.{6}\s*UN[BH]|UN[BH][+:?']")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")


class Handed(NamedTuple):
    """The format of a file. `text`: its text without a byte order mark; `encoding`: the name of its encoding. Both are empty if the
    file is not a text."""

    format: Format
    text: str = ""
    encoding: str = ""


def recognise(data: bytes) -> Handed:
    """Returns the format of a file with these bytes and, if the file is a text, the text and its encoding. The format
    is JSON if the text begins like JSON, even if it is not valid JSON."""
    if data.startswith(b"PK\x03\x04"):
        return Handed(_of_zip(data))
    start = data[:LOOKED_AT].removeprefix(BOM).lstrip()
    for magic, found in _MAGIC:
        if start.startswith(magic):
            return Handed(found)
    for at, magic, found in _LATER_MAGIC:
        if data.startswith(magic, at):
            return Handed(found)
    read = _text_of(data)
    if read is None:
        return Handed(Format.BINARY if b"\x00" in data[:LOOKED_AT] else Format.UNKNOWN_ENCODING)
    return Handed(_of_text(read[0]), *read)


def _of_zip(data: bytes) -> Format:
    start = data[:LOOKED_AT]
    if b"xl/" in start or b"xl/workbook.xml" in data:
        return Format.XLSX
    return Format.DOCUMENT if any(name in start for name in _DOCUMENTS) else Format.ARCHIVE


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
        for mark, name in _MARKS:
            if data.startswith(mark):
                return data.decode(name), name.upper()
        if (order := _order_of(data[:4])) is not None:
            return data.decode(order), order[:6].upper()
        return data.removeprefix(BOM).decode("utf-8"), UTF_8
    except UnicodeDecodeError:
        return _gbk(data)


_MARKS = tuple(
    [
        (mark, name)
        for name in ("utf-32", "utf-16")
        for mark in ("\ufeff".encode(f"{name}-le"), "\ufeff".encode(f"{name}-be"))
    ]
)
"""Pairs of byte order mark and encoding. The marks of UTF-32 come first, because one of them begins with the same two
bytes as a mark of UTF-16."""


def _order_of(start: bytes) -> str | None:
    """Returns the encoding of a text if it is UTF-16 or UTF-32 without a byte order mark; otherwise None. `start`: the
    first four bytes of the text. JSON, XML and most tables begin with two ASCII characters. In UTF-16 and UTF-32, all
    bytes of an ASCII character but one are zero (RFC 4627, section 3)."""
    return _ORDERS.get(tuple([byte != 0 for byte in start])) if all(byte < 0x80 for byte in start) else None


_ORDERS: dict[tuple[bool, ...], str] = {
    (True, False, False, False): "utf-32-le",
    (False, False, False, True): "utf-32-be",
    (True, False, True, False): "utf-16-le",
    (False, True, False, True): "utf-16-be",
}
"""Which of the first four bytes are not zero → encoding."""
RARE = 0.05
"""In a Chinese text in GBK, at most this share of the characters that are not ASCII are missing in GB 2312. These are
rare characters of names."""


def _gbk(data: bytes) -> tuple[str, str] | None:
    """Returns the text and `GBK`, the name of its encoding, if nearly all characters that are not ASCII are in GB 2312,
    as in nearly every GBK text. Returns None if the encoding is not certain.

    Texts in Latin, Big5 or Shift JIS are hardly ever valid GB 2312, but Korean texts in EUC-KR often are valid GB 2312.
    So if the bytes, read as EUC-KR, are mostly Hangul, the encoding is not certain.
    """
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return None
    signs = [sign for sign in text if not sign.isascii()]
    if sum([not _is_common(sign) for sign in signs]) > len(signs) * RARE:
        return None
    try:
        korean = [sign for sign in data.decode("euc-kr") if not sign.isascii()]
    except UnicodeDecodeError:
        return text, "GBK"
    hangul = sum([_HANGUL.match(sign) is not None for sign in korean])
    return None if not signs or hangul >= len(korean) * MOSTLY else (text, "GBK")


def _is_common(sign: str) -> bool:
    """Returns whether GB 2312 has this character."""
    try:
        sign.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True
