"""What a reading takes on disk, and of what its bytes are."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, Final

from psycopg import sql

from core.database import Connection
from core.sql import load
from pilotbed.bench.store_series import KINDS, Written

_SQL = load("pilotbed.bench", "store.sql")

_CHUNKED: Final = """\
SELECT sum(table_bytes)::bigint AS heap, sum(index_bytes)::bigint AS indexes,
       sum(coalesce(toast_bytes, 0))::bigint AS toast, sum(total_bytes)::bigint AS total
FROM hypertable_detailed_size('reading')
"""
"""Not in store.sql, whose blocks every server must know."""

_OF_BATCHES: Final = """\
SELECT channel_id, sum(_ts_meta_count)::bigint AS n, count(*) AS batches,
       sum(pg_column_size(observed_at))::bigint AS observed_at, sum(pg_column_size(received_at))::bigint AS received_at,
       sum(pg_column_size(value))::bigint AS value, sum(pg_column_size(flags))::bigint AS flags
FROM {}
GROUP BY channel_id
"""

COLUMNS: Final = ("observed_at", "received_at", "value", "flags")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Bytes of the table of readings."""

    heap: int
    indexes: int
    toast: int
    """Beside the table: long columns, and the index by which they are found."""
    total: int


def taken(connection: Connection, *, chunked: bool) -> Taken:
    """What the readings take now, with all indexes."""
    row = connection.execute(_CHUNKED if chunked else _SQL["size"]).fetchone()
    assert row is not None
    return Taken(**row)


def by_kind(connection: Connection, written: list[Written], taken_bytes: int) -> list[dict[str, Any]]:
    """Of readings that lie by column: the bytes of each column, kind by kind.

    What is not a column's (rows of batches, their least and greatest, indexes, pages that are not full) is shared out by
    batches: each costs the same, however few readings it holds.
    """
    kinds = {one.channel_id: one.name for one in written}
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for place in connection.execute(_SQL["by_column"]).fetchall():
        statement = sql.SQL(_OF_BATCHES).format(sql.Identifier(place["schema"], place["name"]))
        for row in connection.execute(statement).fetchall():
            kind = kinds[row.pop("channel_id")]
            found[kind].update({name: int(value or 0) for name, value in row.items()})
    batches = sum(one["batches"] for one in found.values())
    rest = taken_bytes - sum(one[name] for one in found.values() for name in COLUMNS)
    told = []
    for kind in KINDS:
        if not (n := found[kind]["n"]):
            continue
        columns = {name: found[kind][name] / n for name in COLUMNS}
        besides = rest * found[kind]["batches"] / batches / n
        told.append(
            {
                "kind": kind, "about": KINDS[kind], "readings": n, "batches": found[kind]["batches"],
                **columns, "rest": besides, "total": sum(columns.values()) + besides,
            }
        )  # fmt: skip
    return told
