"""The broker of the local stack keeps what design asks of it: each test is a way in which somebody once lost data."""

from __future__ import annotations

import base64
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from core.errors import EnvironmentProblem
from devices.access import BrokerUser
from devices.control import CONTROL_TOPIC
from devices.credentials import password_record
from devices.journal import Refused
from pilotbed.stack.broker_words import entries
from pilotbed.stack.child import command_of
from pilotbed.stack.mosquitto import Mosquitto
from pilotbed.stack.mosquitto_binaries import find_broker, find_plugin, find_program
from pilotbed.stack.mosquitto_configuration import LARGEST_PACKET_BYTES

pytestmark = pytest.mark.timeout(90)


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class Client:
    """A paho client that remembers what happened to it."""

    def __init__(
        self,
        broker: Mosquitto,
        username: str,
        password: str,
        *,
        client_id: str = "",
        keep: bool = False,
        inner: bool = False,
        ack: bool = True,
    ) -> None:
        self.received: list[bytes] = []
        self.reasons: dict[int, int] = {}
        self.connects: list[tuple[int, bool]] = []
        self.granted = threading.Event()
        self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5, manual_ack=not ack
        )
        self.client.username_pw_set(username, password)
        self.client.max_inflight_messages_set(1000)
        self.client.on_connect = lambda _c, _u, flags, reason, _p: self.connects.append(
            (reason.value, flags.session_present)
        )
        self.client.on_message = lambda _c, _u, message: self.received.append(bytes(message.payload))
        self.client.on_publish = lambda _c, _u, mid, reason, _p: self.reasons.__setitem__(mid, reason.value)
        self.client.on_subscribe = lambda *_: self.granted.set()
        properties: Any = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 0xFFFFFFFF if keep else 0
        port = urlsplit(broker.inner_url).port if inner else broker.port
        self.client.connect("127.0.0.1", port or 0, clean_start=not keep, properties=properties)
        self.client.loop_start()
        assert within(10, lambda: bool(self.connects))

    def subscribe(self, topic: str) -> None:
        self.granted.clear()
        self.client.subscribe(topic, qos=1)
        assert self.granted.wait(10)

    def publish(self, topic: str, *payloads: bytes) -> list[int]:
        """Publish each at QoS 1 and return the reason codes of their acknowledgements."""
        mids = [self.client.publish(topic, payload, qos=1).mid for payload in payloads]
        assert within(30, lambda: all(mid in self.reasons for mid in mids))
        return [self.reasons[mid] for mid in mids]

    def drop(self) -> None:
        """Vanish without a farewell, as a killed process does."""
        self.client._sock_close()
        self.client.loop_stop()

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@contextmanager
def connected(broker: Mosquitto, username: str, password: str, **options: bool | str) -> Iterator[Client]:
    client = Client(broker, username, password, **options)  # type: ignore[arg-type]
    try:
        yield client
    finally:
        client.close()


def with_device(broker: Mosquitto, *, username: str = "dev", password: str = "pw", topic: str = "pilots/p/s/#") -> None:
    """Give the broker one device, through its users' file."""
    broker.stop()
    broker.write_users(
        [
            BrokerUser(
                username=username,
                password=password_record(password),
                publish=(topic,),
                subscribe=("pilots/p/s/receipt",),
            )
        ]
    )
    broker.start()


def refused(broker: Mosquitto) -> list[Refused]:
    """What the broker's log says that it did not take."""
    return [entry for entry in entries(broker.log.read_bytes()) if isinstance(entry, Refused)]


def open_session(broker: Mosquitto, collector: str = "collector-1") -> None:
    """Let a collector subscribe once and leave its session behind."""
    with connected(broker, collector, broker.secret(collector), keep=True) as client:
        client.subscribe("pilots/#")


