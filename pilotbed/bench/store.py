"""What the store takes and gives: bytes a reading, rates of writing, summing up, judging and sealing, and how fast it answers."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from core.database import Connection, connected
from core.errors import EnvironmentProblem
from core.migrate import Engine, engine
from core.sql import load
from pilotbed.bench import store_bytes, store_rates, store_series, year
from pilotbed.bench.machine import machine
from pilotbed.bench.scratch import scratch_database, scratch_server
from pilotbed.bench.store_latency import latencies
from pilotbed.bench.store_rates import BATCH, SEALED_DAYS
from pilotbed.bench.store_series import Shape, Written
from pilotbed.bench.summarising import DAYS, summary_rate
from telemetry import storage

_SQL = load("pilotbed.bench", "store.sql")

LEAST: Final = 30_000
TARGET_BYTES: Final = 6.0
_NEED_A_READING: Final = 140
_NEED_BESIDES: Final = 5_000_000_000
"""Mostly the log of what is being written."""
_MOST_WRITTEN: Final = 200_000

METHOD: Final = (
    "Simulated: gauges every 10 s to 0.1 °C (a random walk with a daily cycle, in three kinds), counters at 1 Hz, states sent"
    f" when they change; 0.05 % lost; {store_series.DAYS} days from a million readings on. Receipts as a collector gives them:"
    " after 20 to 100 ms on the way, one for each batch of 100 ms. Written day by day in order of receipt by binary COPY, then"
    " VACUUM ANALYZE. Bytes: table with its key and its index by receipt, over the rows. Committer: batches of"
    f" {BATCH:,} readings, made beforehand, in turns with a bare binary COPY of as many rows into the same table with its"
    " indexes. Scan: all values added up by one process, the same rows. Seals: of the last"
    f" {SEALED_DAYS} days. Questions: 60 hours, 60 days and 20 months of gauges drawn at random, after the table was read as a"
    " whole. CPU: of this process and the server's behind it, where that runs on the same machine. The summariser's rate"
    " beside a bare read: 22 channels in a database of their own, best of 2."
)

Say = Callable[[str], None]
Progress = Callable[[str, float], None]


def bench_store(*, readings: Sequence[int], server: str | None, say: Say, progress: Progress) -> dict[str, Any]:
    """Measure a store of each size, each in a database of its own that is dropped.

    :param readings: sizes, at least 30,000 each.
    :param server: the URL of a server to measure on; None: an embedded one.
    :param progress: called with what is being done and the share of it that is done.
    :returns: the report, ready for JSON.
    :raises EnvironmentProblem: the disk has too little room, or the server takes no new database.
    """
    need = need_bytes(max(readings))
    say(f"Up to {need / 1e9:.1f} GB of disk are needed for {max(readings):,} readings while this runs.")
    if server is None:
        require_free(Path(tempfile.gettempdir()), need)
    levels = []
    with scratch_server(server, durable=True) as where:
        found: Engine | None = None
        safety: dict[str, Any] = {}
        for size in readings:
            with scratch_database(where) as url, connected(url, application="pilotbed-bench") as connection:
                found = engine(connection)
                safety = connection.execute(_SQL["server"]).fetchone() or {}
                levels.append(_level(connection, size, found, say, progress))
        with scratch_database(where) as url, connected(url, application="pilotbed-bench") as connection:
            summary = _summary(connection, max(readings), say, progress)
    return {
        "machine": machine(str(found)),
        "server": dict(safety),
        "method": METHOD,
        "timescaledb": found is not None and found.timescaledb is not None,
        "target_bytes": TARGET_BYTES,
        "levels": levels,
        "summary": summary,
    }


def need_bytes(readings: int) -> int:
    """What a store of so many readings takes on disk at the most while it is measured."""
    return readings * _NEED_A_READING + _NEED_BESIDES


def require_free(folder: Path, need: int) -> None:
    """:raises EnvironmentProblem: the folder's disk has less room."""
    free = shutil.disk_usage(folder).free
    if free < need:
        raise EnvironmentProblem(
            f"The disk of {folder} has {free / 1e9:.1f} GB free, and this needs {need / 1e9:.1f} GB: give --readings less, or"
            " name another folder with TMPDIR."
        )


def _level(connection: Connection, size: int, found: Engine, say: Say, progress: Progress) -> dict[str, Any]:
    shape = Shape.of(size)
    what = f"{shape.readings:,} readings"
    chunked = found.timescaledb is not None
    load_before = os.getloadavg()[0]
    written = store_series.register(connection, shape)
    copied = store_rates.fill(connection, shape, written, lambda done: progress(f"{what}: written", done))
    n = copied["readings"]
    say(f"{n:,} readings written at {copied['per_s']:,.0f}/s")
    connection.execute(_SQL["vacuum"])
    rows = store_bytes.taken(connection, chunked=chunked)
    report: dict[str, Any] = {"asked": size, "readings": n, "shape": asdict(shape), "fill": copied}
    report["bytes_rows"] = _a_reading(rows, n)

    steps: list[tuple[str, Callable[[], Any]]] = [
        ("summarised", lambda: store_rates.summarised(connection, shape)),
        ("judged", lambda: store_rates.judged(connection)),
        ("sealed_rows", lambda: store_rates.sealed(connection, shape)),
        ("latency_rows", lambda: latencies(connection, shape, lambda done: progress(f"{what}: asked", done))),
    ]
    if chunked:
        steps += [
            ("columns", lambda: _to_columns(connection, shape, written, n)),
            ("sealed_columns", lambda: store_rates.sealed(connection, shape)),
            ("latency_columns", lambda: latencies(connection, shape, lambda _: None)),
        ]
    most = min(_MOST_WRITTEN, n // 10)
    steps.append(("committer", lambda: store_rates.written_beside_copy(connection, shape, written, most)))
    for done, (name, work) in enumerate(steps):
        report[name] = work()
        progress(f"{what}: measured", (done + 1) / len(steps))
    report["load"] = [round(load_before, 1), round(os.getloadavg()[0], 1)]
    say(f"{n:,} readings measured; load {report['load'][0]} before, {report['load'][1]} after")
    return report


def _to_columns(connection: Connection, shape: Shape, written: list[Written], n: int) -> dict[str, Any]:
    """Everything by column, what that takes, and of what its bytes are."""
    cost = store_rates.timed(
        connection, n, lambda: storage.move_to_columns(connection, store_series.begin(shape.days) + timedelta(days=8))
    )
    connection.execute(_SQL["vacuum"])
    after = store_bytes.taken(connection, chunked=True)
    return {
        **cost.plain(),
        "bytes": _a_reading(after, n),
        "kinds": store_bytes.by_kind(connection, written, after.total),
    }


def _a_reading(taken: store_bytes.Taken, n: int) -> dict[str, float]:
    return {name: value / n for name, value in asdict(taken).items()}


def _summary(connection: Connection, size: int, say: Say, progress: Progress) -> dict[str, Any]:
    days = DAYS if size >= 6_000_000 else 1
    share = min(1.0, size / (86_400 * days * year.ALL_CHANNELS))
    progress("summaries beside a bare read", 0.0)
    rate = summary_rate(connection, days=days, share=share, repeat=2)
    progress("summaries beside a bare read", 1.0)
    say(f"summarised at {rate.readings_per_s:,.0f}/s, {rate.ratio_to_read:.2f} of a bare read")
    return {
        **asdict(rate), "per_s": rate.readings_per_s, "limit_per_s": rate.read_per_s, "ratio": rate.ratio_to_read,
        "share": share,
    }  # fmt: skip
