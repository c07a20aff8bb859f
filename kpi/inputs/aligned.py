"""Stretches of equal length by the clock of a pilot's zone."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from core.window import Window, micros, midnight
from kpi.calendar import local_days
from kpi.stretches import Stretches

Micros = NDArray[np.int64]
_DAY_US = 86_400_000_000


def aligned(window: Window, zone: ZoneInfo, length_us: int) -> tuple[Micros, Micros]:
    """The first and last instants of every such stretch that lies whole in a window, half-open.

    Shorter ones follow each other from each midnight on, and one that does not end by the next is none; of whole days they are
    calendar days from the window's first one on, so they last an hour more or less where the zone changes its clock.

    >>> from core.window import month_window
    >>> seoul, hour = ZoneInfo("Asia/Seoul"), 3_600_000_000
    >>> may = month_window("2026-05", seoul)
    >>> [len(aligned(may, seoul, length)[0]) for length in (hour // 12, hour, 8 * hour, 24 * hour, 7 * 24 * hour)]
    [8928, 744, 93, 31, 4]
    """
    days = [micros(midnight(day, zone)) for day in local_days(window, zone)]
    if not days:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    last = max(local_days(window, zone))
    edges = [*days, micros(midnight(last + timedelta(days=1), zone))]
    if length_us >= _DAY_US:
        step = length_us // _DAY_US
        starts = np.array(edges[:-1:step], dtype=np.int64)
        ends = np.array(edges[step::step], dtype=np.int64)
        starts = starts[: len(ends)]
    else:
        each = [np.arange(a, b - length_us + 1, length_us, dtype=np.int64) for a, b in pairwise(edges)]
        starts = np.concatenate(each)
        ends = starts + length_us
    inside = (starts >= window.start_us) & (ends <= window.end_us)
    return starts[inside], ends[inside]


def whole_in(stretches: Stretches, starts_us: Micros, ends_us: Micros) -> NDArray[np.bool_]:
    """Which of them lie whole in one of the stretches.

    >>> whole_in(((0, 10), (12, 20)), np.array([0, 8, 12, 15]), np.array([10, 14, 15, 21])).tolist()
    [True, False, True, False]
    """
    if not stretches:
        return np.zeros(len(starts_us), dtype=np.bool_)
    begins, stops = (np.array(column, dtype=np.int64) for column in zip(*stretches, strict=True))
    place = np.searchsorted(begins, starts_us, side="right") - 1
    found: NDArray[np.bool_] = (place >= 0) & (ends_us <= stops[np.maximum(place, 0)])
    return found


def inside(stretches: Stretches, at_us: Micros) -> NDArray[np.bool_]:
    """Which instants lie in one of the stretches."""
    return whole_in(stretches, at_us, at_us + 1)
