"""``spike``: one reading that leaves its neighbours and comes back.

``average`` compares a reading with the mean of its two neighbours: it also flags a spike's neighbours. ``differential`` takes the
smaller of the two steps, and only where they go opposite ways: it flags the spike alone, and no edge of a shift; findings go by
it. 3 above ``suspect``, 4 above ``fail``, 2 for the first and last reading and beside a gap.

Unit: that of the channel. Source: QARTOD test 6 (spike), as ``ioos_qc.qartod.spike_test`` with both of its methods.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from telemetry.quality.flags import Booleans, Flags, Floats, exceeds


def spike(
    value: Floats,
    suspect: float | None,
    fail: float | None,
    *,
    method: Literal["average", "differential"] = "average",
    joined: Booleans | None = None,
) -> Flags:
    """One flag a reading.

    :param joined: whether each reading but the first follows the one before without a gap; all do if left out.

    >>> spike(np.array([10, 12, 999.99, 13, 15, 40, 9, 9]), 25, 50)
    array([2, 4, 4, 4, 1, 3, 1, 2], dtype=uint8)
    >>> spike(np.array([10, 12, 999.99, 13, 15, 40, 9, 9]), 25, 50, method="differential")
    array([2, 1, 4, 1, 1, 1, 1, 2], dtype=uint8)
    """
    return exceeds(size(value, method=method, joined=joined), suspect, fail)


def size(
    value: Floats, *, method: Literal["average", "differential"] = "average", joined: Booleans | None = None
) -> Floats:
    """By how much each reading leaves its neighbours; NaN where it has not both.

    >>> size(np.array([1.0, 1.0, 7.0, 2.0]), method="differential")
    array([nan,  0.,  5., nan])
    """
    found = np.full(len(value), np.nan)
    if len(value) < 3:
        return found
    with np.errstate(over="ignore", invalid="ignore"):
        if method == "average":
            inner = np.abs(value[1:-1] - (value[:-2] / 2 + value[2:] / 2))
        else:
            step = np.diff(value)
            inner = np.minimum(np.abs(step[:-1]), np.abs(step[1:]))
            inner[np.sign(step[:-1]) * np.sign(step[1:]) >= 0] = 0.0
    found[1:-1] = inner
    if joined is not None:
        found[1:-1][~(joined[:-1] & joined[1:])] = np.nan
    return found
