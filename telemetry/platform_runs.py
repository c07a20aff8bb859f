"""The platform's own life, read from its record: runs of its processes, their versions, and when no intake was at work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

from core.database import Connection
from core.sql import load
from core.window import Window
from telemetry.platform_record import GOES_ON_S, platform_alive

_SQL = load("telemetry", "platform_runs.sql")

State = Literal["runs", "ended", "broke_off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One life of a process, as it said it."""

    process: str
    run: str
    """Empty where its life is not known: simulated history, and what is known by the pulse only."""
    version: str
    """Of the code; empty where it was not said."""
    started_at: datetime
    until: datetime
    """Its last word speaks of the time up to here."""
    state: State
    """``broke_off``: its next word was due and never came."""
    at_work_s: float
    """Of a collector: heard every topic."""
    words: int
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """The platform in a window."""

    window: Window
    runs: tuple[Run, ...]
    """The newest first."""
    outages: tuple[Window, ...]
    """When no intake was at work, since the record begins; in the order of time."""

    @property
    def restarts(self) -> dict[str, int]:
        """How often each process began anew within the window."""
        named = [one.process for one in self.runs if one.run]
        return {process: named.count(process) - 1 for process in sorted(set(named))}

    @property
    def versions(self) -> tuple[tuple[datetime, str], ...]:
        """From when on each version of the code was seen first."""
        first: dict[str, datetime] = {}
        for one in self.runs:
            if one.version and one.run:
                first[one.version] = min(one.started_at, first.get(one.version, one.started_at))
        return tuple(sorted((at, version) for version, at in first.items()))


def life(connection: Connection, window: Window, now: datetime, *, process: str | None = None, most: int = 200) -> Life:
    """What the platform's record says of a window.

    :param process: only this one's runs; outages are those of the intake all the same.
    :param most: at most so many runs, the newest.
    """
    asked = {"start": window.start, "end": window.end, "process": process, "most": most}
    runs = tuple(
        Run(
            process=row["process"], run=row["run"], version=row["version"], started_at=row["started_at"],
            until=row["until_at"], state=_state(row["goes_on"], row["until_at"], row["run"], now),
            at_work_s=row["at_work_s"], words=row["words"], note=row["note"],
        )
        for row in connection.execute(_SQL["runs"], asked)
    )  # fmt: skip
    return Life(window=window, runs=runs, outages=_outages(connection, window, now))


def _state(goes_on: bool, until: datetime, run: str, now: datetime) -> State:
    if not goes_on or not run:
        return "ended"
    return "runs" if now - until <= timedelta(seconds=GOES_ON_S) else "broke_off"


def _outages(connection: Connection, window: Window, now: datetime) -> tuple[Window, ...]:
    row = connection.execute(_SQL["begins"]).fetchone()
    if row is None or row["at"] is None:
        return ()
    start, end = max(window.start, row["at"]), min(window.end, now)
    if start >= end:
        return ()
    alive = platform_alive(connection, "", Window(start=start, end=end))
    edges = [start, *(edge for one in alive for edge in (one.start, one.end)), end]
    return tuple(Window(start=a, end=b) for a, b in list(pairwise(edges))[::2] if a < b)
