"""Setting messages aside: each whole and raw up to a sender's daily quota, beyond it by hash and count."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from core.database import Connection
from core.sql import load
from telemetry.batch import QuarantinedMessage

_SQL = load("telemetry", "aside.sql")

NOBODY: Final = 0
"""Stands for the sender of a message on nobody's topic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What is kept of one sender and day."""

    messages: int = 100_000
    payload_bytes: int = 268_435_456


@dataclass(slots=True, kw_only=True)
class Aside:
    """What became of messages: counts by connection_id, NOBODY among them."""

    kept: Counter[int] = field(default_factory=Counter)
    beyond: Counter[int] = field(default_factory=Counter)
    again: Counter[int] = field(default_factory=Counter)
    """Delivered before, and there already."""

    def quarantined(self, connection_id: int) -> int:
        """How many of a connection's messages are newly set aside, kept or only counted."""
        return self.kept[connection_id] + self.beyond[connection_id]


def set_aside(
    connection: Connection, messages: Sequence[QuarantinedMessage], received_at: datetime, quota: Quota
) -> Aside:
    """Write messages that could not be taken. Inside the transaction that commits their batch."""
    outcome = Aside()
    new = _new(connection, messages, received_at, outcome)
    if not new:
        return outcome
    given = {"connections": sorted({_sender(message) for message in new}), "received_at": received_at}
    connection.execute(_SQL["open_days"], given)
    days = {row["connection_id"]: row for row in connection.execute(_SQL["days"], given)}
    kept = []
    for message in new:
        sender = _sender(message)
        if _within(days[sender], message, quota):
            outcome.kept[sender] += 1
            kept.append(message)
        else:
            outcome.beyond[sender] += 1
    if kept:
        _insert(connection, kept, received_at)
    rows = list(days.values())
    columns = {
        "connections": "connection_id", "days": "day", "kept": "kept", "kept_bytes": "kept_bytes", "beyond": "beyond",
        "beyond_bytes": "beyond_bytes", "hashes": "beyond_sha256",
    }  # fmt: skip
    connection.execute(_SQL["close_days"], {name: [row[column] for row in rows] for name, column in columns.items()})
    return outcome


def storable(value: str) -> str:
    """Text that PostgreSQL can hold: a NUL becomes its picture, a lone surrogate its escape."""
    return value.replace("\0", "␀").encode("utf-8", "backslashreplace").decode()


def _new(
    connection: Connection, messages: Sequence[QuarantinedMessage], received_at: datetime, outcome: Aside
) -> list[QuarantinedMessage]:
    """Those that were not set aside before: a batch that was committed without its acknowledgement comes again."""
    hashes = sorted({message.payload_sha256 for message in messages if message.redelivered})
    if not hashes:
        return list(messages)
    rows = connection.execute(_SQL["there_already"], {"hashes": hashes, "received_at": received_at})
    there = {(row["connection_id"], row["topic"], row["payload_sha256"]) for row in rows}
    new = []
    for message in messages:
        if message.redelivered and (_sender(message), storable(message.topic), message.payload_sha256) in there:
            outcome.again[_sender(message)] += 1
        else:
            new.append(message)
    return new


def _within(day: dict[str, Any], message: QuarantinedMessage, quota: Quota) -> bool:
    """Enter a message into its sender's day. :returns: whether it is kept."""
    size = len(message.payload)
    if day["kept"] < quota.messages and day["kept_bytes"] + size <= quota.payload_bytes:
        day["kept"] += 1
        day["kept_bytes"] += size
        return True
    day["beyond"] += 1
    day["beyond_bytes"] += message.payload_bytes
    chain = bytes.fromhex(day["beyond_sha256"]) + bytes.fromhex(message.payload_sha256)
    day["beyond_sha256"] = hashlib.sha256(chain).hexdigest()
    return False


def _insert(connection: Connection, kept: list[QuarantinedMessage], received_at: datetime) -> None:
    connection.execute(
        _SQL["insert_quarantine"],
        {
            "received_at": received_at,
            "connections": [_sender(message) for message in kept],
            "topics": [storable(message.topic) for message in kept],
            "reasons": [message.reason for message in kept],
            "details": [storable(message.detail) for message in kept],
            "payloads": [message.payload for message in kept],
            "sizes": [message.payload_bytes for message in kept],
            "hashes": [message.payload_sha256 for message in kept],
            "flags": [message.flags for message in kept],
        },
    )


def _sender(message: QuarantinedMessage) -> int:
    return NOBODY if message.connection_id is None else message.connection_id
