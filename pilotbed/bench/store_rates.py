"""How many readings a second the store writes, seals and judges, each beside what no such work can be faster than."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.database import Connection
from core.sql import load
from core.window import instant
from pilotbed.bench import store_series as series
from pilotbed.bench.cpu import used_s
from pilotbed.bench.sealing import seal_rate
from pilotbed.bench.store_series import Shape, Written
from telemetry import binary, packed, rows
from telemetry.batch import Batch
from telemetry.commit import Committer
from telemetry.quality.judge import judge_all, pending
from telemetry.summarise import summarise

_SQL = load("pilotbed.bench", "store.sql")
_COMMIT = load("telemetry", "commit.sql")

BATCH: Final = 5_000
"""Readings: what a collector writes at once at fifty thousand a second."""
TURNS: Final = 2
SEALED_DAYS: Final = 3
JUDGED_S: Final = 120.0
"""After so long no further round of judging begins."""


@dataclass(slots=True, kw_only=True)
class Cost:
    """Time that something took, by the clock and of CPU (of this process and the server's)."""

    readings: int = 0
    took_s: float = 0.0
    cpu_s: float = 0.0

    def plain(self) -> dict[str, Any]:
        return {
            "readings": self.readings, "took_s": self.took_s, "cpu_s": self.cpu_s,
            "per_s": self.readings / self.took_s if self.took_s else 0.0,
        }  # fmt: skip

    def of(self, limit: Cost) -> dict[str, Any]:
        """Beside a limit: 1 is as fast as that."""

        def ratio(ours: float, theirs: float) -> float | None:
            if not ours or not theirs or not self.readings or not limit.readings:
                return None
            return (theirs / limit.readings) / (ours / self.readings)

        return {
            **self.plain(), "limit_per_s": limit.plain()["per_s"],
            "ratio": ratio(self.took_s, limit.took_s), "cpu_ratio": ratio(self.cpu_s, limit.cpu_s),
        }  # fmt: skip


def fill(
    connection: Connection, shape: Shape, written: list[Written], progress: Callable[[float], None]
) -> dict[str, Any]:
    """Write the readings of a shape, each day in one binary COPY; only the COPY is timed."""
    cost = Cost()
    for number in range(shape.days):
        columns, received_us = series.day(shape, written, number)
        body = _packed(columns, received_us)

        def copy(body: bytes = body) -> None:
            with connection.transaction():
                binary.copy(connection, _COMMIT["copy_readings"], body)

        _timed(connection, cost, len(received_us), copy)
        progress((number + 1) / shape.days)
    return cost.plain()


def written_beside_copy(connection: Connection, shape: Shape, written: list[Written], most: int) -> dict[str, Any]:
    """The committer's batches, and the same number of rows by one bare COPY, in turns, on days that are not there yet.

    Both get rows that are sorted by key within a batch and made beforehand. The committer also counts them by channel and day,
    marks their hours, and looks up the horizon; no raw messages are kept.
    """
    ours, bare = Cost(), Cost()
    committer = Committer()
    number = shape.days
    for _ in range(TURNS):
        tables = _tables(shape, written, number, most)
        joined = _joined(tables)

        def copy(table: NDArray[Any] = joined) -> None:
            with connection.transaction():
                rows.copy(connection, _COMMIT["copy_readings"], table)

        _timed(connection, bare, len(joined), copy)
        number += 1
        made = [
            (Batch(rows=table), instant(int(table["received_at"][0]) + binary.PG_EPOCH_US))
            for table in _tables(shape, written, number, most)
        ]

        def commit(made: Any = made) -> None:
            for batch, received in made:
                committer.commit(connection, batch, received_at=received)

        _timed(connection, ours, sum(len(batch.rows) for batch, _ in made if batch.rows is not None), commit)
        number += 1
    return {**ours.of(bare), "batch": BATCH}


def summarised(connection: Connection, shape: Shape) -> dict[str, Any]:
    """The summaries of everything, as the job makes them."""
    cost = Cost()
    window = series.window(0, shape.days)
    connection.execute(_SQL["mark"], {"start": window.start, "end": window.end})

    def all_of_it() -> None:
        while summarise(connection):
            pass

    _timed(connection, cost, scanned(connection).readings, all_of_it)
    connection.execute(_SQL["analyze"])
    return cost.plain()


def scanned(connection: Connection) -> Cost:
    """All readings added up by one process: what nothing that reads them all can be faster than."""
    connection.execute(_SQL["one_process"])
    cost = Cost()

    def scan() -> None:
        row = connection.execute(_SQL["scan"]).fetchone()
        assert row is not None
        cost.readings = row["n"]

    _timed(connection, cost, 0, scan)
    return cost


def judged(connection: Connection) -> dict[str, Any]:
    """Quality: every hour judged, as the job does."""
    cost = Cost()
    scan = scanned(connection)
    before, begun = used_s(connection), time.perf_counter()
    done = judge_all(connection, series.PILOT, most_s=JUDGED_S)
    cost.took_s, cost.cpu_s, cost.readings = time.perf_counter() - begun, used_s(connection) - before, done.readings
    return {**cost.of(scan), "hours": done.hours, "findings": done.new, "left_hours": pending(connection)}


def sealed(connection: Connection, shape: Shape) -> dict[str, Any]:
    """The last days' leaves, day by day."""
    days = range(max(shape.days - SEALED_DAYS, 0), shape.days)
    rates = [seal_rate(connection, series.PILOT, series.begin(day), series.begin(day + 1)) for day in days]
    readings = sum(one.readings for one in rates)
    ours, scan = Cost(readings=readings), Cost(readings=readings)
    for one in rates:
        ours.took_s, ours.cpu_s = ours.took_s + one.seconds, ours.cpu_s + one.cpu_seconds
        scan.took_s, scan.cpu_s = scan.took_s + one.scan_seconds, scan.cpu_s + one.scan_cpu_seconds
    return {**ours.of(scan), "days": len(rates), "leaves": sum(one.leaves for one in rates)}


def _tables(shape: Shape, written: list[Written], number: int, most: int) -> list[NDArray[Any]]:
    columns, received_us = series.day(shape, written, number)
    tables = []
    for first, batch in enumerate(series.batches(columns, BATCH, most)):
        last = first * BATCH + len(batch.value) - 1
        tables.append(rows.received(rows.ahead(batch), int(received_us[last])))
    return tables


def _joined(tables: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """One table of several; numpy's own way would turn the bytes of its numbers around."""
    joined = np.empty(sum(map(len, tables)), dtype=tables[0].dtype)
    np.concatenate(tables, out=joined)
    return joined


def _packed(columns: rows.Columns, received_us: NDArray[np.int64]) -> bytes:
    """Rows in the order in which they are: by receipt, and by key within one."""
    return packed.rows(
        [
            packed.instants(columns.observed_us),
            packed.instants(received_us),
            packed.floats(columns.value),
            packed.wholes(columns.channel_id.astype(np.int64)),
            packed.Column(columns.flags, ">i2"),
        ]
    )


def timed(connection: Connection, readings: int, work: Callable[[], object]) -> Cost:
    """What some work on so many readings cost."""
    cost = Cost()
    _timed(connection, cost, readings, work)
    return cost


def _timed(connection: Connection, cost: Cost, readings: int, work: Callable[[], object]) -> None:
    before, begun = used_s(connection), time.perf_counter()
    work()
    cost.took_s += time.perf_counter() - begun
    cost.cpu_s += used_s(connection) - before
    cost.readings += readings
