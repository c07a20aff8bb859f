"""Columns of numbers as rows of PostgreSQL's binary COPY, where some are not known: no object a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from telemetry.binary import PG_EPOCH_US


class Column(NamedTuple):
    """One column of a table, in the order of its COPY."""

    values: NDArray[Any]
    kind: str
    """Of numpy, big-endian, as the table has it: ``>i4``, ``>f8`` …"""
    known: NDArray[np.bool_] | None = None
    """Where False the row has NULL; None: nowhere."""


def wholes(values: NDArray[np.int64], known: NDArray[np.bool_] | None = None) -> Column:
    return Column(values, ">i4", known)


def floats(values: NDArray[np.float64], known: NDArray[np.bool_] | None = None) -> Column:
    return Column(values, ">f8", known)


def instants(values_us: NDArray[np.int64]) -> Column:
    """Microseconds since 1970 as ``timestamptz``."""
    return Column(values_us - PG_EPOCH_US, ">i8")


def rows(columns: Sequence[Column]) -> bytes:
    """The rows; those that know the same columns stand together, whatever their order was."""
    some = [index for index, column in enumerate(columns) if column.known is not None]
    pattern = np.zeros(len(columns[0].values), dtype=np.int64)
    for place, index in enumerate(some):
        pattern |= np.asarray(columns[index].known, dtype=np.int64) << place
    if not some:
        return _alike(columns, slice(None), set())
    packed = []
    for one in np.unique(pattern).tolist():
        absent = {index for place, index in enumerate(some) if not one >> place & 1}
        packed.append(_alike(columns, pattern == one, absent))
    return b"".join(packed)


def _alike(columns: Sequence[Column], chosen: NDArray[np.bool_] | slice, absent: set[int]) -> bytes:
    """Rows that have NULL in the same columns, so that all have the same length."""
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for place, column in enumerate(columns):
        fields.append((f"l{place}", ">i4"))
        if place not in absent:
            fields.append((f"v{place}", column.kind))
    made = np.empty(len(columns[0].values[chosen]), dtype=fields)
    made["fields"] = len(columns)
    for place, column in enumerate(columns):
        if place in absent:
            made[f"l{place}"] = -1
        else:
            made[f"l{place}"] = np.dtype(column.kind).itemsize
            made[f"v{place}"] = column.values[chosen]
    return made.tobytes()
