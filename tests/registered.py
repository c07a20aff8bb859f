"""A small pilot in the registry, written by SQL: for tests of what stands above the registry but does not need a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from core.database import Connection
from telemetry.channels import ChannelInfo, channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    pilot_id: int
    connection_id: int
    slot_id: int
    channel_ids: dict[str, int]


def register(
    connection: Connection,
    pilot: str = "p1",
    *,
    slot: str = "s1",
    zone: str = "Asia/Seoul",
    channels: dict[str, dict[str, Any]] | None = None,
) -> Registered:
    """One pilot, connection and slot with channels; each channel's columns can be given."""

    def one(statement: str, *values: Any) -> int:
        row = connection.execute(statement, values).fetchone()  # type: ignore[arg-type]
        assert row is not None
        return int(next(iter(row.values())))

    pilot_id = one(
        "INSERT INTO pilot (name, title, kind, company, company_name, site, site_name, zone, start_at, end_at)"
        " VALUES (%s, 'A pilot', 'rnd', 'c', 'C', 's', 'S', %s, '2026-01-01T00:00Z', '2027-01-01T00:00Z')"
        " RETURNING pilot_id",
        pilot,
        zone,
    )
    connection_id = one(
        "INSERT INTO connection (pilot_id, name, protocol, topics, username, password)"
        " VALUES (%s, %s, 'json', '{}', %s, '{}') RETURNING connection_id",
        pilot_id,
        slot,
        f"{pilot}.{slot}",
    )
    slot_id = one(
        "INSERT INTO slot (pilot_id, name, connection_id) VALUES (%s, %s, %s) RETURNING slot_id",
        pilot_id,
        slot,
        connection_id,
    )
    ids = {}
    for name, given in (channels or {"a": {}}).items():
        columns = {
            "kind": "gauge",
            "unit": "degC",
            "reporting": "periodic",
            "period_s": 60.0,
            "max_hold_s": 180.0,
        } | given
        ids[name] = one(
            "INSERT INTO channel (slot_id, name, revision, kind, unit, reporting, period_s, max_hold_s, options, valid_from)"
            " VALUES (%s, %s, 1, %s, %s, %s, %s, %s, %s, '-infinity') RETURNING channel_id",
            slot_id,
            name,
            columns["kind"],
            columns["unit"],
            columns["reporting"],
            columns["period_s"],
            columns["max_hold_s"],
            Jsonb(columns.get("options", {})),
        )
    return Registered(pilot_id=pilot_id, connection_id=connection_id, slot_id=slot_id, channel_ids=ids)


def info(connection: Connection, name: str = "a", pilot: str = "p1", slot: str = "s1") -> ChannelInfo:
    return channel(connection, pilot, slot, name)
