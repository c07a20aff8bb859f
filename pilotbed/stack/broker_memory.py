"""How much memory the broker's queue may take, and when its devices are turned away until it has been emptied.

The broker drops nothing, so a collector that is away for days fills its memory. Before the machine has none left the
devices' listener is shut; devices keep what is not acknowledged and come back. The collector's own listener stays, so
that the queue empties.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_CONTROL_GROUP_LIMITS: Final = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def machine_memory_bytes() -> int:
    """The memory that we may use: the machine's, or our container's if that is less."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for file in _CONTROL_GROUP_LIMITS:
        try:
            text = Path(file).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdigit():
            found.append(int(text))
    return min(found)


def resident_bytes(pid: int) -> int:
    """The memory that a process occupies now; 0 if it has ended."""
    if sys.platform == "linux":
        try:
            return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, IndexError):
            return 0
    found = subprocess.run(["ps", "-p", str(pid), "-o", "rss="], capture_output=True, text=True, check=False)
    return int(found.stdout.strip() or 0) * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Whether devices are let in.

    >>> door = Door(limit_bytes=1000)
    >>> door.must_shut(resident_bytes=999), door.must_shut(resident_bytes=1000)
    (False, True)
    >>> shut = door.shut(saved_bytes=400)
    >>> shut.may_open(resident_bytes=800, saved_bytes=300), shut.may_open(resident_bytes=800, saved_bytes=40)
    (False, True)
    """

    limit_bytes: int
    is_open: bool = True
    saved_bytes: int = 0
    """The broker's database when it was shut, whole because the broker had just been stopped."""

    def must_shut(self, *, resident_bytes: int) -> bool:
        """Whether the broker has taken its memory up."""
        return self.is_open and resident_bytes >= self.limit_bytes

    def may_open(self, *, resident_bytes: int, saved_bytes: int) -> bool:
        """Whether the queue has been emptied.

        :param saved_bytes: the broker's database now. A process seldom gives memory back, so this tells it.
        """
        # Half: if the restart alone brought it there, it was not the queue that filled it.
        emptied = saved_bytes * 10 <= self.saved_bytes or resident_bytes * 2 < self.limit_bytes
        return not self.is_open and emptied

    def shut(self, *, saved_bytes: int) -> Door:
        return Door(limit_bytes=self.limit_bytes, is_open=False, saved_bytes=saved_bytes)

    def open(self) -> Door:
        return Door(limit_bytes=self.limit_bytes)
