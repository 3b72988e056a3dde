"""Is each file of declarations read if possible? Otherwise, is it refused with a text that says what to do, and is no
part of it lodged?"""

import io
import json
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from typer.testing import CliRunner

from schemas.codes.formats import FORMATS, Format
from services.cli.files import NotLodged, read
from services.cli.main import app
from services.shell.formats import recognise

PAPER: dict[str, Any] = json.loads((Path(__file__).parents[2] / "docs" / "declaration.json").read_text())
PAPER["items"][0]["description"] = "便携式自动数据处理设备，重量不超过10千克"
TEXT = json.dumps(PAPER, ensure_ascii=False, indent=1)
LINES = "\n".join(
    [json.dumps(PAPER, ensure_ascii=False), "", json.dumps(PAPER | {"reference": "R-2"}, ensure_ascii=False)]
)
READ: dict[str, tuple[bytes, str]] = {
    "one object": (TEXT.encode(), ""),
    "one a line": (LINES.encode(), ""),
    "lines of Windows": (LINES.replace("\n", "\r\n").encode(), ""),
    "many, as the API takes them": (json.dumps({"declarations": [PAPER, PAPER]}).encode(), ""),
    "UTF-32 with a byte order mark": (TEXT.encode("utf-32"), "UTF-32"),
    "UTF-32, little end first": (TEXT.encode("utf-32-le"), "UTF-32"),
    "UTF-32, big end first": (TEXT.encode("utf-32-be"), "UTF-32"),
    "UTF-16 that begins with a line break": (f"\n{TEXT}".encode("utf-16-le"), "UTF-16"),
    "GBK with a letter of a name that GB 2312 lacks": (TEXT.replace("便携式", "镕牌便携式").encode("gbk"), "GBK"),
    "a list": (f"[{TEXT}]".encode(), ""),
    "UTF-8 with a byte order mark": (TEXT.encode("utf-8-sig"), ""),
    "GBK": (TEXT.encode("gbk"), "GBK"),
    "UTF-16 with a byte order mark": (TEXT.encode("utf-16"), "UTF-16"),
    "UTF-16, little end first": (TEXT.encode("utf-16-le"), "UTF-16"),
    "UTF-16, big end first": (TEXT.encode("utf-16-be"), "UTF-16"),
}


def workbook() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return made.getvalue()


def archive() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as zipped:
        zipped.writestr("declaration.json", TEXT)
    return made.getvalue()


