"""How the store keeps readings: on TimescaleDB in weekly pieces (chunks), the older ones by column; else in one table.

Nothing depends on it: the same statements give the same results on either.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.database import Connection
from core.migrate import Engine, engine
from core.sql import load

_SQL = load("telemetry", "storage.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """One piece of the table of readings, by instant of observation."""

    name: str
    start: datetime
    end: datetime
    by_column: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When TimescaleDB moves a chunk to columns."""

    after: timedelta
    """So long after its end."""
    scheduled: bool
    last_run_at: datetime | None
    last_status: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """What the store is made of now."""

    engine: Engine
    chunks: int
    by_column: int
    bytes_before: int
    """Of the chunks that lie by column: before they did …"""
    bytes_after: int
    """… and now."""
    policy: Policy | None


def describe(connection: Connection) -> Storage:
    """Which engine, how many chunks of it lie by column, what that saves, and by which policy."""
    found = chunks(connection)
    row = connection.execute(_SQL["bytes"]).fetchone() or {"before_bytes": None, "after_bytes": None}
    return Storage(
        engine=engine(connection),
        chunks=len(found),
        by_column=sum(one.by_column for one in found),
        bytes_before=row["before_bytes"] or 0,
        bytes_after=row["after_bytes"] or 0,
        policy=policy(connection),
    )


def chunks(connection: Connection) -> list[Chunk]:
    """The chunks in the order of time; none on a plain server."""
    return [
        Chunk(name=row["chunk"], start=row["from_at"], end=row["until_at"], by_column=row["by_column"])
        for row in connection.execute(_SQL["chunks"])
    ]


def policy(connection: Connection) -> Policy | None:
    """The policy in force; None on a plain server, or where none is set."""
    row = connection.execute(_SQL["policy"]).fetchone()
    if row is None:
        return None
    return Policy(
        after=row["after"], scheduled=row["scheduled"], last_run_at=row["last_run_at"], last_status=row["last_status"]
    )


def keep_policy(connection: Connection, after: timedelta) -> bool:
    """Have TimescaleDB move chunks to columns so long after their end; what comes late into one is moved with its next run.

    :returns: whether that is a change. Never one on a plain server.
    """
    row = connection.execute(_SQL["set_policy"], {"after": after}).fetchone()
    return row is not None and bool(row["changed"])


def move_to_columns(connection: Connection, before: datetime) -> int:
    """Move every chunk that ended by an instant to columns now, instead of with the policy's next run.

    :returns: how many were moved.
    """
    due = [one for one in chunks(connection) if one.end <= before and not one.by_column]
    for one in due:
        connection.execute(_SQL["move_chunk"], {"chunk": one.name})
    return len(due)
