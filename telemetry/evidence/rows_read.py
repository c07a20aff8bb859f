"""The readings of a bundle, read back: group by group, never more of them at once than one group has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from telemetry.evidence.archive import Archive
from telemetry.evidence.damaged import Damaged
from telemetry.evidence.drawn import Key
from telemetry.evidence.leafwalk import Rows
from telemetry.evidence.rows import GROUP, SCHEMA, member_name

_MOST_BYTES: Final = 64 << 20
"""Of one row group, decoded; one of a bundle has 8 MB at the most."""
_MOST_STRING: Final = 1 << 20
_MOST_FOOTER: Final = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One row group: readings of one revision of a channel."""

    place: tuple[int, int]
    """Member and row group."""
    key: Key
    unit: str
    seal: NDArray[np.int32]
    rows: Rows
    used: NDArray[np.bool_]


def open_parquet(archive: Archive, name: str, schema: pa.Schema) -> pq.ParquetFile:
    """A member as a Parquet file of the schema that it must have.

    :raises Damaged: it is none, or declares more than a bundle has.
    """
    part = archive.part(name)
    _bounded_footer(archive, name)
    try:
        file = pq.ParquetFile(
            part,
            thrift_string_size_limit=_MOST_FOOTER,
            thrift_container_size_limit=_MOST_STRING,
            memory_map=False,
            pre_buffer=False,
        )
        if not file.schema_arrow.equals(schema):
            raise Damaged(f"{name} has other columns than a bundle's: {', '.join(file.schema_arrow.names)[:200]}.")
        for group in range(file.metadata.num_row_groups):
            if file.metadata.row_group(group).total_byte_size > _MOST_BYTES:
                raise Damaged(
                    f"{name} declares {file.metadata.row_group(group).total_byte_size:,} bytes in one row group."
                )
    except (pa.ArrowException, OSError) as error:
        raise Damaged(f"{name} is no Parquet file: {str(error)[:160]}.") from error
    return file


def _bounded_footer(archive: Archive, name: str) -> None:
    with archive.part(name) as part:
        size = archive.members[name].size
        part.seek(max(0, size - 8))
        tail = part.read(8) or b""
    if size < 12 or tail[4:] != b"PAR1" or int.from_bytes(tail[:4], "little") > min(size, _MOST_FOOTER):
        raise Damaged(f"{name} does not end as a Parquet file does.")


class RowsReader:
    """The members of readings."""

    def __init__(self, archive: Archive) -> None:
        """:raises Damaged: they are not what a bundle has."""
        names = archive.named("readings")
        if names != [member_name(number) for number in range(len(names))]:
            raise Damaged(f"The members of readings are {', '.join(names)[:200]}, not numbered from 0000 on.")
        self._files = [open_parquet(archive, name, SCHEMA) for name in names]
        self.rows = sum(file.metadata.num_rows for file in self._files)

    def groups(self) -> Iterator[Group]:
        """All of them, in their order."""
        for number, file in enumerate(self._files):
            for group in range(file.metadata.num_row_groups):
                yield self.group((number, group))

    def group(self, place: tuple[int, int]) -> Group:
        """One of them.

        :raises Damaged: it is not what a bundle has.
        """
        number, index = place
        name, file = member_name(number), self._files[number]
        if not 0 < file.metadata.row_group(index).num_rows <= GROUP:
            raise Damaged(
                f"{name} has a row group of {file.metadata.row_group(index).num_rows:,} rows; at most {GROUP:,}."
            )
        try:
            table = file.read_row_group(index, use_threads=False)
        except (pa.ArrowException, OSError) as error:
            raise Damaged(f"{name} cannot be read: {str(error)[:160]}.") from error
        if any(column.null_count for column in table.columns):
            raise Damaged(f"{name} has a row in which something is missing.")
        key = _one(table, name, "slot"), _one(table, name, "channel"), _one(table, name, "revision")
        return Group(
            place=place,
            key=key,
            unit=_one(table, name, "unit"),
            seal=_column(table, "seal"),
            rows=Rows(
                observed_us=_column(table, "observed_at"),
                received_us=_column(table, "received_at"),
                value=_column(table, "value"),
                flags=_column(table, "flags"),
            ),
            used=_column(table, "used"),
        )


def _one(table: pa.Table, name: str, column: str) -> Any:
    found = table[column].unique()
    if len(found) != 1:
        raise Damaged(f"{name} has a row group of several channels: {column} {found.to_pylist()[:3]}.")
    return found[0].as_py()


def _column(table: pa.Table, name: str) -> NDArray[Any]:
    column = table[name].combine_chunks()
    if pa.types.is_timestamp(column.type):
        column = column.view(pa.int64())
    found: NDArray[Any] = column.to_numpy(zero_copy_only=False)
    return found
