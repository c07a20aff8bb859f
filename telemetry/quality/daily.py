"""Expected and missing readings of many windows at once: as :func:`telemetry.windows.statistics` says, from summaries alone.

Completeness asks for nothing but two counts a day. A window of whole hours whose summaries serve is counted by sums over
columns, without its neighbours and without a step a window; a year of a channel takes a millisecond. The others (cut inside
an hour, late data, two revisions in an hour) go the long way.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.database import Connection
from core.window import HOUR_US, Window
from telemetry.channels import ChannelInfo
from telemetry.summaries import Summaries
from telemetry.windows import statistics

_Wholes = NDArray[np.int64]


class Counts(NamedTuple):
    """Readings of one window."""

    expected: int
    missing: int


def counted(
    connection: Connection, channel: ChannelInfo, windows: Sequence[Window], as_of: datetime | None = None
) -> list[Counts]:
    """The counts of each window of a periodic channel, in the order given."""
    if not windows or channel.period_s is None:
        return [Counts(0, 0)] * len(windows)
    span = Window(start=min(one.start for one in windows), end=max(one.end for one in windows))
    summaries = Summaries.load(connection, channel, span)
    starts = np.array([one.start_us for one in windows], dtype=np.int64)
    ends = np.array([one.end_us for one in windows], dtype=np.int64)
    quick = _whole_hours(summaries, starts, ends, as_of)
    expected, missing = _from_summaries(summaries, starts, ends, channel.period_s)
    found = [Counts(*one) for one in zip(expected.tolist(), missing.tolist(), strict=True)]
    slow = np.flatnonzero(~quick).tolist()
    for place, one in zip(slow, statistics(connection, channel, [windows[i] for i in slow], as_of), strict=True):
        found[place] = Counts(one.expected, one.missing)
    return found


def _whole_hours(summaries: Summaries, starts: _Wholes, ends: _Wholes, as_of: datetime | None) -> NDArray[np.bool_]:
    """Which windows consist of whole hours that all have a summary to go by, or no reading."""
    unfit = np.unique(np.concatenate([summaries.hour_us[~summaries.fit(as_of)], summaries.dirty_us]))
    untouched = np.searchsorted(unfit, starts) == np.searchsorted(unfit, ends)
    return np.asarray((starts % HOUR_US == 0) & (ends % HOUR_US == 0) & untouched)


def _from_summaries(summaries: Summaries, starts: _Wholes, ends: _Wholes, period_s: float) -> tuple[_Wholes, _Wholes]:
    expected = np.rint((ends - starts) / 1e6 / period_s).astype(np.int64)
    pieces = summaries.pieces
    if not len(pieces):
        return expected, expected
    first, after = np.searchsorted(summaries.hour_us, starts), np.searchsorted(summaries.hour_us, ends)
    empty = first >= after
    first, last = np.minimum(first, len(pieces) - 1), np.maximum(after - 1, 0)
    inside = np.concatenate([[0], np.cumsum(pieces.missing)])
    between = np.concatenate([[0], np.cumsum(_missing(pieces.first_us[1:] - pieces.last_us[:-1], period_s))])
    edges = (pieces.first_us[first] - starts) + (ends - pieces.last_us[last])
    lost = inside[last + 1] - inside[first] + between[last] - between[first] + _missing(edges, period_s)
    return expected, np.where(empty, expected, np.minimum(lost, expected))


def _missing(gaps_us: _Wholes, period_s: float) -> _Wholes:
    """As :mod:`telemetry.statistics` counts them: max(round(gap / period) − 1, 0)."""
    return np.maximum(np.rint(gaps_us / (period_s * 1e6)).astype(np.int64) - 1, 0)
