"""What users of other platforms report as their wounds, each as a test of this one. The reports are named where they stand."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from psycopg import sql

from core.database import Connection, connect
from devices.access import BrokerUser
from devices.credentials import password_record
from ingest import reasons
from pilotbed.stack.account import temporary_folder
from pilotbed.stack.mosquitto import Mosquitto
from telemetry import intake
from tests.collecting import Proxy, apply, collecting, count, device, now_ms, wait_for

_SECRET = "secret"
_START_MS = now_ms(-3600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A broker with a device that may publish anywhere."""

    broker: Mosquitto

    @property
    def collector_url(self) -> str:
        return self.broker.collector_url()

    @property
    def device_url(self) -> str:
        return self.broker.url_of("device", _SECRET)


@pytest.fixture
def site() -> Iterator[Site]:
    with temporary_folder("pilotbed-test-") as folder:
        broker = Mosquitto(folder / "mosquitto")
        user = BrokerUser(username="device", password=password_record(_SECRET), publish=("#",), subscribe=())
        broker.write_users([user])
        broker.start()
        try:
            yield Site(broker=broker)
        finally:
            broker.stop()


def reading(number: int, **values: Any) -> dict[str, Any]:
    return {"ts": _START_MS + number, "values": values or {"pm25": number}}


def stored(connection: Connection) -> list[tuple[datetime, float]]:
    rows = connection.execute("SELECT observed_at, value FROM reading ORDER BY observed_at").fetchall()
    return [(row["observed_at"], row["value"]) for row in rows]


def test_1_a_thousand_were_acknowledged_and_a_thousand_are_saved(
    connection: Connection, database_url: str, site: Site, pilot: str
) -> None:
    """thingsboard 6492: a thousand messages acknowledged, two hundred saved, for the broker's ack came before the store's."""
    apply(connection, pilot)
    topic = f"pilots/{pilot}/s1/readings"
    with Proxy(database_url) as proxy, device(site.device_url) as sender:
        with collecting(proxy.url, site.collector_url, "collector-1"):
            for number in range(200):
                sender.say(topic, reading(number))
            wait_for(lambda: count(connection, "reading") > 0, what="the first readings")
            proxy.cut()
            for number in range(200, 1000):
                sender.say(topic, reading(number))
            sender.finish(1000)
        # The collector has gone too, with all that it held.
        assert count(connection, "reading") < 1000
        with collecting(database_url, site.collector_url, "collector-1"):
            wait_for(lambda: count(connection, "reading") == 1000, what="a thousand readings")
    assert [value for _, value in stored(connection)] == [float(number) for number in range(1000)]


def test_2_nothing_is_acknowledged_and_dropped_for_an_error(
    connection: Connection, database_url: str, site: Site, pilot: str
) -> None:
    """iotagent-json 521: subscribed at QoS 0. Telegraf: a parse error is acknowledged and lost; a permanent database error
    drops the sub-batch and returns success."""
    apply(connection, pilot)
    topic = f"pilots/{pilot}/s1/readings"
    connection.execute("ALTER TABLE reading ADD CONSTRAINT never CHECK (value <> 13)")
    with collecting(database_url, site.collector_url, "collector-1"):
        pass
    with device(site.device_url) as sender:
        # Nobody listens: at QoS 0 these would be gone.
        for number in range(20):
            sender.say(topic, reading(number))
        sender.say(topic, b"{no json}")
        sender.finish(21)
        with collecting(database_url, site.collector_url, "collector-1"):
            wait_for(lambda: count(connection, "reading") == 19, what="all but the one that the store refuses")
            wait_for(lambda: count(connection, "quarantine") == 2, what="what could not be taken")
    kept = connection.execute("SELECT reason, payload FROM quarantine ORDER BY reason").fetchall()
    assert [(row["reason"], bytes(row["payload"])[:9]) for row in kept] == [
        (reasons.NOT_JSON, b"{no json}"), (reasons.REFUSED_BY_STORE, b'{"ts": 17'),
    ]  # fmt: skip


