"""Does the program on the page docs/ports.md work with a broker, if only two things in it are replaced: the address of the
broker, and the path of the program's notebook? Do the other example and the reasons on that page agree with the code?"""

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from services.cli.home import of_demo
from services.cli.settings import UpSettings
from services.ports.notebook import AFTERWARDS
from tests.console.border import publish
from tests.docs.lines import FENCE, ROOT
from tests.ports.test_port import handed, released
from tests.waiting import wait

CLIENT = ("feed", "notebook", "question", "topic")
PAGE = (ROOT / "docs" / "ports.md").read_text(encoding="utf-8")


def test_the_program_of_the_page_keeps_each_release_in_its_own_table(wire: str, tmp_path: Path) -> None:
    [program] = [fence[2] for fence in FENCE.finditer(PAGE) if fence[1] == "python"]
    messages = released("PORT-PAGE", "PORT0090001").messages
    publish(wire, messages)
    file, ids = tmp_path / "port.db", set(handed(messages))
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


def test_the_lines_beside_it_name_what_is_there_and_the_file_that_dtg_up_makes() -> None:
    [beside] = [fence[2] for fence in FENCE.finditer(PAGE) if "services.shell.access" in fence[2]]
    names = dict[str, Any]()
    before, _, after = beside.partition("with TopicPort(access, notebook)")
    exec(compile(before, "docs/ports.md", "exec"), names)
    assert after and {"FeedPort", "Away", "AskedConsole"} <= names.keys()
    demo = of_demo(UpSettings(home=".datongguan"))
    of_page = replace(names["access"], file=names["access"].file.absolute())
    assert of_page == demo.access("port"), "the command line signs in so"


def test_the_reasons_of_the_page_are_those_of_the_code() -> None:
    section = PAGE.partition("## The reasons of an answer")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:4] for line in section.splitlines() if line.startswith("| `")]
    own = {code for row in rows for code in re.findall(r"`(\w+)`", row[0])}
    code = "".join([(ROOT / "services" / "ports" / f"{name}.py").read_text(encoding="utf-8") for name in CLIENT])
    reasons = set(re.findall(r'PortAnswer\((?:True|False), "(\w+)"', code)) | {"held", *AFTERWARDS.values()}
    assert own == reasons
    listed = (ROOT / "docs" / "requests.md").read_text(encoding="utf-8")
    [codes] = re.findall(r"`reason` its code: (.*?), away\.", listed, re.DOTALL)
    of_console = {code for row in rows for code in re.findall(r"`(\w+)`", row[2])}
    assert of_console == {*re.findall(r"[a-z_]+", re.sub(r"\(.*?\)", "", codes)), "away"}
