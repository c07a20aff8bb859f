"""A statistic of the readings of one channel: mean, min, max, std, sum, last, or a percentile.

Formulas, for the readings x of one slot in the required time: mean Σx/n; std √(Σ(x − mean)²/(n − 1)); percentiles by linear
interpolation between order statistics (type 7 of Hyndman and Fan, American Statistician 50 (1996) 361). It stays that of the
readings there are: a gap is neither zero nor imputed, it lowers the completeness.

Over several slots each slot weighs as much as its required time, so that a good slot that samples faster does not win:
means, percentiles and deviations are those of the mixture; min, max and sum are those of all readings; last is the mean of
each slot's last.

Unit: the channel's. Source: docs/kpi.md, the table of measures (weekly blocks; percentiles as shares) and "Gaps".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.plan.target import Bounds
from kpi.intervals import Block
from kpi.measurement import AsShare, Measurement, completeness
from telemetry.statistics import Statistics

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """The statistics of several stretches brought together."""

    n: int
    mean: float
    m2: float
    min: float
    max: float
    last_us: int
    last: float


NO_MOMENTS = Moments(n=0, mean=0.0, m2=0.0, min=0.0, max=0.0, last_us=0, last=0.0)


def moments(several: Sequence[Statistics]) -> Moments:
    """Bring stretches together (Chan, Golub and LeVeque 1979); of a single one, its own numbers untouched."""
    there = [one for one in several if one.n]
    if not there:
        return NO_MOMENTS
    n = sum(one.n for one in there)
    mean = there[0].mean if len(there) == 1 else math.fsum(one.mean * (one.n / n) for one in there)
    last = max(there, key=lambda one: one.last_us)
    return Moments(
        n=n,
        mean=mean,
        m2=math.fsum(one.m2 + one.n * (one.mean - mean) ** 2 for one in there),
        min=min(one.min for one in there),
        max=max(one.max for one in there),
        last_us=last.last_us,
        last=last.last_value,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticPart:
    """One slot in one stretch of required time."""

    moments: Moments
    required_s: float
    obtained: float
    expected: float
    """Readings (seconds of connection, for a channel without a period), without those due while the platform was down."""
    physical: tuple[float, float] | None = None
    """What is physically possible, in the channel's unit."""
    values: Floats | None = None
    """The readings themselves, for percentiles only."""
    company_s: float = 0.0
    platform_s: float = 0.0
    site_s: float = 0.0
    nobody_s: float = 0.0


def measure(
    parts: Sequence[StatisticPart],
    weeks: Sequence[tuple[float, Sequence[StatisticPart]]] = (),
    *,
    stat: str,
    unit: str,
    target: Bounds | None = None,
) -> Measurement:
    """The statistic over all slots together.

    :param parts: one a slot.
    :param weeks: (middle in seconds since the epoch, parts) of each weekly block, for the interval.
    :param stat: ``mean``, ``min``, ``max``, ``std``, ``sum``, ``last`` or ``p1`` … ``p99.9``.
    :param target: in ``unit``; a percentile is judged as a share against it.

    Two slots of equal time, one of which samples twice as fast:

    >>> def slot(n, mean):
    ...     found = Moments(n=n, mean=mean, m2=0.0, min=mean, max=mean, last_us=0, last=mean)
    ...     return StatisticPart(moments=found, required_s=3600, obtained=n, expected=n)
    >>> found = measure([slot(120, 30.0), slot(60, 20.0)], stat="mean", unit="degC")
    >>> found.value, found.n
    (25.0, 180)
    """
    there = [part for part in parts if part.moments.n]
    value = _value(there, stat) if there else None
    if value is not None and not math.isfinite(value):  # readings near the end of what a float holds
        value = None
    fill = _filled_mean(parts) if stat == "mean" else None
    as_share = _as_share(parts, weeks, stat, target) if stat.startswith("p") and target is not None else None
    return Measurement(
        value=value,
        unit=unit,
        n=sum(part.moments.n for part in parts),
        completeness=completeness([part.obtained for part in parts], [part.expected for part in parts]),
        low=value,
        high=value,
        fill_low=None if fill is None else fill[0],
        fill_high=None if fill is None else fill[1],
        blocks=_mean_blocks(there, parts, weeks) if stat == "mean" else (),
        difference=stat == "std",
        as_share=as_share,
        facts={
            "company_s": sum(part.company_s for part in parts),
            "platform_s": sum(part.platform_s for part in parts),
            "site_s": sum(part.site_s for part in parts),
            "nobody_s": sum(part.nobody_s for part in parts),
        },
    )


def _value(parts: Sequence[StatisticPart], stat: str) -> float | None:
    if stat.startswith("p"):
        return _percentile(parts, float(stat[1:]))
    return _BY_NAME[stat](parts)


def _shares_of_time(parts: Sequence[StatisticPart]) -> list[float]:
    whole = math.fsum(part.required_s for part in parts)
    return [part.required_s / whole for part in parts]


def _mean(parts: Sequence[StatisticPart]) -> float:
    if len(parts) == 1:
        return parts[0].moments.mean
    return math.fsum(w * part.moments.mean for w, part in zip(_shares_of_time(parts), parts, strict=True))


def _std(parts: Sequence[StatisticPart]) -> float | None:
    """Sample standard deviation; None below two readings."""
    n = sum(part.moments.n for part in parts)
    if n < 2:
        return None
    mean = _mean(parts)
    within = math.fsum(
        w * (part.moments.m2 / part.moments.n + (part.moments.mean - mean) ** 2)
        for w, part in zip(_shares_of_time(parts), parts, strict=True)
    )
    return math.sqrt(within * n / (n - 1))


