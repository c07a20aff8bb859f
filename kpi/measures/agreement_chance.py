"""What chance may have done to what pairs come to, where it is no mean of weeks: r², a root, a drift, and designed trials.

Neighbouring pairs are alike, so that n of them tell less than n. Weeks stand for the independent observations, as they do for
means; there must be at least eight of them. Pairs of designed trials are independent by themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from kpi.intervals import MIN_BLOCKS, Block, Interval, mean_interval
from kpi.measures.pairs import Floats, Pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class OfErrors:
    """A mean of sizes of errors, or the root of a mean of squares: never negative, and lopsided.

    A t interval passes such a mean falsely in 8 to 11 % of cases where there are few weeks or trials. So its spread is that of a
    gamma distribution with the same mean and variance (t's price for an unknown variance included), and the bounds are its.
    """

    blocks: tuple[Block, ...] = ()
    """Weekly means …"""
    terms: tuple[Floats, ...] = ()
    """… or the single terms of independent trials, of each slot …"""
    shares: tuple[float, ...] = ()
    """… and how much of the whole each slot is."""
    root: bool = False
    """The value is the root of the mean."""
    reversed: bool = False
    """The value is 100 less the mean."""

    def interval(self, value: float, alpha: float, *, window_s: float) -> Interval | None:
        """:param value: what the mean comes to."""
        middle = value**2 if self.root else 100 - value if self.reversed else value
        if self.terms:
            found = by_t(self.terms, self.shares, middle, alpha)
        else:
            found = mean_interval(middle, self.blocks, alpha, window_s=window_s)
        if found is None:
            return None
        # A spread that few weeks show goes with their mean: low errors look steady too.
        low, high = gamma_bounds(middle, (found.high - middle) * math.sqrt(found.size / (found.size - 1)), alpha)
        if self.root:
            low, high = math.sqrt(low), math.sqrt(high)
        elif self.reversed:
            low, high = 100 - high, 100 - low
        method = "trials_gamma" if self.terms else "weekly_gamma"
        return Interval(low=low, high=high, alpha=alpha, method=method, size=found.size)

    def lacking(self) -> str:
        return "few_trials" if self.terms else "few_weeks"


def gamma_bounds(mean: float, half: float, alpha: float) -> tuple[float, float]:
    """The bounds of a positive mean of which a symmetrical interval would reach so far on either side.

    >>> [round(bound, 2) for bound in gamma_bounds(10.0, 4.0, 0.05)]          # further up than down
    [6.99, 15.72]
    """
    if mean <= 0 or half <= 0:
        return max(mean, 0.0), max(mean + half, 0.0)
    shape = (mean * float(stats.norm.isf(alpha)) / half) ** 2
    if shape > 1e8:  # as good as symmetrical
        return mean - half, mean + half
    return (
        mean * shape / float(stats.gamma.isf(alpha, shape)),
        mean * shape / float(stats.gamma.ppf(alpha, shape)),
    )


def by_t(terms: Sequence[Floats], shares: Sequence[float], mean: float, alpha: float) -> Interval | None:
    """The mean of independent trials, slots weighted: by t, with each slot's own spread. None below two trials of a slot."""
    n = sum(len(one) for one in terms)
    if not terms or any(len(one) < 2 for one in terms):
        return None
    variance = math.fsum(share**2 * float(one.var(ddof=1)) / len(one) for share, one in zip(shares, terms, strict=True))
    half = float(stats.t.isf(alpha, n - len(terms))) * math.sqrt(variance)
    return Interval(low=mean - half, high=mean + half, alpha=alpha, method="trials_t", size=n)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfTrials:
    """A mean of independent trials that may lie on either side of nothing: by t."""

    terms: tuple[Floats, ...]
    """Of each slot."""
    shares: tuple[float, ...]

    def interval(self, value: float, alpha: float, *, window_s: float) -> Interval | None:
        """:param value: what the trials come to."""
        del window_s
        return by_t(self.terms, self.shares, value, alpha)

    def lacking(self) -> str:
        return "few_trials"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfCorrelation:
    """r², by leaving out each week once (the jackknife), on Fisher's scale z = artanh r, where it spreads alike everywhere.

    :source: Quenouille, Biometrika 43 (1956) 353; Miller, Biometrika 61 (1974) 1, sections 2 and 4.
    """

    r: float
    weeks: Floats
    """One row a week: weight, and the weighted sums of x, y, x², y², xy about the means of the whole."""

    def interval(self, value: float, alpha: float, *, window_s: float) -> Interval | None:
        """:param value: r²."""
        del value, window_s
        m = len(self.weeks)
        if m < MIN_BLOCKS:
            return None
        if abs(self.r) >= 1:
            return Interval(low=self.r > 0, high=self.r > 0, alpha=alpha, method="weekly_jackknife", size=m)
        w, x, y, xx, yy, xy = (self.weeks.sum(axis=0) - self.weeks).T
        with np.errstate(divide="ignore", invalid="ignore"):
            left = (xy - x * y / w) / np.sqrt((xx - x * x / w) * (yy - y * y / w))
        if not np.isfinite(left).all():
            return None  # without one of the weeks a side does not vary
        each = np.arctanh(np.clip(left, -1 + 1e-15, 1 - 1e-15))
        variance = (m - 1) / m * float(((each - each.mean()) ** 2).sum())
        half = float(stats.t.isf(alpha, m - 1)) * math.sqrt(variance)
        return _squared(math.atanh(self.r), half, alpha, "weekly_jackknife", m)

    def lacking(self) -> str:
        return "few_weeks"


def _squared(z: float, half: float, alpha: float, method: str, size: float) -> Interval:
    low, high = (max(math.tanh(end), 0.0) ** 2 for end in (z - half, z + half))
    return Interval(low=low, high=high, alpha=alpha, method=method, size=size)


def weekly_sums(weeks: Sequence[Pairs], mean_x: float, mean_y: float) -> Floats:
    """The rows of :class:`OfCorrelation`, of the weeks that have pairs; weights are those of the whole."""
    rows = []
    for week in weeks:
        if len(week.weight):
            x, y, w = week.reference - mean_x, week.channel - mean_y, week.weight
            rows.append([float(one.sum()) for one in (w, w * x, w * y, w * x * x, w * y * y, w * x * y)])
    return np.array(rows, dtype=np.float64).reshape(len(rows), 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfDrift:
    """A difference of two stretches' means: by how far the weeks lie from a straight line through all of them."""

    weeks: tuple[Block, ...]
    """The bias of each week."""
    ends: tuple[tuple[float, float], ...]
    """Of each slot: the weight of its first and of its last stretch, in the unit of the weeks' weights."""
    shares: tuple[float, ...]
    """How much of the whole each slot is."""

    def interval(self, value: float, alpha: float, *, window_s: float) -> Interval | None:
        """:param value: the drift."""
        del window_s
        used = [week for week in self.weeks if week.weight > 0]
        m = len(used)
        if m < MIN_BLOCKS or not self.ends:
            return None
        weight = np.array([week.weight for week in used])
        bias = np.array([week.value for week in used])
        at_s = np.array([week.at_s for week in used])
        design = np.stack([np.ones(m), (at_s - at_s.mean()) / 604_800.0], axis=1)
        root = np.sqrt(weight)
        line = np.linalg.lstsq(design * root[:, None], bias * root, rcond=None)[0]
        scaled = root * (bias - design @ line)
        # Of one unit of weight; a stretch's mean has so much less as it holds more.
        variance = float(scaled @ scaled) / (m - 2)
        spread = math.fsum(
            share**2 * (1 / first + 1 / last) for share, (first, last) in zip(self.shares, self.ends, strict=True)
        )
        half = float(stats.t.isf(alpha, m - 2)) * math.sqrt(variance * spread)
        return Interval(low=value - half, high=value + half, alpha=alpha, method="weekly_drift", size=m)

    def lacking(self) -> str:
        return "few_weeks"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfCorrelatedTrials:
    """r² of independent trials: Fisher's z."""

    r: float
    n: int

    def interval(self, value: float, alpha: float, *, window_s: float) -> Interval | None:
        """:source: Fisher, Metron 1 (1921) 3."""
        del value, window_s
        if self.n < 4:
            return None
        if abs(self.r) >= 1:
            return Interval(low=self.r > 0, high=self.r > 0, alpha=alpha, method="fisher_z", size=self.n)
        half = float(stats.norm.isf(alpha)) / math.sqrt(self.n - 3)
        return _squared(math.atanh(self.r), half, alpha, "fisher_z", self.n)

    def lacking(self) -> str:
        return "few_trials"
