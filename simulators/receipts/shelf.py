"""What is kept, in a file: so that it outlives its sender."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from core.errors import EnvironmentProblem
from simulators.receipts.keeping import Number

_TABLE = """
CREATE TABLE IF NOT EXISTS kept (
    sender text NOT NULL,
    boot text NOT NULL,
    seq integer NOT NULL,
    topic text NOT NULL,
    payload blob NOT NULL,
    PRIMARY KEY (sender, boot, seq)
) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What was said where: sent again it is the same to the byte."""

    topic: str
    payload: bytes


class KeepFile:
    """One SQLite file for any number of senders, used by one process and one thread at a time.

    What is on a shelf survives the process at any instant; if power fails, the last few messages may not be on it.

    :raises EnvironmentProblem: it cannot be used, or another process uses it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self.named():
            # Each statement is a transaction of its own. EXCLUSIVE: nobody else opens it meanwhile.
            self.database = sqlite3.connect(path, isolation_level=None, timeout=1.0)
            try:
                self.database.execute("PRAGMA locking_mode = EXCLUSIVE")
                self.database.execute("PRAGMA journal_mode = WAL")
                self.database.execute("PRAGMA synchronous = NORMAL")
                self.database.execute(_TABLE)
                self.database.execute("DELETE FROM kept WHERE false")  # takes the lock now, not with the first message
            except BaseException:
                self.database.close()
                raise

    def shelf(self, sender: str) -> Shelf:
        """The shelf of one sender; its name is the same in each of its lives."""
        return Shelf(self, sender)

    @contextmanager
    def named(self) -> Iterator[None]:
        """SQLite's errors, with the file's name."""
        try:
            yield
        except sqlite3.Error as error:
            raise EnvironmentProblem(
                f"The file {self.path} cannot keep messages ({error}): it is another file, its folder or disk is not"
                " writable, or another simulator uses it. Give another one with --keep, or stop the other."
            ) from error

    def close(self) -> None:
        """Let go of the file."""
        self.database.close()

    def __enter__(self) -> KeepFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Shelf:
    """The kept messages of one sender."""

    def __init__(self, file: KeepFile, sender: str) -> None:
        self._file = file
        self._sender = sender

    def former(self) -> list[tuple[Number, Message]]:
        """What is there, in the order of its numbers."""
        with self._file.named():
            rows = self._file.database.execute(
                "SELECT boot, seq, topic, payload FROM kept WHERE sender = ? ORDER BY boot, seq", [self._sender]
            ).fetchall()
        return [(Number(boot, seq), Message(topic=topic, payload=payload)) for boot, seq, topic, payload in rows]

    def put(self, number: Number, message: Message) -> None:
        """Keep a message."""
        with self._file.named():
            self._file.database.execute(
                "INSERT INTO kept VALUES (?, ?, ?, ?, ?)", [self._sender, *number, message.topic, message.payload]
            )

    def drop(self, numbers: Iterable[Number]) -> None:
        """Let go of messages, all in one transaction."""
        with self._file.named():
            self._file.database.execute("BEGIN")
            self._file.database.executemany(
                "DELETE FROM kept WHERE sender = ? AND boot = ? AND seq = ?",
                [(self._sender, *number) for number in numbers],
            )
            self._file.database.execute("COMMIT")
