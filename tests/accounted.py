"""A day of receipt, put together by hand: for tests of the accounting and of the pages that show it."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from typing import Any

from core.database import Connection
from core.window import micros
from telemetry.aside import Quota
from telemetry.batch import Batch, QuarantinedMessage, Readings, RejectedItem
from telemetry.commit import Committer
from tests.registered import Registered

DAY = date(2026, 3, 2)
START = datetime(2026, 3, 1, 15, tzinfo=UTC)
"""Midnight of that day in Seoul."""


def commit(connection: Connection, at: datetime, *, quota: Quota | None = None, **batch: Any) -> None:
    Committer(quota).commit(connection, Batch(**batch), received_at=at)


def readings(channel: int, seconds: list[float], *, value: float = 1.0, flags: int = 0) -> Readings:
    """Readings at so many seconds after the day's start."""
    return Readings(
        channel_id=[channel] * len(seconds),
        observed_us=[micros(START) + round(second * 1e6) for second in seconds],
        value=[value] * len(seconds),
        flags=[flags] * len(seconds),
    )


def aside(registered: Registered, payload: bytes, *, nobody: bool = False, pilot: str = "p1") -> QuarantinedMessage:
    return QuarantinedMessage(
        connection_id=None if nobody else registered.connection_id, topic=f"pilots/{pilot}/s1/readings",
        reason="no_binding" if nobody else "not_json", detail="", payload=payload, payload_bytes=len(payload),
        payload_sha256=hashlib.sha256(payload).hexdigest(),
    )  # fmt: skip


def refused(registered: Registered, reason: str) -> RejectedItem:
    return RejectedItem(
        slot_id=registered.slot_id, topic="t", item="a", observed="1970", value="7", reason=reason, detail=""
    )
