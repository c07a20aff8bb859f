"""Everything that a collector must know of the registry, as values read at one instant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from psycopg.pq import TransactionStatus

from core.database import Connection
from core.sql import load
from core.window import Window
from devices.access import BrokerUser, heard
from devices.credentials import PasswordRecord

_SQL = load("devices.registry", "registry.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundChannel:
    """The revision of a channel that is in force."""

    channel_id: int
    name: str
    revision: int
    kind: str
    unit: str
    reporting: str
    period_s: float | None
    max_hold_s: float | None
    options: Mapping[str, Any]
    """The channel's part of the plan: ``source``, ``source_unit``, ``states``, ``range`` …; what was left out is not in it."""
    valid_from: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundSlot:
    """An active slot."""

    slot_id: int
    name: str
    topics: tuple[str, ...]
    """MQTT filters of its own, where they are not the native ones."""
    select: Mapping[str, Any]
    events: Mapping[str, Mapping[str, Any]]
    """Kind → its part of the plan: ``numbered``, ``phased``."""
    channels: tuple[BoundChannel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundConnection:
    """An active connection."""

    connection_id: int
    name: str
    username: str
    pilot_id: int
    pilot: str
    zone: ZoneInfo
    window: Window
    """The pilot's period."""
    simulated: bool
    protocol: str
    options: Mapping[str, Any]
    """The connection's part of the plan: ``time``, ``clock``, ``values``, ``topics``, ``options``."""
    topics: tuple[str, ...]
    """Every MQTT filter it may publish to, native ones included."""
    slots: tuple[BoundSlot, ...]


def bindings(connection: Connection) -> list[BoundConnection]:
    """Every active connection with its slots and channels, as of one instant."""
    idle = connection.info.transaction_status == TransactionStatus.IDLE
    with connection.transaction():
        if idle:  # inside somebody's transaction, what it sees is decided already
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connections = connection.execute(_SQL["binding_connections"]).fetchall()
        slots = connection.execute(_SQL["binding_slots"]).fetchall()
        channels = connection.execute(_SQL["binding_channels"]).fetchall()
    of_slot: dict[int, list[BoundChannel]] = {}
    for row in channels:
        of_slot.setdefault(row.pop("slot_id"), []).append(BoundChannel(**row))
    of_connection: dict[int, list[BoundSlot]] = {}
    for row in slots:
        bound = BoundSlot(
            slot_id=row["slot_id"],
            name=row["name"],
            topics=tuple(row["options"].get("topics", ())),
            select=row["options"].get("select", {}),
            events=row["options"].get("events", {}),
            channels=tuple(of_slot.get(row["slot_id"], ())),
        )
        of_connection.setdefault(row["connection_id"], []).append(bound)
    return [_bound(row, tuple(of_connection.get(row["connection_id"], ()))) for row in connections]


def _bound(row: dict[str, Any], slots: tuple[BoundSlot, ...]) -> BoundConnection:
    return BoundConnection(
        connection_id=row["connection_id"],
        name=row["name"],
        username=row["username"],
        pilot_id=row["pilot_id"],
        pilot=row["pilot"],
        zone=ZoneInfo(row["zone"]),
        window=Window(start=row["start_at"], end=row["end_at"]),
        simulated=row["simulated"],
        protocol=row["protocol"],
        options=row["options"],
        topics=tuple(row["topics"]),
        slots=slots,
    )


def stamp(connection: Connection) -> tuple[int, int, int]:
    """A value that differs after any change of the registry that a collector must know: cheap enough to ask each second."""
    row = connection.execute(_SQL["stamp"]).fetchone()
    assert row is not None
    return row["versions"], row["connections_withdrawn"], row["slots_withdrawn"]


def desired_clients(connection: Connection) -> list[BrokerUser]:
    """Every active connection as the broker must know it: a lost users' file is generated anew from these."""
    return [user for user, withdrawn in _users(connection) if not withdrawn]


def desired_access(connection: Connection) -> dict[str, BrokerUser | None]:
    """Every connection's user name → its rights, or None where it was withdrawn."""
    return {user.username: None if withdrawn else user for user, withdrawn in _users(connection)}


def _users(connection: Connection) -> list[tuple[BrokerUser, bool]]:
    return [
        (
            BrokerUser(
                username=row["username"],
                publish=tuple(row["topics"]),
                subscribe=heard(row["pilot"], row["slots"], row["topics"]),
                password=PasswordRecord(**row["password"]),
            ),
            row["withdrawn_at"] is not None,
        )
        for row in connection.execute(_SQL["broker_users"])
    ]
