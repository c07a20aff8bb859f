"""Messages → decoded → committed → acknowledged, in that order and no other.

What the database does not take for the moment is kept and tried again; it is never acknowledged. What it refuses for good is
narrowed down to the guilty message, which is set aside raw; the others go on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Final
from uuid import uuid4

import psycopg

from core.database import Connection, connect, first_line
from core.errors import DatabaseAway, PermanentError
from devices.registry.bindings import stamp
from ingest import reasons, registry
from ingest.backoff import Backoff
from ingest.batching import set_aside
from ingest.memory import Memory, Recollection, of_rows
from ingest.part import Part
from ingest.preparer import Prepared
from ingest.receipts import Receipts
from ingest.routing import Routes
from telemetry.aside import Quota
from telemetry.batch import Batch
from telemetry.commit import BatchMark, Committed, Committer, RefusedByStore, remembered

_log = logging.getLogger(__name__)

_SLOW_S: Final = 5.0


class GivenUp(Exception):
    """We were asked to stop while the database was away: what is held stays with the broker."""


class Writer:
    """Writes parts of the inbox to the store, one batch at a time. For one thread."""

    def __init__(
        self,
        database_url: str,
        *,
        name: str,
        decoded: Callable[[list[Part], Routes, Recollection], Batch],
        acknowledge: Callable[[int, list[int]], bool],
        wait: Callable[[float], bool],
        receipts: Receipts,
        memory: Memory,
        command: Callable[[str, bytes], None],
        quota: Quota | None = None,
    ) -> None:
        """
        :param decoded: decodes messages by routes, with what is remembered from before.
        :param memory: what protocols remember as of the last commit.
        :param command: publishes what a protocol tells a device.
        :param acknowledge: takes a generation and packet ids; False if they are of a past connection.
        :param wait: sleeps so many seconds; True if we are asked to stop.
        :param quota: what is kept of messages that are set aside.
        """
        self._url = database_url
        self._name = name
        self._decoded = decoded
        self._acknowledge = acknowledge
        self._wait = wait
        self._connection: Connection | None = None
        self._receipts = receipts
        self._memory = memory
        self._command = command
        self._recalled: set[int] = set()
        """The connections of which is known what they remember."""
        self._committer = Committer(quota)
        self._run = uuid4()
        self._number = 0
        """Of the batch that is being committed: an attempt of unknown outcome is repeated under its number."""
        self._stamp: object = None
        self._backoff = Backoff()
        self.routes = Routes([])
        self.messages = 0
        """Messages settled since the start."""

    def refresh(self) -> bool:
        """Take over what changed in the registry. False while the database is away."""
        try:
            self._follow_registry()
        except DatabaseAway as error:
            self._failed(error)
            return False
        self._succeeded()
        self.tell_receipts()
        return True

    def tell_receipts(self, *, now: bool = False) -> None:
        """Tell senders what is committed, if it is time to, or ``now``. While the database is away: later."""
        if self._connection is None or not (now or self._receipts.due):
            return
        try:
            self._receipts.tell(self._connection, self.routes.bindings)
        except psycopg.Error as error:
            self._failed(DatabaseAway(f"What is committed cannot be read: {first_line(error)}."))

    def tick(self, waited: Callable[[Routes, Recollection], Batch]) -> None:
        """Let protocols act because time has passed. While the database is away: later.

        :param waited: what they say and remember then.
        """
        if not self.routes.waiting or self._connection is None:
            return
        memory = self._memory.batch()
        batch = waited(self.routes, memory)
        self._number += 1
        if not memory.changes and not memory.commands:
            return
        try:
            self._commit(self._connection, batch, [], memory)
        except DatabaseAway as error:
            self._failed(error)
        except RefusedByStore as error:
            _log.error("what a protocol said while nothing was heard is refused by the store: %s", error)

    def write(self, prepared: Prepared) -> None:
        """Settle these messages: committed and acknowledged, or set aside and acknowledged.

        :raises GivenUp: asked to stop meanwhile; what was not settled is not acknowledged.
        """
        pending: list[list[Part]] = [prepared.parts]
        ahead: Prepared | None = prepared
        while pending:
            piece = pending.pop()
            try:
                self._until_known(partial(self._settle, piece, ahead))
            except RefusedByStore as error:
                pending += reversed(self._narrow(piece, error))
            ahead = None
        self.tell_receipts()

    def _until_known(self, attempt: Callable[[], None]) -> None:
        """Try under one number until the database has said yes or no.

        :raises RefusedByStore: it says no.
        :raises GivenUp: asked to stop meanwhile.
        """
        self._number += 1
        while True:
            try:
                attempt()
            except DatabaseAway as error:
                self._failed(error)
                if self._wait(self._backoff.wait_s(now=time.monotonic())):
                    raise GivenUp from None
            else:
                self._succeeded()
                return

    def close(self) -> None:
        """Let go of the database."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _settle(self, parts: list[Part], ahead: Prepared | None) -> None:
        """:param ahead: what was decoded of them ahead of time; it counts if registry and memory are still the same."""
        connection = self._follow_registry()
        if ahead is not None and ahead.routes is self.routes and self._memory.fits(ahead.memory):
            batch, memory = ahead.batch, ahead.memory
        else:
            if ahead is not None:
                ahead.memory.discarded = True
            memory = self._memory.batch()
            batch = self._decoded(parts, self.routes, memory)
        self._commit(connection, batch, parts, memory)

    def _commit(self, connection: Connection, batch: Batch, parts: list[Part], memory: Recollection) -> None:
        begun = time.monotonic()
        mark = BatchMark(collector=self._name, run=self._run, number=self._number)
        committed = self._committer.commit(connection, batch, mark=mark)
        self._memory.settle(memory)
        if committed.repeated and batch.remembered:  # by another registry, perhaps: what was written counts
            self._memory.load(of_rows(remembered(connection, sorted({one[0] for one in batch.remembered}))))
        self._settled(parts)
        for topic, payload in memory.commands:
            self._command(topic, payload)
        self._receipts.touch(batch.sequences)
        _tell(committed, len(batch.readings), time.monotonic() - begun)

    def _settled(self, parts: list[Part]) -> None:
        for part in parts:
            self.messages += len(part.items)
            self._acknowledge(part.generation, part.mids())

    def _narrow(self, parts: list[Part], error: PermanentError) -> list[list[Part]]:
        """Halves of what was refused; a single message is set aside instead."""
        total = sum(len(part.items) for part in parts)
        if total > 1:
            return _halves(parts, total)
        if total == 1:
            self._set_aside(parts, str(error))
        return []

    def _set_aside(self, parts: list[Part], detail: str) -> None:
        topic = parts[0].items[0][0].decode("utf-8", "replace")
        batch = set_aside(parts[0], self.routes, reasons.REFUSED_BY_STORE, detail)
        try:
            self._until_known(lambda: self._commit(self._open(), batch, parts, self._memory.batch()))
        except RefusedByStore as error:
            _log.error(
                "a message can be neither stored nor set aside, it stays with the broker topic=%s: %s", topic, error
            )
        else:
            _log.warning("the store refused a message, set aside topic=%s: %s", topic, detail)

    def _follow_registry(self) -> Connection:
        """The open connection, with routes as the registry is now."""
        connection = self._open()
        try:
            current = stamp(connection)
            if current != self._stamp:
                routes = Routes(registry.load(connection))
                self._recall(connection, [binding.connection_id for binding in routes.bindings])
                self.routes = routes
                self._stamp = current
                _log.info("registry read connections=%d", len(self.routes.bindings))
        except psycopg.Error as error:
            raise DatabaseAway(f"The registry cannot be read: {first_line(error)}.") from error
        return connection

    def _recall(self, connection: Connection, connection_ids: list[int]) -> None:
        """Read what the protocols of new connections remember."""
        new = [one for one in connection_ids if one not in self._recalled]
        if new:
            self._memory.load(of_rows(remembered(connection, new)))
            self._recalled.update(new)

    def _open(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._url, application=f"pilotbed-{self._name}")
        return self._connection

    def _failed(self, error: DatabaseAway) -> None:
        if self._backoff.failures == 0:
            _log.warning("the database is away, what arrives is kept and not acknowledged: %s", error)
        self._backoff = self._backoff.failed(now=time.monotonic())
        self.close()

    def _succeeded(self) -> None:
        if self._backoff.failures:
            _log.info("the database is back after_s=%.1f", time.monotonic() - self._backoff.since)
            self._backoff = Backoff()


def _halves(parts: list[Part], total: int) -> list[list[Part]]:
    first: list[Part] = []
    second: list[Part] = []
    room = total // 2
    for part in parts:
        here, there = part.split(room) if room < len(part.items) else (part, None)
        if here.items:
            first.append(here)
        if there is not None:
            second.append(there)
        room -= len(here.items)
    return [first, second]


def _tell(committed: Committed, readings: int, took_s: float) -> None:
    """One line where something is worth telling: what was set aside or refused, or a slow commit."""
    if committed.quarantined or committed.rejected or committed.conflict:
        _log.info(
            "taken in part stored=%d duplicate=%d conflict=%d events=%d rejected=%d quarantined=%d",
            committed.stored, committed.duplicate, committed.conflict, committed.events,
            committed.rejected, committed.quarantined,
        )  # fmt: skip
    if took_s >= _SLOW_S:
        _log.warning("slow commit took_s=%.1f readings=%d", took_s, readings)
