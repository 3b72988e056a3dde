"""Can the broker and the Python packages run from the folder of this program? They cannot if its path has characters that Java or
Python misreads.

`python -m deploy.kafka.places` then exits with a message. The set-up runs it before anything is fetched, so this file and
`errors` need only the standard library. All other characters were tried (tests/cli/test_odd_checkouts.py). The folder of the data
(DTG_HOME) may have any name, because Java uses relative names in it.
"""

import os
import sys
from pathlib import Path

from deploy.kafka.errors import BrokerError

ROOT = Path(__file__).parents[2].resolve()


def why_not(folder: Path) -> str:
    """Returns what in the absolute path of this folder prevents a start of the broker; an empty text if
    nothing does."""
    if os.pathsep in str(folder):
        return f"a {os.pathsep!r}, which ends an entry of Java's class path and of PATH"
    if any(part.endswith("!") for part in folder.parts):
        return "a folder whose name ends with '!', which ends the name of a file in Java's addresses"
    if not str(folder).isprintable():
        return "a line break, or another sign that is not seen, which Python's list of packages cannot hold"
    return ""


def refuse(folder: Path = ROOT) -> None:
    """Raises BrokerError if this program cannot start a broker from `folder`."""
    if why := why_not(folder):
        raise BrokerError(
            f"This program cannot run where it lies: in its path {str(folder)!r} is {why}. 程序所在路径含有无法使用的字符，请移到其他文件夹。 "
            "Move it to a folder with another name"
        )


if __name__ == "__main__":
    try:
        refuse()
    except BrokerError as error:
        sys.exit(str(error))
