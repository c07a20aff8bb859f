"""Detections whose product is exactly at its target: staged tests, and daily operation whose truth was labelled in a sample.

A sampled pilot: cameras over some hundred days; of each day some ten-minute windows are drawn, some of which nobody labels. How
well alerts and truth agree differs from day to day (the intraclass correlation), so that a bad day spoils all of its windows.
Beside it stands what passes if every label counts alike and on its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from kpi.intervals import clopper_pearson
from kpi.measurement import Measurement
from kpi.measures.detection import DetectionPart, Judged, Outcome, Stat, f1_of, measure
from pilotbed.bench.verdicts.case import ALPHA, Case, asked_of_row

_FIRST: Final = date(2026, 3, 1)
_WINDOWS: Final = 144
"""Of ten minutes, a day."""
_WINDOW_US: Final = 600_000_000
_TRUTH: Final = {"labels": "truth", "by": "site"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Camera:
    """One slot."""

    share: float
    """How many of its outcomes are matched."""
    labelled: float
    """How many of the windows that were drawn somebody labelled."""


def cases() -> list[Case]:
    """Rows of the table."""
    return [
        *(_staged(n, target) for n, target in ((59, 0.95), (300, 0.90))),
        _staged_f1(500, 0.90),
        _sampled("recall", 0.90, 300, 0.05, 40.0, 0.1),
        _sampled("recall", 0.90, 300, 0.05, 40.0, 0.3),
        _sampled("precision", 0.90, 90, 0.05, 40.0, 0.3),
        _sampled("f1", 0.90, 300, 0.05, 40.0, 0.1),
        _sampled("f1", 0.90, 300, 0.05, 40.0, 0.3),
        _sampled("f1", 0.90, 90, 0.20, 10.0, 0.3),
        _unlike(0.90, 300, 0.05, 40.0, 0.1),
    ]


def _row(stat: Stat, target: float, *, designed: bool = False, sampled: bool = False) -> dict[str, Any]:
    truth: dict[str, Any] = dict(_TRUTH)
    if sampled:
        truth["sample"] = {"window": "10 min", "fraction": "5 %", "seed": 7}
    of = {"alerts": "alert", "within": "10 s", "truth": truth, "stat": stat, "designed": designed}
    return {"measure": {"detection": of}, "target": f">= {100 * target:g} %"}


def _staged(n: int, target: float) -> Case:
    def pilot(rng: np.random.Generator) -> tuple[Measurement, bool]:
        found = int(rng.binomial(n, target))
        part = _part([_day(0, {"matched": found, "missed": n - found})], 1.0)
        return measure([part], stat="recall", designed=True), clopper_pearson(found, n, ALPHA)[0] >= target

    name = f"recall of {n} staged tests, {100 * target:g} %"
    asked = asked_of_row(_row("recall", target, designed=True))
    return Case(kind="independent", name=name, asked=asked, pilot=pilot)


def _staged_f1(n: int, target: float) -> Case:
    share = target / (2 - target)

    def pilot(rng: np.random.Generator) -> tuple[Measurement, bool]:
        good = int(rng.binomial(n, share))
        missed = int(rng.binomial(n - good, 0.5))
        part = _part([_day(0, {"matched": good, "missed": missed, "false_alarm": n - good - missed})], 1.0)
        # As if F1 were a share of twice as many trials.
        naive = clopper_pearson(f1_of(good / n) * (n + good), n + good, ALPHA)[0] >= target
        return measure([part], stat="f1", designed=True), naive

    asked = asked_of_row(_row("f1", target, designed=True))
    return Case(kind="independent", name=f"F1 of {n} staged outcomes, {target:g}", asked=asked, pilot=pilot)


def _sampled(stat: Stat, target: float, days: int, fraction: float, a_day: float, icc: float) -> Case:
    share = target / (2 - target) if stat == "f1" else target
    cameras = [_Camera(share=share, labelled=0.95)] * 2
    name = f"{stat}, sample of {100 * fraction:g} %, {2 * a_day:g} a day × {days} days, ICC {icc:g}, {target:g}"
    return _case(name, stat, target, cameras, days, fraction, a_day, icc)


def _unlike(target: float, days: int, fraction: float, a_day: float, icc: float) -> Case:
    """The good camera's windows are labelled, of the bad one's only every third: who counts labels sees mostly the good one."""
    cameras = [_Camera(share=target + 0.08, labelled=1.0), _Camera(share=target - 0.08, labelled=0.33)]
    name = f"recall, sample of {100 * fraction:g} %, cameras unlike and labelled unlike, ICC {icc:g}, {target:g}"
    return _case(name, "recall", target, cameras, days, fraction, a_day, icc)


def _case(
    name: str,
    stat: Stat,
    target: float,
    cameras: Sequence[_Camera],
    days: int,
    fraction: float,
    a_day: float,
    icc: float,
) -> Case:
    def pilot(rng: np.random.Generator) -> tuple[Measurement, bool]:
        parts = [_camera(rng, one, stat, days, fraction, a_day, icc) for one in cameras]
        counted = [one.outcome for part in parts for _, one in part.outcomes]
        good = counted.count("matched")
        naive = False
        if counted:
            low = clopper_pearson(good, len(counted), ALPHA)[0]
            naive = (f1_of(low) if stat == "f1" else low) >= target
        return measure(parts, stat=stat), naive

    return Case(kind="clustered", name=name, asked=asked_of_row(_row(stat, target, sampled=True)), pilot=pilot)


def _camera(
    rng: np.random.Generator, one: _Camera, stat: Stat, days: int, fraction: float, a_day: float, icc: float
) -> DetectionPart:
    """The outcomes in the windows of one camera that were drawn and labelled."""
    spread = 1 / icc - 1
    drawn = rng.binomial(_WINDOWS, fraction, size=days)
    labelled = rng.binomial(drawn, one.labelled)
    events = rng.poisson(a_day / _WINDOWS * labelled)
    good = rng.binomial(events, rng.beta(one.share * spread, (1 - one.share) * spread, size=days))
    missed = events - good
    if stat == "f1":
        missed = rng.binomial(events - good, 0.5)
    elif stat == "precision":
        missed = np.zeros(days, dtype=np.int64)
    rows = [
        _day(number, {"matched": g, "missed": m, "false_alarm": n - g - m})
        for number, (n, g, m) in enumerate(zip(events.tolist(), good.tolist(), missed.tolist(), strict=True))
    ]
    return _part(rows, float(labelled.sum()) / (days * _WINDOWS), windows=days * _WINDOWS)


def _day(number: int, outcomes: dict[Outcome, int]) -> list[tuple[date, Judged]]:
    day = _FIRST + timedelta(days=number)
    return [
        (day, Judged(at_us=number, outcome=outcome, alert=None, label=None))
        for outcome, n in outcomes.items()
        for _ in range(n)
    ]


def _part(rows: Sequence[list[tuple[date, Judged]]], labelled: float, *, windows: int = 1) -> DetectionPart:
    return DetectionPart(
        outcomes=tuple(one for row in rows for one in row),
        otherwise=None,
        required_us=windows * _WINDOW_US,
        labelled_us=max(math.floor(labelled * windows * _WINDOW_US), 1),
        obtained=1.0,
        expected=1.0,
        sampled=windows > 1,
    )
