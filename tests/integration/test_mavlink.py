"""A drone at a real broker, its frames made by pymavlink: flights, losses, a collector that is killed in the air."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.database import Connection
from devices.plan.credential_file import Credential
from devices.plan.reader import read_plan
from ingest.kept import Span
from ingest.redecode import redecode
from pilotbed.stack.mosquitto import Mosquitto
from telemetry.sequence import states
from tests.collecting import collecting, collector_process, plan_bytes, wait_for
from tests.mavlinking import Vehicle
from tests.speaking import Client, applied, connected

pytestmark = pytest.mark.timeout(180)
SLOTS = """\
  s1:
    device: {serial: '1'}
    connection: sky
    select: {system: 1}
    channels:
      pm25: {unit: ug/m^3, period: 10 s, source: "NAMED_VALUE_FLOAT[pm25].value"}
      height: {unit: m, period: 1 s, source: relative_altitude}
      voltage: {unit: V, period: 1 s}
      mode: {kind: state, states: [AUTO, RTL], reporting: on_change}
    events: {flight: {phased: true}, takeoff: {}, landing: {}, alert: {}}
"""


def registered(connection: Connection, broker: Mosquitto, pilot: str, slots: str = SLOTS) -> Credential | None:
    given = "{sky: {protocol: mavlink, options: {heartbeat: 3 s}}}"
    file = read_plan(plan_bytes(pilot, connections=given, slots=slots))
    return applied(connection, broker, file).get("sky")


class Drone:
    """Speaks on its slot's topic, a frame a message or cut as it comes."""

    def __init__(self, client: Client, pilot: str) -> None:
        self._client, self._topic = client, f"pilots/{pilot}/s1/mavlink"
        self.vehicle = Vehicle()
        self._born = time.time() - 60

    @property
    def boot_ms(self) -> int:
        return round((time.time() - self._born) * 1000)

    def say(self, *frames: bytes, cut: int = 0) -> None:
        data = b"".join(frames)
        for part in (data[:cut], data[cut:]):
            if part:
                assert self._client.publish(self._topic, part) == 0
        time.sleep(0.002)

    def time(self) -> bytes:
        now = time.time()
        return bytes(self.vehicle.system_time(round(now * 1e6), round((now - self._born) * 1000)))

    def up(self, metres: float) -> bytes:
        return self.vehicle.position(self.boot_ms, 37.5, 127.0, metres)


@contextmanager
def drone(broker: Mosquitto, credential: Credential | None, pilot: str) -> Iterator[Drone]:
    assert credential is not None
    with connected(broker, credential.username, credential.password) as client:
        yield Drone(client, pilot)


def heights(connection: Connection) -> list[float]:
    rows = connection.execute(
        "SELECT r.value FROM reading r JOIN channel c USING (channel_id) WHERE c.name = 'height' ORDER BY observed_at"
    )
    return [row["value"] for row in rows]


def events(connection: Connection) -> list[tuple[str, str]]:
    rows = connection.execute("SELECT kind, phase FROM event ORDER BY at, kind, phase DESC")
    return [(row["kind"], row["phase"]) for row in rows]


def links(connection: Connection) -> list[str]:
    return [row["state"] for row in connection.execute("SELECT state FROM link_state ORDER BY at")]


def numbers(connection: Connection) -> list[tuple[int, int, Any]]:
    rows = connection.execute("SELECT DISTINCT connection_id, boot FROM sequence").fetchall()
    found = states(connection, [(row["connection_id"], row["boot"]) for row in rows])
    return sorted((one.through, one.stored, one.missing) for one in found)


