"""Says in the platform's own record that a process is at work: from a thread and a database connection of its own.

A collector's stretch of the record begins when it hears every topic, and grows while it does. When the broker goes away the
stretch ends, and a new one begins afterwards: this is what tells a device's silence from ours. While only the database is
away a collector still hears, and holds what it hears; the stretch is drawn out when the database is back.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import psycopg

from core.database import Connection, connect
from core.errors import DatabaseAway
from telemetry.happenings import beat

_log = logging.getLogger(__name__)

EVERY_S: Final = 5.0
_LOOK_EVERY_S: Final = 0.2


class Heartbeat:
    """Beats every few seconds while ``hearing`` says since when we hear."""

    def __init__(
        self, database_url: str, *, name: str, hearing: Callable[[], float | None], note: Callable[[], str]
    ) -> None:
        """:param hearing: the wall-clock instant since which the process does its work; None while it does not."""
        self._url = database_url
        self._name = name
        self._hearing = hearing
        self._note = note
        self._connection: Connection | None = None
        self._silent = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._main, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin as soon as there is something to say."""
        self._thread.start()

    def stop(self) -> None:
        """Beat a last time and end."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(EVERY_S)

    def _main(self) -> None:
        wait_s = _LOOK_EVERY_S
        while True:
            stopping = self._stop.wait(wait_s)
            since = self._hearing()
            # Until we hear, look often: a stretch should be there as soon as it begins.
            wait_s = _LOOK_EVERY_S if since is None else EVERY_S
            if since is not None:
                self._beat(datetime.fromtimestamp(since, UTC))
            if stopping:
                break
        if self._connection is not None:
            self._connection.close()

    def _beat(self, since: datetime) -> None:
        try:
            if self._connection is None:
                self._connection = connect(self._url, application=f"pilotbed-{self._name}-heartbeat")
            beat(self._connection, self._name, since, self._note())
            self._silent = False
        except (DatabaseAway, psycopg.Error) as error:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            if not self._silent:
                _log.warning("the heartbeat cannot be recorded for now: %s", str(error).strip().splitlines()[0])
            self._silent = True
