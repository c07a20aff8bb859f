"""``rate``: a change from one reading to the next that is faster than what is measured can be.

|Δvalue / Δt| against the threshold: 3 above ``suspect``, 4 above ``fail``, 2 for the first reading and after a gap. Of a counter
only what it rose by counts: a fall is a new run.

Unit: that of the channel, per second. Source: QARTOD test 7 (rate of change), as ``ioos_qc.qartod.rate_of_change_test``.
"""

from __future__ import annotations

import numpy as np

from telemetry.quality.flags import Booleans, Flags, Floats, Micros, exceeds


def rate(observed_us: Micros, value: Floats, suspect: float | None, fail: float | None = None) -> Flags:
    """One flag a reading.

    >>> rate(np.array([0, 1_000_000, 3_000_000]), np.array([1.0, 2.0, 10.0]), 3)
    array([2, 1, 3], dtype=uint8)
    """
    return exceeds(size(observed_us, value), suspect, fail)


def size(observed_us: Micros, value: Floats, *, joined: Booleans | None = None, rising: bool = False) -> Floats:
    """How fast each reading left the one before, per second; NaN for the first, after a gap, and at the same instant.

    :param rising: a counter: a fall is not compared.

    >>> size(np.array([0, 2_000_000, 2_000_000]), np.array([1.0, 2.0, 5.0]))
    array([nan, 0.5, nan])
    """
    found = np.full(len(value), np.nan)
    if len(value) < 2:
        return found
    apart_s = np.diff(observed_us) / 1e6
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        change = np.diff(value)
        found[1:] = np.abs(change) / apart_s
    compared = apart_s > 0
    if joined is not None:
        compared &= joined
    if rising:
        compared &= change >= 0
    found[1:][~compared] = np.nan
    return found
