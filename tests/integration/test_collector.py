"""A collector between a real broker and a real database: what arrives, what is refused, what survives."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.database import Connection
from devices.access import BrokerUser
from devices.credentials import password_record
from devices.registry import desired_clients
from ingest import listener
from ingest.broker_url import parse_broker_url
from ingest.inbox import Inbox
from ingest.listener import Listener
from ingest.part import Part
from ingest.quarantine import Wanted, quarantined
from ingest.replay import replay
from pilotbed.stack.account import temporary_folder
from pilotbed.stack.mosquitto import Mosquitto
from tests.collecting import (
    Proxy,
    apply,
    collecting,
    collector_process,
    count,
    device,
    now_ms,
    wait_for,
)

_COLLECTORS = tuple(f"collector-{number}" for number in range(1, 30))
_SECRET = "a device's secret"


@dataclass(slots=True)
class Site:
    """A broker where the user ``device`` may publish anywhere, and a collector's name that no other test has."""

    broker: Mosquitto
    collector: str

    @property
    def collector_url(self) -> str:
        return self.broker.collector_url(self.collector)

    @property
    def device_url(self) -> str:
        return self.broker.url_of("device", _SECRET)


def _broker(folder: Path) -> Mosquitto:
    server = Mosquitto(folder / "mosquitto", collectors=_COLLECTORS)
    server.write_users([BrokerUser(username="device", password=password_record(_SECRET), publish=("#",), subscribe=())])
    server.start()
    return server


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Mosquitto, list[str]]]:
    with temporary_folder("pilotbed-test-") as folder:
        server = _broker(folder)
        try:
            yield server, list(_COLLECTORS)
        finally:
            server.stop()


@pytest.fixture
def site(shared: tuple[Mosquitto, list[str]]) -> Site:
    return Site(broker=shared[0], collector=shared[1].pop())


@pytest.fixture
def own_site(stack_folder: Path) -> Iterator[Site]:
    """The same with a broker of the test's own, to stop and start."""
    server = _broker(stack_folder)
    try:
        yield Site(broker=server, collector="collector-1")
    finally:
        server.stop()


def reading(number: int, **values: Any) -> dict[str, Any]:
    """A reading whose instant is told by its number: no two numbers share one."""
    return {"ts": _START_MS + number, "values": values or {"pm25": number}}


_START_MS = now_ms(-3600)


def stored(connection: Connection) -> list[float]:
    return [row["value"] for row in connection.execute("SELECT value FROM reading ORDER BY observed_at, channel_id")]


def totals(connection: Connection, table: str) -> dict[str, int]:
    """The sums of a table of the accounting."""
    names = {
        "intake_connection": ("delivered", "committed", "quarantined", "payload_bytes"),
        "intake_slot": ("decoded", "stored", "duplicate", "conflict", "rejected"),
    }[table]
    columns = ", ".join(f"coalesce(sum({name}), 0)::bigint AS {name}" for name in names)
    row = connection.execute(f"SELECT {columns} FROM {table}").fetchone()  # type: ignore[arg-type]
    assert row is not None
    return dict(row)


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
            filled = payload % (_START_MS + 2 * place) if b"%d" in payload else payload
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


class _Stream:
    """Readings without an end, about a thousand a second, from a thread of its own."""

    def __init__(self, sender: Any, topic: str) -> None:
        self.said = 0
        self._sender, self._topic = sender, topic
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._main, daemon=True)
        self._thread.start()

    def _main(self) -> None:
        while not self._stop.wait(0.01):
            for _ in range(10):
                self._sender.say(self._topic, reading(self.said))
                self.said += 1

    def end(self) -> int:
        """How many were said."""
        self._stop.set()
        self._thread.join(10)
        return self.said


