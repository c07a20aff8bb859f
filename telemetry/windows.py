"""What a channel's readings come to in given windows: summaries where whole closed hours allow, raw readings elsewhere.

An hour's summary serves if the hour lies whole in the window, no reading came since it was made, and all its readings were
received by ``as_of``. The other hours (cut by the window, open, late, before ``as_of`` only in part) are read raw; both ways
give the same numbers. Call these inside :func:`snapshot`, so that one view of the store answers all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.database import Connection
from core.window import HOUR_US, Window, instant
from telemetry import raw, standing
from telemetry.beside import neighbours
from telemetry.channels import ChannelInfo
from telemetry.predicates import Condition
from telemetry.spoilt import Spoilt
from telemetry.standing import TimeShare
from telemetry.statistics import Neighbour, Rules, Statistics, concatenated, merged, pieces_of
from telemetry.summaries import Summaries, kept

__all__ = ["Statistics", "TimeShare", "gaps", "resampled", "snapshot", "statistics", "time_share", "values"]


@contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """One unchanging view of the store for the length of a block; nothing can be written in it."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        with kept(connection):
            yield


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hours:
    """A channel over the span of all windows: its summaries, and the raw readings of the hours where none serves."""

    summaries: Summaries
    serves: NDArray[np.bool_]
    """Which summaries are gone by; the hours of the others are read raw."""
    all_serve: bool
    observed_us: NDArray[np.int64]
    value: NDArray[np.float64]
    starts: NDArray[np.int64]
    """The index of each raw hour's first reading."""

    def whole(self, window: Window) -> slice | NDArray[np.int64]:
        """The summaries that lie whole in the window and are gone by."""
        low, high = np.searchsorted(self.summaries.hour_us, [window.start_us, window.end_us - HOUR_US + 1]).tolist()
        high = max(low, high)
        return slice(low, high) if self.all_serve else low + np.flatnonzero(self.serves[low:high])

    def raw(self, window: Window) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
        """The raw readings of the window: instants, values, the index of each hour's first one."""
        low, high = np.searchsorted(self.observed_us, [window.start_us, window.end_us]).tolist()
        if low == high:
            return self.observed_us[:0], self.value[:0], self.starts[:0]
        first, last = np.searchsorted(self.starts, [low, high]).tolist()
        starts = self.starts[first:last] - low
        if not len(starts) or starts[0] > 0:
            # The window begins in the middle of an hour.
            starts = np.concatenate([[0], starts])
        return self.observed_us[low:high], self.value[low:high], starts