def test_a_queue_beyond_every_default_bound_survives_a_restart(own_broker: Mosquitto) -> None:
    with_device(own_broker)
    open_session(own_broker)
    sent = [b"%05d" % number for number in range(5000)]
    with connected(own_broker, "dev", "pw") as device:
        assert set(device.publish("pilots/p/s/readings", *sent)) == {0}
    own_broker.stop()
    own_broker.start()
    with connected(own_broker, "collector-1", own_broker.secret("collector-1"), keep=True) as collector:
        assert collector.connects == [(0, True)]
        assert within(20, lambda: len(collector.received) >= len(sent))
    assert sorted(collector.received) == sent


def test_qos_0_is_queued_too(own_broker: Mosquitto) -> None:
    with_device(own_broker)
    open_session(own_broker)
    with connected(own_broker, "dev", "pw") as device:
        device.client.publish("pilots/p/s/readings", b"unconfirmed", qos=0)
        device.publish("pilots/p/s/readings", b"confirmed")
    with connected(own_broker, "collector-1", own_broker.secret("collector-1"), keep=True) as collector:
        assert within(10, lambda: len(collector.received) == 2)
    assert collector.received == [b"unconfirmed", b"confirmed"]


def test_what_a_killed_collector_had_not_acknowledged_comes_again(own_broker: Mosquitto) -> None:
    with_device(own_broker)
    open_session(own_broker)
    sent = [b"%05d" % number for number in range(12_000)]
    with connected(own_broker, "dev", "pw") as device:
        device.publish("pilots/p/s/readings", *sent)
    secret = own_broker.secret("collector-1")
    killed = Client(own_broker, "collector-1", secret, keep=True, ack=False)
    assert within(20, lambda: len(killed.received) == len(sent)), "all are in flight without one acknowledgement"
    killed.drop()
    with connected(own_broker, "collector-1", secret, keep=True) as collector:
        assert within(20, lambda: len(collector.received) >= len(sent))
    assert sorted(collector.received) == sent


@pytest.mark.parametrize("inner", [False, True])
def test_a_device_cannot_take_the_collectors_session(own_broker: Mosquitto, inner: bool) -> None:
    with_device(own_broker)
    open_session(own_broker)
    with connected(own_broker, "dev", "pw") as device:
        device.publish("pilots/p/s/readings", b"before")
    # Under the collector's client id, with a clean start: this would wipe its queue.
    with connected(own_broker, "dev", "pw", client_id="collector-1", inner=inner) as thief:
        assert thief.connects == [(0, False)]
    with connected(own_broker, "collector-1", own_broker.secret("collector-1"), keep=True, inner=inner) as collector:
        assert collector.connects == [(0, True)]
        assert within(10, lambda: collector.received == [b"before"])


@pytest.mark.parametrize(("username", "password"), [("dev", "wrong"), ("nobody", "pw"), ("dev", ""), ("", "")])
def test_a_wrong_password_is_refused(own_broker: Mosquitto, username: str, password: str) -> None:
    with_device(own_broker)
    with connected(own_broker, username, password) as client:
        assert client.connects[0][0] in (134, 135)


def test_what_is_not_named_is_denied_and_the_denial_is_found_in_the_log(own_broker: Mosquitto) -> None:
    with_device(own_broker)
    with (
        connected(own_broker, "collector-1", own_broker.secret("collector-1"), keep=True) as collector,
        connected(own_broker, "dev", "pw") as device,
    ):
        collector.subscribe("#")
        assert device.publish("pilots/p/other/readings", b"of another") == [135]
        assert device.publish("$CONTROL/dynamic-security/v1", b"{}") == [135]
        assert device.publish("pilots/p/s/readings", b"mine") == [0]
        assert within(10, lambda: collector.received == [b"mine"])
    assert within(5, lambda: len(refused(own_broker)) == 2)
    found = refused(own_broker)
    assert [(one.username, one.topic, one.reason) for one in found] == [
        ("dev", "pilots/p/other/readings", "denied"),
        ("dev", "$CONTROL/dynamic-security/v1", "denied"),
    ]
    assert abs(time.time() - found[0].at.timestamp()) < 30


