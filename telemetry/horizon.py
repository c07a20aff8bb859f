"""The closed past: which instants of receipt are over for good.

A watermark on ``now()`` misses late commits: a transaction that took its time before ours may become visible after it. So
each ingest transaction holds a shared lock from before it takes ``received_at`` until its end, and takes it later than the
horizon; whoever needs a closed past moves the horizon to the clock and waits until the lock was free once.
"""

from __future__ import annotations

from datetime import datetime

from core.database import Connection
from core.locks import HORIZON
from core.sql import load

_SQL = load("telemetry", "horizon.sql")


def receive(connection: Connection) -> datetime:
    """Join the ingest of now: take the shared lock until this transaction ends.

    :returns: the ``received_at`` of everything that this transaction writes; later than the horizon.
    """
    connection.execute(_SQL["share"], {"lock": HORIZON})
    row = connection.execute(_SQL["received_at"]).fetchone()
    assert row is not None
    received: datetime = row["received_at"]
    return received


def close_past(connection: Connection) -> datetime:
    """Move the horizon to now and wait for every ingest transaction that began before.

    :returns: an instant T: the set of readings with ``received_at`` ≤ T will never change again.
    """
    row = connection.execute(_SQL["advance"]).fetchone()
    assert row is not None
    with connection.transaction():
        connection.execute(_SQL["wait"], {"lock": HORIZON})
    horizon: datetime = row["at"]
    return horizon
