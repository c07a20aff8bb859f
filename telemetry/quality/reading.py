"""What of a channel is read to judge some of its hours: the hours that they bear on, and what those lean on before and after.

A flag depends on the readings beside it, one of ``stuck`` on all within its threshold. So the hours that were touched are
widened to those of their neighbours, and, while the value rests, on to the first hour in which it moved: then whatever is
judged together, each hour comes out as if all had been.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from core.database import Connection
from core.sql import load
from core.window import HOUR_US, Window, instant, micros
from telemetry import raw
from telemetry.channels import ChannelInfo
from telemetry.quality.flags import Floats, Micros
from telemetry.quality.thresholds import Thresholds
from telemetry.statistics import Neighbour
from telemetry.summaries import Summaries

_SQL = load("telemetry.quality", "quality.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Readings of some hours with what they lean on."""

    judged: Window
    """Whole hours: what is judged."""
    observed_us: Micros
    """In the order of time, each instant once; also of before and after."""
    value: Floats
    before: Neighbour | None
    """The last reading before what is judged, however long ago."""
    after: Neighbour | None
    """The first one after it."""

    @property
    def own(self) -> slice:
        """Which of the readings are judged."""
        low, high = np.searchsorted(self.observed_us, [self.judged.start_us, self.judged.end_us])
        return slice(int(low), int(high))


def part(connection: Connection, channel: ChannelInfo, by: Thresholds, touched: Window, closed_us: int) -> Part:
    """What has to be read and judged anew where hours were touched.

    :param touched: whole hours.
    :param closed_us: up to where hours are closed.
    """
    near = _Near(connection, channel, by.hold_us)
    judged = touched
    # A reading bears on the flags of its neighbours; through a counter's increments on the second one after it, too.
    for _ in range(2 if by.counter and by.spike is not None else 1):
        judged, before, after = near.widened(judged, closed_us)
    start_us, widest = judged.start_us, judged
    if by.stuck is not None and by.period_s is not None:
        judged, start_us = _rested(connection, channel, by, judged, closed_us)
    if judged != touched or widest != touched:
        before, after = near.around(judged)
    if by.counter and by.spike is not None:
        start_us = min(start_us, near.widened(judged, 0)[0].start_us)
    observed, value = _once(*raw.readings(connection, channel, Window(start=instant(start_us), end=judged.end), None))
    first = before if start_us == judged.start_us else near.around(Window(start=instant(start_us), end=judged.end))[0]
    for edge, at in ((first, 0), (after, None)):
        if edge is not None:
            observed = np.insert(observed, len(observed) if at is None else at, edge.us)
            value = np.insert(value, len(value) if at is None else at, edge.value)
    return Part(judged=judged, observed_us=observed, value=value, before=before, after=after)


@dataclass(frozen=True, slots=True)
class _Near:
    """The readings next to some hours, however far away."""

    connection: Connection
    channel: ChannelInfo
    hold_us: int | None

    def around(self, window: Window) -> tuple[Neighbour | None, Neighbour | None]:
        """The last reading before a window and the first after it."""
        asked = {"channels": list(self.channel.channel_ids), "start": window.start, "end": window.end}
        row = self.connection.execute(_SQL["nearest"], asked).fetchone()
        assert row is not None
        before, after = row["before_at"], row["after_at"]
        if self.channel.redecoded_ids:
            return (
                None if before is None else self._nearest(window, window.start - before, 0),
                None if after is None else self._nearest(window, after - window.end, 1),
            )
        return (
            None if before is None else Neighbour(us=micros(before), value=row["before_value"]),
            None if after is None else Neighbour(us=micros(after), value=row["after_value"]),
        )

    def _nearest(self, window: Window, away: timedelta, side: int) -> Neighbour | None:
        # One that was decoded again does not stand any more: then the next one has to be looked for, however far away.
        for most_s in (away.total_seconds() + 1e-3, None):
            [found] = raw.neighbours(self.connection, replace(self.channel, max_hold_s=most_s), [window], None)
            if found[side] is not None:
                break
        return found[side]

    def widened(self, window: Window, closed_us: int) -> tuple[Window, Neighbour | None, Neighbour | None]:
        """The hours with those of the readings before and after them, if they stand into one another."""
        before, after = self.around(window)
        start_us, end_us = window.start_us, window.end_us
        if before is not None and (self.hold_us is None or start_us - before.us <= self.hold_us):
            start_us = before.us // HOUR_US * HOUR_US
        if after is not None and (self.hold_us is None or after.us - end_us <= self.hold_us):
            end_us = max(end_us, min(after.us // HOUR_US * HOUR_US + HOUR_US, closed_us))
        return Window(start=instant(start_us), end=instant(end_us)), before, after


def neighbours(
    connection: Connection, channel: ChannelInfo, window: Window
) -> tuple[Neighbour | None, Neighbour | None]:
    """The last reading before a window and the first after it, however far away."""
    return _Near(connection, channel, None).around(window)


def _rested(
    connection: Connection, channel: ChannelInfo, by: Thresholds, judged: Window, closed_us: int
) -> tuple[Window, int]:
    """Hours on which a resting value bears: on to the first one in which it moved; and from where on those have to be read."""
    assert by.stuck is not None and by.period_s is not None
    longest_s = max(by.stuck.suspect_s, by.stuck.fail_s or 0.0)
    reach_us = round((longest_s + by.period_s) * 1e6) + (by.hold_us or round(3e6 * by.period_s))
    reach_us = -(-reach_us // HOUR_US) * HOUR_US
    span = Window(start=instant(judged.start_us - reach_us), end=instant(judged.end_us + reach_us))
    summaries = Summaries.load(connection, channel, span)
    spread = summaries.pieces.max - summaries.pieces.min
    moved = (spread >= by.stuck.tolerance) & (spread > 0)
    moves = dict(zip(summaries.hour_us.tolist(), moved.tolist(), strict=True))
    end_us = _up_to(judged.end_us, min(span.end_us, max(closed_us, judged.end_us)), HOUR_US, moves, lambda at: at)
    start_us = _up_to(judged.start_us, span.start_us, -HOUR_US, moves, lambda at: at - HOUR_US)
    return Window(start=judged.start, end=instant(end_us)), start_us


def _up_to(at_us: int, limit_us: int, step_us: int, moves: Mapping[int, bool], hour: Callable[[int], int]) -> int:
    """On from an edge, hour by hour, to the end of the first hour in which the value moved."""
    while at_us != limit_us:
        moved = moves.get(hour(at_us), False)
        at_us += step_us
        if moved:
            break
    return at_us


def _once(observed_us: Micros, value: Floats) -> tuple[Micros, Floats]:
    """Each instant once: where two revisions have one, the larger value, so that it does not depend on the order."""
    if len(observed_us) < 2 or bool((np.diff(observed_us) > 0).all()):
        return observed_us, value
    order = np.lexsort((value, observed_us))
    observed_us, value = observed_us[order], value[order]
    last = np.append(np.diff(observed_us) > 0, True)
    return observed_us[last], value[last]
