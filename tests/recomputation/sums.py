"""Measures that add up: integral, increase."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.recomputation import sets
from tests.recomputation.dates import Span
from tests.recomputation.found import Found, complete
from tests.recomputation.series import LEAST_US, Floats, slice_of
from tests.recomputation.sets import Micros, Set
from tests.recomputation.view import View


def integral_over(view: View, slot: str, name: str, required: Set) -> tuple[float, float]:
    """∫ value dt over what readings cover, and how many seconds that is."""
    channel, readings = view.channel(slot, name), view.readings(slot, name)
    if not len(readings.at):
        return 0.0, 0.0
    total, covered = _cut(*view.keep(("pieces", slot, name), lambda: _pieces(view, slot, name)), required)
    if channel["reporting"] != "periodic" or channel["kind"] == "state":
        return total, covered
    first, last, value, hold = int(readings.at[0]), int(readings.at[-1]), readings.value, channel["hold_us"]
    heard = view.heard(slot, name).at
    first_of_all, last_of_all = first == heard[0], last == heard[-1]

    def clear(one: int, other: int) -> bool:
        return not view.parted(slot, name, np.array([one]), np.array([other]))[0]

    for start, end in required.tolist():
        # Before the first reading of all, and after the last, that one stands up to the edge if it is as near as that.
        if first_of_all and start < first < end and first - start <= hold and clear(start, first):
            total, covered = total + value[0] * (first - start) / 1e6, covered + (first - start) / 1e6
        if last_of_all and last < end and end - last <= hold and clear(last, end):
            alone = (end - max(last, start)) / 1e6
            total, covered = total + value[-1] * alone, covered + alone
    return total, covered


def _pieces(view: View, slot: str, name: str) -> tuple[Set, Floats, Floats]:
    """Straight pieces with their first and last values: from reading to reading, or steps."""
    channel, readings = view.channel(slot, name), view.readings(slot, name)
    at, value = readings.at, readings.value
    if channel["reporting"] != "periodic" or channel["kind"] == "state":
        return np.stack([at, view.stands(slot, name)], axis=1), value, value
    near = (np.diff(at) <= channel["hold_us"]) & ~view.parted(slot, name, at[:-1], at[1:])
    return np.stack([at[:-1][near], at[1:][near]], axis=1), value[:-1][near], value[1:][near]


def _cut(pieces: Set, first: Floats, last: Floats, required: Set) -> tuple[float, float]:
    """The integral and the seconds of pieces, as far as they lie in required time."""
    total = covered = 0.0
    for start, end in required.tolist():
        low, high = np.searchsorted(pieces[:, 1], start, side="right"), np.searchsorted(pieces[:, 0], end)
        rows, one, other = pieces[low:high], first[low:high], last[low:high]
        if not len(rows):
            continue
        clipped = np.clip(rows, start, end)
        slope = (other - one) / (rows[:, 1] - rows[:, 0])
        middle = one + slope * (clipped.mean(axis=1) - rows[:, 0])
        seconds = (clipped[:, 1] - clipped[:, 0]) / 1e6
        total, covered = total + math.fsum(middle * seconds), covered + math.fsum(seconds)
    return total, covered


def integral(view: View, of: dict[str, Any], slots: Sequence[str], window: Span) -> Found:
    """What a channel comes to over time: of several slots their sum."""
    name = of["channel"]
    unit = view.channel(slots[0], name)["unit"]
    rows = []
    nobody_us = 0
    for slot in slots:
        required = view.required(slot, of, window)
        total, covered = integral_over(view, slot, name, required)
        charged = view.charge(slot, sets.both(view.gaps(slot, name), required))
        nobody = sets.length(charged.nobody)
        nobody_us += nobody
        out = (sets.length(charged.platform) + sets.length(charged.site)) / 1e6
        missing = max(sets.length(required) / 1e6 - covered - out, 0.0)
        rows.append((slice_of(view, slot, name, required), total, covered, nobody / 1e6, missing))
    covered_s = math.fsum(row[2] for row in rows)
    value = math.fsum(row[1] for row in rows) if covered_s > 0 else None
    ends = None if value is None else (value, value)
    if value is not None:
        counted = nobody_us >= LEAST_US
        ends = _bounded(rows, [row[3] if counted else 0.0 for row in rows]) or ends
    return Found(
        value=value,
        unit=f"({unit})*s",
        n=sum(len(row[0].value) for row in rows),
        completeness=complete(sum(row[0].obtained for row in rows), sum(row[0].expected for row in rows)),
        ends=ends,
        fill=_bounded(rows, [row[4] for row in rows]),
        covered_s=covered_s,
    )


def _bounded(rows: Sequence[Any], seconds: Sequence[float]) -> tuple[float, float] | None:
    if any(row[0].limits is None and s > 0 for row, s in zip(rows, seconds, strict=True)):
        return None
    ends = [
        math.fsum(row[1] + (row[0].limits or (0.0, 0.0))[end] * s for row, s in zip(rows, seconds, strict=True))
        for end in (0, 1)
    ]
    return ends[0], ends[1]


def increase_over(view: View, slot: str, of: dict[str, Any], required: Set) -> tuple[float, float]:
    """How far a counter went for sure, and how much more if each new run had begun at zero."""
    key = ("steps", slot, of["channel"], of.get("wrap"))
    one, other, proven, zero = view.keep(key, lambda: _steps(view, slot, of["channel"], of.get("wrap")))
    hold = view.channel(slot, of["channel"])["hold_us"]
    sure: list[float] = []
    more: list[float] = []
    for start, end in required.tolist():
        touching = slice(np.searchsorted(other, start, side="right"), np.searchsorted(one, end))
        a, b = one[touching], other[touching]
        # A step over an edge is divided by its time, if it is no longer than a reading stands.
        part = (np.minimum(b, end) - np.maximum(a, start)) / (b - a)
        if hold is not None:
            part[((a < start) | (b >= end)) & (b - a > hold)] = 0.0
        part[((a < start) | (b >= end)) & view.parted(slot, of["channel"], a, b)] = 0.0
        sure.append(math.fsum(proven[touching] * part))
        more.append(math.fsum(zero[touching] * part))
    return math.fsum(sure), math.fsum(more)


def _steps(view: View, slot: str, name: str, wrap: float | None) -> tuple[Micros, Micros, Floats, Floats]:
    """The steps of a counter: from when to when, how far for sure, and how much more; none over a swap."""
    readings = view.readings(slot, name)
    went = np.array([step(a, b, wrap) for a, b in itertools.pairwise(readings.value.tolist())]).reshape(-1, 2)
    for swap in view.swaps(slot):
        went[(readings.at[:-1] < swap) & (swap <= readings.at[1:])] = 0.0
    went[view.false_step(slot, name, readings.at[:-1], readings.at[1:])] = 0.0
    return readings.at[:-1], readings.at[1:], went[:, 0], went[:, 1]


def step(before: float, after: float, wrap: float | None) -> tuple[float, float]:
    """One step of a counter."""
    if after >= before:
        return after - before, 0.0
    if wrap is not None and before - after > wrap / 2 and before <= wrap:
        return wrap - before + after, 0.0
    return 0.0, max(after, 0.0) if after < before / 2 else 0.0


def increase(view: View, of: dict[str, Any], slots: Sequence[str], window: Span) -> Found:
    """How far a counter went: of several slots their sum."""
    every = [slice_of(view, slot, of["channel"], view.required(slot, of, window)) for slot in slots]
    went = [increase_over(view, one.slot, of, one.required) for one in every]
    n = sum(len(one.value) for one in every)
    value = math.fsum(sure for sure, _ in went) if n else None
    high = None if value is None else value + math.fsum(more for _, more in went)
    return Found(
        value=value,
        unit=view.channel(slots[0], of["channel"])["unit"],
        n=n,
        completeness=complete(sum(one.obtained for one in every), sum(one.expected for one in every)),
        ends=None if value is None or high is None else (value, high),
        fill=None if value is None else (value, math.inf),
    )
