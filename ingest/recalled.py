"""What protocols remember, for those who look at messages of the past: read, and never written."""

from __future__ import annotations

from collections.abc import Iterable

from core.database import Connection
from ingest.binding import ConnectionBinding
from ingest.memory import Memory, Recollection, of_rows
from telemetry.commit import remembered


def recalled(connection: Connection, bindings: Iterable[ConnectionBinding]) -> Memory:
    """What is remembered of these connections by now."""
    return Memory(of_rows(remembered(connection, sorted({one.connection_id for one in bindings}))))


def looking_back(memory: Memory) -> Recollection:
    """What messages of the past are read with: nothing waits for another one, and what they would leave behind counts nowhere."""
    recollection = memory.batch()
    recollection.replaying = True
    return recollection
