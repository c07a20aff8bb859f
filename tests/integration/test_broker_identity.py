"""Nobody is taken for another at a real Mosquitto: for each that is refused, what is allowed beside it."""

from __future__ import annotations

import time
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from core.database import Connection
from devices.broker import Broker
from devices.registry import issue_credential, withdraw_connection
from pilotbed.stack.mosquitto import ADMIN, Mosquitto
from tests.speaking import Client, applied, collector, connected, let_in, plan

pytestmark = pytest.mark.timeout(60)

VERSIONS = [mqtt.MQTTv311, mqtt.MQTTv5]
DENIED = 0x87
TAKEN = (0, 0x10)
"""Taken, by somebody or by nobody."""


def heard(client: Client, last: bytes) -> list[tuple[str, bytes]]:
    """What a client heard before the message ``last``."""
    found = []
    while (said := client.heard.get(timeout=10))[1] != last:
        found.append(said)
    return found


# --- whose topics


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_what_a_device_says_elsewhere_reaches_nobody(
    connection: Connection, broker: Mosquitto, pilot: str, version: int, qos: int
) -> None:
    credentials = applied(connection, broker, plan(pilot))
    single = credentials["c"]
    with collector(broker) as listener:
        assert listener.subscribe("#") == 1
        with connected(broker, single.username, single.password, version=version) as device:
            for topic in (
                f"pilots/{pilot}/a/readings",
                f"pilots/{pilot}/c/receipt",
                f"{pilot}/tele/x",
                "spBv1.0/g/NBIRTH/n",
            ):
                device.mqtt.publish(topic, b"elsewhere", qos=qos, retain=True)
            device.mqtt.publish(f"pilots/{pilot}/c/readings", b"own", qos=qos).wait_for_publish(5)
            device.mqtt.publish(f"pilots/{pilot}/c/status", b"last", qos=1)
            assert [topic for topic, payload in heard(listener, b"last") if payload == b"own"] == [
                f"pilots/{pilot}/c/readings"
            ]
    with collector(broker) as later:  # nor was any of it retained
        assert later.subscribe(f"pilots/{pilot}/#") == 1
        assert later.subscribe(f"{pilot}/#") == 1
        time.sleep(0.2)
        assert later.heard.empty()


def test_a_topic_alias_is_no_way_around(connection: Connection, broker: Mosquitto, pilot: str) -> None:
    single = applied(connection, broker, plan(pilot))["c"]

    def alias(number: int) -> Any:
        made: Any = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        made.TopicAlias = number
        return made

    with collector(broker) as listener:
        assert listener.subscribe(f"pilots/{pilot}/#") == 1
        with connected(broker, single.username, single.password) as device:
            for number, topic in enumerate((f"pilots/{pilot}/a/readings", f"pilots/{pilot}/c/readings"), start=1):
                device.mqtt.publish(topic, b"named", qos=1, properties=alias(number))
                codes = [int(device.codes.get(timeout=5).value)]
                device.mqtt.publish(topic, b"by alias", qos=1, properties=alias(number))
                codes.append(int(device.codes.get(timeout=5).value))
                assert all((code == DENIED) == (number == 1) for code in codes), codes
            device.mqtt.publish(f"pilots/{pilot}/c/status", b"last", qos=1)
        assert {topic for topic, _ in heard(listener, b"last")} == {f"pilots/{pilot}/c/readings"}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_last_will_is_said_on_a_devices_own_topics_only(
    connection: Connection, broker: Mosquitto, pilot: str, version: int
) -> None:
    single = applied(connection, broker, plan(pilot))["c"]
    with collector(broker) as listener:
        assert listener.subscribe(f"pilots/{pilot}/#") == 1
        for topic in (f"pilots/{pilot}/a/status", f"pilots/{pilot}/c/status"):
            try:
                with connected(broker, single.username, single.password, version=version, will=topic) as device:
                    device.mqtt._sock_close()  # it vanishes
            except ConnectionRefusedError:
                assert topic.endswith("a/status")
        assert listener.heard.get(timeout=5) == (f"pilots/{pilot}/c/status", b"will")
        time.sleep(0.2)
        assert listener.heard.empty()


