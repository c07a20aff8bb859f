"""Raw messages that are kept, and what they say by the plan in force: what decoding again and its dry run share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.database import Connection
from core.errors import NotFound, PermanentError
from core.window import micros
from ingest import registry
from ingest.batching import Arrivals, Limits, decode_guarded
from ingest.binding import ConnectionBinding
from ingest.memory import Memory
from ingest.message import QOS0, RETAINED
from ingest.part import Part
from ingest.recalled import looking_back
from ingest.routing import Routes
from telemetry import messages
from telemetry.batch import Batch, Flag

_LIMITS: Final = Limits(payload_bytes=2**31, keep_messages=False)
"""What was kept is decoded, whatever the limits are by now."""
_ARRIVAL: Final = int(Flag.ARRIVAL_TIME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which messages: of a pilot, or one of its connections, received in ``[start, end)``."""

    pilot: str
    start: datetime
    end: datetime
    connection: str | None = None


def bindings_of(connection: Connection, span: Span) -> list[ConnectionBinding]:
    """The bindings of the pilot, or of the one connection that is asked for, as they are in force.

    :raises NotFound: the pilot has no such connection in use.
    """
    own = [one for one in registry.load(connection) if one.pilot == span.pilot]
    if span.connection is None:
        return own
    named = [one for one in own if one.name == span.connection]
    if not named:
        known = ", ".join(one.name for one in own) or "none"
        raise NotFound(f"The pilot {span.pilot!r} has no connection {span.connection!r} in use; there are: {known}.")
    return named


def require_kept(connection: Connection, span: Span) -> messages.Kept:
    """
    :returns: what of the span is kept.
    :raises PermanentError: nothing is; the message says what is there.
    """
    kept = messages.kept(connection, span.pilot, span.start, span.end, span.connection)
    if kept.messages:
        return kept
    whole = messages.kept(connection, span.pilot, sender=span.connection)
    dropped = messages.dropped_before(connection, span.pilot)
    whose = span.pilot if span.connection is None else f"{span.pilot}, connection {span.connection},"
    there = (
        f"what is kept was received from {whole.first_at:%Y-%m-%d %H:%M:%S}Z to {whole.last_at:%Y-%m-%d %H:%M:%S}Z"
        f" ({whole.messages} messages): choose --from and --to there"
        if whole.first_at is not None and whole.last_at is not None
        else "none is kept at all: see keep_messages in the plan and PILOTBED_KEEP_MESSAGES"
    )
    gone = (
        "" if dropped is None else f" those received before {dropped:%Y-%m-%d %H:%M:%S}Z are dropped by keep_messages;"
    )
    raise PermanentError(
        f"No raw message of {whose} received from {span.start:%Y-%m-%d %H:%M:%S}Z to {span.end:%Y-%m-%d %H:%M:%S}Z is kept;"
        f"{gone} {there}."
    )


def decode_block(
    block: messages.Block, routes: Routes, arrivals: Arrivals, sender: int | None = None, *, memory: Memory
) -> Batch:
    """What the messages of a block say by these routes, without what was counted when they came.

    :param sender: only those of this connection.
    :param memory: what protocols remember by now; it stays as it is.
    """
    parts = [
        Part(generation=0, received_us=_arrival(block, raw), items=[(raw.topic.encode(), raw.payload, 0, _header(raw))])
        for raw in block.messages
        if sender is None or raw.connection_id == sender
    ]
    batch = decode_guarded(parts, routes, arrivals, _LIMITS, looking_back(memory))
    batch.remembered.clear()
    batch.delivered.clear()
    batch.payload_bytes.clear()
    batch.redelivered.clear()
    batch.sequences.clear()
    batch.messages.clear()
    return batch


def _arrival(block: messages.Block, raw: messages.Raw) -> int:
    return micros(block.received_at) if raw.arrival_us is None else raw.arrival_us


def _header(raw: messages.Raw) -> int:
    return 0x30 | (0 if raw.flags & QOS0 else 0x02) | (0x01 if raw.flags & RETAINED else 0)


def drop_unplaced(batch: Batch, block: messages.Block) -> int:
    """Leave out what has its arrival for a time, where arrivals were not kept. :returns: how many readings."""
    if all(raw.arrival_us is not None for raw in block.messages):
        return 0
    batch.link_states[:] = [one for one in batch.link_states if one.origin != "will"]
    readings = batch.readings
    keep = [place for place, flags in enumerate(readings.flags) if not flags & _ARRIVAL]
    dropped = len(readings) - len(keep)
    if dropped:
        readings.channel_id[:] = [readings.channel_id[place] for place in keep]
        readings.observed_us[:] = [readings.observed_us[place] for place in keep]
        readings.value[:] = [readings.value[place] for place in keep]
        readings.flags[:] = [readings.flags[place] for place in keep]
    return dropped
