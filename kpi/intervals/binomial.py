"""Proportions of independent trials."""

from __future__ import annotations

from scipy import stats


def clopper_pearson(successes: float, trials: float, alpha: float) -> tuple[float, float]:
    """The exact one-sided bounds of a proportion, 0 to 1, each at ``alpha``.

    Numbers that are not whole are taken as well: that is how an effective sample goes in (Korn and Graubard 1998).

    :source: Clopper and Pearson, Biometrika 26 (1934) 404.

    >>> low, high = clopper_pearson(59, 59, 0.05)     # 59 of 59 show 95 % at 95 % confidence
    >>> round(low, 4), high
    (0.9505, 1.0)
    """
    _check(successes, trials, alpha)
    low = 0.0 if successes <= 0 else float(stats.beta.ppf(alpha, successes, trials - successes + 1))
    high = 1.0 if successes >= trials else float(stats.beta.ppf(1 - alpha, successes + 1, trials - successes))
    return low, high


def wilson(successes: float, trials: float, alpha: float) -> tuple[float, float]:
    """The score bounds of a proportion, 0 to 1, each at ``alpha``: for display, never for a verdict.

    One-sided they pass a product exactly at 95 % falsely in 6.9 % of cases, more at smaller samples.

    :source: Wilson, JASA 22 (1927) 209; the worked examples of Newcombe, Statistics in Medicine 17 (1998) 857.

    >>> [round(bound, 4) for bound in wilson(81, 263, 0.025)]
    [0.2553, 0.3662]
    """
    _check(successes, trials, alpha)
    z = float(stats.norm.isf(alpha))
    share = successes / trials
    middle = share + z * z / (2 * trials)
    half = z * ((share * (1 - share) + z * z / (4 * trials)) / trials) ** 0.5
    scale = 1 + z * z / trials
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def _check(successes: float, trials: float, alpha: float) -> None:
    if not 0 <= successes <= trials or trials <= 0:
        raise ValueError(
            f"{successes} successes of {trials} trials: there are at least one trial and no more successes."
        )
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha {alpha} lies outside of 0 to 0.5.")
