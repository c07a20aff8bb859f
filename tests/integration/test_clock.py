"""Clocks from the store's own hours: what the summariser keeps of delays, the offsets per slot, and findings as data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest

from core.database import Connection
from core.window import HOUR_US, Window, micros
from pilotbed.jobs import tasks
from pilotbed.jobs.worker import application
from telemetry import clock
from telemetry.batch import Flag
from telemetry.findings import Finding, Found, Recorded, findings, record
from telemetry.horizon import close_past
from telemetry.pace import Hour
from telemetry.summarise import summarise_all
from tests.clocked import START, Device, buffered, constant, drifting, set_at
from tests.registered import Registered, register

DAY = timedelta(days=1)
ALL = Window(start=START - 40 * DAY, end=START + 400 * DAY)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def second_slot(connection: Connection, registered: Registered, name: str = "s2") -> tuple[int, int]:
    """Another slot behind the same gateway: its id and its channel's."""
    row = connection.execute(
        "WITH made AS (INSERT INTO slot (pilot_id, name, connection_id) VALUES (%s, %s, %s) RETURNING slot_id)"
        " INSERT INTO channel (slot_id, name, revision, kind, unit, reporting, period_s, max_hold_s, valid_from)"
        " SELECT slot_id, 'a', 1, 'gauge', 'degC', 'periodic', 60, 180, '-infinity' FROM made"
        " RETURNING slot_id, channel_id",
        [registered.pilot_id, name, registered.connection_id],
    ).fetchone()
    assert row is not None
    return row["slot_id"], row["channel_id"]


def refuse(
    connection: Connection, slot_id: int, received: datetime, reason: str, detail: str, item: str = "a", n: int = 1
) -> None:
    connection.execute(
        "INSERT INTO rejection (slot_id, received_at, topic, item, observed, value, reason, detail)"
        " SELECT %s, %s, 't', %s, '1', '1', %s, %s FROM generate_series(1, %s)",
        [slot_id, received, item, reason, detail, n],
    )


def held(connection: Connection, as_of: datetime | None = None) -> list[Finding]:
    return findings(connection, "p1", ALL, as_of, kind="clock")


def told(found: list[Finding]) -> list[tuple[str, float, float, float | None]]:
    """Slot, start and end in hours since the start, and the value to a tenth."""
    return [
        (
            one.slot,
            (one.window.start - START).total_seconds() / 3600,
            (one.window.end - START).total_seconds() / 3600,
            None if one.value is None else round(one.value, 1),
        )
        for one in found
    ]


def test_the_summaries_keep_the_least_the_median_and_the_largest_delay(connection: Connection) -> None:
    ids = register(connection).channel_ids
    device = Device(hours=30, ahead_s=drifting(2_000, -20), arrives_s=buffered(5, 9.5))
    device.store(connection, ids["a"])
    summarise_all(connection)
    rows = connection.execute("SELECT hour, delay_min_s, delay_median_s, delay_max_s FROM summary ORDER BY hour")
    delay_s = (device.received_us - device.observed_us) / 1e6
    hour_us = device.observed_us // HOUR_US * HOUR_US
    seen = 0
    for row in rows:
        own = delay_s[hour_us == micros(row["hour"])]
        expected = (own.min(), np.median(own), own.max())
        assert (row["delay_min_s"], row["delay_median_s"], row["delay_max_s"]) == pytest.approx(expected, abs=1e-9)
        seen += len(own)
    assert seen == len(delay_s)


@pytest.mark.parametrize(
    ("flag", "counts"),
    [
        (Flag(0), True), (Flag.QOS0, True), (Flag.ARRIVAL_TIME, False), (Flag.RETAINED, False), (Flag.LOADED, False),
        (Flag.REPLAYED, False), (Flag.QOS0 | Flag.RETAINED, False),
    ],
)  # fmt: skip
def test_only_live_readings_with_a_device_time_have_a_delay(connection: Connection, flag: Flag, counts: bool) -> None:
    Device(hours=3).store(connection, register(connection).channel_ids["a"], int(flag))
    summarise_all(connection)
    known = connection.execute("SELECT delay_min_s IS NOT NULL AS known FROM summary").fetchall()
    assert [row["known"] for row in known] == [counts] * 3
    (found,) = clock.offsets(connection, "p1", at(3.5))
    assert found.note == ("fine" if counts else "none")


