"""Writing a batch: one transaction that takes everything or nothing, counts it exactly, and marks what must be summarised.

New readings go by binary COPY straight into their table. Once a key collides (a redelivery, a resend), batches go through a
stage that tells duplicates (same value: counted) from conflicts (another value: the first stays, the second is kept).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from numpy.typing import NDArray

from core.database import Connection, first_line
from core.errors import DatabaseAway, PermanentError
from core.sql import load
from core.window import HOUR_US, micros
from telemetry import horizon, messages, rows
from telemetry.batch import Batch

_SQL = load("telemetry", "commit.sql")

_STAGED_BATCHES = 50
"""After a collision so many batches go through the stage: a redelivery seldom comes alone."""

_OPEN_GRACE_US = 120_000_000
"""An hour counts as open until so long after its end; the summariser waits longer (see summarise.py)."""


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


class Committer:
    """Writes batches over time; remembers what makes the next one cheaper. Not for use from two threads at once."""

    def __init__(self) -> None:
        self._staged_left = 0
        self._marked: set[tuple[int, int]] = set()
        """(channel_id, hour µs) of open hours that are in ``dirty_hour`` already."""

    def commit(self, connection: Connection, batch: Batch, *, received_at: datetime | None = None) -> Committed:
        """Write a batch in one transaction.

        :param received_at: simulated receipt time, for the loader only.
        :raises DatabaseAway: nothing is known to be written; what is sent again will be recognised.
        :raises RefusedByStore: nothing is written; some value is not storable.
        """
        collided = False
        try:
            with connection.transaction():
                now = horizon.receive(connection)
                received = now if received_at is None else received_at
                made = rows.ahead(rows.columns(batch.readings)) if batch.rows is None else batch.rows
                table = rows.received(made, micros(received))
                outcome, collided = self._write_readings(connection, table)
                marked = self._mark_hours(connection, table, micros(now))
                events = _write_events(connection, batch, received)
                _write_rest(connection, batch, received)
                _count(connection, batch, received, outcome, events)
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            raise RefusedByStore(
                f"The store refused a batch: {first_line(error)}. Commit its parts one by one."
            ) from error
        except psycopg.Error as error:
            raise DatabaseAway(f"The database did not take a batch: {first_line(error)}.") from error
        # Only now is it certain that these marks are in the table.
        self._marked |= marked
        self._staged_left = _STAGED_BATCHES if collided else max(0, self._staged_left - 1)
        return Committed(
            received_at=received,
            stored=outcome.stored.total(),
            duplicate=outcome.duplicate.total() + events.duplicate.total(),
            conflict=outcome.conflict.total() + events.conflict.total(),
            events=events.stored.total(),
            rejected=len(batch.rejected),
            quarantined=len(batch.quarantined),
        )

    def _write_readings(self, connection: Connection, table: NDArray[Any]) -> tuple[_Outcome, bool]:
        """:returns: what became of the readings by channel, and whether a key was there already."""
        if not len(table):
            return _Outcome(), False
        if not self._staged_left:
            try:
                with connection.transaction():
                    rows.copy(connection, _SQL["copy_readings"], table)
                return _Outcome(stored=_by_channel(table)), False
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
        outcome.duplicate = _by_channel(table) - outcome.stored - outcome.conflict
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


class _Outcome:
    """Counts by channel (readings) or by slot (events)."""

    def __init__(self, stored: Counter[int] | None = None) -> None:
        self.stored: Counter[int] = stored if stored is not None else Counter()
        self.duplicate: Counter[int] = Counter()
        self.conflict: Counter[int] = Counter()


def _by_channel(table: NDArray[Any]) -> Counter[int]:
    return Counter(rows.by_channel(table))


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


def _write_rest(connection: Connection, batch: Batch, received: datetime) -> None:
    cursor = connection.cursor()
    if batch.link_states:
        cursor.executemany(
            _SQL["insert_link_state"],
            [
                {"slot": s.slot_id, "at_us": s.at_us, "received_at": received, "state": s.state, "origin": s.origin}
                for s in batch.link_states
            ],
        )
    if batch.quarantined:
        cursor.executemany(
            _SQL["insert_quarantine"],
            [
                {
                    "connection": q.connection_id, "received_at": received, "topic": _text(q.topic),
                    "reason": q.reason, "detail": _text(q.detail), "payload": q.payload,
                    "payload_bytes": q.payload_bytes, "sha256": q.payload_sha256,
                }
                for q in batch.quarantined
            ],
        )  # fmt: skip
    if batch.rejected:
        cursor.executemany(
            _SQL["insert_rejection"],
            [
                {
                    "slot": r.slot_id, "received_at": received, "topic": _text(r.topic), "item": _text(r.item),
                    "observed": _text(r.observed), "value": _text(r.value), "reason": r.reason, "detail": _text(r.detail),
                }
                for r in batch.rejected
            ],
        )  # fmt: skip
    blocks: defaultdict[int, list[messages.Entry]] = defaultdict(list)
    for pilot_id, connection_id, topic, payload in batch.messages:
        blocks[pilot_id].append((connection_id, topic, payload))
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


def _count(connection: Connection, batch: Batch, received: datetime, readings: _Outcome, events: _Outcome) -> None:
    """The exact accounting, by connection and by slot, of the day of receipt in the pilot's zone."""
    if batch.delivered:
        held = Counter(q.connection_id for q in batch.quarantined if q.connection_id is not None)
        ids = sorted(batch.delivered)
        connection.execute(
            _SQL["count_connections"],
            {
                "received_at": received,
                "connections": ids,
                "delivered": [batch.delivered[i] for i in ids],
                "quarantined": [held[i] for i in ids],
                "payload_bytes": [batch.payload_bytes.get(i, 0) for i in ids],
            },
        )
    if batch.readings.channel_id or batch.events or batch.rejected:
        channels = sorted(Counter(batch.readings.channel_id).items())
        slots = sorted({e.slot_id for e in batch.events} | {r.slot_id for r in batch.rejected})
        refused = Counter(r.slot_id for r in batch.rejected)
        said = Counter(e.slot_id for e in batch.events)
        connection.execute(
            _SQL["count_slots"],
            {
                "received_at": received,
                "channels": [channel for channel, _ in channels],
                "c_decoded": [n for _, n in channels],
                "c_stored": [readings.stored[channel] for channel, _ in channels],
                "c_duplicate": [readings.duplicate[channel] for channel, _ in channels],
                "c_conflict": [readings.conflict[channel] for channel, _ in channels],
                "slots": slots,
                "s_decoded": [said[slot] + refused[slot] for slot in slots],
                "s_stored": [events.stored[slot] for slot in slots],
                "s_duplicate": [events.duplicate[slot] for slot in slots],
                "s_conflict": [events.conflict[slot] for slot in slots],
                "s_rejected": [refused[slot] for slot in slots],
            },
        )


def _text(value: str) -> str:
    """Text that PostgreSQL can hold: a NUL becomes its picture, a lone surrogate its escape."""
    return value.replace("\0", "␀").encode("utf-8", "backslashreplace").decode()
