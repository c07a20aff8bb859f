"""A collector between a real broker and a real database: what arrives, what is refused, what is set aside."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.database import Connection
from devices.registry import desired_clients
from ingest.quarantine import Wanted, quarantined
from ingest.replay import replay
from pilotbed.stack.account import temporary_folder
from pilotbed.stack.mosquitto import Mosquitto
from tests.collected import COLLECTORS, START_MS, Site, broker_for_anything, reading, stored, totals
from tests.collecting import apply, collecting, count, device, now_ms, wait_for


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Mosquitto, list[str]]]:
    with temporary_folder("pilotbed-test-") as folder, broker_for_anything(folder) as server:
        yield server, list(COLLECTORS)


@pytest.fixture
def site(shared: tuple[Mosquitto, list[str]]) -> Site:
    return Site(broker=shared[0], collector=shared[1].pop())


@pytest.fixture
def own_site(stack_folder: Path) -> Iterator[Site]:
    """The same with a broker of the test's own, to stop and start."""
    with broker_for_anything(stack_folder) as server:
        yield Site(broker=server, collector="collector-1")


def test_what_is_said_is_stored_once_and_counted(
    connection: Connection, database_url: str, site: Site, pilot: str
) -> None:
    apply(connection, pilot)
    topic = f"pilots/{pilot}/s1"
    with collecting(database_url, site.collector_url, site.collector), device(site.device_url) as sender:
        for number in range(500):
            sender.say(f"{topic}/readings", reading(number, pm25=number / 10, mode="run"))
        sender.say(f"{topic}/readings", [reading(500 + n) for n in range(100)])
        sender.say(f"{topic}/readings", reading(7, pm25=0.7))  # a resend
        sender.say(f"{topic}/readings", reading(8, pm25=99.0))  # the same instant with another value
        sender.say(f"{topic}/events", {"id": "m1", "kind": "mission", "number": 1, "at": now_ms()})
        sender.say(f"{topic}/status", {"state": "online", "at": now_ms()})
        sender.say(f"{topic}/status", b"offline")
        wait_for(lambda: totals(connection, "intake_connection")["delivered"] == 506, what="all messages")
        assert count(connection, "reading") == 1100
        assert stored(connection)[:4] == [0.0, 1.0, 0.1, 1.0]
        assert count(connection, "conflict", "value = 99 AND stored_value = 0.8") == 1
        assert totals(connection, "intake_slot") == {
            "decoded": 1103, "stored": 1101, "duplicate": 1, "conflict": 1, "rejected": 0
        }  # fmt: skip
        assert totals(connection, "intake_connection")["committed"] == 506
        kept = connection.execute("SELECT coalesce(sum(n), 0)::int AS n FROM message").fetchone()
        assert kept == {"n": 506}
        states = connection.execute("SELECT state, origin FROM link_state ORDER BY at").fetchall()
        assert [(row["state"], row["origin"]) for row in states] == [("online", "status"), ("offline", "will")]
        wait_for(lambda: count(connection, "heartbeat", f"process = '{site.collector}'") == 1, what="a heartbeat")


BAD: dict[str, tuple[bytes, dict[str, str]]] = {
    "not JSON": (b"pm25=3", {"quarantine": "not_json"}),
    "an unknown channel": (b'{"ts": %d, "values": {"pm52": 3}}', {"quarantine": "unknown_channel"}),
    "an unknown channel beside a known one": (
        b'{"ts": %d, "values": {"temp": 3, "pm52": 3}}', {"rejection": "unknown_channel"}
    ),
    "text where a number belongs": (b'{"ts": %d, "values": {"pm25": "high"}}', {"rejection": "not_a_number"}),
    "a time in 2036": (b'{"ts": "2036-02-07T06:28:16Z", "values": {"pm25": 3}}', {"rejection": "in_future"}),
    "a time before the pilot": (b'{"ts": 12, "values": {"pm25": 3}}', {"rejection": "before_pilot"}),
    "NaN": (b'{"ts": %d, "values": {"pm25": NaN}}', {"rejection": "not_finite"}),
    "a NUL": (b'{"ts": %d, "values": {"mode": "a\\u0000b"}}', {"quarantine": "unknown_state"}),
    "a NUL in a name": (b'{"ts": %d, "values": {"temp": 1, "a\\u0000b": 1}}', {"rejection": "unknown_channel"}),
    "2 MB of nesting": (b"[" * 2_000_000, {"quarantine": "too_large"}),
    "nesting within the allowed size": (b"[" * 200_000, {"quarantine": "too_deep"}),
    "nothing": (b"", {"quarantine": "empty"}),
    "a slot that is not there": (b'{"ts": 1, "values": {}}', {"quarantine": "no_binding"}),
}  # fmt: skip


