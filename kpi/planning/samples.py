"""What a planned sample may show of a product: measurements with their chances, or drawn from a seeded simulation.

Here: events, one by one or by the day. Series of readings are in ``series.py``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from kpi.decision import Guard
from kpi.measurement import AsShare, Counts, Measurement, Trials

RUNS = 300
"""Of a simulation: a chance is then known to 3 points, in about a second."""

EVENT_CORRELATION = 0.1
"""How alike the events of one day are, unless the plan says it."""

DISPERSION = 2.0
"""Variance over mean of daily counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """One outcome of a pilot."""

    weight: float
    """Its chance, or one in so many of a simulation."""
    found: Measurement
    key: Hashable | None = None
    """Draws with equal keys are decided alike."""
    shares: tuple[float, float] | None = None
    """Of a share of time, in %, what it is with its limits moved by the uncertainty."""
    share_guard: Guard | None = None
    """Of a percentile, its guard band as a share."""


class Sample(Protocol):
    """A planned sample of a product."""

    @property
    def exact(self) -> bool: ...

    def draws(self, truth: float) -> Iterator[Draw]:
        """What it may show of a product that truly does ``truth``, in the unit of the measure (shares: 0 to 1)."""
        ...

    def best(self) -> Draw | None:
        """The most favourable outcome that there can be; None where no product is better than the target."""
        ...


Of = Callable[[int, int, tuple[tuple[int, int], ...]], Measurement]
"""(successes, trials, daily counts) → the measurement."""


def ratio_of(designed: bool) -> Of:
    """Of events that succeed."""

    def of(successes: int, trials: int, days: tuple[tuple[int, int], ...]) -> Measurement:
        counted = Trials(successes=successes, trials=trials, days=days, designed=designed)
        return replace(complete(100 * successes / trials, "%", trials), trials=counted, bounded=True)

    return of


def quota_of(designed: bool, at_least: float, kept: float, broken: float, unit: str) -> Of:
    """Of a percentile over events: as many as keep the target.

    :param kept: a value of the percentile that keeps the target, and ``broken`` one that does not.
    """

    def of(successes: int, trials: int, days: tuple[tuple[int, int], ...]) -> Measurement:
        share = successes / trials
        counted = Trials(successes=successes, trials=trials, days=days, designed=designed)
        form = AsShare(share=share, at_least=at_least, fill_low=share, fill_high=share, blocks=(), trials=counted)
        return replace(complete(kept if share >= at_least else broken, unit, trials), as_share=form)

    return of


def complete(value: float, unit: str, n: int) -> Measurement:
    """A measurement of which nothing is missing."""
    return Measurement(
        value=value, unit=unit, n=n, completeness=1.0, low=value, high=value, fill_low=value, fill_high=value
    )


# --- Events


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignedTrials:
    """Independent trials: the binomial chances of every number of successes."""

    n: int
    of: Of
    upward: bool
    """The more successes the better."""
    exact: bool = True

    def draws(self, truth: float) -> Iterator[Draw]:
        away = 9 * math.sqrt(self.n * truth * (1 - truth)) + 9
        low, high = max(math.floor(self.n * truth - away), 0), min(math.ceil(self.n * truth + away), self.n)
        counts = np.arange(low, high + 1)
        for k, chance in zip(counts.tolist(), stats.binom.pmf(counts, self.n, truth).tolist(), strict=True):
            if chance > 1e-12:
                yield Draw(weight=chance, found=self._found(k), key=k)

    def best(self) -> Draw | None:
        return Draw(weight=1, found=self._found(self.n if self.upward else 0))

    def _found(self, successes: int) -> Measurement:
        return self.of(successes, self.n, ((successes, self.n),))


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyTrials:
    """Trials of daily operation: beta-binomial, alike within a day."""

    n: int
    days: int
    """Days, of each slot its own."""
    of: Of
    upward: bool
    correlation: float
    rng: np.random.Generator
    exact: bool = False

    def draws(self, truth: float) -> Iterator[Draw]:
        sizes = self._sizes()
        if 0 < truth < 1 and self.correlation > 0:
            spread = 1 / self.correlation - 1
            daily = self.rng.beta(truth * spread, (1 - truth) * spread, size=(RUNS, len(sizes)))
        else:
            daily = np.full((RUNS, len(sizes)), truth)
        for row in self.rng.binomial(sizes, daily):
            yield Draw(weight=1 / RUNS, found=self._found(row, sizes))

    def best(self) -> Draw | None:
        sizes = self._sizes()
        return Draw(weight=1, found=self._found(sizes if self.upward else 0 * sizes, sizes))

    def _sizes(self) -> NDArray[np.int64]:
        days = min(self.days, self.n)
        sizes = np.full(days, self.n // days)
        sizes[: self.n % days] += 1
        return sizes

    def _found(self, successes: NDArray[np.int64], sizes: NDArray[np.int64]) -> Measurement:
        rows = tuple(zip(successes.tolist(), sizes.tolist(), strict=True))
        return self.of(int(successes.sum()), self.n, rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happenings:
    """Counts and rates, or the mean time between failures: Poisson chances of every number of events."""

    exposure: float
    unit: str
    per_event: bool = False
    exact: bool = True

    def draws(self, truth: float) -> Iterator[Draw]:
        expected = self.exposure / truth if self.per_event else truth * self.exposure
        away = 9 * math.sqrt(expected) + 12
        counts = np.arange(max(math.floor(expected - away), 0), math.ceil(expected + away) + 1)
        for k, chance in zip(counts.tolist(), stats.poisson.pmf(counts, expected).tolist(), strict=True):
            if chance > 1e-12:
                yield Draw(weight=chance, found=self._found(k), key=k)

    def best(self) -> Draw | None:
        return Draw(weight=1, found=self._found(0))

    def _found(self, count: int) -> Measurement:
        counts = Counts(
            count=count, most=count, exposure=self.exposure, days=(), independent=True, per_event=self.per_event
        )
        if self.per_event and not count:
            return Measurement(value=None, unit=self.unit, n=0, completeness=1.0, counts=counts)
        value = self.exposure / count if self.per_event else count / self.exposure
        return replace(complete(value, self.unit, count), counts=counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyHappenings:
    """Events of daily operation: negative binomial, with more spread than independent ones."""

    exposure: float
    unit: str
    days: int
    rng: np.random.Generator
    exact: bool = False

    def draws(self, truth: float) -> Iterator[Draw]:
        daily = truth * self.exposure / self.days
        if daily <= 0:
            yield Draw(weight=1, found=self._found(np.zeros(self.days, dtype=np.int64)))
            return
        size = daily / (DISPERSION - 1)
        for row in self.rng.negative_binomial(size, 1 / DISPERSION, size=(RUNS, self.days)):
            yield Draw(weight=1 / RUNS, found=self._found(row))

    def best(self) -> Draw | None:
        return Draw(weight=1, found=self._found(np.zeros(self.days, dtype=np.int64)))

    def _found(self, row: NDArray[np.int64]) -> Measurement:
        count = int(row.sum())
        days = tuple((n, self.exposure / self.days) for n in row.tolist())
        counts = Counts(count=count, most=count, exposure=self.exposure, days=days, independent=False)
        return replace(complete(count / self.exposure, self.unit, count), counts=counts)