def test_a_device_takes_no_share_of_what_collectors_hear(connection: Connection, broker: Mosquitto, pilot: str) -> None:
    single = applied(connection, broker, plan(pilot))["c"]
    topic = f"pilots/{pilot}/c/readings"
    with (
        collector(broker, "collector-1") as first,
        collector(broker, "collector-2") as second,
        connected(broker, single.username, single.password) as device,
    ):
        for one in (first, second):
            assert one.subscribe(f"$share/all/pilots/{pilot}/#") == 1
        for share in (f"$share/all/pilots/{pilot}/#", f"$share/all/{topic}", f"$share/all/pilots/{pilot}/c/receipt"):
            assert device.subscribe(share) >= 0x80
        for _ in range(20):
            assert device.publish(topic) == 0
        until = time.monotonic() + 5
        while first.heard.qsize() + second.heard.qsize() < 20 and time.monotonic() < until:
            time.sleep(0.01)
        assert first.heard.qsize() + second.heard.qsize() == 20
        assert device.heard.empty()


# --- whose session


@pytest.mark.parametrize("version", VERSIONS)
def test_nobody_takes_anothers_session_by_its_client_id(
    connection: Connection, broker: Mosquitto, pilot: str, version: int
) -> None:
    credentials = applied(connection, broker, plan(pilot))
    gateway, single = credentials["gw"], credentials["c"]
    with connected(broker, gateway.username, gateway.password) as victim, collector(broker, "collector-2") as listener:
        assert listener.subscribe(f"pilots/{pilot}/#") == 1
        for name in (gateway.username, "collector-2", ADMIN):
            for inner in (False, True):
                with connected(
                    broker, single.username, single.password, client_id=name, version=version, inner=inner
                ) as thief:
                    # It is let in as itself, and heard as itself.
                    assert version == mqtt.MQTTv311 or thief.publish(f"pilots/{pilot}/a/readings") == DENIED
        assert not victim.gone.is_set()
        assert not listener.gone.is_set()
        assert victim.publish(f"pilots/{pilot}/a/readings", "still") == 0
        assert listener.heard.get(timeout=5) == (f"pilots/{pilot}/a/readings", b"still")


def test_nobody_comes_in_by_anothers_name(connection: Connection, broker: Mosquitto, pilot: str) -> None:
    credentials = applied(connection, broker, plan(pilot))
    gateway, single = credentials["gw"], credentials["c"]
    with connected(broker, gateway.username, gateway.password) as victim:
        for name in (gateway.username, "collector-1", ADMIN):
            for inner in (False, True):
                assert not let_in(broker, name, single.password, inner=inner)
        assert not victim.gone.is_set(), "an attempt without the secret cuts nobody off"
    assert let_in(broker, single.username, single.password)


def test_a_credential_has_one_connection_at_a_time(connection: Connection, broker: Mosquitto, pilot: str) -> None:
    single = applied(connection, broker, plan(pilot))["c"]
    with (
        connected(broker, single.username, single.password, client_id="one") as first,
        connected(broker, single.username, single.password, client_id="two") as second,
    ):
        assert first.gone.wait(5), "the later takes the earlier's place, whatever it calls itself"
        assert second.publish(f"pilots/{pilot}/c/readings") in TAKEN


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("inner", [False, True])
@pytest.mark.parametrize(("username", "password"), [(None, None), ("", ""), ("", "x"), ("collector-1", None)])
def test_nobody_comes_in_without_a_name_and_a_secret(
    broker: Mosquitto, version: int, inner: bool, username: str | None, password: str | None
) -> None:
    assert not let_in(broker, username, password, version=version, inner=inner, client_id="collector-1")


# --- our own users


