"""Says when the disk under the data directory runs low, and again when it has room."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from pilotbed.stack.data_directory import LEAST_FREE_BYTES, DataDirectory

EVERY_S: Final = 10.0
LOW_BYTES: Final = 2 * LEAST_FREE_BYTES


class SpaceWatch:
    """A part of the stack that only looks."""

    name = "disk space"

    def __init__(self, directory: DataDirectory, *, say: Callable[[str], None]) -> None:
        self._directory = directory
        self._say = say
        self._looked_at = 0.0
        self._low = False

    def start(self) -> None:
        """Nothing: the data directory was checked when it was opened."""

    def stop(self) -> None:
        """Nothing."""

    def exit_code(self) -> int | None:
        return None

    def last_words(self) -> str:
        return ""

    def tend(self) -> None:
        """Look, now and then."""
        now = time.monotonic()
        if now - self._looked_at < EVERY_S:
            return
        self._looked_at = now
        free = self._directory.free_bytes()
        if (free < LOW_BYTES) == self._low:
            return
        self._low = not self._low
        if self._low:
            self._say(f"Only {free // 1_000_000} MB are free on the disk of {self._directory.path}: make room soon.")
        else:
            self._say(f"The disk of {self._directory.path} has room again.")
