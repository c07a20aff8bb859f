"""Reads the broker's log each second, so that what it says of devices reaches the companies' pages."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Final

import psycopg

from core.database import Connection, connect, first_line
from core.errors import DatabaseAway
from devices import journal
from pilotbed.stack.broker_words import entries
from pilotbed.stack.log_pieces import LARGEST_PIECE, Files

_log = logging.getLogger(__name__)

EVERY_S: Final = 1.0


def read_on(connection: Connection, log: Path, *, largest_piece: int = LARGEST_PIECE) -> bool:
    """Read one piece more of the broker's log, and record it together with how far that was.

    :returns: whether there was one.
    :raises OSError: the log cannot be read. One that is not there yet is no error.
    """
    name = str(log.absolute())
    with Files(log, largest_piece=largest_piece) as files, connection.transaction():
        if not files.ids:
            return False
        piece = files.after(journal.place(connection, name, files.ids))
        if piece is None:
            return False
        journal.note(connection, list(entries(piece.lines)))
        journal.move(connection, name, piece.end)
    return True


class LogReader:
    """Reads on in a thread, with a database connection of its own, until it is stopped."""

    def __init__(self, database_url: str, log: Path) -> None:
        self._url = database_url
        self._log = log
        self._connection: Connection | None = None
        self._failed = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._main, name="broker-log", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End after the piece at hand."""
        self._stop.set()
        self._thread.join(10.0)

    def _main(self) -> None:
        while not self._stop.wait(EVERY_S):
            self._read()
        self._close()

    def _read(self) -> None:
        try:
            if self._connection is None:
                self._connection = connect(self._url, application="pilotbed-broker-log")
            while not self._stop.is_set() and read_on(self._connection, self._log):
                pass
            self._failed = False
        except (DatabaseAway, psycopg.Error, OSError) as error:
            self._close()
            if not self._failed:
                why = first_line(error) if isinstance(error, psycopg.Error) else str(error)
                _log.warning("the broker's log %s is not read for now: %s", self._log, why)
            self._failed = True

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
