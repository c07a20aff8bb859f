"""The samples of KPIs that count events: trials, happenings, durations."""

from __future__ import annotations

import math

import numpy as np

from core.units import conversion, unit_of
from devices.plan.event_measures import EventRate, span_of
from devices.plan.target import Bounds
from kpi.asked import Asked
from kpi.planning.levels import spread_of, truths
from kpi.planning.of_series import fixed, ideal, share_target, sides, weekly_series
from kpi.planning.prepared import Chosen, planned_of, required_s
from kpi.planning.samples import (
    EVENT_CORRELATION,
    DailyHappenings,
    DailyTrials,
    DesignedTrials,
    Happenings,
    Of,
    Sample,
    quota_of,
)
from kpi.planning.series import Means
from kpi.quantity import converted

_DAY_S = 86_400.0


def trials(
    asked: Asked, of: Of, designed: bool, own: bool, slots: int, rng: np.random.Generator, quota: Bounds | None
) -> Chosen:
    """Trials, of a target that is a share: the KPI's own, or the quota of a percentile."""
    planned, target = planned_of(asked), asked.target if quota is None else quota
    products = truths(target, "share", asked.kpi.planned, spread=0)
    scale = 0.01 if target.unit == "%" else 1.0
    upward = target.one_sided != "high"
    sample: Sample | None = None
    correlation = EVENT_CORRELATION if planned.correlation is None else planned.correlation
    if planned.n is not None:
        n = max(planned.n // slots, 1) if own else planned.n
        if designed:
            sample = DesignedTrials(n=n, of=of, upward=upward)
        else:
            sample = DailyTrials(
                n=n, days=_days(asked, own, slots), of=of, upward=upward, correlation=correlation, rng=rng
            )
    return Chosen(
        truths=products,
        unit=target.unit,
        sample=sample,
        to_measure=scale,
        n=planned.n,
        assumed=(*(() if quota is None else ("quota",)), *(() if designed else ("days_alike",))),
        facts={"events": f"{correlation:g}"},
    )


def _days(asked: Asked, own: bool, slots: int) -> int:
    """Days with events, of each slot its own."""
    planned, of = planned_of(asked), asked.kpi.measure.of
    whole = asked.spans.whole.seconds / _DAY_S * (1.0 if of.days is None else len(set(of.days)) / 7)
    days = planned.days or max(round(whole), 1)
    return days if own else days * slots


def quota(asked: Asked, percent: float, designed: bool, own: bool, slots: int, rng: np.random.Generator) -> Chosen:
    target = asked.kpi.bounds.to("s") if asked.target.one_sided else None
    if target is None:
        return fixed(asked)
    at_least = percent / 100 if target.one_sided == "high" else 1 - percent / 100
    kept, broken = sides(target)
    of = quota_of(designed, at_least, kept, broken, "s")
    return trials(asked, of, designed, own, slots, rng, quota=share_target(at_least))


def durations(asked: Asked, own: bool, slots: int, rng: np.random.Generator) -> Chosen:
    planned = planned_of(asked)
    spread = spread_of(asked.kpi.planned, asked.target, offset=False)
    if planned.spread is None:
        spread *= 5  # of durations the spread is as large as they are
    products = truths(asked.target, "value", asked.kpi.planned, spread=spread)
    sample: Sample | None = None
    if planned.n is not None:
        a_week = (planned.n // slots if own else planned.n) / max(len(asked.spans.weeks), 1)
        spread_s = converted(spread, asked.unit, asked.channel_unit, difference=True) / math.sqrt(max(a_week, 1.0))
        sample = Means(
            series=weekly_series(asked, 1, 0.0, rng),
            spread=spread_s,
            unit=asked.channel_unit,
            ideal=ideal(asked, products),
        )
    return Chosen(
        truths=products,
        unit=asked.unit,
        sample=sample,
        to_measure=None,
        n=planned.n,
        assumed=("spread_of_durations",),
        facts={"spread": (spread, asked.unit)},
    )


def exposure(asked: Asked, rate: EventRate, own: bool, among: int) -> float | None:
    """By how much events are counted, in the unit that the rate is measured by; None where the plan does not say."""
    if rate.per.time is None:
        end = converted(asked.target.high, asked.unit, asked.channel_unit) if asked.target.one_sided == "high" else 0.0
        planned = planned_of(asked)
        return None if planned.n is None or end <= 0 else planned.n / (among if own else 1) / end
    number, unit = span_of(rate.per.time)
    of_devices = unit_of(unit).dimensionality != unit_of("s").dimensionality
    one_s = number * conversion(unit, "device*s" if of_devices else "s").scale
    return required_s(asked) * (among if of_devices else 1) / one_s


def happenings(asked: Asked, independent: bool, exposure: float | None, rng: np.random.Generator) -> Chosen:
    products = truths(asked.target, "rate", asked.kpi.planned, spread=0)
    sample: Sample | None = None
    if exposure is not None and independent:
        sample = Happenings(exposure=exposure, unit=asked.channel_unit)
    elif exposure is not None:
        days = planned_of(asked).days or max(round(asked.spans.whole.seconds / _DAY_S), 1)
        sample = DailyHappenings(exposure=exposure, unit=asked.channel_unit, days=days, rng=rng)
    expected = None if exposure is None else exposure * converted(products.at, asked.unit, asked.channel_unit)
    return Chosen(
        truths=products,
        unit=asked.unit,
        sample=sample,
        to_measure=None,
        n=expected,
        assumed=() if independent else ("days_dispersed",),
    )
