"""Sparkplug nodes at a real broker, with the rights that their plan gives them: births, gaps, restarts, another's client."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from core.database import Connection
from devices.plan.credential_file import Credential
from devices.plan.reader import read_plan
from ingest.kept import Span
from ingest.protocols.sparkplug.host import HostState, rebirth
from ingest.protocols.sparkplug.schema import Payload
from ingest.quarantine import Wanted
from ingest.redecode import redecode
from ingest.replay import replay
from pilotbed.stack.mosquitto import Mosquitto
from telemetry.sequence import states
from tests.collecting import ROOT, collecting, collector_process, count, now_ms, plan_bytes, wait_for
from tests.speaking import Client, applied, collector, connected

pytestmark = pytest.mark.timeout(180)
SLOTS = """\
  s1:
    device: {serial: '1'}
    connection: plc
    select: {device: D1}
    channels:
      pm25: {unit: ug/m^3, period: 1 s, source: Temp}
      pieces: {unit: '1', period: 1 s, source: Count}
      running: {kind: state, states: ['false', 'true'], reporting: on_change, source: Running}
"""
REBIRTH = "Node Control/Rebirth"


def registered(
    connection: Connection, broker: Mosquitto, pilot: str, *, reorder: str = "1 s", slots: str = SLOTS
) -> Credential | None:
    topics = f"['spBv1.0/{pilot}/+/N1', 'spBv1.0/{pilot}/+/N1/+']"
    given = f"{{plc: {{protocol: sparkplug, topics: {topics}, options: {{host: pilotbed, reorder: {reorder}}}}}}}"
    file = read_plan(plan_bytes(pilot, connections=given, slots=slots))
    return applied(connection, broker, file).get("plc")


class Node:
    """An edge node of ours: it counts, and answers when it is told to."""

    def __init__(self, client: Client, group: str) -> None:
        self._client, self._group, self.seq = client, group, 0
        assert client.subscribe(f"spBv1.0/{group}/NCMD/N1") == 1
        assert client.subscribe(f"spBv1.0/{group}/DCMD/N1/D1") == 1

    def say(self, kind: str, payload: Any, device: str = "") -> None:
        payload.timestamp = now_ms()
        if kind != "NDEATH":
            payload.seq, self.seq = self.seq, (self.seq + 1) % 256
        topic = f"spBv1.0/{self._group}/{kind}/N1{device}"
        assert self._client.publish(topic, payload.SerializeToString()) == 0

    def birth(self) -> None:
        self.seq = 0
        payload = Payload()
        payload.metrics.add(name=b"bdSeq", datatype=4, long_value=1, timestamp=now_ms())
        self.say("NBIRTH", payload)
        payload = Payload()
        payload.metrics.add(name=b"Temp", alias=0, datatype=9, is_null=True, timestamp=now_ms())
        payload.metrics.add(name=b"Count", alias=1, datatype=2, is_null=True, timestamp=now_ms())
        payload.metrics.add(name=b"Running", alias=2, datatype=11, is_null=True, timestamp=now_ms())
        self.say("DBIRTH", payload, "/D1")

    def data(self, value: float) -> None:
        payload = Payload()
        payload.metrics.add(alias=0, float_value=value, timestamp=now_ms())
        self.say("DDATA", payload, "/D1")
        time.sleep(0.003)  # an instant of its own

    def lose(self) -> None:
        self.seq = (self.seq + 1) % 256

    def asked(self, within_s: float = 10.0) -> None:
        topic, raw = self._client.heard.get(timeout=within_s)
        command = Payload.FromString(raw)
        assert topic == f"spBv1.0/{self._group}/NCMD/N1"
        assert [(metric.name.decode(), metric.boolean_value, metric.datatype) for metric in command.metrics] == [
            (REBIRTH, True, 11)
        ]

    def not_asked(self) -> bool:
        return self._client.heard.empty()


@contextmanager
def node(broker: Mosquitto, credential: Credential | None, group: str) -> Iterator[Node]:
    assert credential is not None
    with connected(broker, credential.username, credential.password) as client:
        yield Node(client, group)


def values(connection: Connection) -> list[float]:
    return [row["value"] for row in connection.execute("SELECT value FROM reading ORDER BY observed_at, channel_id")]


def links(connection: Connection) -> list[str]:
    return [row["state"] for row in connection.execute("SELECT state FROM link_state ORDER BY at")]


def test_a_gap_is_asked_about_once_and_the_answer_decides(
    connection: Connection, database_url: str, broker: Mosquitto, pilot: str
) -> None:
    credential = registered(connection, broker, pilot)
    with (
        collecting(database_url, broker.collector_url("collector-1"), "collector-1"),
        node(broker, credential, pilot) as edge,
    ):
        edge.birth()
        for value in (1, 2, 3):
            edge.data(value)
        wait_for(lambda: values(connection) == [1, 2, 3], what="data after their birth")
        edge.lose()
        edge.data(5)
        edge.data(6)
        edge.asked()
        assert values(connection) == [1, 2, 3]
        edge.birth()
        wait_for(lambda: values(connection) == [1, 2, 3, 5, 6], what="what waited for the birth")
        edge.data(7)
        wait_for(lambda: values(connection) == [1, 2, 3, 5, 6, 7], what="data after the birth")
        time.sleep(1.5)
        assert edge.not_asked()
        payload = Payload()
        payload.metrics.add(name=b"bdSeq", datatype=4, long_value=1)
        edge.say("NDEATH", payload)
        wait_for(lambda: links(connection)[-1:] == ["offline"], what="the death")
    assert count(connection, "quarantine", "connection_id IS NOT NULL") == 0  # others speak at this broker too
    # Two births and six data, of which one was lost; then two births and the last data.
    rows = connection.execute("SELECT DISTINCT connection_id, boot FROM sequence").fetchall()
    found = states(connection, [(row["connection_id"], row["boot"]) for row in rows])
    assert sorted((one.first, one.through, one.missing, one.stored) for one in found) == [
        (1, 3, (), 3),
        (1, 8, ((6, 6),), 7),
    ]


def test_aliases_survive_a_kill_of_the_collector(
    connection: Connection, database_url: str, broker: Mosquitto, pilot: str, tmp_path: Path
) -> None:
    credential = registered(connection, broker, pilot)
    url, log = broker.collector_url("collector-2"), tmp_path / "log"
    with node(broker, credential, pilot) as edge:
        with collector_process(database_url, url, "collector-2", log) as process:
            wait_for(lambda: b" connected " in log.read_bytes(), what="the collector")
            time.sleep(1)
            edge.birth()
            wait_for(lambda: links(connection) == ["online"], what="the birth to be committed")
            process.kill()
            process.wait(10)
        for value in (1, 2, 3):
            edge.data(value)
        with collector_process(database_url, url, "collector-2", log):
            wait_for(lambda: values(connection) == [1, 2, 3], what="data by the aliases of before", within_s=30)
        assert edge.not_asked()
    assert count(connection, "quarantine", "connection_id IS NOT NULL") == 0  # others speak at this broker too


def test_what_is_held_survives_a_kill_of_the_collector(
    connection: Connection, database_url: str, broker: Mosquitto, pilot: str, tmp_path: Path
) -> None:
    credential = registered(connection, broker, pilot)
    url, log = broker.collector_url("collector-3"), tmp_path / "log"
    with node(broker, credential, pilot) as edge:
        with collector_process(database_url, url, "collector-3", log) as process:
            wait_for(lambda: b" connected " in log.read_bytes(), what="the collector")
            time.sleep(1)
            for value in (1, 2, 3):
                edge.data(value)
            held = "name LIKE 'held %'"
            wait_for(lambda: count(connection, "protocol_memory", held) == 3, what="data to be held")
            process.kill()
            process.wait(10)
        with collector_process(database_url, url, "collector-3", log):
            edge.asked(30)
            edge.birth()
            wait_for(lambda: values(connection) == [1, 2, 3], what="what waited for the birth", within_s=30)
            wait_for(lambda: count(connection, "protocol_memory", held) == 0, what="nothing to be held")
        assert edge.not_asked()
    assert count(connection, "quarantine", "connection_id IS NOT NULL") == 0  # others speak at this broker too


def test_what_was_set_aside_is_replayed_by_the_birth_that_came_later(
    connection: Connection, database_url: str, broker: Mosquitto, pilot: str
) -> None:
    credential = registered(connection, broker, pilot, reorder="0.2 s")
    with (
        collecting(database_url, broker.collector_url("collector-1"), "collector-1"),
        node(broker, credential, pilot) as edge,
    ):
        edge.data(1)
        edge.data(2)
        wait_for(lambda: count(connection, "quarantine", "reason = 'before_birth'") == 2, what="it to be given up")
        assert replay(connection, Wanted(pilot=pilot), who="cli:test").still == 2
        edge.birth()
        wait_for(lambda: links(connection) == ["online"], what="the birth")
    before = connection.execute("SELECT name, value FROM protocol_memory ORDER BY name").fetchall()
    assert replay(connection, Wanted(pilot=pilot), who="cli:test").resolved == 2
    assert values(connection) == [1, 2]
    assert connection.execute("SELECT name, value FROM protocol_memory ORDER BY name").fetchall() == before


def test_kept_messages_are_decoded_again_by_a_corrected_plan(
    connection: Connection, database_url: str, broker: Mosquitto, pilot: str
) -> None:
    credential = registered(connection, broker, pilot)
    with (
        collecting(database_url, broker.collector_url("collector-1"), "collector-1"),
        node(broker, credential, pilot) as edge,
    ):
        edge.birth()
        for value in (1, 2, 3):
            edge.data(value)
        wait_for(lambda: values(connection) == [1, 2, 3], what="data by the first plan")
    registered(connection, broker, pilot, slots=SLOTS.replace("ug/m^3,", "ug/m^3, source_unit: mg/m^3,"))
    now = datetime.now(UTC)
    span = Span(pilot=pilot, start=now - timedelta(minutes=10), end=now)
    assert redecode(connection, span, who="cli:test").readings == 3
    rows = connection.execute("SELECT value FROM reading ORDER BY channel_id, observed_at")
    assert [row["value"] for row in rows] == [1, 2, 3, 1000, 2000, 3000]


def test_a_node_speaks_for_itself_and_hears_what_is_said_to_it(
    connection: Connection, broker: Mosquitto, pilot: str
) -> None:
    credential = registered(connection, broker, pilot)
    assert credential is not None
    with (
        collector(broker) as host,
        connected(broker, credential.username, credential.password) as edge,
    ):
        state = HostState(host=f"{pilot}-host", connected_ms=now_ms())  # of the shared broker others tell theirs
        for topic, body in ((state.topic, state.birth), rebirth(pilot, "N1", now_ms() * 1000)):
            assert edge.subscribe(topic) == 1
            assert host.publish(topic, body) == 0
            assert edge.heard.get(timeout=5) == (topic, body)
        for topic in (
            f"spBv1.0/{pilot}/NCMD/N2",
            f"spBv1.0/{pilot}/NDATA/N1",
            "spBv1.0/#",
            f"spBv1.0/{pilot}/DCMD/N2/D1",
        ):
            assert edge.subscribe(topic) >= 0x80, topic
    for topic in (f"spBv1.0/{pilot}/NDATA/N2", f"spBv1.0/{pilot}x/NDATA/N1", state.topic):
        with connected(broker, credential.username, credential.password) as edge:
            assert edge.publish(topic) == 0x87, topic


@pytest.mark.skipif(shutil.which("mosquitto_pub") is None, reason="mosquitto_pub is not installed (mosquitto-clients)")
def test_a_payload_of_mosquitto_pub(
    connection: Connection, database_url: str, broker: Mosquitto, pilot: str, tmp_path: Path
) -> None:
    credential = registered(connection, broker, pilot)
    assert credential is not None
    payload = Payload(timestamp=now_ms(), seq=0)
    payload.metrics.add(name=b"Temp", alias=4, datatype=10, double_value=21.5, timestamp=now_ms())
    file = tmp_path / "dbirth.bin"
    file.write_bytes(payload.SerializeToString())
    with collecting(database_url, broker.collector_url("collector-1"), "collector-1"):
        subprocess.run(
            ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(broker.port), "-u", credential.username,
             "-P", credential.password, "-i", credential.username, "-q", "1",
             "-t", f"spBv1.0/{pilot}/DBIRTH/N1/D1", "-f", str(file)],
            check=True, timeout=20,
        )  # fmt: skip
        wait_for(lambda: values(connection) == [21.5], what="the birth's value")


class Edge:
    """The other's edge node, as a process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(line.strip())

    def close(self) -> None:
        self._process.kill()
        self._reader.join(10)

    def tell(self, line: str) -> None:
        assert self._process.stdin is not None
        done = self.said.count("done")
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        if line != "die":
            wait_for(lambda: self.said.count("done") > done, what=f"{line} to be done")
        time.sleep(0.01)


