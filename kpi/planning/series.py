"""What a series of readings may show of a product: hours of which neighbours are alike, judged by their weeks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy import signal, stats

from kpi.decision import Guard
from kpi.intervals import Block
from kpi.measurement import AsShare, Measurement
from kpi.planning.samples import RUNS, Draw, complete

HOUR_CORRELATION = 0.9
"""How alike neighbouring hours are, unless the plan says it."""

Floats = NDArray[np.float64]


@dataclass(slots=True, kw_only=True)
class Series:
    """Hours of which neighbours are alike, as weeks: the noise of one simulation, which all products share."""

    weeks_s: tuple[float, ...]
    """The middle of each week."""
    hours: int
    """Of a week that count."""
    correlation: float
    rng: np.random.Generator
    _noise: Floats | None = field(default=None, repr=False)

    @property
    def noise(self) -> Floats:
        """Standard normal: runs × weeks × hours."""
        if self._noise is None:
            length = len(self.weeks_s) * self.hours
            runs = max(min(RUNS, 4_000_000 // max(length, 1)), 50)
            fresh = self.rng.standard_normal((runs, length)) * math.sqrt(1 - self.correlation**2)
            fresh[:, 0] /= math.sqrt(1 - self.correlation**2)
            found: Floats = signal.lfilter([1.0], [1.0, -self.correlation], fresh, axis=1)
            self._noise = found.reshape(runs, len(self.weeks_s), self.hours)
        return self._noise

    def kept(self, share: float, further: float = 0.0) -> Floats:
        """How much of each week a condition holds that holds a share of all time: runs × weeks.

        :param further: how much further out its limit lies, in standard deviations.
        """
        if not 0 < share < 1:
            return np.full(self.noise.shape[:2], float(share))
        found: Floats = (self.noise <= stats.norm.ppf(share) + further).mean(axis=2)
        return found

    def blocks(self, weeks: Floats) -> tuple[Block, ...]:
        return tuple(
            Block(at_s=at_s, weight=float(self.hours), value=value)
            for at_s, value in zip(self.weeks_s, weeks.tolist(), strict=True)
        )

    @property
    def n(self) -> int:
        return len(self.weeks_s) * self.hours


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeShare:
    """A share of time, availability, data capture."""

    series: Series
    upward: bool
    moved: float | None = None
    """How far the uncertainty moves a limit, in standard deviations; None: no instrument has a part in it."""
    exact: bool = False

    def draws(self, truth: float) -> Iterator[Draw]:
        weeks = self.series.kept(truth)
        by = self.moved or 0.0
        closer, wider = (self.series.kept(truth, way * by).mean(axis=1) * 100 for way in (-1, 1))
        for row, low, high in zip(weeks, closer.tolist(), wider.tolist(), strict=True):
            shares = None if self.moved is None else (low, high)
            yield Draw(weight=1 / len(weeks), found=self._found(row), shares=shares)

    def best(self) -> Draw | None:
        ideal = 1.0 if self.upward else 0.0
        found = self._found(np.full(len(self.series.weeks_s), ideal))
        return Draw(weight=1, found=found, shares=None if self.moved is None else (100 * ideal, 100 * ideal))

    def _found(self, weeks: Floats) -> Measurement:
        value = 100 * float(weeks.mean())
        return replace(complete(value, "%", self.series.n), blocks=self.series.blocks(weeks), bounded=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentile:
    """A percentile of readings, in its form as a share of those that keep the target."""

    series: Series
    at_least: float
    kept: float
    """A value that keeps the target …"""
    broken: float
    """… and one that does not."""
    unit: str
    against: float = 0.0
    """How far the uncertainty moves the target against the claimant, in standard deviations …"""
    in_favour: float = 0.0
    exact: bool = False

    def draws(self, truth: float) -> Iterator[Draw]:
        weeks = self.series.kept(truth)
        strict = self.series.kept(truth, -self.against).mean(axis=1)
        lenient = self.series.kept(truth, self.in_favour).mean(axis=1)
        for row, low, high in zip(weeks, strict.tolist(), lenient.tolist(), strict=True):
            share = float(row.mean())
            below, above = max(share - low, 0.0), max(high - share, 0.0)
            band = Guard(below=below, above=above, below_missed=below, above_missed=above)
            yield Draw(weight=1 / len(weeks), found=self._found(row), share_guard=band)

    def best(self) -> Draw | None:
        return Draw(weight=1, found=self._found(np.ones(len(self.series.weeks_s))), share_guard=Guard())

    def _found(self, weeks: Floats) -> Measurement:
        share = float(weeks.mean())
        form = AsShare(
            share=share,
            at_least=self.at_least,
            fill_low=share,
            fill_high=share,
            blocks=self.series.blocks(weeks),
        )
        value = self.kept if share >= self.at_least else self.broken
        return replace(complete(value, self.unit, self.series.n), as_share=form)


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """A mean of readings, or of durations, in weekly means."""

    series: Series
    spread: float
    """Standard deviation of single hours (of a week's mean, where the series has one hour a week)."""
    unit: str
    ideal: float | None
    """What a product somewhat better than the target does."""
    exact: bool = False

    def draws(self, truth: float) -> Iterator[Draw]:
        weeks = truth + self.spread * self.series.noise.mean(axis=2)
        for row in weeks:
            yield Draw(weight=1 / len(weeks), found=self._found(row))

    def best(self) -> Draw | None:
        if self.ideal is None:
            return None
        return Draw(weight=1, found=self._found(np.full(len(self.series.weeks_s), self.ideal)))

    def _found(self, weeks: Floats) -> Measurement:
        value = float(weeks.mean())
        return replace(complete(value, self.unit, self.series.n), blocks=self.series.blocks(weeks))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """What happened, and has no interval: extremes, sums, integrals. A product shows what it does."""

    unit: str
    ideal: float | None
    difference: bool = False
    exact: bool = True

    def draws(self, truth: float) -> Iterator[Draw]:
        yield Draw(weight=1, found=replace(complete(truth, self.unit, 1), difference=self.difference))

    def best(self) -> Draw | None:
        return None if self.ideal is None else next(self.draws(self.ideal))