def zipped(name: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("mimetype", "application/x")
        archive.writestr(name, "<x/>")
    return made.getvalue()


def xml(root: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- <other> -->\n<{root} xmlns:x="urn:x"><a/></{root}>'.encode()


NAMED: dict[str, tuple[bytes, Format]] = {
    "an empty file": (b" \n", Format.EMPTY),
    "CSV": (b"reference,declarant,consignee\nR-1,91,91\n", Format.CSV),
    "CSV of a Chinese Excel": ("申报单位;收货人;重量\n甲;乙;3\n".encode("gbk"), Format.CSV),
    "XLSX": (workbook(), Format.XLSX),
    "XLS": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504), Format.XLS),
    "a phytosanitary certificate": (
        xml("rsm:SPSCertificate").replace(b"xmlns:x", b"xmlns:rsm"),
        Format.SPS_CERTIFICATE,
    ),
    "EDIFACT": (b"UNA:+.? 'UNB+UNOA:1+ME+YOU+261128:0900+1'UNH+1+CUSDEC:D:96B:UN'", Format.EDIFACT),
    "EDIFACT without UNA": (b"UNB+UNOA:1+ME+YOU+261128:0900+1'\nUNH+1+CUSDEC:D:96B:UN'", Format.EDIFACT),
    "SAD": (xml("SAD"), Format.SAD),
    "ASYCUDA": (xml("ASYCUDA"), Format.SAD),
    "a message of the Single Window": (xml("DecMessage"), Format.DEC_MESSAGE),
    "a message of the Single Window in UTF-16": (xml("DecMessage").decode().encode("utf-16"), Format.DEC_MESSAGE),
    "other XML": (xml("invoice"), Format.XML),
    "a web page": (b"<!DOCTYPE html><html><body>hello", Format.HTML),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", Format.PDF),
    "PDF after a line break": (b"\n%PDF-1.7\n", Format.PDF),
    "RTF": (rb"{\rtf1\ansi hello}", Format.DOCUMENT),
    "a text document": (zipped("word/document.xml"), Format.DOCUMENT),
    "an open text document": (zipped("content.xml"), Format.DOCUMENT),
    "OFD": (zipped("OFD.xml"), Format.DOCUMENT),
    "a tar": (b"paper.json".ljust(257, b"\0") + b"ustar" + bytes(250), Format.ARCHIVE),
    "bzip2": (b"BZh91AY&SY" + bytes(20), Format.ARCHIVE),
    "xz": (b"\xfd7zXZ\x00" + bytes(20), Format.ARCHIVE),
    "an empty zip": (b"PK\x05\x06" + bytes(18), Format.ARCHIVE),
    "WebP": (b"RIFF\x10\0\0\0WEBPVP8 ", Format.PICTURE),
    "a picture of a telephone": (b"\0\0\0\x18ftypheic" + bytes(20), Format.PICTURE),
    "EDIFACT without UNB": (b"UNH+1+CUSDEC:D:96B:UN'", Format.EDIFACT),
    "a table in UTF-16": ("a,b,c\n1,2,3\n".encode("utf-16-le"), Format.CSV),
    "a scan": (b"\xff\xd8\xff\xe0\x00\x10JFIF", Format.PICTURE),
    "an archive": (archive(), Format.ARCHIVE),
    "words": ("请见附件".encode(), Format.TEXT),
    "Latin-1": (TEXT.replace("便携式", "à côté").encode("latin-1", "replace"), Format.UNKNOWN_ENCODING),
    "Korean": ('{"description": "휴대용 자동자료처리기계"}'.encode("euc-kr"), Format.UNKNOWN_ENCODING),
    "Big5": ('{"description": "攜帶式自動資料處理機"}'.encode("big5"), Format.UNKNOWN_ENCODING),
    "Shift JIS": ('{"description": "携帯用の自動データ処理機械"}'.encode("shift_jis"), Format.UNKNOWN_ENCODING),
    "a program": (b"\x7fELF\x02\x01\x01\x00\xff\xfe" + bytes(64), Format.BINARY),
}


@pytest.mark.parametrize("name", READ)
def test_json_is_read_whatever_its_encoding_and_that_is_said(name: str, tmp_path: Path) -> None:
    data, encoding = READ[name]
    (file := tmp_path / "papers.json").write_bytes(data)
    notes: list[str] = []
    found = read(file, "json", notes.append)
    assert found[0].fields == (json.loads(TEXT.replace("便携式", "镕牌便携式")) if "letter" in name else PAPER)
    assert len(found) in (1, 2)
    assert [encoding in line for line in notes] == [True] * bool(encoding)


@pytest.mark.parametrize("name", NAMED)
def test_anything_else_is_named_with_the_way_on_in_both_languages(name: str, tmp_path: Path) -> None:
    data, kind = NAMED[name]
    assert recognise(data).format is kind
    (file := tmp_path / "papers").write_bytes(data)
    result = CliRunner().invoke(app, ["declare", str(file), "--url", "http://127.0.0.1:9"])
    hint = FORMATS[kind]
    output = "".join(result.output.split())
    assert result.exit_code == 1 and all("".join(text.split()) in output for text in (hint.zh, hint.en)), result.output
    assert "Nothingwaslodged" in output


def test_every_format_but_json_has_words_and_is_tried() -> None:
    assert set(FORMATS) == set(Format) - {Format.JSON} == {kind for _, kind in NAMED.values()}
    assert all(hint.zh and hint.en for hint in FORMATS.values())


def test_what_is_no_file_is_told_as_what_it_is(tmp_path: Path) -> None:
    """In an older version, the message about a folder was that it does not exist, and a file that cannot be read ended
    the command with a traceback."""
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name, text in ((".", "这是文件夹"), ("nothing.json", "文件不存在"), ("loop", "文件无法读取")):
        with pytest.raises(NotLodged, match="Nothing was lodged") as problem:
            read(tmp_path / name, "json", print)
        assert text in str(problem.value)


