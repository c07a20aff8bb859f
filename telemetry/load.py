"""Simulated history, straight into the store: for pilots whose plan says ``simulated: true``, and for no other.

Its readings carry simulated receipt times and the flag ``LOADED``; pages and documents of such a pilot say 모의 자료.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from core import audit
from core.database import Connection
from core.errors import PermanentError
from core.sql import load as blocks
from core.window import HOUR_US, Window
from telemetry import horizon, rows
from telemetry.batch import EventRecord, Flag, LinkStateRecord
from telemetry.platform_record import record_history

_SQL = blocks("telemetry", "load.sql")
_COMMIT = blocks("telemetry", "commit.sql")


def load_readings(connection: Connection, pilot: str, readings: rows.Columns, received_us: NDArray[np.int64]) -> int:
    """Write readings that are not there yet, each with the receipt time given for it, in one transaction.

    :returns: how many were written.
    :raises PermanentError: the pilot is not marked simulated.
    """
    _require_simulated(connection, pilot)
    if not len(readings.value):
        return 0
    loaded = readings._replace(flags=readings.flags | np.int16(Flag.LOADED))
    with connection.transaction():
        horizon.receive(connection)
        made = rows.table(loaded, received_us)
        rows.copy(connection, _COMMIT["copy_readings"], made)
        marks = sorted(rows.channel_hours(made))
        connection.execute(
            _COMMIT["mark_hours"], {"channels": [c for c, _ in marks], "hours_us": [hour for _, hour in marks]}
        )
        channels, hours_us, counts = _channel_hours(readings.channel_id, received_us)
        connection.execute(_SQL["count_loaded"], {"channels": channels, "hours_us": hours_us, "counts": counts})
    return len(readings.value)


def load_happenings(
    connection: Connection, pilot: str, events: Sequence[EventRecord], links: Sequence[LinkStateRecord], delay_us: int
) -> int:
    """Write events and link states that are not there yet, each received ``delay_us`` after its own instant.

    :returns: how many events were given.
    :raises PermanentError: the pilot is not marked simulated.
    """
    _require_simulated(connection, pilot)
    with connection.transaction():
        horizon.receive(connection)
        cursor = connection.cursor()
        cursor.executemany(
            _SQL["load_link_state"],
            [{"slot": link.slot_id, "at_us": link.at_us, "delay_us": delay_us, "state": link.state} for link in links],
        )
        cursor.execute(
            _SQL["load_events"],
            {
                "slots": [event.slot_id for event in events],
                "kinds": [event.kind for event in events],
                "ids": [event.id for event in events],
                "phases": [event.phase for event in events],
                "numbers": [event.number for event in events],
                "ats_us": [event.at_us for event in events],
                "attributes": [event.attributes.decode() for event in events],
                "flags": int(Flag.LOADED),
                "delay_us": delay_us,
            },
        )
    return len(events)


def record_alive(connection: Connection, pilot: str, window: Window) -> None:
    """Say that the loader took the part of an intake for a window: silence in it is the simulated device's."""
    _require_simulated(connection, pilot)
    if window.seconds > 0:
        record_history(connection, f"loader:{pilot}", window, "simulated history")
        audit.record(
            connection, who=audit.command_line_user(), what="history.load", pilot=pilot, object="simulated history",
            after={"from": window.start, "to": window.end},
        )  # fmt: skip


def tell_planner(connection: Connection) -> None:
    """Let PostgreSQL look at what was loaded: until it has, it plans for tables that are nearly empty."""
    connection.execute(_SQL["analyze"])


def loaded_until(connection: Connection, pilot: str) -> datetime | None:
    """Up to where a pilot's history was loaded; None if nothing was."""
    row = connection.execute(_SQL["loaded_until"], {"process": f"loader:{pilot}"}).fetchone()
    until: datetime | None = None if row is None else row["until"]
    return until


def _channel_hours(channel_id: NDArray[np.int32], us: NDArray[np.int64]) -> tuple[list[int], list[int], list[int]]:
    """The distinct channel-hours, and how many readings each has."""
    # One number a pair: numpy sorts numbers ten times as fast as pairs.
    keys, counts = np.unique((channel_id.astype(np.int64) << 32) | (us // HOUR_US), return_counts=True)
    return (keys >> 32).tolist(), ((keys & 0xFFFF_FFFF) * HOUR_US).tolist(), counts.tolist()


def _require_simulated(connection: Connection, pilot: str) -> None:
    row = connection.execute(_SQL["is_simulated"], {"pilot": pilot}).fetchone()
    if row is None or not row["simulated"]:
        raise PermanentError(
            f"Pilot {pilot!r} is not marked simulated, so no history may be loaded into it:"
            " its readings come from its devices, through the broker."
        )
