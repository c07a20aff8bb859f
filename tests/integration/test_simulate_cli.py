"""``pilotbed simulate`` through the real broker, a plain paho client as its counterpart."""

from __future__ import annotations

import csv
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from core.window import instant
from devices.plan.credential_file import Credential, CredentialFile, write_credentials
from devices.plan.reader import read_plan
from pilotbed.cli import run
from pilotbed.stack.mosquitto import Mosquitto
from simulators.demo import demo_plans
from simulators.live import messages
from simulators.receipts.keeping import Number
from simulators.receipts.shelf import KeepFile, Message
from simulators.scenario import AirQuality, DeliveryRobot
from tests.native import native_plan
from tests.receipting import receipting

pytestmark = pytest.mark.timeout(120)
_CONTROL = "$CONTROL/dynamic-security/v1"
_SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "ambient_temperature_system_failure.csv"

OFFICE = """\
pilot: office
title: 사무실 온도
kind: rnd
company: {id: c, name: c}
site: {id: s, name: s}
period: {start: 2013-07-04, end: 2014-05-29, timezone: Asia/Seoul}
evaluation: {data_until: 2014-05-29, meeting: 2014-06-10}
product: {name: p}
slots:
  room:
    device: {serial: "0012"}
    channels:
      temperature: {unit: degC, source: env.t, source_unit: degF, period: 1 h}
      mode: {kind: state, states: [AUTO, OFF], period: 1 h}
kpis:
  k: {name: k, measure: {capture: {}}, target: ">= 90 %"}
"""


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class Plain:
    """A plain client that remembers what it got, retained messages apart."""

    def __init__(self, broker: Mosquitto, user: str, *filters: str) -> None:
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.retained: list[tuple[str, dict[str, Any]]] = []
        self._ready = threading.Event()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=user, protocol=mqtt.MQTTv5)
        self.client.username_pw_set(user, broker.secret(user))
        self.client.on_message = self._take
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        for one in filters:
            self._ready.clear()
            self.client.subscribe(one, qos=1)
            assert self._ready.wait(10)

    def _take(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        (self.retained if message.retain else self.got).append((message.topic, json.loads(message.payload)))

    def of(self, ending: str) -> list[dict[str, Any]]:
        return [document for topic, document in self.got if topic.endswith(ending)]

    def __enter__(self) -> Plain:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@contextmanager
def applied(broker: Mosquitto, folder: Path, text: str) -> Iterator[tuple[list[str], Plain]]:
    """A plan whose connections may speak at the broker: the command's options, and somebody who listens to the pilot."""
    plan = read_plan(text.encode(), name="plan").plan
    credentials = []
    with Plain(broker, "pilotbed-admin", f"{_CONTROL}/response") as admin:
        for connection in dict.fromkeys(plan.connection_of(slot)[0] for slot in plan.slots):
            user, password = f"{plan.pilot}.{connection}.{secrets.token_hex(3)}", secrets.token_urlsafe(12)
            slots = plan.slots_of(connection)
            topics = tuple(
                f"pilots/{plan.pilot}/{slot}/{last}" for slot in slots for last in ("readings", "events", "status")
            )
            acls = [{"acltype": "publishClientSend", "topic": topic, "allow": True} for topic in topics] + [
                {"acltype": kind, "topic": f"pilots/{plan.pilot}/{slot}/receipt", "allow": True}
                for slot in slots
                for kind in ("publishClientReceive", "subscribePattern")
            ]
            for command in (
                {"command": "createRole", "rolename": user, "acls": acls},
                {"command": "createClient", "username": user, "password": password, "roles": [{"rolename": user}]},
            ):
                before = len(admin.got)
                admin.client.publish(_CONTROL, json.dumps({"commands": [command]}), qos=1)
                assert within(10, lambda before=before: len(admin.got) > before)  # type: ignore[misc]
            credentials.append(
                Credential(connection=connection, username=user, password=password, topics=topics, slots=slots)
            )
    file, plan_file = folder / "credentials.json", folder / "plan.yaml"
    plan_file.write_text(text, encoding="utf-8")
    write_credentials(file, CredentialFile(broker=broker.url, pilot=plan.pilot, connections=tuple(credentials)))
    with Plain(broker, "collector-3", f"pilots/{plan.pilot}/#") as heard:
        yield ["--plan", str(plan_file), "--credentials", str(file)], heard


def named(text: str, pilot: str) -> str:
    """The plan with a pilot of the test's own."""
    lines = text.splitlines(keepends=True)
    return "".join(f"pilot: {pilot}\n" if line.startswith("pilot: ") else line for line in lines)


def of_today() -> datetime:
    return datetime.now(ZoneInfo("Asia/Seoul"))


def test_a_recording_arrives_row_by_row_and_bad_rows_are_named(
    broker: Mosquitto, pilot: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = tmp_path / "office.csv"
    recording.write_text(
        "timestamp,value\n2013-07-04 00:00:00,69.88083514\n2013-07-04 01:00:00,n/a\n2013-07-04 01:00:00,71\n"
        "yesterday,70\n2013-07-04 01:00:00,71\n2013-07-04T02:00:00+00:00,-1.5\n"
    )
    with applied(broker, tmp_path, named(OFFICE, pilot)) as (options, heard):
        code = run(
            ["simulate", "replay", str(recording), *options, "--slot", "room", "--channel", "temperature", "--json"]
        )
        assert within(10, lambda: len(heard.got) >= 4)
    out, err = capsys.readouterr()
    assert code == 1
    found = json.loads(out)
    assert found.pop("seconds") >= 0
    assert found == {
        "pilot": pilot, "slot": "room", "channel": "temperature", "file": str(recording),
        "rows": 6, "sent": 4, "acknowledged": 4, "unconfirmed": 0, "unheard": 0, "receipts": None, "bad": 2,
    }  # fmt: skip
    lines = err.splitlines()
    assert len(lines) == 3
    assert f"{recording}:3: value 'n/a' is no finite number" in lines[0]
    assert f"{recording}:5: time 'yesterday' is none" in lines[1]
    assert "2 of 6 rows" in lines[2]
    assert heard.got == [
        (f"pilots/{pilot}/room/readings", {"ts": ts, "values": {"env": {"t": value}}})
        for ts, value in (
            ("2013-07-03T15:00:00.000000Z", 69.88083514),
            ("2013-07-03T16:00:00.000000Z", 71),
            ("2013-07-03T16:00:00.000000Z", 71),
            ("2013-07-04T02:00:00.000000Z", -1.5),
        )
    ]


def test_the_office_recording_arrives_whole(
    broker: Mosquitto, pilot: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not _SHARED.exists():
        pytest.skip("the recorded series are not at hand")
    with applied(broker, tmp_path, named(OFFICE, pilot)) as (options, heard):
        code = run(["simulate", "replay", str(_SHARED), *options, "--slot", "room", "--channel", "temperature"])
        assert within(20, lambda: len(heard.got) >= 7267)
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    assert out.startswith("7,267 sent, 7,267 acknowledged, 0 bad rows")
    with _SHARED.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    sent = [
        (datetime.fromisoformat(document["ts"]), document["values"]["env"]["t"]) for document in heard.of("readings")
    ]
    seoul = ZoneInfo("Asia/Seoul")
    assert sent == [
        (datetime.fromisoformat(row["timestamp"]).replace(tzinfo=seoul), float(row["value"])) for row in rows
    ]


def test_states_are_replayed_as_text(broker: Mosquitto, pilot: str, tmp_path: Path) -> None:
    recording = tmp_path / "mode.csv"
    recording.write_text("time,value\n2013-07-04 00:00,AUTO\n2013-07-04 01:00,OFF\n")
    with applied(broker, tmp_path, named(OFFICE, pilot)) as (options, heard):
        assert run(["simulate", "replay", str(recording), *options, "--slot", "room", "--channel", "mode"]) == 0
        assert within(10, lambda: len(heard.got) >= 2)
    assert [document["values"] for document in heard.of("readings")] == [{"mode": "AUTO"}, {"mode": "OFF"}]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"--slot": "cellar"}, "has no slot 'cellar': it has room"),
        ({"--channel": "co2"}, "has no channel 'co2': it has temperature, mode"),
        ({"--plan": "none.yaml"}, "There is no file none.yaml"),
        ({"--credentials": "none.json"}, "There is no credential file none.json"),
        ({"--broker": "mqtt://127.0.0.1:9"}, "No broker answers at 127.0.0.1:9"),
        ({"--value-column": "x"}, "has no column 'x'"),
        ({"csv": "none.csv"}, "There is no file none.csv"),
    ],
)
def test_wrong_use_is_one_clear_line(
    broker: Mosquitto,
    pilot: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changed: dict[str, str],
    said: str,
) -> None:
    recording = tmp_path / "office.csv"
    recording.write_text("timestamp,value\n2013-07-04 00:00:00,69.8\n")
    with applied(broker, tmp_path, named(OFFICE, pilot)) as (options, _):
        given = {"csv": str(recording), "--slot": "room", "--channel": "temperature"}
        given |= dict(zip(options[::2], options[1::2], strict=True)) | changed
        file = given.pop("csv")
        code = run(["simulate", "replay", file, *(word for pair in given.items() for word in pair)])
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1


