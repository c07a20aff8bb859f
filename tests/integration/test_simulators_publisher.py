"""The publisher against the real broker, a plain paho client as its counterpart."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from core.errors import BrokerAway
from pilotbed.stack.mosquitto import Mosquitto
from simulators.login import Login, LoginRefused, PublishRefused, TakenOver
from simulators.publisher import Publisher, Will

pytestmark = pytest.mark.timeout(90)
_CONTROL = "$CONTROL/dynamic-security/v1"


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class Plain:
    """A plain client that remembers what it got: (topic, payload, retained)."""

    def __init__(self, broker: Mosquitto, user: str, password: str, *filters: str, keep: bool = False) -> None:
        self.got: list[tuple[str, bytes, bool]] = []
        self._ready = threading.Event()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=user, protocol=mqtt.MQTTv5)
        self.client.username_pw_set(user, password)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_message = lambda _c, _u, m: self.got.append((m.topic, bytes(m.payload), m.retain))
        self.client.on_subscribe = lambda *_: self._ready.set()
        properties: Any = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 3600 if keep else 0
        self.client.connect("127.0.0.1", broker.port, clean_start=not keep, properties=properties)
        self.client.loop_start()
        for one in filters:
            self._ready.clear()
            self.client.subscribe(one, qos=1)
            assert self._ready.wait(10)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@contextmanager
def listening(broker: Mosquitto, *filters: str, keep: bool = False, collector: str = "collector-3") -> Iterator[Plain]:
    """A collector's user that hears ``filters``."""
    plain = Plain(broker, collector, broker.secret(collector), *filters, keep=keep)
    try:
        yield plain
    finally:
        plain.close()


def let_in(broker: Mosquitto, *publish: str) -> Login:
    """A new user who may publish to some filters."""
    name, password = f"sim-{secrets.token_hex(4)}", secrets.token_urlsafe(12)
    admin = Plain(broker, "pilotbed-admin", broker.secret("pilotbed-admin"), f"{_CONTROL}/response")
    commands: list[dict[str, Any]] = [
        {
            "command": "createRole",
            "rolename": name,
            "acls": [{"acltype": "publishClientSend", "topic": one, "allow": True} for one in publish],
        },
        {"command": "createClient", "username": name, "password": password, "roles": [{"rolename": name}]},
    ]
    for count, command in enumerate(commands, start=1):
        admin.client.publish(_CONTROL, json.dumps({"commands": [command]}), qos=1)
        assert within(10, lambda count=count: len(admin.got) >= count)  # type: ignore[misc]
    assert b"error" not in b"".join(payload for _, payload, _ in admin.got)
    admin.close()
    return Login(host="127.0.0.1", port=broker.port, username=name, password=password)


def test_everything_arrives_and_is_acknowledged(broker: Mosquitto, pilot: str) -> None:
    topic = f"pilots/{pilot}/s1/readings"
    login = let_in(broker, topic)
    with listening(broker, f"pilots/{pilot}/#") as heard, Publisher(login, window=50) as publisher:
        for number in range(2000):
            publisher.publish(topic, str(number).encode())
        publisher.flush()
        assert (publisher.sent, publisher.acknowledged, publisher.unheard) == (2000, 2000, 0)
        assert within(20, lambda: len(heard.got) >= 2000)
    assert [int(payload) for _, payload, _ in heard.got] == list(range(2000))


def test_a_wrong_password_is_one_clear_error(broker: Mosquitto) -> None:
    right = let_in(broker, "pilots/x/y/readings")
    wrong = Login(host=right.host, port=right.port, username=right.username, password="wrong")
    with pytest.raises(LoginRefused, match=f"refuses user '{right.username}'") as caught:
        Publisher(wrong).connect()
    assert "wrong" not in str(caught.value).replace("credential is wrong", "")
    assert "\n" not in str(caught.value)


def test_a_denied_topic_is_one_clear_error(broker: Mosquitto, pilot: str) -> None:
    login = let_in(broker, f"pilots/{pilot}/s1/readings")
    with listening(broker, f"pilots/{pilot}/#") as heard:
        with (
            Publisher(login) as publisher,
            pytest.raises(PublishRefused, match=f"{login.username}' to 'pilots/{pilot}/s2/readings'") as caught,
        ):
            publisher.publish(f"pilots/{pilot}/s1/readings", b"allowed")
            publisher.publish(f"pilots/{pilot}/s2/readings", b"denied")
            publisher.flush()
        assert within(5, lambda: len(heard.got) == 1)
    assert "\n" not in str(caught.value)
    assert [payload for _, payload, _ in heard.got] == [b"allowed"]


