"""Two collectors of one group, receipts to senders that number their messages, and limits: through a real broker."""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from core.database import Connection
from core.errors import PermanentError
from devices.access import BrokerUser
from devices.credentials import password_record
from ingest import reasons
from ingest.collector import Collector
from pilotbed.stack.account import temporary_folder
from pilotbed.stack.broker_tls import Tls
from pilotbed.stack.mosquitto import Mosquitto
from tests.certificates import Authority
from tests.collecting import Device, apply, collecting, count, device, now_ms, settings_for, wait_for

_SECRET = "secret"
_START_MS = now_ms(-3600)


@pytest.fixture
def server() -> Iterator[Mosquitto]:
    with temporary_folder("pilotbed-test-") as folder:
        broker = Mosquitto(folder / "mosquitto", collectors=("collector-1", "collector-2"))
        record = password_record(_SECRET)
        broker.write_users(
            [
                BrokerUser(username="device", password=record, publish=("#",), subscribe=()),
                BrokerUser(username="other", password=record, publish=("#",), subscribe=()),
                BrokerUser(username="listener", password=record, publish=(), subscribe=("pilots/+/+/receipt",)),
            ]
        )
        broker.start()
        try:
            yield broker
        finally:
            broker.stop()


def numbered(seq: int, boot: str | None = "b1", **values: Any) -> dict[str, Any]:
    said = {"ts": _START_MS + seq, "values": values or {"pm25": seq}, "seq": seq}
    return said if boot is None else said | {"boot": boot}


@contextmanager
def receipts(server: Mosquitto) -> Iterator[queue.SimpleQueue[tuple[str, dict[str, Any]]]]:
    """What is said on receipt topics, from now on."""
    said: queue.SimpleQueue[tuple[str, dict[str, Any]]] = queue.SimpleQueue()
    ready: queue.SimpleQueue[None] = queue.SimpleQueue()
    parts = urlsplit(server.url)
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="listener", protocol=mqtt.MQTTv5)
    client.username_pw_set("listener", _SECRET)
    client.on_message = lambda _c, _d, message: said.put((message.topic, json.loads(message.payload)))
    client.on_subscribe = lambda *_: ready.put(None)
    client.connect(parts.hostname or "", parts.port or 0)
    client.subscribe("pilots/+/+/receipt", qos=1)
    client.loop_start()
    ready.get(timeout=10)
    try:
        yield said
    finally:
        client.disconnect()
        client.loop_stop()


def latest(said: queue.SimpleQueue[tuple[str, dict[str, Any]]], wanted: Any, within_s: float = 10.0) -> dict[str, Any]:
    """The first receipt of which something is true."""
    end = time.monotonic() + within_s
    seen = []
    while time.monotonic() < end:
        try:
            _, one = said.get(timeout=0.2)
        except queue.Empty:
            continue
        seen.append(one)
        if wanted(one):
            return one
    raise AssertionError(f"no such receipt among {seen}")


def test_a_sender_is_told_what_is_committed_and_what_is_missing(
    connection: Connection, database_url: str, server: Mosquitto, pilot: str
) -> None:
    slots = "".join(
        f"  {name}:\n    device: {{serial: '{name}'}}\n    connection: gw\n"
        "    channels: {pm25: {unit: ug/m^3, period: 10 s}}\n"
        for name in ("s1", "s2")
    )
    apply(connection, pilot, connections="{gw: {}}", slots=slots)
    with (
        receipts(server) as said,
        collecting(database_url, server.collector_url(), "collector-1"),
        device(server.url_of("device", _SECRET)) as sender,
    ):
        for seq in (1, 2, 5):
            sender.say(f"pilots/{pilot}/s{1 + seq % 2}/readings", numbered(seq))
        first = latest(said, lambda one: one["through"] == 5 and one["stored"] == 3)
        assert (first["boot"], first["first"], first["missing"]) == ("b1", 1, [[3, 4]])
        # Nothing that a receipt tells of is still on its way to the store.
        assert count(connection, "reading") == 3
        sender.say(f"pilots/{pilot}/s1/readings", [numbered(3), {"ts": _START_MS + 900, "values": {"pm25": 9}}])
        sender.say(f"pilots/{pilot}/s1/status", {"state": "online", "at": _START_MS, "seq": 4, "boot": "b1"})
        assert latest(said, lambda one: one["stored"] == 5)["missing"] == []
        sender.say(f"pilots/{pilot}/s1/readings", numbered(3))
        again = latest(said, lambda one: one["at"] > first["at"] and one["stored"] == 5)
        assert again["through"] == 5
        heard_on = set()
        while len(heard_on) < 2:
            sender.say(f"pilots/{pilot}/s1/readings", numbered(5))
            heard_on.add(said.get(timeout=5)[0])
        assert heard_on == {f"pilots/{pilot}/s1/receipt", f"pilots/{pilot}/s2/receipt"}


