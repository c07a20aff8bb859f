"""Seals handed to others: on the broker, to a time-stamping authority, by mail."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from pydantic import SecretStr

from core.database import Connection
from core.errors import BrokerAway, PermanentError
from core.settings import Settings
from devices.access import Access, heard
from devices.broker import Broker
from pilotbed.stack.mosquitto import Mosquitto
from telemetry.seals.close import seal_days
from telemetry.seals.signing import is_signed
from telemetry.seals.stamp import AuthorityAway, stamp_missing, stamped_at
from telemetry.seals.store import seals
from telemetry.seals.witness import MailAway, hand_over, mail_missing, publish_missing
from tests.collecting import wait_for
from tests.sealed import PILOT, START, Hall, hall
from tests.stamping import Authority, authority, openssl


@pytest.fixture
def sealed(connection: Connection, tmp_path: Path) -> Hall:
    return hall(connection, tmp_path)


# --- The broker


@contextmanager
def company(broker: Mosquitto, pilot: str) -> Iterator[list[mqtt.MQTTMessage]]:
    """A device of the company, which listens to its pilot's seals with its own credential."""
    user = f"{pilot}.지점-1"
    with Broker(broker.admin_url) as control:
        control.grant(Access(username=user, publish=(), subscribe=heard(pilot, ["지점-1"])), "a-secret")
    received: list[mqtt.MQTTMessage] = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=user, protocol=mqtt.MQTTv5)
    client.username_pw_set(user, "a-secret")
    client.on_connect = lambda *_: client.subscribe(f"pilots/{pilot}/seal", qos=1)
    client.on_message = lambda _client, _data, message: received.append(message)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    try:
        yield received
    finally:
        client.disconnect()
        client.loop_stop()
        with Broker(broker.admin_url) as control:
            control.withdraw(user)


def test_the_company_hears_each_seal_with_its_own_credential(sealed: Hall, broker: Mosquitto) -> None:
    assert publish_missing(sealed.connection, broker.admin_url) == 2
    assert publish_missing(sealed.connection, broker.admin_url) == 0
    with company(broker, PILOT) as received:
        # Whoever comes later finds the newest.
        wait_for(lambda: received, what="the retained seal")
        assert received[0].retain and json.loads(received[0].payload)["number"] == 2
        [third] = seal_days(sealed.connection, PILOT, sealed.sealer, closed=START + timedelta(days=3))
        assert publish_missing(sealed.connection, broker.admin_url) == 1
        wait_for(lambda: len(received) > 1, what="the next seal")
    said = json.loads(received[-1].payload)
    assert (said["number"], said["head"]) == (3, third.head)
    public = bytes.fromhex(said["public_key"])
    for part in ("record", "statement"):
        signature = said["signature" if part == "record" else "statement_signature"]
        assert is_signed(said[part].encode(), bytes.fromhex(signature), public)
    statement = json.loads(said["statement"])
    assert statement["seal"]["head"] == third.head
    assert [(one["connection"], one["through"]) for one in statement["last_numbers"]] == [("지점-1", "22")]


def test_the_statement_counts_the_day(sealed: Hall) -> None:
    statement = json.loads(sealed.seals[0].statement)
    [connection] = statement["connections"]
    assert (connection["delivered"], connection["committed"], connection["quarantined"]) == (12, 11, 1)
    [slot] = statement["slots"]
    assert slot == {"slot": "지점-1", "decoded": 364, "stored": 361, "duplicate": 0, "conflict": 2, "rejected": 1}


def test_a_broker_that_is_away_or_refuses_gets_them_later(sealed: Hall, broker: Mosquitto) -> None:
    parts = urlsplit(broker.admin_url)
    away = broker.admin_url.replace(str(parts.port), "1")
    with pytest.raises(BrokerAway, match="published later"):
        publish_missing(sealed.connection, away)
    with pytest.raises(PermanentError, match="does not let us in"):
        publish_missing(sealed.connection, broker.admin_url.replace(parts.password or "", "wrong"))
    assert hand_over(sealed.connection, away, Settings()) == 0
    assert publish_missing(sealed.connection, broker.admin_url) == 2


# --- The authority


@pytest.fixture
def stamping(tmp_path: Path) -> Iterator[Authority]:
    with authority(tmp_path / "authority") as found:
        yield found


