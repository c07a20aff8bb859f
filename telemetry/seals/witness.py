"""Witnesses outside: each seal and its statement go to the company, since the city holds both database and key.

Published on ``pilots/{pilot}/seal``, retained, so that a device that comes later finds the newest; and by mail where a server
is configured. What cannot be handed over now is handed over later, in its order.
"""

from __future__ import annotations

import json
import logging
import smtplib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from core.database import Connection
from core.errors import BrokerAway, PermanentError, PilotbedError, TransientError
from core.settings import Settings, settings
from core.sql import load
from core.tls import client_context
from telemetry.seals.store import Seal

_SQL = load("telemetry.seals", "store.sql")
_log = logging.getLogger(__name__)

FORMAT: Final = "pilotbed-seal-message/1"
_MOST_AT_ONCE: Final = 500
_MESSAGE_FIELDS: Final = (
    "number", "day", "interim", "head", "record", "signature", "statement", "statement_signature", "key",
)  # fmt: skip
_TIMEOUT_S: Final = 15.0


class MailAway(TransientError):
    """The mail server did not take a message."""


def topic(pilot: str) -> str:
    return f"pilots/{pilot}/seal"


def message(row: dict[str, Any]) -> bytes:
    """What is published of a seal. Record and statement stand in it as texts: their bytes are what is signed."""
    document = {
        "format": FORMAT,
        "pilot": row["pilot"],
        "number": row["number"],
        "day": row["day"].isoformat(),
        "interim": row["interim"],
        "head": row["head"],
        "record": bytes(row["record"]).decode(),
        "signature": bytes(row["signature"]).hex(),
        "statement": bytes(row["statement"]).decode(),
        "statement_signature": bytes(row["statement_signature"]).hex(),
        "key": row["key"],
        "public_key": bytes(row["public_key"]).hex(),
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def message_of(seal: Seal, public_key: bytes) -> bytes:
    """The same of a seal that was read."""
    row = {name: getattr(seal, name) for name in _MESSAGE_FIELDS}
    return message({**row, "pilot": seal.said.pilot, "public_key": public_key})


def publish_missing(connection: Connection, broker_url: str) -> int:
    """Publish every seal that was not yet.

    :param broker_url: with a user that may publish there (the registry's, which the jobs have).
    :returns: how many were.
    :raises BrokerAway: it does not answer; they are published later.
    :raises PermanentError: it does not let this user publish there.
    """
    rows = connection.execute(_SQL["unpublished"], {"most": _MOST_AT_ONCE}).fetchall()
    if not rows:
        return 0
    with _publisher(broker_url) as publish:
        for row in rows:
            publish(topic(row["pilot"]), message(row))
            connection.execute(_SQL["add_witness"], {"seal_id": row["seal_id"], "way": "mqtt"})
    return len(rows)


class _Publish:
    """One message at a time, each waited for."""

    def __init__(self, client: mqtt.Client, address: str) -> None:
        self._client = client
        self._address = address
        self._told = threading.Event()
        self._reason: Any = None
        client.on_publish = self._on_publish
        client.on_disconnect = self._on_disconnect

    def __call__(self, topic: str, payload: bytes) -> None:
        self._told.clear()
        self._reason = None
        self._client.publish(topic, payload, qos=1, retain=True)
        if not self._told.wait(_TIMEOUT_S) or self._reason is None:
            raise BrokerAway(
                f"The broker at {self._address} did not take a seal on {topic}: it is published again later."
            )
        if self._reason.is_failure:
            raise PermanentError(
                f"The broker at {self._address} does not let us publish on {topic}: {self._reason}; give the user of"
                " PILOTBED_MQTT_URL the right to publish on pilots/+/seal (`pilotbed broker-setup` writes it)."
            )

    def _on_disconnect(self, *_: Any) -> None:
        self._told.set()

    def _on_publish(self, _client: Any, _data: Any, _mid: int, reason: Any, _properties: Any) -> None:
        self._reason = reason
        self._told.set()


@contextmanager
def _publisher(url: str) -> Iterator[_Publish]:
    parts = urlsplit(url)
    tls = parts.scheme == "mqtts"
    host, port = parts.hostname or "", parts.port or (8883 if tls else 1883)
    address = f"{host}:{port}"
    user = unquote(parts.username or "")
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=user, protocol=mqtt.MQTTv5, reconnect_on_failure=False)
    client.username_pw_set(user, unquote(parts.password or ""))
    if tls:
        client.tls_set_context(client_context(settings()))
    let_in: list[Any] = []
    ready = threading.Event()

    def connected(_client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        let_in.append(reason)
        ready.set()

    client.on_connect = connected
    client.connect_timeout = _TIMEOUT_S
    try:
        client.connect(host, port, keepalive=30, clean_start=True)
    except (OSError, ValueError) as error:
        raise BrokerAway(f"No broker answers at {address} ({error}): seals are published later.") from error
    publish = _Publish(client, address)
    client.loop_start()
    try:
        if not ready.wait(_TIMEOUT_S):
            raise BrokerAway(f"The broker at {address} did not answer within {_TIMEOUT_S:.0f} s.")
        if let_in[0].is_failure:
            raise PermanentError(f"The broker at {address} does not let us in: {let_in[0]}; check PILOTBED_MQTT_URL.")
        yield publish
    finally:
        client.disconnect()
        client.loop_stop()


def mail_missing(connection: Connection, wanted: Settings) -> int:
    """Send the statement of every whole day that was not yet, where a mail server is configured.

    :returns: how many were.
    """
    if wanted.smtp_url is None:
        return 0
    rows = connection.execute(_SQL["unmailed"], {"most": _MOST_AT_ONCE}).fetchall()
    if not rows:
        return 0
    try:
        with _mail_server(wanted.smtp_url.get_secret_value()) as (server, sender, to):
            for row in rows:
                server.send_message(_mail(row, sender, to.format(company=row["company"], pilot=row["pilot"])))
                connection.execute(_SQL["add_witness"], {"seal_id": row["seal_id"], "way": "mail"})
    except (OSError, smtplib.SMTPException) as error:
        raise MailAway(f"The mail server of PILOTBED_SMTP_URL did not take a statement: {error}.") from error
    return len(rows)


def _mail(row: dict[str, Any], sender: str, to: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, to
    mail["Subject"] = f"[{row['pilot']}] 자료 봉인 {row['day']} · seal {row['number']}"
    mail.set_content(
        f"과제 {row['pilot']}, {row['day']} 수신분의 봉인입니다. 이 편지를 보관하면 나중에 자료가 바뀌지 않았음을"
        " 스스로 확인할 수 있습니다.\n"
        f"The seal of {row['pilot']} for {row['day']}. Whoever keeps this mail can check later that nothing was changed.\n\n"
        f"head {row['head']}\nkey  {row['key']}\n"
    )
    mail.add_attachment(message(row), maintype="application", subtype="json", filename=f"seal-{row['number']}.json")
    return mail


@contextmanager
def _mail_server(url: str) -> Iterator[tuple[smtplib.SMTP, str, str]]:
    parts = urlsplit(url)
    asked = parse_qs(parts.query)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or not {"from", "to"} <= asked.keys():
        raise PermanentError(
            "PILOTBED_SMTP_URL is not usable: write it as smtp://user:password@host:port?from=seals@city&to={company}@city."
        )
    context = ssl.create_default_context()
    port = parts.port or (465 if parts.scheme == "smtps" else 25)
    server = (
        smtplib.SMTP_SSL(parts.hostname, port, timeout=_TIMEOUT_S, context=context)
        if parts.scheme == "smtps"
        else smtplib.SMTP(parts.hostname, port, timeout=_TIMEOUT_S)
    )
    with server:
        if parts.username:
            if parts.scheme == "smtp":
                server.starttls(context=context)
            server.login(unquote(parts.username), unquote(parts.password or ""))
        yield server, asked["from"][0], asked["to"][0]


def hand_over(connection: Connection, broker_url: str | None, wanted: Settings) -> int:
    """Whatever can be handed over now; what cannot is said in the log, and tried again."""
    done = 0
    for way in ("mqtt", "mail"):
        try:
            if way == "mail":
                done += mail_missing(connection, wanted)
            elif broker_url is not None:
                done += publish_missing(connection, broker_url)
        except PilotbedError as problem:
            _log.warning("seals_not_handed_over way=%s, tried again later: %s", way, problem)
    return done
