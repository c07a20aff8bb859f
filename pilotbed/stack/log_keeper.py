"""The process that keeps the broker's log (see :mod:`pilotbed.stack.broker_log`), from the broker's side."""

from __future__ import annotations

import errno
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from core.errors import EnvironmentProblem
from pilotbed.stack.child import Child, start_child

_PATIENCE_S: Final = 30.0
_RUNS: Final = re.compile(rb" mosquitto version \S+ running$", re.M)


class LogKeeper:
    """A pipe for the broker, and the process that reads it."""

    def __init__(self, *, pipe: Path, log: Path, say: Callable[[str], None]) -> None:
        self.pipe = pipe
        self.log = log
        self._say = say
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        return None if self._child is None else self._child.pid

    def log_bytes(self) -> int:
        """How long the log is."""
        return self.log.stat().st_size if self.log.exists() else 0

    def says_it_runs(self, since_bytes: int) -> bool:
        """Whether the broker, started when the log was so long, has said since that all its listeners are open."""
        if not self.log.exists():
            return False
        with self.log.open("rb") as file:
            file.seek(since_bytes)
            return _RUNS.search(file.read(100_000)) is not None

    def start(self) -> None:
        """Make the pipe, and start reading it."""
        self.pipe.unlink(missing_ok=True)
        os.mkfifo(self.pipe, 0o600)
        self._launch()

    @contextmanager
    def writing_end(self) -> Iterator[int]:
        """The pipe's other end, for what the broker says.

        It is open for writing only: if nobody reads, the broker is told so and goes on.

        :raises EnvironmentProblem: the reader does not come.
        """
        end = time.monotonic() + _PATIENCE_S
        while True:
            try:
                opened = os.open(self.pipe, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
                break
            except OSError as error:
                if error.errno != errno.ENXIO:  # nobody reads yet
                    raise
            if time.monotonic() > end or self._child is None or self._child.exit_code() is not None:
                log = self.log.with_name("log-keeper.log")
                raise EnvironmentProblem(f"The keeper of the broker's log does not start: {log} says why.")
            time.sleep(0.01)
        try:
            os.set_blocking(opened, True)
            yield opened
        finally:
            os.close(opened)

    def tend(self) -> None:
        """Start it again if it has died; the broker goes on meanwhile."""
        if self._child is not None and self._child.exit_code() is not None:
            self._say("The keeper of the broker's log died and is started again.")
            self._launch()

    def stop(self) -> None:
        """End it, after the broker."""
        if self._child is None:
            return
        # The broker's last lines are in the pipe still.
        time.sleep(0.1)
        self._child.stop(patience_s=2.0)
        self._child = None

    def _launch(self) -> None:
        self._child = start_child(
            "the keeper of the broker's log",
            [sys.executable, "-m", "pilotbed.stack.broker_log", str(self.pipe), str(self.log)],
            output=self.log.with_name("log-keeper.log"),
        )
