"""What happened at a slot, what its link did, and when the platform itself was alive."""

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
    """Say that a process, running since ``started_at``, is alive now. To be said every few seconds."""
    connection.execute(_SQL["beat"], {"process": process, "started_at": started_at, "note": note})


def platform_alive(connection: Connection, pilot: str, window: Window) -> list[Window]:
    """The stretches of a window in which an intake was alive for a pilot, in the order of time, those that touch joined.

    The loader of simulated history counts as an intake for its own pilot, for the time that it wrote.
    """
    parameters = {"loader": f"loader:{pilot}", "start": window.start, "end": window.end}
    found: list[Window] = []
    for row in connection.execute(_SQL["alive"], parameters):
        piece = Window(start=row["started_at"], end=row["until"]).intersection(window)
        if found and piece.start <= found[-1].end:
            found[-1] = Window(start=found[-1].start, end=max(found[-1].end, piece.end))
        elif piece.start < piece.end:
            found.append(piece)
    return found


def platform_known(connection: Connection, pilot: str) -> datetime | None:
    """When the platform's own record begins for a pilot; before it nobody can say whether we were up. None: no record."""
    row = connection.execute(_SQL["known_since"], {"loader": f"loader:{pilot}"}).fetchone()
    since: datetime | None = None if row is None else row["since"]
    return since
