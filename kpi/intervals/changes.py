"""Changes: the ratio or difference of two windows, from how their weeks lay.

What chance did to a ratio A/B is, to first order, what it did to A relative to A, less what it did to B relative to B. So the
weeks' relative deviations are the sample: those of the judged window and those of the baseline, each on its own; or, where days
were paired or the baseline was modelled for the judged days, one series of the weeks' differences, in which what both sides
share drops out. Days of one kind of weather or trade hang together beyond a week, so the variance of the mean grows with the
correlation of neighbouring weeks (one lag, Newey and West). The ratio is taken in logarithms, so that no bound goes below zero;
bounds are by t with Welch and Satterthwaite's degrees of freedom.

:source: delta method for ratios: Cochran, Sampling Techniques (1977), 6.3 and 6.12; Newey and West, Econometrica 55 (1987) 703;
   Satterthwaite, Biometrics Bulletin 2 (1946) 110. Ratio and difference of two estimates with bounds of their own (MOVER): Donner
   and Zou, Statistical Methods in Medical Research 21 (2012) 347; Zou and Donner, Statistics in Medicine 27 (2008) 1693. Ratio of
   two Poisson means: Przyborowski and Wilenski, Biometrika 31 (1940) 313.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats

from kpi.intervals.binomial import clopper_pearson
from kpi.intervals.blocks import Block, Spread, block_spread
from kpi.intervals.dispersion import dispersion
from kpi.intervals.interval import Interval

_SEASONAL_FROM_S = 350 * 86_400.0
"""From how long a window on the yearly swing is taken out of its weeks: over half a year the fit would swallow slow chance, and a
change exactly at its target pass falsely in 8 to 9 % of cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weeks:
    """How the weeks of a window lay round its level: deviations, as shares of it for a ratio."""

    blocks: tuple[Block, ...]
    window_s: float
    seasonal: bool = True
    """Whether a yearly swing may be in it; in differences of paired days there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Modelled:
    """What a model of the baseline adds: the variance of its mean prediction, in the deviations' unit, and what it rests on."""

    variance: float
    freedom: int


def change_interval(
    centre: float, windows: Sequence[Weeks], alpha: float, *, ratio: bool, model: Modelled | None = None
) -> Interval | None:
    """The interval of a ratio, or of a difference, from its windows' weeks; None where one has fewer than eight.

    :param centre: the ratio itself (0.8 of what was before), or the difference.

    Ten weeks that lay 4 % above and below, against ten others:

    >>> weeks = Weeks(blocks=tuple(Block(at_s=i * 604_800.0, weight=1, value=0.04 * (-1) ** i) for i in range(10)), window_s=6e6)
    >>> found = change_interval(0.8, [weeks, weeks], 0.05, ratio=True)
    >>> round(found.low, 3), round(found.high, 3), found.size
    (0.774, 0.827, 20)
    """
    variance, spoken, size = 0.0, 0.0, 0
    for window in windows:
        spread = block_spread(window.blocks, harmonic=window.seasonal and window.window_s >= _SEASONAL_FROM_S)
        if spread is None:
            return None
        own = spread.variance / spread.count * _hanging(spread)
        variance, spoken, size = variance + own, spoken + own**2 / spread.freedom, size + spread.count
    if model is not None:
        variance, spoken = variance + model.variance, spoken + model.variance**2 / model.freedom
    if not math.isfinite(variance) or (ratio and centre <= 0):
        return None
    freedom = variance**2 / spoken if spoken > 0 else math.inf
    half = float(stats.t.isf(alpha, freedom)) * math.sqrt(variance) if math.isfinite(freedom) else 0.0
    low, high = (centre * math.exp(-half), centre * math.exp(half)) if ratio else (centre - half, centre + half)
    return Interval(low=low, high=high, alpha=alpha, method="weekly_changes", size=size)


def _hanging(spread: Spread) -> float:
    """How much more the mean of weeks varies for neighbours that hang together; n weeks show 1/n less of it than there is."""
    return 1 + 2 * max(spread.neighbours + 1 / spread.count, 0.0)


def ratio_of_intervals(after: float, of_after: Interval, before: float, of_before: Interval) -> Interval | None:
    """The interval of after / before from theirs (MOVER); None where the baseline may be zero.

    >>> one = Interval(low=0.17, high=0.24, alpha=0.05, method="", size=100)
    >>> two = Interval(low=0.35, high=0.46, alpha=0.05, method="", size=80)
    >>> found = ratio_of_intervals(0.2, one, 0.4, two)
    >>> round(found.low, 3), round(found.high, 3), found.size
    (0.404, 0.627, 180)
    """
    low_a, high_a, low_b, high_b = of_after.low, of_after.high, of_before.low, of_before.high
    if low_b <= 0 or not all(map(math.isfinite, (low_a, high_a, low_b, high_b))):
        return None
    product = after * before

    def bound(end_a: float, end_b: float, sign: float) -> float:
        inside = max(product**2 - end_a * end_b * (2 * after - end_a) * (2 * before - end_b), 0.0)
        return (product + sign * math.sqrt(inside)) / (end_b * (2 * before - end_b))

    if 2 * before - high_b <= 0:
        return None
    low, high = bound(low_a, high_b, -1.0), bound(high_a, low_b, 1.0)
    return Interval(low=low, high=high, alpha=of_after.alpha, method="mover", size=of_after.size + of_before.size)


def difference_of_intervals(after: float, of_after: Interval, before: float, of_before: Interval) -> Interval:
    """The interval of after − before from theirs (MOVER).

    >>> one = Interval(low=9.0, high=12.0, alpha=0.05, method="", size=10)
    >>> two = Interval(low=16.0, high=23.0, alpha=0.05, method="", size=10)
    >>> found = difference_of_intervals(10.0, one, 20.0, two)
    >>> round(found.low, 2), round(found.high, 2)
    (-13.16, -5.53)
    """
    low = after - before - math.hypot(after - of_after.low, of_before.high - before)
    high = after - before + math.hypot(of_after.high - after, before - of_before.low)
    return Interval(low=low, high=high, alpha=of_after.alpha, method="mover", size=of_after.size + of_before.size)


Counted = tuple[int, float, Sequence[tuple[int, float]], bool]
"""Events, exposure, (events, exposure) of each day or entry, and whether they are independent."""


def rate_ratio(after: Counted, before: Counted, alpha: float) -> Interval | None:
    """The interval of a ratio of two rates: exact, given how many events came in both windows together.

    Of daily operation both counts are divided by the larger of their windows' dispersions first.

    >>> found = rate_ratio((20, 1000.0, (), True), (40, 1000.0, (), True), 0.05)
    >>> round(found.low, 3), round(found.high, 3)
    (0.304, 0.807)
    """
    (n, exposed, days, independent), (m, exposed_before, days_before, independent_before) = after, before
    if n + m == 0 or exposed <= 0 or exposed_before <= 0:
        return None
    scale = 1.0
    if not (independent and independent_before):
        several = (dispersion(rows, alpha) for rows in (days, days_before))
        scale = max(one.factor / one.price for one in several)
    low, high = clopper_pearson(n / scale, (n + m) / scale, alpha)
    times = exposed_before / exposed
    return Interval(
        low=times * low / (1 - low) if low < 1 else math.inf,
        high=times * high / (1 - high) if high < 1 else math.inf,
        alpha=alpha,
        method="poisson" if scale == 1.0 else "dispersed",
        size=n + m,
    )
