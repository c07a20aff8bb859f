"""What a channel says over short, equal stretches of time, one after the other: means, sums, and how far a counter went.

Stretches of an hour or more come from the hours' summaries where these serve, shorter ones from the readings themselves, some
weeks at a time. Both ways give the same numbers: sums are rounded once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from core.database import Connection
from core.window import HOUR_US, MICROSECOND, Window, instant
from telemetry import raw
from telemetry.channels import ChannelInfo
from telemetry.statistics import concatenated, missing_between, pieces_of
from telemetry.summaries import Summaries
from telemetry.sums import integrals
from telemetry.windows import rules_of, statistics, values

Floats = NDArray[np.float64]
Micros = NDArray[np.int64]

_AT_ONCE = timedelta(days=28)

Step = Callable[[float, float], float]
"""How far a counter went between two readings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Averages:
    """Of each stretch, in the order given."""

    value: Floats
    """Mean, sum or increase, in the channel's unit; NaN where there is none."""
    coverage: Floats
    """How much of what was to be expected is there, 0 to 1: readings, or of a channel without a period seconds."""
    n: NDArray[np.int64]


def averages(
    connection: Connection,
    channel: ChannelInfo,
    starts_us: Micros,
    ends_us: Micros,
    as_of: datetime | None,
    *,
    summed: bool = False,
    stamped_end: bool = False,
) -> Averages:
    """The mean (or the sum of the readings) of each stretch, none of which overlap.

    A channel without a period says what it said last until it says something else: its mean is by time.

    :param starts_us: ascending.
    :param stamped_end: a reading stands for the time before it: one at the end of a stretch belongs to it, one at its start not.
    """
    if stamped_end:
        starts_us, ends_us = starts_us + 1, ends_us + 1
    if not len(starts_us):
        none = np.empty(0, dtype=np.float64)
        return Averages(value=none, coverage=none, n=np.empty(0, dtype=np.int64))
    if channel.reporting != "periodic" or channel.period_s is None:
        return _by_time(connection, channel, starts_us, ends_us, as_of, summed=summed)
    if not ((ends_us - starts_us) % HOUR_US).any() and not stamped_end:
        return _of_hours(connection, channel, starts_us, ends_us, as_of, summed=summed)
    return _of_readings(connection, channel, starts_us, ends_us, as_of, summed=summed)


def _windows(starts_us: Micros, ends_us: Micros) -> list[Window]:
    return [
        Window(start=instant(start), end=instant(end))
        for start, end in zip(starts_us.tolist(), ends_us.tolist(), strict=True)
    ]


def _of_hours(
    connection: Connection,
    channel: ChannelInfo,
    starts_us: Micros,
    ends_us: Micros,
    as_of: datetime | None,
    *,
    summed: bool,
) -> Averages:
    if not (starts_us % HOUR_US).any() and ((ends_us - starts_us) == HOUR_US).all():
        return _of_single_hours(connection, channel, starts_us, as_of, summed=summed)
    found = statistics(connection, channel, _windows(starts_us, ends_us), as_of)
    return Averages(
        value=np.array([one.sum if summed and one.n else one.mean for one in found], dtype=np.float64),
        coverage=np.array([one.completeness or 0.0 for one in found], dtype=np.float64),
        n=np.array([one.n for one in found], dtype=np.int64),
    )


