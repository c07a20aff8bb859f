"""Robots of VDA 5050 at a real broker, with the rights that their plan gives them: missions, loss, restarts, another's robot."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from core.database import Connection
from devices.plan.credential_file import Credential
from devices.plan.reader import read_plan
from kpi.measures.event_ratio import Happening, Rules, outcomes
from pilotbed.stack.mosquitto import Mosquitto
from telemetry.sequence import states
from tests.collecting import ROOT, collecting, collector_process, count, plan_bytes, wait_for
from tests.speaking import Client, applied, connected

pytestmark = pytest.mark.timeout(180)
SLOTS = """\
  s1:
    device: {serial: '1'}
    connection: fleet
    select: {manufacturer: RobotCo, serial: r1}
    channels:
      battery: {unit: '%', period: 1 s}
      x: {unit: m, period: 1 s}
      speed: {unit: m/s, period: 1 s}
      distance: {kind: counter, unit: m, period: 1 s}
      mode: {kind: state, states: [AUTOMATIC, MANUAL], reporting: on_change}
    events: {mission: {phased: true}, intervention: {}, error: {phased: true}}
  air:
    device: {serial: '2'}
    channels: {pm25: {unit: ug/m^3, period: 1 s}}
"""
SUCCESS = (
    {"result": "delivered", "interventions": 0},  # as examples/plans/delivery-robot.yaml has it
    {"outcome": "delivered", "intervention": False},  # as the demonstration has it
)


def registered(connection: Connection, broker: Mosquitto, pilot: str) -> Credential:
    given = f"{{fleet: {{protocol: vda5050, topics: ['{pilot}/v2/RobotCo/+/+']}}}}"
    file = read_plan(plan_bytes(pilot, connections=given, slots=SLOTS))
    return applied(connection, broker, file)["fleet"]


def stamp() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Robot:
    """A robot of ours, that counts its messages by topic."""

    def __init__(self, client: Client, interface: str) -> None:
        self._client, self._interface = client, interface
        self.headers = dict.fromkeys(("state", "connection", "order", "instantActions"), 0)

    def say(self, what: str, **body: Any) -> None:
        self.headers[what] += 1
        head = {
            "headerId": self.headers[what],
            "timestamp": stamp(),
            "version": "2.1.0",
            "manufacturer": "RobotCo",
            "serialNumber": "r1",
        }
        assert self._client.publish(f"{self._interface}/v2/RobotCo/r1/{what}", json.dumps({**head, **body})) == 0
        time.sleep(0.005)  # an instant of its own

    def state(
        self, order: str = "", nodes: tuple[int, ...] = (), last: int = 0, mode: str = "AUTOMATIC", **more: Any
    ) -> None:
        self.say(
            "state", orderId=order, orderUpdateId=0, lastNodeId=f"n{last}", lastNodeSequenceId=last, driving=bool(nodes),
            operatingMode=mode, nodeStates=[{"nodeId": f"n{one}", "sequenceId": one, "released": True} for one in nodes],
            edgeStates=[], actionStates=[], batteryState={"batteryCharge": 80.0, "charging": False}, errors=[],
            safetyState={"eStop": "NONE", "fieldViolation": False}, **more,
        )  # fmt: skip


@contextmanager
def robot(broker: Mosquitto, credential: Credential, interface: str) -> Iterator[Robot]:
    with connected(broker, credential.username, credential.password) as client:
        yield Robot(client, interface)


def events(connection: Connection, kind: str = "mission") -> list[tuple[str, dict[str, Any]]]:
    rows = connection.execute("SELECT phase, attributes FROM event WHERE kind = %s ORDER BY at, event_id", (kind,))
    return [(row["phase"], row["attributes"]) for row in rows]


def ended(connection: Connection) -> list[tuple[str, str | None, int]]:
    return [
        (told["order"], told.get("result"), told["interventions"])
        for phase, told in events(connection)
        if phase == "end"
    ]


def judged(connection: Connection, success: dict[str, Any]) -> list[bool]:
    rows = connection.execute("SELECT id, phase, number, at, attributes FROM event WHERE kind = 'mission' ORDER BY at")
    heard = [
        Happening(id=row["id"], phase=row["phase"], number=row["number"], at_us=round(row["at"].timestamp() * 1e6),
                  attributes=row["attributes"])
        for row in rows
    ]  # fmt: skip
    rules = Rules(numbered=False, phased=True, where={}, success=success)
    return [one.success for one in outcomes(heard, rules, until_us=2 * 10**15)]


def test_a_mission_is_told_once_though_its_collector_was_killed(
    connection: Connection, database_url: str, broker: Mosquitto, pilot: str, tmp_path: Path
) -> None:
    credential = registered(connection, broker, pilot)
    url, log = broker.collector_url("collector-2"), tmp_path / "log"
    with robot(broker, credential, pilot) as one:
        with collector_process(database_url, url, "collector-2", log) as process:
            wait_for(lambda: b" connected " in log.read_bytes(), what="the collector")
            time.sleep(1)
            one.state()
            one.state("o1", (2, 4))
            one.state("o1", (2, 4), mode="MANUAL")
            wait_for(lambda: count(connection, "event", "kind = 'intervention'") == 1, what="the mission's first half")
            process.kill()
            process.wait(10)
        one.state("o1", (4,), 2)
        one.state("o1", (), 4)
        one.state("o1", (), 4)
        with collector_process(database_url, url, "collector-2", log):
            wait_for(lambda: len(events(connection)) == 2, what="the mission's end", within_s=30)
            one.state("o2", (6,), 4)
            one.state("o2", (), 6)
            wait_for(lambda: len(events(connection)) == 4, what="another mission")
    assert ended(connection) == [("o1", "delivered", 1), ("o2", "delivered", 0)]
    assert all(
        told["start_seen"] and told["end_seen"] and not told["lost"]
        for phase, told in events(connection)
        if phase == "end"
    )
    assert [judged(connection, success) for success in SUCCESS] == [[False, True]] * 2
    assert count(connection, "event_conflict") == 0
    rows = connection.execute("SELECT DISTINCT connection_id, boot FROM sequence").fetchall()
    (found,) = states(connection, [(row["connection_id"], row["boot"]) for row in rows])
    assert (found.first, found.through, found.missing, found.stored) == (1, 8, (), 8)


def test_lost_messages_are_missing_and_a_restart_is_no_loss(
    connection: Connection, database_url: str, broker: Mosquitto, pilot: str
) -> None:
    credential = registered(connection, broker, pilot)
    url = broker.collector_url("collector-1")
    with collecting(database_url, url, "collector-1"), robot(broker, credential, pilot) as one:
        one.state()
        one.state("o1", (2,))
        one.headers["state"] += 3
        one.state("o1", (), 2)
        one.headers["state"] = 0
        one.state()
        one.state()
        wait_for(lambda: count(connection, "reading") == 10, what="five states")
    rows = connection.execute("SELECT DISTINCT connection_id, boot FROM sequence").fetchall()
    found = states(connection, [(row["connection_id"], row["boot"]) for row in rows])
    assert sorted((one.first, one.through, one.missing, one.stored) for one in found) == [
        (1, 2, (), 2),
        (1, 6, ((3, 5),), 3),
    ]
    ((_, told),) = [one for one in events(connection) if one[0] == "end"]
    assert (told["result"], told["lost"]) == ("delivered", 3) and told["end_within_s"] > 0


def links(connection: Connection) -> list[tuple[str, str]]:
    rows = connection.execute("SELECT state, origin FROM link_state ORDER BY at")
    return [(row["state"], row["origin"]) for row in rows]


def test_its_will_speaks_for_a_robot_and_what_the_broker_keeps_is_the_past(
    connection: Connection, database_url: str, own_broker: Mosquitto, pilot: str
) -> None:
    credential = registered(connection, own_broker, pilot)
    topic = f"{pilot}/v2/RobotCo/r1/connection"
    head = {"timestamp": stamp(), "version": "2.0.0", "manufacturer": "RobotCo", "serialNumber": "r1"}
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=credential.username, reconnect_on_failure=False)
    client.username_pw_set(credential.username, credential.password)
    client.will_set(
        topic, json.dumps({"headerId": 0, **head, "connectionState": "CONNECTIONBROKEN"}), qos=1, retain=True
    )
    with collecting(database_url, own_broker.collector_url("collector-1"), "collector-1"):
        client.connect("127.0.0.1", own_broker.port)
        client.loop_start()
        client.publish(
            topic, json.dumps({"headerId": 1, **head, "connectionState": "ONLINE"}), qos=1, retain=True
        ).wait_for_publish(5)
        wait_for(lambda: links(connection) == [("online", "status")], what="it to be online")
        time.sleep(0.5)
        died = datetime.now(UTC)
        sock: Any = client.socket()
        sock.shutdown(socket.SHUT_RDWR)
        wait_for(lambda: links(connection) == [("online", "status"), ("offline", "will")], what="its will")
        client.loop_stop()
    row = connection.execute("SELECT at FROM link_state WHERE state = 'offline'").fetchone()
    assert row is not None and row["at"] >= died, "a will is of when it was heard, not of the connecting that it names"
    with connected(own_broker, credential.username, credential.password) as again:
        again.mqtt.publish(
            topic,
            json.dumps({"headerId": 2, **head, "timestamp": stamp(), "connectionState": "OFFLINE"}),
            qos=1,
            retain=True,
        )
        wait_for(lambda: not again.codes.empty(), what="a tidy goodbye")
    said = datetime.now(UTC)
    time.sleep(0.5)
    with collecting(database_url, own_broker.collector_url("collector-2"), "collector-2"):
        wait_for(lambda: len(links(connection)) == 3, what="what the broker kept")
    row = connection.execute("SELECT max(at) AS at FROM link_state").fetchone()
    assert row is not None and row["at"] <= said, "what the broker kept is of when it was said"


@pytest.mark.skipif(shutil.which("mosquitto_pub") is None, reason="mosquitto_pub is not installed (mosquitto-clients)")
def test_a_state_of_mosquitto_pub(
    connection: Connection, database_url: str, broker: Mosquitto, pilot: str, tmp_path: Path
) -> None:
    credential = registered(connection, broker, pilot)
    file = tmp_path / "state.json"
    file.write_text(
        json.dumps(
            {
                "headerId": 1,
                "timestamp": stamp(),
                "batteryState": {"batteryCharge": 12.5},
                "velocity": {"vx": 3, "vy": 4},
            }
        )
    )
    with collecting(database_url, broker.collector_url("collector-1"), "collector-1"):
        subprocess.run(
            ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(broker.port), "-u", credential.username, "-P", credential.password,
             "-i", credential.username, "-q", "1", "-t", f"{pilot}/v2/RobotCo/r1/state", "-f", str(file)],
            check=True, timeout=20,
        )  # fmt: skip
        wait_for(lambda: count(connection, "reading") == 2, what="its values")
    rows = connection.execute("SELECT value FROM reading ORDER BY value")
    assert [row["value"] for row in rows] == [5, 12.5]


@contextmanager
def bridged(broker: Mosquitto, theirs: int, credential: Credential, interface: str) -> Iterator[None]:
    """What is said at another's broker is said at ours, word by word, as a bridge does."""
    with connected(broker, credential.username, credential.password) as ours:
        other = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="bridge")

        def passed_on(_client: Any, _data: Any, said: mqtt.MQTTMessage) -> None:
            ours.mqtt.publish(said.topic.replace("uagv", interface, 1), said.payload, qos=1, retain=said.retain)

        other.on_message = passed_on
        other.connect("127.0.0.1", theirs)
        other.subscribe("uagv/#", qos=1)
        other.loop_start()
        try:
            yield
        finally:
            time.sleep(0.5)
            other.disconnect()
            other.loop_stop()


