"""How fast a day is sealed: readings hashed by the database a second, beside a plain scan of the same rows."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

from core.database import Connection
from core.sql import load
from pilotbed.bench.cpu import used_s
from telemetry.seals.gathered import reading_leaves
from telemetry.seals.leaves import Span

_SQL = load("pilotbed.bench", "sealing.sql")
_LEAVES = load("telemetry.seals", "leaves.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRate:
    """What sealing reached."""

    readings: int
    leaves: int
    seconds: float
    scan_seconds: float
    """A plain scan of the same rows that adds their values up: what no sealing can be faster than."""
    cpu_seconds: float
    """Of CPU, of this process and the server's …"""
    scan_cpu_seconds: float
    """… and of the scan."""

    @property
    def per_second(self) -> float:
        return self.readings / self.seconds if self.seconds else 0.0

    @property
    def ratio(self) -> float:
        """Of the plain scan's rate."""
        return self.scan_seconds / self.seconds if self.seconds else 0.0


def seal_rate(connection: Connection, pilot: str, start: datetime, end: datetime) -> SealRate:
    """Compute the leaves of everything that a pilot received from one instant to another, as sealing and checking do.

    Give it a day of the pilot's zone; nothing is written.
    """
    row = connection.execute(_SQL["pilot"], {"pilot": pilot}).fetchone()
    assert row is not None, f"there is no pilot {pilot}"
    span = Span(
        pilot_id=row["pilot_id"], pilot=pilot, start=start, end=end, first_day=start.date(), last_day=end.date()
    )
    connection.execute(_LEAVES["know_new_pages"])
    with connection.transaction():
        connection.execute(_LEAVES["work_memory"])
        connection.execute(_LEAVES["no_compiling"])
        begun, begun_cpu = time.perf_counter(), used_s(connection)
        connection.execute(_SQL["plain_scan"], span.parameters()).fetchone()
        scanned, scanned_cpu = time.perf_counter(), used_s(connection)
        leaves = list(reading_leaves(connection, span))
        done, done_cpu = time.perf_counter(), used_s(connection)
    return SealRate(
        readings=sum(leaf.n for leaf in leaves),
        leaves=len(leaves),
        seconds=done - scanned,
        scan_seconds=scanned - begun,
        cpu_seconds=done_cpu - scanned_cpu,
        scan_cpu_seconds=scanned_cpu - begun_cpu,
    )
