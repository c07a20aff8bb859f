"""Readings in required time, and their statistics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.recomputation import chance, sets
from tests.recomputation.dates import Span
from tests.recomputation.found import Form, Found, complete, none
from tests.recomputation.sets import Micros, Set
from tests.recomputation.units import Target
from tests.recomputation.view import View

Floats = NDArray[np.float64]
LEAST_US = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Slice:
    """One channel's readings in one slot's required time."""

    slot: str
    required: Set
    at: Micros
    value: Floats
    obtained: float
    expected: float
    limits: tuple[float, float] | None

    @property
    def lost(self) -> float:
        return max(self.expected - self.obtained, 0.0)


def counted_in(at: Micros, stretches: Set, period_us: float) -> tuple[int, int]:
    """Missing and expected readings of a period, each stretch by itself."""
    missing = expected = 0
    edges = np.searchsorted(at, stretches)
    for (start, end), (first, last) in zip(stretches.tolist(), edges.tolist(), strict=True):
        due = round((end - start) / period_us)
        expected += due
        if first == last:
            missing += due
            continue
        inside = at[first:last]
        steps = np.append(np.diff(inside), inside[0] - start + end - inside[-1])
        missing += min(int(np.maximum(np.rint(steps / period_us) - 1, 0).sum()), due)
    return missing, expected


def slice_of(view: View, slot: str, name: str, required: Set) -> Slice:
    """A channel in required time, with how complete it is."""
    channel, readings = view.channel(slot, name), view.readings(slot, name)
    inside = sets.has(required, readings.at)
    if channel["reporting"] == "periodic":
        missing, expected = counted_in(readings.at, view.due(slot, name, required), channel["period_us"])
        obtained = float(expected - missing)
    else:
        states = view.states(slot)
        obtained = sets.length_in(sets.without(states.up, view.spoilt(slot, name)), required) / 1e6
        expected = (sets.length(required) - sets.length_in(states.out, required)) / 1e6  # type: ignore[assignment]
    limits = channel.get("range")
    return Slice(
        slot=slot,
        required=required,
        at=readings.at[inside],
        value=readings.value[inside],
        obtained=obtained,
        expected=float(expected),
        limits=None if limits is None else (float(limits[0]), float(limits[1])),
    )


def by_time(slices: Sequence[Slice]) -> Floats:
    """The weight of each slot: its share of the required time."""
    lengths = np.array([sets.length(one.required) for one in slices], dtype=np.float64)
    found: Floats = lengths / lengths.sum()
    return found


# --- statistic


def statistic(
    view: View, of: dict[str, Any], slots: Sequence[str], window: Span, weeks: Sequence[Span], target: Target
) -> Found:
    """A statistic of readings, slots weighted by their required time."""
    name, stat = of["channel"], of["stat"]
    unit = view.channel(slots[0], name)["unit"]
    every = [slice_of(view, slot, name, view.required(slot, of, window)) for slot in slots]
    there = [one for one in every if len(one.value)]
    value = _statistic(there, stat) if there else None
    if value is not None and not math.isfinite(value):
        value = None
    weekly = [[_clipped(one, week) for one in every] for week in weeks]
    blocks = _weekly_means(every, weekly, weeks) if stat == "mean" and there else []
    return Found(
        value=value,
        unit=unit,
        n=sum(len(one.value) for one in every),
        completeness=complete(sum(one.obtained for one in every), sum(one.expected for one in every)),
        ends=None if value is None else (value, value),
        fill=_filled(every) if stat == "mean" else None,
        sampling=none
        if value is None or not blocks
        else lambda alpha, window_s: chance.weekly_mean(value, blocks, alpha, window_s),
        blocks=blocks,
        difference=stat == "std",
        form=_form(every, weekly, weeks, stat, target.to(unit)) if stat[0] == "p" and there else None,
    )


def _clipped(one: Slice, week: Span) -> Slice:
    kept = (one.at >= week[0]) & (one.at < week[1])
    return Slice(
        slot=one.slot,
        required=sets.within(one.required, *week),
        at=one.at[kept],
        value=one.value[kept],
        obtained=0.0,
        expected=0.0,
        limits=None,
    )


def _statistic(there: Sequence[Slice], stat: str) -> float | None:
    weights, values = by_time(there), [one.value for one in there]
    together = np.concatenate(values)
    if stat == "min":
        return float(together.min())
    if stat == "max":
        return float(together.max())
    if stat == "sum":
        return math.fsum(together)
    if stat == "last":
        return float(weights @ [one.value[-1] for one in there])
    if stat[0] == "p":
        return _quantile(there, weights, float(stat[1:]) / 100)
    means = np.array([math.fsum(one) / len(one) for one in values])
    mean = float(weights @ means)
    if stat == "mean":
        return mean
    n = len(together)
    if n < 2:
        return None
    squares = np.array([((one - own) ** 2).mean() for one, own in zip(values, means, strict=True)])
    return math.sqrt(float(weights @ (squares + (means - mean) ** 2)) * n / (n - 1))


def _quantile(there: Sequence[Slice], weights: Floats, p: float) -> float:
    """Type 7; of several slots with weighted positions, which are type 7 where the weights are equal."""
    values = np.concatenate([one.value for one in there])
    if len(there) == 1:
        return float(np.quantile(values, p, method="linear"))
    each = np.concatenate([np.full(len(one.value), w / len(one.value)) for one, w in zip(there, weights, strict=True)])
    order = np.argsort(values, kind="stable")
    values, each = values[order], each[order]
    k = np.arange(len(values))
    position = k * each + (len(values) - 1) * (np.cumsum(each) - each)
    return float(np.interp(p * position[-1], position, values))


def _filled(every: Sequence[Slice]) -> tuple[float, float] | None:
    if any(one.limits is None or one.expected <= 0 for one in every):
        return None
    weights = by_time(every)
    ends = []
    for end in (0, 1):
        means = []
        for one in every:
            whole = len(one.value) + one.lost
            limit = one.limits[end] if one.limits else 0.0
            means.append((one.value.sum() + limit * one.lost) / whole if whole else 0.0)
        ends.append(float(weights @ means))
    return ends[0], ends[1]


def _weekly_means(
    every: Sequence[Slice], weekly: Sequence[Sequence[Slice]], weeks: Sequence[Span]
) -> list[chance.Block]:
    """Weighted so that their weighted mean is the mean of the window."""
    there = [one for one in every if len(one.value)]
    a_reading = {one.slot: w / len(one.value) for one, w in zip(there, by_time(there), strict=True)}
    found = []
    for parts, week in zip(weekly, weeks, strict=True):
        weight = sum(a_reading.get(one.slot, 0.0) * len(one.value) for one in parts)
        total = sum(a_reading.get(one.slot, 0.0) * one.value.sum() for one in parts)
        found.append(((week[0] + week[1]) / 2e6, weight, total / weight if weight else 0.0))
    return found


def kept(values: Floats, target: Target) -> int:
    """How many values satisfy a target."""
    above = values >= target.low if target.low_in else values > target.low
    below = values <= target.high if target.high_in else values < target.high
    return int((above & below).sum())


def _form(
    every: Sequence[Slice],
    weekly: Sequence[Sequence[Slice]],
    weeks: Sequence[Span],
    stat: str,
    target: Target,
) -> Form | None:
    """``p95 ≤ T`` as a share of readings that keep T, slots weighted by time."""
    if target.side == "both":
        return None

    def share(parts: Sequence[Slice]) -> float:
        return float(by_time(parts) @ [kept(one.value, target) / len(one.value) for one in parts])

    fill = None
    if all(one.expected > 0 for one in every):
        weights = by_time(every)
        ends = [
            math.fsum(
                w * (kept(one.value, target) + best * one.lost) / (len(one.value) + one.lost)
                for w, one in zip(weights, every, strict=True)
                if len(one.value) + one.lost
            )
            for best in (0, 1)
        ]
        fill = ends[0], ends[1]
    blocks: list[chance.Block] = []
    for parts, week in zip(weekly, weeks, strict=True):
        there = [one for one in parts if len(one.value)]
        weight = sum(sets.length(one.required) for one in there) / 1e6
        blocks.append(((week[0] + week[1]) / 2e6, weight, share(there) if there else 0.0))
    whole = share([one for one in every if len(one.value)])
    p = float(stat[1:]) / 100

    def sampling(alpha: float, window_s: float) -> chance.Bounds | None:
        return None if window_s < chance.YEAR_S else chance.weekly_share(whole, blocks, alpha, window_s)

    return Form(share=whole, least=p if target.side == "high" else 1 - p, fill=fill, sampling=sampling)
