"""A pilot with something in every table, and its exports read back: for tests of ``pilotbed export``."""

from __future__ import annotations

import hashlib
import json
import math
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from psycopg.types.json import Jsonb

from core.database import Connection
from core.window import MICROSECOND, micros, midnight
from kpi.evaluate import evaluate
from kpi.records.exclusions import add_exclusion
from kpi.records.outages import add_outage, withdraw_outage
from kpi.results import store
from telemetry.export import Ask, Exported, Sizes, export
from tests.evaluated import Site, hours, made_site

SEOUL = ZoneInfo("Asia/Seoul")
KPIS = """
cool: {name: 적정 온도, measure: {share: {while: {channel: temp, value: "<= 25 degC"}}}, target: ">= 90 %"}
mean: {name: 평균, measure: {statistic: {channel: temp, stat: mean}}, target: "<= 26 degC"}
"""
ODD = (-0.0, 5e-324, 1e300, -1e300, 0.1, 1 / 3, 0.1 + 0.2, 1e22, 123456789.123456789, 20.0)
"""Values that a careless writer changes."""


def rich_site(connection: Connection) -> Site:
    """Two slots over March to May 2025, with something in every table."""
    made = made_site(connection, KPIS, slots=("b", "a"))
    at_us = hours(date(2025, 3, 1), date(2025, 5, 2))
    value = np.round(20 + 8 * np.sin(np.arange(len(at_us)) / 7), 1)
    at_us[5] += 1  # microseconds count
    made.heard("a", "temp", at_us, value)
    made.heard("b", "temp", at_us[: 24 * 40], np.full(24 * 40, 22.5))
    made.heard("b", "temp", at_us[-len(ODD) :], ODD)
    made.heard("a", "mode", at_us[::24], np.arange(len(at_us[::24])) % 3)
    made.heard("a", "temp", at_us[100:102], [99.0, 98.0])  # conflicts
    start = midnight(date(2025, 3, 10), SEOUL)
    made.happened("a", [(1, "start", start, {"방향": "북"}), (1, "end", start + timedelta(hours=1), {"n": 1.5})])
    made.happened("a", [(1, "start", start, {"방향": "남"})])
    made.linked("b", [(start, "offline"), (start + timedelta(hours=2), "online")])
    made.alive(datetime(2025, 2, 1, tzinfo=UTC), datetime(2025, 12, 5, tzinfo=UTC))
    _people(connection, start)
    connection.execute(
        "INSERT INTO finding (slot_id, channel_id, kind, start_at, end_at, value, unit, detail)"
        " VALUES (%s, %s, 'stuck', %s, %s, 2.5, 'h', %s)",
        [made.slots["a"], made.channels["a", "temp"], start, start + timedelta(hours=3), Jsonb({"n": 3})],
    )
    connection.execute(
        "INSERT INTO rejection (slot_id, received_at, topic, item, observed, value, reason, detail)"
        " VALUES (%s, clock_timestamp(), 't', 'temp', '2025', '\"x, y\"', 'in_future', 'no')",
        [made.slots["b"]],
    )
    made.summarised()
    store(connection, evaluate(connection, "hall", month="2025-03"), "cli:test")
    return made


def _people(connection: Connection, start: datetime) -> None:
    agreed: dict[str, Any] = {
        "start": start, "end": start + timedelta(days=1), "cause": "site-power", "agreed_by": "S 김", "note": "변전실, 점검",
        "who": "cli:test",
    }  # fmt: skip
    add_outage(connection, "hall", **agreed)
    other = add_outage(connection, "hall", **(agreed | {"slots": ["b", "a"]}))
    withdraw_outage(connection, other.outage.outage_id, why="두 번 기록", who="cli:test")
    add_exclusion(
        connection, "hall", slot="a", start=start, end=start + timedelta(days=1), reason="construction",
        asked_on=date(2025, 3, 14), asked_by="C 이", agreed_site="S 김", agreed_team="T 박", note="공문 \"12호\"",
        who="cli:test",
    )  # fmt: skip


SMALL = Sizes(rows_a_file=700, rows_a_group=300, rows_a_piece=100)
"""Many files and groups of few rows."""


def made(connection: Connection, folder: Path, sizes: Sizes | None = None, **asked: Any) -> Exported:
    """An export of the pilot ``hall``, Parquet if nothing else is said."""
    return export(connection, Ask(**({"pilot": "hall", "format": "parquet"} | asked)), folder, sizes=sizes)


def manifest_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    return found


def contents(folder: Path) -> dict[str, str]:
    """Every file of a folder with its hash."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def stored(connection: Connection, as_of: datetime | None = None) -> list[tuple[str, str, int, float]]:
    """Slot, channel, instant (µs) and value of all readings, in the order of an export, by a query of the tests' own."""
    rows = connection.execute(
        "SELECT s.name AS slot, c.name AS channel, r.observed_at, r.value FROM reading r JOIN channel c USING (channel_id)"
        " JOIN slot s USING (slot_id) WHERE %(as_of)s::timestamptz IS NULL OR r.received_at <= %(as_of)s"
        " ORDER BY s.name, c.name, r.observed_at, c.revision",
        {"as_of": as_of},
    )
    return [(row["slot"], row["channel"], micros(row["observed_at"]), row["value"]) for row in rows]


def exact(rows: list[tuple[str, str, int, float]]) -> list[tuple[str, str, int, str]]:
    """With every bit of the values, -0.0 told from 0.0."""
    assert all(math.isfinite(value) for *_, value in rows)
    return [(slot, channel, us, float(value).hex()) for slot, channel, us, value in rows]


def us(at: datetime) -> int:
    """Microseconds of an aware datetime of any kind, pandas' own too."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // MICROSECOND
