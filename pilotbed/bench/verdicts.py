"""How often a product that is exactly at its target passes: simulated pilots, judged by the code that judges real ones.

A target that is met with 95 % confidence may be passed falsely in one case of twenty, whatever the data are like. Each seed
is one pilot; beside what is judged stands what passes if events, or readings, are counted as if they were independent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from scipy import signal, stats

from core.window import date_window
from devices.plan.model import Kpi
from kpi.asked import Asked
from kpi.decision import verdict
from kpi.evidence import evidence_of
from kpi.intervals import Block, clopper_pearson, poisson_mean
from kpi.measurement import AsShare, Counts, Measurement, Trials
from kpi.planning.samples import complete
from kpi.spans import spans

ALPHA: Final = 0.05
LIMIT: Final = {"independent": 0.05, "clustered": 0.07, "weeks": 0.07}
"""The most that may pass falsely; to the first two standard errors are added, since it is met exactly."""

_START = date(2026, 3, 1)
_SEOUL = ZoneInfo("Asia/Seoul")
_HOURS = 168
_RATIO = {"event_ratio": {"event": "mission", "success": {"ok": True}}}

Pilot = Callable[[np.random.Generator], tuple[Measurement, bool]]
"""One simulated pilot: what is measured, and whether it passes where everything is counted as independent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One kind of pilot whose product is exactly at its target."""

    kind: str
    """A key of :data:`LIMIT`."""
    name: str
    asked: Asked
    pilot: Pilot


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """How often it passed."""

    kind: str
    name: str
    seeds: int
    judged: float
    """The share of pilots that are *met*."""
    naive: float
    """The same, with everything counted as independent."""
    limit: float

    @property
    def held(self) -> bool:
        return self.judged <= self.limit


def bench_verdicts(seeds: int, say: Callable[[str], None] = lambda _: None, only: str = "") -> list[Passed]:
    """Simulate every case with so many seeds.

    :param only: cases whose kind or name contains this.
    """
    found = []
    for number, case in enumerate(cases()):
        if only in case.kind or only in case.name:
            found.append(_simulated(case, number, seeds))
            say(f"{case.kind}, {case.name}: {100 * found[-1].judged:.1f} % passed")
    return found


def _simulated(case: Case, number: int, seeds: int) -> Passed:
    met = naive = 0
    for seed in range(seeds):
        measured, passes = case.pilot(np.random.default_rng([number, seed]))
        evidence, terms = evidence_of(case.asked, measured)
        met += verdict(evidence, terms).answer == "met"
        naive += passes
    limit = LIMIT[case.kind]
    if case.kind == "independent":
        limit += 2 * math.sqrt(limit * (1 - limit) / seeds)
    return Passed(kind=case.kind, name=case.name, seeds=seeds, judged=met / seeds, naive=naive / seeds, limit=limit)


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


def _asked(row: dict[str, Any], weeks: int = 48, unit: str = "%") -> Asked:
    kpi = Kpi.model_validate({"name": "simulated", "scope": "capability", **row})
    whole = date_window(_START, _START + timedelta(days=7 * weeks), _SEOUL)
    return Asked(
        id="simulated",
        kpi=kpi,
        channel_unit=unit,
        alpha=ALPHA,
        zone=_SEOUL,
        spans=spans(whole, None, _SEOUL),
    )


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
    return Case(kind="independent", name=f"{n} trials, {100 * target:g} %", asked=_asked(row), pilot=pilot)


def _daily(a_day: int, days: int, icc: float, target: float) -> Case:
    spread = math.inf if icc == 0 else 1 / icc - 1

    def pilot(rng: np.random.Generator) -> tuple[Measurement, bool]:
        share: Any = target if icc == 0 else rng.beta(target * spread, (1 - target) * spread, size=days)
        daily = rng.binomial(a_day, share, size=days)
        naive = clopper_pearson(int(daily.sum()), a_day * days, ALPHA)[0] >= target
        return _trials([(k, a_day) for k in daily.tolist()], designed=False), naive

    name = f"{a_day} a day × {days} days, ICC {icc:g}, {100 * target:g} %"
    return Case(
        kind="clustered", name=name, asked=_asked({"measure": _RATIO, "target": f">= {100 * target:g} %"}), pilot=pilot
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
    return Case(kind=kind, name=name, asked=_asked(row, unit="건"), pilot=pilot)


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


def _hourly(rng: np.random.Generator, weeks: int, phi: float) -> NDArray[np.float64]:
    """Standard normal, each hour correlated with the one before."""
    noise = rng.standard_normal(weeks * _HOURS) * math.sqrt(1 - phi**2)
    noise[0] /= math.sqrt(1 - phi**2)
    found: NDArray[np.float64] = signal.lfilter([1.0], [1.0, -phi], noise)
    return found


def _blocks(weekly: NDArray[np.float64]) -> tuple[Block, ...]:
    return tuple(
        Block(at_s=(i + 0.5) * 604_800.0, weight=float(_HOURS), value=value) for i, value in enumerate(weekly.tolist())
    )


def _by_t(values: NDArray[np.float64], target: float) -> bool:
    """Whether a t interval over the single values shows that their mean reaches a target."""
    n = len(values)
    return bool(values.mean() - stats.t.isf(ALPHA, n - 1) * values.std(ddof=1) / math.sqrt(n) >= target)


def _mean(weeks: int, phi: float, swing: float) -> Case:
    year = np.sin(np.arange(weeks * _HOURS) * (2 * np.pi / 8766))

    def pilot(rng: np.random.Generator) -> tuple[Measurement, bool]:
        series = _hourly(rng, weeks, phi) + swing * (year - year.mean())
        weekly = series.reshape(weeks, _HOURS).mean(axis=1)
        found = replace(complete(float(weekly.mean()), "W", len(series)), blocks=_blocks(weekly))
        return found, _by_t(series, 0.0)

    row = {"measure": {"statistic": {"channel": "x", "stat": "mean"}}, "target": ">= 0 W"}
    name = f"mean, {weeks} weeks, φ {phi:g}" + (f", yearly swing ±{swing:g} σ" if swing else "")
    return Case(kind="weeks", name=name, asked=_asked(row, weeks, "W"), pilot=pilot)


def _share(weeks: int, phi: float, target: float) -> Case:
    limit = float(stats.norm.ppf(target))

    def pilot(rng: np.random.Generator) -> tuple[Measurement, bool]:
        kept = _hourly(rng, weeks, phi) <= limit
        weekly = kept.reshape(weeks, _HOURS).mean(axis=1)
        found = replace(complete(100 * float(kept.mean()), "%", len(kept)), blocks=_blocks(weekly), bounded=True)
        return found, clopper_pearson(int(kept.sum()), len(kept), ALPHA)[0] >= target

    measure = {"share": {"while": {"channel": "x", "value": "<= 1 W"}}}
    row = {"measure": measure, "target": f">= {100 * target:g} %"}
    name = f"share of time, {weeks} weeks, φ {phi:g}, {100 * target:g} %"
    return Case(kind="weeks", name=name, asked=_asked(row, weeks), pilot=pilot)


def _percentile(weeks: int, phi: float, at_least: float) -> Case:
    limit = float(stats.norm.ppf(at_least))

    def pilot(rng: np.random.Generator) -> tuple[Measurement, bool]:
        series = _hourly(rng, weeks, phi)
        kept = series <= limit
        share = float(kept.mean())
        form = AsShare(
            share=share, at_least=at_least, fill_low=share, fill_high=share,
            blocks=_blocks(kept.reshape(weeks, _HOURS).mean(axis=1)),
        )  # fmt: skip
        found = replace(complete(float(np.percentile(series, 100 * at_least)), "W", len(series)), as_share=form)
        return found, clopper_pearson(int(kept.sum()), len(kept), ALPHA)[0] >= at_least

    row = {"measure": {"statistic": {"channel": "x", "stat": f"p{100 * at_least:g}"}}, "target": f"<= {limit!r} W"}
    return Case(
        kind="weeks", name=f"p{100 * at_least:g}, {weeks} weeks, φ {phi:g}", asked=_asked(row, weeks, "W"), pilot=pilot
    )  # fmt: skip


# --- The table


_KINDS: Final = {"independent": "independent", "clustered": "events of daily operation", "weeks": "series, by weeks"}


def table(found: Sequence[Passed]) -> str:
    """The table of the documentation, as Markdown."""
    lines = ["| product exactly at its target | passes | counted as independent | at most |", "|---|---|---|---|"]
    for one in found:
        limit = f"{100 * one.limit:.1f} %" + ("" if one.held else " **exceeded**")
        lines.append(
            f"| {_KINDS[one.kind]}: {one.name} | {100 * one.judged:.1f} % | {100 * one.naive:.1f} % | {limit} |"
        )
    return "\n".join(lines)


def plain(found: Sequence[Passed]) -> dict[str, Any]:
    """As JSON."""
    return {
        "passed": all(one.held for one in found),
        "cases": [
            {
                "kind": one.kind,
                "case": one.name,
                "seeds": one.seeds,
                "false_passes": one.judged,
                "counted_as_independent": one.naive,
                "limit": one.limit,
                "held": one.held,
            }
            for one in found
        ],
    }
