"""What a channel adds up to: its integral over time, and the steps of a counter.

Integrals come from the hours' summaries where the channel is periodic; one that reports on change is read raw, since a reading
stands until its link is lost, which no hourly row can know. A counter's first and last reading come from the summaries too,
and so does whether it stepped down between them: only the hours in which it did are read raw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from core.database import Connection
from core.window import Window, instant
from telemetry import raw, standing
from telemetry.beside import neighbours
from telemetry.channels import ChannelInfo
from telemetry.statistics import Neighbour, Statistics
from telemetry.summaries import Summaries
from telemetry.windows import statistics


@dataclass(frozen=True, slots=True, kw_only=True)
class Integral:
    """∫ value dt in the channel's unit × s, and the seconds it covers."""

    integral: float
    covered_s: float


def integrals(
    connection: Connection, channel: ChannelInfo, windows: Sequence[Window], as_of: datetime | None = None
) -> list[Integral]:
    """The integral over each window.

    Between two readings of a periodic channel the value goes straight from one to the other, if they are no further apart than
    a reading stands. Where the channel was never heard before the first reading, or after the last, that one stands up to the
    edge of the window, if it is as near as that. A gap is filled nowhere, at an edge neither.

        ┬──────●────●────●────────────────────●────●─────┬
        └ edge ┘trapezoids└ a gap: not covered ┘    └ edge ┘
    """
    if not windows:
        return []
    if channel.reporting != "periodic" or channel.hold_us is None:
        return _in_steps(connection, channel, windows, as_of)
    found = statistics(connection, channel, windows, as_of)
    beside = dict(zip(windows, neighbours(connection, channel, windows, as_of), strict=True))
    lonely = [window for window, near in beside.items() if None in near]
    if lonely:
        beside.update(zip(lonely, raw.neighbours(connection, channel, lonely, as_of, however_far=True), strict=True))
    return [_to_the_edges(read, window, *beside[window], channel) for read, window in zip(found, windows, strict=True)]


def _to_the_edges(
    read: Statistics, window: Window, before: Neighbour | None, after: Neighbour | None, channel: ChannelInfo
) -> Integral:
    integral, covered = read.integral, read.covered_s
    hold_us, spoilt = channel.hold_us, channel.spoilt
    assert hold_us is not None
    if read.n:
        ends = (
            (before, window.start_us, read.first_us, read.first_value),
            (after, read.last_us, window.end_us, read.last_value),
        )
        for neighbour, start_us, end_us, value in ends:
            length_us = end_us - start_us
            if neighbour is None and 0 < length_us <= hold_us and not (spoilt and spoilt.between(start_us, end_us)):
                integral += value * length_us / 1e6
                covered += length_us / 1e6
    elif (
        before is not None
        and after is None
        and window.end_us - before.us <= hold_us
        and not (spoilt and spoilt.between(before.us, window.end_us))
    ):
        integral, covered = before.value * window.seconds, window.seconds
    return Integral(integral=integral, covered_s=covered)


def _in_steps(
    connection: Connection, channel: ChannelInfo, windows: Sequence[Window], as_of: datetime | None
) -> list[Integral]:
    """Each reading stands until the next, its hold, or the loss of its link."""
    span = Window(start=min(w.start for w in windows), end=max(w.end for w in windows))
    [(before, _)] = neighbours(connection, channel, [span], as_of)
    observed, value = raw.readings(connection, channel, span, as_of)
    if before is not None:
        observed = np.concatenate([[before.us], observed]).astype(np.int64)
        value = np.concatenate([[before.value], value])
    if not len(observed):
        return [Integral(integral=0.0, covered_s=0.0) for _ in windows]
    lost = raw.links_lost(connection, channel, Window(start=instant(int(observed[0])), end=span.end), as_of)
    until = np.minimum(
        standing.stands_until(observed, channel.hold_us, lost, channel.spoilt),
        np.append(observed[1:], standing.FOREVER_US),
    )
    found = []
    for window in windows:
        first = max(int(np.searchsorted(observed, window.start_us, side="right")) - 1, 0)
        last = int(np.searchsorted(observed, window.end_us))
        begins = np.clip(observed[first:last], window.start_us, window.end_us)
        ends = np.clip(until[first:last], window.start_us, window.end_us)
        seconds = np.maximum(ends - begins, 0) / 1e6
        found.append(Integral(integral=float((value[first:last] * seconds).sum()), covered_s=float(seconds.sum())))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterStep:
    """One step of a counter, or the part of one that lies in a window."""

    before: float
    after: float
    part: float = 1.0
    """0 to 1: how much of its time lies in the window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A counter in a window."""

    n: int
    climbed: float
    """From the first reading to the last one, with each fall, and each false step, taken as no step at all."""
    falls: tuple[CounterStep, ...]
    edges: tuple[CounterStep, ...]
    """The steps into the window and out of it, as far as they lie in it."""