def test_a_device_hears_its_receipts_and_nothing_else(own_broker: Mosquitto) -> None:
    with_device(own_broker)
    with (
        connected(own_broker, "dev", "pw") as device,
        connected(own_broker, "collector-1", own_broker.secret("collector-1")) as collector,
    ):
        for topic in ("#", "pilots/p/other/receipt", "pilots/p/s/receipt"):
            device.subscribe(topic)
        assert collector.publish("pilots/p/other/receipt", b"for another") != [135]
        assert collector.publish("pilots/p/s/receipt", b"for it") == [0]
        assert within(10, lambda: bool(device.received))
        assert device.received == [b"for it"]


@pytest.mark.parametrize(
    ("topic", "allowed"),
    [
        ("pilots/p/s/receipt", True),
        ("pilots/p/seal", True),
        ("spBv1.0/group/NCMD/node", True),
        ("spBv1.0/STATE/host", True),
        ("pilots/p/s/readings", False),
        ("spBv1.0/group/NDATA/node", False),
        ("$CONTROL/dynamic-security/v1", False),
    ],
)
def test_a_collector_says_only_receipts_seals_and_sparkplug_commands(
    broker: Mosquitto, topic: str, allowed: bool
) -> None:
    with connected(broker, "collector-2", broker.secret("collector-2")) as collector:
        assert (collector.publish(topic, b"x") != [135]) is allowed


def test_collectors_share_a_subscription(broker: Mosquitto, pilot: str) -> None:
    topic = f"pilots/{pilot}/+/receipt"
    with (
        connected(broker, "collector-2", broker.secret("collector-2")) as first,
        connected(broker, "collector-3", broker.secret("collector-3")) as second,
        connected(broker, "collector-1", broker.secret("collector-1")) as speaker,
    ):
        first.subscribe(f"$share/all/{topic}")
        second.subscribe(f"$share/all/{topic}")
        speaker.publish(f"pilots/{pilot}/s/receipt", *(b"%d" % number for number in range(10)))
        assert within(10, lambda: len(first.received) + len(second.received) == 10)
        assert first.received and second.received


def test_a_packet_beyond_the_bound_cuts_its_sender_off(own_broker: Mosquitto) -> None:
    with_device(own_broker)
    with connected(own_broker, "collector-1", own_broker.secret("collector-1")) as collector:
        collector.subscribe("pilots/#")
        with connected(own_broker, "dev", "pw") as device:
            device.publish("pilots/p/s/readings", b"x" * 2_000_000)
            assert within(10, lambda: len(collector.received) == 1)
            device.client.publish("pilots/p/s/readings", b"x" * (LARGEST_PACKET_BYTES + 1), qos=0)
            assert within(10, lambda: len(device.connects) > 1), "it was disconnected and came back"
        assert len(collector.received) == 1


def test_a_lost_users_file_is_made_anew_without_new_secrets(own_broker: Mosquitto) -> None:
    with_device(own_broker)
    own_broker.stop()
    own_broker.users_file.unlink()
    with_device(own_broker)
    with connected(own_broker, "dev", "pw") as device:
        assert device.publish("pilots/p/s/readings", b"x") != [135]


def test_our_password_record_is_the_plugins_own(own_broker: Mosquitto) -> None:
    """The plugin hashes a password given over its control topic as we do for its file."""
    with connected(own_broker, "pilotbed-admin", own_broker.secret("pilotbed-admin")) as admin:
        admin.subscribe(CONTROL_TOPIC + "/response")
        command = {"command": "createClient", "username": "made", "password": "s3cret"}
        admin.publish(CONTROL_TOPIC, json.dumps({"commands": [command]}).encode())
        assert within(10, lambda: bool(admin.received))
    assert b"error" not in admin.received[0]
    assert within(5, lambda: b"made" in own_broker.users_file.read_bytes())
    clients = json.loads(own_broker.users_file.read_text())["clients"]
    made = next(client for client in clients if client["username"] == "made")
    ours = password_record("s3cret", salt=base64.b64decode(made["salt"]), iterations=made["iterations"])
    assert (made["password"], made["salt"]) == (ours.hash, ours.salt)


