"""The platform's own record: what was recorded by an instant is what is known of it, for ever."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from core.database import Connection
from core.window import Window
from pilotbed.bench.proxy import Proxy
from pilotbed.stack.mosquitto import Mosquitto
from telemetry.happenings import beat
from telemetry.heartbeat import Heartbeat
from telemetry.horizon import close_past
from telemetry.platform_record import (
    GOES_ON_S,
    Entry,
    platform_alive,
    platform_known,
    record,
    record_history,
    settle,
)
from tests.collecting import apply, collecting, collector_process, wait_for

BEGUN = datetime(2026, 5, 1, tzinfo=UTC)


def said(
    connection: Connection, start_s: float, end_s: float, *, recorded_s: float | None = None, goes_on: bool = True,
    process: str = "collector-1", pauses: tuple[tuple[float, float], ...] = (),
) -> None:  # fmt: skip
    """A row as a collector writes it, some seconds after ``BEGUN``; recorded at its end where nothing else is said."""
    until = BEGUN + timedelta(seconds=end_s)
    heard = [start_s, *(edge for pause in pauses for edge in pause), end_s]
    spans = [
        f"[{(BEGUN + timedelta(seconds=a)).isoformat()},{(BEGUN + timedelta(seconds=b)).isoformat()})"
        for a, b in zip(heard[::2], heard[1::2], strict=True)
        if a < b
    ]
    connection.execute(
        "INSERT INTO platform_record (process, run, from_at, until_at, heard, goes_on, recorded_at)"
        " VALUES (%s, 'r', %s, %s, %s::tstzmultirange, %s, %s)",
        [
            process, BEGUN + timedelta(seconds=start_s), until, "{" + ",".join(spans) + "}", goes_on,
            until if recorded_s is None else BEGUN + timedelta(seconds=recorded_s),
        ],
    )  # fmt: skip


def alive(connection: Connection, as_of_s: float | None, length_s: float = 7200) -> list[tuple[float, float]]:
    window = Window(start=BEGUN, end=BEGUN + timedelta(seconds=length_s))
    as_of = None if as_of_s is None else BEGUN + timedelta(seconds=as_of_s)
    return [
        ((found.start - BEGUN).total_seconds(), (found.end - BEGUN).total_seconds())
        for found in platform_alive(connection, "hall", window, as_of)
    ]


def test_what_is_recorded_later_is_not_known_before(connection: Connection) -> None:
    said(connection, 0, 300)
    said(connection, 300, 600)
    # The database is away from 600 on, and comes back at 1800; the collector heard all the time.
    before = alive(connection, 1700)
    assert before == [(0, 600)], "provisionally the platform's"
    said(connection, 600, 1801, recorded_s=1802)
    assert alive(connection, 1700) == before
    assert alive(connection, 1802) == [(0, 1802)]
    assert alive(connection, 1802, length_s=900) == [(0, 900)]


def test_until_the_next_row_is_due_the_last_ones_word_goes_on(connection: Connection) -> None:
    said(connection, 0, 300)
    assert alive(connection, 300 + GOES_ON_S - 1) == [(0, 300 + GOES_ON_S - 1)]
    assert alive(connection, 300 + GOES_ON_S + 1) == [(0, 300)]
    said(connection, 300, 400, goes_on=False)
    assert alive(connection, 410) == [(0, 400)], "it said that it stopped"
    assert alive(connection, 350) == [(0, 350)], "which was not known yet"


def test_any_intake_counts_and_no_other_process(connection: Connection) -> None:
    said(connection, 0, 300, pauses=((100, 200),))
    said(connection, 50, 150, process="collector-2", goes_on=False)
    said(connection, 150, 200, process="work")
    said(connection, 150, 200, process="loader:other")
    assert alive(connection, 300) == [(0, 150), (200, 300)]
    said(connection, 140, 210, process="loader:hall")
    assert alive(connection, 300) == [(0, 300)]


def test_nothing_is_known_before_the_first_row_was_recorded(connection: Connection) -> None:
    assert platform_known(connection, "hall") is None
    said(connection, 0, 300, recorded_s=500)
    assert platform_known(connection, "hall", BEGUN + timedelta(seconds=499)) is None
    assert platform_known(connection, "hall", BEGUN + timedelta(seconds=500)) == BEGUN
    assert alive(connection, 499) == []


def test_simulated_history_counts_as_recorded_while_it_happened(connection: Connection) -> None:
    record_history(connection, "loader:hall", Window(start=BEGUN, end=BEGUN + timedelta(hours=1)), "history")
    assert alive(connection, 1000) == [(0, 1000)]


def test_the_database_refuses_any_change(connection: Connection) -> None:
    said(connection, 0, 300)
    for statement in ("UPDATE platform_record SET goes_on = false", "DELETE FROM platform_record"):
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"):
            connection.execute(statement)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"):
        connection.execute("TRUNCATE platform_record")


def test_a_row_is_never_recorded_into_a_closed_past(connection: Connection) -> None:
    connection.execute("UPDATE horizon SET at = clock_timestamp() + interval '1 hour'")
    closed = close_past(connection)
    now = time.time()
    record(connection, "collector-1", "r", Entry(span=(now - 1, now), heard=((now - 1, now),), goes_on=True))
    row = connection.execute("SELECT recorded_at FROM platform_record").fetchone()
    assert row is not None and row["recorded_at"] > closed


def test_what_a_killed_life_had_said_by_its_pulse_is_recorded_by_the_next(connection: Connection) -> None:
    now = datetime.now(UTC)
    began = now - timedelta(minutes=10)
    beat(connection, "collector-1", began)
    recorded = (began.timestamp(), (began + timedelta(minutes=5)).timestamp())
    record(connection, "collector-1", "first", Entry(span=recorded, heard=(recorded,), goes_on=True))
    beat(connection, "collector-2", now - timedelta(seconds=2))  # alive, and not ours to speak for
    assert settle(connection, "collector-1") == 1
    assert settle(connection, "collector-1") == 0, "said once"
    row = connection.execute("SELECT * FROM platform_record ORDER BY record_id DESC LIMIT 1").fetchone()
    assert row is not None and row["process"] == "collector-1" and row["goes_on"] is False
    assert (row["until_at"] - row["from_at"]).total_seconds() == pytest.approx(300, abs=5)


# --- A heart that beats


def test_a_heart_goes_on_while_only_the_database_is_away(connection: Connection, database_url: str) -> None:
    hearing: list[float | None] = [None]
    with Proxy(database_url) as proxy:
        heart = Heartbeat(
            proxy.url, name="collector-1", hearing=lambda: hearing[0], note=lambda: "note", row_every_s=2.0
        )
        heart.start()
        time.sleep(0.5)
        assert connection.execute("SELECT FROM platform_record").fetchall() == []
        hearing[0] = began = time.time()
        wait_for(lambda: rows(connection), what="the first row")
        proxy.cut()
        during = close_past(connection)
        time.sleep(3.0)
        stopped = time.time()
        proxy.mend()
        wait_for(lambda: len(rows(connection)) > 2, what="the row of the time without the database", within_s=30)
        heart.stop()
    whole = Window(start=datetime.fromtimestamp(began, UTC), end=datetime.now(UTC))
    [all_of_it] = platform_alive(connection, "hall", whole, close_past(connection))
    assert all_of_it.start == whole.start and all_of_it.end.timestamp() > stopped
    late = [row for row in rows(connection) if row["recorded_at"] - row["from_at"] > timedelta(seconds=2.5)]
    assert late and late[0]["recorded_at"] > during
    assert [row["goes_on"] for row in rows(connection)][-1] is False, "its end is recorded"
    assert len({row["run"] for row in rows(connection)}) == 1 and rows(connection)[0]["note"] == "note"


def rows(connection: Connection) -> list[dict[str, Any]]:
    return connection.execute("SELECT * FROM platform_record ORDER BY record_id").fetchall()


# --- A collector


def test_a_collector_without_the_broker_is_away_in_the_record(
    connection: Connection, database_url: str, own_broker: Mosquitto, pilot: str
) -> None:
    apply(connection, pilot)
    with (
        Proxy(own_broker.collector_url("collector-1")) as proxy,
        collecting(database_url, proxy.url, "collector-1") as collector,
    ):
        began = datetime.now(UTC)
        wait_for(lambda: rows(connection), what="the first row")
        time.sleep(2.0)
        proxy.cut()
        wait_for(lambda: not collector.listening, what="the loss to be noticed")
        lost = datetime.now(UTC)
        time.sleep(3.0)
        found = datetime.now(UTC)
        proxy.mend()
        wait_for(lambda: collector.listening, what="the collector to hear again", within_s=40)
        heard = datetime.now(UTC)
        time.sleep(1.5)
    whole = Window(start=began, end=datetime.now(UTC))
    one, other = platform_alive(connection, pilot, whole, close_past(connection))
    assert one.start - began < timedelta(seconds=1.5) and one.end <= lost
    assert lost - one.end < timedelta(seconds=2.5), "looked at every second"
    assert found <= other.start <= heard


def test_a_killed_collectors_time_is_recorded_by_its_next_life(
    connection: Connection, database_url: str, own_broker: Mosquitto, pilot: str, tmp_path: Path
) -> None:
    apply(connection, pilot)
    url, log = own_broker.collector_url("collector-1"), tmp_path / "log"
    with collector_process(database_url, url, "collector-1", log) as process:
        wait_for(lambda: rows(connection), what="the first row", within_s=40)
        wait_for(lambda: pulse_s(connection) > 4.5, what="the pulse to be drawn out")
        process.kill()
        process.wait(10)
    killed = pulse_s(connection)
    assert sum(said_s(row) for row in rows(connection)) < 2.0, "all but its first seconds is not recorded yet"
    with collector_process(database_url, url, "collector-1", log):
        wait_for(lambda: len(rows(connection)) > 2, what="the next life's first rows", within_s=40)
    settled = [row for row in rows(connection) if row["run"] == ""]
    assert len(settled) == 1 and settled[0]["goes_on"] is False
    assert sum(said_s(row) for row in rows(connection)[:2]) == pytest.approx(killed, abs=0.5)
    assert len({row["run"] for row in rows(connection)}) == 3, "each life has its own run"


def pulse_s(connection: Connection) -> float:
    row = connection.execute("SELECT extract(epoch FROM max(at - started_at))::float8 AS s FROM heartbeat").fetchone()
    return 0.0 if row is None or row["s"] is None else float(row["s"])


def said_s(row: dict[str, Any]) -> float:
    return sum(float((one.upper - one.lower).total_seconds()) for one in row["heard"])
