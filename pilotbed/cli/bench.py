"""``pilotbed bench``: what this machine reaches."""

from __future__ import annotations

import json
import secrets
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import PermanentError
from pilotbed.bench.chaos.run import RATE, Chaos, bench_chaos
from pilotbed.bench.chaos.run import table as chaos_table
from pilotbed.bench.ingest import bench_ingest, table
from pilotbed.bench.latency import PROBES
from pilotbed.cli import group

if TYPE_CHECKING:  # rich takes its time
    from rich.progress import TaskID

app = group("Measure this machine, and kill parts of the platform under load.")


@app.callback()
def _bench() -> None:
    """Measure this machine, and kill parts of the platform under load."""


@app.command()
def ingest(
    readings: Annotated[
        str, typer.Option(help="Readings a message, several with commas: 1, or a multiple of 10.")
    ] = "1,10,100",
    messages: Annotated[
        int | None, typer.Option(min=8, help="Messages a run; by default so many that it takes seconds.")
    ] = None,
    collectors: Annotated[
        str, typer.Option(help="How many collectors, several with commas; beyond one they divide the connections.")
    ] = "1,2",
    repeat: Annotated[int, typer.Option(min=1, max=50, help="How often; the median counts.")] = 1,
    probes: Annotated[int, typer.Option(min=0, help="Messages that measure publish → visible at half load.")] = PROBES,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """The collector, durable, beside what mosquitto_sub, a bare COPY and a naive loop reach in the same run."""
    report = bench_ingest(
        levels=_levels(readings),
        messages=messages,
        repeat=repeat,
        collectors=_counts(collectors),
        probes=probes,
        say=_say,
    )
    print(json.dumps(report, ensure_ascii=False) if as_json else table(report))


@app.command()
def chaos(
    kills: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 20,
    seed: Annotated[int | None, typer.Option(help="The same seed, the same kills; by default one of today's.")] = None,
    rate: Annotated[float, typer.Option(min=8, help="Messages a second, of all senders together.")] = RATE,
    collectors: Annotated[int, typer.Option(min=1, max=4, help="Beyond one they divide the connections.")] = 2,
    only: Annotated[str, typer.Option(help="Kinds of kill, several with commas; by default all.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Kill collectors, database, broker and the networks between them under load; nothing may be lost or doubled.

    Ends with 1 if anything was.
    """
    told = Chaos(
        kills=kills,
        seed=secrets.randbelow(1_000_000) if seed is None else seed,
        rate=rate,
        collectors=collectors,
        only=[name.strip() for name in only.split(",") if name.strip()],
    )
    # Asked to end it stops what it has started, and takes its disk away.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    report = bench_chaos(told, say=_say)
    print(json.dumps(report, ensure_ascii=False) if as_json else chaos_table(report))
    if not report["passed"]:
        raise typer.Exit(1)


@app.command()
def verdicts(
    seeds: Annotated[int, typer.Option(min=100, help="Simulated pilots of each kind.")] = 2000,
    only: Annotated[str, typer.Option(help="Only cases whose kind or name contains this.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """How often a product exactly at its target passes: pilots simulated, and judged by the code that judges real ones.

    Ends with 1 if more pass falsely than may.
    """
    from pilotbed.bench import verdicts as bench  # scipy: not for the other measurements

    found = bench.bench_verdicts(seeds, say=_say, only=only)
    report = bench.plain(found)
    print(json.dumps(report, ensure_ascii=False) if as_json else bench.table(found))
    if not report["passed"]:
        raise typer.Exit(1)


@app.command()
def decode(
    repeat: Annotated[int, typer.Option(min=1, max=50, help="How often; the median counts.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Messages a second of one core, from bytes to readings in canonical units, a protocol at a time."""
    from pilotbed.bench import decode as bench  # every protocol's parts: not for the other measurements

    report = bench.bench_decode(repeat, say=_say)
    print(json.dumps(report, ensure_ascii=False) if as_json else bench.table(report))


@app.command()
def evaluate(
    share: Annotated[
        float, typer.Option(min=0.0001, max=1, help="Of 1 Hz × 20 channels; all hours, by a longer period.")
    ] = 1.0,
    days: Annotated[int, typer.Option(min=7, max=365, help="How many; fewer than a year for a quick look.")] = 365,
    disk_gb: Annotated[
        float, typer.Option(min=6, help="What it may take; less is made where that does not hold it.")
    ] = 20,
    server: Annotated[
        str | None,
        typer.Option(
            envvar="PILOTBED_BENCH_DATABASE_URL",
            help="A server where it makes databases of its own, and drops them; by default an embedded one.",
            show_envvar=True,
            show_default=False,
        ),
    ] = None,
    repeat: Annotated[int, typer.Option(min=1, max=50, help="How often each evaluation; the median counts.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """What an evaluation costs after a year of readings, and after a tenth of them: time, and rows read."""
    from pilotbed.bench import evaluate as bench  # scipy: not for the other measurements

    # Asked to end it drops its databases.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with _bar() as progress:
        report = bench.bench_evaluate(
            share=share, days=days, disk_gb=disk_gb, server=server, say=_say, progress=progress, repeat=repeat
        )
    print(json.dumps(report, ensure_ascii=False) if as_json else bench.table(report))


@app.command()
def store(
    readings: Annotated[
        str, typer.Option(help="How many, several with commas: 1e6, 1e7, 1e8 (which needs 19 GB of disk).")
    ] = "1e6,1e7",
    server: Annotated[
        str | None,
        typer.Option(
            envvar="PILOTBED_BENCH_DATABASE_URL",
            help="A server where it makes databases of its own, and drops them; by default an embedded one.",
            show_envvar=True,
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Bytes a reading, rates of writing, summing up, judging and sealing, and how fast one channel's readings come back."""
    from pilotbed.bench import store as bench  # scipy: not for the other measurements
    from pilotbed.bench.store_table import table as told

    sizes = _sizes(readings, bench.LEAST)
    # Asked to end it drops its databases.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with _bar() as progress:
        report = bench.bench_store(readings=sizes, server=server, say=_say, progress=progress)
    print(json.dumps(report, ensure_ascii=False) if as_json else told(report))


@contextmanager
def _bar() -> Iterator[Callable[[str, float], None]]:
    """A progress bar on stderr, where that is a terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        tasks: dict[str, TaskID] = {}

        def tell(what: str, done: float) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=1.0)
            bar.update(tasks[what], completed=done)

        yield tell


def _levels(text: str) -> list[int]:
    levels = []
    for part in text.split(","):
        if not part.strip().isdigit() or not (
            int(part) == 1 or (int(part) and int(part) % 10 == 0 and int(part) <= 1000)
        ):
            raise PermanentError(f"--readings {text!r}: {part.strip()!r} is neither 1 nor a multiple of 10 up to 1000.")
        levels.append(int(part))
    return levels


def _sizes(text: str, least: int) -> list[int]:
    sizes = []
    for part in text.split(","):
        try:
            size = int(float(part))
        except (ValueError, OverflowError):
            size = 0
        if not least <= size <= 1_000_000_000:
            raise PermanentError(f"--readings {text!r}: {part.strip()!r} is no number from {least:,} to 1e9.")
        sizes.append(size)
    return sizes


def _counts(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    for part in parts:
        if part not in ("1", "2", "3", "4"):
            raise PermanentError(f"--collectors {text!r}: {part!r} is no number from 1 to 4.")
    return [int(part) for part in parts]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
