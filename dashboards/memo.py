"""What is costly to work out and good for a few seconds: kept that long, worked out by one request at a time."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass(slots=True)
class _Entry(Generic[Value]):
    lock: threading.Lock = field(default_factory=threading.Lock)
    at: float = float("-inf")
    value: Value | None = None


class Memo(Generic[Value]):
    """Values by key, each for ``span_s`` seconds; the ones used longest ago go first.

    Twenty people who open the same page ask the database once. A key must name everything that the value depends on.
    """

    def __init__(self, *, span_s: float, most: int = 512, clock: Callable[[], float] = time.monotonic) -> None:
        self._span_s = span_s
        self._most = most
        self._clock = clock
        self._entries: OrderedDict[Hashable, _Entry[Value]] = OrderedDict()
        self._lock = threading.Lock()

    def get(
        self,
        key: Hashable,
        make: Callable[[], Value],
        *,
        span_s: float | None = None,
        keep: Callable[[Value], bool] = lambda _value: True,
    ) -> Value:
        """The value of a key, made now if there is none or it is too old. An error of ``make`` is nobody else's.

        :param span_s: how long this one is good, where that is not the usual time.
        :param keep: whether a value that was just made is worth keeping.
        """
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            while len(self._entries) > self._most:
                self._entries.popitem(last=False)
        with entry.lock:
            if entry.value is None or self._clock() - entry.at > (self._span_s if span_s is None else span_s):
                made = make()
                if not keep(made):
                    return made
                entry.value, entry.at = made, self._clock()
            return entry.value

    def kept(self, key: Hashable, *, span_s: float | None = None) -> Value | None:
        """The value of a key if it is there and not too old; nothing is made."""
        with self._lock:
            entry = self._entries.get(key)
        if entry is None or self._clock() - entry.at > (self._span_s if span_s is None else span_s):
            return None
        return entry.value
