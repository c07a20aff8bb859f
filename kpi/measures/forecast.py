"""When a channel will have come to a level (예측치): battery life by the straight line through what was discharged. Never
*met*.

Over the daily means x of the readings in required time, each at the middle between its first and last reading. A
**discharge** begins anew with every recharge: a rise above the lowest so far by more than ``recharge`` (a tenth of the way
from the highest day to the level, if the plan does not say); from there the highest day of the rise is its first. The line
is least squares through the days of the last discharge, seven at least. Value: days from the first of these days (``life``)
or from the end of the window (``left``) to the instant at which the line has come to the level; infinite where it does not
go there. Of several slots the earliest counts.

Interval: where the prediction band of a single day comes to the level (Fieller): the line's covariance is that of Newey and
West (Bartlett weights, 4·(n/100)^(2/9) days, n/(n − 2)), for days resemble their neighbours; t with n − 2 degrees of
freedom.

Unit: d. Source: docs/kpi.md, the table of measures and "Forecasts". Newey and West, Econometrica 55 (1987) 703; Fieller,
JRSS B 16 (1954) 175.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from kpi.intervals import Interval
from kpi.measurement import Measurement, completeness

Floats = NDArray[np.float64]

LEAST_DAYS: Final = 7
_MOST: Final = 1e100


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastPart:
    """One slot in one stretch of required time."""

    at_d: tuple[float, ...]
    """The days that have readings, in days since the Unix epoch …"""
    level: tuple[float, ...]
    """… and their means, in the channel's unit."""
    until: float
    recharge: float | None
    end_d: float
    n: int
    obtained: float
    expected: float
    company_s: float = 0.0
    platform_s: float = 0.0
    site_s: float = 0.0
    nobody_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line through days, on the way to a level: level(t) = mean + slope · (t − middle)."""

    middle_d: float
    mean: float
    slope: float
    """Per day."""
    mean_variance: float
    covariance: float
    slope_variance: float
    residual: float
    """The variance of single days about the line."""
    days: int
    until: float
    from_d: float
    """From when on the value counts."""

    def crossing(self) -> float:
        """Days from ``from_d`` until the line has come to the level; infinite where it never does."""
        if self.slope >= 0:
            return math.inf
        return max(self.middle_d + (self.until - self.mean) / self.slope - self.from_d, 0.0)

    def interval(self, value: float, alpha: float, *, window_s: float) -> Interval | None:
        """Where the prediction band of a single day comes to the level.

        :param value: what :meth:`crossing` gives.
        """
        del value, window_s
        q = float(stats.t.isf(alpha, self.days - 2))
        ends = [self._band(q, below=below) for below in (True, False)]
        return Interval(low=ends[0], high=ends[1], alpha=alpha, method="newey_west", size=self.days)

    def _band(self, q: float, *, below: bool) -> float:
        """When the lower or the upper edge of the band has come to the level for good."""
        a = self.slope**2 - q**2 * self.slope_variance
        b = 2 * (self.slope * (self.mean - self.until) - q**2 * self.covariance)
        c = (self.mean - self.until) ** 2 - q**2 * (self.mean_variance + self.residual)
        at_last = self.slope + (-q if below else q) * math.sqrt(self.slope_variance)
        if at_last >= 0:
            return math.inf  # this edge ends above the level
        roots = np.roots([a, b, c]) if a else np.array([-c / b]) if b else np.empty(0)
        real = [float(x.real) for x in roots if abs(x.imag) < 1e-9 * max(abs(x), 1.0)]
        sign = 1.0 if below else -1.0
        own = [x for x in real if sign * (self.mean + self.slope * x - self.until) >= 0]
        if not own:
            return 0.0  # it has been below all the time
        return max(self.middle_d + max(own) - self.from_d, 0.0)

    def lacking(self) -> str:
        return "no_interval"


def measure(
    parts: Sequence[ForecastPart], weeks: Sequence[tuple[float, Sequence[ForecastPart]]] = (), *, stat: str
) -> Measurement:
    """The forecast over all slots: that of the slot that comes to its level first.

    :param parts: one a slot.
    :param weeks: not used: the days themselves show how they scatter.
    :param stat: ``life`` or ``left``.

    A battery that loses half a per cent a day from 100 % is at 20 % after 160 days:

    >>> days = tuple(20_000.5 + i for i in range(60))
    >>> level = tuple(100 - 0.5 * i + 0.1 * (-1) ** i for i in range(60))
    >>> there = {"n": 1440, "obtained": 1440, "expected": 1440}
    >>> part = ForecastPart(at_d=days, level=level, until=20.0, recharge=None, end_d=20_060.0, **there)
    >>> found = measure([part], stat="life")
    >>> round(found.value, 1), round(measure([part], stat="left").value, 1)
    (160.0, 100.5)
    """
    del weeks
    found = [line for line in (line_of(part, stat) for part in parts) if line is not None]
    first = min(found, key=lambda line: line.crossing(), default=None)
    value = None if first is None or len(found) < len(parts) else first.crossing()
    return Measurement(
        value=value,
        unit="d",
        n=sum(part.n for part in parts),
        completeness=completeness([part.obtained for part in parts], [part.expected for part in parts]),
        low=value,
        high=value,
        own=first,
        lacks="" if value is not None or not any(part.at_d for part in parts) else "discharge",
        facts={
            **({} if first is None else {"slope_per_d": first.slope, "fitted_days": first.days}),
            "recharges": sum(recharges(part) for part in parts),
            "company_s": math.fsum(part.company_s for part in parts),
            "platform_s": math.fsum(part.platform_s for part in parts),
            "site_s": math.fsum(part.site_s for part in parts),
            "nobody_s": math.fsum(part.nobody_s for part in parts),
        },
    )


def line_of(part: ForecastPart, stat: str) -> Line | None:
    """The line through the last discharge; None under seven days."""
    start = discharges(part)[-1] if part.at_d else 0
    at, level = np.array(part.at_d[start:]), np.array(part.level[start:])
    # Squares of what lies near the end of what a float holds are no numbers.
    if len(at) < LEAST_DAYS or not (np.abs(level) < _MOST).all() or abs(part.until) >= _MOST:
        return None
    middle, mean = float(at.mean()), float(level.mean())
    x = at - middle
    spread = float(x @ x)
    if spread <= 0:
        return None
    slope = float(x @ (level - mean)) / spread
    rest = level - mean - slope * x
    variances = _newey_west(x, rest)
    return Line(
        middle_d=middle,
        mean=mean,
        slope=slope,
        mean_variance=float(variances[0, 0]),
        covariance=float(variances[0, 1]),
        slope_variance=float(variances[1, 1]),
        residual=float(rest @ rest) / (len(at) - 2),
        days=len(at),
        until=part.until,
        from_d=float(at[0]) if stat == "life" else part.end_d,
    )


def lags(n: int) -> int:
    """How many days back days resemble each other, as the covariance takes it.

    >>> lags(30), lags(100), lags(337)
    (3, 4, 5)
    """
    return int(4 * (n / 100) ** (2 / 9))


def _newey_west(x: Floats, rest: Floats) -> Floats:
    """The covariance of a line's mean and slope; x is centred."""
    n = len(x)
    scores = np.stack([rest, rest * x], axis=1)
    middle = scores.T @ scores
    most = lags(n)
    for lag in range(1, most + 1):
        product = scores[lag:].T @ scores[:-lag]
        middle += (1 - lag / (most + 1)) * (product + product.T)
    bread = np.diag([1 / n, 1 / float(x @ x)])
    found: Floats = bread @ middle @ bread * (n / (n - 2))
    return found


def discharges(part: ForecastPart) -> list[int]:
    """Where each discharge begins: the first day, then the highest day of each recharge.

    >>> part = ForecastPart(at_d=(1.0, 2, 3, 4, 5, 6), level=(90.0, 80, 85, 99, 97, 60), until=0.0, recharge=10.0, end_d=7.0,
    ...                     n=6, obtained=6, expected=6)
    >>> discharges(part)
    [0, 3]
    """
    level = part.level
    most = part.recharge if part.recharge is not None else max(max(level) - part.until, 0.0) / 10
    begins, lowest, charging = [0], level[0], False
    for place in range(1, len(level)):
        now = level[place]
        if charging and now > level[begins[-1]]:
            begins[-1], lowest = place, now  # still on its way up
        elif now - lowest > most and lowest < level[begins[-1]]:  # what never went down was not recharged
            begins.append(place)
            lowest, charging = now, True
        else:
            charging = False
            lowest = min(lowest, now)
    return begins


def recharges(part: ForecastPart) -> int:
    """How often it was recharged."""
    return len(discharges(part)) - 1 if part.level else 0