def test_each_slot_of_a_gateway_has_its_own_clock(connection: Connection) -> None:
    registered = register(connection)
    _, other = second_slot(connection, registered)
    Device(hours=72).store(connection, registered.channel_ids["a"])
    Device(hours=72, ahead_s=constant(-300)).store(connection, other)
    summarise_all(connection)
    good, slow = clock.offsets(connection, "p1", at(72.5))
    assert (good.slot, good.note, good.beyond, good.hours) == ("s1", "fine", False, 72)
    assert good.offset_s == pytest.approx(0.1, abs=0.05)
    assert (slow.slot, slow.note, slow.beyond) == ("s2", "slow", True)
    assert slow.offset_s == pytest.approx(300.1, abs=0.05)
    assert slow.drift_s_per_day == pytest.approx(0, abs=0.05)
    assert slow.slow_at_most_s == pytest.approx(300.1, abs=0.05)
    clock.judge(connection, "p1", at(72.5))
    assert told(held(connection)) == [("s2", -1, 72, 300.1)]


def test_the_channels_of_a_slot_share_its_clock(connection: Connection) -> None:
    """One of them is sent late every time: the other tells the offset."""
    ids = register(connection, channels={"a": {}, "b": {}}).channel_ids
    Device(hours=30).store(connection, ids["a"])
    Device(hours=30, arrives_s=lambda seconds: seconds + 400).store(connection, ids["b"])
    summarise_all(connection)
    (found,) = clock.offsets(connection, "p1", at(30.5))
    assert (found.note, found.hours) == ("fine", 30)


def test_the_offset_now_is_that_since_the_clock_was_set(connection: Connection) -> None:
    ids = register(connection).channel_ids
    Device(hours=80, ahead_s=set_at(76, constant(90), drifting(20))).store(connection, ids["a"])
    summarise_all(connection)
    (before,) = clock.offsets(connection, "p1", at(75.2))
    assert (before.note, before.beyond) == ("fast", True) and before.offset_s == pytest.approx(-89.9, abs=0.1)
    (now,) = clock.offsets(connection, "p1", at(80.2))
    assert (now.note, now.beyond) == ("fine", False)
    assert now.offset_s == pytest.approx(-5.4, abs=0.3) and now.drift_s_per_day is None
    clock.judge(connection, "p1", at(80.2))
    # Up to the end of the hour in which it was set: some of its readings were ahead.
    assert told(held(connection)) == [("s1", 0, 77, -89.9)]


def test_a_stretch_that_grew_supersedes_and_one_that_did_not_stays(connection: Connection) -> None:
    ids = register(connection).channel_ids
    Device(hours=40, ahead_s=set_at(20, constant(-200), constant(0))).store(connection, ids["a"])
    summarise_all(connection)
    assert clock.judge(connection, "p1", at(10.2)) == Recorded(new=1)
    first = close_past(connection)
    assert clock.judge(connection, "p1", at(10.9)) == Recorded(kept=1)
    assert clock.judge(connection, "p1", at(15.2)) == Recorded(new=1, superseded=1)
    second = close_past(connection)
    assert clock.judge(connection, "p1", at(39.2)) == Recorded(new=1, superseded=1)
    assert clock.judge(connection, "p1", at(39.2) + 10 * DAY) == Recorded(kept=1)
    assert told(held(connection, first)) == [("s1", -1, 10, 200.1)]
    assert told(held(connection, second)) == [("s1", -1, 15, 200.1)]
    assert told(held(connection)) == [("s1", -1, 20, 200.1)]
    assert held(connection, datetime(2020, 1, 1, tzinfo=UTC)) == []
    rows = connection.execute("SELECT recorded_at, superseded_at FROM finding ORDER BY finding_id").fetchall()
    assert [row["superseded_at"] for row in rows] == [rows[1]["recorded_at"], rows[2]["recorded_at"], None]
    # What ended is never touched again, however far its hours lie behind.
    assert clock.judge(connection, "p1", at(39.2) + 30 * DAY) == Recorded()
    assert told(held(connection)) == [("s1", -1, 20, 200.1)]


