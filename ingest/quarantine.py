"""Messages set aside: list them, look at one, and replay them once the plan was corrected.

A replay decodes the raw payload by the registry as it is now, with the receipt time it had then. What it yields is stored
like anything else (what is there already is recognised), and the message is marked as resolved in the same transaction. The
count of deliveries is left as it was: the message was delivered once, and was quarantined that day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from core import audit
from core.database import Connection
from core.errors import NotFound
from core.sql import load
from core.window import micros
from ingest import registry
from ingest.batching import Arrivals, add, decode_guarded
from ingest.inbox import Part
from ingest.routing import Routes
from telemetry.batch import Batch
from telemetry.commit import Committer, RefusedByStore

_SQL = load("ingest", "quarantine.sql")

Row = dict[str, Any]

_AT_ONCE: Final = 200
_HEADER_QOS_1: Final = 0x32


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What a replay did."""

    tried: int
    resolved: int
    """Messages that were decoded now, and are settled."""
    readings: int
    """Readings that are new in the store by it."""
    still: int
    """Messages that are still not usable."""
    cut: int
    """Oversized messages, of which only the head was kept: nothing can be replayed."""


def quarantined(
    connection: Connection, pilot: str, *, reason: str | None = None, resolved_too: bool = False, most: int = 50
) -> list[Row]:
    """The newest messages that were set aside, newest first."""
    given = {"pilot": pilot, "reason": reason, "resolved_too": resolved_too, "most": most}
    return connection.execute(_SQL["quarantined_of_pilot"], given).fetchall()


def quarantined_message(connection: Connection, quarantine_id: int) -> Row:
    """One message with its payload.

    :raises NotFound: there is none of that number.
    """
    row = connection.execute(_SQL["quarantined_one"], {"id": quarantine_id}).fetchone()
    if row is None:
        raise NotFound(f"There is no quarantined message {quarantine_id}: `pilotbed quarantine list PILOT` shows them.")
    return row


def replay(
    connection: Connection, pilot: str, *, who: str, max_payload_bytes: int, reason: str | None = None
) -> Replayed:
    """Decode the open messages of a pilot again, and store what they say.

    :param who: for the audit log.
    :param reason: only those that were set aside for it.
    """
    routes = Routes(registry.load(connection))
    worker = _Replay(connection, routes, pilot, who, max_payload_bytes)
    after = 0
    while True:
        with connection.transaction():
            rows = connection.execute(
                _SQL["open_after"], {"pilot": pilot, "reason": reason, "after": after, "most": _AT_ONCE}
            ).fetchall()
            worker.take(rows)
        if not rows:
            return worker.outcome()
        after = rows[-1]["quarantine_id"]


class _Replay:
    def __init__(self, connection: Connection, routes: Routes, pilot: str, who: str, max_payload_bytes: int) -> None:
        self._connection = connection
        self._routes = routes
        self._pilot = pilot
        self._who = who
        self._max_payload_bytes = max_payload_bytes
        self._committer = Committer()
        self._arrivals = Arrivals()
        self._tried = self._resolved = self._readings = self._cut = 0

    def outcome(self) -> Replayed:
        still = self._tried - self._resolved - self._cut
        return Replayed(tried=self._tried, resolved=self._resolved, readings=self._readings, still=still, cut=self._cut)

    def take(self, rows: list[Row]) -> None:
        """Settle what can be settled, inside the transaction that holds the rows."""
        self._tried += len(rows)
        usable: list[tuple[int, Batch]] = []
        for row in rows:
            if len(row["payload"]) < row["payload_bytes"]:
                self._cut += 1
                continue
            batch = self._decode(row)
            if not batch.quarantined:
                usable.append((row["quarantine_id"], batch))
        if not usable:
            return
        try:
            stored = self._store([batch for _, batch in usable])
            settled = [quarantine_id for quarantine_id, _ in usable]
        except RefusedByStore:
            stored, settled = self._store_singly(usable)
        if settled:
            self._resolve(settled, stored)

    def _decode(self, row: Row) -> Batch:
        part = Part(
            generation=0,
            received_us=micros(row["received_at"]),
            items=[(row["topic"].encode(), bytes(row["payload"]), 0, _HEADER_QOS_1)],
        )
        batch = decode_guarded(
            [part], self._routes, self._arrivals, max_payload_bytes=self._max_payload_bytes, keep_messages=False
        )
        # It was counted when it came.
        batch.delivered.clear()
        batch.payload_bytes.clear()
        return batch

    def _store(self, batches: list[Batch]) -> int:
        whole = Batch()
        for batch in batches:
            add(whole, batch)
        # In a savepoint: a refusal must not end the transaction that holds the rows.
        with self._connection.transaction():
            return self._committer.commit(self._connection, whole).stored

    def _store_singly(self, usable: list[tuple[int, Batch]]) -> tuple[int, list[int]]:
        stored, settled = 0, []
        for quarantine_id, batch in usable:
            try:
                stored += self._store([batch])
            except RefusedByStore:
                continue
            settled.append(quarantine_id)
        return stored, settled

    def _resolve(self, settled: list[int], stored: int) -> None:
        self._resolved += len(settled)
        self._readings += stored
        self._connection.execute(_SQL["resolve"], {"ids": settled, "resolution": f"replayed by {self._who}"})
        audit.record(
            self._connection,
            who=self._who,
            what="quarantine.replay",
            pilot=self._pilot,
            object=f"{len(settled)} messages, {settled[0]} to {settled[-1]}",
            after={"messages": settled, "readings": stored},
        )
