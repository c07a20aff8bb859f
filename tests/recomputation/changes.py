"""Changes recomputed from daily series, with pandas, statsmodels and scipy alone: days by rule, ratios, bounds from weeks."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats

YEAR_D = 365.2425


@dataclass(frozen=True)
class Changed:
    """A change in %, its bounds, and how many days it rests on."""

    value: float
    low: float
    high: float
    n: int


def counterpart(day: date, before: pd.Series, feasts: Collection[date]) -> date | None:
    """The same ISO week and weekday of an earlier year that the baseline has; nothing where either is a holiday."""
    if day in feasts:
        return None
    for year in range(day.isocalendar()[0], before.index[0].year - 2, -1):
        try:
            other = date.fromisocalendar(year, day.isocalendar()[1], day.isoweekday())
        except ValueError:
            continue
        if other != day and other in before.index:
            return None if other in feasts else other
    return None


def paired(
    after: pd.Series,
    before: pd.Series,
    start: date,
    alpha: float,
    feasts: Collection[date] = (),
    control: tuple[pd.Series, pd.Series] | None = None,
) -> Changed:
    """Judged days with their counterparts; index of each series: days."""
    rows = []
    for day, value in after.items():
        other = counterpart(day, before, feasts)
        if other is not None:
            more = () if control is None else (control[0][day], control[1][other])
            rows.append((day, value, before[other], *more))
    table = pd.DataFrame(rows).set_index(0)
    mean = table.mean()
    ratio = mean.iloc[0] / mean.iloc[1] / (1 if control is None else mean.iloc[2] / mean.iloc[3])
    signs = np.array([1, -1, -1, 1])[: table.shape[1]]
    away = ((table - mean) / mean * signs).sum(axis=1)
    return _bounded(ratio, [_weekly(away, start)], alpha, len(table))


def unpaired(
    after: pd.Series, before: pd.Series, start: date, alpha: float, control: tuple[pd.Series, pd.Series]
) -> Changed:
    """All days of both windows beside a control's; the baseline's weeks are those of the calendar (ISO)."""
    means = [one.mean() for one in (after, before, *control)]
    ratio = means[0] / means[1] / (means[2] / means[3])
    own = (after - means[0]) / means[0] - (control[0] - means[2]) / means[2]
    theirs = -(before - means[1]) / means[1] + (control[1] - means[3]) / means[3]
    weeks = pd.Series([day.isocalendar()[:2] for day in theirs.index], index=theirs.index)
    grouped = theirs.groupby(weeks)
    return _bounded(
        ratio, [_weekly(own, start), (grouped.mean().to_numpy(), grouped.size().to_numpy())], alpha, len(after)
    )


def normalised(
    after: pd.DataFrame, before: pd.DataFrame, start: date, alpha: float, bases: tuple[float, float]
) -> Changed:
    """Degree days; columns ``energy`` and ``warmth``."""

    def design(warmth: pd.Series) -> np.ndarray:
        cold, hot = np.maximum(bases[0] - warmth, 0), np.maximum(warmth - bases[1], 0)
        return np.column_stack([np.ones(len(warmth)), cold, hot])

    groups = np.array([100 * day.isocalendar()[0] + day.isocalendar()[1] for day in before.index])
    fit = sm.OLS(before["energy"].to_numpy(), design(before["warmth"])).fit(
        cov_type="cluster", cov_kwds={"groups": groups}
    )
    rows = design(after["warmth"])
    expected = pd.Series(rows @ fit.params, index=after.index)
    ratio = after["energy"].mean() / expected.mean()
    away = (after["energy"] - ratio * expected) / after["energy"].mean()
    middle = rows.mean(axis=0)
    extra = float(middle @ fit.cov_params() @ middle) / expected.mean() ** 2
    freedom = len(set(groups.tolist())) - len(fit.params)
    return _bounded(ratio, [_weekly(away - away.mean(), start)], alpha, len(after), (extra, freedom))


def _weekly(away: pd.Series, start: date) -> tuple[np.ndarray, np.ndarray]:
    """Means of seven days from the pilot's start, with their number; a rest of less than half a week joins the week before."""
    place = pd.Series([(day - start).days // 7 for day in away.index], index=away.index)
    last = max(place)
    if (away.index[-1] - start).days + 1 - 7 * last < 3.5 and last:
        place[place == last] = last - 1
    grouped = away.groupby(place)
    return grouped.mean().to_numpy(), grouped.size().to_numpy()


def _bounded(
    ratio: float,
    sides: list[tuple[np.ndarray, np.ndarray]],
    alpha: float,
    n: int,
    model: tuple[float, int] | None = None,
) -> Changed:
    variance = spoken = 0.0
    for values, weights in sides:
        rest = weights / weights.mean() * (values - np.average(values, weights=weights))
        squares, m = float(rest @ rest), len(values)
        alike = float(rest[1:] @ rest[:-1]) / squares
        own = squares / (m - 1) / m * (1 + 2 * max(alike + 1 / m, 0.0))
        variance, spoken = variance + own, spoken + own**2 / (m - 1)
    if model is not None:
        variance, spoken = variance + model[0], spoken + model[0] ** 2 / model[1]
    half = stats.t.isf(alpha, variance**2 / spoken) * math.sqrt(variance)
    ends = [100 * (ratio * math.exp(sign * half) - 1) for sign in (-1, 1)]
    return Changed(value=100 * (ratio - 1), low=ends[0], high=ends[1], n=n)
