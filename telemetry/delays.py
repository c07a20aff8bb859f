"""How long readings took from the device to their receipt, counted in the database by the millisecond."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray
from psycopg.types.multirange import TimestamptzMultirange
from psycopg.types.range import TimestamptzRange

from core.database import Connection
from core.sql import load
from core.window import Window
from telemetry.batch import Flag
from telemetry.channels import ChannelInfo
from telemetry.rows_read import count

_SQL = load("telemetry", "delays.sql")

LIVE: Final = 0
OURS: Final = 1
NO_CLOCK: Final = 2
RETAINED: Final = 3
REPLAYED: Final = 4
"""What a count is of, as the block numbers it."""

Wholes = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayCounts:
    """Columns of equal length: so many readings of a cell and kind took so long."""

    cell: Wholes
    kind: Wholes
    delay_ms: Wholes
    """Rounded up; below 0 where the device's clock was ahead."""
    n: Wholes


def delay_counts(
    connection: Connection,
    channel: ChannelInfo,
    stretches: Sequence[tuple[int, Window]],
    outages: Sequence[Window],
    as_of: datetime | None,
) -> DelayCounts:
    """Count the delays of a channel's readings.

    :param stretches: (cell, stretch): readings of one cell are counted together. Stretches do not overlap.
    :param outages: stretches in which nothing could be received.
    """
    if not stretches:
        none = np.empty(0, dtype=np.int64)
        return DelayCounts(cell=none, kind=none, delay_ms=none, n=none)
    rows = connection.execute(
        _SQL["delay_counts"],
        {
            "starts": [one.start for _, one in stretches],
            "ends": [one.end for _, one in stretches],
            "cells": [cell for cell, _ in stretches],
            "channels": list(channel.channel_ids),
            "outages": TimestamptzMultirange([TimestamptzRange(one.start, one.end) for one in outages]),
            "as_of": as_of,
            "arrival": int(Flag.ARRIVAL_TIME),
            "retained": int(Flag.RETAINED),
            "replayed": int(Flag.REPLAYED),
            "redecoded": int(Flag.REDECODED),
        },
    ).fetchall()
    columns = np.array([(row["cell"], row["kind"], row["delay_ms"], row["n"]) for row in rows], dtype=np.int64)
    cell, kind, delay_ms, n = columns.reshape(-1, 4).T
    count(readings=int(n.sum()))
    return DelayCounts(cell=cell, kind=kind, delay_ms=delay_ms, n=n)
