"""Events that succeed or are counted, and series of hourly readings by weeks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from kpi.intervals import clopper_pearson, poisson_mean
from kpi.measurement import AsShare, Counts, Measurement, Trials
from kpi.planning.samples import complete
from pilotbed.bench.verdicts.case import ALPHA, HOURS_OF_A_WEEK, Case, asked_of_row, by_t, hourly, weekly_blocks

_HOURS: Final = HOURS_OF_A_WEEK
_RATIO: Final = {"event_ratio": {"event": "mission", "success": {"ok": True}}}


def cases() -> list[Case]:
    """All cases, in the order of the table."""
    return [
        *(_designed(n, target) for n, target in ((29, 0.90), (59, 0.95), (100, 0.95), (300, 0.95), (1000, 0.95), (500, 0.99))),
        *(_counted(expected) for expected in (3.0, 10.0, 100.0)),
        *(
            _daily(a_day, days, icc, target)
            for a_day, days, icc, target in (
                (20, 10, 0.3, 0.95), (20, 30, 0.1, 0.95), (20, 30, 0.3, 0.95), (20, 90, 0.1, 0.95), (20, 90, 0.3, 0.95),
                (5, 90, 0.3, 0.95), (20, 337, 0.3, 0.95), (20, 90, 0.3, 0.99), (20, 90, 0.3, 0.90), (20, 90, 0.0, 0.95),
            )
        ),
        *(_dispersed(rate, days, factor) for rate, days, factor in ((0.5, 90, 2.0), (3.0, 90, 3.0), (3.0, 337, 3.0))),
        *(_mean(weeks, phi, swing) for weeks, phi, swing in (
            (8, 0.9, 0.0), (8, 0.95, 0.0), (13, 0.95, 0.0), (26, 0.95, 0.0), (52, 0.9, 0.0), (52, 0.95, 0.0), (52, 0.95, 3.0),
        )),
        *(_share(weeks, phi, target) for weeks, phi, target in (
            (8, 0.9, 0.95), (13, 0.95, 0.95), (26, 0.95, 0.99), (52, 0.9, 0.95), (52, 0.95, 0.95), (52, 0.95, 0.99),
        )),
        _percentile(53, 0.95, 0.95),
    ]  # fmt: skip


# --- Events


def _trials(days: Sequence[tuple[int, int]], *, designed: bool) -> Measurement:
    successes, trials = (sum(column) for column in zip(*days, strict=True))
    counted = Trials(successes=successes, trials=trials, days=tuple(days), designed=designed)
    return replace(complete(100 * successes / trials, "%", trials), trials=counted, bounded=True)


def _designed(n: int, target: float) -> Case:
    def pilot(rng: np.random.Generator) -> tuple[Measurement, bool]:
        k = int(rng.binomial(n, target))
        return _trials([(k, n)], designed=True), clopper_pearson(k, n, ALPHA)[0] >= target

    row = {"measure": {"event_ratio": {**_RATIO["event_ratio"], "designed": True}}, "target": f">= {100 * target:g} %"}
    return Case(kind="independent", name=f"{n} trials, {100 * target:g} %", asked=asked_of_row(row), pilot=pilot)


def _daily(a_day: int, days: int, icc: float, target: float) -> Case:
    spread = math.inf if icc == 0 else 1 / icc - 1

    def pilot(rng: np.random.Generator) -> tuple[Measurement, bool]:
        share: Any = target if icc == 0 else rng.beta(target * spread, (1 - target) * spread, size=days)
        daily = rng.binomial(a_day, share, size=days)
        naive = clopper_pearson(int(daily.sum()), a_day * days, ALPHA)[0] >= target
        return _trials([(k, a_day) for k in daily.tolist()], designed=False), naive

    name = f"{a_day} a day × {days} days, ICC {icc:g}, {100 * target:g} %"
    return Case(
        kind="clustered",
        name=name,
        asked=asked_of_row({"measure": _RATIO, "target": f">= {100 * target:g} %"}),
        pilot=pilot,
    )


def _counts(daily: NDArray[np.int64], *, independent: bool) -> Measurement:
    count = int(daily.sum())
    days = tuple((n, 1.0) for n in daily.tolist())
    counted = Counts(count=count, most=count, exposure=1.0, days=days, independent=independent)
    return replace(complete(count, "건", count), counts=counted)


def _count_case(
    kind: str, name: str, expected: float, draw: Callable[[np.random.Generator], NDArray[np.int64]]
) -> Case:
    independent = kind == "independent"

    def pilot(rng: np.random.Generator) -> tuple[Measurement, bool]:
        daily = draw(rng)
        return _counts(daily, independent=independent), poisson_mean(int(daily.sum()), ALPHA)[1] <= expected

    row = {"measure": {"count": {"event": "incident", "independent": independent}}, "target": f"<= {expected:g} 건"}
    return Case(kind=kind, name=name, asked=asked_of_row(row, unit="건"), pilot=pilot)


def _counted(expected: float) -> Case:
    name = f"{expected:g} events expected"
    return _count_case("independent", name, expected, lambda rng: rng.poisson(expected / 90, size=90))


def _dispersed(rate: float, days: int, factor: float) -> Case:
    name = f"{rate:g} events a day × {days} days, dispersion {factor:g}"
    size = rate / (factor - 1)
    return _count_case(
        "clustered", name, rate * days, lambda rng: rng.negative_binomial(size, 1 / factor, size=days)
    )  # fmt: skip


# --- Series of hourly readings


def _mean(weeks: int, phi: float, swing: float) -> Case:
    year = np.sin(np.arange(weeks * _HOURS) * (2 * np.pi / 8766))

    def pilot(rng: np.random.Generator) -> tuple[Measurement, bool]:
        series = hourly(rng, weeks, phi) + swing * (year - year.mean())
        weekly = series.reshape(weeks, _HOURS).mean(axis=1)
        found = replace(complete(float(weekly.mean()), "W", len(series)), blocks=weekly_blocks(weekly))
        return found, by_t(series, 0.0)

    row = {"measure": {"statistic": {"channel": "x", "stat": "mean"}}, "target": ">= 0 W"}
    name = f"mean, {weeks} weeks, φ {phi:g}" + (f", yearly swing ±{swing:g} σ" if swing else "")
    return Case(kind="weeks", name=name, asked=asked_of_row(row, weeks, "W"), pilot=pilot)


def _share(weeks: int, phi: float, target: float) -> Case:
    limit = float(stats.norm.ppf(target))

    def pilot(rng: np.random.Generator) -> tuple[Measurement, bool]:
        kept = hourly(rng, weeks, phi) <= limit
        weekly = kept.reshape(weeks, _HOURS).mean(axis=1)
        found = replace(complete(100 * float(kept.mean()), "%", len(kept)), blocks=weekly_blocks(weekly), bounded=True)
        return found, clopper_pearson(int(kept.sum()), len(kept), ALPHA)[0] >= target

    measure = {"share": {"while": {"channel": "x", "value": "<= 1 W"}}}
    row = {"measure": measure, "target": f">= {100 * target:g} %"}
    name = f"share of time, {weeks} weeks, φ {phi:g}, {100 * target:g} %"
    return Case(kind="weeks", name=name, asked=asked_of_row(row, weeks), pilot=pilot)


def _percentile(weeks: int, phi: float, at_least: float) -> Case:
    limit = float(stats.norm.ppf(at_least))

    def pilot(rng: np.random.Generator) -> tuple[Measurement, bool]:
        series = hourly(rng, weeks, phi)
        kept = series <= limit
        share = float(kept.mean())
        form = AsShare(
            share=share, at_least=at_least, fill_low=share, fill_high=share,
            blocks=weekly_blocks(kept.reshape(weeks, _HOURS).mean(axis=1)),
        )  # fmt: skip
        found = replace(complete(float(np.percentile(series, 100 * at_least)), "W", len(series)), as_share=form)
        return found, clopper_pearson(int(kept.sum()), len(kept), ALPHA)[0] >= at_least

    row = {"measure": {"statistic": {"channel": "x", "stat": f"p{100 * at_least:g}"}}, "target": f"<= {limit!r} W"}
    return Case(
        kind="weeks", name=f"p{100 * at_least:g}, {weeks} weeks, φ {phi:g}", asked=asked_of_row(row, weeks, "W"), pilot=pilot
    )  # fmt: skip
