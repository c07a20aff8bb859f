"""What the embedded servers have in common: a folder of their own, and a child that starts and stops with a block."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from pilotbed.stack.child import Child
from pilotbed.stack.lock import FolderLock


def quiet(_line: str) -> None:
    """Tells nobody."""


class Server(ABC):
    """A server of ours in ``folder``."""

    def __init__(self, folder: Path, *, say: Callable[[str], None]) -> None:
        """
        :param say: takes one line at a time of what is worth telling a person.
        """
        self.folder = folder.absolute()
        self._say = say
        self._lock = FolderLock(self.folder)
        self._child: Child | None = None

    @abstractmethod
    def start(self) -> None:
        """Start it, and return when it is ready."""

    @abstractmethod
    def stop(self) -> None:
        """Stop it cleanly. Nothing happens if it does not run."""

    def exit_code(self) -> int | None:
        """How it ended (negative: by that signal), or None while it runs."""
        return None if self._child is None else self._child.exit_code()

    @property
    def child(self) -> Child | None:
        """The running server, or None before start and after stop."""
        return self._child

    def _end(self, *, patience_s: float, killed: str) -> None:
        """Ask the child to end.

        :param killed: what is said where it did not within its time, and was killed.
        """
        if self._child is not None:
            if not self._child.stop(patience_s=patience_s):
                self._say(killed)
            self._child = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
