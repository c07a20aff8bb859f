"""Devices, and those who would be devices, at a real broker: what the tests of who may speak share."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from core.database import Connection
from devices.broker import Broker
from devices.plan.credential_file import Credential
from devices.plan.reader import PlanFile, read_plan
from devices.registry import apply_plan
from pilotbed.stack.mosquitto import Mosquitto

PLAN = """
pilot: {pilot}
title: t
kind: rnd
company: {{id: c, name: c}}
site: {{id: s, name: s}}
period: {{start: 2026-03-01, end: 2027-03-01}}
evaluation: {{data_until: 2027-02-01, meeting: 2027-02-10}}
product: {{name: p}}
connections:
  gw: {{topics: ["{pilot}/tele/+"]}}
slots:
  a: {{connection: gw, device: {{serial: "1"}}, channels: {{t: {{unit: degC, period: 1 h}}}}}}
  b: {{connection: gw, select: {{id: b}}, device: {{serial: "2"}}, channels: {{t: {{unit: degC, period: 1 h}}}}}}
  c: {{device: {{serial: "3"}}, channels: {{t: {{unit: degC, period: 1 h}}}}}}
kpis:
  k: {{name: k, measure: {{capture: {{}}}}, target: ">= 90 %"}}
"""


def plan(name: str, *replacements: tuple[str, str]) -> PlanFile:
    """A gateway ``gw`` that speaks for the slots a and b and on a topic of its own, and a slot c on its own."""
    text = PLAN.format(pilot=name).replace("  a: {connection: gw,", "  a: {connection: gw, select: {id: a},")
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    return read_plan(text.encode())


@dataclass
class Client:
    """A device, or somebody who would be one."""

    mqtt: mqtt.Client
    heard: queue.SimpleQueue[tuple[str, bytes]] = field(default_factory=queue.SimpleQueue)
    gone: threading.Event = field(default_factory=threading.Event)
    codes: queue.SimpleQueue[Any] = field(default_factory=queue.SimpleQueue)

    def publish(self, topic: str, payload: str | bytes = "{}") -> int:
        """The reason code of the acknowledgement."""
        message = self.mqtt.publish(topic, payload, qos=1)
        message.wait_for_publish(5)
        return int(self.codes.get(timeout=5).value)

    def subscribe(self, topic: str) -> int:
        """The reason code of the acknowledgement."""
        self.mqtt.subscribe(topic, qos=1)
        return int(self.codes.get(timeout=5).value)


@contextmanager
def connected(
    broker: Mosquitto,
    username: str | None,
    password: str | None,
    *,
    client_id: str | None = None,
    version: int = mqtt.MQTTv5,
    inner: bool = False,
    will: str | None = None,
) -> Iterator[Client]:
    """A client that has logged in; ConnectionRefusedError if it was not let in.

    :param client_id: what it says; its user name if left out.
    :param inner: at the listener of our own processes.
    :param will: the topic of its last will.
    """
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=(username or "") if client_id is None else client_id,
        protocol=version,  # type: ignore[arg-type] # one of paho's own numbers
        reconnect_on_failure=False,
    )
    if username is not None:
        client.username_pw_set(username, password)
    if will is not None:
        client.will_set(will, b"will", qos=1)
    made = Client(mqtt=client)
    answered: queue.SimpleQueue[Any] = queue.SimpleQueue()
    client.on_connect = lambda _c, _d, _f, code, _p: answered.put(code)
    client.on_message = lambda _c, _d, message: made.heard.put((message.topic, bytes(message.payload)))
    client.on_disconnect = lambda *_: made.gone.set()
    client.on_publish = lambda _c, _d, _m, code, _p: made.codes.put(code)
    client.on_subscribe = lambda _c, _d, _m, codes, _p: made.codes.put(codes[0])
    client.connect("127.0.0.1", (urlsplit(broker.inner_url).port or 0) if inner else broker.port)
    client.loop_start()
    try:
        code = answered.get(timeout=5)
        if code.is_failure:
            raise ConnectionRefusedError(str(code))
        yield made
    finally:
        client.disconnect()
        client.loop_stop()


def let_in(broker: Mosquitto, username: str | None, password: str | None, **given: Any) -> bool:
    """Whether somebody is let in."""
    try:
        with connected(broker, username, password, **given):
            return True
    except ConnectionRefusedError:
        return False


@contextmanager
def collector(broker: Mosquitto, name: str = "collector-3") -> Iterator[Client]:
    """A collector's user."""
    parts = urlsplit(broker.collector_url(name))
    with connected(broker, parts.username or "", parts.password or "") as client:
        yield client


def applied(connection: Connection, broker: Mosquitto, file: PlanFile) -> dict[str, Credential]:
    """Register a plan and tell the broker; what was issued, by connection."""
    with Broker(broker.admin_url) as control:
        done = apply_plan(connection, file, who="cli:test", broker=control)
    return {credential.connection: credential for credential in done.credentials}