def test_a_stretch_of_months_is_one_finding_though_each_run_reads_four_weeks(connection: Connection) -> None:
    ids = register(connection).channel_ids
    Device(hours=60 * 24, period_s=1200, ahead_s=drifting(-50, -100)).store(connection, ids["a"])
    summarise_all(connection)
    for day in range(5, 61, 5):
        clock.judge(connection, "p1", at(day * 24 + 0.2))
    ((slot, start, end, value),) = told(held(connection))
    assert (slot, start, end) == ("s1", 0, 60 * 24)
    # The median of its last two weeks: 100 s and 53 days of 4.32 s.
    assert value == pytest.approx(100 + 53 * 4.32, abs=1)
    (one,) = held(connection)
    assert one.detail["drift_s_per_day"] == pytest.approx(4.32, abs=0.05)
    assert one.detail["hours"] == 14 * 24
    assert one.detail["rule"] == "least_delay" and one.detail["threshold_s"] == 30


def test_late_data_that_show_the_clock_right_take_the_finding_back(connection: Connection) -> None:
    """A good device whose link delivers everything 200 s late, as it seems, until some of each hour came at once after all."""
    ids = register(connection, channels={"a": {}, "b": {}}).channel_ids
    Device(hours=10, arrives_s=lambda seconds: seconds + 200).store(connection, ids["a"])
    summarise_all(connection)
    clock.judge(connection, "p1", at(10.2))
    assert told(held(connection)) == [("s1", 0, 10, 200.1)]
    known = close_past(connection)
    Device(hours=10).store(connection, ids["b"])
    summarise_all(connection)
    assert clock.judge(connection, "p1", at(10.2)) == Recorded(superseded=1)
    assert held(connection) == []
    assert len(held(connection, known)) == 1


def test_refused_readings_make_a_finding_where_no_reading_exists(connection: Connection) -> None:
    registered = register(connection)
    slot_id = registered.slot_id
    Device(hours=10).store(connection, registered.channel_ids["a"])
    summarise_all(connection)
    for hour in range(10, 14):
        refuse(connection, slot_id, at(hour + 0.5), "in_future", f"time = received + {400 + hour} s", n=300)
    refuse(connection, slot_id, at(3.5), "in_future", "time = received + 999999 s", n=20)  # among good ones
    refuse(connection, slot_id, at(15.5), "in_future", "time = received + 9999 s", item="event visit 1", n=20)
    refuse(connection, slot_id, at(16.5), "not_a_number", "x", n=20)
    refuse(connection, slot_id, at(17.5), "before_pilot", "time = start - 86400 s", n=20)  # may have been buffered
    clock.judge(connection, "p1", at(20))
    assert told(held(connection)) == [("s1", 10, 14, -411.5)]
    (one,) = held(connection)
    assert (one.unit, one.detail["rule"]) == ("s", "refused")
    (found,) = clock.offsets(connection, "p1", at(14.2))
    assert (found.note, found.beyond, found.offset_s) == ("refused", True, pytest.approx(-411.5))


