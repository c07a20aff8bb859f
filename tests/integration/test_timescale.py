"""TimescaleDB in full, and a plain server the same: what lies by column takes what comes late, refuses what is refused elsewhere,
and gives the same numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import psycopg
import pytest

from core.database import Connection
from core.settings import settings
from core.window import day_window, instant, micros
from pilotbed.jobs import tasks
from pilotbed.stack.checkup import storage_finding
from telemetry import storage
from telemetry.batch import Batch, Readings
from telemetry.channels import ChannelInfo
from telemetry.commit import Committed, Committer
from telemetry.horizon import close_past
from telemetry.predicates import Condition
from telemetry.summarise import summarise_all
from telemetry.windows import gaps, snapshot, statistics, time_share, values
from tests.registered import Registered, info, register

START = datetime(2026, 2, 26, tzinfo=UTC)  # a Thursday: chunks of a week begin there
STEP_US = 60_000_000
N = 3 * 7 * 24 * 60


@pytest.fixture
def registered(connection: Connection) -> Registered:
    """Three weeks of a reading a minute, and half as many of a second channel."""
    made = register(connection, channels={"a": {}, "b": {}})
    send(connection, made, "a", range(N), 1.0)
    send(connection, made, "b", range(0, N, 2), 2.0)
    return made


def send(connection: Connection, made: Registered, name: str, places: range | list[int], value: float) -> Committed:
    readings = Readings()
    for place in places:
        readings.append(made.channel_ids[name], micros(START) + place * STEP_US, value + place % 1440 / 100)
    return Committer().commit(connection, Batch(readings=readings))


def by_column(connection: Connection, registered: Registered) -> None:
    """Everything by column, on the engine that can."""
    moved = storage.move_to_columns(connection, START + timedelta(weeks=3))
    if storage.describe(connection).engine.timescaledb is not None:
        assert moved == 3


def is_timescale(connection: Connection) -> bool:
    return storage.describe(connection).engine.timescaledb is not None


def needs_timescale(connection: Connection) -> None:
    if not is_timescale(connection):
        pytest.skip("a plain server has no chunks")


def everything(connection: Connection, channel: ChannelInfo, as_of: datetime | None = None) -> list[object]:
    """All that readers ask, over the whole and over days of two zones, cut and uncut."""
    zone = ZoneInfo("Europe/Berlin")
    days = (date(2026, 2, 26), date(2026, 3, 7), date(2026, 3, 28))
    windows = [*(day_window(day, zone) for day in days), day_window(date(2026, 3, 9), ZoneInfo("Asia/Seoul"))]
    with snapshot(connection):
        found = statistics(connection, channel, windows, as_of)
        shares = time_share(connection, channel, Condition(high=8.0), windows, as_of)
        holes = gaps(connection, channel, windows[0], as_of)
        observed, value = values(connection, channel, windows[1], as_of)
    # n = 0 has NaN for its mean, which equals nothing: compared as text.
    return [*map(repr, found), *shares, *holes, observed.tolist(), value.tolist()]


def test_the_same_numbers_before_and_after_and_with_late_data(connection: Connection, registered: Registered) -> None:
    raw = everything(connection, info(connection))
    summarise_all(connection)
    summed = everything(connection, info(connection))
    assert [str(one)[:60] for one in raw] == [str(one)[:60] for one in summed]
    before = everything(connection, info(connection, "b"))
    as_of = close_past(connection)
    by_column(connection, registered)
    assert everything(connection, info(connection)) == summed
    late = send(connection, registered, "b", [3, 5, 7, 20_001], 5.0)
    assert (late.stored, late.duplicate, late.conflict) == (4, 0, 0)
    assert everything(connection, info(connection, "b")) != before
    summarise_all(connection)
    assert everything(connection, info(connection, "b"), as_of) == before
    with snapshot(connection):
        [day] = statistics(connection, info(connection, "b"), [day_window(date(2026, 2, 26), ZoneInfo("UTC"))])
    assert day.n == 720 + 3


def test_duplicates_and_conflicts_are_told_in_what_lies_by_column(
    connection: Connection, registered: Registered
) -> None:
    by_column(connection, registered)
    again = send(connection, registered, "a", list(range(100)), 1.0)
    assert (again.stored, again.duplicate, again.conflict) == (0, 100, 0)
    other = send(connection, registered, "a", [5, 6, N + 5], 3.0)
    assert (other.stored, other.duplicate, other.conflict) == (1, 0, 2)
    kept = connection.execute(
        "SELECT value FROM reading WHERE channel_id = %s AND observed_at = %s",
        [registered.channel_ids["a"], instant(micros(START) + 5 * STEP_US)],
    ).fetchone()
    assert kept == {"value": 1.05}
    row = connection.execute("SELECT count(*) AS n FROM reading").fetchone()
    assert row == {"n": N + N // 2 + 1}


def test_a_reading_is_not_changed_wherever_it_lies(connection: Connection, registered: Registered) -> None:
    by_column(connection, registered)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"):
        connection.execute("UPDATE reading SET value = 0 WHERE channel_id = %s AND observed_at < %s",
                           [registered.channel_ids["a"], START + timedelta(hours=1)])  # fmt: skip
    # Late data lie beside the columns until the next move; they are not changed there either.
    send(connection, registered, "b", [1], 9.0)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"):
        connection.execute(
            "UPDATE reading SET value = 0 WHERE value > 8.9 AND channel_id = %s", [registered.channel_ids["b"]]
        )


def test_columns_lie_by_channel_in_order_with_the_least_and_greatest_receipt(
    connection: Connection, registered: Registered
) -> None:
    needs_timescale(connection)
    by_column(connection, registered)
    row = connection.execute(
        "SELECT segmentby, orderby, index FROM timescaledb_information.hypertable_columnstore_settings"
    ).fetchone()
    assert row is not None
    assert (row["segmentby"], row["orderby"]) == ("channel_id", "observed_at")
    assert {(one["type"], one["column"]) for one in row["index"]} >= {
        ("minmax", "received_at"),
        ("minmax", "observed_at"),
    }
    plan = connection.execute(
        "EXPLAIN (COSTS OFF) SELECT count(*) FROM reading WHERE channel_id = %s AND received_at >= %s",
        [registered.channel_ids["a"], datetime.now(UTC) + timedelta(days=1)],
    ).fetchall()
    text = "\n".join(line["QUERY PLAN"] for line in plan)
    assert "_ts_meta_v2_max_received_at" in text or "_ts_meta_max" in text, text
    found = storage.describe(connection)
    assert (found.chunks, found.by_column) == (3, 3)
    assert 0 < found.bytes_after < found.bytes_before / 5
    print(f"{found.engine}: {found.bytes_before / (N * 1.5):.1f} → {found.bytes_after / (N * 1.5):.1f} bytes a reading")


def test_days_are_those_of_time_bucket_in_the_pilots_zone(connection: Connection, registered: Registered) -> None:
    """An outside count of calendar days: TimescaleDB's own, over a change of the clock."""
    needs_timescale(connection)
    send(connection, registered, "a", range(N, N + 14 * 1440), 1.0)  # over 29 March
    summarise_all(connection)
    by_column(connection, registered)
    for name in ("Europe/Berlin", "Asia/Seoul", "Asia/Kathmandu"):
        zone = ZoneInfo(name)
        rows = connection.execute(
            "SELECT time_bucket('1 day', observed_at, timezone => %s) AS day, count(*) AS n, avg(value) AS mean FROM reading"
            " WHERE channel_id = %s GROUP BY 1 ORDER BY 1",
            [name, registered.channel_ids["a"]],
        ).fetchall()
        windows = [day_window(row["day"].astimezone(zone).date(), zone) for row in rows]
        assert [window.start for window in windows] == [row["day"] for row in rows]
        with snapshot(connection):
            found = statistics(connection, info(connection), windows)
        assert [one.n for one in found] == [row["n"] for row in rows]
        assert np.allclose([one.mean for one in found], [row["mean"] for row in rows], rtol=1e-12)
    assert 1380 in [row["n"] for row in connection.execute(
        "SELECT count(*) AS n FROM reading WHERE channel_id = %s GROUP BY time_bucket('1 day', observed_at, timezone => %s)",
        [registered.channel_ids["a"], "Europe/Berlin"])]  # fmt: skip


