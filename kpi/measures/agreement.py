"""How well a channel x agrees with a reference r, over pairs of both.

| stat | formula over the pairs | unit |
|---|---|---|
| relative_error | 100 − mape: the accuracy that a mean relative error leaves | % |
| mape | mean of 100 · abs(x − r) / abs(r) | % |
| mae, rmse, bias | mean of abs(x − r); root of the mean of (x − r)²; mean of x − r | the channel's, as a difference |
| r2 | square of Pearson's correlation; 0 where x falls as r rises | |
| p1 … p99.9 | percentile of abs(x − r), type 7 | the channel's, as a difference |
| drift | of the last stretch less that of the first: Σ(x − r)/Σ abs(r) in %, or mean of x − r | %, or the channel's |

A pair whose reference is zero has no relative error: it is left out and counted. One without a reference is left out of both
sides, whatever the channel said: a reference's silence is never the company's. Completeness: pairs out of those whose reference
is there, is asked for, and whose other side fell into no outage. Several slots weigh by their required time; a drift is the mean
of the slots' own.

Interval: a bias by weekly means (t), errors and their root by weekly means with a gamma's lopsided spread, r² by leaving out each
week once, a drift by the weeks' distances from a straight line, percentiles in their share form; designed trials by t, by the
gamma, by Fisher's z or Clopper–Pearson.
Source: docs/kpi.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from devices.plan.agreement_measures import Agreement
from devices.plan.target import Bounds
from kpi.measurement import AsShare, Measurement, Number, Trials, completeness
from kpi.measures import statistic
from kpi.measures.agreement_chance import OfCorrelatedTrials, OfCorrelation, OfErrors, OfTrials, weekly_sums
from kpi.measures.agreement_drift import drifted
from kpi.measures.pairs import Fitted, Floats, PairPart, Pairs, fitted, together
from kpi.measures.statistic import NO_MOMENTS, Moments, StatisticPart

Weeks = Sequence[tuple[float, Sequence[PairPart]]]


def measure(
    parts: Sequence[PairPart], weeks: Weeks = (), *, of: Agreement, unit: str, target: Bounds | None = None
) -> Measurement:
    """The agreement over all slots together.

    :param parts: one a slot.
    :param weeks: (middle in seconds since the epoch, parts) of each weekly block, for the interval.
    :param unit: of the value.
    :param target: in ``unit``; a percentile is judged as a share against it.

    >>> from kpi.measures.pairs import made_part
    >>> def by(stat):
    ...     return Agreement.model_validate({"channel": "pm25", "reference": {"slot": "bam", "channel": "pm25"},
    ...                                      "average": "1 h", "stat": stat})
    >>> part = made_part([22.0, 27.0, 44.0, 3.0], [20.0, 30.0, 40.0, 0.0])
    >>> [measure([part], of=by(stat), unit="ug/m^3").value for stat in ("mae", "bias")]
    [3.0, 1.5]
    >>> found = measure([part], of=by("relative_error"), unit="%")
    >>> found.value, found.n, found.facts["zero_reference"]                     # 10 % each; the fourth pair has none
    (90.0, 3, 1)
    """
    zero = 0
    if of.in_percent:
        parts, counted = _without_zeros(parts)
        weeks = [(at_s, _without_zeros(week)[0]) for at_s, week in weeks]
        zero = counted
    pairs = together(parts)
    line = fitted(pairs)
    found = _valued(parts, weeks, pairs, line, of, unit, target)
    return replace(
        found,
        n=len(pairs.channel),
        completeness=completeness(
            [len(part.channel) for part in parts], [len(part.channel) + len(part.missing) for part in parts]
        ),
        lacks=found.lacks or ("pairs_not_zero" if zero and not len(pairs.channel) else ""),
        difference=of.shifts,
        pairs=pairs,
        beside=_beside(line, pairs),
        facts={**found.facts, **_facts(parts, zero)},
    )


def _valued(
    parts: Sequence[PairPart],
    weeks: Weeks,
    pairs: Pairs,
    line: Fitted | None,
    of: Agreement,
    unit: str,
    target: Bounds | None,
) -> Measurement:
    if of.stat == "r2":
        return _correlated(weeks, parts, pairs, line, of, unit)
    if of.stat == "drift":
        return drifted(parts, weeks, of, unit)
    if of.stat.startswith("p"):
        return _percentile(parts, weeks, of, unit, target)
    return _mean(parts, weeks, of, unit)


# --- Means and percentiles of what each pair says


_TERMS: dict[str, Callable[[Floats, Floats], Floats]] = {
    "relative_error": lambda x, r: 100 * np.abs(x - r) / np.abs(r),
    "mape": lambda x, r: 100 * np.abs(x - r) / np.abs(r),
    "mae": lambda x, r: np.abs(x - r),
    "rmse": lambda x, r: (x - r) ** 2,
    "bias": lambda x, r: x - r,
}


def term_of(stat: str) -> Callable[[Floats, Floats], Floats]:
    """What each pair says, of which the statistic is the mean or a percentile."""
    return _TERMS.get(stat, _TERMS["mae"])


def _mean(parts: Sequence[PairPart], weeks: Weeks, of: Agreement, unit: str) -> Measurement:
    terms = term_of(of.stat)
    whole, weekly = _as_series(parts, weeks, terms)
    found = statistic.measure(whole, weekly, stat="mean", unit=unit)
    if found.value is None:
        return replace(found, fill_low=None, fill_high=None)
    value, blocks = found.value, found.blocks
    if of.stat == "relative_error":
        value = 100 - value
        blocks = tuple(replace(block, value=100 - block.value) for block in blocks)
    elif of.stat == "rmse":
        value = math.sqrt(value)
    there = [part for part in parts if len(part.channel)] if of.designed else []
    each, shares = tuple(terms(part.channel, part.reference) for part in there), tuple(_shares(there))
    own: Any = OfTrials(terms=each, shares=shares) if there else None
    if of.stat != "bias":
        own = OfErrors(
            blocks=found.blocks, terms=each, shares=shares, root=of.stat == "rmse", reversed=of.stat == "relative_error"
        )
    # The mean of several slots goes by the weeks that they share; a root is no mean.
    blocks = () if of.designed or of.stat == "rmse" else blocks
    return replace(found, value=value, low=value, high=value, blocks=blocks, own=own)


def _percentile(
    parts: Sequence[PairPart], weeks: Weeks, of: Agreement, unit: str, target: Bounds | None
) -> Measurement:
    whole, weekly = _as_series(parts, weeks, term_of(of.stat), values=True)
    found = statistic.measure(whole, weekly, stat=of.stat, unit=unit, target=target)
    if not of.designed or found.as_share is None or target is None:
        return found
    kept = [_kept(part.values, target) for part in whole if part.values is not None]
    trials = Trials(
        successes=sum(kept), trials=sum(part.moments.n for part in whole), days=(), designed=True
    )  # fmt: skip
    form: AsShare = replace(found.as_share, trials=trials, blocks=())
    return replace(found, as_share=form)


def _kept(values: Floats, target: Bounds) -> int:
    above = values >= target.low if target.low_closed else values > target.low
    below = values <= target.high if target.high_closed else values < target.high
    return int(np.count_nonzero(above & below))


def _as_series(
    parts: Sequence[PairPart], weeks: Weeks, terms: Callable[[Floats, Floats], Floats], *, values: bool = False
) -> tuple[list[StatisticPart], list[tuple[float, list[StatisticPart]]]]:
    """Each pair's term as a reading, so that slots, weeks and percentiles are those of a statistic."""

    def series(part: PairPart) -> StatisticPart:
        said = terms(part.channel, part.reference)
        return StatisticPart(
            moments=_moments(said),
            required_s=part.required_s,
            obtained=len(said),
            expected=len(said) + len(part.missing),
            values=said if values else None,
        )

    return [series(part) for part in parts], [(at_s, [series(part) for part in week]) for at_s, week in weeks]


