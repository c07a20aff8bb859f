"""A stand-in for the platform's side of receipts: it hears messages, loses some, and says what it has, in plain paho."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from devices.access import Access, heard
from devices.broker import Broker
from pilotbed.stack.mosquitto import Mosquitto
from simulators.login import Login


def let_in(broker: Mosquitto, pilot: str, *slots: str) -> Login:
    """A new user with the rights of a connection that speaks for these slots."""
    username, password = f"{pilot}.{secrets.token_hex(3)}", secrets.token_urlsafe(12)
    publish = tuple(f"pilots/{pilot}/{slot}/{last}" for slot in slots for last in ("readings", "events", "status"))
    with Broker(broker.admin_url) as admin:
        admin.grant(Access(username=username, publish=publish, subscribe=heard(pilot, slots)), password)
    return Login(host="127.0.0.1", port=broker.port, username=username, password=password)


class Platform:
    """Takes numbered messages of one pilot, unless they are lost, and receipts what it has after each arrival.

    :param loses: is asked for each message, by boot, seq and how often it came before; a lost one leaves no trace.
    """

    def __init__(
        self,
        url: str,
        pilot: str,
        slots: tuple[str, ...],
        *,
        loses: Callable[[str, int, int], bool],
        each_s: float = 0.1,
    ) -> None:
        self.stored: dict[tuple[str, int], tuple[str, bytes]] = {}
        self.came: dict[tuple[str, int], int] = {}
        self.unnumbered: list[tuple[str, bytes]] = []
        self.differing: list[tuple[str, int]] = []
        self.silent = False
        """Receipts are withheld; what they would say is not forgotten."""
        self._loses = loses
        self._pilot, self._slots, self._each_s = pilot, slots, each_s
        self._to_say: set[str] = set()
        self._lock = threading.Lock()
        self._ready, self._ended = threading.Event(), threading.Event()
        self._url = url
        self._client = self._connected()
        self._thread = threading.Thread(target=self._speak, name="receipts", daemon=True)
        self._thread.start()

    def numbers(self, boot: str) -> set[int]:
        """What is stored of one numbering."""
        with self._lock:
            return {seq for of, seq in self.stored if of == boot}

    def documents(self, ending: str) -> list[dict[str, Any]]:
        """What is stored of the topics that end so, without numbers, in the order of boots and numbers."""
        with self._lock:
            found = [
                json.loads(payload) for _, (topic, payload) in sorted(self.stored.items()) if topic.endswith(ending)
            ]
        return [{key: value for key, value in said.items() if key not in ("seq", "boot")} for said in found]

    def leave(self) -> None:
        """Be away: what is published meanwhile waits in the broker, and a broker that is killed then loses some."""
        self._client.disconnect()
        self._client.loop_stop()

    def come_back(self) -> None:
        """Hear again."""
        self._client = self._connected()

    def close(self) -> None:
        self._ended.set()
        self._thread.join(5)
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self) -> mqtt.Client:
        parts = urlsplit(self._url)
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=unquote(parts.username or ""), protocol=mqtt.MQTTv5)
        client.username_pw_set(unquote(parts.username or ""), unquote(parts.password or ""))
        client.reconnect_delay_set(1, 1)
        client.on_connect = lambda client, *_: client.subscribe(f"pilots/{self._pilot}/#", qos=1)
        client.on_subscribe = lambda *_: self._ready.set()
        client.on_message = self._take
        properties: Any = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 600
        self._ready.clear()
        client.connect(parts.hostname or "", parts.port or 1883, clean_start=False, properties=properties)
        client.loop_start()
        assert self._ready.wait(10)
        return client

    def _take(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        if message.topic.endswith("/receipt"):
            return
        said, payload = json.loads(message.payload), bytes(message.payload)
        if "seq" not in said:
            self.unnumbered.append((message.topic, payload))
            return
        number = (said["boot"], said["seq"])
        with self._lock:
            before = self.came.get(number, 0)
            self.came[number] = before + 1
            if self._loses(*number, before):
                return
            if self.stored.setdefault(number, (message.topic, payload)) != (message.topic, payload):
                self.differing.append(number)
            self._to_say.add(number[0])

    def _speak(self) -> None:
        while not self._ended.wait(self._each_s):
            with self._lock:
                boots = set() if self.silent else set(self._to_say)
                self._to_say -= boots
            for boot in boots:
                for slot in self._slots:
                    self._client.publish(f"pilots/{self._pilot}/{slot}/receipt", self._receipt(boot), qos=1)

    def _receipt(self, boot: str) -> bytes:
        numbers = sorted(self.numbers(boot))
        missing = [[low + 1, high - 1] for low, high in zip([0, *numbers], numbers, strict=False) if high - low > 1]
        at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        said = {"first": 1, "through": numbers[-1], "missing": missing, "stored": len(numbers), "at": at}
        return json.dumps({"boot": boot, **said}).encode()


@contextmanager
def receipting(
    broker: Mosquitto,
    pilot: str,
    *slots: str,
    loses: Callable[[str, int, int], bool] = lambda _boot, _seq, _before: False,
    collector: str = "collector-2",
) -> Iterator[Platform]:
    """The stand-in for the length of a block."""
    platform = Platform(broker.collector_url(collector), pilot, slots, loses=loses)
    try:
        yield platform
    finally:
        platform.close()


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Whether something becomes true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
