"""What runs the jobs: procrastinate's queue and clock on our own database."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import procrastinate
import psycopg

from core.database import Connection, connected
from core.errors import PilotbedError
from core.settings import settings
from devices.broker import synchronise
from pilotbed.jobs import sealing, tasks
from pilotbed.jobs.broker_log import LogReader
from telemetry.heartbeat import Heartbeat

_log = logging.getLogger(__name__)

_SOON = "* * * * * */10"
_MINUTE = "* * * * * 5"
_TEN_MINUTES = "6-56/10 * * * *"
_HOURLY = "7 * * * *"
_DAILY = "17 3 * * *"
_NIGHTLY = "47 3 * * *"
_SEALS = "2-52/10 * * * *"
"""A day ends at its pilot's midnight, whatever zone that is in."""


def application(database_url: str, broker_url: str | None) -> procrastinate.App:
    """The queue with its periodic jobs. Each has a lock of its own: never two of a kind at once."""
    app = procrastinate.App(
        connector=procrastinate.PsycopgConnector(conninfo=database_url, kwargs={"application_name": "pilotbed-work"})
    )

    def every(cron: str, name: str, job: Callable[[Connection], object]) -> None:
        def run(timestamp: int) -> None:  # noqa: ARG001 - procrastinate passes the planned second
            with connected(database_url, application=f"pilotbed-{name}") as connection:
                job(connection)

        task: Any = app.task(name=name, queue="periodic", lock=name, queueing_lock=name, pass_context=False)(run)
        app.periodic(cron=cron)(task)

    every(_SOON, "summarise", tasks.keep_summaries)
    again = timedelta(minutes=settings().judge_minutes)
    every(_MINUTE, "judge", lambda connection: tasks.judge(connection, every=again))
    every(_TEN_MINUTES, "judge-clocks", tasks.judge_clocks)
    every(_MINUTE, "judge-quality", tasks.judge_quality)
    every(_HOURLY, "judge-silence", tasks.judge_silence)
    every(_DAILY, "judge-late", tasks.judge_late)
    every(_DAILY, "prune", tasks.prune)
    every(_NIGHTLY, "retain", tasks.retain)
    every(_NIGHTLY, "compare-summaries", tasks.compare_summaries)
    every(_HOURLY, "keep-storage", tasks.keep_storage)
    every(_SEALS, "seal", lambda connection: sealing.keep_seals(connection, broker_url))
    if broker_url is not None:
        every(_MINUTE, "synchronise-broker", lambda connection: synchronise(broker_url, connection))
    return app


def work(database_url: str, broker_url: str | None, *, broker_log: Path | None = None) -> None:
    """Run the jobs until a signal asks to stop; a job that is running is finished first, for a few seconds.

    :param broker_log: the broker's log, to be read each second; None: nobody reads it.
    """
    app = application(database_url, broker_url)
    reader = None if broker_log is None else LogReader(database_url, broker_log)

    async def run() -> None:
        async with app.open_async():
            await app.run_worker_async(queues=["periodic"], concurrency=2, shutdown_graceful_timeout=10)

    begun = time.time()
    heartbeat = Heartbeat(database_url, name="work", hearing=lambda: begun, note=lambda: "")
    heartbeat.start()
    if reader is not None:
        reader.start()
    try:
        _begin(database_url)
        sealing.prepare(database_url)
        if broker_url is not None:
            _synchronise_now(database_url, broker_url)
        _log.info("working")
        asyncio.run(run())
    finally:
        if reader is not None:
            reader.stop()
        heartbeat.stop()


def _begin(database_url: str) -> None:
    """What changed since the last start is said at once, and what follows the settings follows them."""
    try:
        with connected(database_url, application="pilotbed-work") as connection:
            tasks.note_settings(connection)
            tasks.keep_storage(connection)
    except (PilotbedError, psycopg.Error) as problem:
        _log.warning("settings_not_noted, storage follows them within the hour: %s", problem)


def _synchronise_now(database_url: str, broker_url: str) -> None:
    """The first comparison is made at once, and not in the course of a minute."""
    try:
        with connected(database_url, application="pilotbed-synchronise-broker") as connection:
            synchronise(broker_url, connection)
    except PilotbedError as problem:
        _log.warning("broker_not_synchronised, tried again within a minute: %s", problem)