def test_a_clock_that_was_reset_is_a_finding(connection: Connection) -> None:
    registered = register(connection)
    before_s = (datetime(2026, 1, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() - 60
    refuse(connection, registered.slot_id, at(5.5), "before_pilot", f"time = start - {before_s:.0f} s", n=20)
    clock.judge(connection, "p1", at(7))
    (one,) = held(connection)
    assert one.value == pytest.approx((at(5.5) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() - 60)
    (found,) = clock.offsets(connection, "p1", at(7))
    assert (found.note, found.slow_at_most_s) == ("refused", None)


def test_an_hour_that_waits_for_its_summary_is_not_judged_by_what_was_refused(connection: Connection) -> None:
    registered = register(connection)
    Device(hours=3).store(connection, registered.channel_ids["a"])
    refuse(connection, registered.slot_id, at(1.5), "in_future", "time = received + 600 s")
    clock.judge(connection, "p1", at(3.2))
    assert held(connection) == []
    summarise_all(connection)
    clock.judge(connection, "p1", at(3.2))
    assert held(connection) == []


def test_a_device_declared_without_a_clock_is_not_judged(connection: Connection) -> None:
    registered = register(connection)
    connection.execute("""UPDATE connection SET options = '{"clock": false}'""")
    Device(hours=5, ahead_s=constant(-300)).store(connection, registered.channel_ids["a"])
    summarise_all(connection)
    (found,) = clock.offsets(connection, "p1", at(5.2))
    assert (found.has_clock, found.note, found.offset_s, found.beyond) == (False, "no_clock", None, False)
    assert clock.judge(connection, "p1", at(5.2)) == Recorded()


@pytest.mark.parametrize(
    ("device", "hours", "note"),
    [
        (Device(hours=10, arrives_s=buffered(0, 10)), 10.5, "late"),
        (Device(hours=10, arrives_s=lambda seconds: (np.floor(seconds / 600) + 1) * 600 + 120), 10.5, "gathered"),
        (Device(hours=10), 40.0, "silent"),
        (Device(hours=10), 1000.0, "none"),
    ],
)
def test_why_an_offset_is_not_known(connection: Connection, device: Device, hours: float, note: str) -> None:
    device.store(connection, register(connection).channel_ids["a"])
    summarise_all(connection)
    (found,) = clock.offsets(connection, "p1", at(hours))
    assert (found.note, found.offset_s, found.beyond) == (note, None, False)


def test_hours_summarised_before_delays_were_kept_are_unknown(connection: Connection) -> None:
    Device(hours=20, ahead_s=constant(-300)).store(connection, register(connection).channel_ids["a"])
    summarise_all(connection)
    connection.execute(
        "UPDATE summary SET delay_min_s = NULL, delay_median_s = NULL, delay_max_s = NULL WHERE hour < %s", [at(10)]
    )
    clock.judge(connection, "p1", at(20.2))
    assert told(held(connection)) == [("s1", 10, 20, 300.1)]


def test_the_hours_are_those_of_a_recomputation(connection: Connection) -> None:
    device = Device(hours=30, ahead_s=drifting(500, -60), arrives_s=buffered(4, 8.3))
    registered = register(connection)
    device.store(connection, registered.channel_ids["a"])
    summarise_all(connection)
    window = Window(start=at(-2), end=at(32))
    found: list[Hour] = clock._hours(connection, [registered.slot_id], window)[registered.slot_id]
    for ours, theirs in zip(found, device.hours(), strict=True):
        assert (ours.hour_us, ours.taken) == (theirs.hour_us, theirs.taken)
        assert (ours.least_s, ours.median_s, ours.span_s, ours.spacing_s) == pytest.approx(
            (theirs.least_s, theirs.median_s, theirs.span_s, theirs.spacing_s), abs=1e-9
        )


def test_the_job_judges_pilots_that_run_or_ended_lately(connection: Connection, database_url: str) -> None:
    Device(hours=20, ahead_s=constant(-300)).store(connection, register(connection).channel_ids["a"])
    summarise_all(connection)
    connection.execute("UPDATE pilot SET end_at = %s", [at(10)])
    connection.execute(
        "INSERT INTO plan_version (pilot_id, version, sha256, source, recorded_by)"
        " SELECT pilot_id, 1, repeat('0', 64), '', 'test' FROM pilot"
    )
    tasks.judge_clocks(connection, at(10) + 15 * DAY)
    assert held(connection) == []
    tasks.judge_clocks(connection, at(20.2))
    assert told(held(connection)) == [("s1", -1, 20, 300.1)]
    assert "judge-clocks" in application(database_url, None).tasks


# --- Findings as data


def one_found(slot_id: int, first: float, last: float, value: float = 1.0, **given: Any) -> Found:
    return Found(slot_id=slot_id, window=Window(start=at(first), end=at(last)), value=value, unit="s", **given)


def test_judging_anew_touches_its_own_kind_scope_and_window_alone(connection: Connection) -> None:
    registered = register(connection)
    slot, channel_id = registered.slot_id, registered.channel_ids["a"]
    whole = Window(start=at(0), end=at(10))
    late = one_found(slot, 20, 22)
    of_channel = one_found(slot, 1, 2, channel_id=channel_id)
    record(connection, kind="clock", scopes=[(slot, None)], window=Window(start=at(0), end=at(30)), found=[late])
    record(connection, kind="gap", scopes=[(slot, None)], window=whole, found=[one_found(slot, 1, 2)])
    record(connection, kind="clock", scopes=[(slot, channel_id)], window=whole, found=[of_channel])
    again = one_found(slot, 3, 4, detail={"a": [1, 2.5], "b": None})
    assert record(connection, kind="clock", scopes=[(slot, None)], window=whole, found=[again]) == Recorded(new=1)
    assert record(connection, kind="clock", scopes=[(slot, None)], window=whole, found=[again]) == Recorded(kept=1)
    assert record(connection, kind="clock", scopes=[(slot, None)], window=whole, found=[]) == Recorded(superseded=1)
    left = [(one.kind, one.channel) for one in findings(connection, "p1", ALL)]
    assert sorted(left, key=str) == [("clock", "a"), ("clock", None), ("gap", None)]
    assert findings(connection, "p1", Window(start=at(2), end=at(20))) == []
    assert [one.kind for one in findings(connection, "p1", ALL, kind="gap")] == ["gap"]
    assert findings(connection, "p2", ALL) == []


def test_what_lies_outside_of_what_was_judged_is_an_error(connection: Connection) -> None:
    slot = register(connection).slot_id
    window = Window(start=at(0), end=at(10))
    for scopes, found in (([(slot, None)], one_found(slot, 10, 11)), ([], one_found(slot, 1, 2))):
        with pytest.raises(ValueError, match="outside of what was judged"):
            record(connection, kind="clock", scopes=scopes, window=window, found=[found])


@pytest.mark.parametrize(
    "change",
    [
        "value = 2", "end_at = end_at + interval '1 hour'", "detail = '{}'", "recorded_at = now()",
        "value = 2, superseded_at = now()",
    ],
)  # fmt: skip
def test_the_database_refuses_to_change_a_finding(connection: Connection, change: str) -> None:
    slot = register(connection).slot_id
    window = Window(start=at(0), end=at(10))
    found = one_found(slot, 1, 2, detail={"a": 1})
    record(connection, kind="clock", scopes=[(slot, None)], window=window, found=[found])
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"):
        connection.execute(f"UPDATE finding SET {change}")  # type: ignore[arg-type]
    record(connection, kind="clock", scopes=[(slot, None)], window=window, found=[])
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"):
        connection.execute("UPDATE finding SET superseded_at = now()")


def test_what_is_recorded_lies_after_the_closed_past(connection: Connection) -> None:
    slot = register(connection).slot_id
    connection.execute("UPDATE horizon SET at = clock_timestamp() + interval '1 hour'")
    record(
        connection, kind="clock", scopes=[(slot, None)], window=Window(start=at(0), end=at(10)),
        found=[one_found(slot, 1, 2)],
    )  # fmt: skip
    row = connection.execute("SELECT recorded_at > at AS after FROM finding, horizon").fetchone()
    assert row == {"after": True}
