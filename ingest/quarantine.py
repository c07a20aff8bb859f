"""Messages set aside: which there are, and one of them. What replays them is in ``replay.py``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.database import Connection
from core.errors import NotFound
from core.sql import load

_SQL = load("ingest", "quarantine.sql")

NOBODY = "-"
"""Stands for the connection of a message on nobody's topic."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which messages of a pilot are asked for. What is None leaves nothing out."""

    pilot: str
    connection: str | None = None
    """A connection's name; NOBODY for topics of none."""
    reason: str | None = None
    since: datetime | None = None
    """Of receipt."""
    resolved_too: bool = False
    """Also those that were replayed."""

    def parameters(self) -> Mapping[str, Any]:
        """For the SQL blocks."""
        return {
            "pilot": self.pilot, "connection": self.connection, "reason": self.reason, "since": self.since,
            "resolved_too": self.resolved_too,
        }  # fmt: skip


def quarantined(connection: Connection, wanted: Wanted, *, most: int = 50) -> list[Row]:
    """The newest messages that were set aside, newest first."""
    return connection.execute(_SQL["quarantined_of_pilot"], {**wanted.parameters(), "most": most}).fetchall()


def counts(connection: Connection, wanted: Wanted) -> list[Row]:
    """How many there are by reason, with their bytes, the first and the last receipt; the most frequent first."""
    return connection.execute(_SQL["quarantined_counts"], wanted.parameters()).fetchall()


def beyond_quota(connection: Connection, wanted: Wanted) -> list[Row]:
    """The days on which a sender passed its quota, so that messages were counted and hashed but not kept; newest first."""
    return connection.execute(_SQL["beyond_quota"], wanted.parameters()).fetchall()


def require_connection(connection: Connection, pilot: str, name: str | None) -> None:
    """
    :raises NotFound: the pilot never had a connection of that name.
    """
    names = [row["name"] for row in connection.execute(_SQL["connection_names"], {"pilot": pilot})]
    if name is not None and name not in (*names, NOBODY):
        raise NotFound(
            f"The pilot {pilot!r} has no connection {name!r}; there are: {', '.join(names)}, and {NOBODY} for topics of none."
        )


def quarantined_message(connection: Connection, quarantine_id: int) -> Row:
    """One message with its payload.

    :raises NotFound: there is none of that number.
    """
    row = connection.execute(_SQL["quarantined_one"], {"id": quarantine_id}).fetchone()
    if row is None:
        raise NotFound(f"There is no quarantined message {quarantine_id}: `pilotbed quarantine list PILOT` shows them.")
    return row
