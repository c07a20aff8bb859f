"""``pilotbed collect``: a collector alone."""

from __future__ import annotations

import gc
import signal
from types import FrameType
from typing import Annotated

import typer

from core.log import configure
from core.settings import settings
from ingest.collector import Collector
from pilotbed.stack.attach import attached_broker_url, attached_database

_YOUNG_OBJECTS = 50_000
"""Python looks for cycles after so many new objects. A batch makes many and no cycle; the default looks a hundred times
as often, for a tenth of the time."""


def collect(
    drain: Annotated[
        bool,
        typer.Option(
            "--drain",
            help="Subscribe to nothing more, settle what is queued for this collector, end its session, exit.",
        ),
    ] = False,
) -> None:
    """Collect from the broker into the store until a signal asks to stop; what was taken is committed first.

    PILOTBED_COLLECTOR is its fixed name: one running process a name.
    """
    name = settings().collector
    configure(name)
    gc.set_threshold(_YOUNG_OBJECTS, 20, 20)
    broker_url = attached_broker_url(name)
    with attached_database() as database_url:
        collector = Collector(database_url=database_url, broker_url=broker_url, settings=settings(), drain=drain)

        def asked(_number: int, _frame: FrameType | None) -> None:
            collector.stop()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, asked)
        collector.run()