def test_a_poisonous_message_has_its_receipt_too(
    connection: Connection, database_url: str, server: Mosquitto, pilot: str
) -> None:
    apply(connection, pilot)
    with (
        receipts(server) as said,
        collecting(database_url, server.collector_url(), "collector-1", max_payload_bytes=2000),
        device(server.url_of("device", _SECRET)) as sender,
    ):
        sender.say(f"pilots/{pilot}/s1/readings", b'{"seq": 1, "boot": "b1", "values": {"pm25": nan')
        sender.say(f"pilots/{pilot}/s1/readings", numbered(2) | {"note": "x" * 5000})
        sender.say(f"pilots/{pilot}/s1/readings", numbered(3, unheard_of=1))
        sender.say(f"pilots/{pilot}/s1/readings", numbered(4, pm25="warm"))
        found = latest(said, lambda one: one["stored"] == 4)
        assert found["missing"] == []
    assert count(connection, "quarantine") == 3 and count(connection, "rejection") == 1


def test_of_two_collectors_one_dies_and_comes_back(
    connection: Connection, database_url: str, server: Mosquitto, pilot: str
) -> None:
    apply(connection, pilot)
    n = 3000
    topic = f"pilots/{pilot}/s1/readings"

    def member(name: str) -> Any:
        return collecting(database_url, server.collector_url(name), name, shared_group="all", batch_messages=50)

    with device(server.url_of("device", _SECRET)) as sender, member("collector-1"):
        with member("collector-2"):
            for seq in range(1, n // 2 + 1):
                sender.say(topic, numbered(seq))
            wait_for(lambda: count(connection, "intake_batch") == 2, what="both to commit")
        for seq in range(n // 2 + 1, n + 1):
            sender.say(topic, numbered(seq))
        sender.finish(n)
        time.sleep(1.0)
        # The share of the one that is away waits for it.
        waiting = n - count(connection, "reading")
        assert waiting > n // 5
        with member("collector-2"):
            wait_for(lambda: count(connection, "reading") == n, what="its share to arrive", within_s=30)
    row = connection.execute("SELECT sum(upper(span) - lower(span)) AS sent, bool_and(received = int8multirange(span)) AS all"
                             " FROM sequence").fetchone()  # fmt: skip
    assert row == {"sent": n, "all": True}


def test_a_collector_that_leaves_for_good_takes_its_share_with_it(
    connection: Connection, database_url: str, server: Mosquitto, pilot: str
) -> None:
    apply(connection, pilot)
    topic = f"pilots/{pilot}/s1/readings"
    with device(server.url_of("device", _SECRET)) as sender:
        with (
            collecting(database_url, server.collector_url("collector-1"), "collector-1", shared_group="all"),
            collecting(database_url, server.collector_url("collector-2"), "collector-2", shared_group="all"),
        ):
            pass
        for seq in range(1, 1001):
            sender.say(topic, numbered(seq))
        sender.finish(1000)
        with collecting(
            database_url, server.collector_url("collector-2"), "collector-2", shared_group="all", drain=True,
            until_listening=False,
        ) as leaving:  # fmt: skip
            wait_for(lambda: leaving.ended, what="it to have drained its queue", within_s=30)
        of_it = count(connection, "reading")
        assert 200 < of_it < 800
        with collecting(database_url, server.collector_url("collector-1"), "collector-1", shared_group="all"):
            for seq in range(1001, 2001):
                sender.say(topic, numbered(seq))
            wait_for(lambda: count(connection, "reading") == 2000, what="everything to come to the one that is left")


_SLOTS = "".join(
    f"  {name}:\n    device: {{serial: '{name}'}}\n    channels: {{pm25: {{unit: ug/m^3, period: 10 s}}}}\n"
    for name in ("s1", "s2", "s3", "s4", "s5", "s6")
)


def _batches(connection: Connection) -> set[str]:
    return {row["collector"] for row in connection.execute("SELECT collector FROM intake_batch")}


def test_two_collectors_divide_the_connections_and_a_broker_that_restarts_loses_nothing(
    connection: Connection, database_url: str, server: Mosquitto, pilot: str
) -> None:
    apply(connection, pilot, slots=_SLOTS)

    def say(sender: Device, first: int, last: int) -> None:
        for seq in range(first, last + 1):
            sender.say(f"pilots/{pilot}/s{1 + seq % 6}/readings", numbered(seq))

    def member(number: int) -> Any:
        name = f"collector-{number}"
        return collecting(database_url, server.collector_url(name), name, collectors=2)

    with member(1), member(2):
        with device(server.url_of("device", _SECRET)) as sender:
            say(sender, 1, 600)
            wait_for(lambda: count(connection, "reading") == 600, what="everything")
        assert _batches(connection) == {"collector-1", "collector-2"}
        assert count(connection, "intake_slot", "duplicate > 0") == 0
    # Nobody is there when it comes back: what it takes now, it must hold for both.
    server.stop()
    server.start()
    with device(server.url_of("device", _SECRET)) as sender:
        say(sender, 601, 1200)
        sender.finish(600)
        with member(1), member(2):
            wait_for(lambda: count(connection, "reading") == 1200, what="what came meanwhile", within_s=30)
    assert count(connection, "intake_slot", "duplicate > 0") == 0


def test_a_collector_that_was_alone_gives_up_what_is_another_s_now(
    connection: Connection, database_url: str, server: Mosquitto, pilot: str
) -> None:
    apply(connection, pilot, slots=_SLOTS)
    with collecting(database_url, server.collector_url("collector-1"), "collector-1"):
        pass
    with (
        collecting(database_url, server.collector_url("collector-2"), "collector-2", collectors=2),
        collecting(database_url, server.collector_url("collector-1"), "collector-1", collectors=2),
        device(server.url_of("device", _SECRET)) as sender,
    ):
        time.sleep(0.5)  # until its UNSUBSCRIBE was carried out
        for seq in range(1, 301):
            sender.say(f"pilots/{pilot}/s{1 + seq % 6}/readings", numbered(seq))
        wait_for(lambda: count(connection, "reading") == 300, what="everything")
        time.sleep(0.5)
    assert count(connection, "intake_slot", "duplicate > 0") == 0
    assert count(connection, "intake_connection", "delivered <> committed") == 0


def test_a_collector_of_several_must_be_told_which_it_is(database_url: str, server: Mosquitto) -> None:
    with pytest.raises(PermanentError, match="collector-1 to collector-2"):
        Collector(
            database_url=database_url, broker_url=server.collector_url(), settings=settings_for("lonely", collectors=2)
        )


def test_a_flood_is_set_aside_beyond_its_rate_and_holds_up_nobody(
    connection: Connection, database_url: str, server: Mosquitto, pilot: str
) -> None:
    slots = "".join(
        f"  {name}:\n    device: {{serial: '{name}'}}\n    channels: {{pm25: {{unit: ug/m^3, period: 10 s}}}}\n"
        for name in ("s1", "s2")
    )
    apply(connection, pilot, slots=slots)
    with (
        collecting(database_url, server.collector_url(), "collector-1", max_messages_per_second=1.0),
        device(server.url_of("device", _SECRET)) as flood,
        device(server.url_of("other", _SECRET)) as quiet,
    ):
        for seq in range(1, 501):
            flood.say(f"pilots/{pilot}/s1/readings", numbered(seq))
        quiet.say(f"pilots/{pilot}/s2/readings", numbered(1))
        wait_for(lambda: count(connection, "quarantine") + count(connection, "reading") == 501, what="all of it")
    limited = count(connection, "quarantine", f"reason = '{reasons.RATE_LIMITED}'")
    assert 480 <= limited <= 490
    row = connection.execute(
        "SELECT bool_and(delivered = committed + quarantined) AS balanced, sum(delivered) AS delivered FROM intake_connection"
    ).fetchone()
    assert row == {"balanced": True, "delivered": 501}
    # Set aside or not, it was delivered: it need not be sent again.
    assert count(connection, "sequence", "received = int8multirange(span)") == 2


def test_over_tls_a_collector_takes_all_that_was_queued(
    connection: Connection, database_url: str, stack_folder: Path, tmp_path: Path, pilot: str
) -> None:
    apply(connection, pilot)
    authority = Authority(tmp_path)
    pair = authority.signed("server")
    broker = Mosquitto(stack_folder / "mosquitto", tls=Tls(certificate=pair.certificate, key=pair.key, client_ca=None))
    user = BrokerUser(username="device", password=password_record(_SECRET), publish=("#",), subscribe=())
    broker.write_users([user])
    broker.start()
    try:
        inner = broker.inner_url.replace("mqtt://", f"mqtt://device:{_SECRET}@")
        secret = broker.secret("collector-1")
        outside = f"mqtts://collector-1:{secret}@127.0.0.1:{broker.port}"
        with collecting(database_url, outside, "collector-1", mqtt_ca=authority.file):
            pass
        with device(inner) as sender:
            for seq in range(1, 2001):
                sender.say(f"pilots/{pilot}/s1/readings", numbered(seq))
            sender.finish(2000)
        with collecting(database_url, outside, "collector-1", mqtt_ca=authority.file):
            wait_for(lambda: count(connection, "reading") == 2000, what="all that was queued")
    finally:
        broker.stop()
