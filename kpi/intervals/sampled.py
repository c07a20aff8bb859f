"""The mean of answers that were sampled: Student's t, and what a sample says in which all answers are alike."""

from __future__ import annotations

import math

from scipy import stats


def sampled_mean(
    mean: float, sd: float | None, n: int, alpha: float, low: float = -math.inf, high: float = math.inf
) -> tuple[float, float] | None:
    """The one-sided bounds of the mean behind ``n`` independent answers, each at ``alpha``, within the range of an answer.

    Answers that are all alike have no spread to go by. Then at most a share 1 − α^(1/n) of all answers can be others (the rule of
    three), at the worst at the end of the range.

    :param sd: standard deviation of the answers, with n − 1 in its denominator.
    :param low: the least that an answer can be, ``high`` the most.
    :returns: None for a single answer.
    :source: Student, Biometrika 6 (1908) 1. For the other: 1 − α^(1/n) is the exact (Clopper–Pearson) bound of 0 out of n.

    >>> [round(end, 4) for end in sampled_mean(4.3, 0.7112, 120, 0.05, 1, 5)]
    [4.1924, 4.4076]
    >>> [round(end, 4) for end in sampled_mean(5.0, 0.0, 100, 0.05, 1, 5)]
    [4.8819, 5.0]
    """
    if n < 2 or sd is None:
        return None
    if sd == 0:
        others = 1 - alpha ** (1 / n)
        return _within(mean - others * (mean - low), mean + others * (high - mean), low, high)
    away = float(stats.t.isf(alpha, n - 1)) * sd / math.sqrt(n)
    return _within(mean - away, mean + away, low, high)


def _within(below: float, above: float, low: float, high: float) -> tuple[float, float]:
    return max(below, low), min(above, high)
