"""Which interval a measurement has: what chance may have done to it."""

from __future__ import annotations

import math
from dataclasses import replace

from kpi.intervals import (
    MIN_BLOCKS,
    Interval,
    clopper_pearson,
    clustered_mean,
    effective_sample,
    mean_interval,
    poisson_mean,
    share_interval,
)
from kpi.intervals.sampled import sampled_mean
from kpi.measurement import Answers, Counts, Measurement, Trials
from kpi.measures.detection import f1_of

YEAR_S = 365 * 86_400.0
"""A percentile of a shorter window has no interval: order statistics pass falsely in about 30 % under autocorrelation."""


def sampling_interval(found: Measurement, alpha: float, *, window_s: float) -> Interval | None:
    """The interval of a value, in its unit; None where there is none (see :func:`lacking`).

    - Designed trials: Clopper–Pearson. Events of daily operation: the same of n/DEFF, from daily counts.
    - Counts and rates: exact Poisson; of daily operation scaled by the dispersion of the daily counts. MTBF: χ².
    - The mean of answers that people entered: Student's t.
    - Shares of time, capture, availability: weekly shares. Means: weekly means.
    - The mean or sum of several slots' ratios, counts or rates: their distances in quadrature (MOVER).
    - What a measure has a rule of its own for (``own``): agreement with a reference.
    - min, max, sum, std, last, percentiles, integrals and increases: none.
    """
    if found.counts is not None:
        return _of_counts(found.counts, alpha)
    if found.value is None or not math.isfinite(found.value):
        return None
    if found.own is not None:
        return found.own.interval(found.value, alpha, window_s=window_s)
    if found.trials is not None:
        return _percent(_of_trials(found.trials, alpha))
    if found.answers is not None:
        return _of_answers(found.answers, alpha)
    if found.members and not found.blocks:
        return _of_members(found, alpha, window_s)
    if not found.blocks:
        return None
    if found.bounded:
        return _percent(share_interval(found.value / 100, found.blocks, alpha, window_s=window_s))
    return mean_interval(found.value, found.blocks, alpha, window_s=window_s)


def share_form_interval(found: Measurement, alpha: float, *, window_s: float) -> Interval | None:
    """The interval of a percentile's share form, 0 to 1; None under a year or under eight weeks."""
    if found.as_share is None:
        return None
    if found.as_share.trials is not None:
        return _of_trials(found.as_share.trials, alpha)
    if window_s < YEAR_S:
        return None
    return share_interval(found.as_share.share, found.as_share.blocks, alpha, window_s=window_s)


def lacking(found: Measurement, *, window_s: float) -> str:
    """Why there is no interval: ``few_weeks``, ``under_a_year``, ``no_interval`` or ``no_value``."""
    if found.value is None:
        return "no_value"
    if found.own is not None:
        return found.own.lacking()
    if found.as_share is not None and found.as_share.trials is None and window_s < YEAR_S:
        return "under_a_year"
    blocks = found.blocks if found.as_share is None else found.as_share.blocks
    return "few_weeks" if blocks and len(blocks) < MIN_BLOCKS else "no_interval" if not blocks else "few_weeks"


def _of_trials(trials: Trials, alpha: float) -> Interval | None:
    if trials.trials == 0:
        return None
    size, method = float(trials.trials), "clopper_pearson"
    if not trials.designed:
        size, method = effective_sample(trials.days, alpha).trials, "effective_sample"
    share = trials.successes / trials.trials
    if trials.share is not None:
        share, size = trials.share, max(size / trials.weighing, min(1.0, size))
    low, high = clopper_pearson(share * size, size, alpha)
    if trials.form == "f1":
        low, high = f1_of(low), f1_of(high)
    return Interval(low=low, high=high, alpha=alpha, method=method, size=size)


def _of_counts(counts: Counts, alpha: float) -> Interval | None:
    if counts.exposure <= 0:
        return None
    if counts.per_event:
        low, high = poisson_mean(counts.count, alpha)
        return Interval(
            low=counts.exposure / high,
            high=counts.exposure / low if low else math.inf,
            alpha=alpha,
            method="chi_square",
            size=counts.count,
        )
    if counts.independent:
        low, high = poisson_mean(counts.count, alpha)
    else:
        low, high = clustered_mean(counts.count, counts.days, alpha)
    method = "poisson" if counts.independent else "dispersed"
    return Interval(
        low=low / counts.exposure, high=high / counts.exposure, alpha=alpha, method=method, size=counts.count
    )


def _of_answers(answers: Answers, alpha: float) -> Interval | None:
    ends = sampled_mean(answers.mean, answers.sd, answers.n, alpha, answers.low, answers.high)
    if ends is None:
        return None
    return Interval(low=ends[0], high=ends[1], alpha=alpha, method="student_t", size=answers.n)


def _of_members(found: Measurement, alpha: float, window_s: float) -> Interval | None:
    """Independent slots: each bound's distance is the root of the sum of squares of theirs.

    :source: Zou and Donner, Statistics in Medicine 27 (2008) 1693 (MOVER).
    """
    assert found.value is not None
    below: list[float] = []
    above: list[float] = []
    for one in found.members:
        interval = sampling_interval(one, alpha, window_s=window_s) if _alone(one) else None
        if interval is None or one.value is None:
            return None
        below.append(found.scale * (one.value - interval.low))
        above.append(found.scale * (interval.high - one.value))
    low, high = found.value - math.hypot(*below), found.value + math.hypot(*above)
    if found.bounded:
        low, high = max(low, 0.0), min(high, 100.0)
    return Interval(low=low, high=high, alpha=alpha, method="mover", size=len(found.members))


def _alone(one: Measurement) -> bool:
    """Whether a slot has an interval of its own, not by the weeks that all slots share."""
    return one.trials is not None or one.counts is not None or one.answers is not None or one.own is not None


def _percent(interval: Interval | None) -> Interval | None:
    return None if interval is None else replace(interval, low=100 * interval.low, high=100 * interval.high)
