"""How is schemas/codes/hs-2022.csv made? `make hs` makes it from the data set `harmonized-system`, which is in the public
domain.

`python -m deploy.codes.hs` fetches the file of the commit below; `python -m deploy.codes.hs FILE` reads a file of this
machine. The file must have the digest below. Another edition gets a table and a first day of its own, and never changes
this table.
"""

import csv
import hashlib
import io
import sys
import urllib.error
import urllib.request
from pathlib import Path

from schemas.codes.hs import EDITIONS, HEADINGS, Edition

REPOSITORY = "https://github.com/datasets/harmonized-system"
COMMIT = "905e5a0fa29f5700d62cb3cc1265f21bc8a92329"
SOURCE = f"https://raw.githubusercontent.com/datasets/harmonized-system/{COMMIT}/data/harmonized-system.csv"
DIGEST = "e77ee9e1cfd15a42d1fadeb2c0618d10f6b9ed9aec0e5d66826dc7ef9d3126a5"
"""The SHA-256 of the file from which the table is made."""
NO_GOODS = "99"
"""The chapter that UN Comtrade adds for goods without a code. It is not a chapter of the HS."""
NOTE = (
    "Harmonized System 2022, six digits. 协调制度 2022 年版，六位",
    f"Source: {REPOSITORY} commit {COMMIT[:12]}, data/harmonized-system.csv (from UN Comtrade)",
    "Licence: Open Data Commons Public Domain Dedication and License 1.0 (PDDL), http://opendatacommons.org/licenses/pddl/1-0/",
    "Left out: chapter 99, which is Comtrade's own. Not contained: national digits (7 to 10), chapter 98",
    "Made by `make hs`; do not edit",
)
SILENCE_SECONDS = 60


class NotTheSource(Exception):
    """Raised if the file is not the one from which the table is made. The text names the digest of the file."""


def rows(source: bytes) -> list[tuple[str, str]]:
    """Returns code and description of each code of six digits, in order. Raises NotTheSource if the digest of `source` is
    wrong."""
    digest = hashlib.sha256(source).hexdigest()
    if digest != DIGEST:
        raise NotTheSource(f"SHA-256 {digest} is not {DIGEST}. 来源文件不符")
    read = csv.DictReader(io.StringIO(source.decode()))
    return sorted(
        (row["hscode"], row["description"]) for row in read if row["level"] == "6" and row["hscode"][:2] != NO_GOODS
    )


def table(source: bytes, edition: Edition) -> str:
    """Returns the text of the table as it is committed: notes, headings, rows."""
    codes = rows(source)
    written = io.StringIO()
    for line in (*NOTE, f"In force from {edition.effective_from}; {len(codes)} codes"):
        written.write(f"# {line}\n")
    lines = csv.writer(written, lineterminator="\n")
    lines.writerow(HEADINGS)
    lines.writerows(codes)
    return written.getvalue()


def main() -> None:
    """Writes the table, or exits with a message if that is impossible."""
    edition = EDITIONS[-1]
    try:
        edition.file.write_text(table(_source(sys.argv[1:]), edition), encoding="utf-8")
    except (NotTheSource, OSError) as error:
        sys.exit(str(error))
    print(f"{edition.file.name}: {len(edition.names)} codes")


def _source(arguments: list[str]) -> bytes:
    if arguments:
        return Path(arguments[0]).read_bytes()
    try:
        with urllib.request.urlopen(SOURCE, timeout=SILENCE_SECONDS) as answer:
            return bytes(answer.read())
    except urllib.error.URLError as error:
        raise NotTheSource(
            f"{SOURCE}: {error.reason}. 无法下载；`python -m deploy.codes.hs FILE` 读取本地文件"
        ) from error


if __name__ == "__main__":
    main()
