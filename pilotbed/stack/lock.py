"""One holder a folder: a lock that dies with its process, and says who holds it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from core.errors import EnvironmentProblem
from pilotbed.stack.child import command_of


class Busy(EnvironmentProblem):
    """Another running process holds the folder."""


class FolderLock:
    """An exclusive lock on ``folder/lock``, which also holds the holder's process id."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "lock"
        self._file: int | None = None

    def acquire(self) -> None:
        """Take it.

        :raises Busy: another process has it; the message names that process.
        """
        if self._file is not None:
            return
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            text = os.read(handle, 32).decode(errors="replace").strip()
            os.close(handle)
            raise Busy(_taken(self.path.parent, text)) from None
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        self._file = handle

    def release(self) -> None:
        """Give it back. The file stays: removing it would let two processes hold two files of one name."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def is_held(self) -> bool:
        """Whether a process, ourselves included, holds it now."""
        if self._file is not None:
            return True
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False


def _taken(folder: Path, text: str) -> str:
    command = command_of(int(text)) if text.isdigit() else None
    holder = f"process {text} ({_short(command)})" if command else "another process"
    return (
        f"The data directory {folder} is in use by {holder}: end that first, or choose another directory"
        " with PILOTBED_DATA_DIR."
    )


def _short(command: str) -> str:
    words = [Path(word).name for word in command.split()]
    text = " ".join(words)
    return text if len(text) <= 60 else f"{text[:57]}..."