def test_secrets_are_readable_to_their_owner_alone(own_broker: Mosquitto) -> None:
    private = [own_broker.users_file, *own_broker.folder.glob("*.secret"), own_broker.folder / "mosquitto.conf"]
    assert len(private) == 6
    assert {path.stat().st_mode & 0o777 for path in private} == {0o600}


def test_the_broker_goes_on_without_its_log_keeper(own_broker: Mosquitto) -> None:
    with_device(own_broker)
    keeper = own_broker._log_keeper.pid
    assert keeper is not None
    os.kill(keeper, signal.SIGKILL)
    assert within(5, lambda: command_of(keeper) is None)
    with connected(own_broker, "dev", "pw") as device:
        device.publish("pilots/p/s/readings", *(b"x" * 50 for _ in range(5000)))
        own_broker.tend()

        def heard() -> bool:
            device.publish("pilots/elsewhere", b"x")
            return bool(refused(own_broker))

        assert within(10, heard)


def test_a_second_broker_on_the_folder_is_refused(own_broker: Mosquitto) -> None:
    second = Mosquitto(own_broker.folder)
    with pytest.raises(EnvironmentProblem, match=f"in use by process {os.getpid()}"):
        second.start()
    assert own_broker.child is not None and own_broker.child.exit_code() is None


def test_a_busy_port_is_named(own_broker: Mosquitto, stack_folder: Path) -> None:
    second = Mosquitto(stack_folder / "second", port=own_broker.port)
    with pytest.raises(EnvironmentProblem, match=rf"Port {own_broker.port} .*PILOTBED_MQTT_PORT"):
        second.start()


def test_a_broken_users_file_is_a_clear_error(own_broker: Mosquitto) -> None:
    own_broker.stop()
    own_broker.users_file.write_text("{")
    with pytest.raises(EnvironmentProblem, match=r"users\.json is damaged: move it away"):
        own_broker.start()


def test_the_parts_are_found() -> None:
    broker = find_broker()
    assert broker.version >= (2, 0)
    assert find_plugin(find_program()) == broker.plugin


def test_without_mosquitto_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EnvironmentProblem, match=r"Mosquitto, the MQTT broker, is not installed: .*install mosquitto"):
        find_broker()


def test_before_memory_runs_out_devices_wait_until_the_collector_has_emptied_the_queue(stack_folder: Path) -> None:
    said: list[str] = []
    broker = Mosquitto(stack_folder / "mosquitto", memory_bytes=16_000_000, say=said.append)
    broker.write_users([BrokerUser(username="dev", password=password_record("pw"), publish=("#",), subscribe=())])
    with broker:
        open_session(broker)
        device = Client(broker, "dev", "pw", keep=True)
        mids = [
            device.client.publish("pilots/p/s/readings", b"%06d" % n + b"x" * 500, qos=1).mid for n in range(20_000)
        ]
        assert within(30, lambda: tended(broker) and len(said) == 1), "it was shut"
        assert "devices are turned away until the collector has emptied it" in said[0]
        with pytest.raises(OSError):
            Client(broker, "dev", "pw")
        secret = broker.secret("collector-1")
        with connected(broker, "collector-1", secret, keep=True, inner=True) as collector:
            assert within(30, lambda: tended(broker) and len(said) == 2), "it was opened again"
            assert "devices are let in" in said[1]
            # The device has come back by itself, with what was not acknowledged.
            assert within(60, lambda: tended(broker) and all(mid in device.reasons for mid in mids))
            assert within(30, lambda: len({payload[:6] for payload in collector.received}) == 20_000)
        device.close()


def tended(broker: Mosquitto) -> bool:
    broker.tend()
    return True
