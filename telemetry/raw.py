"""Raw readings out of the store, as columns: the database strings their binary forms together, and numpy reads them.

Those in spoilt stretches of the channel's record are left out: they are not there for whoever asks by it.
A million rows are two values to fetch then; row by row, a COPY takes ten times as long in the client.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString

import numpy as np
from numpy.typing import NDArray

from core.database import Connection
from core.sql import load
from core.window import HOUR_US, Window, instant, micros
from telemetry.binary import floats, instants
from telemetry.channels import ChannelInfo
from telemetry.rows_read import count
from telemetry.statistics import Neighbour

_SQL = load("telemetry", "raw.sql")


Columns = tuple[NDArray[np.int64], NDArray[np.float64]]


def readings(connection: Connection, channel: ChannelInfo, window: Window, as_of: datetime | None) -> Columns:
    """Instants (µs) and values of a window, in the order of time."""
    return _fetched(connection, channel, [window], as_of)


def readings_of_hours(
    connection: Connection, channel: ChannelInfo, hours_us: NDArray[np.int64], as_of: datetime | None
) -> Columns:
    """The readings of the given hours, neighbouring hours fetched as one range."""
    if not len(hours_us):
        return np.empty(0, dtype=np.int64), np.empty(0)
    breaks = np.flatnonzero(np.diff(hours_us) > HOUR_US)
    starts = hours_us[np.concatenate([[0], breaks + 1])]
    ends = hours_us[np.concatenate([breaks, [len(hours_us) - 1]])] + HOUR_US
    ranges = [Window(start=instant(a), end=instant(b)) for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
    return _fetched(connection, channel, ranges, as_of)


def neighbours(
    connection: Connection,
    channel: ChannelInfo,
    windows: Sequence[Window],
    as_of: datetime | None,
    *,
    however_far: bool = False,
) -> list[tuple[Neighbour | None, Neighbour | None]]:
    """For each window the last reading before it and the first at or after its end, no further away than a reading stands.

    :param however_far: at any distance, and whether or not it counts; otherwise none behind a spoilt stretch, nor in one.
    """
    hold_s = None if however_far else channel.max_hold_s
    starts = _nearest(connection, _SQL["reading_before"], channel, [window.start for window in windows], hold_s, as_of)
    ends = _nearest(connection, _SQL["reading_after"], channel, [window.end for window in windows], hold_s, as_of)
    found = list(zip(starts, ends, strict=True))
    return found if however_far else unspoilt(channel, windows, found)


def unspoilt(
    channel: ChannelInfo, windows: Sequence[Window], found: list[tuple[Neighbour | None, Neighbour | None]]
) -> list[tuple[Neighbour | None, Neighbour | None]]:
    """The neighbours of windows without those that lie in a spoilt stretch, or behind one."""
    spoilt = channel.spoilt
    if spoilt is None:
        return found
    return [
        (
            None if before is None or spoilt.between(before.us, window.start_us) else before,
            None if after is None or spoilt.between(window.end_us, after.us + 1) else after,
        )
        for window, (before, after) in zip(windows, found, strict=True)
    ]


def links_lost(
    connection: Connection, channel: ChannelInfo, window: Window, as_of: datetime | None
) -> NDArray[np.int64]:
    """The instants (µs) of a window at which the slot's link was lost, sorted."""
    rows = connection.execute(
        _SQL["links_lost"],
        {"slot": channel.slot_id, "start": window.start, "end": window.end, "as_of": as_of},
    )
    return np.array([micros(row["at"]) for row in rows], dtype=np.int64)


def _nearest(
    connection: Connection,
    statement: LiteralString,
    channel: ChannelInfo,
    ats: list[datetime],
    hold_s: float | None,
    as_of: datetime | None,
) -> list[Neighbour | None]:
    rows = connection.execute(statement, {"ats": ats, "hold_s": hold_s, **_asked(channel, as_of)})
    found = [
        None if row["observed_at"] is None else Neighbour(us=micros(row["observed_at"]), value=row["value"])
        for row in rows
    ]
    count(readings=sum(one is not None for one in found))
    return found


def _asked(channel: ChannelInfo, as_of: datetime | None) -> dict[str, Any]:
    """Which readings of a channel: of all its revisions, those that stand."""
    return {
        "channels": list(channel.channel_ids), "redecoded": list(channel.redecoded_ids), "known_at": channel.known_at,
        "as_of": as_of,
    }  # fmt: skip


def _fetched(connection: Connection, channel: ChannelInfo, ranges: Sequence[Window], as_of: datetime | None) -> Columns:
    parameters = {
        "starts": [window.start for window in ranges],
        "ends": [window.end for window in ranges],
        **_asked(channel, as_of),
    }
    row = connection.execute(_SQL["columns_of_ranges"], parameters, binary=True).fetchone()
    assert row is not None
    if row["observed"] is None:
        return np.empty(0, dtype=np.int64), np.empty(0)
    observed = instants(row["observed"])
    value = floats(row["value"])
    count(readings=len(observed))
    if len(channel.channel_ids) > 1 or len(ranges) > 1:
        order = np.argsort(observed, kind="stable")
        observed, value = observed[order], value[order]
    if channel.spoilt is not None:
        counts = ~channel.spoilt.holds(observed)
        observed, value = observed[counts], value[counts]
    return observed, value
