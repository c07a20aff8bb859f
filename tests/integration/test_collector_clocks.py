"""Device times at the intake, through a real broker: refused with their values where they cannot be, never dated anew."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from core.database import Connection
from core.window import Window, instant
from devices.access import BrokerUser
from devices.credentials import password_record
from pilotbed.stack.mosquitto import Mosquitto
from telemetry import clock
from telemetry.batch import Flag
from telemetry.findings import findings
from tests.collecting import TODAY, apply, collecting, count, device, now_ms, wait_for

SECRET = "a device's secret"
CLOCKLESS = """\
  s1:
    connection: gw
    device: {serial: '1'}
    channels: {pm25: {unit: ug/m^3, period: 10 s}, temp: {unit: degC, period: 10 s}}
"""


@pytest.fixture
def site(own_broker: Mosquitto) -> Iterator[tuple[str, str]]:
    """The URLs of the collector and of a device that may publish anywhere."""
    own_broker.stop()
    own_broker.write_users(
        [BrokerUser(username="device", password=password_record(SECRET), publish=("#",), subscribe=())]
    )
    own_broker.start()
    yield own_broker.collector_url("collector-1"), own_broker.url_of("device", SECRET)


def readings(connection: Connection, channel: str = "pm25") -> list[dict[str, Any]]:
    return connection.execute(
        "SELECT value, observed_at, received_at, flags FROM reading JOIN channel USING (channel_id)"
        " WHERE name = %s ORDER BY value",
        [channel],
    ).fetchall()


def test_impossible_times_are_refused_with_their_values_and_never_dated_anew(
    connection: Connection, database_url: str, site: tuple[str, str], pilot: str
) -> None:
    apply(connection, pilot)
    topic = f"pilots/{pilot}/s1/readings"
    start = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC) - timedelta(days=30, hours=9)
    soon, past, late = now_ms(240), now_ms(-86_400), now_ms(360)
    iso_late = datetime.fromtimestamp(late / 1000, UTC).isoformat()
    with collecting(database_url, site[0], "collector-1"), device(site[1]) as sender:
        good = [(past, 1), (soon, 2)]  # four minutes ahead is within what clocks may be
        bad = [
            (late, 11, "in_future"),
            (iso_late, 12, "in_future"),
            ("2036-02-07T06:28:16Z", 13, "in_future"),
            (0, 14, "before_pilot"),
            (86_400, 15, "before_pilot"),
            (int((start.timestamp() - 1) * 1000), 16, "before_pilot"),
        ]
        for ts, value in good:
            sender.say(topic, {"ts": ts, "values": {"pm25": value}})
        for ts, value, _ in bad:
            sender.say(topic, {"ts": ts, "values": {"pm25": value}})
        # In one message: each counts by its own time.
        sender.say(topic, [{"ts": past + 1, "values": {"pm25": 3}}, {"ts": late, "values": {"pm25": 17, "temp": 18}}])
        wait_for(lambda: count(connection, "reading") == 3 and count(connection, "rejection") == 8, what="all of it")
    assert [(row["value"], row["observed_at"], row["flags"]) for row in readings(connection)] == [
        (1.0, instant(past * 1000), 0), (2.0, instant(soon * 1000), 0), (3.0, instant((past + 1) * 1000), 0)
    ]  # fmt: skip
    kept = connection.execute("SELECT item, observed, value, reason FROM rejection ORDER BY value::float").fetchall()
    assert [(row["item"], row["observed"].strip('"'), row["value"], row["reason"]) for row in kept] == [
        *(("pm25", str(ts), str(value), reason) for ts, value, reason in bad),
        ("pm25", str(late), "17", "in_future"),
        ("temp", str(late), "18", "in_future"),
    ]
    accounted = connection.execute("SELECT decoded, stored, rejected FROM intake_slot").fetchone()
    assert accounted == {"decoded": 11, "stored": 3, "rejected": 8}


@pytest.mark.parametrize(
    ("ts", "offset_s"),
    [(lambda: now_ms(600), -600.0), (lambda: 3_600, None)],
    ids=["ten minutes ahead", "reset to 1970"],
)
def test_a_clock_whose_readings_are_all_refused_is_a_finding(
    connection: Connection, database_url: str, site: tuple[str, str], pilot: str, ts: Any, offset_s: float | None
) -> None:
    apply(connection, pilot)
    with collecting(database_url, site[0], "collector-1"), device(site[1]) as sender:
        for value in range(5):
            sender.say(f"pilots/{pilot}/s1/readings", {"ts": ts(), "values": {"pm25": value}})
        wait_for(lambda: count(connection, "rejection") == 5, what="the refusals")
    now = datetime.now(UTC)
    later = now + timedelta(hours=2)
    expected = offset_s if offset_s is not None else now.timestamp() - 3_600
    (found,) = clock.offsets(connection, pilot, later)
    assert (found.note, found.beyond, found.offset_s) == ("refused", True, pytest.approx(expected, abs=5))
    clock.judge(connection, pilot, later)
    window = Window(start=now - timedelta(days=1), end=later)
    (finding,) = findings(connection, pilot, window, kind="clock")
    assert finding.value == pytest.approx(expected, abs=5) and now in finding.window


def test_a_device_without_a_clock_gets_strictly_increasing_arrivals_flagged(
    connection: Connection, database_url: str, site: tuple[str, str], pilot: str
) -> None:
    apply(connection, pilot, connections="{gw: {clock: false}}", slots=CLOCKLESS)
    topic = f"pilots/{pilot}/s1/readings"
    begun = datetime.now(UTC)

    def say(numbers: range) -> None:
        """By threes in one message, with times that nobody should believe."""
        for number in numbers[::3]:
            sender.say(topic, [{"ts": 12, "values": {"pm25": number + more, "temp": 20}} for more in range(3)])

    with device(site[1]) as sender:
        for first in (0, 300):  # and over a restart of the collector
            with collecting(database_url, site[0], "collector-1"):
                say(range(first, first + 300))
                # What such a device sends twice cannot be told from news.
                sender.say(topic, {"values": {"temp": 20.5}})
                sender.say(topic, {"values": {"temp": 20.5}})
                wait_for(
                    lambda first=first: count(connection, "reading") == (first + 300) * 2 + first // 150 + 2, what="all"
                )
    found = readings(connection)
    at = [row["observed_at"] for row in found]
    assert [row["value"] for row in found] == [float(number) for number in range(600)]
    assert all(one < other for one, other in pairwise(at)), "in the order in which they were sent"
    assert {row["flags"] for row in found} == {int(Flag.ARRIVAL_TIME)}
    assert all(begun <= row["observed_at"] <= row["received_at"] for row in found)
    assert count(connection, "reading", "value = 20.5") == 4
    assert count(connection, "rejection") == count(connection, "conflict") == 0
    (said,) = clock.offsets(connection, pilot)
    assert (said.has_clock, said.note) == (False, "no_clock")


def test_a_reading_without_a_time_of_its_own_counts_by_its_arrival_flagged(
    connection: Connection, database_url: str, site: tuple[str, str], pilot: str
) -> None:
    apply(connection, pilot)
    past = now_ms(-3_600)
    begun = datetime.now(UTC)
    with collecting(database_url, site[0], "collector-1"), device(site[1]) as sender:
        sender.say(f"pilots/{pilot}/s1/readings", {"values": {"pm25": 1}})
        sender.say(f"pilots/{pilot}/s1/readings", {"ts": past, "values": {"pm25": 2}})
        wait_for(lambda: count(connection, "reading") == 2, what="both")
    without, with_time = readings(connection)
    assert without["flags"] == int(Flag.ARRIVAL_TIME) and without["observed_at"] >= begun
    assert (with_time["flags"], with_time["observed_at"]) == (0, instant(past * 1000))
