"""The samples of KPIs that look at readings: shares of time, means, percentiles, and what has no interval."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from devices.plan.instrument import Instrument, together
from devices.plan.measures import Statistic
from devices.plan.target import Bounds
from kpi.asked import Asked
from kpi.planning.levels import Truths, spread_of, truths
from kpi.planning.prepared import Chosen, planned_of, required_s
from kpi.planning.series import HOUR_CORRELATION, Fixed, Means, Percentile, Series, TimeShare
from kpi.quantity import converted

_HOURS_OF_A_WEEK = 168


def weekly_series(asked: Asked, hours: int, correlation: float, rng: np.random.Generator) -> Series:
    middles = tuple((week.start_us + week.end_us) / 2e6 for week in asked.spans.weeks)
    return Series(weeks_s=middles or (0.0,), hours=hours, correlation=correlation, rng=rng)


def _hourly(asked: Asked, rng: np.random.Generator) -> Series:
    hours = max(round(_HOURS_OF_A_WEEK * required_s(asked) / asked.spans.whole.seconds), 1)
    given = planned_of(asked).correlation
    return weekly_series(asked, hours, HOUR_CORRELATION if given is None else given, rng)


def time_share(asked: Asked, slots: int, rng: np.random.Generator) -> Chosen:
    products = truths(asked.target, "share", asked.kpi.planned, spread=0)
    series, moved, assumed = _hourly(asked, rng), None, ["hours_alike"]
    facts: dict[str, Any] = {"hours": f"{series.correlation:g}"}
    share = asked.kpi.measure.share
    instrument = together(list(asked.instruments.values()))
    if asked.kpi.rule == "guarded" and share is not None and share.while_.bounds is not None and instrument is not None:
        limit = share.while_.bounds.to(asked.instrument_unit)
        spread = spread_of(asked.kpi.planned, limit, offset=_has_offset(limit.unit))
        moved = _band(instrument, limit) / spread
        assumed.append("spread_of_readings")
        facts["spread"] = (spread, limit.unit)
    if slots > 1:
        assumed.append("slots_together")
    return Chosen(
        truths=products,
        unit=asked.target.unit,
        sample=TimeShare(series=series, upward=asked.target.one_sided != "high", moved=moved),
        to_measure=0.01 if asked.target.unit == "%" else 1.0,
        n=series.n,
        assumed=tuple(assumed),
        facts=facts,
    )


def _band(instrument: Instrument, limit: Bounds) -> float:
    """The uncertainty of a value at a limit, in the limit's unit."""
    ends = [end for end in (limit.low, limit.high) if math.isfinite(end)]
    return 0.0 if instrument.against is None else max(instrument.against.at(end, limit.unit) for end in ends)


def _has_offset(unit: str) -> bool:
    return unit in ("degC", "degF", "°C", "℃", "Cel", "°F", "℉", "cdegC")


def mean(asked: Asked, rng: np.random.Generator) -> Chosen:
    spread = spread_of(asked.kpi.planned, asked.target, offset=_has_offset(asked.unit))
    products = truths(asked.target, "value", asked.kpi.planned, spread=spread)
    series = _hourly(asked, rng)
    inner = converted(spread, asked.unit, asked.channel_unit, difference=True)
    return Chosen(
        truths=products,
        unit=asked.unit,
        sample=Means(series=series, spread=inner, unit=asked.channel_unit, ideal=ideal(asked, products)),
        to_measure=None,
        n=series.n,
        assumed=("hours_alike", "spread_of_readings"),
        facts={"hours": f"{series.correlation:g}", "spread": (spread, asked.unit)},
    )


def percentile(asked: Asked, percent: float, rng: np.random.Generator) -> Chosen:
    target = asked.target
    at_least = percent / 100 if target.one_sided == "high" else 1 - percent / 100
    spread = spread_of(asked.kpi.planned, target, offset=_has_offset(asked.unit))
    series = _hourly(asked, rng)
    kept, broken = sides(asked.kpi.bounds.to(asked.channel_unit))
    sample = Percentile(series=series, at_least=at_least, kept=kept, broken=broken, unit=asked.channel_unit)
    instrument = together(list(asked.instruments.values()))
    assumed: tuple[str, ...] = ("quota", "hours_alike")
    if asked.kpi.rule == "guarded" and instrument is not None and instrument.against is not None:
        band = _band(instrument, target) / spread
        sample = replace(sample, against=band, in_favour=band if instrument.in_favour is not None else 0.0)
        assumed = (*assumed, "spread_of_readings")
    return Chosen(
        truths=truths(share_target(at_least), "share", None, spread=0),
        unit="%",
        sample=sample,
        to_measure=0.01,
        n=series.n,
        assumed=assumed,
        facts={"hours": f"{series.correlation:g}", "spread": (spread, asked.unit)},
    )


def ideal(asked: Asked, products: Truths) -> float | None:
    return None if products.better is None else converted(products.better, asked.unit, asked.channel_unit)


def fixed(asked: Asked) -> Chosen:
    of = asked.kpi.measure.of
    difference = isinstance(of, Statistic) and of.stat == "std"
    spread = spread_of(asked.kpi.planned, asked.target, offset=_has_offset(asked.unit))
    products = truths(asked.target, "value", asked.kpi.planned, spread=spread)
    ideal = products.better
    if ideal is not None:
        ideal = converted(ideal, asked.unit, asked.channel_unit, difference=difference)
    sample = Fixed(unit=asked.channel_unit, ideal=ideal, difference=difference)
    return Chosen(truths=products, unit=asked.unit, sample=sample, to_measure=None, n=None, assumed=("as_it_does",))


def share_target(at_least: float) -> Bounds:
    """A percentile's promise: so many per cent keep the target."""
    return Bounds(low=100 * at_least, high=math.inf, low_closed=True, high_closed=False, unit="%", text="")


def sides(target: Bounds) -> tuple[float, float]:
    """A value that keeps a one-sided target, and one that does not."""
    low = target.one_sided == "low"
    end = target.low if low else target.high
    far = abs(end) or 1.0
    return (end + far, end - far) if low else (end - far, end + far)
