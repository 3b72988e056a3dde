"""Does the program of docs/ports.md follow a broker as it stands on the page?"""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tests.console.border import publish
from tests.docs.lines import FENCE, ROOT
from tests.ports.test_port import handed, released
from tests.waiting import wait

PAGE = (ROOT / "docs" / "ports.md").read_text(encoding="utf-8")


def test_the_program_of_the_page_keeps_each_release_in_its_own_table(wire: str, tmp_path: Path) -> None:
    [program] = [fence[2] for fence in FENCE.finditer(PAGE) if fence[1] == "python"]
    said = released("PORT-PAGE", "PORT0090001").said
    publish(wire, said)
    file, ids = tmp_path / "port.db", set(handed(said))
    own = program.replace("kafka.example:9092", wire).replace("/var/lib/terminal/port.db", str(file))

    def kept() -> bool:
        if not file.exists() or process.poll() is not None:
            return process.poll() is not None
        with closing(sqlite3.connect(file)) as tables:
            known = tables.execute("SELECT name FROM sqlite_master WHERE name = 'orders'").fetchone()
            return bool(known) and ids <= {row[0] for row in tables.execute("SELECT id FROM orders")}

    process = subprocess.Popen([sys.executable, "-c", own], cwd=ROOT, stderr=subprocess.PIPE)
    try:
        wait(kept, "the releases in the table of the page")
        assert process.poll() is None, process.communicate()[1].decode()
    finally:
        process.kill()
        process.communicate()
