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
from telemetry.channels import ChannelInfo
from telemetry.predicates import Condition
from telemetry.standing import TimeShare
from telemetry.statistics import Neighbour, Rules, Statistics, concatenated, merged, piece_of
from telemetry.summaries import Summaries

__all__ = ["Statistics", "TimeShare", "gaps", "resampled", "snapshot", "statistics", "time_share", "values"]


@contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """One unchanging view of the store for the length of a block; nothing can be written in it."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hours:
    """A channel over the span of all windows: its summaries, and the raw readings of the hours where none serves."""

    summaries: Summaries
    raw_hours: NDArray[np.int64]
    """Starts (µs) of the hours that are read raw, sorted."""
    observed_us: NDArray[np.int64]
    value: NDArray[np.float64]

    def whole(self, window: Window) -> NDArray[np.int64]:
        """Indices of the summaries that lie whole in the window and are not read raw."""
        low, high = np.searchsorted(self.summaries.hour_us, [window.start_us, window.end_us - HOUR_US + 1])
        index = np.arange(low, max(low, high))
        return index[~np.isin(self.summaries.hour_us[index], self.raw_hours)]

    def parts(self, window: Window) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.float64]]]:
        """The raw readings of the window, one hour after the other: (hour µs, instants, values)."""
        low, high = np.searchsorted(self.observed_us, [window.start_us, window.end_us])
        observed, value = self.observed_us[low:high], self.value[low:high]
        hours = observed // HOUR_US
        cuts = np.flatnonzero(np.diff(hours)) + 1
        for start, end in zip([0, *cuts.tolist()], [*cuts.tolist(), len(hours)], strict=True):
            if end > start:
                yield int(hours[start]) * HOUR_US, observed[start:end], value[start:end]


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
    if without_gaps and channel.max_hold_s is not None:
        unfit |= summaries.pieces.longest_gap_s > channel.max_hold_s
    edges = np.array([us for w in windows for us in (w.start_us, w.end_us) if us % HOUR_US], dtype=np.int64)
    raw_hours = np.unique(
        np.concatenate([summaries.hour_us[unfit], summaries.dirty_us, edges // HOUR_US * HOUR_US]).astype(np.int64)
    )
    observed, value = raw.readings_of_hours(connection, channel, raw_hours, as_of)
    return _Hours(summaries=summaries, raw_hours=raw_hours, observed_us=observed, value=value)


def rules_of(channel: ChannelInfo) -> Rules:
    """How a channel's readings are joined."""
    return Rules(
        period_s=channel.period_s if channel.reporting == "periodic" else None,
        hold_us=channel.hold_us,
        steps=channel.kind == "state",
    )


def statistics(
    connection: Connection, channel: ChannelInfo, windows: Sequence[Window], as_of: datetime | None = None
) -> list[Statistics]:
    """The statistics of each window, in the order given."""
    if not windows:
        return []
    rules = rules_of(channel)
    hours = _hours(connection, channel, windows, as_of)
    around = raw.neighbours(connection, channel, windows, as_of)
    found = []
    for window, (before, after) in zip(windows, around, strict=True):
        parts = [hours.summaries.take(hours.whole(window))]
        parts += [piece_of(observed, value, rules) for _, observed, value in hours.parts(window)]
        found.append(merged(concatenated(parts), window, rules, before=before, after=after))
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
    around = raw.neighbours(connection, channel, windows, as_of)
    hold_us = channel.hold_us
    if hold_us is None:
        return _shares_until_lost(connection, channel, condition, windows, as_of, [before for before, _ in around])
    hours = _hours(connection, channel, windows, as_of, condition=condition)
    return [
        _share(hours, condition, window, before, hold_us) for window, (before, _) in zip(windows, around, strict=True)
    ]


def _share(hours: _Hours, condition: Condition, window: Window, before: Neighbour | None, hold_us: int) -> TimeShare:
    index = hours.whole(window)
    taken = hours.summaries.take(index)
    rows = list(
        zip(
            (hours.summaries.hour_us[index] + HOUR_US).tolist(),
            taken.first_us.tolist(),
            taken.last_us.tolist(),
            taken.last_value.tolist(),
            strict=True,
        )
    )
    true_us = float(hours.summaries.true_s[index].sum()) * 1e6
    covered_us = float(hours.summaries.covered_s[index].sum()) * 1e6
    for hour, observed, value in hours.parts(window):
        end = min(hour + HOUR_US, window.end_us)
        stretch = Window(start=instant(int(observed[0])), end=instant(end))
        own = standing.share(observed, value, observed + hold_us, condition, stretch)
        true_us += own.true_s * 1e6
        covered_us += own.covered_s * 1e6
        rows.append((end, int(observed[0]), int(observed[-1]), float(value[-1])))
    # What a reading still stands for beyond the end of its hour, until the first of the next one.
    rows.sort()
    if before is not None:
        rows.insert(0, (window.start_us, before.us, before.us, before.value))
    if rows:
        end_us, first_us, last_us, last_value = (np.array(column) for column in zip(*rows, strict=True))
        following = np.append(first_us[1:], window.end_us)
        carried = np.maximum(np.minimum(np.minimum(last_us + hold_us, following), window.end_us) - end_us, 0)
        true_us += float(carried[condition(last_value.astype(np.float64))].sum())
        covered_us += float(carried.sum())
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
    return observed, value, standing.stands_until(observed, channel.hold_us, lost)


def gaps(connection: Connection, channel: ChannelInfo, window: Window, as_of: datetime | None = None) -> list[Window]:
    """The longest stretches of the window in which no reading of the channel stands, in the order of time."""
    [(before, _)] = raw.neighbours(connection, channel, [window], as_of)
    hold_us = channel.hold_us
    if hold_us is None:
        observed, _, until = _standing(connection, channel, window, as_of, before)
        return standing.gaps(observed, observed, until, window)
    hours = _hours(connection, channel, [window], as_of, without_gaps=True)
    taken = hours.summaries.take(hours.whole(window))
    firsts, lasts = [taken.first_us], [taken.last_us]
    for _, observed, _ in hours.parts(window):
        firsts.append(observed)
        lasts.append(observed)
    if before is not None:
        firsts.append(np.array([before.us]))
        lasts.append(np.array([before.us]))
    first, last = np.concatenate(firsts).astype(np.int64), np.concatenate(lasts).astype(np.int64)
    order = np.argsort(first, kind="stable")
    return standing.gaps(first[order], last[order], last[order] + hold_us, window)


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
