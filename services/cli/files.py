"""Which declarations are in a file? JSON is read in UTF-8, UTF-16, UTF-32 and GBK. For a file of another format, the
error names the format and says what to do."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import orjson

from schemas.codes.formats import FORMATS, Format
from services.shell.formats import UTF_8, Handed, recognise

KOREA = "korea"
"""The value of `--format` for files of the public Korean data set."""
OF_KOREA = "Declaration ID"
"""The name of a column of the Korean data set, by which its files are recognised."""
STANDARD_INPUT = Path("-")
"""The name of a file that means the standard input."""
MANY = "declarations"
"""The name of the field, if a file is one JSON object with a list of declarations in its only field. The API accepts
objects of the same form."""


class NotLodged(Exception):
    """Raised if declarations could not be lodged. The text says why. If a file is faulty, the text also names the file
    and, where possible, the place in it."""


class Paper(NamedTuple):
    """One declaration of a file. `content`: its JSON, which was converted to UTF-8 and not changed in any other way. It
    is sent to the API as it is, because a parser would drop digits of long numbers without notice, and all but the last
    of several fields with the same name. `fields`: the same JSON, parsed."""

    content: bytes
    fields: dict[str, Any]


def read(file: Path, format: str, tell: Callable[[str], Any]) -> list[Paper]:
    """Returns all declarations of one file. `tell` is called with a sentence if the encoding is not UTF-8. Raises NotLodged if the file, or a
    declaration in it, cannot be read."""
    if format == KOREA:
        if not file.is_file():
            raise NotLodged(f"{file} is not a file. 不是文件")
        return _korean(file)
    handed = recognise(_bytes_of(file))
    if handed.format is not Format.JSON:
        raise NotLodged(f"{file}: {_named(handed)} Nothing was lodged. 未申报")
    if handed.encoding != UTF_8:
        tell(f"{file}: read as {handed.encoding}, not {UTF_8} 按 {handed.encoding} 编码读取")
    return _declarations(file, handed.text)


def _bytes_of(file: Path) -> bytes:
    """Returns the content of a file, a pipe or the standard input."""
    if file == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    if file.is_dir():
        raise NotLodged(
            f"{file} is a folder; name the files in it. 这是文件夹，请指定其中的文件 Nothing was lodged. 未申报"
        )
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise NotLodged(f"{file} does not exist. 文件不存在 Nothing was lodged. 未申报") from None
    except OSError as error:
        why = error.strerror or str(error)
        raise NotLodged(f"{file} cannot be read ({why}). 文件无法读取 Nothing was lodged. 未申报") from error


def _korean(file: Path) -> list[Paper]:
    from services.simulator.korea import NotKorea
    from services.simulator.korea import read as rows

    try:
        return [
            Paper(declaration.model_dump_json().encode(), {"reference": declaration.reference})
            for declaration in rows(file)
        ]
    except NotKorea as error:
        raise NotLodged(f"{error} Nothing was lodged. 未申报") from error


def _named(handed: Handed) -> str:
    names = FORMATS[handed.format]
    korean = handed.format is Format.CSV and OF_KOREA in handed.text.partition("\n")[0]
    way = " 看来是该韩国数据集 This looks like that data set: --format korea." if korean else ""
    return f"{names.joined}{way}"


def _declarations(file: Path, text: str) -> list[Paper]:
    """Returns the declarations in a text. The text must be one JSON object, a list of objects, an object whose only
    field `declarations` is a list of objects, or one object on each line. Raises NotLodged if it is something else."""
    try:
        whole = orjson.loads(text)
    except orjson.JSONDecodeError as problem:
        found = _lines(file, text, problem)
    else:
        found = [*enumerate(_parts(text.encode(), whole), 1)]
    for number, paper in found:
        if not isinstance(paper.fields, dict):
            raise NotLodged(f"{file}, {number}: not an object. 不是对象 Nothing was lodged. 未申报")
    return [paper for _, paper in found]


def _parts(content: bytes, whole: Any) -> list[Paper]:
    """Returns each declaration in `content`. `whole`: the same JSON, parsed. The caller must check whether each
    declaration is a JSON object."""
    if isinstance(whole, dict) and whole.keys() == {MANY} and isinstance(whole[MANY], list):
        content, whole = bytes(msgspec.json.decode(content, type=dict[str, msgspec.Raw])[MANY]), whole[MANY]
    if isinstance(whole, list):
        contents = msgspec.json.decode(content, type=list[msgspec.Raw])
        return [Paper(bytes(each), fields) for each, fields in zip(contents, whole, strict=True)]
    return [Paper(content, whole)]


def _lines(file: Path, text: str, problem: orjson.JSONDecodeError) -> list[tuple[int, Paper]]:
    """Returns number and declaration of each line that is not blank. Raises NotLodged if such a line is not JSON. If
    already the first of these lines is not JSON, the text counts as one object on many lines. The error then names the
    place at which the parser of the whole text stopped (`problem`). The caller must check whether each declaration is a
    JSON object."""
    found: list[tuple[int, Paper]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            fields = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            where, why = (number, error) if found else (problem.lineno, problem)
            raise NotLodged(
                f"{file}, line {where}, column {why.colno}: not JSON ({why.msg}). 第 {where} 行第 {why.colno} 列不是 JSON "
                "Nothing was lodged. 未申报"
            ) from error
        found.append((number, Paper(line.encode(), fields)))
    return found
