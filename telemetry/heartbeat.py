"""Says in the platform's own record that a process is at work: from a thread and a database connection of its own.

A collector is at work while it hears every topic. When the broker goes away it is not, until it hears again: this is what
tells a device's silence from ours. While only the database is away a collector still hears, and holds what it hears; when it
did is kept in mind, and recorded when the database is back.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import psycopg

from core.database import Connection, connect
from core.errors import DatabaseAway
from telemetry.happenings import beat
from telemetry.platform_record import ROW_EVERY_S, Ledger, record, settle

_log = logging.getLogger(__name__)

EVERY_S: Final = 5.0
"""So often the pulse is drawn out (see ``telemetry/happenings.py``)."""
_LOOK_EVERY_S: Final = 1.0
_LOOK_AT_FIRST_S: Final = 0.2
"""Until there is work, look often: a stretch should be there as soon as it begins."""


class Heartbeat:
    """Looks every second whether ``hearing`` says that we do our work, draws out the pulse, and writes the record's rows."""

    def __init__(
        self,
        database_url: str,
        *,
        name: str,
        hearing: Callable[[], float | None],
        note: Callable[[], str],
        row_every_s: float = ROW_EVERY_S,
    ) -> None:
        """:param hearing: the wall-clock instant since which the process does its work; None while it does not."""
        self._url = database_url
        self._name = name
        self._hearing = hearing
        self._note = note
        self._run = secrets.token_hex(8)
        self._ledger = Ledger(time.time(), row_every_s)
        self._connection: Connection | None = None
        self._silent = False
        self._settled = False
        self._beat_at = -EVERY_S
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._main, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin as soon as there is something to say."""
        self._thread.start()

    def stop(self) -> None:
        """Beat a last time, record the end, and end."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(EVERY_S)

    def _main(self) -> None:
        wait_s = _LOOK_AT_FIRST_S
        while True:
            stopping = self._stop.wait(wait_s)
            since = self._hearing()
            self._ledger.look(since, time.time())
            wait_s = _LOOK_AT_FIRST_S if since is None else _LOOK_EVERY_S
            self._say(since, stopping)
            if stopping:
                break
        if self._connection is not None:
            self._connection.close()

    def _say(self, since: float | None, stopping: bool) -> None:
        """What is due: the pulse, a row of the record. While the database is away, only every few seconds."""
        due = self._ledger.open if stopping else self._ledger.due
        pulse = since is not None and (stopping or time.monotonic() - self._beat_at >= EVERY_S)
        if not (pulse or due) or (self._silent and not stopping and time.monotonic() - self._beat_at < EVERY_S):
            return
        self._beat_at = time.monotonic()
        try:
            if self._connection is None:
                self._connection = connect(self._url, application=f"pilotbed-{self._name}-heartbeat")
            if not self._settled:
                settle(self._connection, self._name)
                self._settled = True
            if pulse and since is not None:
                beat(self._connection, self._name, datetime.fromtimestamp(since, UTC), self._note())
            if due:
                record(self._connection, self._name, self._run, self._ledger.entry(ends=stopping), self._note())
                self._ledger.written()
            self._silent = False
        except (DatabaseAway, psycopg.Error) as error:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            if not self._silent:
                _log.warning("the heartbeat cannot be recorded for now: %s", str(error).strip().splitlines()[0])
            self._silent = True
