"""``pilotbed device credentials`` and ``replace``: what they print is run as it stands, against a real broker and collector."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.database import Connection
from core.settings import settings
from devices.broker import Broker
from devices.plan.credential_file import Credential, read_credentials
from devices.plan.reader import read_plan
from devices.registry import apply_plan, devices
from pilotbed.stack.mosquitto import Mosquitto
from tests.collecting import collecting, count, device, plan_bytes, wait_for
from tests.commanding import Command, command_line
from tests.conftest import missing
from tests.speaking import connected, let_in

pytestmark = pytest.mark.timeout(120)


SLOTS = """\
  native:
    device: {serial: N-1, firmware: "1.0"}
    channels:
      pm25: {unit: ug/m^3, period: 10 s, range: [0, 100]}
      mode: {kind: state, states: [대기, run], reporting: on_change}
  nested:
    device: {serial: G-1}
    connection: gw
    channels:
      pm25: {unit: ug/m^3, source: air.pm25, source_unit: mg/m^3, period: 10 s, range: [0, 100]}
      temp: {unit: degC, source: air.t, source_unit: degF, period: 10 s, range: [0, 40]}
  second:
    device: {serial: G-2}
    connection: gw
    channels: {pm25: {unit: ug/m^3, period: 10 s}}
  iso:
    device: {serial: I-1}
    connection: iso
    topics: ["{pilot}/own/iso"]
    channels: {pm25: {unit: ug/m^3, period: 1 min, range: [0, 100]}}
  timeless:
    device: {serial: T-1}
    connection: timeless
    channels: {pm25: {unit: ug/m^3, period: 10 s, range: [0, 100]}}
  chosen:
    device: {serial: C-1}
    connection: shared
    select: {id: it's "this"}
    channels: {pm25: {unit: ug/m^3, source: "data.$x", period: 10 s, range: [0, 100]}}
  other:
    device: {serial: C-2}
    connection: shared
    select: {id: that}
    channels: {pm25: {unit: ug/m^3, period: 10 s}}
"""
CONNECTIONS = (
    "{gw: {time: {path: head.at, format: ms}, values: body}, iso: {time: {format: iso}}, timeless: {clock: false},"
    ' shared: {time: {format: us}, topics: ["{pilot}/shared"]}}'
)
VALUES = {
    "native": {"native.pm25": 25.0, "native.mode": 0.0},
    "gw": {"nested.pm25": 25.0, "nested.temp": 10.0},
    "iso": {"iso.pm25": 25.0},
    "timeless": {"timeless.pm25": 25.0},
    "shared": {"chosen.pm25": 25.0},
}
"""Connection → what an example's message comes to in the store."""


def plan(pilot: str) -> bytes:
    slots = SLOTS.replace("{pilot}", pilot)
    return plan_bytes(pilot, connections=CONNECTIONS.replace("{pilot}", pilot), slots=slots)


@pytest.fixture
def applied(connection: Connection, own_broker: Mosquitto, pilot: str) -> dict[str, Credential]:
    with Broker(own_broker.admin_url) as control:
        done = apply_plan(connection, read_plan(plan(pilot)), who="cli:test", broker=control)
    return {credential.connection: credential for credential in done.credentials}


@pytest.fixture
def pilotbed(
    applied: dict[str, Credential],
    database_url: str,
    own_broker: Mosquitto,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Command]:
    """Runs a command line where that plan is applied; gives its exit code, its stdout and its stderr."""
    with command_line(
        monkeypatch,
        capsys,
        PILOTBED_DATABASE_URL=database_url,
        PILOTBED_MQTT_URL=own_broker.admin_url,
        PILOTBED_MQTT_ADDRESS=own_broker.url,
    ) as command:
        yield command


def stored(connection: Connection) -> dict[str, list[float]]:
    """slot.channel → the values in the store."""
    found: dict[str, list[float]] = {}
    rows = connection.execute(
        "SELECT s.name || '.' || c.name AS channel, r.value FROM reading r JOIN channel c USING (channel_id)"
        " JOIN slot s USING (slot_id)"
    )
    for row in rows:
        found.setdefault(row["channel"], []).append(row["value"])
    return found


# --- the examples, as printed


@pytest.mark.parametrize("name", VALUES)
def test_the_mosquitto_example_is_stored_as_it_is_printed(
    pilotbed: Command, connection: Connection, database_url: str, own_broker: Mosquitto, pilot: str, name: str
) -> None:
    if shutil.which("mosquitto_pub") is None:
        missing("there is no program mosquitto_pub here")
    with collecting(database_url, own_broker.collector_url(), "collector-1"):
        code, out, err = pilotbed("device", "credentials", pilot, name, "--example", "mosquitto")
        assert (code, err) == (0, "")
        assert "paho" not in out and "Arduino" not in out
        text = out[out.index("# mosquitto_pub") :]
        done = subprocess.run(["sh", "-eu", "-c", text], capture_output=True, text=True, timeout=20, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        wait_for(lambda: len(stored(connection)) == len(VALUES[name]), what="the reading in the store")
    assert stored(connection) == {channel: [pytest.approx(value)] for channel, value in VALUES[name].items()}
    assert (count(connection, "rejection"), count(connection, "quarantine")) == (0, 0)


@pytest.mark.parametrize("name", VALUES)
def test_the_python_example_is_stored_as_it_is_printed(
    pilotbed: Command, connection: Connection, database_url: str, own_broker: Mosquitto, pilot: str, name: str
) -> None:
    with collecting(database_url, own_broker.collector_url(), "collector-1"):
        code, out, err = pilotbed("device", "credentials", pilot, name, "--example", "python")
        assert (code, err) == (0, "")
        text = out[out.index("# Python") :]
        done = subprocess.run(
            [sys.executable, "-"], input=text, capture_output=True, text=True, timeout=30, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "connected: Success\npublished: Success\n"
        wait_for(lambda: len(stored(connection)) == len(VALUES[name]), what="the reading in the store")
    assert stored(connection) == {channel: [pytest.approx(value)] for channel, value in VALUES[name].items()}
    assert (count(connection, "rejection"), count(connection, "quarantine")) == (0, 0)


_BOARD = """
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
struct String {
  std::string text;
  String(const char *from) : text(from) {}
  String(long from) : text(std::to_string(from)) {}
  unsigned length() const { return text.size(); }
};
inline String operator+(const String &a, const String &b) { return String((a.text + b.text).c_str()); }
struct { void begin(int) {} template <class T> void println(T) {} } Serial;
enum { WL_CONNECTED = 3 };
struct { void begin(const char *, const char *) {} int status() { return WL_CONNECTED; } } WiFi;
inline void delay(unsigned long) {}
inline void configTime(long, int, const char *) {}
"""
_LIBRARY = """
struct WiFiClient {};
struct WiFiClientSecure : WiFiClient { void setCACert(const char *) {} void setCertificate(const char *) {}
                                       void setPrivateKey(const char *) {} };
struct MqttClient {
  unsigned long size = 0;
  MqttClient(WiFiClient &) {}
  void setId(const char *) {}
  void setUsernamePassword(const char *user, const char *password) { std::printf("%s\\n%s\\n", user, password); }
  int connected() { return 0; }
  int connect(const char *host, int port) { std::printf("%s\\n%d\\n", host, port); return 1; }
  int connectError() { return 0; }
  int beginMessage(const char *topic, unsigned long bytes, bool retain, int qos) {
    std::printf("%s\\n%d %d\\n", topic, retain, qos); size = bytes; return 1;
  }
  void print(const String &message) {
    std::printf("%s\\n", message.text.c_str()); if (message.length() != size) std::abort();
  }
  int endMessage() { return 1; }
};
"""


def sent_by_the_sketch(text: str, folder: Path) -> list[str]:
    """What an Arduino sketch sends, compiled for this machine with a board and a library that only print."""
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        missing("there is no C++ compiler here")
    for header in ("WiFi.h", "WiFiClientSecure.h"):
        (folder / header).write_text("")
    (folder / "ArduinoMqttClient.h").write_text(_LIBRARY)
    (folder / "sketch.cpp").write_text(_BOARD + text + "\nint main() { setup(); loop(); }\n")
    subprocess.run(
        [compiler, "-std=c++17", "-Wall", "-Werror", "-I", str(folder), "sketch.cpp", "-o", "sketch"],
        cwd=folder, check=True, timeout=60,
    )  # fmt: skip
    done = subprocess.run([folder / "sketch"], capture_output=True, text=True, timeout=10, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", VALUES)
def test_the_arduino_example_says_what_is_stored(
    pilotbed: Command, connection: Connection, database_url: str, own_broker: Mosquitto, pilot: str, name: str,
    tmp_path: Path,
) -> None:  # fmt: skip
    with collecting(database_url, own_broker.collector_url(), "collector-1"):
        _, out, _ = pilotbed("device", "credentials", pilot, name, "--example", "arduino")
        user, password, host, port, topic, options, message = sent_by_the_sketch(
            out[out.index("// Arduino") :], tmp_path
        )
        assert options == "0 1"
        with device(f"mqtt://{user}:{password}@{host}:{port}") as sender:
            sender.say(topic, message.encode())
            sender.finish(1)
        wait_for(lambda: len(stored(connection)) == len(VALUES[name]), what="the reading in the store")
    assert stored(connection) == {channel: [pytest.approx(value)] for channel, value in VALUES[name].items()}
    assert (count(connection, "rejection"), count(connection, "quarantine")) == (0, 0)


def test_by_tls_the_examples_say_whom_to_believe(
    pilotbed: Command, monkeypatch: pytest.MonkeyPatch, pilot: str, tmp_path: Path
) -> None:
    monkeypatch.setenv("PILOTBED_MQTT_ADDRESS", "mqtts://broker.example")
    settings.cache_clear()
    out = pilotbed("device", "credentials", pilot, "native")[1]
    assert "-h broker.example -p 8883" in out and "--tls-use-os-certs" in out
    assert "client.tls_set()" in out
    monkeypatch.setenv("PILOTBED_MQTT_CA", str(tmp_path / "our ca.pem"))
    monkeypatch.setenv("PILOTBED_BROKER_CLIENT_CA", str(tmp_path / "devices.pem"))
    settings.cache_clear()
    out = pilotbed("device", "credentials", pilot, "native")[1]
    assert "--cafile 'our ca.pem' --cert device.pem --key device.key" in out
    assert 'client.tls_set(ca_certs="our ca.pem", certfile="device.pem", keyfile="device.key")' in out
    assert str(tmp_path) not in out
    sketch = out[out.index("// Arduino") :]
    assert sent_by_the_sketch(sketch, tmp_path)[2:4] == ["broker.example", "8883"]


# --- what is shown, and what is not


def test_all_examples_follow_the_secret_unless_one_is_asked_for(pilotbed: Command, pilot: str) -> None:
    code, out, _ = pilotbed("device", "credentials", pilot, "native")
    assert code == 0
    for begin in ("# mosquitto_pub", "# Python", "// Arduino"):
        assert out.count(f"\n\n{begin}") == 1
    assert pilotbed("device", "credentials", pilot, "native", "--example", "all")[1].count("\n") == out.count("\n")
    found = json.loads(pilotbed("device", "credentials", pilot, "native", "--json")[1])
    assert set(found["examples"]) == {"mosquitto", "python", "arduino"}
    [issued] = found["credentials"]
    assert all(issued["password"] in text for text in found["examples"].values())


def test_a_secret_that_is_handed_over_in_a_file_is_not_shown(pilotbed: Command, pilot: str, tmp_path: Path) -> None:
    for number, further in enumerate(([], ["--example", "all"], ["--json"], ["--json", "--example", "python"])):
        file = tmp_path / f"{number}.json"
        code, out, _ = pilotbed("device", "credentials", pilot, "native", "--credentials", file, *further)
        assert code == 0
        assert read_credentials(file).of_slot("native").password not in out
        assert ("PASSWORD" in out) is ("--example" in further)


def test_an_example_of_another_kind_is_refused_before_the_secret_is_changed(
    pilotbed: Command, applied: dict[str, Credential], own_broker: Mosquitto, pilot: str
) -> None:
    code, _, err = pilotbed("device", "credentials", pilot, "native", "--example", "rust")
    assert (code, err.count("\n")) == (2, 1)
    assert "mosquitto, python, arduino, all" in err
    assert let_in(own_broker, applied["native"].username, applied["native"].password)


# --- swaps


def rows(
    connection: Connection, pilot: str, slot: str
) -> list[tuple[str, str | None, datetime | None, datetime | None]]:
    return [
        (row.serial or "", row.firmware, row.installed_at, row.removed_at)
        for row in devices(connection, pilot)
        if row.slot == slot
    ]


def test_a_swap_keeps_history_and_series_and_ends_the_old_secret(
    pilotbed: Command, applied: dict[str, Credential], connection: Connection, database_url: str, own_broker: Mosquitto,
    pilot: str,
) -> None:  # fmt: skip
    old = applied["native"]
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
    [(_, _, begun, _)] = rows(connection, pilot, "native")
    channels = connection.execute("SELECT channel_id, valid_to FROM channel ORDER BY 1").fetchall()
    with (
        collecting(database_url, own_broker.collector_url(), "collector-1"),
        connected(own_broker, old.username, old.password) as leaving,
    ):
        topic = f"pilots/{pilot}/native/readings"
        assert leaving.publish(topic, json.dumps({"ts": time.time(), "values": {"pm25": 1.0}})) == 0
        began = time.monotonic()
        code, out, err = pilotbed(
            "device", "replace", pilot, "native", "--serial", "N-2", "--firmware", "2.0", "--at", at.isoformat()
        )
        assert (code, err) == (0, "")
        assert leaving.gone.wait(1)
        assert time.monotonic() - began < 3, "a whole command, of which the cut is a part"
        assert not let_in(own_broker, old.username, old.password)
        assert f"N-2 stands in native of {pilot} since" in out and "worth nothing" in out
        text = out[out.index("# Python") : out.index("// Arduino")]
        done = subprocess.run(
            [sys.executable, "-"], input=text, capture_output=True, text=True, timeout=30, check=False
        )
        assert "published: Success" in done.stdout, done.stderr
        wait_for(lambda: len(stored(connection).get("native.pm25", ())) == 2, what="the reading of the new device")
    assert rows(connection, pilot, "native") == [("N-1", "1.0", begun, at), ("N-2", "2.0", at, None)]
    # The same channels, in the same revision: the series goes on.
    assert connection.execute("SELECT channel_id, valid_to FROM channel ORDER BY 1").fetchall() == channels
    entries = connection.execute(
        "SELECT what, object, before, after FROM audit ORDER BY audit_id DESC LIMIT 2"
    ).fetchall()
    assert [entry["what"] for entry in entries] == ["credential.issue", "device.replace"]
    assert entries[1]["before"]["serial"] == "N-1"
    assert (entries[1]["after"]["serial"], entries[1]["after"]["at"][:19]) == ("N-2", at.isoformat()[:19])
    assert (
        count(connection, "audit", f"after::text LIKE '%{old.password}%' OR before::text LIKE '%{old.password}%'") == 0
    )


def test_a_gateway_keeps_its_secret_and_the_command_says_so(
    pilotbed: Command, applied: dict[str, Credential], connection: Connection, own_broker: Mosquitto, pilot: str
) -> None:
    code, out, _ = pilotbed("device", "replace", pilot, "nested", "--serial", "G-9")
    assert code == 0
    assert "gw speaks for nested, second and keeps its secret" in out
    assert f"pilotbed device credentials {pilot} gw" in out
    assert let_in(own_broker, applied["gw"].username, applied["gw"].password)
    assert [row[0] for row in rows(connection, pilot, "nested")] == ["G-1", "G-9"]


@pytest.mark.parametrize("further", [["--keep-credentials"], ["--serial", "N-1"]])
def test_a_secret_is_kept_where_that_is_asked_for_or_the_device_is_the_same(
    pilotbed: Command, applied: dict[str, Credential], own_broker: Mosquitto, pilot: str, further: list[str]
) -> None:
    serial = [] if "--serial" in further else ["--serial", "N-2"]
    code, out, _ = pilotbed("device", "replace", pilot, "native", *serial, "--firmware", "3.0", *further)
    assert code == 0
    assert "native keeps its secret" in out and "password" not in out
    assert let_in(own_broker, applied["native"].username, applied["native"].password)


def test_a_swap_hands_its_secret_over_as_credentials_does(
    pilotbed: Command, own_broker: Mosquitto, pilot: str, tmp_path: Path
) -> None:
    file = tmp_path / "new.json"
    code, out, _ = pilotbed("device", "replace", pilot, "native", "--serial", "N-2", "--credentials", file)
    handed = read_credentials(file).of_slot("native")
    assert code == 0
    assert handed.password not in out
    assert let_in(own_broker, handed.username, handed.password)
    found = json.loads(
        pilotbed("device", "replace", pilot, "native", "--serial", "N-3", "--json", "--example", "python")[1]
    )
    [issued] = found["credentials"]
    assert list(found["examples"]) == ["python"]
    assert found["connection"] == "native"
    assert datetime.fromisoformat(found["at"]).tzinfo is not None
    assert let_in(own_broker, issued["username"], issued["password"])
    kept = json.loads(pilotbed("device", "replace", pilot, "second", "--serial", "G-9", "--json")[1])
    assert (kept["credentials"], kept["credentials_file"], kept["connection"]) == ([], None, "gw")


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2026-01-05T10:00", r"names no zone: write its offset, as in 2026-01-05T10:00:00\+09:00"),
        ("2126-01-01T00:00+09:00", "is in the future"),
        ("2020-01-05T10:00+09:00", "is before the device N-1 came to stand in the slot native"),
        ("yesterday", "'yesterday' is no instant"),
    ],
    ids=["without a zone", "in the future", "too early", "no instant"],
)
def test_an_instant_that_cannot_be_is_refused_and_nothing_changed(
    pilotbed: Command, applied: dict[str, Credential], connection: Connection, own_broker: Mosquitto, pilot: str, at: str,
    said: str,
) -> None:  # fmt: skip
    before: Any = rows(connection, pilot, "native")
    code, out, err = pilotbed("device", "replace", pilot, "native", "--serial", "N-2", "--at", at)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert re.search(said, err), err
    assert rows(connection, pilot, "native") == before
    assert let_in(own_broker, applied["native"].username, applied["native"].password)


def test_a_broker_that_is_away_leaves_device_and_secret_as_they_are(
    pilotbed: Command, applied: dict[str, Credential], connection: Connection, own_broker: Mosquitto, pilot: str
) -> None:
    before = rows(connection, pilot, "native")
    own_broker.stop()
    code, _, err = pilotbed("device", "replace", pilot, "native", "--serial", "N-2")
    assert code == 2
    assert "No broker answers" in err
    assert rows(connection, pilot, "native") == before
    # Where no secret changes, nobody needs the broker.
    assert pilotbed("device", "replace", pilot, "nested", "--serial", "G-9")[0] == 0
    own_broker.start()
    assert let_in(own_broker, applied["native"].username, applied["native"].password)
