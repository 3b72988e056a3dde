"""Are all processes killed when the program must exit at once, although a thread is just starting another one?"""

import subprocess
import sys
from pathlib import Path

HELD = """
import sys, threading
from pathlib import Path
from deploy.kafka import spawn

class Dying:
    returncode = None
    def __init__(self, process):
        self.process = process
    def kill(self):
        spawn._started.add(Dying(self.process))  # as the thread that holds the lock does when its process is there
        self.process.kill()

spawn.PATIENCE_SECONDS = 0.1
processes = [spawn.spawn(["sleep", "60"], Path(sys.argv[1])) for _ in range(3)]
spawn._started.clear()
spawn._started.update(map(Dying, processes))
starting = threading.Thread(target=spawn._lock.acquire)
starting.start()
starting.join()
spawn.kill_all()
print([process.wait(10) for process in processes])
"""


def test_a_thread_that_is_starting_a_process_keeps_none_of_the_others_alive(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HELD, str(tmp_path / "log")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.stdout.strip() == "[-9, -9, -9]", ended.stderr
