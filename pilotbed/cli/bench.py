"""``pilotbed bench``: what this machine reaches."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from core.errors import PermanentError
from pilotbed.bench.ingest import bench_ingest, table
from pilotbed.cli import group

app = group("Measure this machine: the intake beside the limits of its parts.")


@app.callback()
def _bench() -> None:
    """Measure this machine: the intake beside the limits of its parts."""


@app.command()
def ingest(
    readings: Annotated[
        str, typer.Option(help="Readings a message, several with commas: 1, or a multiple of 10.")
    ] = "1,10,100",
    messages: Annotated[
        int | None, typer.Option(min=8, help="Messages a run; by default so many that it takes seconds.")
    ] = None,
    repeat: Annotated[int, typer.Option(min=1, max=50, help="How often; the median counts.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """The collector, durable, beside what mosquitto_sub, a bare COPY and a naive loop reach in the same run."""
    report = bench_ingest(levels=_levels(readings), messages=messages, repeat=repeat, say=_say)
    print(json.dumps(report, ensure_ascii=False) if as_json else table(report))


def _levels(text: str) -> list[int]:
    levels = []
    for part in text.split(","):
        if not part.strip().isdigit() or not (
            int(part) == 1 or (int(part) and int(part) % 10 == 0 and int(part) <= 1000)
        ):
            raise PermanentError(f"--readings {text!r}: {part.strip()!r} is neither 1 nor a multiple of 10 up to 1000.")
        levels.append(int(part))
    return levels


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
