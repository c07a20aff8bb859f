"""Time of a channel in which its readings do not count: pure arithmetic on stretches.

A reading whose instant lies in a spoilt stretch is not there for whoever asks. The one before it stands up to the stretch at the
most, and what lies on both sides is never joined, however near: a spoilt stretch is as a gap longer than a reading stands.

      ●━━━━━━━━━━━●━━━━━━━━━━━┊   ○     ○     ┊●━━━━━
      good        good        └── spoilt ─────┘ good
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from core.window import HOUR_US

Micros = NDArray[np.int64]
Booleans = NDArray[np.bool_]
_FOREVER_US = 2**62


class Spoilt:
    """Some stretches, in the order of time; equal to itself alone, so that it is known again without being compared.

    >>> spoilt = Spoilt([(10, 20), (30, 40)])
    >>> spoilt.holds(np.array([9, 10, 19, 20])).tolist()
    [False, True, True, False]
    >>> spoilt.apart(np.array([5, 5, 20, 25]), np.array([9, 25, 25, 45])).tolist()
    [False, True, False, True]
    >>> spoilt.cuts(np.array([5, 20, 40])).tolist()[:2]
    [10, 30]
    """

    __slots__ = ("_end", "_start", "steps")

    def __init__(self, spans: Iterable[tuple[int, int]], steps: Spoilt | None = None) -> None:
        """
        :param spans: from when to when, in µs; sorted, disjoint.
        :param steps: those of them over which a counter's step is false too; None: over none.
        """
        pairs = np.array(list(spans), dtype=np.int64).reshape(-1, 2)
        self._start = np.append(pairs[:, 0], _FOREVER_US)
        self._end = pairs[:, 1]
        self.steps = steps

    def _next(self, at_us: Micros) -> NDArray[np.int64]:
        """Which stretch is the first that ends after each instant."""
        return np.searchsorted(self._end, at_us, side="right")

    def holds(self, at_us: Micros) -> Booleans:
        """Whether each instant lies in one."""
        return np.asarray(self._start[self._next(at_us)] <= at_us)

    def apart(self, from_us: Micros, to_us: Micros) -> Booleans:
        """Whether one lies, even in part, between two instants each."""
        return np.asarray(self._start[self._next(from_us)] < to_us)

    def between(self, from_us: int, to_us: int) -> bool:
        """The same of two instants."""
        return bool(self.apart(np.array([from_us]), np.array([to_us]))[0])

    def cuts(self, at_us: Micros) -> Micros:
        """When the next one begins after each instant, which lies in none."""
        return np.asarray(self._start[self._next(at_us)])

    @property
    def hours_us(self) -> Micros:
        """The hours that they touch."""
        found = [
            np.arange(start // HOUR_US * HOUR_US, end, HOUR_US)
            for start, end in zip(self._start[:-1].tolist(), self._end.tolist(), strict=True)
        ]
        return np.unique(np.concatenate([np.empty(0, dtype=np.int64), *found]))
