"""How is a file with a secret read and written, so that the secret stays private?"""

import os
from pathlib import Path
from tempfile import mkstemp

_OPEN_TO_OTHERS = 0o037
"""A file with a secret may have none of these mode bits: any right of other users, and any right of the group except reading. The
group may read, because mounted secrets have that right."""


class NotPrivate(Exception):
    """Raised if a file with a secret cannot be used as it is. The text says what to do, in Chinese and English, and does not contain
    the secret."""


NO_DRAW_KEYS = (
    "`dtg up` makes it at its first start. Elsewhere put a copy there, or make it: dtg draws add-key --from <day>. "
    "Without it nothing is drawn. See SECURITY.md"
)


def read_private(file: Path, remedy: str = NO_DRAW_KEYS) -> str:
    """Returns the text of the file. Raises NotPrivate if the file is missing, cannot be read, or has a right of `_OPEN_TO_OTHERS`.

    `remedy`: the advice in the error if the file is missing.
    """
    try:
        with file.open("rb") as opened:
            rights = os.fstat(opened.fileno()).st_mode & 0o777
            if rights & _OPEN_TO_OTHERS:
                raise NotPrivate(
                    f"{file} is open to others (mode {rights:03o}). 密钥文件权限过宽。 Close it: chmod 600 {file}"
                )
            return opened.read().decode("utf-8", "replace")
    except FileNotFoundError as error:
        raise NotPrivate(f"{file} is missing. 缺少密钥文件。 {remedy}") from error
    except OSError as error:
        raise NotPrivate(f"{file} cannot be read: {error.strerror}. 无法读取密钥文件。") from error


def write_private(file: Path, text: str, *, fresh: bool = False) -> None:
    """Writes the whole file or nothing. Only its owner may read it, and it is on the disk when this returns.

    With `fresh`, raises FileExistsError if the file exists already, even if another process makes it at the same moment.
    """
    # Threads of one process may write the same file at the same time, so the name beside it is new each time.
    descriptor, name = mkstemp(".new", f"{file.name}.", file.parent)
    beside = Path(name)
    try:
        with open(descriptor, "w", encoding="utf-8") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        if fresh:
            os.link(beside, file)
        else:
            beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
