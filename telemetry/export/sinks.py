"""Tables into files: Parquet and CSV."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from telemetry.export.columns import Column
from telemetry.export.folder import Hashed

BOM: Final = b"\xef\xbb\xbf"
_DELTA: Final = "DELTA_BINARY_PACKED"


class Sink(Protocol):
    """Where tables of one schema go, one after the other."""

    def write(self, table: pa.Table) -> None: ...

    def close(self) -> None: ...


def arrow_type(kind: str, zone: str) -> pa.DataType:
    """The type of a column in memory and in Parquet."""
    instant = pa.timestamp("us", tz=zone)
    return {
        "text": pa.string(),
        "json": pa.string(),
        "int16": pa.int16(),
        "int32": pa.int32(),
        "int64": pa.int64(),
        "float64": pa.float64(),
        "truth": pa.bool_(),
        "instant": instant,
        "day": pa.date32(),
        "instants": pa.list_(instant),
        "texts": pa.list_(pa.string()),
    }[kind]


def schema(columns: Sequence[Column], zone: str) -> pa.Schema:
    """The columns as a schema, what they mean in each field's metadata."""
    return pa.schema([field(column.name, arrow_type(column.kind, zone), _meaning(column)) for column in columns])


def field(name: str, kind: pa.DataType, metadata: Mapping[str, str]) -> pa.Field:
    return pa.field(name, kind, metadata=dict(metadata))


def _meaning(column: Column) -> dict[str, str]:
    said = {"description": column.en, "description_ko": column.ko}
    return {**said, "unit": column.unit} if column.unit else said


class Parquet:
    """Standard types, zstd, statistics; each table that is written becomes one row group."""

    def __init__(self, file: Hashed, of: pa.Schema) -> None:
        instants = [one.name for one in of if pa.types.is_timestamp(one.type)]
        others = [one.name for one in of if not pa.types.is_timestamp(one.type)]
        self._schema = of
        self._writer = pq.ParquetWriter(
            pa.PythonFile(file, mode="w"),
            of,
            compression="zstd",
            write_statistics=True,
            # Instants hardly ever repeat: differences take half the place of a dictionary and are faster.
            use_dictionary=others,
            column_encoding=dict.fromkeys(instants, _DELTA) or None,
        )

    def write(self, table: pa.Table) -> None:
        self._writer.write_table(table, row_group_size=max(1, table.num_rows))

    def close(self) -> None:
        self._writer.close()


class Csv:
    """Lines ending in LF, quoted where needed; instants with their offset; lists as JSON; nothing at all for null."""

    def __init__(self, file: Hashed, of: pa.Schema, *, zone: str, bom: bool) -> None:
        self._zone = ZoneInfo(zone)
        if bom:
            file.write(BOM)
        texts = pa.schema([(one.name, _csv_type(one.type)) for one in of])
        self._writer = pyarrow.csv.CSVWriter(file, texts)

    def write(self, table: pa.Table) -> None:
        columns = [self._text(column) for column in table.columns]
        self._writer.write(pa.table(columns, names=table.column_names))

    def close(self) -> None:
        self._writer.close()

    def _text(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        if pa.types.is_timestamp(column.type):
            return instants_text(column)
        if pa.types.is_list(column.type):
            return pa.chunked_array([pa.array([_json(one, self._zone) for one in column.to_pylist()], pa.string())])
        return column


def _csv_type(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_timestamp(kind) or pa.types.is_list(kind) else kind


def _json(values: list[Any] | None, zone: ZoneInfo) -> str | None:
    if values is None:
        return None
    said = [_written(value.astimezone(zone)) if isinstance(value, datetime) else value for value in values]
    return json.dumps(said, ensure_ascii=False)


def _written(at: datetime) -> str:
    """As :func:`instants_text` writes it."""
    return at.isoformat(sep=" ", timespec="microseconds")


def instants_text(instants: pa.ChunkedArray) -> pa.ChunkedArray:
    """``2026-03-01 09:00:00.000000+09:00``: the wall clock of their zone with its offset from UTC.

    Arrow's own formatting of zoned instants is eight times as slow, and writes offsets that not every reader takes.
    """
    if not len(instants):
        return pa.chunked_array([pa.array([], pa.string())])
    utc_us = pc.cast(instants, pa.int64())
    local = pc.local_timestamp(instants)
    shift_s = pc.divide(pc.subtract(pc.cast(local, pa.int64()), utc_us), 1_000_000)
    offsets = pc.unique(pc.drop_null(shift_s))
    names = pa.array([_offset(one) for one in offsets.to_pylist()], pa.string())
    suffix = names[0] if len(names) == 1 else pc.take(names, pc.index_in(shift_s, offsets))
    return pc.binary_join_element_wise(pc.cast(local, pa.string()), suffix, "")


def _offset(seconds: int) -> str:
    hours, rest = divmod(abs(seconds), 3600)
    minutes, rest = divmod(rest, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02}:{minutes:02}" + (f":{rest:02}" if rest else "")


def table_of(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]], of: pa.Schema) -> pa.Table:
    """Rows of the database as a table."""
    arrays = [pa.array([row[column.name] for row in rows], type=of.field(column.name).type) for column in columns]
    return pa.table(arrays, schema=of)


def constant(value: str | None, n: int) -> pa.Array:
    """One text for all rows."""
    return pa.nulls(n, pa.string()) if value is None else pa.repeat(pa.scalar(value, pa.string()), n)


def instants(us: NDArray[np.int64], zone: str) -> pa.Array:
    """Microseconds as instants of a zone."""
    return pa.array(us).view(pa.timestamp("us", tz=zone))
