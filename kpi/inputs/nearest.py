"""Pairs of nearest readings: one to one, the same whoever asks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kpi.stretches import Stretches

Micros = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """Pairs by the places of both sides, in the order of time."""

    reference: NDArray[np.int64]
    channel: NDArray[np.int64]


def nearest(reference_us: Micros, channel_us: Micros, within_us: int) -> Matched:
    """Each reading of the reference with the nearest of the channel, if that one has no nearer reference.

    Of two that are equally near the earlier one is taken. So each reading is in one pair at the most, and the pairs do not hang
    on the order in which they are looked for.

    >>> found = nearest(np.array([0, 10, 20, 50]), np.array([1, 11, 12, 27]), within_us=5)
    >>> list(zip(found.reference.tolist(), found.channel.tolist()))
    [(0, 0), (1, 1)]
    """
    none = np.empty(0, dtype=np.int64)
    if not len(reference_us) or not len(channel_us):
        return Matched(reference=none, channel=none)
    ours, theirs = _closest(channel_us, reference_us), _closest(reference_us, channel_us)
    places = np.arange(len(reference_us))
    mutual = theirs[ours] == places
    near = np.abs(channel_us[ours] - reference_us) <= within_us
    kept = np.flatnonzero(mutual & near)
    return Matched(reference=kept, channel=ours[kept])


def _closest(among_us: Micros, at_us: Micros) -> NDArray[np.int64]:
    """The place of the nearest of them to each instant; of two the earlier."""
    after = np.clip(np.searchsorted(among_us, at_us), 1, max(len(among_us) - 1, 1))
    after = np.minimum(after, len(among_us) - 1)
    before = np.maximum(after - 1, 0)
    earlier = at_us - among_us[before] <= among_us[after] - at_us
    return np.where(earlier, before, after).astype(np.int64)


def near(at_us: Micros, others_us: Micros, within_us: int) -> NDArray[np.bool_]:
    """Whether any of the others is as near as that."""
    if not len(others_us):
        return np.zeros(len(at_us), dtype=np.bool_)
    found: NDArray[np.bool_] = np.abs(others_us[_closest(others_us, at_us)] - at_us) <= within_us
    return found


def due_between(observed_us: Micros, required: Stretches, period_us: int) -> Micros:
    """When readings of a period are missing: evenly between those that are there, so many as are counted missing.

    >>> due_between(np.array([5, 15, 45]), ((0, 60),), 10).tolist()
    [25, 35, 55]
    """
    found: list[Micros] = []
    for start, end in required:
        low, high = np.searchsorted(observed_us, [start, end]).tolist()
        here = observed_us[low:high]
        if not len(here):
            found.append(np.arange(start + period_us // 2, end, period_us, dtype=np.int64))
            continue
        gaps = np.diff(here)
        lost = np.maximum(np.rint(gaps / period_us).astype(np.int64) - 1, 0)
        for place in np.flatnonzero(lost).tolist():
            parts = int(lost[place]) + 1
            found.append(here[place] + gaps[place] * np.arange(1, parts, dtype=np.int64) // parts)
        found.append(np.arange(int(here[0]) - period_us, start + period_us // 2 - 1, -period_us, dtype=np.int64)[::-1])
        found.append(np.arange(int(here[-1]) + period_us, end - period_us // 2 + 1, period_us, dtype=np.int64))
    return np.sort(np.concatenate([np.empty(0, dtype=np.int64), *found]))
