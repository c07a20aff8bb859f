"""``pilotbed demo``: the whole platform with simulated pilots."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from core.settings import settings


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def demo(
    once: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Run to the end without a person, write documents to DIR, exit.")
    ] = None,
    data: Annotated[Path, typer.Option(help="The folder of the demo's own data.")] = Path("demo"),
) -> None:
    """Four simulated pilots with ninety days behind them: one meets its targets, one fails, one has too little data, and of
    one it cannot be told yet. Their devices speak Sparkplug B, VDA 5050, MAVLink and JSON.

    It has a folder of its own, never that of `pilotbed up`. A later start fills the gap since the last.
    """
    from pilotbed.demo.run import run, run_once

    own = settings().model_copy(update={"database_url": None, "mqtt_url": None, "data_dir": data.absolute()})
    if once is not None:
        run_once(own, once.absolute(), _say)
    else:
        run(own, _say)
