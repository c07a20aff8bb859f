"""A log file that stays small: a fuller one is set aside as ``NAME.1``, in place of the one before."""

from __future__ import annotations

import contextlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

LARGEST_BYTES: Final = 16 * 1024 * 1024


class LogFile:
    """An open log that only its owner reads. A full disk loses lines, and never stops the writer."""

    def __init__(self, path: Path, *, largest_bytes: int = LARGEST_BYTES) -> None:
        self.path = path
        self._largest_bytes = largest_bytes
        self._handle = self._open()

    def write(self, lines: list[bytes]) -> None:
        """Append lines, each with the present time in front."""
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()
        with contextlib.suppress(OSError):
            os.write(self._handle, b"".join(b"%s %s\n" % (stamp, line) for line in lines))
            if os.fstat(self._handle).st_size > self._largest_bytes:
                self.path.replace(self.path.with_name(f"{self.path.name}.1"))
                os.close(self._handle)
                self._handle = self._open()

    def close(self) -> None:
        os.close(self._handle)

    def _open(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def tail(path: Path) -> str:
    """The last 20 kB of a log; empty if there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 20_000))
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
