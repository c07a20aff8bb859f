"""Agreement with a reference: averages by the clock, in pairs, with pandas; and what chance does to what they come to."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import pandas as pd  # type: ignore[import-untyped,unused-ignore]
from numpy.typing import NDArray
from scipy import stats

from tests.recomputation import chance, sets, units
from tests.recomputation.dates import Span, days_of, midnight
from tests.recomputation.found import Form, Found, complete, none
from tests.recomputation.series import counted_in, kept
from tests.recomputation.units import Target
from tests.recomputation.view import View

Frame: TypeAlias = Any
Floats = NDArray[np.float64]


def agreement(
    view: View, of: dict[str, Any], slots: Sequence[str], window: Span, weeks: Sequence[Span], target: Target
) -> Found:
    """Of averages of channels with a period, not counters."""
    stat, relative = (
        of["stat"],
        of["stat"] in ("relative_error", "mape") or (of["stat"] == "drift" and of.get("relative", True)),
    )
    unit = view.channel(slots[0], of["channel"])["unit"]
    every = [_pairs(view, of, slot, window) for slot in slots]
    if relative:
        every = [frame[frame["r"] != 0] for frame in every]
    spans = [view.required(slot, of, window) for slot in slots]
    shares = np.array(
        [sets.length(span) if frame["x"].notna().any() else 0 for frame, span in zip(every, spans, strict=True)],
        dtype=float,
    )
    there = [frame.dropna() for frame in every]
    whole = pd.concat([one.assign(w=w / shares.sum() / max(len(one), 1)) for one, w in zip(there, shares, strict=True)])
    n, owed = len(whole), sum(len(frame) for frame in every)
    own = "%" if relative else "1" if stat == "r2" else _difference(unit)
    base = Found(value=None, unit=own, n=n, completeness=complete(n, owed), difference=not relative and stat != "r2")
    if not n:
        return base
    value, sampling, form = _valued(whole, there, spans, weeks, of, relative, target, own, owed)
    ends = None if value is None else (value, value)
    return replace(base, value=value, ends=ends, sampling=sampling, form=form)


def _difference(unit: str) -> str:
    return "%p" if unit == "%" else unit


def _pairs(view: View, of: dict[str, Any], slot: str, window: Span) -> Frame:
    """Those of one window."""
    how = str({key: item for key, item in of.items() if key != "stat"})
    every = view.keep(("agreement", slot, how), lambda: _every_pair(view, of, slot))
    return every[(every["at"] >= window[0]) & (every["at"] < window[1])]


def _every_pair(view: View, of: dict[str, Any], slot: str) -> Frame:
    """Start, reference and channel (NaN where it is missing) of every average that the slot owed."""
    length = round(units.seconds(of["average"]) * 1e6)
    starts = [
        at
        for day in days_of(view.cut.whole, view.zone)
        for at in range(midnight(day, view.zone), midnight(day + pd.Timedelta(days=1), view.zone) - length + 1, length)
    ]
    required = view.required(slot, of, view.cut.whole)
    name, other = of["channel"], of["reference"]
    least = units.convert(*units.number_and_unit(of.get("coverage", "75 %")), "")

    def averaged(where: str, what: str) -> dict[int, tuple[float, float]]:
        key = ("averages", where, what, length, least)
        return view.keep(key, lambda: _averages(view, where, what, starts, length, least))

    theirs, ours = averaged(other["slot"], other["channel"]), averaged(slot, name)
    there = (
        units.target(of["where_reference"]).to(view.channel(other["slot"], other["channel"])["unit"])
        if "where_reference" in of
        else None
    )
    mine, its = view.channel(slot, name)["unit"], view.channel(other["slot"], other["channel"])["unit"]
    due = view.due(slot, name, required)
    rows = []
    for start in starts:
        if sets.length(sets.within(required, start, start + length)) < length:
            continue
        r = theirs.get(start)
        if r is None or (there is not None and not there.holds(r[0])):
            continue
        x = ours.get(start)
        if x is None and _excused(view, slot, name, due, start, length, least):
            continue
        rows.append((start, units.convert(r[0], its, mine), math.nan if x is None else x[0]))
    return pd.DataFrame(rows, columns=["at", "r", "x"]).astype({"r": float, "x": float})


def _averages(
    view: View, slot: str, name: str, starts: list[int], length: int, least: float
) -> dict[int, tuple[float, float]]:
    """The means that have their coverage, by start."""
    channel, readings = view.channel(slot, name), view.readings(slot, name)
    found = {}
    for start in starts:
        first, last = np.searchsorted(readings.at, [start, start + length])
        missing, expected = counted_in(readings.at, np.array([[start, start + length]]), channel["period_us"])
        if last > first and 1 - missing / expected >= least:
            found[start] = (math.fsum(readings.value[first:last]) / (last - first), 1 - missing / expected)
    return found


def _excused(view: View, slot: str, name: str, due: sets.Set, start: int, length: int, least: float) -> bool:
    """Whether an outage took so much of it that what came would have been enough for the rest."""
    left = sets.length(sets.within(due, start, start + length))
    if left == length:
        return False
    missing, expected = counted_in(
        view.readings(slot, name).at, np.array([[start, start + length]]), view.channel(slot, name)["period_us"]
    )
    return left == 0 or (1 - missing / expected) * length >= least * left


def _valued(
    whole: Frame,
    there: Sequence[Frame],
    spans: Sequence[sets.Set],
    weeks: Sequence[Span],
    of: dict[str, Any],
    relative: bool,
    target: Target,
    unit: str,
    owed: int,
) -> tuple[float | None, Callable[..., Any], Form | None]:
    stat, x, r, w = of["stat"], whole["x"].to_numpy(), whole["r"].to_numpy(), whole["w"].to_numpy()
    blocks = [whole[(whole["at"] >= a) & (whole["at"] < b)] for a, b in weeks]
    middles = [(a + b) / 2e6 for a, b in weeks]
    if stat == "r2":
        return _r2(x, r, w, blocks)
    if stat == "drift":
        return *_drift(there, spans, of, relative, blocks, middles), None
    if stat[0] == "p":
        return _percentile(whole, blocks, middles, stat, target, unit, owed)
    terms = {
        "relative_error": 100 * np.abs(x - r) / np.abs(r) if relative else x,
        "mape": 100 * np.abs(x - r) / np.abs(r) if relative else x,
        "mae": np.abs(x - r),
        "rmse": (x - r) ** 2,
        "bias": x - r,
    }[stat]
    mean = float(np.average(terms, weights=w))
    each = []
    for at, (a, b) in zip(middles, weeks, strict=True):
        inside = ((whole["at"] >= a) & (whole["at"] < b)).to_numpy()
        each.append(
            (at, float(w[inside].sum()), float(np.average(terms[inside], weights=w[inside])) if inside.any() else 0.0)
        )

    def sampling(alpha: float, window_s: float) -> chance.Bounds | None:
        if stat == "bias":
            return chance.weekly_mean(mean, each, alpha, window_s)
        plain = chance.weekly_mean(mean, each, alpha, window_s)
        if plain is None:
            return None
        m = sum(weight > 0 for _, weight, _ in each)
        half = (plain[1] - mean) * math.sqrt(m / (m - 1))
        shape = (mean * stats.norm.isf(alpha) / half) ** 2
        low, high = (mean * shape / stats.gamma.ppf(p, shape) for p in (1 - alpha, alpha))
        if stat == "rmse":
            return math.sqrt(low), math.sqrt(high)
        return (100 - high, 100 - low) if stat == "relative_error" else (low, high)

    value = {"relative_error": 100 - mean, "rmse": math.sqrt(max(mean, 0))}.get(stat, mean)
    return value, sampling, None


def _r2(x: Floats, r: Floats, w: Floats, blocks: Sequence[Frame]) -> tuple[float | None, Callable[..., Any], None]:
    if np.ptp(x) == 0 or np.ptp(r) == 0:
        return None, none, None

    def rho(x: Floats, r: Floats, w: Floats) -> float:
        c = np.cov(x, r, aweights=w)
        return float(c[0, 1] / math.sqrt(c[0, 0] * c[1, 1]))

    whole = rho(x, r, w)

    def sampling(alpha: float, window_s: float) -> chance.Bounds | None:
        del window_s
        used = [one for one in blocks if len(one)]
        m = len(used)
        if m < 8:
            return None
        left = [pd.concat(used[:i] + used[i + 1 :]) for i in range(m)]
        z = np.arctanh([rho(one["x"].to_numpy(), one["r"].to_numpy(), one["w"].to_numpy()) for one in left])
        half = stats.t.isf(alpha, m - 1) * math.sqrt((m - 1) / m * ((z - z.mean()) ** 2).sum())
        low, high = (max(math.tanh(math.atanh(whole) + side * half), 0.0) ** 2 for side in (-1, 1))
        return low, high

    return max(whole, 0.0) ** 2, sampling, None


def _drift(
    there: Sequence[Frame],
    spans: Sequence[sets.Set],
    of: dict[str, Any],
    relative: bool,
    blocks: Sequence[Frame],
    middles: Sequence[float],
) -> tuple[float | None, Callable[..., Any]]:
    long = round(units.seconds(of.get("window", "14 d")) * 1e6)

    def bias(one: Frame) -> float:
        off = one["x"] - one["r"]
        return float(100 * off.sum() / one["r"].abs().sum()) if relative else float(off.mean())

    ends = []
    for one, span in zip(there, spans, strict=True):
        if len(span) and span[-1, 1] - span[0, 0] >= 2 * long:
            first, last = one[one["at"] < span[0, 0] + long], one[one["at"] >= span[-1, 1] - long]
            if len(first) and len(last):
                ends.append((sets.length(span), first, last))
    if not ends:
        return None, none
    shares = np.array([length for length, _, _ in ends], dtype=np.float64)
    shares /= shares.sum()
    value = float(sum(s * (bias(last) - bias(first)) for s, (_, first, last) in zip(shares, ends, strict=True)))

    def sampling(alpha: float, window_s: float) -> chance.Bounds | None:
        del window_s
        used = [(at, one) for at, one in zip(middles, blocks, strict=True) if len(one)]
        if len(used) < 8:
            return None
        at = np.array([middle for middle, _ in used])
        weight = np.array([len(one) for _, one in used], dtype=np.float64)
        said = np.array([bias(one) for _, one in used])
        line = np.polyfit(at - at.mean(), said, 1, w=np.sqrt(weight))
        rest = said - np.polyval(line, at - at.mean())
        variance = float((weight * rest**2).sum()) / (len(used) - 2)
        spread = sum(s**2 * (1 / len(a) + 1 / len(b)) for s, (_, a, b) in zip(shares, ends, strict=True))
        half = float(stats.t.isf(alpha, len(used) - 2)) * math.sqrt(variance * spread)
        return value - half, value + half

    return value, sampling


def _percentile(
    whole: Frame, blocks: Sequence[Frame], middles: Sequence[float], stat: str, target: Target, unit: str, owed: int
) -> tuple[float, Callable[..., Any], Form | None]:
    """Of one slot."""
    off = (whole["x"] - whole["r"]).abs().to_numpy()
    p = float(stat[1:]) / 100
    limit = target.to(unit)
    share = kept(off, limit) / len(off)
    fill = (kept(off, limit) / owed, (kept(off, limit) + owed - len(off)) / owed)
    each = [
        (at, float(b - a), kept((one["x"] - one["r"]).abs().to_numpy(), limit) / len(one) if len(one) else 0.0)
        for at, one, (a, b) in zip(middles, blocks, [(0, 1)] * len(blocks), strict=True)
    ]

    def sampling(alpha: float, window_s: float) -> chance.Bounds | None:
        return None if window_s < chance.YEAR_S else chance.weekly_share(share, each, alpha, window_s)

    form = Form(share=share, least=p if target.side == "high" else 1 - p, fill=fill, sampling=sampling)
    return float(np.quantile(off, p)), none, form