def test_a_flight_is_told_with_its_readings_and_what_was_lost_is_missing(
    connection: Connection, database_url: str, broker: Mosquitto, pilot: str
) -> None:
    credential = registered(connection, broker, pilot)
    with (
        collecting(database_url, broker.collector_url("collector-1"), "collector-1"),
        drone(broker, credential, pilot) as one,
    ):
        v = one.vehicle
        one.say(one.time(), v.beat(), v.extended_sys_state(0, 1), cut=30)
        one.say(v.beat(armed=True), one.up(0), cut=5)
        v.beat()  # lost on the radio
        one.say(
            v.extended_sys_state(0, 2), one.up(20), v.sys_status(0, 0, 0, 1, 22_200, 100, 80, 0, 0, 0, 0, 0, 0), cut=40
        )
        one.say(b"noise", v.statustext(2, b"Wind is strong"), one.up(5))
        one.say(v.extended_sys_state(0, 1), v.beat())
        wait_for(lambda: ("flight", "end") in events(connection), what="the flight to be told")
        assert events(connection) == [
            ("flight", "start"), ("takeoff", ""), ("alert", ""), ("landing", ""), ("flight", "end"),
        ]  # fmt: skip
        assert heights(connection) == [0, 20, 5]
        assert numbers(connection) == [(13, 12, ((6, 6),))]
        (flight,) = connection.execute("SELECT attributes FROM event WHERE phase = 'end'").fetchall()
        assert flight["attributes"]["result"] == "completed" and flight["attributes"]["max_altitude_m"] == 20
        refused = connection.execute("SELECT reason FROM rejection").fetchall()
        assert [row["reason"] for row in refused] == ["no_frame"]
        wait_for(lambda: links(connection) == ["online", "offline"], what="the link to be lost", within_s=15)
        one.say(v.beat())
        wait_for(lambda: links(connection) == ["online", "offline", "online"], what="the link to be found")


def test_a_flight_over_which_a_collector_is_killed_is_one_flight(
    connection: Connection, database_url: str, broker: Mosquitto, pilot: str, tmp_path: Path
) -> None:
    credential = registered(connection, broker, pilot)
    url, log = broker.collector_url("collector-2"), tmp_path / "log"
    with drone(broker, credential, pilot) as one:
        v = one.vehicle
        with collector_process(database_url, url, "collector-2", log) as process:
            wait_for(lambda: b" connected " in log.read_bytes(), what="the collector")
            time.sleep(1)
            one.say(one.time(), v.beat())
            one.say(v.beat(armed=True), one.up(1))
            for metres in range(20, 40):
                one.say(one.up(metres))
            half = one.up(2)
            one.say(half[:20])  # the other half comes to another collector
            wait_for(lambda: 39 in heights(connection), what="the flight to be under way")
            time.sleep(0.3)
            process.kill()
            process.wait(10)
        one.say(half[20:])
        for metres in range(40, 60):
            one.say(one.up(metres))
        with collector_process(database_url, url, "collector-2", log):
            one.say(v.beat())
            wait_for(lambda: ("flight", "end") in events(connection), what="the flight to end", within_s=30)
    assert events(connection) == [("flight", "start"), ("flight", "end")]
    rows = connection.execute("SELECT DISTINCT id FROM event").fetchall()
    assert len(rows) == 1
    found = heights(connection)
    assert len(found) == len(set(found)), "no reading twice"
    through, stored, missing = numbers(connection)[0]
    assert stored == through - sum(last - first + 1 for first, last in missing)
    assert set(found) == {1, 2, *range(20, 60)} and (stored, missing) == (through, ())


def test_kept_frames_are_decoded_again_by_a_corrected_plan_at_the_same_times(
    connection: Connection, database_url: str, broker: Mosquitto, pilot: str
) -> None:
    credential = registered(connection, broker, pilot)
    with (
        collecting(database_url, broker.collector_url("collector-1"), "collector-1"),
        drone(broker, credential, pilot) as one,
    ):
        one.say(one.time(), one.up(1))
        one.say(one.up(3))
        wait_for(lambda: heights(connection) == [1, 3], what="the first plan's readings")
    corrected = SLOTS.replace("relative_altitude", "GLOBAL_POSITION_INT.relative_alt")
    registered(connection, broker, pilot, corrected)
    now = datetime.now(UTC)
    assert (
        redecode(connection, Span(pilot=pilot, start=now - timedelta(minutes=10), end=now), who="cli:test").readings
        == 2
    )
    rows = connection.execute("SELECT observed_at, value FROM reading ORDER BY channel_id, observed_at").fetchall()
    assert rows[:2] == rows[2:]


