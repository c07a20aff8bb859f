"""Mosquitto's dynamic security plugin over its control topic: one command, one answer, each waited for.

Commands go singly: 1,800 in one message stall the broker for seconds.
"""

from __future__ import annotations

import json
import queue
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from core.errors import BrokerAway, PermanentError
from core.settings import settings
from core.tls import client_context

CONTROL_TOPIC: Final = "$CONTROL/dynamic-security/v1"
RESPONSE_TOPIC: Final = f"{CONTROL_TOPIC}/response"
_NOT_AUTHORIZED: Final = (0x86, 0x87)
_AGAIN_S: Final = 0.1


class Refused(PermanentError):
    """The plugin did not carry out a command; ``reason`` is its own word for why."""

    def __init__(self, command: str, about: str, reason: str) -> None:
        super().__init__(f"The broker refused {command} of {about or 'all'}: {reason}.")
        self.reason = reason

    @property
    def unknown(self) -> bool:
        """Whether the user or role is not there."""
        return self.reason.endswith(("not found", "does not exist"))

    @property
    def known(self) -> bool:
        """Whether the user or role is there already."""
        return self.reason.endswith("already exists")


class Control:
    """The control topic, as the registry's own user. Use it in a ``with`` block, from one thread.

    A user has one connection at a time, so whoever else comes under this one, such as a command while the jobs compare,
    cuts us off. We then come back and ask again: every command of ours may be repeated.
    """

    def __init__(self, url: str, *, timeout_s: float = 10.0) -> None:
        """
        :param url: ``mqtt://user:password@host:port``, or ``mqtts`` for TLS by the settings (:mod:`core.tls`).
        :raises PermanentError: it is no such URL; the message does not repeat it, for the secret in it.
        """
        parts = _parts(url)
        self._login = _Login(
            host=parts.hostname or "",
            port=parts.port or (8883 if parts.scheme == "mqtts" else 1883),
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            tls=parts.scheme == "mqtts",
        )
        self._timeout_s = timeout_s
        self._session: _Session | None = None
        self._count = 0

    @property
    def address(self) -> str:
        """Where the broker is, without a secret."""
        return self._login.address

    def __enter__(self) -> Control:
        """
        :raises BrokerAway: nobody answers there in time.
        :raises PermanentError: the broker does not let us in, or has no dynamic security for us.
        """
        self._open(time.monotonic() + self._timeout_s)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def ask(self, command: str, about: str = "", **arguments: Any) -> dict[str, Any]:
        """Send one command and wait for its answer.

        :param about: which user, for the message if it is refused.
        :returns: the answer's ``data``.
        :raises Refused: the plugin did not carry it out.
        :raises BrokerAway: no answer in time. Whether it was carried out is not known: every command of ours may be repeated.
        """
        self._count += 1
        mark = str(self._count)
        text = json.dumps({"commands": [{"command": command, "correlationData": mark, **arguments}]})
        end = time.monotonic() + self._timeout_s
        while True:
            if self._session is None:
                self._open(end)
            assert self._session is not None
            try:
                answer = self._session.answer(text, mark, end)
                break
            except _CutOff:
                self._close()
            except queue.Empty:
                raise BrokerAway(
                    f"The broker at {self.address} did not answer {command} within {self._timeout_s:.0f} s: try again."
                ) from None
        if "error" in answer:
            raise Refused(command, about, str(answer["error"]))
        data = answer.get("data", {})
        return data if isinstance(data, dict) else {}

    def _open(self, end: float) -> None:
        while True:
            self._session = _Session(self._login, self._timeout_s)
            try:
                self._session.open(end)
            except _CutOff:
                self._close()
                if time.monotonic() > end - _AGAIN_S:
                    raise BrokerAway(f"The broker at {self.address} closed the connection: try again.") from None
                time.sleep(_AGAIN_S)
            except BaseException:
                self._close()
                raise
            else:
                return

    def _close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Login:
    host: str
    port: int
    username: str
    password: str = field(repr=False)
    tls: bool

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"


class _CutOff(Exception):
    """The connection ended before the answer came."""


class _Session:
    """One connection to the control topic."""

    def __init__(self, login: _Login, timeout_s: float) -> None:
        self._login = login
        self._timeout_s = timeout_s
        self._answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._ready: queue.SimpleQueue[ReasonCode | None] = queue.SimpleQueue()
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=login.username, protocol=mqtt.MQTTv5, reconnect_on_failure=False
        )
        self._client.username_pw_set(login.username, login.password)
        if login.tls:
            self._client.tls_set_context(client_context(settings()))
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.on_disconnect = self._on_disconnect

    def open(self, end: float) -> None:
        """Log in, and hear answers.

        :raises _CutOff: the connection ended.
        :raises BrokerAway: nobody answers.
        :raises PermanentError: we are not let in, or may not administer.
        """
        self._client.connect_timeout = self._timeout_s
        try:
            self._client.connect(self._login.host, self._login.port, keepalive=30, clean_start=True)
        except (OSError, ValueError) as error:
            raise BrokerAway(
                f"No broker answers at {self._login.address} ({error}): start it, or correct PILOTBED_MQTT_URL."
            ) from error
        self._client.loop_start()
        for step in ("connect", "subscribe"):
            self._await(step, end)

    def answer(self, text: str, mark: str, end: float) -> dict[str, Any]:
        """Send a command, and wait for the answer of its mark.

        :raises _CutOff: the connection ended.
        :raises queue.Empty: there was none in time.
        """
        self._client.publish(CONTROL_TOPIC, text.encode(), qos=1)
        while True:
            found = self._answers.get(timeout=max(0.0, end - time.monotonic()))
            if found is None:
                raise _CutOff
            if found.get("correlationData") == mark:
                return found

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _await(self, step: str, end: float) -> None:
        try:
            code = self._ready.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            raise BrokerAway(
                f"The broker at {self._login.address} did not answer a {step} within {self._timeout_s:.0f} s: try again."
            ) from None
        if code is None:
            raise _CutOff
        if code.is_failure:
            hint = (
                "check the user and password of PILOTBED_MQTT_URL, and that it may administer dynamic security"
                if code.value in _NOT_AUTHORIZED
                else "see the broker's log"
            )
            raise PermanentError(f"The broker at {self._login.address} refused our {step}: {code}; {hint}.")

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        self._ready.put(code)
        if not code.is_failure:
            client.subscribe(RESPONSE_TOPIC, qos=1)

    def _on_subscribe(self, _client: Any, _data: Any, _mid: int, codes: list[ReasonCode], _properties: Any) -> None:
        self._ready.put(codes[0])

    def _on_message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        try:
            responses = json.loads(message.payload)["responses"]
        except (ValueError, KeyError, TypeError):
            return  # somebody else's; ours is still awaited, for a bounded time
        for answer in responses:
            self._answers.put(answer)

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, _code: Any, _properties: Any) -> None:
        self._ready.put(None)
        self._answers.put(None)


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("mqtt", "mqtts") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise PermanentError(
            "The broker's URL (PILOTBED_MQTT_URL) is not usable: write it as mqtt://user:password@host:port."
        )
    return parts