def _of_single_hours(
    connection: Connection, channel: ChannelInfo, starts_us: Micros, as_of: datetime | None, *, summed: bool
) -> Averages:
    """Each hour's summary as it stands; the others are read."""
    rules = rules_of(channel)
    span = Window(start=instant(int(starts_us[0])), end=instant(int(starts_us[-1]) + HOUR_US))
    found = Summaries.load(connection, channel, span)
    hours, counts = np.unique(found.hour_us, return_counts=True)
    several = np.isin(found.hour_us, hours[counts > 1])  # of several revisions
    serves = found.fit(as_of) & ~several & ~np.isin(found.hour_us, found.dirty_us)
    others = np.union1d(found.hour_us[~serves], found.dirty_us)
    observed, said = raw.readings_of_hours(connection, channel, others[np.isin(others, starts_us)], as_of)
    order = np.argsort(observed, kind="stable")
    observed, said = observed[order], said[order]
    begins = np.flatnonzero(np.diff(observed // HOUR_US, prepend=-1) != 0).astype(np.int64)
    pieces = concatenated([found.take(np.flatnonzero(serves)), pieces_of(observed, said, begins, rules)])
    place = np.searchsorted(starts_us, pieces.first_us // HOUR_US * HOUR_US)
    there = (place < len(starts_us)) & (
        starts_us[np.minimum(place, len(starts_us) - 1)] == pieces.first_us // HOUR_US * HOUR_US
    )
    at = place[there]
    expected = round(HOUR_US / 1e6 / (channel.period_s or 1.0))
    edges = (pieces.first_us[there] - starts_us[at]) + (starts_us[at] + HOUR_US - pieces.last_us[there])
    value, missing, n = (
        np.full(len(starts_us), np.nan),
        np.full(len(starts_us), expected),
        np.zeros(len(starts_us), dtype=np.int64),
    )
    value[at] = pieces.mean[there] * (pieces.n[there] if summed else 1)
    missing[at] = np.minimum(pieces.missing[there] + missing_between(edges, rules), expected)
    n[at] = pieces.n[there]
    return Averages(value=value, coverage=1 - missing / max(expected, 1), n=n)


def _by_time(
    connection: Connection,
    channel: ChannelInfo,
    starts_us: Micros,
    ends_us: Micros,
    as_of: datetime | None,
    *,
    summed: bool,
) -> Averages:
    windows = _windows(starts_us, ends_us)
    counted = np.array([one.n for one in statistics(connection, channel, windows, as_of)], dtype=np.int64)
    found = integrals(connection, channel, windows, as_of)
    covered = np.array([one.covered_s for one in found], dtype=np.float64)
    if summed:
        added = statistics(connection, channel, windows, as_of)
        value = np.array([one.sum if one.n else np.nan for one in added], dtype=np.float64)
    else:
        value = np.array([one.integral / one.covered_s if one.covered_s > 0 else np.nan for one in found])
    return Averages(value=value, coverage=covered * 1e6 / (ends_us - starts_us), n=counted)


def _parts(starts_us: Micros, ends_us: Micros) -> Iterator[tuple[slice, Window]]:
    """The stretches some weeks at a time, with the window that holds them."""
    first = 0
    while first < len(starts_us):
        last = int(np.searchsorted(starts_us, starts_us[first] + _AT_ONCE // MICROSECOND))
        yield slice(first, last), Window(start=instant(int(starts_us[first])), end=instant(int(ends_us[last - 1])))
        first = last


def _of_readings(
    connection: Connection,
    channel: ChannelInfo,
    starts_us: Micros,
    ends_us: Micros,
    as_of: datetime | None,
    *,
    summed: bool,
) -> Averages:
    rules = rules_of(channel)
    assert channel.period_s is not None
    expected = np.rint((ends_us - starts_us) / (channel.period_s * 1e6)).astype(np.int64)
    value, missing, n = np.full(len(starts_us), np.nan), expected.copy(), np.zeros(len(starts_us), dtype=np.int64)
    for part, window in _parts(starts_us, ends_us):
        observed, said = values(connection, channel, window, as_of)
        place = part.start + np.searchsorted(starts_us[part], observed, side="right") - 1
        inside = (place >= part.start) & (observed < ends_us[np.maximum(place, 0)])
        observed, said, place = observed[inside], said[inside], place[inside]
        begins = np.flatnonzero(np.diff(place, prepend=-1) != 0).astype(np.int64)
        pieces, at = pieces_of(observed, said, begins, rules), place[begins]
        edges = (pieces.first_us - starts_us[at]) + (ends_us[at] - pieces.last_us)
        value[at] = pieces.mean * pieces.n if summed else pieces.mean
        n[at] = pieces.n
        missing[at] = np.minimum(pieces.missing + missing_between(edges, rules), expected[at])
    return Averages(value=value, coverage=1 - missing / np.maximum(expected, 1), n=n)


def increases(
    connection: Connection,
    channel: ChannelInfo,
    starts_us: Micros,
    ends_us: Micros,
    as_of: datetime | None,
    *,
    step: Step,
    begins_us: tuple[int, ...] = (),
) -> Averages:
    """How far a counter went in each stretch; a step over an edge counts by its part of the time, if no longer than one stands.

    :param step: how far it went between two readings; called for steps down only.
    :param begins_us: instants at which another device took the place; no step goes over one.
    """
    found = averages(connection, channel, starts_us, ends_us, as_of)
    went = np.zeros(len(starts_us))
    hold_us = channel.hold_us or _AT_ONCE // MICROSECOND
    reach = min(timedelta(microseconds=hold_us), _AT_ONCE)
    for part, window in _parts(starts_us, ends_us):
        observed, said = values(connection, channel, Window(start=window.start - reach, end=window.end + reach), as_of)
        counted = _Counted(observed=observed, said=said, hold_us=hold_us, step=step, begins_us=begins_us)
        went[part] = counted.within(starts_us[part], ends_us[part])
    return Averages(value=np.where(found.n > 0, went, np.nan), coverage=found.coverage, n=found.n)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """A counter's readings.

    >>> by = _Counted(observed=np.array([0, 10, 20, 30]), said=np.array([5.0, 7.0, 9.0, 13.0]), hold_us=100,
    ...               step=lambda before, after: 0.0, begins_us=())
    >>> by.within(np.array([5, 20]), np.array([20, 35])).tolist()                 # half of the first step
    [3.0, 4.0]
    """

    observed: Micros
    said: Floats
    hold_us: int
    step: Step
    begins_us: tuple[int, ...]

    def _steps(self) -> Floats:
        found = np.diff(self.said)
        for place in np.flatnonzero(found < 0).tolist():
            found[place] = self.step(float(self.said[place]), float(self.said[place + 1]))
        for at_us in self.begins_us:
            found[(self.observed[:-1] < at_us) & (self.observed[1:] >= at_us)] = 0.0
        return found

    def within(self, starts_us: Micros, ends_us: Micros) -> Floats:
        """How far it went in each stretch."""
        if len(self.observed) < 2:
            return np.zeros(len(starts_us))
        steps, begins, ends = self._steps(), self.observed[:-1], self.observed[1:]
        place = np.maximum(np.searchsorted(starts_us, begins, side="right") - 1, 0)
        whole = (begins >= starts_us[place]) & (ends <= ends_us[place])
        found: Floats = np.zeros(len(starts_us))
        found += np.bincount(place[whole], weights=steps[whole], minlength=len(starts_us))
        # The others lie over an edge: each stretch has as much of one as of its time.
        for index in np.flatnonzero(~whole & (ends - begins <= self.hold_us)).tolist():
            low, high = int(begins[index]), int(ends[index])
            for one in range(int(place[index]), int(np.searchsorted(starts_us, high))):
                shared = min(high, int(ends_us[one])) - max(low, int(starts_us[one]))
                if shared > 0:
                    found[one] += float(steps[index]) * shared / (high - low)
        return found
