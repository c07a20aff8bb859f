"""``range``: values that cannot be, or hardly.

Gross range: 4 outside of the fail span, 3 outside of the suspect span, ends belong to a span. 9 for what is no number. Of a
counter the suspect span is about its increments, of which one below zero is a new run and not judged. A state's code has to be
one of its channel's states: 0, 1, …, n − 1.

Unit: that of the channel. Source: QARTOD test 4 (gross range), as ``ioos_qc.qartod.gross_range_test``.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from telemetry.quality.flags import FAIL, MISSING, SUSPECT, UNKNOWN, Booleans, Flags, Floats, flags

Span: TypeAlias = tuple[float, float]
"""The least and the greatest value; infinite where there is no limit."""


def gross_range(value: Floats, fail: Span | None, suspect: Span | None = None) -> Flags:
    """One flag a reading.

    >>> gross_range(np.array([5, 10, 15, 20, 25, 30, 35, 40, 45, 51.0]), (10, 50), (20, 40))
    array([4, 3, 3, 1, 1, 1, 1, 1, 3, 4], dtype=uint8)
    """
    found = flags(len(value))
    for span, flag in ((suspect, SUSPECT), (fail, FAIL)):
        if span is not None:
            found[(value < span[0]) | (value > span[1])] = flag
    found[~np.isfinite(value)] = MISSING
    return found


def outside(value: Floats, span: Span) -> Floats:
    """How far each value lies outside of a span; 0 inside.

    >>> outside(np.array([-3.0, 1.0, 7.0]), (0, 5))
    array([3., 0., 2.])
    """
    with np.errstate(over="ignore"):
        return np.maximum(np.maximum(span[0] - value, value - span[1]), 0.0)


def increments(value: Floats, joined: Booleans) -> Floats:
    """What a counter rose by since the reading before; NaN for the first, after a gap, and for a new run.

    >>> increments(np.array([5.0, 7.0, 2.0, 3.0]), np.array([True, True, False]))
    array([nan,  2., nan, nan])
    """
    found = np.full(len(value), np.nan)
    if len(value) > 1:
        with np.errstate(over="ignore"):
            risen = np.diff(value)
        found[1:] = np.where(joined & (risen >= 0), risen, np.nan)
    return found


def increment_range(risen: Floats, suspect: Span) -> Flags:
    """One flag a reading of a counter, by its increment: 3 outside of the span, 2 where there is none.

    >>> increment_range(np.array([np.nan, 2.0, 9.0]), (0, 5))
    array([2, 1, 3], dtype=uint8)
    """
    found = flags(len(risen))
    found[(risen < suspect[0]) | (risen > suspect[1])] = SUSPECT
    found[np.isnan(risen)] = UNKNOWN
    return found


def undeclared_state(value: Floats, states: int) -> Flags:
    """4 for each code that no state of the channel has.

    >>> undeclared_state(np.array([0.0, 1.0, 2.0, 0.5, -1.0]), 2)
    array([1, 1, 4, 4, 4], dtype=uint8)
    """
    found = flags(len(value))
    found[~((value >= 0) & (value < states) & (np.floor(value) == value))] = FAIL
    return found
