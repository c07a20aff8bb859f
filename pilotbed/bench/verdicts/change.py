"""Pilots that changed what they touch exactly as much as they promised: how often that is *met*.

Days are compared by the code that judges real ones; each simulated day is a reading. What is common to all of a city's meters and
roads (a warm month, a trend) hangs together from day to day, so does what is a site's own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import signal, stats

from devices.plan.measures import Change
from kpi.intervals import clopper_pearson
from kpi.measured import measured
from kpi.measurement import Measurement
from kpi.measures.change_parts import Before, Beside, Cell, ChangePart
from kpi.measures.counting import CountPart, Sighting
from kpi.measures.statistic import Moments, StatisticPart
from pilotbed.bench.verdicts.case import ALPHA, Case, asked_of_row

Floats = NDArray[np.float64]

_AFTER: Final = date(2026, 3, 2)
_BEFORE: Final = date(2025, 3, 3)
_DAY_S: Final = 86_400.0
_TARGET: Final = 0.9
"""After is nine tenths of before."""
_OWN: Final = 0.06
_COMMON: Final = 0.08
_WEEK: Final = np.array([1.0, 1.02, 1.03, 1.02, 1.05, 0.85, 0.8])


def cases() -> list[Case]:
    """Before and after, by pairs of days, with controls, with the weather; and counts."""
    return [
        *(_days(weeks, phi, "windows") for weeks, phi in ((13, 0.5), (26, 0.5), (52, 0.5))),
        *(_days(weeks, phi, "pair") for weeks, phi in ((8, 0.5), (26, 0.5), (50, 0.5), (50, 0.7))),
        *(_days(weeks, phi, "control") for weeks, phi in ((13, 0.5), (26, 0.5))),
        *(_days(weeks, phi, "pair, control") for weeks, phi in ((8, 0.5), (26, 0.5), (50, 0.7))),
        *(_normalised(weeks) for weeks in (13, 50)),
        *(_rates(expected, factor) for expected, factor in ((20.0, 1.0), (60.0, 2.0), (300.0, 3.0))),
    ]


def _series(rng: np.random.Generator, n: int, phi: float, sd: float) -> Floats:
    """Neighbouring days correlate by ``phi``."""
    steps = rng.normal(0, sd * math.sqrt(1 - phi**2), n)
    steps[0] = rng.normal(0, sd)
    return np.asarray(signal.lfilter([1.0], [1.0, -phi], steps), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """Daily values of one slot, after and before."""

    after: Floats
    before: Floats


def _cell(values: Floats) -> Cell:
    n = len(values)
    mean = float(values.mean())
    moments = Moments(n=n, mean=mean, m2=0.0, min=mean, max=mean, last_us=0, last=mean)
    part = StatisticPart(moments=moments, required_s=n * _DAY_S, obtained=n, expected=n)
    return Cell(part=part, seconds=n * _DAY_S, required_s=n * _DAY_S)


def _each(start: date, values: Floats) -> dict[date, Cell]:
    return {start + timedelta(days=place): _cell(values[place : place + 1]) for place in range(len(values))}


def _middle_s(start: date, place: int) -> float:
    return (start - date(1970, 1, 1)).days * _DAY_S + (place + 3.5) * _DAY_S


def _before(values: Floats, *, days: bool) -> Before:
    weeks = tuple((_middle_s(_BEFORE, at), _cell(values[at : at + 7])) for at in range(0, len(values), 7))
    return Before(whole=_cell(values), weeks=weeks, days=_each(_BEFORE, values) if days else {})


def _measured(kpi: Any, made: _Made, beside: Beside, *, days: bool) -> Measurement:
    before = _before(made.before, days=days)
    each = _each(_AFTER, made.after) if days else {}
    names = list(each)

    def part(values: Floats, some: Sequence[date]) -> ChangePart:
        return ChangePart(
            after=_cell(values), days={day: each[day] for day in some}, before=before, beside=beside,
            window_s=len(made.after) * _DAY_S,
        )  # fmt: skip

    weeks = [
        (_middle_s(_AFTER, at), [part(made.after[at : at + 7], names[at : at + 7])])
        for at in range(0, len(made.after), 7)
    ]
    return measured(kpi, "%", [part(made.after, names)], weeks)


def _by_t(made: _Made) -> bool:
    """Whether it passes where days are taken as independent."""
    a, b = made.after, made.before
    ratio = a.mean() / b.mean()
    error = math.sqrt(a.var(ddof=1) / len(a) / a.mean() ** 2 + b.var(ddof=1) / len(b) / b.mean() ** 2)
    return bool(ratio * math.exp(stats.norm.isf(ALPHA) * error) <= _TARGET)


def _row(baseline: str, more: dict[str, Any]) -> dict[str, Any]:
    of = {"statistic": {"channel": "x", "stat": "mean"}}
    window = [str(_BEFORE), baseline]
    return {"measure": {"change": {"of": of, "baseline": {"window": window}, **more}}, "target": "<= -10 %"}


def _days(weeks: int, phi: float, how: str) -> Case:
    more: dict[str, Any] = {}
    if "pair" in how:
        more["pair"] = {"weekday": True}
    if "control" in how:
        more["control"] = ["b"]
    n = weeks * 7
    end = _BEFORE + timedelta(days=n)
    asked = asked_of_row(_row(str(end), more), weeks)

    def pilot(rng: np.random.Generator) -> tuple[Measurement, bool]:
        week = np.resize(_WEEK, n)
        swing = 0.1 * np.sin(np.arange(n) * 2 * np.pi / 365.25)
        shared = "control" in how
        common = [(_series(rng, n, 0.7, _COMMON) + rng.normal(0, 0.05)) if shared else np.zeros(n) for _ in range(2)]

        def slot(times: float) -> _Made:
            own = [_series(rng, n, phi, _OWN) for _ in range(2)]
            first = 100 * week * (1 + swing + common[0] + own[0])
            return _Made(after=100 * times * week * (1 + swing + common[1] + own[1]), before=first)

        made = slot(_TARGET)
        control: tuple[Any, ...] = ()
        if shared:
            other = slot(1.0)
            control = ((_each(_AFTER, other.after), _before(other.before, days=True)),)
        beside = Beside(window=(_BEFORE, end), window_s=n * _DAY_S, control=control)
        return _measured(asked.kpi, made, beside, days=bool(more)), _by_t(made)

    return Case(kind="weeks", name=f"change, {how}, {weeks} weeks, φ {phi:g} from day to day", asked=asked, pilot=pilot)


def _normalised(weeks: int) -> Case:
    n, before_n = weeks * 7, 364
    end = _BEFORE + timedelta(days=before_n)
    normal = {
        "degree_days": ["18 degC", "24 degC"],
        "weather": {"slot": "a", "channel": "t"},
        "r2": 0.5,
        "cv_rmse": "60 %",
    }
    asked = asked_of_row(_row(str(end), {"normalise": normal}), weeks)

    def warmth(rng: np.random.Generator, days: int) -> Floats:
        season = 12 - 14 * np.cos((np.arange(days) + 50) * 2 * np.pi / 365.25)
        return np.asarray(season + _series(rng, days, 0.7, 3.0), dtype=np.float64)

    def pilot(rng: np.random.Generator) -> tuple[Measurement, bool]:
        outside = [warmth(rng, days) for days in (before_n, n)]
        demand = [50 + 3 * np.maximum(18 - t, 0) + 4 * np.maximum(t - 24, 0) for t in outside]
        mean = float(demand[0].mean())
        before = demand[0] + mean * _series(rng, before_n, 0.5, 0.12)
        after = _TARGET * (demand[1] + mean * _series(rng, n, 0.5, 0.12))
        weather = {
            start + timedelta(days=place): float(t)
            for start, values in ((_BEFORE, outside[0]), (_AFTER, outside[1]))
            for place, t in enumerate(values)
        }
        beside = Beside(window=(_BEFORE, end), window_s=before_n * _DAY_S, weather=weather)
        made = _Made(after=after, before=before)
        # As independent: the model's mean taken as known, days as independent of each other.
        times = after / (demand[1] / demand[1].mean())
        naive = _by_t(_Made(after=times, before=np.full(2, float(demand[1].mean())) + np.array([-1e-9, 1e-9])))
        return _measured(asked.kpi, made, beside, days=True), naive

    return Case(kind="weeks", name=f"change, normalised by degree days, {weeks} weeks", asked=asked, pilot=pilot)


def _rates(expected: float, factor: float) -> Case:
    """Complaints of 180 days each, that came in clusters."""
    days = 180
    of = {"event_rate": {"event": "complaint", "per": "1 d", "independent": factor == 1.0}}
    row = {
        "measure": {"change": {"of": of, "baseline": {"window": [str(_BEFORE), str(_BEFORE + timedelta(days=days))]}}},
        "target": "<= -10 %",
    }
    asked = asked_of_row(row, 26)

    def part(rng: np.random.Generator, start: date, mean: float) -> CountPart:
        rate = mean / days
        n = rng.poisson(rate, days) if factor == 1.0 else rng.negative_binomial(rate / (factor - 1), 1 / factor, days)
        seen = [start + timedelta(days=d) for d in range(days) for _ in range(int(n[d]))]
        us = round(_DAY_S * 1e6)
        return CountPart(
            sightings=tuple((day, Sighting(at_us=0, certain=True)) for day in seen),
            exposure=days * us,
            days=tuple((start + timedelta(days=d), float(us)) for d in range(days)),
            connected_us=days * us,
            required_us=days * us,
            numbered=True,
        )

    def pilot(rng: np.random.Generator) -> tuple[Measurement, bool]:
        first, second = part(rng, _BEFORE, expected), part(rng, _AFTER, _TARGET * expected)
        span_s = days * _DAY_S
        before = Before(whole=Cell(part=first, seconds=span_s, required_s=span_s), weeks=(), days={})
        beside = Beside(window_s=span_s, inner_unit="건/d")
        after = Cell(part=second, seconds=span_s, required_s=span_s)
        change = ChangePart(after=after, days={}, before=before, beside=beside, window_s=span_s)
        n, m = len(second.sightings), len(first.sightings)
        high = clopper_pearson(n, n + m, ALPHA)[1] if n + m else 1.0
        naive = high < 1 and high / (1 - high) <= _TARGET
        return measured(asked.kpi, "%", [change]), naive

    assert isinstance(asked.kpi.measure.of, Change)
    name = f"change of a rate, {expected:g} events before, dispersion {factor:g}"
    return Case(kind="independent" if factor == 1.0 else "clustered", name=name, asked=asked, pilot=pilot)