def test_the_registrys_user_administers_publishes_seals_and_does_nothing_else(
    connection: Connection, own_broker: Mosquitto, pilot: str
) -> None:
    applied(connection, own_broker, plan(pilot))
    secret = own_broker.secret(ADMIN)
    with Broker(own_broker.admin_url) as control:
        assert control.users()[f"{pilot}.c"].enabled
    with connected(own_broker, ADMIN, secret, inner=True) as admin:
        assert admin.subscribe("$SYS/broker/version") < 0x80
        for topic in (
            f"pilots/{pilot}/c/readings",
            f"pilots/{pilot}/c/receipt",
            f"pilots/{pilot}/c/seal",
            "spBv1.0/STATE/x",
        ):
            assert admin.publish(topic) == DENIED
        assert admin.publish(f"pilots/{pilot}/seal") < 0x80
        for topic in ("#", "pilots/#", f"pilots/{pilot}/c/readings", "$share/x/pilots/#"):
            assert admin.subscribe(topic) >= 0x80


def test_a_collector_hears_everything_and_administers_nothing(
    connection: Connection, own_broker: Mosquitto, pilot: str
) -> None:
    single = applied(connection, own_broker, plan(pilot))["c"]
    with collector(own_broker, "collector-1") as hearing:
        for topic in (f"pilots/{pilot}/#", f"$share/all/pilots/{pilot}/#", "$SYS/broker/version"):
            assert hearing.subscribe(topic) < 0x80
        assert hearing.heard.get(timeout=5)[0] == "$SYS/broker/version"
        # The broker grants these, because `#` covers them, and gives it nothing by them: a new secret least of all.
        for topic in ("$CONTROL/#", "$CONTROL/dynamic-security/v1/response"):
            hearing.subscribe(topic)
        with Broker(own_broker.admin_url) as control:
            issue_credential(connection, pilot, "c", who="cli:test", broker=control)
            assert control.users()[single.username].enabled
        time.sleep(0.2)
        assert hearing.heard.empty()
        for topic in (
            "$CONTROL/dynamic-security/v1",
            f"pilots/{pilot}/c/readings",
            f"pilots/{pilot}/c/events",
            f"pilots/{pilot}/c/status",
            f"pilots/{pilot}/c/x/receipt",
            "spBv1.0/g/NDATA/n",
            "spBv1.0/g/NBIRTH/n",
            "spBv1.0/g/DCMD/n",
            "elsewhere",
        ):
            assert hearing.publish(topic) == DENIED, topic
        for topic in (f"pilots/{pilot}/c/receipt", f"pilots/{pilot}/seal", "spBv1.0/g/NCMD/n", "spBv1.0/STATE/host"):
            assert hearing.publish(topic) in TAKEN, topic
    with Broker(own_broker.admin_url) as control:
        assert control.users()[single.username].enabled


# --- withdrawal


@pytest.mark.parametrize("version", VERSIONS)
def test_a_withdrawal_silences_a_talking_device_within_a_second(
    connection: Connection, broker: Mosquitto, pilot: str, version: int
) -> None:
    credentials = applied(connection, broker, plan(pilot))
    gateway = credentials["gw"]
    with (
        collector(broker) as listener,
        connected(broker, credentials["c"].username, credentials["c"].password, version=version) as other,
        connected(broker, gateway.username, gateway.password, version=version) as device,
    ):
        assert listener.subscribe(f"pilots/{pilot}/#") == 1
        device.publish(f"pilots/{pilot}/a/readings", "before")
        began = time.monotonic()
        # As the command does it, its own log-in at the broker included.
        with Broker(broker.admin_url) as control:
            withdraw_connection(connection, pilot, "gw", who="cli:test", broker=control)
        told_s = time.monotonic() - began
        assert device.gone.wait(5)
        took_s = time.monotonic() - began
        device.mqtt.publish(f"pilots/{pilot}/a/readings", b"after", qos=0)
        assert took_s < 1, f"{took_s:.2f} s, of which {told_s:.2f} until the registry had it"
        assert not let_in(broker, gateway.username, gateway.password, version=version)
        other.mqtt.publish(f"pilots/{pilot}/c/readings", b"last", qos=1)
        assert [payload for _, payload in heard(listener, b"last")] == [b"before"]
