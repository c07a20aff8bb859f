"""The leaves of readings, made by the database next to the data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from core.database import Connection
from core.sql import load
from core.window import micros
from telemetry.seals.leaves import READING, Leaf, Span, streamed

_SQL = load("telemetry.seals", "leaves.sql")

_MOST_GATHERED: Final = 20_000_000
"""Readings; of more they are sorted: the database gathers all leaves of an hour in memory, at 60 bytes a reading, and all of a
day's readings may have come within an hour."""


def reading_leaves(connection: Connection, span: Span) -> Iterator[Leaf]:
    """The channel-hours of a span in the tree's order. Inside a transaction."""
    asked = span.parameters()
    counted = connection.execute(_SQL["received"], asked).fetchone()
    sorts = counted is not None and counted["n"] > _MOST_GATHERED
    connection.execute(_SQL["way"], {"sort": "on" if sorts else "off", "gather": "off" if sorts else "on"})
    same: dict[str, str] = {}
    # One text for all leaves that have it: there may be many leaves.
    found: dict[str, list[Leaf]] = {}
    for row in streamed(connection, _SQL["channel_hours"], asked, binary=True):
        leaf = Leaf(
            kind=READING,
            identity=same.setdefault(row["identity"], row["identity"]),
            unit=same.setdefault(row["unit"], row["unit"]),
            hour_us=micros(row["hour"]),
            n=row["n"],
            first_us=micros(row["first_observed"]),
            last_us=micros(row["last_observed"]),
            hash=row["hash"],
        )
        found.setdefault(leaf.identity, []).append(leaf)
    connection.execute(_SQL["way"], {"sort": "on", "gather": "on"})
    for identity in sorted(found, key=str.encode):
        yield from sorted(found.pop(identity), key=lambda leaf: leaf.hour_us or 0)