@contextmanager
def open_broker(folder: Path) -> Iterator[int]:
    """A broker that lets everybody in, as on a robot's test bench."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    (folder / "open.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("mosquitto is not on the path")
    with subprocess.Popen([program, "-c", str(folder / "open.conf")], stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: _listens(port), what="the open broker")
            yield port
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def test_a_robot_and_a_fleet_control_that_others_wrote(
    connection: Connection, database_url: str, broker: Mosquitto, pilot: str, stack_folder: Path
) -> None:
    modules, node = os.environ.get("PILOTBED_VDA5050_NODE_PATH"), shutil.which("node")
    if not modules or node is None:
        pytest.skip(
            "PILOTBED_VDA5050_NODE_PATH is not set: the node_modules of a folder that has vda-5050-lib; or there is no node"
        )
    credential = registered(connection, broker, pilot)
    with (
        collecting(database_url, broker.collector_url("collector-1"), "collector-1"),
        open_broker(stack_folder) as port,
        bridged(broker, port, credential, pilot),
    ):
        done = subprocess.run(
            [node, str(ROOT / "tests" / "vda5050_robot.cjs"), f"mqtt://127.0.0.1:{port}", "r1"],
            env={**os.environ, "NODE_PATH": modules}, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.stdout.split("\n")[:3] == ["done o1", "cancelled o2 true", "offline"], done.stdout + done.stderr
        wait_for(lambda: links(connection)[-1:] == [("offline", "status")], what="its goodbye")
        time.sleep(0.5)
    assert ended(connection) == [("o1", "delivered", 0), ("o2", "cancelled", 0)]
    assert all(
        told["start_seen"] and told["end_seen"] and not told["lost"]
        for phase, told in events(connection)
        if phase == "end"
    )
    assert count(connection, "rejection") == 0
    assert count(connection, "quarantine", "connection_id IS NOT NULL") == 0  # others speak at this broker too
    row = connection.execute(
        "SELECT max(value) AS m FROM reading JOIN channel USING (channel_id) WHERE channel.name = 'distance'"
    ).fetchone()
    assert row is not None and 3.5 < row["m"] < 40  # four metres, and some of the second order
    rows = connection.execute("SELECT DISTINCT connection_id, boot FROM sequence").fetchall()
    found = states(connection, [(row["connection_id"], row["boot"]) for row in rows])
    assert {one.missing for one in found} == {()}


def test_robots_may_publish_what_their_plan_names_and_nothing_else(
    connection: Connection, broker: Mosquitto, pilot: str
) -> None:
    credential = registered(connection, broker, pilot)
    with connected(broker, credential.username, credential.password) as client:
        assert client.publish(f"{pilot}/v2/RobotCo/r1/state") < 0x80
    with connected(broker, credential.username, credential.password) as client:
        assert client.publish(f"{pilot}/v2/OtherCo/r1/state") == 0x87
