"""The background jobs: what they judge and when, what they drop and what they never touch."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from core.database import Connection
from core.window import micros
from devices.plan.reader import read_plan
from devices.registry import apply_plan
from kpi.results import newest, versions
from pilotbed.jobs import tasks
from telemetry.batch import Batch, Readings
from telemetry.channels import channel
from telemetry.commit import Committer
from telemetry.summarise import summarise_all

PLAN = """
pilot: hall
title: Hall
kind: rnd
company: {id: c, name: C}
site: {id: s, name: S}
period: {start: 2025-01-01, end: 2025-04-01, timezone: Asia/Seoul}
evaluation: {interim: [2025-02-01], data_until: 2025-03-01, meeting: 2025-03-10}
product: {name: P}
slots:
  a:
    device: {serial: "1"}
    channels:
      temp: {unit: degC, period: 1 h}
kpis:
  warm: {name: warm, measure: {statistic: {channel: temp, stat: mean}}, target: ">= 20 degC", weight: 100}
"""
FEBRUARY_5 = datetime(2025, 2, 5, tzinfo=UTC)


@pytest.fixture
def hall(connection: Connection) -> Connection:
    """A pilot whose January is there but for its last hour."""
    apply_plan(connection, read_plan(PLAN.encode()), who="test", now=datetime(2024, 12, 1, tzinfo=UTC))
    start = datetime(2024, 12, 31, 15, tzinfo=UTC)
    _send(connection, [start + timedelta(hours=hour) for hour in range(31 * 24 - 1)], 21.0)
    summarise_all(connection)
    return connection


def _send(connection: Connection, instants: list[datetime], value: float) -> None:
    channel_id = channel(connection, "hall", "a", "temp").channel_ids[-1]
    readings = Readings()
    for at in instants:
        readings.append(channel_id, micros(at), value)
    Committer().commit(connection, Batch(readings=readings))


def labels(connection: Connection) -> list[str]:
    return [f"{stored.kind} {stored.label} v{stored.version}" for stored in versions(connection, "hall")]


def test_months_and_dates_that_have_come_are_judged_once(hall: Connection) -> None:
    tasks.judge(hall, FEBRUARY_5, every=timedelta(hours=6))
    assert labels(hall) == ["date 2025-02-01 v1", "month 2025-01 v1", "month 2025-02 v1"]
    tasks.judge(hall, FEBRUARY_5, every=timedelta(hours=6))
    assert len(labels(hall)) == 3


def test_late_data_of_a_final_month_give_a_new_version_with_its_cause(hall: Connection) -> None:
    tasks.judge(hall, FEBRUARY_5)
    tasks.judge_late(hall, FEBRUARY_5)
    assert "month 2025-01 v2" not in labels(hall)
    _send(hall, [datetime(2025, 1, 31, 14, tzinfo=UTC)], 99.0)
    summarise_all(hall)
    tasks.judge_late(hall, FEBRUARY_5)
    result = newest(hall, "hall", "month", "2025-01")
    assert result is not None
    assert result.version == 2
    assert result.difference is not None
    assert "late" in str(result.difference["causes"])


def test_pruning_drops_old_messages_and_never_a_reading(hall: Connection) -> None:
    for age in ("40 days", "20 days"):
        hall.execute(
            "INSERT INTO message (pilot_id, received_at, connections, n, body)"
            " SELECT pilot_id, clock_timestamp() - %s::interval, '{}', 1, '' FROM pilot",
            [age],
        )
    tasks.prune(hall)
    assert hall.execute("SELECT count(*) AS n FROM message").fetchone() == {"n": 1}
    assert hall.execute("SELECT count(*) AS n FROM reading").fetchone() == {"n": 31 * 24 - 1}


def test_the_worker_summarises_judges_and_beats(hall: Connection, database_url: str) -> None:
    _send(hall, [datetime(2025, 2, 3, tzinfo=UTC)], 22.0)
    environment = {**os.environ, "PILOTBED_DATABASE_URL": database_url}
    environment.pop("PILOTBED_MQTT_URL", None)
    worker = subprocess.Popen([sys.executable, "-m", "pilotbed", "work"], env=environment)
    try:
        deadline = time.monotonic() + 90
        while "month 2025-02 v1" not in labels(hall) or hall.execute("SELECT FROM dirty_hour").fetchall():
            assert worker.poll() is None, "the worker ended"
            assert time.monotonic() < deadline, labels(hall)
            time.sleep(0.5)
        beat = hall.execute("SELECT process FROM heartbeat").fetchall()
        assert {"process": "work"} in beat
    finally:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