@contextmanager
def foreign_edge(broker: Mosquitto, credential: Credential | None, group: str) -> Iterator[Edge]:
    interpreter = os.environ.get("PILOTBED_SPARKPLUG_PYTHON")
    if not interpreter:
        pytest.skip("PILOTBED_SPARKPLUG_PYTHON is not set: the python of an environment that has pysparkplug")
    assert credential is not None
    arguments = [str(urlsplit(broker.url).port), credential.username, credential.password, group, "N1", "D1"]
    with subprocess.Popen(
        [interpreter, str(ROOT / "tests" / "sparkplug_edge.py"), *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        edge = Edge(process)
        try:
            yield edge
        finally:
            edge.close()


def test_an_edge_node_that_others_wrote(
    connection: Connection, database_url: str, broker: Mosquitto, pilot: str
) -> None:
    credential = registered(connection, broker, pilot)
    url = broker.collector_url("collector-1")
    with collecting(database_url, url, "collector-1"), foreign_edge(broker, credential, pilot) as edge:
        wait_for(lambda: values(connection) == [20.5, -7, 1], what="its births", within_s=30)
        edge.tell("alias 21.5 -8")
        edge.tell("name 9")
        wait_for(lambda: values(connection)[3:] == [21.5, -8, 9], what="its data")
        edge.tell("lose")
        edge.tell("alias 22.5 -32768")
        wait_for(lambda: "asked" in edge.said, what="it to be asked for its births")
        wait_for(lambda: {22.5, -32768} <= set(values(connection)), what="what waited for them")
        edge.tell("alias 23.5 10")
        wait_for(lambda: 23.5 in values(connection), what="data after them")
        assert edge.said.count("asked") == 1
        edge.tell("die")
        wait_for(lambda: links(connection)[-1:] == ["offline"], what="its will", within_s=30)
    assert count(connection, "quarantine", "connection_id IS NOT NULL") == 0  # others speak at this broker too
    assert count(connection, "rejection") == 0


def told(client: Client, within_s: float = 15.0) -> dict[str, Any]:
    """The next word of a host application."""
    topic, raw = client.heard.get(timeout=within_s)
    assert topic == "spBv1.0/STATE/pilotbed"
    found: dict[str, Any] = json.loads(raw)
    return found


def test_nodes_see_whether_their_host_is_there_whatever_ends_it(
    connection: Connection, database_url: str, own_broker: Mosquitto, pilot: str, tmp_path: Path
) -> None:
    credential = registered(connection, own_broker, pilot)
    assert credential is not None
    name = "collector-1"
    with connected(own_broker, credential.username, credential.password) as client:
        assert client.subscribe("spBv1.0/STATE/+") == 1
        with collector_process(database_url, own_broker.collector_url(name), name, tmp_path / "log") as process:
            birth = told(client)
            assert birth["online"] is True
            process.kill()
            process.wait(10)
            assert told(client) == {"online": False, "timestamp": birth["timestamp"]}, "the will is of that very birth"
        with collecting(database_url, own_broker.collector_url(name), name):
            again = told(client)
            assert again["online"] is True and again["timestamp"] > birth["timestamp"]
        last = told(client)
        assert last["online"] is False and last["timestamp"] >= again["timestamp"]


def test_a_host_that_a_plan_names_later_is_told_without_a_restart(
    connection: Connection, database_url: str, own_broker: Mosquitto, pilot: str
) -> None:
    name = "collector-1"
    with collecting(database_url, own_broker.collector_url(name), name):
        credential = registered(connection, own_broker, pilot)
        assert credential is not None
        with connected(own_broker, credential.username, credential.password) as client:
            assert client.subscribe("spBv1.0/STATE/+") == 1
            assert told(client)["online"] is True
