"""How many readings a second the summariser takes in, beside a bare read of the same columns in the same run."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from core.database import Connection
from core.errors import PermanentError
from core.sql import load
from core.window import Window, midnight
from pilotbed.bench import year
from pilotbed.bench.cpu import used_s
from pilotbed.bench.year import Size
from telemetry.summarise import summarise

_SQL = load("pilotbed.bench", "summarising.sql")
_SUMMARISE = load("telemetry", "summarise.sql")

DAYS: Final = 3
"""At 1 Hz 5.7 million readings: some seconds each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryRate:
    """What was measured."""

    readings: int
    hours: int
    """Channel-hours."""
    took_s: float
    cpu_s: float
    """Of the summariser and of the server's process behind it."""
    read_s: float
    """The bare read: the same channel-hours in the same order, their columns fetched and thrown away."""

    @property
    def readings_per_s(self) -> float:
        return self.readings / self.took_s

    @property
    def read_per_s(self) -> float:
        return self.readings / self.read_s

    @property
    def ratio_to_read(self) -> float:
        """1: as fast as they can be read at all."""
        return self.read_s / self.took_s


def summary_rate(connection: Connection, *, days: int = DAYS, share: float = 1.0, repeat: int = 3) -> SummaryRate:
    """Fill an empty database with some days of 22 channels, and have their summaries made.

    Gauges, counters and a state, some of them with a condition whose time is counted. Best of ``repeat``: what else the machine
    does only adds.

    :param share: of 1 Hz.
    :raises PermanentError: there are readings in the database already.
    """
    row = connection.execute(_SQL["any_readings"]).fetchone()
    if row is None or row["found"]:
        raise PermanentError(
            "The summariser's rate is measured in an empty database; this one has readings. Give it one of its own."
        )
    size = Size.of(share, days)
    written = year.register(connection, size)
    readings = sum(year.write_day(connection, size, written, day) for day in range(days))
    connection.execute(_SQL["analyze"])
    window = Window(start=midnight(year.START, year.ZONE), end=midnight(year.START + timedelta(days=days), year.ZONE))
    channels = [channel_id for _, channel_id in written]
    took, cpu, read, hours = [], [], [], 0
    for turn in range(repeat):
        if turn:
            year.mark(connection, channels, window)
        read.append(_bare_read(connection))
        before, begun = used_s(connection), time.perf_counter()
        hours = 0
        while made := summarise(connection):
            hours += made
        took.append(time.perf_counter() - begun)
        cpu.append(used_s(connection) - before)
    return SummaryRate(readings=readings, hours=hours, took_s=min(took), cpu_s=min(cpu), read_s=min(read))


def _bare_read(connection: Connection) -> float:
    """Seconds that it takes to fetch the columns of all marked hours, as the summariser does, and to do nothing with them."""
    marked = connection.execute(_SQL["marked"]).fetchone()
    assert marked is not None
    begun = time.perf_counter()
    for _ in connection.cursor().stream(_SUMMARISE["readings_of_hours"], marked, binary=True):
        pass
    return time.perf_counter() - begun
