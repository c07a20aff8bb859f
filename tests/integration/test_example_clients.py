"""The examples for device makers, run as they are: against a stand-in that loses messages, and against the platform."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from core.database import Connection
from devices.broker import Broker
from devices.plan.credential_file import Credential, CredentialFile, read_credentials, write_credentials
from devices.plan.reader import read_plan
from devices.registry import apply_plan
from pilotbed.stack.mosquitto import Mosquitto
from simulators.access import logins
from simulators.receipts.keeping import Patience
from simulators.receipts.sender import Receipts, Sender
from tests.collecting import collecting, count, now_ms, plan_bytes, wait_for
from tests.receipting import let_in, receipting, within

pytestmark = pytest.mark.timeout(120)
CLIENTS = Path(__file__).parents[2] / "examples" / "clients"


@contextmanager
def client(*arguments: object, errors: IO[str] | int = subprocess.PIPE) -> Iterator[subprocess.Popen[str]]:
    """The example with receipts as a process of its own, ended with the block.

    :param errors: where it says when it has connected.
    """
    process = subprocess.Popen(
        [sys.executable, str(CLIENTS / "receipts.py"), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def credentials_of(broker: Mosquitto, pilot: str, folder: Path, connection: Connection | None = None) -> Path:
    """A credential file for slot s1; of a plan that is registered, where there is a database."""
    file = folder / "secrets.json"
    if connection is None:
        login = let_in(broker, pilot, "s1")
        issued: tuple[Credential, ...] = (
            Credential(connection="s1", username=login.username, password=login.password, topics=(), slots=("s1",)),
        )
    else:
        with Broker(broker.admin_url) as admin:
            plan = read_plan(plan_bytes(pilot))
            issued = tuple(apply_plan(connection, plan, who="cli:test", broker=admin).credentials)
    write_credentials(file, CredentialFile(broker=broker.url, pilot=pilot, connections=issued))
    return file


def kill_again(broker: Mosquitto) -> None:
    broker.kill()
    broker.start()


def test_the_example_sends_again_what_the_platform_has_lost(broker: Mosquitto, pilot: str, tmp_path: Path) -> None:
    with (
        receipting(broker, pilot, "s1", loses=lambda _boot, seq, before: before == 0 and seq % 3 == 0) as platform,
        client(credentials_of(broker, pilot, tmp_path), "s1", "temp", 0.01, 100) as process,
    ):
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "100 sent, and all of them receipted\n"), err
    (boot,) = {of for of, _ in platform.stored}
    assert platform.numbers(boot) == set(range(1, 101))
    assert platform.differing == []
    said = platform.documents("/readings")
    assert all(set(reading["values"]) == {"temp"} for reading in said)
    assert [reading["ts"] for reading in said] == sorted(reading["ts"] for reading in said)
    # What came the first time was not sent again, but for the odd one whose receipt was late.
    assert sum(platform.came.values()) - 100 < 60


def test_the_example_waits_without_receipts_and_sends_ever_more_rarely(
    broker: Mosquitto, pilot: str, tmp_path: Path
) -> None:
    with receipting(broker, pilot, "s1") as platform:
        platform.silent = True
        with client(credentials_of(broker, pilot, tmp_path), "s1", "temp", 0.01, 50) as process:
            assert within(20, lambda: len(platform.came) == 50)
            assert within(20, lambda: sum(platform.came.values()) == 51)
            assert process.poll() is None
            assert sorted(seq for (_, seq), came in platform.came.items() if came > 1) == [50]
            platform.silent = False
            out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "50 sent, and all of them receipted\n"), err


def test_the_example_loses_nothing_when_the_broker_is_killed(
    own_broker: Mosquitto, database_url: str, connection: Connection, pilot: str, tmp_path: Path
) -> None:
    file = credentials_of(own_broker, pilot, tmp_path, connection)
    heard = tmp_path / "client.err"

    def connections() -> int:
        return heard.read_text().count("connected: Success")

    with heard.open("w") as errors, client(file, "s1", "temp", 0.005, 2000, errors=errors) as process:
        for kills in range(3):
            # Killed while a queue waits in it: what it had acknowledged since its last save is gone.
            with collecting(database_url, own_broker.collector_url(), "collector-1"):
                wait_for(lambda kills=kills: connections() > kills, what="the client to connect again")  # type: ignore[misc]
                before = count(connection, "reading")
                wait_for(lambda before=before: count(connection, "reading") > before + 50, what="readings to be stored")  # type: ignore[misc]
            time.sleep(0.3)
            kill_again(own_broker)
        with collecting(database_url, own_broker.collector_url(), "collector-1"):
            out, _ = process.communicate(timeout=90)
    assert (process.returncode, out) == (0, "2000 sent, and all of them receipted\n"), heard.read_text()
    # Once at first and after each kill.
    assert connections() >= 4
    assert count(connection, "reading") == count(connection, "(SELECT DISTINCT observed_at FROM reading) AS t") == 2000
    row = connection.execute(
        "SELECT count(DISTINCT boot) AS boots, sum(upper(span) - lower(span)) AS sent, bool_and(int8multirange(span) = received)"
        " AS whole FROM sequence"
    ).fetchone()
    assert row == {"boots": 1, "sent": 2000, "whole": True}


def test_a_simulated_sender_loses_nothing_when_the_broker_is_killed(
    own_broker: Mosquitto, database_url: str, connection: Connection, pilot: str, tmp_path: Path
) -> None:
    file = credentials_of(own_broker, pilot, tmp_path, connection)
    login = logins(read_credentials(file), read_plan(plan_bytes(pilot)).plan)["s1"]
    start_ms, number = now_ms() - 1_000_000, 0
    receipts = Receipts(patience=Patience(missing_s=1.5, silent_s=3.0, longest_s=10.0))
    with Sender(login, receipts, name="c", slot_topic=f"pilots/{pilot}/s1", patience_s=None) as sender:

        def say(times: int) -> None:
            nonlocal number
            for _ in range(times):
                number += 1
                reading = {"ts": start_ms + number, "values": {"pm25": number}}
                sender.publish(f"pilots/{pilot}/s1/readings", json.dumps(reading).encode())

        for _ in range(2):
            with collecting(database_url, own_broker.collector_url(), "collector-1"):
                say(500)
                wait_for(lambda: sender.wait(0.1) or sender.counts.kept == 0, what="receipts")  # type: ignore[func-returns-value]
            say(500)
            wait_for(lambda: sender.wait(0.1) or sender.acknowledged == number, what="the broker to acknowledge all")  # type: ignore[func-returns-value]
            kill_again(own_broker)
        with collecting(database_url, own_broker.collector_url(), "collector-1"):
            sender.flush(patience_s=40)
    assert sender.counts.resent > 50, "the broker lost nothing that it had acknowledged: the kill met nothing"
    assert (sender.counts.receipted, sender.counts.kept) == (number, 0)
    values = connection.execute("SELECT value FROM reading ORDER BY observed_at").fetchall()
    assert [row["value"] for row in values] == list(range(1, number + 1))


def test_the_shell_example_sends_its_lines_between_online_and_offline(
    broker: Mosquitto, pilot: str, tmp_path: Path
) -> None:
    if shutil.which("mosquitto_pub") is None:
        pytest.skip("mosquitto_pub is not installed")
    login = let_in(broker, pilot, "s1")
    lines = [f'{{"ts": {now_ms()}, "values": {{"temp": {number}}}}}' for number in range(5)]
    command = ["sh", str(CLIENTS / "publish.sh"), login.host, str(login.port), login.username, pilot, "s1"]
    with receipting(broker, pilot, "s1") as platform:
        done = subprocess.run(
            command,
            input="\n".join(lines) + "\n",
            env={**os.environ, "PILOTBED_PASSWORD": login.password, "TMPDIR": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert within(10, lambda: len(platform.unnumbered) == 7)
    topics = [topic.removeprefix(f"pilots/{pilot}/s1/") for topic, _ in platform.unnumbered]
    assert topics == ["status", *["readings"] * 5, "status"]
    assert [payload.decode() for _, payload in platform.unnumbered][1:-1] == lines
    assert [json.loads(platform.unnumbered[place][1])["state"] for place in (0, -1)] == ["online", "offline"]
    assert list(tmp_path.iterdir()) == [], "the password was left behind"


ARDUINO = """\
#include <cstdio>
#include <cstring>
struct Client {};
struct WiFiClient : Client {};
enum { WL_CONNECTED = 3 };
struct { void begin(const char *, const char *) {} int status() { return WL_CONNECTED; } } WiFi;
struct MQTTClient {
  explicit MQTTClient(int) {}
  void begin(const char[], int, Client &) {}
  void setOptions(int, bool, int) {}
  void setWill(const char[], const char[], bool, int) {}
  bool connect(const char[], const char[], const char[]) { return true; }
  bool publish(const char[], const char[], bool, int) { return true; }
  bool loop() { return true; }
  bool connected() { return true; }
};
void delay(unsigned long) {}
unsigned long millis() { return 0; }
void configTime(long, int, const char *) {}
float temperatureRead() { return 0; }
"""


def test_the_sketch_is_c_plus_plus(tmp_path: Path) -> None:
    if shutil.which("g++") is None:
        pytest.skip("there is no C++ compiler")
    (tmp_path / "Arduino.h").write_text(ARDUINO)
    for name in ("MQTT.h", "WiFi.h"):
        (tmp_path / name).write_text("")
    done = subprocess.run(
        ["g++", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-std=c++17", "-I", str(tmp_path), "-include", "Arduino.h",
         "-x", "c++", str(CLIENTS / "esp32" / "esp32.ino")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
