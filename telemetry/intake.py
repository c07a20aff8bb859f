"""Accounting: what was delivered, what became of it, what was refused and why, and what came last."""

from __future__ import annotations

from datetime import date
from typing import Any

from core.database import Connection
from core.sql import load
from core.window import Window

_SQL = load("telemetry", "intake.sql")

Row = dict[str, Any]


def connection_days(connection: Connection, pilot: str, first: date, last: date) -> list[Row]:
    """By connection and day of receipt, first and last day included: ``delivered = committed + quarantined``."""
    return connection.execute(_SQL["connection_days"], {"pilot": pilot, "first": first, "last": last}).fetchall()


def slot_days(connection: Connection, pilot: str, first: date, last: date) -> list[Row]:
    """By slot and day of receipt: ``decoded = stored + duplicate + conflict + rejected``."""
    return connection.execute(_SQL["slot_days"], {"pilot": pilot, "first": first, "last": last}).fetchall()


def quarantined(connection: Connection, pilot: str, *, most: int = 50, open_only: bool = False) -> list[Row]:
    """The newest messages that could not be taken, newest first."""
    return connection.execute(_SQL["quarantined"], {"pilot": pilot, "most": most, "open_only": open_only}).fetchall()


def rejected(connection: Connection, pilot: str, *, most: int = 50) -> list[Row]:
    """The newest readings and events that were refused on their own, newest first."""
    return connection.execute(_SQL["rejected"], {"pilot": pilot, "most": most}).fetchall()


def conflicts(connection: Connection, pilot: str, *, most: int = 50) -> list[Row]:
    """The newest readings that repeat an instant with another value, newest first."""
    return connection.execute(_SQL["conflicts"], {"pilot": pilot, "most": most}).fetchall()


def rejection_counts(connection: Connection, pilot: str, window: Window) -> list[Row]:
    """Refusals received in a window by slot and reason, and quarantined messages by connection and reason."""
    return connection.execute(
        _SQL["rejection_counts"], {"pilot": pilot, "start": window.start, "end": window.end}
    ).fetchall()


def latest_readings(connection: Connection, pilot: str) -> list[Row]:
    """The newest reading of each channel, in the order of registration; channels without one have ``observed_at`` None."""
    return connection.execute(_SQL["latest_readings"], {"pilot": pilot}).fetchall()
