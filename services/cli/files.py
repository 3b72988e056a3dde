"""Which declarations are in a file? JSON is read in any encoding. For a file of another format, the error names the format and says
what to do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from schemas.codes.formats import FORMATS, Format
from services.shell.formats import UTF_8, Handed, recognise

KOREA = "korea"
"""The value of `--format` for files of the public Korean data set."""
OF_KOREA = "Declaration ID"
"""The name of a column of the Korean data set, by which its files are recognised."""


class NotLodged(Exception):
    """Raised if the files could not be lodged. The text says which file, the place in it, and why."""


def read(file: Path, format: str, tell: Callable[[str], Any]) -> list[dict[str, Any]]:
    """Returns all declarations of one file, as JSON objects. `tell` is called with a sentence if the encoding is not UTF-8. Raises
    NotLodged if the file, or a declaration in it, cannot be read."""
    if not file.is_file():
        raise NotLodged(f"{file} is not a file. 文件不存在")
    if format == KOREA:
        return _korean(file)
    handed = recognise(file.read_bytes())
    if handed.format is not Format.JSON:
        raise NotLodged(f"{file}: {_named(handed)} Nothing was lodged. 未申报")
    if handed.encoding != UTF_8:
        tell(f"{file}: read as {handed.encoding}, not {UTF_8} 按 {handed.encoding} 编码读取")
    return _declarations(file, handed.text)


def _korean(file: Path) -> list[dict[str, Any]]:
    from services.simulator.korea import NotKorea
    from services.simulator.korea import read as rows

    try:
        return [declaration.model_dump(mode="json") for declaration in rows(file)]
    except NotKorea as error:
        raise NotLodged(f"{error} Nothing was lodged. 未申报") from error


def _named(handed: Handed) -> str:
    names = FORMATS[handed.format]
    korean = handed.format is Format.CSV and OF_KOREA in handed.text.partition("\n")[0]
    way = " 看来是该韩国数据集 This looks like that data set: --format korea." if korean else ""
    return f"{names.joined}{way}"


def _declarations(file: Path, text: str) -> list[dict[str, Any]]:
    """Returns the declarations in a text, which must be one JSON object, a list of objects, or one object on each line."""
    try:
        whole = orjson.loads(text)
    except orjson.JSONDecodeError as problem:
        found = _lines(file, text, problem)
    else:
        found = list(enumerate(whole if isinstance(whole, list) else [whole], 1))
    for number, declaration in found:
        if not isinstance(declaration, dict):
            raise NotLodged(f"{file}, {number}: not an object. 不是对象 Nothing was lodged. 未申报")
    return [declaration for _, declaration in found]


def _lines(file: Path, text: str, problem: orjson.JSONDecodeError) -> list[tuple[int, Any]]:
    """Returns line number and object of each line. Raises NotLodged if a line is not JSON. If already the first line is
    not JSON, the text is taken for one object on many lines, and the error names the place at which the parser of the
    whole text (`problem`) stopped."""
    found: list[tuple[int, Any]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found.append((number, orjson.loads(line)))
        except orjson.JSONDecodeError as error:
            where, why = (number, error) if found else (problem.lineno, problem)
            raise NotLodged(f"{file}, line {where}: not JSON ({why}). 不是 JSON Nothing was lodged. 未申报") from error
    return found