def test_an_authority_stamps_what_it_missed_while_it_was_away(
    sealed: Hall, stamping: Authority, tmp_path: Path
) -> None:
    url, ca = stamping.url, stamping.root
    away = Settings(timestamp_url="http://127.0.0.1:9", timestamp_ca=ca)
    assert stamp_missing(sealed.connection, away) == 0
    assert [seal.stamped_at for seal in seals(sealed.connection, PILOT)] == [None, None]
    assert stamp_missing(sealed.connection, Settings()) == 0
    assert stamp_missing(sealed.connection, Settings(timestamp_url=url, timestamp_ca=ca)) == 2
    first, second = seals(sealed.connection, PILOT)
    assert first.stamped_at is not None and abs(first.stamped_at - datetime.now(UTC)) < timedelta(minutes=5)
    assert first.token is not None and second.token is not None and first.authority == url
    assert stamped_at(first.token, first.head, ca) == first.stamped_at
    with pytest.raises(AuthorityAway, match="not of the head"):
        stamped_at(second.token, first.head)
    # openssl, which is not ours, agrees.
    (tmp_path / "head").write_text(first.head)
    (tmp_path / "answer").write_bytes(first.token)
    said = openssl("ts", "-verify", "-data", f"{tmp_path}/head", "-in", f"{tmp_path}/answer", "-CAfile", str(ca))
    assert "Verification: OK" in said


def test_an_answer_by_another_authority_is_not_kept(sealed: Hall, stamping: Authority, tmp_path: Path) -> None:
    with authority(tmp_path / "other") as other:
        assert stamp_missing(sealed.connection, Settings(timestamp_url=stamping.url, timestamp_ca=other.root)) == 0
    assert stamping.root.exists() and seals(sealed.connection, PILOT)[0].token is None


def test_a_refusal_is_no_timestamp(sealed: Hall, tmp_path: Path) -> None:
    with authority(tmp_path / "picky", digests="sha256") as picky:
        assert stamp_missing(sealed.connection, Settings(timestamp_url=picky.url, timestamp_ca=picky.root)) == 0
    assert seals(sealed.connection, PILOT)[0].token is None


def test_a_broken_answer_is_never_more_than_no_timestamp(sealed: Hall, stamping: Authority) -> None:
    assert stamp_missing(sealed.connection, Settings(timestamp_url=stamping.url, timestamp_ca=stamping.root)) == 2
    first = seals(sealed.connection, PILOT)[0]
    assert first.token is not None
    for place in range(0, len(first.token), 7):
        with pytest.raises(AuthorityAway):
            stamped_at(first.token[:place], first.head, stamping.root)
        for bit in (1, 128):
            changed = bytearray(first.token)
            changed[place] ^= bit
            # Not all of an answer is signed: the status is not, nor are some tags. What is said must be as before.
            with suppress(AuthorityAway):
                assert stamped_at(bytes(changed), first.head, stamping.root) == first.stamped_at


# --- Mail


class Sink(socketserver.ThreadingTCPServer):
    """A mail server that takes everything."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        self.mails: list[tuple[str, bytes]] = []
        super().__init__(("127.0.0.1", 0), _Smtp)


class _Smtp(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"220 sink\r\n")
        to = ""
        for raw in self.rfile:
            word = raw.strip().decode().upper()
            if word.startswith("RCPT"):
                to = raw.decode().split("<")[1].split(">")[0]
            if word == "DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = []
                while (line := self.rfile.readline()) != b".\r\n":
                    lines.append(line)
                assert isinstance(self.server, Sink)
                self.server.mails.append((to, b"".join(lines)))
            self.wfile.write(b"221 bye\r\n" if word == "QUIT" else b"250 ok\r\n")
            if word == "QUIT":
                return


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)


def test_each_days_statement_is_mailed_once(sealed: Hall, sink: Sink) -> None:
    port = sink.server_address[1]
    url = f"smtp://127.0.0.1:{port}?from=seals@city.test&to={{company}}.{{pilot}}@firm.test"
    settings = Settings(smtp_url=SecretStr(url))
    assert mail_missing(sealed.connection, settings) == 2
    assert mail_missing(sealed.connection, settings) == 0
    assert [to for to, _ in sink.mails] == ["c.hall@firm.test"] * 2
    mail: Any = message_from_bytes(sink.mails[0][1], policy=policy.default)
    [attached] = mail.iter_attachments()
    said = json.loads(attached.get_content())
    assert said["head"] == sealed.seals[0].head in mail.get_body().get_content()
    assert is_signed(said["statement"].encode(), bytes.fromhex(said["statement_signature"]), sealed.sealer.key.public)


def test_a_mail_server_that_is_away_or_wrongly_named(sealed: Hall) -> None:
    with pytest.raises(MailAway, match="did not take a statement"):
        mail_missing(sealed.connection, Settings(smtp_url=SecretStr("smtp://127.0.0.1:9?from=a@b&to=c@d")))
    with pytest.raises(PermanentError, match="PILOTBED_SMTP_URL is not usable"):
        mail_missing(sealed.connection, Settings(smtp_url=SecretStr("smtp://127.0.0.1:9")))
    assert mail_missing(sealed.connection, Settings()) == 0
