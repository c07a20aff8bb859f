"""Where the tests' databases lie: in memory where there is room, since each test has a database made of some thousand files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pilotbed.stack.account import temporary_folder

_MEMORY: Final = Path("/dev/shm")
_ROOM: Final = 6 << 30
"""Bytes that must be free there for each run."""
_PREFIX: Final = "pilotbed-test-of-"


@contextmanager
def quick_folder() -> Iterator[Path]:
    """A folder for one run, removed at the end; in memory where so many bytes are free, else on the disk."""
    room = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _ROOM
    if room:
        _remove_what_dead_runs_left()
    with temporary_folder(f"{_PREFIX}{os.getpid()}-", within=_MEMORY if room else None) as folder:
        yield folder


def _remove_what_dead_runs_left() -> None:
    """A run that was killed left its folder; the kernel stopped its server."""
    for left in _MEMORY.glob(f"{_PREFIX}*"):
        of = left.name.removeprefix(_PREFIX).partition("-")[0]
        if of.isdigit() and not Path(f"/proc/{of}").exists():
            shutil.rmtree(left, ignore_errors=True)
