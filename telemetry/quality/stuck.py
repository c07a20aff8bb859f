"""``stuck``: a value that does not move for longer than what is measured can rest.

A reading is flagged if all readings of the time up to it, from the last one at or before n − ½ periods ago on (n = the
threshold in whole periods), lie within the tolerance of one another: max − min < tolerance, or all are the same. The half
period takes the jitter of sampling; on a regular series it is the test of ioos_qc. Not judged, thus good: without so much
history, or where no reading lies within one hold of the threshold. 3 after ``suspect_s``, 4 after ``fail_s``.

Unit: tolerance in that of the channel. Source: QARTOD test 8 (flat line), as ``ioos_qc.qartod.flat_line_test``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from telemetry.quality.flags import FAIL, GOOD, SUSPECT, Booleans, Flags, Floats, Micros, flags


@dataclass(frozen=True, slots=True, kw_only=True)
class Flat:
    """For each reading its flag, and since when the value has rested (its own instant where it is good)."""

    flags: Flags
    since_us: Micros


def stuck(
    observed_us: Micros,
    value: Floats,
    *,
    suspect_s: float,
    fail_s: float | None,
    tolerance: float,
    period_s: float,
    hold_us: int | None = None,
    rests: tuple[float, ...] = (),
) -> Flat:
    """One flag a reading.

    :param hold_us: how long a reading stands; three periods if left out.
    :param rests: where what is measured may rest as long as it likes, to within the tolerance.

    >>> series = np.array([1, 2, 2.0001, 2, 2.0001, 2, 2.0001, 2, 4, 5, 3, 3.0001, 3.0005, 3.00001])
    >>> quarters = np.arange(14) * 900_000_000
    >>> stuck(quarters, series, suspect_s=3000, fail_s=4800, tolerance=0.01, period_s=900).flags
    array([1, 1, 1, 1, 3, 3, 4, 4, 1, 1, 1, 1, 1, 3], dtype=uint8)
    """
    found = Flat(flags=flags(len(value)), since_us=observed_us.copy())
    stand_us = round(3e6 * period_s) if hold_us is None else hold_us
    moved = _last_move(value, tolerance)
    for limit_s, flag in ((suspect_s, SUSPECT), (fail_s, FAIL)):
        if limit_s is None:
            continue
        back_us = round((max(1, int(limit_s / period_s)) - 0.5) * period_s * 1e6)
        first = np.searchsorted(observed_us, observed_us - back_us, side="right") - 1
        near = np.flatnonzero((first >= 0) & (moved <= first))
        near = near[observed_us[near] - observed_us[first[near]] <= round(limit_s * 1e6) + stand_us]
        near = near[_within(_spread(value, first[near], near), tolerance)]
        found.flags[near] = flag
        found.since_us[near] = observed_us[first[near]]
    for rest in rests:
        resting = (found.flags != GOOD) & _within(np.abs(value - rest), tolerance)
        found.flags[resting] = GOOD
        found.since_us[resting] = observed_us[resting]
    return found


def _within(spread: Floats, tolerance: float) -> Booleans:
    within: Booleans = (spread < tolerance) | (spread == 0)
    return within


def _last_move(value: Floats, tolerance: float) -> Micros:
    """For each reading the index of the last one up to it that left the one before; 0 if none did."""
    place = np.arange(len(value))
    if len(value) > 1:
        with np.errstate(over="ignore"):
            place[1:][_within(np.abs(np.diff(value)), tolerance)] = 0
    last: Micros = np.maximum.accumulate(place)
    return last


def _spread(value: Floats, first: Micros, last: Micros) -> Floats:
    """max − min of each stretch of readings, ends included: from the extremes of stretches of 1, 2, 4, … readings."""
    found = np.zeros(len(first))
    if not len(first):
        return found
    level = np.floor(np.log2(last - first + 1)).astype(np.int64)
    low = high = value
    for power in range(int(level.max()) + 1):
        at = np.flatnonzero(level == power)
        start, end = first[at], last[at] - (1 << power) + 1
        with np.errstate(over="ignore"):
            found[at] = np.maximum(high[start], high[end]) - np.minimum(low[start], low[end])
        width = 1 << power
        low, high = np.minimum(low[:-width], low[width:]), np.maximum(high[:-width], high[width:])
    return found