def test_bad_messages_between_good_ones(connection: Connection, database_url: str, site: Site, pilot: str) -> None:
    apply(connection, pilot)
    topic = f"pilots/{pilot}/s1/readings"
    with collecting(database_url, site.collector_url, site.collector), device(site.device_url) as sender:
        for place, (name, (payload, _)) in enumerate(BAD.items()):
            sender.say(topic, reading(2 * place))
            filled = payload % (START_MS + 2 * place) if b"%d" in payload else payload
            sender.say(topic.replace("/s1/", "/s2/") if "slot" in name else topic, filled)
        sender.say(topic, reading(2 * len(BAD)))
        sender.finish(2 * len(BAD) + 1)
        good = [float(2 * place) for place in range(len(BAD) + 1)]
        wait_for(
            lambda: (
                [row["value"] for row in _pm25(connection)] == good
                and count(connection, "quarantine") + count(connection, "rejection") == len(BAD)
            ),
            what="the good ones and a record of each bad one",
        )
    for name, (_, wanted) in BAD.items():
        for table, reason in wanted.items():
            assert count(connection, table, f"reason = '{reason}'") >= 1, name
    # All were acknowledged: a new process of the same name gets none of them again.
    before = totals(connection, "intake_connection")
    with collecting(database_url, site.collector_url, site.collector):
        time.sleep(0.3)
    assert totals(connection, "intake_connection") == before
    # One message is nobody's, because its slot is not there; the others were counted.
    assert before["delivered"] == 2 * len(BAD)
    assert before["quarantined"] == count(connection, "quarantine", "connection_id IS NOT NULL")
    head = connection.execute("SELECT payload, payload_bytes FROM quarantine WHERE reason = 'too_large'").fetchone()
    assert head is not None and len(head["payload"]) == 4096 and head["payload_bytes"] == 2_000_000
    refused = connection.execute("SELECT item, value FROM rejection WHERE reason = 'before_pilot'").fetchone()
    assert refused == {"item": "pm25", "value": "3"}
    assert len(quarantined(connection, Wanted(pilot=pilot))) == count(connection, "quarantine")


def _pm25(connection: Connection) -> list[dict[str, Any]]:
    return connection.execute(
        "SELECT value FROM reading JOIN channel USING (channel_id) WHERE name = 'pm25' ORDER BY observed_at"
    ).fetchall()


def test_what_the_broker_had_kept_counts_by_its_own_time_or_not_at_all(
    connection: Connection, database_url: str, own_site: Site, pilot: str
) -> None:
    apply(connection, pilot)
    topic = f"pilots/{pilot}/s1"
    with device(own_site.device_url) as sender:
        sender.say(f"{topic}/readings", reading(1), retain=True)
        sender.say(f"{topic}/status", b"offline", retain=True)
        sender.finish(2)
        with collecting(database_url, own_site.collector_url, own_site.collector):
            wait_for(lambda: count(connection, "rejection") == 1, what="the status without a time to be refused")
            wait_for(lambda: count(connection, "reading", "flags = 2") == 1, what="the retained reading, flagged")
        # Not once more at the next start: the session knows its subscriptions.
        with collecting(database_url, own_site.collector_url, own_site.collector):
            sender.say(f"{topic}/readings", reading(2))
            wait_for(lambda: stored(connection) == [1.0, 2.0], what="a new reading")
    assert count(connection, "link_state") == 0
    assert totals(connection, "intake_connection")["delivered"] == 3