def test_killed_in_the_middle_of_a_stream(
    connection: Connection, database_url: str, site: Site, pilot: str, tmp_path: Path
) -> None:
    apply(connection, pilot)
    topic, log = f"pilots/{pilot}/s1/readings", tmp_path / "collect.log"
    log.touch()

    def connections() -> int:
        return log.read_bytes().count(b" connected ")

    with device(site.device_url) as sender:
        with collector_process(database_url, site.collector_url, site.collector, log):
            wait_for(lambda: connections() == 1, what="the session to begin")
        stream = _Stream(sender, topic)
        for _ in range(3):
            with collector_process(database_url, site.collector_url, site.collector, log) as process:
                before = count(connection, "reading")
                wait_for(lambda before=before: count(connection, "reading") > before + 200, what="some readings")
                process.kill()
                process.wait()
        with collector_process(database_url, site.collector_url, site.collector, log) as last:
            total = stream.end()
            sender.finish(total)
            wait_for(lambda: count(connection, "reading") == total, what=f"all {total} readings")
            last.terminate()
            assert last.wait(15) == 0
    assert stored(connection) == [float(number) for number in range(total)]
    assert count(connection, "conflict") == 0


def test_stopped_in_the_middle_of_a_stream_nothing_is_delivered_twice(
    connection: Connection, database_url: str, site: Site, pilot: str
) -> None:
    apply(connection, pilot)
    with device(site.device_url) as sender:
        with collecting(database_url, site.collector_url, site.collector):
            stream = _Stream(sender, f"pilots/{pilot}/s1/readings")
            wait_for(lambda: count(connection, "reading") > 100, what="some readings")
        for _ in range(4):
            before = count(connection, "reading")
            with collecting(database_url, site.collector_url, site.collector):
                wait_for(lambda before=before: count(connection, "reading") > before + 100, what="some more")
        total = stream.end()
        sender.finish(total)
        with collecting(database_url, site.collector_url, site.collector):
            wait_for(lambda: count(connection, "reading") == total, what=f"all {total} readings")
    assert totals(connection, "intake_connection")["delivered"] == total
    assert totals(connection, "intake_slot")["duplicate"] == 0


def test_the_database_goes_away_and_comes_back(
    connection: Connection, database_url: str, site: Site, pilot: str, caplog: pytest.LogCaptureFixture
) -> None:
    apply(connection, pilot)
    topic = f"pilots/{pilot}/s1/readings"
    caplog.set_level("INFO", logger="ingest")
    with (
        Proxy(database_url) as proxy,
        collecting(proxy.url, site.collector_url, site.collector),
        device(site.device_url) as sender,
    ):
        for number in range(300):
            sender.say(topic, reading(number))
        wait_for(lambda: count(connection, "reading") > 100, what="the first readings")
        proxy.cut()
        for number in range(300, 900):
            sender.say(topic, reading(number))
            time.sleep(0.002)
        sender.finish(900)
        time.sleep(0.5)
        assert count(connection, "reading") < 900
        proxy.mend()
        wait_for(lambda: count(connection, "reading") == 900, what="all 900 readings")
    assert stored(connection) == [float(number) for number in range(900)]
    told = [record.getMessage() for record in caplog.records if record.name == "ingest.writer"]
    assert len([line for line in told if "database is away" in line]) == 1, "said once, not at every attempt"
    assert len([line for line in told if "database is back" in line]) == 1


def test_stopped_while_the_database_is_away_nothing_is_acknowledged(
    connection: Connection, database_url: str, site: Site, pilot: str
) -> None:
    apply(connection, pilot)
    with Proxy(database_url) as proxy, device(site.device_url) as sender:
        with collecting(proxy.url, site.collector_url, site.collector) as collector:
            proxy.cut()
            for number in range(200):
                sender.say(f"pilots/{pilot}/s1/readings", reading(number))
            wait_for(lambda: collector.held == 200, what="the messages to be held")
        assert count(connection, "reading") == 0
        with collecting(database_url, site.collector_url, site.collector):
            wait_for(lambda: count(connection, "reading") == 200, what="the same messages, delivered again")


def test_the_broker_restarts_while_messages_are_held(
    connection: Connection, database_url: str, own_site: Site, pilot: str
) -> None:
    apply(connection, pilot)
    topic, site = f"pilots/{pilot}/s1/readings", own_site
    with (
        Proxy(database_url) as proxy,
        collecting(proxy.url, site.collector_url, site.collector, high_water_messages=100) as collector,
    ):
        with device(site.device_url) as sender:
            for number in range(100):
                sender.say(topic, reading(number))
            wait_for(lambda: count(connection, "reading") == 100, what="the first hundred")
            proxy.cut()
            for number in range(100, 400):
                sender.say(topic, reading(number))
            sender.finish(400)
        wait_for(lambda: collector.held >= 100, what="the collector to be full")
        site.broker.stop()
        site.broker.start()
        proxy.mend()
        wait_for(lambda: count(connection, "reading") == 400, what="all readings, those held and those queued")
        wait_for(lambda: collector.held == 0, what="everything to be settled")
    assert stored(connection) == [float(number) for number in range(400)]


