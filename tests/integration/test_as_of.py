"""What was judged as of an instant stays what it was, whatever is agreed or recorded afterwards."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from core.canonical import canonical_json
from core.database import Connection, connected
from core.window import micros
from devices.plan.problem import PlanProblems
from devices.plan.reader import read_plan
from devices.registry import apply_plan
from devices.registry.work import lock_registry
from kpi.evaluate import evaluate
from telemetry.batch import Batch, Readings
from telemetry.channels import channel
from telemetry.commit import Committer
from telemetry.horizon import close_past
from telemetry.summarise import summarise_all

PLAN = """
pilot: hall
title: Hall
kind: rnd
company: {id: c, name: C}
site: {id: s, name: S}
period: {start: 2025-01-01, end: 2035-01-01, timezone: Asia/Seoul}
evaluation: {data_until: 2034-03-01, meeting: 2034-03-10}
product: {name: P}
slots:
  a:
    device: {serial: "1", installed: 2025-01-01}
    channels:
      temp: {unit: degC, period: 1 h}
kpis:
  warm: {name: warm, measure: {share: {of: time, while: {channel: temp, value: ">= 20 degC"}}}, target: ">= 90 %", weight: 50}
  there: {name: there, measure: {capture: {}}, target: ">= 90 %", weight: 30}
  up: {name: up, measure: {availability: {}}, target: ">= 90 %", weight: 20}
"""
LONGER = PLAN.replace("period: 1 h}", "period: 1 h, max_hold: 40 d}")
AMENDMENT = """
amendment: {parties: [S, C, T], reason: "a longer hold", date: 2025-02-10}
"""


@pytest.fixture
def hall(connection: Connection) -> Connection:
    """January with every third day missing."""
    apply_plan(connection, read_plan(PLAN.encode()), who="test", now=datetime(2024, 12, 1, tzinfo=UTC))
    _send(connection, 0, lambda hour: hour // 24 % 3 != 2)
    summarise_all(connection)
    return connection


def _send(connection: Connection, first: int, there: object) -> None:
    channel_id = channel(connection, "hall", "a", "temp").channel_ids[-1]
    readings, start = Readings(), datetime(2024, 12, 31, 15, tzinfo=UTC)
    for hour in range(first, 31 * 24):
        if there(hour):  # type: ignore[operator]
            readings.append(channel_id, micros(start + timedelta(hours=hour)), 21.0)
    Committer().commit(connection, Batch(readings=readings))


def test_a_longer_hold_needs_an_amendment(hall: Connection) -> None:
    with pytest.raises(PlanProblems) as refused:
        apply_plan(hall, read_plan(LONGER.encode()), who="test")
    assert [(problem.path, problem.code) for problem in refused.value.problems] == [
        ("slots.a.channels.temp.max_hold", "amendment-needed")
    ]


def test_a_later_revision_changes_nothing_of_before(hall: Connection) -> None:
    then = close_past(hall)
    before = canonical_json(evaluate(hall, "hall", month="2025-01", as_of=then).document)
    apply_plan(hall, read_plan((LONGER + AMENDMENT).encode()), who="test")
    after = canonical_json(evaluate(hall, "hall", month="2025-01", as_of=then).document)
    assert after == before
    now = evaluate(hall, "hall", month="2025-01").document
    assert now["plan"]["version"] == 2
    assert canonical_json(now["kpis"]) != canonical_json(
        evaluate(hall, "hall", month="2025-01", as_of=then).document["kpis"]
    )


def test_summaries_of_a_revision_with_other_rules_do_not_serve(hall: Connection) -> None:
    """The new rules join old readings; the old revision's summaries were made by the old rules."""
    apply_plan(hall, read_plan((LONGER + AMENDMENT).encode()), who="test")
    with_summaries = evaluate(hall, "hall", month="2025-01").document["kpis"]
    hall.execute("INSERT INTO dirty_hour SELECT channel_id, hour FROM summary")
    raw = evaluate(hall, "hall", month="2025-01").document["kpis"]
    assert canonical_json(with_summaries) == canonical_json(raw)


def test_a_swap_recorded_later_is_not_known_before(hall: Connection) -> None:
    then = close_past(hall)
    before = canonical_json(evaluate(hall, "hall", month="2025-01", as_of=then).document)
    hall.execute("UPDATE installation SET removed_at = '2025-01-10T00:00Z'")
    hall.execute(
        "INSERT INTO installation (slot_id, serial, installed_at) SELECT slot_id, '2', '2025-01-12T00:00Z' FROM slot"
    )
    assert canonical_json(evaluate(hall, "hall", month="2025-01", as_of=then).document) == before


def test_an_evaluation_waits_for_a_swap_under_way(hall: Connection, database_url: str) -> None:
    """Its instant may lie before the evaluation's: seen only afterwards, the same as_of would give another answer."""
    found = []

    def judge() -> None:
        with connected(database_url) as own:
            found.append(evaluate(own, "hall", month="2025-01"))

    thread = threading.Thread(target=judge)
    with connected(database_url) as other, other.transaction():
        lock_registry(other)
        other.execute("UPDATE installation SET removed_at = '2025-01-10T00:00Z'")
        thread.start()
        thread.join(1.0)
        assert thread.is_alive()
    thread.join(30.0)
    [judged] = found
    again = evaluate(hall, "hall", month="2025-01", as_of=judged.as_of)
    assert canonical_json(again.document) == canonical_json(judged.document)


def test_nobody_changes_what_was_received(hall: Connection) -> None:
    with pytest.raises(psycopg.errors.IntegrityError, match="append-only"):
        hall.execute("UPDATE reading SET value = 0")
