"""The wide form: one row an instant of observation of a slot, one column a channel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.window import Window
from telemetry.export.asked import Scope, Series
from telemetry.export.columns import WIDE_KEYS
from telemetry.export.long import states_text
from telemetry.export.reading import PIECE, Ahead, Piece, Source
from telemetry.export.shapes import Chunk
from telemetry.export.sinks import arrow_type, constant, field, instants, schema

_CELLS: Final = 8_000_000
"""In a row group: its rows follow from the number of columns, so that memory stays the same however wide it is."""
_LEAST_PIECE: Final = 2_048


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of one slot: instants, and for each channel the readings with the row of each."""

    observed_us: NDArray[np.int64]
    columns: tuple[tuple[Series, NDArray[np.intp], Piece | None], ...]


class Wide:
    """How readings become rows, all of one instant of a slot together.

    Readings in whose place others stand, since their messages were decoded again, are left out; where a channel still has
    readings of two revisions for one instant, the newer revision's is taken. The long form has them all.
    """

    def __init__(self, scope: Scope, *, all_columns: bool) -> None:
        """
        :param all_columns: whether every file has the columns of all slots, so that readers of a folder which take the first
            file's columns lose none; else only those of its own slot.
        """
        self._zone = scope.zone
        self._all_columns = all_columns
        self._slots = [(slot, tuple(series)) for slot, series in groupby(scope.series, lambda one: one.slot)]
        self._fields = {slot: [one for series in members for one in fields_of(series)] for slot, members in self._slots}
        self.schema = self._schema([one for fields in self._fields.values() for one in fields])
        widest = len(self.schema) if all_columns else max([2, *(len(fields) for fields in self._fields.values())])
        self.rows_a_group = int(min(500_000, max(1_000, _CELLS // widest)))

    def readings(self, table: pa.Table) -> int:
        return sum(
            table.num_rows - table.column(place).null_count
            for place, one in enumerate(table.schema)
            if one.metadata and b"kind" in one.metadata and one.type == pa.float64()
        )

    def chunks(self, source: Source, window: Window, after: list[int] | None) -> Iterator[Chunk]:
        """The rows of a window in their order.

        :param after: position of the last row that is done: place of the slot, instant (µs).
        """
        for place, (slot, members) in enumerate(self._slots):
            if after is not None and place < after[0]:
                continue
            resumed = after is not None and place == after[0]
            begun = after[1] + 1 if after is not None and resumed else window.start_us
            first = not resumed
            for rows in _joined(_thinner(source, len(members)), members, window, begun):
                yield self._chunk(place, slot, rows, breaks=first)
                first = False

    def _chunk(self, place: int, slot: str, rows: _Rows, *, breaks: bool) -> Chunk:
        return Chunk(
            rows=len(rows.observed_us),
            table=lambda low, high: self._table(slot, rows).slice(low, high - low),
            position=lambda end: [place, int(rows.observed_us[end - 1])],
            breaks=breaks,
        )

    def _schema(self, fields: Sequence[pa.Field]) -> pa.Schema:
        return pa.schema([*schema(WIDE_KEYS, self._zone), *fields])

    def _table(self, slot: str, rows: _Rows) -> pa.Table:
        n = len(rows.observed_us)
        cells = {"slot": constant(slot, n), "observed_at": instants(rows.observed_us, self._zone)}
        for series, index, piece in rows.columns:
            cells |= zip((one.name for one in fields_of(series)), _cells(series, index, piece, n), strict=True)
        whole = self.schema if self._all_columns else self._schema(self._fields[slot])
        return pa.table(
            [cells[one.name] if one.name in cells else pa.nulls(n, one.type) for one in whole], schema=whole
        )


def fields_of(series: Series) -> list[pa.Field]:
    """The columns of a channel: its value under its unit; of a state channel the state, and the code that is stored."""
    said = {
        "name": series.title,
        "kind": series.kind,
        "slot": series.slot,
        "channel": series.channel,
        "revision": ",".join(str(one.number) for one in series.revisions),
    }
    if series.kind != "state":
        return [field(f"{series.name} [{series.unit}]", pa.float64(), {"unit": series.unit, **said})]
    return [
        field(f"{series.name} [state]", arrow_type("text", "UTC"), {"unit": "state", **said}),
        field(f"{series.name} [code]", pa.float64(), {"unit": "code", **said}),
    ]


def _cells(series: Series, index: NDArray[np.intp], piece: Piece | None, n: int) -> list[pa.Array]:
    value, revision = np.zeros(n), np.zeros(n, dtype=np.int32)
    missing = np.ones(n, dtype=bool)
    if piece is not None:
        value[index], revision[index], missing[index] = piece.value, piece.revision, False
    cells = pa.array(value, mask=missing)
    return [cells] if series.kind != "state" else [states_text(series, np.where(missing, -1.0, value), revision), cells]


def _thinner(source: Source, channels: int) -> Source:
    """The same with smaller pieces, so that many channels together hold no more than a few."""
    return replace(source, piece=min(source.piece, max(_LEAST_PIECE, 8 * PIECE // channels)))


def _joined(source: Source, members: Sequence[Series], window: Window, begin_us: int) -> Iterator[_Rows]:
    """All channels of a slot side by side, in the order of time."""
    after = (begin_us - 1, max(revision.number for series in members for revision in series.revisions))
    ahead = [Ahead(_newest(_standing(series, source.series(series, window, after)))) for series in members]
    while known := [us for one in ahead if (us := one.known_us) is not None]:
        taken = [one.take(min(known)) for one in ahead]
        observed_us = _distinct([piece.observed_us for piece in taken if piece is not None])
        yield _Rows(observed_us, tuple(_placed(*one, observed_us) for one in zip(members, taken, strict=True)))


def _distinct(sorted_us: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """The instants of all, each once. A stable sort merges runs that are sorted: numpy's ``unique`` takes ten times as long."""
    whole: NDArray[np.int64] = np.sort(np.concatenate(sorted_us), kind="stable")
    return np.asarray(whole[np.append(True, whole[1:] != whole[:-1])])


def _placed(
    series: Series, piece: Piece | None, observed_us: NDArray[np.int64]
) -> tuple[Series, NDArray[np.intp], Piece | None]:
    index = np.empty(0, dtype=np.intp) if piece is None else np.searchsorted(observed_us, piece.observed_us)
    return series, index, piece


def _standing(series: Series, pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Those that were not replaced by decoding their messages again."""
    replaced = [(one.number, window) for one in series.revisions for window in one.replaced]
    for piece in pieces:
        stands = np.ones(len(piece.value), dtype=bool)
        for number, window in replaced:
            within = (piece.received_us >= window.start_us) & (piece.received_us < window.end_us)
            stands &= ~(within & (piece.revision == number))
        if stands.any():
            yield piece.chosen(stands)


def _newest(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """One reading an instant: the newest revision's."""
    for piece in pieces:
        yield piece.chosen(np.append(piece.observed_us[1:] != piece.observed_us[:-1], True))