def _last(parts: Sequence[StatisticPart]) -> float:
    return math.fsum(w * part.moments.last for w, part in zip(_shares_of_time(parts), parts, strict=True))


_BY_NAME: dict[str, Callable[[Sequence[StatisticPart]], float | None]] = {
    "mean": _mean,
    "std": _std,
    "last": _last,
    "min": lambda parts: min(part.moments.min for part in parts),
    "max": lambda parts: max(part.moments.max for part in parts),
    "sum": lambda parts: math.fsum(part.moments.mean * part.moments.n for part in parts),
}


def _percentile(parts: Sequence[StatisticPart], percent: float) -> float:
    """By linear interpolation; over several slots the readings are weighted so that slots weigh by time.

    With equal weights the positions (k − 1)/(n − 1) of the order statistics come out, that is type 7.
    """
    values = np.concatenate([_values(part) for part in parts])
    if len(parts) == 1 or len(values) == 1:
        return float(np.percentile(values, percent))
    weights = np.concatenate(
        [np.full(part.moments.n, w / part.moments.n) for w, part in zip(_shares_of_time(parts), parts, strict=True)]
    )
    order = np.argsort(values, kind="stable")
    values, weights = values[order], weights[order]
    before = np.cumsum(weights) - weights
    position = np.arange(len(values)) * weights + (len(values) - 1) * before
    return float(np.interp(percent / 100 * position[-1], position, values))


def _values(part: StatisticPart) -> Floats:
    if part.values is None:
        raise ValueError("A percentile needs the readings themselves; this part has summaries only.")
    return part.values


def _filled_mean(parts: Sequence[StatisticPart]) -> tuple[float, float] | None:
    """The mean if every missing reading had been at the lowest, and at the highest, that is physically possible."""
    low: list[float] = []
    high: list[float] = []
    for part in parts:
        missing = max(part.expected - part.obtained, 0.0)
        if part.physical is None or part.expected <= 0:
            return None
        n = part.moments.n
        low.append((part.moments.mean * n + part.physical[0] * missing) / (n + missing) if n + missing else 0.0)
        high.append((part.moments.mean * n + part.physical[1] * missing) / (n + missing) if n + missing else 0.0)
    shares = _shares_of_time(parts)
    return (
        math.fsum(w * value for w, value in zip(shares, low, strict=True)),
        math.fsum(w * value for w, value in zip(shares, high, strict=True)),
    )


def _mean_blocks(
    there: Sequence[StatisticPart],
    parts: Sequence[StatisticPart],
    weeks: Sequence[tuple[float, Sequence[StatisticPart]]],
) -> tuple[Block, ...]:
    """Weekly means, weighted so that their weighted mean is the mean of the window."""
    if not there:
        return ()
    shares = dict(zip((id(part) for part in there), _shares_of_time(there), strict=True))
    found = []
    for at_s, week in weeks:
        weights = [
            shares.get(id(whole), 0.0) * part.moments.n / max(whole.moments.n, 1)
            for whole, part in zip(parts, week, strict=True)
        ]
        weight = math.fsum(weights)
        total = math.fsum(w * part.moments.mean for w, part in zip(weights, week, strict=True))
        found.append(Block(at_s=at_s, weight=weight, value=total / weight if weight else 0.0))
    return tuple(found)


def _as_share(
    parts: Sequence[StatisticPart],
    weeks: Sequence[tuple[float, Sequence[StatisticPart]]],
    stat: str,
    target: Bounds,
) -> AsShare | None:
    """``p95 ≤ T`` as ``share(≤ T) ≥ 95 %``, ``p10 ≥ T`` as ``share(≥ T) ≥ 90 %``; None for a range, which is two promises."""
    there = [part for part in parts if part.moments.n]
    if target.one_sided is None or not there:
        return None
    percent = float(stat[1:])
    share, _ = _share_inside(there, target)
    fill = None
    if all(part.expected > 0 for part in parts):
        held = [
            (_inside(part, target), part.moments.n, max(part.expected - part.obtained, 0.0), part.required_s)
            for part in parts
        ]
        whole = math.fsum(required for _, _, _, required in held)
        fill = (
            math.fsum(required / whole * inside / (n + lost) for inside, n, lost, required in held if n + lost),
            math.fsum(
                required / whole * (inside + lost) / (n + lost) for inside, n, lost, required in held if n + lost
            ),
        )
    blocks = []
    for at_s, week in weeks:
        value, weight = _share_inside([part for part in week if part.moments.n], target)
        blocks.append(Block(at_s=at_s, weight=weight, value=value))
    return AsShare(
        share=share,
        at_least=percent / 100 if target.one_sided == "high" else 1 - percent / 100,
        fill_low=None if fill is None else fill[0],
        fill_high=None if fill is None else fill[1],
        blocks=tuple(blocks),
    )


def _inside(part: StatisticPart, target: Bounds) -> int:
    values = _values(part)
    above = values >= target.low if target.low_closed else values > target.low
    below = values <= target.high if target.high_closed else values < target.high
    return int(np.count_nonzero(above & below))


def _share_inside(parts: Sequence[StatisticPart], target: Bounds) -> tuple[float, float]:
    """The share of readings that keep the promise, slots weighted by time; and the weight of the stretch, in slot seconds."""
    if not parts:
        return 0.0, 0.0
    shares = _shares_of_time(parts)
    share = math.fsum(w * _inside(part, target) / part.moments.n for w, part in zip(shares, parts, strict=True))
    return share, math.fsum(part.required_s for part in parts)
