"""What happened at a slot, what its link did, and the pulse of our own processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from core.database import Connection
from core.sql import load
from core.window import Window

_SQL = load("telemetry", "happenings.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened at a slot; with phases, its start and its end are two of these with one id."""

    slot_id: int
    kind: str
    id: str
    phase: Literal["", "start", "end"]
    number: int | None
    at: datetime
    received_at: datetime
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkState:
    """What a slot said of its link, or its connection's will for it."""

    at: datetime
    received_at: datetime
    state: Literal["online", "offline"]
    origin: Literal["status", "will"]


def events(
    connection: Connection, slot_id: int, kind: str, window: Window, as_of: datetime | None = None
) -> list[Event]:
    """The events of one kind whose ``at`` lies in the window, by ``at``, then id, then phase."""
    rows = connection.execute(
        _SQL["events"],
        {"slot": slot_id, "kind": kind, "start": window.start, "end": window.end, "as_of": as_of},
    )
    return [Event(**row) for row in rows]


def link_states(connection: Connection, slot_id: int, window: Window, as_of: datetime | None = None) -> list[LinkState]:
    """The link's states in the window in the order of time, the last one before it as the first."""
    rows = connection.execute(
        _SQL["link_states"], {"slot": slot_id, "start": window.start, "end": window.end, "as_of": as_of}
    )
    return [LinkState(**row) for row in rows]


def beat(connection: Connection, process: str, started_at: datetime, note: str = "") -> None:
    """The pulse: a process at work since ``started_at`` is so now. Drawn out in place every few seconds, for whoever watches
    over processes; the record that counts is :mod:`telemetry.platform_record`."""
    connection.execute(_SQL["beat"], {"process": process, "started_at": started_at, "note": note})
