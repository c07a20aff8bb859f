"""``jump``: a level that shifts from one hour to the next and stays: a device that was exchanged, moved, or has failed in part.

Robust two-window test on hourly means: D = median of the 24 hours after an instant − median of the 24 hours before. Whole days,
so that the course of a day cancels out. The noise s is 1.4826 × the median absolute deviation of the noisier of the two windows.
A shift stands out (3, suspect) where

- |D| > max(3 · s, ``least``), and
- it is abrupt: the medians of three hours on either side differ by half of D at least, the same way (weather turns in longer),
and
- none within 12 hours is larger.

2 where one of the windows has fewer than 18 hours with readings, or is not over yet: a shift is known 39 hours later. At
a known change (another device, firmware) the first condition is enough.

Unit: that of the channel; ``least`` likewise. Source: the median difference of two adjoining windows as a test of level shift,
as in ``adtk.detector.LevelShiftAD``; MAD scaled to a normal deviation, Rousseeuw and Croux 1993,
doi:10.1080/01621459.1993.10476408.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from telemetry.quality.flags import GOOD, SUSPECT, UNKNOWN, Booleans, Flags, Floats, flags

WINDOW_H: Final = 24
LEAST_H: Final = 18
NEAR_H: Final = 12
STEP_H: Final = 3
NOISES: Final = 3.0
REACH_H: Final = WINDOW_H + NEAR_H + STEP_H
"""What an hour's flag depends on lies no further away."""
_MAD: Final = 1.4826


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """The level before and after the start of each hour, and the noise of both."""

    before: Floats
    after: Floats
    noise_before: Floats
    noise_after: Floats
    n_before: Floats
    n_after: Floats

    @property
    def noise(self) -> Floats:
        return np.fmax(self.noise_before, self.noise_after)

    @property
    def known(self) -> Booleans:
        """Where both windows are over and have enough hours."""
        return (self.n_before >= LEAST_H) & (self.n_after >= LEAST_H)

    @property
    def shift(self) -> Floats:
        with np.errstate(over="ignore", invalid="ignore"):
            return self.after - self.before


def jump(level: Floats, least: float) -> Flags:
    """One flag an hour, about its start.

    :param level: hourly means, hour after hour without a hole; NaN where there are none. What lies after the last one is not
        over yet.

    >>> level = np.r_[np.full(30, 5.0), np.full(45, 9.0)]
    >>> np.flatnonzero(jump(level, 1.0) == 3).tolist(), np.flatnonzero(jump(level, 5.0) == 3).tolist()
    ([30], [])
    """
    found = levels(level)
    shift = found.shift
    known = found.known
    middle = three_hours(level)
    with np.errstate(over="ignore", invalid="ignore"):
        step = unusual(middle[STEP_H:] - middle[:-STEP_H])
        stands = known & stands_out(shift, found.noise, least)
        stands &= (np.abs(step) >= np.abs(shift) / 2) & (np.sign(step) == np.sign(shift))
    flag = flags(len(level), UNKNOWN)
    flag[known & settled(len(level))] = GOOD
    # Around a step many hours see the same shift: it is where the level itself changes.
    with np.errstate(over="ignore", invalid="ignore"):
        change = np.nan_to_num(np.abs(np.diff(level, prepend=np.nan)))
    most = largest(np.where(stands, np.abs(shift) + change, 0.0))
    flag[stands & most & settled(len(level))] = SUSPECT
    return flag


def unusual(step: Floats) -> Floats:
    """Steps without those of the same hour of the days before and after, as far as they are known.

    >>> float(unusual(np.array([1.0] * 24 + [6.0] + [1.0] * 24))[24])
    5.0
    """
    aside = np.full(WINDOW_H, np.nan)
    before = np.concatenate([aside, step])[: len(step)]
    after = np.concatenate([step, aside])[WINDOW_H:]
    usual = np.where(np.isnan(before), after, np.where(np.isnan(after), before, before / 2 + after / 2))
    rest: Floats = step - np.nan_to_num(usual)
    return rest


def settled(hours: int) -> Booleans:
    """Of which hours the windows of all that are near are over, too."""
    over: Booleans = np.arange(hours) + WINDOW_H + NEAR_H + STEP_H <= hours
    return over


def stands_out(shift: Floats, noise: Floats, least: float) -> Booleans:
    """Whether a shift is larger than chance and than what matters.

    >>> stands_out(np.array([2.0, 2.0, 0.5]), np.array([0.1, 1.0, 0.1]), 1.0)
    array([ True, False, False])
    """
    outstanding: Booleans = np.abs(shift) > np.maximum(NOISES * noise, least)
    return outstanding


def levels(level: Floats) -> Levels:
    """The medians of the windows before and after each hour's start."""
    around = np.full(WINDOW_H, np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([around, level, around]), WINDOW_H)
    middle, deviation, n = medians(windows)
    hours = len(level)
    before, after = slice(0, hours), slice(WINDOW_H, WINDOW_H + hours)
    # The last hours' windows are not over yet.
    n_after = np.where(np.arange(hours) + WINDOW_H <= hours, n[after], 0)
    return Levels(
        before=middle[before],
        after=middle[after],
        noise_before=_MAD * deviation[before],
        noise_after=_MAD * deviation[after],
        n_before=n[before].astype(np.float64),
        n_after=n_after.astype(np.float64),
    )


def medians(rows: Floats) -> tuple[Floats, Floats, Floats]:
    """Median, median absolute deviation and number of the values of each row that are not NaN.

    >>> [column.tolist() for column in medians(np.array([[1.0, np.nan, 3.0, 8.0], [np.nan] * 4]))]
    [[3.0, nan], [2.0, nan], [3, 0]]
    """
    n = np.count_nonzero(~np.isnan(rows), axis=1)
    middle = _middle(rows, n)
    with np.errstate(over="ignore", invalid="ignore"):
        deviation = _middle(np.abs(rows - middle[:, None]), n)
    return middle, deviation, n


def _middle(rows: Floats, n: Floats) -> Floats:
    ordered = np.sort(rows, axis=1)  # NaN comes last
    count = np.maximum(n, 1).astype(np.int64)
    at = np.arange(len(rows))
    middle: Floats = ordered[at, (count - 1) // 2] / 2 + ordered[at, count // 2] / 2
    return middle


def three_hours(level: Floats) -> Floats:
    """Medians of three hours: entry i of those before hour i, entry i + 3 of those from it on."""
    around = np.full(STEP_H, np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([around, level, around]), STEP_H)
    return medians(windows)[0][: len(level) + STEP_H]


def largest(size: Floats) -> Booleans:
    """Whether none within :data:`NEAR_H` is larger, or as large and earlier."""
    padded = np.concatenate([np.zeros(NEAR_H), size, np.zeros(NEAR_H)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * NEAR_H + 1)
    largest: Booleans = windows.argmax(axis=1) == NEAR_H
    return largest
