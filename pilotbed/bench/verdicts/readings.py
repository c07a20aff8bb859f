"""Simulated pilots of the measures of how readings come: frames lost in spells, delays with losses, shares of a distance."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from kpi.intervals import clopper_pearson
from kpi.measurement import Measurement
from kpi.measures import delay, exposure_share, sequence
from kpi.measures.delay import DelayPart
from kpi.measures.exposure_share import ExposurePart
from kpi.measures.sequence import Rules, SequencePart
from pilotbed.bench.verdicts.case import ALPHA, HOURS_OF_A_WEEK, Case, asked_of_row, hourly

_DAY_US: Final = 86_400_000_000
_FIRST: Final = date(2026, 3, 1)
_BAD: Final = 0.6
"""The share of frames lost in a bad spell; none is lost otherwise."""


def cases() -> list[Case]:
    """All of them, in the order of the table."""
    return [
        *(_frames(*one) for one in ((144, 30, 6.0, 0.95), (24, 90, 6.0, 0.95), (24, 90, 24.0, 0.95), (24, 90, 1.0, 0.90))),
        *(_delay(weeks, phi, lost) for weeks, phi, lost in ((53, 0.9, 0.0), (53, 0.95, 0.01), (53, 0.95, 0.04))),
        *(_distance(weeks, phi, target) for weeks, phi, target in ((13, 0.9, 0.95), (52, 0.95, 0.98))),
    ]  # fmt: skip


# --- Frames


def _frames(a_day: int, days: int, spell_h: float, target: float) -> Case:
    """Numbers that wrap, of a channel that turns bad now and then for some hours."""
    n = a_day * days
    leave = 24 / a_day / spell_h
    share = (1 - target) / _BAD
    enter = leave * share / (1 - share)
    at = (np.arange(n) + 0.5) * _DAY_US // a_day
    numbers = np.arange(n, dtype=np.float64) % 256
    rules = Rules(wrap=256, first=0, period_us=_DAY_US / a_day, by_fall=True)

    def pilot(rng: np.random.Generator) -> tuple[Measurement, bool]:
        bad = _spells(rng, n, enter, leave, share)
        heard = rng.random(n) >= np.where(bad, _BAD, 0.0)
        found = sequence.frames(
            at[heard].astype(np.int64), numbers[heard], rules, since_us=0, until_us=days * _DAY_US
        )  # fmt: skip
        counts = [np.bincount(us // _DAY_US, minlength=days) for us in (found.heard_us, found.lost_us)]
        part = SequencePart(
            heard=len(found.heard_us),
            lost=len(found.lost_us),
            doubtful=0,
            left_out=0,
            days=tuple((_FIRST + timedelta(days=i), int(counts[0][i]), int(counts[1][i])) for i in range(days)),
            repeated=0,
            late=0,
            unclear=0,
            rejoined=0,
            jumped=0,
            periodic=True,
            connected_us=1,
            required_us=1,
        )
        weeks = [(7 * (i + 0.5) * 86_400.0, [_week(part, i)]) for i in range(days // 7)]
        return sequence.measure([part], weeks), clopper_pearson(int(heard.sum()), n, ALPHA)[0] >= target

    row = {"measure": {"sequence": {"channel": "fcnt", "wrap": 256}}, "target": f">= {100 * target:g} %"}
    name = f"frames, {a_day} a day × {days} days, bad spells of {spell_h:g} h, {100 * target:g} %"
    return Case(kind="clustered", name=name, asked=asked_of_row(row, days // 7), pilot=pilot)


def _week(part: SequencePart, week: int) -> SequencePart:
    days = part.days[7 * week : 7 * week + 7]
    heard, lost = sum(day[1] for day in days), sum(day[2] for day in days)
    return replace(part, heard=heard, lost=lost, days=days)


def _spells(rng: np.random.Generator, n: int, enter: float, leave: float, share: float) -> NDArray[np.bool_]:
    """A channel that is good or bad, each for a while: which of the frames are sent in bad spells."""
    bad = np.zeros(n, dtype=np.bool_)
    now, place = bool(rng.random() < share), 0
    while place < n:
        length = int(rng.geometric(min(leave if now else enter, 1.0)))
        bad[place : place + length] = now
        now, place = not now, place + length
    return bad


# --- Delays


def _delay(weeks: int, phi: float, lost: float) -> Case:
    """Delays that resemble their neighbours; where a second series is high, messages are lost."""
    limit = float(stats.norm.ppf(0.95 / (1 - lost)))
    gone_from = float(stats.norm.isf(lost)) if lost else np.inf

    def pilot(rng: np.random.Generator) -> tuple[Measurement, bool]:
        level, gone = hourly(rng, weeks, phi), hourly(rng, weeks, phi) > gone_from
        delay_ms = np.ceil(5000 * np.exp(level - limit)).astype(np.int64)
        kept = (delay_ms <= 5000) & ~gone
        each = [
            _delays(one, other) for one, other in zip(np.split(delay_ms, weeks), np.split(gone, weeks), strict=True)
        ]
        middles = [(i + 0.5) * 604_800.0 for i in range(weeks)]
        asked = case.asked
        found = delay.measure(
            [_delays(delay_ms, gone)],
            [(at_s, [part]) for at_s, part in zip(middles, each, strict=True)],
            stat="p95",
            target=asked.kpi.bounds.to("s"),
        )
        return found, clopper_pearson(int(kept.sum()), len(kept), ALPHA)[0] >= 0.95

    row = {"measure": {"statistic": {"of": "delay", "stat": "p95"}}, "target": "<= 5 s"}
    name = f"p95 of the delay, {weeks} weeks, φ {phi:g}" + (f", {100 * lost:g} % lost" if lost else "")
    case = Case(kind="weeks", name=name, asked=asked_of_row(row, weeks, "s"), pilot=pilot)
    return case


def _delays(delay_ms: NDArray[np.int64], gone: NDArray[np.bool_]) -> DelayPart:
    values, n = np.unique(delay_ms[~gone], return_counts=True)
    size = len(delay_ms)
    return DelayPart(
        delay_ms=values, n=n, lost=int(gone.sum()), doubtful=0, required_s=3600.0 * size, obtained=size, expected=size
    )


# --- Shares of a distance


def _distance(weeks: int, phi: float, target: float) -> Case:
    """A robot that goes further at some hours than at others, and is led by hand at some."""
    limit = float(stats.norm.ppf(target))

    def pilot(rng: np.random.Generator) -> tuple[Measurement, bool]:
        auto = hourly(rng, weeks, phi) <= limit
        gone = np.exp(0.8 * hourly(rng, weeks, phi))
        parts = [_gone(one, other) for one, other in zip(np.split(auto, weeks), np.split(gone, weeks), strict=True)]
        blocks = [((i + 0.5) * 604_800.0, [part]) for i, part in enumerate(parts)]
        return exposure_share.measure([_gone(auto, gone)], blocks), clopper_pearson(int(auto.sum()), len(auto), ALPHA)[
            0
        ] >= target

    measure = {"share": {"of": {"increase": "odometer"}, "while": {"channel": "mode", "in": ["AUTOMATIC"]}}}
    row = {"measure": measure, "target": f">= {100 * target:g} %"}
    name = f"share of a distance, {weeks} weeks, φ {phi:g}, {100 * target:g} %"
    return Case(kind="weeks", name=name, asked=asked_of_row(row, weeks), pilot=pilot)


def _gone(auto: NDArray[np.bool_], gone: NDArray[np.float64]) -> ExposurePart:
    size = HOURS_OF_A_WEEK
    return ExposurePart(
        true=float(gone[auto].sum()), false=float(gone[~auto].sum()), company=0.0, left_out=0.0, nobody=0.0, restarts=0,
        n=len(gone), obtained=size, expected=size,
    )  # fmt: skip
