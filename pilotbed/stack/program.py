"""One of our own processes as a part of the stack: what it prints goes to its log, the last line into its obituary."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from core.errors import EnvironmentProblem
from pilotbed.stack.account import make_folder
from pilotbed.stack.child import Child, start_child
from pilotbed.stack.log_file import LogFile


class Program:
    """A process of ours, such as the collector."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Callable[[], Mapping[str, str]] = dict,
        log: Path | None = None,
        say: Callable[[str], None] = lambda _line: None,
        ready: Callable[[], bool] = lambda: True,
        says_when_ready: str = "",
        ready_within_s: float = 30.0,
        patience_s: float = 15.0,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        """
        :param environment: variables beyond ours, asked for at each start.
        :param log: a file for what it prints.
        :param say: takes one line at a time about it.
        :param ready: whether it does its work; start waits for that, for ``ready_within_s``.
        :param says_when_ready: how the line begins by which it says so itself. A port that answers says less: it may be
            another's.
        :param patience_s: how long it may take to end before it is killed.
        """
        self._name = name
        self._command = list(command)
        self._environment = environment
        self._log = log
        self._say = say
        self._ready = ready
        self._ready_word = says_when_ready.encode()
        self._said_ready = threading.Event()
        self._ready_within_s = ready_within_s
        self._patience_s = patience_s
        self._wait = wait
        self._last_line = ""
        self._child: Child | None = None
        self._reader: threading.Thread | None = None

    @property
    def name(self) -> str:
        return self._name

    @property
    def pid(self) -> int | None:
        return None if self._child is None else self._child.pid

    def exit_code(self) -> int | None:
        """How it ended (negative: by that signal), or None while it runs."""
        return None if self._child is None else self._child.exit_code()

    def last_words(self) -> str:
        """The last line that it printed, and where the others are."""
        if self._reader is not None:
            self._reader.join(timeout=1.0)
        place = f"all of it is in {self._log}" if self._log is not None else ""
        return "; ".join(part for part in (self._last_line, place) if part)

    def tend(self) -> None:
        """Nothing."""

    def start(self) -> None:
        """Start it and wait until it is ready, or the time for it has passed: it may still come.

        :raises EnvironmentProblem: it ended before it was ready, by its own words.
        """
        self._last_line = ""
        self._said_ready.clear()
        self._child = start_child(
            self._name,
            self._command,
            environment={**os.environ, "PYTHONUNBUFFERED": "1", **self._environment()},
            output=subprocess.PIPE,
        )
        self._reader = threading.Thread(target=self._read, args=[self._child], name=f"{self._name} output", daemon=True)
        self._reader.start()
        end = time.monotonic() + self._ready_within_s
        while not self._is_ready() and time.monotonic() < end:
            if self._child.exit_code() is not None:
                raise EnvironmentProblem(f"{self._name} ended before it was ready: {self.last_words()}")
            self._wait(0.05)

    def _is_ready(self) -> bool:
        return (not self._ready_word or self._said_ready.is_set()) and self._ready()

    def stop(self) -> None:
        """Ask it to end, and kill it if it takes too long."""
        if self._child is None:
            return
        if not self._child.stop(patience_s=self._patience_s):
            self._say(f"{self._name} did not end within {self._patience_s:.0f} s and was killed.")
        if self._reader is not None:
            # A descendant of its own may hold the output open.
            self._reader.join(timeout=1.0)
        self._child = None

    def _read(self, child: Child) -> None:
        stream = child.process.stdout
        assert stream is not None
        file = None
        if self._log is not None:
            make_folder(self._log.parent)
            file = LogFile(self._log)
        for line in stream:
            text = line.rstrip(b"\r\n")
            if self._ready_word and text.startswith(self._ready_word):
                self._said_ready.set()
            if file is not None:
                file.write([text])
            if text.strip():
                self._last_line = text.decode(errors="replace").strip()
        stream.close()
        if file is not None:
            file.close()
