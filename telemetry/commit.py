"""Writing a batch: one transaction that takes everything or nothing, counts it exactly, and marks what must be summarised.

New readings go by binary COPY straight into their table. Once a key collides (a redelivery, a resend), batches go through a
stage that tells duplicates (same value: counted) from conflicts (another value: the first stays, the second is kept).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import psycopg
from numpy.typing import NDArray

from core.database import Connection, first_line
from core.errors import DatabaseAway, PermanentError
from core.sql import load
from core.window import HOUR_US, micros
from telemetry import horizon, messages, rows, sequence
from telemetry.aside import Aside, Quota, set_aside, storable
from telemetry.batch import Batch, RejectedItem

_SQL = load("telemetry", "commit.sql")

_STAGED_BATCHES = 50
"""After a collision so many batches go through the stage: a redelivery seldom comes alone."""

_OPEN_GRACE_US = 120_000_000
"""An hour counts as open until so long after its end; the summariser waits longer (see summarise.py)."""


_REFUSALS: Final = ("22", "23", "54")
"""Classes of SQLSTATE that a value causes: data exception, integrity violation, program limit exceeded. Every other error is
one of the server's state (read-only, out of connections, memory or disk, shutting down, locked, not migrated): it passes."""


class RefusedByStore(PermanentError):
    """The database refuses a value of this batch for what it is; the same batch will be refused again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What became of a batch."""

    received_at: datetime
    stored: int
    duplicate: int
    conflict: int
    events: int
    rejected: int
    quarantined: int
    repeated: bool = False
    """This very batch had been committed by an attempt whose outcome was not known: nothing was written now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchMark:
    """By what a batch is recognised if it is committed again: numbers count up within one run of a collector."""

    collector: str
    run: UUID
    number: int


@dataclass(slots=True, kw_only=True)
class _Outcome:
    """Counts by channel (readings) or by slot (events)."""

    stored: Counter[int] = field(default_factory=Counter)
    duplicate: Counter[int] = field(default_factory=Counter)
    conflict: Counter[int] = field(default_factory=Counter)


class Committer:
    """Writes batches over time; remembers what makes the next one cheaper. Not for use from two threads at once."""

    def __init__(self, quota: Quota | None = None) -> None:
        """:param quota: what is kept of messages that are set aside."""
        self._quota = quota or Quota()
        self._staged_left = 0
        self._marked: set[tuple[int, int]] = set()
        """(channel_id, hour µs) of open hours that are in ``dirty_hour`` already."""

    def commit(
        self,
        connection: Connection,
        batch: Batch,
        *,
        received_at: datetime | None = None,
        mark: BatchMark | None = None,
    ) -> Committed:
        """Write a batch in one transaction.

        :param received_at: simulated receipt time, for the loader only.
        :param mark: by which the batch is recognised if it is committed again, after an attempt of unknown outcome.
        :raises DatabaseAway: nothing is known to be written; what is sent again will be recognised.
        :raises RefusedByStore: nothing is written; some value is not storable.
        """
        try:
            with connection.transaction():
                now = horizon.receive(connection)
                if mark is not None and not _is_new(connection, mark, now):
                    return _nothing_new(now)
                received = now if received_at is None else received_at
                made = rows.ahead(rows.columns(batch.readings)) if batch.rows is None else batch.rows
                table = rows.received(made, micros(received))
                runs = rows.by_channel(table)
                outcome, collided = self._write_readings(connection, table, runs)
                marked = self._mark_hours(connection, table, micros(now))
                events = _write_events(connection, batch, received)
                _write_links_and_messages(connection, batch, received)
                rejected = _write_rejections(connection, batch.rejected, received)
                aside = (
                    set_aside(connection, batch.quarantined, received, self._quota) if batch.quarantined else Aside()
                )
                _count_connections(connection, batch, received, aside)
                _count_slots(connection, batch, received, runs, outcome, events, rejected)
                sequence.account(connection, batch.sequences, received)
                if batch.remembered:
                    _remember(connection, batch)
        except psycopg.Error as error:
            if error.sqlstate is not None and error.sqlstate[:2] in _REFUSALS:
                raise RefusedByStore(
                    f"The store refused a batch: {first_line(error)}. Commit its parts one by one."
                ) from error
            raise DatabaseAway(f"The database did not take a batch: {first_line(error)}.") from error
        # Only now is it certain that these marks are in the table.
        self._marked |= marked
        self._staged_left = _STAGED_BATCHES if collided else max(0, self._staged_left - 1)
        again = len(batch.rejected) - rejected.total()
        return Committed(
            received_at=received,
            stored=outcome.stored.total(),
            duplicate=outcome.duplicate.total() + events.duplicate.total() + again,
            conflict=outcome.conflict.total() + events.conflict.total(),
            events=events.stored.total(),
            rejected=rejected.total(),
            quarantined=aside.kept.total() + aside.beyond.total(),
        )

    def _write_readings(
        self, connection: Connection, table: NDArray[Any], runs: list[rows.Run]
    ) -> tuple[_Outcome, bool]:
        """:returns: what became of the readings by channel, and whether a key was there already."""
        if not runs:
            return _Outcome(), False
        given = Counter({run.channel_id: run.n for run in runs})
        if not self._staged_left:
            try:
                with connection.transaction():
                    rows.copy(connection, _SQL["copy_readings"], table)
                return _Outcome(stored=given), False
            except psycopg.errors.UniqueViolation:
                pass  # some key is there: the stage tells which
        connection.execute(_SQL["make_stage"])
        connection.execute(_SQL["clear_stage"])
        rows.copy(connection, _SQL["copy_stage"], table)
        stored = {row["channel_id"]: row["n"] for row in connection.execute(_SQL["insert_staged"])}
        outcome = _Outcome(stored=Counter(stored))
        if outcome.stored.total() == len(table):
            return outcome, False
        outcome.conflict = Counter({row["channel_id"]: row["n"] for row in connection.execute(_SQL["keep_conflicts"])})
        outcome.duplicate = given - outcome.stored - outcome.conflict
        return outcome, True

    def _mark_hours(self, connection: Connection, table: NDArray[Any], now_us: int) -> set[tuple[int, int]]:
        """Insert the batch's channel-hours into ``dirty_hour``, without those of open hours that are there already.

        A mark of an open hour stays until the hour is closed, so inserting it once is enough.
        """
        if not len(table):
            return set()
        found = rows.channel_hours(table)
        self._marked = {mark for mark in self._marked if now_us < mark[1] + HOUR_US + _OPEN_GRACE_US}
        new = sorted(found - self._marked)
        if new:
            connection.execute(
                _SQL["mark_hours"], {"channels": [c for c, _ in new], "hours_us": [hour for _, hour in new]}
            )
        return {mark for mark in new if now_us < mark[1] + HOUR_US + _OPEN_GRACE_US}


def commit(connection: Connection, batch: Batch) -> Committed:
    """Write one batch on its own; see :meth:`Committer.commit`."""
    return Committer().commit(connection, batch)


def remembered(connection: Connection, connection_ids: Sequence[int]) -> list[dict[str, Any]]:
    """What protocols remember of these connections: rows of connection_id, name, value."""
    return connection.execute(_SQL["remembered"], {"connections": list(connection_ids)}).fetchall()


def _write_events(connection: Connection, batch: Batch, received: datetime) -> _Outcome:
    outcome = _Outcome()
    if not batch.events:
        return outcome
    # Within a batch the first of a key is the one that stays, as between batches.
    first: dict[tuple[int, str, str, str], Any] = {}
    again = []
    for event in batch.events:
        key = (event.slot_id, event.kind, event.id, event.phase)
        if first.setdefault(key, event) is not event:
            again.append(event)
    inserted = connection.execute(_SQL["insert_events"], _event_columns(list(first.values()), received)).fetchall()
    new = {(row["slot_id"], row["kind"], row["id"], row["phase"]) for row in inserted}
    outcome.stored.update(key[0] for key in new)
    repeated = [event for key, event in first.items() if key not in new] + again
    if repeated:
        kept = connection.execute(_SQL["keep_event_conflicts"], _event_columns(repeated, received)).fetchall()
        outcome.conflict.update(row["slot_id"] for row in kept)
        outcome.duplicate = Counter(event.slot_id for event in repeated) - outcome.conflict
    return outcome


def _event_columns(events: list[Any], received: datetime) -> dict[str, Any]:
    return {
        "received_at": received,
        "slots": [event.slot_id for event in events],
        "kinds": [event.kind for event in events],
        "ids": [event.id for event in events],
        "phases": [event.phase for event in events],
        "numbers": [event.number for event in events],
        "ats_us": [event.at_us for event in events],
        "attributes": [event.attributes.decode() for event in events],
        "flags": [event.flags for event in events],
    }


def _is_new(connection: Connection, mark: BatchMark, now: datetime) -> bool:
    given = {"collector": mark.collector, "run": mark.run, "number": mark.number, "received_at": now}
    return connection.execute(_SQL["recognise_batch"], given).fetchone() is not None


def _nothing_new(now: datetime) -> Committed:
    return Committed(
        received_at=now, stored=0, duplicate=0, conflict=0, events=0, rejected=0, quarantined=0, repeated=True
    )


def _write_rejections(connection: Connection, rejected: list[RejectedItem], received: datetime) -> Counter[int]:
    """:returns: how many were new, by slot."""
    if not rejected:
        return Counter()
    new = connection.execute(
        _SQL["insert_rejections"],
        {
            "received_at": received,
            "slots": [item.slot_id for item in rejected],
            "topics": [storable(item.topic) for item in rejected],
            "items": [storable(item.item) for item in rejected],
            "observed": [storable(item.observed) for item in rejected],
            "values": [storable(item.value) for item in rejected],
            "reasons": [item.reason for item in rejected],
            "details": [storable(item.detail) for item in rejected],
            "again": [item.redelivered for item in rejected],
        },
    )
    return Counter({row["slot_id"]: row["n"] for row in new})


def _write_links_and_messages(connection: Connection, batch: Batch, received: datetime) -> None:
    cursor = connection.cursor()
    if batch.link_states:
        cursor.executemany(
            _SQL["insert_link_state"],
            [
                {"slot": s.slot_id, "at_us": s.at_us, "received_at": received, "state": s.state, "origin": s.origin}
                for s in batch.link_states
            ],
        )
    blocks: defaultdict[int, list[messages.Entry]] = defaultdict(list)
    for pilot_id, connection_id, topic, payload, arrival_us, flags in batch.messages:
        blocks[pilot_id].append((connection_id, topic, payload, arrival_us, flags))
    for pilot_id, entries in blocks.items():
        cursor.execute(
            _SQL["insert_message"],
            {
                "pilot": pilot_id,
                "received_at": received,
                "connections": sorted({entry[0] for entry in entries}),
                "n": len(entries),
                "body": messages.pack(entries),
            },
        )


def _remember(connection: Connection, batch: Batch) -> None:
    """What protocols remember once these messages are read: with them, or not at all."""
    gone = [(connection_id, name) for connection_id, name, value in batch.remembered if value is None]
    kept = [(connection_id, name, value) for connection_id, name, value in batch.remembered if value is not None]
    if gone:
        connection.execute(_SQL["forget"], {"connections": [one[0] for one in gone], "names": [one[1] for one in gone]})
    if kept:
        connection.execute(
            _SQL["remember"],
            {
                "connections": [one[0] for one in kept],
                "names": [one[1] for one in kept],
                "values": [one[2] for one in kept],
            },
        )


def _count_connections(connection: Connection, batch: Batch, received: datetime, aside: Aside) -> None:
    """delivered = committed + quarantined, on the day of receipt in the pilot's zone."""
    if not batch.delivered:
        return
    ids = sorted(batch.delivered)
    connection.execute(
        _SQL["count_connections"],
        {
            "received_at": received,
            "connections": ids,
            "delivered": [batch.delivered[i] for i in ids],
            "quarantined": [aside.quarantined(i) for i in ids],
            "redelivered": [batch.redelivered.get(i, 0) for i in ids],
            "payload_bytes": [batch.payload_bytes.get(i, 0) for i in ids],
        },
    )


