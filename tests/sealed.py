"""A pilot with two days of everything that a seal covers, sealed: for the tests of seals."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb

from core.audit import record
from core.database import Connection
from core.window import micros
from telemetry.batch import Batch, EventRecord, LinkStateRecord, QuarantinedMessage, Readings, RejectedItem
from telemetry.commit import Committer
from telemetry.seals import signing
from telemetry.seals.close import Sealer, seal_days
from telemetry.seals.heads import Heads
from telemetry.seals.store import Seal
from tests.registered import Registered, register

SEOUL = ZoneInfo("Asia/Seoul")
PILOT = "hall"
START = datetime(2026, 4, 30, 15, tzinfo=UTC)
"""1 May in Seoul."""
NOW = START + timedelta(days=2, hours=1)
"""When the seals of 1 and 2 May are there."""
SLOT = "지점-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hall:
    """The pilot, its key, and the seals of 1 and 2 May."""

    connection: Connection
    registered: Registered
    sealer: Sealer
    key_file: Path
    seals: list[Seal]


def hall(connection: Connection, folder: Path, *, days: int = 2) -> Hall:
    """Two channels, all kinds of what a day can have, and their seals."""
    registered = register(connection, PILOT, slot=SLOT, channels={"온도": {"unit": "degC"}, "b": {"unit": "ug/m^3"}})
    connection.execute("UPDATE pilot SET created_at = %s", [START])
    connection.execute("UPDATE channel SET valid_from = %s", [START])
    record(connection, who="cli:test", what="plan.apply", pilot=PILOT, object="plan 1", after={"version": 1})
    record(connection, who="cli:test", what="user.add", object="user kim", after={"role": "officer"})
    with unprotected(connection):
        connection.execute("UPDATE audit SET at = %s", [START])
    plan = b"pilot: hall"
    connection.execute(
        "INSERT INTO plan_version (pilot_id, version, sha256, source, recorded_at, recorded_by)"
        " VALUES (%s, 1, encode(sha256(%s), 'hex'), %s, %s, 'cli:test')",
        [registered.pilot_id, plan, plan, START],
    )
    for day in range(days):
        receive(connection, registered, START + timedelta(days=day))
    key_file = folder / "seal.key"
    sealer = Sealer(key=signing.make_key(connection, key_file), heads=Heads(key_file))
    made = seal_days(connection, PILOT, sealer, closed=START + timedelta(days=days, minutes=1))
    return Hall(connection=connection, registered=registered, sealer=sealer, key_file=key_file, seals=made)


def receive(connection: Connection, registered: Registered, day: datetime) -> None:
    """What arrives on a day: in its first hours, so that it belongs to that day of receipt."""
    slot, link = registered.slot_id, registered.connection_id
    for hour in range(3):
        at = day + timedelta(hours=hour)
        readings = Readings()
        for minute in range(60):
            for place, channel in enumerate(registered.channel_ids.values()):
                readings.append(channel, micros(at + timedelta(minutes=minute)), 20.0 + minute / 7 + place)
        Committer().commit(connection, Batch(readings=readings), received_at=at + timedelta(minutes=59, seconds=59))
    at = day + timedelta(hours=4)
    stamp = f"{day.astimezone(SEOUL):%d}"
    event = EventRecord(
        slot_id=slot, kind="mission", id=f"m-{stamp}", phase="start", number=7, at_us=micros(at),
        attributes=json.dumps({"path": [1, 2.5], "big": 2**60, "이름": "순찰"}).encode(),
    )  # fmt: skip
    other = EventRecord(
        slot_id=slot, kind="mission", id=f"m-{stamp}", phase="start", number=8, at_us=micros(at), attributes=b"{}"
    )
    again = Readings()
    again.append(next(iter(registered.channel_ids.values())), micros(day), 99.0)
    batch = Batch(
        readings=again,
        events=[event],
        link_states=[LinkStateRecord(slot_id=slot, at_us=micros(at), state="offline", origin="will")],
        quarantined=[
            QuarantinedMessage(
                connection_id=link, topic="pilots/hall/x", reason="not_json", detail="", payload=b"{" + stamp.encode(),
                payload_bytes=3, payload_sha256=_sha(b"{" + stamp.encode()),
            ),
            QuarantinedMessage(
                connection_id=None, topic="elsewhere", reason="nobody", detail="", payload=b"x", payload_bytes=1,
                payload_sha256=_sha(b"x"),
            ),
        ],
        rejected=[
            RejectedItem(
                slot_id=slot, topic="t", item="temp", observed=stamp, value="1e9", reason="out_of_range", detail=""
            )
        ],
        delivered={link: 12},
        sequences=[(link, "b1", number) for number in (int(stamp) * 10 + 1, int(stamp) * 10 + 2)],
    )  # fmt: skip
    Committer().commit(connection, batch, received_at=at)
    Committer().commit(connection, Batch(events=[other]), received_at=at)
    _people(connection, registered, at)


def _people(connection: Connection, registered: Registered, at: datetime) -> None:
    connection.execute(
        "INSERT INTO outage (pilot_id, start_at, end_at, cause, charged_to, agreed_by, note, recorded_at, recorded_by)"
        " VALUES (%s, %s, %s, 'site', 'site', '김', '정전', %s, 'cli:test')",
        [registered.pilot_id, at, at + timedelta(hours=1), at],
    )
    connection.execute(
        "INSERT INTO exclusion (pilot_id, slot_id, start_at, end_at, reason, asked_on, asked_by, agreed_site, agreed_team,"
        " note, recorded_at, recorded_by)"
        " VALUES (%s, %s, %s, %s, 'r', %s, 'a', 'b', 'c', 'd', %s, 'cli:test')",
        [registered.pilot_id, registered.slot_id, at, at + timedelta(hours=1), at.date(), at],
    )
    connection.execute(
        "INSERT INTO finding (slot_id, kind, start_at, end_at, value, unit, recorded_at)"
        " VALUES (%s, 'clock', %s, %s, 31.5, 's', %s)",
        [registered.slot_id, at, at + timedelta(hours=1), at],
    )
    connection.execute(
        "INSERT INTO installation (slot_id, serial, installed_at, recorded_at, removed_at) VALUES (%s, %s, %s, %s, %s)",
        [registered.slot_id, f"S-{at:%d}", at, at, at],
    )
    connection.execute(
        "INSERT INTO platform_record (process, run, from_at, until_at, heard, goes_on, recorded_at)"
        " VALUES ('collector-1', 'r', %s, %s, '{}', true, %s)",
        [at - timedelta(minutes=5), at, at],
    )
    connection.execute(
        "INSERT INTO result (pilot_id, kind, label, version, plan_version, as_of, evaluated_at, code_version, sha256, document)"
        " VALUES (%s, 'month', %s, 1, 1, %s, %s, 'v', 'h', %s)",
        [
            registered.pilot_id,
            f"2026-{at:%d}",
            at,
            at,
            Jsonb({"kpis": [{"id": "k", "value": 0.95}], "provisional": True}),
        ],
    )


@contextmanager
def unprotected(connection: Connection) -> Iterator[None]:
    """What a superuser can do: the triggers that refuse a change do not fire."""
    connection.execute("SET session_replication_role = replica")
    try:
        yield
    finally:
        connection.execute("SET session_replication_role = DEFAULT")


def tamper(connection: Connection, statement: str, *values: Any) -> None:
    """Change what must not change, directly in the database."""
    with unprotected(connection):
        done = connection.execute(statement, values)  # type: ignore[arg-type]
        assert done.rowcount > 0, "nothing was tampered with"


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