def test_a_paper_is_sent_as_it_is_written(tmp_path: Path) -> None:
    """In an older version, a parser kept only 15 digits of a number, and only the last of two fields with the same
    name."""
    written = TEXT.replace('"packages"', '"packages": 3, "gross_mass_kg": 12345678901234.12345, "packages"', 1)
    for text in (written, f"[{written}]", f'{{"declarations": [{written}]}}'):
        (file := tmp_path / "papers.json").write_text(text)
        [paper] = read(file, "json", print)
        assert paper.content.decode() == written


def test_papers_are_read_from_the_standard_input_and_from_a_pipe(tmp_path: Path) -> None:
    api = Api(202)
    result = CliRunner().invoke(
        app, ["declare", "-", "--url", f"http://127.0.0.1:{api.server_port}", "--no-wait"], input=LINES
    )
    api.shutdown()
    api.server_close()
    assert result.exit_code == 0 and [len(came) for came in api.came] == [2], result.output


def test_a_table_of_the_korean_data_set_is_told_of_its_option(tmp_path: Path) -> None:
    (file := tmp_path / "korea.csv").write_text("Declaration ID,Date,Office ID\n1,2021-01-01,40\n")
    with pytest.raises(NotLodged, match="This looks like that data set: --format korea"):
        read(file, "json", print)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (LINES + "\n{", "line 4"),
        (LINES.replace("\n\n", '\n"a text"\n'), ", 2: not an object"),
        ("[1]", ", 1: not an object"),
        (TEXT[:-1], "line"),
        (TEXT.replace('"declarant":', '"declarant"', 1), "line 3"),
    ],
)
def test_a_file_of_which_one_record_cannot_be_read_lodges_nothing(text: str, where: str, tmp_path: Path) -> None:
    (file := tmp_path / "papers.json").write_text(text)
    with pytest.raises(NotLodged, match="Nothing was lodged") as problem:
        read(file, "json", print)
    assert where in str(problem.value)


class Api(HTTPServer):
    """An API server that answers each batch with the next prepared answer, and stores what it received."""

    def __init__(self, *answers: int) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.answers, self.came = list(answers), list[list[dict[str, Any]]]()
        Thread(target=self.serve_forever, daemon=True).start()


class Answering(BaseHTTPRequestHandler):
    server: Api

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = self.server.answers.pop(0)
        self.server.came.append(body["declarations"])
        wrong = {
            "status_code": 422,
            "errors": [{"pointer": "/packages", "code": "int_type", "message_en": "must be whole"}],
        }
        results = [wrong if each.get("packages") == "many" else {"status_code": 202} for each in body["declarations"]]
        content = json.dumps({"results": results}).encode()
        self.send_response(status)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Prints nothing, because the test reads the received requests."""


def declare(api: Api, *files: Path) -> tuple[int, str]:
    result = CliRunner().invoke(
        app, ["declare", *map(str, files), "--url", f"http://127.0.0.1:{api.server_port}", "--no-wait"]
    )
    api.shutdown()
    api.server_close()
    return result.exit_code, " ".join(result.output.split())


def test_of_two_files_nothing_is_lodged_when_the_second_cannot_be_read(tmp_path: Path) -> None:
    (good := tmp_path / "good.json").write_text(TEXT)
    (bad := tmp_path / "bad.json").write_bytes(workbook())
    code, output = declare(api := Api(202), good, bad)
    assert code == 1 and api.came == [] and "Nothing was lodged" in output


def test_a_record_that_is_sent_back_is_named_with_its_place(tmp_path: Path) -> None:
    papers = [PAPER, PAPER | {"reference": "R-2", "packages": "many"}, PAPER | {"reference": "R-3"}]
    (file := tmp_path / "papers.json").write_text(json.dumps(papers))
    code, output = declare(Api(207), file)
    assert code == 1 and "1 sent back, 2 taken" in output
    assert "R-2" in output and "/packages" in output


def test_what_was_lodged_before_the_api_ended_is_told(tmp_path: Path) -> None:
    (file := tmp_path / "papers.json").write_text(json.dumps([PAPER] * 700))
    code, output = declare(Api(202, 500), file)
    assert code == 1 and "500 of 700 were lodged before that" in output and "lodge nothing twice" in output