def _count_slots(
    connection: Connection,
    batch: Batch,
    received: datetime,
    runs: list[rows.Run],
    readings: _Outcome,
    events: _Outcome,
    rejected: Counter[int],
) -> None:
    """decoded = stored + duplicate + conflict + rejected, likewise. What is known from a delivery before is a duplicate."""
    if not (runs or batch.events or batch.rejected):
        return
    refused = Counter(item.slot_id for item in batch.rejected)
    said = Counter(event.slot_id for event in batch.events)
    slots = sorted(said.keys() | refused.keys())
    connection.execute(
        _SQL["count_slots"],
        {
            "received_at": received,
            "channels": [run.channel_id for run in runs],
            "c_decoded": [run.n for run in runs],
            "c_stored": [readings.stored[run.channel_id] for run in runs],
            "c_duplicate": [readings.duplicate[run.channel_id] for run in runs],
            "c_conflict": [readings.conflict[run.channel_id] for run in runs],
            "c_first_us": [run.first_us for run in runs],
            "c_last_us": [run.last_us for run in runs],
            "slots": slots,
            "s_decoded": [said[slot] + refused[slot] for slot in slots],
            "s_stored": [events.stored[slot] for slot in slots],
            "s_duplicate": [events.duplicate[slot] + refused[slot] - rejected[slot] for slot in slots],
            "s_conflict": [events.conflict[slot] for slot in slots],
            "s_rejected": [rejected[slot] for slot in slots],
        },
    )
