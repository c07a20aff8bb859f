"""Which interval a measurement has: what chance may have done to it."""

from __future__ import annotations

from dataclasses import replace

from kpi.intervals import MIN_BLOCKS, Interval, clopper_pearson, effective_sample, mean_interval, share_interval
from kpi.measurement import Measurement, Trials

YEAR_S = 365 * 86_400.0
"""A percentile of a shorter window has no interval: order statistics pass falsely in about 30 % under autocorrelation."""


def sampling_interval(found: Measurement, alpha: float, *, window_s: float) -> Interval | None:
    """The interval of a value, in its unit; None where there is none (see :func:`lacking`).

    - Designed trials: Clopper–Pearson. Events of daily operation: the same of n/DEFF, from daily counts.
    - Shares of time, capture, availability: weekly shares. Means: weekly means.
    - min, max, sum, std, last and percentiles: none.
    """
    if found.value is None:
        return None
    if found.trials is not None:
        return _of_trials(found.trials, alpha)
    if not found.blocks:
        return None
    if found.bounded:
        return _percent(share_interval(found.value / 100, found.blocks, alpha, window_s=window_s))
    return mean_interval(found.value, found.blocks, alpha, window_s=window_s)


def share_form_interval(found: Measurement, alpha: float, *, window_s: float) -> Interval | None:
    """The interval of a percentile's share form, 0 to 1; None under a year or under eight weeks."""
    if found.as_share is None or window_s < YEAR_S:
        return None
    return share_interval(found.as_share.share, found.as_share.blocks, alpha, window_s=window_s)


def lacking(found: Measurement, *, window_s: float) -> str:
    """Why there is no interval: ``few_weeks``, ``under_a_year``, ``no_interval`` or ``no_value``."""
    if found.value is None:
        return "no_value"
    if found.as_share is not None and window_s < YEAR_S:
        return "under_a_year"
    blocks = found.blocks if found.as_share is None else found.as_share.blocks
    return "few_weeks" if blocks and len(blocks) < MIN_BLOCKS else "no_interval" if not blocks else "few_weeks"


def _of_trials(trials: Trials, alpha: float) -> Interval | None:
    if trials.trials == 0:
        return None
    size, method = float(trials.trials), "clopper_pearson"
    if not trials.designed:
        size, method = effective_sample(trials.days, alpha).trials, "effective_sample"
    low, high = clopper_pearson(trials.successes / trials.trials * size, size, alpha)
    return _percent(Interval(low=low, high=high, alpha=alpha, method=method, size=size))


def _percent(interval: Interval | None) -> Interval | None:
    return None if interval is None else replace(interval, low=100 * interval.low, high=100 * interval.high)
