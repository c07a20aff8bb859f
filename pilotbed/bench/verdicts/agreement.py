"""Products exactly at their target of agreement with a reference: hourly pairs, alike from hour to hour, and staged ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from kpi.asked import Asked
from kpi.measurement import AsShare, Measurement, Trials
from kpi.measures.agreement_chance import OfCorrelatedTrials, OfCorrelation, OfDrift, OfErrors
from kpi.planning.samples import complete
from pilotbed.bench.verdicts.case import ALPHA, HOURS_OF_A_WEEK, Case, Pilot, asked_of_row, by_t, hourly, weekly_blocks

Floats = NDArray[np.float64]
_HALF_NORMAL = math.sqrt(2 / math.pi)
_END_WEEKS = 2


def cases() -> list[Case]:
    """All of them, in the order of the table."""
    return [
        *(_error("relative_error", weeks, phi) for weeks, phi in ((8, 0.95), (26, 0.95), (52, 0.95))),
        *(_error("mae", weeks, phi) for weeks, phi in ((8, 0.95), (52, 0.95))),
        *(_root(weeks, phi) for weeks, phi in ((8, 0.95), (26, 0.95), (52, 0.95))),
        *(
            _correlation(weeks, phi, lopsided=lopsided)
            for weeks, phi, lopsided in ((8, 0.9, False), (8, 0.95, True), (13, 0.95, True), (26, 0.95, True), (52, 0.95, True))
        ),
        *(_drift(weeks, phi) for weeks, phi in ((8, 0.9), (13, 0.95), (26, 0.95), (52, 0.95))),
        _percentile(53, 0.95),
        *(_staged("mae", n) for n in (20, 50)),
        *(_staged("rmse", n) for n in (20, 50)),
        *(_staged("r2", n) for n in (20, 50)),
        _staged("p95", 100),
    ]  # fmt: skip


def _row(stat: str, target: str, *, designed: bool = False) -> dict[str, Any]:
    measure = {
        "channel": "x",
        "reference": {"slot": "r", "channel": "x"},
        "average": "1 h",
        "stat": stat,
        "designed": designed,
    }
    return {"measure": {"agreement": measure}, "target": target}


def _asked(stat: str, target: str, unit: str, weeks: int = 48, *, designed: bool = False) -> Asked:
    return asked_of_row(_row(stat, target, designed=designed), weeks, unit)


def _error(stat: str, weeks: int, phi: float) -> Case:
    """The size of an error that goes up and down around nothing."""
    scale = 100.0 if stat == "relative_error" else 1.0
    mean = 0.2 / _HALF_NORMAL * _HALF_NORMAL * scale

    def pilot(rng: np.random.Generator) -> tuple[Measurement, bool]:
        size = np.abs(hourly(rng, weeks, phi)) * (0.2 / _HALF_NORMAL) * scale
        said = 100 - size if stat == "relative_error" else -size
        weekly = said.reshape(weeks, HOURS_OF_A_WEEK).mean(axis=1)
        value, naive = float(said.mean()), by_t(said, (100 - mean) if stat == "relative_error" else -mean)
        if stat == "relative_error":
            own = OfErrors(blocks=weekly_blocks(100 - weekly), reversed=True)
            return replace(complete(value, "%", len(said)), own=own), naive
        return replace(complete(-value, "W", len(said)), own=OfErrors(blocks=weekly_blocks(-weekly))), naive

    asked = (
        _asked(stat, f">= {100 - mean!r} %", "%", weeks)
        if stat == "relative_error"
        else _asked(stat, f"<= {mean!r} W", "W", weeks)
    )
    name = "accuracy by relative error" if stat == "relative_error" else "mean absolute error"
    return Case(kind="weeks", name=f"{name}, {weeks} weeks, φ {phi:g}", asked=asked, pilot=pilot)


def _root(weeks: int, phi: float) -> Case:
    def pilot(rng: np.random.Generator) -> tuple[Measurement, bool]:
        squares = hourly(rng, weeks, phi) ** 2
        weekly = squares.reshape(weeks, HOURS_OF_A_WEEK).mean(axis=1)
        found = complete(math.sqrt(squares.mean()), "W", len(squares))
        return replace(found, own=OfErrors(blocks=weekly_blocks(weekly), root=True)), by_t(-squares, -1.0)

    name = f"root mean square error, {weeks} weeks, φ {phi:g}"
    return Case(kind="weeks", name=name, asked=_asked("rmse", "<= 1 W", "W", weeks), pilot=pilot)


def _fisher(r: float, n: int, least: float) -> bool:
    z = math.atanh(min(max(r, -1 + 1e-12), 1 - 1e-12)) - stats.norm.isf(ALPHA) / math.sqrt(n - 3)
    return bool(max(math.tanh(z), 0.0) ** 2 > least)


def _correlation(weeks: int, phi: float, *, lopsided: bool) -> Case:
    """:param lopsided: the reference is log-normal, as dust is, so that some weeks hold most of its spread."""
    least = 0.8

    def pilot(rng: np.random.Generator) -> tuple[Measurement, bool]:
        x = hourly(rng, weeks, phi)
        spread = 1.0
        if lopsided:
            x, spread = np.exp(0.5 * x), math.sqrt((math.exp(0.25) - 1) * math.exp(0.25))
        y = x + hourly(rng, weeks, 0.9) * spread * math.sqrt(1 / least - 1)
        found, own = _correlated(x, y, weeks)
        return replace(complete(max(found, 0.0) ** 2, "", len(x)), own=own), _fisher(found, len(x), least)

    name = f"r², {weeks} weeks, φ {phi:g}" + (", log-normal reference" if lopsided else "")
    return Case(kind="weeks", name=name, asked=_asked("r2", f"> {least:g}", "1", weeks), pilot=pilot)


def _correlated(x: Floats, y: Floats, weeks: int) -> tuple[float, OfCorrelation]:
    x, y = x - x.mean(), y - y.mean()
    r = float(x @ y / math.sqrt((x @ x) * (y @ y)))
    rows = [np.ones(len(x)), x, y, x * x, y * y, x * y]
    sums = np.stack([row.reshape(weeks, -1).sum(axis=1) for row in rows], axis=1)
    return r, OfCorrelation(r=r, weeks=sums)


def _drift(weeks: int, phi: float) -> Case:
    """A bias that grows steadily, to exactly 5 % from the first two weeks to the last two."""
    hours = weeks * HOURS_OF_A_WEEK
    rise = 5.0 * np.arange(hours) / (hours * (weeks - _END_WEEKS) / weeks)
    end = _END_WEEKS * HOURS_OF_A_WEEK

    def pilot(rng: np.random.Generator) -> tuple[Measurement, bool]:
        said = rise + 2.0 * hourly(rng, weeks, phi)
        first, last = said[:end], said[-end:]
        value = float(last.mean() - first.mean())
        weekly = said.reshape(weeks, HOURS_OF_A_WEEK).mean(axis=1)
        own = OfDrift(weeks=weekly_blocks(weekly), ends=((float(end), float(end)),), shares=(1.0,))
        naive = value + stats.norm.isf(ALPHA) * math.sqrt((first.var() + last.var()) / end) <= 5
        return replace(complete(value, "%", hours), own=own), bool(naive)

    name = f"drift, {weeks} weeks, φ {phi:g}"
    return Case(kind="weeks", name=name, asked=_asked("drift", "-5..5 %", "%", weeks), pilot=pilot)


def _percentile(weeks: int, phi: float) -> Case:
    limit = float(stats.norm.ppf(0.975))

    def pilot(rng: np.random.Generator) -> tuple[Measurement, bool]:
        size = np.abs(hourly(rng, weeks, phi))
        kept = size <= limit
        form = AsShare(
            share=float(kept.mean()), at_least=0.95, fill_low=None, fill_high=None,
            blocks=weekly_blocks(kept.reshape(weeks, HOURS_OF_A_WEEK).mean(axis=1)),
        )  # fmt: skip
        found = replace(complete(float(np.percentile(size, 95)), "W", len(size)), as_share=form)
        naive = stats.beta.ppf(ALPHA, kept.sum(), len(kept) - kept.sum() + 1) >= 0.95
        return found, bool(naive)

    name = f"p95 of the absolute error, {weeks} weeks, φ {phi:g}"
    return Case(kind="weeks", name=name, asked=_asked("p95", f"<= {limit!r} W", "W", weeks), pilot=pilot)


# --- Staged pairs


def _staged(stat: str, n: int) -> Case:
    made: dict[str, tuple[str, str, Callable[[], Pilot]]] = {
        "mae": ("mean absolute error", f"<= {_HALF_NORMAL!r} W", lambda: _staged_mean(n, root=False)),
        "rmse": ("root mean square error", "<= 1 W", lambda: _staged_mean(n, root=True)),
        "r2": ("r²", "> 0.8", lambda: _staged_correlation(n)),
        "p95": ("p95 of the absolute error", f"<= {float(stats.norm.ppf(0.975))!r} W", lambda: _staged_share(n)),
    }
    name, target, pilot = made[stat]
    unit = "1" if stat == "r2" else "W"
    return Case(
        kind="staged", name=f"{name}, {n} pairs", asked=_asked(stat, target, unit, designed=True), pilot=pilot()
    )  # fmt: skip


def _staged_mean(n: int, *, root: bool) -> Pilot:
    def pilot(rng: np.random.Generator) -> tuple[Measurement, bool]:
        off = rng.standard_normal(n)
        terms = off**2 if root else np.abs(off)
        value = math.sqrt(terms.mean()) if root else float(terms.mean())
        own = OfErrors(terms=(terms,), shares=(1.0,), root=root)
        return replace(complete(value, "W", n), own=own), by_t(-terms, -1.0 if root else -_HALF_NORMAL)

    return pilot


def _staged_correlation(n: int) -> Pilot:
    def pilot(rng: np.random.Generator) -> tuple[Measurement, bool]:
        x = rng.standard_normal(n)
        y = x + 0.5 * rng.standard_normal(n)
        r = float(np.corrcoef(x, y)[0, 1])
        found = replace(complete(max(r, 0.0) ** 2, "", n), own=OfCorrelatedTrials(r=r, n=n))
        return found, _fisher(r, n, 0.8)

    return pilot


def _staged_share(n: int) -> Pilot:
    limit = float(stats.norm.ppf(0.975))

    def pilot(rng: np.random.Generator) -> tuple[Measurement, bool]:
        size = np.abs(rng.standard_normal(n))
        kept = int((size <= limit).sum())
        trials = Trials(successes=kept, trials=n, days=(), designed=True)
        form = AsShare(share=kept / n, at_least=0.95, fill_low=None, fill_high=None, blocks=(), trials=trials)
        found = replace(complete(float(np.percentile(size, 95)), "W", n), as_share=form)
        return found, bool(stats.beta.ppf(ALPHA, kept, n - kept + 1) >= 0.95) if kept else False

    return pilot
