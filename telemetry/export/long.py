"""The long form: one row a reading."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.window import Window
from telemetry.export.asked import Scope, Series
from telemetry.export.columns import LONG
from telemetry.export.reading import Piece, Source
from telemetry.export.shapes import Chunk
from telemetry.export.sinks import constant, instants, schema


class Long:
    """How readings become rows, one each."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self.schema = schema(LONG.columns, scope.zone)
        self.rows_a_group = 500_000

    def chunks(self, source: Source, window: Window, after: list[int] | None) -> Iterator[Chunk]:
        """The rows of a window in their order.

        :param after: position of the last row that is done: place of the channel, instant (µs), revision.
        """
        for place, series in enumerate(self._scope.series):
            if after is not None and place < after[0]:
                continue
            done = (after[1], after[2]) if after is not None and place == after[0] else None
            for piece in source.series(series, window, done):
                yield _chunk(self, place, series, piece)

    def readings(self, table: pa.Table) -> int:
        return int(table.num_rows)

    def table(self, series: Series, piece: Piece) -> pa.Table:
        """Readings of one channel as rows."""
        n, zone = len(piece.value), self._scope.zone
        return pa.table(
            [
                constant(series.slot, n),
                constant(series.channel, n),
                pa.array(piece.revision),
                constant(series.unit, n),
                instants(piece.observed_us, zone),
                instants(piece.received_us, zone),
                pa.array(piece.value),
                states_text(series, piece.value, piece.revision),
                pa.array(piece.flags),
            ],
            schema=self.schema,
        )


def _chunk(shape: Long, place: int, series: Series, piece: Piece) -> Chunk:
    return Chunk(
        rows=len(piece.value),
        table=lambda low, high: shape.table(series, piece.part(low, high)),
        position=lambda end: [place, int(piece.observed_us[end - 1]), int(piece.revision[end - 1])],
        breaks=False,
    )


def states_text(series: Series, value: NDArray[np.float64], revision: NDArray[np.int32]) -> pa.Array:
    """The names of a state channel's states, by the revision of each reading; nulls where there is none."""
    if series.kind != "state":
        return pa.nulls(len(value), pa.string())
    names: list[str | None] = [None]
    index = np.zeros(len(value), dtype=np.int64)
    for one in series.revisions:
        known = (revision == one.number) & (value >= 0) & (value < len(one.states)) & (value == np.floor(value))
        index[known] = value[known].astype(np.int64) + len(names)
        names.extend(one.states)
    return pa.array(names, pa.string()).take(pa.array(index))