def test_who_may_publish_frames(connection: Connection, broker: Mosquitto, pilot: str) -> None:
    credential = registered(connection, broker, pilot)
    assert credential is not None
    with connected(broker, credential.username, credential.password) as client:
        assert client.publish(f"pilots/{pilot}/s1/mavlink", Vehicle().beat()) in (0, 16)
        assert client.publish(f"pilots/{pilot}/s1/readings") in (0, 16)
    other = f"{pilot}x"
    for topic in (f"pilots/{other}/s1/mavlink", f"pilots/{pilot}/s2/mavlink"):
        with connected(broker, credential.username, credential.password) as client:
            assert client.publish(topic, Vehicle().beat()) == 0x87, topic
    slots = "  s1: {device: {serial: '7'}, channels: {pm25: {unit: ug/m^3, period: 10 s}}}\n"
    json_one = applied(connection, broker, read_plan(plan_bytes(other, slots=slots)))
    (spoken,) = json_one.values()
    with connected(broker, spoken.username, spoken.password) as client:
        assert client.publish(f"pilots/{other}/s1/mavlink", Vehicle().beat()) == 0x87, "it speaks JSON"


def beating(one: Drone, seconds: float) -> float:
    """Heartbeats for so long. :returns: the instant of the last one."""
    end = time.time() + seconds
    while time.time() < end:
        one.say(one.vehicle.beat())
        time.sleep(0.3)
    return time.time()


def test_a_broker_that_was_away_loses_no_link_and_a_silent_drone_does(
    connection: Connection, database_url: str, own_broker: Mosquitto, pilot: str
) -> None:
    credential = registered(connection, own_broker, pilot)
    with collecting(database_url, own_broker.collector_url("collector-1"), "collector-1") as collector:
        with drone(own_broker, credential, pilot) as one:
            beating(one, 1)
        wait_for(lambda: links(connection) == ["online"], what="the link")
        own_broker.stop()
        wait_for(lambda: not collector.listening, what="the collector to be cut off")
        time.sleep(5)  # longer than the heartbeat of 3 s
        assert links(connection) == ["online"], "nobody listened: silence says nothing"
        own_broker.start()
        wait_for(lambda: collector.listening, what="the collector to listen again", within_s=30)
        with drone(own_broker, credential, pilot) as one:
            last = beating(one, 5)
        assert links(connection) == ["online"]
        wait_for(lambda: links(connection) == ["online", "offline"], what="the silent drone to be told", within_s=15)
    (row,) = connection.execute(
        "SELECT extract(epoch FROM at) AS at FROM link_state WHERE state = 'offline'"
    ).fetchall()
    assert last + 2 < float(row["at"]) < last + 4


def test_a_silent_drone_is_told_from_when_we_listen_again(
    connection: Connection, database_url: str, own_broker: Mosquitto, pilot: str
) -> None:
    credential = registered(connection, own_broker, pilot)
    with collecting(database_url, own_broker.collector_url("collector-1"), "collector-1") as collector:
        with drone(own_broker, credential, pilot) as one:
            beating(one, 1)
        wait_for(lambda: links(connection) == ["online"], what="the link")
        own_broker.stop()
        wait_for(lambda: not collector.listening, what="the collector to be cut off")
        time.sleep(4)
        begun = time.time()
        own_broker.start()
        wait_for(lambda: links(connection) == ["online", "offline"], what="the silent drone to be told", within_s=30)
    (row,) = connection.execute(
        "SELECT extract(epoch FROM at) AS at FROM link_state WHERE state = 'offline'"
    ).fetchall()
    assert float(row["at"]) >= begun + 3, "three seconds of silence that we heard ourselves"


def test_a_collector_that_stood_still_loses_no_link(
    connection: Connection, database_url: str, broker: Mosquitto, pilot: str, tmp_path: Path
) -> None:
    credential = registered(connection, broker, pilot)
    log = tmp_path / "log"
    with (
        collector_process(database_url, broker.collector_url("collector-3"), "collector-3", log) as process,
        drone(broker, credential, pilot) as one,
    ):
        wait_for(lambda: b" connected " in log.read_bytes(), what="the collector")
        beating(one, 1)
        wait_for(lambda: links(connection) == ["online"], what="the link")
        process.send_signal(signal.SIGSTOP)
        beating(one, 5)
        process.send_signal(signal.SIGCONT)
        beating(one, 3)
        assert links(connection) == ["online"]
