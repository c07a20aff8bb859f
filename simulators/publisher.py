"""An MQTT 5 publisher that knows, message by message, whether the broker took responsibility."""

from __future__ import annotations

import queue
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from core.errors import BrokerAway, PilotbedError
from core.settings import settings
from core.tls import client_context
from simulators.login import Login as Login
from simulators.login import LoginRefused, PublishRefused, SubscriptionRefused, TakenOver

_NO_SUBSCRIBER: Final = 0x10
_FIRST_FAILURE: Final = 0x80
_NOT_AUTHORIZED: Final = 0x87
_BAD_USER: Final = 0x86
_TAKEN_OVER: Final = 0x8E
_MOST_IN_FLIGHT: Final = 65_535
_BRIEF_S: Final = 3.0
_BRIEF_AT_MOST: Final = 5
"""So many connections in a row that last no longer: somebody else uses the credential."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Will:
    """What the broker says for a client whose connection breaks, at QoS 1."""

    topic: str
    payload: bytes
    retain: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Ear:
    """What a publisher hears beside publishing: each payload on a topic is told in the thread that uses the publisher."""

    topic: str
    heard: Callable[[bytes], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Acknowledged:
    mid: int
    code: ReasonCode


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    payload: bytes


class _InFlight(NamedTuple):
    topic: str
    again: bool
    qos: int


class _Cut(NamedTuple):
    """The connection broke: what was handed over at QoS 0 and is not written yet never will be."""


class Publisher:
    """Publishes with a bounded number of messages in flight, at QoS 1 if not told otherwise; one thread uses it.

    A lost connection is taken up again with a growing delay (one second to fifteen), and what was not acknowledged is sent
    again: the broker may then have it twice. A credential that is refused, a topic that is denied and a second client with
    the same credential end it with an error at the next call. A message at QoS 0 waits for a connection; whether it arrives
    nobody says.

    :param window: messages in flight at the most; the broker's own Receive Maximum where that is less.
    :param will: asked for before each connect.
    :param greetings: retained messages to publish at each connect, asked for anew each time.
    :param patience_s: how long it waits for an acknowledgement before it gives up; None waits for ever.
    :param ear: a topic to subscribe to at each connect.
    """

    def __init__(
        self,
        login: Login,
        *,
        window: int = 500,
        will: Callable[[], Will | None] | None = None,
        greetings: Callable[[], Sequence[tuple[str, bytes]]] | None = None,
        patience_s: float | None = 60.0,
        ear: Ear | None = None,
    ) -> None:
        self.login = login
        self.sent = 0
        """Without repetitions; so is ``acknowledged``."""
        self.acknowledged = 0
        self.unconfirmed = 0
        """Sent at QoS 0, which nobody acknowledges."""
        self.unheard = 0
        """Acknowledged by the broker, but nobody had subscribed: gone."""
        self.connections = 0
        self._limit = self._window = window
        self._greetings = greetings or (lambda: ())
        self._patience_s = patience_s
        self._ear = ear
        self._answers = 0
        self._in_flight: dict[int, _InFlight] = {}
        self._happened: queue.SimpleQueue[_Acknowledged | _Heard | _Cut | PilotbedError | None] = queue.SimpleQueue()
        self._failure: PilotbedError | None = None
        self._connected_at = 0.0
        self._brief_connections = 0
        self._client = self._made(will)

    def connect(self, *, timeout_s: float = 10.0) -> None:
        """Log in.

        :raises BrokerAway: nobody answers there.
        :raises LoginRefused: the credential is not known.
        """
        try:
            self._client.connect(self.login.host, self.login.port, keepalive=30, clean_start=True)
        except (OSError, ValueError) as error:
            raise BrokerAway(
                f"No broker answers at {self.login.host}:{self.login.port} ({error}). Start the platform (pilotbed up), or"
                " correct the address in the credential file."
            ) from error
        self._client.loop_start()
        end = time.monotonic() + timeout_s
        while self.connections == 0:
            self._take(end - time.monotonic())
            if time.monotonic() > end:
                self.abandon()
                raise BrokerAway(f"{self.login.broker} does not answer a login within {timeout_s:.0f} s.")

    @property
    def connected(self) -> bool:
        """Whether the connection stands just now."""
        return self._client.is_connected()

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, again: bool = False) -> None:
        """Hand over a message; waits while the window is full, at QoS 0 also while there is no connection.

        :param again: it was handed over before, and counts once.
        :raises PublishRefused: the broker refused this or an earlier message.
        :raises BrokerAway: no acknowledgement came for ``patience_s``.
        """
        self._take_all()
        self._wait_until(lambda: not self.full and (qos > 0 or self.connected), self._patience_s)
        info = self._client.publish(topic, payload, qos=qos, retain=retain)
        if info.rc not in (mqtt.MQTT_ERR_SUCCESS, mqtt.MQTT_ERR_NO_CONN):
            raise BrokerAway(f"A message to {topic!r} could not be queued: {mqtt.error_string(info.rc)}")
        if qos or info.rc == mqtt.MQTT_ERR_SUCCESS:
            self._in_flight[info.mid] = _InFlight(topic, again, qos)
        self.sent += not again
        self.unconfirmed += not again and not qos

    @property
    def full(self) -> bool:
        """Whether the next :meth:`publish` would wait."""
        return len(self._in_flight) >= self._limit

    def flush(self, *, patience_s: float | None = None) -> None:
        """Wait until everything is acknowledged; what is at QoS 0, until it is written.

        :param patience_s: in place of the publisher's own.
        :raises PublishRefused: the broker refused a message.
        :raises BrokerAway: no acknowledgement came for so long.
        """
        self._wait_until(lambda: not self._in_flight, patience_s or self._patience_s)

    def wait(self, seconds: float) -> None:
        """Let time pass, and raise what has gone wrong meanwhile."""
        end = time.monotonic() + seconds
        self._take_all()
        while (left := end - time.monotonic()) > 0:
            self._take(left)

    def close(self) -> None:
        """Take leave of the broker, which then does not speak the will."""
        self._client.disconnect()
        self._client.loop_stop()

    def abandon(self) -> None:
        """Cut the connection without a word: the broker speaks the will."""
        connected: Any = self._client.socket()
        if connected is not None:
            connected.shutdown(socket.SHUT_RDWR)
        self._client.loop_stop()

    def __enter__(self) -> Publisher:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _made(self, will: Callable[[], Will | None] | None) -> mqtt.Client:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=self.login.username, protocol=mqtt.MQTTv5)
        client.username_pw_set(self.login.username, self.login.password)
        client.max_inflight_messages_set(0)  # the window is ours; paho knows no Receive Maximum
        client.reconnect_delay_set(min_delay=1, max_delay=15)
        if self.login.tls:
            client.tls_set_context(client_context(settings()))
        if will is not None:
            client.on_pre_connect = lambda client, _data: _set_will(client, will())
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_publish = self._published
        client.on_subscribe = self._subscribed
        client.on_message = lambda _client, _data, message: self._happened.put(_Heard(payload=bytes(message.payload)))
        return client

    # The next four run in paho's own thread: they only hand over to the queue.

    def _connected(
        self, client: mqtt.Client, _data: Any, _flags: Any, code: ReasonCode, properties: Properties | None
    ) -> None:
        if code.value in (_NOT_AUTHORIZED, _BAD_USER):
            self._happened.put(LoginRefused(self.login, code))
            client.disconnect()
            return
        if code.is_failure:
            return  # paho tries again, with a growing delay
        greetings = self._greetings()
        room = getattr(properties, "ReceiveMaximum", _MOST_IN_FLIGHT) - len(greetings)
        self._limit = max(1, min(self._window, room))
        self.connections += 1
        self._connected_at = time.monotonic()
        if self._ear is not None:
            client.subscribe(self._ear.topic, qos=1)
        for topic, payload in greetings:
            client.publish(topic, payload, qos=1, retain=True)
        self._happened.put(None)

    def _disconnected(
        self, client: mqtt.Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Properties | None
    ) -> None:
        # Mosquitto 2.0 cuts the older of two clients with one credential without a word; both would take turns for ever.
        brief = code.is_failure and time.monotonic() - self._connected_at < _BRIEF_S
        self._brief_connections = self._brief_connections + 1 if brief else 0
        self._happened.put(_Cut())
        if code.value == _TAKEN_OVER or self._brief_connections >= _BRIEF_AT_MOST:
            self._happened.put(TakenOver(self.login))
            client.disconnect()

    def _published(self, _client: mqtt.Client, _data: Any, mid: int, code: ReasonCode, _properties: Properties) -> None:
        self._happened.put(_Acknowledged(mid=mid, code=code))

    def _subscribed(
        self, _client: mqtt.Client, _data: Any, _mid: int, codes: list[ReasonCode], _properties: Properties | None
    ) -> None:
        if self._ear is not None and codes[0].is_failure:
            self._happened.put(SubscriptionRefused(self.login, self._ear.topic, codes[0]))

    # From here on in the thread that uses the publisher.

    def _wait_until(self, reached: Callable[[], bool], patience_s: float | None) -> None:
        last, count = time.monotonic(), self._answers
        while not reached():
            self._take(0.5)
            now = time.monotonic()
            if self._answers != count:
                last, count = now, self._answers
            elif patience_s is not None and now - last > patience_s:
                raise BrokerAway(
                    f"{self.login.broker} has acknowledged nothing for {patience_s:.0f} s;"
                    f" {len(self._in_flight)} messages of {self.login.username!r} are open. Look after it, then start again."
                )

    def _take_all(self) -> None:
        while not self._happened.empty():
            self._take(0)

    def _take(self, timeout_s: float) -> None:
        """Take in one thing that happened, if one does in time."""
        if self._failure is not None:
            raise self._failure
        try:
            happened = self._happened.get(timeout=max(0.0, timeout_s)) if timeout_s > 0 else self._happened.get_nowait()
        except queue.Empty:
            return
        if isinstance(happened, PilotbedError):
            self._fail(happened)
        elif isinstance(happened, _Heard):
            if self._ear is not None:
                self._ear.heard(happened.payload)
        elif isinstance(happened, _Cut):
            self._in_flight = {mid: message for mid, message in self._in_flight.items() if message.qos}
        elif happened is not None:
            self._settle(happened)

    def _settle(self, answer: _Acknowledged) -> None:
        # Everything of ours is in _in_flight by now: what is not there is a greeting, published by the other thread.
        message = self._in_flight.pop(answer.mid, None)
        if answer.code.value >= _FIRST_FAILURE:
            where = "its status topic" if message is None else repr(message.topic)
            self._fail(PublishRefused(self.login, where, code=answer.code))
        if message is not None:
            self._answers += 1
        if message is not None and message.qos and not message.again:
            self.acknowledged += 1
            self.unheard += answer.code.value == _NO_SUBSCRIBER

    def _fail(self, failure: PilotbedError) -> None:
        self._failure = failure
        raise failure


def _set_will(client: mqtt.Client, will: Will | None) -> None:
    if will is not None:
        client.will_set(will.topic, will.payload, qos=1, retain=will.retain)