def runs(
    connection: Connection,
    channel: ChannelInfo,
    windows: Sequence[Window],
    as_of: datetime | None = None,
    *,
    read: Sequence[Statistics] | None = None,
    begins_us: Sequence[int] = (),
) -> list[Run]:
    """What a counter did in each window.

    :param read: the statistics of the windows, where they are known already.
    :param begins_us: instants at which another device took the place; no step goes over one. No window may hold one inside.
    """
    if not windows:
        return []
    found = statistics(connection, channel, windows, as_of) if read is None else read
    around = neighbours(connection, channel, windows, as_of)
    falls = _falls(connection, channel, windows, as_of)
    breaks = frozenset(begins_us)
    made = []
    for window, one, (before, after) in zip(windows, found, around, strict=True):
        inside, false = falls.within(window)
        climbed = 0.0
        if one.n:
            climbed = one.last_value - one.first_value + sum(fall.before - fall.after for fall in (*inside, *false))
        edges = _edges(
            one,
            window,
            None if window.start_us in breaks else before,
            None if window.end_us in breaks else after,
            channel,
        )
        made.append(Run(n=one.n, climbed=climbed, falls=tuple(inside), edges=edges))
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class _Falls:
    """Every step down of a counter, and every false one: from when to when, from what to what, in the order of time."""

    from_us: NDArray[np.int64]
    to_us: NDArray[np.int64]
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    false: NDArray[np.bool_]

    def within(self, window: Window) -> tuple[list[CounterStep], list[CounterStep]]:
        """Those down, and those false, whichever way."""
        first, last = np.searchsorted(self.from_us, [window.start_us, window.end_us])
        found: tuple[list[CounterStep], list[CounterStep]] = ([], [])
        for i in range(int(first), int(last)):
            if self.to_us[i] < window.end_us:
                found[int(self.false[i])].append(CounterStep(before=float(self.before[i]), after=float(self.after[i])))
        return found


def _falls(connection: Connection, channel: ChannelInfo, windows: Sequence[Window], as_of: datetime | None) -> _Falls:
    """Of an hour without a step down inside, its first and last reading tell all; the other hours are read raw."""
    span = Window(start=min(w.start for w in windows), end=max(w.end for w in windows))
    found = Summaries.load(connection, channel, span)
    level = found.fit(as_of) & (found.falls == 0) & ~np.isin(found.hour_us, found.dirty_us)
    if channel.spoilt is not None:
        level &= ~np.isin(found.hour_us, channel.spoilt.hours_us)
    pieces = found.take(np.flatnonzero(level))
    others = np.union1d(found.hour_us[~level], found.dirty_us)
    observed, value = raw.readings_of_hours(connection, channel, others, as_of)
    at_us = np.concatenate([pieces.first_us, pieces.last_us, observed])
    stood = np.concatenate([pieces.first_value, pieces.last_value, value])
    # Stable: an hour's only reading is its first and its last.
    order = np.argsort(at_us, kind="stable")
    at_us, stood = at_us[order], stood[order]
    gone = stood[1:] < stood[:-1]
    false = np.zeros(len(gone), dtype=np.bool_)
    if channel.spoilt is not None and channel.spoilt.steps is not None:
        false = channel.spoilt.steps.apart(at_us[:-1], at_us[1:])
    step = np.flatnonzero(gone | false)
    return _Falls(
        from_us=at_us[step], to_us=at_us[step + 1], before=stood[step], after=stood[step + 1], false=false[step]
    )


def _edges(
    read: Statistics, window: Window, before: Neighbour | None, after: Neighbour | None, channel: ChannelInfo
) -> tuple[CounterStep, ...]:
    hold_us, spoilt = channel.hold_us, channel.spoilt
    first = Neighbour(us=read.first_us, value=read.first_value) if read.n else after
    last = Neighbour(us=read.last_us, value=read.last_value) if read.n else None
    found = []
    for one, other in ((before, first), (last, after)):
        if one is None or other is None or other.us <= one.us or (hold_us is not None and other.us - one.us > hold_us):
            continue
        if spoilt is not None and spoilt.between(one.us, other.us):
            continue
        inside = min(other.us, window.end_us) - max(one.us, window.start_us)
        if inside > 0:
            found.append(CounterStep(before=one.value, after=other.value, part=inside / (other.us - one.us)))
    return tuple(found)