def _moments(values: Floats) -> Moments:
    if not len(values):
        return NO_MOMENTS
    mean = math.fsum(values.tolist()) / len(values)
    return Moments(
        n=len(values),
        mean=mean,
        m2=math.fsum(((values - mean) ** 2).tolist()),
        min=float(values.min()),
        max=float(values.max()),
        last_us=0,
        last=float(values[-1]),
    )


def _shares(there: Sequence[PairPart]) -> list[float]:
    whole = math.fsum(part.required_s for part in there)
    return [part.required_s / whole if whole > 0 else 1 / len(there) for part in there]


# --- Correlation


def _correlated(
    weeks: Weeks, parts: Sequence[PairPart], pairs: Pairs, line: Fitted | None, of: Agreement, unit: str
) -> Measurement:
    if line is None or line.r is None:
        return Measurement(
            value=None, unit=unit, n=0, completeness=None, lacks="" if line is None else "pairs_that_vary"
        )
    value = max(line.r, 0.0) ** 2
    own: Any = OfCorrelatedTrials(r=line.r, n=len(pairs.channel))
    if not of.designed:
        weekly = [_weighted_as(week, parts) for _, week in weeks]
        own = OfCorrelation(r=line.r, weeks=weekly_sums(weekly, line.mean_reference, line.mean_channel))
    return Measurement(value=value, unit=unit, n=0, completeness=None, low=value, high=value, own=own)


def _weighted_as(week: Sequence[PairPart], parts: Sequence[PairPart]) -> Pairs:
    """The pairs of a week, each with the weight that it has in the whole."""
    there = [part for part in parts if len(part.channel)]
    each = {
        id(part): share / len(part.channel) for part, share in zip(there, _shares(there), strict=True)
    }  # fmt: skip
    found = together(week)
    weight = [
        np.full(len(own.channel), each.get(id(whole), 0.0))
        for whole, own in zip(parts, week, strict=True)
        if len(own.channel)
    ]
    return replace(found, weight=np.concatenate([found.weight[:0], *weight]))


# --- What else is said


def _without_zeros(parts: Sequence[PairPart]) -> tuple[list[PairPart], int]:
    found = [part.without_zero() for part in parts]
    return [part for part, _ in found], sum(zero for _, zero in found)


def _facts(parts: Sequence[PairPart], zero: int) -> dict[str, Number]:
    return {
        "pairs": sum(len(part.channel) for part in parts),
        "pairs_expected": sum(len(part.channel) + len(part.missing) for part in parts),
        "no_reference": sum(part.no_reference for part in parts),
        "outside_reference": sum(part.outside for part in parts),
        "zero_reference": zero,
        "pairs_left_out": sum(part.left_out for part in parts),
        "company_s": math.fsum(part.company_s for part in parts),
        "platform_s": math.fsum(part.platform_s for part in parts),
        "site_s": math.fsum(part.site_s for part in parts),
        "nobody_s": math.fsum(part.nobody_s for part in parts),
    }


def _beside(line: Fitted | None, pairs: Pairs) -> dict[str, Any]:
    """The line through the pairs, and their means, in the channel's unit."""
    if line is None:
        return {}
    return {
        "pairs": len(pairs.channel),
        "slope": line.slope,
        "intercept": line.intercept,
        "r2": None if line.r is None else line.r**2,
        "mean": line.mean_channel,
        "mean_reference": line.mean_reference,
        "bias": line.mean_channel - line.mean_reference,
    }