def test_the_guilty_message_is_set_aside_and_its_neighbours_are_stored(
    connection: Connection, database_url: str, site: Site, pilot: str
) -> None:
    apply(connection, pilot)
    connection.execute("ALTER TABLE reading ADD CONSTRAINT never_13 CHECK (value NOT IN (13, 77))")
    topic = f"pilots/{pilot}/s1/readings"
    with collecting(database_url, site.collector_url, site.collector), device(site.device_url) as sender:
        for number in range(100):
            sender.say(topic, reading(number))
        wait_for(lambda: totals(connection, "intake_connection")["delivered"] == 100, what="all to be settled")
    assert stored(connection) == [float(number) for number in range(100) if number not in (13, 77)]
    rows = quarantined(connection, Wanted(pilot=pilot))
    assert [(row["reason"], json.loads(bytes(row["payload"]))["values"]) for row in rows] == [
        ("refused_by_store", {"pm25": 77}), ("refused_by_store", {"pm25": 13})
    ]  # fmt: skip
    assert totals(connection, "intake_connection")["quarantined"] == 2
    connection.execute("ALTER TABLE reading DROP CONSTRAINT never_13")
    done = replay(connection, Wanted(pilot=pilot), who="cli:test")
    assert (done.tried, done.resolved, done.readings, done.still) == (2, 2, 2, 0)
    assert stored(connection) == [float(number) for number in range(100)]
    assert totals(connection, "intake_connection")["delivered"] == 100, "a replay is no delivery"


def test_a_plan_applied_meanwhile_is_heard_and_cures_what_was_set_aside(
    connection: Connection, database_url: str, site: Site, pilot: str
) -> None:
    with collecting(database_url, site.collector_url, site.collector), device(site.device_url) as sender:
        sender.say(f"pilots/{pilot}/s1/readings", reading(1))
        wait_for(lambda: count(connection, "quarantine", "reason = 'no_binding'") == 1, what="the quarantine")
        apply(
            connection,
            pilot,
            connections=f"{{ws: {{topics: ['{pilot}/+/data'], time: {{path: Time}}}}}}",
            slots=(
                "  s1: {device: {serial: '1'}, channels: {pm25: {unit: ug/m^3, period: 10 s}}}\n"
                "  s2: {device: {serial: '2'}, connection: ws, channels: {t: {unit: degC, source_unit: degF, period: 10 s}}}\n"
            ),
        )
        # The very next message of a native topic is known; a filter of the plan's own is heard within a second or two.
        sender.say(f"pilots/{pilot}/s1/readings", reading(2))
        wait_for(lambda: stored(connection) == [2.0], what="the reading of the new plan")
        time.sleep(2.0)
        sender.say(f"{pilot}/9/data", {"Time": START_MS + 3, "t": "212"})
        wait_for(lambda: stored(connection) == [2.0, 100.0], what="the reading on the plan's own topic")
    done = replay(connection, Wanted(pilot=pilot), who="cli:test")
    assert (done.resolved, done.readings) == (1, 1)
    assert stored(connection) == [1.0, 2.0, 100.0]
    again = replay(connection, Wanted(pilot=pilot), who="cli:test")
    assert again.tried == 0
    assert count(connection, "audit", "what = 'quarantine.replay'") == 1


def test_a_stranger_and_a_neighbour_are_not_heard(
    connection: Connection, database_url: str, stack_folder: Path, pilot: str
) -> None:
    mine, theirs = apply(connection, pilot), apply(connection, f"{pilot}-2")
    server = Mosquitto(stack_folder / "mosquitto")
    server.write_users(desired_clients(connection))
    with server:
        url = server.collector_url("collector-1")
        with collecting(database_url, url, "collector-1"):
            ours, other = mine.credentials[0], theirs.credentials[0]
            with device(server.url_of(ours.username, "guessed")) as stranger:
                assert stranger.refused is not None
            with (
                device(server.url_of(ours.username, ours.password)) as sender,
                device(server.url_of(other.username, other.password)) as neighbour,
            ):
                neighbour.say(f"pilots/{pilot}/s1/readings", reading(1))
                neighbour.say(f"pilots/{pilot}-2/s1/readings", reading(2))
                sender.say(f"pilots/{pilot}/s1/readings", reading(3))
                wait_for(lambda: count(connection, "reading") == 2, what="what each may say")
                time.sleep(0.2)
    assert stored(connection) == [2.0, 3.0]
    assert count(connection, "quarantine") == 0
