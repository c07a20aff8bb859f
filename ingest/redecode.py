"""Decoding raw messages again by the plan in force, once a mapping was corrected.

What they yield goes into the revisions in force now, with the receipt time of now and the flags REPLAYED and REDECODED; what is
there already is recognised by its key. Readings of other revisions that came from the same messages are untouched, and stand no
more from then on (``supersede.py``). Messages that cannot be read now leave what they had given standing. Every so many messages
are one transaction, so it may stop anywhere and begin again.

Neither deliveries nor message numbers are counted again: the account's sums of readings and events are those of the day on which
this is done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from core import audit
from core.database import Connection
from core.errors import NotFound, PermanentError
from core.locks import REDECODE
from core.sql import load
from core.window import MICROSECOND
from ingest.batching import Arrivals, add
from ingest.kept import Span, bindings_of, decode_block, drop_unplaced, require_kept
from ingest.recalled import recalled
from ingest.routing import Routes
from ingest.supersede import Again, supersede
from telemetry import horizon, messages
from telemetry.aside import storable
from telemetry.batch import Batch, Flag, RejectedItem
from telemetry.commit import Committer

_SQL = load("ingest", "redecode.sql")

MESSAGES_AT_ONCE: Final = 20_000
_MARK: Final = int(Flag.REPLAYED | Flag.REDECODED)

Progress = Callable[[int, int], None]
"""Told how many messages are done, of how many."""


@dataclass(slots=True, kw_only=True)
class Redecoded:
    """What it did."""

    start: datetime
    """From here on, which may be later than asked for (the messages before are dropped) or earlier: what was decoded again
    together before is decoded again together."""
    end: datetime
    messages: int = 0
    readings: int = 0
    """Readings that are new in the store."""
    events: int = 0
    duplicate: int = 0
    conflict: int = 0
    rejected: int = 0
    rejected_before: int = 0
    """Items that had been refused for the same reason."""
    superseded: int = 0
    """Readings of other revisions that stand no more."""
    by_channel: Counter[int] = field(default_factory=Counter)
    """New readings decoded, by revision."""
    unreadable: Counter[str] = field(default_factory=Counter)
    """Messages that cannot be read by the plan in force, by reason."""
    left: int = 0
    """Messages that were left as they are, because one that came together with them cannot be read any more."""
    without_arrival: int = 0
    """Readings of devices without a clock whose arrival was not kept: left as they are."""


@dataclass(slots=True, kw_only=True)
class _Decoded:
    """Blocks, and what they say now."""

    start: datetime
    last: datetime
    """Receipt of the first block and of the last."""
    batch: Batch = field(default_factory=Batch)
    instants: dict[int, list[datetime]] = field(default_factory=dict)
    read: int = 0
    left: int = 0
    without_arrival: int = 0
    unreadable: Counter[str] = field(default_factory=Counter)


def redecode(
    connection: Connection,
    span: Span,
    *,
    who: str,
    progress: Progress | None = None,
    at_once: int = MESSAGES_AT_ONCE,
) -> Redecoded:
    """Decode the raw messages of a span again, and store what they say.

    :param connection: in autocommit: every ``at_once`` messages are a transaction of their own.
    :raises PermanentError: no raw message of the span is kept; or somebody else is at it.
    """
    with _alone(connection, span.pilot) as pilot_id:
        return _Run(connection, span, pilot_id, who).run(progress, at_once)


@contextmanager
def _alone(connection: Connection, pilot: str) -> Iterator[int]:
    row = connection.execute(_SQL["pilot"], {"pilot": pilot}).fetchone()
    if row is None:
        raise NotFound(f"There is no pilot {pilot!r}: `pilotbed plan apply` registers one.")
    lock = {"lock": REDECODE, "pilot_id": row["pilot_id"]}
    held = connection.execute(_SQL["one_at_a_time"], lock).fetchone()
    if held is None or not held["mine"]:
        raise PermanentError(f"Messages of {pilot} are being decoded again already: wait until that is done.")
    try:
        yield row["pilot_id"]
    finally:
        if not connection.closed:
            connection.execute(_SQL["let_go"], lock)


class _Run:
    def __init__(self, connection: Connection, span: Span, pilot_id: int, who: str) -> None:
        self._connection = connection
        self._pilot_id = pilot_id
        self._who = who
        bindings = bindings_of(connection, span)
        self._sender = None if span.connection is None else bindings[0].connection_id
        self._slots = {
            one.connection_id: {slot.slot_id: [c.channel_id for c in slot.channels] for slot in one.slots}
            for one in bindings
        }
        self._routes = Routes(bindings)
        self._memory = recalled(connection, bindings)
        self._arrivals = Arrivals()
        self._committer = Committer()
        require_kept(connection, span)
        # Nothing that is received by now will ever be received later: the span's blocks are all there.
        closed = horizon.close_past(connection)
        self._earlier, self._span = self._widened(replace(span, end=min(span.end, closed)))
        self._outcome = Redecoded(start=self._span.start, end=self._span.end)

    def _widened(self, span: Span) -> tuple[list[tuple[datetime, datetime, datetime]], Span]:
        """The span, with the whole of each batch that was decoded again before and lies in it in part."""
        dropped = messages.dropped_before(self._connection, span.pilot)
        while True:
            asked = {"pilot_id": self._pilot_id, "from": span.start, "until": span.end}
            rows = self._connection.execute(_SQL["earlier_batches"], asked).fetchall()
            earlier = [(row["message_from"], row["message_until"], row["recorded_at"]) for row in rows]
            # What it was made of is not all there any more: it stays as it is.
            gone = max((until for start, until, _ in earlier if dropped is not None and start < dropped), default=None)
            if gone is not None:
                earlier = [one for one in earlier if one[0] >= gone]
            start = min([span.start, *(one[0] for one in earlier)])
            wider = replace(
                span,
                start=start if gone is None else max(start, gone),
                end=max([span.end, *(one[1] for one in earlier)]),
            )
            if wider == span:
                return earlier, span
            span = wider

    def run(self, progress: Progress | None, at_once: int) -> Redecoded:
        span = self._span
        total = messages.kept(self._connection, span.pilot, span.start, span.end, span.connection).messages
        done = 0
        held: _Decoded | None = None
        for block in messages.read(self._connection, span.pilot, span.start, span.end, span.connection):
            at = block.received_at
            if held is not None and held.read >= at_once and at > held.last and not self._inside(at):
                self._store(held)
                held = None
            held = held or _Decoded(start=at, last=at)
            self._take(held, block)
            done += block.n
            if progress is not None:
                progress(done, total)
        if held is not None:
            self._store(held)
        return self._outcome

    def _inside(self, at: datetime, *, first_too: bool = False) -> bool:
        """Whether an instant lies inside of what was decoded again together before."""
        return any((start < at or (first_too and start == at)) and at < until for start, until, _ in self._earlier)

    def _take(self, held: _Decoded, block: messages.Block) -> None:
        """Decode one block more; of connections of which a message cannot be read any more, nothing of it."""
        held.last = block.received_at
        batch = decode_block(block, self._routes, self._arrivals, self._sender, memory=self._memory)
        n = len(block.messages) if self._sender is None else sum(
            1 for raw in block.messages if raw.connection_id == self._sender
        )  # fmt: skip
        held.read += n
        lost = self._lost(batch)
        held.unreadable.update(one.reason for one in batch.quarantined)
        if lost and self._inside(block.received_at, first_too=True):
            reasons = ", ".join(sorted({one.reason for one in batch.quarantined}))
            raise PermanentError(
                f"Messages of {self._span.pilot} received at {block.received_at.isoformat()} were decoded again before and cannot"
                f" be read by the plan in force ({reasons}): correct the plan, then decode them again."
            )
        if lost:
            keep = replace(block, messages=[m for m in block.messages if self._owner(m) not in lost])
            held.left += n - len(keep.messages)
            batch = decode_block(keep, self._routes, self._arrivals, self._sender, memory=self._memory)
        batch.quarantined.clear()
        held.without_arrival += drop_unplaced(batch, block)
        for connection_id in self._slots:
            if connection_id not in lost:
                held.instants.setdefault(connection_id, []).append(block.received_at)
        add(held.batch, batch)

    def _owner(self, raw: messages.Raw) -> int | None:
        return self._routes.find(raw.topic.encode()).connection_id

    def _lost(self, batch: Batch) -> set[int]:
        """The connections that have a message which was read when it came and cannot be read now."""
        if not batch.quarantined:
            return set()
        hashes = sorted({one.payload_sha256 for one in batch.quarantined})
        then = {row["payload_sha256"] for row in self._connection.execute(_SQL["set_aside_then"], {"hashes": hashes})}
        return {
            one.connection_id
            for one in batch.quarantined
            if one.connection_id is not None and one.payload_sha256 not in then
        }

    def _store(self, held: _Decoded) -> None:
        outcome, batch = self._outcome, held.batch
        start, last = held.start, held.last
        batch.readings.flags[:] = [flags | _MARK for flags in batch.readings.flags]
        batch.events[:] = [replace(event, flags=event.flags | _MARK) for event in batch.events]
        said = Counter(batch.readings.channel_id)
        observed = (min(batch.readings.observed_us), max(batch.readings.observed_us)) if len(batch.readings) else None
        certain = not batch.rejected and not held.left
        with self._connection.transaction():
            before = self._without_known(batch, start)
            committed = self._committer.commit(self._connection, batch)
            gone = supersede(
                self._connection,
                Again(
                    pilot_id=self._pilot_id, start=start, until=last + MICROSECOND, instants=held.instants,
                    earlier=[at for a, b, at in self._earlier if start <= a and b <= last + MICROSECOND],
                    slots=self._slots, observed=observed, certain=certain, at=committed.received_at, who=self._who,
                ),
            )  # fmt: skip
            audit.record(
                self._connection,
                who=self._who,
                what="intake.redecode",
                pilot=self._span.pilot,
                object=f"{held.read} messages received from {start.isoformat()} to {last.isoformat()}",
                after={
                    "connection": self._span.connection, "readings": committed.stored, "events": committed.events,
                    "duplicate": committed.duplicate, "conflict": committed.conflict, "rejected": committed.rejected,
                    "superseded": gone.by_channel, "unreadable": dict(held.unreadable), "left": held.left,
                    "received_at": committed.received_at,
                },
            )  # fmt: skip
        outcome.messages += held.read
        outcome.readings += committed.stored
        outcome.events += committed.events
        outcome.duplicate += committed.duplicate
        outcome.conflict += committed.conflict
        outcome.rejected += committed.rejected
        outcome.rejected_before += before
        outcome.superseded += gone.total
        outcome.by_channel += said
        outcome.unreadable += held.unreadable
        outcome.left += held.left
        outcome.without_arrival += held.without_arrival

    def _without_known(self, batch: Batch, start: datetime) -> int:
        """Leave out the items that were refused before for the same reason. :returns: how many."""
        refused = batch.rejected
        if not refused:
            return 0
        rows = self._connection.execute(_SQL["refused_then"], {**_columns(refused), "from": start})
        known = {row["place"] - 1 for row in rows}
        batch.rejected = [one for place, one in enumerate(refused) if place not in known]
        return len(known)


def _columns(refused: list[RejectedItem]) -> dict[str, list[object]]:
    return {
        "slots": [one.slot_id for one in refused],
        "topics": [storable(one.topic) for one in refused],
        "items": [storable(one.item) for one in refused],
        "observed": [storable(one.observed) for one in refused],
        "values": [storable(one.value) for one in refused],
        "reasons": [one.reason for one in refused],
    }
