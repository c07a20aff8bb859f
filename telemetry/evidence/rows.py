"""The readings of a bundle: whole leaves as Parquet, one row group a stretch of one channel, in the order of the leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from io import RawIOBase
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.database import Connection
from core.errors import PermanentError
from core.sql import load
from core.window import HOUR_US, instant
from telemetry import binary
from telemetry.evidence.archive import ArchiveWriter
from telemetry.evidence.damaged import Damaged
from telemetry.evidence.drawn import Drawn, Key
from telemetry.evidence.heads import INSTANT, Hours
from telemetry.evidence.leafwalk import LeafWalk, Rows

_SQL = load("telemetry.evidence", "evidence.sql")
_LEAVES = load("telemetry.seals", "leaves.sql")

GROUP: Final = 1 << 17
"""Rows of a row group at the most: what is held at once."""
FILE: Final = 20_000_000
"""Rows of a member at the most, so that none comes near to 4 GB."""
SCHEMA: Final = pa.schema(
    [
        pa.field("seal", pa.int32(), metadata={"description": "number of the seal that has the leaf"}),
        pa.field("slot", pa.string(), metadata={"description": "slot"}),
        pa.field("channel", pa.string(), metadata={"description": "channel"}),
        pa.field("revision", pa.int32(), metadata={"description": "revision of the channel"}),
        pa.field("unit", pa.string(), metadata={"description": "unit of the value"}),
        pa.field("observed_at", INSTANT, metadata={"description": "when it was observed, by the device's clock"}),
        pa.field("received_at", INSTANT, metadata={"description": "when it was received; its UTC hour is that of the leaf"}),
        pa.field("value", pa.float64(), metadata={"description": "value; of a state channel: its code"}),
        pa.field("flags", pa.int16(), metadata={"description": "facts of intake, added up"}),
        pa.field("used", pa.bool_(), metadata={"description": "whether a result of this bundle may have read it"}),
    ]
)  # fmt: skip
_CONSTANT: Final = ("slot", "channel", "unit")
_INSTANTS: Final = ("observed_at", "received_at")


def key_of(identity: str) -> Key:
    """Slot, channel and revision of a leaf of readings.

    :raises Damaged: it is no such identity.
    """
    parts = identity.split("/")
    if len(parts) != 4 or not parts[3].isdecimal():
        raise Damaged(f"{identity!r} is no leaf of readings: it is pilot/slot/channel/revision.")
    return parts[1], parts[2], int(parts[3])


def member_name(number: int) -> str:
    return f"readings/part-{number:04}.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """What each bundled seal covers: by them the rows of its leaves are found."""

    by_seal: Mapping[int, tuple[datetime | None, datetime]]


class RowsWriter:
    """Writes the members, the rows of each leaf checked against its head."""

    def __init__(self, connection: Connection, pilot: str, into: ArchiveWriter, drawn: Drawn, spans: Spans) -> None:
        self._connection = connection
        self._into = into
        self._drawn = drawn
        self._spans = spans
        self._ids: dict[Key, int] = {
            (row["slot"], row["channel"], row["revision"]): row["channel_id"]
            for row in connection.execute(_SQL["channel_ids"], {"pilot": pilot})
        }
        self.rows = self.used = 0

    def write(self, hours: Hours, heard: Callable[[int], None]) -> None:
        """Every leaf, in members of bounded size.

        :raises PermanentError: the store does not have what was sealed.
        """
        self._connection.execute(_LEAVES["work_memory"])
        groups = self._groups(hours)
        number, group = 0, next(groups, None)
        while group is not None:
            # Closed whatever happens: a writer that is collected later would write into what is not there any more.
            with self._into.member(member_name(number)) as file, closing(_writer(file)) as writer:
                n = 0
                while group is not None and n + len(group) <= FILE:
                    writer.write_table(group, row_group_size=GROUP)
                    n += len(group)
                    heard(self.rows)
                    group = next(groups, None)
            number += 1

    def _groups(self, hours: Hours) -> Iterator[pa.Table]:
        for identity in hours.identities():
            key, unit, heads = key_of(identity), hours.unit(identity), hours.of(identity)
            walk = LeafWalk(identity, unit, heads)
            held: list[tuple[int, Rows]] = []
            n = 0
            for seal, rows in self._fetched(key, heads):
                _sound(walk.walk(rows))
                at = 0
                while at < len(rows):
                    take = min(GROUP - n, len(rows) - at)
                    held.append((seal, _part(rows, at, at + take)))
                    at, n = at + take, n + take
                    if n == GROUP:
                        yield self._table(key, unit, held)
                        held, n = [], 0
            _sound(walk.end())
            if n:
                yield self._table(key, unit, held)

    def _fetched(self, key: Key, heads: NDArray[Any]) -> Iterator[tuple[int, Rows]]:
        """The rows of the leaves, of as many that follow each other at once as are held."""
        for first, last in _stretches(heads):
            some = heads[first:last]
            seal = int(some["seal"][0])
            start, end = self._spans.by_seal[seal]
            low, high = instant(int(some["hour_us"][0])), instant(int(some["hour_us"][-1]) + HOUR_US)
            asked: dict[str, Any] = {
                "channel": self._ids.get(key),
                "start": low if start is None else max(low, start), "end": min(high, end),
                "first": instant(int(some["first_us"].min())), "last": instant(int(some["last_us"].max())),
                "most": GROUP,
            }  # fmt: skip
            after = int(some["first_us"].min()) - 1
            while True:
                row = self._connection.execute(_SQL["rows"], {**asked, "after": instant(after)}, binary=True).fetchone()
                if row is None or not row["n"]:
                    break
                rows = _fetched_rows(row)
                yield seal, rows
                # More than is held at once has a single leaf only, in which the rows stand by their instants.
                if row["n"] < GROUP or len(some) > 1:
                    break
                after = int(rows.observed_us[-1])

    def _table(self, key: Key, unit: str, held: list[tuple[int, Rows]]) -> pa.Table:
        rows = Rows(
            **{
                name: np.concatenate([getattr(one, name) for _, one in held])
                for name in ("observed_us", "received_us", "value", "flags")
            }
        )
        n = len(rows)
        used = self._drawn.used(key, rows.observed_us, rows.received_us)
        self.rows += n
        self.used += int(used.sum())
        seals = np.repeat(np.array([seal for seal, _ in held], dtype=np.int32), [len(one) for _, one in held])
        slot, channel, revision = key
        columns = [
            pa.array(seals), _same(slot, n), _same(channel, n), pa.array(np.full(n, revision, dtype=np.int32)),
            _same(unit, n), pa.array(rows.observed_us).view(INSTANT), pa.array(rows.received_us).view(INSTANT),
            pa.array(rows.value), pa.array(rows.flags), pa.array(used),
        ]  # fmt: skip
        return pa.table(columns, schema=SCHEMA)


def _same(value: str, n: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.string()), n)


def _writer(file: RawIOBase) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        pa.PythonFile(file, mode="w"), SCHEMA, compression="zstd", write_statistics=True,
        use_dictionary=[name for name in SCHEMA.names if name not in _INSTANTS],
        column_encoding=dict.fromkeys(_INSTANTS, "DELTA_BINARY_PACKED"),
    )  # fmt: skip


def _stretches(heads: NDArray[Any]) -> Iterator[tuple[int, int]]:
    """Leaves of one seal that follow each other in its tree, together no more rows than are held at once."""
    first, n = 0, 0
    for place in range(len(heads)):
        follows = (
            place > first
            and heads["seal"][place] == heads["seal"][place - 1]
            and heads["place"][place] == heads["place"][place - 1] + 1
        )
        if place > first and (not follows or n + int(heads["n"][place]) > GROUP):
            yield first, place
            first, n = place, 0
        n += int(heads["n"][place])
    if first < len(heads):
        yield first, len(heads)


def _fetched_rows(row: Mapping[str, Any]) -> Rows:
    return Rows(
        observed_us=binary.instants(row["observed"]),
        received_us=binary.instants(row["received"]),
        value=binary.floats(row["value"]),
        flags=binary.flags(row["flags"]),
    )


def _part(rows: Rows, low: int, high: int) -> Rows:
    return Rows(
        observed_us=rows.observed_us[low:high],
        received_us=rows.received_us[low:high],
        value=rows.value[low:high],
        flags=rows.flags[low:high],
    )


def _sound(faults: Iterator[str]) -> None:
    for fault in faults:
        raise PermanentError(
            f"The store does not have what was sealed: {fault}. `pilotbed seal check` says more; nothing is bundled that would"
            " not verify."
        )
