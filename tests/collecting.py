"""What the tests of the intake share: a pilot with a plan, a device, a collector in a thread or as a process."""

from __future__ import annotations

import json
import os
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
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from pydantic import SecretStr

from core.database import Connection
from core.settings import Settings
from devices.plan.reader import read_plan
from devices.registry import apply_plan
from ingest.collector import Collector
from pilotbed.bench.proxy import Proxy as Proxy  # for the tests

TODAY = datetime.now(UTC).date()
ROOT = Path(__file__).parents[1]


def plan_bytes(pilot: str, *, connections: str = "{}", slots: str | None = None) -> bytes:
    """A plan whose period has been running for a month; one slot ``s1`` with two gauges and a state unless others are given."""
    slots = slots or (
        "  s1:\n"
        "    device: {serial: '1'}\n"
        "    channels:\n"
        "      pm25: {unit: ug/m^3, period: 10 s}\n"
        "      temp: {unit: degC, period: 10 s}\n"
        "      mode: {kind: state, states: [idle, run], reporting: on_change}\n"
        "    events: {mission: {numbered: true}}\n"
    )
    return f"""\
pilot: {pilot}
title: 시험 과제
kind: rnd
simulated: true
company: {{id: c, name: 회사}}
site: {{id: s, name: 수요처}}
period: {{start: {TODAY - timedelta(days=30)}, end: {TODAY + timedelta(days=300)}, timezone: Asia/Seoul}}
evaluation: {{data_until: {TODAY + timedelta(days=290)}, meeting: {TODAY + timedelta(days=299)}}}
product: {{name: 제품}}
connections: {connections}
slots:
{slots}kpis:
  k: {{name: 지표, measure: {{statistic: {{channel: pm25, stat: mean}}}}, target: "<= 35 ug/m^3", weight: 100}}
""".encode()


def apply(connection: Connection, pilot: str, **given: Any) -> Any:
    """Register that plan."""
    return apply_plan(connection, read_plan(plan_bytes(pilot, **given)), who="cli:test")


def settings_for(name: str, **given: Any) -> Settings:
    """Settings of one collector, whatever the environment of the tests says."""
    return Settings(collector=name, batch_seconds=0.02, **given)


@contextmanager
def collecting(
    database_url: str, broker_url: str, name: str, *, until_listening: bool = True, drain: bool = False, **given: Any
) -> Iterator[Collector]:
    """A collector in a thread of this process, stopped at the end."""
    collector = Collector(
        database_url=database_url, broker_url=broker_url, settings=settings_for(name, **given), drain=drain
    )
    failures: list[BaseException] = []

    def run() -> None:
        try:
            collector.run()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            failures.append(error)

    thread = threading.Thread(target=run, name=f"test-{name}", daemon=True)
    thread.start()
    try:
        if until_listening:
            wait_for(lambda: collector.listening, what=f"{name} to listen")
        yield collector
    finally:
        collector.stop()
        thread.join(20)
    assert not failures, failures
    assert not thread.is_alive(), "the collector did not stop"


@contextmanager
def collector_process(database_url: str, broker_url: str, name: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A collector as a process of its own."""
    environment = os.environ | {
        "PILOTBED_DATABASE_URL": database_url,
        "PILOTBED_MQTT_URL": broker_url,
        "PILOTBED_COLLECTOR": name,
        "PILOTBED_BATCH_SECONDS": "0.02",
    }
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "pilotbed", "collect"], env=environment, stdout=output, stderr=output, cwd=ROOT
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


class Device:
    """A publisher at QoS 1 that counts what the broker acknowledged to it."""

    def __init__(self, url: str, *, clean: bool = True) -> None:
        parts = urlsplit(url)
        self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=unquote(parts.username or ""),
            protocol=mqtt.MQTTv311,
            clean_session=clean,
        )
        self.client.username_pw_set(unquote(parts.username or ""), unquote(parts.password or ""))
        self.client.max_inflight_messages = 100
        self.client.max_queued_messages = 0
        self.acknowledged = 0
        self._connected = threading.Event()
        self.refused: str | None = None
        self.client.on_connect = self._on_connect
        self.client.on_publish = self._on_publish
        self.client.reconnect_delay_set(min_delay=1, max_delay=1)
        self.client.connect(parts.hostname or "", parts.port or 1883)
        self.client.loop_start()
        assert self._connected.wait(10)

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self.refused = str(reason)
        self._connected.set()

    def _on_publish(self, *_: Any) -> None:
        self.acknowledged += 1

    def say(self, topic: str, payload: Any, **given: Any) -> None:
        """Publish JSON, or bytes as they are."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.client.publish(topic, body, qos=given.pop("qos", 1), **given)

    def finish(self, published: int) -> None:
        """Wait until the broker has acknowledged so many."""
        wait_for(lambda: self.acknowledged >= published, what=f"{published} publishes to be acknowledged", within_s=30)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@contextmanager
def device(url: str) -> Iterator[Device]:
    """A device for the length of a block."""
    opened = Device(url)
    try:
        yield opened
    finally:
        opened.close()


def wait_for(condition: Callable[[], Any], *, what: str, within_s: float = 15.0) -> Any:
    """Wait until something is true, and return it."""
    end = time.monotonic() + within_s
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"waited {within_s:.0f} s for {what}")
        time.sleep(0.02)


def count(connection: Connection, table: str, where: str = "true") -> int:
    """Rows of a table."""
    row = connection.execute(f"SELECT count(*) AS n FROM {table} WHERE {where}").fetchone()
    assert row is not None
    return int(row["n"])


def now_ms(offset_s: float = 0.0) -> int:
    return int((time.time() + offset_s) * 1000)


def secret(url: str) -> SecretStr:
    return SecretStr(url)
