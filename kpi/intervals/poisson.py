"""Counts of rare, independent events."""

from __future__ import annotations

from scipy import stats


def poisson_mean(count: float, alpha: float) -> tuple[float, float]:
    """The exact one-sided bounds of the mean behind a count, each at ``alpha``.

    Numbers that are not whole are taken as well: that is how a count scaled by its dispersion goes in.

    :source: Garwood, Biometrika 28 (1936) 437.

    >>> [round(bound, 3) for bound in poisson_mean(0, 0.05)]      # the rule of three
    [0.0, 2.996]
    """
    if count < 0 or not 0 < alpha < 0.5:
        raise ValueError(f"A count of {count} at alpha {alpha}: counts are not negative, alpha lies in 0 to 0.5.")
    low = 0.0 if count == 0 else float(stats.chi2.ppf(alpha, 2 * count)) / 2
    return low, float(stats.chi2.ppf(1 - alpha, 2 * count + 2)) / 2