def test_nobody_listening_is_said(
    broker: Mosquitto, pilot: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = tmp_path / "office.csv"
    recording.write_text("timestamp,value\n2013-07-04 00:00:00,69.8\n")
    with applied(broker, tmp_path, named(OFFICE, pilot)) as (options, _):
        pass
    assert run(["simulate", "replay", str(recording), *options, "--slot", "room", "--channel", "temperature"]) == 1
    assert "1 of 1 messages had no listener at the broker" in capsys.readouterr().err


def test_a_scenario_catches_up_with_now_and_says_what_the_scenario_says(
    broker: Mosquitto, pilot: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = named(native_plan("robot", of_today().date()), pilot)
    begun = datetime.now(UTC)
    with applied(broker, tmp_path, text) as (options, heard):
        code = run(["simulate", "robot", *options, "--seed", "5", "--speed", "20000", "--for", "4s", "--json"])
        ended = datetime.now(UTC)
        found = json.loads(capsys.readouterr().out)
        assert within(10, lambda: len(heard.got) >= found["messages"] + 2)
    assert code == 0
    assert found["acknowledged"] == found["messages"]
    start, until = datetime.fromisoformat(found["start"]), datetime.fromisoformat(found["until"])
    assert start == pytest.approx(begun - timedelta(seconds=4 * 19_999), abs=timedelta(seconds=5))
    assert begun < until <= ended
    plan = read_plan(text.encode(), name="plan").plan
    expected = list(messages(DeliveryRobot(seed=5), plan, start, until))
    assert sum(message.readings for message in expected) == found["readings"] > 5000
    for slot in plan.slots:
        for what in ("readings", "events"):
            topic = f"pilots/{pilot}/{slot}/{what}"
            wanted = [json.loads(message.payload) for message in expected if message.topic == topic]
            assert [document for at, document in heard.got if at == topic] == wanted
        status = heard.of(f"{slot}/status")
        assert datetime.fromisoformat(status[0]["at"]) - start < timedelta(hours=5)
        assert status[-1]["state"] == "offline"
        assert datetime.fromisoformat(status[-1]["at"]) <= ended
    times = [document.get("ts") or document["at"] for _, document in heard.got]
    assert max(map(datetime.fromisoformat, times)) <= ended


def test_a_scenario_with_receipts_is_stored_whole_by_a_platform_that_loses(
    broker: Mosquitto, pilot: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = named(native_plan("robot", of_today().date()), pilot)
    plan = read_plan(text.encode(), name="plan").plan
    with (
        applied(broker, tmp_path, text) as (options, _),
        receipting(
            broker, pilot, *plan.slots, loses=lambda _boot, seq, before: before == 0 and seq % 50 == 0
        ) as platform,
    ):
        code = run(
            ["simulate", "robot", *options, "--seed", "5", "--speed", "20000", "--for", "2s", "--receipts", "--json"]
        )
    found = json.loads(capsys.readouterr().out)
    assert code == 0
    assert found["receipts"]["receipted"] == found["acknowledged"] == found["messages"] == len(platform.stored) > 1000
    assert found["receipts"]["kept"] == found["receipts"]["former"] == 0
    assert found["receipts"]["resent"] >= found["messages"] // 50 - 2
    start, until = datetime.fromisoformat(found["start"]), datetime.fromisoformat(found["until"])
    expected = list(messages(DeliveryRobot(seed=5), plan, start, until))
    for slot in plan.slots:
        for what in ("readings", "events"):
            topic = f"pilots/{pilot}/{slot}/{what}"
            wanted = [json.loads(message.payload) for message in expected if message.topic == topic]
            assert platform.documents(topic.removeprefix("pilots/")) == wanted
    assert len({boot for boot, _ in platform.stored}) == 2  # a connection each robot
    assert platform.differing == []
    assert platform.unnumbered == []


def test_a_replay_without_receipts_keeps_its_rows_for_the_next_one(
    broker: Mosquitto, pilot: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording, kept = tmp_path / "office.csv", tmp_path / "kept.db"
    recording.write_text("timestamp,value\n2013-07-04 00:00:00,69.8\n2013-07-04 01:00:00,69.9\n")
    replay = ["simulate", "replay", str(recording), "--slot", "room", "--channel", "temperature", "--keep", str(kept)]
    with applied(broker, tmp_path, named(OFFICE, pilot)) as (options, _), KeepFile(kept) as file:
        left = Message(topic=f"pilots/{pilot}/room/readings", payload=b'{"seq":3,"boot":"old","values":{}}')
        file.shelf(f"{pilot}/room").put(Number("old", 3), left)
        assert run([*replay, *options]) == 2
        assert f"The file {kept} cannot keep messages" in capsys.readouterr().err
        file.close()
        with receipting(broker, pilot, "room") as platform:
            assert run([*replay, *options, "--json"]) == 0
    counts = json.loads(capsys.readouterr().out)["receipts"]
    assert counts == {"receipted": 3, "resent": 1, "former": 1, "kept": 0}
    assert platform.stored["old", 3] == (left.topic, left.payload)
    assert len(platform.stored) == 3


def test_receipts_need_a_clock(
    broker: Mosquitto, pilot: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = named(demo_plans(of_today().date())["demo-park"], pilot)
    without = text.replace("slots:\n", "connections: {gw: {clock: false}}\nslots:\n", 1).replace(
        "    device:", "    connection: gw\n    device:"
    )
    with applied(broker, tmp_path, without) as (options, _):
        assert run(["simulate", "park", *options, "--receipts", "--for", "1s"]) == 2
    assert "is declared without a clock: what it sends again would count as news" in capsys.readouterr().err


def test_live_stops_cleanly_at_ctrl_c(broker: Mosquitto, pilot: str, tmp_path: Path) -> None:
    today = of_today().date()
    text = named(native_plan("air", today), pilot).replace("period: 60 s", "period: 1 s")
    with applied(broker, tmp_path, text) as (options, heard):
        begun = datetime.now(UTC)
        process = subprocess.Popen(
            [sys.executable, "-m", "pilotbed", "simulate", "air", *options, "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        )
        try:
            assert within(30, lambda: len(heard.of("/readings")) >= 10)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
        finally:
            process.kill()
        ended = datetime.now(UTC)
        assert process.returncode == 0, err
        assert err == b""
        found = json.loads(out)
        assert within(5, lambda: len(heard.got) >= found["messages"] + 3)
    plan = read_plan(text.encode(), name="plan").plan
    expected = list(messages(AirQuality(), plan, datetime.fromisoformat(found["start"]), ended))
    sent = [(topic, document) for topic, document in heard.got if not topic.endswith("status")]
    assert sent == [(message.topic, json.loads(message.payload)) for message in expected[: len(sent)]]
    assert all(begun <= datetime.fromisoformat(document["ts"]) <= ended for _, document in sent)
    status = [(topic.split("/")[2], document["state"]) for topic, document in heard.got if topic.endswith("status")]
    slots = ["platform-1", "platform-2", "concourse"]
    assert status == [(slot, "online") for slot in slots] + [(slot, "offline") for slot in slots]
    with Plain(broker, "collector-3", f"pilots/{pilot}/#") as late:
        assert within(5, lambda: len(late.retained) == 3)
        assert {document["state"] for _, document in late.retained} == {"offline"}
        assert all(instant(0) < datetime.fromisoformat(document["at"]) <= ended for _, document in late.retained)


def test_a_killed_simulator_leaves_its_will(broker: Mosquitto, pilot: str, tmp_path: Path) -> None:
    text = named(native_plan("air", of_today().date()), pilot)
    with applied(broker, tmp_path, text) as (options, heard):
        process = subprocess.Popen(
            [sys.executable, "-m", "pilotbed", "simulate", "air", *options],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        )
        try:
            assert within(30, lambda: len(heard.of("/status")) >= 3)
        finally:
            process.kill()
            process.wait(10)
        assert within(10, lambda: len(heard.of("/status")) == 4)
    assert heard.of("platform-1/status")[-1] == {"state": "offline"}


def test_a_plan_that_is_not_simulated_is_warned_of(
    broker: Mosquitto, pilot: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = named(demo_plans(of_today().date())["demo-park"], pilot).replace("simulated: true\n", "")
    with applied(broker, tmp_path, text) as (options, _):
        assert run(["simulate", "park", *options, "--for", "1s"]) == 0
    assert f"The plan of '{pilot}' is not marked simulated" in capsys.readouterr().err


def test_a_span_of_time_that_is_none(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, broker: Mosquitto, pilot: str
) -> None:
    text = named(demo_plans(of_today().date())["demo-park"], pilot)
    with applied(broker, tmp_path, text) as (options, _):
        assert run(["simulate", "park", *options, "--for", "soon"]) == 2
    assert "--for 'soon' is no span of time: write it as in 90s, 10m or 2h" in capsys.readouterr().err


def test_the_scenarios_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "list", "--json"]) == 0
    scenarios = json.loads(capsys.readouterr().out)["scenarios"]
    assert set(scenarios) == {"air", "robot", "park", "drone"}
    assert scenarios["air"]["channels"] == ["pm25", "pm10", "co2", "temperature", "humidity"]
