"""Readings as rows of PostgreSQL's binary COPY, built in one piece by numpy: no object a reading."""

from __future__ import annotations

from typing import Any, LiteralString, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.database import Connection
from core.window import HOUR_US
from telemetry import binary
from telemetry.batch import Readings
from telemetry.binary import PG_EPOCH_US

_ROW = np.dtype(
    [
        ("fields", ">i2"),
        ("l1", ">i4"), ("observed_at", ">i8"),
        ("l2", ">i4"), ("received_at", ">i8"),
        ("l3", ">i4"), ("value", ">f8"),
        ("l4", ">i4"), ("channel_id", ">i4"),
        ("l5", ">i4"), ("flags", ">i2"),
    ]
)  # fmt: skip


class Columns(NamedTuple):
    """Readings as columns of equal length, in the order of arrival."""

    channel_id: NDArray[np.int32]
    observed_us: NDArray[np.int64]
    value: NDArray[np.float64]
    flags: NDArray[np.int16]


def columns(readings: Readings) -> Columns:
    """Lists to arrays."""
    return Columns(
        channel_id=np.array(readings.channel_id, dtype=np.int32),
        observed_us=np.array(readings.observed_us, dtype=np.int64),
        value=np.array(readings.value, dtype=np.float64),
        flags=np.array(readings.flags, dtype=np.int16),
    )


def table(readings: Columns, received_us: int | NDArray[np.int64]) -> NDArray[Any]:
    """The rows, sorted by key, in the order of arrival where keys are equal.

    :param received_us: one receipt time for all, or one each.
    """
    order = np.lexsort((readings.observed_us, readings.channel_id))
    made = _made(readings, order)
    return received(made, received_us if isinstance(received_us, int) else received_us[order])


def ahead(readings: Columns) -> NDArray[Any]:
    """The same without a receipt time, which only the transaction that writes them can give; see :func:`received`."""
    return _made(readings, np.lexsort((readings.observed_us, readings.channel_id)))


def received(made: NDArray[Any], received_us: int | NDArray[np.int64]) -> NDArray[Any]:
    """The rows with their receipt time, in place."""
    made["received_at"] = received_us - PG_EPOCH_US
    return made


def _made(readings: Columns, order: NDArray[np.intp]) -> NDArray[Any]:
    made = np.empty(len(order), dtype=_ROW)
    made["fields"] = 5
    made["l1"] = made["l2"] = made["l3"] = 8
    made["l4"] = 4
    made["l5"] = 2
    made["observed_at"] = readings.observed_us[order] - PG_EPOCH_US
    made["received_at"] = 0
    made["value"] = readings.value[order]
    made["channel_id"] = readings.channel_id[order]
    made["flags"] = readings.flags[order]
    return made


def observed_us(rows: NDArray[Any]) -> NDArray[np.int64]:
    """The instants of a table's rows, in microseconds since 1970."""
    return np.asarray(rows["observed_at"].astype(np.int64) + PG_EPOCH_US)


class Run(NamedTuple):
    """The rows of one channel in a table."""

    channel_id: int
    n: int
    first_us: int
    last_us: int


def by_channel(rows: NDArray[Any]) -> list[Run]:
    """How many rows of a table, which is sorted by key, each channel has, and from when to when."""
    ids, instants = rows["channel_id"].astype(np.int32), observed_us(rows)
    starts = _starts(ids)
    counts = np.diff(starts, append=len(ids))
    columns = (ids[starts], counts, instants[starts], instants[starts + counts - 1])
    return [Run(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def channel_hours(rows: NDArray[Any]) -> set[tuple[int, int]]:
    """The (channel_id, hour in µs) that a table, which is sorted by key, touches."""
    ids, hours = rows["channel_id"].astype(np.int32), observed_us(rows) // HOUR_US
    # Sorted by channel and instant, equal pairs stand together: no need to sort again, which would take as long as COPY.
    starts = np.union1d(_starts(ids), _starts(hours))
    return set(zip(ids[starts].tolist(), (hours[starts] * HOUR_US).tolist(), strict=True))


def _starts(values: NDArray[Any]) -> NDArray[np.intp]:
    """Where runs of equal values begin."""
    return np.flatnonzero(np.concatenate(([len(values) > 0], values[1:] != values[:-1])))


def copy(connection: Connection, statement: LiteralString, rows: NDArray[Any]) -> None:
    """Send a table through a ``COPY … FROM STDIN (FORMAT binary)`` statement."""
    binary.copy(connection, statement, rows.tobytes())