@contextmanager
def _listening(site: Site) -> Iterator[tuple[Listener, Inbox]]:
    """A listener without a writer."""
    inbox = Inbox(high_water_messages=10_000)
    opened = Listener(parse_broker_url(site.collector_url), name=site.collector, inbox=inbox, filters=["pilots/#"])
    opened.start()
    try:
        yield opened, inbox
    finally:
        opened.leave(within_s=5)


def _taken(inbox: Inbox, messages: int) -> list[Part]:
    parts: list[Part] = []
    wait_for(
        lambda: (
            parts.extend(inbox.take(most=1000, window_s=0, timeout_s=0.1))
            or sum(len(part.items) for part in parts) >= messages
        ),
        what=f"{messages} messages",
    )
    assert sum(len(part.items) for part in parts) == messages
    return parts


def test_acknowledgements_of_a_connection_before_are_dropped(own_site: Site) -> None:
    """The broker is killed and numbers its packets anew. An acknowledgement of before would confirm, by its packet id, a
    message that nobody has stored."""

    def say(numbers: range) -> None:
        with device(own_site.device_url) as sender:
            for number in numbers:
                sender.say("pilots/p/s/readings", reading(number))
            sender.finish(len(numbers))

    with _listening(own_site) as (first, inbox):
        wait_for(lambda: first.listening_since, what="the session")
        (saved,) = wait_for(lambda: list(own_site.broker.folder.rglob("mosquitto.db")), what="the first save")
        wait_for(lambda: own_site.collector.encode() in saved.read_bytes(), what="a save that has the session")
        before = saved.read_bytes()
        say(range(50))
        old = _taken(inbox, 50)
        own_site.broker.kill()
        saved.write_bytes(before)  # as if the power had gone before the next save
        own_site.broker.start()
        wait_for(lambda: first.acks.generation == 2, what="the next connection")
        say(range(50, 100))
        new = _taken(inbox, 50)
        old_mids, new_mids = ([mid for part in parts for mid in part.mids()] for parts in (old, new))
        assert set(old_mids) & set(new_mids), "the broker numbered on: this test shows nothing"
        assert not first.acks.send(old[0].generation, old_mids)
        assert first.acks.send(new[-1].generation, new_mids[:20])
    with _listening(own_site) as (_, inbox):
        again = [json.loads(item[1])["values"]["pm25"] for part in _taken(inbox, 30) for item in part.items]
    assert again == list(range(70, 100)), "what was not acknowledged comes again, and only that"


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


def test_memory_is_bounded_while_the_database_is_away(
    connection: Connection, database_url: str, site: Site, pilot: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "HOLD_S", 0.5)
    apply(connection, pilot)
    payload = reading(0) | {"filler": "x" * 4000}
    with (
        Proxy(database_url) as proxy,
        device(site.device_url) as sender,
        collecting(proxy.url, site.collector_url, site.collector, high_water_messages=500) as collector,
    ):
        proxy.cut()
        most = 0
        for number in range(5000):
            sender.say(f"pilots/{pilot}/s1/readings", payload | {"ts": _START_MS + number})
            most = max(most, collector.held)
        sender.finish(5000)
        wait_for(lambda: not collector.listening, what="the collector to disconnect")
        most = max(most, collector.held)
        # One read beyond the mark, at most.
        assert 500 <= most <= 500 + 262_144 // 4000 + 1
        proxy.mend()
        wait_for(lambda: count(connection, "reading") == 5000, what="all readings", within_s=30)
    assert totals(connection, "intake_slot")["conflict"] == 0


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
        sender.say(f"{pilot}/9/data", {"Time": _START_MS + 3, "t": "212"})
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