def test_no_broker_is_one_clear_error() -> None:
    with pytest.raises(BrokerAway, match=r"No broker answers at 127\.0\.0\.1:9"):
        Publisher(Login(host="127.0.0.1", port=9, username="u", password="p")).connect()


def test_messages_without_a_listener_are_counted(broker: Mosquitto, pilot: str) -> None:
    topic = f"pilots/{pilot}/s1/readings"
    login = let_in(broker, topic)

    def unheard() -> int:
        with Publisher(login) as publisher:
            publisher.publish(topic, b"x")
            publisher.flush()
            return publisher.unheard

    assert unheard() == 1
    with listening(broker, f"$share/group/pilots/{pilot}/#"):
        assert unheard() == 0
    with listening(broker, f"pilots/{pilot}/#", keep=True):
        pass
    assert unheard() == 0  # its session waits
    with listening(broker):
        pass  # and is gone again


def test_a_broker_that_restarts_loses_nothing(own_broker: Mosquitto, pilot: str) -> None:
    topic = f"pilots/{pilot}/s1/readings"
    login = let_in(own_broker, topic)
    greetings = iter(range(10))
    with (
        listening(own_broker, f"pilots/{pilot}/#", keep=True) as heard,
        Publisher(login, window=100, greetings=lambda: [(topic, f"hello {next(greetings)}".encode())]) as publisher,
    ):

        def send() -> None:
            for number in range(3000):
                publisher.publish(topic, str(number).encode())
                time.sleep(0.0005)
            publisher.flush()

        sending = threading.Thread(target=send)
        sending.start()
        assert within(10, lambda: len(heard.got) > 200)
        own_broker.stop()
        time.sleep(0.5)
        own_broker.start()
        sending.join(60)
        assert not sending.is_alive()
        assert publisher.connections >= 2
        assert publisher.acknowledged == publisher.sent == 3000
        numbers: set[int] = set()

        def all_there() -> bool:
            numbers.update(int(payload) for _, payload, _ in heard.got if payload.isdigit())
            return len(numbers) >= 3000

        assert within(20, all_there)
    assert numbers == set(range(3000))
    assert {payload for _, payload, _ in heard.got} >= {b"hello 0", b"hello 1"}


def test_a_broker_that_stays_away_is_given_up(own_broker: Mosquitto, pilot: str) -> None:
    topic = f"pilots/{pilot}/s1/readings"
    login = let_in(own_broker, topic)
    publisher = Publisher(login, window=5, patience_s=2.0)
    publisher.connect()
    own_broker.stop()
    with pytest.raises(BrokerAway, match="acknowledged nothing for 2 s; 5 messages of"):
        for _ in range(10):
            publisher.publish(topic, b"x")
    publisher.abandon()


def test_the_will_speaks_for_a_cut_connection_and_not_after_a_farewell(broker: Mosquitto, pilot: str) -> None:
    topic = f"pilots/{pilot}/s1/status"
    login = let_in(broker, topic)

    def made() -> Publisher:
        return Publisher(
            login, will=lambda: Will(topic=topic, payload=b"offline"), greetings=lambda: [(topic, b"online")]
        )

    with listening(broker, topic) as heard:
        with made():
            assert within(5, lambda: len(heard.got) == 1)
        cut = made()
        cut.connect()
        assert within(5, lambda: len(heard.got) == 2)
        cut.abandon()
        assert within(5, lambda: len(heard.got) == 3)
    assert [payload for _, payload, _ in heard.got] == [b"online", b"online", b"offline"]
    with listening(broker, topic) as late:
        assert within(5, lambda: late.got == [(topic, b"offline", True)])


def test_two_clients_with_one_credential_do_not_take_turns_for_ever(broker: Mosquitto, pilot: str) -> None:
    login = let_in(broker, f"pilots/{pilot}/s1/readings")
    with Publisher(login) as first, Publisher(login) as second:
        ended: list[TakenOver] = []

        def one_is_ended() -> bool:
            for publisher in (first, second):
                try:
                    publisher.wait(0)
                except TakenOver as error:
                    ended.append(error)
            return bool(ended)

        assert within(30, one_is_ended)
        assert f"connection of '{login.username}': another client uses the same credential" in str(ended[0])
