"""Mergeable statistics of readings: pure arithmetic on columns, the same for summaries and for raw readings.

A *piece* describes the readings of one stretch of time: an hour's summary, or raw readings reduced to one. Pieces that
follow each other are merged by adding what lies between them (*bridges*): the integral, the covered seconds and the missing
readings from the last reading of one to the first of the next. So merged pieces equal the raw readings exactly; hours that
own their edges do not.

              piece A        bridge        piece B
    ──┬──────●────●────●──────────────────●────●─────┬──
      window start                                window end
      └ edge ┘                                 └ edge ┘

The edges reach to the neighbours outside of the window, by linear interpolation (gauge, counter) or hold (state).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.window import Window
from telemetry.spoilt import Spoilt

Floats = NDArray[np.float64]
Micros = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """Columns of equal length, one index a piece, in the order of time."""

    n: NDArray[np.int64]
    mean: Floats
    m2: Floats
    min: Floats
    max: Floats
    first_us: Micros
    first_value: Floats
    last_us: Micros
    last_value: Floats
    integral: Floats
    covered_s: Floats
    longest_gap_s: Floats
    missing: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.n)


COLUMNS = tuple(Pieces.__dataclass_fields__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How a channel's readings are joined: its period, how long one stands, straight lines or steps."""

    period_s: float | None
    hold_us: int | None
    steps: bool
    spoilt: Spoilt | None = None
    """Over these stretches nothing is joined."""

    def joined(self, from_us: Micros, to_us: Micros) -> NDArray[np.bool_]:
        """Whether what lies between two readings each is covered by them."""
        gaps_us = to_us - from_us
        near = gaps_us <= self.hold_us if self.hold_us is not None else np.ones(len(gaps_us), dtype=np.bool_)
        return near if self.spoilt is None else near & ~self.spoilt.apart(from_us, to_us)


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """The nearest reading outside of a window."""

    us: int
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """The readings of one channel in one window, in its canonical unit.

    ``n`` = 0: there are none; ``mean``, ``min``, … are then NaN and the instants 0. ``missing`` counts the readings of the
    period that are not there, edges included; ``expected`` those there should be. ``integral`` is in value × seconds.
    """

    n: int
    mean: float
    m2: float
    min: float
    max: float
    first_us: int
    first_value: float
    last_us: int
    last_value: float
    integral: float
    covered_s: float
    longest_gap_s: float
    missing: int
    expected: int

    @property
    def std(self) -> float:
        """Sample standard deviation; NaN below two readings."""
        return math.sqrt(self.m2 / (self.n - 1)) if self.n > 1 else math.nan

    @property
    def sum(self) -> float:
        return self.mean * self.n if self.n else 0.0

    @property
    def completeness(self) -> float | None:
        """Share of the expected readings that are there, 0 to 1; None where nothing is expected."""
        return None if self.expected == 0 else max(0.0, 1 - self.missing / self.expected)


def piece_of(observed_us: Micros, value: Floats, rules: Rules) -> Pieces:
    """Readings in the order of time, reduced to one piece; none for no reading."""
    return pieces_of(observed_us, value, np.zeros(min(len(value), 1), dtype=np.int64), rules)


def pieces_of(observed_us: Micros, value: Floats, starts: Micros, rules: Rules) -> Pieces:
    """Readings in the order of time, cut into stretches, each reduced to a piece.

    The pieces do not depend on what they are made together with: sums are exact before they are rounded, once.

    :param starts: the index of each stretch's first reading, rising from 0. None is empty.
    """
    if not len(starts):
        return concatenated([])
    counts = np.diff(starts, append=len(value))
    ends = starts + counts
    mean = _sums(value, starts, ends) / counts
    gaps_us = np.diff(observed_us)
    # What lies between two stretches belongs to neither.
    gaps_us[starts[1:] - 1] = 0
    joined = rules.joined(observed_us[:-1], observed_us[1:])
    height = value[:-1] if rules.steps else (value[:-1] + value[1:]) / 2
    seconds = np.where(joined, gaps_us, 0) / 1e6
    return Pieces(
        n=counts,
        mean=mean,
        m2=_sums((value - np.repeat(mean, counts)) ** 2, starts, ends),
        min=np.minimum.reduceat(value, starts),
        max=np.maximum.reduceat(value, starts),
        first_us=observed_us[starts],
        first_value=value[starts],
        last_us=observed_us[ends - 1],
        last_value=value[ends - 1],
        integral=_sums(height * seconds, starts, ends - 1),
        covered_s=within(np.where(joined, gaps_us, 0), starts, ends - 1) / 1e6,
        longest_gap_s=np.maximum.reduceat(np.append(gaps_us, 0), starts) / 1e6,
        missing=within(missing_between(gaps_us, rules), starts, ends - 1),
    )


def within(counted: NDArray[np.int64], starts: Micros, ends: Micros) -> NDArray[np.int64]:
    """The sums of whole numbers over stretches of them: exact in any order."""
    total = np.concatenate([[0], np.cumsum(counted)])
    return np.asarray(total[ends] - total[starts], dtype=np.int64)


