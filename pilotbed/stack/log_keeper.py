"""The process that keeps the broker's log (see :mod:`pilotbed.stack.broker_log`), from the broker's side."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pilotbed.stack.account import Account
from pilotbed.stack.child import Child, start_child


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

    def start(self, account: Account | None) -> None:
        """Make the pipe, open to the broker's user, and start reading it."""
        self.pipe.unlink(missing_ok=True)
        os.mkfifo(self.pipe, 0o600)
        if account is not None:
            os.chown(self.pipe, account.uid, account.gid)
        self._launch()

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
