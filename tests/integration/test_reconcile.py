"""Summaries that a hand in the database changed are found, made anew, and said."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from core.database import Connection
from core.errors import NotFound
from core.window import day_window, micros
from pilotbed.jobs import tasks
from telemetry import findings
from telemetry.batch import Batch, Readings
from telemetry.commit import Committer
from telemetry.predicates import Condition
from telemetry.reconcile import days_due, reconcile
from telemetry.summarise import summarise_all
from telemetry.windows import rules_of, snapshot, statistics
from tests.evaluated import SEOUL, Site, made_site
from tests.registered import Registered, info, register

DAY = date(2026, 3, 2)
WINDOW = day_window(DAY, SEOUL)


@pytest.fixture
def registered(connection: Connection) -> Registered:
    """A pilot with two days of readings, and a condition whose time is counted."""
    made = register(connection, channels={"a": {}, "b": {"kind": "counter", "unit": "kWh"}})
    low = Condition(high=20.5).parameters()
    connection.execute(
        "INSERT INTO predicate (slot_id, channel, low, low_closed, high, high_closed, codes)"
        " VALUES (%(slot)s, 'a', %(low)s, %(low_closed)s, %(high)s, %(high_closed)s, %(codes)s)",
        {**low, "slot": made.slot_id},
    )
    readings = Readings()
    for minute in range(0, 48 * 60, 2):
        at = micros(WINDOW.start) + minute * 60_000_000
        readings.append(made.channel_ids["a"], at, 20 + (minute % 7) / 7)
        readings.append(made.channel_ids["b"], at, minute * 0.1)
    Committer().commit(connection, Batch(readings=readings))
    summarise_all(connection)
    return made


def kept(connection: Connection) -> list[dict[str, object]]:
    rows = connection.execute("SELECT * FROM summary ORDER BY channel_id, hour").fetchall()
    return rows + connection.execute("SELECT * FROM summary_share ORDER BY channel_id, predicate_id, hour").fetchall()


def test_what_is_right_is_left_alone(connection: Connection, registered: Registered) -> None:
    before = kept(connection)
    ids = connection.execute("SELECT ctid::text FROM summary ORDER BY 1").fetchall()
    found = reconcile(connection, "p1", DAY, who="test")
    assert (found.hours, found.differences) == (48, ())
    assert kept(connection) == before
    assert connection.execute("SELECT ctid::text FROM summary ORDER BY 1").fetchall() == ids
    assert connection.execute("SELECT count(*) AS n FROM finding").fetchone() == {"n": 0}


CORRUPTIONS = {
    "a mean": "UPDATE summary SET mean = mean + 1e-6 WHERE channel_id = %(a)s AND hour = %(hour)s",
    "an integral": "UPDATE summary SET integral = integral * 1.5 WHERE channel_id = %(a)s AND hour = %(hour)s",
    "the time of receipt": "UPDATE summary SET last_received = last_received - interval '1 s' WHERE channel_id = %(a)s"
    " AND hour = %(hour)s",
    "a summary that is gone": "DELETE FROM summary WHERE channel_id = %(a)s AND hour = %(hour)s",
    "a share": "UPDATE summary_share SET true_s = true_s + 1 WHERE channel_id = %(a)s AND hour = %(hour)s",
    "a share that is gone": "DELETE FROM summary_share WHERE channel_id = %(a)s AND hour = %(hour)s",
}


@pytest.mark.parametrize("what", CORRUPTIONS)
def test_what_was_changed_is_found_repaired_and_said(connection: Connection, registered: Registered, what: str) -> None:
    before = kept(connection)
    hour = WINDOW.start + timedelta(hours=5)
    connection.execute(CORRUPTIONS[what], {"a": registered.channel_ids["a"], "hour": hour})
    assert kept(connection) != before
    looked = reconcile(connection, "p1", DAY, who="test", repair=False)
    assert len(looked.differences) == 1 and kept(connection) != before
    found = reconcile(connection, "p1", DAY, who="test")
    [one] = found.differences
    assert (one.slot, one.channel, one.hour) == ("s1", "a", hour)
    assert kept(connection) == before
    [finding] = findings.findings(connection, "p1", WINDOW, kind="summary")
    assert (finding.window.start, finding.window.seconds, finding.value, finding.unit) == (hour, 3600, 1.0, "h")
    assert finding.detail["hours"][0]["hour"] == hour.isoformat()
    row = connection.execute("SELECT who, object FROM audit WHERE what = 'summary.repair'").fetchone()
    assert row == {"who": "test", "object": f"summaries of {DAY}"}
    # The finding stays, though the next comparison finds nothing.
    assert reconcile(connection, "p1", DAY, who="test").differences == ()
    assert len(findings.findings(connection, "p1", WINDOW, kind="summary")) == 1


def test_no_other_day_is_touched_and_hours_that_wait_are_left(connection: Connection, registered: Registered) -> None:
    connection.execute("UPDATE summary SET mean = 0 WHERE channel_id = %s", [registered.channel_ids["a"]])
    connection.execute(
        "INSERT INTO dirty_hour (channel_id, hour) VALUES (%s, %s)", [registered.channel_ids["a"], WINDOW.start]
    )
    found = reconcile(connection, "p1", DAY, who="test")
    assert (found.hours, len(found.differences)) == (47, 23)
    row = connection.execute("SELECT count(*) AS n FROM summary WHERE mean = 0").fetchone()
    assert row == {"n": 25}


def test_a_summary_of_nothing_goes(connection: Connection, registered: Registered) -> None:
    empty = WINDOW.end + timedelta(days=1, hours=3)
    connection.execute(
        "INSERT INTO summary (channel_id, hour, n, n_good, mean, m2, min, max, first_at, first_value, last_at, last_value,"
        " integral, covered_s, longest_gap_s, missing, last_received) SELECT channel_id, %s, n, n_good, mean, m2, min, max,"
        " first_at, first_value, last_at, last_value, integral, covered_s, longest_gap_s, missing, last_received FROM summary"
        " WHERE channel_id = %s AND hour = %s",
        [empty, registered.channel_ids["a"], WINDOW.start],
    )
    [one] = reconcile(connection, "p1", DAY + timedelta(days=2), who="test").differences
    assert one.hour == empty
    assert connection.execute("SELECT count(*) AS n FROM summary WHERE hour = %s", [empty]).fetchone() == {"n": 0}


def test_after_the_repair_windows_say_what_the_readings_say(connection: Connection, registered: Registered) -> None:
    def mean() -> float:
        with snapshot(connection):
            [found] = statistics(connection, info(connection), [WINDOW])
        return found.mean

    right = mean()
    connection.execute("UPDATE summary SET mean = 99, integral = 0 WHERE hour = %s", [WINDOW.start])
    assert mean() != right
    reconcile(connection, "p1", DAY, who="test")
    assert mean() == right
    assert rules_of(info(connection)).hold_us == 180_000_000


def test_days_take_turns(connection: Connection, registered: Registered) -> None:
    connection.execute("UPDATE pilot SET start_at = '2026-02-28T15:00Z', end_at = '2026-03-31T15:00Z'")
    now = datetime(2026, 3, 5, 3, tzinfo=UTC)  # noon in Seoul
    assert days_due(connection, "p1", now, 10) == [date(2026, 3, day) for day in (4, 3, 2, 1)]
    for day in (4, 3):
        reconcile(connection, "p1", date(2026, 3, day), who="test")
    assert days_due(connection, "p1", now, 3) == [date(2026, 3, 2), date(2026, 3, 1), date(2026, 3, 4)]
    # Five minutes past midnight the day before is not closed yet: its last hour is not summarised.
    midnight = datetime(2026, 3, 4, 15, 5, tzinfo=UTC)
    assert days_due(connection, "p1", midnight, 1) == [date(2026, 3, 2)]
    connection.execute("INSERT INTO retired (pilot_id, kept_until, begun_at) SELECT pilot_id, now(), now() FROM pilot")
    assert days_due(connection, "p1", now, 3) == []


def test_the_job_repairs(connection: Connection) -> None:
    site: Site = made_site(
        connection,
        "warm: {name: w, measure: {statistic: {channel: temp, stat: mean}}, target: '>= 20 degC', weight: 100}",
    )
    at = [micros(datetime(2025, 5, 5, hour, tzinfo=UTC)) for hour in range(20)]
    site.heard("a", "temp", at, [21.0] * len(at))
    site.summarised()
    connection.execute("UPDATE summary SET max = 99 WHERE hour = '2025-05-05T03:00Z'")
    now = datetime(2025, 5, 7, tzinfo=UTC)
    tasks.compare_summaries(connection, now)
    assert connection.execute("SELECT max(max) AS top FROM summary").fetchone() == {"top": 21.0}
    assert connection.execute("SELECT sum(differed) AS n, count(*) AS days FROM reconciled").fetchone() == {
        "n": 1,
        "days": 3,
    }


def test_nobody_s_day_is_an_error(connection: Connection) -> None:
    with pytest.raises(NotFound, match="no pilot 'nobody'"):
        reconcile(connection, "nobody", DAY, who="test")
