"""Failed log-ins are counted by name and by address; beyond a few a minute, further ones wait."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Throttle:
    """At most ``most`` failures of one key in ``span_s`` seconds.

    Pure in time: ``now`` (any clock that only goes forward, in seconds) is an argument. Keeps ``keys`` keys at the most,
    so that invented names cannot fill the memory: the one that failed longest ago is forgotten first.
    """

    most: int
    span_s: float = 60.0
    keys: int = 10_000
    _failures: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, key: str, now: float) -> float:
        """May this key try now? 0.0: yes, and the try counts as failed until ``succeeded``; else the seconds to wait.

        Counted before the outcome is known, so that a hundred tries at once are not a hundred tries for free.
        """
        with self._lock:
            times = self._failures.setdefault(key, deque(maxlen=self.most))
            while times and times[0] <= now - self.span_s:
                times.popleft()
            if len(times) >= self.most:
                return times[0] + self.span_s - now
            times.append(now)
            self._failures.move_to_end(key)
            while len(self._failures) > self.keys:
                self._failures.popitem(last=False)
            return 0.0

    def forgive(self, key: str) -> None:
        """The last try was none: it succeeded. Those before it still count."""
        with self._lock:
            times = self._failures.get(key)
            if times:
                times.pop()

    def succeeded(self, key: str) -> None:
        """A success wipes the slate."""
        with self._lock:
            self._failures.pop(key, None)
