"""What decoding raw messages again would change: the first readings as they are, beside what the plan in force reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core.database import Connection
from core.sql import load
from core.window import instant
from devices.registry import bindings
from ingest.batching import Arrivals
from ingest.kept import Span, bindings_of, decode_block, require_kept
from ingest.recalled import recalled
from ingest.routing import Routes
from telemetry import messages

_SQL = load("ingest", "redecode.sql")

MOST_MESSAGES: Final = 5_000
"""So many messages are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One reading as it stands and as it would be."""

    slot: str
    channel: str
    unit: str
    observed_at: datetime
    old_revision: int | None
    """None: there is no reading at that instant."""
    old_value: float | None
    new_revision: int
    new_value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What is kept of the span, and what its first messages say."""

    messages: int
    first_at: datetime
    last_at: datetime
    looked_at: int
    readings: int
    same: int
    """Readings that are in the store already, by the revision in force."""
    differences: tuple[Difference, ...]
    """The first of each channel."""
    refused: Counter[str]
    unreadable: Counter[str]


def compare(connection: Connection, span: Span, *, most: int = 3) -> Comparison:
    """Decode the first messages of a span by the plan in force, without storing anything.

    :param most: so many differing readings of each channel are told.
    :raises PermanentError: no raw message of the span is kept.
    """
    kept = require_kept(connection, span)
    assert kept.first_at is not None and kept.last_at is not None
    bound = bindings_of(connection, span)
    routes, arrivals, memory = Routes(bound), Arrivals(), recalled(connection, bound)
    sender = None if span.connection is None else bound[0].connection_id
    named = _named(connection, span.pilot)
    told: dict[int, list[Difference]] = {}
    looked_at = readings = same = 0
    refused: Counter[str] = Counter()
    unreadable: Counter[str] = Counter()
    for block in messages.read(connection, span.pilot, span.start, span.end, span.connection):
        batch = decode_block(block, routes, arrivals, sender, memory=memory)
        looked_at += len(block.messages)
        readings += len(batch.readings)
        refused.update(one.reason for one in batch.rejected)
        unreadable.update(one.reason for one in batch.quarantined)
        same += _differences(connection, list(batch.readings.rows()), named, told, most)
        if looked_at >= MOST_MESSAGES:
            break
    return Comparison(
        messages=kept.messages, first_at=kept.first_at, last_at=kept.last_at, looked_at=looked_at, readings=readings,
        same=same, differences=tuple(one for channel in sorted(told) for one in told[channel]), refused=refused,
        unreadable=unreadable,
    )  # fmt: skip


def _named(connection: Connection, pilot: str) -> dict[int, tuple[str, str, str, int]]:
    return {
        channel.channel_id: (slot.name, channel.name, channel.unit, channel.revision)
        for bound in bindings(connection)
        if bound.pilot == pilot
        for slot in bound.slots
        for channel in slot.channels
    }


def _differences(
    connection: Connection,
    rows: list[tuple[int, int, float, int]],
    named: dict[int, tuple[str, str, str, int]],
    told: dict[int, list[Difference]],
    most: int,
) -> int:
    """Enter the readings that differ. :returns: how many are there already."""
    asked = {"channels": [row[0] for row in rows], "observed_us": [row[1] for row in rows]}
    there: dict[int, dict[str, Any]] = {}
    same = 0
    for row in connection.execute(_SQL["stored_at"], asked):
        there[row["place"] - 1] = row  # the newest revision comes last
    for place, (channel_id, observed_us, value, _) in enumerate(rows):
        old = there.get(place)
        if old is not None and old["channel_id"] == channel_id:
            same += 1
            continue
        slot, name, unit, revision = named[channel_id]
        found = told.setdefault(channel_id, [])
        if len(found) < most:
            found.append(
                Difference(
                    slot=slot, channel=name, unit=unit, observed_at=instant(observed_us),
                    old_revision=None if old is None else old["revision"], old_value=None if old is None else old["value"],
                    new_revision=revision, new_value=float(value),
                )
            )  # fmt: skip
    return same
