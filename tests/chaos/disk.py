"""How is a disk filled for one process, and how does it get free space again?

A tmpfs is limited to the size of its content, which causes a real ENOSPC. If mounting is not allowed, the
kernel's limit on the size of a process's files is used (EFBIG). Then every write fails that makes a file
larger than the limit.
"""

import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

ROOM = "12g"
"""Size of the tmpfs while it has free space. It uses only as much memory as was written."""


class Disk:
    """The disk under `folder`. `pid`: returns the id of the process whose files are limited if there is
    no tmpfs."""

    def __init__(self, folder: Path, pid: Callable[[], int | None]) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.mounted = _mount("-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(folder))
        self._pid = pid

    @property
    def how(self) -> str:
        return "tmpfs without room (ENOSPC)" if self.mounted else "RLIMIT_FSIZE (EFBIG)"

    def fill(self) -> None:
        """Makes the disk full, so that further writes of the process fail."""
        if self.mounted:
            used = int(subprocess.check_output(["du", "-sk", str(self.folder)], text=True).split()[0])
            while not _mount("-o", f"remount,size={used}k", str(self.folder)):
                # the remount fails if a process has written data since `du` ran
                used += 256
        else:
            self._limit(1 << 12)

    def free(self) -> None:
        """Makes free space on the disk again."""
        if self.mounted:
            _mount("-o", f"remount,size={ROOM}", str(self.folder))
        else:
            self._limit(resource.RLIM_INFINITY)

    def close(self) -> None:
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=True)

    def _limit(self, most: int) -> None:
        pid = self._pid()
        if pid is not None:
            hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, hard))


def _mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0
