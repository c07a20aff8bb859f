"""All tests of one channel's readings together: pure, columns in, flags out."""

from __future__ import annotations

from typing import Literal

import numpy as np

from telemetry.quality import ranges, rate, spike, stuck
from telemetry.quality.flags import FAIL, SUSPECT, UNKNOWN, Booleans, Flags, Floats, Micros, exceeds, flags, follows
from telemetry.quality.runs import Flagged
from telemetry.quality.thresholds import Thresholds

Family = Literal["stuck", "range", "spike", "rate"]
FAMILIES: tuple[Family, ...] = ("stuck", "range", "spike", "rate")
"""The tests that flag readings. Gaps lie between them, jumps between hours."""


def judged(observed_us: Micros, value: Floats, by: Thresholds) -> dict[Family, Flagged]:
    """What each test says of readings in the order of time, at most one an instant."""
    follow = follows(observed_us, by.hold_us)
    risen = ranges.increments(value, follow) if by.counter else None
    return {
        "stuck": _stuck(observed_us, value, by),
        "range": _range(value, risen, by),
        "spike": _spike(value, risen, follow, by),
        "rate": _rate(observed_us, value, follow, by),
    }


def _nothing(value: Floats) -> Flagged:
    zeros = np.zeros(len(value))
    return Flagged(flags=flags(len(value), UNKNOWN), amount=zeros, excess=zeros)


def _stuck(observed_us: Micros, value: Floats, by: Thresholds) -> Flagged:
    if by.stuck is None or by.period_s is None:
        return _nothing(value)
    found = stuck.stuck(
        observed_us,
        value,
        suspect_s=by.stuck.suspect_s,
        fail_s=by.stuck.fail_s,
        tolerance=by.stuck.tolerance,
        period_s=by.period_s,
        hold_us=by.hold_us,
        rests=by.stuck.rests,
    )
    return Flagged(flags=found.flags, amount=value, excess=np.zeros(len(value)), since_us=found.since_us)


def _range(value: Floats, risen: Floats | None, by: Thresholds) -> Flagged:
    if by.states is not None:
        return Flagged(flags=ranges.undeclared_state(value, by.states), amount=value, excess=np.abs(value))
    flagged = ranges.gross_range(value, by.fail, by.suspect if risen is None else None)
    span = by.fail if risen is not None or by.suspect is None else by.suspect
    excess = np.zeros(len(value)) if span is None else ranges.outside(value, span)
    amount = value
    if risen is not None and by.suspect is not None:
        own = ranges.increment_range(risen, by.suspect) == SUSPECT
        own &= flagged != FAIL
        flagged[own] = SUSPECT
        finite = np.nan_to_num(risen)
        amount = np.where(own, finite, value)
        excess = np.where(own, ranges.outside(finite, by.suspect), excess)
    return Flagged(flags=flagged, amount=amount, excess=np.nan_to_num(excess))


def _spike(value: Floats, risen: Floats | None, follow: Booleans, by: Thresholds) -> Flagged:
    if by.spike is None:
        return _nothing(value)
    size = spike.size(value if risen is None else risen, method="differential", joined=follow)
    return _sized(size, exceeds(size, *by.spike))


def _rate(observed_us: Micros, value: Floats, follow: Booleans, by: Thresholds) -> Flagged:
    if by.rate is None:
        return _nothing(value)
    size = rate.size(observed_us, value, joined=follow, rising=by.counter)
    return _sized(size, exceeds(size, *by.rate))


def _sized(size: Floats, flagged: Flags) -> Flagged:
    known = np.nan_to_num(size, posinf=np.finfo(np.float64).max)
    return Flagged(flags=flagged, amount=known, excess=known)
