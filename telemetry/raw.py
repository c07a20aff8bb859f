"""Raw readings out of the store, as columns: the database strings their binary forms together, and numpy reads them.

A million rows are two values to fetch then; row by row, a COPY takes ten times as long in the client.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

import numpy as np
from numpy.typing import NDArray

from core.database import Connection
from core.sql import load
from core.window import HOUR_US, Window, instant, micros
from telemetry.channels import ChannelInfo
from telemetry.rows import PG_EPOCH_US
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
    connection: Connection, channel: ChannelInfo, windows: Sequence[Window], as_of: datetime | None
) -> list[tuple[Neighbour | None, Neighbour | None]]:
    """For each window the last reading before it and the first at or after its end, no further away than a reading stands."""
    starts = _nearest(connection, _SQL["reading_before"], channel, [window.start for window in windows], as_of)
    ends = _nearest(connection, _SQL["reading_after"], channel, [window.end for window in windows], as_of)
    return list(zip(starts, ends, strict=True))


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
    connection: Connection, statement: LiteralString, channel: ChannelInfo, ats: list[datetime], as_of: datetime | None
) -> list[Neighbour | None]:
    rows = connection.execute(
        statement,
        {"channels": list(channel.channel_ids), "ats": ats, "hold_s": channel.max_hold_s, "as_of": as_of},
    )
    return [
        None if row["observed_at"] is None else Neighbour(us=micros(row["observed_at"]), value=row["value"])
        for row in rows
    ]


def _fetched(connection: Connection, channel: ChannelInfo, ranges: Sequence[Window], as_of: datetime | None) -> Columns:
    parameters = {
        "channels": list(channel.channel_ids),
        "starts": [window.start for window in ranges],
        "ends": [window.end for window in ranges],
        "as_of": as_of,
    }
    row = connection.execute(_SQL["columns_of_ranges"], parameters, binary=True).fetchone()
    assert row is not None
    if row["observed"] is None:
        return np.empty(0, dtype=np.int64), np.empty(0)
    observed = np.frombuffer(row["observed"], dtype=">i8").astype(np.int64) + PG_EPOCH_US
    return observed, np.frombuffer(row["value"], dtype=">f8").astype(np.float64)
