"""Starts parts in order, starts again what crashes, stops them in reverse order."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Final, Protocol

from core.errors import PilotbedError
from pilotbed.stack.backoff import Backoff

_STOPPING_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WORTH_SAYING_S: Final = 0.05


class Part(Protocol):
    """Something that runs: a server, or a process of ours."""

    @property
    def name(self) -> str: ...

    def start(self) -> None:
        """Start it, and return when it is ready."""

    def stop(self) -> None:
        """End it within a bound. Nothing happens if it does not run."""

    def exit_code(self) -> int | None:
        """How it ended by itself, or None while it runs."""

    def last_words(self) -> str:
        """What it said of its end; empty if nothing is known."""

    def tend(self) -> None:
        """What it needs from time to time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something to be done once between two parts, such as the migrations."""

    name: str
    do: Callable[[], None]

    def start(self) -> None:
        self.do()

    def stop(self) -> None:
        """Nothing."""

    def exit_code(self) -> int | None:
        return None

    def last_words(self) -> str:
        return ""

    def tend(self) -> None:
        """Nothing."""


class Stopped(Exception):
    """A signal asked us to stop while we waited."""


@dataclass(slots=True, kw_only=True)
class _State:
    started_at: float = 0.0
    backoff: Backoff = field(default_factory=Backoff)
    down: bool = False


class Supervisor:
    """Keeps parts running. Everything happens in the thread that calls it, which must be the main one (see
    :func:`pilotbed.stack.child.start_child`)."""

    def __init__(self, parts: Sequence[Part], *, say: Callable[[str], None], tick_s: float = 0.2) -> None:
        self._parts = list(parts)
        self._states = [_State() for _ in self._parts]
        self._say = say
        self._tick_s = tick_s
        self._stop_asked = threading.Event()

    def pause(self, seconds: float) -> None:
        """Wait; to be handed to parts as their ``wait``.

        :raises Stopped: a signal asked us to stop.
        """
        if self._stop_asked.wait(seconds):
            raise Stopped

    def ask_to_stop(self) -> None:
        """Have :meth:`run` return."""
        self._stop_asked.set()

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Turn Ctrl-C and the stopping signals into a request to stop, for the length of a block."""

        def asked(_number: int, _frame: FrameType | None) -> None:
            self._stop_asked.set()

        before = {number: signal.signal(number, asked) for number in _STOPPING_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def start(self) -> None:
        """Start all, in order. If one fails, those before it are stopped again.

        :raises Stopped: a signal came meanwhile.
        """
        try:
            for part, state in zip(self._parts, self._states, strict=True):
                self.pause(0)
                state.started_at = time.monotonic()
                part.start()
                took_s = time.monotonic() - state.started_at
                if took_s > _WORTH_SAYING_S:
                    self._say(f"{part.name}: ready after {took_s:.1f} s.")
        except BaseException:
            self.stop()
            raise

    def add(self, part: Part) -> None:
        """Start one part more, while the others run."""
        part.start()
        self._parts.append(part)
        self._states.append(_State(started_at=time.monotonic()))

    def tend(self) -> None:
        """Look once after all parts: start again what crashed and has waited long enough."""
        for part, state in zip(self._parts, self._states, strict=True):
            code = part.exit_code()
            now = time.monotonic()
            if state.down:
                if now >= state.backoff.restart_at:
                    self._restart(part, state)
            elif code is not None:
                words = part.last_words()
                self._crashed(state, f"{part.name} ended unasked ({_ending(code)}{'; ' if words else ''}{words})")
            else:
                self._tend(part, state)

    def run(self) -> None:
        """Tend to all until asked to stop."""
        while not self._stop_asked.wait(self._tick_s):
            self.tend()

    def stop(self) -> None:
        """Stop all, in reverse order."""
        for part in reversed(self._parts):
            part.stop()

    def _tend(self, part: Part, state: _State) -> None:
        try:
            part.tend()
        except PilotbedError as problem:
            self._crashed(state, f"{part.name} is in trouble ({problem})")

    def _crashed(self, state: _State, what: str) -> None:
        now = time.monotonic()
        state.down = True
        state.backoff = state.backoff.crashed(started_at=state.started_at, now=now)
        self._say(f"{what}: it is started again in {state.backoff.restart_at - now:.1f} s.")

    def _restart(self, part: Part, state: _State) -> None:
        state.started_at = time.monotonic()
        try:
            part.stop()
            part.start()
        except Stopped:
            return
        except PilotbedError as problem:
            self._crashed(state, f"{part.name} does not start ({problem})")
            return
        state.down = False
        self._say(f"{part.name} runs again.")


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