def _hours(
    connection: Connection,
    channel: ChannelInfo,
    windows: Sequence[Window],
    as_of: datetime | None,
    *,
    condition: Condition | None = None,
    without_gaps: bool = False,
) -> _Hours:
    span = Window(start=min(w.start for w in windows), end=max(w.end for w in windows))
    summaries = Summaries.load(connection, channel, span, condition)
    unfit = ~summaries.fit(as_of)
    if channel.spoilt is not None:
        unfit |= np.isin(summaries.hour_us, channel.spoilt.hours_us)
    if without_gaps and channel.max_hold_s is not None:
        unfit |= summaries.pieces.longest_gap_s > channel.max_hold_s
    edges = np.array([us for w in windows for us in (w.start_us, w.end_us) if us % HOUR_US], dtype=np.int64)
    raw_hours = np.unique(
        np.concatenate([summaries.hour_us[unfit], summaries.dirty_us, edges // HOUR_US * HOUR_US]).astype(np.int64)
    )
    observed, value = raw.readings_of_hours(connection, channel, raw_hours, as_of)
    serves = ~np.isin(summaries.hour_us, raw_hours)
    begins = np.diff(observed // HOUR_US, prepend=-1) != 0
    return _Hours(
        summaries=summaries,
        serves=serves,
        all_serve=bool(serves.all()),
        observed_us=observed,
        value=value,
        starts=np.flatnonzero(begins).astype(np.int64),
    )


def rules_of(channel: ChannelInfo) -> Rules:
    """How a channel's readings are joined."""
    return Rules(
        period_s=channel.period_s if channel.reporting == "periodic" else None,
        hold_us=channel.hold_us,
        steps=channel.kind == "state",
        spoilt=channel.spoilt,
    )


def statistics(
    connection: Connection, channel: ChannelInfo, windows: Sequence[Window], as_of: datetime | None = None
) -> list[Statistics]:
    """The statistics of each window, in the order given."""
    if not windows:
        return []
    rules = rules_of(channel)
    hours = _hours(connection, channel, windows, as_of)
    around = neighbours(connection, channel, windows, as_of)
    found = []
    for window, (before, after) in zip(windows, around, strict=True):
        pieces = hours.summaries.take(hours.whole(window))
        observed, value, starts = hours.raw(window)
        if len(starts):
            pieces = concatenated([pieces, pieces_of(observed, value, starts, rules)])
        found.append(merged(pieces, window, rules, before=before, after=after))
    return found


def time_share(
    connection: Connection,
    channel: ChannelInfo,
    condition: Condition,
    windows: Sequence[Window],
    as_of: datetime | None = None,
) -> list[TimeShare]:
    """Seconds during which the condition held, and seconds during which any reading stood, for each window."""
    if not windows:
        return []
    around = neighbours(connection, channel, windows, as_of)
    hold_us = channel.hold_us
    if hold_us is None:
        return _shares_until_lost(connection, channel, condition, windows, as_of, [before for before, _ in around])
    hours = _hours(connection, channel, windows, as_of, condition=condition)
    return [
        _share(hours, condition, window, before, hold_us, channel.spoilt)
        for window, (before, _) in zip(windows, around, strict=True)
    ]


def _share(
    hours: _Hours, condition: Condition, window: Window, before: Neighbour | None, hold_us: int, spoilt: Spoilt | None
) -> TimeShare:
    index = hours.whole(window)
    taken = hours.summaries
    true_us = float(taken.true_s[index].sum()) * 1e6
    covered_us = float(taken.covered_s[index].sum()) * 1e6
    # Of each hour: its end, its first and last reading, and what the last one says.
    end_us = taken.hour_us[index] + HOUR_US
    first_us, last_us, last_value = (
        taken.pieces.first_us[index],
        taken.pieces.last_us[index],
        taken.pieces.last_value[index],
    )
    observed, value, starts = hours.raw(window)
    if len(starts):
        ends = np.append(starts[1:], len(observed)) - 1
        hour_end = np.minimum(observed[starts] // HOUR_US * HOUR_US + HOUR_US, window.end_us)
        following = np.append(observed[1:], 0)
        following[ends] = hour_end
        if spoilt is not None:
            following = np.minimum(following, spoilt.cuts(observed))
        stands = np.minimum(following - observed, hold_us)
        # Whole microseconds add up exactly, in any order.
        true_us += int(stands[condition(value)].sum())
        covered_us += int(stands.sum())
        end_us = np.concatenate([end_us, hour_end])
        order = np.argsort(end_us, kind="stable")
        end_us = end_us[order]
        first_us = np.concatenate([first_us, observed[starts]])[order]
        last_us = np.concatenate([last_us, observed[ends]])[order]
        last_value = np.concatenate([last_value, value[ends]])[order]
    if before is not None:
        end_us = np.concatenate([[window.start_us], end_us])
        first_us, last_us = (np.concatenate([[before.us], column]) for column in (first_us, last_us))
        last_value = np.concatenate([[before.value], last_value])
    if len(end_us):
        # What a reading still stands for beyond the end of its hour, until the first of the next one.
        following = np.append(first_us[1:], window.end_us)
        if spoilt is not None:
            following = np.minimum(following, spoilt.cuts(last_us))
        carried = np.maximum(np.minimum(np.minimum(last_us + hold_us, following), window.end_us) - end_us, 0)
        true_us += int(carried[condition(last_value)].sum())
        covered_us += int(carried.sum())
    return TimeShare(true_s=round(true_us) / 1e6, covered_s=round(covered_us) / 1e6)


def _shares_until_lost(
    connection: Connection,
    channel: ChannelInfo,
    condition: Condition,
    windows: Sequence[Window],
    as_of: datetime | None,
    before: list[Neighbour | None],
) -> list[TimeShare]:
    found = []
    for window, neighbour in zip(windows, before, strict=True):
        observed, value, until = _standing(connection, channel, window, as_of, neighbour)
        found.append(standing.share(observed, value, until, condition, window))
    return found


def _standing(
    connection: Connection, channel: ChannelInfo, window: Window, as_of: datetime | None, before: Neighbour | None
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """The raw readings of a window with the one that stands at its start, and until when each stands by itself."""
    observed, value = raw.readings(connection, channel, window, as_of)
    if before is not None:
        observed = np.concatenate([[before.us], observed]).astype(np.int64)
        value = np.concatenate([[before.value], value])
    start_us = int(observed[0]) if len(observed) else window.start_us
    lost = raw.links_lost(
        connection, channel, Window(start=instant(min(start_us, window.start_us)), end=window.end), as_of
    )
    return observed, value, standing.stands_until(observed, channel.hold_us, lost, channel.spoilt)


def gaps(connection: Connection, channel: ChannelInfo, window: Window, as_of: datetime | None = None) -> list[Window]:
    """The longest stretches of the window in which no reading of the channel stands, in the order of time."""
    [(before, _)] = neighbours(connection, channel, [window], as_of)
    hold_us = channel.hold_us
    if hold_us is None:
        observed, _, until = _standing(connection, channel, window, as_of, before)
        return standing.gaps(observed, observed, until, window)
    hours = _hours(connection, channel, [window], as_of, without_gaps=True)
    taken, index = hours.summaries.pieces, hours.whole(window)
    observed, _, _ = hours.raw(window)
    known = np.array([] if before is None else [before.us], dtype=np.int64)
    # Raw readings as runs without a gap inside, as a summary is one.
    broken = np.flatnonzero(~rules_of(channel).joined(observed[:-1], observed[1:]))
    first = np.concatenate([known, taken.first_us[index], observed[:1], observed[broken + 1]])
    last = np.concatenate([known, taken.last_us[index], observed[broken], observed[-1:]])
    order = np.argsort(first, kind="stable")
    nothing = np.empty(0, dtype=np.int64)
    until = standing.stands_until(last[order], hold_us, nothing, channel.spoilt)
    return standing.gaps(first[order], last[order], until, window)


def values(
    connection: Connection, channel: ChannelInfo, window: Window, as_of: datetime | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The raw readings of a window: instants in µs and values, in the order of time."""
    return raw.readings(connection, channel, window, as_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """The readings of one step of a chart; ``n`` = 0 and NaN where there are none: a gap stays a gap."""

    start: datetime
    n: int
    mean: float
    min: float
    max: float


def resampled(
    connection: Connection, channel: ChannelInfo, window: Window, step_s: float, as_of: datetime | None = None
) -> list[Bin]:
    """Equal steps from the start of the window, for charts; the last one may be shorter."""
    step_us = round(step_s * 1e6)
    starts = range(window.start_us, window.end_us, step_us)
    if step_us % HOUR_US == 0:
        steps = [Window(start=instant(us), end=min(instant(us + step_us), window.end)) for us in starts]
        return [
            Bin(start=step.start, n=s.n, mean=s.mean, min=s.min, max=s.max)
            for step, s in zip(steps, statistics(connection, channel, steps, as_of), strict=True)
        ]
    observed, value = raw.readings(connection, channel, window, as_of)
    cuts = np.searchsorted(observed, np.array([*starts, window.end_us], dtype=np.int64))
    bins = []
    for us, low, high in zip(starts, cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        part = value[low:high]
        known: tuple[Any, ...] = (part.mean(), part.min(), part.max()) if high > low else (np.nan, np.nan, np.nan)
        bins.append(
            Bin(start=instant(us), n=high - low, mean=float(known[0]), min=float(known[1]), max=float(known[2]))
        )
    return bins


def completeness(found: Sequence[Statistics]) -> float | None:
    """Share of the expected readings that are there, over several windows or channels; None where none are expected."""
    expected = sum(s.expected for s in found)
    return None if expected == 0 else max(0.0, 1 - sum(s.missing for s in found) / expected)
