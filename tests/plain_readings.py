"""What a list of readings comes to in a window, straight from the definitions: the outside oracle of summaries and raw reads.

Whole microseconds in Python's own integers, sums by ``math.fsum``; shares no code with ``telemetry/``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

FOREVER = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """A channel as its readings: (instant in µs, value) in the order of time."""

    rows: Sequence[tuple[int, float]]
    period_s: float | None
    """None: not periodic."""
    hold_us: int | None
    steps: bool
    lost_us: Sequence[int] = ()
    """When its link was lost."""

    def inside(self, start: int, end: int) -> list[tuple[int, float]]:
        return [(t, v) for t, v in self.rows if start <= t < end]

    def moments(self, start: int, end: int) -> tuple[float, float, float, float]:
        """Mean, squared deviations, least and greatest."""
        value = np.array([v for _, v in self.inside(start, end)], dtype=np.float64)
        mean = math.fsum(value) / len(value)
        return mean, math.fsum((value - mean) ** 2), float(np.min(value)), float(np.max(value))

    def longest_gap_s(self, start: int, end: int) -> float:
        ends = [start, *(t for t, _ in self.inside(start, end)), end]
        return max(b - a for a, b in pairwise(ends)) / 1e6

    def expected_and_missing(self, start: int, end: int) -> tuple[int, int]:
        if self.period_s is None:
            return 0, 0
        period = Fraction(self.period_s) * 1_000_000
        expected = round(Fraction(end - start) / period)
        times = [t for t, _ in self.inside(start, end)]
        if not times:
            return expected, expected
        gaps = [b - a for a, b in pairwise(times)] + [times[0] - start + end - times[-1]]
        return expected, min(expected, sum(max(round(Fraction(gap) / period) - 1, 0) for gap in gaps))

    def joined(self, start: int, end: int) -> tuple[float, float]:
        """∫ value dt and the seconds it covers, between neighbours that are no further apart than one stands."""
        terms, seconds = [], []
        for (t0, v0), (t1, v1) in pairwise(self.rows):
            a, b = max(t0, start), min(t1, end)
            if a < b and (self.hold_us is None or t1 - t0 <= self.hold_us):
                middle = v0 if self.steps else v0 + (v1 - v0) * ((a + b) / 2 - t0) / (t1 - t0)
                terms.append(middle * (b - a) / 1e6)
                seconds.append((b - a) / 1e6)
        return math.fsum(terms), math.fsum(seconds)

    def to_the_edges(self, start: int, end: int) -> tuple[float, float]:
        """The same, and the very first and last reading up to an edge as near as it stands: nothing was ever heard beyond."""
        assert self.hold_us is not None
        integral, covered = self.joined(start, end)
        times = [t for t, _ in self.rows]
        value = dict(self.rows)
        lead = next((t for t in times if start <= t < end), None)
        trail = next((t for t in reversed(times) if t < end), None)
        stretches = []
        if lead is not None and not any(t < start for t in times):
            stretches.append((start, lead, value[lead]))
        if trail is not None and not any(t >= end for t in times):
            stretches.append((trail, end, value[trail]))
        for a, b, held in stretches:
            if b - a <= self.hold_us:
                integral += held * (b - max(a, start)) / 1e6
                covered += (b - max(a, start)) / 1e6
        return integral, covered

    def standing(self, start: int, end: int) -> list[tuple[int, int, float]]:
        """While each reading stands: from, until, value, cut by the window."""
        found = []
        for index, (t, v) in enumerate(self.rows):
            until = self.rows[index + 1][0] if index + 1 < len(self.rows) else FOREVER
            if self.hold_us is not None:
                until = min(until, t + self.hold_us)
            else:
                until = min([until, *(lost for lost in self.lost_us if lost > t)])
            a, b = max(t, start), min(until, end)
            if a < b:
                found.append((a, b, v))
        return found

    def share(self, start: int, end: int, holds: Callable[[float], bool]) -> tuple[float, float]:
        """Seconds during which the condition held, and seconds during which any reading stood."""
        stood = self.standing(start, end)
        return sum(b - a for a, b, v in stood if holds(v)) / 1e6, sum(b - a for a, b, _ in stood) / 1e6

    def held(self, start: int, end: int) -> tuple[float, float]:
        """∫ value dt with each reading standing, and the seconds."""
        stood = self.standing(start, end)
        return math.fsum(v * (b - a) / 1e6 for a, b, v in stood), sum(b - a for a, b, _ in stood) / 1e6

    def gaps(self, start: int, end: int) -> list[tuple[int, int]]:
        """The stretches in which none stands."""
        found, reached = [], start
        for a, b, _ in self.standing(start, end):
            if a > reached:
                found.append((reached, a))
            reached = max(reached, b)
        return [*found, (reached, end)] if reached < end else found

    def climbed(self, start: int, end: int, wrap: float | None) -> tuple[float, float]:
        """How far a counter went for sure, and how much more if each new run began at zero."""
        proven, from_zero = [], []
        for (t0, v0), (t1, v1) in pairwise(self.rows):
            a, b = max(t0, start), min(t1, end)
            whole = t0 >= start and t1 < end
            if a >= b or not (whole or self.hold_us is None or t1 - t0 <= self.hold_us):
                continue
            part = 1.0 if whole else (b - a) / (t1 - t0)
            if v1 >= v0:
                proven.append((v1 - v0) * part)
            elif wrap is not None and v0 - v1 > wrap / 2 and v0 <= wrap:
                proven.append((wrap - v0 + v1) * part)
            elif v1 < v0 / 2:
                from_zero.append(max(v1, 0.0) * part)
        return math.fsum(proven), math.fsum(from_zero)