def test_3_backfilling_makes_no_duplicates_and_the_first_value_stays(
    connection: Connection, database_url: str, site: Site, pilot: str
) -> None:
    """quantumleap 336: backfilling a gap creates duplicates. thingsboard 12160: the same instant with two values gives a sum of
    both. Last write wins everywhere, so evidence is overwritten."""
    apply(connection, pilot)
    topic = f"pilots/{pilot}/s1/readings"
    with collecting(database_url, site.collector_url, "collector-1"), device(site.device_url) as sender:
        for number in (*range(10), *range(15, 20)):
            sender.say(topic, reading(number))
        sender.say(topic, [reading(number) for number in range(20)])
        sender.say(topic, reading(3, pm25=99))
        wait_for(lambda: count(connection, "conflict") == 1, what="the other value")
    assert [value for _, value in stored(connection)] == [float(number) for number in range(20)]
    (other,) = intake.conflicts(connection, pilot)
    assert (other["value"], other["stored_value"]) == (99.0, 3.0)
    row = connection.execute("SELECT decoded, stored, duplicate, conflict, rejected FROM intake_slot").fetchone()
    assert row == {"decoded": 36, "stored": 20, "duplicate": 15, "conflict": 1, "rejected": 0}


def test_4_no_time_is_replaced_and_stale_data_never_look_fresh(
    connection: Connection, database_url: str, site: Site, pilot: str
) -> None:
    """openremote: future timestamps silently replaced by server time. thingsboard 13665: readings dated 2036 accepted.
    thingsboard-gateway 2119: a resend overwrites the original time, so stale data look fresh."""
    apply(connection, pilot)
    topic = f"pilots/{pilot}/s1/readings"
    far = int(datetime(2036, 1, 1, tzinfo=UTC).timestamp() * 1000)
    with collecting(database_url, site.collector_url, "collector-1"), device(site.device_url) as sender:
        sender.say(topic, {"ts": far, "values": {"pm25": 7}})
        sender.say(topic, reading(1))
        wait_for(lambda: count(connection, "reading") == 1, what="the one that is of now")
        first = connection.execute("SELECT observed_at, received_at FROM reading").fetchone()
        sender.say(topic, reading(1))
        wait_for(lambda: count(connection, "intake_slot", "duplicate = 1"), what="the resend to be recognised")
    assert connection.execute("SELECT observed_at, received_at FROM reading").fetchone() == first
    (refused,) = intake.rejected(connection, pilot)
    assert (refused["reason"], refused["observed"], refused["value"]) == (reasons.IN_FUTURE, str(far), "7")


def test_5_which_messages_were_dropped_is_answered(
    connection: Connection, database_url: str, site: Site, pilot: str
) -> None:
    """thingsboard 15685: "which messages did you drop?" cannot be answered. smartcitizen 238: received against expected, and
    the delay between reading and receipt."""
    apply(connection, pilot)
    topic = f"pilots/{pilot}/s1/readings"
    with collecting(database_url, site.collector_url, "collector-1"), device(site.device_url) as sender:
        for seq in (1, 2, 3, 6, 7):
            said = {"ts": now_ms(-60.0), "values": {"pm25": seq}, "seq": seq, "boot": "b1"}
            sender.say(topic, said)
            time.sleep(0.02)
        sender.say(topic, b"[" * 9)
        wait_for(lambda: count(connection, "quarantine") == 1, what="all of it")
    found = intake.account(connection, pilot, datetime.now(ZoneInfo("Asia/Seoul")).date())
    (sender_day,), (slot,) = found.connections, found.slots
    assert (sender_day.delivered, sender_day.committed, sender_day.quarantined) == (6, 5, 1)
    (numbers,) = sender_day.numbers
    assert (numbers.sent, numbers.distinct, numbers.missing) == (7, 5, 2)
    assert list(numbers.missing_ranges) == [(4, 5)]
    assert slot.stored == 5 and slot.expected > 5
    assert slot.timing is not None and slot.timing.delay is not None
    assert 60.0 <= slot.timing.delay.p50_s < 75.0


def test_a_database_that_is_read_only_for_a_while_costs_nothing(
    connection: Connection, database_url: str, site: Site, pilot: str
) -> None:
    apply(connection, pilot)
    topic = f"pilots/{pilot}/s1/readings"
    alter = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}").format
    name = sql.Identifier(connection.info.dbname)
    with collecting(database_url, site.collector_url, "collector-1"), device(site.device_url) as sender:
        for number in range(50):
            sender.say(topic, reading(number))
        wait_for(lambda: count(connection, "reading") == 50, what="the first readings")
        connection.execute(alter(name, sql.Literal("on")))
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        for number in range(50, 150):
            sender.say(topic, reading(number))
        sender.finish(150)
        time.sleep(1.0)
        assert count(connection, "reading") == 50
        with connect(database_url) as healer:
            healer.execute("SET default_transaction_read_only = off")
            healer.execute(alter(name, sql.Literal("off")))
        wait_for(lambda: count(connection, "reading") == 150, what="what came meanwhile", within_s=30)
    assert count(connection, "intake_connection", "delivered = 150 AND committed = 150") == 1
