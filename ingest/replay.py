"""Replaying messages that were set aside, once the plan or the platform was corrected.

A message is decoded by the registry as it is now, as the broker delivered it then: with the receipt time, and the facts of its
delivery, that it had. What it yields is stored like anything else, marked as replayed, with the receipt time of now; what is
there already is recognised. The message is marked as settled in the same transaction, which holds it until then: so nothing
is stored twice, whoever replays, however often, and wherever it stops.

The count of deliveries is left as it was: the message was delivered once, and quarantined that day. Nor is its number counted
again; only that of a message on nobody's topic is counted now, because nobody counted it then.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from core import audit
from core.database import Connection
from core.locks import REPLAY
from core.sql import load
from core.window import micros
from devices.registry import stamp
from ingest import registry
from ingest.batching import Arrivals, Limits, add, decode_guarded
from ingest.memory import Memory
from ingest.message import QOS0, RETAINED
from ingest.part import Part
from ingest.quarantine import Row, Wanted
from ingest.recalled import looking_back, recalled
from ingest.routing import Routes
from telemetry.batch import Batch, Flag
from telemetry.commit import Committed, Committer, RefusedByStore

_SQL = load("ingest", "quarantine.sql")

_AT_ONCE: Final = 200
_LIMITS: Final = Limits(payload_bytes=2**31, keep_messages=False)
"""What was kept whole is decoded, whatever the limits are by now."""
_ARRIVAL: Final = int(Flag.ARRIVAL_TIME)
_REPLAYED: Final = int(Flag.REPLAYED)


@dataclass(slots=True, kw_only=True)
class Replayed:
    """What a replay did."""

    tried: int = 0
    resolved: int = 0
    """Messages that were decoded now, and are settled."""
    cut: int = 0
    """Oversized messages, of which only the head was kept: nothing can be replayed."""
    readings: int = 0
    """Readings that are new in the store by it."""
    events: int = 0
    duplicate: int = 0
    """Readings and events that were there already: the device had sent them again."""
    conflict: int = 0
    rejected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    """Why the others are still not usable, by the plan as it is now."""

    @property
    def still(self) -> int:
        """Messages that are still not usable."""
        return self.tried - self.resolved - self.cut

    def settled(self, ids: list[int], committed: Committed) -> None:
        """Enter what one commit did."""
        self.resolved += len(ids)
        self.readings += committed.stored
        self.events += committed.events
        self.duplicate += committed.duplicate
        self.conflict += committed.conflict
        self.rejected += committed.rejected


def replay(connection: Connection, wanted: Wanted, *, who: str) -> Replayed:
    """Decode the open messages of a pilot again, and store what they say. Messages that another replay holds are left to it.

    :param connection: in autocommit: every so many messages are a transaction of their own.
    :param who: for the audit log.
    """
    worker = _Replay(connection, wanted, who)
    after = 0
    while True:
        with connection.transaction():
            rows = connection.execute(
                _SQL["open_after"], {**wanted.parameters(), "after": after, "most": _AT_ONCE}
            ).fetchall()
            worker.take(rows)
        if not rows:
            return worker.outcome
        after = rows[-1]["quarantine_id"]


def as_delivered(row: Row) -> Part:
    """A message as it came from the broker then."""
    header = 0x30 | (0 if row["flags"] & QOS0 else 0x02) | (0x01 if row["flags"] & RETAINED else 0)
    item = (row["topic"].encode(), bytes(row["payload"]), 0, header)
    return Part(generation=0, received_us=micros(row["received_at"]), items=[item])


def is_whole(row: Row) -> bool:
    """Whether more than a message's head was kept."""
    return len(row["payload"]) == int(row["payload_bytes"])


class _Replay:
    def __init__(self, connection: Connection, wanted: Wanted, who: str) -> None:
        self._connection = connection
        self._pilot = wanted.pilot
        self._who = who
        self._committer = Committer()
        self._stamp: object = None
        self._routes = Routes([])
        self._memory = Memory()
        self._given: set[tuple[int, int]] = set()
        self.outcome = Replayed()

    def take(self, rows: list[Row]) -> None:
        """Settle what can be settled, inside the transaction that holds the rows."""
        self._follow_registry()
        self.outcome.tried += len(rows)
        usable: list[tuple[int, Batch]] = []
        for row in rows:
            if not is_whole(row):
                self.outcome.cut += 1
                continue
            batch = self._decode(row)
            if batch.quarantined:
                self.outcome.reasons[batch.quarantined[0].reason] += 1
            else:
                usable.append((row["quarantine_id"], batch))
        self._settle(usable)

    def _follow_registry(self) -> None:
        current = stamp(self._connection)
        if current != self._stamp:
            self._routes = Routes(registry.load(self._connection))
            self._memory = recalled(self._connection, self._routes.bindings)
            self._stamp = current

    def _decode(self, row: Row) -> Batch:
        batch = decode_guarded([as_delivered(row)], self._routes, Arrivals(), _LIMITS, looking_back(self._memory))
        batch.remembered.clear()
        # It was counted when it came.
        batch.delivered.clear()
        batch.payload_bytes.clear()
        if row["connection_id"] is not None:
            batch.sequences.clear()
        if any(flags & _ARRIVAL for flags in batch.readings.flags):
            self._spread(batch, row["received_at"])
        batch.readings.flags[:] = [flags | _REPLAYED for flags in batch.readings.flags]
        batch.events[:] = [replace(event, flags=event.flags | _REPLAYED) for event in batch.events]
        return batch

    def _spread(self, batch: Batch, received_at: datetime) -> None:
        """Move arrivals to instants that are free: others that arrived with this message may be stored already."""
        readings = batch.readings
        self._connection.execute(_SQL["one_replay_at_a_time"], {"lock": REPLAY})
        taken = self._connection.execute(
            _SQL["taken_instants"], {"channels": sorted(set(readings.channel_id)), "first": received_at}
        )
        self._given.update((row["channel_id"], row["observed_us"]) for row in taken)
        for place, flags in enumerate(readings.flags):
            if flags & _ARRIVAL:
                channel_id, observed_us = readings.channel_id[place], readings.observed_us[place]
                while (channel_id, observed_us) in self._given:
                    observed_us += 1
                self._given.add((channel_id, observed_us))
                readings.observed_us[place] = observed_us

    def _settle(self, usable: list[tuple[int, Batch]]) -> None:
        """Store all at once; where the store refuses that, one by one, and what it refuses stays open."""
        if not usable:
            return
        try:
            self._store(usable)
        except RefusedByStore:
            if len(usable) == 1:
                self.outcome.reasons["refused_by_store"] += 1
                return
            for one in usable:
                self._settle([one])

    def _store(self, usable: list[tuple[int, Batch]]) -> None:
        whole = Batch()
        for _, batch in usable:
            add(whole, batch)
        ids = [quarantine_id for quarantine_id, _ in usable]
        # In a savepoint: a refusal must not end the transaction that holds the rows.
        with self._connection.transaction():
            committed = self._committer.commit(self._connection, whole)
            self._connection.execute(
                _SQL["resolve"],
                {"ids": ids, "resolution": f"replayed by {self._who}", "replayed_at": committed.received_at},
            )
            audit.record(
                self._connection,
                who=self._who,
                what="quarantine.replay",
                pilot=self._pilot,
                object=f"{len(ids)} messages, {ids[0]} to {ids[-1]}",
                after={"messages": ids, "readings": committed.stored, "replayed_at": committed.received_at},
            )
        self.outcome.settled(ids, committed)
