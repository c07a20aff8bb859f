"""What chance may have done: one-sided bounds, by the formulas of docs/kpi.md, with scipy's distributions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

DAY_S = 86_400.0
YEAR_S = 365 * DAY_S
_HALF_YEAR_S = 182 * DAY_S
_TROPICAL_S = 365.2425 * DAY_S
_LEAST_WEEKS = 8

Bounds = tuple[float, float]
Block = tuple[float, float, float]
"""Middle (s since 1970), weight, value."""


def proportion(successes: float, trials: float, alpha: float) -> Bounds:
    """Clopper and Pearson."""
    low = stats.beta.ppf(alpha, successes, trials - successes + 1) if successes > 0 else 0.0
    high = stats.beta.isf(alpha, successes + 1, trials - successes) if successes < trials else 1.0
    return float(low), float(high)


def clustered_proportion(days: Sequence[tuple[int, int]], alpha: float) -> Bounds:
    """The same of n/DEFF, with the intraclass correlation from (successes, trials) of each slot's days."""
    effective = clustered_size(days, alpha)
    p = sum(k for k, _ in days) / sum(n for _, n in days)
    return proportion(p * effective, effective, alpha)


def clustered_size(days: Sequence[tuple[int, int]], alpha: float) -> float:
    """n/DEFF, less the price of few days."""
    k, n = np.array([day for day in days if day[1]], dtype=np.float64).T
    total, m, p = n.sum(), len(n), k.sum() / n.sum()
    size = (n**2).sum() / total
    icc = 0.0
    if m > 1 and size > 1 and 0 < p < 1:
        deff = m / (m - 1) * ((k - p * n) ** 2).sum() / total / (p * (1 - p))
        icc = min(max((deff - 1) / (size - 1), 0.0), 1.0)
    failing = min((k < n).sum(), (k > 0).sum())
    icc = (failing * icc + 3 * 0.3) / (failing + 3)
    effective = total / (1 + (size - 1) * icc)
    if total > 1:
        effective *= (stats.t.isf(alpha, total - 1) / stats.t.isf(alpha, max(m - 1, 1))) ** 2
    return float(max(effective, min(1.0, total)))


def count(number: float, alpha: float) -> Bounds:
    """Garwood's bounds of the mean behind a count."""
    low = stats.gamma.ppf(alpha, number) if number > 0 else 0.0
    return float(low), float(stats.gamma.isf(alpha, number + 1))


def clustered_count(number: int, days: Sequence[tuple[int, float]], alpha: float) -> Bounds:
    """The same of counts whose days spread more than independent ones: (events, exposure) of each slot's days."""
    blocks: list[list[float]] = []
    open_block = [0.0, 0.0]
    least = sum(exposure for _, exposure in days) / max(len(days), 1) / 2
    for events, exposure in days:
        open_block = [open_block[0] + events, open_block[1] + exposure]
        if open_block[1] >= least and open_block[1] > 0:
            blocks.append(open_block)
            open_block = [0.0, 0.0]
    if blocks and any(open_block):
        blocks[-1] = [blocks[-1][0] + open_block[0], blocks[-1][1] + open_block[1]]
    m = len(blocks)
    factor, freedom = 2.0, 1
    if m > 1:
        events_, exposed = np.array(blocks).T
        spread = 1.0
        if events_.any():
            expected = events_.sum() * exposed / exposed.sum()
            spread = float(stats.chisquare(events_, expected).statistic) / (m - 1)
        telling = (events_ > 0).sum()
        factor, freedom = max((telling * spread + 3 * 2.0) / (telling + 3), 1.0), m - 1
    scale = factor * (stats.t.isf(alpha, freedom) / stats.norm.isf(alpha)) ** 2
    low, high = count(number / scale, alpha)
    return low * float(scale), high * float(scale)


def weekly_mean(value: float, blocks: Sequence[Block], alpha: float, window_s: float) -> Bounds | None:
    """Student's t over weekly means."""
    found = _spread(blocks, window_s)
    if found is None:
        return None
    variance, freedom, m = found
    half = float(stats.t.isf(alpha, freedom)) * math.sqrt(variance / m)
    return value - half, value + half


def weekly_share(
    share: float, blocks: Sequence[Block], alpha: float, window_s: float, weighing: float = 1.0
) -> Bounds | None:
    """Clopper and Pearson of as many trials as the spread of weekly shares is worth; shares are 0 to 1."""
    found = _spread(blocks, window_s)
    if found is None:
        return None
    variance, freedom, m = found
    values = [value for _, weight, value in blocks if weight > 0]
    telling = min(sum(v < 1 for v in values), sum(v > 0 for v in values))
    chance = share * (1 - share)
    seen = min(variance / chance, 1.0) if chance > 0 else 0.0
    a_week = (telling * seen + 3 / 7) / (telling + 3)
    size = m / a_week * float(stats.norm.isf(alpha) / stats.t.isf(alpha, freedom)) ** 2 / weighing
    return proportion(share * size, size, alpha)


def _spread(blocks: Sequence[Block], window_s: float) -> tuple[float, int, int] | None:
    """Variance of a week of mean weight, its degrees of freedom, and the number of weeks that have anything."""
    there = np.array([block for block in blocks if block[1] > 0], dtype=np.float64)
    m = len(there)
    if m < _LEAST_WEEKS:
        return None
    middle, weight, value = there.T
    rest, freedom = value - np.average(value, weights=weight), m - 1
    if window_s >= _HALF_YEAR_S:
        turn = 2 * np.pi * middle / _TROPICAL_S
        columns = np.column_stack([np.ones(m), np.cos(turn), np.sin(turn)])
        normal = columns.T @ (weight[:, None] * columns)
        rest = rest - columns @ np.linalg.solve(normal, columns.T @ (weight * rest))
        freedom = m - 3
    return float(((weight / weight.mean() * rest) ** 2).sum()) / freedom, freedom, m
