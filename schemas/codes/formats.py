"""In which formats do people hand in a declaration, and what does the console answer to each?"""

from enum import StrEnum
from types import MappingProxyType
from typing import Final

from schemas.codes.bilingual import Bilingual


class Format(StrEnum):
    """The format of a file or of the body of a request. A declaration is read only from JSON;
    `dtg declare --format korea` also reads the CSV of one data set."""

    JSON = "json"
    EMPTY = "empty"
    CSV = "csv"
    XLSX = "xlsx"
    XLS = "xls"
    SPS_CERTIFICATE = "sps_certificate"
    EDIFACT = "edifact"
    SAD = "sad"
    DEC_MESSAGE = "dec_message"
    XML = "xml"
    HTML = "html"
    PDF = "pdf"
    PICTURE = "picture"
    DOCUMENT = "document"
    ARCHIVE = "archive"
    TEXT = "text"
    UNKNOWN_ENCODING = "unknown_encoding"
    BINARY = "binary"


_JSON = Bilingual(
    "请改为 JSON：样例见控制台 /lodge 页，各项说明见 /docs 页",
    "write it as JSON: an example is on the console's page /lodge, the fields on /docs",
)


def _advice(zh: str, en: str, way: Bilingual = _JSON) -> Bilingual:
    return Bilingual(f"{zh}；{way.zh}。", f"{en}; {way.en}.")


FORMATS: Final = MappingProxyType(
    {
        Format.EMPTY: _advice("文件是空的", "It is empty"),
        Format.CSV: _advice(
            "这是表格（CSV）",
            "This is a table (CSV)",
            Bilingual(
                "只有韩国公开数据集的表格可以申报（dtg declare --format korea），其他" + _JSON.zh,
                "only that of the public Korean data set is taken (dtg declare --format korea), any other: " + _JSON.en,
            ),
        ),
        Format.XLSX: _advice("这是 Excel 工作簿（XLSX）", "This is an Excel workbook (XLSX)"),
        Format.XLS: _advice("这是旧版 Excel 或 Word 文件", "This is a file of an old Excel or Word"),
        Format.SPS_CERTIFICATE: _advice(
            "这是电子植物检疫证书（SPSCertificate），不是报关单",
            "This is an electronic phytosanitary certificate (SPSCertificate), no declaration",
            Bilingual(
                "证书由关员审单时核对；报关单" + _JSON.zh,
                "an officer reads it with the papers; of the declaration, " + _JSON.en,
            ),
        ),
        Format.EDIFACT: _advice(
            "这是 UN/EDIFACT 报文（如 CUSDEC）", "This is a UN/EDIFACT interchange, such as CUSDEC"
        ),
        Format.SAD: _advice(
            "这是单一行政文件（SAD，ASYCUDA）", "This is a Single Administrative Document (SAD, ASYCUDA)"
        ),
        Format.DEC_MESSAGE: _advice(
            "这是国际贸易单一窗口的报文（DecMessage）",
            "This is a message of the Single Window (DecMessage)",
            Bilingual(
                "表头 DecHead 与表体 DecList 的各项" + _JSON.zh, "of the fields of its DecHead and DecList, " + _JSON.en
            ),
        ),
        Format.XML: _advice("这是 XML，格式未知", "This is XML of a kind that is not known"),
        Format.HTML: _advice("这是网页（HTML）", "This is a web page (HTML)"),
        Format.PDF: _advice("这是 PDF", "This is a PDF"),
        Format.PICTURE: _advice("这是图片", "This is a picture"),
        Format.DOCUMENT: _advice(
            "这是文字处理或演示文档（DOCX、PPTX、ODF、OFD、RTF 等）",
            "This is a text document or a presentation (DOCX, PPTX, OpenDocument, OFD or RTF)",
        ),
        Format.ARCHIVE: _advice(
            "这是压缩包", "This is an archive", Bilingual("请先解压；" + _JSON.zh, "unpack it first, and " + _JSON.en)
        ),
        Format.TEXT: _advice("这是普通文本，不是 JSON", "This is text, but not JSON"),
        Format.UNKNOWN_ENCODING: _advice(
            "文字编码无法确定（既非 UTF-8，也不能确认是 GBK）",
            "It is not sure how its characters are encoded: it is not UTF-8, and not for sure GBK",
            Bilingual("请另存为 UTF-8", "save it as UTF-8"),
        ),
        Format.BINARY: _advice("这不是文本文件", "This is no text"),
    }
)
"""Format → the answer to it, in both languages: what the file is, and what to do instead. JSON has no answer."""