def _sums(terms: Floats, starts: Micros, ends: Micros) -> Floats:
    """The sums of stretches, each rounded once: the same whatever the order and whoever computes them."""
    listed = terms.tolist()
    return np.array(
        [math.fsum(listed[a:b]) for a, b in zip(starts.tolist(), ends.tolist(), strict=True)], dtype=np.float64
    )


def concatenated(parts: list[Pieces]) -> Pieces:
    """Pieces one after the other, brought into the order of time."""
    whole = {"n", "first_us", "last_us", "missing"}
    columns: dict[str, Any] = {}
    for name in COLUMNS:
        kind = np.int64 if name in whole else np.float64
        columns[name] = np.concatenate([np.empty(0, dtype=kind), *(getattr(part, name) for part in parts)])
    order = np.argsort(columns["first_us"], kind="stable")
    return Pieces(**{name: column[order] for name, column in columns.items()})


def merged(
    pieces: Pieces, window: Window, rules: Rules, *, before: Neighbour | None = None, after: Neighbour | None = None
) -> Statistics:
    """The statistics of a window whose readings are exactly those of ``pieces``."""
    expected = 0 if rules.period_s is None else round(window.seconds / rules.period_s)
    if not len(pieces):
        integral, covered = _edge(before, after, window.start_us, window.end_us, rules)
        nan = math.nan
        return Statistics(
            n=0, mean=nan, m2=nan, min=nan, max=nan, first_us=0, first_value=nan, last_us=0, last_value=nan,
            integral=integral, covered_s=covered, longest_gap_s=window.seconds, missing=expected, expected=expected,
        )  # fmt: skip
    n = int(pieces.n.sum())
    mean = math.fsum((pieces.mean * (pieces.n / n)).tolist())
    bridges_us = pieces.first_us[1:] - pieces.last_us[:-1]
    integral, covered = _bridges(pieces, bridges_us, rules)
    first = Neighbour(us=int(pieces.first_us[0]), value=float(pieces.first_value[0]))
    last = Neighbour(us=int(pieces.last_us[-1]), value=float(pieces.last_value[-1]))
    for edge in (
        _edge(before, first, window.start_us, first.us, rules),
        _edge(last, after, last.us, window.end_us, rules),
    ):
        integral += edge[0]
        covered += edge[1]
    edges_us = (first.us - window.start_us) + (window.end_us - last.us)
    missing = int(
        pieces.missing.sum()
        + missing_between(bridges_us, rules).sum()
        + missing_between(np.array([edges_us]), rules).sum()
    )
    gaps = [float(pieces.longest_gap_s.max()), (first.us - window.start_us) / 1e6, (window.end_us - last.us) / 1e6]
    return Statistics(
        n=n,
        mean=mean,
        m2=math.fsum(pieces.m2.tolist()) + math.fsum((pieces.n * (pieces.mean - mean) ** 2).tolist()),
        min=float(pieces.min.min()),
        max=float(pieces.max.max()),
        first_us=first.us,
        first_value=first.value,
        last_us=last.us,
        last_value=last.value,
        integral=integral,
        covered_s=covered,
        longest_gap_s=max(*gaps, float(bridges_us.max()) / 1e6 if len(bridges_us) else 0.0),
        missing=min(missing, expected),
        expected=expected,
    )


def missing_between(gaps_us: Micros, rules: Rules) -> NDArray[np.int64]:
    """Readings of the period that should lie between two that are ``gap`` apart: max(round(gap / period) − 1, 0)."""
    if rules.period_s is None:
        return np.zeros(len(gaps_us), dtype=np.int64)
    return np.maximum(np.rint(gaps_us / (rules.period_s * 1e6)).astype(np.int64) - 1, 0)


def _bridges(pieces: Pieces, bridges_us: Micros, rules: Rules) -> tuple[float, float]:
    """Integral and covered seconds of the pieces and of what lies between them."""
    joined = rules.joined(pieces.last_us[:-1], pieces.first_us[1:])
    seconds = bridges_us / 1e6
    height = pieces.last_value[:-1] if rules.steps else (pieces.last_value[:-1] + pieces.first_value[1:]) / 2
    return (
        math.fsum(pieces.integral.tolist()) + math.fsum((height * seconds)[joined].tolist()),
        math.fsum(pieces.covered_s.tolist()) + math.fsum(seconds[joined].tolist()),
    )


def _edge(
    one: Neighbour | None, other: Neighbour | None, start_us: int, end_us: int, rules: Rules
) -> tuple[float, float]:
    """Integral and seconds of ``[start, end)``, a part of what lies between two neighbouring readings.

    Nothing where a neighbour is missing or they are further apart than a reading stands.
    """
    if one is None or other is None or start_us >= end_us:
        return 0.0, 0.0
    if rules.hold_us is not None and other.us - one.us > rules.hold_us:
        return 0.0, 0.0
    if rules.spoilt is not None and rules.spoilt.between(one.us, other.us):
        return 0.0, 0.0
    seconds = (end_us - start_us) / 1e6
    if rules.steps:
        return one.value * seconds, seconds
    slope = (other.value - one.value) / (other.us - one.us)
    middle = one.value + slope * ((start_us + end_us) / 2 - one.us)
    return middle * seconds, seconds
