"""Can two programs open a new database at the same moment?"""

import subprocess
import sys
from pathlib import Path

ROUNDS = 12
PROGRAM = """
import sys
from services.console.readmodel.database import migrate
print("ready", flush=True)
for url in sys.stdin:
    migrate(url.strip())
    print("open", flush=True)
"""


def test_two_programs_that_open_a_new_database_at_one_moment_both_get_it(tmp_path: Path) -> None:
    """Console and projector start together. In an older version one of them could end, because SQLite does not wait for
    a lock when it changes the mode of the journal."""
    programs = [
        subprocess.Popen([sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    answers = [[_line(program)] for program in programs]
    for number in range(ROUNDS):
        for program in programs:
            assert program.stdin is not None
            program.stdin.write(f"sqlite:///{tmp_path}/{number}.db\n")
            program.stdin.flush()
        for program, lines in zip(programs, answers, strict=True):
            lines.append(_line(program))
    for program in programs:
        program.communicate()
    assert answers == [["ready", *["open"] * ROUNDS]] * 2


def _line(program: "subprocess.Popen[str]") -> str:
    assert program.stdout is not None
    return program.stdout.readline().strip()
