"""What an evaluation costs after a year: the hours' summaries it reads, and not the readings behind them."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any, Final

from core.database import Connection, connected
from core.errors import EnvironmentProblem
from core.migrate import Engine, engine
from kpi.evaluate import evaluate
from pilotbed.bench import year
from pilotbed.bench.cpu import used_s
from pilotbed.bench.machine import machine
from pilotbed.bench.scratch import scratch_database, scratch_server
from pilotbed.bench.year import Filled, Size
from telemetry.rows_read import counted

TENTH: Final = 0.1
REPEAT: Final = 5

_BYTES_A_READING: Final = {False: 100, True: 14}
"""On disk, with its key: on plain PostgreSQL, and by column on TimescaleDB."""
_BYTES_IN_CHUNKS: Final = 14 * 86_400 * year.ALL_CHANNELS * 130
"""Two weeks at 1 Hz that do not lie by column yet."""
_BYTES_BESIDES: Final = 5_000_000_000
"""Summaries, and the log of what is being written."""

METHOD: Final = (
    f"{{days}} days of {year.CHANNELS} channels in {year.SLOTS} slots and of one channel each of two more pilots, at one"
    " reading a second and channel times the share, with jitter, lost readings and one silence a week, written into the store"
    " by COPY in the order in which a collector writes; summaries made by the summariser. A share makes the period longer and"
    " leaves the hours. Then `evaluate`, as the command and the jobs call it: the first time, and the median of {{repeat}} more"
    " (all pages in memory as far as they fit). Rows read: those that came out of the store, counted where they are read."
    " CPU: of the evaluation and of the server's process behind it, where that runs on the same machine."
)

_CASES: Final = (
    (
        year.SUMMARIES,
        "summaries",
        "20 channels: mean, max, std, share of time, integral, increase, capture, availability",
    ),
    (year.PERCENTILE, "percentile", "1 channel: p95 of the readings"),
    (year.CUT_HOURS, "cut hours", "1 channel: mean and share of time in 05:30-23:30"),
)

Say = Callable[[str], None]
Progress = Callable[[str, float], None]


def bench_evaluate(
    *,
    share: float,
    days: int,
    disk_gb: float,
    server: str | None,
    say: Say,
    progress: Progress,
    repeat: int = REPEAT,
) -> dict[str, Any]:
    """Make a year and a tenth of it, each in a database of its own that is dropped, and evaluate it.

    :param share: of 1 Hz × 20 channels; less is made where the disk bound does not hold it.
    :param days: how many; fewer than a year for a quick look.
    :param disk_gb: what the databases may take at the most.
    :param server: the URL of a server to measure on; None: an embedded one.
    :param progress: called with what is being made and the share of it that is done.
    :returns: the report, ready for JSON.
    :raises EnvironmentProblem: the disk has less than the bound, or the server takes no new database.
    """
    if server is None:
        _require_free(disk_gb)
    runs = []
    with scratch_server(server) as where:
        found: Engine | None = None
        size = Size.of(share, days)
        for part in (1.0, TENTH):
            with scratch_database(where) as url, connected(url, application="pilotbed-bench") as connection:
                if found is None:
                    found = engine(connection)
                    size = fitting(size, disk_gb, by_column=found.timescaledb is not None, say=say)
                runs.append(_run(connection, Size.of(size.share * part, days), found, say, progress, repeat))
    whole, tenth = runs
    return {
        "machine": machine(str(found)),
        "method": METHOD.format(days=days, repeat=repeat),
        "days": days,
        "asked_share": share,
        "disk_gb": disk_gb,
        "runs": runs,
        "final_s": _final(whole)["median_s"],
        "ratio_of_readings": whole["readings"] / tenth["readings"],
        "ratio_of_final": _final(whole)["median_s"] / _final(tenth)["median_s"],
    }


def _run(
    connection: Connection, size: Size, found: Engine, say: Say, progress: Progress, repeat: int
) -> dict[str, Any]:
    what = f"{size.readings:,} readings, one every {size.period_us / 1e6:g} s"
    filled = year.fill(
        connection, size, by_column=found.timescaledb is not None, progress=lambda done: progress(what, done)
    )
    row = connection.execute("SELECT pg_database_size(current_database()) AS size").fetchone()
    assert row is not None
    say(
        f"{filled.readings:,} readings written at {filled.readings / filled.fill_s:,.0f}/s,"
        f" summarised at {filled.readings / filled.summarise_s:,.0f}/s; {row['size'] / 1e9:.2f} GB"
    )
    return {
        "share": size.share,
        "period_s": size.period_us / 1e6,
        **_plain(filled),
        "database_bytes": row["size"],
        "bytes_a_reading": row["size"] / filled.readings,
        "evaluations": [
            _evaluated(connection, *case, kind, size.month, say, repeat)
            for case in _CASES
            for kind in ("month", "final")
        ],
    }


def _plain(filled: Filled) -> dict[str, Any]:
    return {
        **asdict(filled),
        "fill_per_s": filled.readings / filled.fill_s,
        "summarise_per_s": filled.readings / filled.summarise_s,
    }


def _evaluated(
    connection: Connection, pilot: str, name: str, about: str, kind: str, month: str, say: Say, repeat: int
) -> dict[str, Any]:
    took, cpu = [], []
    for _ in range(1 + repeat):
        before = used_s(connection)
        with counted() as rows:
            begun = time.perf_counter()
            result = evaluate(connection, pilot, month=month if kind == "month" else None, final=kind == "final")
            took.append(time.perf_counter() - begun)
            cpu.append(used_s(connection) - before)
    empty = [kpi["id"] for kpi in result.document["kpis"] if kpi["value"] is None]
    if empty:
        raise EnvironmentProblem(f"The measurement went wrong: pilot {pilot} has no value of {', '.join(empty)}.")
    say(f"{name}, {kind}: {median(took[1:]):.2f} s")
    return {
        "plan": name, "about": about, "kind": kind, "first_s": took[0], "median_s": median(took[1:]), "runs_s": took[1:],
        "cpu_s": median(cpu[1:]),
        "readings": rows.readings, "summaries": rows.summaries, "shares": rows.shares,
    }  # fmt: skip


def _final(run: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(
        one for one in run["evaluations"] if (one["plan"], one["kind"]) == ("summaries", "final")
    )
    return found


def _require_free(disk_gb: float) -> None:
    folder = Path(tempfile.gettempdir())
    free_gb = shutil.disk_usage(folder).free / 1e9
    if free_gb < disk_gb:
        raise EnvironmentProblem(
            f"The disk of {folder} has {free_gb:.0f} GB free, fewer than the {disk_gb:g} GB that this may take:"
            " give --disk-gb less, or name another folder with TMPDIR."
        )


def fitting(asked: Size, disk_gb: float, *, by_column: bool, say: Say) -> Size:
    """What was asked for, or what of it the disk bound holds."""
    besides = _BYTES_BESIDES + (_BYTES_IN_CHUNKS * asked.share if by_column else 0)
    most = max(disk_gb * 1e9 - besides, 0) / _BYTES_A_READING[by_column]
    if asked.readings <= most:
        return asked
    size = Size.of(asked.share * most / asked.readings, asked.days)
    say(
        f"{disk_gb:g} GB hold {size.share:.3f} of 1 Hz over {size.days} days, so that is made instead of {asked.share:g}:"
        f" {size.readings:,} readings."
    )
    return size


def table(report: dict[str, Any]) -> str:
    """The report for people."""
    told = report["machine"]
    lines = [
        f"{told['cpu']}, {told['cores']} cores, {told['memory_gb']} GB, {told['system']}, Python {told['python']},"
        f" {told['database']}",
    ]
    if report["runs"][0]["share"] < 0.99 * report["asked_share"]:
        lines.append(
            f"{report['runs'][0]['share']:.3f} of 1 Hz was made instead of {report['asked_share']:g}: all that"
            f" {report['disk_gb']:g} GB of disk hold."
        )
    for run in report["runs"]:
        lines += [
            "",
            f"{run['readings']:,} readings (share {run['share']:.4f}: one every {run['period_s']:g} s), {run['hours']:,}"
            f" channel-hours; written at {run['fill_per_s']:,.0f}/s, summarised at {run['summarise_per_s']:,.0f}/s,"
            f" {run['bytes_a_reading']:.1f} bytes a reading with its summary",
            f"{'plan':12} {'':6} {'first':>8} {'median':>8} {'CPU':>8} {'readings':>12} {'summaries':>10} {'shares':>8}",
        ]
        lines += [
            f"{one['plan']:12} {one['kind']:6} {one['first_s']:7.2f}s {one['median_s']:7.2f}s {one['cpu_s']:7.2f}s"
            f" {one['readings']:>12,} {one['summaries']:>10,} {one['shares']:>8,}"
            for one in run["evaluations"]
        ]
    lines += [
        "",
        f"{report['ratio_of_readings']:.1f} times the readings: the final evaluation by summaries takes"
        f" {report['ratio_of_final']:.2f} times as long.",
    ]
    return "\n".join(lines)