def test_the_policy_follows_the_settings(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    timescale = is_timescale(connection)
    assert storage.policy(connection) is None
    try:
        for days in (8, 15):
            monkeypatch.setenv("PILOTBED_COLUMNSTORE_AFTER_DAYS", str(days))
            settings.cache_clear()
            tasks.keep_storage(connection)
            tasks.keep_storage(connection)
            found = storage.policy(connection)
            assert (found is None) is not timescale
            if found is not None:
                assert (found.after, found.scheduled) == (timedelta(days=days), True)
    finally:
        monkeypatch.undo()
        settings.cache_clear()
    row = connection.execute("SELECT count(*) AS n FROM audit WHERE what = 'storage.policy'").fetchone()
    assert row == {"n": 2 if timescale else 0}


def test_doctor_names_the_engine_and_what_lies_by_column(connection: Connection, registered: Registered) -> None:
    found = storage_finding(connection)
    if not is_timescale(connection):
        assert "plain PostgreSQL" in found.found and "108 bytes a reading" in found.found
        return
    assert found.outcome == "warning" and "no policy" in found.found
    tasks.keep_storage(connection)
    by_column(connection, registered)
    found = storage_finding(connection)
    assert found.outcome == "ok"
    assert "TimescaleDB" in found.found and "3 of 3 chunks by column" in found.found and "after 8 days" in found.found


def test_late_data_go_to_the_columns_with_the_next_move(connection: Connection, registered: Registered) -> None:
    needs_timescale(connection)
    by_column(connection, registered)
    send(connection, registered, "b", [1, 3], 9.0)
    [first, *_] = storage.chunks(connection)
    connection.execute("SELECT move_reading_chunk(%s)", [first.name])
    row = connection.execute(
        "SELECT count(*) AS n FROM reading WHERE channel_id = %s", [registered.channel_ids["b"]]
    ).fetchone()
    assert row == {"n": N // 2 + 2}
    again = send(connection, registered, "b", [1, 3], 9.0)
    assert (again.stored, again.duplicate) == (0, 2)
