"""What lies beside a window: the last reading before it and the first at or after its end, no further away than one stands.

Where the hours there have summaries that serve, these know their first and last reading; otherwise the readings are asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from core.database import Connection
from core.window import HOUR_US, Window, micros
from telemetry import raw
from telemetry.channels import ChannelInfo
from telemetry.statistics import Neighbour
from telemetry.summaries import Summaries, keeping, reach

Neighbours = tuple[Neighbour | None, Neighbour | None]


def neighbours(
    connection: Connection, channel: ChannelInfo, windows: Sequence[Window], as_of: datetime | None
) -> list[Neighbours]:
    """For each window the last reading before it and the first at or after its end, no further away than a reading stands."""
    if channel.hold_us is None or not keeping(connection):
        return raw.neighbours(connection, channel, windows, as_of)
    by = reach(channel)
    span = Window(start=min(w.start for w in windows) - by, end=max(w.end for w in windows) + by)
    known = _Known(Summaries.load(connection, channel, span), channel.hold_us, as_of)
    found: dict[Window, Neighbours] = {}
    asked: list[Window] = []
    for window in dict.fromkeys(windows):
        before, after = known.before(micros(window.start)), known.after(micros(window.end))
        if before is None or after is None:
            asked.append(window)
        else:
            found[window] = before[0], after[0]
    if asked:
        found.update(zip(asked, raw.neighbours(connection, channel, asked, as_of), strict=True))
    return raw.unspoilt(channel, windows, [found[window] for window in windows])


_Answer = tuple[Neighbour | None] | None
"""The neighbour, or that there is none; None: the summaries cannot tell."""


class _Known:
    """The first and last reading of each hour, as far as the summaries tell."""

    def __init__(self, summaries: Summaries, hold_us: int, as_of: datetime | None) -> None:
        self._hours = summaries.hour_us
        self._serves = summaries.fit(as_of)
        self._pieces = summaries.pieces
        self._dirty = summaries.dirty_us
        self._hold_us = hold_us

    def before(self, at_us: int) -> _Answer:
        """The last reading before an instant that may still stand at it."""
        if self._waiting((at_us - self._hold_us) // HOUR_US * HOUR_US, at_us):
            return None
        index = int(np.searchsorted(self._hours, at_us)) - 1
        if index >= 0 and self._pieces.last_us[index] >= at_us:
            # Of the hour that the instant lies in, the readings before it are known only if they are none.
            if not self._serves[index] or self._pieces.first_us[index] < at_us:
                return None
            index -= 1
        if index < 0 or self._hours[index] + HOUR_US <= at_us - self._hold_us:
            return (None,)
        if not self._serves[index]:
            return None
        us, value = int(self._pieces.last_us[index]), float(self._pieces.last_value[index])
        return (Neighbour(us=us, value=value) if us >= at_us - self._hold_us else None,)

    def after(self, at_us: int) -> _Answer:
        """The first reading from an instant on that one before it may reach."""
        if self._waiting(at_us // HOUR_US * HOUR_US, at_us + self._hold_us + 1):
            return None
        index = int(np.searchsorted(self._hours, at_us // HOUR_US * HOUR_US))
        if index < len(self._hours) and self._pieces.first_us[index] < at_us:
            if not self._serves[index] or self._pieces.last_us[index] >= at_us:
                return None
            index += 1
        if index >= len(self._hours) or self._hours[index] > at_us + self._hold_us:
            return (None,)
        if not self._serves[index]:
            return None
        us, value = int(self._pieces.first_us[index]), float(self._pieces.first_value[index])
        return (Neighbour(us=us, value=value) if us <= at_us + self._hold_us else None,)

    def _waiting(self, start_us: int, end_us: int) -> bool:
        """Whether readings may be there that no summary knows."""
        if not len(self._dirty):
            return False
        low, high = np.searchsorted(self._dirty, [start_us, end_us])
        return bool(high > low)
